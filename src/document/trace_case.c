/* What speaks for a candidate, and whether it is enough. docs/trace.md says the rules in words; the numbers stand here. */
#include <errno.h>

#include "document/trace_internal.h"

#define WHOLE_PERCENT 90           /* of the leak explained by the inventory: nothing of weight was written around it */
#define WHOLE_WEIGHT 100
#define WHOLE_BEST 100
#define PIECE_WEIGHT 64            /* of one passage that is (nearly) the whole leak */
#define PIECE_CHARS 80             /* of figures and program text */
#define WHOLE_CHARS 300            /* without many words (figures, program text) */
#define WITHIN_WEIGHT 200          /* a passage within a text of other origin */
#define WITHIN_BEST 150
#define SCATTERED_RUNS 4            /* so many short runs are phrases that many use, not a quotation */
#define SCATTERED_MEAN 150
#define MANY_RUNS 10
#define MANY_MEAN 400
#define ALL_PERCENT 95
#define CODE_RUNS 3
#define WITHIN_CODE 400
#define OWN_PART 5                   /* 1/5 of what both have must be their own, unless the leak is this very instance */
#define MOSTLY_WEIGHT 150          /* most of the source stands in the leak */
#define MOSTLY_CHARS 400
#define FILLED_PERCENT 98          /* of the leak in this instance of a template and in no other */
#define FILLED_CHARS 300
#define VERY_SLACK 2               /* characters that may differ in what is the very same text */
#define GONE_PERCENT 97            /* of the leak's fingerprints, all that is left of a document that cannot be read again */
#define GONE_PRINTS 16
#define GONE_CHARS 200
#define GONE_CHARS_A_PLACE 5000    /* where some are missing: an edit is rarer than this */
#define CLAIM_CHARS 64             /* others have a passage of their own where they have so much of a run in one piece, or half of it */
#define MARGIN_SLACK 24            /* characters */
#define MARGIN_OWN 80              /* of its own beside a letterhead or disclaimer */
#define MARGIN_MAX 2000

/* Another document has [from, to) of the leak. Where an unbroken run goes on far beyond that, it is a phrase that many use, and the run is a
 * passage of its own. */
static void claim(const struct looked *x, uint32_t from, uint32_t to, uint8_t *other)
{
	for (size_t i = 0; i < x->cover.n; i++) {
		const struct run *r = &x->cover.run[i];
		uint32_t low = MAX(from, r->a), high = MIN(to, r->a + r->n);

		if (low < high && (high - low >= CLAIM_CHARS || 2 * (high - low) >= r->n))
			memset(other + low, 1, high - low);
	}
}

/* The same of documents that were not read: a run goes on beyond its fingerprints by up to a window on either side. */
static void claim_unread(const struct look *k, const struct looked *x, uint8_t *other)
{
	for (size_t i = 0; i < x->cover.n; i++) {
		const struct run *r = &x->cover.run[i];

		for (uint32_t j = r->a; j < r->a + r->n; j++)
			other[j] |= k->unread[j] && (k->unread[j] + FINGERPRINT_WINDOW >= CLAIM_CHARS || 2 * k->unread[j] >= r->n);
	}
}

static uint64_t family_of(const struct look *k, size_t which)
{
	uint64_t family = 0;

	for (size_t i = 0; i < k->n; i++)
		if (k->at[i].family == k->at[which].family)
			family |= 1ull << i;
	return family;
}

static int take_distinct(const struct look *k, size_t which, struct case_for *c)
{
	const struct looked *x = &k->at[which];
	uint64_t family = family_of(k, which) | version_relatives(k, which);
	size_t n = k->l->p.text.n;
	_cleanup_free_ uint8_t *other = calloc(n + 1, 1);

	c->distinct = calloc(n + 1, 1);
	if (!other || !c->distinct)
		return trace_fail(-ENOMEM, "no memory");
	claim_unread(k, x, other);
	for (size_t i = 0; i < k->n; i++)
		for (size_t j = 0; !(family >> i & 1) && j < k->at[i].cover.n; j++)
			claim(x, k->at[i].cover.run[j].a, k->at[i].cover.run[j].a + k->at[i].cover.run[j].n, other);
	for (size_t j = 0; j < n; j++) {
		c->distinct[j] = x->cover.is[j] && !other[j];
		c->chars += c->distinct[j];
	}
	return 0;
}

/* Stretches end where a run does: what follows elsewhere in the source was not one piece. A run most of which is distinct counts as one
 * stretch. */
static void weigh(const struct look *k, const struct looked *x, struct case_for *c)
{
	for (size_t i = 0; i < x->cover.n; i++) {
		size_t end = x->cover.run[i].a + x->cover.run[i].n, from = x->cover.run[i].a, to;
		struct evidence_of before = c->e;

		for (; from < end; from = to + 1) {
			to = from;
			while (to < end && c->distinct[to])
				to++;
			evidence_add(k->l->text, &k->l->p.text, from, to, &c->e);
		}
		if (3 * (c->e.chars - before.chars) >= 2ull * x->cover.run[i].n) {
			c->e.best = MAX(c->e.best, c->e.weight - before.weight);
			c->e.largest = MAX(c->e.largest, c->e.chars - before.chars);
		}
	}
}

/* --- letterheads, disclaimers, licences: at the same end of both, and both go on with words of their own --- */

struct sides {
	uint64_t before, behind; /* characters */
};

static struct sides around(const struct normalised *t, size_t aside, uint64_t from, uint64_t to)
{
	uint64_t end = from < aside ? aside : t->n;

	return (struct sides){ from, end > to ? end - to : 0 };
}

static bool is_margin(const struct leak *l, const struct looked *x)
{
	const struct run *first = &x->cover.run[0], *last = &x->cover.run[x->cover.n - 1];
	uint64_t end = last->a + last->n;
	struct sides a = around(&l->p.text, l->p.aside, first->a, end);
	struct sides b = around(&x->s->p.text, x->s->p.aside, first->b, last->b + last->n);
	uint64_t a_gap = 0, b_gap = 0;
	bool head = a.before <= MARGIN_SLACK && b.before <= MARGIN_SLACK, tail = a.behind <= MARGIN_SLACK && b.behind <= MARGIN_SLACK;

	if (x->cover.chars > MARGIN_MAX)
		return false;
	for (size_t i = 0; i + 1 < x->cover.n; i++) {
		const struct run *r = &x->cover.run[i];
		int64_t an = (int64_t)r[1].a - (r->a + r->n), bn = (int64_t)r[1].b - (r->b + r->n);

		if (an >= MARGIN_OWN && bn >= MARGIN_OWN && !leak_knows(l, first->a + 0ull, end)) {
			a_gap = (uint64_t)an;
			b_gap = (uint64_t)bn;
		}
	}
	if (head && tail)
		return a_gap && b_gap;
	if (head)
		return a.behind >= MARGIN_OWN && b.behind >= MARGIN_OWN && !leak_knows(l, end, end + a.behind);
	return tail && a.before >= MARGIN_OWN && b.before >= MARGIN_OWN && !leak_knows(l, 0, a.before);
}

/* --- the verdict --- */

/* Short runs all over are what people write who know the same phrases, or files of one project. */
static bool scattered(const struct overlap *c)
{
	if (c->n < SCATTERED_RUNS)
		return false;
	return c->chars < (uint64_t)(c->n < MANY_RUNS ? SCATTERED_MEAN : MANY_MEAN) * c->n;
}

/* (Nearly) all of the leak is explained, by this document or by several. */
static bool enough_for_whole(const struct leak *l, const struct looked *x, const struct case_for *c, bool code)
{
	uint64_t n = l->p.text.n, percent = 100 * x->cover.chars / n;

	/* A piece out of it, and nothing but that. */
	if (x->cover.n == 1 && percent >= WHOLE_PERCENT &&
		(c->e.chars >= PIECE_CHARS || (!code && c->e.weight >= PIECE_WEIGHT)))
		return true;
	if (!c->whole || (percent < ALL_PERCENT && x->cover.chars < (uint64_t)SCATTERED_MEAN * x->cover.n))
		return false;
	return c->e.chars >= WHOLE_CHARS || (!code && c->e.weight >= WHOLE_WEIGHT && c->e.best >= WHOLE_BEST);
}

/* A passage in a text of other origin. */
static bool enough_within(const struct looked *x, const struct case_for *c, bool code)
{
	if (2 * c->chars < x->cover.chars || c->e.weight < WITHIN_WEIGHT)
		return false;
	return code ? c->e.largest >= WITHIN_CODE && x->cover.n <= CODE_RUNS : c->e.best >= WITHIN_BEST;
}

static bool enough(const struct look *k, const struct looked *x, const struct case_for *c)
{
	const struct leak *l = k->l;
	uint64_t n = l->p.text.n, chars = c->e.chars;
	bool code = 2 * c->e.code > chars || l->code;

	if (chars < TRACE_DISTINCT || chars < c->e.skipped)
		return false;
	/* This very instance of a template. */
	if (100 * x->cover.chars >= FILLED_PERCENT * n && n >= FILLED_CHARS && c->e.stretches >= 2)
		return true;
	if (OWN_PART * c->chars < x->cover.chars)
		return false;
	if (l->code && 100 * x->cover.chars < WHOLE_PERCENT * n && x->cover.n > CODE_RUNS)
		return false;
	if (!c->whole && scattered(&x->cover))
		return false;
	if (enough_for_whole(l, x, c, code) || enough_within(x, c, code))
		return true;
	return 2 * x->cover.chars >= x->s->p.text.n && c->e.weight >= MOSTLY_WEIGHT && c->e.best >= WHOLE_BEST &&
		chars >= (code ? MOSTLY_CHARS : MOSTLY_WEIGHT);
}

/* From the first character to the last this text and no other: how much of it others have, too, does not matter. */
static bool very_text(const struct look *k, size_t which)
{
	const struct looked *x = &k->at[which];
	uint64_t n = k->l->p.text.n, chars = x->cover.chars;

	if (!x->s->read || x->variant || n < FILLED_CHARS || chars + VERY_SLACK < n || chars + VERY_SLACK < x->s->p.text.n)
		return false;
	for (size_t i = 0; i < k->n; i++)
		if (k->at[i].family != x->family && k->at[i].cover.chars >= chars && k->at[i].cover.n <= x->cover.n)
			return false;
	for (uint64_t i = 0; i < n; i++)
		if (k->unread[i] + 2 * FINGERPRINT_WINDOW >= n)
			return false;
	return true;
}

/* Where other words stand in a template's place, fingerprints are missing: a place of ten characters breaks one for sure. So nearly all
 * must be there, and hardly any places be missing. Those that very many have say nothing. */
static bool gone_enough(const struct look *k, const struct looked *x, const struct case_for *c)
{
	const struct leak *l = k->l;
	_cleanup_free_ uint8_t *has = calloc((size_t)l->n_keys + 1, 1);
	uint64_t prints = 0, all = 0, places = 0;
	bool before = true;

	for (uint32_t i = 0; has && i < x->c->hits; i++)
		has[x->c->key[i]] = 1;
	for (size_t i = 0; has && i < l->p.f.n; i++) {
		bool here = has[l->key_of[i]];

		if (l->common[l->key_of[i]])
			continue;
		prints += here;
		places += before && !here;
		before = here;
		all++;
	}
	return x->c->hits >= GONE_PRINTS && c->e.chars >= GONE_CHARS && c->e.weight >= WHOLE_WEIGHT &&
		100 * prints >= GONE_PERCENT * all && GONE_CHARS_A_PLACE * places <= l->p.text.n;
}

int look_case(const struct look *k, size_t which, struct case_for *ret)
{
	const struct looked *x = &k->at[which];
	struct case_for c = { 0 };
	int r = take_distinct(k, which, &c);

	if (r < 0) {
		free(c.distinct);
		return r;
	}
	weigh(k, x, &c);
	c.whole = 100 * k->explained >= WHOLE_PERCENT * k->l->p.text.n;
	c.margin = x->s->read && x->cover.n && is_margin(k->l, x);
	if (x->s->public)
		c.because = "it is of outside origin";
	else if (!x->s->read && !gone_enough(k, x, &c))
		c.because = "it cannot be read again, and its fingerprints alone do not tell";
	else if (very_text(k, which))
		c.very = true;
	else if (c.chars < TRACE_DISTINCT)
		c.because = "other documents have this text, too";
	else if (x->variant)
		c.because = "the leak has other words in some places: it is another instance of the same template, or another version";
	else if (c.margin)
		c.because = "both have it at the same end, as a letterhead, a licence or a disclaimer stands";
	else if (x->s->read && !enough(k, x, &c))
		c.because = "that is too little to tell whose it is";
	*ret = c;
	return 0;
}
