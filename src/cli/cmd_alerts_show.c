/* tyto alerts: an alert for people's eyes. */
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/cmd_alerts.h"
#include "cli/show.h"
#include "cli/term.h"
#include "event/attack.h"

#define DOCUMENTS_SHOWN 20
#define FOLDERS_SHOWN 10
#define HOURS_SHOWN 24
#define BAR_MAX 30
#define INDENT 2
#define WHY_AT 6
#define PERSON_AT 37
#define PERSON_WIDTH 11

static const char *text_at(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static uint64_t number_at(const json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

static int64_t time_at(const json_t *j, const char *key)
{
	int64_t t = 0;

	return time_parse(str_c(text_at(j, key)), &t) == 0 ? t : 0;
}

static void put_prose(unsigned indent, const char *text)
{
	term_spaces(indent);
	term_prose(str_c(text), indent, indent);
	buf_putc(out(), '\n');
}

static void put_list(const json_t *list, unsigned indent)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		put_prose(indent, json_string_value(one));
}

/* The rule, and how it stands. */
static void put_title(const json_t *j, struct buf *b)
{
	const char *status = text_at(j, "status"), *reason = text_at(j, "reason");

	buf_puts(b, str_c(text_at(j, "rule")));
	if (number_at(j, "joined"))
		buf_putf(b, "  (part of alert %llu)", (unsigned long long)number_at(j, "joined"));
	else if (strcmp(status, "closed") == 0)
		buf_putf(b, "  (closed%s%s)", *reason ? ": " : "", reason);
	else if (strcmp(status, "held") == 0)
		buf_puts(b, STR("  (held back)"));
}

/* "no records from 2026-03-02 09:01:00 until 2026-03-02 09:01:03 (3.2 s): restart" */
static void put_gap(const json_t *gap, unsigned indent)
{
	int64_t from = time_at(gap, "time"), to = time_at(gap, "end");
	_cleanup_buf_ struct buf b = BUF_INIT;
	char t[TIME_TEXT_MAX];

	buf_puts(&b, to ? STR("no records from ") : STR("records were lost at "));
	buf_put(&b, t, time_format_local(from, t));
	if (to) {
		buf_puts(&b, STR(" until "));
		buf_put(&b, t, time_format_local(to, t));
		buf_putf(&b, " (%.1f s)", (double)(to - from) / NSEC_PER_SEC);
	}
	if (*text_at(gap, "cause"))
		buf_putf(&b, ": %s", text_at(gap, "cause"));
	if (number_at(gap, "count")) {
		buf_puts(&b, STR(", "));
		put_number(&b, number_at(gap, "count"));
		buf_puts(&b, STR(" lost"));
	}
	term_spaces(indent);
	term_prose(buf_str(&b), indent, indent);
	buf_putc(out(), '\n');
}

/* What it leans on that is no document: gaps; and whose records, where it is nobody's. */
static void put_leaning(const json_t *j, unsigned indent)
{
	const json_t *persons = json_object_get(j, "persons"), *one;
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t i;

	json_array_foreach(json_object_get(j, "gaps"), i, one)
		put_gap(one, indent);
	json_array_foreach(persons, i, one) {
		buf_puts(&b, i ? STR(", ") : STR("records behind it are of "));
		buf_puts(&b, str_c(json_is_string(one) ? json_string_value(one) : "?"));
	}
	if (!b.n)
		return;
	term_spaces(indent);
	term_prose(buf_str(&b), indent, indent);
	buf_putc(out(), '\n');
}

static void put_quieted(const json_t *j, unsigned indent)
{
	uint64_t n = number_at(j, "quieted");

	if (!n)
		return;
	term_spaces(indent);
	buf_putf(out(), "%llu firing%s since it was closed as expected raised nothing\n", (unsigned long long)n, n == 1 ? "" : "s");
}

void alerts_show_line(const json_t *j)
{
	str person = *text_at(j, "person") ? str_c(text_at(j, "person")) : STR("(not known)");
	unsigned at = PERSON_AT + MAX(PERSON_WIDTH, show_width(person)) + 2, columns = term_columns();
	_cleanup_buf_ struct buf title = BUF_INIT;

	put_title(j, &title);
	buf_putf(out(), "%-5llu %-8s  ", (unsigned long long)number_at(j, "id"), text_at(j, "severity"));
	show_time(time_at(j, "time"));
	buf_puts(out(), STR("  "));
	/* Where it does not fit beside the person it stands below, whole. */
	if (columns && columns < at + show_width(buf_str(&title))) {
		show_text(person);
		buf_putc(out(), '\n');
		term_spaces(WHY_AT);
		at = WHY_AT;
	} else {
		show_person(person, PERSON_WIDTH);
		buf_puts(out(), STR("  "));
	}
	term_prose(buf_str(&title), at, WHY_AT);
	buf_putc(out(), '\n');
	put_list(json_object_get(j, "why"), WHY_AT);
	put_leaning(j, WHY_AT);
	put_quieted(j, WHY_AT);
}

static void heading(const char *text)
{
	buf_putf(out(), "\n%s\n", text);
}

/* "MITRE ATT&CK T1005 T1039 (Collection)" */
static void put_attack(const json_t *techniques, const json_t *tactics)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const json_t *one;
	size_t i;

	if (!json_array_size(techniques) && !json_array_size(tactics))
		return;
	buf_puts(&b, STR("MITRE ATT&CK"));
	json_array_foreach(techniques, i, one)
		buf_putf(&b, " %s", json_is_string(one) ? json_string_value(one) : "?");
	json_array_foreach(tactics, i, one) {
		const char *number = json_is_string(one) ? json_string_value(one) : "?", *name = attack_tactic_name(str_c(number));

		buf_putf(&b, "%s%s%s", i ? ", " : " (", name ? name : number, i + 1 == json_array_size(tactics) ? ")" : "");
	}
	buf_putc(out(), '\n');
	term_spaces(INDENT);
	term_prose(buf_str(&b), INDENT, INDENT);
}

static void put_head(const json_t *j)
{
	const char *person = text_at(j, "person");
	_cleanup_buf_ struct buf title = BUF_INIT;
	char head[64];

	put_title(j, &title);
	snprintf(head, sizeof(head), "Alert %llu  %s  ", (unsigned long long)number_at(j, "id"), text_at(j, "severity"));
	buf_puts(out(), str_c(head));
	term_prose(buf_str(&title), (unsigned)strlen(head), INDENT);
	buf_puts(out(), STR("\n  person  "));
	show_text(*person ? str_c(person) : STR("(not known)"));
	buf_puts(out(), STR("\n  raised  "));
	show_time(time_at(j, "time"));
	buf_puts(out(), STR("\n  changed "));
	show_time(time_at(j, "changed"));
	put_attack(json_object_get(j, "attack"), json_object_get(j, "tactics"));
	if (json_object_get(j, "closed_by"))
		buf_putf(out(), "\n  closed by uid %llu as %s", (unsigned long long)number_at(j, "closed_by"), text_at(j, "reason"));
	buf_putc(out(), '\n');
	put_quieted(j, INDENT);
}

/* "2026-03-02 09:00", by local time. */
static void put_hour(int64_t t)
{
	time_t s = (time_t)(t / NSEC_PER_SEC);
	char text[32];
	struct tm tm;

	if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:00", &tm))
		buf_puts(out(), str_c(text));
}

static void put_hours(const json_t *hours)
{
	size_t n = json_array_size(hours), i;
	uint64_t most = 1;
	const json_t *one;

	if (!n)
		return;
	json_array_foreach(hours, i, one)
		most = MAX(most, number_at(one, "documents"));
	heading("When (different documents an hour; the whole hour)");
	json_array_foreach(hours, i, one) {
		uint64_t d = number_at(one, "documents");

		if (i == HOURS_SHOWN) {
			buf_putf(out(), "  and %zu more hours\n", n - HOURS_SHOWN);
			break;
		}
		buf_puts(out(), STR("  "));
		put_hour(time_at(one, "hour"));
		buf_putf(out(), " %7llu  ", (unsigned long long)d);
		for (uint64_t k = 0; k < MAX(1, d * BAR_MAX / most); k++)
			buf_putc(out(), '#');
		buf_putc(out(), '\n');
	}
}

static void put_row(const char *what, const json_t *c, const char *of)
{
	buf_putf(out(), "  %-22s %9llu", what, (unsigned long long)number_at(c, "now"));
	if (number_at(c, "of"))
		buf_putf(out(), " %9llu %9llu   %llu ", (unsigned long long)number_at(c, "median"), (unsigned long long)number_at(c, "most"),
			(unsigned long long)number_at(c, "of"));
	else
		buf_puts(out(), STR("         -         -   no "));
	show_text(str_c(of));
	buf_putc(out(), '\n');
}

static void put_compared(const json_t *j)
{
	const json_t *own = json_object_get(j, "own"), *peers = json_object_get(j, "peers");
	char title[160];

	if (!own)
		return;
	buf_putf(out(), "\n%-24s %9s %9s %9s   of %llu days before\n", "Different documents", "now", "median", "most",
		(unsigned long long)number_at(own, "days"));
	put_row("own past, an hour", json_object_get(own, "hour"), "hours with records");
	put_row("own past, a day", json_object_get(own, "day"), "days with records");
	if (!peers)
		return;
	snprintf(title, sizeof(title), "of %llu others in %s", (unsigned long long)number_at(peers, "persons"), text_at(peers, "unit"));
	put_row("the unit, that day", json_object_get(peers, "day"), title);
}

static str folder_of(const json_t *document)
{
	str path = str_c(text_at(document, "path"));
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? (str){ path.p, (size_t)(slash - path.p) + 1 } : STR("");
}

/* Where they stood: the folders with most of them. */
static void put_folders(const json_t *list)
{
	struct folder {
		str name;
		size_t n;
	} *v = calloc(json_array_size(list) + 1, sizeof(*v));
	size_t n = 0, i, k;
	const json_t *one;

	json_array_foreach(list, i, one) {
		str name = folder_of(one);

		for (k = 0; v && k < n && !str_eq(v[k].name, name); k++)
			;
		if (v && k == n)
			v[n++].name = name;
		if (v)
			v[k].n++;
	}
	for (i = 0; i < n && i < FOLDERS_SHOWN; i++) {
		size_t most = i;

		for (k = i + 1; k < n; k++)
			most = v[k].n > v[most].n ? k : most;
		struct folder f = v[most];

		v[most] = v[i];
		v[i] = f;
		buf_putf(out(), "  %6zu in ", f.n);
		show_text(f.name);
		buf_putc(out(), '\n');
	}
	if (n > FOLDERS_SHOWN)
		buf_putf(out(), "         and %zu more folders\n", n - FOLDERS_SHOWN);
	free(v);
}

/* Those with a label first. */
static void put_documents(const json_t *list)
{
	size_t n = json_array_size(list), shown = 0, i;
	const json_t *one;
	char title[64];

	snprintf(title, sizeof(title), "Documents (%zu)", n);
	heading(title);
	put_folders(list);
	for (int labelled = 1; labelled >= 0; labelled--)
		json_array_foreach(list, i, one) {
			const char *label = text_at(one, "label");

			if ((*label != '\0') != labelled || (shown >= DOCUMENTS_SHOWN && !cli.verbose))
				continue;
			shown++;
			buf_putf(out(), "  %-12s  ", *label ? label : "-");
			show_text(str_c(text_at(one, "path")));
			buf_putc(out(), '\n');
		}
	if (n > shown)
		buf_putf(out(), "  and %zu more (-v or --json)\n", n - shown);
}

void alerts_show_whole(const json_t *j)
{
	put_head(j);
	heading("Why");
	put_list(json_object_get(j, "why"), INDENT);
	put_leaning(j, INDENT);
	put_hours(json_object_get(j, "hours"));
	put_compared(j);
	if (json_array_size(json_object_get(j, "lower"))) {
		heading("What would have lowered it");
		put_list(json_object_get(j, "lower"), INDENT);
	}
	put_documents(json_object_get(j, "documents"));
	buf_putf(out(), "\n%zu records are behind it", json_array_size(json_object_get(j, "events")));
	if (number_at(j, "more"))
		buf_putf(out(), ", and at least %llu that are not named", (unsigned long long)number_at(j, "more"));
	buf_putf(out(), ": `tyto alerts show %llu --json` has each\n", (unsigned long long)number_at(j, "id"));
}
