/* Separated values: the separator by what the first records agree on, quotes as in RFC 4180, every record a row, the header being row 1. */
#include <errno.h>

#include "extract/format.h"
#include "extract/formats/lines.h"

#define PROBE 8192            /* bytes and records that are looked at */
#define RECORDS 20
#define QUOTED_MAX (32u << 10) /* a quote that is never closed ends here, and is taken for a mark like others */

static const char separators[] = { ',', '\t', ';', '|' };

/* Columns of the first records under sep: *ret_records seen whole, 0 where they do not agree. */
static unsigned columns(str s, char sep, unsigned *ret_records)
{
	unsigned agreed = 0, n = 1, records = 0;
	bool quoted = false, start = true, any = false;

	for (size_t i = 0; i < s.n && records < RECORDS; i++) {
		char c = s.p[i];

		if (c == '"' && (start || quoted)) {
			quoted = !quoted;
			any = true;
		} else if (quoted) {
			start = false;
			continue;
		} else if (c == sep) {
			n++;
			any = true;
		} else if (c == '\n') {
			if (any || n > 1 || !start) {
				if (agreed && n != agreed)
					return 0;
				agreed = n;
				records++;
			}
			n = 1;
			any = false;
		}
		start = c == sep || c == '\n';
	}
	*ret_records = records;
	return agreed;
}

/* 0: no table. */
static char separator(struct in *in, str utf8, int *ret_bid)
{
	bool named = in_name_is(in, "csv") || in_name_is(in, "tsv");
	unsigned best = 1, records = 0;
	char sep = 0;

	for (size_t i = 0; i < ARRAY_SIZE(separators); i++) {
		unsigned k = 0, n = columns(utf8, separators[i], &k);

		if (n > best && k >= (named ? 1 : n >= 3 ? 3 : 5)) {
			best = n;
			records = k;
			sep = separators[i];
		}
	}
	/* Rows of a named file may differ: then the separator that stands there most. */
	for (size_t i = 0, most = 0; named && !sep && i < ARRAY_SIZE(separators); i++) {
		size_t n = 0;

		for (size_t k = 0; k < utf8.n; k++)
			n += utf8.p[k] == separators[i];
		if (n > most) {
			most = n;
			sep = separators[i];
			records = 1;
		}
	}
	if (named && !sep && utf8.n)
		sep = ',';
	*ret_bid = named && sep ? 40 : sep && records ? 15 : 0;
	return sep;
}

static char probe(struct in *in, str head, int *ret_bid)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *charset = charset_guess(head);
	size_t to = 0;

	*ret_bid = 0;
	if (!charset)
		return 0;
	if (strcmp(charset, "utf-8") == 0)
		buf_puts(&b, head);
	else if (charset_to_utf8(str_c(charset), head, &b) < 0)
		return 0;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] != '\r' || (i + 1 < b.n && b.p[i + 1] != '\n'))
			b.p[to++] = b.p[i] == '\r' ? '\n' : b.p[i];
	b.n = to;
	if (in_size(in) <= head.n && b.n && b.p[b.n - 1] != '\n')
		buf_putc(&b, '\n');
	return separator(in, (str){ b.p, MIN(b.n, (size_t)PROBE) }, ret_bid);
}

static int bid(struct in *in, str head)
{
	int b;

	probe(in, head, &b);
	return b;
}

struct csv {
	struct sink *sink;
	char sep;
	bool stops[256];      /* what ends a run of plain bytes */
	bool quoted, was_quote; /* inside quotes; the last byte was a quote that may close */
	bool start;           /* of a field */
	bool any;             /* something on this row */
	uint32_t row, col;
	struct buf field;     /* of a field that does not lie in one run */
};

static void field_end(struct csv *c, str tail)
{
	if (c->field.n) {
		buf_puts(&c->field, tail);
		tail = buf_str(&c->field);
	}
	sink_cell(c->sink, c->row, c->col, tail);
	buf_clear(&c->field);
	c->col++;
	c->start = true;
	c->was_quote = false;
}

static void row_end(struct csv *c, str tail)
{
	field_end(c, tail);
	/* Empty lines are no rows. */
	c->row += c->any;
	c->col = 1;
	c->any = false;
}

/* Inside quotes up to the one that closes; returns the bytes taken. */
static size_t take_quoted(struct csv *c, str s)
{
	size_t room = c->field.n > QUOTED_MAX ? 1 : QUOTED_MAX + 1 - c->field.n, n = MIN(s.n, room);
	const char *q = memchr(s.p, '"', n);

	n = q ? (size_t)(q - s.p) : n;
	buf_put(&c->field, s.p, n);
	if (q) {
		c->quoted = false;
		c->was_quote = true;
		n++;
	} else if (c->field.n > QUOTED_MAX) {
		c->quoted = false;
	}
	return n;
}

static int piece(void *arg, str s)
{
	struct csv *c = arg;
	size_t i = 0, from = 0;

	while (i < s.n && !sink_full(c->sink)) {
		if (c->quoted) {
			i += take_quoted(c, (str){ s.p + i, s.n - i });
			from = i;
			continue;
		}
		while (i < s.n && !c->stops[(uint8_t)s.p[i]])
			i++;
		c->start = c->start && i == from;
		c->was_quote = c->was_quote && i == from;
		c->any = c->any || i > from;
		if (i == s.n)
			break;
		if (s.p[i] == '"') {
			bool twice = c->was_quote && i == from;

			if (c->start || twice) {
				if (twice)
					buf_putc(&c->field, '"');
				c->quoted = true;
				c->any = true;
				c->start = c->was_quote = false;
				from = i + 1;
			}
		} else {
			str tail = { s.p + from, i - from };

			c->any = c->any || s.p[i] == c->sep;
			if (s.p[i] == '\n')
				row_end(c, tail);
			else
				field_end(c, tail);
			from = i + 1;
		}
		i++;
	}
	buf_put(&c->field, s.p + from, i > from ? i - from : 0);
	return sink_full(c->sink);
}

static int read_csv(struct in *in, struct sink *s)
{
	struct csv c = { .sink = s, .start = true, .row = 1, .col = 1 };
	int b, r;

	c.sep = probe(in, in_head(in), &b);
	c.stops['"'] = c.stops['\n'] = c.stops[(uint8_t)c.sep] = true;
	sink_table(s, STR_NONE, false);
	r = lines_read(in, charset_guess(in_head(in)), piece, &c);
	if (c.field.n)
		field_end(&c, STR_NONE);
	sink_table_end(s);
	if (r == 0)
		r = buf_error(&c.field);
	buf_free(&c.field);
	return r;
}

const struct format format_csv = { .name = "csv", .mime = "text/csv", .bid = bid, .read = read_csv };
