/* Opens told apart by their uses: the table of opens.h, row by row, and what must never happen: more accesses than were made. */
#include "../test.h"

#include <sys/fanotify.h>

#include "sensor/opens.h"

#define MS (1000 * 1000LL)

static struct opens *o;
static struct opens_decision d[4096];
static size_t n;
static uint64_t number;
static struct facts *clerk, *engineer, *clerk_elsewhere;

static uint64_t decide(const struct opens_decision *x, void *arg)
{
	assert_ptr_equal(arg, d);
	d[n++] = *x;
	return ++number;
}

static struct facts *facts(uint32_t uid, const char *program)
{
	static const uint8_t key[16];
	struct who_actor a = { .known = WHO_FSUID | WHO_PROGRAM, .fsuid = uid, .tgid = 500, .program_len = (uint16_t)strlen(program) };
	struct facts *f;

	memcpy(a.strings, program, strlen(program));
	assert_int_equal(facts_of(key, &a, 500, &f), 0);
	return f;
}

static int make(void **state)
{
	n = number = 0;
	clerk = facts(1001, "/bin/cat");
	engineer = facts(1002, "/bin/cat");
	clerk_elsewhere = facts(1001, "/bin/cp");
	return opens_new(16, decide, d, &o);
}

static int unmake(void **state)
{
	o = opens_free(o);
	assert_int_equal(clerk->refs, 1);
	assert_int_equal(engineer->refs, 1);
	assert_int_equal(clerk_elsewhere->refs, 1);
	facts_unref(clerk);
	facts_unref(engineer);
	facts_unref(clerk_elsewhere);
	return 0;
}

static void decided(size_t i, enum event_verb verb, enum event_seen seen, uint64_t count, uint64_t refers)
{
	assert_true(i < n);
	if (d[i].verb != verb || d[i].seen != seen || d[i].count != count || d[i].refers != refers)
		fail_msg("decision %zu: %s, seen %d, count %llu, refers %llu", i, event_verb_name(d[i].verb), d[i].seen,
		         (unsigned long long)d[i].count, (unsigned long long)d[i].refers);
}

/* One open, one report: the rules of the header. */
static void rules(void **state)
{
	static const struct {
		uint64_t mask;
		size_t n;
		enum event_verb first, second;
		enum event_seen seen;
	} t[] = {
		{ FAN_ACCESS | FAN_CLOSE_NOWRITE, 1, VERB_READ, 0, SEEN_ACCESS },
		{ FAN_MODIFY | FAN_CLOSE_WRITE, 1, VERB_WRITE, 0, SEEN_ACCESS },
		{ FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE, 2, VERB_WRITE, VERB_READ, SEEN_ACCESS },
		{ FAN_CLOSE_NOWRITE, 1, VERB_READ, 0, SEEN_OPEN },
		{ FAN_CLOSE_WRITE, 1, VERB_OPEN, 0, SEEN_OPEN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		n = 0;
		opens_add(o, 7, 500, clerk, 1000);
		assert_int_equal(n, 0); /* nothing yet */
		assert_true(opens_use(o, 7, 500, t[i].mask, 2000));
		assert_int_equal(n, t[i].n);
		decided(0, t[i].first, t[i].seen, 1, 0);
		assert_int_equal(d[0].time, 1000); /* when it was opened */
		if (t[i].n == 2)
			decided(1, t[i].second, t[i].seen, 1, 0);
		/* It was closed: a later use is somebody else's. */
		assert_false(opens_use(o, 7, 500, FAN_ACCESS, 3000));
	}
}

/* Told as an open, opened twice more, then used: the first is completed, the two are accesses of their own. */
static void decided_later_and_opened_again(void **state)
{
	opens_add(o, 7, 500, clerk, 0);
	opens_expire(o, OPENS_WAIT_NS);
	decided(0, VERB_OPEN, SEEN_OPEN, 1, 0);
	opens_add(o, 7, 500, clerk, 300 * MS);
	opens_add(o, 7, 500, clerk, 301 * MS);
	assert_true(opens_use(o, 7, 500, FAN_ACCESS, 310 * MS));
	assert_int_equal(n, 3);
	decided(1, VERB_READ, SEEN_ACCESS, 0, 1);
	assert_int_equal(d[1].time, 310 * MS);
	decided(2, VERB_READ, SEEN_ACCESS, 2, 0);
	assert_int_equal(d[2].time, 300 * MS);
	opens_add(o, 7, 500, clerk, 400 * MS);
	assert_true(opens_use(o, 7, 500, FAN_CLOSE_NOWRITE, 410 * MS));
	assert_int_equal(n, 4);
	decided(3, VERB_READ, SEEN_OPEN, 1, 0);
}

/* Held longer than 200 ms: recorded as `open`; what it was for refers to that and is not counted again. */
static void decided_later(void **state)
{
	opens_add(o, 7, 500, clerk, 0);
	assert_int_equal(opens_oldest(o), 0);
	opens_expire(o, OPENS_WAIT_NS - 1);
	assert_int_equal(n, 0);
	opens_expire(o, OPENS_WAIT_NS);
	assert_int_equal(n, 1);
	decided(0, VERB_OPEN, SEEN_OPEN, 1, 0);
	assert_int_equal(opens_oldest(o), INT64_MAX);
	assert_true(opens_use(o, 7, 500, FAN_ACCESS, 900 * MS));
	decided(1, VERB_READ, SEEN_ACCESS, 0, 1);
	assert_int_equal(d[1].time, 900 * MS);
	/* Read again: goes on, with nothing to refer to. */
	assert_true(opens_use(o, 7, 500, FAN_ACCESS | FAN_CLOSE_NOWRITE, 950 * MS));
	decided(2, VERB_READ, SEEN_ACCESS, 0, 0);
	assert_int_equal(n, 3);
	assert_false(opens_use(o, 7, 500, FAN_CLOSE_NOWRITE, 960 * MS));
}

static void closed_later_without_use(void **state)
{
	opens_add(o, 7, 500, clerk, 0);
	opens_expire(o, 300 * MS);
	assert_true(opens_use(o, 7, 500, FAN_CLOSE_NOWRITE, 400 * MS));
	assert_int_equal(n, 2);
	decided(1, VERB_READ, SEEN_OPEN, 0, 1);
	n = 0;
	opens_add(o, 8, 500, clerk, 500 * MS);
	opens_expire(o, 800 * MS);
	assert_true(opens_use(o, 8, 500, FAN_CLOSE_WRITE, 900 * MS));
	assert_int_equal(n, 1); /* it stays an open */
}

static uint64_t sum(void)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v += d[i].count;
	return v;
}

/* Several opens in one report, all for the same: one decision that counts them. */
static void several_alike(void **state)
{
	for (int i = 0; i < 5; i++)
		opens_add(o, 7, 500, clerk, i * MS);
	assert_true(opens_use(o, 7, 500, FAN_ACCESS | FAN_CLOSE_NOWRITE, 6 * MS));
	assert_int_equal(n, 1);
	decided(0, VERB_READ, SEEN_ACCESS, 5, 0);
	assert_int_equal(d[0].time, 0);
}

/* … and not: one for each use that was seen, the others only opened. Never more than were made. */
static void several_differing(void **state)
{
	static const struct {
		uint64_t mask;
		size_t opens, n;
		uint64_t writes, reads, only;
	} t[] = {
		{ FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE, 2, 2, 1, 1, 0 },
		{ FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE, 5, 3, 1, 1, 3 },
		{ FAN_MODIFY | FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE, 3, 2, 1, 0, 2 },
		{ FAN_ACCESS | FAN_CLOSE_WRITE, 2, 2, 0, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint64_t by[VERB_MAX_] = { 0 };

		n = 0;
		for (size_t k = 0; k < t[i].opens; k++)
			opens_add(o, 20 + i, 500, clerk, 0);
		assert_true(opens_use(o, 20 + i, 500, t[i].mask, MS));
		assert_int_equal(n, t[i].n);
		for (size_t k = 0; k < n; k++)
			by[d[k].verb] += d[k].count;
		assert_int_equal(by[VERB_WRITE], t[i].writes);
		assert_int_equal(by[VERB_READ], t[i].reads);
		assert_int_equal(by[VERB_OPEN], t[i].only);
		assert_int_equal(sum(), t[i].opens);
	}
}

/* Two persons open one object in one process (smbd): whose use it was is not said. */
static void two_persons(void **state)
{
	opens_add(o, 7, 500, clerk, 0);
	opens_add(o, 7, 500, engineer, MS);
	assert_int_equal(n, 1); /* the first is an open, his own */
	decided(0, VERB_OPEN, SEEN_OPEN, 1, 0);
	assert_ptr_equal(d[0].facts, clerk);
	assert_true(opens_use(o, 7, 500, FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE, 2 * MS));
	assert_int_equal(n, 2);
	decided(1, VERB_OPEN, SEEN_OPEN, 1, 0);
	assert_ptr_equal(d[1].facts, engineer);
	/* And stays so while either may have it open. */
	assert_true(opens_use(o, 7, 500, FAN_ACCESS, 3 * MS));
	assert_int_equal(n, 2);
}

/* The same person with another program: the earlier opens are the earlier program's. */
static void another_program(void **state)
{
	opens_add(o, 7, 500, clerk, 0);
	opens_add(o, 7, 500, clerk_elsewhere, MS);
	decided(0, VERB_OPEN, SEEN_OPEN, 1, 0);
	assert_ptr_equal(d[0].facts, clerk);
	assert_true(opens_use(o, 7, 500, FAN_ACCESS, 2 * MS));
	assert_ptr_equal(d[1].facts, clerk_elsewhere);
	assert_int_equal(sum(), 2);
}

static void other_processes(void **state)
{
	opens_add(o, 7, 500, clerk, 0);
	assert_false(opens_use(o, 7, 501, FAN_ACCESS, MS)); /* a passed descriptor: the recorder asks who */
	assert_false(opens_use(o, 8, 500, FAN_ACCESS, MS));
	opens_add(o, 7, 501, engineer, MS);
	assert_true(opens_use(o, 7, 501, FAN_ACCESS | FAN_CLOSE_NOWRITE, 2 * MS));
	assert_int_equal(n, 1);
	assert_ptr_equal(d[0].facts, engineer);
	opens_expire(o, INT64_MAX);
	assert_ptr_equal(d[1].facts, clerk);
}

/* One that waits is decided 200 ms after its own first open, however often it is opened again. */
static void waits_by_its_first(void **state)
{
	for (int i = 0; i < 10; i++)
		opens_add(o, 7, 500, clerk, i * 50 * MS);
	opens_expire(o, 200 * MS);
	assert_int_equal(n, 1);
	decided(0, VERB_OPEN, SEEN_OPEN, 10, 0);
	assert_int_equal(d[0].time, 0);
}

/* Full: the oldest is decided early; nothing is lost. Closed ones that are kept go before those that wait. */
static void full(void **state)
{
	for (uint64_t i = 0; i < 40; i++)
		opens_add(o, 100 + i, 500, clerk, (int64_t)i);
	assert_int_equal(n, 40 - 16);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(d[i].key, 100 + i);
	opens_expire(o, INT64_MAX);
	assert_int_equal(sum(), 40);
	n = 0;
	opens_add(o, 1, 500, clerk, 1000);
	for (uint64_t i = 0; i < 15; i++)
		opens_add(o, 200 + i, 500, clerk, 1000);
	assert_int_equal(n, 0); /* those were decided already */
	opens_expire(o, INT64_MAX);
	assert_int_equal(sum(), 16);
}

/* Random opens, uses and ends: as many are told as were made, each with its own person. */
static void model(void **state)
{
	uint64_t seed = 3, made[2] = { 0 }, told[2] = { 0 };
	int64_t now = 0;

	for (int i = 0; i < 20000; i++) {
		uint64_t x;
		struct facts *f;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		x = seed >> 33;
		f = x & 1 ? clerk : engineer;
		now += (int64_t)(x % 20) * MS;
		n = 0;
		if (x >> 1 & 1) {
			opens_add(o, 2 + (x >> 2) % 30, 500, f, now);
			made[f == clerk]++;
		} else {
			opens_use(o, 2 + (x >> 2) % 30, 500, (x >> 10) & (FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE), now);
		}
		opens_expire(o, now);
		for (size_t k = 0; k < n; k++) {
			/* A read and a write of one open are two records of it; the sum counts the first of them. */
			if (k && d[k].verb == VERB_READ && d[k - 1].verb == VERB_WRITE && d[k].key == d[k - 1].key && d[k].count == d[k - 1].count &&
			    d[k].count && d[k].time == d[k - 1].time)
				continue;
			told[d[k].facts == clerk] += d[k].count;
		}
	}
	n = 0;
	opens_expire(o, INT64_MAX);
	for (size_t k = 0; k < n; k++)
		told[d[k].facts == clerk] += d[k].count;
	assert_true(told[0] <= made[0] && told[1] <= made[1]);
	/* Told apart, one open more may be a read and a write. */
	assert_true(told[0] + 200 > made[0] && told[1] + 200 > made[1]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)
	const struct CMUnitTest tests[] = { T(rules), T(decided_later), T(decided_later_and_opened_again),
		T(closed_later_without_use), T(several_alike), T(several_differing),
		                            T(two_persons), T(another_program), T(other_processes), T(waits_by_its_first), T(full), T(model) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
