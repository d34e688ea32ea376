#include "../test.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_vectors), cmocka_unit_test(crc32c_vectors), cmocka_unit_test(siphash_depends_on_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
