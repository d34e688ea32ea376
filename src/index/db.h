/* db.h — SQLite as the project uses it: page sums, WAL, errors as errno.
 *
 * Purpose: open, prepare, step; damage of any kind is -EUCLEAN. For the index, the views of the log and the outbox. Ownership: the
 * caller closes what it opened (cleanup attributes below). Units: none. Threads: a handle is used by one thread at a time
 * (SQLITE_OPEN_NOMUTEX). Errors: negative errno, index_why() says more.
 */
#ifndef TYTO_DB_H
#define TYTO_DB_H

#include <sqlite3.h>

#include "base/why.h"
#include "evidence/leaf.h"

#define index_fail(r, ...) why_set(&index_last, (r), __VA_ARGS__)
extern _Thread_local struct why index_last;
int db_open(const char *dir, const char *file, bool write, bool create, sqlite3 **ret);
/* Read only, by nobody else written to: no locks, no shared memory. */
int db_open_resting(const char *dir, const char *file, sqlite3 **ret);
void db_close(sqlite3 **db);
/* A writer's: what stands in the write-ahead log goes into the file first, unless somebody is reading there just now. SQLite does that only
 * for the last one to close. */
void db_close_writer(sqlite3 **db);
#define _cleanup_db_ _cleanup_(db_close)
int db_exec(sqlite3 *db, const char *sql);
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret);
void db_finalize(sqlite3_stmt **s);
#define _cleanup_stmt_ _cleanup_(db_finalize)
/* 1 a row, 0 done, -errno. */
int db_step(sqlite3_stmt *s);
/* For statements without rows: step and reset. */
int db_run(sqlite3_stmt *s);
/* Rows of one table, many by a statement: to start and end one costs as much as its row. Zero is empty. */
#define DB_BULK 16
struct db_bulk {
	sqlite3_stmt *one, *many;
	int columns;
};
/* insert: "INSERT INTO t VALUES"; behind: what follows the rows. */
int db_bulk_prepare(sqlite3 *db, const char *insert, int columns, const char *behind, struct db_bulk *ret);
void db_bulk_finalize(struct db_bulk *k);
/* Sets a row's columns, from parameter `at` on. */
typedef void db_bind(sqlite3_stmt *s, int at, const void *row, const void *arg);
/* At most DB_BULK rows. */
int db_bulk_run(const struct db_bulk *k, const void *const *rows, size_t n, db_bind *bind, const void *arg);
/* A column's bytes, until the next step; STR_NONE where it is NULL. */
str db_column(sqlite3_stmt *s, int i);
/* Copied; STR_NONE, and a field that the leaf does not have, stay NULL (bindings were cleared). */
void db_bind_text(sqlite3_stmt *s, int i, str v);
void db_bind_blob(sqlite3_stmt *s, int i, str v);
void db_bind_field(sqlite3_stmt *s, int i, const struct leaf *l, unsigned bit);
/* An empty file gets the schema, and in meta(k, v) the format and these values as 0. One that holds something is left as it is: two may
 * come to an empty file at once. */
int db_create(sqlite3 *db, const char *schema, uint64_t format, const char *const *zeros, size_t n);
/* A value of meta(k, v); -EUCLEAN when it is not there. */
int db_meta_get(sqlite3 *db, const char *k, uint64_t *ret);
int db_meta_put(sqlite3 *db, const char *k, uint64_t v);

#endif
