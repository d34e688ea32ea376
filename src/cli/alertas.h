/* alertas.h — `tyto alerts --as FORM`.
 *
 * Purpose: an alert in a form that other systems read, a line on stdout. Ownership: borrows all. Units: none. Threads: main thread.
 * Errors: negative errno, as alertview_make.
 */
#ifndef TYTO_ALERTAS_H
#define TYTO_ALERTAS_H

#include "daemon/alertview.h"
#include "forward/form.h"

/* form: one that form_find knows. */
int alertas_put(struct evidence_reader *r, const struct alert *al, bool mask, const char *form);

#endif
