/* fan.h — what the parts of the fanotify backend share.
 *
 * Purpose: one struct for the sensor process, the entries of the ring, and the numbers both threads agree on.
 * Ownership: fanotify.c makes and ends struct fan. Threads: a field says whose it is; what both write is atomic.
 * Units: ns (CLOCK_REALTIME for times of accesses, CLOCK_MONOTONIC for deadlines). Errors: negative errno.
 *
 *	              who_lookup                       names, paths, folding
 *	kernel ──► responder ──── ring ────► recorder ────► keeper's socket
 *	  G1 held opens  ▲ ◄─── asks ──────────┘  ▲
 *	  G2 names ──────┘      "who is this?"    └── G3 accesses, read every 50 ms
 */
#ifndef TYTO_FAN_H
#define TYTO_FAN_H

#include <stdatomic.h>

#include "sensor/groups.h"
#include "sensor/ring.h"
#include "sensor/sensor.h"
#include "sensor/watchset.h"
#include "who/who.h"

#define FAN_BATCH 128               /* events a read, at most */
#define FAN_TURN_MS 50              /* the longest that either thread sleeps */
#define FAN_RING_BYTES (16u << 20)  /* about 300,000 opens */
#define FAN_ASK_BYTES (256u << 10)
#define FAN_ACTORS 8192
/* Of the 500 ms that an open may wait: from when it may have been queued, at the earliest, until no more is read about actors; and what
 * else a turn may take before it comes to the opens. */
#define FAN_WHO_NS (300 * 1000 * 1000LL)
#define FAN_ASIDE_NS (50 * 1000 * 1000LL)
#define FAN_ASLEEP_NS (1000 * 1000LL) /* who waited for so long found nothing queued */
#define FAN_POKE_BYTES (512u << 10) /* the recorder is woken when so much waits in the ring */

enum fan_entry { ENTRY_OPEN = 1, ENTRY_LATE, ENTRY_DIRENT, ENTRY_OVERFLOW, ENTRY_EXEC };
enum fan_open_flag {
	OPEN_UNSURE = 1 << 0, /* not in the set, while a scan goes on: the recorder decides after it */
};

/* ENTRY_OPEN, ENTRY_LATE; also what the recorder asks. actor may be NULL. */
struct fan_open {
	uint64_t key;
	struct who_actor *actor; /* a reference */
	int64_t time;
	pid_t tid, tgid;
	uint32_t flags;
	uint32_t mask; /* ENTRY_LATE: FAN_ACCESS, FAN_MODIFY */
};

/* ENTRY_DIRENT: a change of names or attributes. names: name then to_name. */
struct fan_dirent {
	struct who_actor *actor; /* a reference */
	int64_t time;
	int64_t since;  /* it was done after this: nothing waited in the queue then */
	uint64_t mask;
	pid_t tid, tgid;
	uint8_t fs;
	bool came_in;  /* from an unwatched directory, and may have been accessed unseen before */
	bool scanning; /* a directory that came in: the responder counted it in `incomplete` */
	uint16_t name_n, to_name_n;
	struct fan_fid dir, to_dir, target;
	char names[];
};

/* ENTRY_EXEC. text: command, parent's command, folder. */
struct fan_exec {
	struct who_actor *actor; /* a reference, or NULL */
	int64_t time;
	pid_t tgid;
	bool sure, same_uid;
	uint16_t command_n, parent_n, cwd_n;
	char text[];
};

/* ENTRY_OVERFLOW */
struct fan_overflow {
	int64_t from; /* when nothing had been lost yet */
	bool rescan;  /* names may be missing */
};

struct fan {
	const struct sensor_config *c;
	int proc_fd;
	int wake_fd; /* responder → recorder */
	int turn_fd; /* recorder → responder */
	uint8_t hash_key[16];
	struct groups groups;
	struct watchset *set;
	struct ring ring, asks;
	struct who *who; /* responder's */
	pid_t self;
	_Atomic pid_t keeper; /* one that was started after us; 0: that of the configuration */
	_Atomic bool stop;          /* recorder → responder: end */
	_Atomic bool ended;         /* the responder has answered its last event */
	_Atomic uint32_t incomplete; /* scans under way: nothing is ignored meanwhile */
	_Atomic bool started;       /* the first scan is done */
	_Atomic bool scarce;        /* too few descriptors: the recorder is to open nothing */
	_Atomic uint64_t turn;      /* the responder's turns */
	/* Counted by the responder, read by the recorder. */
	_Atomic uint64_t received, own, missed, dropped;
	_Atomic int64_t held_max;
	_Atomic int64_t missed_time, dropped_time; /* of the first one that is in no gap yet; 0: none */
};

/* confine.c: only what the threads need from here on. Before they start. */
int sensor_confine(void);
/* responder.c: a thread's main; arg is the struct fan. */
void *responder_main(void *arg);
/* recorder.c: runs until told to stop. */
int recorder_run(struct fan *f);

/* Keeps the earliest time since the recorder took it away. */
static inline void fan_first_time(_Atomic int64_t *first, int64_t time)
{
	int64_t none = 0;

	atomic_compare_exchange_strong(first, &none, time);
}

#endif
