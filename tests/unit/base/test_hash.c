#include "../test.h"

#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/base64.h"
#include "base/hash.h"

static void sha256_vectors(void **state)
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();
	static const struct { const char *in, *hex; } fips180[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fips180); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		str parts[2] = { str_c(fips180[i].in), STR_NONE };
		uint8_t out[32];

		sha256_parts(h, parts, 2, out);
		hex_encode(&b, (str){ (char *)out, 32 });
		assert_str(buf_str(&b), fips180[i].hex);
	}
}

/* RFC 3720, appendix B.4. */
static void crc32c_vectors(void **state)
{
	uint8_t in[32];

	memset(in, 0, 32);
	assert_int_equal(crc32c(0, in, 32), 0x8a9136aaU);
	memset(in, 0xff, 32);
	assert_int_equal(crc32c(0, in, 32), 0x62a8ab43U);
	for (int i = 0; i < 32; i++)
		in[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, in, 32), 0x46dd794eU);
	assert_int_equal(crc32c(crc32c(0, in, 5), in + 5, 27), 0x46dd794eU);
}

static void siphash_depends_on_all(void **state)
{
	uint8_t key[16] = { 1 }, data[40] = { 0 };
	uint64_t before = siphash13(key, data, 40);

	for (size_t i = 0; i < 40; i++) {
		data[i] ^= 1;
		assert_true(siphash13(key, data, 40) != before);
		data[i] ^= 1;
	}
	assert_true(siphash13(key, data, 39) != before);
	key[15] = 1;
	assert_true(siphash13(key, data, 40) != before);
}

/* Every length to 64 bytes, beside libcrypto's. */
static void siphash24_as_libcrypto(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	unsigned size = 16;
	OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("size", &size), OSSL_PARAM_construct_end() };
	uint8_t key[16], data[64];

	assert_non_null(mac);
	for (size_t i = 0; i < sizeof(data); i++)
		key[i % 16] = data[i] = (uint8_t)(i * 37);
	for (size_t n = 0; n <= sizeof(data); n++) {
		EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
		uint8_t out[16];
		uint64_t first;
		size_t len = 0;

		assert_int_equal(EVP_MAC_init(ctx, key, 16, params), 1);
		assert_int_equal(EVP_MAC_update(ctx, data, n), 1);
		assert_int_equal(EVP_MAC_final(ctx, out, &len, sizeof(out)), 1);
		assert_int_equal(len, 16);
		memcpy(&first, out, 8);
		assert_true(first == siphash24_128(key, data, n));
		EVP_MAC_CTX_free(ctx);
	}
	EVP_MAC_free(mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_vectors), cmocka_unit_test(crc32c_vectors), cmocka_unit_test(siphash_depends_on_all), cmocka_unit_test(siphash24_as_libcrypto),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
