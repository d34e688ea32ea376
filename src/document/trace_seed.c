/* Seeds of an alignment, joined to anchors, and anchors to chains. */
#include "document/trace_align_internal.h"

#include <errno.h>
#include <sys/random.h>

#define GRAM 8
#define GRAM_WIDE 5      /* of scripts with thousands of characters */
#define FREQUENT 24      /* a gram that stands in b more often is no seed */
#define FIRST 2          /* but for its first ones */
#define REPEATED 4       /* nor is one for more of its places in a */
#define HITS_MIN 65536   /* seeds: at least so many are looked at, or four a character of a */
#define DRIFT 160        /* of neighbouring anchors' diagonals */
#define LOOK_BACK 48     /* anchors before one that it may follow */
#define DIAGONALS 4096
#define NEAR 3           /* diagonals to each side */
#define SEEN_BITS 19

static unsigned gram_of(const struct normalised *a)
{
	size_t wide = 0;

	for (size_t i = 0; i < a->n; i++)
		wide += a->c[i] >= 0x2e80;
	return wide * 2 > a->n ? GRAM_WIDE : GRAM;
}

static inline uint64_t spread(uint64_t h)
{
	return (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
}

static bool same_gram(const struct align_work *w, const uint32_t *x, const uint32_t *y)
{
	return memcmp(x, y, w->k * sizeof(*x)) == 0;
}

/* The slot where the gram at c stands, or would. */
static size_t find(const struct align_work *w, uint64_t h, const uint32_t *c)
{
	size_t at = h >> 20 & w->mask;

	while (w->slot[at] != NONE && !same_gram(w, w->a->c + w->slot[at], c))
		at = (at + 1) & w->mask;
	return at;
}

static uint64_t hash_first(const struct align_work *w, const uint32_t *c, uint64_t *ret_power)
{
	uint64_t h = 0;

	*ret_power = 1;
	for (unsigned i = 0; i < w->k; i++) {
		h = h * w->point + c[i];
		*ret_power *= w->point;
	}
	return h;
}

static void take_grams(struct align_work *w)
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

static int hit(struct align_work *w, uint32_t a, uint32_t b)
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
static int find_hits(struct align_work *w)
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

/* Hits of the rarest grams, as many as may be looked at; of the others the first ones: what stands everywhere (letters of one template in one file) stands there too. */
static int drop_frequent(struct align_work *w)
{
	size_t of[FREQUENT + 1] = { 0 }, most = MAX((size_t)HITS_MIN, 4 * w->a->n), sum = 0, kept = 0;
	_cleanup_free_ uint8_t *taken = calloc(w->a->n, 1);
	uint32_t limit = 0;

	if (!taken)
		return -ENOMEM;

	for (size_t i = 0; i < w->n_hits; i++)
		of[MIN(w->count[w->hit[i] >> 32] - 1, (uint32_t)FREQUENT)]++;
	while (limit < FREQUENT && sum + of[limit] <= most)
		sum += of[limit++];
	for (size_t i = 0; i < w->n_hits; i++) {
		uint32_t a = (uint32_t)(w->hit[i] >> 32);

		if (w->count[a] <= limit || taken[a]++ < FIRST)
			w->hit[kept++] = w->hit[i];
	}
	w->n_hits = kept;
	return 0;
}

static int other_places(struct align_work *w)
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

static int make_anchors(struct align_work *w)
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
	return 0;
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

static void try_after(struct align_work *w, size_t before, struct anchor *x)
{
	const struct anchor *p = &w->anchor[before];
	int32_t more = follows(p, x);

	if (more > 0 && p->score + more > x->score && p->score < INT32_MAX / 2) {
		x->score = p->score + more;
		x->before = (int32_t)before;
	}
}

/* Each after one of the last anchors, or after the last one on its diagonal or near it: between those may stand many that came by chance. */
static void chain(struct align_work *w)
{
	uint32_t last[DIAGONALS];

	memset(last, 0xff, sizeof(last));
	for (size_t i = 0; i < w->n_anchors; i++) {
		struct anchor *x = &w->anchor[i];
		uint32_t diagonal = x->b - x->a;

		x->score = (int32_t)MIN(16 * (int64_t)x->n, INT32_MAX / 2);
		for (uint32_t d = diagonal - NEAR; d != diagonal + NEAR + 1; d++)
			if (last[d % DIAGONALS] != NONE)
				try_after(w, last[d % DIAGONALS], x);
		for (size_t back = 1; back <= MIN(i, (size_t)LOOK_BACK); back++)
			try_after(w, i - back, x);
		last[diagonal % DIAGONALS] = (uint32_t)i;
	}
}

static int tables_make(struct align_work *w)
{
	size_t size = 1024, n = w->a->n;

	while (size < 2 * n)
		size *= 2;
	w->mask = size - 1;
	w->slot = malloc(size * sizeof(*w->slot));
	w->next = malloc(n * sizeof(*w->next));
	w->count = calloc(n, sizeof(*w->count));
	w->seen = calloc((1 << SEEN_BITS) / 64, sizeof(*w->seen));
	if (!w->slot || !w->next || !w->count || !w->seen)
		return -ENOMEM;
	memset(w->slot, 0xff, size * sizeof(*w->slot));
	if (getrandom(&w->point, sizeof(w->point), 0) != (ssize_t)sizeof(w->point))
		return -EIO;
	w->point |= 1;
	return 0;
}

int align_anchors(struct align_work *w)
{
	int r;

	w->k = gram_of(w->a);
	if (w->a->n < w->k || w->b->n < w->k)
		return 0;
	r = tables_make(w);
	if (r < 0)
		return r;
	take_grams(w);
	r = find_hits(w);
	r = r < 0 ? r : drop_frequent(w);
	r = r < 0 ? r : other_places(w);
	r = r < 0 ? r : make_anchors(w);
	if (r < 0)
		return r;
	chain(w);
	return 0;
}
