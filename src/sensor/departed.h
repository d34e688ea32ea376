/* departed.h — objects that have lost a name, until it is known whether they are gone.
 *
 * Purpose: an access is written down up to 200 ms after it happened, a folded one up to 10 s after; an object that was deleted meanwhile is
 * known until then. One that is still open can be opened again through /proc, and one that has a name elsewhere stays watched. Also how an
 * object ends that a rename has replaced, of which no deletion is told.
 * Ownership: the recorder's; copies of handles, at most 65,536. Threads: recorder only. Errors: none: without memory the object stays
 * watched.
 */
#ifndef TYTO_DEPARTED_H
#define TYTO_DEPARTED_H

#include "sensor/groups.h"

struct recorder;
struct tree_node;

struct departed {
	struct departed_object {
		struct fan_fid fid;
		int64_t until; /* CLOCK_BOOTTIME */
	} *o; /* a ring, oldest first */
	size_t first, n, cap;
};

void departed_add(struct recorder *r, const struct fan_fid *fid, struct tree_node *n);
void departed_expire(struct recorder *r);
void departed_free(struct departed *d);

#endif
