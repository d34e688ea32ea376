/* What documents have of a leak that were not read again, as far as their fingerprints tell. */
#include <errno.h>

#include "document/trace_internal.h"

/* Where each key's fingerprints stand in the leak, and the next one that not everybody has. */
struct places {
	uint32_t *first, *next; /* number + 1 */
	uint32_t *skip;
	uint32_t *at;           /* of the candidate at hand */
	uint8_t *read;          /* of each candidate */
};

static void places_free(struct places *p)
{
	free(p->first);
	free(p->next);
	free(p->skip);
	free(p->at);
	free(p->read);
}

static int places_make(const struct look *k, const struct candidates *c, struct places *ret)
{
	const struct leak *l = k->l;
	struct places p = { calloc((size_t)l->n_keys + 1, sizeof(*p.first)), calloc(l->p.f.n + 1, sizeof(*p.next)),
		calloc(l->p.f.n + 1, sizeof(*p.skip)), calloc(l->p.f.n + 1, sizeof(*p.at)), calloc(c->n + 1, 1) };

	if (!p.first || !p.next || !p.skip || !p.at || !p.read) {
		places_free(&p);
		return trace_fail(-ENOMEM, "no memory");
	}
	p.skip[l->p.f.n] = (uint32_t)l->p.f.n;
	for (size_t i = l->p.f.n; i-- > 0;) {
		uint32_t key = l->key_of[i];

		p.next[i] = p.first[key];
		p.first[key] = (uint32_t)i + 1;
		p.skip[i] = l->common[key] ? p.skip[i + 1] : (uint32_t)i;
	}
	for (size_t i = 0; i < k->n; i++)
		p.read[k->at[i].c - c->c] = 1;
	*ret = p;
	return 0;
}

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* The fingerprints from one to the other are one piece of a document. One alone is a word or two that anybody writes, no passage. */
static void mark(struct look *k, uint32_t from, uint32_t to)
{
	const struct fingerprint *f = k->l->p.f.f;
	uint32_t end = (uint32_t)MIN((size_t)f[to].pos + FINGERPRINT_K, k->l->p.text.n);

	for (uint32_t i = f[from].pos; from < to && i < end; i++)
		k->unread[i] = MAX(k->unread[i], end - f[from].pos);
}

static void mark_pieces(struct look *k, const uint32_t *at, uint32_t n, const uint32_t *skip)
{
	const struct fingerprint *f = k->l->p.f.f;

	for (uint32_t i = 0, end; i < n; i = end + 1) {
		for (end = i; end + 1 < n && skip[at[end] + 1] == at[end + 1] &&
			f[at[end + 1]].pos - f[at[end]].pos <= (at[end + 1] - at[end]) * FINGERPRINT_WINDOW; end++)
			;
		mark(k, at[i], at[end]);
	}
}

int look_unread(struct look *k, const struct candidates *c)
{
	const struct leak *l = k->l;
	struct places p = { 0 };
	int r;

	k->unread = calloc(l->p.text.n + 1, sizeof(*k->unread));
	if (!k->unread)
		return trace_fail(-ENOMEM, "no memory");
	r = places_make(k, c, &p);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->n; i++) {
		uint32_t n = 0;

		for (uint32_t j = 0; !p.read[i] && j < c->c[i].hits; j++)
			for (uint32_t at = p.first[c->c[i].key[j]]; at; at = p.next[at - 1])
				p.at[n++] = at - 1;
		if (n > 1)
			qsort(p.at, n, sizeof(*p.at), by_number);
		mark_pieces(k, p.at, n, p.skip);
	}
	/* What very many have, together. */
	for (uint32_t i = 0, end; i < l->p.f.n; i = end + 1) {
		for (end = i; end < l->p.f.n && l->common[l->key_of[end]] &&
			(end == i || l->p.f.f[end].pos - l->p.f.f[end - 1].pos <= FINGERPRINT_WINDOW); end++)
			;
		if (end > i)
			mark(k, i, end - 1);
		end -= end > i && end < l->p.f.n && l->common[l->key_of[end]]; /* a border ended it */
	}
	places_free(&p);
	return 0;
}
