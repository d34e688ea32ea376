#include "base/utf8.h"

static bool tail(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the character at p (n > 0), 0 where none stands there; *bad: how many bytes of it are right (at least 1). RFC 3629, table 3-7 of Unicode. */
static size_t one(const uint8_t *p, size_t n, size_t *bad)
{
	uint8_t c = p[0], low = 0x80, high = 0xbf;
	size_t need;

	*bad = 1;
	if (c < 0x80)
		return (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n';
	if (c < 0xc2 || c > 0xf4)
		return 0;
	need = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
	high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
	for (size_t i = 1; i < need; i++, low = 0x80, high = 0xbf) {
		if (i >= n || p[i] < low || p[i] > high)
			return 0;
		*bad = i + 1;
	}
	return need;
}

/* Eight bytes at once: all of 0x20…0x7e? */
static bool eight_plain(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	/* high bit set · below 0x20 · equal to 0x7f */
	return !((v | (v - 0x2020202020202020ULL) | (v + 0x0101010101010101ULL)) & 0x8080808080808080ULL);
}

size_t utf8_clean_prefix(str s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t i = 0, bad;

	while (i < s.n) {
		size_t k;

		while (s.n - i >= 8 && eight_plain(p + i))
			i += 8;
		if (i == s.n)
			break;
		k = one(p + i, s.n - i, &bad);
		if (!k)
			break;
		i += k;
	}
	return i;
}

uint64_t utf8_count(str s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += !tail((uint8_t)s.p[i]);
	return n;
}

void utf8_put_clean(struct buf *b, str s)
{
	while (s.n && !b->err) {
		size_t k = utf8_clean_prefix(s), bad;

		buf_put(b, s.p, k);
		s.p += k;
		s.n -= k;
		if (!s.n)
			break;
		one((const uint8_t *)s.p, s.n, &bad);
		if ((uint8_t)s.p[0] >= 0x80)
			buf_puts(b, STR("\xef\xbf\xbd"));
		else if (s.p[0] != '\r' || s.n < 2 || s.p[1] != '\n')
			buf_putc(b, ' ');
		s.p += bad;
		s.n -= bad;
	}
}

size_t utf8_cut(str s, size_t max)
{
	size_t n = MIN(s.n, max), back = 0;

	if (n == s.n)
		return n;
	while (back < 4 && back < n && tail((uint8_t)s.p[n - back]))
		back++;
	/* More than three of them are no character anyway; and a cut is never empty. */
	return back < 4 && back < n ? n - back : n;
}
