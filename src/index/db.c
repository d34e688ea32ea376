#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "index/internal.h"
#include "index/vfs.h"

_Thread_local struct why index_last = { "no error" };

const char *index_why(void)
{
	return index_last.text;
}

/* What SQLite says, as errno: whatever means that the file is not what we wrote is -EUCLEAN. */
static const struct {
	int code, error;
} codes[] = {
	{ SQLITE_CORRUPT, -EUCLEAN }, { SQLITE_NOTADB, -EUCLEAN }, { SQLITE_FORMAT, -EUCLEAN }, { SQLITE_ERROR, -EUCLEAN },
	{ SQLITE_CONSTRAINT, -EUCLEAN }, { SQLITE_MISMATCH, -EUCLEAN }, { SQLITE_SCHEMA, -EUCLEAN },
	{ SQLITE_BUSY, -EBUSY }, { SQLITE_LOCKED, -EBUSY }, { SQLITE_FULL, -ENOSPC }, { SQLITE_NOMEM, -ENOMEM },
	{ SQLITE_READONLY, -EROFS }, { SQLITE_PERM, -EACCES }, { SQLITE_CANTOPEN, -EUCLEAN },
};

static int db_error(sqlite3 *db, int code)
{
	int r = -EIO, extended = db ? sqlite3_extended_errcode(db) : code;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == (code & 0xff))
			r = codes[i].error;
	if (extended == SQLITE_IOERR_DATA || extended == SQLITE_IOERR_SHORT_READ || extended == SQLITE_IOERR_CORRUPTFS)
		r = -EUCLEAN;
	return index_fail(r, "index %s: %s", db && sqlite3_db_filename(db, "main") ? sqlite3_db_filename(db, "main") : "", db ?
		sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static int db_reserve(sqlite3 *db)
{
	int n = INDEX_PAGE_RESERVE;

	return sqlite3_file_control(db, NULL, SQLITE_FCNTL_RESERVE_BYTES, &n) == SQLITE_OK ? 0 : -EUCLEAN;
}

static int db_open_path(const char *path, int flags, sqlite3 **ret)
{
	_cleanup_db_ sqlite3 *db = NULL;
	char sql[64];
	int r = sqlite3_open_v2(path, &db, flags, INDEX_VFS);

	if (r != SQLITE_OK)
		return db_error(db, r);
	sqlite3_busy_timeout(db, 5000);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* Readers come and go: only the writer checkpoints. */
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (flags & SQLITE_OPEN_CREATE) == 0, NULL);
	if (flags & SQLITE_OPEN_CREATE) {
		r = db_reserve(db);
		if (r < 0)
			return index_fail(r, "index %s: no room for page sums", path);
		snprintf(sql, sizeof(sql), "PRAGMA page_size=%d", INDEX_PAGE);
		r = db_exec(db, sql);
		if (r < 0)
			return r;
	}
	r = db_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768; PRAGMA journal_size_limit=1048576");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(db);
	return 0;
}

int db_open(const char *dir, const char *file, bool write, bool create, sqlite3 **ret)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	int r = index_vfs_register(), flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (write ? SQLITE_OPEN_CREATE : 0);
	struct stat st;

	if (r < 0)
		return index_fail(r, "SQLite has no unix VFS");
	buf_putf(&path, "%s/%s", dir, file);
	if (!buf_cstr(&path))
		return -ENOMEM;
	if (!create && (stat(path.p, &st) < 0 || st.st_size == 0))
		return index_fail(-ENOENT, "%s: missing", path.p);
	return db_open_path(path.p, flags, ret);
}

int db_open_resting(const char *dir, const char *file, sqlite3 **ret)
{
	_cleanup_buf_ struct buf uri = BUF_INIT;
	_cleanup_db_ sqlite3 *db = NULL;
	int r = index_vfs_register();

	if (r < 0)
		return index_fail(r, "SQLite has no unix VFS");
	buf_puts(&uri, STR("file:"));
	for (const char *p = dir; *p; p++)
		if (memchr("?#%", *p, 3))
			buf_putf(&uri, "%%%02x", (unsigned char)*p);
		else
			buf_putc(&uri, *p);
	buf_putf(&uri, "/%s?immutable=1", file);
	if (!buf_cstr(&uri))
		return -ENOMEM;
	r = sqlite3_open_v2(uri.p, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, INDEX_VFS);
	if (r != SQLITE_OK)
		return db_error(db, r);
	r = db_exec(db, "PRAGMA cache_size=-32768");
	if (r == 0)
		*ret = TAKE_PTR(db);
	return r;
}

void db_close(sqlite3 **db)
{
	if (*db)
		sqlite3_close_v2(*db);
	*db = NULL;
}

void db_close_writer(sqlite3 **db)
{
	if (*db) {
		sqlite3_busy_timeout(*db, 0);
		(void)sqlite3_wal_checkpoint_v2(*db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	db_close(db);
}

int db_exec(sqlite3 *db, const char *sql)
{
	int r = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return r == SQLITE_OK ? 0 : db_error(db, r);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	int r = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

	return r == SQLITE_OK ? 0 : db_error(db, r);
}

void db_finalize(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
	*s = NULL;
}

int db_step(sqlite3_stmt *s)
{
	int r = sqlite3_step(s);

	if (r == SQLITE_ROW)
		return 1;
	return r == SQLITE_DONE ? 0 : db_error(sqlite3_db_handle(s), r);
}

int db_run(sqlite3_stmt *s)
{
	int r = sqlite3_step(s);

	if (r != SQLITE_DONE) {
		r = db_error(sqlite3_db_handle(s), r);
		sqlite3_reset(s);
		return r;
	}
	sqlite3_reset(s);
	return 0;
}

int db_meta_get(sqlite3 *db, const char *k, uint64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(db, "SELECT v FROM meta WHERE k=?", &s);

	if (r < 0)
		return r;
	sqlite3_bind_text(s, 1, k, -1, SQLITE_STATIC);
	r = db_step(s);
	if (r < 0)
		return r;
	if (r == 0)
		return index_fail(-EUCLEAN, "index %s: no %s", sqlite3_db_filename(db, "main"), k);
	*ret = (uint64_t)sqlite3_column_int64(s, 0);
	return 0;
}

int db_meta_put(sqlite3 *db, const char *k, uint64_t v)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(db, "INSERT OR REPLACE INTO meta(k, v) VALUES(?, ?)", &s);

	if (r < 0)
		return r;
	sqlite3_bind_text(s, 1, k, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)v);
	return db_run(s);
}

int db_bulk_prepare(sqlite3 *db, const char *insert, int columns, const char *behind, struct db_bulk *ret)
{
	_cleanup_buf_ struct buf one = BUF_INIT, many = BUF_INIT;
	int r;

	ret->columns = columns;
	buf_puts(&one, STR("("));
	for (int i = 0; i < columns; i++)
		buf_puts(&one, i ? STR(",?") : STR("?"));
	buf_puts(&one, STR(")"));
	for (int i = 0; i < DB_BULK; i++)
		buf_putf(&many, "%s%.*s", i ? "," : insert, (int)one.n, one.p ? one.p : "");
	buf_puts(&many, str_c(behind));
	if (!buf_cstr(&many))
		return -ENOMEM;
	r = db_prepare(db, many.p, &ret->many);
	buf_clear(&many);
	buf_putf(&many, "%s%.*s%s", insert, (int)one.n, one.p ? one.p : "", behind);
	if (!buf_cstr(&many))
		return -ENOMEM;
	return r < 0 ? r : db_prepare(db, many.p, &ret->one);
}

void db_bulk_finalize(struct db_bulk *k)
{
	db_finalize(&k->one);
	db_finalize(&k->many);
}

int db_bulk_run(const struct db_bulk *k, const void *const *rows, size_t n, db_bind *bind, const void *arg)
{
	int r = 0;

	if (n == DB_BULK) {
		for (size_t i = 0; i < n; i++)
			bind(k->many, (int)i * k->columns + 1, rows[i], arg);
		return db_run(k->many);
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		bind(k->one, 1, rows[i], arg);
		r = db_run(k->one);
	}
	return r;
}

str db_column(sqlite3_stmt *s, int i)
{
	const void *p = sqlite3_column_blob(s, i);

	return (str){ p, p ? (size_t)sqlite3_column_bytes(s, i) : 0 };
}

void db_bind_text(sqlite3_stmt *s, int i, str v)
{
	if (v.p)
		sqlite3_bind_text(s, i, v.p, (int)v.n, SQLITE_TRANSIENT);
}

void db_bind_blob(sqlite3_stmt *s, int i, str v)
{
	if (v.p)
		sqlite3_bind_blob(s, i, v.p, (int)v.n, SQLITE_TRANSIENT);
}

void db_bind_field(sqlite3_stmt *s, int i, const struct leaf *l, unsigned bit)
{
	if (leaf_has(l, bit))
		sqlite3_bind_int64(s, i, (sqlite3_int64)l->value[bit]);
}

static bool empty_db(sqlite3 *db)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;

	return db_prepare(db, "SELECT 1 FROM sqlite_schema", &s) == 0 && db_step(s) == 0;
}

int db_create(sqlite3 *db, const char *schema, uint64_t format, const char *const *zeros, size_t n)
{
	int r;

	if (!empty_db(db))
		return 0;
	r = db_exec(db, "BEGIN IMMEDIATE");
	if (r == 0 && empty_db(db)) {
		r = db_exec(db, schema);
		for (size_t i = 0; r == 0 && i < n; i++)
			r = db_meta_put(db, zeros[i], 0);
		if (r == 0)
			r = db_meta_put(db, "format", format);
	}
	return r == 0 ? db_exec(db, "COMMIT") : r;
}
