/* mounts.h — what is mounted where.
 *
 * Purpose: /proc/self/mountinfo as a list, and what changed since it was last read. Ownership: the struct owns list and descriptor.
 * Threads: recorder only. Errors: negative errno.
 */
#ifndef TYTO_MOUNTS_H
#define TYTO_MOUNTS_H

#include "base/str.h"

struct mount {
	int id;
	uint64_t dev;
	char *path;
	bool known; /* was there at the reading before */
};

struct mounts {
	int fd; /* POLLPRI when something changed */
	struct mount *m;
	size_t n;
	struct mount *gone; /* those of the reading before that are no more */
	size_t n_gone;
};

int mounts_open(struct mounts *m);
int mounts_read(struct mounts *m);
void mounts_close(struct mounts *m);

#endif
