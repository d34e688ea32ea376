#include "extract/formats/mail_header.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#define PARAM_PARTS_MAX 100

static str after(str s, size_t n)
{
	return (str){ s.p + n, s.n - n };
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static str trim(str s)
{
	while (s.n && is_white(*s.p))
		s = after(s, 1);
	while (s.n && is_white(s.p[s.n - 1]))
		s.n--;
	return s;
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

static bool starts_nocase(str s, const char *word)
{
	return s.n >= strlen(word) && strncasecmp(s.p, word, strlen(word)) == 0;
}

int mail_charset_text(str charset, str bytes, struct buf *ret)
{
	const char *guess;
	bool vague = charset.n == 0 || (charset.n == 8 && strncasecmp(charset.p, "us-ascii", 8) == 0) ||
			(charset.n == 5 && strncasecmp(charset.p, "utf-8", 5) == 0);

	if (vague && str_utf8_valid(bytes) && !memchr(bytes.p ? bytes.p : "", 0x1b, bytes.n)) {
		buf_puts(ret, bytes);
		return buf_error(ret);
	}
	/* What says it is Latin and reads as UTF-8 with letters beyond ASCII is UTF-8: no word in Latin looks so. */
	if ((starts_nocase(charset, "iso-8859") || starts_nocase(charset, "windows-125")) && str_utf8_valid(bytes)) {
		buf_puts(ret, bytes);
		return buf_error(ret);
	}
	if (!vague && charset_to_utf8(charset, bytes, ret) != -ENOTSUP)
		return buf_error(ret);
	guess = charset_guess(bytes);
	return charset_to_utf8(str_c(guess ? guess : vague && charset.n == 5 ? "utf-8" : "windows-1252"), bytes, ret);
}

/* ---- encoded words ---- */

struct word {
	str charset, text;
	bool base64;
	size_t n; /* all of it */
};

/* s begins with "=?". */
static bool word_parse(str s, struct word *w)
{
	const char *a = memchr(s.p + 2, '?', s.n - 2), *b = a ? memchr(a + 1, '?', s.n - (size_t)(a + 1 - s.p)) : NULL, *end, *star;

	if (!b || b != a + 2)
		return false;
	end = memmem(b + 1, s.n - (size_t)(b + 1 - s.p), "?=", 2);
	if (!end)
		return false;
	w->base64 = a[1] == 'B' || a[1] == 'b';
	if (!w->base64 && a[1] != 'Q' && a[1] != 'q')
		return false;
	w->charset = (str){ s.p + 2, (size_t)(a - s.p) - 2 };
	star = memchr(w->charset.p, '*', w->charset.n); /* RFC 2231: a language */
	if (star)
		w->charset.n = (size_t)(star - w->charset.p);
	w->text = (str){ b + 1, (size_t)(end - b) - 1 };
	w->n = (size_t)(end - s.p) + 2;
	return w->charset.n < 64;
}

static void put_quoted(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '=' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			buf_putc(b, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
			i += 2;
		} else {
			buf_putc(b, s.p[i] == '_' ? ' ' : s.p[i]);
		}
	}
}

/* Whatever is no digit is passed over. */
static void put_base64(struct buf *b, str s)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
		char c = s.p[i];
		int v = isupper((unsigned char)c) ? c - 'A' : islower((unsigned char)c) ? c - 'a' + 26 : isdigit((unsigned char)c) ? c - '0' + 52 :
			c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;

		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_putc(b, (char)(bits >> n & 0xff));
		}
	}
}

static void put_plain(struct buf *b, str s)
{
	_cleanup_buf_ struct buf flat = BUF_INIT;

	for (size_t i = 0; i < s.n; i++) /* folded lines */
		if (s.p[i] != '\r' && s.p[i] != '\n')
			buf_putc(&flat, s.p[i] == '\t' ? ' ' : s.p[i]);
	if (flat.n)
		mail_charset_text(STR_NONE, buf_str(&flat), b);
}

/* Words of one charset in a row are decoded together: some mailers cut inside a character. */
static size_t put_words(struct buf *b, str s, struct word w)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	size_t n = 0;

	for (;;) {
		struct word next;
		size_t gap = 0;

		if (w.base64)
			put_base64(&bytes, w.text);
		else
			put_quoted(&bytes, w.text);
		n += w.n;
		while (n + gap < s.n && is_white(s.p[n + gap]))
			gap++;
		if (n + gap + 2 >= s.n || memcmp(s.p + n + gap, "=?", 2) != 0 || !word_parse(after(s, n + gap), &next))
			break;
		n += gap;
		if (next.charset.n != w.charset.n || strncasecmp(next.charset.p, w.charset.p, w.charset.n) != 0) {
			mail_charset_text(w.charset, buf_str(&bytes), b);
			buf_clear(&bytes);
		}
		w = next;
	}
	if (bytes.n)
		mail_charset_text(w.charset, buf_str(&bytes), b);
	return n;
}

void mail_header_text(str raw, struct buf *ret)
{
	size_t tried = 0; /* unclosed words are not looked for again */
	str s = trim(raw);

	while (s.n) {
		const char *p = tried < 64 ? memmem(s.p, s.n, "=?", 2) : NULL;
		size_t n = p ? (size_t)(p - s.p) : s.n;
		struct word w;

		put_plain(ret, (str){ s.p, n });
		s = after(s, n);
		if (!s.n)
			break;
		if (s.n > 2 && word_parse(s, &w)) {
			n = put_words(ret, s, w);
		} else {
			n = MIN(s.n, (size_t)2);
			buf_puts(ret, (str){ s.p, n });
			tried++;
		}
		s = after(s, n);
	}
}

/* ---- parameters ---- */

/* One of ";name=value"; the value as it is written, without quotes. */
static bool next_param(str *rest, str *ret_name, struct buf *value)
{
	str s = *rest;
	size_t n = 0;

	while (s.n && *s.p != ';') {
		if (*s.p == '"') {
			const char *q = memchr(s.p + 1, '"', s.n - 1);

			s = after(s, q ? (size_t)(q - s.p) : s.n - 1);
		}
		s = after(s, 1);
	}
	if (!s.n)
		return false;
	s = after(s, 1);
	while (s.n && is_white(*s.p))
		s = after(s, 1);
	while (n < s.n && s.p[n] != '=' && s.p[n] != ';')
		n++;
	*ret_name = trim((str){ s.p, n });
	s = after(s, n);
	buf_clear(value);
	if (s.n && *s.p == '=') {
		s = after(s, 1);
		while (s.n && is_white(*s.p))
			s = after(s, 1);
		if (s.n && *s.p == '"') {
			for (s = after(s, 1); s.n && *s.p != '"'; s = after(s, 1)) {
				if (*s.p == '\\' && s.n > 1 && (s.p[1] == '"' || s.p[1] == '\\'))
					s = after(s, 1);
				if (*s.p != '\r' && *s.p != '\n')
					buf_putc(value, *s.p);
			}
			s = after(s, MIN(s.n, (size_t)1));
		} else {
			for (n = 0; n < s.n && s.p[n] != ';'; n++)
				;
			buf_puts(value, trim((str){ s.p, n }));
			s = after(s, n);
		}
	}
	*rest = s;
	return true;
}

static void put_percent(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			buf_putc(b, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
			i += 2;
		} else {
			buf_putc(b, s.p[i]);
		}
	}
}

/* charset'language'text, percent-encoded, in any number of parts (name*0*, name*1 …) which come in order. */
static void put_extended(struct buf *bytes, struct buf *charset, str value, bool encoded, bool first)
{
	const char *a = encoded && first ? memchr(value.p ? value.p : "", '\'', value.n) : NULL;
	const char *b = a ? memchr(a + 1, '\'', value.n - (size_t)(a + 1 - value.p)) : NULL;

	if (b) {
		buf_puts(charset, (str){ value.p, (size_t)(a - value.p) });
		value = after(value, (size_t)(b + 1 - value.p));
	}
	if (encoded)
		put_percent(bytes, value);
	else
		buf_puts(bytes, value);
}

bool mail_header_param(str raw, const char *name, struct buf *ret)
{
	_cleanup_buf_ struct buf value = BUF_INIT, bytes = BUF_INIT, charset = BUF_INIT, simple = BUF_INIT;
	size_t n = strlen(name);
	unsigned parts = 0;
	str key;

	while (next_param(&raw, &key, &value)) {
		if (key.n < n || strncasecmp(key.p, name, n) != 0 || (key.n > n && key.p[n] != '*'))
			continue;
		if (key.n == n) {
			if (!simple.n)
				buf_puts(&simple, buf_str(&value));
		} else if (parts < PARAM_PARTS_MAX) {
			put_extended(&bytes, &charset, buf_str(&value), key.p[key.n - 1] == '*', parts == 0);
			parts++;
		}
	}
	if (parts)
		mail_charset_text(buf_str(&charset), buf_str(&bytes), ret);
	else
		mail_header_text(buf_str(&simple), ret); /* not as the RFC has it, but as most mailers do */
	return parts || simple.n;
}

/* ---- addresses ---- */

str mail_header_address(str *rest)
{
	bool quoted = false;
	int deep = 0;
	size_t i = 0;
	str r;

	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (c == '\\' && i + 1 < rest->n)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '(' || c == '<'))
			deep++;
		else if (!quoted && (c == ')' || c == '>'))
			deep -= deep > 0;
		else if (!quoted && !deep && (c == ',' || c == ';'))
			break;
	}
	r = trim((str){ rest->p, MIN(i, rest->n) });
	*rest = after(*rest, MIN(rest->n, i + 1));
	return r;
}
