/* The baseline as bytes: "TYTOPRF2" ‖ upto ‖ programs ‖ persons ‖ SHA-256 of all before. A view: what is damaged is made anew from the
 * log. */
#include "detect/profile_int.h"

#include <errno.h>

#include "base/hash.h"
#include "base/varint.h"

#define MAGIC STR("TYTOPRF2")

static int sum(str bytes, uint8_t out[static SHA256_LEN])
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();

	if (!h)
		return -ENOMEM;
	sha256_parts(h, &bytes, 1, out);
	return 0;
}

/* --- out --- */

static void put_uses(struct buf *b, const struct uses *u)
{
	buf_put_uvar(b, u->n);
	buf_put_uvar(b, u->full);
	for (size_t i = 0; i < u->n; i++) {
		buf_put_uvar(b, u->v[i].id);
		buf_put_be64(b, (uint64_t)u->v[i].first);
		buf_put_be64(b, (uint64_t)u->v[i].last);
	}
}

static void put_past(struct buf *b, const struct past *d)
{
	buf_put_be32(b, (uint32_t)d->day);
	buf_put_uvar(b, d->documents);
	buf_put_uvar(b, d->labelled);
}

static void put_person(struct buf *b, uint64_t number, const struct person *a)
{
	buf_put_uvar(b, number);
	buf_put_uvar(b, a->staff.number);
	buf_put_uvar(b, a->seen);
	if (!a->seen)
		return;
	buf_put_be64(b, (uint64_t)a->first);
	put_uses(b, &a->programs);
	put_uses(b, &a->clients);
	buf_put_be32(b, (uint32_t)a->day);
	put_past(b, &a->today);
	for (size_t i = 0; i < PROFILE_DAYS; i++)
		put_past(b, &a->past[i]);
	buf_put_uvar(b, a->set_n);
	for (size_t i = 0; i < a->set_cap; i++)
		if (a->set[i])
			buf_put_uvar(b, a->set[i]);
	buf_put_uvar(b, a->known_full);
	buf_put_uvar(b, a->known_n);
	for (size_t i = 0; i < a->known_cap; i++)
		if (a->known[i])
			buf_put_uvar(b, a->known[i]);
}

int profile_save(const struct profile *p, uint64_t upto, struct buf *ret)
{
	uint8_t digest[SHA256_LEN];
	uint64_t n = 0;
	int r;

	for (size_t i = 0; i < p->n_persons; i++)
		n += p->persons[i].seen || p->persons[i].staff.number;
	buf_clear(ret);
	buf_puts(ret, MAGIC);
	buf_put_uvar(ret, upto);
	buf_put_uvar(ret, p->full);
	buf_put_uvar(ret, p->n_programs);
	for (size_t i = 0; i < p->n_programs; i++)
		for (size_t k = 0; k < ROLLOUT; k++)
			buf_put_be64(ret, (uint64_t)p->programs[i].newest[k]);
	buf_put_uvar(ret, n);
	for (size_t i = 0; i < p->n_persons; i++)
		if (p->persons[i].seen || p->persons[i].staff.number)
			put_person(ret, i, &p->persons[i]);
	r = sum(buf_str(ret), digest);
	buf_put(ret, digest, sizeof(digest));
	return r < 0 ? r : buf_error(ret);
}

/* --- in --- */

struct in {
	const uint8_t *p;
	size_t n;
	bool bad;
};

static uint64_t get_uvar(struct in *i)
{
	uint64_t v = 0;
	int k = uvar_get(i->p, i->n, &v);

	if (k < 0) {
		i->bad = true;
		return 0;
	}
	i->p += k;
	i->n -= (size_t)k;
	return v;
}

static uint64_t get_fixed(struct in *i, size_t n)
{
	uint64_t v = 0;

	if (i->n < n) {
		i->bad = true;
		return 0;
	}
	for (size_t k = 0; k < n; k++)
		v = v << 8 | i->p[k];
	i->p += n;
	i->n -= n;
	return v;
}

/* A count of things of at least `size` bytes each. */
static size_t get_count(struct in *i, size_t max, size_t size)
{
	uint64_t n = get_uvar(i);

	if (n > max || n > i->n / size) {
		i->bad = true;
		return 0;
	}
	return (size_t)n;
}

static int get_uses(struct in *i, struct uses *u)
{
	size_t n = get_count(i, PROFILE_USED_MAX, 17);

	u->full = get_uvar(i) != 0;
	if (n == 0)
		return 0;
	u->v = calloc(n, sizeof(*u->v));
	if (!u->v)
		return -ENOMEM;
	u->n = u->cap = (uint8_t)n;
	for (size_t k = 0; k < n; k++) {
		u->v[k].id = get_uvar(i);
		u->v[k].first = (int64_t)get_fixed(i, 8);
		u->v[k].last = (int64_t)get_fixed(i, 8);
	}
	return 0;
}

static void get_past(struct in *i, struct past *d)
{
	d->day = (int32_t)get_fixed(i, 4);
	d->documents = (uint32_t)get_uvar(i);
	d->labelled = (uint32_t)get_uvar(i);
}

static int get_known(struct in *i, struct profile *p, struct person *a)
{
	bool full = get_uvar(i) != 0;
	size_t n = get_count(i, PROFILE_KNOWN_MAX, 1);
	int r = 0;

	for (size_t k = 0; k < n && r == 0 && !i->bad; k++) {
		uint64_t one = get_uvar(i);

		i->bad |= !(one >> 16);
		if (!i->bad)
			r = profile_know(p, a, one >> 16, (int32_t)(one & UINT16_MAX));
	}
	a->known_full |= full;
	return r;
}

static int get_seen(struct in *i, struct profile *p, struct person *a)
{
	size_t n;
	int r;

	a->seen = true;
	a->first = (int64_t)get_fixed(i, 8);
	r = get_uses(i, &a->programs);
	if (r == 0)
		r = get_uses(i, &a->clients);
	a->day = (int32_t)get_fixed(i, 4);
	get_past(i, &a->today);
	for (size_t k = 0; k < PROFILE_DAYS; k++)
		get_past(i, &a->past[k]);
	n = get_count(i, PROFILE_DOCUMENTS_MAX, 1);
	for (size_t k = 0; k < n && r == 0 && !i->bad; k++) {
		uint64_t path = get_uvar(i);
		bool is_new, labelled;

		i->bad |= !(path << 1);
		if (!i->bad)
			r = profile_remember(p, a, path & ~((uint64_t)1 << 63), path >> 63, &is_new, &labelled);
	}
	if (r == 0)
		r = get_known(i, p, a);
	profile_past(a, a->day, &a->busiest, &a->busiest_labelled, &a->active);
	return r;
}

static int get_person(struct in *i, struct profile *p, profile_row_fn *fn, void *arg)
{
	uint64_t number = get_uvar(i), row = get_uvar(i);
	bool seen = get_uvar(i) != 0;
	struct person *a = i->bad ? NULL : profile_at(p, number);
	str text;

	if (!a || a->seen || a->staff.number)
		return -EBADMSG;
	/* The row first: who has a unit is known before his numbers are compared. An erased one is gone. */
	if (row && fn(arg, row, &text) == 0) {
		int r = profile_staff(p, number, row, text);

		if (r < 0 && r != -EBADMSG)
			return r;
	}
	return seen ? get_seen(i, p, &p->persons[number]) : 0;
}

static int get_all(struct in *i, struct profile *p, profile_row_fn *fn, void *arg)
{
	size_t n;
	int r = 0;

	p->full = get_uvar(i);
	n = get_count(i, PROFILE_PROGRAMS_MAX, 8 * ROLLOUT);
	if (n) {
		p->programs = calloc(n, sizeof(*p->programs));
		if (!p->programs)
			return -ENOMEM;
		p->n_programs = n;
	}
	for (size_t k = 0; k < n; k++)
		for (size_t m = 0; m < ROLLOUT; m++)
			p->programs[k].newest[m] = (int64_t)get_fixed(i, 8);
	n = get_count(i, PROFILE_PERSONS_MAX, 3);
	for (size_t k = 0; k < n && r == 0 && !i->bad; k++)
		r = get_person(i, p, fn, arg);
	return r < 0 ? r : i->bad || i->n ? -EBADMSG : 0;
}

int profile_load(str bytes, profile_row_fn *fn, void *arg, uint64_t *ret_upto, struct profile **ret)
{
	struct in i = { (const uint8_t *)bytes.p + MAGIC.n, 0, false };
	uint8_t digest[SHA256_LEN];
	struct profile *p;
	uint64_t upto;
	int r;

	if (bytes.n < MAGIC.n + SHA256_LEN || !str_starts(bytes, MAGIC))
		return -EBADMSG;
	r = sum((str){ bytes.p, bytes.n - SHA256_LEN }, digest);
	if (r < 0)
		return r;
	if (memcmp(digest, bytes.p + bytes.n - SHA256_LEN, SHA256_LEN) != 0)
		return -EBADMSG;
	i.n = bytes.n - MAGIC.n - SHA256_LEN;
	p = profile_new();
	if (!p)
		return -ENOMEM;
	upto = get_uvar(&i);
	r = get_all(&i, p, fn, arg);
	if (r < 0) {
		profile_free(p);
		return r;
	}
	*ret_upto = upto;
	*ret = p;
	return 0;
}
