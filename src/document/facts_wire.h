/* facts_wire.h — facts and places as bytes between our processes: scanner to keeper.
 *
 * Purpose: the message of the keeper's socket, and nothing that is stored. Ownership: what *_take returns points into the message,
 * label_why into scratch.
 * Units: as in facts.h. Threads: no state. Errors: -EBADMSG for what was not made by these functions: the peer is another process.
 */
#ifndef TYTO_FACTS_WIRE_H
#define TYTO_FACTS_WIRE_H

#include "document/facts.h"

void facts_wire_put(struct buf *b, const struct facts *f);
int facts_wire_take(str message, struct facts *ret, struct buf *scratch);
void place_wire_put(struct buf *b, const struct place *p);
int place_wire_take(str message, struct place *ret);
/* What stands at a place, found by a scan that began at `started` (CLOCK_BOOTTIME): object, document and label. */
void known_wire_put(struct buf *b, const struct place *p, const struct facts *f, int64_t started);
int known_wire_take(str message, struct place *ret, enum event_label *ret_label, int64_t *ret_started);

#endif
