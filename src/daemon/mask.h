/* mask.h — persons as p:17, in every output and the same everywhere.
 *
 * Purpose: the pseudonym of a person is the person's number in the log's dictionary. Account names inside paths are masked too; uids are
 * left out.
 * Ownership: masked strs point into scratch. Units: none. Threads: as the names'. Errors: none: a person without a number is masked as
 * p:?.
 */
#ifndef TYTO_MASK_H
#define TYTO_MASK_H

#include "evidence/names.h"

/* scratch is appended to; clear it between records. */
void mask_event(const struct names *n, struct event *e, struct buf *scratch);
str mask_person(const struct names *n, str person, struct buf *scratch);
/* Each component that is a person's name (a home directory, mostly). */
str mask_path(const struct names *n, str path, struct buf *scratch);
/* "p:17" → the person; anything else, and a person who really is called so, as it is: returns 1 then. -ENOENT when there is no such
 * number. */
int mask_resolve(const struct names *n, str given, str *ret);
/* The same for each component of a path, appended to ret; numbers that nobody has stay as they are. */
void mask_resolve_path(const struct names *n, str given, struct buf *ret);
/* A glob that every path fits which fits `given` as it is shown. What wildcards say of a component is left to a look at what is shown:
 * asked of the real name, p* or ????? would tell how it is spelt. Nothing is appended where that cannot be said. */
void mask_resolve_glob(const struct names *n, str given, struct buf *ret);

#endif
