/* Encrypted packages: the password that Excel asks nobody for opens them, another does not. What enciphers here follows MS-OFFCRYPTO 2.3.4.7–15. */
#include "fixture.h"
#include "members.h"
#include "ole_make.h"

#include <openssl/evp.h>

#include "base/base64.h"

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
	assert_has(agile("another", "SHA512", "SHA512", 256, 1000), SHUT);
	assert_has(agile(OPEN, "SHA512", "SHA512", 256, 1000001), SHUT); /* rounds are capped */
	assert_has(agile(OPEN, "WHIRLPOOL", "SHA512", 256, 1000), SHUT);
	assert_has(agile(OPEN, "SHA512", "SHA512", 64, 1000), SHUT);
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(test_standard), cmocka_unit_test(test_agile) };
EXTRACT_TEST_MAIN(tests)
