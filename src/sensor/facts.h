/* facts.h — what is kept of an actor after its slot was given back.
 *
 * Purpose: the responder's actors are few; the recorder copies what a record says (packed, about 300 bytes) and gives them back at once.
 * Ownership: reference counted, by facts_ref/facts_unref. Threads: recorder only. Errors: -ENOMEM.
 */
#ifndef TYTO_FACTS_H
#define TYTO_FACTS_H

#include "event/event.h"
#include "who/who.h"

/* What only an `exec` record says. */
struct exec_text {
	size_t *live; /* how many there are */
	uint16_t command_n, parent_n, cwd_n;
	char text[];
};

struct facts {
	uint32_t refs;
	struct exec_text *exec; /* NULL: none, or not an execution */
	uint64_t person;  /* hash of fsuid, login and session user: two with the same are the same person */
	uint64_t fold_id; /* person, program, session: what the folding key takes from here */
	struct who_actor a; /* strings only as far as used: last */
};

/* actor NULL: nothing is known but the process. */
int facts_of(const uint8_t key[static 16], const struct who_actor *actor, pid_t tgid, struct facts **ret);
void facts_ref(void *facts);
void facts_unref(void *facts);
/* Fills the person, process and session fields; client text goes to room. */
void facts_fill(const struct facts *f, struct event *e, char room[static INET6_ADDRSTRLEN]);

#endif
