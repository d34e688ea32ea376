/* cases_int.h — what cases.c and case_body.c share; nobody else includes it.
 *
 * Purpose: struct kase and its body. Ownership: struct cases owns the bodies. Units, threads and errors: as in cases.h.
 */
#ifndef TYTO_CASES_INT_H
#define TYTO_CASES_INT_H

#include <jansson.h>

#include "detect/cases.h"
#include "index/index.h"

struct kase {
	uint64_t number, person;
	enum severity severity;
	enum alert_reason reason; /* a person closed it */
	bool open;
	bool dirty;        /* changed by the past: to be recorded with `phase` */
	enum alert_phase phase;
	bool unsaved;      /* grown since its newest record */
	int64_t first, last; /* its earliest and newest firing */
	int64_t recorded;  /* its newest record */
	uint64_t upto;     /* of that */
	json_t *body;
};

struct cases {
	const char *state;
	struct evidence_reader *r;
	struct index_query *index;
	struct kase *v;
	size_t n, cap;
	uint64_t newest;   /* highest number of an alert */
	uint64_t persons;
	uint64_t budget;   /* of 1,000 persons, 1,000 at most */
	int64_t next_quiet; /* nothing closes by itself up to here */
};

/* Has this rule fired in the case? */
bool case_knows(const json_t *body, const char *title);
/* Takes the firings into the body. *changed: anything did; *news: something that is recorded at once. */
int case_merge(struct cases *c, struct kase *k, const struct firings *f, bool *changed, bool *news);
/* Takes what `other` has into k: they were one all along. */
int case_join(struct cases *c, struct kase *k, const struct kase *other);
/* At most NAME_VALUE_MAX bytes; the caller frees it. */
char *case_text(json_t *body);

#endif
