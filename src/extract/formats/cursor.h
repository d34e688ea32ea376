/* cursor.h — little-endian values one after the other, out of bytes that somebody else wrote.
 *
 * Purpose: TNEF and OLE 1 objects are read with it. Ownership: views into the caller's bytes. Units: bytes. Threads: no state.
 * Errors: past the end `bad` is set, for good, and what is taken is empty or 0: the caller looks once at the end.
 */
#ifndef TYTO_CURSOR_H
#define TYTO_CURSOR_H

#include "base/str.h"

struct cursor {
	str s;
	bool bad;
};

static inline str cursor_take(struct cursor *c, size_t n)
{
	str r = { c->s.p, n };

	if (c->bad || n > c->s.n) {
		c->bad = true;
		return STR_NONE;
	}
	c->s = (str){ c->s.p + n, c->s.n - n };
	return r;
}

static inline uint32_t cursor_number(struct cursor *c, size_t bytes)
{
	str p = cursor_take(c, bytes);
	uint32_t v = 0;

	for (size_t i = p.n; i > 0; i--)
		v = v << 8 | (uint8_t)p.p[i - 1];
	return v;
}

#endif
