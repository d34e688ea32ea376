/* paths.c: components that a pattern means, the objects that stood there, an object's paths. */
#include <errno.h>

#include "base/array.h"
#include "base/varint.h"
#include "index/internal.h"

void pathset_free(struct pathset *s)
{
	free(s->bits);
	*s = (struct pathset){ 0 };
}

uint64_t pathset_next(const struct pathset *s, uint64_t after)
{
	uint64_t c = after + 1;

	while (c < s->n) {
		uint64_t word = s->bits[c / 64] >> (c % 64);

		if (word)
			return c + (uint64_t)__builtin_ctzll(word) < s->n ? c + (uint64_t)__builtin_ctzll(word) : 0;
		c = (c / 64 + 1) * 64;
	}
	return 0;
}

#define PARENTS 512

static void set_bit(uint64_t *bits, uint64_t n)
{
	bits[n / 64] |= (uint64_t)1 << (n % 64);
}

static bool has_bit(const uint64_t *bits, uint64_t n)
{
	return bits[n / 64] >> (n % 64) & 1;
}

/* The directory before the first wildcard: nothing outside of it can match. */
static str fixed_directory(str pattern)
{
	size_t n = 0, slash = 0;

	for (; n < pattern.n && !memchr("*?[\\", pattern.p[n], 4); n++)
		if (pattern.p[n] == '/')
			slash = n;
	return (str){ pattern.p, slash };
}

static bool has_wildcard(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (memchr("*?[\\", s.p[i], 4))
			return true;
	return false;
}

static bool matches(const struct names *n, uint64_t component, str pattern, struct buf *path)
{
	buf_clear(path);
	return names_path(n, component, path) == 0 && buf_error(path) == 0 && str_glob(pattern, buf_str(path));
}

/* Parents are introduced before their children: one pass in order of the numbers finds everything below a directory. */
int pathset_match(const struct names *n, str pattern, struct pathset *ret)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	_cleanup_free_ uint64_t *below = NULL;
	uint64_t parents[PARENTS], count = names_count(n, NAME_COMPONENT), root, words = count / 64 + 1;
	bool wild = has_wildcard(pattern), whole = wild || !memchr(pattern.p, '/', pattern.n);
	struct pathset s = { calloc(words, 8), count + 1, 0 };
	str dir = wild ? fixed_directory(pattern) : whole ? STR_NONE : pattern;

	while (!wild && dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.n--;
	below = calloc(words, 8);
	if (!s.bits || !below) {
		pathset_free(&s);
		return -ENOMEM;
	}
	root = whole && dir.n == 0 ? 0 : names_find_path(n, dir);
	for (uint64_t c = root ? root : 1, first = c, have = 0; c <= count && (root || whole); c++) {
		uint64_t parent = 0;

		if (root && c - first >= have) {
			first = c;
			have = names_parents(n, c, parents, ARRAY_SIZE(parents));
			if (have == 0)
				break;
		}
		if (root)
			parent = parents[c - first];
		if (root && c != root && (parent < root || parent >= c || !has_bit(below, parent)))
			continue;
		set_bit(below, c);
		if (wild || (whole && !root) ? matches(n, c, pattern, &path) : true) {
			set_bit(s.bits, c);
			s.count++;
		}
		if (dir.n && !root)
			break; /* the directory is not known: only what is matched by its last component can be */
	}
	*ret = s;
	return 0;
}

void subjects_free(struct subjects *s)
{
	free(s->p);
	*s = (struct subjects){ 0 };
}

int subjects_add(struct subjects *s, int64_t subject)
{
	if (array_room(s->p, s->cap, s->n + 1) < 0)
		return -ENOMEM;
	s->p[s->n++] = subject;
	return 0;
}

static int i64_cmp(const void *va, const void *vb)
{
	int64_t a = *(const int64_t *)va, b = *(const int64_t *)vb;

	return a < b ? -1 : a > b;
}

void subjects_sort(struct subjects *s)
{
	size_t n = 0;

	if (s->n)
		qsort(s->p, s->n, sizeof(*s->p), i64_cmp);
	for (size_t i = 0; i < s->n; i++)
		if (n == 0 || s->p[n - 1] != s->p[i])
			s->p[n++] = s->p[i];
	s->n = n;
}

bool subjects_have(const struct subjects *s, int64_t subject)
{
	return s->n && bsearch(&subject, s->p, s->n, sizeof(subject), i64_cmp);
}

static int places_take(sqlite3_stmt *st, const struct pathset *set, size_t max, struct subjects *ret)
{
	int r;

	while ((r = db_step(st)) == 1) {
		if (!pathset_has(set, (uint64_t)sqlite3_column_int64(st, 0)))
			continue;
		r = subjects_add(ret, SUBJECT(SUBJECT_OBJECT, sqlite3_column_int64(st, 1)));
		if (r < 0)
			return r;
		if (ret->n > max) {
			subjects_sort(ret);
			if (ret->n > max / 2)
				return -E2BIG;
		}
	}
	sqlite3_reset(st);
	return r;
}

static int places_of_month(sqlite3 *db, const struct pathset *set, size_t max, struct subjects *ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	bool few = set->count <= 256;
	int r = db_prepare(db, few ? "SELECT component, object FROM place WHERE component=?" : "SELECT component, object FROM place", &st);

	if (!few)
		return r < 0 ? r : places_take(st, set, max, ret);
	for (uint64_t c = 0; r >= 0 && (c = pathset_next(set, c));) {
		sqlite3_bind_int64(st, 1, (sqlite3_int64)c);
		r = places_take(st, set, max, ret);
	}
	return r;
}

struct places_look {
	const struct pathset *set;
	size_t max;
	struct subjects found; /* of one month: it can be taken back */
};

static int look_places(sqlite3 *db, void *into)
{
	struct places_look *l = into;

	return places_of_month(db, l->set, l->max, &l->found);
}

static void undo_places(void *into)
{
	((struct places_look *)into)->found.n = 0;
}

int query_places(struct index_query *q, const struct pathset *set, size_t max, struct subjects *ret)
{
	struct places_look l = { .set = set, .max = max };
	int r = 0;

	for (size_t i = 0; r >= 0 && q->use && i < q->snap.n_parts; i++) {
		l.found.n = 0;
		r = query_look(q, &q->snap.parts[i], look_places, undo_places, &l);
		for (size_t k = 0; r >= 0 && k < l.found.n; k++)
			r = subjects_add(ret, l.found.p[k]);
		subjects_sort(ret);
		if (r >= 0 && ret->n > max)
			r = -E2BIG;
	}
	subjects_free(&l.found);
	return MIN(r, 0);
}

/* The paths of one object, as struct agg by component. */
struct paths_of {
	uint64_t object;
	struct aggs *to;
};

static int paths_tail(void *arg, uint64_t seq, const struct leaf *l, uint64_t accesses)
{
	struct paths_of *p = arg;
	uint64_t places[PLACES_MAX];
	size_t n = index_places(l, places);
	int r = 0;

	if (n == 0 || l->value[EV_OBJECT] != p->object)
		return 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = aggs_add(p->to, (int64_t)places[i], leaf_time(l), leaf_time(l), 1, 0, 0);
	return r;
}

static int paths_month(sqlite3 *db, const struct paths_of *p)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(db, "SELECT component, first, last FROM place WHERE object=?", &st);

	if (r < 0)
		return r;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)p->object);
	while ((r = db_step(st)) == 1) {
		r = aggs_add(p->to, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2), 1, 0, 0);
		if (r < 0)
			return r;
	}
	return r;
}

static int paths_gather(struct index_query *q, struct paths_of *p)
{
	int r = 0;

	for (size_t i = 0; q->use && r == 0 && i < q->snap.n_parts; i++) {
		sqlite3 *db;

		r = query_part(q, &q->snap.parts[i], &db);
		if (r == 0) {
			r = paths_month(db, p);
			query_part_done(q, db);
		}
	}
	return r < 0 ? r : tail_each(q, query_tail(q), paths_tail, p);
}

static int by_first(const void *va, const void *vb)
{
	const struct agg *a = va, *b = vb;

	if (a->used != b->used)
		return a->used ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->who < b->who ? -1 : a->who > b->who;
}

int index_query_paths(struct index_query *q, const struct event_object *o, int (*cb)(void *arg, str path, int64_t first, int64_t last),
		void *arg)
{
	_cleanup_(aggs_free) struct aggs a = { 0 };
	_cleanup_buf_ struct buf key = BUF_INIT, path = BUF_INIT;
	struct paths_of p = { .to = &a };
	int r = query_refresh(q);

	buf_put_uvar(&key, o->dev);
	buf_put_uvar(&key, o->ino);
	buf_put_uvar(&key, o->gen);
	p.object = r < 0 ? 0 : names_find(q->names, NAME_OBJECT, buf_str(&key));
	if (r < 0 || !p.object)
		return r < 0 ? r : -ENOENT;
	while ((r = paths_gather(q, &p)) < 0 && q->use) {
		query_drop(q, r);
		aggs_free(&a);
	}
	if (a.n)
		qsort(a.p, a.cap, sizeof(*a.p), by_first);
	for (size_t i = 0; r >= 0 && i < a.n; i++) {
		buf_clear(&path);
		if (names_path(q->names, (uint64_t)a.p[i].who, &path) < 0)
			continue; /* erased */
		if (cb(arg, buf_str(&path), a.p[i].first, a.p[i].last))
			break;
	}
	return MIN(r, 0);
}

int index_paths(const char *state, const struct event_object *o, int (*cb)(void *arg, str path, int64_t first, int64_t last), void *arg)
{
	struct index_query *q;
	int r = index_query_open(state, &q);

	if (r < 0)
		return r;
	r = index_query_paths(q, o, cb, arg);
	index_query_close(q);
	return r;
}
