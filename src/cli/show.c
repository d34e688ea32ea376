#include "cli/show.h"

#include "base/timefmt.h"
#include "cli/cli.h"
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

void show_padded(str s, size_t columns)
{
	size_t at = out()->n;

	show_text(s);
	for (size_t n = out()->n - at; n < columns; n++)
		buf_putc(out(), ' ');
}

void show_number(uint64_t n)
{
	char digits[32], text[48];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), o = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[o++] = ',';
		text[o++] = digits[i];
	}
	buf_put(out(), text, (size_t)o);
}

void show_time(int64_t ns)
{
	char t[TIME_TEXT_MAX];

	buf_put(out(), t, time_format_local(ns, t));
}

void show_verbs(uint64_t bits)
{
	bool first = true;

	for (unsigned v = 1; v < VERB_MAX_; v++) {
		if (!(bits >> v & 1))
			continue;
		buf_putf(out(), "%s%s", first ? "" : ", ", event_verb_name((enum event_verb)v));
		first = false;
	}
}

static void show_gap(const struct event *e)
{
	buf_puts(out(), str_c(color(YELLOW)));
	buf_putf(out(), "%-22s", "gap");
	if (event_has(e, EV_CAUSE))
		buf_putf(out(), " %s:", event_cause_name(e->cause));
	if (event_has(e, EV_END)) {
		buf_puts(out(), STR(" until "));
		show_time(e->end);
		buf_putf(out(), " (%.1f s)", (double)(e->end - e->time) / NSEC_PER_SEC);
	}
	if (event_has(e, EV_COUNT)) {
		buf_putc(out(), ' ');
		show_number(e->count);
		buf_puts(out(), STR(" records lost"));
	} else {
		buf_puts(out(), STR(" what happened meanwhile is not recorded"));
	}
	buf_puts(out(), str_c(color(PLAIN)));
}

static void show_how(const struct event *e)
{
	buf_puts(out(), str_c(color(DIM)));
	if (event_has(e, EV_COUNT) && e->count > 1)
		buf_putf(out(), "  ×%llu", (unsigned long long)e->count);
	if (event_has(e, EV_VIA) && e->via != VIA_LOCAL)
		buf_putf(out(), "  %s", event_via_name(e->via));
	if (event_has(e, EV_CLIENT)) {
		buf_puts(out(), STR("  from "));
		show_text(e->client);
	}
	if (event_has(e, EV_PROGRAM)) {
		const char *slash = e->program.n ? memrchr(e->program.p, '/', e->program.n) : NULL;

		buf_puts(out(), STR("  "));
		show_text(slash ? (str){ slash + 1, (size_t)(e->program.p + e->program.n - slash - 1) } : e->program);
	}
	buf_puts(out(), str_c(color(PLAIN)));
}

void show_event(const struct event *e)
{
	buf_puts(out(), str_c(color(DIM)));
	show_time(e->time);
	buf_puts(out(), str_c(color(PLAIN)));
	buf_puts(out(), STR("  "));
	if (e->verb == VERB_GAP) {
		show_gap(e);
		buf_putc(out(), '\n');
		return;
	}
	buf_puts(out(), str_c(color(BOLD)));
	show_padded(event_has(e, EV_PERSON) ? e->person : STR("?"), 11);
	buf_puts(out(), str_c(color(PLAIN)));
	buf_putf(out(), " %-10s ", event_verb_name(e->verb));
	show_text(e->path);
	if (event_has(e, EV_TO)) {
		buf_puts(out(), STR(" → "));
		show_text(e->to);
	}
	show_how(e);
	buf_putc(out(), '\n');
}

void show_event_json(const struct event *e)
{
	event_to_json(out(), e);
	buf_putc(out(), '\n');
}
