#include "../test.h"

#include <errno.h>

static void globs(void **state)
{
	static const struct { const char *pat, *s; bool want; } t[] = {
		{ "*.txt", "/srv/a/b.txt", true }, { "*.txt", "/srv/a.txt/b", false }, { "/srv/*.txt", "/srv/a.txt", true },
		{ "/srv/*.txt", "/srv/a/b.txt", false }, { "/srv/**", "/srv/a/b.txt", true }, { "/srv/**/b.txt", "/srv/a/c/b.txt", true },
		{ "/srv/**/b.txt", "/srv/b.txt", true }, { "**/b", "b", true }, { "**/b", "a/b", true }, { "**/b", "ab", false },
		{ "/srv/**/x*/y", "/srv/1/xa/z/x2/y", true }, { "a?c", "abc", true }, { "/a?c", "/a/c", false }, { "[a-c]x", "bx", true }, { "[!a-c]x", "bx", false },
		{ "[]a]", "]", true }, { "[a", "[a", true }, { "\\*", "*", true }, { "\\*", "x", false }, { "", "", true }, { "", "a", false },
		{ "*", "", true }, { "*", "anything", true }, { "/srv/*", "/srv/", true }, { "/srv/**", "/srv/", true }, { "*a*b*c", "xaybzc", true },
		{ "/*/*/c", "/a/b/c", true }, { "/*/*/c", "/a/b/d/c", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (str_glob(str_c(t[i].pat), str_c(t[i].s)) != t[i].want)
			fail_msg("glob \"%s\" against \"%s\"", t[i].pat, t[i].s);
}

/* A pattern that makes a naive matcher exponential: must end at once. */
static void glob_is_bounded(void **state)
{
	char pat[401], s[2001];

	for (size_t i = 0; i < 400; i += 2)
		memcpy(pat + i, "*a", 2);
	pat[399] = 'b';
	memset(s, 'a', 2000);
	assert_false(str_glob((str){ pat, 400 }, (str){ s, 2000 }));
}

static void utf8(void **state)
{
	assert_true(str_utf8_valid(STR("plain, \xe6\x97\xa5\xe6\x9c\xac, \xf0\x9f\xa6\x89")));
	assert_false(str_utf8_valid(STR("\xc0\xaf")));
	assert_false(str_utf8_valid(STR("\xed\xa0\x80")));
	assert_false(str_utf8_valid(STR("\xf4\x90\x80\x80")));
	assert_false(str_utf8_valid(STR("abc\xe6\x97")));
	assert_true(str_utf8_valid(STR_NONE));
}

static void numbers(void **state)
{
	uint64_t v = 7;

	assert_int_equal(str_to_u64(STR("18446744073709551615"), &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(str_to_u64(STR("18446744073709551616"), &v), -ERANGE);
	assert_int_equal(str_to_u64(STR("01"), &v), -EINVAL);
	assert_int_equal(str_to_u64(STR(""), &v), -EINVAL);
	assert_int_equal(str_to_u64(STR("-1"), &v), -EINVAL);
	assert_int_equal(str_to_u64(STR("0"), &v), 0);
	assert_true(v == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs), cmocka_unit_test(glob_is_bounded), cmocka_unit_test(utf8), cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
