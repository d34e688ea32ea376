/* follower.h — durable records as they come, for `watch` and `events -f`.
 *
 * Purpose: reads the log behind the writer and hands out each event; what it shows is what is in the log. Ownership: the follower owns its reader.
 * Units: leaves. Threads: follower_start makes a thread that calls cb; follow() runs in the caller's. Errors: negative errno.
 */
#ifndef TYTO_FOLLOWER_H
#define TYTO_FOLLOWER_H

#include "event/event.h"

/* cb returns non-zero to end. */
typedef int follow_cb(void *arg, const struct event *e);
/* Called when nothing more is there for now (flush what was shown); non-zero ends. */
typedef int follow_idle(void *arg);

/* Is the event wanted? Asked before it is masked. NULL: all are. */
typedef bool follow_pick(void *arg, const struct event *e);

/* From leaf `from` (UINT64_MAX: from the end) until cb or idle end it. Looks for more every 100 ms. mask: persons as p:17. */
int follow(const char *state, uint64_t from, bool mask, follow_pick *pick, follow_cb *cb, follow_idle *idle, void *arg);

struct follower;
int follower_start(const char *state, uint64_t from, bool mask, follow_cb *cb, follow_idle *idle, void *arg, struct follower **ret);
/* Shows what is durable by now, then ends (at most 2 s: a reader of our output that stopped reading does not hold us). */
struct follower *follower_stop(struct follower *f);

#endif
