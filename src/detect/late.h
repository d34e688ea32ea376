/* late.h — which leaves came late, and what time they are of.
 *
 * Purpose: the detector puts them aside and goes through their time again. Ownership: struct late owns its list. Units: leaves, ns.
 * Threads: one at a time. Errors: none: a list that is full becomes coarser, and takes in leaves that were in time.
 */
#ifndef TYTO_LATE_H
#define TYTO_LATE_H

#include "base/base.h"

struct late {
	struct late_run {
		uint64_t from, to; /* leaves [from, to) */
	} *v;
	size_t n, cap;
	uint64_t count;
	int64_t min, max; /* event time */
};

void late_add(struct late *l, uint64_t seq, int64_t time);
/* All leaves from..to are of it; as it was kept over a start. */
void late_add_all(struct late *l, const struct late *other);
bool late_has(const struct late *l, uint64_t seq);
/* UINT64_MAX: none. */
uint64_t late_from(const struct late *l);
void late_clear(struct late *l);

#endif
