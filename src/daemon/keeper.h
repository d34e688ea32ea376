/* keeper.h — the only writer: sensor messages and imports into the evidence log, everything else out of it.
 *
 * Purpose: one loop over the sensor's socket, the commands' socket and the clock; group commit, acknowledgement, checkpoint, heartbeat,
 * gaps.
 * Ownership: keeper_run owns everything it opens. Units: ns. Threads: one loop; the indexer, the follower and one thread a query read
 * beside it.
 * Errors: keeper_run returns an exit status. A failed fsync ends it (the guard starts it again from the last checkpoint).
 */
#ifndef TYTO_KEEPER_H
#define TYTO_KEEPER_H

#include "daemon/config.h"
#include "daemon/follower.h"
#include "daemon/state.h"

struct keeper_config {
	const char *state;
	struct account owner;
	const struct config *settings;
	int sensor_fd;     /* socketpair to the sensor, -1 none */
	int control_fd;    /* from the guard: new sensor_fds by SCM_RIGHTS; its end means stop */
	int listen_fd;     /* commands' socket, -1 none */
	bool resume;       /* started again beside a running sensor: it says itself what is missing */
	follow_cb *show;   /* live output, NULL none */
	follow_idle *flush;
	void *show_arg;
};

int keeper_run(const struct keeper_config *c);

#endif
