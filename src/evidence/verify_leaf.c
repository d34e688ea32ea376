/* What each leaf must be: canonical, its names introduced before, its references backwards. */
#include <errno.h>

#include "base/array.h"
#include "evidence/names_file.h"
#include "evidence/verify.h"

static int verify_name(struct verifier *v, const struct leaf *l)
{
	unsigned kind = (unsigned)l->value[0];
	uint64_t number = l->value[1];
	uint8_t commitment[32];
	int r;

	if (number != v->names_by_kind[kind] + 1)
		return verify_bad(v, v->next, v->file, v->byte, "expected name number %llu of kind %u", (unsigned long long)(v->names_by_kind[kind] + 1),
			kind);
	if (number > names_count(v->names, kind))
		return verify_bad(v, v->next, "names", 0, "expected a name of kind %u with number %llu", kind, (unsigned long long)number);
	r = names_commitment(v->names, kind, number, commitment);
	if (r == 0 && memcmp(commitment, l->hash, 32) != 0)
		return verify_bad(v, v->next, "names", 0, "expected the salt and value that name %llu of kind %u commits to", (unsigned long long)number,
			kind);
	/* -ENODATA: erased. The commitment stays, and proves nothing any more. */
	if (r < 0 && r != -ENODATA)
		return r;
	v->names_by_kind[kind]++;
	v->ret->names++;
	return 0;
}

static int import_begins(struct verifier *v)
{
	if (array_room(v->imports, v->cap_imports, v->n_imports + 1) < 0)
		return evidence_fail(-ENOMEM, "no memory");
	v->imports[v->n_imports++] = (struct import_begun){ v->next, false };
	return 0;
}

static struct import_begun *find_import(const struct verifier *v, uint64_t index)
{
	size_t lo = 0, hi = v->n_imports;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (v->imports[mid].index == index)
			return &v->imports[mid];
		if (v->imports[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Which field of a kind holds the index of an import; -1 none. */
static int import_field(uint8_t kind)
{
	return kind == LEAF_EVENT ? EV_SOURCE : kind == LEAF_PERSON ? 3 : kind == LEAF_IMPORT ? 4 : -1;
}

/* A leaf belongs to an import that has begun and not ended yet; the one that ends it is the last. */
static int verify_import(struct verifier *v, const struct leaf *l)
{
	int field = import_field(l->kind);
	struct import_begun *import;

	if (l->kind == LEAF_IMPORT && l->value[1] == PHASE_START)
		return import_begins(v);
	if (field < 0 || !(l->present >> field & 1))
		return 0;
	import = find_import(v, l->value[field]);
	if (!import)
		return verify_bad(v, v->next, v->file, v->byte, "expected the index of an import that began before");
	if (import->ended)
		return verify_bad(v, v->next, v->file, v->byte, "expected an import that has not ended (record %llu began it)",
			(unsigned long long)import->index);
	import->ended = l->kind == LEAF_IMPORT;
	return 0;
}

static int verify_references(struct verifier *v, const struct leaf *l)
{
	const struct leaf_table *t = leaf_table(l->kind);

	for (uint64_t left = l->present; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);
		const struct leaf_field *f = &t->fields[i];

		if (f->type == LEAF_REF && l->value[i] > v->names_by_kind[f->name_kind])
			return verify_bad(v, v->next, v->file, v->byte, "expected a %s that was introduced before", f->name);
	}
	if (l->kind == LEAF_EVENT && l->present & EV_BIT(EV_REFERS) && l->value[EV_REFERS] >= v->next)
		return verify_bad(v, v->next, v->file, v->byte, "expected `refers` to an earlier record");
	return verify_import(v, l);
}

/* What a leaf says. One of a kind that a later version of the format has is hashed in its place all the same, and counted; a name of a
 * later kind has a number and a commitment like any other. */
static int verify_content(struct verifier *v, const struct leaf *l)
{
	int r;

	v->ret->unknown += !leaf_known(l);
	if (l->kind >= LEAF_KIND_MAX_)
		return 0;
	r = l->kind == LEAF_NAME ? verify_name(v, l) : verify_references(v, l);
	if (r == 0 && l->kind == LEAF_KEY)
		r = verify_key_leaf(v, l);
	if (r == 0)
		v->ret->records += l->kind == LEAF_EVENT;
	return r;
}

int verify_leaf(struct verifier *v, str packed)
{
	struct leaf l;
	hash32 h;
	int r;

	if (leaf_decode_any((const uint8_t *)packed.p, packed.n, &l) < 0)
		return verify_bad(v, v->next, v->file, v->byte, "expected a canonical leaf");
	r = verify_content(v, &l);
	if (r < 0)
		return r;
	leaf_hash(v->hasher, v->next, (const uint8_t *)packed.p, packed.n, h.b);
	v->next++;
	r = merkle_append(v->tree, &h);
	if (r == 0)
		r = verify_size_reached(v);
	if (v->o->progress && v->next % 65536 == 0)
		v->o->progress(v->o->progress_arg, v->next, v->sizes && v->n_sizes ? v->sizes[v->n_sizes - 1].c.size : v->next);
	return r;
}
