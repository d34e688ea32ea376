#include "../test.h"

#include "daemon/clockwatch.h"

#define SEC NSEC_PER_SEC
#define T0 (1760000000LL * SEC)

/* Steps of both clocks since T0 and 100 s after boot, and what is said. */
static void steps(void **state)
{
	static const struct { int64_t realtime, boottime; bool jump; int64_t from, to; } t[] = {
		{ 0, 0, false, 0, 0 },                                       /* the first look has nothing to compare with */
		{ 10 * SEC, 10 * SEC, false, 0, 0 },
		{ 20 * SEC + SEC / 2, 20 * SEC, false, 0, 0 },               /* slewing */
		{ 3630 * SEC, 30 * SEC, true, 30 * SEC + SEC / 2, 3630 * SEC }, /* an hour forwards */
		{ 3640 * SEC, 40 * SEC, false, 0, 0 },                       /* said once */
		{ 50 * SEC, 50 * SEC, true, 3650 * SEC, 50 * SEC },          /* back again */
		{ 60 * SEC + SEC, 60 * SEC, true, 60 * SEC, 61 * SEC },      /* one second is a jump */
		{ 70 * SEC + 1, 70 * SEC, false, 0, 0 },                     /* one nanosecond less is none */
		{ 70 * SEC + 1, 70 * SEC, false, 0, 0 },
		{ 7200 * SEC, 7200 * SEC, false, 0, 0 },                     /* suspended: both clocks count that */
	};
	struct clockwatch c = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int64_t from = -1, to = -1;
		bool jump = clockwatch_step(&c, T0 + t[i].realtime, 100 * SEC + t[i].boottime, &from, &to);

		if (jump != t[i].jump)
			fail_msg("step %zu: %s", i, jump ? "a jump where there is none" : "no jump seen");
		assert_true(jump ? from == T0 + t[i].from && to == T0 + t[i].to : from == -1 && to == -1);
	}
}

/* Jumps below a second add up unseen only as far as a second between two looks: each look has its own. */
static void slow_drift(void **state)
{
	struct clockwatch c = { 0 };
	int64_t from, to;

	for (int i = 0; i < 1000; i++)
		assert_false(clockwatch_step(&c, T0 + i * (SEC + SEC / 1000), i * SEC, &from, &to));
}

/* Between the last heartbeat and a new keeper. */
static void while_nobody_looked(void **state)
{
	static const struct {
		const char *boot;
		int64_t realtime, boottime; /* since the heartbeat */
		bool jump;
		int64_t from;
	} t[] = {
		{ "a", 60 * SEC, 60 * SEC, false, 0 },
		{ "a", 60 * SEC, 60 * SEC + SEC / 2, false, 0 },
		{ "a", 3660 * SEC, 60 * SEC, true, 60 * SEC },
		{ "a", -3540 * SEC, 60 * SEC, true, 60 * SEC },
		/* Another boot: how long the machine was off is not known. */
		{ "b", 3600 * SEC, -90 * SEC, false, 0 },
		{ "b", -3600 * SEC, -90 * SEC, true, 0 },
		{ "b", -SEC / 2, -90 * SEC, false, 0 },
		{ "", 3600 * SEC, 60 * SEC, false, 0 },
	};
	const struct clock_look then = { "a", T0, 100 * SEC };

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct clock_look now = { t[i].boot, T0 + t[i].realtime, 100 * SEC + t[i].boottime };
		int64_t from = -1, to = -1;

		if (clockwatch_since(&then, &now, &from, &to) != t[i].jump)
			fail_msg("row %zu", i);
		assert_true(t[i].jump ? from == T0 + t[i].from && to == now.realtime : from == -1 && to == -1);
	}
}

static void the_real_clock(void **state)
{
	struct clockwatch c = { 0 };
	int64_t from, to;
	enum clock_state s = clockwatch_state();

	assert_false(clockwatch_jumped(&c, &from, &to));
	assert_false(clockwatch_jumped(&c, &from, &to));
	assert_true(s >= CLOCK_SYNCED && s < CLOCK_MAX_);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(steps), cmocka_unit_test(slow_drift), cmocka_unit_test(while_nobody_looked), cmocka_unit_test(the_real_clock) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
