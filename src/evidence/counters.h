/* counters.h — what `status` wants to know of the log without reading it: a cache beside it (<state>/counters), rebuilt when it does not
 * fit.
 *
 * Purpose: counts over leaves [0, size). Ownership: plain struct. Units: leaves, ns. Threads: plain data. Errors: counters_load
 * -EBADMSG, -ENOENT.
 */
#ifndef TYTO_COUNTERS_H
#define TYTO_COUNTERS_H

#include "evidence/evidence.h"

struct counters {
	uint64_t size, records, gaps, lost, names;
	int64_t last_time;     /* of the last event or heartbeat */
	uint8_t last_phase;
	uint64_t last_uptime, last_boot; /* boot: name number */
	uint64_t unknown;      /* leaves of kinds above ours */
};

/* Takes in the next leaf (index c->size). */
void counters_leaf(struct counters *c, const struct leaf *l);
/* What evidence_stat says of leaves; the rest of ret is zero. */
void counters_stat(const struct counters *c, const struct names *n, struct evidence_stat *ret);
int counters_load(int state_fd, struct counters *ret);
int counters_save(int state_fd, const struct counters *c);

#endif
