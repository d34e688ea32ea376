/* Winnowing over keyed hashes of k-grams.
 *
 * The hash of a gram is a cyclic polynomial: the exclusive or of its characters' secret words, each turned by its place. With random words
 * it is pairwise independent for grams of up to 17 characters when 16 neighbouring bits of 64 are left out (Lemire, Kaser: Recursive n-gram
 * hashing is pairwise independent, at best; 2010), which is what is done; the bijection on the 48 bits left adds no collisions and hides
 * that all of it is linear. Words are made of the characters by two multiplications with secret factors. All secrets come from the state's
 * key by SipHash.
 *
 * This is no cryptographic function of each gram: it keeps somebody who has the store but not the key from testing guesses, and chance
 * collisions at those of 48 random bits; somebody who can make Tyto scan texts of his choice and read the store as well could learn more,
 * and needs not: he has the documents.
 *
 * A gram's key stands in the high 48 bits of a number whose low 16 hold its place, counted down: the least number is the least key, the
 * last one of equals.
 */
#include "document/fingerprint.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"

#define BLOCK 2048
#define K_MAX 64
#define WINDOW_MAX 64
#define PLACE 0xffffu

struct secrets {
	uint64_t add, word1, word2, last1, last2;
};

static uint64_t secret(const uint8_t *key, uint8_t which)
{
	const uint8_t text[] = { 't', 'y', 't', 'o', '/', 'g', 'r', 'a', 'm', '/', '1', which };

	return siphash24_128(key, text, sizeof(text));
}

static struct secrets secrets_of(const uint8_t *key)
{
	return (struct secrets){ secret(key, 1), secret(key, 2) | 1, secret(key, 3) | 1, secret(key, 4) | 1, secret(key, 5) | 1 };
}

static inline uint64_t turn(uint64_t v, unsigned by)
{
	return v << (by & 63) | v >> (-by & 63);
}

static inline uint64_t word(const struct secrets *s, uint32_t c)
{
	uint64_t v = (c + s->add) * s->word1;

	v = (v ^ v >> 32) * s->word2;
	return v ^ v >> 32;
}

/* The low 16 bits stay 0: multiplications modulo 2^48 above them. */
static inline uint64_t finish(const struct secrets *s, uint64_t h)
{
	h = (h & ~(uint64_t)PLACE) * s->last1;
	return ((h ^ h >> 28) & ~(uint64_t)PLACE) * s->last2;
}

static int put(struct fingerprints *x, uint64_t key, size_t pos)
{
	if (array_room(x->f, x->cap, x->n + 1) < 0)
		return -ENOMEM;
	x->f[x->n++] = (struct fingerprint){ key, (uint32_t)pos };
	return 0;
}

/* The grams that are looked at, from `first` on; those of the window before the block are kept. */
struct grams {
	uint64_t v[WINDOW_MAX + BLOCK];
	uint64_t words[K_MAX + BLOCK];
	size_t first, n;
};

static inline uint64_t numbered(uint64_t key, size_t i)
{
	return key | (PLACE - i);
}

static inline size_t place(uint64_t v)
{
	return PLACE - (v & PLACE);
}

/* Of what is there, the last `keep` stay, and are numbered anew. */
static void shift(struct grams *g, size_t keep)
{
	size_t drop = g->n > keep ? g->n - keep : 0;

	g->n -= drop;
	for (size_t i = 0; i < g->n; i++)
		g->v[i] = g->v[i + drop] + drop;
	g->first += drop;
}

/* Adds `count` grams; c is the first one's first character. */
static void roll(const struct secrets *s, const uint32_t *c, unsigned k, size_t count, struct grams *g)
{
	const uint64_t *w = g->words;
	uint64_t h = 0, *v = g->v + g->n;
	size_t at = g->n;

	for (size_t i = 0; i < count + k - 1; i++)
		g->words[i] = word(s, c[i]);
	for (size_t i = 0; i + 1 < k; i++)
		h = turn(h, 1) ^ w[i];
	for (size_t i = 0; i < count; i++) {
		h = turn(h, 1) ^ w[i + k - 1];
		v[i] = numbered(finish(s, h), at + i);
		h ^= turn(w[i], k - 1);
	}
	g->n += count;
}

static inline uint64_t least(const uint64_t *v, size_t n)
{
	uint64_t a = v[0], b = a;
	size_t i = 1;

	for (; i + 1 < n; i += 2) {
		a = MIN(a, v[i]);
		b = MIN(b, v[i + 1]);
	}
	if (i < n)
		a = MIN(a, v[i]);
	return MIN(a, b);
}

/* There is a window at least. */
static int winnow(const struct secrets *s, const struct normalised *t, unsigned k, unsigned window, struct fingerprints *ret)
{
	size_t grams = t->n - k + 1;
	struct grams g;
	uint64_t min = 0;
	int r = 0;

	g.first = g.n = 0;
	for (size_t from = 0; from < grams && r == 0; from += BLOCK) {
		size_t i, until, first = g.first;

		shift(&g, window);
		min += g.first - first;
		i = g.n;
		roll(s, t->c + from, k, MIN(BLOCK, grams - from), &g);
		if (from == 0) {
			min = least(g.v, window);
			r = put(ret, min >> 16, place(min));
			i = window;
		}
		until = place(min) + window;
		for (; i < g.n && r == 0; i++) {
			if (likely(i < until && g.v[i] > min))
				continue;
			min = g.v[i] < min ? g.v[i] : least(g.v + i + 1 - window, window);
			until = place(min) + window;
			r = put(ret, min >> 16, g.first + place(min));
		}
	}
	return r;
}

int fingerprint(const uint8_t key[static FINGERPRINT_KEY], const struct normalised *t, unsigned k, unsigned window,
		struct fingerprints *ret)
{
	struct secrets s;

	ret->n = 0;
	if (k == 0 || k > K_MAX || window == 0 || window > WINDOW_MAX)
		return -EINVAL;
	if (t->n < k)
		return 0;
	s = secrets_of(key);
	/* A text that fills no window leaves its least. */
	return winnow(&s, t, k, (unsigned)MIN(window, t->n - k + 1), ret);
}

void fingerprints_free(struct fingerprints *x)
{
	free(x->f);
	*x = (struct fingerprints){ 0 };
}
