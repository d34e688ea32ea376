/* query.h — questions to the record: straight from the state directory where it may be read, else through the keeper.
 *
 * Purpose: one call for a command, whichever way the answer comes; and the keeper's half of it. Root and the keeper's account read the
 * directory; members of the group tyto-read ask the keeper.
 * Ownership: what callbacks get lives until they return. Units: as in index.h. Threads: one at a time; query_serve runs in a thread of
 * its own.
 * Errors: negative errno, query_why() says more; what a callback returns (non-zero) is passed through.
 */
#ifndef TYTO_QUERY_H
#define TYTO_QUERY_H

#include <jansson.h>

#include "index/index.h"

const char *query_why(void);

typedef int query_event_cb(void *arg, const struct event *e);
typedef int query_who_cb(void *arg, const struct index_who *w);

/* mask: persons as p:17. p:17 is accepted in the filter either way (query_names_open). The keeper masks for readers by its own setting. */
int query_events(const char *state, const struct index_filter *f, bool mask, query_event_cb *cb, void *arg);
/* Names are wanted, for this reason, with every question that goes through the keeper; it records that first. The text lives on. */
void query_unmask(const char *reason);
int query_who(const char *state, const struct index_subject *s, bool mask, query_who_cb *cb, void *arg);

/* Questions are answered from the state directory itself; false: the keeper must be asked. */
bool query_direct(const char *state);

/* What people write of persons (p:17, also in paths) becomes what the record has. Masked, a name is refused (-EPERM): whoever could ask for
 * one would learn whose number it is. The filter's strs may point into the struct afterwards, until query_names_close. */
#define QUERY_PERSONS_MAX 256
struct query_names {
	struct evidence_reader *r;
	str persons[QUERY_PERSONS_MAX];
	struct buf path;
};
int query_names_open(const char *state, bool mask, struct index_filter *f, struct query_names *ret);
void query_names_close(struct query_names *q);
/* Is the event, as it is shown masked, what was asked for? A path is asked for as it is shown: whoever could ask by the name in it would
 * learn whose number it is. */
bool query_shown(const struct index_filter *f, const struct event *masked);

/* Asks the keeper one thing: the answer's JSON (owned by the caller). -ENOENT: no keeper runs. */
int query_ask(const char *state, json_t *request, json_t **ret);
/* Connected socket of the keeper; -ENOENT: none runs; -EACCES. */
int query_connect(const char *state);

/* The keeper's half: answers {"do":"events"…} and {"do":"who"…} on fd. */
void query_serve(const char *state, int fd, json_t *request, bool mask);

#endif
