/* docs/log-vectors.json, given as the argument, against our code. */
#include "../test.h"

#include <errno.h>
#include <jansson.h>

#include "base/base64.h"
#include "evidence/leaf.h"
#include "evidence/merkle.h"

static json_t *page;

static str text(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (!json_is_string(v))
		fail_msg("no %s", key);
	return (str){ json_string_value(v), json_string_length(v) };
}

static size_t hex(json_t *o, const char *key, uint8_t *out, size_t room)
{
	str s = text(o, key);

	assert_true(s.n / 2 <= room);
	assert_int_equal(hex_decode(s, out, s.n / 2), 0);
	return s.n / 2;
}

/* A number, or text where it is above 2^53−1. */
static uint64_t number(json_t *v)
{
	const char *s = json_string_value(v);

	if (json_is_integer(v))
		return (uint64_t)json_integer_value(v);
	assert_non_null(s);
	return *s == '-' ? (uint64_t)strtoll(s, NULL, 10) : strtoull(s, NULL, 10);
}

static struct leaf leaf_of(json_t *v)
{
	struct leaf l = { .kind = (uint8_t)number(json_object_get(v, "kind")) };
	const struct leaf_table *t = leaf_table(l.kind);
	json_t *fields = json_object_get(v, "fields");
	uint8_t *hash = l.hash;
	size_t found = 0;

	assert_non_null(t);
	for (unsigned i = 0; i < t->n; i++) {
		json_t *f = json_object_get(fields, t->fields[i].name);

		if (!f)
			continue;
		found++;
		l.present |= (uint64_t)1 << i;
		if (t->fields[i].type == LEAF_HASH) {
			assert_int_equal(hex(fields, t->fields[i].name, hash, 32), 32);
			hash = l.hash2;
		} else {
			l.value[i] = number(f);
		}
	}
	assert_int_equal(found, json_object_size(fields)); /* no field that our table does not have */
	return l;
}

static void test_leaves(void **state)
{
	json_t *list = json_object_get(page, "leaves"), *v;
	struct leaf_hasher *h = leaf_hasher_new();
	unsigned kinds = 0;
	size_t i;

	assert_true(json_array_size(list) >= 20);
	json_array_foreach(list, i, v) {
		struct leaf want = leaf_of(v), got;
		uint64_t first = number(json_object_get(v, "first")), index = number(json_object_get(v, "index"));
		uint8_t packed[LEAF_MAX], whole[LEAF_MAX], hash[32], seed[16], out[LEAF_MAX], nonce[LEAF_NONCE];
		size_t n = hex(v, "packed", packed, sizeof(packed));

		assert_int_equal(hex(v, "leaf", whole, sizeof(whole)), n + LEAF_NONCE);
		assert_int_equal(hex(v, "hash", hash, 32), 32);
		assert_int_equal(hex(v, "seed", seed, 16), 16);
		assert_int_equal(leaf_encode(&want, out), (ssize_t)n);
		assert_memory_equal(out, packed, n);
		assert_int_equal(leaf_decode(packed, n, &got), 0);
		assert_memory_equal(&got, &want, sizeof(got));
		assert_int_equal(leaf_hasher_segment(h, seed, first), 0);
		leaf_nonce(h, index, nonce);
		leaf_whole(packed, n, nonce, out);
		assert_memory_equal(out, whole, n + LEAF_NONCE);
		leaf_hash(h, index, packed, n, out);
		assert_memory_equal(out, hash, 32);
		kinds |= 1U << want.kind;
	}
	assert_int_equal(kinds, (1U << LEAF_KIND_MAX_) - 2);
	leaf_hasher_free(h);
}

/* A flipped bit is refused, or makes another leaf: no bit of a packed leaf is without meaning. */
static void test_flips(void **state)
{
	json_t *list = json_object_get(page, "leaves"), *v;
	size_t i, refused = 0, other = 0;

	json_array_foreach(list, i, v) {
		uint8_t packed[LEAF_MAX], back[LEAF_MAX];
		size_t n = hex(v, "packed", packed, sizeof(packed));
		struct leaf want = leaf_of(v), got;

		for (size_t bit = 0; bit < 8 * n; bit++) {
			_cleanup_free_ uint8_t *copy = malloc(n); /* exact size, for the sanitizer */

			memcpy(copy, packed, n);
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (leaf_decode(copy, n, &got) < 0) {
				refused++;
				continue;
			}
			assert_memory_not_equal(&got, &want, sizeof(got));
			assert_int_equal(leaf_encode(&got, back), (ssize_t)n);
			assert_memory_equal(back, copy, n);
			other++;
		}
	}
	assert_true(refused > 500 && other > 500);
}

static void test_names(void **state)
{
	_cleanup_sha256_ struct sha256 *sha = sha256_new();
	json_t *list = json_object_get(page, "names"), *v;
	unsigned kinds = 0;
	size_t i;

	json_array_foreach(list, i, v) {
		uint8_t kind = (uint8_t)number(json_object_get(v, "kind")), salt[16], value[256], want[32], got[32];
		size_t n = hex(v, "value", value, sizeof(value));

		assert_int_equal(hex(v, "salt", salt, 16), 16);
		assert_int_equal(hex(v, "commitment", want, 32), 32);
		sha256_parts(sha, (str[]){ STR("tyto/name/1"), { (char *)&kind, 1 }, { (char *)salt, 16 }, { (char *)value, n } }, 4, got);
		assert_memory_equal(got, want, 32);
		kinds |= 1U << kind;
	}
	assert_int_equal(kinds, (1U << NAME_KIND_MAX_) - 2);
}

static int leaf_at(void *arg, unsigned level, uint64_t n, hash32 *ret)
{
	assert_int_equal(level, 0);
	*ret = ((hash32 *)arg)[n];
	return 0;
}

static void test_tree(void **state)
{
	json_t *tree = json_object_get(page, "tree"), *list = json_object_get(tree, "leaves"), *v;
	json_t *nodes = json_object_get(tree, "nodes"), *leaves = json_object_get(page, "leaves");
	struct merkle *m = merkle_new();
	hash32 h[7], want, got;
	size_t i;

	assert_int_equal(json_array_size(list), 7);
	assert_int_equal(json_array_size(nodes), 6);
	json_array_foreach(list, i, v) {
		assert_int_equal(hex_decode((str){ json_string_value(v), json_string_length(v) }, h[i].b, 32), 0);
		assert_string_equal(json_string_value(v), text(json_array_get(leaves, i), "hash").p);
		assert_int_equal(merkle_append(m, &h[i]), 0);
	}
	assert_int_equal(hex(tree, "root", want.b, 32), 32);
	merkle_root(m, &got);
	assert_memory_equal(&got, &want, 32);
	json_array_foreach(nodes, i, v) {
		uint64_t from = number(json_object_get(v, "from")), to = number(json_object_get(v, "to"));

		assert_true(from < to && to <= 7);
		assert_int_equal(hex(v, "hash", want.b, 32), 32);
		assert_int_equal(merkle_root_at(to - from, leaf_at, h + from, &got), 0);
		assert_memory_equal(&got, &want, 32);
	}
	merkle_free(m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves), cmocka_unit_test(test_flips), cmocka_unit_test(test_names), cmocka_unit_test(test_tree),
	};
	json_error_t e;
	int r;

	page = argc > 1 ? json_load_file(argv[1], JSON_REJECT_DUPLICATES, &e) : NULL;
	if (!page) {
		fprintf(stderr, "test-evidence-vectors: the vectors cannot be read: %s\n", argc > 1 ? e.text : "no file is given");
		return 1;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(page);
	return r;
}
