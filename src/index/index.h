/* index.h — answers over years of events; a view of the evidence log, rebuilt from it when it is gone.
 *
 * Purpose: `events`, `who`, `status.indexed`. Stored in SQLite (WAL), a file a month of event time, built in key order; see index.c for the
 * schema.
 * Ownership: struct index is the only writer; struct index_query reads beside it. Units: ns UTC, seqs. Threads: each struct one thread at a
 * time.
 * Errors: negative errno; index_why() says more. A damaged or missing index is not an error: it is removed and built anew from the log.
 */
#ifndef TYTO_INDEX_H
#define TYTO_INDEX_H

#include "evidence/evidence.h"

struct index;

const char *index_why(void);

int index_open(const char *state, struct index **ret);
struct index *index_close(struct index *x);
/* Takes in leaves [indexed, upto) from the log, sorted in bulk; never ahead of what is durable. budget: stops after about so many leaves
 * (0: all). */
int index_advance(struct index *x, struct evidence_reader *r, uint64_t upto, uint64_t budget);
uint64_t index_indexed(const struct index *x); /* leaves taken in */

struct index_filter {
	int64_t since, until;      /* 0: open */
	const str *persons; size_t n_persons;
	str path_glob;             /* matches path or to */
	str shown_glob;            /* for who masks (query_shown): path or to as shown match this, too; the index does not look at it */
	const uint8_t *document;   /* 32 bytes */
	const struct event_object *object;
	uint64_t verbs;            /* bit a verb; 0 all */
	uint64_t vias;             /* bit a via; 0 all */
	uint64_t labels;           /* bit a label; 0 all */
	str client;
	uint64_t below;            /* records before this leaf only; 0: all */
	uint64_t limit;            /* 0 none */
	bool reverse;              /* newest first */
};
/* Would index_events give this event? For records as they come; limit and reverse say nothing here. */
bool index_matches(const struct index_filter *f, const struct event *e);
/* Order of time, then seq. The tail of the log that is not indexed yet is looked through too. cb returns non-zero to stop. */
int index_events(const char *state, const struct index_filter *f, int (*cb)(void *arg, const struct event *e), void *arg);

struct index_who {
	str person;        /* STR_NONE: unknown persons */
	str person_basis;  /* for an unknown person: "uid:1234" where the uid is known */
	int64_t first, last;
	uint64_t count;
	uint64_t verbs;    /* bits */
	uint64_t vias;     /* bits */
};
struct index_subject {  /* what was asked */
	str path;              /* a path: the objects that stood there, wherever they went */
	const uint8_t *document;
	const struct event_object *object;
	int64_t since, until;
};
/* One call a person, most recent last access first. -ENOENT: nothing is known of it. */
int index_who(const char *state, const struct index_subject *s, int (*cb)(void *arg, const struct index_who *w), void *arg);

/* Documents' present and past paths: each path the object had. */
int index_paths(const char *state, const struct event_object *o, int (*cb)(void *arg, str path, int64_t first, int64_t last), void *arg);

/* The same questions asked again and again (console, keeper): keeps the log's reader and the months open; each call sees the newest
 * state. */
struct index_query;
int index_query_open(const char *state, struct index_query **ret);
struct index_query *index_query_close(struct index_query *q);
int index_query_events(struct index_query *q, const struct index_filter *f, int (*cb)(void *arg, const struct event *e), void *arg);
/* The same records as leaves, names as numbers; `cb` does not ask q. */
int index_query_leaves(struct index_query *q, const struct index_filter *f, int (*cb)(void *arg, uint64_t seq, const struct leaf *l),
	void *arg);
int index_query_who(struct index_query *q, const struct index_subject *s, int (*cb)(void *arg, const struct index_who *w), void *arg);
int index_query_paths(struct index_query *q, const struct event_object *o, int (*cb)(void *arg, str path, int64_t first, int64_t last),
		void *arg);

/* Several things, each in a time of its own, asked as one: a record counts once. Where contents are among them, a record that says another
 * content does not count, whatever object it is about. */
struct index_span {
	const uint8_t *document;           /* one of these three: records that say this content, */
	const struct event_object *object; /* records about this object, */
	str path;                          /* records without an object at exactly this path */
	int64_t since, until;              /* 0: open */
};
/* What these programs did as root, as the account or as nobody that is known does not count: our own reading, to compare. */
struct index_own {
	str programs[4];
	uint32_t account;
};
/* One call a person, most recent last access first; none at all where nothing is known. own: NULL all counts. */
int index_query_who_spans(struct index_query *q, const struct index_span *s, size_t n, const struct index_own *own,
	int (*cb)(void *arg, const struct index_who *w), void *arg);
/* When one thing met these verbs (bits): sorted, the caller's to free. */
int index_query_times(struct index_query *q, const struct index_span *s, uint64_t verbs, int64_t **ret, size_t *ret_n);

struct index_stat { uint64_t indexed; uint64_t disk; };
int index_stat(const char *state, struct index_stat *ret);

#endif
