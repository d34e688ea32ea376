/* tail.c: the part of the log that the index does not hold yet; without an index, all of it. */
#include <errno.h>

#include "base/array.h"
#include "index/internal.h"

#define TAIL_STEP 4096       /* leaves between look-ups of what a decision refers to: a callback may not read */
#define TAIL_WINDOW (1 << 20) /* places held at once: 16 MiB */
#define TAIL_SEEN (1 << 20)   /* leaves of the tail, from its beginning, of which is known whose they are: 16 MiB */

struct step {
	struct index_query *q;
	int (*cb)(void *arg, uint64_t seq, const struct leaf *l, uint64_t accesses);
	void *arg;
	uint64_t stopped; /* seq of a decision that is to be resolved first */
	struct leaf leaf;
};

static int step_leaf(void *arg, uint64_t seq, const struct leaf *l)
{
	struct step *s = arg;

	if (l->kind != LEAF_EVENT)
		return 0;
	if (leaf_decides(l) && l->value[EV_REFERS] < seq) {
		s->stopped = seq;
		s->leaf = *l;
		return 1;
	}
	return s->cb(s->arg, seq, l, leaf_accesses(l));
}

int tail_each(struct index_query *q, uint64_t from, int (*cb)(void *arg, uint64_t seq, const struct leaf *l, uint64_t accesses), void *arg)
{
	while (from < q->size) {
		struct step s = { .q = q, .cb = cb, .arg = arg, .stopped = UINT64_MAX };
		uint64_t to = MIN(q->size, from + TAIL_STEP), accesses;
		int r = evidence_each(q->r, from, to, step_leaf, &s);

		if (s.stopped == UINT64_MAX) {
			if (r)
				return r < 0 ? index_fail(r, "%s", evidence_why()) : r;
			from = to;
			continue;
		}
		r = index_accesses(q->r, leaf_accesses(&s.leaf), s.leaf.value[EV_REFERS], &accesses);
		if (r < 0)
			return index_fail(r, "%s", evidence_why());
		r = cb(arg, s.stopped, &s.leaf, accesses);
		if (r)
			return r;
		from = s.stopped + 1;
	}
	return 0;
}

void tail_init(struct tail *t, struct index_query *q, const struct plan *plan, const struct place_in_time *after)
{
	*t = (struct tail){ .q = q, .plan = plan, .more = true, .max = TAIL_WINDOW };
	if (plan->limit && plan->limit < t->max)
		t->max = plan->limit;
	t->begun = after != NULL;
	if (after)
		t->after = *after;
}

void tail_free(struct tail *t)
{
	free(t->p);
	*t = (struct tail){ 0 };
}

static int tail_order(const struct tail *t, struct place_in_time a, struct place_in_time b)
{
	return t->plan->reverse ? order_cmp(b, a) : order_cmp(a, b);
}

/* The window is a heap with its last on top while it is filled: of all the tail the `max` that come first stay. */
static void heap_down(struct tail *t, size_t i, size_t n)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		struct place_in_time x = t->p[i];

		if (child + 1 < n && tail_order(t, t->p[child + 1], t->p[child]) > 0)
			child++;
		if (tail_order(t, t->p[child], x) <= 0)
			return;
		t->p[i] = t->p[child];
		t->p[child] = x;
	}
}

static int tail_take(void *arg, uint64_t seq, const struct leaf *l)
{
	struct tail *t = arg;
	struct place_in_time here = { leaf_time(l), seq };

	if (l->kind != LEAF_EVENT || !plan_match(t->plan, l) || (t->begun && tail_order(t, here, t->after) <= 0))
		return 0;
	if (t->n < t->max) {
		if (array_room(t->p, t->cap, t->n + 1) < 0)
			return -ENOMEM;
		t->p[t->n++] = here;
		if (t->n == t->max)
			for (size_t i = t->n / 2; i-- > 0;)
				heap_down(t, i, t->n);
		return 0;
	}
	t->more = true;
	if (tail_order(t, here, t->p[0]) < 0) {
		t->p[0] = here;
		heap_down(t, 0, t->n);
	}
	return 0;
}

static int see(void *arg, uint64_t seq, const struct leaf *l)
{
	struct tail_seen *k = arg;

	if (array_room(k->v, k->cap, k->n + 1) < 0)
		return -ENOMEM;
	k->v[k->n++] = l->kind == LEAF_EVENT ? (struct tail_entry){ index_who_key(l), leaf_time(l) } : (struct tail_entry){ 0, INT64_MAX };
	return 0;
}

/* Brings what is known of the tail up to leaf `to`. */
static int tail_see(struct index_query *q, uint64_t from, uint64_t to)
{
	struct tail_seen *k = &q->seen;

	if (from < k->from || from > k->from + k->n) {
		k->n = 0;
	} else {
		k->n -= (size_t)(from - k->from);
		memmove(k->v, k->v + (from - k->from), k->n * sizeof(*k->v));
	}
	k->from = from;
	return k->from + k->n < to ? evidence_each(q->r, k->from + k->n, to, see, k) : 0;
}

static bool may_match(const struct plan *p, const struct tail_entry *e)
{
	if (e->time < p->since || e->time >= p->until)
		return false;
	for (size_t i = 0; p->by_who && i < p->n_whos; i++)
		if (p->whos[i] == e->who)
			return true;
	return !p->by_who;
}

/* Of the leaves that are known only those are read that can be meant. */
static int take_seen(struct tail *t, uint64_t from, uint64_t to)
{
	int r = tail_see(t->q, from, to);

	for (uint64_t seq = from; r == 0 && seq < to; seq++) {
		struct leaf l;
		str packed;

		if (!may_match(t->plan, &t->q->seen.v[seq - from]))
			continue;
		r = evidence_read(t->q->r, seq, &packed);
		if (r == 0)
			r = leaf_decode_any((const uint8_t *)packed.p, packed.n, &l);
		if (r == 0)
			r = tail_take(t, seq, &l);
	}
	return r;
}

static int tail_fill(struct tail *t)
{
	uint64_t from = query_tail(t->q), to = MIN(t->q->size, t->plan->below), seen = MIN(to, from + TAIL_SEEN);
	int r = 0;

	t->n = t->at = 0;
	t->more = false;
	if (from < seen)
		r = take_seen(t, from, seen);
	if (r == 0 && seen < to)
		r = evidence_each(t->q->r, seen, to, tail_take, t);
	if (r < 0)
		return r == -ENOMEM ? r : index_fail(r, "%s", evidence_why());
	for (size_t i = t->n / 2; t->n < t->max && i-- > 0;)
		heap_down(t, i, t->n);
	for (size_t n = t->n; n > 1;) {
		struct place_in_time last = t->p[0];

		t->p[0] = t->p[--n];
		t->p[n] = last;
		heap_down(t, 0, n);
	}
	return 0;
}

int tail_peek(struct tail *t, struct place_in_time *ret)
{
	int r;

	if (t->at == t->n) {
		if (!t->more)
			return 0;
		r = tail_fill(t);
		if (r < 0)
			return r;
		if (t->n == 0)
			return 0;
	}
	*ret = t->p[t->at];
	return 1;
}

void tail_next(struct tail *t)
{
	t->after = t->p[t->at++];
	t->begun = true;
}
