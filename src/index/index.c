/* index.c: opening, meta.db, the months' files.
 *
 * current            which folder counts: the name of one, replaced at once by a rename
 * g-GENERATION/      of the files below; another generation has another folder, so whoever still has the files of a removed one open
 *                    (SQLite would let him take the new ones' logs along, "How To Corrupt", 2.4) is in nobody's way
 * meta.db    meta(k, v)                 format, generation, indexed, last_leaf (short sum of leaf indexed − 1), origin
 *            part(month, upto)          which months there are
 * YYYY-MM.db meta(k, v)                 format, generation, upto
 *            by_person(who, time, seq, leaf)        everything needed to print a person's month is one range
 *            by_subject(subject, time, seq, who, flags)
 *            place(component, object, first, last), and the other way round
 *            busy(subject, who, …)                  sums of the subjects with many rows, see busy.c; meta.busy says whether they are right
 *
 * `who` reads the rows of by_subject, and the sums where there are any. Sums of every subject were tried: where most persons open a
 * document once a month they are as many as there are records, and the build was slower by what they cost. Places stand in the months and
 * in no file over all of them: a month is filled in order of its keys and then rests, while one table over years would be written at random
 * places by every batch.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/hash.h"
#include "index/internal.h"

void (*index_hook)(const char *step);

static const char meta_schema[] =
	"CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
	"CREATE TABLE part(month INTEGER PRIMARY KEY, upto INTEGER NOT NULL);";

const char *const index_part_schema =
	"CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
	"CREATE TABLE by_person(who INTEGER, time INTEGER, seq INTEGER, leaf BLOB NOT NULL, PRIMARY KEY(who, time, seq)) WITHOUT ROWID;"
	"CREATE TABLE by_subject(subject INTEGER, time INTEGER, seq INTEGER, who INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" PRIMARY KEY(subject, time, seq)) WITHOUT ROWID;"
	"CREATE TABLE place(component INTEGER, object INTEGER, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" PRIMARY KEY(component, object)) WITHOUT ROWID;"
	"CREATE INDEX place_object ON place(object);"
	"CREATE TABLE busy(subject INTEGER, who INTEGER, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL, verbs INTEGER NOT "
	"NULL,"
	" vias INTEGER NOT NULL, PRIMARY KEY(subject, who)) WITHOUT ROWID;";

void snapshot_free(struct snapshot *s)
{
	free(s->parts);
	*s = (struct snapshot){ 0 };
}

static int snapshot_parts(sqlite3 *meta, struct snapshot *s)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	size_t cap = 0;
	int r = db_prepare(meta, "SELECT month, upto FROM part ORDER BY month", &st);

	while (r >= 0 && (r = db_step(st)) == 1) {
		if (array_room(s->parts, cap, s->n_parts + 1) < 0)
			return -ENOMEM;
		s->parts[s->n_parts++] = (struct part){ sqlite3_column_int(st, 0), (uint64_t)sqlite3_column_int64(st, 1) };
	}
	return r;
}

static int snapshot_origin(sqlite3 *meta, struct snapshot *s)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	const char *origin;
	int r = db_prepare(meta, "SELECT v FROM meta WHERE k='origin'", &st);

	if (r < 0)
		return r;
	r = db_step(st);
	origin = r == 1 ? (const char *)sqlite3_column_text(st, 0) : NULL;
	if (!origin)
		return r < 0 ? r : index_fail(-EUCLEAN, "index: no origin");
	snprintf(s->origin, sizeof(s->origin), "%s", origin);
	return 0;
}

static int snapshot_fill(sqlite3 *meta, struct snapshot *s)
{
	uint64_t format;
	int r = db_meta_get(meta, "format", &format);

	if (r < 0)
		return r;
	if (format != INDEX_FORMAT)
		return index_fail(-EUCLEAN, "index: format %llu, expected %d", (unsigned long long)format, INDEX_FORMAT);
	r = db_meta_get(meta, "generation", &s->generation);
	if (r == 0)
		r = db_meta_get(meta, "indexed", &s->indexed);
	if (r == 0)
		r = db_meta_get(meta, "last_leaf", &s->last_leaf);
	if (r == 0)
		r = snapshot_origin(meta, s);
	if (r == 0)
		r = snapshot_parts(meta, s);
	return r;
}

int snapshot_load(sqlite3 *meta, struct snapshot *ret)
{
	struct snapshot s = { 0 };
	int r = db_exec(meta, "BEGIN"), e;

	if (r < 0)
		return r;
	r = snapshot_fill(meta, &s);
	e = db_exec(meta, "COMMIT");
	if (r == 0)
		r = e;
	if (r < 0) {
		snapshot_free(&s);
		return r;
	}
	snapshot_free(ret);
	*ret = s;
	return 0;
}

/* The log's name: that of the first verifier key. A log without one has the empty name. */
void index_origin(const char *state, char out[static INDEX_ORIGIN_MAX])
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int fd = -1;
	ssize_t n = -1;

	buf_putf(&path, "%s/log/log.vkey", state);
	if (buf_cstr(&path))
		fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		n = read(fd, out, INDEX_ORIGIN_MAX - 1);
	out[MAX(n, 0)] = '\0';
	out[strcspn(out, "+\n")] = '\0';
}

int index_leaf_sum(struct evidence_reader *r, uint64_t seq, uint64_t *ret)
{
	str packed;
	int e = evidence_read(r, seq, &packed);

	if (e < 0)
		return index_fail(e, "%s", evidence_why());
	*ret = crc32c(0, packed.p, packed.n);
	return 0;
}

int snapshot_check(const struct snapshot *s, const char *state, struct evidence_reader *r, uint64_t size)
{
	char origin[INDEX_ORIGIN_MAX];
	uint64_t sum;
	int e;

	index_origin(state, origin);
	if (strcmp(origin, s->origin) != 0)
		return index_fail(-EUCLEAN, "index: of the log %s, not %s", s->origin, origin);
	if (s->indexed > size)
		return index_fail(-EUCLEAN, "index: %llu leaves, the log has %llu", (unsigned long long)s->indexed, (unsigned long long)size);
	if (s->indexed == 0)
		return 0;
	e = index_leaf_sum(r, s->indexed - 1, &sum);
	if (e < 0)
		return e;
	return sum == s->last_leaf ? 0 : index_fail(-EUCLEAN, "index: of another log of the same name");
}

int part_upto(sqlite3 *db, const struct snapshot *s, const struct part *p, uint64_t *ret)
{
	uint64_t format, generation, upto;
	int r = db_meta_get(db, "format", &format);

	if (r == 0)
		r = db_meta_get(db, "generation", &generation);
	if (r == 0)
		r = db_meta_get(db, "upto", &upto);
	if (r < 0)
		return r;
	if (generation != s->generation)
		return index_fail(-ESTALE, "index: built anew meanwhile");
	if (format != INDEX_FORMAT || upto < p->upto)
		return index_fail(-EUCLEAN, "index: a month is behind what meta.db says");
	*ret = upto;
	return 0;
}

int part_open(const char *dir, const struct snapshot *s, const struct part *p, bool write, sqlite3 **ret)
{
	_cleanup_db_ sqlite3 *db = NULL;
	uint64_t upto;
	char file[24];
	int r;

	month_file(p->month, file);
	r = db_open(dir, file, write, false, &db);
	if (r == 0)
		r = part_upto(db, s, p, &upto);
	if (r == -ENOENT)
		r = -EUCLEAN;
	if (r == 0)
		*ret = TAKE_PTR(db);
	return r;
}

void index_mark_damaged(const char *dir)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int fd = -1;

	buf_putf(&path, "%s/" INDEX_DAMAGED, dir);
	if (buf_cstr(&path))
		fd = open(path.p, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool is_marked(const struct index *x)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	buf_putf(&path, "%s/" INDEX_DAMAGED, x->dir);
	return buf_cstr(&path) && access(path.p, F_OK) == 0;
}

static void wpart_close(struct wpart *w)
{
	db_bulk_finalize(&w->event);
	db_bulk_finalize(&w->subject);
	db_bulk_finalize(&w->place);
	db_close_writer(&w->db);
	*w = (struct wpart){ 0 };
}

static void close_all(struct index *x)
{
	for (size_t i = 0; i < INDEX_OPEN_PARTS; i++)
		wpart_close(&x->open[i]);
	db_close_writer(&x->meta);
	snapshot_free(&x->snap);
}

int index_folder(const char *top, char **ret)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_close_ int fd = -1;
	char name[32], *dir;
	ssize_t n;

	buf_putf(&path, "%s/" INDEX_CURRENT, top);
	if (!buf_cstr(&path))
		return -ENOMEM;
	fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return index_fail(-errno, "%s: %m", path.p);
	n = read(fd, name, sizeof(name));
	if (n != INDEX_FOLDER_LEN || memcmp(name, "g-", 2) != 0 || memchr(name, '/', (size_t)n))
		return index_fail(-EUCLEAN, "%s: expected the name of a folder", path.p);
	if (asprintf(&dir, "%s/%.*s", top, (int)n, name) < 0)
		return -ENOMEM;
	*ret = dir;
	return 0;
}

/* From here on the folder counts. */
static int make_current(const char *top, const char *name)
{
	_cleanup_buf_ struct buf path = BUF_INIT, tmp = BUF_INIT;
	_cleanup_close_ int fd = -1;

	buf_putf(&path, "%s/" INDEX_CURRENT, top);
	buf_putf(&tmp, "%s/" INDEX_CURRENT ".tmp", top);
	if (!buf_cstr(&path) || !buf_cstr(&tmp))
		return -ENOMEM;
	fd = open(tmp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, name, INDEX_FOLDER_LEN) != INDEX_FOLDER_LEN || rename(tmp.p, path.p) < 0)
		return index_fail(errno ? -errno : -EIO, "%s: %m", path.p);
	return 0;
}

/* meta.db goes first: whoever looks then finds no index rather than half of one. */
static int remove_files(const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *de;
	DIR *d;

	if (fd < 0)
		return index_fail(-errno, "%s: %m", dir);
	unlinkat(fd, "meta.db", 0);
	d = fdopendir(fd);
	if (!d)
		return -errno;
	fd = -1;
	while ((de = readdir(d)))
		if (strstr(de->d_name, ".db") || strcmp(de->d_name, INDEX_DAMAGED) == 0)
			if (unlinkat(dirfd(d), de->d_name, 0) < 0 && errno != ENOENT) {
				int r = index_fail(-errno, "%s/%s: %m", dir, de->d_name);

				closedir(d);
				return r;
			}
	closedir(d);
	return 0;
}

/* Folders of other generations, and the files of an index that had none. */
static int remove_others(const struct index *x)
{
	const char *keep = strrchr(x->dir, '/') + 1;
	DIR *d = opendir(x->top);
	struct dirent *de;
	int r = d ? remove_files(x->top) : index_fail(-errno, "%s: %m", x->top);

	while (r == 0 && (de = readdir(d))) {
		_cleanup_buf_ struct buf path = BUF_INIT;

		if (strncmp(de->d_name, "g-", 2) != 0 || strcmp(de->d_name, keep) == 0)
			continue;
		buf_putf(&path, "%s/%s", x->top, de->d_name);
		if (!buf_cstr(&path))
			r = -ENOMEM;
		else if ((r = remove_files(path.p)) == 0 && rmdir(path.p) < 0)
			r = index_fail(-errno, "%s: %m", path.p);
	}
	if (d)
		closedir(d);
	return r;
}

static int meta_create(struct index *x, uint64_t generation)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	char origin[INDEX_ORIGIN_MAX];
	int r;

	index_origin(x->state, origin);
	r = db_exec(x->meta, "BEGIN IMMEDIATE");
	if (r == 0)
		r = db_exec(x->meta, meta_schema);
	if (r == 0)
		r = db_meta_put(x->meta, "format", INDEX_FORMAT);
	if (r == 0)
		r = db_meta_put(x->meta, "generation", generation);
	if (r == 0)
		r = db_meta_put(x->meta, "indexed", 0);
	if (r == 0)
		r = db_meta_put(x->meta, "last_leaf", 0);
	if (r == 0)
		r = db_prepare(x->meta, "INSERT INTO meta VALUES('origin', ?)", &st);
	if (r < 0)
		return r;
	sqlite3_bind_text(st, 1, origin, -1, SQLITE_STATIC);
	r = db_run(st);
	return r < 0 ? r : db_exec(x->meta, "COMMIT");
}

/* Begins anew in a folder of its own, and removes what there was. */
static int begin_anew(struct index *x)
{
	char name[INDEX_FOLDER_LEN + 1];
	uint64_t generation;
	int r;

	close_all(x);
	if (getrandom(&generation, sizeof(generation), 0) != sizeof(generation))
		return -EIO;
	snprintf(name, sizeof(name), "g-%016llx", (unsigned long long)generation);
	free(x->dir);
	if (asprintf(&x->dir, "%s/%s", x->top, name) < 0) {
		x->dir = NULL;
		return -ENOMEM;
	}
	if (mkdir(x->dir, 0700) < 0)
		return index_fail(-errno, "%s: %m", x->dir);
	r = db_open(x->dir, "meta.db", true, true, &x->meta);
	if (r == 0)
		r = meta_create(x, generation);
	if (r == 0)
		r = snapshot_load(x->meta, &x->snap);
	if (index_hook)
		index_hook("anew");
	if (r == 0)
		r = make_current(x->top, name);
	return r < 0 ? r : remove_others(x);
}

static int open_existing(struct index *x)
{
	int r = db_open(x->dir, "meta.db", true, false, &x->meta);

	if (r == 0)
		r = snapshot_load(x->meta, &x->snap);
	for (size_t i = 0; r == 0 && i < x->snap.n_parts; i++) {
		_cleanup_db_ sqlite3 *db = NULL;

		r = part_open(x->dir, &x->snap, &x->snap.parts[i], true, &db);
	}
	return r;
}

int index_open(const char *state, struct index **ret)
{
	struct index *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->state = strdup(state);
	if (!x->state || asprintf(&x->top, "%s/index", state) < 0) {
		x->top = NULL;
		index_close(x);
		return -ENOMEM;
	}
	r = mkdir(x->top, 0700) < 0 && errno != EEXIST ? index_fail(-errno, "%s: %m", x->top) : 0;
	if (r == 0) {
		r = index_folder(x->top, &x->dir);
		if (r == 0)
			r = is_marked(x) ? -EUCLEAN : open_existing(x);
		r = r == -EUCLEAN || r == -ENOENT || r == -ESTALE ? begin_anew(x) : r < 0 ? r : remove_others(x);
	}
	if (r < 0) {
		index_close(x);
		return r;
	}
	*ret = x;
	return 0;
}

struct index *index_close(struct index *x)
{
	if (!x)
		return NULL;
	close_all(x);
	free(x->state);
	free(x->top);
	free(x->dir);
	free(x);
	return NULL;
}

uint64_t index_indexed(const struct index *x)
{
	return x->snap.indexed;
}

static const struct part *find_part(const struct snapshot *s, int32_t month)
{
	for (size_t i = 0; i < s->n_parts; i++)
		if (s->parts[i].month == month)
			return &s->parts[i];
	return NULL;
}

static int part_prepare(struct wpart *w)
{
	int r = db_bulk_prepare(w->db, "INSERT OR FAIL INTO by_person VALUES", 4, "", &w->event);

	if (r == 0)
		r = db_bulk_prepare(w->db, "INSERT OR FAIL INTO by_subject VALUES", 5, "", &w->subject);
	if (r == 0)
		r = db_bulk_prepare(w->db, "INSERT OR FAIL INTO place VALUES", 4, " ON CONFLICT DO UPDATE SET first=min(first, excluded.first),"
			" last=max(last, excluded.last) WHERE excluded.first < first OR excluded.last > last", &w->place);
	return r;
}

/* A month that meta.db does not name may have been left by a crash: it is of no generation that counts unless it is ours. */
static int part_begin(struct index *x, struct wpart *w, const char *file)
{
	struct part none = { .month = w->month };
	int r = db_open(x->dir, file, true, true, &w->db);

	if (r < 0)
		return r;
	if (part_upto(w->db, &x->snap, &none, &w->upto) == 0)
		return 0;
	r = db_exec(w->db, "BEGIN IMMEDIATE");
	if (r == 0)
		r = db_exec(w->db, index_part_schema);
	if (r == 0)
		r = db_meta_put(w->db, "format", INDEX_FORMAT);
	if (r == 0)
		r = db_meta_put(w->db, "generation", x->snap.generation);
	if (r == 0)
		r = db_meta_put(w->db, "upto", 0);
	if (r == 0)
		r = db_meta_put(w->db, "busy", 0);
	w->upto = 0;
	return r < 0 ? r : db_exec(w->db, "COMMIT");
}

int index_part(struct index *x, int32_t month, struct wpart **ret)
{
	const struct part *p = find_part(&x->snap, month);
	struct wpart *w = &x->open[0];
	char file[24];
	int r;

	for (size_t i = 0; i < INDEX_OPEN_PARTS; i++) {
		if (x->open[i].db && x->open[i].month == month) {
			x->open[i].used = ++x->turn;
			*ret = &x->open[i];
			return 0;
		}
		if (x->open[i].used < w->used)
			w = &x->open[i];
	}
	wpart_close(w);
	w->month = month;
	w->used = ++x->turn;
	month_file(month, file);
	if (p) {
		r = part_open(x->dir, &x->snap, p, true, &w->db);
		if (r == 0)
			r = part_upto(w->db, &x->snap, p, &w->upto);
	} else {
		r = part_begin(x, w, file);
	}
	if (r == 0)
		r = db_meta_get(w->db, "busy", &w->busy);
	if (r == 0)
		r = part_prepare(w);
	if (r < 0) {
		wpart_close(w);
		return r == -ESTALE ? -EUCLEAN : r;
	}
	*ret = w;
	return 0;
}

static int advance(struct index *x, struct evidence_reader *r, uint64_t upto, uint64_t budget)
{
	uint64_t end = budget && budget < upto - MIN(upto, x->snap.indexed) ? x->snap.indexed + budget : upto;

	while (x->snap.indexed < end) {
		int e = build_batch(x, r, MIN(end, x->snap.indexed + INDEX_BATCH));

		if (e < 0)
			return e;
	}
	return 0;
}

#define BEGIN_ATTEMPTS 3

int index_advance(struct index *x, struct evidence_reader *r, uint64_t upto, uint64_t budget)
{
	uint64_t size;
	int e = evidence_reader_refresh(r, &size);

	if (e < 0)
		return index_fail(e, "%s", evidence_why());
	upto = MIN(upto, size);
	for (int attempt = 0;; attempt++) {
		e = is_marked(x) || !x->meta ? -EUCLEAN : 0;
		if (e == 0 && !x->checked)
			e = snapshot_check(&x->snap, x->state, r, size);
		x->checked = e == 0;
		if (e == 0)
			e = advance(x, r, upto, budget);
		if (e != -EUCLEAN || attempt == BEGIN_ATTEMPTS)
			return e;
		e = begin_anew(x);
		if (e < 0 && e != -EUCLEAN && e != -ENOENT && e != -EBUSY)
			return e;
	}
}

static uint64_t disk_of(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *de;
	uint64_t sum = 0;
	struct stat st;

	while (d && (de = readdir(d)))
		if (fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_blocks * 512;
	if (d)
		closedir(d);
	return sum;
}

/* With the names table: all that is derived and can be deleted. */
int index_stat(const char *state, struct index_stat *ret)
{
	_cleanup_buf_ struct buf top = BUF_INIT, names = BUF_INIT;
	_cleanup_db_ sqlite3 *meta = NULL;
	_cleanup_free_ char *dir = NULL;
	struct index_stat s = { 0 };

	buf_putf(&top, "%s/index", state);
	buf_putf(&names, "%s/names", state);
	if (!buf_cstr(&top) || !buf_cstr(&names))
		return -ENOMEM;
	/* What cannot be read is as good as not there: the answers come from the log. */
	if (index_folder(top.p, &dir) == 0 && db_open(dir, "meta.db", false, false, &meta) == 0 && db_meta_get(meta, "indexed", &s.indexed) < 0)
		s.indexed = 0;
	s.disk = disk_of(top.p) + disk_of(names.p) + (dir ? disk_of(dir) : 0);
	*ret = s;
	return 0;
}
