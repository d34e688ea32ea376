/* Which of several versions a leak is from, of those that stand somewhere and of those that are gone: what each explains of it decides. */
#include "document/trace_internal.h"

#define PLACES_MIN 3 /* in which a relative has other words than the leak */

/* All fingerprints of the leak that x has, y has, too. */
static bool keys_within(const struct candidate *x, const struct candidate *y)
{
	uint32_t j = 0;

	if (x->hits > y->hits)
		return false;
	for (uint32_t i = 0; i < x->hits; i++) {
		while (j < y->hits && y->key[j] < x->key[i])
			j++;
		if (j == y->hits || y->key[j] != x->key[i])
			return false;
	}
	return true;
}

static bool same_cover(const struct look *k, const struct looked *x, const struct looked *y)
{
	/* What has the same characters in more pieces has something in between that the leak has not. */
	return x->cover.chars == y->cover.chars && x->cover.n == y->cover.n && memcmp(x->cover.is, y->cover.is, k->l->p.text.n) == 0;
}

/* A content that is gone goes before one of the same place that can be read, where its fingerprints explain what that one leaves. */
static bool goes_ahead(const struct look *k, const struct looked *x)
{
	bool any = false;

	if (x->s->read || x->say.because)
		return false;
	for (size_t i = 0; i < k->n; i++) {
		const struct looked *y = &k->at[i];

		if (!y->s->read || y->family != x->family)
			continue;
		if (y->c->hits >= x->c->hits)
			return false;
		any = true;
	}
	return any;
}

bool version_better(const struct look *k, const struct looked *x, const struct looked *y)
{
	bool x_ahead = goes_ahead(k, x), y_ahead = goes_ahead(k, y);
	uint64_t p, q;

	if ((x->s->read || x_ahead) != (y->s->read || y_ahead))
		return x->s->read || x_ahead;
	if (x->family == y->family && x_ahead != y_ahead)
		return x_ahead;
	if (!x->s->read && !y->s->read && x->c->hits != y->c->hits)
		return x->c->hits > y->c->hits;
	if (x->cover.chars != y->cover.chars)
		return x->cover.chars > y->cover.chars;
	if (x->cover.n != y->cover.n)
		return x->cover.n < y->cover.n;
	p = x->s->p.text.n - MIN(x->s->p.text.n, x->cover.chars);
	q = y->s->p.text.n - MIN(y->s->p.text.n, y->cover.chars);
	return p != q ? p < q : x->s->last > y->s->last;
}

/* Of a document that is gone it cannot be said more than that it had the same fingerprints: what had them all, and stood at the same place,
 * may be it. */
bool version_same(const struct look *k, const struct looked *best, const struct looked *x)
{
	if (best->s->read && x->s->read)
		return same_cover(k, best, x);
	if (keys_within(best->c, x->c))
		return keys_within(x->c, best->c) || (best->s->read && x->family == best->family);
	return x->s->read && x->family == best->family && x->cover.chars == k->l->p.text.n;
}

static bool within(const struct look *k, const struct looked *x, const struct looked *y)
{
	if (!x->s->read || !y->s->read)
		return keys_within(x->c, y->c);
	if (y->cover.chars < x->cover.chars)
		return false;
	for (size_t j = 0; j < k->l->p.text.n; j++)
		if (x->cover.is[j] && !y->cover.is[j])
			return false;
	return true;
}

static bool more(const struct looked *x, const struct looked *y)
{
	if (!x->s->read || !y->s->read)
		return y->c->hits > x->c->hits;
	return y->cover.chars > x->cover.chars || (y->cover.chars == x->cover.chars && y->cover.n < x->cover.n);
}

/* Everything of the leak that this one has, another one of its family has, too, and more, or in fewer pieces. */
bool version_lesser(const struct look *k, size_t which)
{
	const struct looked *x = &k->at[which];

	for (size_t i = 0; i < k->n; i++) {
		const struct looked *y = &k->at[i];

		/* What is gone outdoes one that can be read only where it is evidence itself. */
		if (i == which || y->family != x->family || (x->s->read && !y->s->read && y->say.because))
			continue;
		if (more(x, y) && within(k, x, y))
			return true;
	}
	return false;
}

/* --- relatives: instances of one template, or versions that cannot be told from such --- */

/* Places of the leak that this one has otherwise. */
static unsigned places_lacking(const struct look *k, const struct looked *y)
{
	const uint8_t *is = y->cover.is;
	unsigned places = 0;

	for (size_t i = 0; i < k->l->p.text.n; i++)
		places += !is[i] && (i == 0 || is[i - 1]);
	return places;
}

/* The leak is this document in one piece, as far as it goes; its relatives have most of it, and other words in between. What all of them
 * have is theirs together, and says whose the leak is as little for it as against it: that it agrees in every place where they differ says
 * it. By chance it might in one or two places, if it is a piece. */
uint64_t version_relatives(const struct look *k, size_t which)
{
	const struct looked *x = &k->at[which];
	size_t n = k->l->p.text.n;
	unsigned least = 10 * n >= 9 * x->s->p.text.n ? 1 : PLACES_MIN;
	uint64_t all = 0;

	if (!x->s->read || x->cover.n != 1 || x->cover.chars != n || x->s->public)
		return 0;
	for (size_t i = 0; i < k->n; i++) {
		const struct looked *y = &k->at[i];

		if (y->s->read && !y->s->public && 4 * y->cover.chars >= 3 * n && 2 * n >= y->s->p.text.n && places_lacking(k, y) >= least)
			all |= 1ull << i;
	}
	return all;
}
