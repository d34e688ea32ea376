/* buf.h — the one growing byte buffer.
 *
 * Purpose: owned bytes that grow up to a hard cap (BUF_MAX unless set), so that no outside size can exhaust memory.
 * Ownership: the struct owns p; release with buf_free (or _cleanup_buf_). Units: bytes. Threads: one at a time.
 * Errors: buf_reserve returns -ENOMEM or -EMSGSIZE (cap). The put functions remember the first error in .err and become no-ops, so that
 * a writer checks once at the end with buf_error().
 */
#ifndef TYTO_BUF_H
#define TYTO_BUF_H

#include "base/base.h"
#include "base/str.h"

#define BUF_MAX ((size_t)1 << 30)

struct buf {
	char *p;
	size_t n, cap;
	size_t max; /* 0: BUF_MAX */
	int err;    /* first error of a put, negative errno */
};

#define BUF_INIT ((struct buf){ 0 })

void buf_free(struct buf *b);
#define _cleanup_buf_ _cleanup_(buf_free)

int buf_reserve(struct buf *b, size_t more);

/* Empties, keeps the memory, forgets the error. */
static inline void buf_clear(struct buf *b)
{
	b->n = 0;
	b->err = 0;
}

static inline int buf_error(const struct buf *b)
{
	return b->err;
}

static inline str buf_str(const struct buf *b)
{
	return (str){ b->p, b->n };
}

void buf_put(struct buf *b, const void *p, size_t n);
void buf_putf(struct buf *b, const char *fmt, ...) _printf_(2, 3);

static inline void buf_puts(struct buf *b, str s)
{
	buf_put(b, s.p, s.n);
}

static inline void buf_putc(struct buf *b, char c)
{
	if (likely(b->n < b->cap && !b->err))
		b->p[b->n++] = c;
	else
		buf_put(b, &c, 1);
}

/* Text from outside for a terminal: control characters, invalid UTF-8 and the marks that turn the direction of writing become \xHH. */
void buf_put_visible(struct buf *b, str s);

/* Adds a NUL that is not counted, and returns the bytes as a C string; NULL on error. */
const char *buf_cstr(struct buf *b);

/* Decimal digits. */
void buf_put_dec(struct buf *b, uint64_t v);

/* Fixed width, big endian. */
void buf_put_be32(struct buf *b, uint32_t v);
void buf_put_be64(struct buf *b, uint64_t v);

/* Unsigned LEB128, minimal form. */
void buf_put_uvar(struct buf *b, uint64_t v);

#endif
