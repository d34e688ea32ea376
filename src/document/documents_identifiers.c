/* Identifiers of documents: keyed sets in a store of postings (STATE/documents/identifiers), with numbers of its own, so that the table may
 * be made anew. */
#include <errno.h>
#include <stdio.h>

#include "document/internal.h"

#define KIND_BITS 3

static int store_dir(const struct documents *d, struct buf *b)
{
	buf_putf(b, "%s/identifiers", d->view.dir);
	return buf_cstr(b) ? 0 : documents_fail(-ENOMEM, "no memory");
}

static int said(int r)
{
	return documents_fail(r, "identifiers: %s", postings_why());
}

/* A damaged store begins anew, empty: documents_has_identifiers() is false from then on, and the next scan fills it. */
static int begin_anew(struct documents *d)
{
	_cleanup_buf_ struct buf dir = BUF_INIT;
	int r = store_dir(d, &dir);

	d->identifiers = postings_close(d->identifiers);
	if (r == 0) {
		r = postings_reset(dir.p);
		if (r < 0)
			said(r);
	}
	d->identifiers_lost = true;
	return r;
}

/* Opened at first use. -ENOENT: nothing was ever put in, and a reader does not make it. */
int documents_identifiers_open(struct documents *d)
{
	struct postings_options o = { .write = d->view.write, .background = true };
	_cleanup_buf_ struct buf dir = BUF_INIT;
	int r;

	if (d->identifiers)
		r = postings_refresh(d->identifiers);
	else
		r = store_dir(d, &dir);
	if (r == 0 && !d->identifiers)
		r = postings_open(dir.p, &o, &d->identifiers);
	if (r == -EUCLEAN && d->view.write) {
		r = begin_anew(d);
		if (r == 0) {
			buf_clear(&dir);
			r = store_dir(d, &dir);
		}
		if (r == 0)
			r = postings_open(dir.p, &o, &d->identifiers);
	}
	return r < 0 && r != -ENOENT ? said(r) : r;
}

int documents_identifiers(struct documents *d, const uint8_t hash[static 32], uint32_t version, const struct identifier *i, size_t n)
{
	_cleanup_free_ struct posting *e = calloc(n ? n : 1, sizeof(*e));
	int r;

	if (!e)
		return documents_fail(-ENOMEM, "no memory");
	for (size_t k = 0; k < n; k++)
		e[k] = (struct posting){ .key = i[k].key, .aux = MIN(i[k].person, UINT32_MAX >> KIND_BITS) << KIND_BITS | i[k].kind };
	r = documents_identifiers_open(d);
	if (r < 0)
		return r;
	r = postings_put_later(d->identifiers, hash, version, e, n, 0);
	if (r == -EUCLEAN && begin_anew(d) == 0) {
		r = documents_identifiers_open(d);
		if (r == 0)
			r = postings_put_later(d->identifiers, hash, version, e, n, 0);
	}
	return r < 0 ? said(r) : 0;
}

int documents_commit(struct documents *d)
{
	int r = d->identifiers && d->view.write ? postings_commit(d->identifiers) : 0;

	if (r == -EUCLEAN) /* a merge met it */
		return begin_anew(d);
	return r < 0 ? said(r) : 0;
}

/* Whoever only counts must not open as a writer what another one writes. */
void documents_identifiers_stat(struct documents *d, struct postings_stat *ret)
{
	const struct postings_options o = { .write = false };
	_cleanup_buf_ struct buf dir = BUF_INIT;
	int r = 0;

	*ret = (struct postings_stat){ 0 };
	if (d->identifiers) {
		postings_stat(d->identifiers, ret);
		return;
	}
	if (d->counted)
		r = postings_refresh(d->counted);
	else if (store_dir(d, &dir) == 0)
		r = postings_open(dir.p, &o, &d->counted);
	if (r < 0)
		d->counted = postings_close(d->counted);
	if (d->counted)
		postings_stat(d->counted, ret);
}

bool documents_has_identifiers(struct documents *d, const uint8_t hash[static 32], uint32_t version)
{
	uint32_t made;

	return documents_identifiers_open(d) == 0 && postings_document(d->identifiers, hash, NULL, &made) == 0 && made == version;
}

bool documents_identifiers_lost(const struct documents *d)
{
	return d->identifiers_lost;
}

/* --- containment --- */

struct holder {
	uint32_t doc;
	uint32_t count;
};

struct counting {
	uint32_t *counts; /* by number of the document */
	uint32_t n;
};

static int count_one(void *arg, const struct posting *e)
{
	struct counting *c = arg;

	if (e->doc < c->n)
		c->counts[e->doc]++;
	return 0;
}

/* Most first; the one that was taken in first where they are equal. */
static int by_count(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->doc < y->doc ? -1 : x->doc > y->doc;
}

static int hand_out(struct documents *d, const struct counting *c, size_t max,
		int (*cb)(void *arg, const uint8_t hash[static 32], uint64_t count), void *arg)
{
	_cleanup_free_ struct holder *h = NULL;
	size_t n = 0, k = 0;
	int r = 0;

	for (uint32_t i = 0; i < c->n; i++)
		n += c->counts[i] > 0;
	h = calloc(n ? n : 1, sizeof(*h));
	if (!h)
		return documents_fail(-ENOMEM, "no memory");
	for (uint32_t i = 0; i < c->n; i++)
		if (c->counts[i])
			h[k++] = (struct holder){ i, c->counts[i] };
	qsort(h, n, sizeof(*h), by_count);
	for (size_t i = 0; r == 0 && i < MIN(n, max); i++)
		r = cb(arg, postings_hash(d->identifiers, h[i].doc), h[i].count);
	return r;
}

int documents_containing(struct documents *d, const uint64_t *keys, size_t n, size_t max,
		int (*cb)(void *arg, const uint8_t hash[static 32], uint64_t count),
	void *arg)
{
	struct counting c = { 0 };
	int r = documents_identifiers_open(d);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	c.n = postings_documents(d->identifiers);
	c.counts = calloc(c.n ? c.n : 1, sizeof(*c.counts));
	if (!c.counts)
		return documents_fail(-ENOMEM, "no memory");
	r = postings_find(d->identifiers, keys, n, count_one, &c);
	if (r < 0)
		said(r);
	if (r == -EUCLEAN && d->view.write)
		begin_anew(d);
	if (r == 0)
		r = hand_out(d, &c, max, cb, arg);
	free(c.counts);
	return r;
}

/* --- who holds a key --- */

struct holding {
	int (*cb)(void *arg, uint64_t key, uint32_t doc);
	void *arg;
};

static int give(void *arg, const struct posting *e)
{
	const struct holding *h = arg;

	return h->cb(h->arg, e->key, e->doc);
}

int documents_holding(struct documents *d, const uint64_t *keys, size_t n, int (*cb)(void *arg, uint64_t key, uint32_t doc), void *arg)
{
	struct holding h = { cb, arg };
	int r = documents_identifiers_open(d);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = postings_find(d->identifiers, keys, n, give, &h);
	return r < 0 && r != POSTINGS_NEXT ? said(r) : r;
}

uint32_t documents_holders(struct documents *d)
{
	return documents_identifiers_open(d) == 0 ? postings_documents(d->identifiers) : 0;
}

const uint8_t *documents_holder(const struct documents *d, uint32_t doc)
{
	return d->identifiers ? postings_hash(d->identifiers, doc) : NULL;
}

/* --- persons over many documents --- */

struct listing {
	const uint64_t *docs; /* a bit a document; NULL: all */
	uint32_t n;
	int (*cb)(void *arg, const struct identifier *i);
	void *arg;
};

static int list_one(void *arg, const struct posting *e)
{
	struct listing *l = arg;
	struct identifier i = { .key = e->key, .person = e->aux >> KIND_BITS, .kind = (uint8_t)(e->aux & ((1u << KIND_BITS) - 1)) };

	if (e->doc >= l->n || !(l->docs[e->doc / 64] >> (e->doc % 64) & 1))
		return 0;
	return l->cb(l->arg, &i);
}

int documents_identifiers_of(struct documents *d, const uint8_t (*hashes)[32], size_t n, int (*cb)(void *arg, const struct identifier *i),
		void *arg)
{
	_cleanup_free_ uint64_t *docs = NULL;
	struct listing l = { .cb = cb, .arg = arg };
	int r = documents_identifiers_open(d);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	l.n = postings_documents(d->identifiers);
	docs = calloc(l.n / 64 + 1, sizeof(*docs));
	if (!docs)
		return documents_fail(-ENOMEM, "no memory");
	for (size_t i = 0; i < n; i++) {
		uint32_t doc;

		if (postings_document(d->identifiers, hashes[i], &doc, NULL) == 0)
			docs[doc / 64] |= 1ULL << (doc % 64);
	}
	l.docs = docs;
	r = postings_each(d->identifiers, list_one, &l);
	return r < 0 ? said(r) : r;
}
