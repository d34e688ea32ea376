/* Word 6 to 2003 (MS-DOC): the piece table says where the text stands, marks in the text say what it is. */
#include "base/utf8.h"
#include "extract/formats/ole.h"

#include <errno.h>
#include <strings.h>

#include "extract/formats/doc_runs.h"

#define FIELDS_MAX 32
#define PARAGRAPH_MAX (1u << 20) /* one that does not end is taken in pieces of this size */
#define SEGMENTS_MAX 1024
#define LINKS_MAX (256u << 10)
#define PARTS_MAX 4096           /* stretches of one zone */
#define CELL_MAX (1u << 20)
#define WORD_97 0xb0             /* versions below: 6 and 95 */

/* A stretch of characters of one formatting. */
struct segment {
	size_t end;
	uint8_t flags;
};

struct stretch {
	uint64_t from; /* character position */
	enum zone zone;
};

struct words {
	struct ole *ole;
	struct sink *sink;
	str document, table;
	bool old;               /* Word 6, 95 */
	unsigned codepage;
	struct runs chars, paragraphs;
	struct stretch *parts;
	size_t n_parts;
	enum zone zone;
	struct buf text;        /* of the paragraph */
	struct segment segment[SEGMENTS_MAX];
	size_t n_segments;
	struct buf cell, deleted, links, instruction;
	bool cell_shown, in_table;
	uint32_t row, col;
	uint32_t high;          /* first half of a surrogate pair */
	unsigned field;         /* depth */
	uint32_t in_instruction; /* a bit for each depth */
};

/* ---- where things stand in the file's head ---- */

static uint32_t fib_lw(const struct words *w, size_t i)
{
	return le32(w->document, w->old ? 0x34 + 4 * i : 0x4c + 4 * i);
}

/* The i-th (offset, length) as a view. */
static str fib_table(const struct words *w, size_t i, size_t old_at)
{
	size_t at = w->old ? old_at : 0x9a + 8 * i;

	return !at ? STR_NONE : le_sub(w->table, le32(w->document, at), le32(w->document, at + 4));
}

static unsigned codepage_of(uint16_t lid)
{
	static const struct {
		uint8_t primary;
		unsigned codepage;
	} known[] = {
		{ 0x01, 1256 }, { 0x02, 1251 }, { 0x05, 1250 }, { 0x08, 1253 }, { 0x0d, 1255 }, { 0x0e, 1250 }, { 0x11, 932 }, { 0x12, 949 },
		{ 0x15, 1250 }, { 0x18, 1250 }, { 0x19, 1251 }, { 0x1a, 1250 }, { 0x1b, 1250 }, { 0x1e, 874 }, { 0x1f, 1254 }, { 0x22, 1251 },
		{ 0x23, 1251 }, { 0x24, 1250 },
		{ 0x25, 1257 }, { 0x26, 1257 }, { 0x27, 1257 }, { 0x29, 1256 },
	};

	if ((lid & 0xff) == 0x04)
		return lid == 0x0404 || lid == 0x0c04 ? 950 : 936;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].primary == (lid & 0xff))
			return known[i].codepage;
	return 1252;
}

/* ---- paragraphs and cells ---- */

static void end_table(struct words *w)
{
	if (!w->in_table)
		return;
	if (w->cell.n)
		sink_cell(w->sink, w->row, w->col, buf_str(&w->cell));
	sink_hidden(w->sink, false);
	sink_table_end(w->sink);
	if (w->deleted.n) {
		sink_text(w->sink, ZONE_DELETED, buf_str(&w->deleted));
		sink_block(w->sink);
	}
	buf_clear(&w->cell);
	buf_clear(&w->deleted);
	w->in_table = false;
}

static void put_segments(struct words *w)
{
	size_t at = 0;

	for (size_t i = 0; i < w->n_segments; i++) {
		const struct segment *g = &w->segment[i];

		sink_hidden(w->sink, g->flags & RUN_HIDDEN);
		sink_text(w->sink, g->flags & RUN_DELETED ? ZONE_DELETED : w->zone, (str){ w->text.p + at, g->end - at });
		at = g->end;
	}
	sink_hidden(w->sink, false);
}

static void put_into_cell(struct words *w)
{
	size_t at = 0;

	for (size_t i = 0; w->text.p && i < w->n_segments; i++) {
		const struct segment *g = &w->segment[i];
		struct buf *b = g->flags & RUN_DELETED ? &w->deleted : &w->cell;

		if (b->n < CELL_MAX)
			buf_put(b, w->text.p + at, g->end - at);
		if (!(g->flags & (RUN_HIDDEN | RUN_DELETED)))
			w->cell_shown = true;
		at = g->end;
	}
}

static void forget(struct words *w)
{
	buf_clear(&w->text);
	w->n_segments = 0;
}

static void end_cell(struct words *w)
{
	while (w->cell.n && w->cell.p[w->cell.n - 1] == '\n')
		w->cell.n--;
	sink_hidden(w->sink, !w->cell_shown);
	sink_cell(w->sink, w->row, w->col++, buf_str(&w->cell));
	sink_hidden(w->sink, false);
	buf_clear(&w->cell);
	w->cell_shown = false;
}

static void end_row(struct words *w)
{
	w->row++;
	w->col = 1;
	buf_clear(&w->cell);
}

/* A mark that ends a paragraph, cell or row. Headers and the like count as what they are, though they be laid out as tables. */
static void end_paragraph(struct words *w, uint32_t mark, uint8_t flags)
{
	bool cell = mark == 7 && !(flags & RUN_INNER), table = (cell || flags & RUN_TABLE) && (w->zone == ZONE_BODY || w->zone == ZONE_NOTE);

	if (!table) {
		end_table(w);
		put_segments(w);
		sink_block(w->sink);
		forget(w);
		return;
	}
	if (!w->in_table) {
		w->in_table = true;
		w->row = w->col = 1;
	}
	/* Where the properties are lost, a cell mark straight behind another ends the row. */
	if (cell && !w->text.n && (w->paragraphs.n ? flags & RUN_ROW_END : !w->cell.n && w->col > 1)) {
		end_row(w);
		forget(w);
		return;
	}
	put_into_cell(w);
	if (cell)
		end_cell(w);
	else if (w->cell.n)
		buf_putc(&w->cell, '\n');
	forget(w);
}

/* ---- fields ---- */

/* EQ \o\ad(\s\up 9(reading),base): a phonetic guide; the base is the text, and there is no result. */
static void take_base(struct words *w)
{
	static const char word[] = "\\ad(";
	str s = buf_str(&w->instruction);
	const char *p = s.p ? memmem(s.p, s.n, word, sizeof(word) - 1) : NULL;
	size_t from, to;

	if (!p || !memmem(s.p, s.n, "EQ", 2))
		return;
	from = to = s.n;
	while (to > (size_t)(p - s.p) && s.p[to - 1] != ')')
		to--;
	to -= to > 0;
	for (from = to; from > (size_t)(p - s.p) && s.p[from - 1] != ',' && s.p[from - 1] != ';' && s.p[from - 1] != '(';)
		from--;
	if (!w->n_segments || w->segment[w->n_segments - 1].flags) {
		if (w->n_segments == SEGMENTS_MAX)
			return;
		w->segment[w->n_segments++].flags = 0;
	}
	buf_put(&w->text, s.p + from, to - from);
	w->segment[w->n_segments - 1].end = w->text.n;
}

/* HYPERLINK "target" … */
static void take_link(struct words *w)
{
	static const char word[] = "HYPERLINK";
	str s = buf_str(&w->instruction);
	const char *p = s.p ? memmem(s.p, s.n, word, sizeof(word) - 1) : NULL, *end = NULL;

	p = p ? memchr(p, '"', s.n - (size_t)(p - s.p)) : NULL;
	if (p) {
		p++;
		end = memchr(p, '"', s.n - (size_t)(p - s.p));
	}
	if (end && end > p && w->links.n < LINKS_MAX) {
		buf_put(&w->links, p, (size_t)(end - p));
		buf_putc(&w->links, '\0');
	}
	buf_clear(&w->instruction);
}

static void field(struct words *w, uint32_t mark)
{
	uint32_t bit = 1u << (MAX(w->field, 1u) - 1) % FIELDS_MAX;

	if (mark == 0x13 && w->field < FIELDS_MAX) {
		w->in_instruction |= 1u << w->field;
		w->field++;
	} else if (mark != 0x13 && w->field) {
		if (w->in_instruction & bit && mark == 0x15)
			take_base(w);
		if (w->in_instruction & bit)
			take_link(w);
		w->in_instruction &= ~bit;
		if (mark == 0x15)
			w->field--;
	}
}

static void put_links(struct words *w)
{
	for (size_t at = 0; at < w->links.n;) {
		str link = str_c(w->links.p + at);

		sink_text(w->sink, ZONE_LINK, link);
		sink_block(w->sink);
		at += link.n + 1;
	}
}

/* ---- characters ---- */

static void put_char(struct words *w, uint32_t c, uint8_t flags)
{
	struct segment *last = w->n_segments ? &w->segment[w->n_segments - 1] : NULL;

	if (w->in_instruction) {
		if (w->instruction.n < 4096)
			utf8_put(&w->instruction, c >= 0x201c && c <= 0x201e ? '"' : c);
		return;
	}
	if (!last || (last->flags != flags && w->n_segments < SEGMENTS_MAX)) {
		last = &w->segment[w->n_segments++];
		last->flags = flags;
	}
	utf8_put(&w->text, c);
	last->end = w->text.n;
	if (w->text.n >= PARAGRAPH_MAX) {
		put_segments(w);
		forget(w);
	}
}

/* One character as it stands in the file, fc where. */
static void take_char(struct words *w, uint32_t c, uint32_t fc, uint8_t flags)
{
	uint32_t to;

	if (c >= 0x20 && c != 0xad) {
		put_char(w, c, flags & (RUN_HIDDEN | RUN_DELETED));
		return;
	}
	switch (c) {
	case 7:
	case '\r':
	case 0x0c: /* page, section */
	case 0x0e: /* column */
		end_paragraph(w, c, runs_at(&w->paragraphs, fc, &to));
		break;
	case '\t':
	case 0x0b:
		put_char(w, c == '\t' ? '\t' : '\n', flags & (RUN_HIDDEN | RUN_DELETED));
		break;
	case 0x1e:
		put_char(w, '-', flags & (RUN_HIDDEN | RUN_DELETED));
		break;
	case 0x13:
	case 0x14:
	case 0x15:
		field(w, c);
		break;
	default: /* pictures, references, optional hyphens */
		break;
	}
}

static void take_unit(struct words *w, uint32_t u, uint32_t fc, uint8_t flags)
{
	if (u >= 0xdc00 && u < 0xe000) {
		u = w->high ? 0x10000 + ((w->high - 0xd800) << 10) + (u - 0xdc00) : 0xfffd;
		w->high = 0;
	} else if (w->high) {
		w->high = 0;
		take_char(w, 0xfffd, fc, flags);
	}
	if (u >= 0xd800 && u < 0xdc00)
		w->high = u;
	else
		take_char(w, u, fc, flags);
}

/* What stands at 0x80…0x9f of Windows' code page 1252. */
static const uint16_t high_1252[32] = {
	0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
};

static void take_narrow(struct words *w, uint32_t fc, uint64_t n)
{
	uint32_t to = 0;
	uint8_t flags = 0;

	for (; n; n--, fc++) {
		uint8_t c = le8(w->document, fc);

		if (fc >= to)
			flags = runs_at(&w->chars, fc, &to);
		take_char(w, c >= 0x80 && c < 0xa0 ? high_1252[c - 0x80] : c, fc, flags);
	}
}

static void take_wide(struct words *w, uint32_t fc, uint64_t n)
{
	uint32_t to = 0;
	uint8_t flags = 0;

	for (; n; n--, fc += 2) {
		if (fc >= to)
			flags = runs_at(&w->chars, fc, &to);
		take_unit(w, le16(w->document, fc), fc, flags);
	}
}

/* Bytes of a code page in which a character may take two. */
static void take_codepage(struct words *w, uint32_t fc, uint64_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	charset_codepage_to_utf8(w->codepage, le_sub(w->document, fc, n), &b);
	for (size_t i = 0; i < b.n;) { /* well-formed: it was just made */
		uint8_t lead = (uint8_t)b.p[i++];
		unsigned more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
		uint32_t c = more ? lead & (0x3fu >> more) : lead;

		for (; more && i < b.n; more--)
			c = c << 6 | ((uint8_t)b.p[i++] & 0x3f);
		take_char(w, c, fc, 0);
	}
}

/* ---- pieces and parts ---- */

static void begin_part(struct words *w, enum zone zone)
{
	end_paragraph(w, '\r', 0);
	end_table(w);
	buf_clear(&w->instruction);
	w->field = w->in_instruction = 0;
	w->zone = zone;
}

static void add_part(struct words *w, uint64_t from, enum zone zone)
{
	if (w->n_parts < PARTS_MAX)
		w->parts[w->n_parts++] = (struct stretch){ from, zone };
}

/* Headers and footers: six stories a section, behind six separators of notes. */
static void add_headers(struct words *w, uint64_t from, uint64_t to)
{
	static const enum zone story[] = { ZONE_HEADER, ZONE_HEADER, ZONE_FOOTER, ZONE_FOOTER, ZONE_HEADER, ZONE_FOOTER };
	str plc = fib_table(w, 11, 0xb0);
	uint64_t last = from;

	add_part(w, from, ZONE_HEADER);
	for (size_t i = 0; !w->old && 4 * i + 4 <= plc.n; i++) {
		uint64_t at = from + le32(plc, 4 * i);

		if (at < last || at >= to)
			break;
		add_part(w, at, i < 6 ? ZONE_NOTE : story[(i - 6) % 6]);
		last = at;
	}
}

/* The document is several texts one behind the other. */
static void find_parts(struct words *w)
{
	/* Text, notes, headers, (macros), comments, endnotes, text boxes, text boxes of headers. */
	static const enum zone zones[] = { ZONE_BODY, ZONE_NOTE, ZONE_HEADER, ZONE_BODY, ZONE_COMMENT, ZONE_NOTE, ZONE_BODY, ZONE_HEADER };
	uint64_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		uint32_t n = fib_lw(w, i);

		if (i == 2 && n)
			add_headers(w, at, at + n);
		else
			add_part(w, at, zones[i]);
		at += n;
	}
}

struct piece {
	uint64_t cp, n;
	uint32_t fc;
	bool narrow;
};

static void take_piece(struct words *w, struct piece p, size_t *part)
{
	while (p.n && !sink_full(w->sink)) {
		uint64_t n = p.n;

		while (*part + 1 < w->n_parts && w->parts[*part + 1].from <= p.cp)
			begin_part(w, w->parts[++*part].zone);
		if (*part + 1 < w->n_parts)
			n = MIN(n, w->parts[*part + 1].from - p.cp);
		(p.narrow ? w->old ? take_codepage : take_narrow : take_wide)(w, p.fc, n);
		p.fc += (uint32_t)(p.narrow ? n : 2 * n);
		p.cp += n;
		p.n -= n;
	}
}

/* The table of pieces inside what Word writes after a fast save, behind formatting that stands before it. */
static str find_pieces(str clx)
{
	for (size_t at = 0; at < clx.n;) {
		if (le8(clx, at) == 2)
			return le_sub(clx, at + 5, le32(clx, at + 1));
		if (le8(clx, at) != 1)
			break;
		at += 3ul + le16(clx, at + 1);
	}
	return STR_NONE;
}

static int read_pieces(struct words *w, str table)
{
	size_t n = table.n >= 16 ? (table.n - 4) / 12 : 0, part = 0;
	bool wide_old = w->old && le16(w->document, 0x0a) & 0x1000;
	uint64_t left = w->document.n; /* pieces do not overlap: no more characters than bytes */
	int r = 0;

	for (size_t i = 0; i < n && left; i++) {
		uint32_t from = le32(table, 4 * i), to = le32(table, 4 * i + 4), fc = le32(table, 4 * (n + 1) + 8 * i + 2);
		struct piece p = { .cp = from, .n = to > from ? to - from : 0, .fc = fc, .narrow = w->old && !wide_old };
		uint64_t room;

		if (!w->old && fc & 0x40000000) {
			p.fc = (fc & ~0x40000000u) / 2;
			p.narrow = true;
		}
		room = p.fc >= w->document.n ? 0 : (w->document.n - p.fc) / (p.narrow ? 1 : 2);
		if (p.n > MIN(room, left)) {
			sink_reason(w->sink, "text that lies beyond the end");
			r = -EBADMSG;
			p.n = MIN(room, left);
		}
		left -= p.n;
		take_piece(w, p, &part);
	}
	return r;
}

/* Without a table: all that lies between two marks of the head. */
static int read_simple(struct words *w)
{
	uint32_t from = le32(w->document, 0x18), to = le32(w->document, 0x1c);
	str raw = le_sub(w->document, from, to > from ? to - from : w->document.n);
	const char *guess = charset_guess(le_sub(raw, 0, 4096));
	struct piece p = { .n = raw.n, .fc = from, .narrow = true };
	size_t part = 0;

	if (!raw.n)
		return -EBADMSG;
	if ((guess && strcmp(guess, "utf-16le") == 0) || (w->old && le16(w->document, 0x0a) & 0x1000)) {
		p.narrow = false;
		p.n /= 2;
	}
	take_piece(w, p, &part);
	return 0;
}

static void pictures(struct words *w)
{
	_cleanup_buf_ struct buf data = BUF_INIT;
	str art = fib_table(w, 50, 0), s;

	art_text(art, w->sink, ZONE_WATERMARK);
	art_pictures(art, w->document, w->sink);
	if (ole_load(w->ole, w->ole->root, "Data", &data) < 0)
		return;
	s = buf_str(&data);
	for (size_t at = 0; le_has(s, at, 0x44) && !sink_full(w->sink);) { /* a head that says how long, then drawing records */
		uint32_t n = le32(s, at), head = le16(s, at + 4);

		if (n < 0x44 || head < 0x44 || head > n)
			break;
		if (le16(s, at + 6) == 0x66) /* a picture with a file's name */
			head += 1u + le8(s, at + head);
		art_pictures(le_sub(s, at + head, n - MIN(n, head)), STR_NONE, w->sink);
		at += n;
	}
}

static int read_text(struct words *w)
{
	str pieces = find_pieces(fib_table(w, 33, 0x160));
	bool complex = le16(w->document, 0x0a) & 4;
	int r;

	if (!w->old) {
		runs_read(&w->chars, w->document, fib_table(w, 12, 0), false);
		runs_read(&w->paragraphs, w->document, fib_table(w, 13, 0), true);
	}
	find_parts(w);
	w->zone = w->parts[0].zone;
	if (pieces.n >= 16) {
		r = read_pieces(w, pieces);
	} else {
		r = read_simple(w);
		if (r == 0 && (!w->old || complex)) {
			sink_reason(w->sink, "the table of pieces is lost");
			r = -EBADMSG;
		}
	}
	end_paragraph(w, '\r', 0);
	end_table(w);
	put_links(w);
	return r;
}

static int read_document(struct words *w)
{
	uint16_t flags = le16(w->document, 0x0a), version = le16(w->document, 2);
	GsfInfile *pool;
	int r;

	if (w->document.n < 0x60 || (le16(w->document, 0) & 0xff00) != 0xa500) {
		sink_reason(w->sink, "no Word document");
		return -EBADMSG;
	}
	if (flags & 0x100) {
		sink_reason(w->sink, "a password is needed");
		return -EACCES;
	}
	w->old = version < WORD_97;
	w->codepage = codepage_of(le16(w->document, 6));
	r = read_text(w);
	if (!w->old)
		pictures(w);
	pool = ole_dir(w->ole->root, "ObjectPool");
	if (pool) {
		int k = ole_objects(w->ole, pool, "_");

		g_object_unref(pool);
		r = k < 0 ? k : r;
	}
	return r;
}

static int read_streams(struct ole *o, str document, str table)
{
	struct words *w = calloc(1, sizeof(*w));
	int r = -ENOMEM;

	if (w)
		w->parts = calloc(PARTS_MAX, sizeof(*w->parts));
	if (w && w->parts) {
		w->ole = o;
		w->sink = o->sink;
		w->document = document;
		w->table = table;
		r = read_document(w);
	}
	if (w) {
		runs_free(&w->chars);
		runs_free(&w->paragraphs);
		buf_free(&w->text);
		buf_free(&w->cell);
		buf_free(&w->deleted);
		buf_free(&w->links);
		buf_free(&w->instruction);
		free(w->parts);
	}
	free(w);
	return r;
}

int doc_read_stream(struct ole *o, str stream)
{
	return read_streams(o, stream, STR_NONE);
}

int doc_read_ole(struct ole *o)
{
	_cleanup_buf_ struct buf document = BUF_INIT, table = BUF_INIT;
	int r = ole_load(o, o->root, "WordDocument", &document), k = 0;
	bool old;

	if (r < 0)
		return r;
	old = le16(buf_str(&document), 2) < WORD_97;
	if (!old)
		k = ole_load(o, o->root, le16(buf_str(&document), 0x0a) & 0x200 ? "1Table" : "0Table", &table);
	if (k == -EMSGSIZE || k == -ENOMEM)
		return k;
	ole_properties(o);
	return read_streams(o, buf_str(&document), old ? buf_str(&document) : buf_str(&table));
}
