/* The bytes, made well formed, are a text; the first says how it is cut. With and without vectors its normal form is the same; it is that of its clusters, one after the
 * other, with their offsets; and a run of it that stands among strangers leaves a common fingerprint, and is aligned with where it came from. */
#include <utf8proc.h>

#include "base/utf8.h"
#include "document/fingerprint.h"
#include "document/trace_align.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define BASE 7

static const uint8_t key[FINGERPRINT_KEY] = "key of the fuzz";

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void same(const struct normalised *x, const struct normalised *y)
{
	check(x->n == y->n);
	check(!x->n || !memcmp(x->c, y->c, x->n * sizeof(*x->c)));
	check(!memcmp(x->at, y->at, (x->n + 1) * sizeof(*x->at)));
}

/* Cluster by cluster; ruby reaches over clusters, so it is not cut. */
static void cut(str s, const struct normalised *whole)
{
	struct normalised x = { 0 };
	utf8proc_int32_t before = 0, c, state = 0;
	size_t from = 0;

	for (size_t i = 0; i < s.n;) {
		utf8proc_ssize_t len = utf8proc_iterate((const uint8_t *)s.p + i, (utf8proc_ssize_t)(s.n - i), &c);

		check(len > 0);
		if (i > 0 && utf8proc_grapheme_break_stateful(before, c, &state)) {
			check(normalise(&x, (str){ s.p + from, i - from }, (uint32_t)from + BASE) == 0);
			from = i;
		}
		before = c;
		i += (size_t)len;
	}
	check(normalise(&x, (str){ s.p + from, s.n - from }, (uint32_t)from + BASE) == 0);
	same(whole, &x);
	normalised_free(&x);
}

static int by_key(const void *a, const void *b)
{
	const struct fingerprint *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* FINGERPRINT_RUN characters of the text after 20 strangers. */
static void run(const struct normalised *x, size_t from)
{
	uint32_t c[20 + FINGERPRINT_RUN];
	struct normalised part = { .c = c, .n = ARRAY_SIZE(c) };
	struct fingerprints all = { 0 }, f = { 0 };
	bool found = false;

	for (uint32_t i = 0; i < 20; i++)
		c[i] = 0x3400 + 31 * i;
	memcpy(c + 20, x->c + from, FINGERPRINT_RUN * sizeof(*c));
	check(fingerprint(key, x, FINGERPRINT_K, FINGERPRINT_WINDOW, &all) == 0);
	check(fingerprint(key, &part, FINGERPRINT_K, FINGERPRINT_WINDOW, &f) == 0);
	qsort(all.f, all.n, sizeof(*all.f), by_key);
	for (size_t i = 0; i < f.n && !found; i++)
		found = bsearch(&f.f[i], all.f, all.n, sizeof(*all.f), by_key);
	check(found);
	fingerprints_free(&all);
	fingerprints_free(&f);
}

static void likeness(const struct normalised *x, size_t middle)
{
	struct normalised a = { .c = x->c, .n = middle }, b = { .c = x->c + middle / 2, .n = x->n - middle / 2 };
	struct alignment r;

	check(align(&a, &b, 0.7, &r) == 0);
	for (size_t i = 0; i < r.n; i++) {
		check(r.runs[i].a_from < r.runs[i].a_to && r.runs[i].a_to <= a.n && r.runs[i].b_from < r.runs[i].b_to && r.runs[i].b_to <= b.n);
		check(r.runs[i].same <= r.runs[i].a_to - r.runs[i].a_from && r.runs[i].same <= r.runs[i].b_to - r.runs[i].b_from);
		check(i == 0 || r.runs[i - 1].a_to <= r.runs[i].a_from);
	}
	alignment_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct normalised x = { 0 }, y = { 0 };
	struct buf b = BUF_INIT;

	if (n < 2 || n > 20000)
		return 0;
	utf8_put_clean(&b, (str){ (const char *)data + 1, n - 1 });
	check(normalise(&x, buf_str(&b), BASE) == 0);
	utf8_portable = true;
	check(normalise(&y, buf_str(&b), BASE) == 0);
	utf8_portable = false;
	same(&x, &y);
	check(x.at[x.n] == BASE + b.n);
	if (!memmem(b.p, b.n, "\xef\xbf\xba", 3))
		cut(buf_str(&b), &x);
	if (x.n >= FINGERPRINT_RUN)
		run(&x, data[0] * (x.n - FINGERPRINT_RUN) / 255);
	likeness(&x, data[0] * x.n / 255);
	normalised_free(&x);
	normalised_free(&y);
	buf_free(&b);
	return 0;
}
