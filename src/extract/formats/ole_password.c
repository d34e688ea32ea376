/* Office's encrypted packages (MS-OFFCRYPTO 2.3.4) that need no password: Excel encrypts a workbook whose structure is protected, or that
 * is to be opened read-only, with a password that is the same everywhere, and asks nobody for it; so does PowerPoint with its own
 * (2.4.2.3). Whatever else is encrypted stays shut. */
#include "extract/formats/ole.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/base64.h"
#include "extract/formats/xml.h"

#define SPINS_MAX 1000000 /* rounds of hashing; Office makes 50,000 or 100,000 */
#define SALT_MAX 64
#define SEGMENT 4096

/* UTF-16LE, with the NUL behind. */
static const char excels[] = "V\0e\0l\0v\0e\0t\0S\0w\0e\0a\0t\0s\0h\0o\0p";
static const char powerpoints[] = "/\0" "0\0" "1\0H\0a\0n\0n\0e\0s\0 \0R\0u\0e\0s\0c\0h\0e\0r\0/\0" "0\0" "1";
static const str everybodys[] = { { excels, sizeof(excels) }, { powerpoints, sizeof(powerpoints) } };

/* ---- algorithms: those that Office writes, fetched before the sandbox closes ---- */

static struct { const char *office, *openssl; EVP_MD *md; } hashes[] = {
	{ "SHA1", "SHA1", NULL }, { "SHA256", "SHA256", NULL }, { "SHA384", "SHA384", NULL }, { "SHA512", "SHA512", NULL },
};

enum chaining { CHAINING_ECB, CHAINING_CBC };
static struct { unsigned bits; enum chaining chaining; const char *openssl; EVP_CIPHER *cipher; } ciphers[] = {
	{ 128, CHAINING_ECB, "AES-128-ECB", NULL }, { 192, CHAINING_ECB, "AES-192-ECB", NULL }, { 256, CHAINING_ECB, "AES-256-ECB", NULL },
	{ 128, CHAINING_CBC, "AES-128-CBC", NULL }, { 192, CHAINING_CBC, "AES-192-CBC", NULL }, { 256, CHAINING_CBC, "AES-256-CBC", NULL },
};

int ole_password_prepare(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
		if (!hashes[i].md && !(hashes[i].md = EVP_MD_fetch(NULL, hashes[i].openssl, NULL)))
			return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (!ciphers[i].cipher && !(ciphers[i].cipher = EVP_CIPHER_fetch(NULL, ciphers[i].openssl, NULL)))
			return -ENOMEM;
	return 0;
}

static const EVP_MD *hash_of(const char *office)
{
	for (size_t i = 0; office && i < ARRAY_SIZE(hashes); i++)
		if (strcmp(office, hashes[i].office) == 0)
			return hashes[i].md;
	return NULL;
}

struct lock {
	const EVP_MD *md;
	const EVP_CIPHER *cipher;
	str password;
	unsigned bits;
	uint32_t spins;
	uint8_t salt[SALT_MAX];
	size_t n_salt;
	EVP_MD_CTX *hashing;
	EVP_CIPHER_CTX *deciphering;
};

static const EVP_CIPHER *cipher_of(unsigned bits, enum chaining chaining)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (ciphers[i].bits == bits && ciphers[i].chaining == chaining)
			return ciphers[i].cipher;
	return NULL;
}

/* Of two pieces; b may be empty. */
static bool hash(struct lock *l, str a, str b, uint8_t *ret)
{
	return EVP_DigestInit_ex2(l->hashing, l->md, NULL) == 1 && EVP_DigestUpdate(l->hashing, a.p, a.n) == 1 &&
	       (!b.n || EVP_DigestUpdate(l->hashing, b.p, b.n) == 1) && EVP_DigestFinal_ex(l->hashing, ret, NULL) == 1;
}

static size_t hash_size(const struct lock *l)
{
	return (size_t)EVP_MD_get_size(l->md);
}

static str bytes_of(const uint8_t *p, size_t n)
{
	return (str){ (const char *)p, n };
}

static str number_of(uint32_t v, uint8_t b[static 4])
{
	for (unsigned i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	return bytes_of(b, 4);
}

/* Whole blocks; in and out may be the same. */
static bool decipher(struct lock *l, const uint8_t *key, const uint8_t *iv, const uint8_t *in, size_t n, uint8_t *out)
{
	int done = 0;

	return n % 16 == 0 && n <= INT_MAX && EVP_DecryptInit_ex2(l->deciphering, l->cipher, key, iv, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(l->deciphering, 0) == 1 &&
	       EVP_DecryptUpdate(l->deciphering, out, &done, in, (int)n) == 1 && done == (int)n;
}

/* What keys are made of: the password, hashed so often that trying many takes long. */
static bool spin(struct lock *l, uint8_t h[static EVP_MAX_MD_SIZE])
{
	bool ok = hash(l, bytes_of(l->salt, l->n_salt), l->password, h);
	uint8_t n[4];

	for (uint32_t i = 0; ok && i < l->spins; i++)
		ok = hash(l, number_of(i, n), bytes_of(h, hash_size(l)), h);
	return ok;
}

/* ---- "standard": AES in ECB mode, SHA-1 ---- */

static bool standard_key(struct lock *l, uint8_t key[static 64])
{
	uint8_t h[EVP_MAX_MD_SIZE], pad[64], n[4];

	if (!spin(l, h) || !hash(l, bytes_of(h, 20), number_of(0, n), h))
		return false;
	for (unsigned half = 0; half < 2; half++) {
		memset(pad, half ? 0x5c : 0x36, sizeof(pad));
		for (size_t i = 0; i < 20; i++)
			pad[i] ^= h[i];
		if (!hash(l, bytes_of(pad, sizeof(pad)), STR_NONE, key + 20 * (size_t)half))
			return false;
	}
	return true;
}

/* Version, flags, size of the header, header (…, algorithm at 8, bits at 16), salt, verifier and its hash, both enciphered. */
static int standard(struct lock *l, str info, str package, uint64_t size, struct buf *ret)
{
	size_t header = le32(info, 8);
	str verifier = header <= info.n ? le_sub(info, 12 + header, info.n) : STR_NONE;
	uint8_t key[64], h[EVP_MAX_MD_SIZE], plain[48];

	l->bits = le32(info, 12 + 16) ? le32(info, 12 + 16) : 128;
	l->md = hash_of("SHA1");
	l->cipher = cipher_of(l->bits, CHAINING_ECB);
	l->spins = 50000;
	l->n_salt = 16;
	if (!l->cipher || verifier.n < 4 + 16 + 16 + 4 + 32 || le32(verifier, 0) != 16)
		return -EACCES;
	memcpy(l->salt, verifier.p + 4, 16);
	if (!standard_key(l, key) || !decipher(l, key, NULL, (const uint8_t *)verifier.p + 20, 16, plain) ||
	    !decipher(l, key, NULL, (const uint8_t *)verifier.p + 40, 32, plain + 16) ||
	    !hash(l, bytes_of(plain, 16), STR_NONE, h) || memcmp(h, plain + 16, 20) != 0)
		return -EACCES;
	package.n &= ~(size_t)15;
	if (!decipher(l, key, NULL, (const uint8_t *)package.p, package.n, (uint8_t *)ret->p))
		return -EACCES;
	ret->n = MIN(package.n, (size_t)size);
	return 0;
}

/* ---- "agile": what is used stands in XML ---- */

enum { KEY_DATA = 1, ENCRYPTED_KEY };
static const struct xml_name agile_names[] = { { "encryptedKey", ENCRYPTED_KEY }, { "keyData", KEY_DATA } };

struct piece {
	uint8_t p[SALT_MAX + EVP_MAX_MD_SIZE];
	size_t n;
};

struct agile {
	struct lock data, key; /* of the package; of the key that is enciphered with the password */
	struct piece input, value, package_key;
};

static size_t decoded(const char *value, size_t max, uint8_t *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!value || base64_decode(&b, str_c(value)) < 0 || b.n > max)
		return 0;
	if (b.n)
		memcpy(ret, b.p, b.n);
	return b.n;
}

static void agile_lock(struct lock *l, const char **atts)
{
	const char *chaining = xml_attr(atts, "cipherChaining"), *cipher = xml_attr(atts, "cipherAlgorithm");
	bool aes = chaining && cipher && strcmp(chaining, "ChainingModeCBC") == 0 && strcmp(cipher, "AES") == 0;

	l->bits = xml_number(xml_attr(atts, "keyBits"), 0, 256);
	l->md = hash_of(xml_attr(atts, "hashAlgorithm"));
	l->cipher = aes ? cipher_of(l->bits, CHAINING_CBC) : NULL;
	l->spins = xml_number(xml_attr(atts, "spinCount"), 0, UINT32_MAX);
	l->n_salt = decoded(xml_attr(atts, "saltValue"), sizeof(l->salt), l->salt);
}

static void agile_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct agile *a = arg;

	if (id == KEY_DATA)
		agile_lock(&a->data, atts);
	if (id != ENCRYPTED_KEY || !xml_attr(atts, "spinCount")) /* keys that open with a certificate have none */
		return;
	agile_lock(&a->key, atts);
	a->input.n = decoded(xml_attr(atts, "encryptedVerifierHashInput"), sizeof(a->input.p), a->input.p);
	a->value.n = decoded(xml_attr(atts, "encryptedVerifierHashValue"), sizeof(a->value.p), a->value.p);
	a->package_key.n = decoded(xml_attr(atts, "encryptedKeyValue"), sizeof(a->package_key.p), a->package_key.p);
}

static void agile_end(void *arg, struct xml *x, int id)
{
}

static void agile_text(void *arg, str s)
{
}

/* What was enciphered for one purpose, under the key for it; the salt is where the blocks begin. */
static bool agile_piece(struct lock *l, const uint8_t spun[static EVP_MAX_MD_SIZE], const char purpose[static 8], struct piece *p)
{
	uint8_t key[EVP_MAX_MD_SIZE];

	memset(key, 0x36, sizeof(key)); /* what a short hash is filled up with */
	return l->n_salt >= 16 && hash(l, bytes_of(spun, hash_size(l)), (str){ purpose, 8 }, key) &&
	       decipher(l, key, l->salt, p->p, p->n, p->p);
}

static bool agile_open(struct agile *a)
{
	uint8_t spun[EVP_MAX_MD_SIZE], h[EVP_MAX_MD_SIZE];
	struct lock *l = &a->key;

	if (!l->md || !l->cipher || !a->data.md || !a->data.cipher || l->spins > SPINS_MAX || !a->input.n || a->input.n > 64 ||
	    a->value.n < hash_size(l) || a->package_key.n < a->data.bits / 8 || !spin(l, spun))
		return false;
	if (!agile_piece(l, spun, "\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79", &a->input) ||
	    !agile_piece(l, spun, "\xd7\xaa\x0f\x6d\x30\x61\x34\x4e", &a->value) ||
	    !hash(l, bytes_of(a->input.p, a->input.n), STR_NONE, h) || memcmp(h, a->value.p, hash_size(l)) != 0)
		return false;
	return agile_piece(l, spun, "\x14\x6e\x0b\xe7\xab\xac\xd0\xd6", &a->package_key);
}

static int agile(struct lock *tools, str info, str package, uint64_t size, struct buf *ret)
{
	static const struct xml_handler handler = { .names = agile_names, .n_names = ARRAY_SIZE(agile_names), .start = agile_start,
		.end = agile_end, .text = agile_text };
	struct agile a = { 0 };
	struct in *in = in_memory(STR_NONE, le_sub(info, 8, info.n));
	int r = in ? xml_read_in(in, NULL, &handler, &a) : -ENOMEM;

	in_close(in);
	if (r < 0)
		return r == -ENOMEM ? r : -EACCES;
	a.key.password = tools->password;
	a.data.hashing = a.key.hashing = tools->hashing;
	a.data.deciphering = a.key.deciphering = tools->deciphering;
	if (!agile_open(&a))
		return -EACCES;
	package.n &= ~(size_t)15;
	for (size_t at = 0; at < package.n; at += SEGMENT) {
		uint8_t iv[EVP_MAX_MD_SIZE], n[4], *to = (uint8_t *)ret->p + at;

		if (!hash(&a.data, bytes_of(a.data.salt, a.data.n_salt), number_of((uint32_t)(at / SEGMENT), n), iv) ||
		    !decipher(&a.data, a.package_key.p, iv, (const uint8_t *)package.p + at, MIN((size_t)SEGMENT, package.n - at), to))
			return -EACCES;
	}
	ret->n = MIN(package.n, (size_t)size);
	return 0;
}

int ole_everybodys(struct ole *o, struct buf *ret)
{
	_cleanup_buf_ struct buf info = BUF_INIT, package = BUF_INIT;
	struct lock tools = { 0 };
	uint64_t size;
	str s, enciphered;
	int r = ole_load(o, o->root, "EncryptionInfo", &info);

	if (r == 0)
		r = ole_load(o, o->root, "EncryptedPackage", &package);
	if (r == 0)
		r = buf_reserve(ret, package.n);
	if (r < 0)
		return r == -ENOENT ? -EACCES : r;
	s = buf_str(&info);
	size = (uint64_t)le32(buf_str(&package), 4) << 32 | le32(buf_str(&package), 0);
	enciphered = le_sub(buf_str(&package), 8, package.n);
	tools.hashing = EVP_MD_CTX_new();
	tools.deciphering = EVP_CIPHER_CTX_new();
	r = tools.hashing && tools.deciphering ? -EACCES : -ENOMEM;
	for (size_t i = 0; r == -EACCES && i < ARRAY_SIZE(everybodys); i++) {
		tools.password = everybodys[i];
		if (le16(s, 0) == 4 && le16(s, 2) == 4)
			r = agile(&tools, s, enciphered, size, ret);
		else if (le16(s, 0) >= 2 && le16(s, 0) <= 4 && le16(s, 2) == 2)
			r = standard(&tools, s, enciphered, size, ret);
	}
	EVP_MD_CTX_free(tools.hashing);
	EVP_CIPHER_CTX_free(tools.deciphering);
	return r;
}
