/* Encrypted packages: the password that Excel asks nobody for opens them, another does not. What enciphers here follows MS-OFFCRYPTO 2.3.4.7–15. */
#include "fixture.h"
#include "members.h"
#include "ole_make.h"

#include <openssl/evp.h>

#include "base/base64.h"
#include "extract/formats/office_rc4.h"

static const char members[] =
	"==[Content_Types].xml\n<Types><Override PartName=\"/xl/workbook.xml\" "
	"ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>\n"
	"==_rels/.rels\n<Relationships><Relationship Id=\"r\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" "
	"Target=\"xl/workbook.xml\"/></Relationships>\n"
	"==xl/_rels/workbook.xml.rels\n<Relationships><Relationship Id=\"a\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" "
	"Target=\"worksheets/sheet1.xml\"/></Relationships>\n"
	"==xl/workbook.xml\n<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><workbookProtection lockStructure=\"1\"/>"
	"<sheets><sheet name=\"People\" sheetId=\"1\" r:id=\"a\"/></sheets></workbook>\n"
	"==xl/worksheets/sheet1.xml\n<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>behind the structure</t></is></c></row></sheetData></worksheet>\n";

#define OPEN "VelvetSweatshop"
#define SLIDES "/01Hannes Ruescher/01" /* PowerPoint's */
#define SALT "0123456789abcdef"

static size_t digest(const char *name, str a, str b, uint8_t *ret)
{
	_cleanup_buf_ struct buf all = BUF_INIT;
	unsigned n;

	buf_puts(&all, a);
	buf_puts(&all, b);
	assert_int_equal(EVP_Digest(all.p, all.n, ret, &n, EVP_get_digestbyname(name), NULL), 1);
	return n;
}

/* Filled up with zeros to whole blocks. */
static void encipher(const char *cipher, const uint8_t *key, const void *iv, str plain, struct buf *ret)
{
	_cleanup_buf_ struct buf whole = BUF_INIT;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	buf_puts(&whole, plain);
	while (whole.n % 16)
		buf_putc(&whole, 0);
	assert_int_equal(buf_reserve(ret, whole.n), 0);
	assert_int_equal(EVP_EncryptInit_ex(c, EVP_get_cipherbyname(cipher), NULL, key, iv), 1);
	EVP_CIPHER_CTX_set_padding(c, 0);
	assert_int_equal(EVP_EncryptUpdate(c, (uint8_t *)ret->p + ret->n, &n, (const uint8_t *)whole.p, (int)whole.n), 1);
	ret->n += (size_t)n;
	EVP_CIPHER_CTX_free(c);
}

static size_t spun(const char *name, const char *password, uint32_t rounds, uint8_t *h)
{
	_cleanup_buf_ struct buf p = BUF_INIT;
	size_t n;

	put_utf16(&p, password);
	n = digest(name, STR(SALT), buf_str(&p), h);
	for (uint32_t i = 0; i < rounds; i++) {
		uint8_t b[4] = { (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16), (uint8_t)(i >> 24) };

		digest(name, (str){ (const char *)b, 4 }, (str){ (const char *)h, n }, h);
	}
	return n;
}

static void pack(struct buf *zip)
{
	members_pack(str_c(members), false, zip);
}

static const char *opened(struct buf *info, struct buf *package)
{
	_cleanup_buf_ struct buf ole = BUF_INIT;

	make_ole(&ole, (struct ole_stream[]){ { "EncryptedPackage", buf_str(package) }, { "EncryptionInfo", buf_str(info) }, { 0 } });
	return dump("a.xlsx", buf_str(&ole));
}

static const char *standard(const char *password, unsigned bits)
{
	_cleanup_buf_ struct buf zip = BUF_INIT, info = BUF_INIT, package = BUF_INIT;
	const char *cipher = bits == 128 ? "AES-128-ECB" : "AES-256-ECB";
	uint8_t h[64], key[40];

	spun("SHA1", password, 50000, h);
	digest("SHA1", (str){ (const char *)h, 20 }, (str){ "\0\0\0\0", 4 }, h);
	for (unsigned half = 0; half < 2; half++) {
		uint8_t pad[64];

		for (size_t i = 0; i < 64; i++)
			pad[i] = (half ? 0x5c : 0x36) ^ (i < 20 ? h[i] : 0);
		digest("SHA1", (str){ (const char *)pad, 64 }, STR_NONE, key + 20 * half);
	}
	put_le16(&info, 3);
	put_le16(&info, 2);
	put_le32(&info, 0x24);
	put_le32(&info, 34);
	for (size_t i = 0; i < 8; i++)
		put_le32(&info, (const uint32_t[]){ 0x24, 0, 0x660e, 0x8004, bits, 0x18, 0, 0 }[i]);
	put_le16(&info, 0); /* name of the provider */
	put_le32(&info, 16);
	buf_puts(&info, STR(SALT));
	encipher(cipher, key, NULL, STR("verify this text"), &info);
	put_le32(&info, 20);
	digest("SHA1", STR("verify this text"), STR_NONE, h);
	encipher(cipher, key, NULL, (str){ (const char *)h, 20 }, &info);
	pack(&zip);
	put_le64(&package, zip.n);
	encipher(cipher, key, NULL, buf_str(&zip), &package);
	return opened(&info, &package);
}

/* One that says what it is enciphered with: name, its value in base64. */
static void piece(struct buf *xml, const char *name, const char *hash, const uint8_t *h, const char *purpose, str plain, unsigned bits)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint8_t key[64];
	size_t n = digest(hash, (str){ (const char *)h, (size_t)EVP_MD_size(EVP_get_digestbyname(hash)) }, (str){ purpose, 8 }, key);

	memset(key + n, 0x36, sizeof(key) - n);
	encipher(bits == 128 ? "AES-128-CBC" : "AES-256-CBC", key, SALT, plain, &b);
	buf_putf(xml, " %s=\"", name);
	base64_encode(xml, buf_str(&b));
	buf_putc(xml, '"');
}

static const char *agile(const char *password, const char *hash, const char *openssl, unsigned bits, uint32_t rounds)
{
	_cleanup_buf_ struct buf zip = BUF_INIT, info = BUF_INIT, package = BUF_INIT, how = BUF_INIT;
	const char *package_key = "0123456789ABCDEF0123456789ABCDEF";
	uint8_t h[64], value[64];
	size_t n = spun(openssl, password, MIN(rounds, 1000000u), h);

	buf_putf(&how, "keyBits=\"%u\" saltSize=\"16\" blockSize=\"16\" hashSize=\"%zu\" cipherAlgorithm=\"AES\" cipherChaining=\"ChainingModeCBC\" hashAlgorithm=\"%s\" saltValue=\"",
		 bits, n, hash);
	base64_encode(&how, STR(SALT));
	put_le16(&info, 4);
	put_le16(&info, 4);
	put_le32(&info, 0x40);
	buf_putf(&info, "<encryption><keyData %.*s\"/><keyEncryptors><keyEncryptor><c:encryptedKey encryptedKeyValue=\"AAAA\"/></keyEncryptor><keyEncryptor><p:encryptedKey spinCount=\"%u\" %.*s\"",
		 STR_ARG(buf_str(&how)), rounds, STR_ARG(buf_str(&how)));
	piece(&info, "encryptedVerifierHashInput", openssl, h, "\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79", STR("verify this text"), bits);
	digest(openssl, STR("verify this text"), STR_NONE, value);
	piece(&info, "encryptedVerifierHashValue", openssl, h, "\xd7\xaa\x0f\x6d\x30\x61\x34\x4e", (str){ (const char *)value, n }, bits);
	piece(&info, "encryptedKeyValue", openssl, h, "\x14\x6e\x0b\xe7\xab\xac\xd0\xd6", (str){ package_key, bits / 8 }, bits);
	buf_puts(&info, STR("/></keyEncryptor></keyEncryptors></encryption>"));
	pack(&zip);
	while (zip.n < 10000) /* three segments; a zip may have a comment, and what stands behind it is passed over */
		buf_putc(&zip, 0);
	put_le64(&package, zip.n);
	for (uint32_t i = 0; i * 4096 < zip.n; i++) {
		uint8_t b[4] = { (uint8_t)i };

		digest(openssl, STR(SALT), (str){ (const char *)b, 4 }, value);
		encipher(bits == 128 ? "AES-128-CBC" : "AES-256-CBC", (const uint8_t *)package_key, value, (str){ zip.p + 4096 * i, MIN(zip.n - 4096 * i, (size_t)4096) }, &package);
	}
	return opened(&info, &package);
}

#define TEXT " sheet t1: People\n cell t1 r1 c1: behind the structure\n"
#define TYPE "part \"\" application/vnd.openxmlformats-officedocument.spreadsheetml.sheet "
#define SHUT " error: encrypted (a password or a licence is needed)\n"

static void test_standard(void **state)
{
	assert_has(standard(OPEN, 128), TEXT);
	assert_has(standard(OPEN, 256), TYPE);
	assert_has(standard(SLIDES, 128), TEXT);
	assert_has(standard("another", 128), SHUT);
}

static void test_agile(void **state)
{
	const char *d = agile(OPEN, "SHA512", "SHA512", 256, 100000);

	assert_has(d, TYPE);
	assert_has(d, TEXT);
	assert_has_not(d, "error");
	assert_has(agile(OPEN, "SHA1", "SHA1", 128, 1000), TEXT);
	assert_has(agile(OPEN, "SHA1", "SHA1", 256, 1000), TEXT); /* a hash shorter than the key */
	assert_has(agile(OPEN, "SHA384", "SHA384", 256, 0), TEXT);
	assert_has(agile(SLIDES, "SHA512", "SHA512", 256, 1000), TEXT);
	assert_has(agile("another", "SHA512", "SHA512", 256, 1000), SHUT);
	assert_has(agile(OPEN, "SHA512", "SHA512", 256, 1000001), SHUT); /* rounds are capped */
	assert_has(agile(OPEN, "WHIRLPOOL", "SHA512", 256, 1000), SHUT);
	assert_has(agile(OPEN, "SHA512", "SHA512", 64, 1000), SHUT);
}

/* ---- workbooks before xlsx: the bytes of records, where they stand (MS-XLS 2.2.10, MS-OFFCRYPTO 2.3.5 to 2.3.7) ---- */

static void rc4(const uint8_t *key, size_t n, size_t skip, uint8_t *p, size_t many)
{
	uint8_t s[256], i = 0, j = 0;

	for (int k = 0; k < 256; k++)
		s[k] = (uint8_t)k;
	for (int k = 0; k < 256; k++) {
		uint8_t was = s[k];

		j = (uint8_t)(j + was + key[(size_t)k % n]);
		s[k] = s[j];
		s[j] = was;
	}
	j = 0;
	for (size_t at = 0; at < skip + many; at++) {
		uint8_t was = s[++i];

		j = (uint8_t)(j + was);
		s[i] = s[j];
		s[j] = was;
		if (at >= skip)
			p[at - skip] ^= s[(uint8_t)(s[i] + s[j])];
	}
}

enum how { RC4_97, RC4_2002, XOR_95, XOR_97 };

struct cipher {
	enum how how;
	unsigned bits;
	char password[16]; /* XOR: 15 letters */
	uint8_t base[64];
	size_t n_base;
};

static void begin(struct cipher *c)
{
	_cleanup_buf_ struct buf p = BUF_INIT, many = BUF_INIT;
	uint8_t h[64];

	put_utf16(&p, c->password);
	if (c->how == RC4_2002) {
		c->n_base = digest("SHA1", STR(SALT), buf_str(&p), c->base);
		return;
	}
	digest("MD5", buf_str(&p), STR_NONE, h);
	for (size_t i = 0; i < 16; i++) {
		buf_put(&many, h, 5);
		buf_puts(&many, STR(SALT));
	}
	digest("MD5", buf_str(&many), STR_NONE, c->base);
	c->n_base = 5;
}

static void by_rc4(const struct cipher *c, size_t at, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) { /* a byte at a time, so that it shares nothing with what it tests */
		uint8_t key[64] = { 0 }, block[4] = { (uint8_t)((at + i) / 1024), (uint8_t)((at + i) / 1024 / 256) };
		size_t k = digest(c->how == RC4_97 ? "MD5" : "SHA1", (str){ (const char *)c->base, c->n_base }, (str){ (const char *)block, 4 }, key);

		if (c->how == RC4_2002) {
			k = c->bits / 8;
			memset(key + k, 0, sizeof(key) - k);
			k = k == 5 ? 16 : k;
		}
		rc4(key, k, (at + i) % 1024, p + i, 1);
	}
}

/* 2.3.7.1 and 2.3.7.2: each bit of a letter, from the last one back, adds what a register of 16 bits shows then. */
static uint16_t xor_key(const char *password)
{
	uint16_t key = 0, base = 0x8000, end = 0xffff;

	for (size_t i = strlen(password); i > 0; i--)
		for (unsigned bit = 0; bit < 8; bit++) {
			base = (uint16_t)(base << 1 | base >> 15);
			base ^= base & 1 ? 0x1020 : 0;
			end = (uint16_t)(end << 1 | end >> 15);
			end ^= end & 1 ? 0x1020 : 0;
			key ^= (password[i - 1] & 0x7f) >> bit & 1 ? base : 0;
		}
	return key ^ end;
}

static uint16_t xor_verifier(const char *password)
{
	size_t n = strlen(password);
	uint16_t v = 0;

	for (size_t i = n + 1; i > 0; i--)
		v = (uint16_t)(((v & 0x4000) != 0) | (v << 1 & 0x7fff)) ^ (uint8_t)(i > 1 ? (size_t)password[i - 2] : n);
	return v ^ 0xce4b;
}

static void by_xor(const struct cipher *c, size_t at, size_t n_record, size_t skip, uint8_t *p, size_t n)
{
	uint16_t key = xor_key(c->password);

	for (size_t i = 0; i < n; i++) {
		size_t k = (at + n_record + skip + i) % 16;
		uint8_t letter = k < 15 ? (uint8_t)c->password[k] : 0xbb, x = letter ^ (uint8_t)(k % 2 ? key >> 8 : key);

		x = (uint8_t)(x << 2 | x >> 6) ^ p[i];
		p[i] = (uint8_t)(x >> 3 | x << 5);
	}
}

/* A record, enciphered behind its first bytes. */
static void rec(const struct cipher *c, struct buf *b, uint16_t type, str data, size_t clear)
{
	size_t at = b->n + 4;

	put_le16(b, type);
	put_le16(b, (uint32_t)data.n);
	buf_puts(b, data);
	if (!c || clear >= data.n)
		return;
	if (c->how == XOR_95 || c->how == XOR_97)
		by_xor(c, at, data.n, clear, (uint8_t *)b->p + at + clear, data.n - clear);
	else
		by_rc4(c, at + clear, (uint8_t *)b->p + at + clear, data.n - clear);
}

static void filepass(const struct cipher *c, struct buf *b)
{
	_cleanup_buf_ struct buf d = BUF_INIT;
	uint8_t v[64];
	size_t n;

	if (c->how == XOR_97)
		put_le16(&d, 0);
	if (c->how == XOR_97 || c->how == XOR_95) {
		put_le16(&d, xor_key(c->password));
		put_le16(&d, xor_verifier(c->password));
		rec(NULL, b, 0x2f, buf_str(&d), 0);
		return;
	}
	memcpy(v, "verify this text", 16);
	n = digest(c->how == RC4_97 ? "MD5" : "SHA1", STR("verify this text"), STR_NONE, v + 16);
	by_rc4(c, 0, v, 16 + n);
	put_le16(&d, 1);
	put_le16(&d, c->how == RC4_97 ? 1 : c->bits == 128 ? 3 : c->bits == 56 ? 4 : 2); /* as Office's versions write it */
	put_le16(&d, c->how == RC4_97 ? 1 : 2);
	if (c->how == RC4_2002)
		for (size_t i = 0; i < 11; i++) /* flags, size, header, size of the salt */
			put_le32(&d, (const uint32_t[]){ 4, 34, 4, 0, 0x6801, 0x8004, c->bits, 1, 0, 0, 0 }[i]);
	if (c->how == RC4_2002) {
		d.n -= 2; /* the name of the provider is empty but for its end */
		put_le32(&d, 16);
	}
	buf_puts(&d, STR(SALT));
	buf_put(&d, v, 16);
	if (c->how == RC4_2002)
		put_le32(&d, 20);
	buf_put(&d, v + 16, n);
	rec(NULL, b, 0x2f, buf_str(&d), 0);
}

static void bof(struct buf *b, enum how how, uint16_t kind)
{
	_cleanup_buf_ struct buf d = BUF_INIT;

	put_le16(&d, how == XOR_95 ? 0x500 : 0x600);
	put_le16(&d, kind);
	put_le32(&d, 0);
	put_le32(&d, 0);
	put_le32(&d, 0x600);
	d.n = how == XOR_95 ? 8 : 16;
	rec(NULL, b, 0x809, buf_str(&d), 0);
}

/* A sheet whose cells reach over several blocks. */
static const char *workbook(enum how how, unsigned bits, const char *password)
{
	struct cipher c = { .how = how, .bits = bits };
	_cleanup_buf_ struct buf b = BUF_INIT, d = BUF_INIT, ole = BUF_INIT;

	snprintf(c.password, sizeof(c.password), "%s", password);
	begin(&c);
	bof(&b, how, 5);
	rec(NULL, &b, 0x86, STR_NONE, 0); /* before it nothing is enciphered */
	filepass(&c, &b);
	rec(NULL, &b, 0xe1, STR("\xb0\x04"), 0);
	rec(&c, &b, 0x42, how == XOR_95 ? STR("\xe4\x04") : STR("\xb0\x04"), 0);
	put_le32(&d, 0);
	put_le16(&d, 0);
	buf_puts(&d, how == XOR_95 ? STR("\6People") : STR("\6\0People"));
	set_le32(&d, 0, (uint32_t)(b.n + 4 + d.n + 4));
	rec(&c, &b, 0x85, buf_str(&d), 4);
	rec(&c, &b, 0x0a, STR_NONE, 0);
	bof(&b, how, 0x10);
	for (uint32_t i = 0; i < 100; i++) {
		char text[64];
		int n = snprintf(text, sizeof(text), "behind the structure %u", i);

		buf_clear(&d);
		put_le16(&d, i);
		put_le32(&d, 0);
		put_le16(&d, (uint32_t)n);
		if (how != XOR_95)
			buf_putc(&d, 0);
		buf_put(&d, text, (size_t)n);
		rec(&c, &b, 0x204, buf_str(&d), 0);
	}
	rec(&c, &b, 0x0a, STR_NONE, 0);
	pad_to(&b, 4096 + 512); /* filled up */
	make_ole(&ole, (struct ole_stream[]){ { how == XOR_95 ? "Book" : "Workbook", buf_str(&b) }, { 0 } });
	return dump("a.xls", buf_str(&ole));
}

#define NEEDED " error: encrypted (a password is needed)\n"

static void test_workbooks(void **state)
{
	static const struct { enum how how; unsigned bits; } ways[] = { { RC4_97, 0 }, { RC4_2002, 40 }, { RC4_2002, 56 }, { RC4_2002, 128 }, { XOR_95, 0 }, { XOR_97, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const char *d = workbook(ways[i].how, ways[i].bits, OPEN);

		assert_has(d, "part \"\" application/vnd.ms-excel ");
		assert_has(d, " sheet t1: People\n cell t1 r1 c1: behind the structure 0\n cell t1 r2 c1: behind the structure 1\n");
		assert_has(d, " cell t1 r100 c1: behind the structure 99\n");
		assert_has_not(d, "error");
		d = workbook(ways[i].how, ways[i].bits, "VelvetSweatshoq");
		assert_has(d, NEEDED);
		assert_has_not(d, "cell");
		assert_has(workbook(ways[i].how, ways[i].bits, "another"), NEEDED);
	}
	assert_has(workbook(RC4_2002, 136, OPEN), NEEDED);
	assert_has(workbook(RC4_2002, 32, OPEN), NEEDED);
}

/* RFC 6229: what enciphers here is RC4. */
static void test_rc4(void **state)
{
	static const uint8_t key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	static const struct { size_t n, at; uint8_t want[16]; } vectors[] = {
		{ 5, 0, { 0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27, 0xcc, 0xc3, 0x52, 0x4a, 0x0a, 0x11, 0x18, 0xa8 } },
		{ 16, 0, { 0x9a, 0xc7, 0xcc, 0x9a, 0x60, 0x9d, 0x1e, 0xf7, 0xb2, 0x93, 0x28, 0x99, 0xcd, 0xe4, 0x1b, 0x97 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		uint8_t got[16] = { 0 };

		rc4(key, vectors[i].n, vectors[i].at, got, sizeof(got));
		assert_memory_equal(got, vectors[i].want, sizeof(got));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_standard), cmocka_unit_test(test_agile), cmocka_unit_test(test_rc4), cmocka_unit_test(test_workbooks),
};
EXTRACT_TEST_MAIN(tests)
