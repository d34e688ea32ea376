/* decoy_make.h — the documents themselves: real ones that open, full of generic words.
 *
 * Purpose: bytes of a document of a format, a language, a date and about a size. Ownership: the caller's buf. Units: bytes, ns UTC.
 * Threads: one at a time.
 * Errors: negative errno. -ENOENT: libarchive cannot be loaded. A format has a least size, which is what a smaller one gets.
 */
#ifndef TYTO_DECOY_MAKE_H
#define TYTO_DECOY_MAKE_H

#include "detect/decoy_plan.h"

struct decoy_wish {
	enum decoy_format format;
	enum decoy_language language;
	uint64_t bytes;
	int64_t modified;
};
int decoy_make(const struct decoy_wish *w, struct buf *ret);

/* decoy_make.c, for the others: paragraphs (separated by a newline) of about n bytes. */
void decoy_paragraphs(enum decoy_language l, size_t n, struct buf *ret);
void decoy_title(enum decoy_language l, struct buf *ret);
/* A grey picture of noise as PNG, of about n bytes (at least 200). */
int decoy_png(size_t n, struct buf *ret);
/* decoy_office.c, decoy_pdf.c */
int decoy_office(const struct decoy_wish *w, struct buf *ret);
int decoy_pdf(const struct decoy_wish *w, struct buf *ret);

#endif
