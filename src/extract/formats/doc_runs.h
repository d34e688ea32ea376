/* doc_runs.h — which characters of a Word file are hidden or deleted, which paragraphs belong to tables.
 *
 * Purpose: formatted disk pages (FKP) as sorted ranges of file positions. Ownership: runs_free. Units: bytes of the WordDocument stream.
 * Threads: one.
 * Errors: none: damaged pages are passed over, their text is read as ordinary.
 */
#ifndef TYTO_DOC_RUNS_H
#define TYTO_DOC_RUNS_H

#include "extract/formats/ole.h"

enum { RUN_HIDDEN = 1, RUN_DELETED = 2, RUN_TABLE = 4, RUN_ROW_END = 8, RUN_INNER = 16 /* a table in a cell */ };

struct run {
	uint32_t from, to;
	uint8_t flags; /* never 0 */
};

struct runs {
	struct run *run;
	size_t n, cap;
	size_t at; /* last hit */
};

/* plc: the table of pages; paragraphs: of paragraphs, else of characters. Word 97 and later only. */
void runs_read(struct runs *r, str document, str plc, bool paragraphs);
/* The flags at a position; *ret_to: from where on they may differ. */
uint8_t runs_at(struct runs *r, uint32_t fc, uint32_t *ret_to);
void runs_free(struct runs *r);

#endif
