/* fold.h — many like accesses, two records.
 *
 * Purpose: the folding of the contract: accesses with the same (object, verb, seen, person facts, program, session) within 10 s of the
 * first are one record at once, and one more with the count of the rest when the window ends.
 * Ownership: the struct owns its table (bounded; the oldest window is ended early when it is full); `who` is referenced through the two
 * callbacks. Threads: recorder only. Units: ns. Errors: fold_new -ENOMEM.
 */
#ifndef TYTO_FOLD_H
#define TYTO_FOLD_H

#include "base/base.h"

#define FOLD_WINDOW_NS (10 * NSEC_PER_SEC)

struct fold_access {
	uint64_t object; /* key of the watched set */
	uint64_t who_id; /* hash of person facts, program and session: what folds together */
	uint8_t verb, seen;
	uint64_t count;  /* 0: goes on with an access that was counted already */
	int64_t time;
	void *who;       /* facts of the first access */
};

struct fold_rest {
	struct fold_access first; /* count is that of the rest */
	int64_t time, end;        /* of the rest: first access, end of the last */
};

struct fold_ops {
	void (*ref)(void *who);
	void (*unref)(void *who);
	void (*rest)(const struct fold_rest *r, void *arg);
	void *arg;
};

struct fold; /* opaque */

int fold_new(size_t max, const struct fold_ops *ops, struct fold **ret);
struct fold *fold_free(struct fold *f); /* does not flush */

/* True: this access is to be recorded now; false: it is counted in an open window. */
bool fold_add(struct fold *f, const struct fold_access *a);
/* Ends windows that began at or before now - FOLD_WINDOW_NS. INT64_MAX ends all. */
void fold_expire(struct fold *f, int64_t now);
/* Nothing before this time is still waiting to be counted in a record; INT64_MAX: nothing waits. */
int64_t fold_oldest(const struct fold *f);

#endif
