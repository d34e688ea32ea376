/* Which candidates are read again, what of the leak each covers, and which of them are one family. */
#include <errno.h>

#include "document/trace_internal.h"

#define MORE_OF_IT 16         /* candidates that may be versions of one that was read: so many are read */
#define FRESH_FREELY 8        /* after so many, a candidate must explain a share of the leak that nobody else does */
#define FRESH_PART 25         /* 1/25 of the leak's fingerprints */
#define REWRITTEN_MIN 2
#define COMPARED_MAX 8        /* families that one is compared with */

/* What fingerprints say of a document that is gone: grams in a row belong to one run. Of those that very many have it is not known whether
 * this one has them: what lies between two that it has is taken as its own. */
static int overlap_by_keys(const struct leak *l, const struct candidate *c, struct overlap *ret)
{
	struct overlap v = { .is = calloc(l->p.text.n + 1, 1), .run = calloc(l->p.f.n + 1, sizeof(*v.run)) };
	_cleanup_free_ uint8_t *has = calloc((size_t)l->n_keys + 1, 1);
	struct run *open = NULL;

	if (!v.is || !v.run || !has) {
		overlap_free(&v);
		return trace_fail(-ENOMEM, "no memory");
	}
	for (uint32_t i = 0; i < c->hits; i++)
		has[c->key[i]] = 1;
	for (size_t i = 0; i < l->p.f.n; i++) {
		uint32_t pos = l->p.f.f[i].pos;

		if (i && pos > l->p.f.f[i - 1].pos + FINGERPRINT_WINDOW)
			open = NULL; /* a border */
		if (!has[l->key_of[i]]) {
			open = l->common[l->key_of[i]] ? open : NULL;
			continue;
		}
		if (!open) {
			open = &v.run[v.n++];
			*open = (struct run){ .a = pos };
		}
		open->n = MIN(pos + FINGERPRINT_K, (uint32_t)l->p.text.n) - open->a;
	}
	for (size_t i = 0; i < v.n; i++) {
		memset(v.is + v.run[i].a, 1, v.run[i].n);
		v.chars += v.run[i].n;
	}
	*ret = v;
	return 0;
}

static int look_at(struct look *k, const struct candidate *c)
{
	const uint8_t *hash = prints_hash(k->t->prints, PRINTS_TEXT, c->doc);
	struct looked one = { .c = c, .family = (unsigned)k->n };
	int r = hash ? trace_source(k->t, hash, &one.s) : 0;

	if (r < 0 || !hash)
		return r;
	r = one.s->read ? overlap_find(&k->l->p, &one.s->p, &one.cover) : overlap_by_keys(k->l, c, &one.cover);
	if (r < 0)
		return r;
	k->at[k->n++] = one;
	return 0;
}

struct reading {
	struct look *k;
	uint8_t *owner;       /* of each key: 1 + which of the looked at was the first to have it */
	unsigned versions[TRACE_CANDIDATES];
};

/* Does it explain what nobody before did, or may it be a version of one that was read? */
static bool worth(struct reading *rd, const struct candidate *c, uint32_t least)
{
	uint32_t fresh = 0, of[TRACE_CANDIDATES] = { 0 };

	for (uint32_t i = 0; i < c->hits; i++) {
		uint8_t owner = rd->owner[c->key[i]];

		if (owner)
			of[owner - 1]++;
		else
			fresh++;
	}
	if (fresh >= (rd->k->n < FRESH_FREELY ? 1 : least))
		return true;
	for (size_t i = 0; i < rd->k->n; i++)
		if (of[i] && 2 * of[i] >= rd->k->at[i].c->hits && rd->versions[i] < MORE_OF_IT) {
			rd->versions[i]++;
			return true;
		}
	return false;
}

static int read_all(struct look *k, const struct candidates *c)
{
	struct reading rd = { .k = k, .owner = calloc((size_t)k->l->n_keys + 1, 1) };
	uint32_t least = MAX(1u, k->l->n_keys / FRESH_PART);
	int r = rd.owner ? 0 : trace_fail(-ENOMEM, "no memory");

	for (size_t i = 0; r == 0 && i < c->n; i++) {
		const struct candidate *x = &c->c[i];
		size_t before = k->n;

		if (!worth(&rd, x, least))
			continue;
		if (k->n == TRACE_CANDIDATES || trace_late(k->t)) {
			k->more++;
			continue;
		}
		r = look_at(k, x);
		for (uint32_t j = 0; r == 0 && k->n > before && j < x->hits; j++)
			if (!rd.owner[x->key[j]])
				rd.owner[x->key[j]] = (uint8_t)k->n;
	}
	free(rd.owner);
	return r;
}

/* Which of the looked at hold each key, by a bit each. */
static int take_holders(struct look *k)
{
	const struct leak *l = k->l;

	k->held = calloc((size_t)l->n_keys + 1, sizeof(*k->held));
	if (!k->held)
		return trace_fail(-ENOMEM, "no memory");
	for (size_t i = 0; i < k->n; i++)
		for (uint32_t j = 0; j < k->at[i].c->hits; j++)
			k->held[k->at[i].c->key[j]] |= 1ull << i;
	return 0;
}

static int take_explained(struct look *k)
{
	_cleanup_free_ uint8_t *any = calloc(k->l->p.text.n + 1, 1);

	if (!any)
		return trace_fail(-ENOMEM, "no memory");
	for (size_t i = 0; i < k->n; i++)
		for (size_t j = 0; j < k->l->p.text.n; j++)
			any[j] |= k->at[i].cover.is[j];
	for (size_t j = 0; j < k->l->p.text.n; j++)
		k->explained += any[j];
	return 0;
}

/* Words of the leak's own before all that it shares with this document, or behind: are they what a form is filled in with? What others have
 * is not its own. */
static bool goes_on_like_a_form(const struct leak *l, const struct looked *x)
{
	const struct normalised *a = &l->p.text, *b = &x->s->p.text;
	const struct run *first = x->cover.run, *last = first + x->cover.n - 1;
	struct beside before[2] = { { a, &l->text->bytes, 0, first->a }, { b, &x->s->bytes, 0, first->b } };
	struct beside behind[2] = { { a, &l->text->bytes, last->a + last->n, a->n }, { b, &x->s->bytes, last->b + last->n, b->n } };

	return (!leak_knows(l, before->from, before->to) && entries_alike(&before[0], &before[1], true)) ||
		(!leak_knows(l, behind->from, behind->to) && entries_alike(&behind[0], &behind[1], false));
}

int look_make(struct trace *t, const struct leak *l, const struct candidates *c, struct look *ret)
{
	struct look *k = ret;
	int r;

	*k = (struct look){ .t = t, .l = l };
	r = read_all(k, c);
	if (r == 0)
		r = take_holders(k);
	if (r == 0)
		r = take_explained(k);
	if (r == 0)
		r = look_unread(k, c);
	for (size_t i = 0; r == 0 && i < k->n; i++) {
		struct looked *x = &k->at[i];

		if (!x->s->read)
			continue;
		overlap_differences(&l->p, &x->s->p, &x->cover, l->known, &x->d);
		x->variant = trace_is_variant(&l->p, &x->s->p, &x->cover, &x->d) || (x->cover.n && goes_on_like_a_form(l, x));
	}
	if (r < 0)
		look_free(k);
	return r;
}

void look_free(struct look *k)
{
	for (size_t i = 0; i < k->n; i++)
		overlap_free(&k->at[i].cover);
	free(k->held);
	free(k->unread);
	k->n = 0;
	k->held = NULL;
	k->unread = NULL;
}

/* --- families --- */

/* What stood at the same place before is a version of it, also where it cannot be read any more. */
static bool same_place(const struct source *a, const struct source *b)
{
	for (size_t i = 0; i < a->n_paths; i++)
		for (size_t j = 0; j < b->n_paths; j++)
			if (strcmp(a->path[i], b->path[j]) == 0)
				return true;
	return false;
}

/* A sentence among others that is another one was edited, not filled in. Beside several of these one other word is an edit, too. */
static void leave_rewritten(const struct source *x, const struct source *y, const struct overlap *c, struct differences *d)
{
	struct rewritten r = sentences_rewritten(x, y, c);
	unsigned n = MIN(r.n, d->slots);

	d->slots -= n;
	d->gaps -= n;
	if (d->slots == 1 && n >= REWRITTEN_MIN)
		d->slots = 0;
	r.ends = MIN(r.ends, d->ends);
	d->ends -= r.ends;
	d->replaced += r.ends;
	d->head &= !r.head;
	d->tail &= !r.tail;
}

static int related(const struct looked *x, const struct looked *y, bool *ret)
{
	struct differences d;
	struct overlap c;
	int r;

	/* What comes from outside is nobody's own, however much of it a document holds. */
	*ret = !x->s->public && !y->s->public && same_place(x->s, y->s);
	if (x->s->public || y->s->public || *ret || !x->s->read || !y->s->read)
		return 0;
	r = prepared_index(&x->s->p);
	if (r < 0)
		return trace_fail(r, "no memory");
	r = overlap_find(&x->s->p, &y->s->p, &c);
	if (r < 0)
		return r;
	overlap_differences(&x->s->p, &y->s->p, &c, NULL, &d);
	leave_rewritten(x->s, y->s, &c, &d);
	*ret = trace_is_version(&x->s->p, &y->s->p, &c, &d);
	overlap_free(&c);
	return 0;
}

/* Half of what the smaller one shares with the leak they share with each other. */
static bool near(const struct looked *x, const struct looked *y)
{
	uint32_t i = 0, j = 0, both = 0;

	while (i < x->c->hits && j < y->c->hits) {
		both += x->c->key[i] == y->c->key[j];
		if (x->c->key[i] < y->c->key[j])
			i++;
		else if (x->c->key[i] > y->c->key[j])
			j++;
		else
			i++, j++;
	}
	return 2 * both >= MIN(x->c->hits, y->c->hits);
}

int look_families(struct look *k)
{
	int r = 0;

	for (size_t j = 1; r == 0 && j < k->n; j++) {
		unsigned compared = 0;

		for (size_t i = 0; r == 0 && i < j && compared < COMPARED_MAX && !trace_late(k->t); i++) {
			bool is = false;

			if (!near(&k->at[i], &k->at[j]))
				continue;
			compared++;
			r = related(&k->at[i], &k->at[j], &is);
			if (r < 0 || !is)
				continue;
			/* One that is a version of two joins them. */
			for (size_t n = 0, from = k->at[j].family, to = k->at[i].family; n <= j; n++)
				if (k->at[n].family == from)
					k->at[n].family = (unsigned)to;
		}
	}
	return r;
}
