/* Plain formats, and what the others share. */
#include "detect/decoy_make.h"

#include <errno.h>
#include <zlib.h>

#include "base/varint.h"

void decoy_title(enum decoy_language l, struct buf *ret)
{
	str first = decoy_title_word(l), second = decoy_title_word(l);

	buf_puts(ret, first);
	if (l != DECOY_JAPANESE)
		buf_putc(ret, ' ');
	buf_puts(ret, second);
}

void decoy_paragraphs(enum decoy_language l, size_t n, struct buf *ret)
{
	size_t start = ret->n;

	while (ret->n - start < n && !buf_error(ret)) {
		for (uint32_t i = 2 + decoy_random(5); i > 0; i--) {
			decoy_sentence(l, ret);
			if (i > 1 && l != DECOY_JAPANESE)
				buf_putc(ret, ' ');
		}
		buf_putc(ret, '\n');
	}
}

/* Cut to n bytes between characters, with a newline at the end. */
static void cut(struct buf *b, size_t n)
{
	if (b->n <= n)
		return;
	b->n = n;
	while (b->n > 1 && ((unsigned char)b->p[b->n - 1] & 0xc0) == 0x80)
		b->n--;
	if (b->n > 1 && (unsigned char)b->p[b->n - 1] >= 0xc0)
		b->n--;
	while (b->n > 1 && b->n < n)
		buf_putc(b, '.');
	if (b->n)
		b->p[b->n - 1] = '\n';
}

static int make_text(const struct decoy_wish *w, struct buf *ret)
{
	decoy_title(w->language, ret);
	buf_puts(ret, STR("\n\n"));
	decoy_paragraphs(w->language, w->bytes, ret);
	cut(ret, w->bytes);
	return buf_error(ret);
}

static int make_csv(const struct decoy_wish *w, struct buf *ret)
{
	size_t whole = 0;

	for (size_t c = 0; c < DECOY_COLUMNS; c++) {
		buf_putf(ret, "%s%.*s", c ? "," : "", STR_ARG(decoy_column(w->language, c)));
	}
	buf_putc(ret, '\n');
	for (size_t row = 0; ret->n < w->bytes && !buf_error(ret); row++) {
		whole = ret->n;
		for (size_t c = 0; c < DECOY_COLUMNS; c++) {
			if (c)
				buf_putc(ret, ',');
			decoy_cell(w->language, c, row, w->modified, ret);
		}
		buf_putc(ret, '\n');
	}
	/* Whole rows only; the last one stays when it is nearer. */
	if (whole && ret->n > w->bytes && ret->n - w->bytes > w->bytes - whole)
		ret->n = whole;
	return buf_error(ret);
}

static int make_html(const struct decoy_wish *w, struct buf *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT, title = BUF_INIT;
	static const char end[] = "</body>\n</html>\n";
	size_t n;

	decoy_title(w->language, &title);
	buf_putf(ret, "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>%.*s</title></head>\n<body>\n<h1>%.*s</h1>\n",
		STR_ARG(buf_str(&title)),
		STR_ARG(buf_str(&title)));
	n = ret->n + sizeof(end) + 12;
	decoy_paragraphs(w->language, w->bytes > n ? w->bytes - n : 1, &text);
	for (size_t i = 0, k; i < text.n; i += k + 1) {
		const char *stop = memchr(text.p + i, '\n', text.n - i);

		k = stop ? (size_t)(stop - text.p) - i : text.n - i;
		if (i && ret->n + k > w->bytes)
			break;
		buf_putf(ret, "<p>%.*s</p>\n", (int)k, text.p + i);
	}
	buf_puts(ret, STR(end));
	return buf_error(ret) ? buf_error(ret) : buf_error(&text);
}

/* Characters beyond ASCII as \uN?. */
static void put_rtf(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : 3;
		uint32_t v = n == 1 ? c : c & (0xffU >> (n + 1));

		for (size_t k = 1; k < n && i + k < s.n; k++)
			v = v << 6 | ((unsigned char)s.p[i + k] & 0x3f);
		if (c == '\n')
			buf_puts(b, STR("\\par\n"));
		else if (n == 1)
			buf_putc(b, (char)c);
		else
			buf_putf(b, "\\u%d?", (int)(int16_t)v);
		i += n;
	}
}

static int make_rtf(const struct decoy_wish *w, struct buf *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	decoy_paragraphs(w->language, w->bytes, &text);
	buf_puts(ret, STR("{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0\\fswiss Arial;}}\\f0\\fs22\n"));
	for (size_t i = 0, k; i < text.n && (i == 0 || ret->n < w->bytes - MIN(w->bytes, 80u)); i += k + 1) {
		const char *stop = memchr(text.p + i, '\n', text.n - i);

		k = stop ? (size_t)(stop - text.p) - i : text.n - i;
		put_rtf(ret, (str){ text.p + i, MIN(k + 1, text.n - i) });
	}
	buf_puts(ret, STR("}\n"));
	return buf_error(ret);
}

static void put_chunk(struct buf *b, const char type[static 4], str data)
{
	_cleanup_buf_ struct buf c = BUF_INIT;

	buf_put(&c, type, 4);
	buf_puts(&c, data);
	buf_put_be32(b, (uint32_t)data.n);
	buf_puts(b, buf_str(&c));
	buf_put_be32(b, (uint32_t)crc32(0, (const Bytef *)c.p, (uInt)c.n));
}

int decoy_png(size_t n, struct buf *ret)
{
	_cleanup_buf_ struct buf raw = BUF_INIT, packed = BUF_INIT, head = BUF_INIT;
	size_t width = 16, height;
	uLongf room;

	while (width * width * 3 < (n > 200 ? n - 100 : 100) * 4 && width < 2048)
		width += 16;
	height = MAX((size_t)1, (n > 200 ? n - 100 : 100) / (width + 1));
	room = compressBound((uLong)((width + 1) * height));
	for (size_t y = 0; y < height; y++) {
		buf_putc(&raw, 0);
		if (buf_reserve(&raw, width) < 0)
			return -ENOMEM;
		arc4random_buf(raw.p + raw.n, width);
		raw.n += width;
	}
	if (buf_reserve(&packed, room) < 0)
		return -ENOMEM;
	if (compress2((Bytef *)packed.p, &room, (const Bytef *)raw.p, (uLong)raw.n, 0) != Z_OK)
		return -EIO;
	packed.n = room;
	buf_put_be32(&head, (uint32_t)width);
	buf_put_be32(&head, (uint32_t)height);
	buf_put(&head, "\x08\0\0\0\0", 5); /* 8 bits, grey */
	buf_puts(ret, STR("\x89PNG\r\n\x1a\n"));
	put_chunk(ret, "IHDR", buf_str(&head));
	put_chunk(ret, "IDAT", buf_str(&packed));
	put_chunk(ret, "IEND", STR(""));
	return buf_error(ret);
}

int decoy_make(const struct decoy_wish *w, struct buf *ret)
{
	static int (*const makers[DECOY_FORMATS_])(const struct decoy_wish *, struct buf *) = {
		[DECOY_TXT] = make_text, [DECOY_CSV] = make_csv, [DECOY_HTML] = make_html, [DECOY_RTF] = make_rtf, [DECOY_DOCX] = decoy_office,
		[DECOY_XLSX] = decoy_office, [DECOY_ODT] = decoy_office, [DECOY_PDF] = decoy_pdf,
	};

	buf_clear(ret);
	return makers[w->format](w, ret);
}
