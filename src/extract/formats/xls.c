/* Excel 2 to 2003 (MS-XLS; before Excel 5 a bare stream of the same records): sheets, cells, headers, comments. */
#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "extract/formats/xls_number.h"
#include "extract/formats/xls_password.h"
#include "extract/formats/xls_strings.h"

#define SHEETS_MAX 1024
#define FORMATS_MAX 4096
#define XFS_MAX 65536
#define NESTED_MAX 8           /* charts within sheets */
#define LATER_MAX (4u << 20)   /* text beside the cells of one sheet */

enum {
	BOF = 0x809, R_EOF = 0x0a, FILEPASS = 0x2f, CODEPAGE = 0x42, DATEMODE = 0x22, FORMAT = 0x41e, FORMAT4 = 0x1e, XF = 0xe0, XF4 = 0x443, XF3 =
	0x243,
	BOUNDSHEET = 0x85, SST = 0xfc, LABELSST = 0xfd, LABEL = 0x204, RSTRING = 0xd6, NUMBER = 0x203, RK = 0x27e, MULRK = 0xbd, FORMULA = 0x06,
	FORMULA3 = 0x206, FORMULA4 = 0x406, STRING = 0x207, STRING2 = 0x07, BOOLERR = 0x205, HEADER = 0x14, FOOTER = 0x15, NOTE = 0x1c, TXO =
	0x1b6,
	OBJ = 0x5d, ROW = 0x208, COLINFO = 0x7d, HLINK = 0x1b8, DRAWINGS = 0xeb, SERIESTEXT = 0x100d,
	INTEGER2 = 0x02, NUMBER2 = 0x03, LABEL2 = 0x04,
};

struct sheet {
	uint32_t at;
	bool hidden;
	struct buf name;
};

struct later { /* followed by n bytes */
	uint32_t zone, n;
};

struct book {
	struct ole *ole; /* NULL: bare */
	struct sink *sink;
	str stream;
	unsigned version;        /* 2, 3, 4, 5, 8 */
	unsigned codepage;       /* 0: strings are Unicode */
	size_t left;             /* bytes that may still be looked at: sheets do not overlap */
	bool dates_1904;
	struct buf clear;        /* the stream, where it was enciphered */
	int shut;                /* why nothing of it can be read: negative errno */
	struct shared shared;
	struct sheet sheets[SHEETS_MAX];
	size_t n_sheets;
	uint16_t *xf;            /* format of each */
	size_t n_xf;
	uint8_t kind[FORMATS_MAX]; /* enum number_kind of each format; 0 not said */
	uint16_t n_formats;      /* before Excel 5 they are only counted */
	/* of the sheet at hand */
	bool hidden;
	uint8_t hidden_row[65536 / 8], hidden_col[256 / 8];
	struct buf later;
	uint16_t object;         /* kind of the last drawn object */
	uint32_t row, col, xf_at; /* of a formula whose text is to come */
	bool awaits;
};

/* ---- what a number means ---- */

static uint8_t kind_of_xf(const struct book *k, uint16_t xf)
{
	uint16_t f = xf < k->n_xf ? k->xf[xf] : 0;

	return f < FORMATS_MAX && k->kind[f] ? k->kind[f] : k->version >= 5 ? xls_kind_builtin(f) : KIND_PLAIN;
}

static void put_number(const struct book *k, uint32_t row, uint32_t col, uint16_t xf, double v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint8_t kind = kind_of_xf(k, xf);

	if (kind >= KIND_DATE && kind <= KIND_BOTH && v >= 0 && v < 2958466)
		xls_date(&b, v, k->dates_1904, kind);
	else if (kind > KIND_DIGITS && v >= 0 && v < 1e15 && floor(v) == v)
		buf_putf(&b, "%0*.0f", kind - KIND_DIGITS, v);
	else if (fabs(v) < 1e15 && floor(v) == v)
		buf_putf(&b, "%.0f", v);
	else
		buf_putf(&b, "%.15g", v);
	sink_cell(k->sink, row, col, buf_str(&b));
}

/* ---- cells ---- */

static bool bit(const uint8_t *bits, size_t max, uint32_t i)
{
	return i < max && bits[i / 8] >> i % 8 & 1;
}

/* Of a sheet, row or column that is hidden. From 1. */
static void show_or_hide(struct book *k, uint32_t row, uint32_t col)
{
	sink_hidden(k->sink, k->hidden || bit(k->hidden_row, 65536, row - 1) || bit(k->hidden_col, 256, col - 1));
}

struct at {
	uint32_t row, col; /* from 1 */
	uint16_t xf;
};

static struct at place(struct book *k, str d)
{
	struct at a = { le16(d, 0) + 1u, le16(d, 2) + 1u, k->version == 2 ? le8(d, 4) & 0x3f : le16(d, 4) };

	show_or_hide(k, a.row, a.col);
	return a;
}

static void put_bytes(struct book *k, struct at a, str data, size_t at, bool short_length)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	xls_string(data, &at, short_length, k->codepage, &b);
	sink_cell(k->sink, a.row, a.col, buf_str(&b));
}

static void on_label(struct book *k, const struct record *r)
{
	put_bytes(k, place(k, r->data), r->data, r->type == LABEL2 ? 7 : 6, r->type == LABEL2);
}

static void on_labelsst(struct book *k, const struct record *r)
{
	struct at a = place(k, r->data);

	sink_cell(k->sink, a.row, a.col, shared_get(&k->shared, le32(r->data, 6)));
}

static void on_number(struct book *k, const struct record *r)
{
	struct at a = place(k, r->data);

	if (r->data.n >= 14)
		put_number(k, a.row, a.col, a.xf, r->type == NUMBER2 ? xls_real(r->data, 7) : xls_real(r->data, 6));
}

static void on_integer(struct book *k, const struct record *r)
{
	struct at a = place(k, r->data);

	put_number(k, a.row, a.col, a.xf, le16(r->data, 7));
}

static void on_rk(struct book *k, const struct record *r)
{
	struct at a = place(k, r->data);

	put_number(k, a.row, a.col, a.xf, xls_rk(le32(r->data, 6)));
}

static void on_mulrk(struct book *k, const struct record *r)
{
	uint32_t row = le16(r->data, 0) + 1u, col = le16(r->data, 2) + 1u;

	for (size_t at = 4; le_has(r->data, at, 8); at += 6, col++) {
		show_or_hide(k, row, col);
		put_number(k, row, col, le16(r->data, at), xls_rk(le32(r->data, at + 2)));
	}
}

static const char *error_name(uint8_t code)
{
	switch (code) {
	case 0x00: return "#NULL!";
	case 0x07: return "#DIV/0!";
	case 0x0f: return "#VALUE!";
	case 0x17: return "#REF!";
	case 0x1d: return "#NAME?";
	case 0x24: return "#NUM!";
	default: return "#N/A";
	}
}

static void put_bool_or_error(struct book *k, struct at a, uint8_t value, bool error)
{
	sink_cell(k->sink, a.row, a.col, str_c(error ? error_name(value) : value ? "TRUE" : "FALSE"));
}

static void on_boolerr(struct book *k, const struct record *r)
{
	put_bool_or_error(k, place(k, r->data), le8(r->data, 6), le8(r->data, 7));
}

/* The result of the last calculation: a number, or a mark of something else. Text comes in a record of its own. */
static void on_formula(struct book *k, const struct record *r)
{
	struct at a = place(k, r->data);
	size_t at = k->version == 2 ? 7 : 6;

	if (le16(r->data, at + 6) != 0xffff || k->version < 3) {
		if (le_has(r->data, at, 8))
			put_number(k, a.row, a.col, a.xf, xls_real(r->data, at));
	} else if (le8(r->data, at) == 0) {
		k->row = a.row;
		k->col = a.col;
		k->awaits = true;
	} else if (le8(r->data, at) == 1 || le8(r->data, at) == 2) {
		put_bool_or_error(k, a, le8(r->data, at + 2), le8(r->data, at) == 2);
	}
}

static void on_string(struct book *k, const struct record *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct cursor c;

	if (!k->awaits)
		return;
	k->awaits = false;
	if (k->codepage) {
		size_t at = 0;

		xls_string(r->data, &at, k->version == 2, k->codepage, &b);
	} else {
		cursor_start(&c, k->stream, r);
		c.at = MIN(r->data.n, (size_t)3);
		cursor_chars(&c, le16(r->data, 0), le8(r->data, 2), &b);
	}
	sink_cell(k->sink, k->row, k->col, buf_str(&b));
}

/* ---- beside the cells ---- */

static void put_later(struct book *k, enum zone zone, str s)
{
	struct later head = { zone, (uint32_t)s.n };

	if (!s.n || k->later.n + s.n > LATER_MAX)
		return;
	buf_put(&k->later, &head, sizeof(head));
	buf_puts(&k->later, s);
}

static void flush_later(struct book *k)
{
	str s = buf_str(&k->later);
	struct later head;

	while (s.n >= sizeof(head)) {
		memcpy(&head, s.p, sizeof(head));
		sink_text(k->sink, head.zone, (str){ s.p + sizeof(head), head.n });
		sink_block(k->sink);
		s = (str){ s.p + sizeof(head) + head.n, s.n - sizeof(head) - head.n };
	}
	buf_clear(&k->later);
}

/* "&L&"Arial,Bold"&12Confidential&RPage &P": what is printed, a tab between left, middle and right. */
static void put_header(struct book *k, enum zone zone, str s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (size_t i = 0; i < s.n; i++) {
		char c = i + 1 < s.n ? s.p[i + 1] : '\0';

		if (s.p[i] != '&' || !c) {
			buf_putc(&b, s.p[i]);
			continue;
		}
		i++;
		if (c == '"') {
			do
				i++;
			while (i < s.n && s.p[i] != '"');
		} else if (isdigit((unsigned char)c)) {
			while (i + 1 < s.n && isdigit((unsigned char)s.p[i + 1]))
				i++;
		} else if (c == '&') {
			buf_putc(&b, c);
		} else if (strchr("LCRlcr", c) && b.n) {
			buf_putc(&b, '\t');
		} else if (c == 'K') { /* a colour */
			i += MIN((size_t)6, s.n - 1 - i);
		}
	}
	put_later(k, zone, buf_str(&b));
}

static void on_header(struct book *k, const struct record *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t at = 0;

	if (!r->data.n)
		return;
	xls_string(r->data, &at, k->codepage != 0, k->codepage, &b);
	put_header(k, r->type == HEADER ? ZONE_HEADER : ZONE_FOOTER, buf_str(&b));
}

/* Before Excel 97 a comment's text stands in it; since then in a drawn object. */
static void on_note(struct book *k, const struct record *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!k->codepage)
		return;
	charset_codepage_to_utf8(k->codepage, le_sub(r->data, 6, le16(r->data, 4)), &b);
	put_later(k, ZONE_COMMENT, buf_str(&b));
}

static void on_obj(struct book *k, const struct record *r)
{
	k->object = le16(r->data, 0) == 0x15 ? le16(r->data, 4) : 0;
}

static void on_txo(struct book *k, const struct record *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint16_t cch = le16(r->data, 10);
	struct cursor c;

	if (!cch || k->codepage)
		return;
	cursor_start(&c, k->stream, r);
	c.at = r->data.n; /* the text begins with the record that continues it, and its flags */
	cursor_chars(&c, cch, 0, &b);
	put_later(k, k->object == 0x19 ? ZONE_COMMENT : ZONE_BODY, buf_str(&b));
}

/* Titles and series of charts. */
static void on_series(struct book *k, const struct record *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t at = 2;

	xls_string(r->data, &at, true, k->codepage, &b);
	put_later(k, ZONE_BODY, buf_str(&b));
}

static void on_hlink(struct book *k, const struct record *r)
{
	static const uint8_t url[] = { 0xe0, 0xc9, 0xea, 0x79, 0xf9, 0xba, 0xce, 0x11 };
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint32_t flags = le32(r->data, 28);
	size_t at = 32;

	for (uint32_t f = 0x10; f <= 0x80; f += 0x70) /* what is shown, the frame */
		if (flags & f)
			at += 4 + 2ul * le32(r->data, at);
	if (!(flags & 1) || !le_has(r->data, at, 20))
		return;
	if (flags & 0x100)
		ole_utf16(&b, le_sub(r->data, at + 4, 2ul * le32(r->data, at)), true);
	else if (memcmp(r->data.p + at, url, sizeof(url)) == 0)
		ole_utf16(&b, le_sub(r->data, at + 20, le32(r->data, at + 16)), true);
	put_later(k, ZONE_LINK, buf_str(&b));
}

static void on_row(struct book *k, const struct record *r)
{
	uint16_t row = le16(r->data, 0);

	if (le16(r->data, 12) & 0x20)
		k->hidden_row[row / 8] |= (uint8_t)(1u << row % 8);
}

static void on_colinfo(struct book *k, const struct record *r)
{
	if (le16(r->data, 8) & 1)
		for (uint32_t c = le16(r->data, 0); c <= MIN(le16(r->data, 2), 255); c++)
			k->hidden_col[c / 8] |= (uint8_t)(1u << c % 8);
}

/* ---- of the whole book ---- */

static void on_filepass(struct book *k, const struct record *r)
{
	int e = k->clear.n ? -EACCES : xls_everybodys(k->stream, r, k->version, &k->clear);

	if (e < 0)
		k->shut = e;
	else
		k->stream = buf_str(&k->clear);
}

static void on_codepage(struct book *k, const struct record *r)
{
	uint16_t cp = le16(r->data, 0);

	if (k->version < 8)
		k->codepage = cp == 0x8000 ? 10000 : cp == 0x8001 || cp == 0 ? 1252 : cp;
}

static void on_datemode(struct book *k, const struct record *r)
{
	k->dates_1904 = le16(r->data, 0);
}

static void on_format(struct book *k, const struct record *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t at = k->version >= 4 ? 2 : 0;
	uint16_t id = k->version >= 5 ? le16(r->data, 0) : k->n_formats++;

	xls_string(r->data, &at, k->version < 8, k->codepage, &b);
	if (id < FORMATS_MAX)
		k->kind[id] = xls_kind(buf_str(&b));
}

static void on_xf(struct book *k, const struct record *r)
{
	if (!k->xf)
		k->xf = calloc(XFS_MAX, sizeof(*k->xf));
	if (k->xf && k->n_xf < XFS_MAX)
		k->xf[k->n_xf++] = k->version >= 5 ? le16(r->data, 2) : le8(r->data, 1);
}

static void on_boundsheet(struct book *k, const struct record *r)
{
	struct sheet *s = &k->sheets[k->n_sheets];
	size_t at = 6;

	if (k->n_sheets == SHEETS_MAX)
		return;
	s->at = le32(r->data, 0);
	s->hidden = le8(r->data, 4) & 3;
	xls_string(r->data, &at, true, k->codepage, &s->name);
	k->n_sheets++;
}

static void on_sst(struct book *k, const struct record *r)
{
	if (!k->shared.n)
		shared_read(&k->shared, k->stream, r);
}

static void on_drawings(struct book *k, const struct record *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct record next = *r;

	/* In pieces of one record each. */
	do
		buf_puts(&b, next.data);
	while (record_at(k->stream, next.next, &next) && (next.type == DRAWINGS || next.type == 0x3c));
	art_pictures(buf_str(&b), STR_NONE, k->sink);
}

static const struct handler {
	uint16_t type;
	void (*on)(struct book *k, const struct record *r);
} handlers[] = {
	{ LABELSST, on_labelsst }, { RK, on_rk }, { NUMBER, on_number }, { MULRK, on_mulrk }, { FORMULA, on_formula }, { LABEL, on_label },
	{ ROW, on_row },
	{ STRING, on_string }, { RSTRING, on_label }, { BOOLERR, on_boolerr }, { FORMULA3, on_formula }, { FORMULA4, on_formula },
	{ STRING2, on_string },
	{ INTEGER2, on_integer }, { NUMBER2, on_number }, { LABEL2, on_label }, { HEADER, on_header }, { FOOTER, on_header }, { NOTE, on_note },
	{ TXO, on_txo }, { OBJ, on_obj }, { COLINFO, on_colinfo }, { HLINK, on_hlink }, { SERIESTEXT, on_series }, { XF, on_xf }, { XF3, on_xf },
	{ XF4, on_xf }, { FORMAT, on_format },
	{ FORMAT4, on_format }, { BOUNDSHEET, on_boundsheet }, { SST, on_sst }, { CODEPAGE, on_codepage }, { DATEMODE, on_datemode },
	{ FILEPASS, on_filepass },
};

static void handle(struct book *k, const struct record *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		if (handlers[i].type != r->type)
			continue;
		handlers[i].on(k, r);
		return;
	}
}

static bool is_bof(uint16_t type)
{
	return type == BOF || type == 0x409 || type == 0x209 || type == 0x009;
}

static void set_version(struct book *k, const struct record *bof)
{
	k->version = bof->type == 0x009 ? 2 : bof->type == 0x209 ? 3 : bof->type == 0x409 ? 4 : le16(bof->data, 0) >= 0x600 ? 8 : 5;
	k->codepage = k->version >= 8 ? 0 : 1252;
}

/* From a BOF to its EOF. Returns where it ended. */
static size_t substream(struct book *k, size_t at)
{
	unsigned depth = 0;
	struct record r;

	for (; record_at(k->stream, at, &r) && !sink_full(k->sink) && !k->shut && k->left; at = r.next) {
		k->left -= MIN(k->left, 4 + r.data.n);
		if (is_bof(r.type)) {
			if (++depth > NESTED_MAX)
				break;
		} else if (r.type == R_EOF) {
			if (depth <= 1)
				return r.next;
			depth--;
		} else {
			handle(k, &r);
		}
	}
	return at;
}

static void one_sheet(struct book *k, size_t at, str name, bool hidden)
{
	memset(k->hidden_row, 0, sizeof(k->hidden_row));
	memset(k->hidden_col, 0, sizeof(k->hidden_col));
	k->hidden = hidden;
	k->object = 0;
	k->awaits = false;
	sink_table(k->sink, name, hidden);
	sink_hidden(k->sink, false);
	substream(k, at);
	sink_hidden(k->sink, false);
	sink_table_end(k->sink);
	sink_hidden(k->sink, hidden);
	flush_later(k);
	sink_hidden(k->sink, false);
}

/* Pictures of all sheets stand together. And a book that ends before its end was cut. */
static int finish(struct book *k)
{
	bool pictures = false;
	struct record r;

	for (size_t at = 0; record_at(k->stream, at, &r); at = r.next) {
		struct record next;

		if (r.type == DRAWINGS && !pictures) {
			on_drawings(k, &r);
			pictures = true;
		}
		if (r.data.n < le16(k->stream, at + 2)) {
			sink_reason(k->sink, "truncated");
			return -EBADMSG;
		}
		if (r.type == R_EOF && record_at(k->stream, r.next, &next) && next.type == 0)
			break; /* the stream is filled up */
	}
	return 0;
}

static int read_book(struct book *k)
{
	bool lost = false;
	struct record r;
	size_t end;

	if (!record_at(k->stream, 0, &r) || !is_bof(r.type)) {
		sink_reason(k->sink, "no workbook");
		return -EBADMSG;
	}
	set_version(k, &r);
	if (k->version < 4 || (k->version == 4 && le16(r.data, 2) == 0x10)) { /* one sheet is all there is */
		one_sheet(k, 0, STR_NONE, false);
	} else {
		end = substream(k, 0);
		flush_later(k);
		for (size_t i = 0; i < k->n_sheets && !k->shut; i++)
			if (record_at(k->stream, k->sheets[i].at, &r) && is_bof(r.type))
				one_sheet(k, k->sheets[i].at, buf_str(&k->sheets[i].name), k->sheets[i].hidden);
			else
				lost = true;
		if (!k->n_sheets && end < k->stream.n && !k->shut)
			one_sheet(k, end, STR_NONE, false);
	}
	if (k->shut == -EACCES)
		sink_reason(k->sink, "a password is needed");
	if (k->shut)
		return k->shut;
	if (lost) {
		sink_reason(k->sink, "a sheet is missing");
		return -EBADMSG;
	}
	return finish(k);
}

static void book_free(struct book *k)
{
	if (!k)
		return;
	shared_free(&k->shared);
	for (size_t i = 0; i < k->n_sheets; i++)
		buf_free(&k->sheets[i].name);
	buf_free(&k->later);
	buf_free(&k->clear);
	free(k->xf);
	free(k);
}

static int read_records(struct ole *o, struct sink *s, str stream)
{
	struct book *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->ole = o;
	k->sink = s;
	k->stream = stream;
	k->left = stream.n;
	r = read_book(k);
	book_free(k);
	return r;
}

int xls_read_stream(struct ole *o, str stream)
{
	return read_records(o, o->sink, stream);
}

int xls_read_ole(struct ole *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = ole_load(o, o->root, "Workbook", &b), k;

	if (r == -ENOENT)
		r = ole_load(o, o->root, "Book", &b);
	ole_properties(o);
	if (r == 0)
		r = read_records(o, o->sink, buf_str(&b));
	buf_free(&b);
	k = ole_objects(o, o->root, "MBD");
	return k < 0 ? k : r;
}

/* Excel 2 to 4, and streams that somebody saved without their container. */
static int bid(struct in *in, str head)
{
	struct record r;

	if (!record_at(head, 0, &r) || !is_bof(r.type) || r.data.n < 4 || r.data.n > 16 || le16(head, 2) != r.data.n)
		return 0;
	/* A kind that exists, and a record behind it that looks like one. */
	if (le16(r.data, 2) != 0x10 && le16(r.data, 2) != 0x05 && le16(r.data, 2) != 0x20 && le16(r.data, 2) != 0x40 && le16(r.data, 2) != 0x100)
		return 0;
	return record_at(head, r.next, &r) && r.type < 0x900 ? 40 : 0;
}

static int read_bare(struct in *in, struct sink *s)
{
	str whole;
	int r = in_whole(in, IN_WHOLE_MAX, &whole);

	return r < 0 ? r : read_records(NULL, s, whole);
}

const struct format format_xls = { .name = "xls", .mime = "application/vnd.ms-excel", .bid = bid, .read = read_bare };
