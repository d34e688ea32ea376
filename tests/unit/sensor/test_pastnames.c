#include "../test.h"

#include "sensor/pastnames.h"

static void name_of_that_time(void **state)
{
	static struct pastnames p;
	str s;

	pastnames_add(&p, 7, 100, STR("/a"));
	pastnames_add(&p, 7, 200, STR("/b"));
	pastnames_add(&p, 8, 150, STR("/other"));
	assert_true(pastnames_at(&p, 7, 50, &s));
	assert_str(s, "/a");
	assert_true(pastnames_at(&p, 7, 100, &s)); /* renamed at 100: from then on the next one */
	assert_str(s, "/b");
	assert_false(pastnames_at(&p, 7, 200, &s));
	assert_false(pastnames_at(&p, 9, 0, &s));
	for (int i = 0; i < PASTNAMES_MAX; i++)
		pastnames_add(&p, 1000, 300, STR("/x"));
	assert_false(pastnames_at(&p, 7, 50, &s)); /* forgotten, and nothing is guessed */
	pastnames_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(name_of_that_time) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
