/* busy.c: sums by person of the subjects that have many rows in a month, so that who had a document that everybody opens is answered
 * without reading each access. They are made when a month is not the newest any more: until then its rows come in by the second, and
 * reading a month of them is quick. What comes late is added to them; where much comes late they are given up and made anew. */
#include <errno.h>

#include "index/internal.h"

unsigned index_busy_min = 256, index_busy_few = 4096;

static int put_sums(struct wpart *w, sqlite3_stmt *insert, int64_t subject, const struct aggs *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->cap; i++) {
		const struct agg *g = &a->p[i];

		if (!g->used)
			continue;
		sqlite3_bind_int64(insert, 1, subject);
		sqlite3_bind_int64(insert, 2, g->who);
		sqlite3_bind_int64(insert, 3, g->first);
		sqlite3_bind_int64(insert, 4, g->last);
		sqlite3_bind_int64(insert, 5, (sqlite3_int64)MIN(g->count, (uint64_t)INT64_MAX));
		sqlite3_bind_int64(insert, 6, (sqlite3_int64)g->verbs);
		sqlite3_bind_int64(insert, 7, (sqlite3_int64)g->vias);
		r = db_run(insert);
	}
	return r;
}

static int sum_rows(sqlite3_stmt *rows, int64_t subject, struct aggs *to)
{
	int r;

	sqlite3_bind_int64(rows, 1, subject);
	while ((r = db_step(rows)) == 1) {
		int64_t time = sqlite3_column_int64(rows, 0), who = sqlite3_column_int64(rows, 1);
		uint64_t flags = (uint64_t)sqlite3_column_int64(rows, 2), via = flags >> 8 & 0xff;

		if ((flags & 0xff) == VERB_GAP)
			continue;
		r = aggs_add(to, who, time, time, flags >> 16, (uint64_t)1 << (flags & 0xff), via ? (uint64_t)1 << via : 0);
		if (r < 0)
			return r;
	}
	sqlite3_reset(rows);
	return r;
}

static int make(struct wpart *w)
{
	_cleanup_stmt_ sqlite3_stmt *many = NULL, *rows = NULL, *insert = NULL;
	int r = db_prepare(w->db, "SELECT subject FROM by_subject GROUP BY subject HAVING count(*) >= ?", &many);

	if (r == 0)
		r = db_prepare(w->db, "SELECT time, who, flags FROM by_subject WHERE subject=?", &rows);
	if (r == 0)
		r = db_prepare(w->db, "INSERT INTO busy VALUES(?, ?, ?, ?, ?, ?, ?)", &insert);
	if (r < 0)
		return r;
	sqlite3_bind_int64(many, 1, index_busy_min);
	while ((r = db_step(many)) == 1) {
		_cleanup_(aggs_free) struct aggs a = { 0 };
		int64_t subject = sqlite3_column_int64(many, 0);

		r = sum_rows(rows, subject, &a);
		if (r == 0)
			r = put_sums(w, insert, subject, &a);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : db_meta_put(w->db, "busy", w->upto);
}

int busy_make(struct wpart *w)
{
	int r = db_exec(w->db, "BEGIN IMMEDIATE; DELETE FROM busy");

	if (r == 0)
		r = make(w);
	if (r == 0)
		r = db_exec(w->db, "COMMIT");
	if (r < 0)
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
	else
		w->busy = w->upto;
	return r;
}

int busy_keep(struct wpart *w, size_t rows, bool *ret)
{
	*ret = w->busy && w->busy == w->upto && rows <= index_busy_few;
	if (*ret || w->busy == 0)
		return 0;
	w->busy = 0;
	return db_meta_put(w->db, "busy", 0);
}

int busy_add(struct wpart *w, const struct subject_row *s)
{
	_cleanup_stmt_ sqlite3_stmt *has = NULL, *add = NULL;
	uint64_t verb = s->flags & 0xff, via = s->flags >> 8 & 0xff;
	const int64_t v[] = { s->subject, s->who, s->time, s->time, (int64_t)(s->flags >> 16), (int64_t)((uint64_t)1 << verb),
		via ? (int64_t)((uint64_t)1 << via) : 0 };
	int r;

	if (verb == VERB_GAP)
		return 0;
	r = db_prepare(w->db, "SELECT 1 FROM busy WHERE subject=? LIMIT 1", &has);
	if (r < 0)
		return r;
	sqlite3_bind_int64(has, 1, s->subject);
	r = db_step(has);
	if (r != 1)
		return r;
	r = db_prepare(w->db, "INSERT INTO busy VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET first=min(first, excluded.first),"
		" last=max(last, excluded.last), count=count+excluded.count, verbs=verbs|excluded.verbs, vias=vias|excluded.vias", &add);
	for (int i = 0; r == 0 && i < (int)ARRAY_SIZE(v); i++)
		sqlite3_bind_int64(add, i + 1, v[i]);
	return r < 0 ? r : db_run(add);
}

int busy_usable(sqlite3 *db, uint64_t indexed, bool *ret)
{
	uint64_t busy, upto;
	int r = db_meta_get(db, "busy", &busy);

	if (r == 0)
		r = db_meta_get(db, "upto", &upto);
	if (r == 0)
		*ret = busy && busy == upto && upto <= indexed;
	return r;
}

int busy_take(sqlite3 *db, int64_t subject, struct aggs *to)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(db, "SELECT who, first, last, count, verbs, vias FROM busy WHERE subject=?", &st), any = 0;

	if (r < 0)
		return r;
	sqlite3_bind_int64(st, 1, subject);
	for (; (r = db_step(st)) == 1; any = 1) {
		r = aggs_add(to, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2),
			(uint64_t)sqlite3_column_int64(st, 3), (uint64_t)sqlite3_column_int64(st, 4), (uint64_t)sqlite3_column_int64(st, 5));
		if (r < 0)
			return r;
	}
	return r < 0 ? r : any;
}
