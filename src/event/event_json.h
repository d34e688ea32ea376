/* event_json.h — the record as JSON, in and out (the contract's keys; schema in docs/event.schema.json).
 *
 * Purpose: `tyto events --json`, `tyto watch --json`, `tyto import`. Ownership: writing appends to the caller's buf; reading fills an
 * event whose strs point into the caller's line or into `scratch` (unescaped strings), both of which must outlive the event.
 * Units: as in event.h. Threads: no state. Errors: reading returns -EBADMSG and fills *ret_err with the byte and what was expected.
 */
#ifndef TYTO_EVENT_JSON_H
#define TYTO_EVENT_JSON_H

#include "base/buf.h"
#include "event/event.h"

struct event_json_error {
	size_t byte;        /* offset in the line */
	const char *expect; /* static text: what was expected, for "line 12, byte 40: expected …" */
};

/* One object, no newline. Unknown keys (`extra`) are handed back after our own. */
void event_to_json(struct buf *b, const struct event *e);

/* One object; white space around it allowed. `seq` is skipped: it is never read from input. Duplicate keys of ours are an error. */
int event_from_json(str line, struct buf *scratch, struct event *ret, struct event_json_error *ret_err);

/* May this stand in an event's `extra`? Exactly what event_from_json puts there: an object of keys that are none of ours, without white
 * space, within the cap. */
bool event_extra_ok(str extra);

/* The checks of an import beyond syntax: time from 1990 to now + 24 h, end not before time, verb known, sizes within caps. */
int event_check(const struct event *e, int64_t now, const char **ret_expect);

#endif
