/* Leaves of kind 9 and 10 into rows. A name that was erased is absent, as everywhere. */
#include <errno.h>

#include "base/varint.h"
#include "document/internal.h"

/* The value of a name; STR_NONE where absent or erased. */
static int named(const struct names *n, const struct leaf *l, unsigned bit, enum name_kind kind, str *ret)
{
	int r;

	*ret = STR_NONE;
	if (!leaf_has(l, bit))
		return 0;
	r = names_value(n, kind, l->value[bit], ret);
	return r == -ENODATA ? 0 : r < 0 ? documents_fail(r, "%s", evidence_why()) : 0;
}

static void bind_text(sqlite3_stmt *s, int i, str v)
{
	if (v.p)
		sqlite3_bind_text(s, i, v.p, (int)v.n, SQLITE_TRANSIENT);
}

static void bind_blob(sqlite3_stmt *s, int i, str v)
{
	if (v.p)
		sqlite3_bind_blob(s, i, v.p, (int)v.n, SQLITE_TRANSIENT);
}

static void bind_number(sqlite3_stmt *s, int i, const struct leaf *l, unsigned bit)
{
	if (leaf_has(l, bit))
		sqlite3_bind_int64(s, i, (sqlite3_int64)l->value[bit]);
}

static int run(sqlite3_stmt *s)
{
	int r = db_run(s);

	return r < 0 ? documents_fail(r, "table of documents: %s", index_why()) : 0;
}

static int take_document(struct documents *d, const struct names *n, uint64_t seq, const struct leaf *l)
{
	str hash, type, facts, error;
	struct facts f = { 0 };
	sqlite3_stmt *s;
	int r = named(n, l, DOC_DOCUMENT, NAME_DOCUMENT, &hash);

	if (r < 0 || !hash.p)
		return r;
	r = documents_statement(d, ST_DOCUMENT_PUT, &s);
	if (r == 0)
		r = named(n, l, DOC_TYPE, NAME_TEXT, &type);
	if (r == 0)
		r = named(n, l, DOC_FACTS, NAME_FACTS, &facts);
	if (r == 0)
		r = named(n, l, DOC_ERROR, NAME_TEXT, &error);
	if (r < 0)
		return r;
	/* Facts that a later version wrote otherwise are kept as they are, and count for nothing here. */
	if (facts.p && facts_unpack(facts, &f, &d->text) < 0)
		facts = STR_NONE;
	bind_blob(s, 1, hash);
	bind_number(s, 2, l, DOC_BYTES);
	bind_text(s, 3, type);
	bind_number(s, 4, l, DOC_LABEL);
	bind_number(s, 5, l, DOC_TEXT_CHARS);
	bind_number(s, 6, l, DOC_CONTACTS);
	bind_blob(s, 7, facts);
	sqlite3_bind_int(s, 8, f.wants_ocr);
	bind_text(s, 9, error);
	bind_number(s, 10, l, DOC_TIME);
	sqlite3_bind_int64(s, 11, (sqlite3_int64)seq);
	return run(s);
}

/* The row number of a content; a place may be known before what its content holds. */
static int document_id(struct documents *d, str hash, sqlite3_int64 *ret)
{
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_DOCUMENT_ID, &s);

	if (r < 0)
		return r;
	bind_blob(s, 1, hash);
	r = db_step(s);
	if (r > 0)
		*ret = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return r > 0 ? 0 : documents_fail(r < 0 ? r : -EUCLEAN, "table of documents: %s", index_why());
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
	bind_blob(s, 1, buf_str(&d->path));
	bind_number(s, 2, l, PLACE_TIME);
	sqlite3_bind_int64(s, 3, (sqlite3_int64)seq);
	return run(s);
}

static int take_stood(struct documents *d, sqlite3_int64 id, str object, const struct leaf *l)
{
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_STOOD_PUT, &s);

	if (r < 0)
		return r;
	sqlite3_bind_int64(s, 1, id);
	bind_blob(s, 2, buf_str(&d->path));
	bind_object(s, 3, object);
	bind_number(s, 6, l, PLACE_TIME);
	return run(s);
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
	r = named(n, l, PLACE_DOCUMENT, NAME_DOCUMENT, &hash);
	if (r == 0 && hash.p)
		r = document_id(d, hash, &id);
	if (r == 0)
		r = documents_statement(d, ST_PLACE_PUT, &s);
	if (r == 0)
		r = named(n, l, PLACE_OBJECT, NAME_OBJECT, &object);
	if (r == 0)
		r = named(n, l, PLACE_OWNER, NAME_ACCOUNT, &owner);
	if (r == 0)
		r = named(n, l, PLACE_GROUP, NAME_GROUP, &group);
	if (r == 0)
		r = named(n, l, PLACE_ACL, NAME_TEXT, &acl);
	if (r == 0)
		r = named(n, l, PLACE_ERROR, NAME_TEXT, &error);
	if (r < 0)
		return r;
	bind_blob(s, 1, buf_str(&d->path));
	bind_object(s, 2, object);
	if (id)
		sqlite3_bind_int64(s, 5, id);
	bind_id(s, 6, owner);
	bind_id(s, 7, group);
	bind_number(s, 8, l, PLACE_MODE);
	bind_text(s, 9, acl);
	bind_number(s, 10, l, PLACE_BYTES);
	bind_number(s, 11, l, PLACE_MODIFIED);
	bind_number(s, 12, l, PLACE_CHANGED);
	bind_number(s, 13, l, PLACE_TIME);
	bind_text(s, 14, error);
	sqlite3_bind_int64(s, 15, (sqlite3_int64)seq);
	r = run(s);
	return r == 0 && id ? take_stood(d, id, object, l) : r;
}

int documents_take(struct documents *d, const struct names *n, uint64_t seq, const struct leaf *l)
{
	if (l->kind == LEAF_DOCUMENT)
		return take_document(d, n, seq, l);
	return l->kind == LEAF_PLACE ? take_place(d, n, seq, l) : 0;
}
