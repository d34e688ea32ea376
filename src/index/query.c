/* query.c: a view of index and log at one moment; events in order of time. */
#include <errno.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "index/internal.h"

#define CURSORS_MAX 1024  /* persons of a month merged by cursors; above that SQLite sorts */
#define NARROW_MAX 256    /* subjects worth a cursor each */

int index_query_open(const char *state, struct index_query **ret)
{
	struct index_query *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->state = strdup(state);
	if (!q->state || asprintf(&q->top, "%s/index", state) < 0) {
		q->top = NULL;
		index_query_close(q);
		return -ENOMEM;
	}
	r = evidence_reader_open(state, &q->r);
	if (r < 0) {
		index_fail(r, "%s", evidence_why());
		index_query_close(q);
		return r;
	}
	q->names = evidence_reader_names(q->r);
	*ret = q;
	return 0;
}

static void forget(struct index_query *q)
{
	while (q->n_parts)
		db_close(&q->parts[--q->n_parts].db);
	db_close(&q->meta);
	snapshot_free(&q->snap);
	q->use = false;
}

struct index_query *index_query_close(struct index_query *q)
{
	if (!q)
		return NULL;
	forget(q);
	evidence_reader_close(q->r);
	free(q->seen.v);
	free(q->state);
	free(q->top);
	free(q->dir);
	free(q);
	return NULL;
}

void query_drop(struct index_query *q, int error)
{
	if (error == -EUCLEAN && q->dir)
		index_mark_damaged(q->dir);
	forget(q);
}

/* meta.db first, the log after it: so the log is never shorter than what the index holds. */
int query_refresh(struct index_query *q)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct stat st = { 0 };
	char *dir = NULL;
	int r, e;

	r = index_folder(q->top, &dir);
	if (r == 0) {
		buf_putf(&path, "%s/meta.db", dir);
		r = !buf_cstr(&path) ? -ENOMEM : stat(path.p, &st) < 0 ? -ENOENT : 0;
	}
	if (!dir || !q->dir || strcmp(dir, q->dir) != 0)
		forget(q); /* another generation */
	free(q->dir);
	q->dir = dir;
	if (r < 0 || st.st_ino != q->meta_ino)
		forget(q); /* removed or built anew */
	if (r == 0 && !q->meta)
		r = db_open(q->dir, "meta.db", false, false, &q->meta);
	if (r == 0)
		r = snapshot_load(q->meta, &q->snap);
	q->meta_ino = st.st_ino;
	e = evidence_reader_refresh(q->r, &q->size);
	if (e < 0)
		return index_fail(e, "%s", evidence_why());
	q->names = evidence_reader_names(q->r);
	if (r == 0)
		r = snapshot_check(&q->snap, q->state, q->r, q->size);
	q->use = r == 0;
	if (r < 0)
		query_drop(q, r);
	return 0;
}

static void part_forget(struct index_query *q, size_t i)
{
	db_close(&q->parts[i].db);
	q->parts[i] = q->parts[--q->n_parts];
}

int64_t index_rest_ns = NSEC_PER_SEC; /* far more than the grain of a file's times */

/* The file as it stands, if nothing waits in its write-ahead log and nobody has written to it just now. */
static bool is_resting(const struct index_query *q, const char *file, struct rest *ret)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct stat wal, st;
	size_t n;

	buf_putf(&path, "%s/%s", q->dir, file);
	n = path.n;
	buf_puts(&path, STR("-wal"));
	/* The log first: what is committed from here on does not touch the file before its next checkpoint. */
	if (!buf_cstr(&path) || (stat(path.p, &wal) == 0 ? wal.st_size != 0 : errno != ENOENT))
		return false;
	path.p[n] = '\0';
	if (stat(path.p, &st) < 0)
		return false;
	*ret = (struct rest){ st.st_ino, (uint64_t)st.st_size, st.st_mtim.tv_sec * NSEC_PER_SEC + st.st_mtim.tv_nsec };
	return time_now() - ret->mtime > index_rest_ns;
}

static bool still_resting(const struct index_query *q, const struct rpart *p)
{
	char file[24];
	struct rest now;

	month_file(p->month, file);
	return is_resting(q, file, &now) && now.ino == p->rest.ino && now.size == p->rest.size && now.mtime == p->rest.mtime;
}

/* A month that rests, or NULL. */
static struct rpart *resting_part(struct index_query *q, const struct part *p)
{
	struct rpart *part;
	struct rest rest;
	sqlite3 *db;
	char file[24];
	uint64_t upto;

	for (size_t i = 0; i < q->n_parts; i++) {
		if (q->parts[i].month != p->month || !q->parts[i].resting)
			continue;
		if (still_resting(q, &q->parts[i]))
			return &q->parts[i];
		part_forget(q, i--);
	}
	month_file(p->month, file);
	if (q->n_parts == QUERY_OPEN_PARTS || !is_resting(q, file, &rest) || db_open_resting(q->dir, file, &db) < 0)
		return NULL;
	if (part_upto(db, &q->snap, p, &upto) < 0) {
		db_close(&db);
		return NULL;
	}
	part = &q->parts[q->n_parts++];
	*part = (struct rpart){ db, p->month, true, rest };
	return part;
}

int query_look(struct index_query *q, const struct part *p, int (*look)(sqlite3 *db, void *into), void (*undo)(void *into), void *into)
{
	struct rpart *part = resting_part(q, p);
	sqlite3 *db;
	int r;

	if (part) {
		r = look(part->db, into);
		/* Damage is said by the usual way, which knows more. */
		if (r >= 0 && still_resting(q, part))
			return r;
		part_forget(q, (size_t)(part - q->parts));
		undo(into);
	}
	r = query_part(q, p, &db);
	if (r < 0)
		return r;
	r = look(db, into);
	query_part_done(q, db);
	return r;
}

int query_part(struct index_query *q, const struct part *p, sqlite3 **ret)
{
	sqlite3 *db = NULL;
	uint64_t upto;
	int r;

	for (size_t i = 0; i < q->n_parts && !db; i++)
		if (q->parts[i].month == p->month && !q->parts[i].resting)
			db = q->parts[i].db;
	if (!db) {
		r = part_open(q->dir, &q->snap, p, false, &db);
		if (r < 0)
			return r;
		if (q->n_parts == QUERY_OPEN_PARTS)
			db_close(&q->parts[--q->n_parts].db);
		q->parts[q->n_parts++] = (struct rpart){ .db = db, .month = p->month };
	}
	r = db_exec(db, "BEGIN");
	if (r < 0)
		return r;
	r = part_upto(db, &q->snap, p, &upto);
	if (r < 0)
		query_part_done(q, db);
	else
		*ret = db;
	return r;
}

void query_part_done(struct index_query *q, sqlite3 *db)
{
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
}

/* The filter. */

static void plan_free(struct plan *p)
{
	free(p->whos);
	pathset_free(&p->path);
}

bool plan_match(const struct plan *p, const struct leaf *l)
{
	int64_t time = leaf_time(l), who;

	if (time < p->since || time >= p->until || (p->verbs && !(p->verbs >> l->value[EV_VERB] & 1)))
		return false;
	if (p->vias && !(leaf_has(l, EV_VIA) && p->vias >> l->value[EV_VIA] & 1))
		return false;
	if (p->labels && !(leaf_has(l, EV_LABEL) && p->labels >> l->value[EV_LABEL] & 1))
		return false;
	if ((p->client && !(leaf_has(l, EV_CLIENT) && l->value[EV_CLIENT] == p->client)) ||
		(p->document && !(leaf_has(l, EV_DOCUMENT) && l->value[EV_DOCUMENT] == p->document)) ||
		(p->object && !(leaf_has(l, EV_OBJECT) && l->value[EV_OBJECT] == p->object)))
		return false;
	if (p->by_path && !(leaf_has(l, EV_PATH) && pathset_has(&p->path, l->value[EV_PATH])) &&
		!(leaf_has(l, EV_TO) && pathset_has(&p->path, l->value[EV_TO])))
		return false;
	if (!p->by_who)
		return true;
	who = index_who_key(l);
	for (size_t i = 0; i < p->n_whos; i++)
		if (p->whos[i] == who)
			return true;
	return false;
}

static int plan_persons(const struct names *n, const struct index_filter *f, struct plan *p)
{
	p->by_who = f->n_persons > 0;
	p->whos = calloc(2 * f->n_persons + 1, sizeof(*p->whos));
	if (!p->whos)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_persons; i++) {
		str s = f->persons[i];
		uint64_t number = names_find(n, NAME_PERSON, s), account = 0;

		if (str_starts(s, STR("uid:")))
			account = names_find(n, NAME_ACCOUNT, (str){ s.p + 4, s.n - 4 });
		for (size_t k = 0; k < p->n_whos; k++) /* named twice */
			number = p->whos[k] == (int64_t)number ? 0 : number;
		for (size_t k = 0; k < p->n_whos; k++)
			account = p->whos[k] == -(int64_t)account ? 0 : account;
		if (number)
			p->whos[p->n_whos++] = (int64_t)number;
		if (account)
			p->whos[p->n_whos++] = -(int64_t)account;
	}
	p->nothing |= p->by_who && p->n_whos == 0;
	return 0;
}

static uint64_t plan_name(struct plan *p, const struct names *n, enum name_kind kind, str value)
{
	uint64_t number = names_find(n, kind, value);

	p->nothing |= number == 0;
	return number;
}

static int plan_make(const struct names *n, const struct index_filter *f, struct plan *p)
{
	_cleanup_buf_ struct buf key = BUF_INIT;
	int r;

	*p = (struct plan){ .since = f->since ? f->since : INT64_MIN, .until = f->until ? f->until : INT64_MAX,
		.below = f->below ? f->below : UINT64_MAX, .verbs = f->verbs, .vias = f->vias, .labels = f->labels, .reverse = f->reverse,
		.limit = f->limit };
	r = plan_persons(n, f, p);
	if (r < 0)
		return r;
	if (f->client.n)
		p->client = plan_name(p, n, NAME_CLIENT, f->client);
	if (f->document)
		p->document = plan_name(p, n, NAME_DOCUMENT, (str){ (const char *)f->document, 32 });
	if (f->object) {
		buf_put_uvar(&key, f->object->dev);
		buf_put_uvar(&key, f->object->ino);
		buf_put_uvar(&key, f->object->gen);
		p->object = plan_name(p, n, NAME_OBJECT, buf_str(&key));
	}
	p->by_path = f->path_glob.n > 0;
	if (p->by_path)
		r = pathset_match(n, f->path_glob, &p->path);
	p->nothing |= p->by_path && p->path.count == 0;
	return r < 0 ? r : buf_error(&key);
}

/* One run: cursors over a month, and the tail, merged. */

struct cursor {
	sqlite3_stmt *st; /* time, seq, leaf */
	struct place_in_time at;
};
struct run {
	struct index_query *q;
	const struct plan *plan;
	struct subjects subjects; /* narrowed to these; none: by person */
	struct cursor *c;
	size_t n;
	sqlite3 *db;              /* the month in hand */
	size_t next;              /* months begun */
	struct tail tail;
	bool begun;
	struct place_in_time last; /* given */
	uint64_t given;
	int (*cb)(void *arg, const struct event *e); /* or */
	int (*leaf_cb)(void *arg, uint64_t seq, const struct leaf *l);
	void *arg;
	struct buf scratch;
};

static void month_close(struct run *x)
{
	while (x->n)
		db_finalize(&x->c[--x->n].st);
	free(x->c);
	x->c = NULL;
	if (x->db)
		query_part_done(x->q, x->db);
	x->db = NULL;
}

static int run_order(const struct run *x, struct place_in_time a, struct place_in_time b)
{
	return x->plan->reverse ? order_cmp(b, a) : order_cmp(a, b);
}

static int cursor_next(struct run *x, size_t i)
{
	struct cursor *c = &x->c[i];
	int r = db_step(c->st);

	if (r == 1) {
		c->at = (struct place_in_time){ sqlite3_column_int64(c->st, 0), (uint64_t)sqlite3_column_int64(c->st, 1) };
		return 0;
	}
	db_finalize(&c->st);
	*c = x->c[--x->n];
	return r;
}

static void cursors_down(struct run *x, size_t i)
{
	for (size_t child; (child = 2 * i + 1) < x->n; i = child) {
		struct cursor c = x->c[i];

		if (child + 1 < x->n && run_order(x, x->c[child + 1].at, x->c[child].at) < 0)
			child++;
		if (run_order(x, x->c[child].at, c.at) >= 0)
			return;
		x->c[i] = x->c[child];
		x->c[child] = c;
	}
}

#define RANGE " time>=?2 AND time<?3 AND seq<?4 "
static const char *const sql_person[] = {
	"SELECT time, seq, leaf FROM by_person WHERE who=?1 AND" RANGE "ORDER BY time, seq",
	"SELECT time, seq, leaf FROM by_person WHERE who=?1 AND" RANGE "ORDER BY time DESC, seq DESC",
};
static const char *const sql_subject[] = {
	"SELECT s.time, s.seq, p.leaf FROM by_subject s CROSS JOIN by_person p ON p.who=s.who AND p.time=s.time AND p.seq=s.seq"
	" WHERE s.subject=?1 AND s.time>=?2 AND s.time<?3 AND s.seq<?4 ORDER BY s.time, s.seq",
	"SELECT s.time, s.seq, p.leaf FROM by_subject s CROSS JOIN by_person p ON p.who=s.who AND p.time=s.time AND p.seq=s.seq"
	" WHERE s.subject=?1 AND s.time>=?2 AND s.time<?3 AND s.seq<?4 ORDER BY s.time DESC, s.seq DESC",
};
static const char *const sql_all[] = {
	"SELECT time, seq, leaf FROM by_person WHERE" RANGE "ORDER BY time, seq",
	"SELECT time, seq, leaf FROM by_person WHERE" RANGE "ORDER BY time DESC, seq DESC",
};

static int add_cursor(struct run *x, const char *sql, int64_t key, bool keyed)
{
	struct cursor *c = reallocarray(x->c, x->n + 1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	x->c = c;
	r = db_prepare(x->db, sql, &c[x->n].st);
	if (r < 0)
		return r;
	if (keyed)
		sqlite3_bind_int64(c[x->n].st, 1, key);
	/* After damage a run goes on where it was: the bounds are those of what is still to come. */
	sqlite3_bind_int64(c[x->n].st, 2, x->plan->since);
	sqlite3_bind_int64(c[x->n].st, 3, x->plan->until);
	sqlite3_bind_int64(c[x->n].st, 4, (sqlite3_int64)MIN(x->q->snap.indexed, x->plan->below));
	x->n++;
	return cursor_next(x, x->n - 1);
}

/* Everybody in the month, by skipping from one to the next. */
static int month_whos(struct run *x, struct subjects *ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int64_t who = INT64_MIN;
	int r = db_prepare(x->db, "SELECT who FROM by_person WHERE who>? ORDER BY who LIMIT 1", &st);

	while (r >= 0 && ret->n <= CURSORS_MAX) {
		sqlite3_bind_int64(st, 1, who);
		r = db_step(st);
		if (r != 1)
			break;
		who = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
		r = subjects_add(ret, who);
	}
	return MIN(r, 0);
}

static int month_open(struct run *x, const struct part *p)
{
	_cleanup_(subjects_free) struct subjects whos = { 0 };
	const struct plan *plan = x->plan;
	int r = query_part(x->q, p, &x->db);

	for (size_t i = 0; r == 0 && i < x->subjects.n; i++)
		r = add_cursor(x, sql_subject[plan->reverse], x->subjects.p[i], true);
	if (r == 0 && !x->subjects.n && plan->by_who)
		for (size_t i = 0; r == 0 && i < plan->n_whos; i++)
			r = add_cursor(x, sql_person[plan->reverse], plan->whos[i], true);
	if (r == 0 && !x->subjects.n && !plan->by_who) {
		r = month_whos(x, &whos);
		if (r == 0 && whos.n > CURSORS_MAX)
			r = add_cursor(x, sql_all[plan->reverse], 0, false);
		for (size_t i = 0; r == 0 && whos.n <= CURSORS_MAX && i < whos.n; i++)
			r = add_cursor(x, sql_person[plan->reverse], whos.p[i], true);
	}
	for (size_t i = x->n / 2; r == 0 && i-- > 0;)
		cursors_down(x, i);
	return r;
}

static const struct part *next_part(const struct run *x)
{
	const struct snapshot *s = &x->q->snap;

	if (!x->q->use || x->next >= s->n_parts)
		return NULL;
	return &s->parts[x->plan->reverse ? s->n_parts - 1 - x->next : x->next];
}

/* Is the tail's next record before everything that the month can hold? */
static bool before_month(const struct run *x, const struct place_in_time *t, const struct part *p)
{
	return x->plan->reverse ? t->time >= month_start(p->month + 1) : t->time < month_start(p->month);
}

static int give(struct run *x, uint64_t seq, const struct leaf *l)
{
	struct event e;
	int r = x->cb ? evidence_event(x->q->names, seq, l, &x->scratch, &e) : 0;

	if (r < 0)
		return index_fail(r, "record %llu: %s", (unsigned long long)seq, evidence_why());
	x->given++;
	if (x->cb ? x->cb(x->arg, &e) : x->leaf_cb(x->arg, seq, l))
		return 1;
	return x->plan->limit && x->given == x->plan->limit;
}

static int give_cursor(struct run *x)
{
	struct cursor *c = &x->c[0];
	struct place_in_time at = c->at;
	struct leaf l;
	int r = 0;

	if (leaf_decode(sqlite3_column_blob(c->st, 2), (size_t)sqlite3_column_bytes(c->st, 2), &l) < 0)
		return index_fail(-EUCLEAN, "index: record %llu is not a leaf", (unsigned long long)at.seq);
	/* A record may come by two subjects, and again after damage. */
	if ((!x->begun || run_order(x, at, x->last) > 0) && plan_match(x->plan, &l)) {
		x->begun = true;
		x->last = at;
		r = give(x, at.seq, &l);
	}
	if (r)
		return r;
	r = cursor_next(x, 0);
	cursors_down(x, 0);
	return r;
}

static int give_tail(struct run *x, struct place_in_time at)
{
	struct leaf l;
	str packed;
	int r = evidence_read(x->q->r, at.seq, &packed);

	if (r == 0)
		r = leaf_decode((const uint8_t *)packed.p, packed.n, &l);
	if (r < 0)
		return index_fail(r, "%s", evidence_why());
	tail_next(&x->tail);
	x->begun = true;
	x->last = at;
	return give(x, at.seq, &l);
}

static int run_step(struct run *x)
{
	const struct part *p = next_part(x);
	struct place_in_time t;
	int r = tail_peek(&x->tail, &t);

	if (r < 0)
		return r;
	if (x->n == 0) {
		month_close(x);
		if (p && !(r == 1 && before_month(x, &t, p))) {
			x->next++;
			if (month_start(p->month + 1) <= x->plan->since || month_start(p->month) >= x->plan->until)
				return 0;
			return month_open(x, p);
		}
	}
	if (x->n && (r == 0 || run_order(x, x->c[0].at, t) < 0))
		return give_cursor(x);
	return r == 1 ? give_tail(x, t) : 1;
}

/* A question about few things is answered by what stands under them. */
static int run_narrow(struct run *x)
{
	const struct plan *p = x->plan;
	int r = 0;

	if (p->object)
		return subjects_add(&x->subjects, SUBJECT(SUBJECT_OBJECT, p->object));
	if (p->document)
		return subjects_add(&x->subjects, SUBJECT(SUBJECT_DOCUMENT, p->document));
	if (!p->by_path || p->path.count > NARROW_MAX)
		return 0;
	for (uint64_t c = 0; r == 0 && (c = pathset_next(&p->path, c));) {
		r = subjects_add(&x->subjects, SUBJECT(SUBJECT_PATH, c));
		if (r == 0)
			r = subjects_add(&x->subjects, SUBJECT(SUBJECT_TO, c));
	}
	if (r == 0)
		r = query_places(x->q, &p->path, 4 * NARROW_MAX, &x->subjects);
	if (r == -E2BIG) {
		subjects_free(&x->subjects);
		r = 0;
	}
	subjects_sort(&x->subjects);
	return r;
}

static int run_once(struct run *x)
{
	int r = run_narrow(x);

	tail_init(&x->tail, x->q, x->plan, x->begun ? &x->last : NULL);
	while (r == 0)
		r = run_step(x);
	month_close(x);
	tail_free(&x->tail);
	return r;
}

static int run_all(struct run *x, const struct index_filter *f)
{
	_cleanup_(plan_free) struct plan plan = { 0 };
	struct index_query *q = x->q;
	int r = query_refresh(q);

	x->plan = &plan;
	if (r == 0)
		r = plan_make(q->names, f, &plan);
	if (r == 0 && !plan.nothing)
		while ((r = run_once(x)) < 0 && q->use) {
			query_drop(q, r);
			subjects_free(&x->subjects);
			x->next = 0;
		}
	subjects_free(&x->subjects);
	buf_free(&x->scratch);
	if (r >= 0 && names_error(q->names))
		r = index_fail(names_error(q->names), "the names cannot be read");
	return MIN(r, 0);
}

int index_query_events(struct index_query *q, const struct index_filter *f, int (*cb)(void *arg, const struct event *e), void *arg)
{
	struct run x = { .q = q, .cb = cb, .arg = arg };

	return run_all(&x, f);
}

int index_query_leaves(struct index_query *q, const struct index_filter *f, int (*cb)(void *arg, uint64_t seq, const struct leaf *l),
	void *arg)
{
	struct run x = { .q = q, .leaf_cb = cb, .arg = arg };

	return run_all(&x, f);
}

int index_events(const char *state, const struct index_filter *f, int (*cb)(void *arg, const struct event *e), void *arg)
{
	struct index_query *q;
	int r = index_query_open(state, &q);

	if (r < 0)
		return r;
	r = index_query_events(q, f, cb, arg);
	index_query_close(q);
	return r;
}
