/* Texts with errors of reading are found again, where they stand; strangers are not; time is bounded. */
#include "../test.h"
#include "../../../bench/prose.h"

#include <time.h>

#include "document/trace_align.h"

struct pair {
	struct normalised a, b;
	struct alignment x;
};

static void pair_free(struct pair *p)
{
	normalised_free(&p->a);
	normalised_free(&p->b);
	alignment_free(&p->x);
}

typedef void maker(struct buf *b, uint64_t *seed, size_t bytes);

static void make(struct normalised *t, maker *of, uint64_t seed, size_t bytes)
{
	struct buf b = BUF_INIT;

	of(&b, &seed, bytes);
	normalised_clear(t);
	assert_int_equal(normalise(t, buf_str(&b), 0), 0);
	buf_free(&b);
}

static void push(struct normalised *t, uint32_t c)
{
	if (t->n + 1 >= t->cap) {
		t->cap = 2 * t->cap + 64;
		t->c = realloc(t->c, t->cap * sizeof(*t->c));
		t->at = realloc(t->at, t->cap * sizeof(*t->at));
		assert_true(t->c && t->at);
	}
	t->c[t->n++] = c;
}

/* n characters of b with so many errors in a hundred: half others, a quarter missing, a quarter too many. How many are as they were. */
static size_t misread(struct normalised *to, const struct normalised *b, size_t from, size_t n, uint32_t errors, uint64_t *seed)
{
	size_t right = 0;

	for (size_t i = from; i < from + n; i++) {
		uint32_t stranger = b->c[prose_below(seed, (uint32_t)b->n)];

		if (prose_below(seed, 100) >= errors) {
			push(to, b->c[i]);
			right++;
		} else if (prose_below(seed, 2)) {
			push(to, stranger);
		} else if (prose_below(seed, 2)) {
			push(to, stranger);
			push(to, b->c[i]);
			right++;
		}
	}
	return right;
}

static void check(const struct pair *p, double least)
{
	uint64_t same = 0, length = 0;

	for (size_t i = 0; i < p->x.n; i++) {
		const struct aligned *r = &p->x.runs[i];

		assert_true(r->a_from < r->a_to && r->a_to <= p->a.n && r->b_from < r->b_to && r->b_to <= p->b.n);
		assert_true(i == 0 || p->x.runs[i - 1].a_to <= r->a_from);
		assert_true(r->same <= r->a_to - r->a_from && r->same <= r->b_to - r->b_from);
		assert_true(r->same >= least * MAX(r->a_to - r->a_from, r->b_to - r->b_from) - 1e-6);
		same += r->same;
		length += r->a_to - r->a_from;
	}
	assert_true(same == p->x.same && length == p->x.length);
}

static void aligned(struct pair *p, double least)
{
	alignment_free(&p->x);
	assert_int_equal(align(&p->a, &p->b, least, &p->x), 0);
	check(p, least);
}

/* Characters of a inside runs that lie in [from, to) of b. */
static size_t inside(const struct pair *p, size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = 0; i < p->x.n; i++)
		if (p->x.runs[i].b_from + 40 >= from && p->x.runs[i].b_to <= to + 40)
			n += p->x.runs[i].a_to - p->x.runs[i].a_from;
	return n;
}

static void errors_of_reading(void **state)
{
	static maker *const of[] = { prose_english, prose_japanese };
	static const struct { size_t n; uint32_t errors; double found; } level[] = {
		{ 200, 0, 1 }, { 200, 5, 0.97 }, { 200, 10, 0.95 }, { 200, 20, 0.8 }, { 3000, 10, 0.97 }, { 3000, 20, 0.9 },
	};
	struct pair p = { 0 };
	uint64_t seed = 3;

	for (size_t k = 0; k < ARRAY_SIZE(of); k++) {
		make(&p.b, of[k], 100 + k, 600000);
		for (size_t l = 0; l < ARRAY_SIZE(level); l++) {
			size_t good = 0;

			for (int i = 0; i < 50; i++) {
				size_t from = prose_below(&seed, (uint32_t)(p.b.n - level[l].n)), right;

				p.a.n = 0;
				right = misread(&p.a, &p.b, from, level[l].n, level[l].errors, &seed);
				aligned(&p, 0.6);
				good += inside(&p, from, from + level[l].n) >= level[l].found * p.a.n && p.x.same >= (size_t)(level[l].found * right);
				if (!level[l].errors)
					assert_true(p.x.n == 1 && p.x.same == p.a.n && p.x.runs[0].b_from == from && p.x.runs[0].a_from == 0);
			}
			if (good < 48)
				fail_msg("text %zu, %zu characters, %u%%: %zu of 50", k, level[l].n, level[l].errors, good);
		}
	}
	pair_free(&p);
}

/* The threshold: what agrees by less than `least` is no run. */
static void threshold(void **state)
{
	struct pair p = { 0 };
	uint64_t seed = 4;

	make(&p.b, prose_english, 5, 100000);
	misread(&p.a, &p.b, 5000, 2000, 25, &seed);
	aligned(&p, 0.6);
	assert_true(p.x.length > 1800);
	aligned(&p, 0.95);
	assert_true(p.x.length < 600);
	p.a.n = 0;
	misread(&p.a, &p.b, 5000, 2000, 3, &seed);
	aligned(&p, 0.9);
	assert_true(p.x.length > 1900);
	pair_free(&p);
}

/* Columns read the other way round; columns read across; pages of a long document, apart; what is between them belongs to none. */
static void orders(void **state)
{
	struct pair p = { 0 };
	struct normalised other = { 0 };
	uint64_t seed = 6;

	make(&p.b, prose_english, 7, 400000);
	make(&other, prose_english, 8, 20000);
	misread(&p.a, &p.b, 11000, 1000, 8, &seed);
	misread(&p.a, &p.b, 10000, 1000, 8, &seed);
	aligned(&p, 0.7);
	assert_true(inside(&p, 10000, 12000) > 0.95 * p.a.n && p.x.n == 2);
	assert_true(p.x.runs[0].b_from > p.x.runs[1].b_from);

	p.a.n = 0;
	for (size_t line = 0; line < 30; line++) {
		misread(&p.a, &p.b, 50000 + 40 * line, 40, 4, &seed);
		misread(&p.a, &p.b, 60000 + 40 * line, 40, 4, &seed);
	}
	aligned(&p, 0.7);
	assert_true(p.x.same > 0.8 * p.a.n);

	p.a.n = 0;
	misread(&p.a, &p.b, 200000, 1500, 10, &seed);
	misread(&p.a, &other, 0, 900, 0, &seed);
	misread(&p.a, &p.b, 20000, 1500, 10, &seed);
	aligned(&p, 0.7);
	assert_true(inside(&p, 200000, 201500) > 1400 && inside(&p, 20000, 21500) > 1400);
	for (size_t i = 0; i < p.x.n; i++)
		assert_true(p.x.runs[i].a_to < 1560 || p.x.runs[i].a_from > 2340);
	normalised_free(&other);
	pair_free(&p);
}

/* A large part, verbatim, is one run; a letter of a template of which a hundred stand in one file is found, once. */
static void large_and_often(void **state)
{
	struct pair p = { 0 };
	uint64_t seed = 16;

	make(&p.b, prose_english, 17, 1500000);
	misread(&p.a, &p.b, 300000, 500000, 0, &seed);
	aligned(&p, 0.7);
	assert_true(p.x.n == 1 && p.x.same == 500000 && p.x.runs[0].b_from == 300000);
	for (size_t i = 1200; i < 120000; i++)
		p.b.c[i] = i % 1200 < 40 ? 'a' + prose_below(&seed, 26) : p.b.c[i % 1200];
	p.b.n = 120000;
	p.a.n = 0;
	misread(&p.a, &p.b, 57 * 1200, 1200, 10, &seed);
	aligned(&p, 0.7);
	assert_true(p.x.same > 900 && p.x.length > 1000);
	pair_free(&p);
}

static void strangers(void **state)
{
	static maker *const of[] = { prose_english, prose_japanese };
	struct pair p = { 0 };
	struct normalised other = { 0 };
	uint64_t seed = 9;

	for (size_t k = 0; k < ARRAY_SIZE(of); k++) {
		make(&p.b, of[k], 200 + k, 600000);
		for (int i = 0; i < 20; i++) {
			make(&p.a, of[k], 1000 + (uint64_t)i, 4000);
			aligned(&p, 0.7);
			assert_true(p.x.length < p.a.n / 20);
		}
		/* A sentence that both have is a run, and all of it. */
		make(&other, of[k], 300 + k, 9000);
		make(&p.a, of[k], 400 + k, 9000);
		p.b.n = 0;
		p.a.n = 1000;
		misread(&p.b, &other, 0, 700, 0, &seed);
		misread(&p.b, &p.a, 500, 120, 0, &seed);
		misread(&p.b, &other, 700, 700, 0, &seed);
		aligned(&p, 0.7);
		assert_true(p.x.same >= 120 && p.x.length < 200);
	}
	normalised_free(&other);
	pair_free(&p);
}

static void edges(void **state)
{
	struct pair p = { 0 };

	aligned(&p, 0.7);
	assert_int_equal(p.x.n, 0);
	make(&p.b, prose_english, 10, 5000);
	aligned(&p, 0.7);
	assert_int_equal(p.x.n, 0);
	for (int i = 0; i < 7; i++)
		push(&p.a, p.b.c[i]);
	aligned(&p, 0.7);
	assert_int_equal(p.x.n, 0);
	for (int i = 7; i < 14; i++)
		push(&p.a, p.b.c[i]);
	aligned(&p, 0.7);
	assert_true(p.x.n == 1 && p.x.same == 14);
	pair_free(&p);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* 8,000 characters in two million, and what is made to cost: runs of one character, one sentence all over. */
static void bounded(void **state)
{
	struct pair p = { 0 };
	uint64_t seed = 12;
	int64_t best[3] = { INT64_MAX, INT64_MAX, INT64_MAX };

	make(&p.b, prose_english, 13, 2400000);
	assert_true(p.b.n > 2000000);
	misread(&p.a, &p.b, 1234567, 8000, 15, &seed);
	for (int kind = 0; kind < 3; kind++) {
		for (int i = 0; i < 3; i++) {
			int64_t t0 = now_ns();

			aligned(&p, 0.6);
			best[kind] = MIN(best[kind], now_ns() - t0);
		}
		if (kind == 0)
			assert_true(p.x.same > 6000);
		for (size_t i = 0; kind == 0 && i < p.b.n; i++)
			p.b.c[i] = i / 5000 % 2 ? '0' : p.b.c[i];
		for (size_t i = 0; kind == 0 && i < p.a.n; i++)
			p.a.c[i] = i / 50 % 2 ? '0' : p.a.c[i];
		for (size_t i = 0; kind == 1 && i < p.b.n; i++)
			p.b.c[i] = p.b.c[i % 100];
		for (size_t i = 0; kind == 1 && i < p.a.n; i++)
			p.a.c[i] = p.b.c[i % 100];
	}
	print_message("8,000 characters in %zu: %.1f, %.1f, %.1f ms\n", p.b.n, (double)best[0] / 1e6, (double)best[1] / 1e6, (double)best[2] / 1e6);
	/* Ten times what it takes: sanitizers and neighbours. */
	for (int kind = 0; kind < 3; kind++)
		assert_true(best[kind] < 500 * 1000000LL);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_of_reading), cmocka_unit_test(threshold), cmocka_unit_test(orders), cmocka_unit_test(large_and_often), cmocka_unit_test(strangers), cmocka_unit_test(edges),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
