/* replay.h — rules over the recorded past, in order of event time.
 *
 * Purpose: what came late is seen as if it had come in time; windows are filled after a start; `tyto rules replay`. Goes by the index (and the log's tail),
 * step by step, so that whoever follows the log need not wait.
 * Ownership: the engine and the reader are the caller's and live as long. Units: ns UTC, leaves. Threads: one at a time a struct.
 * Errors: negative errno; replay_why() says more.
 */
#ifndef TYTO_REPLAY_H
#define TYTO_REPLAY_H

#include "detect/cases.h"

struct replay;

const char *replay_why(void);

/* Records from `from` (both 0: open) to before `to` in time, and before leaf `below`. */
struct replay_range {
	int64_t from, to;
	uint64_t below;
};
int replay_open(const char *state, struct evidence_reader *r, struct sigma *engine, const struct replay_range *range, struct replay **ret);
struct replay *replay_close(struct replay *p);

/* Called for a record that fired something; mode and late are the caller's to set. Non-zero ends the step and is returned. */
typedef int replay_fired(void *arg, struct firings *f);
/* About `max` records; *ret_more: there are more. */
int replay_step(struct replay *p, uint64_t max, replay_fired *fired, void *arg, bool *ret_more);
uint64_t replay_records(const struct replay *p); /* fed so far */

/* The latest time of an event before leaf `below`; INT64_MIN: there is none. */
int replay_frontier(const char *state, uint64_t below, int64_t *ret);

#endif
