/* seen.h — a set of 64-bit keys, each with one byte.
 *
 * Purpose: which paths and contents a scan has met: 16 bytes each at most, so that ten million fit anywhere. Ownership: seen_free. Units:
 * none.
 * Threads: one at a time. Errors: -ENOMEM.
 */
#ifndef TYTO_SEEN_H
#define TYTO_SEEN_H

#include "base/str.h"

struct seen {
	uint64_t *keys; /* 0: free */
	uint8_t *values;
	size_t n, cap;
	uint8_t key[16]; /* of the hash: names come from outside */
};

int seen_init(struct seen *s);
void seen_free(struct seen *s);
uint64_t seen_key(const struct seen *s, str text);
/* Takes the place of an earlier value; 0: as if it were not there. */
int seen_put(struct seen *s, uint64_t key, uint8_t value);
uint8_t seen_get(const struct seen *s, uint64_t key); /* 0: not there */

#endif
