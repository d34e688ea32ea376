#include "base/json.h"

#include "base/base64.h"
#include "base/timefmt.h"

/* A comma is due after anything but the opening of a list or object, a colon, or nothing (or a line end: JSON Lines). */
static void comma(struct buf *b)
{
	char last = b->n ? b->p[b->n - 1] : '\n';

	if (last != '{' && last != '[' && last != ':' && last != '\n')
		buf_putc(b, ',');
}

void json_obj_begin(struct buf *b)
{
	comma(b);
	buf_putc(b, '{');
}

void json_obj_end(struct buf *b)
{
	buf_putc(b, '}');
}

void json_arr_begin(struct buf *b)
{
	comma(b);
	buf_putc(b, '[');
}

void json_arr_end(struct buf *b)
{
	buf_putc(b, ']');
}

void json_key(struct buf *b, const char *key)
{
	comma(b);
	buf_putc(b, '"');
	buf_put(b, key, strlen(key));
	buf_put(b, "\":", 2);
}

void json_u64(struct buf *b, uint64_t v)
{
	comma(b);
	buf_put_dec(b, v);
}

void json_i64(struct buf *b, int64_t v)
{
	if (v >= 0) {
		json_u64(b, (uint64_t)v);
		return;
	}
	comma(b);
	buf_putf(b, "%lld", (long long)v);
}

void json_bool(struct buf *b, bool v)
{
	comma(b);
	buf_puts(b, v ? STR("true") : STR("false"));
}

void json_none(struct buf *b)
{
	comma(b);
	buf_puts(b, STR("null"));
}

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
	size_t want = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (want > n || !str_utf8_valid((str){ (const char *)p, want }))
		return 0;
	return want;
}

static void json_escape(struct buf *b, uint8_t c)
{
	switch (c) {
	case '"': buf_put(b, "\\\"", 2); break;
	case '\\': buf_put(b, "\\\\", 2); break;
	case '\n': buf_put(b, "\\n", 2); break;
	case '\r': buf_put(b, "\\r", 2); break;
	case '\t': buf_put(b, "\\t", 2); break;
	default: buf_putf(b, "\\u%04x", c); break;
	}
}

void json_str(struct buf *b, str s)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n, *from = p;

	comma(b);
	buf_putc(b, '"');
	while (p < end) {
		size_t n;

		if (*p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\') {
			p++;
			continue;
		}
		n = *p < 0x80 ? 0 : utf8_len(p, (size_t)(end - p));
		/* U+2028 and U+2029 end a line in some readers of JSON Lines. */
		if (n == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) {
			buf_put(b, from, (size_t)(p - from));
			buf_put(b, p[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
			from = p += 3;
			continue;
		}
		if (n) {
			p += n;
			continue;
		}
		buf_put(b, from, (size_t)(p - from));
		if (*p < 0x80)
			json_escape(b, *p);
		else
			buf_put(b, "\xef\xbf\xbd", 3);
		from = ++p;
	}
	buf_put(b, from, (size_t)(end - from));
	buf_putc(b, '"');
}

void json_base64(struct buf *b, str s)
{
	comma(b);
	buf_putc(b, '"');
	base64_encode(b, s);
	buf_putc(b, '"');
}

void json_time(struct buf *b, int64_t ns)
{
	char tmp[TIME_TEXT_MAX];
	size_t n = time_format(ns, tmp);

	comma(b);
	buf_putc(b, '"');
	buf_put(b, tmp, n);
	buf_putc(b, '"');
}

void json_raw(struct buf *b, str s)
{
	comma(b);
	buf_puts(b, s);
}

void json_put_u64(struct buf *b, const char *key, uint64_t v)
{
	json_key(b, key);
	json_u64(b, v);
}

void json_put_bool(struct buf *b, const char *key, bool v)
{
	json_key(b, key);
	json_bool(b, v);
}

void json_put_str(struct buf *b, const char *key, str s)
{
	json_key(b, key);
	json_str(b, s);
}

void json_put_base64(struct buf *b, const char *key, str s)
{
	json_key(b, key);
	json_base64(b, s);
}

void json_put_time(struct buf *b, const char *key, int64_t ns)
{
	json_key(b, key);
	json_time(b, ns);
}

void json_put_obj(struct buf *b, const char *key)
{
	json_key(b, key);
	json_obj_begin(b);
}

void json_put_arr(struct buf *b, const char *key)
{
	json_key(b, key);
	json_arr_begin(b);
}
