/* Rich Text Format: groups with a state each, text in the charset of its font. */
#include "extract/formats/rtf.h"

#include <ctype.h>
#include <errno.h>

#include "extract/formats/html.h"
#include "extract/formats/msip.h"

#define DEPTH_MAX 4096  /* deeper groups share a state */
#define FONTS 32768
#define NAME_MAX_ 32

struct state {
	uint8_t dest, zone, uc;
	uint8_t outside;      /* destination around \upr */
	bool hidden, deleted, in_table, html_rtf, dbch;
	uint16_t codepage, dbch_codepage; /* 0: the document's */
	size_t at;            /* where this destination's text begins in gathered */
	const char *key;
};

/* Paragraphs of the text, and those that stand in the middle of them (footnotes, shapes). */
struct flow {
	struct buf text;
	uint8_t zone;
	bool hidden;
};

struct rtf {
	struct sink *s;
	const char *p, *end;
	struct state st, *stack;
	uint32_t depth, over;
	struct flow flows[2];
	struct buf raw, gathered, links, html, property, shape, class_name;
	uint16_t raw_codepage, codepage, *fonts, deff;
	uint32_t font;        /* the one being defined */
	uint32_t row, col;
	bool row_open, star, from_html, table;
	int skip;             /* what stands behind \u for others */
	uint32_t surrogate;
	int nibble;           /* half a byte of hexadecimal digits, -1 none */
	unsigned objects;
	int when[5];
	struct msip msip;
};

/* ---- text ---- */

static bool in_table(const struct rtf *d)
{
	return d->st.in_table || d->row_open;
}

static struct flow *flow(struct rtf *d)
{
	return &d->flows[d->st.dest == DEST_ASIDE];
}

static void put_flow(struct rtf *d, struct flow *f)
{
	str text = buf_str(&f->text);

	if (!text.n)
		return;
	sink_hidden(d->s, f->hidden);
	if (f == &d->flows[0] && in_table(d) && f->zone == ZONE_BODY) {
		if (!d->table)
			sink_table(d->s, STR_NONE, false);
		d->table = true;
		sink_cell(d->s, d->row + 1, d->col + 1, text);
	} else {
		if (f == &d->flows[0] && d->table && !in_table(d)) {
			sink_table_end(d->s);
			d->table = false;
			d->row = d->col = 0;
		}
		sink_text(d->s, f->zone, text);
	}
	sink_hidden(d->s, false);
	buf_clear(&f->text);
}

static void end_block(struct rtf *d, struct flow *f)
{
	put_flow(d, f);
	if (d->links.n)
		sink_text(d->s, ZONE_LINK, buf_str(&d->links));
	buf_clear(&d->links);
	sink_block(d->s);
}

/* Where decoded text goes; NULL nowhere. */
static struct buf *target(struct rtf *d)
{
	const struct state *st = &d->st;
	struct flow *f;
	uint8_t zone = st->deleted ? ZONE_DELETED : st->zone;

	if (st->dest == DEST_HTML_TAG)
		return d->from_html ? &d->html : NULL;
	if (st->dest != DEST_BODY && st->dest != DEST_ASIDE)
		return st->dest == DEST_SKIP || st->dest == DEST_INFO || st->dest == DEST_FONTS ? NULL : &d->gathered;
	if (d->from_html)
		return st->html_rtf ? NULL : &d->html;
	f = flow(d);
	if (f->text.n && (f->zone != zone || f->hidden != st->hidden))
		put_flow(d, f);
	f->zone = zone;
	f->hidden = st->hidden;
	return &f->text;
}

/* Bytes gathered so far become text. */
static void decode(struct rtf *d)
{
	struct buf *b = d->raw.n ? target(d) : NULL;

	if (b)
		charset_codepage_to_utf8(d->raw_codepage, buf_str(&d->raw), b);
	buf_clear(&d->raw);
}

static void put_char(struct rtf *d, uint32_t c)
{
	struct buf *b;

	decode(d);
	b = target(d);
	if (b)
		html_put_char(b, c);
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

static bool takes_hex(const struct rtf *d)
{
	return d->st.dest == DEST_PICTURE || d->st.dest == DEST_OBJECT_DATA;
}

/* A letter that is written as itself where two bytes make one (UTF-16): it is one by itself, unless it is half of a pair. */
static bool stands_alone(const struct rtf *d, char c, uint16_t page)
{
	str behind = { d->p, (size_t)(d->end - d->p) };

	return page == 1200 && (uint8_t)c < 0x80 && !(d->raw_codepage == page && d->raw.n % 2) && !str_starts(behind, STR("\\'00"));
}

static void put_byte(struct rtf *d, char c, bool escaped)
{
	uint16_t page = d->st.dbch && d->st.dbch_codepage ? d->st.dbch_codepage : d->st.codepage ? d->st.codepage : d->codepage;

	if (!escaped && stands_alone(d, c, page))
		page = 1252;
	if (d->skip > 0) {
		d->skip--;
		return;
	}
	if (d->surrogate) { /* half a character is none */
		d->surrogate = 0;
		put_char(d, 0xfffd);
	}
	if (d->raw.n && page != d->raw_codepage)
		decode(d);
	d->raw_codepage = page;
	buf_putc(&d->raw, c);
}

static void put_unicode(struct rtf *d, int n)
{
	uint32_t c = (uint32_t)(n < 0 ? n + 65536 : n);

	if (c >= 0xd800 && c < 0xdc00) {
		d->surrogate = c;
	} else if (c >= 0xdc00 && c < 0xe000 && d->surrogate) {
		put_char(d, 0x10000 + ((d->surrogate - 0xd800) << 10) + (c - 0xdc00));
		d->surrogate = 0;
	} else {
		if (c >= 0xf020 && c <= 0xf0ff) /* a sign of a symbol font */
			c -= 0xf000;
		put_char(d, c);
	}
	d->skip = d->st.uc;
}

/* ---- destinations ---- */

static void field(struct rtf *d, str s)
{
	const char *h = s.n ? memmem(s.p, s.n, "HYPERLINK", 9) : NULL, *open = h ? memchr(h, '"', s.n - (size_t)(h - s.p)) : NULL, *close;

	close = open ? memchr(open + 1, '"', s.n - (size_t)(open + 1 - s.p)) : NULL;
	if (!close || !memchr(open, ':', (size_t)(close - open)))
		return;
	if (d->links.n)
		buf_putc(&d->links, '\n');
	buf_puts(&d->links, (str){ open + 1, (size_t)(close - open) - 1 });
}

static void keep(struct buf *b, str s)
{
	buf_clear(b);
	buf_puts(b, s);
}

static void property(struct rtf *d, str value)
{
	_cleanup_buf_ struct buf key = BUF_INIT;

	if (!d->property.n || msip_take(&d->msip, buf_str(&d->property), value))
		return;
	buf_puts(&key, STR("custom:"));
	buf_puts(&key, buf_str(&d->property));
	if (buf_cstr(&key))
		sink_meta(d->s, key.p, value);
}

static void when(struct rtf *d, const char *key)
{
	char s[80];

	if (!d->when[0])
		return;
	snprintf(s, sizeof(s), "%04d-%02d-%02dT%02d:%02d", d->when[0], d->when[1], d->when[2], d->when[3], d->when[4]);
	sink_meta(d->s, key, str_c(s));
}

/* A group with a destination of its own has ended; s is what stood in it. */
static int destination_ends(struct rtf *d, const struct state *st, str s)
{
	switch (st->dest) {
	case DEST_META: sink_meta(d->s, st->key, s); break;
	case DEST_FIELD: field(d, s); break;
	case DEST_PROPERTY: keep(&d->property, s); break;
	case DEST_PROPERTY_VALUE: property(d, s); break;
	case DEST_SHAPE_NAME: keep(&d->shape, s); break;
	case DEST_OBJECT_CLASS: keep(&d->class_name, s); break;
	case DEST_CREATED: when(d, "created"); break;
	case DEST_MODIFIED: when(d, "modified"); break;
	case DEST_SHAPE_VALUE:
		if (str_eq(buf_str(&d->shape), STR("gtextUNICODE")) && s.n) {
			sink_block(d->s);
			sink_text(d->s, ZONE_WATERMARK, s);
			sink_block(d->s);
		}
		break;
	case DEST_PICTURE:
		if (s.n)
			sink_image(d->s, STR_NONE, s);
		break;
	case DEST_OBJECT_DATA: return rtf_object(d->s, s, buf_str(&d->class_name), ++d->objects);
	default: break;
	}
	return 0;
}

static void open_destination(struct rtf *d, uint8_t dest, uint8_t zone)
{
	if (d->over || d->st.dest == DEST_SKIP)
		return;
	decode(d);
	if (dest == DEST_BODY) /* what it holds is text of where it stands */
		return;
	d->st.dest = dest;
	d->st.at = d->gathered.n;
	d->nibble = -1;
	if (zone)
		d->st.zone = zone;
	if (dest == DEST_CREATED || dest == DEST_MODIFIED)
		memset(d->when, 0, sizeof(d->when));
}

static void open_group(struct rtf *d)
{
	decode(d);
	d->skip = 0;
	if (d->depth == DEPTH_MAX) {
		d->over++;
		return;
	}
	d->stack[d->depth++] = d->st;
}

static int close_group(struct rtf *d)
{
	struct state was = d->st;
	int r = 0;

	decode(d);
	d->skip = 0;
	if (d->over) {
		d->over--;
		return 0;
	}
	if (!d->depth)
		return 1;
	d->st = d->stack[--d->depth];
	if (was.dest == DEST_ASIDE && d->st.dest != DEST_ASIDE)
		end_block(d, &d->flows[1]);
	else if (was.dest != d->st.dest || was.at != d->st.at)
		r = destination_ends(d, &was, (str){ d->gathered.p + was.at, d->gathered.n - was.at });
	if (was.dest != d->st.dest || was.at != d->st.at)
		d->gathered.n = MIN(d->gathered.n, was.at);
	return r < 0 ? r : d->depth == 0;
}

/* ---- words ---- */

static void paragraph(struct rtf *d)
{
	if (d->st.dest != DEST_BODY && d->st.dest != DEST_ASIDE && d->st.dest != DEST_HTML_TAG)
		return;
	decode(d);
	if (d->from_html || d->st.dest == DEST_HTML_TAG || (d->st.dest == DEST_BODY && in_table(d))) {
		struct buf *b = target(d);

		if (b && b->n)
			buf_putc(b, '\n');
		return;
	}
	end_block(d, flow(d));
}

static void cell(struct rtf *d)
{
	struct flow *f = flow(d);

	decode(d);
	if (d->st.dest != DEST_BODY || d->from_html) {
		put_char(d, '\t');
		return;
	}
	while (f->text.n && f->text.p[f->text.n - 1] == '\n')
		f->text.n--;
	d->st.in_table = true;
	put_flow(d, f);
	d->col++;
}

static void row(struct rtf *d)
{
	decode(d);
	if (d->st.dest != DEST_BODY || d->from_html)
		return;
	d->st.in_table = true;
	put_flow(d, &d->flows[0]);
	d->row_open = false;
	d->row += d->col > 0;
	d->col = 0;
}

static void on_font(struct rtf *d, uint32_t n)
{
	decode(d);
	if (d->st.dest == DEST_FONTS)
		d->font = n;
	else
		d->st.codepage = n < FONTS ? d->fonts[n] : 0;
	d->st.dbch_codepage = 0;
}

static void define_font(struct rtf *d, uint16_t codepage)
{
	if (d->st.dest == DEST_FONTS && d->font < FONTS)
		d->fonts[d->font] = codepage;
}

static void on_table_word(struct rtf *d, uint32_t word)
{
	decode(d);
	switch (word) {
	case WORD_TROWD:
		if (d->st.dest == DEST_BODY && !in_table(d))
			end_block(d, &d->flows[0]);
		d->row_open = d->st.dest == DEST_BODY;
		break;
	case WORD_INTBL:
		if (d->st.dest == DEST_BODY && !in_table(d))
			put_flow(d, &d->flows[0]);
		d->st.in_table = d->st.dest == DEST_BODY;
		break;
	default: /* \pard */
		if (d->st.dest == DEST_BODY && d->flows[0].text.n && d->st.in_table && !d->row_open)
			put_flow(d, &d->flows[0]);
		d->st.in_table = d->row_open = false;
		break;
	}
}

static void on_charset_word(struct rtf *d, uint32_t word, int n, bool has)
{
	decode(d);
	switch (word) {
	case WORD_FONT: on_font(d, has && n >= 0 ? (uint32_t)n : 0); break;
	case WORD_CHARSET: define_font(d, rtf_charset(n)); break;
	case WORD_CPG: define_font(d, (uint16_t)n); break;
	case WORD_ANSICPG: d->codepage = n > 0 && n < 65536 ? (uint16_t)n : d->codepage; break;
	case WORD_DEFF: d->deff = n >= 0 && n < FONTS ? (uint16_t)n : 0; break;
	case WORD_DBCH: d->st.dbch = true; break;
	case WORD_LOCH: d->st.dbch = false; break;
	case WORD_AF:
		if (d->st.dbch)
			d->st.dbch_codepage = n >= 0 && n < FONTS ? d->fonts[n] : 0;
		break;
	default: break;
	}
}

static void on_word(struct rtf *d, uint32_t word, int n, bool has)
{
	bool on = !has || n != 0;

	switch (word) {
	case WORD_PAR: paragraph(d); break;
	case WORD_CELL: cell(d); break;
	case WORD_ROW: row(d); break;
	case WORD_TROWD: case WORD_PARD: case WORD_INTBL: on_table_word(d, word); break;
	case WORD_PLAIN:
		decode(d);
		d->st.hidden = d->st.deleted = d->st.dbch = false;
		d->st.dbch_codepage = 0;
		d->st.codepage = d->fonts[d->deff];
		break;
	case WORD_HIDDEN: decode(d); d->st.hidden = on; break;
	case WORD_DELETED: decode(d); d->st.deleted = on; break;
	case WORD_UC: d->st.uc = n >= 0 && n < 16 ? (uint8_t)n : 1; break;
	case WORD_U: put_unicode(d, n); break;
	case WORD_HTML: d->from_html = on; break;
	case WORD_HTMLRTF: decode(d); d->st.html_rtf = on; break;
	case WORD_UPR: /* the same twice: what old readers know, then \ud in Unicode */
		d->st.outside = d->st.dest;
		open_destination(d, DEST_SKIP, 0);
		break;
	case WORD_UD:
		decode(d);
		d->st.dest = d->st.outside;
		break;
	case WORD_YEAR: case WORD_MONTH: case WORD_DAY: case WORD_HOUR: case WORD_MINUTE:
		d->when[word - WORD_YEAR] = n >= 0 && n < 10000 ? n : 0;
		break;
	default: on_charset_word(d, word, n, has); break;
	}
}

static void binary(struct rtf *d, int n)
{
	size_t k = MIN((size_t)MAX(n, 0), (size_t)(d->end - d->p));

	decode(d);
	if (takes_hex(d))
		buf_put(&d->gathered, d->p, k);
	d->p += k;
}

static void control(struct rtf *d, str name, int n, bool has)
{
	const struct rtf_control *c = rtf_control(name);
	bool star = d->star;

	d->star = false;
	if (c && c->kind == RTF_WORD && c->arg == WORD_BIN) {
		binary(d, n);
		return;
	}
	if (d->skip > 0) {
		d->skip--;
		return;
	}
	if (!c) {
		if (star)
			open_destination(d, DEST_SKIP, 0);
		return;
	}
	switch (c->kind) {
	case RTF_CHAR: put_char(d, c->arg); break;
	case RTF_DEST: open_destination(d, (uint8_t)c->arg, 0); break;
	case RTF_META:
		open_destination(d, DEST_META, 0);
		d->st.key = c->key;
		break;
	case RTF_ZONE: open_destination(d, DEST_ASIDE, (uint8_t)c->arg); break;
	case RTF_CODEPAGE: d->codepage = (uint16_t)c->arg; break;
	default: on_word(d, c->arg, n, has); break;
	}
}

/* Behind '\\': a word with its number, or a sign. */
static void escape(struct rtf *d)
{
	const char *p = d->p, *name = p;
	bool negative = false, has = false;
	int64_t n = 0;

	if (p == d->end)
		return;
	if (!isalpha((unsigned char)*p)) {
		d->p++;
		switch (*p) {
		case '\'':
			if (d->end - d->p >= 2 && hex_digit(d->p[0]) >= 0 && hex_digit(d->p[1]) >= 0) {
				put_byte(d, (char)(hex_digit(d->p[0]) << 4 | hex_digit(d->p[1])), true);
				d->p += 2;
			}
			break;
		case '*': d->star = true; break;
		case '~': put_char(d, ' '); break;
		case '_': put_char(d, '-'); break;
		case '-': case ':': case '|': break; /* where a word may be parted; index marks */
		case '\n': case '\r': paragraph(d); break;
		default: put_byte(d, *p, false); break;
		}
		return;
	}
	while (p < d->end && isalpha((unsigned char)*p) && p - name < NAME_MAX_)
		p++;
	d->p = p;
	if (p + 1 < d->end && *p == '-' && isdigit((unsigned char)p[1])) {
		negative = true;
		p++;
	}
	for (; p < d->end && isdigit((unsigned char)*p); p++) {
		has = true;
		if (n < INT32_MAX)
			n = n * 10 + (*p - '0');
	}
	n = MIN(n, (int64_t)INT32_MAX);
	p += p < d->end && *p == ' ';
	{
		str word = { name, (size_t)(d->p - name) };

		d->p = p;
		control(d, word, (int)(negative ? -n : n), has);
	}
}

static void hex_byte(struct rtf *d, char c)
{
	int v = hex_digit(c);

	if (v < 0)
		return;
	if (d->nibble < 0) {
		d->nibble = v;
		return;
	}
	buf_putc(&d->gathered, (char)(d->nibble << 4 | v));
	d->nibble = -1;
}

static int run(struct rtf *d)
{
	int r = 0;

	while (r == 0 && d->p < d->end && !sink_full(d->s)) {
		char c = *d->p++;

		switch (c) {
		case '\\': escape(d); break;
		case '{': open_group(d); break;
		case '}': r = close_group(d); break;
		case '\r': case '\n': case '\0': break;
		default:
			if (takes_hex(d))
				hex_byte(d, c);
			else
				put_byte(d, c, false);
			break;
		}
		if (c != '\\' && c != '\r' && c != '\n')
			d->star = false;
	}
	return r;
}

/* What was open at the end is said as far as it goes. */
static int finish(struct rtf *d, int r)
{
	bool cut = r == 0 && d->depth > 1 && !sink_full(d->s);

	while (r == 0 && d->depth)
		r = close_group(d);
	decode(d);
	end_block(d, &d->flows[1]);
	end_block(d, &d->flows[0]);
	if (d->table)
		sink_table_end(d->s);
	if (d->html.n && r >= 0)
		r = html_read(buf_str(&d->html), d->s, ZONE_BODY);
	msip_put(&d->msip, d->s, 2);
	if (r < 0)
		return r;
	if (cut) {
		sink_reason(d->s, "ends inside a group");
		return -EBADMSG;
	}
	return buf_error(&d->gathered);
}

int rtf_read(str bytes, struct sink *s)
{
	struct rtf d = { .s = s, .p = bytes.p, .end = bytes.p + bytes.n, .codepage = 1252, .nibble = -1 };
	struct buf *bufs[] = { &d.flows[0].text, &d.flows[1].text, &d.raw, &d.gathered, &d.links, &d.html, &d.property, &d.shape, &d.class_name };
	int r = -ENOMEM;

	d.st = (struct state){ .zone = ZONE_BODY, .uc = 1 };
	d.stack = malloc(DEPTH_MAX * sizeof(*d.stack));
	d.fonts = calloc(FONTS, sizeof(*d.fonts));
	if (d.stack && d.fonts)
		r = finish(&d, run(&d));
	free(d.stack);
	free(d.fonts);
	for (size_t i = 0; i < ARRAY_SIZE(bufs); i++)
		buf_free(bufs[i]);
	msip_free(&d.msip);
	return r;
}

static int bid(struct in *in, str head)
{
	return str_starts(head, STR("{\\rtf")) ? 90 : 0;
}

static int read_rtf(struct in *in, struct sink *s)
{
	str bytes;
	int r = in_whole(in, IN_WHOLE_MAX, &bytes);

	if (r == -EMSGSIZE)
		sink_reason(s, "a text of more than %u bytes", IN_WHOLE_MAX);
	return r < 0 ? r : rtf_read(bytes, s);
}

const struct format format_rtf = { .name = "rtf", .mime = "application/rtf", .bid = bid, .read = read_rtf };
