/* Objects of a PDF (ISO 32000-1, 7.3 and 7.5) as far as properties need them: found by looking, since a damaged table must not hide
 * them. */
#include <ctype.h>
#include <errno.h>
#include <zlib.h>

#include "extract/formats/pdf.h"

#define UNPACK_MAX (32u << 20) /* of all object streams */
#define STREAMS_MAX 512
#define DICT_MAX 4096          /* bytes of a stream's dictionary that are looked at */

struct packed {
	size_t at, n; /* in unpacked */
	uint32_t first, count;
};

struct pdf {
	str b;
	struct buf unpacked;
	struct packed streams[STREAMS_MAX];
	size_t n_streams;
	bool encrypted;
};

static str sub(str s, size_t at)
{
	return at < s.n ? (str){ s.p + at, s.n - at } : (str){ s.p, 0 };
}

static str trim_left(str s)
{
	while (s.n && (isspace((unsigned char)s.p[0]) || !s.p[0]))
		s = sub(s, 1);
	return s;
}

/* 0 where there is none. */
static uint32_t number(str *s)
{
	uint32_t v = 0;

	*s = trim_left(*s);
	while (s->n && isdigit((unsigned char)s->p[0]) && v < 100000000) {
		v = v * 10 + (uint32_t)(s->p[0] - '0');
		*s = sub(*s, 1);
	}
	return v;
}

static bool is_delimiter(char c)
{
	return isspace((unsigned char)c) || !c || strchr("()<>[]{}/%", c);
}

str pdf_value(str d, const char *key)
{
	size_t n = strlen(key);

	for (const char *p; d.n > n + 1 && (p = memmem(d.p, d.n, key, n)); d = sub(d, (size_t)(p + n - d.p)))
		if (p > d.p && p[-1] == '/' && p + n < d.p + d.n && is_delimiter(p[n]))
			return trim_left(sub(d, (size_t)(p + n - d.p)));
	return STR_NONE;
}

uint32_t pdf_reference(str v)
{
	uint32_t n = number(&v);

	number(&v);
	v = trim_left(v);
	return v.n && v.p[0] == 'R' ? n : 0;
}

static int inflate_all(str in, struct buf *ret)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)MIN(in.n, (size_t)1 << 30) };
	int r = Z_OK;

	if (inflateInit(&z) != Z_OK)
		return -ENOMEM;
	while (r == Z_OK) {
		size_t room = MIN((ret->max ? ret->max : BUF_MAX) - ret->n, (size_t)64 << 10);

		if (!room || buf_reserve(ret, room) < 0)
			break;
		z.next_out = (Bytef *)ret->p + ret->n;
		z.avail_out = (uInt)room;
		r = inflate(&z, Z_NO_FLUSH);
		ret->n += room - z.avail_out;
	}
	inflateEnd(&z);
	return r == Z_STREAM_END ? 0 : r == Z_OK ? -EMSGSIZE : -EBADMSG;
}

/* What stands between "stream" and "endstream" of the object whose dictionary begins here. */
static str stream_of(str object, str *ret_dictionary)
{
	const char *p = object.n ? memmem(object.p, MIN(object.n, (size_t)DICT_MAX), "stream", 6) : NULL, *end;
	str s;

	if (!p)
		return STR_NONE;
	*ret_dictionary = (str){ object.p, (size_t)(p - object.p) };
	s = sub(object, (size_t)(p + 6 - object.p));
	if (s.n && s.p[0] == '\r')
		s = sub(s, 1);
	if (s.n && s.p[0] == '\n')
		s = sub(s, 1);
	end = memmem(s.p, s.n, "endstream", 9);
	return (str){ s.p, end ? (size_t)(end - s.p) : s.n };
}

int pdf_stream(struct pdf *p, str object, struct buf *ret)
{
	str dictionary, raw = stream_of(object, &dictionary), filter;

	if (!raw.p)
		return -EBADMSG;
	filter = pdf_value(dictionary, "Filter");
	if (!filter.n) {
		buf_puts(ret, raw);
		return ret->err;
	}
	if (filter.p[0] == '[')
		filter = trim_left(sub(filter, 1));
	/* One filter, without a predictor. */
	if (!str_starts(filter, STR("/FlateDecode")) || pdf_value(dictionary, "Predictor").n)
		return -ENOTSUP;
	filter = trim_left(sub(filter, 12));
	if (filter.n && filter.p[0] == '/' && memchr(filter.p, ']', MIN(filter.n, (size_t)40)) &&
	    memmem(filter.p, MIN(filter.n, (size_t)40), "Decode", 6))
		return -ENOTSUP;
	return inflate_all(raw, ret);
}

/* From the dictionary's begin: "<<" before the word at p. */
static const char *dictionary_begin(str b, const char *p)
{
	const char *least = p - b.p > 512 ? p - 512 : b.p;

	while (p > least && !(p[0] == 'o' && p[1] == 'b' && p[2] == 'j'))
		p--;
	return p > least ? p + 3 : NULL;
}

static void unpack_streams(struct pdf *p)
{
	str rest = p->b;

	for (const char *at; p->n_streams < STREAMS_MAX && (at = rest.n ? memmem(rest.p, rest.n, "/ObjStm", 7) : NULL);
	     rest = sub(rest, (size_t)(at + 7 - rest.p))) {
		const char *from = dictionary_begin(p->b, at);
		str object = from ? sub(p->b, (size_t)(from - p->b.p)) : STR_NONE, dictionary = STR_NONE, first, count;
		struct packed *s = &p->streams[p->n_streams];

		if (!from || !stream_of(object, &dictionary).p)
			continue;
		first = pdf_value(dictionary, "First");
		count = pdf_value(dictionary, "N");
		*s = (struct packed){ .at = p->unpacked.n, .first = number(&first), .count = number(&count) };
		pdf_stream(p, object, &p->unpacked); /* what came of a damaged one is used */
		s->n = p->unpacked.n - s->at;
		p->n_streams += s->n > 0;
		if (p->unpacked.n >= UNPACK_MAX)
			break;
	}
}

static str in_stream(const struct pdf *p, const struct packed *s, uint32_t wanted)
{
	str all = { p->unpacked.p + s->at, s->n }, head = { all.p, MIN((size_t)s->first, all.n) };

	for (uint32_t i = 0; i < s->count && trim_left(head).n; i++) {
		uint32_t n = number(&head), at = number(&head);

		if (n == wanted)
			return sub(all, (size_t)s->first + at);
		if (head.n && !isspace((unsigned char)head.p[0]))
			break;
	}
	return STR_NONE;
}

str pdf_object(struct pdf *p, uint32_t wanted)
{
	char name[24];
	int n = snprintf(name, sizeof(name), "%u 0 obj", wanted);
	str rest = p->b, found = STR_NONE;
	const char *end;

	if (!wanted)
		return STR_NONE;
	for (const char *at; rest.n && (at = memmem(rest.p, rest.n, name, (size_t)n)); rest = sub(rest, (size_t)(at + n - rest.p)))
		if (at == p->b.p || !isdigit((unsigned char)at[-1]))
			found = sub(p->b, (size_t)(at + n - p->b.p));
	for (size_t i = p->n_streams; !found.p && i-- > 0;)
		found = in_stream(p, &p->streams[i], wanted);
	end = found.n ? memmem(found.p, found.n, "endobj", 6) : NULL;
	return (str){ found.p, end ? (size_t)(end - found.p) : found.n };
}

/* ---- text strings ---- */

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

static void put_escaped(str *v, struct buf *ret)
{
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	const char *known = v->p[0] ? strchr(from, v->p[0]) : NULL;
	unsigned c = 0, digits = 0;

	while (digits < 3 && v->n && v->p[0] >= '0' && v->p[0] <= '7') {
		c = c * 8 + (unsigned)(v->p[0] - '0');
		*v = sub(*v, 1);
		digits++;
	}
	if (digits) {
		buf_putc(ret, (char)c);
		return;
	}
	if (known)
		buf_putc(ret, to[known - from]);
	else if (v->p[0] != '\n' && v->p[0] != '\r')
		buf_putc(ret, v->p[0]);
	*v = sub(*v, 1);
}

static void put_literal(str v, struct buf *ret)
{
	unsigned depth = 1;

	for (v = sub(v, 1); v.n && ret->n < 4 * TEXT_META_VALUE_MAX;) {
		char c = v.p[0];

		v = sub(v, 1);
		depth += c == '(';
		depth -= c == ')';
		if (!depth)
			break;
		if (c == '\\' && v.n)
			put_escaped(&v, ret);
		else
			buf_putc(ret, c);
	}
}

static void put_hex(str v, struct buf *ret)
{
	int high = -1;

	for (v = sub(v, 1); v.n && v.p[0] != '>' && ret->n < 4 * TEXT_META_VALUE_MAX; v = sub(v, 1)) {
		int h = hex(v.p[0]);

		if (h < 0)
			continue;
		if (high >= 0)
			buf_putc(ret, (char)(high << 4 | h));
		high = high < 0 ? h : -1;
	}
}

int pdf_string(str v, struct buf *ret)
{
	_cleanup_buf_ struct buf raw = BUF_INIT;
	str s;

	v = trim_left(v);
	if (v.n < 2 || (v.p[0] != '(' && (v.p[0] != '<' || v.p[1] == '<')))
		return -EBADMSG;
	if (v.p[0] == '(')
		put_literal(v, &raw);
	else
		put_hex(v, &raw);
	s = buf_str(&raw);
	if (raw.err || !s.n)
		return raw.err;
	if (str_starts(s, STR("\xfe\xff")))
		return charset_to_utf8(STR("utf-16be"), sub(s, 2), ret);
	if (str_starts(s, STR("\xef\xbb\xbf")))
		s = sub(s, 3);
	else if (!str_utf8_valid(s)) /* PDFDocEncoding: Latin-1 but for a few signs */
		return charset_to_utf8(STR("windows-1252"), s, ret);
	buf_puts(ret, s);
	return ret->err;
}

/* ---- the file ---- */

int pdf_open(str bytes, struct pdf **ret)
{
	struct pdf *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->b = bytes;
	p->unpacked.max = UNPACK_MAX;
	p->encrypted = bytes.p && memmem(bytes.p, bytes.n, "/Encrypt ", 9) && memmem(bytes.p, bytes.n, "/Standard", 9);
	if (!p->encrypted && bytes.n)
		unpack_streams(p);
	*ret = p;
	return 0;
}

struct pdf *pdf_close(struct pdf *p)
{
	if (p)
		buf_free(&p->unpacked);
	free(p);
	return NULL;
}

bool pdf_encrypted(const struct pdf *p)
{
	return p->encrypted;
}

str pdf_bytes(const struct pdf *p)
{
	return p->b;
}

bool pdf_piece(struct pdf *p, size_t i, str *ret)
{
	*ret = i == 0 ? p->b : buf_str(&p->unpacked);
	return i < 2;
}
