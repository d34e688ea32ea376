/* What a document says about its own sensitivity: where markings stand, Microsoft's labels, numbers of contacts. */
#include "document/label.h"

#include <errno.h>
#include <stdarg.h>

#include "document/marking.h"

#define REASONS_MAX 12
#define NEAR_LINES 10        /* of the beginning and of the end */
#define ALONE_ROWS 5         /* a cell alone in its row near the top of a table */
#define MARGIN_MAX (64u << 10) /* bytes of headers, footers and titles that are looked at one by one */
#define LONG_LINE 40         /* bytes: what runs on from such a line is wrapped */
#define LITERALS_MAX 4096

struct ms_label {
	char *guid, *name;
	enum event_label label;
};

struct labels {
	struct markings markings;
	struct finder_literal *literals;
	size_t n_literals;
	struct buf literal_text;
	struct ms_label ms[ARRAY_SIZE(((struct label_config *)NULL)->ms)];
	size_t n_ms;
	uint64_t contacts_confidential;
};

static _Thread_local char why_text[512] = "no error";

const char *label_why_text(void)
{
	return why_text;
}

static int fail(int r, const char *fmt, ...) _printf_(2, 3);
static int fail(int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why_text, sizeof(why_text), fmt, ap);
	va_end(ap);
	return r;
}

/* --- loading --- */

/* As it is, with a space between characters, and with a wide one; the finder folds case and full-width forms. */
static void spaced(struct buf *b, str s, str space)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = 1;

		while (i + n < s.n && ((uint8_t)s.p[i + n] & 0xc0) == 0x80)
			n++;
		if (i)
			buf_puts(b, space);
		buf_put(b, s.p + i, n);
		i += n;
	}
}

/* Lengths first, the text grows. */
static int add_literal(struct labels *l, size_t from)
{
	size_t n = l->literal_text.n - from;
	str s = { NULL, n };

	if (buf_error(&l->literal_text))
		return -ENOMEM;
	/* A literal twice is one too many. */
	for (size_t i = 0, at = 0; i < l->n_literals; at += l->literals[i++].text.n)
		if (l->literals[i].text.n == n && memcmp(l->literal_text.p + at, l->literal_text.p + from, n) == 0) {
			l->literal_text.n = from;
			return 0;
		}
	if (l->n_literals == LITERALS_MAX || n == 0)
		return n ? -E2BIG : 0;
	l->literals[l->n_literals] = (struct finder_literal){ .text = s, .id = (uint16_t)l->n_literals,
			.word = !(l->literal_text.p[from] & 0x80) };
	l->n_literals++;
	return 0;
}

static int make_literals(struct labels *l)
{
	int r = 0;

	l->literals = calloc(LITERALS_MAX, sizeof(*l->literals));
	if (!l->literals)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < l->markings.n; i++) {
		const struct marking *m = &l->markings.m[i];
		size_t at = l->literal_text.n;

		/* The first word finds the line: "strictly" is a companion, "confidential" a marking of its own. */
		buf_puts(&l->literal_text, str_starts(m->text, STR("tlp ")) ? STR("tlp") : m->text);
		r = add_literal(l, at);
		if (r < 0 || m->squeezed.n < 6 || m->squeezed.n > 60)
			continue;
		at = l->literal_text.n;
		spaced(&l->literal_text, m->squeezed, STR(" "));
		r = add_literal(l, at);
		at = l->literal_text.n;
		if (r == 0)
			spaced(&l->literal_text, m->squeezed, STR("\xe3\x80\x80"));
		if (r == 0)
			r = add_literal(l, at);
	}
	if (r == 0) {
		size_t at = l->literal_text.n;

		buf_puts(&l->literal_text, STR("㊙")); /* folded here, not by the finder */
		r = add_literal(l, at);
	}
	for (size_t i = 0, at = 0; r == 0 && i < l->n_literals; at += l->literals[i++].text.n)
		l->literals[i].text.p = l->literal_text.p + at;
	return r;
}

static int take_config(struct labels *l, const struct label_config *c)
{
	l->contacts_confidential = c->contacts_confidential;
	for (size_t i = 0; i < c->n_ms; i++) {
		if (!c->ms[i].guid || c->ms[i].label <= 0 || c->ms[i].label >= LABEL_MAX_)
			return fail(-EINVAL, "label.microsoft: a GUID and a label are expected");
		l->ms[i] = (struct ms_label){ .guid = strdup(c->ms[i].guid), .name = strdup(c->ms[i].name ? c->ms[i].name : ""),
				.label = c->ms[i].label };
		l->n_ms++;
		if (!l->ms[i].guid || !l->ms[i].name)
			return fail(-ENOMEM, "no memory");
	}
	return 0;
}

int labels_new(const struct label_config *c, struct labels **ret)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct labels *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return fail(-ENOMEM, "no memory");
	if (c->n_ms > ARRAY_SIZE(l->ms)) {
		labels_free(l);
		return fail(-E2BIG, "at most %zu labels of Microsoft's", ARRAY_SIZE(l->ms));
	}
	r = markings_load(c->file, &l->markings, &why);
	if (r < 0)
		fail(r, "%s", why.n ? buf_cstr(&why) : "no memory");
	if (r == 0)
		r = take_config(l, c);
	if (r == 0) {
		r = make_literals(l);
		if (r < 0)
			fail(r, "%s", r == -E2BIG ? "too many markings" : "no memory");
	}
	if (r < 0) {
		labels_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

struct labels *labels_free(struct labels *l)
{
	if (!l)
		return NULL;
	markings_free(&l->markings);
	free(l->literals);
	buf_free(&l->literal_text);
	for (size_t i = 0; i < l->n_ms; i++) {
		free(l->ms[i].guid);
		free(l->ms[i].name);
	}
	free(l);
	return NULL;
}

const struct finder_literal *labels_literals(const struct labels *l, size_t *ret_n)
{
	*ret_n = l->n_literals;
	return l->literals;
}

/* --- reasons --- */

struct found {
	const char *where;
	const struct marking *m;
};

struct deciding {
	const struct labels *l;
	const struct text *t;
	struct buf *why;
	size_t why_from;
	enum event_label label;
	struct found said[REASONS_MAX];
	size_t n_said;
};

static void reason(struct deciding *d, const char *fmt, ...) _printf_(2, 3);
static void reason(struct deciding *d, const char *fmt, ...)
{
	char line[320];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	if (d->why->n > d->why_from)
		buf_putc(d->why, '\n');
	for (int i = 0; i < MIN(n, (int)sizeof(line) - 1); i++)
		buf_putc(d->why, line[i] == '\n' ? ' ' : line[i]);
}

static void raise_to(struct deciding *d, enum event_label label)
{
	d->label = MAX(d->label, label);
}

static void says(struct deciding *d, const char *where, const struct marking *m)
{
	raise_to(d, m->label);
	for (size_t i = 0; i < d->n_said; i++)
		if (d->said[i].m == m && strcmp(d->said[i].where, where) == 0)
			return;
	if (d->n_said == REASONS_MAX)
		return;
	d->said[d->n_said++] = (struct found){ where, m };
	reason(d, "%s says %.*s", where, STR_ARG(m->shown));
}

/* --- Microsoft's labels --- */

static const char *const sources[] = { "", "docMetadata/LabelInfo.xml", "custom properties", "PDF properties", "mail header" };

static void microsoft(struct deciding *d)
{
	uint8_t source = UINT8_MAX;

	/* What stands in LabelInfo.xml replaces what older programs wrote elsewhere, even where it says that a label was taken away. */
	for (size_t i = 0; i < d->t->n_labels; i++)
		source = MIN(source, d->t->labels[i].source);
	for (size_t i = 0; i < d->t->n_labels && d->n_said < REASONS_MAX; i++) {
		const struct mslabel *m = &d->t->labels[i];
		const struct ms_label *known = NULL;
		str name = m->name.n > 64 ? STR_NONE : m->name, guid = { m->guid.p, MIN(m->guid.n, (size_t)64) };

		if (m->source != source || !m->enabled || m->source >= ARRAY_SIZE(sources))
			continue;
		for (size_t k = 0; k < d->l->n_ms && !known; k++)
			if (str_eq(m->guid, str_c(d->l->ms[k].guid)))
				known = &d->l->ms[k];
		d->n_said++;
		d->said[d->n_said - 1] = (struct found){ "", NULL };
		if (!known) {
			reason(d, "Microsoft label %.*s%s%.*s in %s is not in the configuration", STR_ARG(guid), name.n ? " " : "", STR_ARG(name),
					sources[source]);
			continue;
		}
		raise_to(d, known->label);
		if (known->name[0])
			name = str_c(known->name);
		reason(d, "Microsoft label %.*s%s%.*s in %s", STR_ARG(name), name.n ? ", " : "", STR_ARG(guid), sources[source]);
	}
}

/* --- properties --- */

static const struct { const char *key, *where; enum marking_place place; } properties[] = {
	{ "title", "property title", MARK_TITLE }, { "subject", "property subject", MARK_TITLE }, { "keywords", "property keywords", MARK_LIST },
	{ "category", "property category", MARK_LIST }, { "comments", "property comments", MARK_TITLE },
	{ "company", "property company", MARK_TITLE },
	{ "header:sensitivity", "mail header Sensitivity", MARK_VALUE }, { "header:subject", "subject", MARK_TITLE },
};

static void property(struct deciding *d, const struct meta *m)
{
	struct judged j;

	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		if (!str_eq(m->key, str_c(properties[i].key)))
			continue;
		j = marking_judge(&d->l->markings, properties[i].place, m->value);
		if (j.m)
			says(d, properties[i].where, j.m);
		return;
	}
	if (str_starts(m->key, STR("custom:")) || str_starts(m->key, STR("header:x-"))) {
		size_t skip = m->key.p[0] == 'c' ? 7 : 9;
		bool key = marking_is_key((str){ m->key.p + skip, m->key.n - skip });

		j = marking_judge(&d->l->markings, key ? MARK_VALUE : MARK_TITLE, m->value);
		if (j.m)
			says(d, m->key.p[0] == 'c' ? "a custom property" : "a mail header", j.m);
	}
}

/* --- margins --- */

static const struct { const char *where; enum marking_place place; } zones[ZONE_MAX_] = {
	[ZONE_TITLE] = { "title", MARK_TITLE }, [ZONE_HEADER] = { "header", MARK_MARGIN }, [ZONE_FOOTER] = { "footer", MARK_MARGIN },
	[ZONE_WATERMARK] = { "watermark", MARK_MARGIN }, [ZONE_SHEET] = { "sheet name", MARK_TITLE },
};

/* Line by line; the same zones of every page say the same, so what is looked at has a limit. */
static void margin(struct deciding *d, const struct span *s)
{
	str all = text_span(d->t, s);

	for (size_t i = 0; i < all.n;) {
		const char *end = memchr(all.p + i, '\n', all.n - i);
		str line = { all.p + i, end ? (size_t)(end - all.p) - i : all.n - i };
		struct judged j = marking_judge(&d->l->markings, zones[s->zone].place, line);

		if (j.m)
			says(d, zones[s->zone].where, j.m);
		i += line.n + 1;
	}
}

static void margins(struct deciding *d)
{
	size_t seen = 0;

	for (size_t i = 0; i < d->t->n_spans && seen < MARGIN_MAX; i++) {
		const struct span *s = &d->t->spans[i];

		if (s->zone >= ZONE_MAX_ || !zones[s->zone].where)
			continue;
		margin(d, s);
		seen += s->n;
	}
}

/* --- the body --- */

/* Where the first and the last lines end and begin. */
static void near_limits(const struct text *t, size_t *ret_head, size_t *ret_tail)
{
	const char *p = t->bytes.p;
	size_t at = 0, end = t->bytes.n;

	for (unsigned lines = 0; lines < NEAR_LINES && at < end;) {
		const char *nl = memchr(p + at, '\n', end - at);
		size_t n = nl ? (size_t)(nl - p) - at : end - at;

		lines += n > 0;
		at += n + 1;
	}
	*ret_head = at;
	for (unsigned lines = 0; lines < NEAR_LINES && end > 0;) {
		const char *nl = memrchr(p, '\n', end - 1);
		size_t begin = nl ? (size_t)(nl - p) + 1 : 0;

		lines += end - begin > 1;
		end = begin;
	}
	*ret_tail = end;
}

static str line_of(const struct text *t, const struct span *s, size_t at)
{
	const char *p = t->bytes.p, *from, *to;
	size_t lo = s->at, hi = (size_t)s->at + s->n, back = at - lo > MARKING_LINE_MAX ? at - MARKING_LINE_MAX : lo;

	from = memrchr(p + back, '\n', at - back);
	to = memchr(p + at, '\n', MIN(hi - at, (size_t)MARKING_LINE_MAX + 1));
	if ((!from && back != lo) || (!to && hi - at > MARKING_LINE_MAX))
		return STR_NONE;
	from = from ? from + 1 : p + back;
	return (str){ from, (size_t)((to ? to : p + hi) - from) };
}

static bool ends_sentence(str s)
{
	static const char *const ends[] = { ".", "!", "?", ":", "。", "！", "？", "：", "」", ")" };

	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (str_ends(s, str_c(ends[i])))
			return true;
	return s.n == 0;
}

/* The line before it in the span is long and goes on here. */
static bool runs_on(const struct text *t, const struct span *s, str line)
{
	const char *p = t->bytes.p, *begin = p + s->at;
	str before;

	if (line.p <= begin)
		return false;
	before = line_of(t, s, (size_t)(line.p - p) - 1);
	if (!before.p && line.p - begin > MARKING_LINE_MAX)
		return true; /* too long to be looked at */
	return before.n >= LONG_LINE && !ends_sentence(before);
}

/* A heading over prose. */
static bool heads_prose(const struct text *t, const struct span *s, str line)
{
	const char *p = t->bytes.p, *end = p + s->at + s->n, *next = line.p + line.n + 1;
	const char *nl = next < end ? memchr(next, '\n', (size_t)(end - next)) : NULL;

	return next < end && (nl ? nl : end) - next >= LONG_LINE;
}

struct body {
	size_t head, tail;    /* near the beginning: before head; near the end: from tail on */
	const char *last;     /* line that was judged last */
	unsigned labels;      /* bits of all lines of their own */
	struct { const struct marking *m; bool sure; unsigned times; } lines[REASONS_MAX];
	size_t n;
	struct found cells[REASONS_MAX];
	size_t n_cells;
};

static void body_line(struct deciding *d, struct body *b, const struct span *s, str line)
{
	struct judged j = marking_judge(&d->l->markings, MARK_LINE, line);
	size_t at = (size_t)(line.p - d->t->bytes.p), i = 0;
	bool sure;

	if (!j.m || line.p[0] == '#' || runs_on(d->t, s, line))
		return;
	sure = at < b->head || at >= b->tail;
	if (j.m->weak && !sure)
		return;
	sure = sure || j.framed || (j.loud && !heads_prose(d->t, s, line));
	b->labels |= j.labels;
	while (i < b->n && b->lines[i].m != j.m)
		i++;
	if (i == REASONS_MAX)
		return;
	if (i == b->n)
		b->n++;
	b->lines[i].m = j.m;
	b->lines[i].sure = b->lines[i].sure || sure;
	b->lines[i].times++;
}

static bool same_row(const struct span *a, const struct span *b)
{
	return a->zone == ZONE_CELL && b->zone == ZONE_CELL && a->table == b->table && a->row == b->row;
}

/* A cell counts behind a key, or alone in its row at the top or the end of its table. */
static void body_cell(struct deciding *d, struct body *b, size_t i)
{
	const struct text *t = d->t;
	const struct span *s = &t->spans[i];
	bool left = i > 0 && same_row(&t->spans[i - 1], s), right = i + 1 < t->n_spans && same_row(&t->spans[i + 1], s);
	bool keyed = left && marking_is_key(text_span(t, &t->spans[i - 1]));
	bool last = i + 1 == t->n_spans || t->spans[i + 1].table != s->table;
	str text = text_span(t, s);
	struct judged j = marking_judge(&d->l->markings, keyed ? MARK_VALUE : MARK_CELL, text);

	if (!j.m || b->n_cells == REASONS_MAX)
		return;
	if (keyed || (j.loud && memchr(text.p, ':', text.n)) || (j.loud && memmem(text.p, text.n, "：", 3)) ||
	    (!left && !right && (s->row <= ALONE_ROWS || last)) ||
	    (j.loud && !j.m->weak && s->row <= ALONE_ROWS))
		b->cells[b->n_cells++] = (struct found){ keyed ? "a table cell behind its key" : "a table cell", j.m };
}

/* Most mentions stand in prose, and are seen at a glance: small letters, or Hiragana at either side. */
static bool in_prose(const struct text *t, const struct span *s, const struct hit *x)
{
	const uint8_t *p = (const uint8_t *)t->bytes.p, *at = p + x->at, *end = at + x->n, *lo = p + s->at, *hi = lo + s->n;

	if (*at >= 'a' && *at <= 'z')
		return at > lo && at[-1] != '\n'; /* "For internal use only" begins with another word: the line decides */
	if (*at < 0x80)
		return false;
	return (end + 3 <= hi && end[0] == 0xe3 && (end[1] == 0x81 || (end[1] == 0x82 && end[2] < 0xa0)));
}

/* The line of a small-lettered hit may still begin with a capital: only short ones are looked at. */
static bool short_line(const struct text *t, const struct span *s, const struct hit *x)
{
	const char *p = t->bytes.p;
	size_t lo = s->at, back = x->at - lo > 24 ? x->at - 24 : lo;

	return back == lo || memrchr(p + back, '\n', x->at - back);
}

static void body(struct deciding *d, const struct hits *h)
{
	const struct text *t = d->t;
	struct body b = { 0 };

	near_limits(t, &b.head, &b.tail);
	for (size_t i = 0; i < h->n; i++) {
		const struct hit *x = &h->hit[i];
		const struct span *s;
		str line;

		if (x->detector || x->span >= t->n_spans)
			continue;
		s = &t->spans[x->span];
		if (x->at < s->at || (size_t)x->at + x->n > (size_t)s->at + s->n)
			continue;
		if (s->zone == ZONE_CELL) {
			if (s->n <= MARKING_LINE_MAX && t->bytes.p + s->at != b.last)
				body_cell(d, &b, x->span);
			b.last = t->bytes.p + s->at;
			continue;
		}
		if ((s->zone != ZONE_BODY && s->zone != ZONE_OCR) || (in_prose(t, s, x) && !short_line(t, s, x)))
			continue;
		line = line_of(t, s, x->at);
		if (!line.p || line.p == b.last)
			continue;
		b.last = line.p;
		body_line(d, &b, s, line);
	}
	for (size_t i = 0; i < b.n_cells; i++)
		says(d, b.cells[i].where, b.cells[i].m);
	/* Three different ones explain what markings there are. */
	if (__builtin_popcount(b.labels) >= 3)
		return;
	for (size_t i = 0; i < b.n; i++)
		if (b.lines[i].sure || b.lines[i].times > 1)
			says(d, "a line of its own", b.lines[i].m);
}

static void many_contacts(struct deciding *d, uint64_t contacts)
{
	uint64_t least = d->l->contacts_confidential;

	if (!least || contacts < least)
		return;
	raise_to(d, LABEL_CONFIDENTIAL);
	reason(d, "holds contact details of %llu persons; label.contacts is %llu", (unsigned long long)contacts, (unsigned long long)least);
}

enum event_label labels_decide(const struct labels *l, const struct text *t, const struct hits *h, uint64_t contacts, struct buf *why)
{
	struct deciding d = { .l = l, .t = t, .why = why, .why_from = why->n };

	microsoft(&d);
	margins(&d);
	for (size_t i = 0; i < t->n_metas; i++)
		property(&d, &t->metas[i]);
	if (t->bytes.n)
		body(&d, h);
	many_contacts(&d, contacts);
	return d.label;
}

enum event_label labels_contacts(const struct labels *l, enum event_label label, uint64_t own, uint64_t all, struct buf *why)
{
	struct deciding d = { .l = l, .why = why, .label = label };

	if (own < l->contacts_confidential) /* else its own text has said so */
		many_contacts(&d, all);
	return d.label;
}
