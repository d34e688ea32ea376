#include "base/hash.h"

#include <openssl/evp.h>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

struct sha256 {
	EVP_MD_CTX *ctx;
	EVP_MD *md; /* fetched once: looking the digest up for each call costs more than a leaf's hash */
};

struct sha256 *sha256_new(void)
{
	struct sha256 *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->ctx = EVP_MD_CTX_new();
	if (!h->md || !h->ctx)
		return sha256_free(h);
	return h;
}

struct sha256 *sha256_free(struct sha256 *h)
{
	if (!h)
		return NULL;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	free(h);
	return NULL;
}

void sha256_init(struct sha256 *h)
{
	if (EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1)
		abort();
}

void sha256_update(struct sha256 *h, const void *p, size_t n)
{
	if (EVP_DigestUpdate(h->ctx, p, n) != 1)
		abort();
}

void sha256_final(struct sha256 *h, uint8_t out[static SHA256_LEN])
{
	if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		abort();
}

void sha256_parts(struct sha256 *h, const str *parts, size_t n_parts, uint8_t out[static SHA256_LEN])
{
	sha256_init(h);
	for (size_t i = 0; i < n_parts; i++)
		sha256_update(h, parts[i].p, parts[i].n);
	sha256_final(h, out);
}

static uint32_t crc_table[256];

static void crc_table_fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0x82f63b78U ^ (c >> 1) : c >> 1;
		__atomic_store_n(&crc_table[i], c, __ATOMIC_RELAXED);
	}
}

static uint32_t crc32c_soft(uint32_t crc, const uint8_t *p, size_t n)
{
	if (__atomic_load_n(&crc_table[255], __ATOMIC_RELAXED) == 0)
		crc_table_fill();
	while (n--)
		crc = crc_table[(crc ^ *p++) & 0xff] ^ (crc >> 8);
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse(uint32_t crc, const uint8_t *p, size_t n)
{
	uint64_t c = crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;

		memcpy(&v, p, 8);
		c = _mm_crc32_u64(c, v);
	}
	crc = (uint32_t)c;
	while (n--)
		crc = _mm_crc32_u8(crc, *p++);
	return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	crc = ~crc;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_sse(crc, p, n);
#endif
	return ~crc32c_soft(crc, p, n);
}

static inline uint64_t rotl64(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1]; v[1] = rotl64(v[1], 13); v[1] ^= v[0]; v[0] = rotl64(v[0], 32);
	v[2] += v[3]; v[3] = rotl64(v[3], 16); v[3] ^= v[2];
	v[0] += v[3]; v[3] = rotl64(v[3], 21); v[3] ^= v[0];
	v[2] += v[1]; v[1] = rotl64(v[1], 17); v[1] ^= v[2]; v[2] = rotl64(v[2], 32);
}

/* Rounds are constants of the callers, so that each gets code of its own. */
static inline uint64_t siphash(const uint8_t key[static 16], const void *data, size_t n, int per_word, int at_end, uint64_t wide)
{
	const uint8_t *p = data;
	uint64_t k0, k1, m, last = (uint64_t)n << 56;
	uint64_t v[4];

	memcpy(&k0, key, 8);
	memcpy(&k1, key + 8, 8);
	v[0] = k0 ^ 0x736f6d6570736575ULL;
	v[1] = k1 ^ 0x646f72616e646f6dULL ^ wide;
	v[2] = k0 ^ 0x6c7967656e657261ULL;
	v[3] = k1 ^ 0x7465646279746573ULL;
	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&m, p, 8);
		v[3] ^= m;
		for (int i = 0; i < per_word; i++)
			sip_round(v);
		v[0] ^= m;
	}
	for (size_t i = 0; i < n; i++)
		last |= (uint64_t)p[i] << (8 * i);
	v[3] ^= last;
	for (int i = 0; i < per_word; i++)
		sip_round(v);
	v[0] ^= last;
	v[2] ^= wide ? wide : 0xff;
	for (int i = 0; i < at_end; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash13(const uint8_t key[static 16], const void *p, size_t n)
{
	return siphash(key, p, n, 1, 3, 0);
}

uint64_t siphash24_128(const uint8_t key[static 16], const void *p, size_t n)
{
	return siphash(key, p, n, 2, 4, 0xee);
}
