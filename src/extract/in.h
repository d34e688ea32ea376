/* in.h — inputs as the worker makes them.
 *
 * Purpose: opens what format.h only uses. Ownership: in_file borrows the descriptor. Units: bytes. Threads: one. Errors: negative errno.
 */
#ifndef TYTO_IN_H
#define TYTO_IN_H

#include <time.h>

#include "extract/format.h"

int in_file(str name, int fd, struct in **ret);
/* -EIO when it was read badly, -ESTALE when its size or times are not what they were. */
int in_unchanged(struct in *in);
/* SHA-256 of all of it. */
struct sha256;
int in_hash(struct in *in, struct sha256 *h, uint32_t limit_ms, uint8_t ret[static 32]);

/* As document_until counts. */
static inline int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
