/* clockwatch.h — is the clock synchronised, and was it set?
 *
 * Purpose: the clock state of heartbeats, and jumps that become gap records. Ownership: plain struct. Units: ns.
 * Threads: one at a time. Errors: none; an unknown state says so.
 */
#ifndef TYTO_CLOCKWATCH_H
#define TYTO_CLOCKWATCH_H

#include "sensor/sensor.h"

/* A step smaller than this is slewing or scheduling, not somebody who sets the clock. */
#define CLOCK_JUMP_NS NSEC_PER_SEC

struct clockwatch {
	int64_t offset; /* CLOCK_REALTIME - CLOCK_BOOTTIME when last looked */
	bool started;
};

/* True when the clock was set since the last call: from the time it should be to the time it is. */
bool clockwatch_jumped(struct clockwatch *c, int64_t *ret_from, int64_t *ret_to);
/* The same, with the two clocks given. */
bool clockwatch_step(struct clockwatch *c, int64_t realtime, int64_t boottime, int64_t *ret_from, int64_t *ret_to);
/* Was it set while nobody looked? With what the last heartbeat said and what is now. After a restart of the machine only a clock that is
 * behind the last heartbeat shows. */
struct clock_look {
	const char *boot;
	int64_t realtime, boottime;
};
bool clockwatch_since(const struct clock_look *then, const struct clock_look *now, int64_t *ret_from, int64_t *ret_to);
enum clock_state clockwatch_state(void);

#endif
