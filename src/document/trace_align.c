/* Seeds, chains, alignment.
 *
 *   1. Seeds: grams of `a` (8 characters, 5 where most are ideographs or kana: one in six of 8 outlives errors of 20 %) that stand in `b`. `b` is read once. Of
 *      grams that stand there often only the first places count.
 *   2. Anchors: seeds that follow each other on one diagonal, made one; chained where they go on in both texts, at most GAP apart.
 *   3. Segments: from the best chain to the least, its anchors, what stands between them (aligned in a band), and what can be added at both ends (as long as it
 *      agrees). A piece between anchors that does not agree ends a run.
 *   4. Runs: of the segments, the stretches with the most agreement beyond `least`. What a run took of `a` no later one takes.
 */
#include "document/trace_align_internal.h"

#include <errno.h>

#define BAND 16          /* how far insertions and deletions carry, to each side, beyond the difference in length */
#define BREAK 24         /* so long a piece that agrees by less than a half ends a run */
#define RUN_MIN 24       /* agreeing characters of a run; of a shorter text, all that `least` asks */
#define AGREES 2         /* score of a character that agrees, … */
#define DIFFERS (-3)     /* … and of one that does not, or is missing */
#define GIVE_UP 60       /* so far below the best: nothing more comes here */

static void work_free(struct align_work *w)
{
	free(w->slot);
	free(w->next);
	free(w->count);
	free(w->seen);
	free(w->hit);
	free(w->anchor);
	free(w->segment);
	free(w->taken);
	free(w->row[0]);
	free(w->row[1]);
}

void alignment_free(struct alignment *x)
{
	free(x->runs);
	*x = (struct alignment){ 0 };
}

static int work_make(struct align_work *w)
{
	w->segment = malloc((4 * w->n_anchors + 4) * sizeof(*w->segment)); /* an anchor and three before it */
	w->taken = calloc(w->a->n, sizeof(*w->taken));
	for (int i = 0; i < 2; i++)
		w->row[i] = malloc((2 * (BAND + GAP) + 3) * sizeof(*w->row[i]));
	return w->segment && w->taken && w->row[0] && w->row[1] ? 0 : -ENOMEM;
}

/* --- alignment in a band --- */

struct band {
	const uint32_t *a, *b;
	int step;            /* 1 forwards, -1 backwards from a[-1], b[-1] */
	uint32_t n_a, n_b;
};

struct reach {
	uint32_t a, b, same;
	int32_t score;
};

static inline uint32_t char_at(const uint32_t *c, int step, uint32_t i)
{
	return step > 0 ? c[i] : *(c - 1 - i);
}

static inline struct cell better(struct cell x, struct cell y)
{
	return y.score > x.score || (y.score == x.score && y.same > x.same) ? y : x;
}

static inline struct cell plus(struct cell x, bool agrees)
{
	return (struct cell){ x.score + (agrees ? AGREES : DIFFERS), x.same + agrees };
}

#define NOWHERE ((struct cell){ INT32_MIN / 2, 0 })

/* Rows are places in a; columns those places in b whose diagonal lies in low … high. `whole`: from corner to corner; else as far as it is good. */
static struct reach align_band(struct align_work *w, const struct band *g, bool whole)
{
	int32_t diff = (int32_t)g->n_b - (int32_t)g->n_a;
	int32_t low = (whole ? MIN(diff, 0) : 0) - BAND, high = (whole ? MAX(diff, 0) : 0) + BAND, width = high - low + 1;
	struct cell *now = w->row[0], *up = w->row[1];
	struct reach best = { 0 };

	for (uint32_t i = 0; i <= g->n_a; i++) {
		int32_t top = INT32_MIN;

		for (int32_t d = 0; d < width; d++) {
			int64_t j = (int64_t)i + low + d;
			struct cell c = NOWHERE;

			if (j >= 0 && j <= g->n_b) {
				if (i == 0 && j == 0)
					c = (struct cell){ 0, 0 };
				if (i > 0 && j > 0)
					c = plus(up[d], char_at(g->a, g->step, i - 1) == char_at(g->b, g->step, (uint32_t)j - 1));
				if (i > 0 && d + 1 < width)
					c = better(c, plus(up[d + 1], false));
				if (j > 0 && d > 0)
					c = better(c, plus(now[d - 1], false));
			}
			now[d] = c;
			top = MAX(top, c.score);
			if (whole ? i == g->n_a && j == g->n_b : c.score > best.score)
				best = (struct reach){ i, (uint32_t)j, (uint32_t)c.same, c.score };
		}
		if (!whole && top < best.score - GIVE_UP)
			break;
		now = up;
		up = i % 2 ? w->row[1] : w->row[0];
	}
	return best;
}

/* --- segments and runs --- */

static bool free_of_others(const struct align_work *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		if (w->taken[i])
			return false;
	return true;
}

/* Of n characters from *from on, the longest stretch that no run has taken. */
static uint32_t longest_free(const struct align_work *w, uint32_t *from, uint32_t n)
{
	uint32_t end = *from + n, best = 0, begin = *from;

	for (uint32_t i = *from; i <= end; i++) {
		if (i < end && !w->taken[i])
			continue;
		if (i - begin > best) {
			best = i - begin;
			*from = begin;
		}
		begin = i + 1;
	}
	return best;
}

static uint32_t long_side(const struct segment *s)
{
	return MAX(s->a_to - s->a_from, s->b_to - s->b_from);
}

static void add(struct align_work *w, struct segment s)
{
	if (long_side(&s))
		w->segment[w->n_segments++] = s;
}

/* What goes on after the anchor's end, not beyond these limits. */
static struct segment after(struct align_work *w, uint32_t a, uint32_t b, uint32_t a_limit, uint32_t b_limit)
{
	struct band g = { w->a->c + a, w->b->c + b, 1, 0, MIN(b_limit - b, (uint32_t)GAP + BAND) };
	struct reach r;

	while (g.n_a < GAP && a + g.n_a < a_limit && !w->taken[a + g.n_a])
		g.n_a++;
	r = align_band(w, &g, false);
	return (struct segment){ a, a + r.a, b, b + r.b, r.same, false };
}

static struct segment ahead(struct align_work *w, uint32_t a, uint32_t b, uint32_t a_limit, uint32_t b_limit)
{
	struct band g = { w->a->c + a, w->b->c + b, -1, 0, MIN(b - b_limit, (uint32_t)GAP + BAND) };
	struct reach r;

	while (g.n_a < GAP && a - g.n_a > a_limit && !w->taken[a - g.n_a - 1])
		g.n_a++;
	r = align_band(w, &g, false);
	return (struct segment){ a - r.a, a, b - r.b, b, r.same, false };
}

static struct segment between(struct align_work *w, const struct segment *p, uint32_t a, uint32_t b)
{
	struct segment s = { p->a_to, a, p->b_to, b, 0, false };
	struct band g = { w->a->c + p->a_to, w->b->c + p->b_to, 1, a - p->a_to, b - p->b_to };

	if (g.n_a > GAP || g.n_b > GAP || !free_of_others(w, s.a_from, s.a_to)) {
		s.ends = true;
		return s;
	}
	if (g.n_a && g.n_b)
		s.same = align_band(w, &g, true).same;
	s.ends = long_side(&s) >= BREAK && 2 * s.same < long_side(&s);
	return s;
}

/* The next anchor of a chain, what is before it first. */
static void go_on(struct align_work *w, const struct anchor *x)
{
	uint32_t over = 0, a = x->a, b = x->b, n = x->n;
	struct segment last = { 0 }, gap;

	if (w->n_segments) {
		last = w->segment[w->n_segments - 1];
		over = MAX(last.a_to > a ? last.a_to - a : 0, last.b_to > b ? last.b_to - b : 0);
		if (over >= n)
			return;
	}
	a += over;
	n = longest_free(w, &a, n - over);
	if (!n)
		return;
	b += a - x->a;
	if (!w->n_segments) {
		add(w, ahead(w, a, b, 0, 0));
	} else {
		gap = between(w, &last, a, b);
		if (gap.ends) {
			struct segment tail = after(w, last.a_to, last.b_to, a, b);

			add(w, tail);
			gap.a_from = tail.a_to;
			gap.b_from = tail.b_to;
			tail = ahead(w, a, b, gap.a_from, gap.b_from);
			gap.a_to = tail.a_from;
			gap.b_to = tail.b_from;
			gap.same = 0;
			add(w, gap);
			add(w, tail);
		} else {
			add(w, gap);
		}
	}
	add(w, (struct segment){ a, a + n, b, b + n, n, false });
}

static int put_run(struct align_work *w, const struct segment *first, const struct segment *last, uint32_t same)
{
	struct alignment *o = w->out;

	if (o->n == w->cap_out) {
		size_t cap = w->cap_out ? 2 * w->cap_out : 16;
		struct aligned *r = reallocarray(o->runs, cap, sizeof(*r));

		if (!r)
			return -ENOMEM;
		o->runs = r;
		w->cap_out = cap;
	}
	o->runs[o->n++] = (struct aligned){ first->a_from, last->a_to, first->b_from, last->b_to, same };
	o->same += same;
	o->length += last->a_to - first->a_from;
	memset(w->taken + first->a_from, true, last->a_to - first->a_from);
	return 0;
}

/* The stretch of segments from … to with the most agreement beyond `least`; false: there is none. */
static bool best_stretch(const struct align_work *w, size_t from, size_t to, size_t *ret_from, size_t *ret_to, uint32_t *ret_same)
{
	double sum = 0, best = -1;
	uint32_t same = 0;
	size_t begin = from;

	for (size_t i = from; i < to; i++) {
		const struct segment *s = &w->segment[i];

		if (s->ends) {
			sum = 0;
			same = 0;
			begin = i + 1;
			continue;
		}
		if (sum < 0 || i == begin) {
			sum = 0;
			same = 0;
			begin = i;
		}
		sum += s->same - w->least * long_side(s);
		same += s->same;
		if (sum > best) {
			best = sum;
			*ret_from = begin;
			*ret_to = i + 1;
			*ret_same = same;
		}
	}
	return best >= 0;
}

/* Stretches, the best first, then what is on both sides of it: a list of what is still to be looked at. */
static int take_runs(struct align_work *w)
{
	struct { size_t from, to; } todo[64] = { { 0, w->n_segments } };
	uint32_t least = (uint32_t)MIN((double)RUN_MIN, w->least * (double)w->a->n), same = 0;
	size_t n = 1, from = 0, to = 0;
	int r = 0;

	while (n > 0 && r == 0) {
		size_t left = todo[n - 1].from, right = todo[n - 1].to;

		n--;
		if (!best_stretch(w, left, right, &from, &to, &same) || same < MAX(least, 1u))
			continue;
		r = put_run(w, &w->segment[from], &w->segment[to - 1], same);
		if (from > left && n < ARRAY_SIZE(todo)) {
			todo[n].from = left;
			todo[n++].to = from;
		}
		if (to < right && n < ARRAY_SIZE(todo)) {
			todo[n].from = to;
			todo[n++].to = right;
		}
	}
	return r;
}

/* A chain by its last anchor, which no better one used. */
static int take_chain(struct align_work *w, int32_t last, int32_t *order)
{
	size_t n = 0;

	for (int32_t i = last; i >= 0 && !w->anchor[i].used; i = w->anchor[i].before) {
		w->anchor[i].used = true;
		order[n++] = i;
	}
	w->n_segments = 0;
	while (n-- > 0)
		go_on(w, &w->anchor[order[n]]);
	if (!w->n_segments)
		return 0;
	const struct segment *s = &w->segment[w->n_segments - 1];

	add(w, after(w, s->a_to, s->b_to, (uint32_t)w->a->n, (uint32_t)w->b->n));
	return take_runs(w);
}

static int by_score(const void *x, const void *y, void *arg)
{
	const struct anchor *a = arg;
	int32_t i = *(const int32_t *)x, j = *(const int32_t *)y;

	return a[i].score != a[j].score ? (a[i].score > a[j].score ? -1 : 1) : i < j ? -1 : i > j;
}

static int take_chains(struct align_work *w)
{
	_cleanup_free_ int32_t *sorted = NULL, *order = NULL;
	size_t n = 0;
	int r = 0;

	sorted = malloc(MAX(w->n_anchors, 1u) * sizeof(*sorted));
	order = malloc(MAX(w->n_anchors, 1u) * sizeof(*order));
	if (!sorted || !order)
		return -ENOMEM;
	/* One seed alone comes by chance. */
	for (size_t i = 0; i < w->n_anchors; i++)
		if (w->anchor[i].score >= (int32_t)(16 * (w->k + w->k / 2)))
			sorted[n++] = (int32_t)i;
	if (n)
		qsort_r(sorted, n, sizeof(*sorted), by_score, w->anchor);
	for (size_t i = 0; i < n && r == 0; i++)
		if (!w->anchor[sorted[i]].used)
			r = take_chain(w, sorted[i], order);
	return r;
}

static int by_a(const void *x, const void *y)
{
	const struct aligned *a = x, *b = y;

	return a->a_from < b->a_from ? -1 : a->a_from > b->a_from;
}

/* Neighbours that go on in both texts are one, as long as it agrees. */
static void join(struct align_work *w)
{
	struct alignment *o = w->out;
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++) {
		struct aligned *last = n ? &o->runs[n - 1] : NULL, x = o->runs[i];

		if (last && x.a_from - last->a_to < BREAK && x.b_from >= last->b_to && x.b_from - last->b_to < BREAK &&
		    last->same + x.same >= w->least * MAX(x.a_to - last->a_from, x.b_to - last->b_from)) {
			o->length += x.a_from - last->a_to;
			*last = (struct aligned){ last->a_from, x.a_to, last->b_from, x.b_to, last->same + x.same };
		} else {
			o->runs[n++] = x;
		}
	}
	o->n = n;
}

int align(const struct normalised *a, const struct normalised *b, double least, struct alignment *ret)
{
	_cleanup_(work_free) struct align_work w = { .a = a, .b = b, .least = least, .out = ret };
	int r;

	*ret = (struct alignment){ 0 };
	r = align_anchors(&w);
	if (r < 0 || !w.n_anchors)
		return r;
	r = work_make(&w);
	r = r < 0 ? r : take_chains(&w);
	if (r < 0) {
		alignment_free(ret);
		return r;
	}
	if (ret->n)
		qsort(ret->runs, ret->n, sizeof(*ret->runs), by_a);
	join(&w);
	return 0;
}
