/* What goes over the wire, and what comes back: mails, syslog's messages, a courier's answers. */
#include "../test.h"

#include <errno.h>

#include "base/base64.h"
#include "forward/courier/way.h"

static const char *find(str s, const char *what)
{
	return s.p ? memmem(s.p, s.n, what, strlen(what)) : NULL;
}

static str line_of(const struct buf *b, const char *name)
{
	const char *p = find(buf_str(b), name), *end = p ? find((str){ p, (size_t)(b->p + b->n - p) }, "\r\n") : NULL;

	assert_true(p && end);
	return (str){ p, (size_t)(end - p) };
}

static void headers(void **state)
{
	static const struct { const char *value, *want; } cases[] = {
		{ "plain", "S: plain\r\n" },
		{ "a\r\nBcc: x@y", "S: a Bcc: x@y\r\n" },
		{ "\u79d8", "S: =?UTF-8?B?56eY?=\r\n" },
		{ "=?UTF-8?B?x?=", "S: =?UTF-8?B?PT9VVEYtOD9CP3g/PQ==?=\r\n" }, /* what looks like an encoded word is none */
		{ "", "S: \r\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		mail_put_header("S", str_c(cases[i].value), &b);
		assert_str(buf_str(&b), cases[i].want);
	}
}

/* Unfolded and decoded, a long one is what it was. */
static void long_header(void **state)
{
	_cleanup_buf_ struct buf value = BUF_INIT, b = BUF_INIT, got = BUF_INIT;

	for (int i = 0; i < 100; i++)
		buf_puts(&value, STR("\u79d8\u5bc6x"));
	mail_put_header("Subject", buf_str(&value), &b);
	for (str rest = buf_str(&b); rest.n;) {
		const char *from = find(rest, "=?UTF-8?B?"), *end = find(rest, "\r\n");

		assert_true(end && end - rest.p <= 76 + 8 && from && from < end);
		assert_int_equal(base64_decode(&got, (str){ from + 10, (size_t)(end - 2 - from - 10) }), 0);
		assert_true(str_utf8_valid(buf_str(&got)));
		rest = (str){ end + 2, (size_t)(rest.p + rest.n - end - 2) };
	}
	assert_true(str_eq(buf_str(&got), buf_str(&value)));
}

static void mail(void **state)
{
	const struct letter l = { .uid = STR("log name/alert/3/17"), .subject = STR("s"), .text = STR(".\nFrom x\n"), .to = STR("a@b"), .severity = SEVERITY_HIGH };
	_cleanup_buf_ struct buf b = BUF_INIT, body = BUF_INIT;
	const char *end;

	mail_compose(&l, "t@h", "h", 1764122420LL * NSEC_PER_SEC, &b);
	assert_str(line_of(&b, "Date:"), "Date: Wed, 26 Nov 2025 02:00:20 +0000");
	assert_str(line_of(&b, "Message-ID:"), "Message-ID: <log.name.alert.3.17@h>");
	end = find(buf_str(&b), "\r\n\r\n");
	assert_non_null(end);
	assert_int_equal(base64_decode(&body, (str){ end + 4, (size_t)(b.p + b.n - end - 6) }), 0);
	assert_str(buf_str(&body), ".\r\nFrom x\r\n");
}

static void syslog_message(void **state)
{
	struct letter l = { .uid = STR("x"), .line = STR("one\ntwo\x01\xff"), .cef = STR("CEF"), .severity = SEVERITY_CRITICAL };
	_cleanup_buf_ struct buf b = BUF_INIT;

	syslog_compose(&l, "host", 13, false, 1234567890123456789LL, 2048, &b);
	assert_str(buf_str(&b), "<106>1 2009-02-13T23:31:30.123456Z host tyto - ALERT - \xef\xbb\xbfone two \xef\xbf\xbd");
	buf_clear(&b);
	syslog_compose(&l, "host", 0, true, 0, 2048, &b);
	assert_true(str_ends(buf_str(&b), STR("\xef\xbb\xbf" "CEF")));
	/* Cut between characters. */
	l.line = STR("\u79d8\u79d8\u79d8\u79d8");
	for (size_t max = 0; max < 80; max++) {
		buf_clear(&b);
		syslog_compose(&l, "host", 13, false, 1234567890123456789LL, max, &b);
		assert_true(str_utf8_valid(buf_str(&b)));
		assert_true(b.n <= MAX(max, (size_t)58));
	}
}

static void answers(void **state)
{
	struct courier_answer a = { 0 };
	char longest[COURIER_LINE_MAX + 100];

	assert_int_equal(courier_answer_take(STR(""), &a), -EBADMSG);
	assert_int_equal(courier_answer_take(STR("z"), &a), -EBADMSG);
	assert_int_equal(a.verdict, 0);
	assert_int_equal(courier_answer_take(STR("y"), &a), 0);
	assert_true(a.verdict == COURIER_SENT && a.line[0] == '\0');
	assert_int_equal(courier_answer_take(STR("l250 \x1b[2Jok\n"), &a), 0);
	assert_string_equal(a.line, "250 \\x1b[2Jok\\x0a");
	memset(longest, 1, sizeof(longest));
	longest[0] = COURIER_NEVER;
	assert_int_equal(courier_answer_take((str){ longest, sizeof(longest) }, &a), 0);
	assert_true(strlen(a.line) <= COURIER_LINE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers), cmocka_unit_test(long_header), cmocka_unit_test(mail), cmocka_unit_test(syslog_message), cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
