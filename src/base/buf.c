#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>

#include "base/varint.h"

void buf_free(struct buf *b)
{
	size_t max = b->max;

	free(b->p);
	*b = (struct buf){ .max = max };
}

int buf_reserve(struct buf *b, size_t more)
{
	size_t max = b->max ? b->max : BUF_MAX;
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	if (more > max || b->n > max - more)
		return -EMSGSIZE;
	if (b->cap - b->n >= more)
		return 0;
	while (cap < b->n + more)
		cap *= 2;
	cap = MIN(cap, max);
	p = realloc(b->p, cap);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	int r;

	if (b->err || n == 0)
		return;
	r = buf_reserve(b, n);
	if (r < 0) {
		b->err = r;
		return;
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void buf_putf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n, r;

	if (b->err)
		return;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	r = n < 0 ? -EINVAL : buf_reserve(b, (size_t)n + 1);
	if (r < 0) {
		b->err = r;
	} else {
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

const char *buf_cstr(struct buf *b)
{
	int r = b->err;

	if (r == 0)
		r = buf_reserve(b, 1);
	if (r < 0) {
		b->err = r;
		return NULL;
	}
	b->p[b->n] = '\0';
	return b->p;
}

void buf_put_dec(struct buf *b, uint64_t v)
{
	char tmp[STR_DEC_MAX];

	buf_put(b, tmp, str_put_dec(tmp, v));
}

void buf_put_be32(struct buf *b, uint32_t v)
{
	v = __builtin_bswap32(v);
	buf_put(b, &v, sizeof(v));
}

void buf_put_be64(struct buf *b, uint64_t v)
{
	v = __builtin_bswap64(v);
	buf_put(b, &v, sizeof(v));
}

void buf_put_uvar(struct buf *b, uint64_t v)
{
	uint8_t tmp[UVAR_MAX_BYTES];

	buf_put(b, tmp, uvar_put(tmp, v));
}

int uvar_get(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n && i < UVAR_MAX_BYTES; i++) {
		/* The tenth byte has room for one bit of 64. */
		if (i == 9 && p[i] > 1)
			return -EBADMSG;
		v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (!(p[i] & 0x80)) {
			if (i > 0 && p[i] == 0)
				return -EBADMSG;
			*ret = v;
			return (int)i + 1;
		}
	}
	return -EBADMSG;
}

/* Bytes of the character at p that a terminal may be given as it is; 0: none. */
static size_t visible(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (n > left || !str_utf8_valid((str){ (const char *)p, n }))
		return 0;
	if (p[0] == 0xc2 && p[1] < 0xa0) /* C1: a one-byte form of escape sequences */
		return 0;
	/* U+200B to 200F, 2028 to 202E, 2066 to 2069: unseen, or they show a name in another order than it is written. */
	if (p[0] == 0xe2 && p[1] == 0x80 && ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae)))
		return 0;
	if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)
		return 0;
	return n;
}

void buf_put_visible(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n;) {
		const uint8_t *p = (const uint8_t *)s.p + i;
		size_t n = visible(p, s.n - i);

		if (n)
			buf_put(b, p, n);
		else
			buf_putf(b, "\\x%02x", *p);
		i += n ? n : 1;
	}
}
