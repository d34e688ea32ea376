/* workload.h — the accesses of the workload program and what they count.
 *
 * Purpose: one table of operations (workload_ops.c), run by the workers of workload.c. Ownership: counts stand in memory shared by all
 * workers, one struct each. Units: bytes, ns. Threads: a worker writes only its own counts. Errors: -errno, counted as failed.
 */
#ifndef TYTO_TESTS_WORKLOAD_H
#define TYTO_TESTS_WORKLOAD_H

#include "base/base.h"

#include <sys/types.h>

struct counts {
	uint64_t opens, opens_write, opens_path, reads, read_bytes, mapped_bytes, writes, write_bytes, creates, deletes, renames, links, modes,
		truncates, passed, failed, slow;
	int64_t slowest; /* ns that the longest open took */
	int last_errno;
};

struct op;
struct worker {
	const struct op *op;
	struct counts *c; /* in shared memory */
	unsigned id, round;
	uid_t uid, *uid_seen;
	pid_t *pid;
	int server; /* socket to the process that opens on our behalf, -1 */
};

struct op {
	const char *name;
	int (*run)(struct worker *w, const char *path);
	const char *what;
};

extern const struct op workload_ops[];
extern const size_t n_workload_ops;

int workload_uring(struct worker *w, const char *path); /* workload_uring.c */

/* True when descriptors of this operation come from another process (worker.server). */
bool workload_passed(const struct op *op);

#endif
