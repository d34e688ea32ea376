/* guard.h — the parent of sensor, keeper, scanner and notifier, which never blocks.
 *
 * Purpose: starts both, watches the sensor's pulse and ends a frozen sensor, so that a frozen sensor never freezes the file server; starts
 * again what ended. It opens nothing after its start, takes no memory, and is locked in memory.
 * Ownership: guard_run owns children, sockets and pulse until it returns. Threads: one. Units: ns (CLOCK_MONOTONIC but for gap_from).
 * Errors: negative errno when it cannot start, -ENOTSUP when nothing can be watched; 0 after SIGTERM or SIGINT.
 *
 * One binary, started again for each role: exe with that role's argv, to which the guard adds one argument (GUARD_ARGUMENT…, read by
 * guard_child_parse), and these descriptors:
 *	sensor  3 socket to the keeper   4 control   5 pulse (memfd, struct sensor_pulse)
 *	keeper  3 socket to the sensor   4 control   5 listening socket of the commands
 *	scanner, notifier  4 control: its end means stop; a command of the keeper's, nobody waits for it
 * A message on a control socket is the other's new process id (int32_t) with its new socket by SCM_RIGHTS (guard_take): the other one was
 * started again. The keeper sends one byte there when the paths are watched (guard_tell_ready): the guard tells the service manager.
 * End of file on control: the sensor flushes and ends. The keeper is told to end by SIGTERM, after the sensor.
 */
#ifndef TYTO_GUARD_H
#define TYTO_GUARD_H

#include <sys/types.h>

#include "event/event.h"
#include "sensor/sensor.h"

#define GUARD_ARGUMENT "--guard="
#define GUARD_FD_PEER 3
#define GUARD_FD_CONTROL 4
#define GUARD_FD_PULSE 5
#define GUARD_FD_LISTEN 5

/* The sensor's exit status: nothing of what it was given can be watched, and starting it again would not help. It has said why. */
#define GUARD_EXIT_REFUSED 9

struct guard_config {
	const char *exe;          /* "/proc/self/exe" */
	char *const *sensor_argv; /* NULL-terminated, argv[0] first */
	char *const *keeper_argv;
	char *const *scanner_argv; /* NULL: none */
	char *const *notifier_argv; /* NULL: none */
	int listen_fd;            /* for the keeper; -1 none */
	int64_t gap_from;         /* end of the last run, from the log; 0: none */
};

struct guard_child {
	int64_t gap_from;
	enum event_cause gap_cause;
	pid_t guard, peer;
};

int guard_run(const struct guard_config *c);
/* In the child. The argument may stand anywhere in argv; -ENOENT: not started by a guard. */
int guard_child_parse(int argc, char *const *argv, struct guard_child *ret);
/* Takes a new peer from a control socket: its socket in ret_fd. -EAGAIN nothing there, -EPIPE the guard is gone. */
int guard_take(int control_fd, int *ret_fd, pid_t *ret_pid);

/* From the keeper: what was asked for is watched. */
void guard_tell_ready(int control_fd);

#endif
