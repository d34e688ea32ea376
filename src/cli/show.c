#include "cli/show.h"

#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/term.h"
#include "event/event_json.h"

static const char *color(const char *code)
{
	return stdout_color() ? code : "";
}

#define DIM "\033[2m"
#define BOLD "\033[1m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

void show_text(str s)
{
	buf_put_visible(out(), s);
}

unsigned show_width(str s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_visible(&b, s);
	return term_width(buf_str(&b));
}

void show_number(uint64_t n)
{
	put_number(out(), n);
}

void put_number(struct buf *b, uint64_t n)
{
	char digits[32], text[48];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), o = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[o++] = ',';
		text[o++] = digits[i];
	}
	buf_put(b, text, (size_t)o);
}

void show_time(int64_t ns)
{
	char t[TIME_TEXT_MAX];

	buf_put(out(), t, time_format_local(ns, t));
}

void show_verbs(struct buf *b, uint64_t bits)
{
	bool first = true;

	for (unsigned v = 1; v < VERB_MAX_; v++) {
		if (!(bits >> v & 1))
			continue;
		buf_putf(b, "%s%s", first ? "" : ", ", event_verb_name((enum event_verb)v));
		first = false;
	}
}

/* Columns: 19 of time, 2, 11 of person, 1, 10 of verb, 1. What does not fit on a terminal's line goes on below the person. */
#define PERSON_AT 21
#define PERSON_WIDTH 11
#define VERB_WIDTH 10

static void put_how_many(struct buf *b, uint64_t n, const char *one, const char *more)
{
	buf_putf(b, "%llu %s", (unsigned long long)n, n == 1 ? one : more);
}

static void show_gap(struct term_line *l, const struct event *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char t[TIME_TEXT_MAX];

	buf_puts(out(), str_c(color(YELLOW)));
	buf_putf(&b, "%-*s", PERSON_WIDTH + 1 + VERB_WIDTH, "gap");
	if (event_has(e, EV_CAUSE))
		buf_putf(&b, " %s", event_cause_name(e->cause));
	term_piece(l, 0, buf_str(&b));
	if (event_has(e, EV_END)) {
		size_t n = time_format_local(e->end, t);

		buf_clear(&b);
		buf_putf(&b, "until %.*s (%.1f s)", (int)n, t, (double)(e->end - e->time) / NSEC_PER_SEC);
		term_piece(l, 1, buf_str(&b));
	}
	buf_clear(&b);
	if (event_has(e, EV_COUNT))
		put_how_many(&b, e->count, "record lost", "records lost");
	else
		buf_puts(&b, STR("what happened meanwhile is not recorded"));
	term_piece(l, 1, buf_str(&b));
	buf_puts(out(), str_c(color(PLAIN)));
}

static void show_how(struct term_line *l, const struct event *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *gap = "";

	if (event_has(e, EV_COUNT) && e->count > 1) {
		buf_putf(&b, "×%llu", (unsigned long long)e->count);
		gap = "  ";
	}
	if (event_has(e, EV_VIA) && e->via != VIA_LOCAL) {
		buf_putf(&b, "%s%s", gap, event_via_name(e->via));
		gap = "  ";
	}
	if (event_has(e, EV_CLIENT)) {
		buf_putf(&b, "%sfrom ", gap);
		buf_put_visible(&b, e->client);
		gap = "  ";
	}
	if (event_has(e, EV_PROGRAM)) {
		const char *slash = e->program.n ? memrchr(e->program.p, '/', e->program.n) : NULL;

		buf_puts(&b, str_c(gap));
		buf_put_visible(&b, slash ? (str){ slash + 1, (size_t)(e->program.p + e->program.n - slash - 1) } : e->program);
	}
	if (b.n == 0)
		return;
	buf_puts(out(), str_c(color(DIM)));
	term_piece(l, 2, buf_str(&b));
	buf_puts(out(), str_c(color(PLAIN)));
}

void show_person(str person, unsigned width)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	unsigned w;

	buf_put_visible(&b, person);
	w = term_width(buf_str(&b));
	buf_puts(out(), buf_str(&b));
	if (w < width)
		term_spaces(width - w);
}

static void show_place(struct term_line *l, unsigned gap, const char *arrow, str path)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, str_c(arrow));
	buf_put_visible(&b, path);
	term_piece(l, gap, buf_str(&b));
}

void show_event(const struct event *e)
{
	struct term_line l = term_line(PERSON_AT);
	str person = event_has(e, EV_PERSON) ? e->person : STR("?");
	_cleanup_buf_ struct buf verb = BUF_INIT;

	buf_puts(out(), str_c(color(DIM)));
	show_time(e->time);
	buf_puts(out(), str_c(color(PLAIN)));
	term_spaces(2);
	l.at = PERSON_AT;
	if (e->verb == VERB_GAP) {
		show_gap(&l, e);
		buf_putc(out(), '\n');
		return;
	}
	buf_puts(out(), str_c(color(BOLD)));
	show_person(person, PERSON_WIDTH);
	buf_puts(out(), str_c(color(PLAIN)));
	l.at += MAX(PERSON_WIDTH, show_width(person));
	buf_putf(&verb, "%-*s", VERB_WIDTH, event_verb_name(e->verb));
	term_piece(&l, 1, buf_str(&verb));
	show_place(&l, 1, "", e->path);
	if (event_has(e, EV_TO))
		show_place(&l, 1, "→ ", e->to);
	show_how(&l, e);
	buf_putc(out(), '\n');
}

void show_event_json(const struct event *e)
{
	event_to_json(out(), e);
	buf_putc(out(), '\n');
}
