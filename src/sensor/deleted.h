/* deleted.h — objects without a name, until nobody can use them any more.
 *
 * Purpose: a deleted file can still be open somewhere, and be opened again through /proc; and what was done to it last is recorded up to a folding
 * window later. It stays watched, under the name it had last, until that window is over and its handle is refused.
 * Ownership: the struct owns its ring of handles, bounded: when it is full the oldest goes early, after all folding windows were ended.
 * Threads: recorder only. Units: ns, CLOCK_BOOTTIME. Errors: none; without memory the object is let go at once.
 */
#ifndef TYTO_DELETED_H
#define TYTO_DELETED_H

#include "sensor/groups.h"

#define DELETED_MAX 65536
#define DELETED_LOOKS 512 /* objects looked at a turn, at most */

struct recorder;

struct deleted {
	struct deleted_object {
		struct fan_fid fid;
		int64_t look_at;
	} *ring;
	size_t first, n;
};

/* The last name of the object is gone. */
void deleted_add(struct recorder *r, const struct fan_fid *fid);
/* Lets go of those that are due and can no longer be opened. */
void deleted_turn(struct recorder *r);
void deleted_free(struct deleted *d);

#endif
