/* The record as JSON: round trips, caps, keys of ours and of others, and the byte that an error names. */
#include "../test.h"

#include <errno.h>

#include "base/base64.h"
#include "event/event_json.h"
#include "event/event_keys.h"
#include "events.h"

/* The line stands in memory of its exact size; `e` is valid until the next call. */
struct parsed {
	struct event e;
	struct event_json_error err;
	int r;
};

static struct buf scratch;
static char *line_copy;

static struct parsed parse_n(str line)
{
	struct parsed p = { .e = { .pid = 77 } };

	free(line_copy);
	line_copy = malloc(line.n ? line.n : 1);
	assert_non_null(line_copy);
	if (line.n)
		memcpy(line_copy, line.p, line.n);
	buf_free(&scratch);
	p.r = event_from_json((str){ line_copy, line.n }, &scratch, &p.e, &p.err);
	if (p.r < 0) {
		assert_int_equal(p.r, -EBADMSG);
		assert_int_equal(p.e.pid, 77); /* left alone */
		assert_true(p.err.byte <= line.n);
		assert_non_null(p.err.expect);
	}
	return p;
}

static struct parsed parse(const char *line)
{
	return parse_n(str_c(line));
}

static int release(void **state)
{
	free(line_copy);
	buf_free(&scratch);
	return 0;
}

static void same_after(const struct event *e, struct buf *b)
{
	_cleanup_buf_ struct buf again = BUF_INIT;
	struct parsed p;

	buf_clear(b);
	event_to_json(b, e);
	assert_int_equal(buf_error(b), 0);
	assert_null(memchr(b->p, '\n', b->n));
	assert_null(memchr(b->p, '\r', b->n));
	assert_true(str_utf8_valid(buf_str(b)));
	p = parse_n(buf_str(b));
	if (p.r < 0)
		fail_msg("byte %zu: expected %s: %.*s", p.err.byte, p.err.expect, (int)b->n, b->p);
	assert_true(events_same(e, &p.e));
	assert_true(p.e.seq == UINT64_MAX);
	p.e.seq = e->seq;
	event_to_json(&again, &p.e);
	assert_true(str_eq(buf_str(b), buf_str(&again)));
}

static void random_events(void **state)
{
	_cleanup_buf_ struct buf pool = BUF_INIT, b = BUF_INIT;
	uint64_t seed = 3;

	for (int i = 0; i < 100000; i++) {
		struct event e;

		events_random(&seed, &pool, &e);
		e.seq = events_draw(&seed) % 2 ? UINT64_MAX : events_draw(&seed) >> 20;
		same_after(&e, &b);
	}
}

static void every_value(void **state)
{
	static const char line[] = "{\"seq\":5,\"time\":\"2026-11-25T14:56:20.123456789Z\",\"end\":\"2026-11-25T14:56:21Z\",\"host\":\"files\""
		",\"person\":\"clerk\","
		"\"person_by\":\"session\",\"uid\":1001,\"login_uid\":1002,\"verb\":\"rename\",\"seen\":\"access\",\"path\":\"/srv/a\",\"to\":\"/srv/b\","
		"\"object\":\"2049:18446744073709551615:0\",\"document\":\"sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\","
		"\"label\":\"restricted\",\"bytes\":4096,\"covered\":18446744073709551615,\"count\":3,\"program\":\"/usr/bin/mv\",\"command\":\"mv a "
			"b\",\"pid\":4294967295,"
		"\"parents\":[\"/bin/bash\",\"/usr/sbin/sshd\"],\"parent_command\":\"-bash\",\"cwd\":\"/srv\",\"via\":\"ssh\",\"client\":\"192.0.2.7\""
			",\"peer\":\"2001:db8::1\","
		"\"port\":65535,\"container\":\"0123abcd\",\"allowed\":false,\"confirmed\":\"opaque\",\"cause\":\"disk_full\",\"late\":true,\"source\""
			":9,\"refers\":4,"
		"\"ticket\":{\"n\":[1,2.50,\"\\u00e9\"]}}";
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct parsed p = parse(line);

	assert_int_equal(p.r, 0);
	assert_true(p.e.present == EV_BIT(EV_FIELDS_) - 1);
	assert_true(p.e.seq == UINT64_MAX);
	assert_true(p.e.time == 1795618580123456789LL && p.e.end == 1795618581 * NSEC_PER_SEC);
	assert_true(p.e.object.dev == 2049 && p.e.object.ino == UINT64_MAX && p.e.object.gen == 0);
	assert_true(p.e.document[1] == 1 && p.e.document[31] == 0xff);
	assert_true(p.e.verb == VERB_RENAME && p.e.cause == CAUSE_DISK_FULL && p.e.via == VIA_SSH && p.e.confirmed == CONFIRMED_OPAQUE);
	assert_int_equal(p.e.n_parents, 2);
	assert_str(p.e.parents[1], "/usr/sbin/sshd");
	assert_str(p.e.extra, "{\"ticket\":{\"n\":[1,2.50,\"\\u00e9\"]}}");
	p.e.seq = 5;
	event_to_json(&b, &p.e);
	assert_str(buf_str(&b), line);
}

static str path_of(const char *line)
{
	struct parsed p = parse(line);

	if (p.r < 0)
		fail_msg("byte %zu: expected %s: %s", p.err.byte, p.err.expect, line);
	assert_true(event_has(&p.e, EV_PATH));
	return p.e.path;
}

static void path_bytes(void **state)
{
	assert_str(path_of("{\"path\":\"/a\\nb\\t\\\"\\\\\\/\\u00e9\"}"), "/a\nb\t\"\\/\xc3\xa9");
	assert_true(str_eq(path_of("{\"path\":\"a\\u0000b\"}"), STR("a\0b")));
	assert_str(path_of("{\"path\":\"?\",\"path_b64\":\"L/8=\"}"), "/\xff");
	assert_str(path_of("{\"path_b64\":\"L/8=\",\"path\":\"?\"}"), "/\xff");
	assert_str(path_of("{\"path_b64\":\"L\\/8\\u003d\",\"pid\":1,\"path\":\"a\\nb\"}"), "/\xff");
	assert_str(path_of("{\"path_b64\":\"\"}"), "");
	assert_str(path_of("{\"p\\u0061th\":\"x\"}"), "x");
	/* A key is not what it starts like. */
	assert_int_equal(parse("{\"path_b6\":\"x\",\"pat\":1,\"\":2}").e.present, EV_BIT(EV_EXTRA));
}

static void one_event(enum event_field f, size_t offset, str s, struct event *ret)
{
	*ret = (struct event){ .present = EV_BIT(f), .seq = UINT64_MAX, .n_parents = 1 };
	*(str *)((char *)ret + offset) = s;
}

/* {"KEY":"xxx…"}, in a list for parents, as base64 for a twin. */
static struct parsed parse_long(const struct event_key *k, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool list = k->form == KEY_LIST || k->form == KEY_LIST64;
	_cleanup_free_ char *x = malloc(n);

	assert_non_null(x);
	memset(x, 'x', n);
	buf_putf(&b, "{\"%s\":%s\"", k->name, list ? "[" : "");
	if (k->form == KEY_TEXT64 || k->form == KEY_LIST64)
		base64_encode(&b, (str){ x, n });
	else
		buf_put(&b, x, n);
	buf_putf(&b, "\"%s}", list ? "]" : "");
	return parse_n(buf_str(&b));
}

/* Every text takes its cap and not one byte more, as text and as bytes; and bytes at the cap come back, though their stand-in is longer. */
static void text_caps(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	static char bad[EVENT_PATH_MAX];
	unsigned checked = 0;

	memset(bad, 0xff, sizeof(bad));
	for (size_t i = 0; i < event_keys_n; i++) {
		const struct event_key *k = &event_keys[i];
		struct parsed p;
		struct event e;

		if (k->form != KEY_TEXT && k->form != KEY_TEXT64 && k->form != KEY_LIST && k->form != KEY_LIST64)
			continue;
		p = parse_long(k, k->max);
		assert_int_equal(p.r, 0);
		assert_true(event_has(&p.e, k->field));
		p = parse_long(k, k->max + 1U);
		assert_int_equal(p.r, -EBADMSG);
		assert_string_equal(p.err.expect, k->expect);
		assert_int_equal(p.err.byte, strlen(k->name) + 4 + (k->form == KEY_LIST || k->form == KEY_LIST64));
		one_event(k->field, k->offset, (str){ bad, k->max }, &e);
		same_after(&e, &b);
		checked++;
	}
	assert_int_equal(checked, 24);
}

/* A stand-in over its cap is refused unless the bytes are there, on either side, and each field for itself. */
static void long_stand_ins(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_free_ char *x = calloc(1, 4098);
	struct parsed p;

	assert_non_null(x);
	memset(x, 'x', 4097);
	buf_putf(&b, "{\"to\":\"%s\",\"path\":\"%s\",\"to_b64\":\"eA==\"}", x, x);
	p = parse_n(buf_str(&b));
	assert_int_equal(p.r, -EBADMSG);
	assert_int_equal(p.err.byte, 6 + 4099 + 8);
	buf_clear(&b);
	buf_putf(&b, "{\"path_b64\":\"eA==\",\"to\":\"%s\",\"path\":\"%s\",\"to_b64\":\"eA==\"}", x, x);
	p = parse_n(buf_str(&b));
	assert_int_equal(p.r, 0);
	assert_str(p.e.path, "x");
	assert_str(p.e.to, "x");
}

static void extra_cap(void **state)
{
	for (size_t n = EVENT_EXTRA_MAX - 1; n <= EVENT_EXTRA_MAX + 1; n++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct parsed p;

		buf_puts(&b, STR("{\"pid\":1, \"a\": \""));
		while (b.n < n - 2 + 9 + 1)
			buf_putc(&b, 'x');
		buf_puts(&b, STR("\"}"));
		p = parse_n(buf_str(&b));
		assert_int_equal(p.r, n <= EVENT_EXTRA_MAX ? 0 : -EBADMSG);
		if (p.r == 0)
			assert_int_equal(p.e.extra.n, n);
		else
			assert_int_equal(p.err.byte, 10);
	}
}

static void unknown_keys(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct parsed p = parse(" {\"x\" : [ 1 , {\"a\\\"\\\\\" :\t\"\\u00e9 \\\" { \" } ] ,\"pid\":7,\r\n \"person\\u005f\":null,\"x\":2} ");

	assert_int_equal(p.r, 0);
	assert_str(p.e.extra, "{\"x\":[1,{\"a\\\"\\\\\":\"\\u00e9 \\\" { \"}],\"person\\u005f\":null,\"x\":2}");
	event_to_json(&b, &p.e);
	assert_str(buf_str(&b), "{\"pid\":7,\"x\":[1,{\"a\\\"\\\\\":\"\\u00e9 \\\" { \"}],\"person\\u005f\":null,\"x\":2}");
	/* Alone. */
	p = parse("{\"x\":1}");
	buf_clear(&b);
	event_to_json(&b, &p.e);
	assert_str(buf_str(&b), "{\"x\":1}");
	assert_int_equal(parse("{}").e.present, 0);
	/* The sequence number is nobody's but the log's. */
	p = parse("{\"seq\":[{}],\"late\":false}");
	assert_true(p.r == 0 && p.e.present == 0 && p.e.seq == UINT64_MAX);
}

static void depth_cap(void **state)
{
	for (unsigned n = 31; n <= 33; n++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct parsed p;

		buf_puts(&b, STR("{\"a\":"));
		for (unsigned i = 0; i < n; i++)
			buf_puts(&b, i % 2 ? STR("[") : STR("{\"\":"));
		buf_putc(&b, '1');
		for (unsigned i = n; i-- > 0;)
			buf_puts(&b, i % 2 ? STR("]") : STR("}"));
		buf_putc(&b, '}');
		p = parse_n(buf_str(&b));
		assert_int_equal(p.r, n <= 32 ? 0 : -EBADMSG);
		if (p.r < 0)
			assert_int_equal(p.err.byte, 5 + 16 * 5);
	}
	/* A line of brackets does not eat the stack. */
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, STR("{\"a\":"));
	for (int i = 0; i < 65000; i++)
		buf_putc(&b, '[');
	assert_int_equal(parse_n(buf_str(&b)).r, -EBADMSG);
}

static void errors_named(void **state)
{
	static const struct { const char *line; size_t byte; const char *expect; } cases[] = {
		{ "", 0, "a JSON object" },
		{ "  ", 2, "a JSON object" },
		{ "[1]", 0, "a JSON object" },
		{ "\xef\xbb\xbf{}", 0, "a JSON object" },
		{ "{", 1, "a string" },
		{ "{\"pid\"", 6, "a colon" },
		{ "{\"pid\":", 7, "a process id" },
		{ "{\"pid\":1", 8, "a comma or }" },
		{ "{\"pid\":1,}", 9, "a string" },
		{ "{\"pid\":1 \"uid\":2}", 9, "a comma or }" },
		{ "{\"pid\":1} x", 10, "the end of the line" },
		{ "{\"pid\":1}{}", 9, "the end of the line" },
		{ "{\"pid\": 1.0}", 8, "a process id" },
		{ "{\"pid\":1e3}", 7, "a process id" },
		{ "{\"pid\":-1}", 7, "a process id" },
		{ "{\"pid\":01}", 7, "a process id" },
		{ "{\"pid\":+1}", 7, "a process id" },
		{ "{\"pid\":\"1\"}", 7, "a process id" },
		{ "{\"pid\":null}", 7, "a process id" },
		{ "{\"pid\":4294967296}", 7, "a process id" },
		{ "{\"uid\":4294967296}", 7, "a user id" },
		{ "{\"port\":65536}", 8, "a port number" },
		{ "{\"bytes\":18446744073709551616}", 9, "a whole number" },
		{ "{\"bytes\":0x1}", 10, "a comma or }" },
		{ "{\"allowed\":1}", 11, "true or false" },
		{ "{\"allowed\":truE}", 11, "true or false" },
		{ "{\"late\":null}", 8, "true or false" },
		{ "{\"verb\": \"reads\"}", 9, "open, read, write, create, delete, rename, link, permission, copy, archive, export, send, exec or gap" },
		{ "{\"verb\":\"\"}", 8, "open, read, write, create, delete, rename, link, permission, copy, archive, export, send, exec or gap" },
		{ "{\"seen\":\"Open\"}", 8, "bytes, access or open" },
		{ "{\"via\":5}", 7, "a string" },
		{ "{\"time\":\"2026-02-30T00:00:00Z\"}", 8, "a time as in 2026-11-25T14:56:20Z" },
		{ "{\"time\":\"2026-11-25T14:56:20\"}", 8, "a time as in 2026-11-25T14:56:20Z" },
		{ "{\"time\":\"9999-01-01T00:00:00Z\"}", 8, "a time from 1990 to a day from now" },
		{ "{\"time\":1795618580}", 8, "a string" },
		{ "{\"object\":\"1:2\"}", 10, "device:inode:generation" },
		{ "{\"object\":\"1:2:3:4\"}", 10, "device:inode:generation" },
		{ "{\"object\":\"1::3\"}", 10, "device:inode:generation" },
		{ "{\"object\":\"\"}", 10, "device:inode:generation" },
		{ "{\"object\":\"01:2:3\"}", 10, "device:inode:generation" },
		{ "{\"document\":\"sha256:00\"}", 12, "sha256: and 64 hexadecimal digits" },
		{ "{\"document\":\"md5:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\"}", 12, "sha256: and 64 hexadecimal digits" },
		{ "{\"document\":\"sha256:000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1eff\"}", 12, "sha256: and 64 hexadecimal digits" },
		{ "{\"parents\":[]}", 12, "a string" },
		{ "{\"parents\":\"x\"}", 11, "a list of one to eight paths of at most 4,096 bytes" },
		{ "{\"parents\":[\"x\",]}", 16, "a string" },
		{ "{\"parents\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}", 44, "a list of one to eight paths of at most 4,096 bytes" },
		{ "{\"path_b64\":\"L/8\"}", 12, "base64 of a path of at most 4,096 bytes" },
		{ "{\"path_b64\":\"L/9=\"}", 12, "base64 of a path of at most 4,096 bytes" },
		{ "{\"path_b64\":\"L_8=\"}", 12, "base64 of a path of at most 4,096 bytes" },
		{ "{\"path_b64\":\"eA==\",\"path\":5}", 26, "a path of at most 4,096 bytes" },
		{ "{\"parents_b64\":[\"eA==\"],\"parents\":\"x\"}", 34, "a list of one to eight paths of at most 4,096 bytes" },
		{ "{\"path_b64\":\"eA==\",\"path\":\"\\ud800\"}", 33, "a low surrogate after a high one" },
		{ "{\"path\":\"ab\xc3(\"}", 11, "UTF-8 in a string" },
		{ "{\"path\":\"ab\\ncd\xed\xa0\x80\"}", 15, "UTF-8 in a string" },
		{ "{\"path\":\"\xf0\x9f\xa6\"}", 9, "UTF-8 in a string" },
		{ "{\"path\":\"a\tb\"}", 10, "no control character in a string" },
		{ "{\"path\":\"a\\x\"}", 11, "an escape of \" \\ / b f n r t u" },
		{ "{\"path\":\"a\\u12g4\"}", 14, "four hexadecimal digits" },
		{ "{\"path\":\"a\\u12", 12, "four hexadecimal digits" },
		{ "{\"path\":\"a\\", 11, "an escape" },
		{ "{\"path\":\"a", 10, "the end of a string" },
		{ "{\"path\":\"\\udc00\"}", 15, "a high surrogate before a low one" },
		{ "{\"path\":\"\\ud800\\u0041\"}", 21, "a low surrogate after a high one" },
		{ "{\"path\":\"\\ud800\\ud800\"}", 21, "a low surrogate after a high one" },
		{ "{\"pid\":1,\"pid\":1}", 9, "each key once" },
		{ "{\"pid\":1,\"p\\u0069d\":1}", 9, "each key once" },
		{ "{\"seq\":1,\"seq\":1}", 9, "each key once" },
		{ "{\"path_b64\":\"eA==\",\"path\":\"x\",\"path_b64\":\"eA==\"}", 30, "each key once" },
		{ "{\"x\":tru}", 5, "a value" },
		{ "{\"x\":-}", 6, "a value" },
		{ "{\"x\":1.}", 7, "a digit" },
		{ "{\"x\":1e+}", 8, "a digit" },
		{ "{\"x\":[1,]}", 8, "a value" },
		{ "{\"x\":{\"a\"}}", 9, "a colon" },
		{ "{\"x\":{\"a\":1,}}", 12, "a string" },
		{ "{\"x\":[1}", 7, "a comma or ]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed p = parse(cases[i].line);

		if (p.r == 0)
			fail_msg("accepted: %s", cases[i].line);
		if (p.err.byte != cases[i].byte || strcmp(p.err.expect, cases[i].expect) != 0)
			fail_msg("%s: byte %zu: expected %s", cases[i].line, p.err.byte, p.err.expect);
	}
}

static void surrogates(void **state)
{
	assert_str(path_of("{\"path\":\"\\ud83e\\udd89\"}"), "\xf0\x9f\xa6\x89");
	assert_str(path_of("{\"path\":\"\\uD800\\uDC00\\uDBFF\\uDFFF\"}"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
	assert_str(path_of("{\"path\":\"\\ud7ff\\ue000\\uFFFF\\u07ff\\u0800\\u007f\\u0080\"}"),
		"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xdf\xbf\xe0\xa0\x80\x7f\xc2\x80");
}

static const char *checked(struct event e, int64_t now)
{
	const char *expect = "nothing was written";

	return event_check(&e, now, &expect) == 0 ? (expect ? "not cleared" : "") : expect;
}

static void import_checks(void **state)
{
	const int64_t now = 1795618580 * NSEC_PER_SEC, day = 86400 * NSEC_PER_SEC, t1990 = 631152000 * NSEC_PER_SEC;
	struct event e = { .present = EV_BIT(EV_TIME) | EV_BIT(EV_VERB) | EV_BIT(EV_PATH), .time = now, .verb = VERB_READ, .path = STR("x") };

	assert_string_equal(checked(e, now), "");
	e.time = t1990;
	assert_string_equal(checked(e, now), "");
	e.time = t1990 - 1;
	assert_string_equal(checked(e, now), "a time from 1990 to a day from now");
	e.time = now + day;
	assert_string_equal(checked(e, now), "");
	e.time = now + day + 1;
	assert_string_equal(checked(e, now), "a time from 1990 to a day from now");
	e.time = INT64_MAX;
	assert_string_equal(checked(e, INT64_MAX), "");
	e.time = now;
	event_set(&e, EV_END);
	e.end = now - 1;
	assert_string_equal(checked(e, now), "`end` not before `time`");
	e.end = now;
	assert_string_equal(checked(e, now), "");
	e.present = EV_BIT(EV_TIME) | EV_BIT(EV_VERB);
	assert_string_equal(checked(e, now), "a `path`");
	e.verb = VERB_GAP;
	assert_string_equal(checked(e, now), "");
	e.present = EV_BIT(EV_TIME) | EV_BIT(EV_PATH);
	assert_string_equal(checked(e, now), "`time` and `verb`");
	e.present = EV_BIT(EV_VERB) | EV_BIT(EV_PATH);
	assert_string_equal(checked(e, now), "`time` and `verb`");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_events), cmocka_unit_test(every_value), cmocka_unit_test(path_bytes), cmocka_unit_test(text_caps),
		cmocka_unit_test(long_stand_ins), cmocka_unit_test(extra_cap), cmocka_unit_test(unknown_keys), cmocka_unit_test(depth_cap),
		cmocka_unit_test(errors_named), cmocka_unit_test(surrogates), cmocka_unit_test(import_checks),
	};
	return cmocka_run_group_tests(tests, NULL, release);
}
