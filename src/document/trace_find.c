/* A leak made ready, and the documents that share fingerprints with it. */
#include <errno.h>
#include <math.h>

#include "document/trace_internal.h"

#define CODE_LOOK (256u << 10)    /* bytes that tell what kind of text a leak is */
#define HOLDERS_MAX (8u << 20) /* (key, document) pairs of one leak */

/* --- the leak --- */

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t number_of(const struct leak *l, uint64_t key)
{
	uint32_t low = 0, high = l->n_keys;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (l->keys[mid] < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int take_keys(struct leak *l)
{
	size_t n = l->p.f.n;

	l->keys = calloc(n + 1, sizeof(*l->keys));
	l->key_of = calloc(n + 1, sizeof(*l->key_of));
	l->known = calloc(l->p.text.n + 1, 1);
	if (!l->keys || !l->key_of || !l->known)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		l->keys[i] = l->p.f.f[i].key;
	qsort(l->keys, n, sizeof(*l->keys), by_key);
	for (size_t i = 0; i < n; i++)
		if (!l->n_keys || l->keys[l->n_keys - 1] != l->keys[i])
			l->keys[l->n_keys++] = l->keys[i];
	for (size_t i = 0; i < n; i++)
		l->key_of[i] = number_of(l, l->p.f.f[i].key);
	l->first = calloc((size_t)l->n_keys + 1, sizeof(*l->first));
	l->common = calloc((size_t)l->n_keys + 1, 1);
	return l->first && l->common ? 0 : -ENOMEM;
}

struct gathering {
	struct leak *l;
	uint32_t at;      /* the key at hand */
	uint32_t of_key;
	int error;
};

static int on_holder(void *arg, uint64_t key, uint32_t doc)
{
	struct gathering *g = arg;
	struct leak *l = g->l;

	while (l->keys[g->at] != key) {
		l->first[++g->at] = (uint32_t)l->n_docs;
		g->of_key = 0;
	}
	if (l->n_docs == l->cap_docs) {
		size_t cap = l->cap_docs ? 2 * l->cap_docs : 4096;
		uint32_t *more = l->n_docs < HOLDERS_MAX ? reallocarray(l->doc, cap, sizeof(*more)) : NULL;

		if (!more) {
			g->error = l->n_docs < HOLDERS_MAX ? -ENOMEM : 0;
			return 1;
		}
		l->doc = more;
		l->cap_docs = cap;
	}
	l->doc[l->n_docs++] = doc;
	if (++g->of_key < TRACE_SHARED)
		return 0;
	l->common[g->at] = 1;
	return POSTINGS_NEXT;
}

static int find_holders(struct trace *t, struct leak *l)
{
	struct gathering g = { .l = l };
	int r = l->n_keys ? prints_find(t->prints, PRINTS_TEXT, l->keys, l->n_keys, on_holder, &g) : 0;

	/* Damage: what was found so far is true, and the note says what is missing. */
	if (g.error < 0 || (r < 0 && r != -EUCLEAN))
		return trace_fail(g.error < 0 ? g.error : r, "%s", g.error < 0 ? "no memory" : prints_why());
	while (g.at < l->n_keys)
		l->first[++g.at] = (uint32_t)l->n_docs;
	for (size_t i = 0; i < l->p.f.n; i++)
		if (l->first[l->key_of[i]] < l->first[l->key_of[i] + 1])
			memset(l->known + l->p.f.f[i].pos, 1, MIN((size_t)FINGERPRINT_K, l->p.text.n - l->p.f.f[i].pos));
	return 0;
}

int leak_make(struct trace *t, const struct text *text, struct leak *ret)
{
	struct leak l = { .text = text };
	int r = prints_normalise(&l.p.text, text, &l.p.aside);

	for (size_t i = 0; i < text->n_spans && !l.ocr; i++)
		l.ocr = text->spans[i].zone == ZONE_OCR;
	l.code = evidence_is_code(text, 0, (uint32_t)MIN(text->bytes.n, (size_t)CODE_LOOK));
	if (r == 0)
		r = prepared_winnow(&l.p, prints_key(t->prints));
	if (r == 0)
		r = prepared_index(&l.p);
	if (r == 0)
		r = take_keys(&l);
	if (r < 0)
		trace_fail(r, "no memory");
	else
		r = find_holders(t, &l);
	if (r < 0) {
		leak_free(&l);
		return r;
	}
	*ret = l;
	return 0;
}

void leak_free(struct leak *l)
{
	prepared_free(&l->p);
	free(l->keys);
	free(l->first);
	free(l->doc);
	free(l->common);
	free(l->key_of);
	free(l->known);
	*l = (struct leak){ 0 };
}

bool leak_knows(const struct leak *l, uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (uint64_t i = from; i < to; i++)
		n += l->known[i];
	return 2 * n >= to - from;
}

/* --- candidates --- */

struct pair {
	uint32_t doc, key;
};

static int by_doc(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->doc != y->doc)
		return x->doc < y->doc ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static int by_score(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return x->doc > y->doc ? -1 : x->doc < y->doc; /* the later one first */
}

/* What a key says: the fewer hold it, the more. */
static double weight_of(const struct leak *l, uint32_t key, double all)
{
	return log((all + 1) / (l->first[key + 1] - l->first[key] + 1) + 1);
}

static int group(struct trace *t, const struct leak *l, const struct pair *p, size_t n, struct candidates *c)
{
	double all = prints_documents(t->prints);
	size_t docs = 0;

	for (size_t i = 0; i < n; i++)
		docs += i == 0 || p[i].doc != p[i - 1].doc;
	c->c = calloc(docs + 1, sizeof(*c->c));
	c->keys = calloc(n + 1, sizeof(*c->keys));
	if (!c->c || !c->keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct candidate *x = &c->c[c->n ? c->n - 1 : 0];

		if (i == 0 || p[i].doc != p[i - 1].doc) {
			x = &c->c[c->n++];
			*x = (struct candidate){ .doc = p[i].doc, .key = c->keys + i };
		}
		c->keys[i] = p[i].key;
		x->hits++;
		x->score += weight_of(l, p[i].key, all);
	}
	qsort(c->c, c->n, sizeof(*c->c), by_score);
	return 0;
}

/* A key in very many documents brings no candidate. Where a leak has no other keys, the first documents of the common ones stand for all. */
int candidates_make(struct trace *t, const struct leak *l, struct candidates *ret)
{
	struct candidates c = { 0 };
	struct pair *p = calloc(l->n_docs + 1, sizeof(*p));
	size_t n = 0;
	int r;

	for (unsigned pass = 0; p && pass < 2 && n == 0; pass++)
		for (uint32_t k = 0; k < l->n_keys; k++)
			for (uint32_t i = l->first[k]; i < l->first[k + 1] && (pass || !l->common[k]); i++)
				p[n++] = (struct pair){ l->doc[i], k };
	if (n)
		qsort(p, n, sizeof(*p), by_doc);
	r = p ? group(t, l, p, n, &c) : -ENOMEM;
	free(p);
	if (r < 0) {
		candidates_free(&c);
		return trace_fail(r, "no memory");
	}
	*ret = c;
	return 0;
}

void candidates_free(struct candidates *c)
{
	free(c->c);
	free(c->keys);
	*c = (struct candidates){ 0 };
}
