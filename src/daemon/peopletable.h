/* peopletable.h — the people table and the log: rows in, the table out.
 *
 * Purpose: rows about who works where are records; the table in memory is a view of them. A row is kept with the time from which it
 * holds, so that each is a name of its own and their order is that of the log.
 * Ownership: the caller's table and log. Units: ns. Threads: one at a time. Errors: -EBADMSG with *ret_expect for a row that is none.
 */
#ifndef TYTO_PEOPLETABLE_H
#define TYTO_PEOPLETABLE_H

#include "evidence/evidence.h"
#include "who/people.h"

int peopletable_load(const struct names *n, struct people **ret);
/* Adds the row to the table and to the log (not committed). */
int peopletable_record(struct evidence *ev, struct people *people, str row, uint64_t source, const char **ret_expect);

#endif
