/* xls_strings.h — strings of Excel files: in a code page before Excel 97, since then wide or narrow, cut by CONTINUE records anywhere.
 *
 * Purpose: one cursor over a record and those that continue it. Ownership: the table of shared strings owns its bytes. Units: bytes.
 * Threads: one. Errors: a cursor that runs out says so by `end`.
 */
#ifndef TYTO_XLS_STRINGS_H
#define TYTO_XLS_STRINGS_H

#include "extract/formats/ole.h"

struct record {
	uint16_t type;
	str data;
	size_t next; /* where the one behind it stands */
};

/* The record at a position; false at the end. One that is cut is as long as the stream goes. */
bool record_at(str stream, size_t at, struct record *ret);

struct cursor {
	str stream;
	struct record rec;
	size_t at; /* within rec.data */
	bool end;
};

void cursor_start(struct cursor *c, str stream, const struct record *r);
/* cch characters as UTF-8 (flags: as of Excel 97, bit 0 wide); where a CONTINUE begins amid them, it says anew whether they are wide. */
void cursor_chars(struct cursor *c, uint32_t cch, uint8_t flags, struct buf *ret);

/* A string inside one record: length of two bytes or one, flags, characters (Excel 97), or bytes of a code page (codepage not 0). *at moves
 * behind it. */
void xls_string(str data, size_t *at, bool short_length, unsigned codepage, struct buf *ret);

struct shared {
	struct buf bytes;
	uint32_t *end; /* of the i-th */
	size_t n, cap;
};

void shared_read(struct shared *t, str stream, const struct record *sst);
str shared_get(const struct shared *t, uint32_t i);
void shared_free(struct shared *t);

#endif
