/* hash.h — SHA-256 (libcrypto), CRC-32C, and a keyed 64-bit hash for tables.
 *
 * Purpose: the only place that calls libcrypto's digests. Ownership: a struct sha256 owns one EVP_MD_CTX, reused for
 * every digest: creating one costs more than hashing a leaf. Units: bytes. Threads: one at a time per struct.
 * Errors: libcrypto cannot fail here except for memory; sha256_new returns NULL then.
 */
#ifndef TYTO_HASH_H
#define TYTO_HASH_H

#include "base/base.h"
#include "base/str.h"

#define SHA256_LEN 32

struct sha256; /* opaque */

struct sha256 *sha256_new(void);
struct sha256 *sha256_free(struct sha256 *h); /* accepts NULL, returns NULL */
static inline void sha256_freep(struct sha256 **h)
{
	*h = sha256_free(*h);
}
#define _cleanup_sha256_ _cleanup_(sha256_freep)

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *p, size_t n);
void sha256_final(struct sha256 *h, uint8_t out[static SHA256_LEN]);

/* One call: up to four pieces. Absent pieces have n 0. */
void sha256_parts(struct sha256 *h, const str *parts, size_t n_parts, uint8_t out[static SHA256_LEN]);

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4 test vectors); start with crc 0. SSE4.2 where the processor has it. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

/* SipHash-1-3 of the bytes under a 16-byte key: for hash tables whose keys come from outside. */
uint64_t siphash13(const uint8_t key[static 16], const void *p, size_t n);

/* The first 64 bits (little endian) of SipHash-2-4-128: for values that nobody may read back without the key. */
uint64_t siphash24_128(const uint8_t key[static 16], const void *p, size_t n);

#endif
