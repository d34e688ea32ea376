/* reserve.h — the space set aside for a full disk (docs/log-format.md, Reserve).
 *
 * Purpose: make a gap durable when nothing else can be written. Ownership: struct reserve owns its descriptor. Units: ns, records.
 * Threads: one at a time. Errors: negative errno; -EBADMSG for any other form.
 */
#ifndef TYTO_RESERVE_H
#define TYTO_RESERVE_H

#include "base/base.h"

#define RESERVE_BYTES 65536
#define RESERVE_HEAD 64

struct reserve {
	int fd;
	bool open; /* a gap */
	int64_t from, to;
	uint64_t lost;
};

/* Makes the file where there is none. */
int reserve_open(int log_fd, struct reserve *ret);
int reserve_write(struct reserve *r);
int reserve_parse(const uint8_t *p, size_t n, struct reserve *ret);

#endif
