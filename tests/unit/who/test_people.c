/* Who works where: rows from JSON Lines and CSV, aliases, and the form in which they are written. */
#include "../test.h"

#include <errno.h>

#include "who/people.h"

/* What a file gave: its rows as text, one a line with the line number before it, and its bad lines. */
struct heard {
	struct buf rows, bad;
	unsigned stop_at; /* line at which to stop; 0 never */
};

static int on_row(void *arg, unsigned line, str json)
{
	struct heard *h = arg;

	buf_putf(&h->rows, "%u %.*s\n", line, STR_ARG(json));
	return line == h->stop_at ? -EINTR : 0;
}

static int on_bad(void *arg, unsigned line, const char *expect)
{
	struct heard *h = arg;

	buf_putf(&h->bad, "%u %s\n", line, expect);
	return line == h->stop_at ? -EINTR : 0;
}

/* The text stands in memory of its exact size. */
static int hear(struct heard *h, str text)
{
	struct people_reader reader = { on_row, on_bad, h };
	_cleanup_free_ char *copy = malloc(text.n ? text.n : 1);

	assert_non_null(copy);
	if (text.n)
		memcpy(copy, text.p, text.n);
	buf_clear(&h->rows);
	buf_clear(&h->bad);
	return people_read((str){ copy, text.n }, &reader);
}

static void expect_read(const char *text, const char *rows, const char *bad)
{
	struct heard h = { 0 };

	assert_int_equal(hear(&h, str_c(text)), 0);
	assert_str(buf_str(&h.rows), rows);
	assert_str(buf_str(&h.bad), bad);
	buf_free(&h.rows);
	buf_free(&h.bad);
}

#define COUNT "as many fields as the first line has\n"
#define QUOTE "a quoted field to end in a quote, and then a comma\n"
#define COLUMNS "a first line of column names: person, name, unit, role, manager, joined, leaves, announced, aliases\n"

static void csv(void **state)
{
	/* The forms of RFC 4180. */
	expect_read("person,name\nclerk,A\n", "2 {\"person\":\"clerk\",\"name\":\"A\"}\n", "");
	expect_read("person,name\r\nclerk,A\r\nsales,B", "2 {\"person\":\"clerk\",\"name\":\"A\"}\n3 {\"person\":\"sales\",\"name\":\"B\"}\n", "");
	expect_read("\xef\xbb\xbfname,person\r\n\"A, \"\"B\"\"\",\"clerk\"\r\n", "2 {\"name\":\"A, \\\"B\\\"\",\"person\":\"clerk\"}\n", "");
	expect_read("person,\"name\"\nclerk,\"\"\n", "2 {\"person\":\"clerk\"}\n", "");
	expect_read("person,name\nclerk,\"a\r\nb\"\nsales,B\n",
		"2 {\"person\":\"clerk\",\"name\":\"a\\r\\nb\"}\n4 {\"person\":\"sales\",\"name\":\"B\"}\n", "");
	expect_read("person,name\n\r\n\nclerk, A \n\n", "4 {\"person\":\"clerk\",\"name\":\" A \"}\n", "");
	expect_read("\r\n\nperson\nclerk\n\"\"\n", "4 {\"person\":\"clerk\"}\n5 {}\n", "");
	expect_read("person,name\nclerk,a\"b\n", "2 {\"person\":\"clerk\",\"name\":\"a\\\"b\"}\n", "");
	expect_read("person,name\nclerk,a\rb\n", "2 {\"person\":\"clerk\",\"name\":\"a\\rb\"}\n", "");
	expect_read("person,name\n\rclerk,b\n", "2 {\"person\":\"\\rclerk\",\"name\":\"b\"}\n", "");
	expect_read("person,name\nclerk,\xe5\xa5\x91\n", "2 {\"person\":\"clerk\",\"name\":\"\xe5\xa5\x91\"}\n", "");
	expect_read("person\n", "", "");
}

/* A bad row is one complaint at its first line, and the rows behind it are read as they stand. */
static void csv_bad(void **state)
{
	const char *next = "4 {\"person\":\"sales\",\"name\":\"B\"}\n", *next3 = "3 {\"person\":\"sales\",\"name\":\"B\"}\n";

	expect_read("person,name\nclerk\nsales,B\n", next3, "2 " COUNT);
	expect_read("person,name\nclerk,A,x,y\nsales,B\n", next3, "2 " COUNT);
	expect_read("person,name\nclerk,A,\nsales,B\n", next3, "2 " COUNT);
	expect_read("person,name\nclerk,A,\"x\ny,z\"\nsales,B\n", next, "2 " COUNT);
	expect_read("person,name\n\"a\nb\"\nsales,B\n", next, "2 " COUNT);
	expect_read("person,name\nclerk,\xff\nsales,B\n", next3, "2 text in UTF-8\n");
	expect_read("person,name\n\xff,\"A\nb\"\nsales,B\n", next, "2 text in UTF-8\n");
	/* What stands behind the fault on the same line is never a row. */
	expect_read("person,name\n\"a\"b,c\nsales,B\n", next3, "2 " QUOTE);
	expect_read("person,name\na,\"b\"c,d\nsales,B\n", next3, "2 " QUOTE);
	expect_read("person,name\na,\"b\"\rc,d\nsales,B\n", next3, "2 " QUOTE);
	/* A quote that never ends costs its own line. */
	expect_read("person,name\nclerk,\"A\nsales,B\n", next3, "2 " QUOTE);
	expect_read("person,name\nclerk,\"A\nsales,B\nx,\"C\"\n",
		"3 {\"person\":\"sales\",\"name\":\"B\"}\n4 {\"person\":\"x\",\"name\":\"C\"}\n", "2 " QUOTE);
	expect_read("person,name\nclerk,\"", "", "2 " QUOTE);
}

static void csv_columns(void **state)
{
	expect_read("", "", "1 " COLUMNS);
	expect_read("name,unit\na,b\n", "", "1 " COLUMNS);
	expect_read("person,salary\na,b\n", "", "1 " COLUMNS);
	expect_read("person,name,name\na,b,c\n", "", "1 " COLUMNS);
	expect_read("person,\n", "", "1 " COLUMNS);
	expect_read("person,\"name\n", "", "1 " COLUMNS);
	expect_read("\n\nPerson\n", "", "3 " COLUMNS);
	expect_read("person,name,unit,role,manager,joined,leaves,announced,aliases,person\n", "", "1 " COLUMNS);
	expect_read("aliases,announced,leaves,joined,manager,role,unit,name,person\n1,2,3,4,5,6,7,8,9\n",
		"2 {\"aliases\":\"1\",\"announced\":\"2\",\"leaves\":\"3\",\"joined\":\"4\",\"manager\":\"5\",\"role\":\"6\",\"unit\":\"7\",\"name\":"
			"\"8\",\"person\":\"9\"}\n", "");
	/* A NUL does not end a column's name. */
	struct heard h = { 0 };

	assert_int_equal(hear(&h, STR("person\0x\nclerk\n")), 0);
	assert_str(buf_str(&h.bad), "1 " COLUMNS);
	buf_free(&h.rows);
	buf_free(&h.bad);
}

static void json_lines(void **state)
{
	expect_read("{\"person\":\"a\"}\r\n\n{\"person\":\"b\"}", "1 {\"person\":\"a\"}\n3 {\"person\":\"b\"}\n", "");
	expect_read("\xef\xbb\xbf\n {\"person\":\"a\"}\nnothing\n", "2  {\"person\":\"a\"}\n3 nothing\n", "");
}

static void row_caps(void **state)
{
	struct heard h = { 0 };

	for (size_t n = PEOPLE_ROW_MAX - 1; n <= PEOPLE_ROW_MAX + 1; n++) {
		for (int form = 0; form < 2; form++) {
			_cleanup_buf_ struct buf b = BUF_INIT;

			buf_puts(&b, form ? STR("person,name\na,") : STR("{\"person\":\"a\",\"name\":\""));
			for (size_t i = 0; i < n - strlen("{\"person\":\"a\",\"name\":\"\"}"); i++)
				buf_putc(&b, 'x');
			buf_puts(&b, form ? STR("\nb,c\n") : STR("\"}\n"));
			assert_int_equal(hear(&h, buf_str(&b)), 0);
			assert_str(buf_str(&h.bad), n <= PEOPLE_ROW_MAX ? "" : form ? "2 a row of at most 8,000 bytes\n" : "1 a row of at most 8,000 bytes\n");
			assert_true(form == 0 || str_ends(buf_str(&h.rows), STR("3 {\"person\":\"b\",\"name\":\"c\"}\n")));
		}
	}
	/* A field beyond any row, in quotes with line ends; and many long ones. */
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, STR("person,name\na,\""));
	for (int i = 0; i < 20000; i++)
		buf_puts(&b, i % 100 ? STR("x") : STR("\n"));
	buf_puts(&b, STR("\"\nb,c\n"));
	assert_int_equal(hear(&h, buf_str(&b)), 0);
	assert_str(buf_str(&h.bad), "2 a row of at most 8,000 bytes\n");
	assert_str(buf_str(&h.rows), "203 {\"person\":\"b\",\"name\":\"c\"}\n");
	buf_free(&h.rows);
	buf_free(&h.bad);
}

static void stops(void **state)
{
	struct heard h = { .stop_at = 2 };

	assert_int_equal(hear(&h, STR("person\na\nb\n")), -EINTR);
	assert_str(buf_str(&h.rows), "2 {\"person\":\"a\"}\n");
	assert_int_equal(hear(&h, STR("person\na,b\nb\n")), -EINTR);
	assert_str(buf_str(&h.rows), "");
	assert_int_equal(hear(&h, STR("{\"person\":\"a\"}\n{}\n{}\n")), -EINTR);
	h.stop_at = 1;
	assert_int_equal(hear(&h, STR("x\na\n")), -EINTR);
	buf_free(&h.rows);
	buf_free(&h.bad);
}

static int add(struct people *p, const char *row, const char **ret_expect)
{
	*ret_expect = "nothing was written";
	return people_add_json(p, str_c(row), ret_expect);
}

static void expect_person(const struct people *p, const char *account, const char *want)
{
	str person;

	if (people_alias(p, str_c(account), &person) != (want != NULL))
		fail_msg("%s: %s", account, want ? "nobody" : "somebody");
	if (want)
		assert_str(person, want);
}

static void aliases(void **state)
{
	struct people *p = people_new();
	struct people_row last;
	const char *expect;
	str person;

	assert_int_equal(people_last(p, &last), -ENOENT);
	assert_false(people_alias(p, STR("clerk"), &person));
	assert_int_equal(add(p, "{\"person\":\"clerk\",\"aliases\":[\"c1\",\"DOM\\\\clerk\"]}", &expect), 0);
	assert_null(expect);
	assert_int_equal(add(p, "{\"person\":\"sales\",\"aliases\":\" s1;s2,s3\\ts4  s1\"}", &expect), 0);
	expect_person(p, "clerk", "clerk");
	expect_person(p, "DOM\\clerk", "clerk");
	expect_person(p, "s1", "sales");
	expect_person(p, "s4", "sales");
	expect_person(p, "s", NULL);
	expect_person(p, "", NULL);
	assert_int_equal(people_last(p, &last), 0);
	assert_str(last.aliases, "s1 s2 s3 s4 s1");
	/* Within a file: somebody else's alias, or somebody else: nothing of the row is taken. */
	people_one_owner(p);
	assert_int_equal(add(p, "{\"person\":\"engineer\",\"aliases\":[\"e1\",\"c1\",\"e2\"]}", &expect), -EEXIST);
	assert_string_equal(expect, "aliases that are nobody else's");
	assert_int_equal(add(p, "{\"person\":\"engineer\",\"aliases\":[\"sales\"]}", &expect), -EEXIST);
	assert_int_equal(add(p, "{\"person\":\"c1\",\"aliases\":[\"e1\"]}", &expect), -EEXIST);
	assert_string_equal(expect, "a person that is not an alias of somebody else");
	expect_person(p, "engineer", NULL);
	expect_person(p, "e1", NULL);
	expect_person(p, "e2", NULL);
	assert_int_equal(people_count(p), 2);
	assert_int_equal(people_last(p, &last), 0);
	assert_str(last.person, "sales");
	/* A newer row of the same person; the own name among the aliases. */
	assert_int_equal(add(p, "{\"person\":\"clerk\",\"unit\":\"hq/legal\",\"aliases\":[\"c2\",\"clerk\"]}", &expect), 0);
	expect_person(p, "c2", "clerk");
	assert_int_equal(people_count(p), 2);
	/* What it does not name any more is free. */
	expect_person(p, "c1", NULL);
	assert_int_equal(add(p, "{\"person\":\"c1\",\"aliases\":[\"e1\"]}", &expect), 0);
	expect_person(p, "c1", "c1");
	people_free(p);
	people_free(NULL);
}

/* A row is in force from its position on: accounts change hands. */
static void accounts_change_hands(void **state)
{
	static const struct { const char *row, *account[4], *person[4]; } steps[] = {
		{ "{\"person\":\"clerk\",\"aliases\":[\"desk1\",\"desk2\"]}", { "clerk", "desk1", "desk2", "sales" }, { "clerk", "clerk", "clerk", NULL } },
		/* Taken over without a word of the one before. */
		{ "{\"person\":\"sales\",\"aliases\":[\"desk1\"]}", { "clerk", "desk1", "desk2", "sales" }, { "clerk", "sales", "clerk", "sales" } },
		/* The older row of the one before does not come back with a newer one, nor is taken away what he does not have. */
		{ "{\"person\":\"clerk\",\"unit\":\"x\",\"aliases\":[\"desk2\"]}", { "clerk", "desk1", "desk2" }, { "clerk", "sales", "clerk" } },
		{ "{\"person\":\"clerk\"}", { "clerk", "desk1", "desk2" }, { "clerk", "sales", NULL } },
		{ "{\"person\":\"clerk\",\"aliases\":[\"desk1\"]}", { "desk1", "sales" }, { "clerk", "sales" } },
		/* A login name itself: the account of somebody who left. */
		{ "{\"person\":\"engineer\",\"aliases\":[\"clerk\"]}", { "clerk", "desk1", "engineer" }, { "engineer", "clerk", "engineer" } },
		{ "{\"person\":\"engineer\"}", { "clerk", "engineer" }, { NULL, "engineer" } },
		{ "{\"person\":\"clerk\"}", { "clerk", "desk1" }, { "clerk", NULL } },
		/* An alias becomes a person of its own. */
		{ "{\"person\":\"sales\",\"aliases\":[\"new\"]}", { "new" }, { "sales" } },
		{ "{\"person\":\"new\"}", { "new", "sales" }, { "new", "sales" } },
	};
	struct people *p = people_new();
	const char *expect;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (add(p, steps[i].row, &expect) != 0)
			fail_msg("%s: %s", steps[i].row, expect);
		for (size_t k = 0; k < 4 && steps[i].account[k]; k++)
			expect_person(p, steps[i].account[k], steps[i].person[k]);
	}
	assert_int_equal(people_count(p), 4);
	people_free(p);
}

static void many(void **state)
{
	struct people *p = people_new();
	const char *expect;
	char text[200];

	for (int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "{\"person\":\"p%d\",\"aliases\":[\"a%d\",\"b%d\"]}", i, i, i);
		assert_int_equal(add(p, text, &expect), 0);
	}
	assert_int_equal(people_count(p), 20000);
	expect_person(p, "a0", "p0");
	expect_person(p, "b19999", "p19999");
	expect_person(p, "a20000", NULL);
	people_free(p);
}

static void rows_refused(void **state)
{
	static const struct { const char *row, *expect; } cases[] = {
		{ "", "one JSON object of at most 8,000 bytes" },
		{ "[]", "one JSON object of at most 8,000 bytes" },
		{ "{\"person\":\"a\"", "one JSON object of at most 8,000 bytes" },
		{ "{\"person\":\"a\",\"person\":\"b\"}", "one JSON object of at most 8,000 bytes" },
		{ "{\"person\":\"a\\u0000b\"}", "one JSON object of at most 8,000 bytes" },
		{ "{\"person\":\"\xff\"}", "one JSON object of at most 8,000 bytes" },
		{ "{}", "`person`: the login name of a person" },
		{ "{\"person\":\"\"}", "`person`: the login name of a person" },
		{ "{\"person\":null}", "`person`: the login name of a person" },
		{ "{\"person\":7}", "texts as values" },
		{ "{\"person\":[\"a\"]}", "texts as values" },
		{ "{\"person\":\"a\",\"aliases\":{}}", "texts as values" },
		{ "{\"person\":\"a\",\"salary\":\"1\"}", "only the keys person, name, unit, role, manager, joined, leaves, announced, aliases" },
		{ "{\"person\":\"a\",\"aliases\":[1]}", "aliases: a list of account names" },
		{ "{\"person\":\"a\",\"aliases\":[\"\"]}", "aliases: a list of account names" },
		{ "{\"person\":\"a\",\"aliases\":[\"b c\"]}", "aliases: a list of account names" },
		{ "{\"person\":\"a\",\"aliases\":[\"b\\nc\"]}", "aliases: a list of account names" },
		{ "{\"person\":\"a\",\"joined\":\"yesterday\"}", "dates as 2026-11-25 in joined, leaves, announced" },
		{ "{\"person\":\"a\",\"joined\":\"2026-02-29\"}", "dates as 2026-11-25 in joined, leaves, announced" },
		{ "{\"person\":\"a\",\"leaves\":\"2026-13-01\"}", "dates as 2026-11-25 in joined, leaves, announced" },
		{ "{\"person\":\"a\",\"leaves\":\"2026-1-1\"}", "dates as 2026-11-25 in joined, leaves, announced" },
		{ "{\"person\":\"a\",\"announced\":\"25.11.2026\"}", "dates as 2026-11-25 in joined, leaves, announced" },
		{ "{\"person\":\"a\",\"announced\":\"2026-11-25T10:00\"}", "dates as 2026-11-25 in joined, leaves, announced" },
	};
	struct people *p = people_new();
	const char *expect;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (add(p, cases[i].row, &expect) != -EBADMSG || strcmp(expect, cases[i].expect) != 0)
			fail_msg("%s: expected %s", cases[i].row, expect);
	}
	assert_int_equal(people_count(p), 0);
	assert_int_equal(add(p, "{\"person\":\"a\",\"joined\":\"2024-02-29\",\"leaves\":\"2026-11-25T10:00:00+09:00\",\"announced\":\"\",\"nam"
		"e\":null,\"from\":5}", &expect), 0);
	people_free(p);
}

static int with_aliases(unsigned n, unsigned length)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct people *p = people_new();
	const char *expect;
	int r;

	buf_puts(&b, STR("{\"person\":\"a\",\"aliases\":["));
	for (unsigned i = 0; i < n; i++)
		buf_putf(&b, "%s\"%0*u\"", i ? "," : "", (int)length, i + 1);
	buf_puts(&b, STR("]}"));
	r = people_add_json(p, buf_str(&b), &expect);
	people_free(p);
	return r;
}

static int with_person(unsigned length)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct people *p = people_new();
	const char *expect;
	int r;

	buf_putf(&b, "{\"person\":\"%0*u\"}", (int)length, 1);
	r = people_add_json(p, buf_str(&b), &expect);
	people_free(p);
	return r;
}

/* DEL is one byte in the row and six when written. */
static int with_dels(unsigned n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct people *p = people_new();
	const char *expect;
	int r;

	buf_puts(&b, STR("{\"person\":\"a\",\"name\":\""));
	for (unsigned i = 0; i < n; i++)
		buf_putc(&b, '\x7f');
	buf_puts(&b, STR("\"}"));
	r = people_add_json(p, buf_str(&b), &expect);
	people_free(p);
	return r;
}

static void caps(void **state)
{
	assert_int_equal(with_aliases(PEOPLE_ALIASES_MAX, 8), 0);
	assert_int_equal(with_aliases(PEOPLE_ALIASES_MAX + 1, 8), -EBADMSG);
	assert_int_equal(with_aliases(2, 256), 0);
	assert_int_equal(with_aliases(2, 257), -EBADMSG);
	assert_int_equal(with_person(256), 0);
	assert_int_equal(with_person(257), -EBADMSG);
	assert_int_equal(with_dels(1300), 0);
	assert_int_equal(with_dels(1400), -EBADMSG);
}

static void canonical(void **state)
{
	static const char *const rows[] = {
		"{\"person\":\"clerk\"}",
		"{\"aliases\":\"c1;c2 , c3\",\"announced\":\"2026-11-25\",\"leaves\":\"2026-12-31\",\"joined\":\"2020-01-01\",\"manager\":\"engineer\""
			",\"role\":\"a \\\"b\\\"\","
		"\"unit\":\"hq/legal\",\"name\":\"\\u5951\\n\\u007f\",\"person\":\"clerk\"}",
		"{\"person\":\"x\",\"aliases\":[\"DOM\\\\x\",\"x@example.org\"],\"name\":\"\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf first = BUF_INIT, again = BUF_INIT;
		struct people *p = people_new(), *q = people_new();
		struct people_row row;
		const char *expect;

		assert_int_equal(add(p, rows[i], &expect), 0);
		assert_int_equal(people_last(p, &row), 0);
		people_row_put(&first, &row, i == 1 ? 1 : 0);
		assert_int_equal(people_add_json(q, buf_str(&first), &expect), 0);
		assert_int_equal(people_last(q, &row), 0);
		people_row_put(&again, &row, i == 1 ? 1 : 0);
		assert_true(str_eq(buf_str(&first), buf_str(&again)));
		if (i == 1)
			assert_str(buf_str(&first), "{\"person\":\"clerk\",\"name\":\"\xe5\xa5\x91\\n\\u007f\",\"unit\":\"hq/legal\",\"role\":\"a \\\"b\\\"\""
				",\"manager\":\"engineer\","
				"\"joined\":\"2020-01-01\",\"leaves\":\"2026-12-31\",\"announced\":\"2026-11-25\",\"aliases\":[\"c1\",\"c2\",\"c3\"],"
				"\"from\":\"1970-01-01T00:00:00.000000001Z\"}");
		people_free(p);
		people_free(q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv), cmocka_unit_test(csv_bad), cmocka_unit_test(csv_columns), cmocka_unit_test(json_lines), cmocka_unit_test(row_caps),
		cmocka_unit_test(stops), cmocka_unit_test(aliases), cmocka_unit_test(accounts_change_hands), cmocka_unit_test(many), cmocka_unit_test(rows_refused), cmocka_unit_test(caps),
		cmocka_unit_test(canonical),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
