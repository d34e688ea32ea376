/* Seeds, chains, alignment.
 *
 *   1. Seeds: grams of `a` (8 characters, 5 where most are ideographs or kana: one in six of 8 outlives errors of 20 %) that stand in `b`. `b` is read once. Grams that
 *      stand there often say nothing of where; they are left out.
 *   2. Anchors: seeds that follow each other on one diagonal, made one; chained where they go on in both texts, at most GAP apart.
 *   3. Segments: from the best chain to the least, its anchors, what stands between them (aligned in a band), and what can be added at both ends (as long as it
 *      agrees). A piece between anchors that does not agree ends a run.
 *   4. Runs: of the segments, the stretches with the most agreement beyond `least`. What a run took of `a` no later one takes.
 */
#include "document/trace_align.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define GRAM 8
#define GRAM_WIDE 5      /* of scripts with thousands of characters */
#define FREQUENT 24      /* a gram that stands in b more often is no seed */
#define REPEATED 4       /* nor is one for more of its places in a */
#define HITS_MIN 65536   /* seeds: at least so many are looked at, or four a character of a */
#define GAP 256          /* characters between anchors, and beside the last ones */
#define BAND 16          /* how far insertions and deletions carry, to each side, beyond the difference in length */
#define DRIFT 160        /* of neighbouring anchors' diagonals */
#define LOOK_BACK 48     /* anchors before one that it may follow */
#define BREAK 24         /* so long a piece that agrees by less than a half ends a run */
#define RUN_MIN 24       /* agreeing characters of a run; of a shorter text, all that `least` asks */
#define AGREES 2         /* score of a character that agrees, … */
#define DIFFERS (-3)     /* … and of one that does not, or is missing */
#define GIVE_UP 60       /* so far below the best: nothing more comes here */

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

struct work {
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

#define NONE UINT32_MAX
#define SEEN_BITS 19

static void work_free(struct work *w)
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

static unsigned gram_of(const struct normalised *a)
{
	size_t wide = 0;

	for (size_t i = 0; i < a->n; i++)
		wide += a->c[i] >= 0x2e80;
	return wide * 2 > a->n ? GRAM_WIDE : GRAM;
}

static int work_make(struct work *w)
{
	size_t size = 1024, n = w->a->n;

	while (size < 2 * n)
		size *= 2;
	w->mask = size - 1;
	w->slot = malloc(size * sizeof(*w->slot));
	w->next = malloc(n * sizeof(*w->next));
	w->count = calloc(n, sizeof(*w->count));
	w->seen = calloc((1 << SEEN_BITS) / 64, sizeof(*w->seen));
	w->taken = calloc(n, sizeof(*w->taken));
	for (int i = 0; i < 2; i++)
		w->row[i] = malloc((2 * (BAND + GAP) + 3) * sizeof(*w->row[i]));
	if (!w->slot || !w->next || !w->count || !w->seen || !w->taken || !w->row[0] || !w->row[1])
		return -ENOMEM;
	memset(w->slot, 0xff, size * sizeof(*w->slot));
	if (getrandom(&w->point, sizeof(w->point), 0) != (ssize_t)sizeof(w->point))
		return -EIO;
	w->point |= 1;
	return 0;
}

/* --- seeds --- */

static inline uint64_t spread(uint64_t h)
{
	return (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
}

static bool same_gram(const struct work *w, const uint32_t *x, const uint32_t *y)
{
	return memcmp(x, y, w->k * sizeof(*x)) == 0;
}

/* The slot where the gram at c stands, or would. */
static size_t find(const struct work *w, uint64_t h, const uint32_t *c)
{
	size_t at = h >> 20 & w->mask;

	while (w->slot[at] != NONE && !same_gram(w, w->a->c + w->slot[at], c))
		at = (at + 1) & w->mask;
	return at;
}

static uint64_t hash_first(const struct work *w, const uint32_t *c, uint64_t *ret_power)
{
	uint64_t h = 0;

	*ret_power = 1;
	for (unsigned i = 0; i < w->k; i++) {
		h = h * w->point + c[i];
		*ret_power *= w->point;
	}
	return h;
}

static void take_grams(struct work *w)
{
	const uint32_t *c = w->a->c;
	uint64_t power, h = hash_first(w, c, &power), v;

	for (size_t i = 0;; i++) {
		size_t at;

		v = spread(h);
		at = find(w, v, c + i);
		w->next[i] = w->slot[at];
		w->slot[at] = (uint32_t)i;
		w->seen[v >> (64 - SEEN_BITS) >> 6] |= 1ULL << (v >> (64 - SEEN_BITS) & 63);
		if (i + w->k >= w->a->n)
			return;
		h = h * w->point + c[i + w->k] - c[i] * power;
	}
}

static int hit(struct work *w, uint32_t a, uint32_t b)
{
	if (w->n_hits == w->cap_hits) {
		size_t cap = w->cap_hits ? 2 * w->cap_hits : 4096;
		uint64_t *h = reallocarray(w->hit, cap, sizeof(*h));

		if (!h)
			return -ENOMEM;
		w->hit = h;
		w->cap_hits = cap;
	}
	w->hit[w->n_hits++] = (uint64_t)a << 32 | b;
	return 0;
}

/* Where grams of a stand in b. Of each gram its last place in a stands for all; they are told apart later. */
static int find_hits(struct work *w)
{
	const uint32_t *c = w->b->c;
	uint64_t power, h = hash_first(w, c, &power), v;
	int r = 0;

	for (size_t j = 0; r == 0; j++) {
		v = spread(h);
		if (w->seen[v >> (64 - SEEN_BITS) >> 6] >> (v >> (64 - SEEN_BITS) & 63) & 1) {
			uint32_t i = w->slot[find(w, v, c + j)];

			if (i != NONE && ++w->count[i] <= FREQUENT)
				r = hit(w, i, (uint32_t)j);
		}
		if (j + w->k >= w->b->n)
			break;
		h = h * w->point + c[j + w->k] - c[j] * power;
	}
	return r;
}

/* Hits of the rarest grams, as many as may be looked at. */
static void drop_frequent(struct work *w)
{
	size_t of[FREQUENT + 1] = { 0 }, most = MAX((size_t)HITS_MIN, 4 * w->a->n), sum = 0, kept = 0;
	uint32_t limit = 0;

	for (size_t i = 0; i < w->n_hits; i++)
		of[MIN(w->count[w->hit[i] >> 32] - 1, (uint32_t)FREQUENT)]++;
	while (limit < FREQUENT && sum + of[limit] <= most)
		sum += of[limit++];
	for (size_t i = 0; i < w->n_hits; i++)
		if (w->count[w->hit[i] >> 32] <= limit)
			w->hit[kept++] = w->hit[i];
	w->n_hits = kept;
}

static int other_places(struct work *w)
{
	size_t n = w->n_hits;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		uint32_t at = w->next[w->hit[i] >> 32];

		for (unsigned k = 1; at != NONE && k < REPEATED && r == 0; k++, at = w->next[at])
			r = hit(w, at, (uint32_t)w->hit[i]);
	}
	return r;
}

/* --- anchors and chains --- */

static int by_number(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static int by_b(const void *x, const void *y)
{
	const struct anchor *a = x, *b = y;

	return a->b != b->b ? (a->b < b->b ? -1 : 1) : a->a < b->a ? -1 : a->a > b->a;
}

static int make_anchors(struct work *w)
{
	uint32_t n = (uint32_t)w->a->n;

	w->anchor = malloc(MAX(w->n_hits, 1u) * sizeof(*w->anchor));
	if (!w->anchor)
		return -ENOMEM;
	/* By diagonal (b - a + n), then by place. */
	for (size_t i = 0; i < w->n_hits; i++) {
		uint32_t a = (uint32_t)(w->hit[i] >> 32), b = (uint32_t)w->hit[i];

		w->hit[i] = (uint64_t)(b + n - a) << 32 | a;
	}
	if (w->n_hits)
		qsort(w->hit, w->n_hits, sizeof(*w->hit), by_number);
	for (size_t i = 0; i < w->n_hits; i++) {
		uint32_t a = (uint32_t)w->hit[i], b = (uint32_t)(w->hit[i] >> 32) + a - n;
		struct anchor *last = w->n_anchors ? &w->anchor[w->n_anchors - 1] : NULL;

		if (last && last->b - last->a == b - a && a <= last->a + last->n)
			last->n = a + w->k - last->a;
		else
			w->anchor[w->n_anchors++] = (struct anchor){ .a = a, .b = b, .n = w->k, .before = -1 };
	}
	if (w->n_anchors)
		qsort(w->anchor, w->n_anchors, sizeof(*w->anchor), by_b);
	w->segment = malloc((4 * w->n_anchors + 4) * sizeof(*w->segment)); /* itself and three before it */
	return w->segment ? 0 : -ENOMEM;
}

/* What `x` adds when it follows `p`; INT32_MIN: it cannot. */
static int32_t follows(const struct anchor *p, const struct anchor *x)
{
	int64_t ga = (int64_t)x->a - (p->a + p->n), gb = (int64_t)x->b - (p->b + p->n), drift = llabs(ga - gb);
	int64_t over = MAX(MAX(-ga, -gb), 0);

	if (x->a <= p->a || x->b <= p->b || over >= x->n || ga > GAP || gb > GAP || drift > DRIFT)
		return INT32_MIN;
	return (int32_t)(16 * (x->n - over) - 4 * drift - MAX(MAX(ga, gb), 0) / 2);
}

static void chain(struct work *w)
{
	for (size_t i = 0; i < w->n_anchors; i++) {
		struct anchor *x = &w->anchor[i];

		x->score = (int32_t)MIN(16 * (int64_t)x->n, INT32_MAX / 2);
		for (size_t back = 1; back <= MIN(i, (size_t)LOOK_BACK); back++) {
			const struct anchor *p = &w->anchor[i - back];
			int32_t more = follows(p, x);

			if (more > 0 && p->score + more > x->score && p->score < INT32_MAX / 2) {
				x->score = p->score + more;
				x->before = (int32_t)(i - back);
			}
		}
	}
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
static struct reach align_band(struct work *w, const struct band *g, bool whole)
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

static bool free_of_others(const struct work *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		if (w->taken[i])
			return false;
	return true;
}

/* Of n characters from *from on, the longest stretch that no run has taken. */
static uint32_t longest_free(const struct work *w, uint32_t *from, uint32_t n)
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

static void add(struct work *w, struct segment s)
{
	if (long_side(&s))
		w->segment[w->n_segments++] = s;
}

/* What goes on after the anchor's end, not beyond these limits. */
static struct segment after(struct work *w, uint32_t a, uint32_t b, uint32_t a_limit, uint32_t b_limit)
{
	struct band g = { w->a->c + a, w->b->c + b, 1, 0, MIN(b_limit - b, (uint32_t)GAP + BAND) };
	struct reach r;

	while (g.n_a < GAP && a + g.n_a < a_limit && !w->taken[a + g.n_a])
		g.n_a++;
	r = align_band(w, &g, false);
	return (struct segment){ a, a + r.a, b, b + r.b, r.same, false };
}

static struct segment ahead(struct work *w, uint32_t a, uint32_t b, uint32_t a_limit, uint32_t b_limit)
{
	struct band g = { w->a->c + a, w->b->c + b, -1, 0, MIN(b - b_limit, (uint32_t)GAP + BAND) };
	struct reach r;

	while (g.n_a < GAP && a - g.n_a > a_limit && !w->taken[a - g.n_a - 1])
		g.n_a++;
	r = align_band(w, &g, false);
	return (struct segment){ a - r.a, a, b - r.b, b, r.same, false };
}

static struct segment between(struct work *w, const struct segment *p, uint32_t a, uint32_t b)
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
static void go_on(struct work *w, const struct anchor *x)
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

static int put_run(struct work *w, const struct segment *first, const struct segment *last, uint32_t same)
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
static bool best_stretch(const struct work *w, size_t from, size_t to, size_t *ret_from, size_t *ret_to, uint32_t *ret_same)
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
static int take_runs(struct work *w)
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
static int take_chain(struct work *w, int32_t last, int32_t *order)
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

static int take_chains(struct work *w)
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

int align(const struct normalised *a, const struct normalised *b, double least, struct alignment *ret)
{
	_cleanup_(work_free) struct work w = { .a = a, .b = b, .least = least, .out = ret, .k = gram_of(a) };
	int r;

	*ret = (struct alignment){ 0 };
	if (a->n < w.k || b->n < w.k)
		return 0;
	r = work_make(&w);
	if (r < 0)
		return r;
	take_grams(&w);
	r = find_hits(&w);
	if (r < 0)
		return r;
	drop_frequent(&w);
	r = other_places(&w);
	r = r < 0 ? r : make_anchors(&w);
	if (r < 0)
		return r;
	chain(&w);
	r = take_chains(&w);
	if (r < 0)
		alignment_free(ret);
	else if (ret->n)
		qsort(ret->runs, ret->n, sizeof(*ret->runs), by_a);
	return r;
}
