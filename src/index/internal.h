/* internal.h — what the files of the index share.
 *
 * Purpose: keys, month arithmetic, the database helpers, the compiled filter. Ownership: as said at each struct. Units: ns UTC, seqs,
 * months as year × 12 + month − 1. Threads: none of it is shared. Errors: negative errno; -EUCLEAN: the index is damaged or of another
 * version.
 *
 * Layout (index.c): meta.db says how far the index is (`indexed`) and which months there are; YYYY-MM.db holds the events of a month of
 * event time.
 * A month's file is written first, meta.db last; each month keeps the seq up to which it has been filled (`upto`), so that a batch applied
 * again after a crash adds nothing twice.
 */
#ifndef TYTO_INDEX_INTERNAL_H
#define TYTO_INDEX_INTERNAL_H

#include "base/buf.h"
#include "base/why.h"
#include "evidence/evidence.h"
#include "index/db.h"
#include "index/index.h"

#define INDEX_FORMAT 2
#define INDEX_BATCH (512 * 1024) /* leaves sorted at once: about 60 MB */
#define INDEX_ORIGIN_MAX 256

/* Who stands behind a record, as one key: the person's number; an unknown person is −number of the account, 0 where not even that is
 * known. */
int64_t index_who_key(const struct leaf *l);

/* What a record is about, as one key: an object, or (no object known) a path, and the document where recorded. At most 3. SUBJECT_TO finds
 * the record of a copy by where it went; that is another object's place, so `who` does not count it. */
enum subject_kind { SUBJECT_OBJECT, SUBJECT_PATH, SUBJECT_DOCUMENT, SUBJECT_TO };
#define SUBJECT(kind, number) ((int64_t)((uint64_t)(number) << 2 | (kind)))
#define SUBJECTS_MAX 3
size_t index_subjects(const struct leaf *l, int64_t out[static SUBJECTS_MAX]);

/* Where the object stood, component numbers. At most 2. */
#define PLACES_MAX 2
size_t index_places(const struct leaf *l, uint64_t out[static PLACES_MAX]);

/* verb | via << 8 | accesses << 16 of a row in by_subject. */
static inline uint64_t index_flags(const struct leaf *l, uint64_t accesses)
{
	return l->value[EV_VERB] | (l->present & EV_BIT(EV_VIA) ? l->value[EV_VIA] << 8 : 0) | MIN(accesses, (uint64_t)1 << 46) << 16;
}

static inline uint64_t leaf_accesses(const struct leaf *l)
{
	return leaf_has(l, EV_COUNT) ? l->value[EV_COUNT] : 1;
}

/* Accesses that a record adds: one that decides what an `open` was for (refers) is the same access and adds only what its count has
 * more. */
static inline bool leaf_decides(const struct leaf *l)
{
	return leaf_has(l, EV_REFERS) && l->value[EV_VERB] != VERB_OPEN && l->value[EV_VERB] != VERB_GAP;
}
int index_accesses(struct evidence_reader *r, uint64_t accesses, uint64_t refers, uint64_t *ret);

static inline int64_t leaf_time(const struct leaf *l)
{
	return (int64_t)l->value[EV_TIME];
}

/* Months. */
int32_t month_of(int64_t ns);
int64_t month_start(int32_t month); /* INT64_MIN/MAX where it cannot be said */
void month_file(int32_t month, char out[static 24]);

/* What struct index_agg gathers about one who. */
struct agg {
	int64_t who, first, last;
	uint64_t count, verbs, vias;
	bool used;
};
struct aggs { /* by who; owned, aggs_free */
	struct agg *p;
	size_t n, cap; /* cap: power of two */
};
void aggs_free(struct aggs *a);
/* Finds or adds; NULL: no memory. */
struct agg *aggs_at(struct aggs *a, int64_t who);
int aggs_add(struct aggs *a, int64_t who, int64_t first, int64_t last, uint64_t count, uint64_t verbs, uint64_t vias);

/* Tells each person of these, most recent last access first; they are sorted for it. */
int who_tell(struct index_query *q, struct aggs *who, int (*cb)(void *arg, const struct index_who *w), void *arg);

/* A consistent view of meta.db. */
struct part {
	int32_t month;
	uint64_t upto; /* all events of the month with a smaller seq are in */
};
struct snapshot { /* owned: snapshot_free */
	uint64_t generation, indexed, last_leaf;
	char origin[INDEX_ORIGIN_MAX];
	struct part *parts; /* by month */
	size_t n_parts;
};
void snapshot_free(struct snapshot *s);
int snapshot_load(sqlite3 *meta, struct snapshot *ret);
/* 0: the index is of this log; -EUCLEAN: of another. */
int snapshot_check(const struct snapshot *s, const char *state, struct evidence_reader *r, uint64_t size);
/* A short sum of a leaf, to tell logs of the same name apart. */
int index_leaf_sum(struct evidence_reader *r, uint64_t seq, uint64_t *ret);
void index_origin(const char *state, char out[static INDEX_ORIGIN_MAX]);
/* Opens a month; -EUCLEAN unless it is of the generation and at least as far as meta.db says; -ESTALE when the index was built anew
 * meanwhile. */
int part_open(const char *dir, const struct snapshot *s, const struct part *p, bool write, sqlite3 **ret);
/* The month's own `upto`, in the caller's transaction. */
int part_upto(sqlite3 *db, const struct snapshot *s, const struct part *p, uint64_t *ret);

/* The folder of the generation that counts (owned by the caller); -ENOENT there is no index, -EUCLEAN. */
#define INDEX_CURRENT "current"
#define INDEX_FOLDER_LEN 18
int index_folder(const char *top, char **ret);

/* Somebody who may only read met damage: the writer removes and builds anew at its next turn. */
#define INDEX_DAMAGED "damaged"
void index_mark_damaged(const char *dir);

extern const char *const index_part_schema;

/* Writer (index.c, build.c). */
struct wpart {
	sqlite3 *db;
	struct db_bulk event, subject, place;
	int32_t month;
	uint64_t upto, used;
	uint64_t busy; /* the sums are right for the rows below this seq; 0: there are none */
};
#define INDEX_OPEN_PARTS 6
struct index {
	char *state, *top, *dir; /* top: STATE/index; dir: the folder of the generation in it */
	sqlite3 *meta;
	struct snapshot snap;
	struct wpart open[INDEX_OPEN_PARTS];
	uint64_t turn;
	bool checked; /* against the log */
};
int index_part(struct index *x, int32_t month, struct wpart **ret);

/* Sums of busy subjects (busy.c). A row of by_subject: */
struct subject_row {
	int64_t subject, time, who;
	uint64_t seq, flags;
	int32_t month;
};
/* Rows from which on a subject of a month has sums, and rows of a batch that are added to sums one by one. Variables for the tests. */
extern unsigned index_busy_min, index_busy_few;
/* The month rests: its sums are made, in a transaction of their own. */
int busy_make(struct wpart *w);
/* Before rows are added, in the caller's transaction: false where the sums are given up for them. */
int busy_keep(struct wpart *w, size_t rows, bool *ret);
int busy_add(struct wpart *w, const struct subject_row *s);
/* The sums of a subject, where they may be used: 1 taken, 0 there are none. */
int busy_take(sqlite3 *db, int64_t subject, struct aggs *to);
/* Are there sums, right for all rows of the month, none of which is from behind `indexed`? */
int busy_usable(sqlite3 *db, uint64_t indexed, bool *ret);

int build_batch(struct index *x, struct evidence_reader *r, uint64_t to);
/* Tests only: called at the named steps of a build. */
extern void (*index_hook)(const char *step);

/* Reader (query.c). */
struct rest { /* the file of a month as it was when it was opened */
	uint64_t ino, size;
	int64_t mtime;
};
extern int64_t index_rest_ns; /* unwritten for so long; a variable for the tests */
struct rpart {
	sqlite3 *db;
	int32_t month;
	bool resting;
	struct rest rest;
};
#define QUERY_OPEN_PARTS 64
/* Whose and when each leaf of the tail is: the same tail is asked again and again while the index is behind. Leaf from + i is v[i]. */
struct tail_seen {
	struct tail_entry {
		int64_t who, time; /* time INT64_MAX: not an event */
	} *v;
	size_t n, cap;
	uint64_t from;
};

struct index_query {
	char *state, *top, *dir;
	struct evidence_reader *r;
	const struct names *names;
	uint64_t size;       /* of the log */
	bool use;            /* the index; else all is tail */
	sqlite3 *meta;
	uint64_t meta_ino;
	struct snapshot snap;
	struct rpart parts[QUERY_OPEN_PARTS];
	size_t n_parts;
	struct tail_seen seen;
};
static inline uint64_t query_tail(const struct index_query *q)
{
	return q->use ? q->snap.indexed : 0;
}
int query_refresh(struct index_query *q);
/* The index cannot be used: marks it when it is damaged, and goes on with the log alone. -ESTALE: take a new view and begin anew. */
void query_drop(struct index_query *q, int error);
/* A month in a read transaction; belongs to the query until query_part_done. */
int query_part(struct index_query *q, const struct part *p, sqlite3 **ret);
void query_part_done(struct index_query *q, sqlite3 *db);
/* One look at a month: `look` gathers into `into`, and `undo` takes back what it gathered. A month that rests is read without locks and
 * shared memory (SQLite's "immutable": on a busy disk its shared memory costs more than the answer), and read again as usual where it turns
 * out to have been written to meanwhile. */
int query_look(struct index_query *q, const struct part *p, int (*look)(sqlite3 *db, void *into), void (*undo)(void *into), void *into);

/* Set of components (paths.c). Owned: pathset_free. */
struct pathset {
	uint64_t *bits;
	uint64_t n;      /* numbers below */
	uint64_t count;  /* set */
};
void pathset_free(struct pathset *s);
static inline bool pathset_has(const struct pathset *s, uint64_t component)
{
	return component < s->n && (s->bits[component / 64] >> (component % 64) & 1);
}
/* The first one above `after`; 0 no more. */
uint64_t pathset_next(const struct pathset *s, uint64_t after);
/* Components whose path the pattern matches; without wildcards also everything below. */
int pathset_match(const struct names *n, str pattern, struct pathset *ret);

struct subjects { /* sorted, unique after subjects_sort; owned: subjects_free */
	int64_t *p;
	size_t n, cap;
};
void subjects_free(struct subjects *s);
int subjects_add(struct subjects *s, int64_t subject);
void subjects_sort(struct subjects *s);
bool subjects_have(const struct subjects *s, int64_t subject);
/* Objects that stood at a component of the set, by the index alone; stops with -E2BIG above max. */
int query_places(struct index_query *q, const struct pathset *set, size_t max, struct subjects *ret);

/* Tail (tail.c): leaves [from, to) of the log in order of seq. `accesses` is what index_accesses says. */
int tail_each(struct index_query *q, uint64_t from, int (*cb)(void *arg, uint64_t seq, const struct leaf *l, uint64_t accesses), void *arg);

/* Compiled filter: numbers only. Owned: plan_free. */
struct plan {
	int64_t since, until;      /* [since, until) */
	uint64_t below;            /* leaves before this one */
	int64_t *whos;             /* sorted */
	size_t n_whos;
	bool by_who, by_path, nothing;
	uint64_t client, document, object; /* 0: not asked */
	uint64_t verbs, vias, labels;
	struct pathset path;
	bool reverse;
	uint64_t limit;
};
bool plan_match(const struct plan *p, const struct leaf *l);

struct place_in_time { /* where an answer stands: order of events */
	int64_t time;
	uint64_t seq;
};
static inline int order_cmp(struct place_in_time a, struct place_in_time b)
{
	if (a.time != b.time)
		return a.time < b.time ? -1 : 1;
	return a.seq < b.seq ? -1 : a.seq > b.seq;
}

/* The tail in order of (time, seq), a window of it at a time, so that memory is bounded whatever its length. Owned: tail_free. */
struct tail {
	struct index_query *q;
	const struct plan *plan;
	struct place_in_time *p; /* sorted in the order asked */
	size_t n, cap, at, max;
	bool more;               /* the window was too small for all */
	bool begun;
	struct place_in_time after; /* everything up to here was given */
};
void tail_init(struct tail *t, struct index_query *q, const struct plan *plan, const struct place_in_time *after);
void tail_free(struct tail *t);
/* 1 and the next, 0 none, -errno. */
int tail_peek(struct tail *t, struct place_in_time *ret);
void tail_next(struct tail *t);

#endif
