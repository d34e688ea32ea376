#include "../test.h"

#include <errno.h>

#include "base/why.h"

static void keeps_the_line(void **state)
{
	static _Thread_local struct why why;
	char longer[2 * WHY_TEXT];

	assert_int_equal(why_set(&why, -ENOENT, "%s is %d", "x", 3), -ENOENT);
	assert_string_equal(why.text, "x is 3");
	/* Made of the one before it. */
	assert_int_equal(why_set(&why, -EIO, "again: %s", why.text), -EIO);
	assert_string_equal(why.text, "again: x is 3");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(why_set(&why, 0, "%s", longer), 0);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_the_line) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
