/* object.h — device, inode and generation of what stands at a name: the identity that records and documents share.
 *
 * Purpose: the one place that reads generations out of file handles; the sensor and the scan must say the same object. Ownership: none.
 * Units: none.
 * Threads: no state. Errors: negative errno.
 */
#ifndef TYTO_OBJECT_H
#define TYTO_OBJECT_H

#include <sys/stat.h>

#include "event/event.h"

/* Inode number and generation, where the handles of this filesystem (statfs f_type) say so. */
bool object_of_handle(long fs_type, int32_t type, const uint8_t *bytes, size_t n, uint64_t *ret_ino, uint32_t *ret_gen);
/* name below dir_fd, or "" with AT_EMPTY_PATH the descriptor itself. Without a handle that says more: st's inode number, generation 0. */
void object_at(int dir_fd, const char *name, int flags, long fs_type, const struct stat *st, struct event_object *ret);

#endif
