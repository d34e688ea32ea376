/* draw.h — random draws that count their information.
 *
 * Purpose: the random choices of office.c. Each adds −log2 p of what was drawn to the field it decides, when `measure` is set.
 * Ownership: none. Units: bits. Threads: one at a time. Errors: none.
 */
#ifndef TYTO_BENCH_DRAW_H
#define TYTO_BENCH_DRAW_H

#include "office.h"

struct draw {
	uint64_t s;
	bool measure;
	double bits[INFO_MAX_];
};

/* Alias table of a Zipf distribution over ranks 0 … n−1, and −log2 of each rank's probability. */
struct zipf {
	unsigned n;
	float *keep, *info;
	uint32_t *other;
};

int zipf_init(struct zipf *z, unsigned n, double s);
void zipf_done(struct zipf *z);

uint64_t draw_raw(struct draw *d); /* 64 random bits, not counted */
uint64_t draw_below(struct draw *d, enum office_info f, uint64_t n);
bool draw_chance(struct draw *d, enum office_info f, double p);
unsigned draw_geometric(struct draw *d, enum office_info f, double mean); /* 0, 1, 2 …, at most 10,000 */
int64_t draw_wait(struct draw *d, enum office_info f, double mean_ns);    /* exponential, whole ns */
unsigned draw_zipf(struct draw *d, enum office_info f, const struct zipf *z);
/* Index into weights that sum to 256, the last being the rest. */
unsigned draw_weighted(struct draw *d, enum office_info f, const uint8_t *weights, unsigned n);

#endif
