/* The queue between the two threads: order, wrapping, a full one, a reader beside the writer. */
#include "../test.h"

#include <errno.h>
#include <pthread.h>

#include "sensor/ring.h"

static struct ring r;

static int make(void **state)
{
	return ring_new(&r, 4096);
}

static int unmake(void **state)
{
	ring_free(&r);
	return 0;
}

static bool put(uint16_t kind, size_t n, uint8_t fill)
{
	uint8_t *p = ring_begin(&r, kind, n);

	if (!p)
		return false;
	assert_int_equal((uintptr_t)p % 8, 0);
	memset(p, fill, n);
	ring_commit(&r);
	return true;
}

static void get(uint16_t kind, size_t n, uint8_t fill)
{
	uint16_t k;
	size_t got;
	const uint8_t *p = ring_peek(&r, &k, &got);

	assert_non_null(p);
	assert_int_equal(k, kind);
	assert_int_equal(got, (n + 7) / 8 * 8); /* lengths are rounded up */
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], fill);
	ring_next(&r);
}

static void sizes(void **state)
{
	struct ring bad;

	assert_int_equal(ring_new(&bad, 1000), -EINVAL); /* no power of two */
	assert_int_equal(ring_new(&bad, 32), -EINVAL);
}

static void order(void **state)
{
	uint16_t k;
	size_t n;

	assert_null(ring_peek(&r, &k, &n));
	assert_true(put(1, 0, 0) && put(2, 5, 'a') && put(3, 8, 'b'));
	get(1, 0, 0);
	assert_true(put(4, 100, 'c'));
	get(2, 5, 'a');
	get(3, 8, 'b');
	get(4, 100, 'c');
	assert_null(ring_peek(&r, &k, &n));
	assert_int_equal(ring_used(&r), 0);
}

/* Nothing is seen before it is committed, and an entry begun twice is one. */
static void uncommitted(void **state)
{
	uint16_t k;
	size_t n;

	memset(ring_begin(&r, 1, 64), 'x', 64);
	assert_null(ring_peek(&r, &k, &n));
	memset(ring_begin(&r, 2, 8), 'y', 8);
	ring_commit(&r);
	get(2, 8, 'y');
	assert_null(ring_peek(&r, &k, &n));
}

static void full(void **state)
{
	size_t n = 0;

	assert_null(ring_begin(&r, 1, 2048)); /* more than half is never given: it might not fit anywhere */
	while (put(1, 56, (uint8_t)n))
		n++;
	assert_int_equal(n, 4096 / 64);
	assert_false(put(1, 0, 0));
	get(1, 56, 0);
	assert_true(put(1, 56, (uint8_t)n));
	assert_false(put(1, 0, 0));
	for (size_t i = 1; i <= n; i++)
		get(1, 56, (uint8_t)i);
	assert_int_equal(ring_used(&r), 0);
}

/* Every entry length at every place: a filler at the end, also one of only 8 bytes, is passed over. */
static void wraps(void **state)
{
	for (size_t n = 0; n <= 1000; n += 8)
		for (int i = 0; i < 20; i++) {
			assert_true(put(7, n, (uint8_t)(n + (size_t)i)));
			assert_true(put(8, 3, 'z'));
			get(7, n, (uint8_t)(n + (size_t)i));
			get(8, 3, 'z');
		}
	assert_int_equal(ring_used(&r), 0);
}

#define MANY 200000

static void *write_many(void *arg)
{
	uint64_t refused = 0;

	for (uint64_t i = 0; i < MANY; i++) {
		size_t n = 8 + i % 13 * 8;
		uint64_t *p;

		while (!(p = ring_begin(&r, (uint16_t)(1 + i % 3), n))) {
			refused++;
			sched_yield();
		}
		for (size_t k = 0; k < n / 8; k++)
			p[k] = i;
		ring_commit(&r);
	}
	*(uint64_t *)arg = refused;
	return NULL;
}

static void two_threads(void **state)
{
	uint64_t refused = 0;
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, write_many, &refused), 0);
	for (uint64_t i = 0; i < MANY;) {
		uint16_t kind;
		size_t n;
		const uint64_t *p = ring_peek(&r, &kind, &n);

		if (!p) {
			sched_yield();
			continue;
		}
		if (kind != 1 + i % 3 || n != 8 + i % 13 * 8)
			fail_msg("entry %llu: kind %u, %zu bytes", (unsigned long long)i, kind, n);
		for (size_t k = 0; k < n / 8; k++)
			if (p[k] != i)
				fail_msg("entry %llu, word %zu: %llu", (unsigned long long)i, k, (unsigned long long)p[k]);
		ring_next(&r);
		i++;
	}
	pthread_join(t, NULL);
	assert_true(refused < UINT64_MAX);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, make, unmake)
	const struct CMUnitTest tests[] = { cmocka_unit_test(sizes), T(order), T(uncommitted), T(full), T(wraps), T(two_threads) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
