#include "../test.h"

#include "base/base64.h"
#include "evidence/merkle.h"

#define N 300
static hash32 leaves[N], roots[N + 1], level1[1];

static struct sha256 *sha;

static size_t largest_power_below(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

/* MTH, PATH and PROOF straight from RFC 6962, 2.1. */
static hash32 naive(const hash32 *h, size_t n)
{
	hash32 r = h[0], a, b;
	size_t k;

	if (n > 1) {
		k = largest_power_below(n);
		a = naive(h, k);
		b = naive(h + k, n - k);
		sha256_parts(sha, (str[]){ STR("\1"), { (char *)a.b, 32 }, { (char *)b.b, 32 } }, 3, r.b);
	}
	return r;
}

static size_t naive_path(size_t m, const hash32 *h, size_t n, hash32 *out)
{
	size_t k, len;

	if (n == 1)
		return 0;
	k = largest_power_below(n);
	len = m < k ? naive_path(m, h, k, out) : naive_path(m - k, h + k, n - k, out);
	out[len] = m < k ? naive(h + k, n - k) : naive(h, k);
	return len + 1;
}

static size_t naive_subproof(size_t m, const hash32 *h, size_t n, bool b, hash32 *out)
{
	size_t k, len;

	if (m == n) {
		if (!b)
			out[0] = naive(h, n);
		return !b;
	}
	k = largest_power_below(n);
	len = m <= k ? naive_subproof(m, h, k, b, out) : naive_subproof(m - k, h + k, n - k, false, out);
	out[len] = m <= k ? naive(h + k, n - k) : naive(h, k);
	return len + 1;
}

static int load(void *arg, unsigned level, uint64_t n, hash32 *ret)
{
	assert_true(level <= 1 && n < (level ? 1 : N));
	*ret = level ? level1[n] : leaves[n];
	return 0;
}

static int keep(void *arg, unsigned level, uint64_t n, const hash32 *root)
{
	assert_true(level == 1 && n == 0);
	level1[0] = *root;
	return 0;
}

static int setup(void **state)
{
	struct merkle *m = merkle_new();

	sha = sha256_new();
	merkle_on_full(m, keep, NULL);
	merkle_root(m, &roots[0]);
	for (unsigned i = 0; i < N; i++) {
		sha256_parts(sha, (str[]){ STR("\0"), { (char *)&i, sizeof(i) } }, 2, leaves[i].b);
		assert_int_equal(merkle_append(m, &leaves[i]), 0);
		merkle_root(m, &roots[i + 1]);
	}
	merkle_free(m);
	return 0;
}

static int teardown(void **state)
{
	sha = sha256_free(sha);
	return 0;
}

static void test_published(void **state)
{
	static const char *const in[] = { "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f" };
	static const char *const want[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct merkle *m = merkle_new();

	for (size_t i = 0; i <= 8; i++) {
		uint8_t data[16], root[32];
		hash32 got, leaf;

		merkle_root(m, &got);
		assert_int_equal(hex_decode(str_c(want[i]), root, 32), 0);
		assert_memory_equal(got.b, root, 32);
		if (i == 8)
			break;
		assert_int_equal(hex_decode(str_c(in[i]), data, strlen(in[i]) / 2), 0);
		sha256_parts(sha, (str[]){ STR("\0"), { (char *)data, strlen(in[i]) / 2 } }, 2, leaf.b);
		assert_int_equal(merkle_append(m, &leaf), 0);
	}
	merkle_free(m);
}

static void test_roots(void **state)
{
	for (size_t n = 1; n <= N; n++) {
		hash32 want = naive(leaves, n), at;

		assert_memory_equal(&roots[n], &want, 32);
		assert_int_equal(merkle_root_at(n, load, NULL, &at), 0);
		assert_memory_equal(&at, &want, 32);
	}
}

/* The sizes that are tried: all small ones, all about the edge of a tile, some between. */
static uint64_t next_size(uint64_t n)
{
	return n < 66 || (n > 250 && n < 263) ? n + 1 : n + 9;
}

static void test_inclusion(void **state)
{
	for (uint64_t n = 1; n <= N; n = next_size(n))
		for (uint64_t i = 0; i < n; i++) {
			hash32 p[MERKLE_PROOF_MAX];
			size_t len;

			assert_int_equal(merkle_prove_inclusion(i, n, load, NULL, p, &len), 0);
			assert_int_equal(merkle_check_inclusion(&leaves[i], i, n, &roots[n], p, len), 0);
			assert_int_not_equal(merkle_check_inclusion(&leaves[i], i ^ 1, n, &roots[n], p, len), 0);
			if (len == 0)
				continue;
			assert_int_not_equal(merkle_check_inclusion(&leaves[i], i, n, &roots[n], p, len - 1), 0);
			p[i % len].b[n % 32] ^= 1;
			assert_int_not_equal(merkle_check_inclusion(&leaves[i], i, n, &roots[n], p, len), 0);
		}
}

static void test_consistency(void **state)
{
	for (uint64_t n = 0; n <= N; n = next_size(n))
		for (uint64_t m = 0; m <= n; m++) {
			hash32 p[MERKLE_PROOF_MAX];
			size_t len;

			assert_int_equal(merkle_prove_consistency(m, n, load, NULL, p, &len), 0);
			assert_int_equal(merkle_check_consistency(m, &roots[m], n, &roots[n], p, len), 0);
			if (len == 0)
				continue;
			assert_int_not_equal(merkle_check_consistency(m, &roots[m], n, &roots[n], p, len - 1), 0);
			p[m % len].b[n % 32] ^= 1;
			assert_int_not_equal(merkle_check_consistency(m, &roots[m], n, &roots[n], p, len), 0);
		}
}

/* Byte for byte what the RFC's recursion gives. */
static void test_naive_proofs(void **state)
{
	for (uint64_t n = 1; n <= 130; n++)
		for (uint64_t i = 0; i < n; i++) {
			hash32 got[MERKLE_PROOF_MAX], want[MERKLE_PROOF_MAX];
			size_t len;

			assert_int_equal(merkle_prove_inclusion(i, n, load, NULL, got, &len), 0);
			assert_int_equal(len, naive_path(i, leaves, n, want));
			assert_memory_equal(got, want, len * sizeof(got[0]));
			assert_int_equal(merkle_prove_consistency(i + 1, n, load, NULL, got, &len), 0);
			assert_int_equal(len, naive_subproof(i + 1, leaves, n, true, want));
			assert_memory_equal(got, want, len * sizeof(got[0]));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published), cmocka_unit_test(test_roots), cmocka_unit_test(test_inclusion), cmocka_unit_test(test_consistency),
		cmocka_unit_test(test_naive_proofs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
