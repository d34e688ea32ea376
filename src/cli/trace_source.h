/* trace_source.h — opens the documents that a leak is compared with.
 *
 * Purpose: `trace` has given up the caller's rights by then: the walker, which kept them, opens what the table names, and only what still
 * is that content counts.
 * Ownership: both are borrowed. Units: none. Threads: one at a time. Errors: negative errno; -ENOENT: it stands nowhere any more.
 */
#ifndef TYTO_TRACE_SOURCE_H
#define TYTO_TRACE_SOURCE_H

#include "document/holders.h"
#include "document/walk.h"

struct sources {
	struct documents *documents;
	struct holders *holders; /* where it was moved to since the last scan */
	struct walk *walk;
};
/* For struct trace_options: arg is a struct sources. Of a part of a container it is the container that is opened. */
int source_open(void *arg, const uint8_t hash[static 32], struct buf *ret_name);

#endif
