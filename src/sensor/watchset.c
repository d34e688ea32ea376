#include "sensor/watchset.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define FREE 0 /* never used */
#define GONE 1 /* was a key: not used again, so that two adders of one key always meet at the same slot */

struct table {
	size_t size;
	_Atomic size_t used; /* keys and GONE */
	_Atomic uint64_t slot[];
};

struct watchset {
	_Atomic(struct table *) now;
	_Atomic(struct table *) next; /* while growing: every add goes into both */
	_Atomic size_t count;
};

static size_t table_bytes(size_t size)
{
	return sizeof(struct table) + size * sizeof(uint64_t);
}

static struct table *table_new(size_t size)
{
	struct table *t = mmap(NULL, table_bytes(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (t == MAP_FAILED)
		return NULL;
	t->size = size;
	return t;
}

static void table_free(struct table *t)
{
	if (t)
		munmap(t, table_bytes(t->size));
}

/* The key is a keyed hash: its low bits are as good as any. */
static _Atomic uint64_t *table_find(struct table *t, uint64_t key)
{
	for (size_t i = key & (t->size - 1), n = 0; n < t->size; n++, i = (i + 1) & (t->size - 1)) {
		uint64_t v = atomic_load_explicit(&t->slot[i], memory_order_acquire);

		if (v == key)
			return &t->slot[i];
		if (v == FREE)
			return NULL;
	}
	return NULL;
}

static int table_add(struct table *t, uint64_t key)
{
	size_t i = key & (t->size - 1);

	if (atomic_load_explicit(&t->used, memory_order_relaxed) >= t->size - t->size / 8)
		return table_find(t, key) ? 0 : -ENOSPC;
	for (;; i = (i + 1) & (t->size - 1)) {
		uint64_t v = atomic_load_explicit(&t->slot[i], memory_order_acquire);

		if (v == FREE) {
			if (atomic_compare_exchange_strong(&t->slot[i], &v, key)) {
				atomic_fetch_add_explicit(&t->used, 1, memory_order_relaxed);
				return 1;
			}
		}
		if (v == key)
			return 0;
	}
}

int watchset_new(size_t expected, struct watchset **ret)
{
	struct watchset *w;
	size_t size = 1024;
	struct table *t;

	while (size < expected * 2)
		size *= 2;
	w = calloc(1, sizeof(*w));
	t = w ? table_new(size) : NULL;
	if (!t) {
		free(w);
		return -ENOMEM;
	}
	atomic_init(&w->now, t);
	*ret = w;
	return 0;
}

struct watchset *watchset_free(struct watchset *w)
{
	if (w) {
		table_free(atomic_load(&w->now));
		table_free(atomic_load(&w->next));
		free(w);
	}
	return NULL;
}

bool watchset_has(const struct watchset *w, uint64_t key)
{
	return table_find(atomic_load_explicit(&w->now, memory_order_acquire), key) != NULL;
}

int watchset_add(struct watchset *w, uint64_t key)
{
	struct table *next = atomic_load(&w->next);
	int r;

	if (key <= GONE)
		return -EINVAL;
	r = table_add(atomic_load(&w->now), key);
	if (next)
		table_add(next, key);
	if (r > 0)
		atomic_fetch_add_explicit(&w->count, 1, memory_order_relaxed);
	return r;
}

bool watchset_remove(struct watchset *w, uint64_t key)
{
	_Atomic uint64_t *slot = key > GONE ? table_find(atomic_load(&w->now), key) : NULL;

	if (!slot)
		return false;
	atomic_store(slot, GONE);
	atomic_fetch_sub_explicit(&w->count, 1, memory_order_relaxed);
	return true;
}

size_t watchset_count(const struct watchset *w)
{
	return atomic_load_explicit(&w->count, memory_order_relaxed);
}

bool watchset_crowded(const struct watchset *w)
{
	struct table *t = atomic_load(&w->now);

	return atomic_load_explicit(&t->used, memory_order_relaxed) > t->size / 2;
}

/* Order matters: the responder adds to both tables before the copy begins, and has left the old one before it is given back. */
int watchset_grow(struct watchset *w, int (*quiesce)(void *arg), void *arg)
{
	struct table *old = atomic_load(&w->now), *t;
	size_t size = old->size;
	int r;

	/* Mostly GONE: the same size will do. */
	if (watchset_count(w) > size / 4)
		size *= 2;
	t = table_new(size);
	if (!t)
		return -ENOMEM;
	atomic_store(&w->next, t);
	r = quiesce(arg);
	if (r < 0) {
		/* The responder may hold `next`: it stays allocated until the next try, which is refused meanwhile. */
		atomic_store(&w->next, NULL);
		return r;
	}
	for (size_t i = 0; i < old->size; i++) {
		uint64_t v = atomic_load_explicit(&old->slot[i], memory_order_acquire);

		if (v > GONE)
			table_add(t, v);
	}
	atomic_store(&w->now, t);
	atomic_store(&w->next, NULL);
	r = quiesce(arg);
	if (r < 0)
		return r; /* leaks the old table: only while stopping */
	table_free(old);
	return 0;
}
