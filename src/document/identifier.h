/* identifier.h — the set of keyed identifiers of one document, while it is gathered.
 *
 * Purpose: for contacts.c and client_list.c. Ownership: the set owns its memory. Units: none. Threads: one at a time. Errors: -ENOMEM.
 *
 * Of a document with more than IDENTIFIERS_MAX the smallest keys are kept: a sample that does not depend on order, so that containment
 * stays meaningful.
 */
#ifndef TYTO_DOCUMENT_IDENTIFIER_H
#define TYTO_DOCUMENT_IDENTIFIER_H

#include "document/contacts.h"

struct identifier_set {
	struct identifier *i, *scratch;
	size_t n, cap;
	uint64_t max;   /* larger keys are not taken */
	bool cut;
};

void identifier_set_clear(struct identifier_set *s);
void identifier_set_free(struct identifier_set *s);
int identifier_set_room(struct identifier_set *s);

static inline int identifier_set_add(struct identifier_set *s, uint64_t key, enum identifier_kind kind, uint32_t person)
{
	if (key > s->max)
		return 0;
	if (unlikely(s->n == s->cap)) {
		int r = identifier_set_room(s);

		if (r < 0 || key > s->max)
			return r;
	}
	s->i[s->n++] = (struct identifier){ key, person, (uint8_t)kind };
	return 0;
}

/* In order, each key once (the lowest person that is not 0 stays), at most IDENTIFIERS_MAX. */
void identifier_set_finish(struct identifier_set *s);

/* Of a client list: which client a key belongs to, from 1; 0 none, or more than one. */
uint32_t client_list_find(const struct client_list *c, uint64_t key);
uint32_t client_list_clients(const struct client_list *c);

#endif
