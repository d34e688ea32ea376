/* format.h — what a format's reader is, what it reads from and where its text goes. Inside the worker only.
 *
 * Purpose: one struct format a file under formats/; each looks at the first bytes and bids, the highest bid reads (as libarchive does).
 * Ownership: struct in and struct sink belong to the worker; what in_* return lives until the input is closed. Units: bytes.
 * Threads: one; a worker reads one document at a time. Errors: negative errno:
 *   -EBADMSG corrupt   -EACCES encrypted   -EMSGSIZE too large or a cap   -ETIME deadline   -ENOMEM   -EIO   -ENOTSUP a variant we cannot
 *                      read
 * with a reason in words by sink_reason (one short clause: "truncated in stream 3"). What came before stays: text of a damaged
 * document is better than none. The sink turns every call into a no-op after a cap; a reader may ask sink_full() to end early.
 */
#ifndef TYTO_FORMAT_H
#define TYTO_FORMAT_H

#include <signal.h>

#include "extract/extract.h"

#define IN_HEAD 8192                /* bytes that a bid sees */
#define IN_WHOLE_MAX (256u << 20)   /* bytes that in_whole loads, members of containers too */
#define PART_DEPTH_MAX 8            /* container in container */
#define PART_COUNT_SMALL 10000      /* parts of one document, all levels, however small it is; */
#define PART_BYTES 256              /* beyond these, one for so many bytes of the document (mailboxes: no mail is shorter); */
#define PART_COUNT_MAX 200000       /* never more: the parent keeps about 500 bytes of each until the document is done */
#define PART_MS 5                   /* that each beyond PART_COUNT_SMALL adds to the document's deadline */
#define PART_TOTAL_MAX (2ull << 30) /* bytes unpacked, all levels */
#define PART_RATIO_MAX 1000         /* unpacked to packed, beyond the first 16 MiB */

struct in;

/* Random access; short only at the end. The file may shrink meanwhile: then 0. */
ssize_t in_read(struct in *in, uint64_t at, void *p, size_t n);
uint64_t in_size(const struct in *in);
/* All of it in memory (read once): -EMSGSIZE above max (≤ IN_WHOLE_MAX). */
int in_whole(struct in *in, size_t max, str *ret);
/* The first IN_HEAD bytes. */
str in_head(struct in *in);
/* Name as given (last component; may be empty), only a hint. */
str in_name(const struct in *in);
/* True when the name ends in .EXT, whatever the case. */
bool in_name_is(const struct in *in, const char *ext);
/* An open descriptor of the document, -1 where it exists only in memory. */
int in_fd(const struct in *in);
/* Over memory that the caller keeps while it is used. */
struct in *in_memory(str name, str bytes);
struct in *in_close(struct in *in);

enum program {
	PROGRAM_PDFTOTEXT,   /* -enc UTF-8, pages end with \f */
	PROGRAM_PDFTOTEXT_BOXES, /* the same as XML, every word with its place */
	PROGRAM_PDFINFO,     /* properties, a line each */
	PROGRAM_PDFINFO_XMP, /* the XMP stream */
	PROGRAM_PDFTOPPM,    /* the first asked page as grey PNM, 3,500 pixels long (300 dpi of A4), for OCR */
	PROGRAM_MAX_
};

struct sink;

#define PROGRAM_TOO_SLOW (128 + SIGXCPU) /* status of one that took more processor time than it may */

/* Runs a program over the whole input, in a sandbox of its own that the parent makes: standard input is the input, out gets standard output
 * (to out->max, then the program is stopped: -EMSGSIZE), err the first 4 KiB of standard error. first, last: pages, 0 all. Works for
 * members too. 0: it ended, and *ret_status is its exit status or 128 + signal; -ENOTSUP: not installed (sink_reason is set); the
 * document's deadline holds for it. */
int in_program(struct in *in, struct sink *s, enum program p, uint32_t first, uint32_t last, struct buf *out, struct buf *err,
		int *ret_status);

/* Text is UTF-8: what is malformed becomes U+FFFD, NUL and control characters but \t and \n become spaces. Runs of one block join without
 * anything between them. */
void sink_text(struct sink *s, enum zone zone, str utf8);
/* Ends a block: paragraph, slide, mail part. Nothing when nothing was written since. */
void sink_block(struct sink *s);
/* Each line is a block of its own. */
void sink_lines(struct sink *s, enum zone zone, str utf8);
/* A table begins (name may be empty: goes to ZONE_SHEET); cells until sink_table_end. Nested tables are not: their text is body text of the
 * cell. */
void sink_table(struct sink *s, str name, bool hidden);
void sink_cell(struct sink *s, uint32_t row, uint32_t col, str utf8);
void sink_table_end(struct sink *s);
/* Until switched back: text is hidden (struct span flags). */
void sink_hidden(struct sink *s, bool hidden);
void sink_meta(struct sink *s, const char *key, str value);
void sink_mslabel(struct sink *s, const struct mslabel *l);
/* An image found inside (docx media, PDF page): hashed; pixels where the format is known and OCR is wanted. */
void sink_image(struct sink *s, str name, str bytes);
/* The same for a picture that was looked at already. */
void sink_picture(struct sink *s, const struct image *i);
/* formats/image.c sets it in its prepare: size and perceptual hash of a picture, and its text where text is not NULL (OCR_NOW). -ENOTSUP:
 * not known. */
extern int (*image_look)(str bytes, struct image *ret, struct buf *text);
/* A part with a life of its own (member, attachment, embedded document): bid on and read as a document named PARENT!/name, within the caps.
 * What goes wrong inside is the part's own error, not the container's: 0; only a cap that ends the whole document is returned (-EMSGSIZE).
 * in stays the caller's. */
int sink_part(struct sink *s, str name, struct in *in);
/* The same for what could be unpacked only in part: read as far as it goes, and named as corrupt. */
int sink_part_damaged(struct sink *s, str name, struct in *in, const char *reason);
/* A part that cannot be opened, but is there: named with its error (-EACCES: encrypted). */
void sink_part_failed(struct sink *s, str name, int error, const char *reason);
/* Whoever inflates says so as he goes: -EMSGSIZE once the document as a whole unpacks to too much (reason is set; return it). */
int sink_unpacked(struct sink *s, uint64_t bytes);
/* Bytes that one member may still unpack to: of IN_WHOLE_MAX and what the caps leave. */
size_t sink_room(const struct sink *s);
/* Whether pictures are to be read now, and: here are pictures that say more than the text (text.wants_ocr). */
enum ocr_mode sink_ocr(const struct sink *s);
void sink_wants_ocr(struct sink *s);
/* The worker's own mode, set before the readers' prepare: a model is loaded only where pictures will be read. */
extern enum ocr_mode ocr_mode_of_worker;
/* CLOCK_MONOTONIC in ms at which the document's time is over, 0 never: what takes long ends before it, and keeps what it has. */
extern int64_t document_until;
/* s may be NULL here, where something is only tried. */
bool sink_full(const struct sink *s);
/* The first one counts. */
void sink_reason(struct sink *s, const char *fmt, ...) _printf_(2, 3);

struct format {
	const char *name;
	const char *mime;     /* default; a reader may say better with sink_type */
	/* 0: not mine; 1–100: how sure. head has up to IN_HEAD bytes. */
	int (*bid)(struct in *in, str head);
	int (*read)(struct in *in, struct sink *s);
	/* What must be loaded before the sandbox closes (tables, iconv, models); NULL nothing. Once a worker. */
	int (*prepare)(void);
};
void sink_type(struct sink *s, const char *mime);

/* NULL-terminated: formats/table.c. */
extern const struct format *const formats[];

/* Shared by readers: formats/charset.c. Whole buffer to UTF-8 (name as in MIME or a Windows code page "cp932"); opened before the sandbox
 * closes. */
int charset_prepare(void);
int charset_to_utf8(str charset, str bytes, struct buf *ret);
/* By the number of a Windows code page; one that is not known is read as 1252. Cheap for many short pieces. */
void charset_codepage_to_utf8(unsigned codepage, str bytes, struct buf *ret);
/* By BOM, ESC sequences, validity and letter statistics: "utf-8", "shift_jis"…; NULL for what is no text. */
const char *charset_guess(str bytes);
/* formats/html.c: tolerant; also for mail bodies and rtf-wrapped HTML. */
int html_read(str utf8, struct sink *s, enum zone zone);
/* formats/rtf.c: also of messages. */
int rtf_read(str bytes, struct sink *s);

#endif
