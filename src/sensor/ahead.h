/* ahead.h — records that were read ahead, handed out in order of time.
 *
 * Purpose: the window in which an import puts the records of a file in order. A heap by time; records of the same time stay in the order
 * they came.
 * Ownership: copies what it is given; a record handed out lives until the next ahead_pop. Units: ns, bytes. Threads: one at a time.
 * Errors: -ENOMEM, with the window as it was.
 */
#ifndef TYTO_AHEAD_H
#define TYTO_AHEAD_H

#include "base/buf.h"
#include "event/event.h"

struct ahead_item {
	int64_t time;
	uint64_t number;
	uint8_t *packed;
	size_t n;
};
struct ahead {
	struct ahead_item *p;
	size_t n, cap;
	uint64_t number;    /* of the next that comes */
	size_t bytes;       /* of all that wait */
	uint8_t *given;     /* what the record handed out last stands in */
	struct buf scratch;
};

int ahead_push(struct ahead *a, const struct event *e);
/* The earliest: false when there is none. */
bool ahead_pop(struct ahead *a, struct event *ret);
void ahead_free(struct ahead *a);

#endif
