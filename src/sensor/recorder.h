/* recorder.h — what the recorder's files share: the thread that names, folds and writes.
 *
 * Purpose: recorder.c turns what the responder and the uses group deliver into records; scan.c finds what is to be watched; dirent.c keeps
 * names. Ownership: one struct recorder, of the recorder thread alone. Threads: recorder only. Units: ns. Errors: negative errno.
 */
#ifndef TYTO_RECORDER_H
#define TYTO_RECORDER_H

#include "sensor/blind.h"
#include "sensor/departed.h"
#include "sensor/fan.h"
#include "sensor/fold.h"
#include "sensor/mounts.h"
#include "sensor/opens.h"
#include "sensor/out.h"
#include "sensor/pastnames.h"
#include "sensor/tree.h"

#define RECORDER_LIMBO_MAX 65536
#define RECORDER_SLICE_NS (20 * 1000 * 1000LL) /* of scanning, between two looks at the ring */

#define EXEC_COMMANDS 16 /* of one person, program and session within a folding window; more are counted together, without their commands */

/* What bounds the commands that are kept. */
struct execs {
	struct execs_seen {
		uint64_t who, command[EXEC_COMMANDS];
		int64_t since;
		unsigned n;
	} seen[64][4]; /* by who; in a full row the oldest goes */
	size_t live;
};

struct recorder {
	struct fan *f;
	struct out out;
	struct tree *tree;
	struct fold *fold;
	struct opens *opens;
	struct mounts mounts;
	struct facts *last; /* of the actor seen last, which is held: most opens come in runs */
	struct who_actor *last_actor;
	/* Scan: directories still to be read. */
	struct fan_fid *todo;
	size_t n_todo, cap_todo;
	uint32_t round;
	uint32_t owed;      /* what to take from `incomplete` when the scan is done */
	dev_t exclude_dev;
	ino_t exclude_ino;
	/* Decisions about objects that may turn out to be watched once the scan is done. */
	struct opens_decision *limbo;
	size_t n_limbo;
	int64_t last_heartbeat, gap_mount_from;
	int64_t mounts_seen; /* up to when the list of mounts was known to be current */
	uint64_t dropped_seen, missed_seen, acked_seen;
	int64_t unacked_since;
	bool rescan, stopping;
	uint64_t refused;   /* bit n: path n could not be watched (there are at most 64) */
	struct buf path, to;
	struct pastnames past;
	struct execs execs;
	struct blind blind;
	struct departed departed;
	int64_t uses_read; /* when no use waited to be read any more */
	uint8_t uses[256 * 1024] __attribute__((aligned(8)));
};

/* recorder.c */
uint64_t recorder_decide(const struct opens_decision *d, void *arg);
void recorder_gap(struct recorder *r, enum event_cause cause, int64_t from, int64_t to, uint64_t count);
void recorder_note(struct recorder *r, const char *fmt, ...) _printf_(2, 3);
/* Object and process fields of a record; n may be NULL. */
void recorder_object(struct recorder *r, struct event *e, const struct tree_node *n);
struct facts *recorder_facts(struct recorder *r, struct who_actor *a, pid_t tgid);

/* execs.c */
void exec_handle(struct recorder *r, const struct fan_exec *x);
uint64_t exec_write(struct recorder *r, const struct fold_access *a, int64_t end);

/* dirent.c */
void dirent_handle(struct recorder *r, const struct fan_dirent *d);

/* scan.c */
int scan_root(struct recorder *r, str path);
void scan_below_mounts(struct recorder *r);
/* Until the scan has ended nothing is ignored. */
void scan_begin(struct recorder *r);
int scan_push(struct recorder *r, const struct fan_fid *fid);
/* Reads directories for a slice. True: nothing left to do. */
bool scan_slice(struct recorder *r);
void scan_again(struct recorder *r);
/* Type and owner of an object into its node; false: gone. */
bool scan_stat(struct recorder *r, const struct fan_fid *fid, struct tree_node *n, uint32_t *ret_links);
void scan_mounts_changed(struct recorder *r, int64_t since);
/* What was ignored on a filesystem is asked for again: call it while `incomplete` stands. */
void scan_forget_ignored(struct recorder *r);
/* A subvolume came into being, with all that is in it. */
void scan_subvolume(struct recorder *r, const struct fan_fid *fid, int64_t since);
bool scan_add_key(struct recorder *r, uint64_t key);

#endif
