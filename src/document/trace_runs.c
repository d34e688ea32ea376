/* Verbatim runs that two texts share: found by common fingerprints, extended exactly, chosen so that none lies over another. */
#include <errno.h>

#include "document/trace_internal.h"

#define RUNS_MAX (1u << 18)
#define SAME_KEY_MAX 32u              /* places of one fingerprint in the indexed text that are tried */
#define WORK_MAX (256ull << 20)       /* characters compared: a text that repeats itself must not cost its square */
#define LEAST_PIECE 16                /* characters that are left of a run under longer ones */
#define DIAGONALS 8192

/* --- preparing --- */

void prepared_free(struct prepared *p)
{
	normalised_free(&p->text);
	fingerprints_free(&p->f);
	free(p->table);
	free(p->next);
	*p = (struct prepared){ 0 };
}

/* The running text and what stands beside it are winnowed each for itself, as in the store. */
int prepared_winnow(struct prepared *p, const uint8_t key[static FINGERPRINT_KEY])
{
	size_t beside = p->text.n - p->aside;
	struct normalised part[2] = { p->text, { p->text.c + p->aside, p->text.at + p->aside, beside, beside } };
	struct fingerprints more = { 0 };
	int r = 0;

	part[0].n = p->aside;
	p->f.n = 0;
	if (part[0].n)
		r = fingerprint(key, &part[0], FINGERPRINT_K, FINGERPRINT_WINDOW, &p->f);
	if (r == 0 && part[1].n)
		r = fingerprint(key, &part[1], FINGERPRINT_K, FINGERPRINT_WINDOW, &more);
	if (r == 0 && more.n) {
		struct fingerprint *f = reallocarray(p->f.f, p->f.n + more.n, sizeof(*f));

		r = f ? 0 : -ENOMEM;
		if (f) {
			p->f.f = f;
			p->f.cap = p->f.n + more.n;
		}
		for (size_t i = 0; f && i < more.n; i++)
			f[p->f.n++] = (struct fingerprint){ more.f[i].key, more.f[i].pos + (uint32_t)p->aside };
	}
	fingerprints_free(&more);
	return r;
}

static uint32_t slot_of(uint64_t key, uint32_t mask)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 32) & mask;
}

int prepared_index(struct prepared *p)
{
	uint32_t size = 16;

	if (p->table)
		return 0;
	while (size < 2 * p->f.n)
		size *= 2;
	p->table = calloc(size, sizeof(*p->table));
	p->next = calloc(p->f.n + 1, sizeof(*p->next));
	if (!p->table || !p->next)
		return -ENOMEM;
	p->mask = size - 1;
	for (size_t i = p->f.n; i-- > 0;) { /* the first one is found first */
		uint32_t *at = &p->table[slot_of(p->f.f[i].key, p->mask)];

		p->next[i] = *at;
		*at = (uint32_t)i + 1;
	}
	return 0;
}

/* --- finding --- */

struct seen {
	int64_t diagonal;
	uint32_t end;     /* in b */
	bool used;
};

struct search {
	const struct prepared *a, *b;
	struct run *run;
	size_t n, cap;
	struct seen seen[DIAGONALS];
	uint64_t work, weight[DIAGONALS];
	bool cut;
};

static size_t diagonal_slot(int64_t d)
{
	return (size_t)((uint64_t)d * 0x9e3779b97f4a7c15ull >> 51) % DIAGONALS;
}

static int add_run(struct search *s, struct run r)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		struct run *more = reallocarray(s->run, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->run = more;
		s->cap = cap;
	}
	s->run[s->n++] = r;
	s->cut |= s->n >= RUNS_MAX;
	return 0;
}

/* From one common k-gram in both directions, up to the borders. */
static int extend(struct search *s, uint32_t a, uint32_t b)
{
	const struct normalised *x = &s->a->text, *y = &s->b->text;
	uint32_t a_low = a < s->a->aside ? 0 : (uint32_t)s->a->aside, a_high = (uint32_t)(a < s->a->aside ? s->a->aside : x->n);
	uint32_t b_low = b < s->b->aside ? 0 : (uint32_t)s->b->aside, b_high = (uint32_t)(b < s->b->aside ? s->b->aside : y->n);
	int64_t diagonal = (int64_t)a - b;
	struct seen *seen = &s->seen[diagonal_slot(diagonal)];
	uint32_t n = 0;

	if (seen->used && seen->diagonal == diagonal && b + FINGERPRINT_K <= seen->end)
		return 0;
	while (a + n < a_high && b + n < b_high && x->c[a + n] == y->c[b + n])
		n++;
	if (n < FINGERPRINT_K)
		return 0; /* the keys agree by chance */
	s->work += n;
	while (a > a_low && b > b_low && x->c[a - 1] == y->c[b - 1]) {
		a--;
		b--;
		n++;
		s->work++;
	}
	*seen = (struct seen){ diagonal, b + n, true };
	if (n < FINGERPRINT_RUN)
		return 0;
	s->weight[diagonal_slot(diagonal >> 6)] += n;
	return add_run(s, (struct run){ a, b, n });
}

static int search(struct search *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->b->f.n && !s->cut; i++) {
		const struct fingerprint *f = &s->b->f.f[i];
		uint32_t at = s->a->table[slot_of(f->key, s->a->mask)];

		for (unsigned tries = 0; r == 0 && at && tries < SAME_KEY_MAX; at = s->a->next[at - 1])
			if (s->a->f.f[at - 1].key == f->key) {
				r = extend(s, s->a->f.f[at - 1].pos, f->pos);
				tries++;
			}
		s->cut |= s->work > WORK_MAX;
	}
	return r;
}

/* --- choosing --- */

/* Longest first; of equal ones that which continues others. */
static int by_length(const void *x, const void *y, void *arg)
{
	const struct run *a = x, *b = y;
	const struct search *s = arg;
	uint64_t p, q;

	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	p = s->weight[diagonal_slot(((int64_t)a->a - a->b) >> 6)];
	q = s->weight[diagonal_slot(((int64_t)b->a - b->b) >> 6)];
	if (p != q)
		return p > q ? -1 : 1;
	return a->a != b->a ? (a->a < b->a ? -1 : 1) : a->b < b->b ? -1 : a->b > b->b;
}

static int by_place(const void *x, const void *y)
{
	const struct run *a = x, *b = y;

	return a->a < b->a ? -1 : a->a > b->a;
}

/* A longer run cannot lie inside a shorter one: only the ends can be taken. */
static struct run trim(struct run r, const uint8_t *is)
{
	while (r.n && is[r.a]) {
		r.a++;
		r.b++;
		r.n--;
	}
	while (r.n && is[r.a + r.n - 1])
		r.n--;
	return r;
}

static void choose(struct search *s, struct overlap *c)
{
	size_t k = 0;

	qsort_r(s->run, s->n, sizeof(*s->run), by_length, s);
	for (size_t i = 0; i < s->n; i++) {
		struct run r = trim(s->run[i], c->is);

		/* What is covered within is what shorter pieces of earlier runs took: rare, and only the count is the loser. */
		for (uint32_t j = 0; j < r.n; j++) {
			c->chars += !c->is[r.a + j];
			c->is[r.a + j] = 1;
		}
		if (r.n >= LEAST_PIECE)
			s->run[k++] = r;
	}
	if (k)
		qsort(s->run, k, sizeof(*s->run), by_place);
	s->n = k;
}

int overlap_find(const struct prepared *a, const struct prepared *b, struct overlap *ret)
{
	struct search *s = calloc(1, sizeof(*s));
	struct overlap c = { .is = calloc(a->text.n + 1, 1) };
	int r = s && c.is ? 0 : -ENOMEM;

	if (r == 0) {
		s->a = a;
		s->b = b;
		r = search(s);
	}
	if (r < 0) {
		if (s)
			free(s->run);
		free(s);
		free(c.is);
		return trace_fail(r, "no memory");
	}
	if (s->n)
		choose(s, &c);
	c.run = s->run;
	c.n = s->n;
	c.cap = s->cap;
	c.cut = s->cut;
	free(s);
	*ret = c;
	return 0;
}

void overlap_free(struct overlap *c)
{
	free(c->run);
	free(c->is);
	*c = (struct overlap){ 0 };
}
