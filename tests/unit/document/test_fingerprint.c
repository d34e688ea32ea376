/* Winnowing: its theorem as a property, and its selection against one written plainly. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "document/fingerprint.h"

static const uint8_t key[FINGERPRINT_KEY] = "sixteen bytes !", other_key[FINGERPRINT_KEY] = "sixteen others!";
static uint64_t seed = 11;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((seed >> 33) % below);
}

static void text(struct normalised *t, size_t n, uint32_t first, uint32_t letters)
{
	t->c = realloc(t->c, n * sizeof(*t->c));
	assert_non_null(t->c);
	t->n = n;
	for (size_t i = 0; i < n; i++)
		t->c[i] = first + draw(letters);
}

static int by_key(const void *a, const void *b)
{
	const struct fingerprint *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Every cut of FINGERPRINT_RUN or more characters shares a fingerprint; also where letters repeat a lot. */
static void every_run_is_found(void **state)
{
	static const struct { uint32_t first, letters; } kinds[] = { { 'a', 26 }, { 0x4E00, 3000 }, { 'a', 2 }, { 'x', 1 } };
	struct normalised t = { 0 };
	struct fingerprints all = { 0 }, cut = { 0 };

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		text(&t, 20000, kinds[kind].first, kinds[kind].letters);
		assert_int_equal(fingerprint(key, &t, FINGERPRINT_K, FINGERPRINT_WINDOW, &all), 0);
		qsort(all.f, all.n, sizeof(*all.f), by_key);
		for (unsigned i = 0; i < 5000; i++) {
			size_t n = FINGERPRINT_RUN + (i % 3 ? draw(4) : draw(300)), from = draw((uint32_t)(t.n - n));
			struct normalised piece = { .c = t.c + from, .n = n };
			bool found = false;

			assert_int_equal(fingerprint(key, &piece, FINGERPRINT_K, FINGERPRINT_WINDOW, &cut), 0);
			for (size_t k = 0; k < cut.n && !found; k++)
				found = bsearch(&cut.f[k], all.f, all.n, sizeof(*all.f), by_key) != NULL;
			assert_true(found);
		}
	}
	free(t.c);
	fingerprints_free(&all);
	fingerprints_free(&cut);
}

/* The same selection, window by window. The hash of a gram is that of a text that is this gram alone. */
static void selection(void **state)
{
	struct normalised t = { 0 };
	struct fingerprints all = { 0 }, one = { 0 };
	static uint64_t h[9000];

	for (unsigned round = 0; round < 12; round++) {
		unsigned k = round % 2 ? FINGERPRINT_SCAN_K : FINGERPRINT_K, w = round % 2 ? FINGERPRINT_SCAN_WINDOW : FINGERPRINT_WINDOW;
		size_t grams, last = SIZE_MAX, at = 0;

		text(&t, round < 4 ? 9000 - k : k + draw(300), 'a', round % 3 ? 20 : 2);
		grams = t.n - k + 1;
		for (size_t i = 0; i < grams; i++) {
			struct normalised gram = { .c = t.c + i, .n = k };

			assert_int_equal(fingerprint(key, &gram, k, w, &one), 0);
			assert_int_equal(one.n, 1);
			assert_int_equal(one.f[0].pos, 0);
			assert_true(one.f[0].key < 1ULL << 48);
			h[i] = one.f[0].key;
		}
		assert_int_equal(fingerprint(key, &t, k, w, &all), 0);
		for (size_t i = 0; i < (grams < w ? 1 : grams - w + 1); i++) {
			size_t min = i;

			for (size_t j = i; j < MIN(i + w, grams); j++)
				if (h[j] <= h[min])
					min = j;
			if (min == last)
				continue;
			last = min;
			assert_true(at < all.n);
			assert_int_equal(all.f[at].pos, min);
			assert_true(all.f[at++].key == h[min]);
		}
		assert_int_equal(at, all.n);
	}
	free(t.c);
	fingerprints_free(&all);
	fingerprints_free(&one);
}

static void keyed_and_short(void **state)
{
	struct normalised t = { 0 };
	struct fingerprints a = { 0 }, b = { 0 };
	size_t same = 0;

	text(&t, 5000, 'a', 26);
	assert_int_equal(fingerprint(key, &t, FINGERPRINT_K, FINGERPRINT_WINDOW, &a), 0);
	assert_int_equal(fingerprint(other_key, &t, FINGERPRINT_K, FINGERPRINT_WINDOW, &b), 0);
	qsort(a.f, a.n, sizeof(*a.f), by_key);
	for (size_t i = 0; i < b.n; i++)
		same += bsearch(&b.f[i], a.f, a.n, sizeof(*a.f), by_key) != NULL;
	assert_int_equal(same, 0);
	/* Density 2 / (window + 1). */
	assert_in_range(a.n, 5000 * 2 / 22 - 60, 5000 * 2 / 22 + 60);
	t.n = FINGERPRINT_K - 1;
	assert_int_equal(fingerprint(key, &t, FINGERPRINT_K, FINGERPRINT_WINDOW, &a), 0);
	assert_int_equal(a.n, 0);
	t.n = FINGERPRINT_K;
	assert_int_equal(fingerprint(key, &t, FINGERPRINT_K, FINGERPRINT_WINDOW, &a), 0);
	assert_int_equal(a.n, 1);
	assert_int_equal(fingerprint(key, &t, 0, FINGERPRINT_WINDOW, &a), -EINVAL);
	assert_int_equal(fingerprint(key, &t, FINGERPRINT_K, 65, &a), -EINVAL);
	free(t.c);
	fingerprints_free(&a);
	fingerprints_free(&b);
}

/* Distinct grams have distinct keys, but for chance: of a million, at most a few. */
static void few_collisions(void **state)
{
	struct normalised t = { 0 };
	struct fingerprints x = { 0 };
	size_t same = 0;

	text(&t, 1000000, 'a', 26);
	assert_int_equal(fingerprint(key, &t, FINGERPRINT_K, 1, &x), 0);
	assert_int_equal(x.n, 1000000 - FINGERPRINT_K + 1);
	qsort(x.f, x.n, sizeof(*x.f), by_key);
	for (size_t i = 1; i < x.n; i++)
		same += x.f[i].key == x.f[i - 1].key;
	assert_in_range(same, 0, 3);
	free(t.c);
	fingerprints_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_run_is_found), cmocka_unit_test(selection), cmocka_unit_test(keyed_and_short), cmocka_unit_test(few_collisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
