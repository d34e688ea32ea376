/* What a picture says of itself: EXIF (a TIFF directory wherever it is kept), XMP, and the texts of PNG. Nothing is unpacked for it. */
#include "base/utf8.h"
#include "extract/formats/picture.h"

#define PIECES_MAX 4096  /* segments or chunks looked at */
#define ENTRIES_MAX 512  /* of a directory */
#define TAG_ORIENTATION 0x0112
#define TAG_XMP 700

/* Where the parts stand; empty where there is none. */
struct said {
	str exif, xmp;
	struct sink *s; /* texts of PNG go there at once; NULL: not wanted */
};

static uint32_t number(str b, size_t at, size_t n, bool big)
{
	uint32_t v = 0;

	if (at > b.n || n > b.n - at)
		return 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | (uint8_t)b.p[big ? at + i : at + n - 1 - i];
	return v;
}

static str cut(str b, size_t at, size_t n)
{
	return at > b.n || n > b.n - at ? STR_NONE : (str){ b.p + at, n };
}

/* Behind prefix, or nothing. */
static str after(str b, str prefix)
{
	return str_starts(b, prefix) ? (str){ b.p + prefix.n, b.n - prefix.n } : STR_NONE;
}

static void in_jpeg(str b, struct said *ret)
{
	size_t at = 2;

	for (unsigned i = 0; i < PIECES_MAX && at + 4 <= b.n && (uint8_t)b.p[at] == 0xff && (uint8_t)b.p[at + 1] != 0xda; i++) {
		size_t n = number(b, at + 2, 2, true);
		str piece = n >= 2 ? cut(b, at + 4, n - 2) : STR_NONE;

		if ((uint8_t)b.p[at + 1] == 0xe1 && !ret->exif.n)
			ret->exif = after(piece, (str){ "Exif\0\0", 6 });
		if ((uint8_t)b.p[at + 1] == 0xe1 && !ret->xmp.n)
			ret->xmp = after(piece, (str){ "http://ns.adobe.com/xap/1.0/", 29 });
		at += 2 + MAX(n, (size_t)2);
	}
}

static const struct {
	const char *word, *key;
} png_words[] = {
	{ "Title", "title" },     { "Author", "author" },   { "Description", "subject" }, { "Comment", "comments" },
	{ "Software", "producer" }, { "Copyright", "custom:Copyright" }, { "Source", "custom:Source" }, { "Disclaimer", "custom:Disclaimer" },
};

/* One byte a letter, as PNG has it. */
static void put_latin1(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c >= 0x80)
			buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
	}
}

static void png_text(str piece, bool international, struct said *ret)
{
	const char *end = piece.n ? memchr(piece.p, 0, piece.n) : NULL;
	str word = { piece.p, end ? (size_t)(end - piece.p) : 0 }, rest;
	_cleanup_buf_ struct buf latin = BUF_INIT;

	if (!end)
		return;
	rest = (str){ end + 1, piece.n - word.n - 1 };
	if (international) { /* flag, method, then two words that end with NUL */
		if (rest.n < 2 || rest.p[0])
			return;
		rest = cut(rest, 2, rest.n - 2);
		for (int i = 0; i < 2; i++) {
			end = rest.n ? memchr(rest.p, 0, rest.n) : NULL;
			if (!end)
				return;
			rest = (str){ end + 1, rest.n - (size_t)(end - rest.p) - 1 };
		}
		if (str_eq(word, STR("XML:com.adobe.xmp")))
			ret->xmp = rest;
	} else {
		put_latin1(&latin, (str){ rest.p, MIN(rest.n, (size_t)TEXT_META_VALUE_MAX) });
		rest = buf_str(&latin);
	}
	for (size_t i = 0; ret->s && i < ARRAY_SIZE(png_words); i++)
		if (str_eq(word, str_c(png_words[i].word)))
			sink_meta(ret->s, png_words[i].key, rest);
}

static void in_png(str b, struct said *ret)
{
	size_t at = 8;

	for (unsigned i = 0; i < PIECES_MAX && at + 12 <= b.n; i++) {
		size_t n = number(b, at, 4, true);
		str kind = cut(b, at + 4, 4), piece = cut(b, at + 8, n);

		if (n > b.n - at - 12)
			break;
		if (str_eq(kind, STR("eXIf")))
			ret->exif = piece;
		else if (str_eq(kind, STR("tEXt")) || str_eq(kind, STR("iTXt")))
			png_text(piece, kind.p[0] == 'i', ret);
		at += 12 + n;
	}
}

static void in_webp(str b, struct said *ret)
{
	size_t at = 12;

	for (unsigned i = 0; i < PIECES_MAX && at + 8 <= b.n; i++) {
		size_t n = number(b, at + 4, 4, false);
		str kind = cut(b, at, 4), piece = cut(b, at + 8, n);

		if (str_eq(kind, STR("EXIF")))
			ret->exif = after(piece, (str){ "Exif\0\0", 6 }).n ? after(piece, (str){ "Exif\0\0", 6 }) : piece;
		else if (str_eq(kind, STR("XMP ")))
			ret->xmp = piece;
		at += 8 + n + (n & 1);
	}
}

static void in_tiff(str b, struct said *ret)
{
	ret->exif = b;
}

static void (*const looks[])(str b, struct said *ret) = {
	[PICTURE_PNG] = in_png, [PICTURE_JPEG] = in_jpeg, [PICTURE_TIFF] = in_tiff, [PICTURE_WEBP] = in_webp,
};

static struct said look(enum picture_kind k, str b, struct sink *s)
{
	struct said r = { .s = s };

	if ((size_t)k < ARRAY_SIZE(looks) && looks[k])
		looks[k](b, &r);
	return r;
}

/* The first directory, entry by entry: tag, count of bytes, where they stand. */
struct entry {
	unsigned tag, type;
	str value;
};

static bool next_entry(str t, bool big, size_t ifd, unsigned i, struct entry *ret)
{
	static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8 };
	size_t at = ifd + 2 + (size_t)i * 12, count, n;

	if (i >= MIN(number(t, ifd, 2, big), (uint32_t)ENTRIES_MAX) || at + 12 > t.n)
		return false;
	ret->tag = number(t, at, 2, big);
	ret->type = number(t, at + 2, 2, big);
	count = number(t, at + 4, 4, big);
	n = ret->type < ARRAY_SIZE(sizes) && count < (1u << 24) ? count * sizes[ret->type] : 0;
	ret->value = cut(t, n <= 4 ? at + 8 : number(t, at + 8, 4, big), n);
	return true;
}

static const struct {
	uint16_t tag;
	bool wide; /* UTF-16LE, as Windows writes it */
	const char *key;
} exif_rows[] = {
	{ 0x010e, false, "title" },   { 0x013b, false, "author" }, { 0x8298, false, "custom:Copyright" }, { 0x0131, false, "producer" },
	{ 0x0132, false, "modified" }, { 0x9c9b, true, "title" },   { 0x9c9c, true, "comments" },          { 0x9c9d, true, "author" },
	{ 0x9c9e, true, "keywords" },  { 0x9c9f, true, "subject" },
};

static void put_entry(const struct entry *e, struct sink *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(exif_rows); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		str v = e->value;

		if (exif_rows[i].tag != e->tag)
			continue;
		v.n = MIN(v.n, (size_t)TEXT_META_VALUE_MAX);
		if (exif_rows[i].wide && charset_to_utf8(STR("utf-16le"), v, &b) == 0)
			v = buf_str(&b);
		while (v.n && !v.p[v.n - 1])
			v.n--;
		sink_meta(s, exif_rows[i].key, v);
	}
}

unsigned picture_orientation(enum picture_kind k, str bytes)
{
	str t = look(k, bytes, NULL).exif;
	bool big = t.n && t.p[0] == 'M';
	struct entry e;

	if (k == PICTURE_TIFF) /* leptonica turns these itself */
		return 1;
	for (unsigned i = 0; t.n >= 8 && next_entry(t, big, number(t, 4, 4, big), i, &e); i++)
		if (e.tag == TAG_ORIENTATION && e.value.n == 2)
			return number(e.value, 0, 2, big);
	return 1;
}

void picture_properties(enum picture_kind k, str bytes, struct sink *s)
{
	struct said said = look(k, bytes, s);
	str t = said.exif;
	bool big = t.n && t.p[0] == 'M';
	struct entry e;

	for (unsigned i = 0; t.n >= 8 && next_entry(t, big, number(t, 4, 4, big), i, &e); i++) {
		if (e.tag == TAG_XMP)
			said.xmp = e.value;
		put_entry(&e, s);
	}
	if (said.xmp.n)
		xmp_properties(said.xmp, s);
}
