/* PDF: pages of text in a standard font, and a picture where it is to be larger. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <zlib.h>

#include "detect/decoy_make.h"

#define LINES 46          /* of a page */
#define OBJECTS_MAX 256
#define PAGES_MAX 60

struct pdf {
	struct buf *b;
	size_t at[OBJECTS_MAX + 1]; /* offset of object n */
	unsigned n;                 /* the last one */
};

static unsigned begin(struct pdf *p, unsigned number)
{
	p->at[number] = p->b->n;
	p->n = MAX(p->n, number);
	buf_putf(p->b, "%u 0 obj\n", number);
	return number;
}

static int put_stream(struct pdf *p, unsigned number, const char *more, str raw, int level)
{
	_cleanup_buf_ struct buf packed = BUF_INIT;
	uLongf room = compressBound((uLong)raw.n);

	if (buf_reserve(&packed, room) < 0)
		return -ENOMEM;
	if (compress2((Bytef *)packed.p, &room, (const Bytef *)raw.p, (uLong)raw.n, level) != Z_OK)
		return -EIO;
	begin(p, number);
	buf_putf(p->b, "<< %s/Filter /FlateDecode /Length %lu >>\nstream\n", more, (unsigned long)room);
	buf_put(p->b, packed.p, room);
	buf_puts(p->b, STR("\nendstream\nendobj\n"));
	return 0;
}

/* UTF-16BE as hexadecimal digits; all characters here lie in the basic plane. */
static void put_hex(struct buf *b, str s)
{
	buf_putc(b, '<');
	for (size_t i = 0, n; i < s.n; i += n) {
		unsigned char c = (unsigned char)s.p[i];
		uint32_t v;

		n = c < 0x80 ? 1 : c < 0xe0 ? 2 : 3;
		v = n == 1 ? c : c & (0xffU >> (n + 1));
		for (size_t k = 1; k < n && i + k < s.n; k++)
			v = v << 6 | ((unsigned char)s.p[i + k] & 0x3f);
		buf_putf(b, "%04x", v & 0xffff);
	}
	buf_putc(b, '>');
}

/* At most `width` columns, at a space (Japanese: between any two). */
static size_t line_end(str s, bool wide)
{
	size_t n = 0, at = 0, space = 0;

	while (at < s.n && n < (wide ? 38u : 86u)) {
		if (s.p[at] == ' ')
			space = at;
		at++;
		while (at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80)
			at++;
		n++;
	}
	return at < s.n && !wide && space ? space : at;
}

static void put_line(struct buf *b, str s, bool wide)
{
	if (wide)
		put_hex(b, s);
	else
		buf_putf(b, "(%.*s)", STR_ARG(s)); /* no word here has a parenthesis */
	buf_puts(b, STR(" Tj T*\n"));
}

/* The next page's content; *at moves on. */
static void put_page(struct buf *b, str text, size_t *at, bool wide, bool picture)
{
	int lines = picture ? 26 : 0;

	if (picture)
		buf_puts(b, STR("q 400 0 0 280 90 60 cm /I1 Do Q\n"));
	buf_puts(b, STR("BT /F1 11 Tf 15 TL 60 780 Td\n"));
	while (*at < text.n && lines < LINES) {
		str rest = { text.p + *at, text.n - *at };
		const char *stop = memchr(rest.p, '\n', rest.n);
		str line = { rest.p, stop ? (size_t)(stop - rest.p) : rest.n };
		size_t n = line_end(line, wide);

		put_line(b, (str){ line.p, n }, wide);
		*at += n;
		if (*at < text.n && (text.p[*at] == '\n' || text.p[*at] == ' '))
			(*at)++;
		lines++;
	}
	buf_puts(b, STR("ET\n"));
}

static void put_fonts(struct pdf *p, bool wide)
{
	begin(p, 3);
	if (!wide) {
		buf_puts(p->b, STR("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>\nendobj\n"));
		return;
	}
	buf_puts(p->b, STR("<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiMin-W3 /Encoding /UniJIS-UTF16-H /DescendantFonts [5 0 R] "
		">>\nendobj\n"));
	begin(p, 5);
	buf_puts(p->b, STR("<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiMin-W3 /CIDSystemInfo << /Registry (Adobe) /Ordering "
		"(Japan1) /Supplement 2 >> "
			   "/FontDescriptor 6 0 R >>\nendobj\n"));
	begin(p, 6);
	buf_puts(p->b, STR("<< /Type /FontDescriptor /FontName /HeiseiMin-W3 /Flags 4 /FontBBox [-123 -257 1001 910] /ItalicAngle 0 /Ascent "
		"709 /Descent -241 "
			   "/CapHeight 709 /StemV 69 >>\nendobj\n"));
}

static int put_picture(struct pdf *p, size_t n)
{
	_cleanup_buf_ struct buf raw = BUF_INIT;
	char more[128];
	size_t width = 32, height;

	while (width * width * 3 < n * 4 && width < 4096)
		width += 16;
	height = MAX((size_t)1, n / width);
	if (buf_reserve(&raw, width * height) < 0)
		return -ENOMEM;
	arc4random_buf(raw.p, width * height);
	raw.n = width * height;
	snprintf(more, sizeof(more), "/Type /XObject /Subtype /Image /Width %zu /Height %zu /ColorSpace /DeviceGray /BitsPerComponent 8 ", width,
		height);
	return put_stream(p, 7, more, buf_str(&raw), 0);
}

static void put_end(struct pdf *p, const struct decoy_wish *w)
{
	time_t t = (time_t)(w->modified / NSEC_PER_SEC);
	size_t start;
	char date[32];
	struct tm tm;

	strftime(date, sizeof(date), "D:%Y%m%d%H%M%SZ", gmtime_r(&t, &tm));
	begin(p, 4);
	buf_putf(p->b, "<< /CreationDate (%s) /ModDate (%s) >>\nendobj\n", date, date);
	start = p->b->n;
	buf_putf(p->b, "xref\n0 %u\n0000000000 65535 f \n", p->n + 1);
	for (unsigned i = 1; i <= p->n; i++)
		buf_putf(p->b, p->at[i] ? "%010zu 00000 n \n" : "%010zu 65535 f \n", p->at[i]);
	buf_putf(p->b, "trailer\n<< /Size %u /Root 1 0 R /Info 4 0 R >>\nstartxref\n%zu\n%%%%EOF\n", p->n + 1, start);
}

/* picture: bytes of one; 0: none. */
static int build(const struct decoy_wish *w, str text, size_t picture, struct buf *ret)
{
	bool wide = w->language == DECOY_JAPANESE;
	struct pdf p = { .b = ret };
	unsigned pages = 0;
	size_t at = 0;
	int r = 0;

	buf_clear(ret);
	buf_puts(ret, STR("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"));
	put_fonts(&p, wide);
	if (picture)
		r = put_picture(&p, picture);
	while (r == 0 && at < text.n && pages < PAGES_MAX) {
		_cleanup_buf_ struct buf content = BUF_INIT;

		put_page(&content, text, &at, wide, picture && pages == 0);
		r = put_stream(&p, 10 + 2 * pages, "", buf_str(&content), 9);
		begin(&p, 11 + 2 * pages);
		buf_putf(ret, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %u 0 R /Resources << /Font << /F1 3 0 R >>%s >> "
			">>\nendobj\n",
			10 + 2 * pages, picture ? " /XObject << /I1 7 0 R >>" : "");
		pages++;
	}
	begin(&p, 2);
	buf_putf(ret, "<< /Type /Pages /Count %u /Kids [", pages);
	for (unsigned i = 0; i < pages; i++)
		buf_putf(ret, "%s%u 0 R", i ? " " : "", 11 + 2 * i);
	buf_puts(ret, STR("] >>\nendobj\n"));
	begin(&p, 1);
	buf_puts(ret, STR("<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"));
	put_end(&p, w);
	return r < 0 ? r : buf_error(ret);
}

int decoy_pdf(const struct decoy_wish *w, struct buf *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t n = w->bytes > 4000 ? (w->bytes - 2000) * 2 : 300;
	int r = 0;

	decoy_title(w->language, &text);
	buf_puts(&text, STR("\n\n"));
	decoy_paragraphs(w->language, MIN(n, (size_t)60000), &text);
	for (int i = 0; i < 8; i++) {
		const char *end;

		r = build(w, buf_str(&text), 0, ret);
		if (r < 0 || ret->n <= w->bytes || text.n < 300)
			break;
		end = memrchr(text.p, '\n', text.n * 4 / 5);
		text.n = end ? (size_t)(end - text.p) + 1 : text.n * 4 / 5;
	}
	return r < 0 || ret->n + 700 > w->bytes ? r : build(w, buf_str(&text), w->bytes - ret->n - 350, ret);
}
