/* build.c: one batch of leaves into the months, in order of their keys. */
#include <errno.h>

#include "index/internal.h"

struct row {
	int64_t who, time;
	uint64_t seq;
	size_t leaf;         /* offset in the batch's bytes */
	int32_t month;
	uint16_t leaf_n;
	uint8_t verb;
	uint64_t accesses;   /* of its own */
};
struct place_row {
	uint64_t component, object;
	int64_t first, last;
	int32_t month;
};
#define RECENT (1 << 16) /* places met lately in a batch: most records are of a place that has a row already */
struct decision { /* a record that completes another: its accesses are known when that one is */
	uint64_t refers, accesses;
	size_t subject, n_subjects;
};

struct batch {
	struct buf leaves, rows, subjects, places, decisions; /* arrays of the structs above */
	int32_t month;           /* of the last record, with its bounds: neighbours in the log are neighbours in time */
	int64_t begin, end;
	int error;
	uint32_t recent[RECENT]; /* 1 + number of the row in places */
};

#define ROWS(b, type) ((type *)(void *)(b)->p)
#define N_ROWS(b, type) ((b)->n / sizeof(type))

static void batch_free(struct batch *b)
{
	buf_free(&b->leaves);
	buf_free(&b->rows);
	buf_free(&b->subjects);
	buf_free(&b->places);
	buf_free(&b->decisions);
}

static void batch_freep(struct batch **b)
{
	if (*b)
		batch_free(*b);
	free(*b);
}

static int32_t batch_month(struct batch *b, int64_t time)
{
	if (time < b->begin || time >= b->end) {
		b->month = month_of(time);
		b->begin = month_start(b->month);
		b->end = month_start(b->month + 1);
	}
	return b->month;
}

static void take_place(struct batch *b, const struct place_row *p)
{
	uint32_t *slot = &b->recent[((p->component * 31 + p->object) * 0x9e3779b97f4a7c15ULL) >> 48];
	struct place_row *row = *slot ? &ROWS(&b->places, struct place_row)[*slot - 1] : NULL;

	if (row && row->component == p->component && row->object == p->object && row->month == p->month) {
		row->first = MIN(row->first, p->first);
		row->last = MAX(row->last, p->last);
		return;
	}
	buf_put(&b->places, p, sizeof(*p));
	*slot = (uint32_t)N_ROWS(&b->places, struct place_row);
}

static int take(void *arg, uint64_t seq, const struct leaf *l)
{
	struct batch *b = arg;
	int64_t subjects[SUBJECTS_MAX], time = leaf_time(l), who = index_who_key(l);
	uint64_t places[PLACES_MAX];
	uint8_t packed[LEAF_MAX];
	ssize_t n;

	if (l->kind != LEAF_EVENT)
		return 0;
	n = leaf_encode(l, packed);
	if (n < 0)
		return b->error = (int)n;
	struct row row = { who, time, seq, b->leaves.n, batch_month(b, time), (uint16_t)n, (uint8_t)l->value[EV_VERB], leaf_accesses(l) };
	buf_put(&b->leaves, packed, (size_t)n);
	buf_put(&b->rows, &row, sizeof(row));

	size_t n_subjects = index_subjects(l, subjects);
	if (leaf_decides(l) && l->value[EV_REFERS] < seq) {
		struct decision d = { l->value[EV_REFERS], row.accesses, N_ROWS(&b->subjects, struct subject_row), n_subjects };

		buf_put(&b->decisions, &d, sizeof(d));
	}
	for (size_t i = 0; i < n_subjects; i++) {
		struct subject_row s = { subjects[i], time, who, seq, index_flags(l, row.accesses), row.month };

		buf_put(&b->subjects, &s, sizeof(s));
	}
	size_t n_places = index_places(l, places);
	for (size_t i = 0; i < n_places; i++) {
		struct place_row p = { places[i], l->value[EV_OBJECT], time, time, row.month };

		take_place(b, &p);
	}
	return 0;
}

static int row_by_seq(const void *key, const void *row)
{
	uint64_t a = *(const uint64_t *)key, b = ((const struct row *)row)->seq;

	return a < b ? -1 : a > b;
}

/* Before the rows are sorted away from the order of the log. */
static int decide(struct batch *b, struct evidence_reader *r, uint64_t from)
{
	struct subject_row *subjects = ROWS(&b->subjects, struct subject_row);

	for (size_t i = 0; i < N_ROWS(&b->decisions, struct decision); i++) {
		const struct decision *d = &ROWS(&b->decisions, struct decision)[i];
		uint64_t accesses = d->accesses;

		if (d->refers >= from) {
			const struct row *open = bsearch(&d->refers, b->rows.p, N_ROWS(&b->rows, struct row), sizeof(*open), row_by_seq);

			if (open && open->verb == VERB_OPEN)
				accesses -= MIN(accesses, open->accesses);
		} else {
			int e = index_accesses(r, accesses, d->refers, &accesses);

			if (e < 0)
				return index_fail(e, "%s", evidence_why());
		}
		for (size_t k = d->subject; k < d->subject + d->n_subjects; k++)
			subjects[k].flags = (subjects[k].flags & 0xffff) | MIN(accesses, (uint64_t)1 << 46) << 16;
	}
	return 0;
}

#define CMP(a, b, f)                                       \
	do {                                               \
		if ((a)->f != (b)->f)                      \
			return (a)->f < (b)->f ? -1 : 1;   \
	} while (0)

static int row_cmp(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;

	CMP(a, b, month);
	CMP(a, b, who);
	CMP(a, b, time);
	CMP(a, b, seq);
	return 0;
}

static int subject_cmp(const void *va, const void *vb)
{
	const struct subject_row *a = va, *b = vb;

	CMP(a, b, month);
	CMP(a, b, subject);
	CMP(a, b, time);
	CMP(a, b, seq);
	return 0;
}

static int place_cmp(const void *va, const void *vb)
{
	const struct place_row *a = va, *b = vb;

	CMP(a, b, month);
	CMP(a, b, component);
	CMP(a, b, object);
	return 0;
}

static void bind_row(sqlite3_stmt *s, int at, const void *p, const void *leaves)
{
	const struct row *row = p;

	sqlite3_bind_int64(s, at, row->who);
	sqlite3_bind_int64(s, at + 1, row->time);
	sqlite3_bind_int64(s, at + 2, (sqlite3_int64)row->seq);
	sqlite3_bind_blob(s, at + 3, (const char *)leaves + row->leaf, row->leaf_n, SQLITE_STATIC);
}

static int put_rows(struct wpart *w, const struct batch *b, const struct row *row, const struct row *end)
{
	const void *some[DB_BULK];
	size_t n = 0;
	int r = 0;

	for (; r == 0 && row < end; row++) {
		if (row->seq >= w->upto)
			some[n++] = row;
		if (n == DB_BULK || row + 1 == end) {
			r = db_bulk_run(&w->event, some, n, bind_row, b->leaves.p);
			n = 0;
		}
	}
	return r;
}

static void bind_subject(sqlite3_stmt *st, int at, const void *p, const void *arg)
{
	const struct subject_row *s = p;
	const int64_t v[] = { s->subject, s->time, (int64_t)s->seq, s->who, (int64_t)s->flags };

	for (int k = 0; k < (int)ARRAY_SIZE(v); k++)
		sqlite3_bind_int64(st, at + k, v[k]);
}

static int put_subjects(struct wpart *w, const struct subject_row *s, const struct subject_row *end)
{
	const void *some[DB_BULK];
	size_t n = 0;
	bool sums;
	int r = busy_keep(w, (size_t)(end - s), &sums);

	for (; r == 0 && s < end; s++) {
		bool fresh = s->seq >= w->upto;

		if (fresh)
			some[n++] = s;
		if (n == DB_BULK || s + 1 == end) {
			r = db_bulk_run(&w->subject, some, n, bind_subject, NULL);
			n = 0;
		}
		if (r == 0 && fresh && sums)
			r = busy_add(w, s);
	}
	return r;
}

static void bind_place(sqlite3_stmt *s, int at, const void *p, const void *arg)
{
	const struct place_row *place = p;

	sqlite3_bind_int64(s, at, (sqlite3_int64)place->component);
	sqlite3_bind_int64(s, at + 1, (sqlite3_int64)place->object);
	sqlite3_bind_int64(s, at + 2, place->first);
	sqlite3_bind_int64(s, at + 3, place->last);
}

/* Of a batch applied again nothing is new: an interval put twice stays what it is. */
static int put_places(struct wpart *w, const struct place_row *p, const struct place_row *end)
{
	const void *some[DB_BULK];
	size_t n = 0;
	int r = 0;

	for (; r == 0 && p < end; p++) {
		some[n++] = p;
		if (n == DB_BULK || p + 1 == end) {
			r = db_bulk_run(&w->place, some, n, bind_place, NULL);
			n = 0;
		}
	}
	return r;
}

/* The part of a sorted array that belongs to the month, from *at on. */
#define MONTH_END(type, buf, at, month_)                                                       \
	({                                                                                     \
		const type *p_ = ROWS(buf, type) + (at);                                       \
		const type *e_ = ROWS(buf, type) + N_ROWS(buf, type);                          \
		while (p_ < e_ && p_->month == (month_))                                       \
			p_++;                                                                  \
		(size_t)(p_ - ROWS(buf, type));                                                \
	})

static void hook(const char *step)
{
	if (index_hook)
		index_hook(step);
}

static int put_month(struct wpart *w, struct batch *b, size_t at[3], uint64_t to)
{
	const struct row *rows = ROWS(&b->rows, struct row);
	const struct subject_row *subjects = ROWS(&b->subjects, struct subject_row);
	const struct place_row *places = ROWS(&b->places, struct place_row);
	size_t end[3] = {
		MONTH_END(struct row, &b->rows, at[0], w->month), MONTH_END(struct subject_row, &b->subjects, at[1], w->month),
		MONTH_END(struct place_row, &b->places, at[2], w->month),
	};
	int r = db_exec(w->db, "BEGIN IMMEDIATE");

	if (r == 0)
		r = put_rows(w, b, rows + at[0], rows + end[0]);
	hook("rows");
	if (r == 0 && end[1] > at[1])
		r = put_subjects(w, subjects + at[1], subjects + end[1]);
	if (r == 0 && end[2] > at[2])
		r = put_places(w, places + at[2], places + end[2]);
	hook("month");
	if (r == 0 && to > w->upto)
		r = db_meta_put(w->db, "upto", to);
	if (r == 0 && to > w->upto && w->busy)
		r = db_meta_put(w->db, "busy", w->busy = to);
	if (r == 0)
		r = db_exec(w->db, "COMMIT");
	if (r < 0) {
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
		w->busy = 0; /* whatever it is: it is read again when the month is opened anew, and until then not relied on */
		return r;
	}
	w->upto = MAX(w->upto, to);
	hook("committed");
	memcpy(at, end, sizeof(end));
	return 0;
}

/* meta.db last: nothing counts before it says so. */
static int put_meta(struct index *x, struct evidence_reader *r, uint64_t to, const int32_t *months, size_t n)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	uint64_t sum;
	int e = index_leaf_sum(r, to - 1, &sum);

	if (e == 0)
		e = db_prepare(x->meta, "INSERT OR REPLACE INTO part VALUES(?, ?)", &st);
	if (e == 0)
		e = db_exec(x->meta, "BEGIN IMMEDIATE");
	if (e < 0)
		return e;
	for (size_t i = 0; e == 0 && i < n; i++) {
		sqlite3_bind_int(st, 1, months[i]);
		sqlite3_bind_int64(st, 2, (sqlite3_int64)to);
		e = db_run(st);
	}
	if (e == 0)
		e = db_meta_put(x->meta, "indexed", to);
	if (e == 0)
		e = db_meta_put(x->meta, "last_leaf", sum);
	hook("meta");
	if (e == 0)
		e = db_exec(x->meta, "COMMIT");
	if (e < 0) {
		sqlite3_exec(x->meta, "ROLLBACK", NULL, NULL, NULL);
		return e;
	}
	hook("done");
	return snapshot_load(x->meta, &x->snap);
}

/* Months that are not the newest any more get their sums. */
static int rest_months(struct index *x, int32_t newest_before, const int32_t *months, size_t n)
{
	int32_t newest = MAX(newest_before, n ? months[n - 1] : INT32_MIN);
	int r = 0;

	for (size_t i = 0; r == 0 && i <= n; i++) {
		/* The one that was the newest until now may have nothing new in this batch. */
		int32_t month = i < n ? months[i] : newest_before;
		struct wpart *w;

		if (month == INT32_MIN || month == newest)
			continue;
		r = index_part(x, month, &w);
		if (r == 0 && w->busy == 0)
			r = busy_make(w);
	}
	hook("rest");
	return r;
}

static int put_batch(struct index *x, struct evidence_reader *r, struct batch *b, uint64_t to)
{
	_cleanup_buf_ struct buf months = BUF_INIT;
	int32_t newest = x->snap.n_parts ? x->snap.parts[x->snap.n_parts - 1].month : INT32_MIN;
	size_t at[3] = { 0 };
	int e = 0;

	if (b->rows.n)
		qsort(b->rows.p, N_ROWS(&b->rows, struct row), sizeof(struct row), row_cmp);
	if (b->subjects.n)
		qsort(b->subjects.p, N_ROWS(&b->subjects, struct subject_row), sizeof(struct subject_row), subject_cmp);
	if (b->places.n)
		qsort(b->places.p, N_ROWS(&b->places, struct place_row), sizeof(struct place_row), place_cmp);
	while (e == 0 && at[0] < N_ROWS(&b->rows, struct row)) {
		int32_t month = ROWS(&b->rows, struct row)[at[0]].month;
		struct wpart *w;

		e = index_part(x, month, &w);
		if (e == 0)
			e = put_month(w, b, at, to);
		buf_put(&months, &month, sizeof(month));
	}
	if (e == 0)
		e = buf_error(&months);
	if (e == 0)
		e = put_meta(x, r, to, ROWS(&months, int32_t), N_ROWS(&months, int32_t));
	return e < 0 ? e : rest_months(x, newest, ROWS(&months, int32_t), N_ROWS(&months, int32_t));
}

int build_batch(struct index *x, struct evidence_reader *r, uint64_t to)
{
	_cleanup_(batch_freep) struct batch *b = calloc(1, sizeof(*b));
	uint64_t from = x->snap.indexed;
	int e;

	if (!b)
		return -ENOMEM;
	e = evidence_each(r, from, to, take, b);
	if (e < 0)
		return index_fail(e, "%s", b->error ? "a leaf cannot be encoded" : evidence_why());
	e = buf_error(&b->leaves) ?: buf_error(&b->rows) ?: buf_error(&b->subjects) ?: buf_error(&b->places) ?: buf_error(&b->decisions);
	if (e == 0)
		e = decide(b, r, from);
	return e < 0 ? e : put_batch(x, r, b, to);
}
