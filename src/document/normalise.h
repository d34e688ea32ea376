/* normalise.h — text as it is compared: without what a copy, a conversion or a reader's eye changes.
 *
 * Purpose: NFKC, case folded, white space, punctuation, ruby and variation selectors dropped, half-width kana composed; offsets kept to the
 * source. Own tables for ASCII, kana and CJK (SIMD), utf8proc for what a quick check refuses. Equal to the definition in normalise.c's
 * opening over utf8proc, on every code point.
 * Ownership: struct normalised owns its arrays, reused from call to call. Units: characters are code points after normalisation; offsets
 * are bytes in the source.
 * Threads: one struct a thread. Errors: negative errno; text that is not UTF-8 does not occur (struct text is well formed).
 */
#ifndef TYTO_NORMALISE_H
#define TYTO_NORMALISE_H

#include "base/str.h"

struct normalised {
	uint32_t *c;    /* characters */
	uint32_t *at;   /* of each: byte in the source where its grapheme begins; at[n] is the end */
	size_t n, cap;
};
void normalised_free(struct normalised *x);
static inline void normalised_clear(struct normalised *x) { x->n = 0; }
/* Appends the normal form of a piece whose first byte stands at `base` in the source. Pieces are joined without anything between them. */
int normalise(struct normalised *x, str utf8, uint32_t base);

#endif
