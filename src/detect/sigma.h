/* sigma.h — detection rules in the Sigma format, beside events and beside records of any fields.
 *
 * Purpose: load rules, correlations and filters from files and folders; feed events; each match is told with its group, count, seqs and times. What the
 * specification leaves open is decided in docs/rules.md.
 * Ownership: struct sigma owns rules and state; what a callback is given lives until it returns, rules as long as the struct.
 * Units: ns UTC, bytes. Event time is the only clock. Threads: one at a time a struct.
 * Errors: a bad file or rule is never an error of the load: it stands in the list of rules as SIGMA_BROKEN or SIGMA_UNSUPPORTED, with one line
 * that says why. Functions return negative errno for what concerns the whole (no memory, a path that cannot be read).
 */
#ifndef TYTO_SIGMA_H
#define TYTO_SIGMA_H

#include "base/buf.h"
#include "event/event.h"

#define SIGMA_FILE_MAX ((size_t)1 << 20) /* bytes of a file of rules */
#define SIGMA_SEQS_MAX 64                /* seqs told with a hit: the newest */

struct sigma;

enum sigma_state {
	SIGMA_RUNS,
	SIGMA_NEVER,       /* well-formed, but what it needs is never recorded here; why names it */
	SIGMA_UNSUPPORTED, /* why names the construct */
	SIGMA_BROKEN,      /* not a rule */
	SIGMA_STATES_
};
enum sigma_type { SIGMA_RULE, SIGMA_CORRELATION, SIGMA_FILTER };

/* A number that a record must reach for the rule to match: `field|gte: least`. */
#define SIGMA_ASKS_MAX 4
struct sigma_ask {
	str field;
	double least;
	bool above; /* gt */
};

/* Of a correlation: what it counts, and from how many on, in what time; least 0 where that is no number of them. */
struct sigma_count {
	const char *counts;
	str counted; /* the field; empty: accesses, or rules */
	double least;
	int64_t span; /* ns */
};
#define SIGMA_PARTS_MAX 4

struct sigma_rule {
	str file, title, id, name, level;
	str product, category, service;
	const str *tags;
	size_t n_tags;
	unsigned line;
	enum sigma_type type;
	enum sigma_state state;
	const char *why; /* where it does not run */
	/* correlation: what it counts, and from how many on, in what time; least 0 where that is no number of them */
	const char *counts;
	str counted;     /* the field; empty: accesses, or rules */
	double least;
	int64_t span;    /* ns */
	double percentile; /* of value_percentile */
	/* what each record must reach; of a correlation of one rule: of that */
	struct sigma_ask asks[SIGMA_ASKS_MAX];
	size_t n_asks;
	bool composed; /* a correlation of correlations */
	struct sigma_count parts[SIGMA_PARTS_MAX]; /* temporal, of correlations that must all hold: these */
	size_t n_parts;
};

struct sigma_hit {
	const struct sigma_rule *rule;
	str group;           /* "person=… client=…"; empty without group-by */
	uint64_t count;      /* accesses behind it (folded ones counted), or the correlation's number */
	const uint64_t *seqs; /* at most SIGMA_SEQS_MAX, by event time */
	size_t n_seqs;
	int64_t first, last;
	uint64_t newest;      /* highest seq of all that it counted */
};
typedef void (*sigma_hit_fn)(void *arg, const struct sigma_hit *h);

/* A record of any fields: several of one name are several values. */
struct sigma_field {
	str name, value;
	bool null;
};
struct sigma_record {
	const struct sigma_field *fields;
	size_t n;
	int64_t time;
	uint64_t seq, count; /* count 0 is 1 */
};

/* What is known beside a record, of its person and document, when it is fed (profile.h, decoys.h). Append-only; names in sigma_field.c. */
enum beside_field {
	BESIDE_UNIT, BESIDE_ROLE, BESIDE_MANAGER, BESIDE_JOINED_DAYS, BESIDE_LEAVES_DAYS, BESIDE_LEFT, BESIDE_SERVICE, BESIDE_PROGRAM_NEW,
	BESIDE_CLIENT_NEW, BESIDE_DAY_DOCUMENTS, BESIDE_DAY_LABELLED, BESIDE_OWN_RATIO, BESIDE_LABELLED_RATIO, BESIDE_PEER_RATIO, BESIDE_DECOY,
	BESIDE_RENAME, BESIDE_READ_TODAY, BESIDE_DOCUMENT_NEW, BESIDE_NEW_IN, BESIDE_FIELDS_
};
struct sigma_beside {
	str value[BESIDE_FIELDS_]; /* p NULL: not known */
};

struct sigma_stat {
	uint64_t fed, evaluated; /* records; rules that the prefilter let through */
	uint64_t limits;         /* expressions given up at their match limit: taken as no match */
	uint64_t late;           /* records behind their window */
	uint64_t full;           /* state of correlations that was given up because it was full */
	uint64_t groups;         /* in memory */
};

int sigma_new(struct sigma **ret);
struct sigma *sigma_free(struct sigma *s); /* accepts NULL, returns NULL */
static inline void sigma_freep(struct sigma **s)
{
	*s = sigma_free(*s);
}
#define _cleanup_sigma_ _cleanup_(sigma_freep)

/* Documents of one file; `file` is what messages call it. Both are copied. */
int sigma_add_text(struct sigma *s, str file, str text);
/* A file, or all *.yml and *.yaml below a folder in the order of their names; symbolic links below it are not followed. */
int sigma_add_path(struct sigma *s, const char *path);
/* The same in steps: each file is named, then read (-EFBIG: too large), then added; one that could not be read becomes a broken rule. */
struct stat;
typedef int sigma_walk_fn(void *arg, int dir, const char *name, const char *shown, const struct stat *st);
int sigma_walk(const char *path, sigma_walk_fn *fn, void *arg);
int sigma_read_file(int dir, const char *name, struct buf *b);
int sigma_add_unread(struct sigma *s, str file, int error);
/* After the last rule, before the first record: joins correlations and filters, builds the prefilter. */
int sigma_ready(struct sigma *s);

size_t sigma_rules(const struct sigma *s);
const struct sigma_rule *sigma_rule(const struct sigma *s, size_t i);

int sigma_feed(struct sigma *s, const struct event *e, sigma_hit_fn fn, void *arg);
/* The same with what is known beside it; NULL: nothing. */
int sigma_feed_beside(struct sigma *s, const struct event *e, const struct sigma_beside *b, sigma_hit_fn fn, void *arg);
/* On its own fields, whatever the rules' log sources are. */
int sigma_feed_fields(struct sigma *s, const struct sigma_record *r, sigma_hit_fn fn, void *arg);
void sigma_stat(const struct sigma *s, struct sigma_stat *ret);
/* Forgets what was fed: correlations begin anew. */
void sigma_forget(struct sigma *s);
/* How far back in time a record may still count, over correlations of correlations. */
int64_t sigma_reach(const struct sigma *s);

#endif
