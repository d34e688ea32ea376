/* Which documents a person has ever taken, and on which day first: an open hash table a person. */
#include "detect/profile_int.h"

#include <errno.h>

#define DAY_BITS 16 /* days since 1970: up to 2149 */

static uint64_t *slot(const uint64_t *set, uint32_t cap, uint64_t path)
{
	uint32_t i = (uint32_t)(path * 0x9E3779B97F4A7C15ULL >> 40) & (cap - 1);

	while (set[i] && set[i] >> DAY_BITS != path)
		i = (i + 1) & (cap - 1);
	return (uint64_t *)(uintptr_t)&set[i];
}

static int resize(struct profile *p, struct person *a, uint32_t cap)
{
	uint64_t *set = calloc(cap, sizeof(*set));

	if (!set)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->known_cap; i++)
		if (a->known[i])
			*slot(set, cap, a->known[i] >> DAY_BITS) = a->known[i];
	free(a->known);
	p->known_slots += cap - a->known_cap;
	a->known = set;
	a->known_cap = cap;
	return 0;
}

int profile_know(struct profile *p, struct person *a, uint64_t path, int32_t day)
{
	uint64_t one = path << DAY_BITS | (uint16_t)day, *at;

	if (a->known_full || !path || path >> (64 - DAY_BITS))
		return 0;
	if (2 * (a->known_n + 1) > a->known_cap) {
		/* From here on nothing is told to be new to him: what is given up cannot be told from what was never there. */
		if (a->known_n >= PROFILE_KNOWN_MAX || p->known_slots > PROFILE_KNOWN_ALL) {
			a->known_full = true;
			p->full++;
			return 0;
		}
		if (resize(p, a, a->known_cap ? 2 * a->known_cap : 64) < 0)
			return -ENOMEM;
	}
	at = slot(a->known, a->known_cap, path);
	a->known_n += !*at;
	*at = *at ? MIN(*at, one) : one;
	return 0;
}

bool profile_first_on(const struct person *a, uint64_t path, int32_t day)
{
	const uint64_t *at = a->known_cap && !a->known_full && path && !(path >> (64 - DAY_BITS)) ? slot(a->known, a->known_cap, path) : NULL;

	return at && (*at & UINT16_MAX) == (uint16_t)day && *at;
}

void profile_unknow(struct person *a, int32_t day)
{
	uint64_t *old = a->known;
	uint32_t n = 0;

	if (!a->known_cap)
		return;
	/* A gap in a chain would hide what stands behind it: what is left moves together, and is put in again. */
	for (uint32_t i = 0; i < a->known_cap; i++)
		if (old[i] && (old[i] & UINT16_MAX) < (uint16_t)day)
			old[n++] = old[i];
	a->known = calloc(a->known_cap, sizeof(*a->known));
	if (!a->known) {
		/* Better nothing new than all of it. */
		a->known = old;
		a->known_full = true;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		*slot(a->known, a->known_cap, old[i] >> DAY_BITS) = old[i];
	a->known_n = n;
	free(old);
}
