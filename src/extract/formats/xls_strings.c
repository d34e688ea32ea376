/* Strings of BIFF (MS-XLS 2.5.293 XLUnicodeRichExtendedString, 2.4.265 SST). */
#include "extract/formats/xls_strings.h"

#define CONTINUE 0x3c

bool record_at(str stream, size_t at, struct record *ret)
{
	if (!le_has(stream, at, 4))
		return false;
	ret->type = le16(stream, at);
	ret->data = le_sub(stream, at + 4, le16(stream, at + 2));
	ret->next = at + 4 + ret->data.n;
	return true;
}

void cursor_start(struct cursor *c, str stream, const struct record *r)
{
	*c = (struct cursor){ .stream = stream, .rec = *r };
}

/* On to the record that continues this one. */
static bool go_on(struct cursor *c)
{
	struct record next;

	if (!record_at(c->stream, c->rec.next, &next) || next.type != CONTINUE) {
		c->end = true;
		return false;
	}
	c->rec = next;
	c->at = 0;
	return true;
}

static size_t left(const struct cursor *c)
{
	return c->rec.data.n - c->at;
}

static uint32_t number(struct cursor *c, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++) {
		while (!left(c))
			if (!go_on(c))
				return 0;
		v |= (uint32_t)le8(c->rec.data, c->at++) << (8 * i);
	}
	return v;
}

static void skip(struct cursor *c, uint64_t n)
{
	while (n > left(c)) {
		n -= left(c);
		if (!go_on(c))
			return;
	}
	c->at += n;
}

/* Narrow characters are the first 256 of Unicode. */
static void put_narrow(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c >= 0x80)
			buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(c < 0x80 ? c : 0x80 | (c & 0x3f)));
	}
}

void cursor_chars(struct cursor *c, uint32_t cch, uint8_t flags, struct buf *ret)
{
	while (cch) {
		size_t n, width = flags & 1 ? 2 : 1;

		while (!left(c)) {
			if (!go_on(c))
				return;
			flags = (uint8_t)((flags & ~1u) | (number(c, 1) & 1));
			width = flags & 1 ? 2 : 1;
		}
		n = MIN((size_t)cch, left(c) / width);
		if (!n) { /* half a character */
			c->at = c->rec.data.n;
			continue;
		}
		if (width == 2)
			ole_utf16(ret, le_sub(c->rec.data, c->at, 2 * n), false);
		else
			put_narrow(ret, le_sub(c->rec.data, c->at, n));
		c->at += n * width;
		cch -= (uint32_t)n;
	}
}

void xls_string(str data, size_t *at, bool short_length, unsigned codepage, struct buf *ret)
{
	size_t n = short_length ? le8(data, *at) : le16(data, *at);
	uint8_t flags;
	str s;

	*at += short_length ? 1 : 2;
	if (codepage) {
		charset_codepage_to_utf8(codepage, le_sub(data, *at, n), ret);
		*at += n;
		return;
	}
	flags = le8(data, (*at)++);
	if (flags & 8) /* formatting, phonetic guides: behind the text, but counted before it */
		*at += 2;
	if (flags & 4)
		*at += 4;
	s = le_sub(data, *at, flags & 1 ? 2 * n : n);
	if (flags & 1)
		ole_utf16(ret, s, false);
	else
		put_narrow(ret, s);
	*at += s.n;
}

static bool add(struct shared *t)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 1024;
		uint32_t *p = realloc(t->end, cap * sizeof(*p));

		if (!p)
			return false;
		t->end = p;
		t->cap = cap;
	}
	t->end[t->n++] = (uint32_t)t->bytes.n;
	return true;
}

void shared_read(struct shared *t, str stream, const struct record *sst)
{
	struct cursor c;
	uint32_t n;

	shared_free(t);
	cursor_start(&c, stream, sst);
	number(&c, 4);
	n = number(&c, 4);
	for (uint32_t i = 0; i < n && !c.end && !buf_error(&t->bytes); i++) {
		uint32_t cch = number(&c, 2), runs = 0, extra = 0;
		uint8_t flags = (uint8_t)number(&c, 1);

		if (flags & 8)
			runs = number(&c, 2);
		if (flags & 4)
			extra = number(&c, 4);
		if (c.end)
			break;
		cursor_chars(&c, cch, flags, &t->bytes);
		if (!add(t))
			break;
		skip(&c, 4ull * runs + extra);
	}
}

str shared_get(const struct shared *t, uint32_t i)
{
	uint32_t from;

	if (i >= t->n)
		return STR_NONE;
	from = i ? t->end[i - 1] : 0;
	return (str){ t->bytes.p + from, t->end[i] - from };
}

void shared_free(struct shared *t)
{
	buf_free(&t->bytes);
	free(t->end);
	*t = (struct shared){ 0 };
}
