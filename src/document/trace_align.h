/* trace_align.h — how much of a text stands in another when both differ by errors of reading: scans, photos, retyped text.
 *
 * Purpose: decides between candidates that share short grams (k = 8): seeds are chained, and a banded alignment between and beside them counts characters that agree.
 * Ownership: struct alignment is freed by alignment_free; texts are borrowed. Units: normalised characters. Threads: no state. Errors: -ENOMEM.
 * Bounded: time grows with leak × band, never with leak × source.
 */
#ifndef TYTO_TRACE_ALIGN_H
#define TYTO_TRACE_ALIGN_H

#include "document/normalise.h"

struct aligned {                  /* a run in both, in order of a */
	uint32_t a_from, a_to, b_from, b_to; /* characters */
	uint32_t same;                /* of a's, so many agree */
};
struct alignment {
	struct aligned *runs;
	size_t n;
	uint64_t same, length;        /* over all runs: agreeing characters of a, characters of a inside runs */
};
/* Local: runs whose characters agree by at least `least` (0…1). What lies between runs belongs to none. */
int align(const struct normalised *a, const struct normalised *b, double least, struct alignment *ret);
void alignment_free(struct alignment *x);

#endif
