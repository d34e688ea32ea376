/* xlsb: the workbook as binary records (MS-XLSB): sheets, strings, number formats, cells, headers, links, comments, what is hidden. */
#include <errno.h>
#include <math.h>
#include <strings.h>

#include "extract/formats/numfmt.h"
#include "extract/formats/ooxml.h"
#include "extract/formats/xls_number.h"

#define SHEETS_MAX 1024
#define STRINGS_MAX (192u << 20) /* bytes of all shared strings */
#define STYLES_MAX 4096          /* of cells; numbers of later ones are given as they stand */
#define CODES_MAX 1024
#define HIDDEN_COLS_MAX 256
#define RECORD_MAX (1u << 20)    /* longer ones are passed over */

enum {
	ROW = 0, CELL_RK = 2, CELL_BOOL = 4, CELL_REAL = 5, CELL_STRING = 6, CELL_SHARED = 7, FMLA_STRING = 8,
	FMLA_NUMBER = 9, FMLA_BOOL = 10,
	STRING_ITEM = 19, FORMAT = 44, XF = 47, COL_INFO = 60, CELL_RICH = 62, BOOK_PROPERTIES = 153, BUNDLE_SHEET = 156, PAGES = 479, LINK = 494,
	XFS_BEGIN = 617, XFS_END = 618, COMMENT_TEXT = 637,
};

struct sheet {
	struct buf name, id;
	bool hidden;
};

struct xlsb {
	struct package *p;
	struct sink *sink;
	struct sheet sheets[SHEETS_MAX];
	size_t n_sheets;
	struct buf strings;      /* one after the other */
	uint32_t *ends;          /* of each */
	size_t n_strings, cap_strings;
	struct numfmt styles[STYLES_MAX];
	struct { uint16_t id; struct numfmt f; } codes[CODES_MAX];
	size_t n_styles, n_codes;
	uint64_t cells;          /* of all sheets */
	bool date1904, in_xfs;
	/* of the sheet at hand */
	const struct rels *rels;
	struct flow flow;        /* what stands in no cell */
	struct buf text, shown;
	struct { uint32_t from, to; } cols[HIDDEN_COLS_MAX];
	size_t n_cols;
	uint32_t row;            /* from 1 */
	bool hidden, row_hidden, table, full;
};

typedef void on_record(struct xlsb *w, unsigned type, str data);

/* ---- records ---- */

struct stream {
	struct xlsb *w;
	on_record *take;
	struct buf held;
	uint64_t skip;
};

/* Seven bits a byte, the high bit says that more come; at most max of them. 0: not all there. */
static size_t number_at(str s, size_t at, size_t max, uint32_t *ret)
{
	uint32_t v = 0;

	for (size_t i = 0; i < max && at + i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[at + i];

		v |= (uint32_t)(c & 0x7f) << (7 * i);
		if (!(c & 0x80) || i + 1 == max) {
			*ret = v;
			return i + 1;
		}
	}
	return 0;
}

static int feed(void *arg, str piece, bool last)
{
	struct stream *t = arg;
	size_t at = 0, skip = (size_t)MIN((uint64_t)piece.n, t->skip);
	str s;

	t->skip -= skip;
	buf_put(&t->held, piece.p + skip, piece.n - skip);
	if (buf_error(&t->held))
		return -ENOMEM;
	s = buf_str(&t->held);
	while (at < s.n && !t->w->full) {
		uint32_t type, n;
		size_t a = number_at(s, at, 2, &type), b = a ? number_at(s, at + a, 4, &n) : 0;

		if (!b)
			break;
		if (n > RECORD_MAX) {
			t->skip = n - MIN((uint64_t)n, (uint64_t)(s.n - at - a - b));
			at += a + b + (size_t)(n - t->skip);
			continue;
		}
		if (n > s.n - at - a - b)
			break;
		t->take(t->w, type, (str){ s.p + at + a + b, n });
		at += a + b + n;
	}
	if (at)
		memmove(t->held.p, t->held.p + at, t->held.n - at);
	t->held.n -= at;
	if (last && t->held.n && !t->w->full) {
		sink_reason(t->w->sink, "a part of the workbook ends amid a record");
		package_fail(t->w->p, -EBADMSG);
	}
	return t->w->full;
}

static void read_part(struct xlsb *w, const char *name, on_record *take)
{
	struct stream t = { .w = w, .take = take };
	int r = package_read(w->p, name, feed, &t);

	if (r < 0 && r != -ENOENT)
		package_fail(w->p, r);
	buf_free(&t.held);
}

/* Count of four bytes, then UTF-16; 0xffffffff stands for none. *at moves behind it. */
static void string_at(str data, size_t *at, struct buf *ret)
{
	uint32_t n = le32(data, *at);
	size_t left = data.n - MIN(data.n, *at + 4);

	*at += 4;
	if (n == UINT32_MAX)
		return;
	n = (uint32_t)MIN((size_t)n, left / 2);
	ole_utf16(ret, (str){ data.p + *at, (size_t)n * 2 }, false);
	*at += (size_t)n * 2;
}

/* ---- workbook, strings, styles ---- */

static void on_book(struct xlsb *w, unsigned type, str data)
{
	struct sheet *s;
	size_t at = 8;

	if (type == BOOK_PROPERTIES)
		w->date1904 = le32(data, 0) & 1;
	if (type != BUNDLE_SHEET || w->n_sheets == SHEETS_MAX || data.n < 16)
		return;
	s = &w->sheets[w->n_sheets++];
	s->hidden = le32(data, 0) != 0;
	string_at(data, &at, &s->id);
	string_at(data, &at, &s->name);
}

static void on_string(struct xlsb *w, unsigned type, str data)
{
	size_t at = 1; /* behind the flags: runs and how it is read aloud come after the text */

	if (type != STRING_ITEM)
		return;
	if (w->n_strings == w->cap_strings) {
		size_t cap = w->cap_strings ? w->cap_strings * 2 : 1024;
		uint32_t *p = reallocarray(w->ends, cap, sizeof(*p));

		if (!p) {
			package_fail(w->p, -ENOMEM);
			w->full = true;
			return;
		}
		w->ends = p;
		w->cap_strings = cap;
	}
	string_at(data, &at, &w->strings);
	w->ends[w->n_strings++] = (uint32_t)w->strings.n;
	if (buf_error(&w->strings)) {
		sink_reason(w->sink, "more than %u MiB of shared strings", STRINGS_MAX >> 20);
		package_fail(w->p, -EMSGSIZE);
		w->full = true;
	}
}

static str shared(const struct xlsb *w, uint32_t i)
{
	uint32_t from = i && i < w->n_strings ? w->ends[i - 1] : 0;

	return i < w->n_strings ? (str){ w->strings.p + from, w->ends[i] - from } : STR_NONE;
}

static void style_of(const struct xlsb *w, uint16_t id, struct numfmt *ret)
{
	for (size_t i = 0; i < w->n_codes; i++)
		if (w->codes[i].id == id) {
			*ret = w->codes[i].f;
			return;
		}
	if (!numfmt_builtin(id, ret))
		*ret = (struct numfmt){ 0 };
}

static void on_style(struct xlsb *w, unsigned type, str data)
{
	size_t at = 2;

	if (type == XFS_BEGIN || type == XFS_END)
		w->in_xfs = type == XFS_BEGIN;
	if (type == XF && w->in_xfs && w->n_styles < STYLES_MAX)
		style_of(w, le16(data, 2), &w->styles[w->n_styles++]);
	if (type == FORMAT && w->n_codes < CODES_MAX) {
		buf_clear(&w->text);
		string_at(data, &at, &w->text);
		w->codes[w->n_codes].id = le16(data, 0);
		numfmt_parse(buf_cstr(&w->text) ?: "", &w->codes[w->n_codes++].f);
	}
}

/* ---- a sheet ---- */

static bool col_hidden(const struct xlsb *w, uint32_t col)
{
	for (size_t i = 0; i < w->n_cols; i++)
		if (col >= w->cols[i].from && col <= w->cols[i].to)
			return true;
	return false;
}

static void put_number(struct xlsb *w, uint32_t style, double v)
{
	if (!isfinite(v))
		return;
	buf_putf(&w->shown, fabs(v) < 1e15 && floor(v) == v ? "%.0f" : "%.15g", v);
	if (style < w->n_styles)
		numfmt_put(&w->text, &w->styles[style], buf_str(&w->shown), w->date1904);
	else
		buf_puts(&w->text, buf_str(&w->shown));
}

static void on_cell(struct xlsb *w, unsigned type, str data)
{
	uint32_t col = le32(data, 0), style = le32(data, 4) & 0xffffff;
	str text = STR_NONE;
	size_t at = type == CELL_RICH ? 9 : 8;

	if (data.n < 9 || col >= 16384)
		return;
	buf_clear(&w->text);
	buf_clear(&w->shown);
	switch (type) {
	case CELL_SHARED:
		text = shared(w, le32(data, 8));
		break;
	case CELL_STRING:
	case CELL_RICH:
	case FMLA_STRING:
		string_at(data, &at, &w->text);
		break;
	case CELL_BOOL:
	case FMLA_BOOL:
		text = data.p[8] ? STR("TRUE") : STR("FALSE");
		break;
	default:
		put_number(w, style, type == CELL_RK ? xls_rk(le32(data, 8)) : xls_real(data, 8));
		break;
	}
	sink_hidden(w->sink, w->hidden || w->row_hidden || (w->n_cols && col_hidden(w, col)));
	sink_cell(w->sink, w->row, col + 1, w->text.n ? buf_str(&w->text) : text);
	/* More than a text can hold: the rest is not looked at, and the text is known to be cut. */
	w->full = ++w->cells > TEXT_SPANS_MAX || sink_full(w->sink);
}

static void table_end(struct xlsb *w)
{
	if (w->table)
		sink_table_end(w->sink);
	w->table = false;
	sink_hidden(w->sink, w->hidden);
}

static void on_pages(struct xlsb *w, str data)
{
	size_t at = 2;

	table_end(w);
	for (unsigned i = 0; i < 6 && at + 4 <= data.n; i++) {
		buf_clear(&w->text);
		string_at(data, &at, &w->text);
		xlsx_page(&w->flow, buf_str(&w->text), i % 2 ? ZONE_FOOTER : ZONE_HEADER);
	}
	flow_set_zone(&w->flow, ZONE_BODY);
}

static void on_link(struct xlsb *w, str data)
{
	const struct rel *r;
	size_t at = 16;

	buf_clear(&w->text);
	string_at(data, &at, &w->text);
	r = w->text.n ? rels_find(w->rels, buf_cstr(&w->text), NULL) : NULL;
	if (r && r->external)
		flow_link(&w->flow, str_c(r->target));
}

static void on_sheet(struct xlsb *w, unsigned type, str data)
{
	switch (type) {
	case ROW:
		w->row = MIN(le32(data, 0), 1u << 24) + 1;
		w->row_hidden = data.n > 11 && data.p[11] & 0x10;
		break;
	case CELL_RK: case CELL_BOOL: case CELL_REAL: case CELL_STRING: case CELL_SHARED: case CELL_RICH:
	case FMLA_STRING: case FMLA_NUMBER: case FMLA_BOOL:
		on_cell(w, type, data);
		break;
	case COL_INFO:
		if (le16(data, 16) & 1 && w->n_cols < HIDDEN_COLS_MAX) {
			w->cols[w->n_cols].from = le32(data, 0);
			w->cols[w->n_cols++].to = le32(data, 4);
		}
		break;
	case PAGES:
		on_pages(w, data);
		break;
	case LINK:
		on_link(w, data);
		break;
	default:
		break;
	}
}

static void on_comment(struct xlsb *w, unsigned type, str data)
{
	size_t at = 1;

	if (type != COMMENT_TEXT)
		return;
	buf_clear(&w->text);
	string_at(data, &at, &w->text);
	sink_lines(w->sink, ZONE_COMMENT, buf_str(&w->text));
}

static void read_comments(void *arg, const char *part)
{
	read_part(arg, part, on_comment);
}

static void read_drawing(void *arg, const char *part)
{
	struct xlsb *w = arg;

	drawing_read(w->p, part, ZONE_BODY, w->hidden);
}

static void read_sheet(struct xlsb *w, const char *part, str name, bool hidden)
{
	_cleanup_rels_ struct rels rels = { 0 };

	rels_read(w->p, part, &rels);
	w->rels = &rels;
	w->hidden = hidden;
	w->row = 1;
	w->n_cols = 0;
	w->row_hidden = false;
	w->table = true;
	flow_init(&w->flow, w->sink, ZONE_BODY);
	w->flow.hidden = hidden;
	sink_table(w->sink, name, hidden);
	read_part(w, part, on_sheet);
	table_end(w);
	flow_finish(&w->flow);
	rels_each(&rels, "comments", read_comments, w);
	rels_each(&rels, "drawing", read_drawing, w);
	sink_hidden(w->sink, false);
	w->rels = NULL;
}

static void read_related(struct xlsb *w, const struct rels *rels, const char *type, on_record *take)
{
	const struct rel *r = rels_find(rels, NULL, type);

	if (r && !r->external)
		read_part(w, r->target, take);
}

static void release(struct xlsb *w)
{
	for (size_t i = 0; i < w->n_sheets; i++) {
		buf_free(&w->sheets[i].name);
		buf_free(&w->sheets[i].id);
	}
	buf_free(&w->strings);
	buf_free(&w->text);
	buf_free(&w->shown);
	free(w->ends);
	free(w);
}

int xlsb_read(struct package *p, const char *main)
{
	_cleanup_rels_ struct rels rels = { 0 };
	struct xlsb *w = calloc(1, sizeof(*w));

	if (!w)
		return package_fail(p, -ENOMEM);
	w->p = p;
	w->sink = package_sink(p);
	w->strings.max = STRINGS_MAX;
	rels_read(p, main, &rels);
	read_part(w, main, on_book);
	read_related(w, &rels, "styles", on_style);
	read_related(w, &rels, "sharedStrings", on_string);
	for (size_t i = 0; i < w->n_sheets && !w->full; i++) {
		const struct rel *r = w->sheets[i].id.n ? rels_find(&rels, buf_cstr(&w->sheets[i].id), NULL) : NULL;

		if (r && !r->external)
			read_sheet(w, r->target, buf_str(&w->sheets[i].name), w->sheets[i].hidden);
	}
	/* A torn workbook: sheets without their names. */
	for (size_t i = 0; !w->n_sheets && package_name(p, i) && !w->full; i++)
		if (strncasecmp(package_name(p, i), "xl/worksheets/sheet", 19) == 0)
			read_sheet(w, package_name(p, i), STR_NONE, false);
	release(w);
	return package_error(p);
}
