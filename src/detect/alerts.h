/* alerts.h — the table of alerts: what was raised, how it stands.
 *
 * Purpose: a view of the log's alert leaves (kind 11) in STATE/alerts/alerts.db, for `tyto alerts` and for the detector's start; deleted or damaged it is
 * built anew, the same. Which alerts are held back by the daily budget is worked out here, from numbers that stand in the alerts themselves.
 * Ownership: strs in callbacks live until they return. Units: ns UTC. Persons and documents are numbers of the log's dictionary, so that an erased name
 * is erased here too. Threads: each struct one thread at a time; several processes may follow the log at once.
 * Errors: negative errno; alerts_why() says more. -ENOENT: no such alert.
 */
#ifndef TYTO_ALERTS_H
#define TYTO_ALERTS_H

#include "evidence/evidence.h"

#define ALERTS_DAY (86400 * NSEC_PER_SEC)
#define ALERTS_PERSONS 3 /* a day, of 1,000 known: the budget, where no setting says otherwise */

struct alerts;

const char *alerts_why(void);

int alerts_open(const char *state, bool write, struct alerts **ret);
struct alerts *alerts_close(struct alerts *a);
/* Takes in leaves [known, upto) of the log; never ahead of what is durable. */
int alerts_advance(struct alerts *a, struct evidence_reader *r, uint64_t upto);
uint64_t alerts_known(const struct alerts *a);
/* The leaf of the newest record of any; 0 where there is none. */
int alerts_newest(struct alerts *a, uint64_t *ret);

struct alert {
	uint64_t number;
	int64_t raised;       /* event time */
	int64_t changed;      /* of the newest record of it */
	uint64_t seq, upto;   /* that record, and the leaves that had been read then */
	uint64_t records;     /* of it in the log */
	enum severity severity;
	enum alert_reason reason; /* of closing; 0: open, or closed by quiet days */
	bool open;
	bool exempt;          /* from the budget */
	bool held;            /* beyond the budget of its day */
	uint64_t joined;      /* the alert that it turned out to be part of; 0 */
	bool has_account;
	uint32_t account;     /* who closed it */
	uint64_t person;      /* NAME_PERSON; 0 not known */
	str rule;
	str body;             /* JSON: docs/log-format.md */
};
/* In the order in which they were raised. Non-zero of cb ends it and is returned. */
int alerts_each(struct alerts *a, int (*cb)(void *arg, const struct alert *al), void *arg);
int alerts_one(struct alerts *a, uint64_t number, int (*cb)(void *arg, const struct alert *al), void *arg);

/* The newest record of the rules in force: its JSON, and since when. -ENOENT: none. */
int alerts_ruleset(struct alerts *a, int64_t *ret_time, struct buf *ret);

#endif
