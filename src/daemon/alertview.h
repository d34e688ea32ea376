/* alertview.h — an alert of the table becomes one that can be told: names looked up, persons masked.
 *
 * Purpose: the only place where masking of what goes to others is done. Ownership: the view owns its texts (alert_view_free), the reader is
 * borrowed.
 * Units: as in alerts.h. Threads: as the reader. Errors: negative errno; -ENOMEM, or that of the log (evidence_why).
 */
#ifndef TYTO_ALERTVIEW_H
#define TYTO_ALERTVIEW_H

#include "detect/alerts.h"
#include "forward/form.h"

int alertview_make(struct evidence_reader *r, const struct alert *al, bool mask, struct alert_view *ret);
/* The same as a line of a form, appended. */
int alertview_put(struct buf *b, struct evidence_reader *r, const struct alert *al, bool mask, const struct form *form);

#endif
