/* Packed leaves: what decodes encodes to the same bytes, and no read goes beyond the input. */
#include <stdlib.h>
#include <string.h>

#include "evidence/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_one_form(const uint8_t *p, size_t n)
{
	uint8_t back[LEAF_MAX];
	struct leaf l, again;

	if (leaf_decode(p, n, &l) < 0)
		return;
	if (leaf_encode(&l, back) != (ssize_t)n || memcmp(back, p, n) != 0)
		abort();
	if (leaf_decode(back, n, &again) < 0 || memcmp(&l, &again, sizeof(l)) != 0)
		abort();
}

/* The hash is that of the whole leaf, whatever its bytes. */
static void check_hash(const uint8_t *p, size_t n)
{
	static struct leaf_hasher *h;
	static struct sha256 *sha;
	uint8_t *whole, nonce[LEAF_NONCE], want[SHA256_LEN], got[SHA256_LEN];

	if (n < 2)
		return;
	if (!h) {
		h = leaf_hasher_new();
		sha = sha256_new();
		if (!h || !sha || leaf_hasher_segment(h, (const uint8_t[16]){ 1 }, 0) < 0)
			abort();
	}
	whole = malloc(n + LEAF_NONCE);
	if (!whole)
		return;
	leaf_nonce(h, n, nonce);
	leaf_whole(p, n, nonce, whole);
	sha256_parts(sha, (str[]){ STR("\0"), { (char *)whole, n + LEAF_NONCE } }, 2, want);
	leaf_hash(h, n, p, n, got);
	if (memcmp(want, got, sizeof(want)) != 0)
		abort();
	free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	if (!p)
		return 0;
	memcpy(p, data, n);
	check_one_form(p, n);
	check_hash(p, n);
	free(p);
	return 0;
}
