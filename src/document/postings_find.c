/* Looking keys up in all segments and the journal. */
#include <errno.h>

#include "document/postings_internal.h"

int postings_document(struct postings *p, const uint8_t hash[static 32], uint32_t *ret_doc, uint32_t *ret_version)
{
	uint32_t at = registry_find(p, hash);
	const struct doc_entry *e = at ? &p->docs[at - 1] : NULL;

	if (!e || (e->flags & POSTINGS_REMOVED))
		return -ENOENT;
	if (ret_doc)
		*ret_doc = at - 1;
	if (ret_version)
		*ret_version = e->version;
	return 0;
}

const uint8_t *postings_hash(const struct postings *p, uint32_t doc)
{
	return doc < p->n_docs ? p->docs[doc].hash : NULL;
}

uint32_t postings_documents(const struct postings *p)
{
	return p->n_docs;
}

struct postings_entry postings_entry(const struct postings *p, uint32_t doc)
{
	const struct doc_entry *e = &p->docs[doc];

	return (struct postings_entry){ e->hash, e->version, e->n, e->flags >> POSTINGS_NOTE_SHIFT, postings_dead(p->dead, p->n_docs, doc),
	       e->flags & POSTINGS_LINK };
}

uint64_t postings_generation(const struct postings *p)
{
	return p->generation;
}

/* The keys of the last block of each segment stay unpacked: neighbouring ones often lie in it. */
struct cursor {
	uint32_t block; /* + 1; 0 none */
	struct segment_keys k;
};

static int block_at(const struct segment *s, uint32_t block, struct cursor *c)
{
	int r;

	if (c->block == block + 1)
		return 0;
	c->block = 0;
	r = segment_keys(s, block, &c->k);
	if (r < 0)
		return postings_fail(r, "segment-%llu: block %u is damaged", (unsigned long long)s->number, block);
	c->block = block + 1;
	return 0;
}

typedef int find_cb(void *arg, const struct posting *e);

static int give_from(struct postings *p, const struct segment_keys *k, uint32_t i, find_cb *cb, void *arg)
{
	const struct posting e = segment_posting(k, i);

	return postings_dead(p->dead, p->n_docs, e.doc) ? 0 : cb(arg, &e);
}

static int give(struct postings *p, const struct posting *e, find_cb *cb, void *arg)
{
	return postings_dead(p->dead, p->n_docs, e->doc) ? 0 : cb(arg, e);
}

static int find_in(struct postings *p, const struct segment *s, struct cursor *c, uint64_t key, find_cb *cb, void *arg)
{
	int r = 0;

	for (uint32_t block = segment_seek(s, key); r == 0 && block < s->blocks && s->index[block].first <= key; block++) {
		uint32_t i = 0;

		r = block_at(s, block, c);
		if (r < 0)
			return r;
		while (i < c->k.n && c->k.key[i] < key)
			i++;
		for (; r == 0 && i < c->k.n && c->k.key[i] == key; i++)
			r = give_from(p, &c->k, i, cb, arg);
	}
	return r;
}

static int find_in_run(struct postings *p, size_t lo, size_t end, uint64_t key, find_cb *cb, void *arg)
{
	size_t hi = end;
	int r = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->mem[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; r == 0 && lo < end && p->mem[lo].key == key; lo++)
		r = give(p, &p->mem[lo], cb, arg);
	return r;
}

static int find_one(struct postings *p, struct cursor *cursors, uint64_t key, find_cb *cb, void *arg)
{
	size_t from = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_segments; i++)
		r = find_in(p, &p->segments[i], &cursors[i], key, cb, arg);
	for (unsigned i = 0; r == 0 && i < p->n_runs; i++) {
		r = find_in_run(p, from, p->runs[i], key, cb, arg);
		from = p->runs[i];
	}
	return r == POSTINGS_NEXT ? 0 : r;
}

int postings_find(struct postings *p, const uint64_t *keys, size_t n, int (*cb)(void *arg, const struct posting *e), void *arg)
{
	_cleanup_free_ struct cursor *cursors = calloc(p->n_segments + 1, sizeof(*cursors));
	int r = 0;

	if (!cursors)
		return postings_fail(-ENOMEM, "no memory");
	for (size_t k = 0; r == 0 && k < n; k++)
		r = find_one(p, cursors, keys[k], cb, arg);
	return r;
}

int postings_each(struct postings *p, int (*cb)(void *arg, const struct posting *e), void *arg)
{
	_cleanup_free_ struct cursor *c = calloc(1, sizeof(*c));
	int r = 0;

	if (!c)
		return postings_fail(-ENOMEM, "no memory");
	for (size_t i = 0; r == 0 && i < p->n_segments; i++) {
		c->block = 0;
		for (uint32_t block = 0; r == 0 && block < p->segments[i].blocks; block++) {
			r = block_at(&p->segments[i], block, c);
			for (uint32_t k = 0; r == 0 && k < c->k.n; k++)
				r = give_from(p, &c->k, k, cb, arg);
		}
	}
	mem_sort(p);
	for (size_t i = 0; r == 0 && i < p->n_mem; i++)
		r = give(p, &p->mem[i], cb, arg);
	return r;
}
