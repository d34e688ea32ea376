/* Arrays grow by doubling, up to their limit, and stay as they were where they cannot. */
#include "../test.h"

#include <errno.h>

#include "base/array.h"

static void grows_and_keeps(void **state)
{
	_cleanup_free_ uint32_t *v = NULL;
	size_t n = 0, cap = 0, grown = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		size_t before = cap;

		assert_int_equal(array_room(v, cap, n + 1), 0);
		grown += cap != before;
		v[n++] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(v[i], i);
	assert_in_range(grown, 5, 12);
	/* Many at once. */
	assert_int_equal(array_room(v, cap, 1000000), 0);
	assert_true(cap >= 1000000);
	assert_int_equal(v[9999], 9999);
}

static void stops_at_the_limit(void **state)
{
	_cleanup_free_ uint64_t *v = NULL;
	uint64_t *before;
	size_t cap = 0;

	for (size_t n = 0; n < 21; n++)
		assert_int_equal(array_room_max(v, cap, n + 1, 21), 0);
	assert_int_equal(cap, 21);
	before = v;
	assert_int_equal(array_room_max(v, cap, 22, 21), -E2BIG);
	assert_ptr_equal(v, before);
	assert_int_equal(cap, 21);
	/* A limit below the first size. */
	free(TAKE_PTR(v));
	cap = 0;
	assert_int_equal(array_room_max(v, cap, 3, 3), 0);
	assert_int_equal(cap, 3);
	assert_int_equal(array_room_max(v, cap, 4, 3), -E2BIG);
}

static void overflow_is_refused(void **state)
{
	_cleanup_free_ uint64_t *v = NULL;
	size_t cap = 0;
	uint8_t small = 0;

	assert_int_equal(array_room(v, cap, SIZE_MAX / 4), -ENOMEM);
	assert_null(v);
	assert_int_equal(cap, 0);
	/* What the capacity cannot count. */
	assert_int_equal(array_room(v, small, 255), 0);
	assert_int_equal(small, 255);
	assert_int_equal(array_room(v, small, 256), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps), cmocka_unit_test(stops_at_the_limit), cmocka_unit_test(overflow_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
