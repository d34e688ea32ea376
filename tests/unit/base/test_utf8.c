/* The fast check agrees with the definition, byte by byte, on everything that is short and on random bytes that are long. */
#include "../test.h"
#include "base/utf8.h"

/* RFC 3629 in its slowest form: decode, and look at the number. */
static size_t reference(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint32_t c = p[i];
		size_t need = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;

		if (!need || i + need > n)
			break;
		if (need > 1)
			c &= 0x7f >> need;
		for (size_t k = 1; k < need; k++) {
			if (p[i + k] >> 6 != 2)
				return i;
			c = c << 6 | (p[i + k] & 0x3f);
		}
		if ((need == 2 && c < 0x80) || (need == 3 && (c < 0x800 || c >> 11 == 0x1b)) || (need == 4 && (c < 0x10000 || c > 0x10ffff)))
			break;
		if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
			break;
		i += need;
	}
	return i;
}

static void check(const uint8_t *p, size_t n)
{
	size_t got = utf8_clean_prefix((str){ (const char *)p, n }), want = reference(p, n);

	if (got != want)
		fail_msg("%zu bytes: %zu, expected %zu", n, got, want);
	utf8_portable = true;
	got = utf8_clean_prefix((str){ (const char *)p, n });
	utf8_portable = false;
	if (got != want)
		fail_msg("%zu bytes without vectors: %zu, expected %zu", n, got, want);
}

static uint64_t seed = 88172645463325252ULL;
static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Every two bytes, and every beginning of a longer character with what may follow, at every place of a vector. */
static void test_short(void **state)
{
	uint8_t b[80];

	for (unsigned v = 0; v < 0x10000; v++) {
		static const uint8_t after[][2] = { { 'a', 'b' }, { 0x80, 0x80 }, { 0xbf, 'a' }, { 0xbf, 0xbf } };

		for (size_t k = 0; k < ARRAY_SIZE(after); k++) {
			size_t at = rnd() % 70;

			memset(b, 'x', sizeof(b));
			b[at] = (uint8_t)(v >> 8);
			b[at + 1] = (uint8_t)v;
			b[at + 2] = after[k][0];
			b[at + 3] = after[k][1];
			check(b, sizeof(b));
			check(b, at + 1);
			check(b, at + 2);
			check(b, at + 3);
		}
	}
}

static void put(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(b, (char)c);
	} else if (c < 0x800) {
		buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_putc(b, (char)(0xe0 | c >> 12));
		buf_putc(b, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(b, (char)(0x80 | (c & 63)));
	} else {
		buf_putc(b, (char)(0xf0 | c >> 18));
		buf_putc(b, (char)(0x80 | (c >> 12 & 63)));
		buf_putc(b, (char)(0x80 | (c >> 6 & 63)));
		buf_putc(b, (char)(0x80 | (c & 63)));
	}
}

/* Good text with one byte changed. */
static void test_long(void **state)
{
	for (int round = 0; round < 20000; round++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		size_t chars = 1 + rnd() % 120;

		for (size_t i = 0; i < chars; i++) {
			uint32_t kinds[] = { 0x20 + (uint32_t)(rnd() % 95), 0x80 + (uint32_t)(rnd() % 0x780), 0x800 + (uint32_t)(rnd() % 0xd000), 0x3042,
				0x10000 + (uint32_t)(rnd() % 0x100000) };

			put(&b, kinds[rnd() % (round % 5 + 1)]);
		}
		assert_int_equal(utf8_clean_prefix(buf_str(&b)), b.n);
		assert_int_equal(utf8_count(buf_str(&b)), chars);
		b.p[rnd() % b.n] = (char)rnd();
		check((const uint8_t *)b.p, b.n);
	}
}

static void test_clean(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "plain", "plain" }, { "a\r\nb\rc", "a\nb c" }, { "a\x01\x7f\tb", "a  \tb" }, { "\xff", "\xef\xbf\xbd" }, { "\xe3\x81", "\xef\xbf\xbd" },
		{ "\xe3\x81x", "\xef\xbf\xbdx" }, { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x98", "\xef\xbf\xbd" }, { "\xe3\x81\x82", "\xe3\x81\x82" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		utf8_put_clean(&b, str_c(t[i].in));
		assert_str(buf_str(&b), t[i].out);
	}
}

static void test_cut(void **state)
{
	str s = STR("a\xe3\x81\x82\xf0\x9f\x98\x80");

	assert_int_equal(utf8_cut(s, 100), 8);
	assert_int_equal(utf8_cut(s, 7), 4);
	assert_int_equal(utf8_cut(s, 4), 4);
	assert_int_equal(utf8_cut(s, 3), 1);
	assert_int_equal(utf8_cut(s, 1), 1);
	/* What is no text is cut anywhere, but not to nothing. */
	assert_int_equal(utf8_cut(STR("\x80\x80\x80\x80\x80\x80\x80\x80"), 6), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_short), cmocka_unit_test(test_long), cmocka_unit_test(test_clean), cmocka_unit_test(test_cut) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
