/* wire.h — frames between the extractor and its worker, and the decoder that believes nothing.
 *
 * Purpose: text goes from the worker to the parent as frames over a stream socket; the parent's decoder checks every one (kind, length,
 * counts, UTF-8) and builds struct text from them. A frame that breaks a rule ends the worker, never the parent.
 * Ownership: the decoder owns the texts it builds; a part handed to the callback lives until the callback returns. Units: bytes.
 * Threads: one a decoder. Errors: -EBADMSG a frame against the rules, -ENOMEM, or what the callback returned.
 *
 *   frame   ┌ n u32 ┬ kind u8 ┬ zone u8 ┬ flags u16 ┬ n bytes …   native byte order: both ends are the same program on the same machine
 */
#ifndef TYTO_WIRE_H
#define TYTO_WIRE_H

#include "extract/extract.h"
#include "extract/format.h"

#define FRAME_MAX (64u << 10) /* bytes after the head */

enum frame_kind {
	/* worker to parent */
	FRAME_BEGIN = 1,  /* a part opens below the open one: name */
	FRAME_TYPE,       /* MIME type of the open part */
	FRAME_HASH,       /* size u64, SHA-256 */
	FRAME_TEXT,       /* zone, flags; bytes */
	FRAME_TABLE,      /* a table opens: name; its cells follow */
	FRAME_TABLE_END,
	FRAME_CELLS,      /* flags; row uvar, then (column uvar, length uvar, bytes) */
	FRAME_META,       /* key length uvar, key, value */
	FRAME_LABEL,      /* enabled u8, source u8, GUID length uvar, GUID, name */
	FRAME_IMAGE,      /* SHA-256, phash u64, width u32, height u32; FRAME_PHASH */
	FRAME_END,        /* error i32, reason; FRAME_CUT, FRAME_WANTS_OCR: the open part closes */
	FRAME_PROGRAM,    /* struct program_request: run this */
	FRAME_PROGRAM_END,/* stdout was read to its end */
	FRAME_DONE,       /* the document is done; FRAME_RETIRE: replace me */
	/* parent to worker */
	FRAME_DOCUMENT,   /* name; with the descriptor */
	FRAME_PROGRAM_FDS,/* with stdin (unless the document itself), stdout, stderr; error i32 */
	FRAME_PROGRAM_STATUS, /* i32: exit status, or 128 + signal */
	FRAME_KIND_MAX_
};

enum frame_flag {
	FRAME_HIDDEN = 1,   /* text, cells, table */
	FRAME_NEW = 2,      /* text: a new block begins; cells: unset on the first cell of a frame that goes on with the last one */
	FRAME_CUT = 4,
	FRAME_WANTS_OCR = 8,
	FRAME_PHASH = 16,
	FRAME_RETIRE = 32,
	FRAME_MEMORY = 64,  /* end: this part wanted more memory than there is */
};

struct frame {
	uint32_t n;
	uint8_t kind, zone;
	uint16_t flags;
};

struct program_request {
	uint32_t program;          /* index into programs[] */
	uint32_t first, last;      /* pages, 0: all */
	uint32_t document;         /* 1: its stdin is the document, else a pipe that the worker fills */
};

struct image_frame {
	uint8_t sha256[32];
	uint64_t phash;
	uint32_t width, height;
};

/* Sends a frame with up to 4 descriptors; blocking. */
int wire_send(int fd, const struct frame *f, const void *p, const int *fds, size_t n_fds);
/* One frame with its descriptors, for requests and answers (n ≤ max): 1, 0 at the end of the stream, or -errno. Descriptors are closed by
 * the caller. */
int wire_recv(int fd, struct frame *f, void *p, size_t max, int *fds, size_t max_fds, size_t *ret_n_fds);

struct decoder;
struct decoder *decoder_new(uint64_t text_max);
struct decoder *decoder_free(struct decoder *d);
/* Forgets what was left of the last document. */
void decoder_start(struct decoder *d, extract_cb *cb, void *arg);
/* Takes whole frames from p and returns the bytes used (less than n when the last frame is not whole, or after a frame that asks the parent
 * for something, whose head is then in *ret_ask and its body at *ret_body), or -errno. */
ssize_t decoder_feed(struct decoder *d, const char *p, size_t n, struct frame *ret_ask, const char **ret_body);
/* The worker died: every open part is handed out with this error. Where none was opened, one for the document itself. */
int decoder_abort(struct decoder *d, const char *error);
/* Whether the worker has begun with the document; parts handed out so far. */
bool decoder_begun(const struct decoder *d);
/* The document was read to its end once: from here on it is looked into. */
bool decoder_hashed(const struct decoder *d);
size_t decoder_parts(const struct decoder *d);

#endif
