#include "../test.h"

#include "base/json.h"

static void writes(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	json_obj_begin(&b);
	json_key(&b, "a");
	json_u64(&b, UINT64_MAX);
	json_key(&b, "b");
	json_arr_begin(&b);
	json_str(&b, STR("x\"\\\n\x01\x7f"));
	json_str(&b, STR("\xff\xe6\x97\xa5\xe2\x80\xa8"));
	json_bool(&b, true);
	json_i64(&b, -5);
	json_arr_end(&b);
	json_key(&b, "c");
	json_obj_begin(&b);
	json_obj_end(&b);
	json_key(&b, "t");
	json_time(&b, 1500000000);
	json_obj_end(&b);
	assert_str(buf_str(&b), "{\"a\":18446744073709551615,\"b\":[\"x\\\"\\\\\\n\\u0001\\u007f\",\"\xef\xbf\xbd\xe6\x97\xa5\\u2028\",true,-5],"
		"\"c\":{},\"t\":\"1970-01-01T00:00:01.500Z\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(writes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
