/* decoy_plant.h — decoys on a share: looking around, writing them, taking them away.
 *
 * Purpose: the half of `tyto decoy` that touches documents, with the rights of whoever calls it. Files are made below the share only,
 * never through a
 * symbolic link, never over something. Ownership: as named. Units: bytes, ns UTC. Threads: main thread. Errors: negative errno.
 */
#ifndef TYTO_DECOY_PLANT_H
#define TYTO_DECOY_PLANT_H

#include "detect/decoy_plan.h"
#include "detect/decoys.h"

/* dir: absolute, without symbolic links. Existing decoys are passed over; so is `state`. *ret_unread: folders that could not be read. */
int plant_look(const char *dir, const struct decoys *d, const char *state, struct decoy_share *ret, uint64_t *ret_unread);
/* Writes it; ret->path is owned by the caller. */
int plant_write(const char *dir, const struct decoy_share *s, const struct decoy_plan *p, struct decoy *ret);

enum plant_state { PLANT_THERE, PLANT_CHANGED, PLANT_MISSING, PLANT_UNKNOWN };
/* What stands at the decoy's path. */
enum plant_state plant_state(const struct decoy *c);
/* Unlinks what plant_state found THERE. */
int plant_remove(const struct decoy *c);

#endif
