/* alertjson.h — an alert as `tyto alerts --json` shows it.
 *
 * Purpose: one object, made by the command or by the keeper for somebody who may not read the state; people's text is made of it.
 * Ownership: appended to the caller's buf; the reader is borrowed.
 * Units: ns UTC; hours and days are those of this machine's local time. Threads: as the reader.
 * Errors: negative errno, evidence_why() or index_why() says more.
 */
#ifndef TYTO_ALERTJSON_H
#define TYTO_ALERTJSON_H

#include <jansson.h>

#include "detect/alerts.h"
#include "event/event.h"

#define ALERTJSON_PAST_DAYS 30

/* whole: with the records (`timeline`), when it was (`hours`), the person's own numbers (`own`), those of the unit (`peers`), and what
 * would not have raised it (`lower`). state is needed for that. */
int alertjson_put(struct buf *b, const char *state, struct evidence_reader *r, const struct alert *al, bool mask, bool whole);

/* --- alertpast.c --- */
struct alertpast {
	const char *state;
	struct evidence_reader *r;
	bool mask;
	str person;          /* as the record has it */
	uint64_t verbs;      /* bits, of the records behind the alert */
	int64_t first, last; /* of these records */
};
/* Keys hours, own, peers into the object that is open. */
int alertpast_put(struct buf *b, const struct alertpast *p);
/* Key lower: sentences. */
void alertpast_put_lower(struct buf *b, const json_t *body);

#endif
