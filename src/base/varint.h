/* varint.h — unsigned LEB128, minimal form only.
 *
 * Purpose: the variable-length integer of the log and of our own messages. Ownership, threads: no state.
 * Errors: uvar_get returns the bytes read, -EBADMSG for truncated, longer than ten bytes, above 2^64-1 or not minimal.
 */
#ifndef TYTO_VARINT_H
#define TYTO_VARINT_H

#include "base/base.h"

#define UVAR_MAX_BYTES 10

/* p must have room for UVAR_MAX_BYTES. Returns the bytes written. */
static inline size_t uvar_put(uint8_t *p, uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		p[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	return n;
}

int uvar_get(const uint8_t *p, size_t n, uint64_t *ret);

static inline uint32_t get_be32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static inline uint64_t get_be64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

static inline void put_be32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static inline void put_be64(void *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, 8);
}

#endif
