#include "evidence/leaf.h"

#include <errno.h>

#include "base/varint.h"

/* Rules of the page that join two fields of a kind. */

enum { IMPORT_PHASE = 1, IMPORT_BEGINS = 4 }; /* begins, records, refused */
enum { IMPORT_BEGIN = 1, IMPORT_END = 3 };
#define IMPORT_END_ONLY ((uint64_t)7 << IMPORT_BEGINS)

/* The three stand at the end of an import, all of them, and only there. */
static bool import_ok(const struct leaf *l)
{
	uint64_t end_only = l->present & IMPORT_END_ONLY;

	if (l->value[IMPORT_PHASE] == IMPORT_BEGIN)
		return end_only == 0;
	return l->value[IMPORT_PHASE] == IMPORT_END && end_only == IMPORT_END_ONLY;
}

/* `end` counts from `time`: their sum must be a time again. The builtin computes with mathematical integers, so that an `end` above
 * 2^63 is right behind a time before 1970. */
static bool event_ok(const struct leaf *l)
{
	int64_t sum;

	return !(l->present & EV_BIT(EV_END)) || !__builtin_add_overflow((int64_t)l->value[EV_TIME], l->value[EV_END], &sum);
}

static bool fields_agree(const struct leaf *l)
{
	return l->kind == LEAF_EVENT ? event_ok(l) : l->kind == LEAF_IMPORT ? import_ok(l) : true;
}

static inline bool value_ok(const struct leaf_field *f, uint64_t v)
{
	switch (f->type) {
	case LEAF_U8:
		return v >= 1 && v <= f->max;
	case LEAF_BOOL:
		return v <= 1;
	case LEAF_UVAR:
		return v >= f->min && (f->limit == 0 || v <= f->limit);
	case LEAF_REF:
		return v >= 1;
	}
	return true;
}

static bool bitmap_ok(const struct leaf_table *t, uint64_t present)
{
	return (present & t->required) == t->required && !(present >> t->n);
}

ssize_t leaf_encode(const struct leaf *l, uint8_t *out)
{
	const struct leaf_table *t = leaf_table(l->kind);
	const uint8_t *next_hash = l->hash;
	uint8_t *p = out;

	if (!t || !bitmap_ok(t, l->present) || !fields_agree(l))
		return -EBADMSG;
	*p++ = LEAF_VERSION;
	*p++ = l->kind;
	p += uvar_put(p, l->present);
	/* The widest leaf is 40 fields of 10 bytes and two hashes: it cannot pass LEAF_MAX. */
	for (uint64_t left = l->present; left; left &= left - 1) {
		unsigned n = (unsigned)__builtin_ctzll(left);
		const struct leaf_field *f = &t->fields[n];

		if (f->type == LEAF_HASH) {
			memcpy(p, next_hash, 32);
			next_hash = l->hash2;
			p += 32;
			continue;
		}
		if (!value_ok(f, l->value[n]))
			return -EBADMSG;
		if (f->type == LEAF_TIME) {
			put_be64(p, l->value[n]);
			p += 8;
		} else {
			/* For numbers below 128 a u8 and a uvar are the same byte; no enumeration is larger. */
			p += uvar_put(p, l->value[n]);
		}
	}
	return p - out;
}

/* One scalar field at p: bytes used, or -EBADMSG. */
static inline int get_scalar(const struct leaf_field *f, const uint8_t *p, size_t n, uint64_t *ret)
{
	if (f->type == LEAF_TIME) {
		if (n < 8)
			return -EBADMSG;
		*ret = get_be64(p);
		return 8;
	}
	if (n == 0)
		return -EBADMSG;
	if (likely(p[0] < 0x80) || f->type == LEAF_U8 || f->type == LEAF_BOOL) {
		*ret = p[0];
		return 1;
	}
	return uvar_get(p, n, ret);
}

int leaf_decode(const uint8_t *p, size_t n, struct leaf *ret)
{
	const uint8_t *end = p + n;
	const struct leaf_table *t;
	struct leaf l = { 0 };
	uint8_t *next_hash = l.hash;
	int r;

	if (n > LEAF_MAX - LEAF_NONCE)
		return -EMSGSIZE;
	if (n < 2 || p[0] != LEAF_VERSION || p[1] == 0)
		return -EBADMSG;
	t = leaf_table(p[1]);
	if (!t)
		return -EOPNOTSUPP;
	l.kind = p[1];
	p += 2;
	r = uvar_get(p, (size_t)(end - p), &l.present);
	if (r < 0 || !bitmap_ok(t, l.present))
		return -EBADMSG;
	p += r;
	for (uint64_t left = l.present; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);
		const struct leaf_field *f = &t->fields[i];

		if (f->type == LEAF_HASH) {
			if (end - p < 32)
				return -EBADMSG;
			memcpy(next_hash, p, 32);
			next_hash = l.hash2;
			p += 32;
			continue;
		}
		r = get_scalar(f, p, (size_t)(end - p), &l.value[i]);
		if (r < 0 || !value_ok(f, l.value[i]))
			return -EBADMSG;
		p += r;
	}
	if (p != end || !fields_agree(&l))
		return -EBADMSG;
	*ret = l;
	return 0;
}

int leaf_decode_any(const uint8_t *p, size_t n, struct leaf *ret)
{
	int r = leaf_decode(p, n, ret);

	if (r != -EOPNOTSUPP)
		return r;
	*ret = (struct leaf){ .kind = p[1] };
	return 0;
}
