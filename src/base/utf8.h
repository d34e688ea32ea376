/* utf8.h — UTF-8 checked and counted at memory speed.
 *
 * Purpose: what crosses from a worker is checked before it is believed, and what a reader gives is cleaned before it is sent; both at a
 * rate that nobody notices. Ownership: none. Units: bytes, code points. Threads: no state. Errors: none.
 */
#ifndef TYTO_UTF8_H
#define TYTO_UTF8_H

#include "base/buf.h"

/* Length of the longest prefix that is well-formed UTF-8 (RFC 3629) without control characters but \t and \n (so no NUL, no DEL). */
size_t utf8_clean_prefix(str s);
/* Code points of well-formed UTF-8. */
uint64_t utf8_count(str s);
/* Appends s, made clean: malformed bytes become U+FFFD (one for each maximal part, as Unicode recommends), "\r\n" a newline, other
 * control characters a space. */
void utf8_put_clean(struct buf *b, str s);
/* The same byte run cut at ≤ max bytes, never inside a character. */
size_t utf8_cut(str s, size_t max);

/* Appends one code point: at most 0x10ffff, no surrogate (whoever reads it from outside has seen to that). */
void utf8_put(struct buf *b, uint32_t c);

/* For tests: without the vectors that this processor has. */
extern bool utf8_portable;

#endif
