/* Which values of a leak can tell its source: addresses, numbers, accounts anywhere, and the cells of columns that name something. */
#include <errno.h>

#include "document/trace_internal.h"

#define COLUMNS_MAX 1024
#define VALUES_MAX (1u << 20)
#define LINE_MAX_BYTES 4096
#define DIGITS_MIN 7          /* a phone has more */
#define COLUMN_VALUES_MIN 5
#define DISTINCT_PERCENT 90   /* of a column that names something: elsewhere values come again */

struct value {
	uint64_t key;
	uint32_t column;
	bool telling;             /* no date, no amount */
};

struct gathering {
	struct trace *t;
	const struct text *text;
	const struct hits *h;     /* NULL: not looked for, so that there are none */
	size_t hit;               /* next */
	struct value *v;
	size_t n, cap;
	struct buf norm;
	uint64_t lines, listed;   /* lines of text, and those short enough to be rows */
	int error;
};

/* "2026-11-25", "25.11.2026 10:00", "1,240.50": the same in many tables. */
static bool is_telling(str s)
{
	size_t digits = 0, letters = 0, marks = 0;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		digits += c >= '0' && c <= '9';
		letters += c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		marks += c == '.' || c == ',' || c == '/' || c == ':';
	}
	if (s.n > 7 && digits >= 6 && (s.p[4] == '-' || s.p[4] == '/') && letters <= 2)
		return false;
	if (!letters && digits == 8 && (str_starts(s, STR("19")) || str_starts(s, STR("20"))))
		return false;
	return letters || (digits >= 6 && !marks);
}

/* Addresses, numbers and accounts count as such: of a document, contacts.c keeps a cell that holds one under that alone. Fields come in
 * order. */
static bool holds_detail(struct gathering *g, str field)
{
	size_t at = (size_t)(field.p - g->text->bytes.p), n = g->h ? g->h->n : 0;

	while (g->hit < n && g->h->hit[g->hit].at < at)
		g->hit++;
	for (; g->hit < n && g->h->hit[g->hit].at < at + field.n; g->hit++) {
		uint8_t d = g->h->hit[g->hit].detector;

		if (d == DET_EMAIL || d == DET_PHONE || d == DET_PAYMENT_CARD || d == DET_IBAN)
			return true;
	}
	return false;
}

static int add_value(struct gathering *g, str cell, uint32_t column)
{
	if (g->n == VALUES_MAX || holds_detail(g, cell))
		return 0;
	buf_clear(&g->norm);
	if (!identifier_normalise(cell, &g->norm))
		return buf_error(&g->norm);
	if (g->n == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 1024;
		struct value *more = reallocarray(g->v, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		g->v = more;
		g->cap = cap;
	}
	g->v[g->n++] = (struct value){ identifier_key(g->t->key, IDENT_CELL, buf_str(&g->norm)), column, is_telling(buf_str(&g->norm)) };
	return 0;
}

static str strip(str s)
{
	static const char aside[] = " \t\r\"'{}[]<>";

	while (s.n && memchr(aside, s.p[0], sizeof(aside) - 1)) {
		s.p++;
		s.n--;
	}
	while (s.n && memchr(aside, s.p[s.n - 1], sizeof(aside) - 1))
		s.n--;
	return s;
}

/* A table in plain text, or in JSON: fields between separators, or the whole line. */
static int take_line(struct gathering *g, str line)
{
	static const char separators[] = "\t,;|";
	uint32_t column = 1;
	int r = 0;

	g->lines += line.n > 0;
	if (line.n == 0 || line.n > LINE_MAX_BYTES)
		return 0;
	g->listed += line.n <= 240;
	while (r == 0) {
		size_t n = 0;
		str field;
		const char *colon;

		while (n < line.n && !memchr(separators, line.p[n], sizeof(separators) - 1))
			n++;
		field = (str){ line.p, n };
		colon = memmem(field.p, field.n, "\":", 2);
		if (colon)
			field = (str){ colon + 2, field.n - (size_t)(colon + 2 - field.p) };
		field = strip(field);
		if (field.n)
			r = add_value(g, field, MIN(column, COLUMNS_MAX - 1u));
		column++;
		if (n == line.n)
			return r;
		line = (str){ line.p + n + 1, line.n - n - 1 };
	}
	return r;
}

static int take_lines(struct gathering *g, str s)
{
	int r = 0;

	while (s.n && r == 0) {
		const char *end = memchr(s.p, '\n', s.n);
		size_t n = end ? (size_t)(end - s.p) : s.n;

		r = take_line(g, (str){ s.p, n });
		n = MIN(n + 1, s.n);
		s = (str){ s.p + n, s.n - n };
	}
	return r;
}

static int gather(struct gathering *g, const struct text *t)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];

		if (s->zone == ZONE_CELL) {
			r = add_value(g, strip(text_span(t, s)), s->table * 61 % (COLUMNS_MAX / 2) + MIN(s->col, COLUMNS_MAX / 2 - 1u));
			g->lines++;
			g->listed++;
		} else if (s->zone == ZONE_BODY || s->zone == ZONE_OCR) {
			r = take_lines(g, text_span(t, s));
		}
	}
	return r;
}

static int by_column(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static int by_key(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Values of columns in which they hardly come twice, and are no dates and amounts. */
static void keep_telling(struct gathering *g, struct told *to, size_t *n)
{
	if (g->n)
		qsort(g->v, g->n, sizeof(*g->v), by_column);
	for (size_t i = 0, end; i < g->n; i = end) {
		size_t distinct = 0, telling = 0;

		for (end = i; end < g->n && g->v[end].column == g->v[i].column; end++) {
			distinct += end == i || g->v[end].key != g->v[end - 1].key;
			telling += g->v[end].telling;
		}
		if (end - i < COLUMN_VALUES_MIN || 100 * distinct < DISTINCT_PERCENT * (end - i) || 2 * telling < end - i)
			continue;
		for (size_t j = i; j < end; j++)
			if (g->v[j].telling)
				to[(*n)++] = (struct told){ .key = g->v[j].key, .cell = true };
	}
}

/* Compiling the detectors costs 15 ms: not for a page of prose. */
static bool may_hold_persons(const struct text *t)
{
	size_t digits = 0;

	for (size_t i = 0; i < t->bytes.n; i++) {
		uint8_t c = (uint8_t)t->bytes.p[i];

		digits += (c >= '0' && c <= '9') || c == 0xef; /* U+F000 to U+FFFF: full-width forms */
		if (c == '@' || digits >= DIGITS_MIN)
			return true;
	}
	return false;
}

static int key_of(struct trace *t)
{
	int r = t->has_key ? 0 : documents_key(t->state, t->key);

	t->has_key |= r == 0;
	return r < 0 ? trace_fail(r, "%s", documents_why()) : 0;
}

static int finder_of(struct trace *t)
{
	int r = t->finder ? 0 : finder_new(NULL, 0, &t->finder);

	if (r == 0 && !t->scan)
		r = finding_scan_new(t->finder, &t->scan);
	if (r == 0 && !t->contacts)
		r = contacts_new(t->key, NULL, &t->contacts);
	return r < 0 ? trace_fail(r, "no reader of identifiers can be made") : 0;
}

static int join(struct gathering *g, const struct contacts_result *c, struct told_values *ret)
{
	struct told *v = calloc(c->n + g->n + 1, sizeof(*v));
	size_t n = 0, k = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++)
		if (c->identifiers[i].kind != IDENT_CELL)
			v[n++] = (struct told){ .key = c->identifiers[i].key };
	/* A list, not prose with commas. */
	if (2 * g->listed >= g->lines)
		keep_telling(g, v, &n);
	if (n)
		qsort(v, n, sizeof(*v), by_key);
	for (size_t i = 0; i < n; i++)
		if (k == 0 || v[k - 1].key != v[i].key)
			v[k++] = v[i];
	*ret = (struct told_values){ .v = v, .n = k, .listed = g->lines && 2 * g->listed >= g->lines, .lines = g->lines };
	return 0;
}

int told_values_of(struct trace *t, const struct text *text, struct told_values *ret)
{
	struct gathering g = { .t = t, .text = text };
	struct contacts_result c = { 0 };
	bool persons = may_hold_persons(text);
	struct hits h;
	int r = key_of(t);

	if (r == 0 && persons)
		r = finder_of(t);
	if (r < 0)
		return r;
	if (persons) {
		r = finding_run(t->scan, text, &h);
		g.h = &h;
	}
	if (r == 0 && persons)
		r = contacts_run(t->contacts, text, &h, &c);
	if (r == 0)
		r = gather(&g, text);
	if (r == 0)
		r = join(&g, &c, ret);
	free(g.v);
	buf_free(&g.norm);
	return r < 0 ? trace_fail(r, "identifiers of the leak: %s", strerror(-r)) : 0;
}
