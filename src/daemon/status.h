/* status.h — the state of everything, as `tyto status --json` shows it.
 *
 * Purpose: one object, made by the keeper while it runs and by the command alone otherwise. Ownership: everything is borrowed.
 * Units: leaves, bytes, ns. Threads: no state. Errors: kept in the buf.
 */
#ifndef TYTO_STATUS_H
#define TYTO_STATUS_H

#include <sys/types.h>

#include "document/documents.h"

struct status {
	const char *state;
	bool names;   /* false: the reader may not see paths */
	bool running; /* a keeper runs */
	const char *const *watching;
	size_t n_watching, n_watching_all;
	const char *const *blind; /* what cannot be seen here and now; told only to who may see paths */
	size_t n_blind;
	enum sensor_backend backend;
	const char *tier;
	struct evidence_stat evidence;
	struct sensor_heartbeat counters;
	uint64_t indexed, queue;
	const struct documents_stat *documents; /* NULL: nothing is known of any */
	bool disk_full;
	uid_t keeper_uid;
	bool keeper_named; /* the account tyto exists */
	struct status_detection {
		bool known;             /* what follows is */
		bool failed;            /* nothing is looked at any more */
		uint64_t rules, run, broken;
		int64_t since;          /* they have been in force; 0 not known */
		const char *set;        /* SHA-256 of their names and contents; NULL not known */
		uint64_t open, held;    /* alerts */
		uint64_t waiting, full; /* late records put aside; state of correlations given up */
	} detection;
};

/* Adds the disk figures itself, from the state directory. */
void status_put(const struct status *s, struct buf *b);

#endif
