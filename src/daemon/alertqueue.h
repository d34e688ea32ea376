/* alertqueue.h — the queue of alerts, for a command that may read the state, and for the keeper on behalf of one that may not.
 *
 * Purpose: which alerts are shown, in what order. Ownership: what callbacks get lives until they return. Units: ns UTC, leaves.
 * Threads: one at a time a struct. Errors: negative errno; alertqueue_why() says more; what a callback returns is passed through.
 */
#ifndef TYTO_ALERTQUEUE_H
#define TYTO_ALERTQUEUE_H

#include <jansson.h>

#include "detect/alerts.h"
#include "forward/form.h"

const char *alertqueue_why(void);

struct alertqueue_filter {
	bool all, held;       /* closed ones and low ones too; those beyond the budget */
	bool changes;         /* what was changed by leaves from `after` on, in that order; closed ones too */
	bool whole;           /* with all that is known: alertjson.h */
	bool newest;          /* the newest first, whatever their severity */
	const struct form *form; /* by way of the keeper: a line of this form; NULL: alertjson.h */
	int64_t since, until; /* 0: open */
	uint64_t limit, id, after;
};

struct alertqueue_counts {
	uint64_t shown, closed, low, back; /* back: held back */
	uint64_t size;                     /* leaves of the log that were looked at */
	uint64_t worst;                    /* enum severity: the highest of those shown; 0 none */
};

/* Opened once, asked again and again. */
struct alertqueue;
int alertqueue_open(const char *state, struct alertqueue **ret);
struct alertqueue *alertqueue_close(struct alertqueue *q);

typedef int alertqueue_cb(void *arg, struct evidence_reader *r, const struct alert *al);
/* The most severe first, where not the newest are asked for. -ENOENT: there is no alert `id`. */
int alertqueue_ask(struct alertqueue *q, const struct alertqueue_filter *f, alertqueue_cb *cb, void *arg, struct alertqueue_counts *ret);

/* --- by way of the keeper --- */
/* A JSON object, or a line of the form with its end. */
typedef int alertqueue_text_cb(void *arg, str text);
int alertqueue_remote(const char *state, const struct alertqueue_filter *f, alertqueue_text_cb *cb, void *arg,
	struct alertqueue_counts *ret);
/* The keeper's half: answers {"do":"alerts",…} on fd. */
void alertqueue_serve(const char *state, int fd, json_t *request, bool mask);

#endif
