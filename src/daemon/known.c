#include "daemon/known.h"

#include <sys/random.h>

#include "base/hash.h"

enum { FREE, CLEAN, WRITTEN };

struct entry {
	struct event_object object;
	union {
		uint8_t hash[32]; /* CLEAN */
		int64_t written;  /* WRITTEN: when, last */
	};
	uint8_t state, label;
};

struct known {
	struct entry *e;
	uint32_t n, cap, max;
	uint32_t patience; /* so many new ones are refused before room is looked for again: it costs as much as the table is large */
	int64_t floor; /* scans that began before it count no more */
	uint8_t key[16];
};

struct known *known_new(uint32_t max)
{
	struct known *k = calloc(1, sizeof(*k));

	if (!k || getrandom(k->key, sizeof(k->key), 0) != sizeof(k->key))
		return known_free(k);
	k->max = max ? max : KNOWN_MAX;
	return k;
}

struct known *known_free(struct known *k)
{
	if (k)
		free(k->e);
	free(k);
	return NULL;
}

static struct entry *slot(const struct known *k, struct entry *e, uint32_t cap, const struct event_object *o)
{
	uint32_t i = (uint32_t)siphash13(k->key, o, sizeof(*o)) & (cap - 1);

	while (e[i].state && (e[i].object.dev != o->dev || e[i].object.ino != o->ino || e[i].object.gen != o->gen))
		i = (i + 1) & (cap - 1);
	return &e[i];
}

/* Twice as large; or of the same size, without what was written and has no label. */
static bool grow(struct known *k, int64_t now)
{
	uint32_t cap = !k->cap ? 1024 : k->cap < k->max ? k->cap * 2 : k->cap, n = 0;
	bool drop = cap == k->cap;
	struct entry *e;

	if (drop && k->patience) {
		k->patience--;
		return false;
	}
	e = calloc(cap, sizeof(*e));
	if (!e)
		return false;
	for (uint32_t i = 0; i < k->cap; i++) {
		if (!k->e[i].state || (drop && k->e[i].state == WRITTEN && !k->e[i].label))
			continue;
		*slot(k, e, cap, &k->e[i].object) = k->e[i];
		n++;
	}
	/* That they were written is forgotten with them. */
	if (drop && n < k->n)
		k->floor = now + KNOWN_QUIET_NS;
	if (drop && n > cap / 2)
		k->patience = cap / 4;
	free(k->e);
	k->e = e;
	k->cap = cap;
	k->n = n;
	return true;
}

/* NULL: there is no room for a new one. */
static struct entry *place_for(struct known *k, const struct event_object *o, int64_t now)
{
	struct entry *e = k->cap ? slot(k, k->e, k->cap, o) : NULL;

	if (e && e->state)
		return e;
	if (k->n >= k->cap / 4 * 3 && (!grow(k, now) || k->n >= k->cap / 4 * 3))
		return NULL;
	e = slot(k, k->e, k->cap, o);
	*e = (struct entry){ .object = *o };
	k->n++;
	return e;
}

void known_put(struct known *k, const struct event_object *o, const uint8_t hash[static 32], enum event_label label, int64_t started)
{
	const struct entry *was = k->cap ? slot(k, k->e, k->cap, o) : NULL;
	struct entry *e;

	if (started < k->floor || (was && was->state == WRITTEN && started < was->written + KNOWN_QUIET_NS))
		return;
	e = place_for(k, o, started);
	/* Making room may have forgotten writes. */
	if (!e || started < k->floor)
		return;
	e->state = CLEAN;
	e->label = (uint8_t)label;
	memcpy(e->hash, hash, sizeof(e->hash));
}

void known_written(struct known *k, const struct event_object *o, int64_t now)
{
	struct entry *e = place_for(k, o, now);

	if (!e) {
		/* Not known is right for it; but no scan that began earlier may say otherwise. */
		k->floor = MAX(k->floor, now + KNOWN_QUIET_NS);
		return;
	}
	e->state = WRITTEN;
	e->written = now;
}

const uint8_t *known_get(const struct known *k, const struct event_object *o, enum event_label *ret_label)
{
	const struct entry *e = k->cap ? slot(k, k->e, k->cap, o) : NULL;

	*ret_label = e && e->state ? (enum event_label)e->label : 0;
	return e && e->state == CLEAN ? e->hash : NULL;
}

void known_forget(struct known *k, int64_t now)
{
	for (uint32_t i = 0; i < k->cap; i++) {
		if (k->e[i].state != CLEAN)
			continue;
		k->e[i].state = WRITTEN;
		k->e[i].written = now - KNOWN_QUIET_NS;
	}
	k->floor = MAX(k->floor, now);
}
