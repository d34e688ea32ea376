/* persons.h — from uids to the human behind an access.
 *
 * Purpose: names by NSS (kept for 10 minutes, unknown ones for one), aliases from the people table, and the order in which a person is
 * decided.
 * Ownership: struct persons owns the cache; strs that persons_decide puts into an event live until the next call.
 * Units: uids. Threads: one at a time. Errors: an unknown account is not an error: the person is "uid:1234".
 */
#ifndef TYTO_PERSONS_H
#define TYTO_PERSONS_H

#include "event/event.h"
#include "who/people.h"

struct persons;

/* people: aliases; may be NULL. Borrowed. */
struct persons *persons_new(const struct people *people);
struct persons *persons_free(struct persons *p);
void persons_set_people(struct persons *p, const struct people *people);

struct persons_facts {
	bool opener;       /* SMB: the fsuid is the user that opened */
	bool late;         /* read after the fact */
	bool has_session;
	uint32_t session_uid;
};
/* Sets person and person_by of ev from its uid, login_uid and the facts, in the order opener, login, session, acting (uid ≥ 1), late.
 * Uid 0 without login or session: absent. */
void persons_decide(struct persons *p, const struct persons_facts *f, struct event *ev);
/* For imports: an account name that is an alias becomes its person. */
str persons_alias(struct persons *p, str account);

#endif
