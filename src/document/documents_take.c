/* Leaves of kind 9 and 10 into rows. A name that was erased is absent, as everywhere. */
#include <errno.h>

#include "base/varint.h"
#include "document/internal.h"

static int name(const struct names *n, const struct leaf *l, unsigned bit, enum name_kind kind, str *ret)
{
	int r = evidence_name(n, l, bit, kind, ret);

	return r < 0 ? documents_fail(r, "%s", evidence_why()) : 0;
}

static int run(const struct documents *d, sqlite3_stmt *s)
{
	int r = db_run(s);

	return r < 0 ? view_failed(&d->view, r, &documents_last) : 0;
}

static int take_document(struct documents *d, const struct names *n, uint64_t seq, const struct leaf *l)
{
	str hash, type, facts, error;
	struct facts f = { 0 };
	sqlite3_stmt *s;
	int r = name(n, l, DOC_DOCUMENT, NAME_DOCUMENT, &hash);

	if (r < 0 || !hash.p)
		return r;
	r = documents_statement(d, ST_DOCUMENT_PUT, &s);
	if (r == 0)
		r = name(n, l, DOC_TYPE, NAME_TEXT, &type);
	if (r == 0)
		r = name(n, l, DOC_FACTS, NAME_FACTS, &facts);
	if (r == 0)
		r = name(n, l, DOC_ERROR, NAME_TEXT, &error);
	if (r < 0)
		return r;
	/* Facts that a later version wrote otherwise are kept as they are, and count for nothing here. */
	if (facts.p && facts_unpack(facts, &f, &d->text) < 0)
		facts = STR_NONE;
	db_bind_blob(s, 1, hash);
	db_bind_field(s, 2, l, DOC_BYTES);
	db_bind_text(s, 3, type);
	db_bind_field(s, 4, l, DOC_LABEL);
	db_bind_field(s, 5, l, DOC_TEXT_CHARS);
	db_bind_field(s, 6, l, DOC_CONTACTS);
	db_bind_blob(s, 7, facts);
	sqlite3_bind_int(s, 8, f.wants_ocr);
	db_bind_text(s, 9, error);
	db_bind_field(s, 10, l, DOC_TIME);
	sqlite3_bind_int64(s, 11, (sqlite3_int64)seq);
	return run(d, s);
}

/* The row number of a content; a place may be known before what its content holds. */
static int document_id(struct documents *d, str hash, sqlite3_int64 *ret)
{
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_DOCUMENT_ID, &s);

	if (r < 0)
		return r;
	db_bind_blob(s, 1, hash);
	r = db_step(s);
	if (r > 0)
		*ret = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return r > 0 ? 0 : view_failed(&d->view, r < 0 ? r : -EUCLEAN, &documents_last);
}

/* Columns first, first + 1, first + 2. */
static void bind_object(sqlite3_stmt *s, int first, str object)
{
	const uint8_t *p = (const uint8_t *)object.p;
	size_t at = 0;
	uint64_t v;

	for (int i = first; i < first + 3 && at < object.n; i++) {
		int r = uvar_get(p + at, object.n - at, &v);

		if (r < 0)
			return;
		at += (size_t)r;
		sqlite3_bind_int64(s, i, (sqlite3_int64)v);
	}
}

static void bind_id(sqlite3_stmt *s, int i, str id)
{
	uint64_t v;

	if (id.p && str_to_u64(id, &v) == 0)
		sqlite3_bind_int64(s, i, (sqlite3_int64)v);
}

static int take_gone(struct documents *d, uint64_t seq, const struct leaf *l)
{
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_PLACE_GONE, &s);

	if (r < 0)
		return r;
	db_bind_blob(s, 1, buf_str(&d->path));
	db_bind_field(s, 2, l, PLACE_TIME);
	sqlite3_bind_int64(s, 3, (sqlite3_int64)seq);
	return run(d, s);
}

static int take_stood(struct documents *d, sqlite3_int64 id, str object, const struct leaf *l)
{
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_STOOD_PUT, &s);

	if (r < 0)
		return r;
	sqlite3_bind_int64(s, 1, id);
	db_bind_blob(s, 2, buf_str(&d->path));
	bind_object(s, 3, object);
	db_bind_field(s, 6, l, PLACE_TIME);
	return run(d, s);
}

static int take_place(struct documents *d, const struct names *n, uint64_t seq, const struct leaf *l)
{
	str hash, object, owner, group, acl, error;
	sqlite3_int64 id = 0;
	sqlite3_stmt *s;
	int r;

	buf_clear(&d->path);
	r = names_path(n, l->value[PLACE_PATH], &d->path);
	if (r < 0)
		return r == -ENODATA ? 0 : documents_fail(r, "%s", evidence_why());
	if (leaf_has(l, PLACE_GONE))
		return take_gone(d, seq, l);
	r = name(n, l, PLACE_DOCUMENT, NAME_DOCUMENT, &hash);
	if (r == 0 && hash.p)
		r = document_id(d, hash, &id);
	if (r == 0)
		r = documents_statement(d, ST_PLACE_PUT, &s);
	if (r == 0)
		r = name(n, l, PLACE_OBJECT, NAME_OBJECT, &object);
	if (r == 0)
		r = name(n, l, PLACE_OWNER, NAME_ACCOUNT, &owner);
	if (r == 0)
		r = name(n, l, PLACE_GROUP, NAME_GROUP, &group);
	if (r == 0)
		r = name(n, l, PLACE_ACL, NAME_TEXT, &acl);
	if (r == 0)
		r = name(n, l, PLACE_ERROR, NAME_TEXT, &error);
	if (r < 0)
		return r;
	db_bind_blob(s, 1, buf_str(&d->path));
	bind_object(s, 2, object);
	if (id)
		sqlite3_bind_int64(s, 5, id);
	bind_id(s, 6, owner);
	bind_id(s, 7, group);
	db_bind_field(s, 8, l, PLACE_MODE);
	db_bind_text(s, 9, acl);
	db_bind_field(s, 10, l, PLACE_BYTES);
	db_bind_field(s, 11, l, PLACE_MODIFIED);
	db_bind_field(s, 12, l, PLACE_CHANGED);
	db_bind_field(s, 13, l, PLACE_TIME);
	db_bind_text(s, 14, error);
	sqlite3_bind_int64(s, 15, (sqlite3_int64)seq);
	r = run(d, s);
	return r == 0 && id ? take_stood(d, id, object, l) : r;
}

int documents_take(struct documents *d, const struct names *n, uint64_t seq, const struct leaf *l)
{
	if (l->kind == LEAF_DOCUMENT)
		return take_document(d, n, seq, l);
	return l->kind == LEAF_PLACE ? take_place(d, n, seq, l) : 0;
}
