/* Trees of 10^5 leaves across the edges of 65,536, and of up to 2^62 equal leaves, where every full subtree of a height is the same. */
#include "../test.h"

#include <errno.h>

#include "base/varint.h"
#include "evidence/merkle.h"

#define N 131400
#define SIZES 48
static hash32 level0[N], level1[N / 256], level2[N / 65536];
static uint64_t sizes[SIZES] = { 0, 1, 2, 255, 256, 257, 511, 512, 65279, 65280, 65281, 65535, 65536, 65537, 65791, 65792, 100000, 131071, 131072,
	131073, 131327, 131328, 131329, N };
static hash32 roots[SIZES];
static unsigned loads;

static uint64_t seed = 88172645463325252;
static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static hash32 *slot(unsigned level, uint64_t n)
{
	assert_true(level <= 2 && n < (uint64_t)N >> 8 * level);
	return level == 0 ? &level0[n] : level == 1 ? &level1[n] : &level2[n];
}

static int load(void *arg, unsigned level, uint64_t n, hash32 *ret)
{
	loads++;
	*ret = *slot(level, n);
	return 0;
}

static int keep(void *arg, unsigned level, uint64_t n, const hash32 *root)
{
	*slot(level, n) = *root;
	return 0;
}

/* In place of keep in a restored tree: what it tells is what the whole one told. */
static int compare(void *arg, unsigned level, uint64_t n, const hash32 *root)
{
	assert_memory_equal(slot(level, n), root, sizeof(*root));
	return 0;
}

static int setup(void **state)
{
	struct sha256 *sha = sha256_new();
	struct merkle *m = merkle_new();
	unsigned k = 0;

	for (unsigned i = 24; i < SIZES; i++)
		sizes[i] = draw() % N;
	qsort(sizes, SIZES, sizeof(sizes[0]), by_value);
	merkle_on_full(m, keep, NULL);
	for (uint64_t i = 0; i <= N; i++) {
		for (; k < SIZES && sizes[k] == i; k++)
			merkle_root(m, &roots[k]);
		if (i == N)
			break;
		sha256_parts(sha, (str[]){ STR("\0"), { (char *)&i, sizeof(i) } }, 2, level0[i].b);
		assert_int_equal(merkle_append(m, &level0[i]), 0);
	}
	assert_int_equal(k, SIZES);
	merkle_free(m);
	sha256_free(sha);
	return 0;
}

static void test_inclusion(void **state)
{
	for (unsigned k = 1; k < SIZES; k++) {
		hash32 at, p[MERKLE_PROOF_MAX];
		size_t len;

		assert_int_equal(merkle_root_at(sizes[k], load, NULL, &at), 0);
		assert_memory_equal(&at, &roots[k], 32);
		for (unsigned i = 0; i < 60; i++) {
			uint64_t index = i == 0 ? 0 : i == 1 ? sizes[k] - 1 : draw() % sizes[k];

			loads = 0;
			assert_int_equal(merkle_prove_inclusion(index, sizes[k], load, NULL, p, &len), 0);
			assert_true(loads <= 2 * 3 * 256); /* two tiles a level, the leaf's and the right edge's, however long the log */
			assert_int_equal(merkle_check_inclusion(&level0[index], index, sizes[k], &roots[k], p, len), 0);
			assert_int_equal(merkle_check_inclusion(&level0[(index + 1) % N], index, sizes[k], &roots[k], p, len), -EBADMSG);
			if (len == 0)
				continue;
			p[draw() % len].b[draw() % 32] ^= (uint8_t)(1 << draw() % 8);
			assert_int_equal(merkle_check_inclusion(&level0[index], index, sizes[k], &roots[k], p, len), -EBADMSG);
		}
	}
}

static void test_consistency(void **state)
{
	for (unsigned a = 0; a < SIZES; a++)
		for (unsigned b = a; b < SIZES; b++) {
			hash32 p[MERKLE_PROOF_MAX], other = roots[a];
			size_t len;

			assert_int_equal(merkle_prove_consistency(sizes[a], sizes[b], load, NULL, p, &len), 0);
			assert_int_equal(merkle_check_consistency(sizes[a], &roots[a], sizes[b], &roots[b], p, len), 0);
			other.b[31] ^= 1;
			assert_int_equal(merkle_check_consistency(sizes[a], &other, sizes[b], &roots[b], p, len), -EBADMSG);
			other = roots[b];
			other.b[0] ^= 1;
			if (sizes[a] > 0)
				assert_int_equal(merkle_check_consistency(sizes[a], &roots[a], sizes[b], &other, p, len), -EBADMSG);
			if (len == 0)
				continue;
			p[draw() % len].b[draw() % 32] ^= 1;
			assert_int_equal(merkle_check_consistency(sizes[a], &roots[a], sizes[b], &roots[b], p, len), -EBADMSG);
		}
}

/* Restored at each size, then carried on over the next sizes: the same roots, the same full subtrees told. */
static void test_restore(void **state)
{
	for (unsigned k = 0; k < SIZES; k++) {
		struct merkle *m = merkle_new();
		hash32 root;

		merkle_on_full(m, compare, NULL);
		assert_int_equal(merkle_restore(m, sizes[k], load, NULL), 0);
		for (unsigned next = k; next < SIZES && next < k + 4; next++) {
			while (merkle_size(m) < sizes[next])
				assert_int_equal(merkle_append(m, &level0[merkle_size(m)]), 0);
			merkle_root(m, &root);
			assert_memory_equal(&root, &roots[next], 32);
		}
		merkle_free(m);
	}
}

static int load_fails(void *arg, unsigned level, uint64_t n, hash32 *ret)
{
	return level == *(unsigned *)arg ? -EIO : load(NULL, level, n, ret);
}

static int tell_fails(void *arg, unsigned level, uint64_t n, const hash32 *root)
{
	return -ENOSPC;
}

static void test_errors(void **state)
{
	struct merkle *m = merkle_new();
	hash32 p[MERKLE_PROOF_MAX], root, empty;
	size_t len = 77;

	merkle_root(m, &empty);
	for (unsigned level = 0; level < 3; level++) {
		assert_int_equal(merkle_restore(m, N, load, NULL), 0);
		assert_int_equal(merkle_restore(m, N, load_fails, &level), -EIO);
		assert_int_equal(merkle_size(m), 0);
		merkle_root(m, &root);
		assert_memory_equal(&root, &empty, 32);
		root.b[0] = 0x5a;
		assert_int_equal(merkle_root_at(N, load_fails, &level, &root), -EIO);
		assert_int_equal(root.b[0], 0x5a);
		assert_int_equal(merkle_prove_inclusion(N - 1, N, load_fails, &level, p, &len), -EIO);
		assert_int_equal(len, 77);
	}
	/* The tree stays right when what it told could not be kept. */
	assert_int_equal(merkle_restore(m, 65535, load, NULL), 0);
	merkle_on_full(m, tell_fails, NULL);
	assert_int_equal(merkle_append(m, &level0[65535]), -ENOSPC);
	merkle_root(m, &root);
	assert_memory_equal(&root, &level2[0], 32);
	assert_int_equal(merkle_prove_inclusion(N, N, load, NULL, p, &len), -EINVAL);
	assert_int_equal(merkle_prove_consistency(N, N - 1, load, NULL, p, &len), -EINVAL);
	assert_int_equal(merkle_prove_inclusion(0, UINT64_MAX, load, NULL, p, &len), -EINVAL);
	assert_int_equal(merkle_root_at(UINT64_MAX, load, NULL, &root), -EINVAL);
	assert_int_equal(merkle_restore(m, UINT64_MAX, load, NULL), -EINVAL);
	assert_int_equal(merkle_check_inclusion(&root, 0, 0, &root, p, 0), -EINVAL);
	assert_int_equal(merkle_check_inclusion(&root, 5, UINT64_MAX, &root, p, 0), -EINVAL);
	assert_int_equal(merkle_check_consistency(2, &root, 1, &root, p, 0), -EINVAL);
	merkle_free(m);
	assert_null(merkle_free(NULL));
}

static hash32 of_height[63];

static int load_equal(void *arg, unsigned level, uint64_t n, hash32 *ret)
{
	assert_true(level < MERKLE_LEVELS);
	*ret = of_height[8 * level];
	return 0;
}

static void test_huge(void **state)
{
	struct sha256 *sha = sha256_new();
	struct merkle *m = merkle_new();
	hash32 full;
	uint64_t n;

	for (unsigned i = 0; i < 62; i++)
		sha256_parts(sha, (str[]){ STR("\1"), { (char *)of_height[i].b, 32 }, { (char *)of_height[i].b, 32 } }, 3, of_height[i + 1].b);
	sha256_free(sha);
	for (unsigned i = 0; i < 1500; i++) {
		hash32 p[MERKLE_PROOF_MAX], root, old_root, restored;
		uint64_t old = i < 63 ? 1ULL << i : draw() >> (2 + draw() % 60);
		size_t len;

		n = i < 62 ? 2 * old : old + (draw() >> draw() % 64) % ((1ULL << 62) - old + 1);
		n = MIN(n, 1ULL << 62);
		old = MAX(old, 1ULL);
		n = MAX(n, old);
		assert_int_equal(merkle_root_at(n, load_equal, NULL, &root), 0);
		assert_int_equal(merkle_root_at(old, load_equal, NULL, &old_root), 0);
		if (!(n & (n - 1)))
			assert_memory_equal(&root, &of_height[__builtin_ctzll(n)], 32);
		assert_int_equal(merkle_restore(m, n, load_equal, NULL), 0);
		merkle_root(m, &restored);
		assert_memory_equal(&restored, &root, 32);
		assert_int_equal(merkle_prove_inclusion(old - 1, n, load_equal, NULL, p, &len), 0);
		assert_int_equal(merkle_check_inclusion(&of_height[0], old - 1, n, &root, p, len), 0);
		assert_int_equal(merkle_prove_consistency(old, n, load_equal, NULL, p, &len), 0);
		assert_int_equal(merkle_check_consistency(old, &old_root, n, &root, p, len), 0);
	}
	/* Every level fills at once; and the last leaf there can be. */
	assert_int_equal(merkle_restore(m, (1ULL << 56) - 1, load_equal, NULL), 0);
	assert_int_equal(merkle_append(m, &of_height[0]), 0);
	merkle_root(m, &full);
	assert_memory_equal(&full, &of_height[56], 32);
	assert_int_equal(merkle_restore(m, 1ULL << 62, load_equal, NULL), 0);
	assert_int_equal(merkle_append(m, &of_height[0]), -EINVAL);
	merkle_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inclusion), cmocka_unit_test(test_consistency), cmocka_unit_test(test_restore), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
