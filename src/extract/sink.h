/* sink.h — one document on its way through the worker: where its frames go, and what its parts have used up together.
 *
 * Purpose: struct doc is what all parts of one document share; struct sink is one open part. Ownership: doc borrows the socket; sinks live
 * on the stack of the reader. Units: bytes. Threads: one. Errors: negative errno.
 */
#ifndef TYTO_SINK_H
#define TYTO_SINK_H

#include "base/hash.h"
#include "extract/wire.h"

struct doc {
	int sock;
	int (*send)(void *arg, str frames); /* instead of the socket; for tests and fuzzing */
	void *send_arg;
	uint64_t text_max, file_max;
	uint32_t deadline_ms; /* 0 none */
	enum ocr_mode ocr;
	struct sha256 *hash;
	const char *(*type_of)(str head); /* for what no format reads; NULL not known */
	struct buf out;      /* frames not yet sent */
	size_t last;         /* offset in out of the last frame's head, SIZE_MAX none */
	int send_error;
	struct in *in;       /* the document itself */
	uint64_t unpacked;
	uint32_t parts, parts_max; /* by its size */
	unsigned depth;
	bool capped;         /* a cap ended the document */
};

/* How many parts a document of this size may have. */
uint32_t doc_parts_max(uint64_t size);
/* Reads one document, to its last FRAME_END. Only a broken socket is an error. */
int doc_read(struct doc *d, struct in *in);
/* There was none to read. */
int doc_failed(struct doc *d, int error);
/* Sends what stands in out. */
int doc_flush(struct doc *d);
struct doc *sink_doc(struct sink *s);

#endif
