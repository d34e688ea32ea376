#include "sensor/fold.h"

#include <errno.h>

#define NONE UINT32_MAX

struct window {
	struct fold_access first;
	uint64_t rest;
	int64_t time, end; /* of the rest; end 0: no rest */
	uint32_t next;     /* in its bucket */
	bool open;
};

/* Windows all last the same, so the order of their beginning is the order of their end: a ring, oldest first. */
struct fold {
	struct fold_ops ops;
	struct window *w;
	uint32_t *bucket;
	uint32_t max, first, n, mask, with_rest;
};

static uint32_t bucket_of(const struct fold *f, const struct fold_access *a)
{
	uint64_t h = (a->object ^ (a->who_id * 0x9e3779b97f4a7c15u)) + a->verb * 31u + a->seen;

	return (uint32_t)((h ^ (h >> 32)) & f->mask);
}

static bool same(const struct fold_access *a, const struct fold_access *b)
{
	return a->object == b->object && a->who_id == b->who_id && a->verb == b->verb && a->seen == b->seen;
}

int fold_new(size_t max, const struct fold_ops *ops, struct fold **ret)
{
	struct fold *f = calloc(1, sizeof(*f));
	uint32_t buckets = 16;

	if (!f)
		return -ENOMEM;
	while (buckets < max)
		buckets *= 2;
	f->ops = *ops;
	f->max = (uint32_t)max;
	f->mask = buckets - 1;
	f->w = calloc(max, sizeof(*f->w));
	f->bucket = malloc(buckets * sizeof(*f->bucket));
	if (!f->w || !f->bucket) {
		fold_free(f);
		return -ENOMEM;
	}
	memset(f->bucket, 0xff, buckets * sizeof(*f->bucket));
	*ret = f;
	return 0;
}

struct fold *fold_free(struct fold *f)
{
	if (!f)
		return NULL;
	for (uint32_t i = 0; i < f->n; i++) {
		struct window *w = &f->w[(f->first + i) % f->max];

		if (w->open)
			f->ops.unref(w->first.who);
	}
	free(f->w);
	free(f->bucket);
	free(f);
	return NULL;
}

static void end_window(struct fold *f, uint32_t i)
{
	struct window *w = &f->w[i];
	uint32_t *at = &f->bucket[bucket_of(f, &w->first)];

	if (!w->open)
		return;
	while (*at != i)
		at = &f->w[*at].next;
	*at = w->next;
	w->open = false;
	if (w->end) {
		struct fold_rest r = { .first = w->first, .time = w->time, .end = w->end };

		r.first.count = w->rest;
		f->with_rest--;
		f->ops.rest(&r, f->ops.arg);
	}
	f->ops.unref(w->first.who);
}

static void drop_oldest(struct fold *f)
{
	end_window(f, f->first);
	f->first = (f->first + 1) % f->max;
	f->n--;
}

static void add_rest(struct fold *f, struct window *w, const struct fold_access *a)
{
	if (!w->end) {
		w->time = w->end = a->time;
		f->with_rest++;
	}
	w->rest += a->count;
	w->time = MIN(w->time, a->time);
	w->end = MAX(w->end, a->time);
}

bool fold_add(struct fold *f, const struct fold_access *a)
{
	uint32_t b = bucket_of(f, a), i;

	for (i = f->bucket[b]; i != NONE; i = f->w[i].next)
		if (same(&f->w[i].first, a))
			break;
	if (i != NONE && a->time - f->w[i].first.time < FOLD_WINDOW_NS) {
		/* Going on within the window says nothing new unless something new was counted. */
		if (a->count)
			add_rest(f, &f->w[i], a);
		return false;
	}
	if (i != NONE)
		end_window(f, i);
	if (f->n == f->max)
		drop_oldest(f);
	i = (f->first + f->n++) % f->max;
	f->w[i] = (struct window){ .first = *a, .next = f->bucket[b], .open = true };
	f->bucket[b] = i;
	f->ops.ref(a->who);
	return true;
}

void fold_expire(struct fold *f, int64_t now)
{
	while (f->n > 0) {
		struct window *w = &f->w[f->first];

		if (w->open && now != INT64_MAX && now - w->first.time < FOLD_WINDOW_NS)
			break;
		drop_oldest(f);
	}
}

int64_t fold_oldest(const struct fold *f)
{
	return f->with_rest ? f->w[f->first].first.time : INT64_MAX;
}
