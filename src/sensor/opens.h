/* opens.h — opens that wait to be told apart.
 *
 * Purpose: an open says nothing about what for. It is held here, per object and process, until the kernel reports a use or a close, at
 * most 200 ms; then it is recorded as `open`, and the decision later refers to it: a record that counts no access of its own.
 * Ownership: entries are the table's (bounded; the oldest goes first). Threads: recorder only. Units: ns. Errors: -ENOMEM when made.
 *
 * Rules (mask of the kernel's merged report → record):
 *	MODIFY                      write, seen access
 *	ACCESS                      read, seen access (both: both)
 *	CLOSE_NOWRITE alone         read, seen open
 *	CLOSE_WRITE alone           open: opened for writing, nothing written
 *	several opens, differing    one write and one read as seen, the others open: never more than were made
 *	two persons in one process  open, each: whose use it was cannot be said
 */
#ifndef TYTO_OPENS_H
#define TYTO_OPENS_H

#include "sensor/facts.h"

#define OPENS_WAIT_NS (200 * 1000 * 1000LL)

/* A decision for the recorder to write down. */
struct opens_decision {
	uint64_t key;
	struct facts *facts;
	enum event_verb verb;
	enum event_seen seen;
	int64_t time;
	uint64_t count;   /* opens it answers for; 0: goes on with one that was counted */
	uint64_t refers;  /* number of the `open` record; 0 none. Not 0: count is 0 */
};

/* Returns the number of the record written, or 0. */
typedef uint64_t (*opens_decide)(const struct opens_decision *d, void *arg);

struct opens; /* opaque */

int opens_new(size_t max, opens_decide decide, void *arg, struct opens **ret);
struct opens *opens_free(struct opens *o);
void opens_add(struct opens *o, uint64_t key, pid_t tgid, struct facts *f, int64_t time);
/* mask: FAN_ACCESS, FAN_MODIFY, FAN_CLOSE_*. False: this process did not open it, as far as known. */
bool opens_use(struct opens *o, uint64_t key, pid_t tgid, uint64_t mask, int64_t time);
/* Records as `open` what waited too long; INT64_MAX: everything. */
void opens_expire(struct opens *o, int64_t now);
/* Time of the oldest open that is not recorded yet; INT64_MAX: none. */
int64_t opens_oldest(const struct opens *o);

#endif
