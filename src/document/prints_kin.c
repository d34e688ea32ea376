/* Near-duplicates: which documents share most of their text, by a sample of their fingerprints.
 *
 * The sample of a document is its lowest keys. They are looked up in the store itself: nothing more is kept, and the samples of all
 * documents lie in the same few blocks at its beginning. Of A's sample of s, let c stand in B: then A and B share about c/s·|A|
 * fingerprints, and J = shared / (|A| + |B| − shared).
 * J ≥ 1/2 needs |B| ≥ |A|/2, and then half of A stands in B: of 24 keys fewer than 5 once in 1,300 times, so that most documents are done
 * with 24. Where one has more, 128 are asked (J within .09 nineteen times of twenty), and 512 where that is too near to PRINTS_KIN to tell.
 * A key that stands in KIN_OF_KEY documents or more is not followed further; J is estimated with such keys and without them, and the higher
 * one counts: a letterhead must not hide versions, and the thousandth letter of a template is still found through the first ones.
 *
 * What was joined is in the registry: a document's note is the number + 1 of a kin's first one, a link joins two kins. Here is the
 * union-find over that.
 */
#include <errno.h>

#include "document/prints_internal.h"

#define KIN_FEW 24u
#define KIN_FEW_MIN 5u
#define KIN_SOME 128u
#define KIN_SAMPLE 512u
#define KIN_NEAR 0.1        /* to PRINTS_KIN: KIN_SOME cannot tell */
#define KIN_OF_KEY 64
#define KIN_RARE_MIN 12     /* keys, for an estimate without the common ones */
#define KIN_TABLE 65536u    /* at least twice KIN_SAMPLE × KIN_OF_KEY */

_Static_assert(KIN_TABLE >= 2 * KIN_SAMPLE * KIN_OF_KEY && (KIN_TABLE & (KIN_TABLE - 1)) == 0, "open addressing");

struct holder {
	uint32_t doc, all, rare;    /* keys of the sample, and those of them that are rare */
	uint32_t of;                /* the search it belongs to */
};

struct kin {
	uint32_t *parent, *next;    /* next: the ring of one kin */
	uint32_t n, cap;
	uint64_t generation;
	uint32_t search;
	struct holder *table;       /* made by the first search */
	uint32_t pair[KIN_SAMPLE * KIN_OF_KEY], ends[KIN_SAMPLE]; /* documents key by key */
	struct kin_tally tally;
	uint32_t tallied;           /* documents it was made of + 1 */
};

struct kin *kin_new(void)
{
	return calloc(1, sizeof(struct kin));
}

struct kin *kin_free(struct kin *k)
{
	if (!k)
		return NULL;
	free(k->parent);
	free(k->next);
	free(k->table);
	free(k);
	return NULL;
}

/* --- union-find --- */

uint32_t kin_of(struct kin *k, uint32_t doc)
{
	if (doc >= k->n)
		return doc;
	while (k->parent[doc] != doc)
		doc = k->parent[doc] = k->parent[k->parent[doc]];
	return doc;
}

uint32_t kin_next(const struct kin *k, uint32_t doc)
{
	return doc < k->n ? k->next[doc] : doc;
}

/* The first one leads. */
static void join(struct kin *k, uint32_t a, uint32_t b)
{
	uint32_t x = kin_of(k, a), y = kin_of(k, b), next;

	if (x == y)
		return;
	k->parent[MAX(x, y)] = MIN(x, y);
	next = k->next[x];
	k->next[x] = k->next[y];
	k->next[y] = next;
}

static int grow(struct kin *k, uint32_t n)
{
	uint32_t cap = MAX(k->cap ? 2 * k->cap : 1024, n), *more;

	if (n <= k->cap)
		return 0;
	more = reallocarray(k->parent, cap, sizeof(*more));
	if (!more)
		return prints_fail(-ENOMEM, "no memory");
	k->parent = more;
	more = reallocarray(k->next, cap, sizeof(*more));
	if (!more)
		return prints_fail(-ENOMEM, "no memory");
	k->next = more;
	k->cap = cap;
	return 0;
}

int kin_follow(struct kin *k, const struct postings *p)
{
	uint32_t n = postings_documents(p);
	int r;

	if (k->generation != postings_generation(p) || n < k->n) {
		k->n = 0;
		k->tallied = 0;
		k->generation = postings_generation(p);
	}
	r = grow(k, n);
	if (r < 0)
		return r;
	for (; k->n < n; k->n++) {
		struct postings_entry e = postings_entry(p, k->n);
		uint32_t with = e.link ? e.version : k->n + 1;

		k->parent[k->n] = k->next[k->n] = k->n;
		/* Only backwards: what was there when it was written. */
		if (e.note && e.note <= k->n && with && with <= k->n + 1)
			join(k, e.note - 1, with - 1);
	}
	return 0;
}

struct kin_tally kin_tally(struct kin *k, const struct postings *p)
{
	_cleanup_free_ uint8_t *seen = NULL;
	struct kin_tally t = { 0 };

	if (k->tallied == k->n + 1)
		return k->tally;
	seen = calloc(k->n / 8 + 1, 1);
	for (uint32_t i = 0; seen && i < k->n; i++) {
		struct postings_entry e = postings_entry(p, i);
		uint32_t first;

		if (e.dead || !e.n)
			continue;
		first = kin_of(k, i);
		t.documents++;
		t.kins += !(seen[first / 8] >> (first % 8) & 1);
		seen[first / 8] |= (uint8_t)(1u << (first % 8));
	}
	k->tally = t;
	k->tallied = k->n + 1;
	return t;
}

/* --- searching --- */

struct search {
	struct kin *k;
	uint64_t key;
	uint32_t n, of_key, keys;   /* documents in pair; of the key at hand; keys that any have */
	uint32_t most;              /* keys that one document has */
	bool near;                  /* too near to tell */
};

static int collect(void *arg, const struct posting *e)
{
	struct search *s = arg;

	if (!s->keys || e->key != s->key) {
		s->keys++;
		s->of_key = 0;
		s->key = e->key;
	}
	s->k->pair[s->n++] = e->doc;
	s->k->ends[s->keys - 1] = s->n;
	return ++s->of_key == KIN_OF_KEY ? POSTINGS_NEXT : 0;
}

static struct holder *holder_of(struct kin *k, uint32_t doc)
{
	for (uint32_t i = (doc * 2654435761u) >> 16;; i = (i + 1) % KIN_TABLE) {
		struct holder *h = &k->table[i];

		if (h->of != k->search)
			*h = (struct holder){ .doc = doc, .of = k->search };
		if (h->doc == doc)
			return h;
	}
}

/* Fingerprints of a that stand in b, of what a part of the sample says. */
static double jaccard(uint32_t common, uint32_t sample, double a, double b)
{
	double shared = MIN(a * common / sample, b);

	return shared / (a + b - shared);
}

static void add_kin(struct kin *k, uint32_t doc, uint32_t ret[static KIN_JOIN_MAX], int *n)
{
	uint32_t first = kin_of(k, doc);

	for (int i = 0; i < *n; i++)
		if (ret[i] == first)
			return;
	if (*n == KIN_JOIN_MAX)
		return;
	ret[(*n)++] = first;
	if (first < ret[0]) {
		ret[*n - 1] = ret[0];
		ret[0] = first;
	}
}

static int judge(struct search *s, struct postings *p, uint32_t sample, size_t n, uint32_t ret[static KIN_JOIN_MAX])
{
	uint32_t from = 0, rare = sample;
	int found = 0;

	for (uint32_t i = 0; i < s->keys; from = s->k->ends[i++]) {
		bool common = s->k->ends[i] - from == KIN_OF_KEY;

		rare -= common;
		for (uint32_t j = from; j < s->k->ends[i]; j++) {
			struct holder *h = holder_of(s->k, s->k->pair[j]);

			h->all++;
			s->most = MAX(s->most, h->all);
			h->rare += !common;
		}
	}
	for (uint32_t i = 0; i < s->n; i++) {
		struct holder *h = holder_of(s->k, s->k->pair[i]);
		double b = postings_entry(p, h->doc).n;
		double all = jaccard(h->all, sample, (double)n, b), best = rare >= KIN_RARE_MIN ? MAX(all, jaccard(h->rare, rare, (double)n, b)) : all;

		if (!h->all)
			continue; /* judged already */
		if (best >= PRINTS_KIN)
			add_kin(s->k, h->doc, ret, &found);
		s->near = s->near || (best > PRINTS_KIN - KIN_NEAR && best < PRINTS_KIN + KIN_NEAR);
		h->all = 0;
	}
	return found;
}

static int ask(struct kin *k, struct postings *p, const struct posting *e, size_t n, size_t sample, uint32_t ret[static KIN_JOIN_MAX],
		struct search *ret_s)
{
	struct search s = { .k = k };
	uint64_t keys[KIN_SAMPLE];
	int r;

	for (size_t i = 0; i < sample; i++)
		keys[i] = e[i].key;
	if (++k->search == 0) {
		memset(k->table, 0, KIN_TABLE * sizeof(*k->table));
		k->search = 1;
	}
	r = postings_find(p, keys, sample, collect, &s);
	if (r < 0)
		return prints_fail(r, "fingerprints: %s", postings_why());
	r = judge(&s, p, (uint32_t)sample, n, ret);
	*ret_s = s;
	return r;
}

int kin_find(struct kin *k, struct postings *p, const struct posting *e, size_t n, uint32_t ret[static KIN_JOIN_MAX])
{
	struct search s = { 0 };
	int r;

	if (n == 0)
		return 0;
	if (!k->table)
		k->table = calloc(KIN_TABLE, sizeof(*k->table));
	if (!k->table)
		return prints_fail(-ENOMEM, "no memory");
	r = ask(k, p, e, n, MIN(n, (size_t)KIN_FEW), ret, &s);
	if (r < 0 || n <= KIN_FEW)
		return r;
	if (s.most < KIN_FEW_MIN)
		return 0;
	r = ask(k, p, e, n, MIN(n, (size_t)KIN_SOME), ret, &s);
	return r >= 0 && s.near && n > KIN_SOME ? ask(k, p, e, n, MIN(n, (size_t)KIN_SAMPLE), ret, &s) : r;
}
