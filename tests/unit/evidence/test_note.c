#include "../test.h"

#include <errno.h>

#include "evidence/note.h"

/* Keys and checkpoint published with the specifications. */
static void test_vkeys(void **state)
{
	static const char *const good[] = { "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct note_verifier v;

		assert_int_equal(note_verifier_parse(str_c(good[i]), &v), 0);
		note_verifier_put(&b, &v);
		assert_str(buf_str(&b), good[i]);
		for (size_t k = 0; k < b.n; k++) {
			b.p[k]++;
			assert_int_equal(note_verifier_parse(buf_str(&b), &v), -EBADMSG);
			b.p[k]--;
		}
	}
}

static void test_checkpoint(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, p = BUF_INIT;
	struct checkpoint c = { .origin = "example.com/log", .size = 7, .root.b = { 1, 2, 3 } }, got;
	struct note_key *key;
	struct note_verifier v;
	hash32 in[2] = { { { 1 } }, { { 2 } } }, out[MERKLE_PROOF_MAX];
	uint64_t by, index;
	size_t n;
	str text;

	assert_int_equal(note_key_generate("example.com/log", &key), 0);
	note_verifier_of(key, &v);
	assert_int_equal(checkpoint_sign(&c, (const struct note_key *const[]){ key }, 1, &b), 0);
	assert_int_equal(checkpoint_parse(buf_str(&b), &v, 1, &got, &by), 0);
	assert_int_equal(by, 1);
	assert_string_equal(got.origin, c.origin);
	assert_int_equal(got.size, 7);
	assert_memory_equal(&got.root, &c.root, 32);
	assert_int_equal(checkpoint_parse(buf_str(&b), &v, 0, &got, &by), -ENOKEY);
	for (size_t i = 0; i < 8 * b.n; i++) {
		b.p[i / 8] ^= (char)(1 << i % 8);
		assert_int_not_equal(checkpoint_parse(buf_str(&b), &v, 1, &got, &by), 0);
		b.p[i / 8] ^= (char)(1 << i % 8);
	}
	assert_int_equal(proof_put(&p, 5, in, 2, buf_str(&b)), 0);
	assert_int_equal(proof_parse(buf_str(&p), &index, out, &n, &text), 0);
	assert_true(index == 5 && n == 2 && str_eq(text, buf_str(&b)));
	assert_memory_equal(in, out, sizeof(in));
	note_key_free(key);
}

static void test_tile_path(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	tile_path(&b, 0, 1234067, 256);
	buf_putc(&b, ' ');
	tile_path(&b, -1, 273, 112);
	assert_str(buf_str(&b), "tile/0/x001/x234/067 tile/entries/273.p/112");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vkeys), cmocka_unit_test(test_checkpoint), cmocka_unit_test(test_tile_path) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
