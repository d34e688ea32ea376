#include "forward/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/why.h"
#include "index/db.h"
#include "index/index.h"

#define FORMAT 1
#define FILE_NAME "notify.db"

enum state { WAITING, SENDING, DEAD };

static const char schema[] =
	"CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID;"
	"CREATE TABLE told(alert INTEGER PRIMARY KEY, severity INTEGER, open INTEGER, reason INTEGER);"
	"CREATE TABLE letter(id INTEGER PRIMARY KEY AUTOINCREMENT, alert INTEGER, record INTEGER, kind INTEGER, way TEXT, created INTEGER, due "
	"INTEGER,"
	" tries INTEGER DEFAULT 0, state INTEGER DEFAULT 0, answer TEXT);"
	"CREATE INDEX letter_turn ON letter(state, way, tries, id);";

static const char *const counters[] = { "position", "begun", "sent", "last", "forgotten" };

struct outbox {
	char *dir;
	sqlite3 *db;
};

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *outbox_why(void)
{
	return why.text;
}

static int db_failed(int r)
{
	return r < 0 ? fail(r, "outbox: %s", index_why()) : r;
}

/* --- opening --- */

static int open_db(struct outbox *o, bool write)
{
	uint64_t format;
	int r = db_open(o->dir, FILE_NAME, write, write, &o->db);

	/* What was sent must not be sent again after a power cut. */
	if (r == 0 && write)
		r = db_exec(o->db, "PRAGMA synchronous=FULL");
	if (r == 0 && write)
		r = db_create(o->db, schema, FORMAT, counters, ARRAY_SIZE(counters));
	if (r == 0)
		r = db_meta_get(o->db, "format", &format);
	if (r == 0 && format != FORMAT)
		return fail(-EPROTO, "outbox: another version of tyto made it");
	return db_failed(r);
}

/* With its journal, under another name: somebody may want to look at it. */
int outbox_put_aside(const char *state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	_cleanup_close_ int dir = -1;
	char path[4096];

	snprintf(path, sizeof(path), "%s/notify", state);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char from[64], to[64];

		snprintf(from, sizeof(from), FILE_NAME "%s", ends[i]);
		snprintf(to, sizeof(to), FILE_NAME ".damaged%s", ends[i]);
		if (renameat(dir, from, dir, to) < 0 && errno != ENOENT)
			return fail(-errno, "%s/%s: %m", path, from);
	}
	return 0;
}

int outbox_open(const char *state, bool write, struct outbox **ret)
{
	struct outbox *o = calloc(1, sizeof(*o));
	int r = o && asprintf(&o->dir, "%s/notify", state) >= 0 ? 0 : -ENOMEM;

	if (r < 0) {
		free(o);
		return fail(r, "no memory");
	}
	if (write && mkdir(o->dir, 0700) < 0 && errno != EEXIST)
		r = fail(-errno, "%s: %m", o->dir);
	if (r == 0)
		r = open_db(o, write);
	if (r == -EUCLEAN && write) {
		db_close(&o->db);
		r = outbox_put_aside(state);
		if (r == 0)
			r = open_db(o, write);
	}
	if (r < 0) {
		outbox_close(o);
		return r;
	}
	*ret = o;
	return 0;
}

struct outbox *outbox_close(struct outbox *o)
{
	if (!o)
		return NULL;
	db_close(&o->db);
	free(o->dir);
	free(o);
	return NULL;
}

int outbox_lock(const char *state, int *ret_fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int fd = -1;
	char path[4096];

	snprintf(path, sizeof(path), "%s/notify", state);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(-errno, "%s: %m", path);
	snprintf(path, sizeof(path), "%s/notify/lock", state);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(-errno, "%s: %m", path);
	if (fcntl(fd, F_OFD_SETLK, &l) < 0)
		return errno == EAGAIN || errno == EACCES ? fail(-EWOULDBLOCK, "another process tells of alerts already") : fail(-errno, "%s: %m", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool outbox_locked(const char *state)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int fd = -1;
	char path[4096];

	snprintf(path, sizeof(path), "%s/notify/lock", state);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/* --- statements --- */

/* One statement without rows, numbers bound in order. */
static int run(struct outbox *o, const char *sql, const int64_t *v, size_t n)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(o->db, sql, &s);

	for (size_t i = 0; r == 0 && i < n; i++)
		sqlite3_bind_int64(s, (int)i + 1, v[i]);
	return db_failed(r == 0 ? db_run(s) : r);
}
#define run_with(o, sql, ...) run(o, sql, (int64_t[]){ __VA_ARGS__ }, sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

static int count(struct outbox *o, const char *sql, const char *way, uint64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(o->db, sql, &s);

	if (r == 0 && way)
		sqlite3_bind_text(s, 1, way, -1, SQLITE_STATIC);
	r = r == 0 ? db_step(s) : r;
	if (r > 0)
		*ret = (uint64_t)sqlite3_column_int64(s, 0);
	return r < 0 ? db_failed(r) : 0;
}

static int add_to(struct outbox *o, const char *counter, uint64_t n)
{
	uint64_t v = 0;
	int r = db_meta_get(o->db, counter, &v);

	return db_failed(r == 0 ? db_meta_put(o->db, counter, v + n) : r);
}

/* --- reading the log --- */

int outbox_position(struct outbox *o, uint64_t *ret, bool *ret_begun)
{
	uint64_t begun = 0;
	int r = db_meta_get(o->db, "position", ret);

	if (r == 0)
		r = db_meta_get(o->db, "begun", &begun);
	*ret_begun = begun != 0;
	return db_failed(r);
}

int outbox_begin(struct outbox *o)
{
	return db_failed(db_exec(o->db, "BEGIN IMMEDIATE"));
}

void outbox_rollback(struct outbox *o)
{
	db_exec(o->db, "ROLLBACK");
}

int outbox_commit(struct outbox *o, uint64_t position)
{
	int r = db_meta_put(o->db, "position", position);

	if (r == 0)
		r = db_meta_put(o->db, "begun", 1);
	if (r == 0)
		r = db_exec(o->db, "COMMIT");
	return db_failed(r);
}

int outbox_told(struct outbox *o, uint64_t alert, struct outbox_told *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(o->db, "SELECT severity, open, reason FROM told WHERE alert=?1", &s);

	if (r == 0)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)alert);
	r = r == 0 ? db_step(s) : r;
	if (r > 0)
		*ret = (struct outbox_told){ (enum severity)sqlite3_column_int(s, 0), sqlite3_column_int(s, 1) != 0,
				(enum alert_reason)sqlite3_column_int(s, 2) };
	return db_failed(r);
}

int outbox_tell(struct outbox *o, uint64_t alert, const struct outbox_told *t)
{
	return run_with(o, "INSERT OR REPLACE INTO told VALUES(?1,?2,?3,?4)", (int64_t)alert, t->severity, t->open, t->reason);
}

/* --- letters --- */

/* The oldest dead ones go when there are too many. */
static int trim(struct outbox *o)
{
	uint64_t dead = 0;
	int r = count(o, "SELECT count(*) FROM letter WHERE state=2", NULL, &dead);

	if (r < 0 || dead <= OUTBOX_DEAD_MAX)
		return r;
	r = run_with(o, "DELETE FROM letter WHERE id IN (SELECT id FROM letter WHERE state=2 ORDER BY id LIMIT ?1)",
			(int64_t)(dead - OUTBOX_DEAD_MAX));
	return r < 0 ? r : add_to(o, "forgotten", dead - OUTBOX_DEAD_MAX);
}

int outbox_add(struct outbox *o, const struct outbox_letter *l)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	_cleanup_buf_ struct buf name = BUF_INIT;
	uint64_t waiting = 0;
	const char *way;
	bool full;
	int r;

	buf_puts(&name, l->way);
	way = buf_cstr(&name);
	r = way ? count(o, "SELECT count(*) FROM letter WHERE state<2 AND way=?1", way, &waiting) : -ENOMEM;
	if (r < 0)
		return r;
	full = waiting >= OUTBOX_WAITING_MAX;
	r = db_prepare(o->db, "INSERT INTO letter(alert, record, kind, way, created, due, state, answer) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)", &s);
	if (r < 0)
		return db_failed(r);
	sqlite3_bind_int64(s, 1, (sqlite3_int64)l->alert);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)l->record);
	sqlite3_bind_int(s, 3, (int)l->kind);
	sqlite3_bind_text(s, 4, way, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 5, l->created);
	sqlite3_bind_int64(s, 6, l->due);
	sqlite3_bind_int(s, 7, full ? DEAD : WAITING);
	if (full)
		sqlite3_bind_text(s, 8, "too many wait already", -1, SQLITE_STATIC);
	r = db_failed(db_run(s));
	return r == 0 && full ? trim(o) : r;
}

int outbox_settle(struct outbox *o, const char *const *ways, size_t n)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_exec(o->db, "UPDATE letter SET state=0, answer='in doubt: the process ended while it was being sent' WHERE state=1");

	buf_puts(&sql, STR("UPDATE letter SET state=2, answer='this way is not configured any more' WHERE state=0 AND way NOT IN ("));
	for (size_t i = 0; i < n; i++)
		buf_putf(&sql, "%s?%zu", i ? "," : "", i + 1);
	buf_puts(&sql, STR(")"));
	if (r == 0)
		r = buf_cstr(&sql) ? db_prepare(o->db, sql.p, &s) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++)
		sqlite3_bind_text(s, (int)i + 1, ways[i], -1, SQLITE_STATIC);
	return db_failed(r == 0 ? db_run(s) : r);
}

#define COLUMNS "id, alert, record, kind, way, created, due, tries, state, answer"

static void read_row(sqlite3_stmt *s, struct outbox_letter *ret)
{
	*ret = (struct outbox_letter){ .id = (uint64_t)sqlite3_column_int64(s, 0), .alert = (uint64_t)sqlite3_column_int64(s, 1),
		.record = (uint64_t)sqlite3_column_int64(s, 2), .kind = (unsigned)sqlite3_column_int(s, 3), .way = db_column(s, 4),
		.created = sqlite3_column_int64(s, 5), .due = sqlite3_column_int64(s, 6), .tries = (unsigned)sqlite3_column_int(s, 7),
		.dead = sqlite3_column_int(s, 8) == DEAD, .answer = db_column(s, 9) };
}

/* Those with the fewest tries first: one that never goes through holds nobody up. None waits longer than an hour: later than that, the
 * clock was set back. */
int outbox_next(struct outbox *o, const char *way, int64_t now, struct outbox_letter *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(o->db, "SELECT "
			COLUMNS " FROM letter WHERE state=0 AND way=?1 AND (due<=?2 OR due>?2+7200000000000) ORDER BY tries, id LIMIT 1", &s);

	if (r == 0) {
		sqlite3_bind_text(s, 1, way, -1, SQLITE_STATIC);
		sqlite3_bind_int64(s, 2, now);
		r = db_step(s);
	}
	if (r > 0) {
		read_row(s, ret);
		ret->way = ret->answer = STR_NONE;
	}
	return db_failed(r);
}

int outbox_sending(struct outbox *o, uint64_t id)
{
	return run_with(o, "UPDATE letter SET state=1 WHERE id=?1", (int64_t)id);
}

int outbox_sent(struct outbox *o, uint64_t id, int64_t now)
{
	int r = outbox_begin(o);

	if (r == 0)
		r = run_with(o, "DELETE FROM letter WHERE id=?1", (int64_t)id);
	if (r == 0)
		r = add_to(o, "sent", 1);
	if (r == 0)
		r = db_failed(db_meta_put(o->db, "last", (uint64_t)now));
	if (r == 0)
		return db_failed(db_exec(o->db, "COMMIT"));
	outbox_rollback(o);
	return r;
}

int outbox_failed(struct outbox *o, uint64_t id, str answer, int64_t due, bool dead)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(o->db, "UPDATE letter SET state=?2, due=?3, tries=tries+1, answer=?4 WHERE id=?1", &s);

	if (r == 0) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)id);
		sqlite3_bind_int(s, 2, dead ? DEAD : WAITING);
		sqlite3_bind_int64(s, 3, due);
		sqlite3_bind_text(s, 4, answer.p ? answer.p : "", (int)answer.n, SQLITE_TRANSIENT);
		r = db_run(s);
	}
	return r == 0 && dead ? trim(o) : db_failed(r);
}

int outbox_oldest(struct outbox *o, uint64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(o->db, "SELECT min(record) FROM letter WHERE state<2", &s);

	r = r == 0 ? db_step(s) : r;
	if (r > 0 && sqlite3_column_type(s, 0) == SQLITE_NULL)
		return 0;
	if (r > 0)
		*ret = (uint64_t)sqlite3_column_int64(s, 0);
	return db_failed(r);
}

int outbox_dead(struct outbox *o, int (*cb)(void *arg, const struct outbox_letter *l), void *arg)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(o->db, "SELECT " COLUMNS " FROM letter WHERE state=2 ORDER BY id", &s);

	while (r >= 0 && (r = db_step(s)) > 0) {
		struct outbox_letter l;

		read_row(s, &l);
		r = cb(arg, &l);
		if (r != 0)
			return r;
	}
	return db_failed(r);
}

int outbox_retry(struct outbox *o, uint64_t id, uint64_t *ret_n)
{
	int r = run_with(o, "UPDATE letter SET state=0, tries=0, due=0 WHERE state=2 AND (?1=0 OR id=?1)", (int64_t)id);

	if (r == 0)
		*ret_n = (uint64_t)sqlite3_changes64(o->db);
	return r;
}

/* --- how it stands --- */

static int stat_letters(struct outbox *o, struct outbox_stat *st)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL, *last = NULL;
	int r = db_prepare(o->db, "SELECT state, count(*), min(created) FROM letter GROUP BY state", &s);

	while (r >= 0 && (r = db_step(s)) > 0) {
		uint64_t n = (uint64_t)sqlite3_column_int64(s, 1);

		if (sqlite3_column_int(s, 0) == DEAD) {
			st->dead = n;
			continue;
		}
		st->waiting += n;
		st->oldest = st->oldest ? MIN(st->oldest, sqlite3_column_int64(s, 2)) : sqlite3_column_int64(s, 2);
	}
	if (r == 0)
		r = db_prepare(o->db, "SELECT answer FROM letter WHERE state=0 AND answer IS NOT NULL ORDER BY due DESC LIMIT 1", &last);
	r = r == 0 ? db_step(last) : r;
	if (r > 0)
		snprintf(st->answer, sizeof(st->answer), "%.*s", STR_ARG(db_column(last, 0)));
	return r < 0 ? r : 0;
}

int outbox_stat(const char *state, struct outbox_stat *ret)
{
	struct outbox_stat st = { 0 };
	struct outbox *o = NULL;
	uint64_t last = 0;
	int r = outbox_open(state, false, &o);

	if (r < 0 || !o)
		return r;
	r = stat_letters(o, &st);
	if (r == 0)
		r = db_meta_get(o->db, "sent", &st.sent);
	if (r == 0)
		r = db_meta_get(o->db, "forgotten", &st.forgotten);
	if (r == 0)
		r = db_meta_get(o->db, "last", &last);
	db_failed(r);
	outbox_close(o);
	st.last = (int64_t)last;
	if (r == 0)
		*ret = st;
	return r;
}
