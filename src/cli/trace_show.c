/* A trace on a terminal: the verdict, the sources with their passages, who had them, and what cannot be said. */
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/term.h"
#include "cli/trace_beside.h"
#include "cli/trace_out.h"
#include "cli/trace_words.h"

#define INDENT 3
#define PASSAGES 3  /* shown of a source without -v … */
#define PERSONS 40
#define ALTERNATIVES 5
#define SOURCES 5   /* … and sources in full; the others by a line */

static void color(const char *code)
{
	if (stdout_color())
		buf_puts(out(), str_c(code));
}

#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static void prose(const struct buf *b, unsigned indent)
{
	term_spaces(indent);
	term_prose(buf_str(b), indent, indent);
	buf_putc(out(), '\n');
}

static void say(unsigned indent, const char *text)
{
	term_spaces(indent);
	term_prose(str_c(text), indent, indent);
	buf_putc(out(), '\n');
}

static void remark(unsigned indent, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!text)
		return;
	words_remark(&b, text);
	prose(&b, indent);
}

/* --- passages --- */

/* Those that say most: in no other document, and long. */
static bool says_more(const struct trace_passage *a, const struct trace_passage *b)
{
	if ((a->shared_by == 0) != (b->shared_by == 0))
		return a->shared_by == 0;
	return a->chars > b->chars;
}

static bool among_first(const struct trace_match *m, size_t i, size_t max)
{
	size_t before = 0;

	for (size_t k = 0; k < m->n_passages; k++)
		before += k != i && (says_more(&m->passages[k], &m->passages[i]) || (k < i && !says_more(&m->passages[i], &m->passages[k])));
	return before < max;
}

#define AROUND 512

/* The surroundings in the leak, cut between characters. */
static struct passage_text in_leak(const struct found_part *p, const struct trace_passage *t)
{
	str all = buf_str(&p->text.bytes);
	size_t from = MIN(t->leak_from, all.n), to = MIN(MAX(t->leak_to, t->leak_from), all.n);
	size_t begin = from > AROUND ? from - AROUND : 0, end = MIN(to + AROUND, all.n);

	while (begin < from && ((unsigned char)all.p[begin] & 0xc0) == 0x80)
		begin++;
	while (end > to && end < all.n && ((unsigned char)all.p[end] & 0xc0) == 0x80)
		end--;
	return (struct passage_text){ .before = { all.p + begin, from - begin }, .passage = { all.p + from, to - from },
		.after = { all.p + to, end - to } };
}

static void show_passage(const struct found_part *p, const struct found_match *m, const struct trace_passage *t)
{
	_cleanup_buf_ struct buf leak = BUF_INIT, source = BUF_INIT, what = BUF_INIT;
	struct passage_text left = in_leak(p, t), right = { .before = str_c(t->before), .passage = str_c(t->text), .after = str_c(t->after) };

	buf_putc(out(), '\n');
	words_passage(&what, t);
	prose(&what, INDENT);
	buf_puts(&leak, STR("In the leak, "));
	words_where(&leak, t->leak_from, t->leak_to);
	left.head = buf_str(&leak);
	buf_puts(&source, STR("In the source"));
	if (t->text) {
		buf_puts(&source, STR(", "));
		words_where(&source, t->source_from, t->source_to);
	} else {
		right.passage = m->document.gone ? STR("(it does not stand there any more, and cannot be read again)") : STR("(it was not read again)");
	}
	right.head = buf_str(&source);
	beside_show(&left, &right, INDENT, term_columns(), stdout_color());
}

static void show_passages(const struct found_part *p, const struct found_match *m, bool all)
{
	size_t shown = 0, max = all ? SIZE_MAX : PASSAGES;

	for (size_t i = 0; i < m->m->n_passages; i++) {
		if (!among_first(m->m, i, max))
			continue;
		show_passage(p, m, &m->m->passages[i]);
		shown++;
	}
	if (m->m->n_passages + m->m->more_passages > shown) {
		uint64_t more = m->m->n_passages + m->m->more_passages - shown;

		buf_putc(out(), '\n');
		term_spaces(INDENT);
		show_number(more);
		buf_putf(out(), " more %s%s\n", more == 1 ? "passage" : "passages", m->m->n_passages > shown ? " (-v shows them)" : "");
	}
}

/* --- a source --- */

static void show_alternatives(const struct found_match *m, bool all)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n = all ? m->n_alternatives : MIN(m->n_alternatives, (size_t)ALTERNATIVES);

	if (m->n_alternatives == 0)
		return;
	words_alternatives(&b, m);
	buf_puts(&b, STR(":"));
	buf_putc(out(), '\n');
	prose(&b, INDENT);
	for (size_t i = 0; i < n; i++) {
		const struct found_document *d = &m->alternatives[i];
		_cleanup_buf_ struct buf line = BUF_INIT;

		words_hash(&line, d->hash);
		line.n = MIN(line.n, (size_t)23); /* enough to tell them apart; --json has all */
		buf_puts(&line, STR("…  "));
		buf_puts(&line, d->path.n ? buf_str(&d->path) : STR("(no place is known)"));
		if (d->gone)
			buf_puts(&line, STR("  (not there any more)"));
		prose(&line, 2 * INDENT);
	}
	if (n < m->n_alternatives) {
		term_spaces(2 * INDENT);
		buf_putf(out(), "… and %zu more (-v shows them)\n", m->n_alternatives - n);
	}
}

static void show_people(const struct found_match *m, const struct trace_asked *a)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t max = a->all ? SIZE_MAX : PERSONS;

	if (!m->asked)
		return;
	buf_putc(out(), '\n');
	words_people(&b, m, a->since, a->until);
	prose(&b, INDENT);
	person_list_table(&m->people, max, INDENT);
	if (m->people.n > max) {
		term_spaces(INDENT);
		buf_putf(out(), "… and %zu more (-v shows them)\n", m->people.n - max);
	}
}

static void show_places(const struct found_document *d)
{
	for (size_t at = 0; at < d->others.n; at += strlen(d->others.p + at) + 1) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		buf_puts(&b, STR("also at "));
		buf_puts(&b, str_c(d->others.p + at));
		prose(&b, INDENT);
	}
}

static void show_title(const struct found_match *m, size_t number)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_putc(out(), '\n');
	color(BOLD);
	buf_putf(out(), "%-*zu", INDENT, number);
	if (m->document.path.n)
		buf_puts(&b, buf_str(&m->document.path));
	else
		words_hash(&b, m->document.hash);
	term_prose(buf_str(&b), INDENT, INDENT);
	color(PLAIN);
	buf_putc(out(), '\n');
}

static void show_match(const struct found_part *p, const struct found_match *m, size_t number, const struct trace_asked *a)
{
	_cleanup_buf_ struct buf b = BUF_INIT, hash = BUF_INIT;

	show_title(m, number);
	words_match(&b, m, p->result.identifiers);
	prose(&b, INDENT);
	words_hash(&hash, m->document.hash);
	prose(&hash, INDENT);
	remark(INDENT, m->m->why);
	show_places(&m->document);
	show_passages(p, m, a->all);
	show_alternatives(m, a->all);
	show_people(m, a);
}

/* Known, and no evidence: a line each. */
static void show_others(const struct found_part *p, size_t from, const struct trace_asked *a)
{
	size_t max = a->all ? SIZE_MAX : SOURCES, n = 0;

	for (size_t i = from; i < p->n && n < max; i++, n++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (n == 0)
			buf_puts(out(), from ? STR("\nAlso known, and no evidence by itself:\n") : STR("\nWhere these words stand:\n"));
		words_match(&b, &p->matches[i], p->result.identifiers);
		term_spaces(INDENT);
		term_prose(p->matches[i].document.path.n ? buf_str(&p->matches[i].document.path) : STR("(no place is known)"), INDENT, INDENT);
		buf_putc(out(), '\n');
		prose(&b, 2 * INDENT);
		remark(2 * INDENT, p->matches[i].m->why);
	}
	if (from + n < p->n || p->result.more)
		buf_putf(out(), "%*s… and %llu more\n", INDENT, "", (unsigned long long)(p->n - from - n + p->result.more));
}

static void show_part(const struct found *f, const struct found_part *p, const struct trace_asked *a)
{
	_cleanup_buf_ struct buf verdict = BUF_INIT, meaning = BUF_INIT;
	size_t i = 0;

	color(BOLD);
	term_prose(buf_str(&p->file), 0, 0);
	color(PLAIN);
	buf_putc(out(), '\n');
	if (p->error.n) {
		_cleanup_buf_ struct buf error = BUF_INIT;

		buf_puts(&error, STR("It could not be read ("));
		buf_puts(&error, buf_str(&p->error));
		buf_puts(&error, STR("); only its bytes are compared."));
		prose(&error, 0);
	}
	words_verdict(&verdict, f, p);
	color(BOLD);
	prose(&verdict, 0);
	color(PLAIN);
	words_meaning(&meaning, p);
	if (meaning.n)
		prose(&meaning, 0);
	remark(0, p->result.note);
	for (; i < p->n && p->matches[i].m->verdict >= TRACE_SOURCE; i++)
		show_match(p, &p->matches[i], i + 1, a);
	show_others(p, i, a);
	buf_putc(out(), '\n');
}

/* A container whose own bytes are not known says nothing; its parts do. */
static bool worth_showing(const struct found *f, const struct found_part *p)
{
	return f->n == 1 || p->result.verdict != TRACE_NONE || (p->whole && p->result.chars > 0) || p->error.n;
}

void trace_show(const struct found *f, const struct trace_asked *a)
{
	uint64_t quiet = 0, shown = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (!worth_showing(f, &f->parts[i]) && !a->all) {
			quiet += !f->parts[i].whole;
			continue;
		}
		show_part(f, &f->parts[i], a);
		shown++;
	}
	if (shown == 0 && f->n) {
		show_part(f, &f->parts[0], a);
	}
	if (quiet) {
		show_number(quiet);
		buf_puts(out(), quiet == 1 ? STR(" part of it: nothing of that is known here (-v shows it).\n\n") :
			STR(" parts of it: nothing of them is known here (-v shows them).\n\n"));
	}
	if (f->more) {
		show_number(f->more);
		buf_puts(out(), STR(" more parts were not traced: they are too many or too large.\n\n"));
	}
	say(0, words_limits);
}
