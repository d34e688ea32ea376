/* spans.c: all who had any of several things, each in a time of its own. */
#include <errno.h>

#include "base/array.h"
#include "base/varint.h"
#include "index/internal.h"

struct asked { /* a subject and when; sorted by subject, then time */
	int64_t subject, since, until;
};

struct spans {
	struct index_query *q;
	struct asked *a;
	size_t n;
	uint64_t *documents; /* those that were asked for; a record that says another one is not about them */
	size_t n_documents;
	uint64_t verbs;      /* bits; 0 all */
	const struct index_own *own;
	uint64_t own_program[4], own_account[2]; /* numbers; 0: none */
	struct aggs who;
	int64_t *times;      /* instead of who, where wanted */
	size_t n_times, cap_times;
	bool want_times;
};

static void spans_free(struct spans *s)
{
	free(s->a);
	free(s->documents);
	free(s->times);
	aggs_free(&s->who);
}

static int by_subject(const void *va, const void *vb)
{
	const struct asked *a = va, *b = vb;

	if (a->subject != b->subject)
		return a->subject < b->subject ? -1 : 1;
	return a->since < b->since ? -1 : a->since > b->since;
}

/* The first span that a record of this subject and time belongs to. */
static const struct asked *span_of(const struct spans *s, int64_t subject, int64_t time)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->a[mid].subject < subject)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < s->n && s->a[lo].subject == subject; lo++)
		if (time >= s->a[lo].since && time < s->a[lo].until)
			return &s->a[lo];
	return NULL;
}

static bool other_document(const struct spans *s, const struct leaf *l)
{
	if (!leaf_has(l, EV_DOCUMENT) || s->n_documents == 0)
		return false;
	for (size_t i = 0; i < s->n_documents; i++)
		if (s->documents[i] == l->value[EV_DOCUMENT])
			return false;
	return true;
}

static bool by_ourselves(const struct spans *s, const struct leaf *l)
{
	bool ours = false;

	for (size_t i = 0; leaf_has(l, EV_PROGRAM) && i < ARRAY_SIZE(s->own_program); i++)
		ours |= s->own_program[i] && l->value[EV_PROGRAM] == s->own_program[i];
	return ours && (!leaf_has(l, EV_UID) || l->value[EV_UID] == s->own_account[0] || l->value[EV_UID] == s->own_account[1]);
}

/* The span that a record counts under: it may be met under others, too. */
static const struct asked *counts_under(const struct spans *s, const struct leaf *l)
{
	int64_t subjects[SUBJECTS_MAX];
	size_t n = index_subjects(l, subjects);

	if (l->value[EV_VERB] == VERB_GAP || (s->verbs && !(s->verbs >> l->value[EV_VERB] & 1)) || other_document(s, l) || by_ourselves(s, l))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct asked *a = span_of(s, subjects[i], leaf_time(l));

		if (a)
			return a;
	}
	return NULL;
}

static int take(struct spans *s, struct aggs *to, const struct leaf *l, uint64_t accesses)
{
	int64_t time = leaf_time(l);

	if (!s->want_times)
		return aggs_add(to, index_who_key(l), time, time, accesses, (uint64_t)1 << l->value[EV_VERB],
			leaf_has(l, EV_VIA) ? (uint64_t)1 << l->value[EV_VIA] : 0);
	if (array_room(s->times, s->cap_times, s->n_times + 1) < 0)
		return -ENOMEM;
	s->times[s->n_times++] = time;
	return 0;
}

static int tail_spans(void *arg, uint64_t seq, const struct leaf *l, uint64_t accesses)
{
	struct spans *s = arg;

	return counts_under(s, l) ? take(s, &s->who, l, accesses) : 0;
}

/* A month of the question, by itself, so that it can be taken back. */
struct month_look {
	struct spans *s;
	struct aggs who;
	size_t times_before;
};

static int one_row(struct month_look *m, sqlite3_stmt *row, sqlite3_stmt *leaf, const struct asked *a)
{
	uint64_t flags = (uint64_t)sqlite3_column_int64(row, 3);
	struct leaf l;
	int r;

	if ((flags & 0xff) == VERB_GAP || (m->s->verbs && !(m->s->verbs >> (flags & 0xff) & 1)))
		return 0;
	for (int i = 0; i < 3; i++)
		sqlite3_bind_int64(leaf, i + 1, sqlite3_column_int64(row, i));
	r = db_step(leaf);
	if (r != 1 || leaf_decode(sqlite3_column_blob(leaf, 0), (size_t)sqlite3_column_bytes(leaf, 0), &l) < 0)
		return r < 0 ? r : index_fail(-EUCLEAN, "index: a record is missing");
	r = counts_under(m->s, &l) == a ? take(m->s, &m->who, &l, flags >> 16) : 0;
	sqlite3_reset(leaf);
	return r;
}

static int look_month(sqlite3 *db, void *into)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL, *leaf = NULL;
	struct month_look *m = into;
	const struct spans *s = m->s;
	int r = db_prepare(db, "SELECT time, seq, who, flags FROM by_subject WHERE subject=?1 AND time>=?2 AND time<?3 AND seq<?4", &row);

	if (r == 0)
		r = db_prepare(db, "SELECT leaf FROM by_person WHERE time=?1 AND seq=?2 AND who=?3", &leaf);
	for (size_t i = 0; r >= 0 && i < s->n; i++) {
		sqlite3_bind_int64(row, 1, s->a[i].subject);
		sqlite3_bind_int64(row, 2, s->a[i].since);
		sqlite3_bind_int64(row, 3, s->a[i].until);
		sqlite3_bind_int64(row, 4, (sqlite3_int64)s->q->snap.indexed);
		while (r >= 0 && (r = db_step(row)) == 1)
			r = one_row(m, row, leaf, &s->a[i]);
		sqlite3_reset(row);
	}
	return r;
}

static void undo_month(void *into)
{
	struct month_look *m = into;

	aggs_free(&m->who);
	m->s->n_times = m->times_before;
}

static bool any_in(const struct spans *s, int64_t begin, int64_t end)
{
	for (size_t i = 0; i < s->n; i++)
		if (end > s->a[i].since && begin < s->a[i].until)
			return true;
	return false;
}

static int gather_month(struct spans *s, const struct part *p)
{
	struct month_look m = { .s = s, .times_before = s->n_times };
	int r;

	if (!any_in(s, month_start(p->month), month_start(p->month + 1)))
		return 0;
	r = query_look(s->q, p, look_month, undo_month, &m);
	for (size_t i = 0; r >= 0 && i < m.who.cap; i++) {
		const struct agg *g = &m.who.p[i];

		if (g->used)
			r = aggs_add(&s->who, g->who, g->first, g->last, g->count, g->verbs, g->vias);
	}
	aggs_free(&m.who);
	return r;
}

static uint64_t subject_number(const struct names *n, const struct index_span *s, enum subject_kind *ret_kind)
{
	_cleanup_buf_ struct buf key = BUF_INIT;

	if (s->document) {
		*ret_kind = SUBJECT_DOCUMENT;
		return names_find(n, NAME_DOCUMENT, (str){ (const char *)s->document, 32 });
	}
	if (!s->object) {
		*ret_kind = SUBJECT_PATH;
		return s->path.n ? names_find_path(n, s->path) : 0;
	}
	*ret_kind = SUBJECT_OBJECT;
	buf_put_uvar(&key, s->object->dev);
	buf_put_uvar(&key, s->object->ino);
	buf_put_uvar(&key, s->object->gen);
	return buf_error(&key) ? 0 : names_find(n, NAME_OBJECT, buf_str(&key));
}

static void find_own(const struct names *n, struct spans *s)
{
	char account[16];

	if (!s->own)
		return;
	snprintf(account, sizeof(account), "%u", s->own->account);
	for (size_t i = 0; i < ARRAY_SIZE(s->own_program); i++)
		s->own_program[i] = s->own->programs[i].n ? names_find(n, NAME_PROGRAM, s->own->programs[i]) : 0;
	s->own_account[0] = names_find(n, NAME_ACCOUNT, STR("0"));
	s->own_account[1] = names_find(n, NAME_ACCOUNT, str_c(account));
}

/* What is in no record cannot have been had; a content that is in none still says which records are of others. */
static int spans_make(struct index_query *q, const struct index_span *in, size_t n, struct spans *s)
{
	s->q = q;
	find_own(q->names, s);
	s->a = calloc(n + 1, sizeof(*s->a));
	s->documents = calloc(n + 1, sizeof(*s->documents));
	if (!s->a || !s->documents)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		enum subject_kind kind;
		uint64_t number = subject_number(q->names, &in[i], &kind);

		if (in[i].document)
			s->documents[s->n_documents++] = number;
		if (number)
			s->a[s->n++] = (struct asked){ SUBJECT(kind, number), in[i].since ? in[i].since : INT64_MIN, in[i].until ? in[i].until : INT64_MAX };
	}
	qsort(s->a, s->n, sizeof(*s->a), by_subject);
	return 0;
}

static int gather_once(struct spans *s)
{
	struct index_query *q = s->q;
	int r = 0;

	aggs_free(&s->who);
	s->n_times = 0;
	for (size_t i = 0; q->use && r >= 0 && i < q->snap.n_parts; i++)
		r = gather_month(s, &q->snap.parts[i]);
	return r < 0 ? r : tail_each(q, query_tail(q), tail_spans, s);
}

static int gather(struct index_query *q, const struct index_span *in, size_t n, struct spans *s)
{
	int r = query_refresh(q);

	if (r == 0)
		r = spans_make(q, in, n, s);
	if (r < 0 || s->n == 0)
		return r;
	while ((r = gather_once(s)) < 0 && q->use)
		query_drop(q, r);
	return r >= 0 && names_error(q->names) ? index_fail(names_error(q->names), "the names cannot be read") : r;
}

int index_query_who_spans(struct index_query *q, const struct index_span *in, size_t n, const struct index_own *own,
	int (*cb)(void *arg, const struct index_who *w), void *arg)
{
	_cleanup_(spans_free) struct spans s = { .own = own };
	int r = gather(q, in, n, &s);

	return r < 0 ? r : who_tell(q, &s.who, cb, arg);
}

static int by_time(const void *va, const void *vb)
{
	int64_t a = *(const int64_t *)va, b = *(const int64_t *)vb;

	return a < b ? -1 : a > b;
}

int index_query_times(struct index_query *q, const struct index_span *of, uint64_t verbs, int64_t **ret, size_t *ret_n)
{
	_cleanup_(spans_free) struct spans s = { .verbs = verbs, .want_times = true };
	int r = gather(q, of, 1, &s);

	if (r < 0)
		return r;
	if (s.n_times)
		qsort(s.times, s.n_times, sizeof(*s.times), by_time);
	*ret = s.times;
	*ret_n = s.n_times;
	s.times = NULL;
	return 0;
}
