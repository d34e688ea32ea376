/* who.c: all who had a document. */
#include <errno.h>

#include "index/internal.h"

struct question {
	struct index_query *q;
	struct pathset path;
	struct subjects subjects;
	int64_t since, until;
	struct aggs who;
};

static void question_free(struct question *w)
{
	pathset_free(&w->path);
	subjects_free(&w->subjects);
	aggs_free(&w->who);
}

static int tail_places(void *arg, uint64_t seq, const struct leaf *l, uint64_t accesses)
{
	struct question *w = arg;
	uint64_t places[PLACES_MAX];
	size_t n = index_places(l, places);

	for (size_t i = 0; i < n; i++)
		if (pathset_has(&w->path, places[i]))
			return subjects_add(&w->subjects, SUBJECT(SUBJECT_OBJECT, l->value[EV_OBJECT]));
	return 0;
}

static int tail_who(void *arg, uint64_t seq, const struct leaf *l, uint64_t accesses)
{
	struct question *w = arg;
	int64_t subjects[SUBJECTS_MAX], time = leaf_time(l);
	size_t n = index_subjects(l, subjects);

	if (time < w->since || time >= w->until || l->value[EV_VERB] == VERB_GAP)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (subjects_have(&w->subjects, subjects[i]))
			return aggs_add(&w->who, index_who_key(l), time, time, accesses, (uint64_t)1 << l->value[EV_VERB],
				leaf_has(l, EV_VIA) ? (uint64_t)1 << l->value[EV_VIA] : 0);
	return 0;
}

/* A record may stand under two subjects of one question (a rename between two paths without an object): rows are then told apart by seq. */
static bool may_repeat(const struct question *w)
{
	return w->path.count > 1;
}


/* Rows of the view's time: what a build beside us has added since is in our tail. */
static int rows_month(sqlite3 *db, struct question *w, bool sums, struct aggs *to)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL, *leaf = NULL;
	int r = db_prepare(db, "SELECT time, seq, who, flags FROM by_subject WHERE subject=?1 AND time>=?2 AND time<?3 AND seq<?4", &st);

	if (r == 0)
		r = db_prepare(db, "SELECT leaf FROM by_person WHERE who=? AND time=? AND seq=?", &leaf);
	for (size_t i = 0; r >= 0 && i < w->subjects.n; i++) {
		if (sums)
			r = busy_take(db, w->subjects.p[i], to);
		if (r < 0)
			return r;
		if (r == 1)
			continue;
		sqlite3_bind_int64(st, 1, w->subjects.p[i]);
		sqlite3_bind_int64(st, 2, w->since);
		sqlite3_bind_int64(st, 3, w->until);
		sqlite3_bind_int64(st, 4, (sqlite3_int64)w->q->snap.indexed);
		while ((r = db_step(st)) == 1) {
			int64_t time = sqlite3_column_int64(st, 0), who = sqlite3_column_int64(st, 2);
			uint64_t flags = (uint64_t)sqlite3_column_int64(st, 3), via = flags >> 8 & 0xff;

			if ((flags & 0xff) == VERB_GAP)
				continue;
			if (may_repeat(w)) {
				int64_t subjects[SUBJECTS_MAX];
				struct leaf l;
				size_t k = 0;

				sqlite3_bind_int64(leaf, 1, who);
				sqlite3_bind_int64(leaf, 2, time);
				sqlite3_bind_int64(leaf, 3, sqlite3_column_int64(st, 1));
				r = db_step(leaf);
				if (r != 1 || leaf_decode(sqlite3_column_blob(leaf, 0), (size_t)sqlite3_column_bytes(leaf, 0), &l) < 0)
					return r < 0 ? r : index_fail(-EUCLEAN, "index: a record is missing");
				size_t n = index_subjects(&l, subjects);
				sqlite3_reset(leaf);
				while (k < n && !subjects_have(&w->subjects, subjects[k]))
					k++;
				if (k < n && subjects[k] != w->subjects.p[i])
					continue; /* counted under the other */
			}
			r = aggs_add(to, who, time, time, flags >> 16, (uint64_t)1 << (flags & 0xff), via ? (uint64_t)1 << via : 0);
			if (r < 0)
				return r;
		}
		sqlite3_reset(st);
	}
	return r;
}

/* A month of the question, by itself, so that it can be taken back. */
struct month_look {
	struct question *w;
	struct aggs who;
	bool whole;
};

static int look_month(sqlite3 *db, void *into)
{
	struct month_look *m = into;
	bool sums = false;
	int r = 0;

	if (m->whole && !may_repeat(m->w))
		r = busy_usable(db, m->w->q->snap.indexed, &sums);
	return r < 0 ? r : rows_month(db, m->w, sums, &m->who);
}

static void undo_month(void *into)
{
	aggs_free(&((struct month_look *)into)->who);
}

static int who_month(struct question *w, const struct part *p)
{
	int64_t begin = month_start(p->month), end = month_start(p->month + 1);
	struct month_look m = { .w = w, .whole = begin >= w->since && end <= w->until };
	int r;

	if (end <= w->since || begin >= w->until)
		return 0;
	r = query_look(w->q, p, look_month, undo_month, &m);
	for (size_t i = 0; r >= 0 && i < m.who.cap; i++) {
		const struct agg *g = &m.who.p[i];

		if (g->used)
			r = aggs_add(&w->who, g->who, g->first, g->last, g->count, g->verbs, g->vias);
	}
	aggs_free(&m.who);
	return r;
}

static int path_subjects(struct question *w)
{
	int r = 0;

	for (uint64_t c = 0; r == 0 && (c = pathset_next(&w->path, c));)
		r = subjects_add(&w->subjects, SUBJECT(SUBJECT_PATH, c));
	if (r == 0)
		r = query_places(w->q, &w->path, SIZE_MAX, &w->subjects);
	return r < 0 ? r : tail_each(w->q, query_tail(w->q), tail_places, w);
}

static int who_gather(struct question *w, const struct index_subject *s)
{
	struct index_query *q = w->q;
	_cleanup_buf_ struct buf key = BUF_INIT;
	uint64_t n;
	int r = 0;

	if (s->path.n) {
		r = path_subjects(w);
	} else if (s->document) {
		n = names_find(q->names, NAME_DOCUMENT, (str){ (const char *)s->document, 32 });
		r = n ? subjects_add(&w->subjects, SUBJECT(SUBJECT_DOCUMENT, n)) : 0;
	} else if (s->object) {
		buf_put_uvar(&key, s->object->dev);
		buf_put_uvar(&key, s->object->ino);
		buf_put_uvar(&key, s->object->gen);
		n = names_find(q->names, NAME_OBJECT, buf_str(&key));
		r = n ? subjects_add(&w->subjects, SUBJECT(SUBJECT_OBJECT, n)) : 0;
	}
	subjects_sort(&w->subjects);
	if (w->subjects.n == 0)
		return r < 0 ? r : -ENOENT;
	for (size_t i = 0; q->use && r >= 0 && i < q->snap.n_parts; i++)
		r = who_month(w, &q->snap.parts[i]);
	return r < 0 ? r : tail_each(q, query_tail(q), tail_who, w);
}

static int by_last(const void *va, const void *vb)
{
	const struct agg *a = va, *b = vb;

	if (a->used != b->used)
		return a->used ? -1 : 1;
	if (a->last != b->last)
		return a->last > b->last ? -1 : 1;
	return a->who < b->who ? -1 : a->who > b->who;
}

int who_tell(struct index_query *q, struct aggs *who, int (*cb)(void *arg, const struct index_who *w), void *arg)
{
	_cleanup_buf_ struct buf basis = BUF_INIT;

	if (who->n)
		qsort(who->p, who->cap, sizeof(*who->p), by_last);
	for (size_t i = 0; i < who->n; i++) {
		const struct agg *g = &who->p[i];
		struct index_who one = { STR_NONE, STR_NONE, g->first, g->last, MAX(g->count, 1), g->verbs, g->vias };
		str value;

		buf_clear(&basis);
		if (g->who > 0 && names_value(q->names, NAME_PERSON, (uint64_t)g->who, &value) == 0)
			one.person = value;
		if (g->who < 0 && names_value(q->names, NAME_ACCOUNT, (uint64_t)-g->who, &value) == 0) {
			buf_putf(&basis, "uid:%.*s", STR_ARG(value));
			one.person_basis = buf_str(&basis);
		}
		if (cb(arg, &one))
			break;
	}
	return buf_error(&basis);
}

int index_query_who(struct index_query *q, const struct index_subject *s, int (*cb)(void *arg, const struct index_who *w), void *arg)
{
	_cleanup_(question_free) struct question w = { .q = q, .since = s->since ? s->since : INT64_MIN, .until = s->until ? s->until :
			INT64_MAX };
	int r = query_refresh(q);

	if (r == 0 && s->path.n)
		r = pathset_match(q->names, s->path, &w.path);
	if (r < 0)
		return r;
	while ((r = who_gather(&w, s)) < 0 && r != -ENOENT && q->use) {
		query_drop(q, r);
		subjects_free(&w.subjects);
		aggs_free(&w.who);
	}
	if (r != -ENOENT && r < 0)
		return r;
	if (names_error(q->names))
		return index_fail(names_error(q->names), "the names cannot be read");
	if (r >= 0 && w.who.n == 0 && !s->since && !s->until)
		return -ENOENT;
	return r < 0 ? r : who_tell(q, &w.who, cb, arg);
}

int index_who(const char *state, const struct index_subject *s, int (*cb)(void *arg, const struct index_who *w), void *arg)
{
	struct index_query *q;
	int r = index_query_open(state, &q);

	if (r < 0)
		return r;
	r = index_query_who(q, s, cb, arg);
	index_query_close(q);
	return r;
}
