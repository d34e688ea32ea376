/* trace_align_internal.h — what the two files of the alignment share; nobody outside includes it.
 *
 * Purpose: struct align_work, between trace_seed.c (seeds, anchors, chains) and trace_align.c (segments, runs). Ownership: trace_align.c's align() owns it.
 * Units: normalised characters. Threads: no state. Errors: -ENOMEM.
 */
#ifndef TYTO_TRACE_ALIGN_INTERNAL_H
#define TYTO_TRACE_ALIGN_INTERNAL_H

#include "document/trace_align.h"

#define GAP 256          /* characters between anchors, and beside the last ones */
#define NONE UINT32_MAX

struct anchor {
	uint32_t a, b, n;
	int32_t score;       /* of the best chain that ends here; in sixteenths of a character */
	int32_t before;      /* the anchor before it, -1: none */
	bool used;
};

struct segment {
	uint32_t a_from, a_to, b_from, b_to, same;
	bool ends;           /* a run does not go on over it */
};

struct cell {
	int32_t score, same;
};

struct align_work {
	const struct normalised *a, *b;
	double least;
	unsigned k;
	uint64_t point;      /* of the grams' hash: random, that no text makes them collide; what is found does not depend on it */
	uint32_t *slot, *next, *count; /* grams of a by hash; the next with the same gram; how often in b */
	size_t mask;
	uint64_t *seen;      /* a bit a hash */
	uint64_t *hit;       /* a << 32 | b */
	size_t n_hits, cap_hits;
	struct anchor *anchor;
	size_t n_anchors;
	struct segment *segment;
	size_t n_segments;
	bool *taken;         /* of a */
	struct cell *row[2];
	struct alignment *out;
	size_t cap_out;
};

/* Anchors in order of b, each with the score of the best chain that ends there. */
int align_anchors(struct align_work *w);

#endif
