/* internal.h — what the files of the table of documents share; nobody outside src/document includes it.
 *
 * Purpose: struct documents, between documents.c (opening, asking), documents_take.c (leaves into rows). Ownership: documents.c owns the
 * struct.
 * Units: ns UTC, bytes, leaves. Threads: one at a time. Errors: negative errno, documents_why().
 */
#ifndef TYTO_DOCUMENT_INTERNAL_H
#define TYTO_DOCUMENT_INTERNAL_H

#include "document/documents.h"
#include "document/postings.h"
#include "document/prints.h"
#include "index/index.h"
#include "index/view.h"

enum documents_statement { /* prepared at first use */
	ST_DOCUMENT_PUT, ST_DOCUMENT_ID, ST_PLACE_PUT, ST_PLACE_GONE, ST_STOOD_PUT, ST_STOOD, ST_STOOD_OBJECT, ST_STOOD_PATH, ST_FACTS, ST_PLACE,
			ST_OBJECT, ST_OF_HASH, ST_MAX_
};

struct documents {
	struct view view;
	sqlite3_stmt *st[ST_MAX_];
	struct buf path, text; /* scratch of a take */
	struct postings *identifiers; /* opened at first use */
	bool identifiers_lost;
	struct postings *counted;     /* the same for reading, by the one who counts */
	struct prints *prints;        /* likewise */
	struct documents_stat counts; /* of rows, as they were… */
	uint64_t counts_of;           /* …at so many changes of the view, + 1; 0: not counted yet */
	int64_t count_again;          /* CLOCK_BOOTTIME: not before it */
};

#define documents_fail(r, ...) why_set(&documents_last, (r), __VA_ARGS__)
extern _Thread_local struct why documents_last;
/* Reset, ready to bind. */
int documents_statement(struct documents *d, enum documents_statement which, sqlite3_stmt **ret);
/* One leaf into rows, in the caller's transaction; other kinds are passed over. */
int documents_take(struct documents *d, const struct names *n, uint64_t seq, const struct leaf *l);

/* The store of identifiers, as it is now. -ENOENT: nothing was ever put in, and a reader does not make it. */
int documents_identifiers_open(struct documents *d);
void documents_identifiers_stat(struct documents *d, struct postings_stat *ret);

#endif
