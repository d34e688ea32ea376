/* The set of watched objects: growth beside a reader that must never miss what is in it. */
#include "../test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "sensor/watchset.h"

static int at_once(void *arg)
{
	return 0;
}

static int never(void *arg)
{
	return -ETIME;
}

/* Keys are hashes: spread over all bits. */
static uint64_t key(uint64_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15u | 2;
}

static void basics(void **state)
{
	struct watchset *w;

	assert_int_equal(watchset_new(10, &w), 0);
	assert_int_equal(watchset_add(w, 0), -EINVAL);
	assert_int_equal(watchset_add(w, 1), -EINVAL);
	assert_false(watchset_has(w, key(0)));
	assert_int_equal(watchset_add(w, key(0)), 1);
	assert_int_equal(watchset_add(w, key(0)), 0);
	assert_int_equal(watchset_count(w), 1);
	assert_true(watchset_has(w, key(0)));
	assert_true(watchset_remove(w, key(0)));
	assert_false(watchset_remove(w, key(0)));
	assert_false(watchset_remove(w, 1)); /* the mark of a removed one is no key */
	assert_false(watchset_has(w, key(0)));
	assert_int_equal(watchset_count(w), 0);
	assert_null(watchset_free(w));
	assert_null(watchset_free(NULL));
}

/* Behind a removed key of the same place the others are still found. */
static void same_place(void **state)
{
	struct watchset *w;

	assert_int_equal(watchset_new(10, &w), 0);
	for (uint64_t i = 1; i < 6; i++)
		assert_int_equal(watchset_add(w, i << 32 | 1023), 1); /* all at the last slot: they wrap */
	assert_true(watchset_remove(w, 2ull << 32 | 1023));
	assert_true(watchset_has(w, 5ull << 32 | 1023));
	assert_int_equal(watchset_add(w, 5ull << 32 | 1023), 0);
	assert_int_equal(watchset_count(w), 4);
	watchset_free(w);
}

/* Full: refused, never a loop; what is in it is found. */
static void full(void **state)
{
	struct watchset *w;
	uint64_t n = 0;

	assert_int_equal(watchset_new(10, &w), 0);
	while (watchset_add(w, key(n)) == 1)
		n++;
	assert_int_equal(watchset_add(w, key(n)), -ENOSPC);
	assert_int_equal(watchset_add(w, key(0)), 0);
	assert_true(watchset_crowded(w));
	assert_int_equal(watchset_count(w), n);
	assert_int_equal(watchset_grow(w, at_once, NULL), 0);
	for (uint64_t i = 0; i < n; i++)
		assert_true(watchset_has(w, key(i)));
	assert_int_equal(watchset_add(w, key(n)), 1);
	/* Removed keys are no longer carried along. */
	for (uint64_t i = 0; i <= n; i++)
		watchset_remove(w, key(i));
	assert_int_equal(watchset_grow(w, at_once, NULL), 0);
	assert_false(watchset_crowded(w));
	assert_int_equal(watchset_count(w), 0);
	watchset_free(w);
}

/* The responder stands still: nothing is given back, everything stays found, and the next try works. */
static void given_up(void **state)
{
	struct watchset *w;

	assert_int_equal(watchset_new(10, &w), 0);
	for (uint64_t i = 0; i < 600; i++)
		watchset_add(w, key(i));
	assert_int_equal(watchset_grow(w, never, NULL), -ETIME);
	for (uint64_t i = 0; i < 600; i++)
		assert_true(watchset_has(w, key(i)));
	assert_int_equal(watchset_add(w, key(600)), 1);
	assert_int_equal(watchset_grow(w, at_once, NULL), 0);
	assert_true(watchset_has(w, key(600)));
	watchset_free(w);
}

/* Two threads as in the sensor: one looks and adds, in turns; the other adds, removes and grows. */
struct shared {
	struct watchset *w;
	_Atomic uint64_t turn, ready; /* ready: keys below it were added by the recorder */
	_Atomic bool stop;
	uint64_t own;                 /* added by the responder */
	uint64_t missed;
};

#define OWN 0x100000 /* the responder's keys */
#define GONE 0x200000

static void *responder(void *arg)
{
	struct shared *s = arg;

	while (!atomic_load(&s->stop)) {
		uint64_t ready = atomic_load(&s->ready);

		for (uint64_t i = ready > 64 ? ready - 64 : 0; i < ready; i++)
			s->missed += !watchset_has(s->w, key(i));
		s->missed += !watchset_has(s->w, key(0));
		/* In the sensor it adds a few; here it must not fill the table while the other thread is not running. */
		if (s->own < 20000 && !watchset_crowded(s->w) && watchset_add(s->w, key(OWN + s->own)) >= 0)
			s->own++;
		for (uint64_t i = s->own > 8 ? s->own - 8 : 0; i < s->own; i++)
			s->missed += !watchset_has(s->w, key(OWN + i));
		atomic_fetch_add(&s->turn, 1);
	}
	return NULL;
}

static int two_turns(void *arg)
{
	struct shared *s = arg;
	uint64_t from = atomic_load(&s->turn);

	while (atomic_load(&s->turn) < from + 2)
		sched_yield();
	return 0;
}

static void beside_a_reader(void **state)
{
	struct shared s = { 0 };
	size_t grown = 0;
	pthread_t t;

	assert_int_equal(watchset_new(10, &s.w), 0);
	watchset_add(s.w, key(0));
	atomic_store(&s.ready, 1);
	assert_int_equal(pthread_create(&t, NULL, responder, &s), 0);
	for (uint64_t i = 1; i < 60000; i++) {
		if (watchset_crowded(s.w)) {
			assert_int_equal(watchset_grow(s.w, two_turns, &s), 0);
			grown++;
		}
		assert_int_equal(watchset_add(s.w, key(i)), 1);
		atomic_store(&s.ready, i + 1);
		watchset_add(s.w, key(GONE + i % 100));
		watchset_remove(s.w, key(GONE + i % 100));
	}
	atomic_store(&s.stop, true);
	pthread_join(t, NULL);
	assert_true(grown >= 6);
	assert_int_equal(s.missed, 0);
	assert_int_equal(watchset_count(s.w), 60000 + s.own);
	for (uint64_t i = 0; i < 60000; i++)
		assert_true(watchset_has(s.w, key(i)));
	for (uint64_t i = 0; i < s.own; i++)
		assert_true(watchset_has(s.w, key(OWN + i)));
	for (uint64_t i = 0; i < 100; i++)
		assert_false(watchset_has(s.w, key(GONE + i)));
	watchset_free(s.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(basics), cmocka_unit_test(same_place), cmocka_unit_test(full), cmocka_unit_test(given_up),
		                            cmocka_unit_test(beside_a_reader) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
