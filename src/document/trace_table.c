/* Tables: of the leak's identifiers, how many stand in a document; rows in any order, columns dropped, in any format. */
#include <errno.h>
#include <math.h>

#include "document/trace_internal.h"

#define LOOKED_AT 16          /* documents with most of them */
#define HOLDERS_COUNTED 64    /* of one identifier; more say as little */
#define NEAR_PERCENT 95       /* as many as the best one, nearly: cannot be told apart by this */
#define NEAR_MAX 8            /* in more documents than that: shared */
#define MATCH_MIN 3           /* identifiers, or it is no match */
#define SOURCE_MIN 10         /* of persons: addresses, numbers, accounts */
#define SOURCE_CELLS_MIN 30   /* cells alone: labels of a form are fewer */
#define SOURCE_PERCENT 80     /* of the leak's */
#define DISTINCT_PERCENT 60   /* of those found, in no other document */
#define COMPLETE_PERCENT 98   /* of the leak's stand in it: then the others are other states of the list, or overlap with it, … */
#define COMPLETE_MIN 20       /* … with so many of persons, … */
#define COMPLETE_CELLS 50     /* … or so many other cells, … */
#define COMPLETE_OWN 3        /* … and so many in no other document */
#define LISTED_PERCENT 30     /* of the leak's lines have one: it is a list, not a letter with a few addresses */

struct holder {
	uint32_t doc, count, cells, distinct;
	double score;
};

struct counting {
	const struct told_values *v;
	uint32_t *count, *cells;  /* by number of the document */
	double *score;
	uint32_t *holders;        /* of each value */
	struct holder *top;
	size_t n_top;
	uint32_t n;
	size_t at;
	uint32_t found;           /* documents that have nearly as many as the best */
	uint32_t mask, near;      /* of the value at hand: which of the top hold it; which of the top are those */
	uint32_t differ[LOOKED_AT]; /* of each of the top: from which others it differs in a value */
	size_t of;                /* the value that mask belongs to */
};

static bool seek(struct counting *c, uint64_t key)
{
	while (c->at < c->v->n && c->v->v[c->at].key < key)
		c->at++;
	return c->at < c->v->n && c->v->v[c->at].key == key;
}

static int count_holders(void *arg, uint64_t key, uint32_t doc)
{
	struct counting *c = arg;

	if (!seek(c, key))
		return 0;
	return ++c->holders[c->at] >= HOLDERS_COUNTED ? POSTINGS_NEXT : 0;
}

static int count_documents(void *arg, uint64_t key, uint32_t doc)
{
	struct counting *c = arg;

	if (!seek(c, key) || doc >= c->n)
		return 0;
	c->count[doc]++;
	c->cells[doc] += c->v->v[c->at].cell;
	c->score[doc] += log((c->n + 1.0) / c->holders[c->at] + 1);
	return 0;
}

/* All that hold the value at hand are known. */
static void end_value(struct counting *c)
{
	bool own = c->mask && c->holders[c->of] == (uint32_t)__builtin_popcount(c->mask & c->near);

	for (size_t i = 0; c->mask && i < c->n_top; i++) {
		c->top[i].distinct += own && (c->mask >> i & 1);
		c->differ[i] |= c->mask >> i & 1 ? ~c->mask : c->mask;
	}
	c->mask = 0;
}

static int count_distinct(void *arg, uint64_t key, uint32_t doc)
{
	struct counting *c = arg;

	if (!seek(c, key))
		return 0;
	if (c->of != c->at)
		end_value(c);
	c->of = c->at;
	for (size_t i = 0; i < c->n_top; i++)
		if (c->top[i].doc == doc)
			c->mask |= 1u << i;
	return 0;
}

static int by_score(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return x->doc < y->doc ? 1 : x->doc > y->doc ? -1 : 0;
}

/* The best LOOKED_AT of all that hold any. */
static int choose(struct counting *c)
{
	size_t n = 0;

	for (uint32_t i = 0; i < c->n; i++)
		n += c->count[i] >= MATCH_MIN;
	c->top = calloc(n + 1, sizeof(*c->top));
	if (!c->top)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++)
		if (c->count[i] >= MATCH_MIN)
			c->top[c->n_top++] = (struct holder){ .doc = i, .count = c->count[i], .cells = c->cells[i], .score = c->score[i] };
	if (n)
		qsort(c->top, n, sizeof(*c->top), by_score);
	c->n_top = MIN(n, (size_t)LOOKED_AT);
	return 0;
}

static bool is_near(const struct counting *c, size_t i)
{
	return 100ull * c->top[i].count >= (uint64_t)NEAR_PERCENT * c->top[0].count;
}

static int count_all(struct trace *t, struct counting *c)
{
	_cleanup_free_ uint64_t *keys = calloc(c->v->n + 1, sizeof(*keys));
	int r;

	c->n = documents_holders(t->documents);
	c->count = calloc(c->n + 1u, sizeof(*c->count));
	c->cells = calloc(c->n + 1u, sizeof(*c->cells));
	c->score = calloc(c->n + 1u, sizeof(*c->score));
	c->holders = calloc(c->v->n + 1, sizeof(*c->holders));
	if (!keys || !c->count || !c->cells || !c->score || !c->holders)
		return -ENOMEM;
	for (size_t i = 0; i < c->v->n; i++)
		keys[i] = c->v->v[i].key;
	r = documents_holding(t->documents, keys, c->v->n, count_holders, c);
	c->at = 0;
	if (r >= 0)
		r = documents_holding(t->documents, keys, c->v->n, count_documents, c);
	c->at = 0;
	if (r >= 0)
		r = choose(c);
	/* What only those hold that cannot be told apart is theirs. */
	for (size_t i = 0; r == 0 && i < c->n_top; i++)
		if (is_near(c, i)) {
			c->near |= 1u << i;
			c->found++;
		}
	if (r == 0)
		r = documents_holding(t->documents, keys, c->v->n, count_distinct, c);
	end_value(c);
	return r < 0 ? r : 0;
}

/* Lists of one house overlap, and there are older states of each. That all of a leak stands in one of them does not come by chance, though
 * others may have most of it. */
static bool own_enough(const struct counting *c, const struct holder *h)
{
	if (100ull * h->distinct >= (uint64_t)DISTINCT_PERCENT * h->count)
		return true;
	return 100ull * h->count >= (uint64_t)COMPLETE_PERCENT * c->v->n && h->distinct >= COMPLETE_OWN &&
		(h->count - h->cells >= COMPLETE_MIN || h->cells >= COMPLETE_CELLS);
}

static bool is_source(const struct counting *c, size_t i, const char **ret_because)
{
	const struct holder *h = &c->top[i];
	const struct told_values *v = c->v;
	uint32_t persons = h->count - h->cells;

	*ret_because = NULL;
	if (100ull * h->count < (uint64_t)SOURCE_PERCENT * v->n)
		*ret_because = "too many of them stand elsewhere or nowhere";
	else if (persons < SOURCE_MIN && h->cells < SOURCE_CELLS_MIN)
		*ret_because = "they are too few";
	else if (c->found > NEAR_MAX)
		*ret_because = "they stand in very many documents";
	else if (!own_enough(c, h))
		*ret_because = "other documents have most of them, too";
	else if (!v->listed || 100ull * v->n < (uint64_t)LISTED_PERCENT * v->lines)
		*ret_because = "the leak is no list of them";
	return !*ret_because;
}

static int add_match(struct trace *t, const struct counting *c, size_t i, struct trace_result *ret)
{
	const struct holder *h = &c->top[i];
	const uint8_t *hash = documents_holder(t->documents, h->doc);
	struct trace_match *m = hash ? trace_match_of(ret, hash) : NULL;
	uint32_t next = 0;
	const char *because;
	bool source;
	int r = 0;

	if (!m)
		return 0;
	for (size_t k = 0; k < c->n_top; k++)
		if (!is_near(c, k))
			next = MAX(next, c->top[k].count);
	source = is_source(c, i, &because) && !trace_public(t, hash);
	/* What has the same few words of it need not have the same rows. */
	if (source && m->verdict < TRACE_SOURCE)
		m->n_alternatives = 0;
	m->how |= TRACE_BY_IDENTIFIERS;
	m->identifiers = h->count;
	m->score = MAX(m->score, h->score * 8);
	m->coverage = MAX(m->coverage, (double)h->count / (double)MAX(c->v->n, (size_t)1));
	m->public = trace_public(t, hash);
	if (!m->why || source)
		trace_match_why(m, "%u of %zu addresses, numbers and names stand in it, %u of them in no other; next best %u%s%s", h->count,
			c->v->n, h->distinct, next, because ? "; but " : "", because ? because : "");
	m->verdict = MAX(m->verdict, source ? TRACE_SOURCE : TRACE_SHARED_ONLY);
	for (size_t k = i + 1; r == 0 && k < c->n_top; k++)
		if (!(c->differ[i] >> k & 1) && documents_holder(t->documents, c->top[k].doc))
			r = trace_match_alternative(m, documents_holder(t->documents, c->top[k].doc));
	return r;
}

/* Of those that have the same ones the best speaks for all; the rest are its alternatives. */
static int add_matches(struct trace *t, const struct counting *c, struct trace_result *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_top; i++) {
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first &= c->differ[i] >> k & 1;
		if (first && 10ull * c->top[i].count >= c->top[0].count)
			r = add_match(t, c, i, ret);
	}
	return r;
}

int trace_by_identifiers(struct trace *t, const struct leak *l, struct trace_result *ret)
{
	struct told_values v;
	struct counting c = { .v = &v };
	int r = documents_holders(t->documents) ? told_values_of(t, l->text, &v) : 1;

	if (r)
		return r < 0 ? r : 0;
	ret->identifiers = v.n;
	if (v.n >= MATCH_MIN)
		r = count_all(t, &c);
	if (r < 0)
		trace_fail(r, "identifiers: %s", r == -ENOMEM ? "no memory" : documents_why());
	if (r == 0)
		r = add_matches(t, &c, ret);
	free(c.count);
	free(c.cells);
	free(c.score);
	free(c.holders);
	free(c.top);
	free(v.v);
	return r;
}
