/* sensor.h — what a backend is, and what it tells the keeper.
 *
 * Purpose: the interface behind which fanotify stands (eBPF backends follow), and the messages on the sensor's socket.
 * Ownership: the backend owns its descriptors and threads. Threads: sensor_run is the sensor process's main; it returns when told to stop.
 * Units: ns UTC, bytes. Errors: negative errno, with a sentence in ret_why for the operator.
 *
 * What the responder thread calls while somebody waits for it: epoll_wait, read (groups, eventfd, /proc), recvmmsg (proc connector),
 * name_to_handle_at, fstatfs; openat, readlinkat, getdents64 below the /proc descriptor held since the start; pidfd_open, pidfd_getfd,
 * getsockopt, getsockname, getpeername for connections; fanotify_mark; write (answers, eventfds); close; prlimit64 (getrlimit before each
 * batch, setrlimit when somebody lowered it); clock_gettime. exit_group (_exit) only where too few descriptors are left to read an
 * event: everything that waits is allowed then. The process may call no more than src/sensor/confine.c lists.
 *
 * Messages, sensor → keeper, on a SOCK_STREAM socketpair; each: u32 length (big endian, without itself), u8 kind, body.
 *	RECORD     uvar number (dense from 1 in a sensor's life), uvar refers (number of the record it completes, 0 none),
 *	           uvar session_uid + 1 (0: no session user), then event_pack() without person/person_by/refers but with uid, login_uid, via…
 *	           u8 actor flags before the event: bit 0 smb opener, bit 1 late
 *	HEARTBEAT  struct sensor_heartbeat as uvars in its order
 *	READY      path bytes: every later access below it is recorded
 *	NOTE       text for the operator (stderr of `tyto watch`)
 *	BLIND      text: what cannot be seen here and now (a folder that cannot be read …); empty: none of those told before counts any more
 * keeper → sensor:
 *	ACK        uvar: highest number durable in the evidence log
 *	STOP
 */
#ifndef TYTO_SENSOR_H
#define TYTO_SENSOR_H

#include "base/buf.h"
#include "event/event.h"

#define SENSOR_MESSAGE_MAX (64 * 1024)
#define SENSOR_DEADLINE_NS (500 * 1000 * 1000LL)
#define SENSOR_BLIND_MAX 64 /* told at a time; more are told as a number */
#define SENSOR_STALL_NS (250 * 1000 * 1000LL)
#define SENSOR_RT_PRIORITY 1 /* of the thread that answers; the guard's is one more */

enum sensor_message { SENSOR_RECORD = 1, SENSOR_HEARTBEAT, SENSOR_READY, SENSOR_NOTE, SENSOR_ACK, SENSOR_STOP, SENSOR_BLIND };
enum sensor_record_flag { SENSOR_OPENER = 1 << 0, SENSOR_LATE = 1 << 1 };
enum sensor_backend { BACKEND_FANOTIFY = 1, BACKEND_EBPF, BACKEND_IMPORT, BACKEND_MAX_ };
enum heartbeat_phase { PHASE_START = 1, PHASE_PERIODIC, PHASE_STOP, PHASE_MAX_ };
enum clock_state { CLOCK_SYNCED = 1, CLOCK_UNSYNCED, CLOCK_UNKNOWN, CLOCK_MAX_ };

struct sensor_heartbeat {
	uint64_t phase;      /* enum heartbeat_phase */
	uint64_t received;   /* events read from the kernel */
	uint64_t delivered;  /* records sent to the keeper */
	uint64_t lost;       /* records dropped here or in the kernel, as far as countable */
	uint64_t missed;     /* deadline misses */
	uint64_t own;        /* accesses of our own processes, answered at once */
	uint64_t held_max;   /* longest hold since the last heartbeat, ns */
	uint64_t watched;    /* objects in the watched set */
};

/* Written by the sensor, read by the guard; in shared memory. */
struct sensor_pulse {
	_Atomic int64_t beat;       /* CLOCK_MONOTONIC ns of the responder's last turn */
	_Atomic int64_t recorded;   /* CLOCK_REALTIME ns up to which everything was handed to the keeper */
	_Atomic uint64_t lost;
	_Atomic int64_t unacked_since; /* CLOCK_MONOTONIC ns since when records wait and none was acknowledged; 0: none waits */
};

struct sensor_config {
	const str *paths;            /* absolute, real */
	size_t n_paths;
	str exclude;                 /* the state directory: never watched */
	int keeper_fd;               /* socketpair */
	int control_fd;              /* from the guard (guard.h): int32_t pid of a new keeper, its socket by SCM_RIGHTS; -1 none */
	struct sensor_pulse *pulse;
	/* processes that are ours (pids of the initial namespace): first the guard, below which all are, then the keeper */
	const pid_t *own;
	size_t n_own;
	int64_t gap_from;            /* not 0: a gap with gap_cause from then to READY is to be recorded first */
	enum event_cause gap_cause;
};

struct sensor_ops {
	const char *name;
	enum sensor_backend backend;
	/* What this backend cannot see on this kernel: sentences, NULL-terminated. */
	const char *const *(*blind_spots)(void);
	/* Can it run here? 0, or negative errno and why. */
	int (*probe)(const char **ret_why);
	/* -ENOTSUP: none of the paths can be watched here, and that will stay so; it has been told by NOTEs. */
	int (*run)(const struct sensor_config *c);
};

extern const struct sensor_ops sensor_fanotify;

/* The best backend that runs here. */
int sensor_pick(const struct sensor_ops **ret, const char **ret_why);

const char *sensor_backend_name(enum sensor_backend b);

#endif
