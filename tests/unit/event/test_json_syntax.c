/* What is JSON and what is not: jansson decides. Keys that are none of ours, so that only syntax counts. */
#include "../test.h"

#include <jansson.h>

#include "event/event_json.h"
#include "events.h"

/* jansson refuses NUL in keys, numbers beyond a double and objects in a deeper nest than 2,048; ours is 32. Cases keep clear of these. */
static bool jansson_takes(str s)
{
	json_error_t err;
	json_t *j = json_loadb(s.p, s.n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &err);
	bool object = json_is_object(j);

	json_decref(j);
	return object;
}

static bool we_take(str s)
{
	_cleanup_free_ char *copy = malloc(s.n ? s.n : 1);
	_cleanup_buf_ struct buf scratch = BUF_INIT, b = BUF_INIT;
	struct event_json_error err;
	struct event e;

	assert_non_null(copy);
	if (s.n)
		memcpy(copy, s.p, s.n);
	if (event_from_json((str){ copy, s.n }, &scratch, &e, &err) < 0)
		return false;
	/* What comes back is JSON again. */
	event_to_json(&b, &e);
	if (!jansson_takes(buf_str(&b)))
		fail_msg("written: %.*s", (int)b.n, b.p);
	return true;
}

static void compare(str s)
{
	bool want = jansson_takes(s);

	if (we_take(s) != want)
		fail_msg("%s by jansson, not by us: %.*s", want ? "taken" : "refused", (int)s.n, s.p);
}

static void value(const char *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_putf(&b, "{\"x\":%s}", v);
	compare(buf_str(&b));
}

static void tricky(void **state)
{
	static const char *const values[] = {
		"0", "-0", "-0.0", "00", "-00", "01", "-01", "1.", ".1", "-.1", "1.0e", "1.0e+", "1e5", "1E-5", "1e0005", "+1", "--1", "1-", "- 1",
			"0e1", "0.0e-0",
		"0x1", "1_000", "NaN", "Infinity", "-Infinity", "nan", "1 2", "true", "True", "tru", "truee", "null", "nul", "nulll", "false",
			"FALSE", "undefined",
		"\"\"", "\"", "'a'", "\"a", "\"\\\"", "\"\\\\\"", "\"\\/\"", "\"\\a\"", "\"\\'\"", "\"\\v\"", "\"\\0\"", "\"\\x41\"", "\"\\u\"",
			"\"\\u0\"", "\"\\u00\"", "\"\\u004\"",
		"\"\\u0041\"", "\"\\U0041\"", "\"\\u00e9\"", "\"\\u0000\"", "\"\\ud834\\udd1e\"", "\"\\ud834\"", "\"\\ud834x\"", "\"\\ud834\\\"",
			"\"\\ud834\\n\"", "\"\\udd1e\"",
		"\"\\udd1e\\ud834\"", "\"\\ud834\\ud834\"", "\"\\ud834\\u0020\"", "\"\\uDBFF\\uDFFF\"", "\"\\uffff\"", "\"\\ufffe\"", "\"\\u +1\"",
			"\"\\u00G0\"",
		"\"\x01\"", "\"\x1f\"", "\"\x7f\"", "\"\t\"", "\"\n\"", "\"\xc3\xa9\"", "\"\xc3\"", "\"\xa9\"", "\"\xc0\xaf\"", "\"\xe0\x80\xaf\"",
			"\"\xe0\x9f\xbf\"", "\"\xe0\xa0\x80\"",
		"\"\xed\x9f\xbf\"", "\"\xed\xa0\x80\"", "\"\xed\xbf\xbf\"", "\"\xee\x80\x80\"", "\"\xf0\x80\x80\xaf\"", "\"\xf0\x8f\xbf\xbf\"",
			"\"\xf0\x90\x80\x80\"",
		"\"\xf4\x8f\xbf\xbf\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"", "\"\xfe\"", "\"\xff\"",
			"\"\xef\xbf\xbf\"", "\"\xef\xbb\xbf\"",
		"\"\xe2\x80\xa8\"", "\"\xc2\x80\"", "\"\xc1\xbf\"", "\"\xdf\xbf\"", "\"\xf0\x9f\xa6\"", "\"1234567\xc3\xa9\"", "\"12345678\xc3\"",
		"[]", "[ ]", "[1]", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1;2]", "[", "]", "[1", "[[]", "[]]", "[1,\n2]", "[\x0b" "1]",
			"[\x0c" "1]", "[\xc2\xa0" "1]", "[\xef\xbb\xbf" "1]",
		"{}", "{ }", "{\"a\":1}", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\" 1}", "{\"a\"::1}", "{a:1}", "{1:1}", "{'a':1}",
			"{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "{\"\":0}",
		"{\"a\":/*c*/1}", "1//c", "1#c", "{\"a\":1", "{\"a\":1}}", "{null:1}", "{\"a\":[1}", "[{\"a\":1]", "\"a\" \"b\"", "\"a\"+\"b\"", "",
			" ", "*", "\\", "\\u0031", "<a>", "${x}",
	};
	static const char *const lines[] = {
		"{}", " {} ", "\t{}\t", "\r\n{}\r\n", "\x0b{}", "{}\x0c", "\xc2\xa0{}", "\xef\xbb\xbf{}", "{}{}", "{},", "{} {}", "{}]", "[{}]",
			"[]", "null", "1", "\"a\"", "", " ", "{", "}", "{\"",
		"{\"x\"", "{\"x\":", "{\"x\":1", "{\"x\":1,", "{x}", "{}\x01", "{\"x\":1}x", "{\"x\":1}\"", "{\"x\"\n:\n1\n}", "{\"\\u0078\":1}",
			"{\"\\uZZZZ\":1}", "{\"x\xff\":1}", "{\"\t\":1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		value(values[i]);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		compare(str_c(lines[i]));
	/* A NUL outside of a string, and inside. */
	compare(STR("{\"x\":1}\0"));
	compare(STR("{\"x\":\0" "1}"));
	compare(STR("{\"x\":\"\0\"}"));
	compare(STR("\0{\"x\":1}"));
}

/* Valid records with bytes changed, dropped and doubled, and pieces of JSON in random order. */
static void mutants(void **state)
{
	static const char start[] = "{\"x\":[1,-2.5e3,\"a\\u00e9\\ud834\\udd1e\\n\",{\"y\":null,\"\xe5\xa5\x91\":true}],\"z\":\"\xf0\x9f\xa6\x89"
		"\",\"w\":{}}";
	static const char alphabet[] = "{}[]:,\"\\ \t\n0123456789.-+eEu/abdfnrt\x01\x7f\x80\xbf\xc3\xe0\xed\xf0\xf4\xff";
	uint64_t seed = 5;
	unsigned taken = 0;

	for (int i = 0; i < 100000; i++) {
		char s[2 * sizeof(start)];
		size_t n = sizeof(start) - 1;

		memcpy(s, start, n);
		for (uint64_t k = 1 + events_draw(&seed) % 3; k > 0; k--) {
			size_t at = events_draw(&seed) % n;
			uint64_t kind = events_draw(&seed) % 4;

			if (kind == 0) {
				memmove(s + at, s + at + 1, --n - at);
			} else if (kind == 1) {
				memmove(s + at + 1, s + at, n++ - at);
			} else {
				s[at] = alphabet[events_draw(&seed) % (sizeof(alphabet) - 1)];
			}
		}
		/* Numbers beyond a double are jansson's limit, not JSON's. */
		if (memmem(s, n, "e3", 2) && !memmem(s, n, "e3,", 3))
			continue;
		compare((str){ s, n });
		taken += jansson_takes((str){ s, n });
	}
	assert_in_range(taken, 3000, 90000);
}

static void pieces(void **state)
{
	static const char *const tokens[] = { "{", "}", "[", "]", ":", ",", "\"a\"", "\"\\n\"", "1", "-0", "1.5", "true", "null", " ",
		"{\"b\":", "\"c\":", "2e1", "\"" };
	uint64_t seed = 7;
	unsigned taken = 0;

	for (int i = 0; i < 200000; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		buf_puts(&b, STR("{\"x\":"));
		for (uint64_t k = events_draw(&seed) % 6; k > 0; k--)
			buf_putf(&b, "%s", tokens[events_draw(&seed) % ARRAY_SIZE(tokens)]);
		buf_putc(&b, '}');
		compare(buf_str(&b));
		taken += we_take(buf_str(&b));
	}
	assert_in_range(taken, 3000, 100000);
}

/* Strings are looked through eight bytes at a time: every byte at every place, behind ASCII and behind what is not. */
static void every_byte(void **state)
{
	static const char *const befores[] = { "{\"x\":\"abcdefghijklmnopqrs\"}", "{\"x\":\"\xc3\xa9" "cdefghijklmnopqrs\"}",
		"{\"x\":\"\x7f\x7f\x7f\x7f\x7f\x7f!!!!!!##[[]]  \"}" };

	for (size_t k = 0; k < ARRAY_SIZE(befores); k++)
		for (size_t at = 6; at < strlen(befores[k]) - 2; at++)
			for (int byte = 0; byte < 256; byte++) {
				char s[40];
				size_t n = strlen(befores[k]);

				memcpy(s, befores[k], n);
				s[at] = (char)byte;
				compare((str){ s, n });
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tricky), cmocka_unit_test(every_byte), cmocka_unit_test(mutants),
		cmocka_unit_test(pieces) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
