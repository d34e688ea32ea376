#include "forward/message.h"

#include "base/json.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "forward/form.h"

#define SUBJECT_MAX 160 /* bytes */
#define LINE_MAX_ 1800  /* a datagram of syslog's holds it (RFC 5426: 2,048) */
#define NAME_MAX_ 200   /* of a person or rule, in lines */

static const struct {
	const char *name;
	const char *head; /* in the subject, before the severity */
} kinds[] = {
	[MESSAGE_RAISED] = { "raised", "" }, [MESSAGE_GROWN] = { "grown", "now " }, [MESSAGE_CLOSED] = { "closed", "closed, " },
	[MESSAGE_REOPENED] = { "reopened", "again, " }, [MESSAGE_TEST] = { "test", "" },
};

const char *message_kind_name(enum message_kind k)
{
	return kinds[k].name;
}

static struct buf *bufs(struct message *m, size_t i)
{
	struct buf *const all[] = { &m->uid, &m->subject, &m->text, &m->line, &m->json, &m->cef };

	return i < ARRAY_SIZE(all) ? all[i] : NULL;
}

void message_free(struct message *m)
{
	for (size_t i = 0; bufs(m, i); i++)
		buf_free(bufs(m, i));
}

int message_error(const struct message *m)
{
	struct message copy = *m;
	int r = 0;

	for (size_t i = 0; r == 0 && bufs(&copy, i); i++)
		r = buf_error(bufs(&copy, i));
	return r;
}

/* What came from outside becomes a piece of a line: control characters, also those that turn the writing around, are made visible; never
 * long. */
static void put_word(struct buf *b, const char *s)
{
	str whole = str_c(s), cut = { whole.p, utf8_cut(whole, NAME_MAX_) };

	buf_put_visible(b, cut);
	if (cut.n < whole.n)
		buf_puts(b, STR("…"));
}

/* The same between quotes. */
static void put_quoted(struct buf *b, const char *s)
{
	_cleanup_buf_ struct buf word = BUF_INIT;

	put_word(&word, s);
	buf_putc(b, '"');
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] == '"')
			buf_puts(b, STR("\\x22"));
		else
			buf_putc(b, word.p[i]);
	buf_putc(b, '"');
}

static void cut(struct buf *b, size_t max)
{
	if (b->n > max)
		b->n = utf8_cut(buf_str(b), max);
}

static void put_subject(const struct alert_view *v, enum message_kind kind, struct buf *b)
{
	buf_putf(b, "[tyto] %s%s: ", kinds[kind].head, severity_name(v->severity));
	put_word(b, v->rule);
	buf_putf(b, " (alert %llu", (unsigned long long)v->number);
	if (v->person) {
		buf_puts(b, STR(", "));
		put_word(b, v->person);
	}
	buf_putc(b, ')');
	cut(b, SUBJECT_MAX);
}

static void put_counts(const struct alert_view *v, struct buf *b)
{
	buf_putf(b, "%zu", v->n_documents);
	if (v->labelled)
		buf_putf(b, " (%llu confidential or restricted)", (unsigned long long)v->labelled);
	buf_putf(b, " in %llu%s records", (unsigned long long)v->n_events + v->more, v->more ? " or more" : "");
}

static void put_row(struct buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	buf_putf(b, "%-11s ", key);
	put_word(b, value);
	buf_putc(b, '\n');
}

static void put_text(const struct alert_view *v, enum message_kind kind, struct buf *b)
{
	char raised[TIME_TEXT_MAX], changed[TIME_TEXT_MAX];
	_cleanup_buf_ struct buf status = BUF_INIT;

	time_format(v->raised, raised);
	time_format(v->changed, changed);
	form_status(v, &status);
	buf_putf(b, "Alert %llu, %s: %s\n\n", (unsigned long long)v->number, severity_name(v->severity), kinds[kind].name);
	put_row(b, "Rule", v->rule);
	put_row(b, "Person", v->person ? v->person : "not known");
	put_row(b, "Server", v->host);
	put_row(b, "Raised", raised);
	put_row(b, "Changed", changed);
	put_row(b, "Status", buf_cstr(&status));
	buf_puts(b, STR("Documents   "));
	put_counts(v, b);
	buf_puts(b, STR("\n\nWhy\n"));
	for (size_t i = 0; i < v->n_why; i++) {
		buf_puts(b, STR("  - "));
		buf_put_visible(b, str_c(v->why[i]));
		buf_putc(b, '\n');
	}
	buf_putf(b, "\nDocuments and timeline, on the server:\n  tyto alerts show %llu\n", (unsigned long long)v->number);
	if (v->open)
		buf_putf(b, "To say what it was:\n  tyto alerts close %llu --reason theft|expected|mistake\n", (unsigned long long)v->number);
	if (v->masked)
		buf_puts(b, STR("\nPersons are masked; `--unmask --reason TEXT` shows names, and is itself a record.\n"));
}

static void put_line(const struct alert_view *v, enum message_kind kind, struct buf *b)
{
	buf_putf(b, "alert %llu %s: severity=%s status=%s person=", (unsigned long long)v->number, kinds[kind].name, severity_name(v->severity),
		alert_view_status(v));
	put_quoted(b, v->person ? v->person : "");
	buf_puts(b, STR(" rule="));
	put_quoted(b, v->rule);
	buf_puts(b, STR(" documents="));
	put_counts(v, b);
	buf_putf(b, "; tyto alerts show %llu", (unsigned long long)v->number);
	cut(b, LINE_MAX_);
}

static void put_json(const struct alert_view *v, enum message_kind kind, struct message *m)
{
	struct buf *b = &m->json;

	json_obj_begin(b);
	json_put_str(b, "message", buf_str(&m->uid));
	json_put_str(b, "kind", str_c(kinds[kind].name));
	json_put_str(b, "text", buf_str(&m->subject));
	json_put_u64(b, "id", v->number);
	json_put_str(b, "log", str_c(v->log));
	json_put_time(b, "time", v->raised);
	json_put_time(b, "changed", v->changed);
	json_put_str(b, "severity", str_c(severity_name(v->severity)));
	json_put_str(b, "status", str_c(alert_view_status(v)));
	if (v->reason)
		json_put_str(b, "reason", str_c(alert_reason_name(v->reason)));
	if (v->person)
		json_put_str(b, "person", str_c(v->person));
	json_put_bool(b, "masked", v->masked);
	if (v->host)
		json_put_str(b, "host", str_c(v->host));
	json_put_str(b, "rule", str_c(v->rule));
	json_put_arr(b, "why");
	for (size_t i = 0; i < v->n_why; i++)
		json_str(b, str_c(v->why[i]));
	json_arr_end(b);
	json_put_u64(b, "documents", v->n_documents);
	json_put_u64(b, "labelled", v->labelled);
	json_put_u64(b, "records", v->n_events + v->more);
	json_key(b, "show");
	buf_putf(b, "\"tyto alerts show %llu\"", (unsigned long long)v->number);
	json_obj_end(b);
}

void message_of_alert(const struct alert_view *v, enum message_kind kind, uint64_t record, struct message *ret)
{
	struct message m = { .severity = v->severity };

	alert_view_uid(v, &m.uid);
	buf_putf(&m.uid, "/%llu", (unsigned long long)record);
	put_subject(v, kind, &m.subject);
	put_text(v, kind, &m.text);
	put_line(v, kind, &m.line);
	put_json(v, kind, &m);
	form_cef(v, &m.cef);
	m.cef.n -= m.cef.n > 0; /* its end */
	*ret = m;
}

void message_of_test(int64_t now, struct message *ret)
{
	struct message m = { .severity = SEVERITY_MEDIUM };

	buf_putf(&m.uid, "tyto/test/%lld", (long long)now);
	buf_puts(&m.subject, STR("[tyto] test"));
	buf_puts(&m.text, STR("This is a test of `tyto notify test`: alerts will come this way. Nothing has happened.\n"));
	buf_puts(&m.line, STR("test: alerts will come this way; nothing has happened"));
	json_obj_begin(&m.json);
	json_put_str(&m.json, "message", buf_str(&m.uid));
	json_put_str(&m.json, "kind", STR("test"));
	json_put_str(&m.json, "text", STR("[tyto] test: alerts will come this way; nothing has happened"));
	json_put_time(&m.json, "time", now);
	json_obj_end(&m.json);
	buf_puts(&m.cef, STR("CEF:0|Tyto|Tyto|" TYTO_VERSION "|test|test|0|msg=alerts will come this way; nothing has happened"));
	*ret = m;
}
