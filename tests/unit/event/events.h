/* events.h — random events for tests, and whether two are the same.
 *
 * Purpose: property tests of every form of the record. Ownership: the strs of a random event point into the caller's pool.
 * Units: as in event.h. Threads: no state but the seed. Errors: none.
 */
#ifndef TYTO_TEST_EVENTS_H
#define TYTO_TEST_EVENTS_H

#include "base/buf.h"
#include "event/event.h"

/* xorshift64*: good enough to choose cases by, and the same everywhere. */
uint64_t events_draw(uint64_t *seed);

/* A valid event: any set of fields, texts of any bytes up to their caps. Empties pool first. */
void events_random(uint64_t *seed, struct buf *pool, struct event *ret);

/* The same fields with the same values; seq apart. Fields that are not present do not count. */
bool events_same(const struct event *a, const struct event *b);

#endif
