/* Nonces and leaf hashes. The nonces of a segment are the keystream of AES-128-CTR from counter 0, made as AES-ECB of counter blocks,
 * so that any of them can be had alone; many at a time cost little more than one. */
#include "evidence/leaf.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/varint.h"

#define AHEAD 256 /* nonces made at once when reading or writing in order */
#define JUMP 8    /* and when not */

struct leaf_hasher {
	struct sha256 *sha;
	EVP_CIPHER *aes;
	EVP_CIPHER_CTX *ctx;
	uint64_t first;     /* of the segment */
	uint64_t from, to;  /* the window: nonces of indices first + [from, to) */
	uint8_t counter[AHEAD][LEAF_NONCE];
	uint8_t nonce[AHEAD][LEAF_NONCE];
};

struct leaf_hasher *leaf_hasher_new(void)
{
	struct leaf_hasher *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->sha = sha256_new();
	h->aes = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	h->ctx = EVP_CIPHER_CTX_new();
	if (!h->sha || !h->aes || !h->ctx)
		return leaf_hasher_free(h);
	return h;
}

struct leaf_hasher *leaf_hasher_free(struct leaf_hasher *h)
{
	if (!h)
		return NULL;
	sha256_free(h->sha);
	EVP_CIPHER_CTX_free(h->ctx);
	EVP_CIPHER_free(h->aes);
	free(h);
	return NULL;
}

int leaf_hasher_segment(struct leaf_hasher *h, const uint8_t seed[static 16], uint64_t first)
{
	if (EVP_EncryptInit_ex2(h->ctx, h->aes, seed, NULL, NULL) != 1)
		return -ENOMEM;
	EVP_CIPHER_CTX_set_padding(h->ctx, 0);
	h->first = first;
	h->from = h->to = 0;
	return 0;
}

static void fill_window(struct leaf_hasher *h, uint64_t at)
{
	unsigned n = at == h->to ? AHEAD : JUMP;
	int out;

	for (unsigned i = 0; i < n; i++)
		put_be64(&h->counter[i][8], at + i); /* the high half stays 0 */
	if (EVP_EncryptUpdate(h->ctx, h->nonce[0], &out, h->counter[0], (int)(n * LEAF_NONCE)) != 1 || out != (int)(n * LEAF_NONCE))
		abort(); /* no segment was set: a bug of the caller */
	h->from = at;
	h->to = at + n;
}

static const uint8_t *nonce_at(struct leaf_hasher *h, uint64_t index)
{
	uint64_t at = index - h->first;

	if (at < h->from || at >= h->to)
		fill_window(h, at);
	return h->nonce[at - h->from];
}

void leaf_nonce(struct leaf_hasher *h, uint64_t index, uint8_t out[static LEAF_NONCE])
{
	memcpy(out, nonce_at(h, index), LEAF_NONCE);
}

void leaf_whole(const uint8_t *packed, size_t n, const uint8_t nonce[static LEAF_NONCE], uint8_t *out)
{
	size_t head = MIN(n, (size_t)2); /* version and kind; fewer only in damaged frames */

	memcpy(out, packed, head);
	memcpy(out + head, nonce, LEAF_NONCE);
	memcpy(out + head + LEAF_NONCE, packed + head, n - head);
}

void leaf_hash(struct leaf_hasher *h, uint64_t index, const uint8_t *packed, size_t n, uint8_t out[static SHA256_LEN])
{
	const uint8_t *nonce = nonce_at(h, index);
	uint8_t whole[1 + LEAF_MAX];

	sha256_init(h->sha);
	if (likely(n <= LEAF_MAX - LEAF_NONCE)) {
		/* One update is cheaper than four. */
		whole[0] = 0;
		leaf_whole(packed, n, nonce, whole + 1);
		sha256_update(h->sha, whole, 1 + n + LEAF_NONCE);
	} else {
		sha256_update(h->sha, "", 1);
		sha256_update(h->sha, packed, 2);
		sha256_update(h->sha, nonce, LEAF_NONCE);
		sha256_update(h->sha, packed + 2, n - 2);
	}
	sha256_final(h->sha, out);
}
