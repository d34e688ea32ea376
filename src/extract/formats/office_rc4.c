/* RC4 itself is here because OpenSSL 3 has it in its legacy provider alone, which a system may leave out. */
#include "extract/formats/office_rc4.h"

#include <errno.h>

#include "extract/formats/ole.h"

#define SALT 16

static EVP_MD *md5, *sha1;

int office_rc4_prepare(void)
{
	/* Where MD5 is forbidden, what was made with it stays shut. */
	if (!md5)
		md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	if (!sha1)
		sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	return sha1 ? 0 : -ENOMEM;
}

static void schedule(struct office_rc4 *k, const uint8_t *key, size_t n)
{
	uint8_t j = 0;

	for (size_t i = 0; i < sizeof(k->s); i++)
		k->s[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(k->s); i++) {
		uint8_t was = k->s[i];

		j = (uint8_t)(j + was + key[i % n]);
		k->s[i] = k->s[j];
		k->s[j] = was;
	}
	k->i = k->j = 0;
}

void office_rc4_apply(struct office_rc4 *k, uint8_t *p, size_t n)
{
	for (size_t at = 0; at < n; at++) {
		uint8_t a = k->s[++k->i], b;

		k->j = (uint8_t)(k->j + a);
		b = k->s[k->j];
		k->s[k->i] = b;
		k->s[k->j] = a;
		if (p)
			p[at] ^= k->s[(uint8_t)(a + b)];
	}
}

static bool hash(struct office_rc4 *k, str a, str b, uint8_t ret[static EVP_MAX_MD_SIZE])
{
	return EVP_DigestInit_ex2(k->hashing, k->md, NULL) == 1 && (!a.n || EVP_DigestUpdate(k->hashing, a.p, a.n) == 1) &&
	       (!b.n || EVP_DigestUpdate(k->hashing, b.p, b.n) == 1) && EVP_DigestFinal_ex(k->hashing, ret, NULL) == 1;
}

static str bytes_of(const uint8_t *p, size_t n)
{
	return (str){ (const char *)p, n };
}

bool office_rc4_block(struct office_rc4 *k, uint32_t block)
{
	uint8_t n[4] = { (uint8_t)block, (uint8_t)(block >> 8), (uint8_t)(block >> 16), (uint8_t)(block >> 24) }, key[EVP_MAX_MD_SIZE];

	if (!hash(k, bytes_of(k->base, k->n_base), bytes_of(n, 4), key))
		return false;
	if (k->n_key == 5) { /* 40 bits are filled up with zeros */
		memset(key + 5, 0, 11);
		schedule(k, key, 16);
	} else {
		schedule(k, key, k->n_key);
	}
	return true;
}

/* The verifier is random, and its hash stands behind it; both are enciphered as one. */
static int verify(struct office_rc4 *k, str verifier, str its_hash)
{
	size_t n = (size_t)EVP_MD_get_size(k->md);
	uint8_t plain[SALT + EVP_MAX_MD_SIZE], h[EVP_MAX_MD_SIZE];

	if (verifier.n != SALT || its_hash.n != n)
		return -EACCES;
	memcpy(plain, verifier.p, SALT);
	memcpy(plain + SALT, its_hash.p, n);
	if (!office_rc4_block(k, 0))
		return -ENOMEM;
	office_rc4_apply(k, plain, SALT + n);
	if (!hash(k, bytes_of(plain, SALT), STR_NONE, h))
		return -ENOMEM;
	return memcmp(h, plain + SALT, n) == 0 ? 0 : -EACCES;
}

/* Since Office 97: salt, verifier, its MD5. */
static int open_97(struct office_rc4 *k, str info, str password)
{
	uint8_t h[EVP_MAX_MD_SIZE], many[16 * (5 + SALT)];

	k->md = md5;
	k->n_key = 16;
	k->n_base = 5;
	if (!md5 || !le_has(info, 4, 48))
		return -EACCES;
	if (!hash(k, password, STR_NONE, h))
		return -ENOMEM;
	for (size_t i = 0; i < 16; i++) {
		memcpy(many + i * (5 + SALT), h, 5);
		memcpy(many + i * (5 + SALT) + 5, info.p + 4, SALT);
	}
	if (!hash(k, bytes_of(many, sizeof(many)), STR_NONE, k->base))
		return -ENOMEM;
	return verify(k, le_sub(info, 20, SALT), le_sub(info, 36, 16));
}

/* Since Office 2002: flags, size of the header, header (algorithm at 8, hash at 12, bits at 16), salt, verifier, its SHA-1. */
static int open_2002(struct office_rc4 *k, str info, str password)
{
	uint32_t n = le32(info, 8), bits = le32(info, 12 + 16) ? le32(info, 12 + 16) : 40;
	size_t at = 12 + (size_t)n;

	k->md = sha1;
	k->n_key = bits / 8;
	k->n_base = 20;
	if (!sha1 || le32(info, 12 + 8) != 0x6801 || le32(info, 12 + 12) != 0x8004 || bits % 8 || bits < 40 || bits > 128 ||
	    le32(info, at) != SALT || !le_has(info, at, 4 + SALT + SALT + 4 + 20))
		return -EACCES;
	if (!hash(k, le_sub(info, at + 4, SALT), password, k->base))
		return -ENOMEM;
	return verify(k, le_sub(info, at + 20, SALT), le_sub(info, at + 40, 20));
}

int office_rc4_open(struct office_rc4 *k, str info, str password)
{
	unsigned major = le16(info, 0), minor = le16(info, 2);
	int r;

	*k = (struct office_rc4){ .hashing = EVP_MD_CTX_new() };
	if (!k->hashing)
		return -ENOMEM;
	r = major == 1 && minor == 1 ? open_97(k, info, password) :
	    major >= 2 && major <= 4 && minor == 2 ? open_2002(k, info, password) : -EACCES;
	if (r < 0)
		office_rc4_close(k);
	return r;
}

void office_rc4_close(struct office_rc4 *k)
{
	EVP_MD_CTX_free(k->hashing);
	k->hashing = NULL;
}
