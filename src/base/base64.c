#include "base/base64.h"

#include <errno.h>

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits16[] = "0123456789abcdef";

void base64_encode(struct buf *b, str s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = MIN(s.n - i, (size_t)3);
		uint32_t v = (uint32_t)p[i] << 16;

		if (left > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			v |= p[i + 2];
		buf_putc(b, digits64[v >> 18]);
		buf_putc(b, digits64[v >> 12 & 63]);
		buf_putc(b, left > 1 ? digits64[v >> 6 & 63] : '=');
		buf_putc(b, left > 2 ? digits64[v & 63] : '=');
	}
}

static int value64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct buf *b, str s)
{
	if (s.n % 4)
		return -EBADMSG;
	for (size_t i = 0; i < s.n; i += 4) {
		bool last = i + 4 == s.n;
		int pad = !last || s.p[i + 3] != '=' ? 0 : s.p[i + 2] == '=' ? 2 : 1;
		uint32_t v = 0;

		for (int k = 0; k < 4; k++) {
			int d = k >= 4 - pad ? 0 : value64(s.p[i + (size_t)k]);

			if (d < 0)
				return -EBADMSG;
			v = v << 6 | (uint32_t)d;
		}
		/* Bits that padding cuts off must be zero, so that every value has one form. */
		if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
			return -EBADMSG;
		buf_putc(b, (char)(v >> 16));
		if (pad < 2)
			buf_putc(b, (char)(v >> 8));
		if (pad < 1)
			buf_putc(b, (char)v);
	}
	return buf_error(b);
}

void hex_encode(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		buf_putc(b, digits16[(uint8_t)s.p[i] >> 4]);
		buf_putc(b, digits16[(uint8_t)s.p[i] & 15]);
	}
}

static int value16(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(str s, uint8_t *out, size_t n)
{
	if (s.n != 2 * n)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++)
		if (value16(s.p[2 * i]) < 0 || value16(s.p[2 * i + 1]) < 0)
			return -EBADMSG;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(value16(s.p[2 * i]) << 4 | value16(s.p[2 * i + 1]));
	return 0;
}
