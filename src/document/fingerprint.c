/* Winnowing over keyed hashes of k-grams.
 *
 * The hash of a gram is a polynomial over Z/2^64 in a secret odd point, of characters that went through a secret mixing function; its last step mixes again and keeps
 * 48 bits. All secrets come from the state's key by SipHash. This is no cryptographic function of each gram: it keeps somebody who has the store but not the key from
 * testing guesses, and chance collisions at those of 48 random bits; somebody who can make Tyto scan texts of his choice and read the store as well could learn more, and
 * needs not: he has the documents.
 */
#include "document/fingerprint.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define BLOCK 2048
#define K_MAX 64
#define WINDOW_MAX 64

struct secrets {
	uint64_t point, power, add, mul1, mul2, last; /* power: point^k */
};

static uint64_t secret(const uint8_t *key, uint8_t which)
{
	const uint8_t text[] = { 't', 'y', 't', 'o', '/', 'g', 'r', 'a', 'm', '/', '1', which };

	return siphash24_128(key, text, sizeof(text));
}

static void secrets_make(const uint8_t *key, unsigned k, struct secrets *s)
{
	*s = (struct secrets){ .point = secret(key, 1) | 1, .power = 1, .add = secret(key, 2), .mul1 = secret(key, 3) | 1, .mul2 = secret(key, 4) | 1,
		.last = secret(key, 5) | 1 };
	for (unsigned i = 0; i < k; i++)
		s->power *= s->point;
}

static inline uint64_t mix(const struct secrets *s, uint32_t c)
{
	uint64_t v = (c + s->add) * s->mul1;

	v ^= v >> 32;
	return v * s->mul2;
}

static inline uint64_t finish(const struct secrets *s, uint64_t h)
{
	h ^= h >> 29;
	return h * s->last >> 16;
}

static int put(struct fingerprints *x, uint64_t key, uint32_t pos)
{
	if (unlikely(x->n == x->cap)) {
		size_t cap = x->cap ? x->cap * 2 : 256;
		struct fingerprint *f = cap > SIZE_MAX / sizeof(*f) ? NULL : realloc(x->f, cap * sizeof(*f));

		if (!f)
			return -ENOMEM;
		x->f = f;
		x->cap = cap;
	}
	x->f[x->n++] = (struct fingerprint){ key, pos };
	return 0;
}

/* The grams that are being looked at: hash of gram g at [g - first]; the window before the block's first one is kept. */
struct grams {
	uint64_t h[WINDOW_MAX + BLOCK];
	size_t first, n;
	uint64_t rolling;
};

static void roll(const struct secrets *s, const struct normalised *t, unsigned k, size_t from, size_t to, struct grams *g)
{
	uint64_t h = g->rolling;

	if (from == 0) {
		h = 0;
		for (unsigned i = 0; i + 1 < k; i++)
			h = h * s->point + mix(s, t->c[i]);
		g->h[g->n++] = finish(s, h = h * s->point + mix(s, t->c[k - 1]));
		from = 1;
	}
	for (size_t i = from; i < to; i++) {
		h = h * s->point + (mix(s, t->c[i + k - 1]) - mix(s, t->c[i - 1]) * s->power);
		g->h[g->n++] = finish(s, h);
	}
	g->rolling = h;
}

/* The least of grams [from, to), the last one of equals. */
static size_t least(const struct grams *g, size_t from, size_t to)
{
	size_t at = from;

	for (size_t i = from + 1; i < to; i++)
		if (g->h[i - g->first] <= g->h[at - g->first])
			at = i;
	return at;
}

static int winnow(const struct secrets *s, const struct normalised *t, unsigned k, unsigned window, struct fingerprints *ret)
{
	size_t grams = t->n - k + 1, at = SIZE_MAX;
	struct grams g = { .n = 0 };
	uint64_t min = 0;

	for (size_t from = 0; from < grams; from += BLOCK) {
		size_t to = MIN(grams, from + BLOCK);

		/* Of what is there, the last window - 1 grams are still wanted. */
		if (g.n >= window) {
			size_t drop = g.n - (window - 1);

			memmove(g.h, g.h + drop, (window - 1) * sizeof(*g.h));
			g.first += drop;
			g.n = window - 1;
		}
		roll(s, t, k, from, to, &g);
		for (size_t i = from; i < to; i++) {
			uint64_t h = g.h[i - g.first];

			if (i + 1 < window && i + 1 < grams)
				continue;
			if (at == SIZE_MAX || at + window <= i)
				at = least(&g, i + 1 < window ? 0 : i + 1 - window, i + 1);
			else if (h <= min)
				at = i;
			else
				continue;
			min = g.h[at - g.first];
			if (put(ret, min, (uint32_t)at) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

int fingerprint(const uint8_t key[static FINGERPRINT_KEY], const struct normalised *t, unsigned k, unsigned window, struct fingerprints *ret)
{
	struct secrets s;

	ret->n = 0;
	if (k == 0 || k > K_MAX || window == 0 || window > WINDOW_MAX)
		return -EINVAL;
	if (t->n < k)
		return 0;
	secrets_make(key, k, &s);
	return winnow(&s, t, k, window, ret);
}

void fingerprints_free(struct fingerprints *x)
{
	free(x->f);
	*x = (struct fingerprints){ 0 };
}
