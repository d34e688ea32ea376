/* torture_log.h — a log that holds every kind of leaf and of name, for tests that damage it.
 *
 * Purpose: shared by the tests of damage, crashes and faults. Ownership: none. Units: leaves. Threads: one at a time.
 * Errors: rich_append hands back the first error of the log.
 */
#ifndef TYTO_TORTURE_LOG_H
#define TYTO_TORTURE_LOG_H

#include "store_fixture.h"

#define RICH_TIME (1760000000LL * NSEC_PER_SEC)

/* The i-th event with all fields that a name can stand in. */
void rich_event(uint64_t i, struct event *ret);
/* One leaf or more of every kind but key and recovery. */
int rich_append(struct evidence *e, uint64_t i);

#endif
