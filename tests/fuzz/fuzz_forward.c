/* What comes back from a courier, and names from outside on their way into headers, lines of syslog, CEF and JSON. The first byte says where the rest goes. */
#include <jansson.h>

#include "forward/courier/way.h"
#include "forward/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool one_line(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return str_utf8_valid(s);
}

static void answer(str s)
{
	struct courier_answer a = { 0 };

	if (courier_answer_take(s, &a) < 0) {
		check(a.verdict == 0);
		return;
	}
	check(a.verdict == COURIER_SENT || a.verdict == COURIER_LATER || a.verdict == COURIER_NEVER);
	check(strlen(a.line) <= COURIER_LINE_MAX && one_line(str_c(a.line)));
}

/* Lines end in CR LF, go on with a space, and are ASCII: nothing from outside begins one. */
static void header(str s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	mail_put_header("Subject", s, &b);
	check(b.n > 10 && str_ends(buf_str(&b), STR("\r\n")));
	for (size_t i = 0; i < b.n; i++) {
		check((b.p[i] >= ' ' && b.p[i] <= '~') || b.p[i] == '\r' || b.p[i] == '\n');
		check(b.p[i] != '\n' || (i > 0 && b.p[i - 1] == '\r' && (i + 1 == b.n || b.p[i + 1] == ' ')));
		check(b.p[i] != '\r' || (i + 1 < b.n && b.p[i + 1] == '\n'));
	}
}

static void syslog_line(str s)
{
	const struct letter l = { .uid = s, .line = s, .cef = s, .severity = SEVERITY_HIGH };
	_cleanup_buf_ struct buf b = BUF_INIT;

	syslog_compose(&l, "host", 13, s.n % 2, 0, 2048, &b);
	check(b.n <= 2048 && one_line(buf_str(&b)));
}

static void whole_mail(str s)
{
	const struct letter l = { .uid = s, .subject = s, .text = s, .to = STR("a@b") };
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t headers = 0;
	const char *end;

	mail_compose(&l, "t@h", "h", 0, &b);
	end = memmem(b.p, b.n, "\r\n\r\n", 4);
	check(end);
	for (const char *p = b.p; p < end; p++)
		headers += p[0] == '\n' && p[1] != ' ';
	check(headers == 8);
}

static void views(str s)
{
	_cleanup_free_ char *text = alert_view_copy(s);
	char *why[] = { text };
	struct alert_document d = { .path = text };
	const struct alert_view v = { .number = 1, .severity = SEVERITY_HIGH, .open = true, .person = text, .host = text, .rule = text, .log = text, .why = why,
		.n_why = 1, .rules = why, .n_rules = 1, .documents = &d, .n_documents = 1 };
	_cleanup_message_ struct message m = { 0 };

	if (!text)
		return;
	for (const struct form *f = forms; f->name; f++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		f->put(&v, &b);
		check(b.n > 1 && b.p[b.n - 1] == '\n' && one_line((str){ b.p, b.n - 1 }));
		if (f->put != form_cef) {
			json_t *j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);

			check(j);
			json_decref(j);
		}
	}
	message_of_alert(&v, MESSAGE_RAISED, 1, &m);
	check(one_line(buf_str(&m.subject)) && one_line(buf_str(&m.line)) && one_line(buf_str(&m.cef)));
	check(m.subject.n <= 160 && m.line.n <= 1800);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const to[])(str s) = { answer, header, syslog_line, whole_mail, views };
	_cleanup_free_ char *copy = malloc(n ? n : 1);

	if (!copy || n == 0 || n > 65536)
		return 0;
	memcpy(copy, data, n);
	to[(uint8_t)copy[0] % ARRAY_SIZE(to)]((str){ copy + 1, n - 1 });
	return 0;
}
