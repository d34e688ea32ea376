/* Verbatim text: from what was looked at to matches with their passages. */
#include <errno.h>
#include <math.h>

#include "document/trace_internal.h"

#define SURROUNDINGS 512  /* bytes beside a passage */

/* --- passages --- */

/* Where the grapheme of the last character ends: behind it may stand what normalising drops. */
uint32_t trace_end_byte(const struct normalised *t, const struct buf *bytes, uint32_t last)
{
	uint32_t at = t->at[last], limit = (uint32_t)bytes->n;

	for (uint32_t i = last + 1; i < t->n; i++)
		if (t->at[i] != at) {
			limit = t->at[i] > at ? t->at[i] : limit;
			break;
		}
	while (at < limit && (uint8_t)bytes->p[at] > ' ')
		at++;
	return at;
}

/* How many others have all of it: of its fingerprints that which fewest have decides. */
static uint32_t shared_by(const struct look *k, size_t which, const struct run *r)
{
	const struct leak *l = k->l;
	uint32_t least = UINT32_MAX;
	uint64_t family = 0;

	for (size_t i = 0; i < k->n; i++)
		family |= k->at[i].family == k->at[which].family ? 1ull << i : 0;
	for (size_t i = 0; i < l->p.f.n; i++) {
		uint32_t key = l->key_of[i], pos = l->p.f.f[i].pos;

		if (pos < r->a || pos + FINGERPRINT_K > r->a + r->n)
			continue;
		least = MIN(least, l->first[key + 1] - l->first[key] - (uint32_t)__builtin_popcountll(k->held[key] & family));
	}
	return least == UINT32_MAX ? 0 : least;
}

static int add_passage(const struct look *k, size_t which, const struct run *r, struct trace_match *m)
{
	const struct normalised *a = &k->l->p.text;
	const struct source *s = k->at[which].s;
	struct trace_passage p = { .leak_from = a->at[r->a], .leak_to = trace_end_byte(a, &k->l->text->bytes, r->a + r->n - 1),
		.chars = r->n, .same = 1,
		.shared_by = shared_by(k, which, r) };
	int e = 0;

	if (s->read) {
		p.source_from = s->p.text.at[r->b];
		p.source_to = trace_end_byte(&s->p.text, &s->bytes, r->b + r->n - 1);
		e = trace_passage_read(s, &p);
	}
	return e < 0 ? e : trace_match_passage(m, &p);
}

/* UTF-8 is cut where a character begins. */
static uint32_t inwards(const struct buf *b, uint32_t at)
{
	while (at < b->n && ((uint8_t)b->p[at] & 0xc0) == 0x80)
		at++;
	return at;
}

int trace_passage_read(const struct source *s, struct trace_passage *p)
{
	uint32_t from = inwards(&s->bytes, p->source_from > SURROUNDINGS ? p->source_from - SURROUNDINGS : 0), to = p->source_to;

	if (s->bytes.n - to > SURROUNDINGS) {
		to += SURROUNDINGS;
		while (((uint8_t)s->bytes.p[to] & 0xc0) == 0x80)
			to--;
	} else {
		to = (uint32_t)s->bytes.n;
	}
	p->text = strndup(s->bytes.p + p->source_from, p->source_to - p->source_from);
	p->before = strndup(s->bytes.p + from, p->source_from - from);
	p->after = strndup(s->bytes.p + p->source_to, to - p->source_to);
	if (p->text && p->before && p->after)
		return 0;
	free(p->text);
	free(p->before);
	free(p->after);
	return trace_fail(-ENOMEM, "no memory");
}

static int by_size(const void *x, const void *y)
{
	const struct run *a = x, *b = y;

	return a->n != b->n ? (a->n > b->n ? -1 : 1) : a->a < b->a ? -1 : a->a > b->a;
}

static int by_place(const void *x, const void *y)
{
	const struct run *a = x, *b = y;

	return a->a < b->a ? -1 : a->a > b->a;
}

/* The longest are shown, in order. */
static int add_passages(const struct look *k, size_t which, struct trace_match *m)
{
	const struct overlap *c = &k->at[which].cover;
	_cleanup_free_ struct run *run = calloc(c->n + 1, sizeof(*run));
	size_t n = MIN(c->n, (size_t)TRACE_PASSAGES);
	int r = 0;

	if (!run)
		return trace_fail(-ENOMEM, "no memory");
	if (c->n)
		memcpy(run, c->run, c->n * sizeof(*run));
	qsort(run, c->n, sizeof(*run), by_size);
	qsort(run, n, sizeof(*run), by_place);
	m->more_passages = c->n - n;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_passage(k, which, &run[i], m);
	return r;
}

/* --- matches --- */

/* What a passage says: log of all families over those that have it. */
static double score_of(const struct look *k, size_t which)
{
	double all = prints_kins(k->t->prints), score = 0;
	const struct overlap *c = &k->at[which].cover;

	for (size_t i = 0; i < c->n; i++)
		score += c->run[i].n * log((all + 1) / (1 + shared_by(k, which, &c->run[i])) + 1);
	return score;
}

/* "in one passage", "in 12 passages" */
static void put_passages(struct buf *b, size_t n)
{
	if (n == 1)
		buf_puts(b, str_c("in one passage"));
	else
		buf_putf(b, "in %zu passages", n);
}

/* "; 30 of them in passages that no other family of documents has" */
static void put_distinct(struct buf *b, uint64_t distinct, uint64_t chars)
{
	if (distinct == chars)
		buf_puts(b, str_c("; no other family of documents has a passage of it"));
	else if (distinct)
		buf_putf(b, "; %llu of them in passages that no other family of documents has", (unsigned long long)distinct);
	else
		buf_puts(b, str_c("; other families of documents have all of it"));
}

static void say_why(struct trace_match *m, const struct look *k, size_t which, const struct case_for *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct looked *x = &k->at[which];
	uint64_t n = k->l->p.text.n, chars = x->cover.chars;

	if (c->very) {
		trace_match_why(m, "the leak is the whole text of it, all %llu characters in order; no other family of documents has this whole text",
			(unsigned long long)n);
		return;
	}
	buf_putf(&b, "%llu %% of the leak (%llu characters ", (unsigned long long)(100 * chars / MAX(n, (uint64_t)1)), (unsigned long long)chars);
	put_passages(&b, x->cover.n);
	buf_puts(&b, str_c(") stand in it"));
	if (c->because)
		buf_putf(&b, ", but %s", c->because);
	else
		buf_puts(&b, str_c(x->s->read ? " word for word" : ", as far as its fingerprints tell: it cannot be read again"));
	if (!x->s->public)
		put_distinct(&b, c->chars, chars);
	if (buf_error(&b) == 0)
		trace_match_why(m, "%s", buf_cstr(&b));
}

static bool same_cover(const struct look *k, const struct looked *x, const struct looked *y)
{
	/* What has the same characters in more pieces has something in between that the leak has not. */
	return x->cover.chars == y->cover.chars && x->cover.n == y->cover.n && memcmp(x->cover.is, y->cover.is, k->l->p.text.n) == 0;
}

/* Of a document that is gone it cannot be said more than that it had the same fingerprints. */
static bool cannot_be_told_apart(const struct look *k, const struct looked *best, const struct looked *x)
{
	if (best->s->read != x->s->read)
		return best->c->hits == x->c->hits && memcmp(best->c->key, x->c->key, x->c->hits * sizeof(*x->c->key)) == 0;
	return same_cover(k, best, x);
}

/* Everything of the leak that x has, another one of its family has, too, and more, or in fewer pieces. */
static bool lesser_version(const struct look *k, size_t which)
{
	const struct looked *x = &k->at[which];

	for (size_t i = 0; i < k->n; i++) {
		const struct looked *y = &k->at[i];
		size_t outside = 0;

		if (i == which || y->family != x->family || y->cover.chars < x->cover.chars)
			continue;
		if (y->cover.chars == x->cover.chars && y->cover.n >= x->cover.n)
			continue;
		for (size_t j = 0; j < k->l->p.text.n; j++)
			outside += x->cover.is[j] && !y->cover.is[j];
		if (outside == 0)
			return true;
	}
	return false;
}

static int add_match(struct look *k, size_t which, struct trace_result *ret)
{
	struct looked *x = &k->at[which];
	struct trace_match *m = trace_match_of(ret, x->s->hash);
	struct case_for c;
	int r;

	x->done = true;
	if (!m)
		return 0;
	r = look_case(k, which, &c);
	if (r < 0)
		return r;
	if (!c.because && lesser_version(k, which)) {
		c.because = "another version of it fits the leak better";
		x->variant = true;
	}
	m->how |= TRACE_BY_TEXT;
	m->coverage = (double)x->cover.chars / (double)MAX(k->l->p.text.n, (size_t)1);
	m->chars = x->cover.chars;
	m->distinct = c.chars;
	m->score = score_of(k, which);
	m->gone = !x->s->read;
	m->variant = x->variant;
	m->public = x->s->public;
	m->verdict = MAX(m->verdict, c.because ? TRACE_SHARED_ONLY : TRACE_SOURCE);
	say_why(m, k, which, &c);
	free(c.distinct);
	for (size_t i = 0; r == 0 && i < k->n; i++)
		if (!k->at[i].done && cannot_be_told_apart(k, x, &k->at[i])) {
			k->at[i].done = true;
			r = trace_match_alternative(m, k->at[i].s->hash);
		}
	return r == 0 ? add_passages(k, which, m) : r;
}

/* The best one that is left: most of the leak, least that is not in it, seen last. One that can be read goes before one that cannot. */
static bool better(const struct looked *x, const struct looked *y)
{
	uint64_t p, q;

	if (x->s->read != y->s->read)
		return x->s->read;
	if (x->cover.chars != y->cover.chars)
		return x->cover.chars > y->cover.chars;
	if (x->cover.n != y->cover.n)
		return x->cover.n < y->cover.n;
	p = x->s->p.text.n - MIN(x->s->p.text.n, x->cover.chars);
	q = y->s->p.text.n - MIN(y->s->p.text.n, y->cover.chars);
	return p != q ? p < q : x->s->last > y->s->last;
}

static int add_matches(struct look *k, struct trace_result *ret)
{
	int r = 0;

	for (;;) {
		size_t best = k->n;

		for (size_t i = 0; i < k->n; i++)
			if (!k->at[i].done && k->at[i].cover.chars && (best == k->n || better(&k->at[i], &k->at[best])))
				best = i;
		if (best == k->n || r < 0)
			return r;
		r = add_match(k, best, ret);
	}
}

int trace_by_text(struct trace *t, const struct leak *l, struct trace_result *ret)
{
	struct candidates c;
	struct look *k = calloc(1, sizeof(*k));
	int r = k ? candidates_make(t, l, &c) : trace_fail(-ENOMEM, "no memory");

	if (r == 0) {
		r = look_make(t, l, &c, k);
		if (r == 0) {
			ret->more += k->more;
			r = look_families(k);
			if (r == 0)
				r = add_matches(k, ret);
			look_free(k);
		}
		candidates_free(&c);
	}
	free(k);
	return r;
}
