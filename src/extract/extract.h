/* extract.h — one open file in, its text out; the parsing happens in a process that can do nothing else.
 *
 * Purpose: a worker (one process, sandboxed, recycled) and the parent's half that never parses a document's bytes. One struct extractor a
 * thread.
 * How it is started: tyto-extract, found beside the running program, else in libexec; a program that links the readers itself (tests) is
 * its own worker and started again as `PROGRAM @extract LIMITS`. The readers' libraries are not in tyto: 65 MB that the guard would lock.
 * Starting needs execve, which the confined keeper does not have: scanning under `watch` is a process of its own beside the keeper (started
 * by the guard, same account, not confined by seccomp since it starts programs, parsing nothing itself), which takes descriptors and hands
 * back what extract_file gives.
 * Programs (pdftotext): the parent starts them in a sandbox of their own; their output goes to the worker by a pipe, so the parent parses
 * nothing here, too.
 * Ownership: extract_file borrows fd (its offset may move); results live until the next call or extractor_free. Units: bytes, ms.
 * Threads: an extractor is used by one thread; many extractors beside each other. Errors: 0 even where the document was unreadable
 * (part.error says why): a negative errno only when no worker can be had.
 */
#ifndef TYTO_EXTRACT_H
#define TYTO_EXTRACT_H

#include "extract/text.h"

enum ocr_mode { OCR_NEVER, OCR_LATER /* text.wants_ocr is set, pictures are not read */, OCR_NOW };

struct extract_limits {
	uint64_t file_max;     /* larger ones are typed and hashed only: "too large" */
	uint64_t text_max;     /* bytes of text of one part */
	uint32_t deadline_ms;  /* of one document, wall, from when its bytes were read once */
	uint64_t memory;       /* RLIMIT_AS of the worker */
	uint32_t files;        /* then the worker is replaced */
};
extern const struct extract_limits extract_limits_default; /* 4 GiB, TEXT_MAX, 30 s (OCR: 120 s), 1 GiB, 1000 */

struct extract_part {
	str name;              /* "" the document itself, else "member", "a.zip!/b" … */
	str type;              /* MIME */
	uint64_t bytes;
	uint8_t sha256[32];
	bool has_sha256;
	const char *reason;    /* in words, "" none: of an error, or of what was passed over */
	const char *error;     /* NULL read; "encrypted" "corrupt" "too large" "unreadable: …", as in the contract */
	struct text text;
};

/* Parts in the order in which they end: members before their container, the document itself last. Non-zero ends the document. */
typedef int extract_cb(void *arg, const struct extract_part *part);

struct extractor;
int extractor_new(const struct extract_limits *limits, enum ocr_mode ocr, struct extractor **ret);
struct extractor *extractor_free(struct extractor *x);
/* The document behind fd (read from 0; its offset is not used). name: last component of its path, a hint for its type. The document's own
 * part has has_sha256 and bytes set from what was read, unless it could not be read at all. */
int extract_file(struct extractor *x, int fd, str name, extract_cb *cb, void *arg);

/* Where the program that parses is looked for: n 0, 1; then NULL. path: PATH_MAX bytes of room. Whoever asks who had a document leaves its
 * reading out. */
const char *extract_program(unsigned n, char *path);

/* What keeps a worker in: "landlock+seccomp", "mount namespace+seccomp"; NULL when parsing is refused, and why. Asked once by `status`. */
const char *extract_sandbox(const char **ret_why);

/* The worker's own main, behind `PROGRAM @extract LIMITS` with the socket as descriptor 3; argv[0] is LIMITS. Loads, shuts the sandbox,
 * serves, exits. */
int extract_worker_main(int argc, char **argv);
#define EXTRACT_ROLE "@extract"

#endif
