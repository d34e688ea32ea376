/* Pictures: their perceptual hashes as keys of a store of postings, 31 bits of the SHA-256 beside each.
 *
 * A hash of 64 bits has too many neighbours to look each up, and there are few pictures: all are looked through (8 bytes each, 100 million
 * a second). A picture without a perceptual hash (too plain, too small) is found by its bytes alone: then the key is of them.
 */
#include <errno.h>

#include "base/array.h"
#include "document/prints_internal.h"

#define BY_BYTES (1u << 31)

static uint32_t short_sum(const struct image *i)
{
	uint32_t v;

	memcpy(&v, i->sha256 + 8, 4);
	return v & ~BY_BYTES;
}

static struct posting posting_of(const struct image *i)
{
	struct posting e = { .key = i->phash, .aux = short_sum(i) };

	if (!i->has_phash) {
		memcpy(&e.key, i->sha256, 8);
		e.aux |= BY_BYTES;
	}
	return e;
}

static int by_key(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->aux < y->aux ? -1 : x->aux > y->aux;
}

/* The same picture on every page is one. */
static size_t unique(struct posting *e, size_t n)
{
	size_t k = 0;

	qsort(e, n, sizeof(*e), by_key);
	for (size_t i = 0; i < n; i++)
		if (k == 0 || by_key(&e[k - 1], &e[i]) != 0)
			e[k++] = e[i];
	return k;
}

int pictures_put(struct prints *p, const uint8_t hash[static 32], const struct image *images, size_t n)
{
	int r;

	if (n == 0 && postings_document(p->pictures, hash, NULL, NULL) < 0)
		return 0;
	if (array_room(p->scratch, p->cap_scratch, n) < 0)
		return prints_fail(-ENOMEM, "no memory");
	for (size_t i = 0; i < n; i++)
		p->scratch[i] = posting_of(&images[i]);
	r = postings_put_later(p->pictures, hash, PRINTS_VERSION, p->scratch, unique(p->scratch, n), 0);
	return r < 0 ? prints_fail(r, "pictures: %s", postings_why()) : 0;
}

struct look {
	const struct postings *store;
	struct posting want;
	unsigned bits;
	int (*cb)(void *arg, const uint8_t hash[static 32], unsigned bits, bool same);
	void *arg;
};

static int compare(void *arg, const struct posting *e)
{
	const struct look *l = arg;
	bool same = e->key == l->want.key && e->aux == l->want.aux;
	unsigned bits = (unsigned)__builtin_popcountll(e->key ^ l->want.key);

	if (!same && ((e->aux | l->want.aux) & BY_BYTES || bits > l->bits))
		return 0;
	return l->cb(l->arg, postings_hash(l->store, e->doc), bits, same);
}

int prints_pictures(struct prints *p, const struct image *i, unsigned bits,
	int (*cb)(void *arg, const uint8_t hash[static 32], unsigned bits, bool same), void *arg)
{
	struct look l = { .store = p->pictures, .want = posting_of(i), .bits = bits, .cb = cb, .arg = arg };
	int r = 0;

	if (!p->pictures)
		return 0;
	r = i->has_phash ? postings_each(p->pictures, compare, &l) : postings_find(p->pictures, &l.want.key, 1, compare, &l);
	if (r == -EUCLEAN) {
		prints_fail(r, "pictures: %s", postings_why());
		p->lost = true;
		if (!p->write)
			p->pictures = postings_close(p->pictures);
	}
	return r;
}
