/* pastnames.h — what objects were called before their latest renames.
 *
 * Purpose: an access is written down up to 200 ms after it happened, a folded one up to 10 s after; its record bears the path that the
 * object had then. Ownership: keeps copies of the last PASTNAMES_MAX renames; older ones are forgotten. Units: ns. Threads: recorder only.
 * Errors: none: without memory the name of now stands in the record.
 */
#ifndef TYTO_PASTNAMES_H
#define TYTO_PASTNAMES_H

#include "base/buf.h"

#define PASTNAMES_MAX 8192

struct pastnames {
	struct past_name {
		uint64_t key;
		int64_t until;
		struct buf path;
		uint16_t more; /* the next in its bucket */
	} ring[PASTNAMES_MAX];
	uint16_t bucket[PASTNAMES_MAX];
	size_t next;
	int64_t latest; /* of all `until` */
};

/* The object was called path until then. */
void pastnames_add(struct pastnames *p, uint64_t key, int64_t until, str path);
/* True when the object has been renamed since `time`: what it was called then. Lives until the next add. */
bool pastnames_at(struct pastnames *p, uint64_t key, int64_t time, str *ret);
void pastnames_free(struct pastnames *p);

#endif
