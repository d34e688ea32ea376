#include "../test.h"

#include <errno.h>

#include "base/timefmt.h"

static void round_trip(void **state)
{
	static const struct { int64_t ns; const char *text; } t[] = {
		{ 0, "1970-01-01T00:00:00Z" }, { -1, "1969-12-31T23:59:59.999999999Z" }, { 951782400LL * NSEC_PER_SEC, "2000-02-29T00:00:00Z" },
		{ 1764082580123456000LL, "2025-11-25T14:56:20.123456Z" }, { INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char out[TIME_TEXT_MAX];
		int64_t ns;

		assert_str(((str){ out, time_format(t[i].ns, out) }), t[i].text);
		assert_int_equal(time_parse(str_c(t[i].text), &ns), 0);
		assert_true(ns == t[i].ns);
	}
}

static void zones_and_refusals(void **state)
{
	static const char *const bad[] = { "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00+2:00", "", "2026-01-01", "0000-01-01T00:00:00Z" };
	int64_t a, b;

	assert_int_equal(time_parse(STR("2026-11-25T15:00:00+09:00"), &a), 0);
	assert_int_equal(time_parse(STR("2026-11-25T06:00:00Z"), &b), 0);
	assert_true(a == b);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(time_parse(str_c(bad[i]), &a), -EINVAL);
	assert_int_equal(time_parse(STR("2300-01-01T00:00:00Z"), &a), -ERANGE);
	assert_int_equal(time_parse(STR("1600-01-01T00:00:00Z"), &a), -ERANGE);
}

static void user_forms(void **state)
{
	int64_t now = 1764082580LL * NSEC_PER_SEC, t;

	assert_int_equal(time_parse_user(STR("30d"), now, &t), 0);
	assert_true(t == now - 30 * 86400 * NSEC_PER_SEC);
	assert_int_equal(time_parse_user(STR("90s"), now, &t), 0);
	assert_true(t == now - 90 * NSEC_PER_SEC);
	assert_int_equal(time_parse_user(STR("2025-11-25"), now, &t), 0);
	assert_int_equal(time_parse_user(STR("2025-11-25 14:56"), now, &t), 0);
	assert_int_equal(time_parse_user(STR("yesterday"), now, &t), -EINVAL);
	assert_int_equal(time_parse_user(STR("99999999999w"), now, &t), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(zones_and_refusals), cmocka_unit_test(user_forms) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
