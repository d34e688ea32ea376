/* The table of documents: opening, following the log, asking. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "document/internal.h"
#include "index/index.h"

static const char schema[] =
	"CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID;"
	"CREATE TABLE document(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes INTEGER, type TEXT, label INTEGER, text_chars INTEGER,"
	" contacts INTEGER, facts BLOB, ocr INTEGER, error TEXT, time INTEGER, seq INTEGER);"
	"CREATE TABLE place(path BLOB PRIMARY KEY, dev INTEGER, ino INTEGER, gen INTEGER, document INTEGER, owner INTEGER, grp INTEGER, mode "
	"INTEGER,"
	" acl TEXT, bytes INTEGER, modified INTEGER, changed INTEGER, time INTEGER, gone INTEGER, error TEXT, seq INTEGER) WITHOUT ROWID;"
	/* Which content stood where, and when it was seen there first and last: deleted and overwritten documents still answer. */
	"CREATE TABLE stood(document INTEGER, path BLOB, dev INTEGER, ino INTEGER, gen INTEGER, first INTEGER, last INTEGER,"
	" PRIMARY KEY(document, path, ino, dev, gen)) WITHOUT ROWID;"
	"CREATE INDEX stood_object ON stood(ino, dev, gen) WHERE ino > 0;"
	"CREATE INDEX stood_path ON stood(path) WHERE ino > 0;"
	"CREATE INDEX place_object ON place(ino, dev, gen) WHERE ino IS NOT NULL;"
	"CREATE INDEX place_document ON place(document) WHERE document IS NOT NULL;";

static const char *const statements[ST_MAX_] = {
	[ST_DOCUMENT_PUT] = "INSERT INTO document(hash, bytes, type, label, text_chars, contacts, facts, ocr, error, time, seq) "
	"VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"
		" ON CONFLICT(hash) DO UPDATE SET bytes=?2, type=?3, label=?4, text_chars=?5, contacts=?6, facts=?7, ocr=?8, error=?9, time=?10, seq=?11"
		" WHERE excluded.seq > seq",
	[ST_DOCUMENT_ID] = "INSERT INTO document(hash, seq) VALUES(?1, -1) ON CONFLICT(hash) DO UPDATE SET hash=hash RETURNING id",
	[ST_PLACE_PUT] = "INSERT OR REPLACE INTO place VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,0,?14,?15)",
	[ST_PLACE_GONE] = "UPDATE place SET gone=1, time=?2, seq=?3 WHERE path=?1",
	[ST_STOOD_PUT] = "INSERT INTO stood VALUES(?1,?2,ifnull(?3,0),ifnull(?4,0),ifnull(?5,0),?6,?6)"
		" ON CONFLICT(document, path, ino, dev, gen) DO UPDATE SET last=max(last, ?6)",
#define STOOD_COLUMNS "path, dev, ino, gen, first, last, (SELECT hash FROM document WHERE id=stood.document)"
	[ST_STOOD] = "SELECT " STOOD_COLUMNS " FROM stood WHERE document=(SELECT id FROM document WHERE hash=?1) ORDER BY last DESC, path",
	[ST_STOOD_OBJECT] = "SELECT " STOOD_COLUMNS " FROM stood WHERE ino > 0 AND ino=?2 AND dev=?1 AND gen=?3 ORDER BY first",
	[ST_STOOD_PATH] = "SELECT " STOOD_COLUMNS " FROM stood WHERE ino > 0 AND path=?1 ORDER BY first",
	[ST_FACTS] = "SELECT hash, bytes, type, label, text_chars, contacts, facts, error FROM document WHERE hash=?1 AND seq >= 0",
#define PLACE_COLUMNS "path, dev, ino, gen, (SELECT hash FROM document WHERE id=place.document), owner, grp, mode, acl, " \
	" bytes, modified, changed, time, gone, error"
	[ST_PLACE] = "SELECT " PLACE_COLUMNS " FROM place WHERE path=?1",
	/* An object may have several names: the one that was seen last speaks for it. */
	[ST_OBJECT] = "SELECT " PLACE_COLUMNS " FROM place WHERE ino=?2 AND dev=?1 AND gen=?3 ORDER BY gone, seq DESC LIMIT 1",
	[ST_OF_HASH] = "SELECT " PLACE_COLUMNS " FROM place WHERE document=(SELECT id FROM document WHERE hash=?1) ORDER BY gone, path",
};

_Thread_local struct why documents_last = { "no error" };

const char *documents_why(void)
{
	return documents_last.text;
}

/* What the database said, with our name before it. */
static int db_failed(const struct documents *d, int r)
{
	return view_failed(&d->view, r, &documents_last);
}

int documents_statement(struct documents *d, enum documents_statement which, sqlite3_stmt **ret)
{
	int r = 0;

	if (!d->st[which])
		r = db_prepare(d->view.db, statements[which], &d->st[which]);
	if (r < 0)
		return db_failed(d, r);
	sqlite3_reset(d->st[which]);
	sqlite3_clear_bindings(d->st[which]);
	*ret = d->st[which];
	return 0;
}

/* --- opening --- */

static int take_leaf(void *arg, const struct names *n, uint64_t seq, const struct leaf *l)
{
	return documents_take(arg, n, seq, l);
}

/* Made anew from the log; identifiers come back with the next scan. */
static const struct view_kind kind = { .name = "table of documents", .folder = "documents", .file = "documents.db", .schema = schema,
	.format = 2, .leaves = 1U << LEAF_DOCUMENT | 1U << LEAF_PLACE, .take = take_leaf };

int documents_open(const char *state, bool write, struct documents **ret)
{
	struct documents *d = calloc(1, sizeof(*d));
	int r = d ? view_open(&d->view, &kind, state, write, &documents_last) : documents_fail(-ENOMEM, "no memory");

	if (r < 0)
		free(d);
	else
		*ret = d;
	return r;
}

struct documents *documents_close(struct documents *d)
{
	if (!d)
		return NULL;
	for (unsigned i = 0; i < ST_MAX_; i++)
		db_finalize(&d->st[i]);
	view_close(&d->view);
	postings_close(d->identifiers);
	postings_close(d->counted);
	prints_close(d->prints);
	buf_free(&d->path);
	buf_free(&d->text);
	free(d);
	return NULL;
}

uint64_t documents_known(const struct documents *d)
{
	return d->view.known;
}

int documents_advance(struct documents *d, struct evidence_reader *r, uint64_t upto)
{
	return view_advance(&d->view, r, upto, d, &documents_last);
}

/* --- asking --- */

static bool column_hash(sqlite3_stmt *s, int i, uint8_t out[static 32])
{
	str v = db_column(s, i);

	if (v.n != 32)
		return false;
	memcpy(out, v.p, 32);
	return true;
}

/* Points into the row. */
static void read_place(sqlite3_stmt *s, struct place *ret)
{
	*ret = (struct place){ .path = db_column(s, 0), .has_object = sqlite3_column_type(s, 2) != SQLITE_NULL,
		.object = { (uint64_t)sqlite3_column_int64(s, 1), (uint64_t)sqlite3_column_int64(s, 2), (uint64_t)sqlite3_column_int64(s, 3) },
		.has_stat = sqlite3_column_type(s, 5) != SQLITE_NULL, .owner = (uint32_t)sqlite3_column_int64(s, 5),
		.group = (uint32_t)sqlite3_column_int64(s, 6), .mode = (uint32_t)sqlite3_column_int64(s, 7), .acl = db_column(s, 8),
		.bytes = (uint64_t)sqlite3_column_int64(s, 9), .modified = sqlite3_column_int64(s, 10), .changed = sqlite3_column_int64(s, 11),
		.time = sqlite3_column_int64(s, 12), .gone = sqlite3_column_int(s, 13) != 0, .error = db_column(s, 14) };
	ret->has_document = column_hash(s, 4, ret->document);
}

/* The strs of a row move into scratch, one after the other. */
struct moved {
	str *s;
	size_t at;
};

static int move_texts(struct buf *scratch, struct moved *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		m[i].at = scratch->n;
		buf_puts(scratch, *m[i].s);
	}
	if (buf_error(scratch))
		return documents_fail(buf_error(scratch), "no memory");
	for (size_t i = 0; i < n; i++)
		m[i].s->p = scratch->p + m[i].at;
	return 0;
}

static int one_place(const struct documents *d, sqlite3_stmt *s, struct buf *scratch, struct place *ret)
{
	struct place p;
	struct moved m[] = { { .s = &p.path }, { .s = &p.acl }, { .s = &p.error } };
	int r = db_step(s);

	if (r <= 0)
		return r < 0 ? db_failed(d, r) : documents_fail(-ENOENT, "not known");
	read_place(s, &p);
	buf_clear(scratch);
	r = move_texts(scratch, m, ARRAY_SIZE(m));
	sqlite3_reset(s);
	if (r == 0)
		*ret = p;
	return r;
}

int documents_place(struct documents *d, str path, struct buf *scratch, struct place *ret)
{
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_PLACE, &s);

	if (r < 0)
		return r;
	sqlite3_bind_blob(s, 1, path.p, (int)path.n, SQLITE_STATIC);
	return one_place(d, s, scratch, ret);
}

int documents_object(struct documents *d, const struct event_object *o, struct buf *scratch, struct place *ret)
{
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_OBJECT, &s);

	if (r < 0)
		return r;
	sqlite3_bind_int64(s, 1, (sqlite3_int64)o->dev);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)o->ino);
	sqlite3_bind_int64(s, 3, (sqlite3_int64)o->gen);
	return one_place(d, s, scratch, ret);
}

int documents_facts(struct documents *d, const uint8_t hash[static 32], struct buf *scratch, struct facts *ret)
{
	_cleanup_buf_ struct buf why_text = BUF_INIT;
	struct facts f = { 0 };
	struct moved m[] = { { .s = &f.type }, { .s = &f.error }, { .s = &f.label_why } };
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_FACTS, &s);

	if (r < 0)
		return r;
	sqlite3_bind_blob(s, 1, hash, 32, SQLITE_STATIC);
	r = db_step(s);
	if (r <= 0)
		return r < 0 ? db_failed(d, r) : documents_fail(-ENOENT, "not known");
	if (db_column(s, 6).n && facts_unpack(db_column(s, 6), &f, &why_text) < 0)
		return documents_fail(-EUCLEAN, "table of documents: facts that are none");
	memcpy(f.hash, hash, 32);
	f.bytes = (uint64_t)sqlite3_column_int64(s, 1);
	f.type = db_column(s, 2);
	f.label = (enum event_label)sqlite3_column_int(s, 3);
	f.text_chars = (uint64_t)sqlite3_column_int64(s, 4);
	f.contacts = (uint64_t)sqlite3_column_int64(s, 5);
	f.error = db_column(s, 7);
	buf_clear(scratch);
	r = move_texts(scratch, m, ARRAY_SIZE(m));
	sqlite3_reset(s);
	if (r == 0)
		*ret = f;
	return r;
}

static int each_place(const struct documents *d, sqlite3_stmt *s, int (*cb)(void *arg, const struct place *p), void *arg)
{
	struct place p;
	int r;

	while ((r = db_step(s)) > 0) {
		read_place(s, &p);
		r = cb(arg, &p);
		if (r)
			return r;
	}
	return r < 0 ? db_failed(d, r) : 0;
}

int documents_of_hash(struct documents *d, const uint8_t hash[static 32], int (*cb)(void *arg, const struct place *p), void *arg)
{
	sqlite3_stmt *s;
	int r = documents_statement(d, ST_OF_HASH, &s);

	if (r < 0)
		return r;
	sqlite3_bind_blob(s, 1, hash, 32, SQLITE_STATIC);
	r = each_place(d, s, cb, arg);
	sqlite3_reset(s);
	return r;
}

static int each_stood(const struct documents *d, sqlite3_stmt *s, int (*cb)(void *arg, const struct stood *s), void *arg)
{
	int r;

	while ((r = db_step(s)) > 0) {
		struct stood one = { .path = db_column(s, 0), .has_object = sqlite3_column_int64(s, 2) != 0,
			.object = { (uint64_t)sqlite3_column_int64(s, 1), (uint64_t)sqlite3_column_int64(s, 2), (uint64_t)sqlite3_column_int64(s, 3) },
			.first = sqlite3_column_int64(s, 4), .last = sqlite3_column_int64(s, 5) };

		if (!column_hash(s, 6, one.hash))
			continue;
		r = cb(arg, &one);
		if (r)
			break;
	}
	if (r < 0)
		r = db_failed(d, r);
	sqlite3_reset(s);
	return r;
}

int documents_stood(struct documents *d, const uint8_t hash[static 32], int (*cb)(void *arg, const struct stood *s), void *arg)
{
	sqlite3_stmt *s = NULL;
	int r = documents_statement(d, ST_STOOD, &s);

	if (r < 0)
		return r;
	sqlite3_bind_blob(s, 1, hash, 32, SQLITE_STATIC);
	return each_stood(d, s, cb, arg);
}

int documents_stood_object(struct documents *d, const struct event_object *o, int (*cb)(void *arg, const struct stood *s), void *arg)
{
	sqlite3_stmt *s = NULL;
	int r = documents_statement(d, ST_STOOD_OBJECT, &s);

	if (r < 0)
		return r;
	sqlite3_bind_int64(s, 1, (sqlite3_int64)o->dev);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)o->ino);
	sqlite3_bind_int64(s, 3, (sqlite3_int64)o->gen);
	return each_stood(d, s, cb, arg);
}

int documents_stood_path(struct documents *d, str path, int (*cb)(void *arg, const struct stood *s), void *arg)
{
	sqlite3_stmt *s = NULL;
	int r = documents_statement(d, ST_STOOD_PATH, &s);

	if (r < 0)
		return r;
	sqlite3_bind_blob(s, 1, path.p, (int)path.n, SQLITE_STATIC);
	return each_stood(d, s, cb, arg);
}

/* Everything below `a` lies between "a/" and "a0", the byte behind '/'; the parts of a container at `a` likewise behind "a!/". */
static void bind_below(sqlite3_stmt *s, int i, struct buf *b, str path, const char *tail)
{
	buf_clear(b);
	buf_puts(b, path);
	buf_puts(b, str_c(tail));
	sqlite3_bind_blob(s, i, b->p, (int)b->n, SQLITE_TRANSIENT);
}

/* A statement of its own: callers ask other things while they walk. */
int documents_places(struct documents *d, str below, bool gone, int (*cb)(void *arg, const struct place *p), void *arg)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = db_prepare(d->view.db, below.n ?
		"SELECT " PLACE_COLUMNS " FROM place WHERE (path=?2 OR path>=?3 AND path<?4 OR path>=?5 AND path<?6)"
		" AND (?1 OR NOT gone) ORDER BY path" : "SELECT " PLACE_COLUMNS " FROM place WHERE ?1 OR NOT gone ORDER BY path", &s);

	if (r < 0)
		return db_failed(d, r);
	sqlite3_bind_int(s, 1, gone);
	if (below.n) {
		sqlite3_bind_blob(s, 2, below.p, (int)below.n, SQLITE_STATIC);
		bind_below(s, 3, &b, below, "/");
		bind_below(s, 4, &b, below, "0");
		bind_below(s, 5, &b, below, "!/");
		bind_below(s, 6, &b, below, "!0");
		if (buf_error(&b))
			return documents_fail(-ENOMEM, "no memory");
	}
	return each_place(d, s, cb, arg);
}

/* A container's facts cover its parts, so that it waits itself. */
int documents_waiting_ocr(struct documents *d, int (*cb)(void *arg, const struct place *p), void *arg)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(d->view.db, "SELECT "
			PLACE_COLUMNS " FROM place WHERE document IN (SELECT id FROM document WHERE ocr) AND mode IS NOT NULL AND NOT gone", &s);

	return r < 0 ? db_failed(d, r) : each_place(d, s, cb, arg);
}

/* Rows are never taken out. */
int documents_count(struct documents *d, uint64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(d->view.db, "SELECT max(id) FROM document", &s);

	if (r == 0)
		r = db_step(s);
	if (r < 0)
		return db_failed(d, r);
	*ret = (uint64_t)sqlite3_column_int64(s, 0);
	return 0;
}

/* Bytes on disk: the table, its journal, and the identifiers. */
static void stat_disk(struct documents *d, struct documents_stat *st)
{
	static const char *const files[] = { "documents.db", "documents.db-wal" };
	_cleanup_close_ int fd = open(d->view.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct postings_stat p;
	struct stat s;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (fstatat(fd, files[i], &s, AT_SYMLINK_NOFOLLOW) == 0)
			st->disk += (uint64_t)s.st_size;
	documents_identifiers_stat(d, &p);
	st->identifiers = p.postings;
	st->disk += p.disk;
}

static int open_prints(struct documents *d)
{
	int r = d->prints ? prints_refresh(d->prints) : prints_open_at(d->view.dir, &d->prints);

	if (r == 0 && !prints_lost(d->prints))
		return 0;
	d->prints = prints_close(d->prints);
	return r < 0 ? documents_fail(r, "%s", prints_why()) : documents_fail(-EUCLEAN, "fingerprints are damaged");
}

/* Of fingerprints that cannot be read nothing is known. */
static void stat_prints(struct documents *d, struct documents_stat *st)
{
	struct prints_stat p;

	if (open_prints(d) < 0)
		return;
	prints_stat(d->prints, &p);
	st->fingerprinted = p.documents;
	st->fingerprints_disk = p.disk[PRINTS_TEXT];
	st->fingerprints_disk8 = p.disk[PRINTS_SCAN];
	st->pictures_disk = p.disk_pictures;
}

int documents_unprinted(struct documents *d, uint64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	uint64_t n = 0;
	int r = open_prints(d);

	if (r < 0)
		return r;
	r = db_prepare(d->view.db, "SELECT hash FROM document WHERE text_chars > 0 AND id IN (SELECT document FROM place WHERE NOT gone)", &s);
	while (r >= 0 && (r = db_step(s)) > 0)
		n += sqlite3_column_bytes(s, 0) == 32 && !prints_has(d->prints, sqlite3_column_blob(s, 0));
	if (r < 0)
		return db_failed(d, r);
	*ret = n;
	return 0;
}

/* Looks at every row. */
static int count_rows(struct documents *d, struct documents_stat *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL, *l = NULL;
	struct documents_stat st = { 0 };
	int r = db_prepare(d->view.db,
			"SELECT (SELECT count(*) FROM document WHERE seq>=0), (SELECT count(*) FROM place), (SELECT count(*) FROM place WHERE gone),"
		" (SELECT count(*) FROM place WHERE error IS NOT NULL AND NOT gone) + (SELECT count(*) FROM document WHERE error IS NOT NULL),"
		" (SELECT count(*) FROM document WHERE ocr), (SELECT count(*) FROM document WHERE text_chars > 0)", &s);

	if (r == 0)
		r = db_step(s);
	if (r < 0)
		return db_failed(d, r);
	st.documents = (uint64_t)sqlite3_column_int64(s, 0);
	st.places = (uint64_t)sqlite3_column_int64(s, 1);
	st.gone = (uint64_t)sqlite3_column_int64(s, 2);
	st.unreadable = (uint64_t)sqlite3_column_int64(s, 3);
	st.waiting_ocr = (uint64_t)sqlite3_column_int64(s, 4);
	st.with_text = (uint64_t)sqlite3_column_int64(s, 5);
	r = db_prepare(d->view.db, "SELECT label, count(*) FROM document WHERE seq>=0 GROUP BY label", &l);
	while (r >= 0 && (r = db_step(l)) > 0) {
		int label = sqlite3_column_int(l, 0);

		if (label > 0 && label < LABEL_MAX_)
			st.labels[label] = (uint64_t)sqlite3_column_int64(l, 1);
		else
			st.unlabelled += (uint64_t)sqlite3_column_int64(l, 1);
	}
	if (r < 0)
		return db_failed(d, r);
	*ret = st;
	return 0;
}

/* Who asks again and again spends at most a twentieth of its time counting: with a million documents what it gets is some seconds old. */
#define COUNT_SHARE 20

static int counts(struct documents *d)
{
	int64_t begun = time_boottime();
	int r;

	if (d->counts_of == d->view.changes + 1 || (d->counts_of && begun < d->count_again))
		return 0;
	r = count_rows(d, &d->counts);
	if (r < 0)
		return r;
	d->counts_of = d->view.changes + 1;
	d->count_again = begun + COUNT_SHARE * (time_boottime() - begun);
	return 0;
}

int documents_stat(struct documents *d, struct documents_stat *ret)
{
	int r = counts(d);

	if (r < 0)
		return r;
	*ret = d->counts;
	stat_disk(d, ret);
	stat_prints(d, ret);
	return 0;
}
