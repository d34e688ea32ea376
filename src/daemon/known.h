/* known.h — which content stands in which object now: `label` and `document` of live records.
 *
 * Purpose: fed by scans (this object holds this content) and by the record itself (this object was written). An object is clean when a scan
 * has read it and nothing has been written since; then its content is known. Written ones keep the label that was known last, and no
 * content.
 * Ownership: the struct owns its table, at most KNOWN_MAX objects (64 MB); what does not fit is not known. Units: ns (CLOCK_BOOTTIME).
 * Threads: one at a time.
 * Errors: -ENOMEM when made; later what cannot be kept is not known.
 *
 * A write is recorded at once when it is the first of its kind in ten seconds, others at the end of these: so a scan counts only when it
 * began KNOWN_QUIET_NS after the last one that was recorded.
 */
#ifndef TYTO_KNOWN_H
#define TYTO_KNOWN_H

#include "event/event.h"

#define KNOWN_MAX (1u << 20)
#define KNOWN_QUIET_NS (11 * NSEC_PER_SEC)

struct known;

/* max: 0 KNOWN_MAX. */
struct known *known_new(uint32_t max);
struct known *known_free(struct known *k);
/* A scan that began at `started` has found this content there. */
void known_put(struct known *k, const struct event_object *o, const uint8_t hash[static 32], enum event_label label, int64_t started);
void known_written(struct known *k, const struct event_object *o, int64_t now);
/* NULL, or its content; *ret_label 0: none known. */
const uint8_t *known_get(const struct known *k, const struct event_object *o, enum event_label *ret_label);
/* Something may have happened unseen until `now`: what scans said before counts no more. */
void known_forget(struct known *k, int64_t now);

#endif
