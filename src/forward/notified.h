/* notified.h — up to where alerts have been told: STATE/notified.
 *
 * Purpose: outlives notify.db: when that is lost or damaged, what was told is not told again, and what was not, is. One line, replaced as a
 * whole, beside the folder of notify.db and not in it. Ownership: none. Units: leaves of the log. Threads: no state; who holds the lock of
 * the outbox writes. Errors: negative errno; a file that cannot be read is -ENOENT or -EBADMSG: nothing is known.
 */
#ifndef TYTO_NOTIFIED_H
#define TYTO_NOTIFIED_H

#include "base/base.h"

/* All records before leaf `upto` that are about alerts have been told, or were not to be. */
int notified_write(const char *state, uint64_t upto);
int notified_read(const char *state, uint64_t *ret_upto);

#endif
