#include "../test.h"

#include <errno.h>

#include "base/base64.h"
#include "base/varint.h"

static void grows_and_caps(void **state)
{
	_cleanup_buf_ struct buf b = { .max = 100 };

	for (int i = 0; i < 10; i++)
		buf_putf(&b, "%09d", i);
	assert_int_equal(b.n, 90);
	assert_int_equal(buf_error(&b), 0);
	buf_putf(&b, "%020d", 1);
	assert_int_equal(buf_error(&b), -EMSGSIZE);
	buf_put(&b, "x", 1); /* no-op after an error */
	assert_int_equal(b.n, 90);
	buf_clear(&b);
	buf_puts(&b, STR("ok"));
	assert_str(buf_str(&b), "ok");
}

static void uvar_is_minimal(void **state)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX };
	uint8_t tmp[UVAR_MAX_BYTES + 1];
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		size_t n = uvar_put(tmp, values[i]);

		assert_int_equal(uvar_get(tmp, n, &v), n);
		assert_true(v == values[i]);
		assert_int_equal(uvar_get(tmp, n - 1, &v), -EBADMSG);
	}
	assert_int_equal(uvar_get((const uint8_t *)"\x80\x00", 2, &v), -EBADMSG);
	assert_int_equal(uvar_get((const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &v), -EBADMSG);
	assert_int_equal(uvar_get((const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11, &v), -EBADMSG);
}

static void base64_round_trip(void **state)
{
	static const struct { const char *raw, *text; } rfc4648[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	static const char *const bad[] = { "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9 ", "Zm\n=" };

	for (size_t i = 0; i < ARRAY_SIZE(rfc4648); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT, c = BUF_INIT;

		base64_encode(&b, str_c(rfc4648[i].raw));
		assert_str(buf_str(&b), rfc4648[i].text);
		assert_int_equal(base64_decode(&c, buf_str(&b)), 0);
		assert_str(buf_str(&c), rfc4648[i].raw);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_buf_ struct buf c = BUF_INIT;

		assert_int_equal(base64_decode(&c, str_c(bad[i])), -EBADMSG);
	}
}

static void hex_is_exact(void **state)
{
	uint8_t out[3] = { 9, 9, 9 };

	assert_int_equal(hex_decode(STR("00ff1"), out, 3), -EBADMSG);
	assert_int_equal(hex_decode(STR("00fF10"), out, 3), -EBADMSG);
	assert_int_equal(out[0], 9);
	assert_int_equal(hex_decode(STR("00ff10"), out, 3), 0);
	assert_int_equal(out[1], 255);
}

static void decimal(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_dec(&b, 0);
	buf_putc(&b, ' ');
	buf_put_dec(&b, 1090);
	buf_putc(&b, ' ');
	buf_put_dec(&b, UINT64_MAX);
	assert_str(buf_str(&b), "0 1090 18446744073709551615");
}

static void text_from_outside_cannot_steer_a_terminal(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "/srv/Pläne – 1.odt", "/srv/Pläne – 1.odt" }, { "a\033[31m\n\x7f", "a\\x1b[31m\\x0a\\x7f" }, { "\xc2\x9b" "31m", "\\xc2\\x9b31m" },
		{ "x\xffy\xc3", "x\\xffy\\xc3" }, { "\xe2\x80\xae" "fdp.exe", "\\xe2\\x80\\xaefdp.exe" }, { "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		buf_put_visible(&b, str_c(cases[i].in));
		assert_str(buf_str(&b), cases[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_caps), cmocka_unit_test(decimal), cmocka_unit_test(uvar_is_minimal), cmocka_unit_test(base64_round_trip), cmocka_unit_test(hex_is_exact),
		cmocka_unit_test(text_from_outside_cannot_steer_a_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
