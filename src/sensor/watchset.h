/* watchset.h — the set of watched objects.
 *
 * Purpose: is this object watched? Asked by the responder for every open on the filesystem, without lock or allocation.
 * An object is a 64-bit keyed hash of (filesystem, file handle); 0 and 1 are never keys.
 * Ownership: the struct owns its tables. Threads: has and add by the responder and the recorder at once (slots are atomic); remove
 * and grow by the recorder only. The table that a grow replaces is given back after `quiesce` says that the responder no longer looks at
 * it.
 * Errors: watchset_add -ENOSPC when the table is nearly full (the recorder grows it at half).
 */
#ifndef TYTO_WATCHSET_H
#define TYTO_WATCHSET_H

#include "base/base.h"

struct watchset; /* opaque */

int watchset_new(size_t expected, struct watchset **ret);
struct watchset *watchset_free(struct watchset *w);

bool watchset_has(const struct watchset *w, uint64_t key);
/* 1 added, 0 was there. */
int watchset_add(struct watchset *w, uint64_t key);
bool watchset_remove(struct watchset *w, uint64_t key);
size_t watchset_count(const struct watchset *w);

bool watchset_crowded(const struct watchset *w);
/* quiesce(arg) returns once the responder has begun a new turn; negative: it does not, and the grow is given up. */
int watchset_grow(struct watchset *w, int (*quiesce)(void *arg), void *arg);

#endif
