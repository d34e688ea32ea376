/* Folding: 10 s from the first access, the first at once, one more record with the count of the rest. */
#include "../test.h"

#include "event/event.h"
#include "sensor/fold.h"

#define SEC NSEC_PER_SEC

struct person {
	int refs;
};

static struct fold_rest rests[4096];
static size_t n_rests;
static struct person clerk, engineer;
static struct fold *f;

static void ref(void *who)
{
	((struct person *)who)->refs++;
}

static void unref(void *who)
{
	((struct person *)who)->refs--;
}

static void rest(const struct fold_rest *r, void *arg)
{
	assert_true(((struct person *)r->first.who)->refs > 0);
	assert_ptr_equal(arg, rests);
	rests[n_rests++] = *r;
}

static int make(void **state)
{
	const struct fold_ops ops = { ref, unref, rest, rests };

	n_rests = 0;
	clerk.refs = engineer.refs = 0;
	return fold_new(16, &ops, &f);
}

static int unmake(void **state)
{
	f = fold_free(f);
	assert_int_equal(clerk.refs, 0);
	assert_int_equal(engineer.refs, 0);
	return 0;
}

static bool add(uint64_t object, struct person *p, int64_t time)
{
	const struct fold_access a = { .object = object, .who_id = p == &clerk ? 1 : 2, .verb = VERB_READ, .seen = SEEN_ACCESS, .count = 1, .time = time,
	                               .who = p };

	return fold_add(f, &a);
}

/* The window is [first, first + 10 s): the last nanosecond belongs to it, the next opens another. */
static void ten_seconds(void **state)
{
	assert_true(add(7, &clerk, 100));
	assert_int_equal(fold_oldest(f), INT64_MAX); /* nothing is waiting to be counted */
	assert_false(add(7, &clerk, 100));
	assert_false(add(7, &clerk, 100 + 10 * SEC - 1));
	assert_int_equal(fold_oldest(f), 100);
	assert_true(add(7, &clerk, 100 + 10 * SEC));
	assert_int_equal(n_rests, 1);
	assert_int_equal(rests[0].first.count, 2);
	assert_int_equal(rests[0].time, 100);
	assert_int_equal(rests[0].end, 100 + 10 * SEC - 1);
	/* The new window runs from the access that opened it. */
	assert_false(add(7, &clerk, 100 + 20 * SEC - 1));
	fold_expire(f, 100 + 20 * SEC - 1);
	assert_int_equal(n_rests, 1);
	fold_expire(f, 100 + 20 * SEC);
	assert_int_equal(n_rests, 2);
	assert_int_equal(rests[1].first.count, 1);
}

static void one_access_has_no_rest(void **state)
{
	assert_true(add(7, &clerk, 0));
	fold_expire(f, 11 * SEC);
	assert_int_equal(n_rests, 0);
	assert_true(add(7, &clerk, 11 * SEC));
}

/* Another person, another verb, another way of seeing: a window each, and each counts its own. */
static void keys(void **state)
{
	struct fold_access a = { .object = 7, .who_id = 1, .verb = VERB_READ, .seen = SEEN_ACCESS, .count = 1, .who = &clerk };

	assert_true(fold_add(f, &a));
	a.verb = VERB_WRITE;
	assert_true(fold_add(f, &a));
	a.verb = VERB_READ;
	a.seen = SEEN_OPEN;
	assert_true(fold_add(f, &a));
	assert_true(add(7, &engineer, 1));
	assert_true(add(8, &clerk, 1));
	for (int i = 0; i < 5; i++)
		assert_false(add(7, &engineer, 2 + i));
	assert_false(add(7, &clerk, 2));
	fold_expire(f, INT64_MAX);
	assert_int_equal(n_rests, 2);
	assert_int_equal(rests[0].first.who_id, 1);
	assert_int_equal(rests[0].first.count, 1);
	assert_int_equal(rests[1].first.who_id, 2);
	assert_int_equal(rests[1].first.count, 5);
}

/* What goes on with an access that was counted adds nothing within a window, and opens one outside. */
static void going_on(void **state)
{
	struct fold_access a = { .object = 7, .who_id = 1, .verb = VERB_READ, .seen = SEEN_ACCESS, .who = &clerk };

	assert_true(add(7, &clerk, 0));
	a.time = SEC;
	assert_false(fold_add(f, &a));
	fold_expire(f, INT64_MAX);
	assert_int_equal(n_rests, 0);
	a.time = 20 * SEC;
	assert_true(fold_add(f, &a));
}

/* Accesses are decided out of order: what is a little older than its window's first belongs to it, and the rest's times are right. */
static void out_of_order(void **state)
{
	assert_true(add(7, &clerk, 5 * SEC));
	assert_false(add(7, &clerk, 8 * SEC));
	assert_false(add(7, &clerk, 4 * SEC));
	fold_expire(f, INT64_MAX);
	assert_int_equal(rests[0].time, 4 * SEC);
	assert_int_equal(rests[0].end, 8 * SEC);
}

/* When the table is full the oldest window ends early: nothing is lost, only more records. */
static void full(void **state)
{
	uint64_t accesses = 0, counted = 0;

	for (uint64_t round = 0; round < 3; round++)
		for (uint64_t o = 2; o < 2 + 40; o++)
			for (int i = 0; i < 3; i++, accesses++)
				counted += add(o, o % 2 ? &clerk : &engineer, (int64_t)accesses);
	fold_expire(f, INT64_MAX);
	for (size_t i = 0; i < n_rests; i++)
		counted += rests[i].first.count;
	assert_int_equal(counted, accesses);
	assert_int_equal(n_rests, 3 * 40);
}

/* A window in the middle of the ring ends by its next access: the ring's order stays that of the windows' beginnings. */
static void ended_in_the_middle(void **state)
{
	assert_true(add(2, &clerk, 0));
	assert_true(add(3, &clerk, SEC));
	assert_false(add(3, &clerk, 2 * SEC));
	assert_true(add(2, &clerk, 10 * SEC));
	fold_expire(f, 10 * SEC + SEC - 1);
	assert_int_equal(n_rests, 0);
	fold_expire(f, 11 * SEC);
	assert_int_equal(n_rests, 1);
	assert_int_equal(rests[0].first.object, 3);
	assert_false(add(2, &clerk, 15 * SEC));
}

/* A random run against a plain model: every access is in exactly one record. */
static void model(void **state)
{
	uint64_t seed = 1, now = 0, made[8] = { 0 }, told[8] = { 0 };
	int64_t begun[8];

	for (size_t i = 0; i < 8; i++)
		begun[i] = -100 * SEC;
	for (int i = 0; i < 5000; i++) {
		uint64_t o;
		bool first;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		o = (seed >> 33) % 8;
		now += (seed >> 40) % (SEC / 2);
		fold_expire(f, (int64_t)now);
		first = (int64_t)now - begun[o] >= FOLD_WINDOW_NS;
		if (first)
			begun[o] = (int64_t)now;
		assert_int_equal(add(o + 2, &clerk, (int64_t)now), first);
		made[o]++;
		told[o] += first;
	}
	fold_expire(f, INT64_MAX);
	assert_true(n_rests < ARRAY_SIZE(rests));
	for (size_t i = 0; i < n_rests; i++) {
		told[rests[i].first.object - 2] += rests[i].first.count;
		assert_true(rests[i].end - rests[i].first.time < FOLD_WINDOW_NS && rests[i].time <= rests[i].end);
	}
	assert_memory_equal(made, told, sizeof(made));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, make, unmake)
	const struct CMUnitTest tests[] = { T(ten_seconds), T(one_access_has_no_rest), T(keys), T(going_on), T(out_of_order), T(full),
		                            T(ended_in_the_middle), T(model) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
