/* The same as one page that needs nothing else: no script, no font, no link. Everything from outside is escaped, and nothing of it stands
 * in an attribute. */
#include <time.h>

#include "base/timefmt.h"
#include "cli/show.h"
#include "cli/trace_out.h"
#include "cli/trace_words.h"

#define ALTERNATIVES 50
#define PERSONS 1000

static void raw(struct buf *b, const char *html)
{
	buf_puts(b, str_c(html));
}

/* Text from outside: markup is escaped, what a reader would not see (control characters, marks that turn the direction of writing) is made
 * visible. */
static void text(struct buf *b, str s)
{
	_cleanup_buf_ struct buf visible = BUF_INIT;

	buf_put_visible(&visible, s);
	for (size_t i = 0; i < visible.n; i++) {
		switch (visible.p[i]) {
		case '<': raw(b, "&lt;"); break;
		case '>': raw(b, "&gt;"); break;
		case '&': raw(b, "&amp;"); break;
		case '"': raw(b, "&quot;"); break;
		case '\'': raw(b, "&#39;"); break;
		default: buf_putc(b, visible.p[i]);
		}
	}
}

/* Lines and tabs of a passage stay. */
static void passage_text(struct buf *b, str s)
{
	while (s.n) {
		size_t n = 0;

		while (n < s.n && s.p[n] != '\n' && s.p[n] != '\t')
			n++;
		text(b, (str){ s.p, n });
		if (n < s.n)
			buf_putc(b, s.p[n++]);
		s = (str){ s.p + n, s.n - n };
	}
}

static void element(struct buf *b, const char *tag, const char *class, str s)
{
	buf_putf(b, *class ? "<%s class=\"%s\">" : "<%s%s>", tag, class);
	text(b, s);
	buf_putf(b, "</%s>", tag);
}

static void said(struct buf *b, const char *tag, const char *class, void (*words)(struct buf *b, const void *arg), const void *arg)
{
	_cleanup_buf_ struct buf s = BUF_INIT;

	words(&s, arg);
	if (s.n)
		element(b, tag, class, buf_str(&s));
	buf_putc(b, '\n');
}

static void remark(struct buf *b, const char *what)
{
	_cleanup_buf_ struct buf s = BUF_INIT;

	if (!what)
		return;
	words_remark(&s, what);
	element(b, "p", "", buf_str(&s));
}

/* --- passages --- */

#define AROUND 240

static str before_of(str all, size_t from)
{
	size_t begin = from > AROUND ? from - AROUND : 0;

	while (begin < from && ((unsigned char)all.p[begin] & 0xc0) == 0x80)
		begin++;
	return (str){ all.p + begin, from - begin };
}

static str after_of(str all, size_t to)
{
	size_t end = MIN(to + AROUND, all.n);

	while (end > to && end < all.n && ((unsigned char)all.p[end] & 0xc0) == 0x80)
		end--;
	return (str){ all.p + to, end - to };
}

struct side {
	const char *what;
	uint32_t from, to;
	str before, passage, after;
	bool cut_before, cut_after; /* there is more */
};

static void put_side(struct buf *b, const struct side *s)
{
	_cleanup_buf_ struct buf where = BUF_INIT;

	words_where(&where, s->from, s->to);
	buf_putf(b, "<div class=\"side\"><h5>%s, ", s->what);
	text(b, buf_str(&where));
	raw(b, "</h5><blockquote>");
	raw(b, s->cut_before ? "…" : "");
	passage_text(b, s->before);
	raw(b, "<mark>");
	passage_text(b, s->passage);
	raw(b, "</mark>");
	passage_text(b, s->after);
	raw(b, s->cut_after ? "…" : "");
	raw(b, "</blockquote></div>\n");
}

static void put_leak_side(struct buf *b, const struct found_part *p, const struct trace_passage *t)
{
	str all = buf_str(&p->text.bytes);
	size_t from = MIN(t->leak_from, all.n), to = MIN(MAX(t->leak_to, t->leak_from), all.n);
	struct side s = { .what = "In the leak", .from = t->leak_from, .to = t->leak_to, .before = before_of(all, from),
		.passage = { all.p + from, to - from }, .after = after_of(all, to) };

	s.cut_before = s.before.n < from;
	s.cut_after = s.after.n < all.n - to;
	put_side(b, &s);
}

static void put_source_side(struct buf *b, const struct trace_passage *t)
{
	str before = str_c(t->before), after = str_c(t->after);
	struct side s = { .what = "In the source", .from = t->source_from, .to = t->source_to, .before = before_of(before, before.n),
		.passage = str_c(t->text), .after = after_of(after, 0) };

	/* What was read again begins or ends where the document does, or stands for more. */
	s.cut_before = t->source_from > s.before.n;
	s.cut_after = s.after.n < after.n;
	put_side(b, &s);
}

static void put_passage(struct buf *b, const struct found_part *p, const struct found_match *m, const struct trace_passage *t)
{
	_cleanup_buf_ struct buf what = BUF_INIT;

	words_passage(&what, t);
	raw(b, "<section class=\"passage\">");
	element(b, "h4", "", buf_str(&what));
	raw(b, "<div class=\"beside\">\n");
	put_leak_side(b, p, t);
	if (t->text)
		put_source_side(b, t);
	else
		buf_putf(b, "<div class=\"side\"><h5>In the source</h5><p class=\"quiet\">%s</p></div>\n",
			m->document.gone ? "It does not stand there any more, and cannot be read again." : "It was not read again.");
	raw(b, "</div></section>\n");
}

/* --- a source --- */

static void put_hash_line(struct buf *b, const uint8_t hash[static 32])
{
	_cleanup_buf_ struct buf s = BUF_INIT;

	words_hash(&s, hash);
	element(b, "p", "hash", buf_str(&s));
	buf_putc(b, '\n');
}

static void put_alternatives(struct buf *b, const struct found_match *m)
{
	_cleanup_buf_ struct buf s = BUF_INIT;

	if (m->n_alternatives == 0)
		return;
	words_alternatives(&s, m);
	element(b, "h4", "", buf_str(&s));
	raw(b, "<ul>\n");
	for (size_t i = 0; i < m->n_alternatives && i < ALTERNATIVES; i++) {
		const struct found_document *d = &m->alternatives[i];
		_cleanup_buf_ struct buf hash = BUF_INIT;

		words_hash(&hash, d->hash);
		raw(b, "<li>");
		text(b, d->path.n ? buf_str(&d->path) : STR("(no place is known)"));
		raw(b, d->gone ? " <span class=\"quiet\">not there any more</span> " : " ");
		element(b, "span", "hash", buf_str(&hash));
		raw(b, "</li>\n");
	}
	raw(b, "</ul>\n");
	if (m->n_alternatives > ALTERNATIVES)
		buf_putf(b, "<p class=\"quiet\">… and %zu more</p>\n", m->n_alternatives - ALTERNATIVES);
}

static void put_time(struct buf *b, int64_t ns)
{
	char t[TIME_TEXT_MAX];

	raw(b, "<td class=\"time\">");
	buf_put(b, t, time_format_local(ns, t));
	raw(b, "</td>");
}

static void put_people(struct buf *b, const struct found_match *m, const struct trace_asked *a)
{
	_cleanup_buf_ struct buf s = BUF_INIT;

	if (!m->asked)
		return;
	words_people(&s, m, a->since, a->until);
	element(b, "h4", "", buf_str(&s));
	buf_putc(b, '\n');
	if (m->people.n == 0)
		return;
	raw(b, "<table><thead><tr><th>Person</th><th>First</th><th>Last</th><th class=\"number\">Count</th><th>Did</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < m->people.n && i < PERSONS; i++) {
		const struct index_who *w = &m->people.who[i];
		_cleanup_buf_ struct buf verbs = BUF_INIT;

		raw(b, "<tr>");
		element(b, "td", "person", person_shown(w));
		put_time(b, w->first);
		put_time(b, w->last);
		raw(b, "<td class=\"number\">");
		put_number(b, w->count);
		raw(b, "</td>");
		show_verbs(&verbs, w->verbs);
		element(b, "td", "", buf_str(&verbs));
		raw(b, "</tr>\n");
	}
	raw(b, "</tbody></table>\n");
	if (m->people.n > PERSONS)
		buf_putf(b, "<p class=\"quiet\">… and %zu more</p>\n", m->people.n - PERSONS);
}

static void put_document_name(struct buf *b, const char *tag, const struct found_document *d)
{
	_cleanup_buf_ struct buf hash = BUF_INIT;

	words_hash(&hash, d->hash);
	element(b, tag, "path", d->path.n ? buf_str(&d->path) : buf_str(&hash));
	buf_putc(b, '\n');
}

static void put_numbers(struct buf *b, const struct found_part *p, const struct found_match *m)
{
	_cleanup_buf_ struct buf s = BUF_INIT;

	words_match(&s, m, p->result.identifiers);
	element(b, "p", "", buf_str(&s));
	buf_putc(b, '\n');
}

static void put_match(struct buf *b, const struct found_part *p, const struct found_match *m, const struct trace_asked *a)
{
	uint64_t more = m->m->more_passages;

	raw(b, "<article class=\"source\">\n");
	put_document_name(b, "h3", &m->document);
	put_numbers(b, p, m);
	put_hash_line(b, m->document.hash);
	remark(b, m->m->why);
	for (size_t at = 0; at < m->document.others.n; at += strlen(m->document.others.p + at) + 1) {
		raw(b, "<p>also at ");
		element(b, "span", "path", str_c(m->document.others.p + at));
		raw(b, "</p>\n");
	}
	for (size_t i = 0; i < m->m->n_passages; i++)
		put_passage(b, p, m, &m->m->passages[i]);
	if (more)
		buf_putf(b, "<p class=\"quiet\">%llu more %s</p>\n", (unsigned long long)more, more == 1 ? "passage" : "passages");
	put_alternatives(b, m);
	put_people(b, m, a);
	raw(b, "</article>\n");
}

static void put_others(struct buf *b, const struct found_part *p, size_t from)
{
	if (from == p->n)
		return;
	raw(b, from ? "<h3>Also known, and no evidence by itself</h3>\n<ul>\n" : "<h3>Where these words stand</h3>\n<ul>\n");
	for (size_t i = from; i < p->n; i++) {
		raw(b, "<li>");
		put_document_name(b, "span", &p->matches[i].document);
		put_numbers(b, p, &p->matches[i]);
		remark(b, p->matches[i].m->why);
		raw(b, "</li>\n");
	}
	raw(b, "</ul>\n");
}

/* --- a leak --- */

struct part_of {
	const struct found *f;
	const struct found_part *p;
};

static void say_verdict(struct buf *b, const void *arg)
{
	const struct part_of *x = arg;

	words_verdict(b, x->f, x->p);
}

static void say_meaning(struct buf *b, const void *arg)
{
	words_meaning(b, ((const struct part_of *)arg)->p);
}

static void put_part(struct buf *b, const struct found *f, const struct found_part *p, const struct trace_asked *a)
{
	const struct part_of x = { f, p };
	size_t i = 0;

	buf_putf(b, "<section class=\"leak %s\">\n", trace_verdict_name(p->result.verdict));
	element(b, "h2", "path", buf_str(&p->file));
	buf_putc(b, '\n');
	if (p->has_sha256)
		put_hash_line(b, p->sha256);
	if (p->error.n) {
		raw(b, "<p>It could not be read (");
		text(b, buf_str(&p->error));
		raw(b, "); only its bytes are compared.</p>\n");
	}
	said(b, "p", "verdict", say_verdict, &x);
	said(b, "p", "", say_meaning, &x);
	remark(b, p->result.note);
	for (; i < p->n && p->matches[i].m->verdict >= TRACE_SOURCE; i++)
		put_match(b, p, &p->matches[i], a);
	put_others(b, p, i);
	if (p->result.more)
		buf_putf(b, "<p class=\"quiet\">… and %llu more documents</p>\n", (unsigned long long)p->result.more);
	raw(b, "</section>\n");
}

/* In UTC, and how far the times of the page are from it: a page travels. */
static void put_when(struct buf *b, int64_t ns)
{
	char t[TIME_TEXT_MAX], zone[16];
	time_t now = ns / NSEC_PER_SEC;
	struct tm tm;

	buf_put(b, t, time_format(ns / NSEC_PER_SEC * NSEC_PER_SEC, t));
	if (localtime_r(&now, &tm) && strftime(zone, sizeof(zone), "%z", &tm) > 0)
		buf_putf(b, " (times below are UTC%s)", zone);
}

void trace_html(struct buf *b, const struct found *f, size_t n, const struct trace_asked *a)
{
	raw(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>Trace");
	if (n && f[0].n) {
		raw(b, " of ");
		text(b, buf_str(&f[0].parts[0].file));
	}
	raw(b, "</title>\n<style>\n");
	raw(b, trace_css);
	raw(b, "</style></head><body><main>\n<header><h1>This turned up outside</h1>\n<p class=\"quiet\">Traced ");
	if (n)
		put_when(b, f[0].time);
	raw(b, " by tyto " TYTO_VERSION);
	if (n) {
		raw(b, " among ");
		put_number(b, f[0].documents);
		raw(b, f[0].documents == 1 ? " document" : " documents");
	}
	raw(b, ". This page names persons and quotes documents: keep it as carefully as these.</p></header>\n");
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < f[i].n; k++)
			put_part(b, &f[i], &f[i].parts[k], a);
		if (f[i].more)
			buf_putf(b, "<p>%llu more parts were not traced: they are too many or too large.</p>\n", (unsigned long long)f[i].more);
	}
	raw(b, "<footer>");
	element(b, "p", "", str_c(words_limits));
	raw(b, "</footer>\n</main></body></html>\n");
}
