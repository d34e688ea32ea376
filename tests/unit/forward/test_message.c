/* What people are told: every part a line where a line is promised, and long names cut. */
#include "../test.h"

#include <jansson.h>

#include "forward/message.h"

static struct alert_view view(const char *person, const char *rule)
{
	return (struct alert_view){ .number = 3, .log = (char *)"log", .raised = 1000000000LL, .changed = 2000000000LL, .severity = SEVERITY_HIGH, .open = true,
		.records = 1, .person = (char *)person, .rule = (char *)rule, .n_documents = 0, .n_events = 2, .labelled = 1 };
}

static bool one_line(const struct buf *b)
{
	for (size_t i = 0; i < b->n; i++)
		if ((unsigned char)b->p[i] < ' ' || b->p[i] == 0x7f)
			return false;
	return str_utf8_valid(buf_str(b));
}

static void words(void **state)
{
	const struct alert_view v = view("clerk", "Many documents");
	_cleanup_message_ struct message m = { 0 };

	message_of_alert(&v, MESSAGE_GROWN, 17, &m);
	assert_int_equal(message_error(&m), 0);
	assert_str(buf_str(&m.uid), "log/alert/3/17");
	assert_str(buf_str(&m.subject), "[tyto] now high: Many documents (alert 3, clerk)");
	assert_str(buf_str(&m.line), "alert 3 grown: severity=high status=open person=\"clerk\" rule=\"Many documents\" "
		"documents=0 (1 confidential or restricted) in 2 records; tyto alerts show 3");
	assert_non_null(memmem(m.text.p, m.text.n, "tyto alerts show 3\n", 19));
}

static void hostile(void **state)
{
	static const char *const names[] = { "a\r\nBcc: x@y", "\" severity=low \"", "\x1b[2J", "\u202egnp.exe", "\xff\xfe", "", "\r\n.\r\n", "\u2028x" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct alert_view v = view(names[i], names[i]);
		_cleanup_message_ struct message m = { 0 };
		size_t quotes = 0;
		json_t *j;

		message_of_alert(&v, MESSAGE_RAISED, 1, &m);
		assert_true(one_line(&m.subject) && one_line(&m.line) && one_line(&m.cef));
		assert_null(memmem(m.subject.p, m.subject.n, "\u202e", 3));
		for (size_t k = 0; k < m.line.n; k++)
			quotes += m.line.p[k] == '"';
		assert_int_equal(quotes, 4);
		j = json_loadb(m.json.p, m.json.n, 0, NULL);
		assert_non_null(j);
		json_decref(j);
	}
}

static void long_names(void **state)
{
	char name[5000];

	for (unsigned c = 1; c < 256; c += 61) {
		memset(name, (int)c, sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		const struct alert_view v = view(name, name);
		_cleanup_message_ struct message m = { 0 };

		message_of_alert(&v, MESSAGE_CLOSED, 1, &m);
		assert_true(m.subject.n <= 160 && one_line(&m.subject));
		assert_true(m.line.n <= 1800 && one_line(&m.line));
		assert_non_null(memmem(m.line.p, m.line.n, "tyto alerts show 3", 18));
	}
}

static void tests_too(void **state)
{
	_cleanup_message_ struct message m = { 0 };

	message_of_test(1000000000LL, &m);
	assert_true(message_error(&m) == 0 && one_line(&m.subject) && one_line(&m.line) && one_line(&m.cef));
	for (unsigned k = MESSAGE_RAISED; k < MESSAGE_KIND_MAX_; k++)
		assert_non_null(message_kind_name((enum message_kind)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(words), cmocka_unit_test(hostile), cmocka_unit_test(long_names), cmocka_unit_test(tests_too) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
