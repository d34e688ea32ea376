/* event_wire.h — the record as bytes between our own processes.
 *
 * Purpose: sensor → keeper, and keeper → readers. Not stored, not a public format: both ends are the same binary.
 * Layout: uvar present, then the fields in the order of enum event_field; strings as uvar length + bytes; time as 8 bytes big endian;
 * end as uvar ns after time; parents as u8 count + strings; object as three uvar.
 * Ownership: unpacking points into the message. Threads: no state.
 * Errors: event_unpack returns the bytes used or -EBADMSG; every cap of event.h is enforced (the sender may be compromised).
 */
#ifndef TYTO_EVENT_WIRE_H
#define TYTO_EVENT_WIRE_H

#include "base/buf.h"
#include "event/event.h"

void event_pack(struct buf *b, const struct event *e);
ssize_t event_unpack(const uint8_t *p, size_t n, struct event *ret);

#endif
