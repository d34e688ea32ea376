/* contacts_internal.h — groups of contact details, between contacts.c (reading a text) and persons.c (who is who); nobody else includes it.
 *
 * Purpose: a group is what stands together: a row, a block, a line. Ownership: struct contacts owns all. Units: none. Threads: one. Errors:
 * -ENOMEM.
 */
#ifndef TYTO_CONTACTS_INTERNAL_H
#define TYTO_CONTACTS_INTERNAL_H

#include "document/identifier.h"

#define NONE UINT32_MAX

struct node {            /* one address or number of the document */
	uint64_t key;
	uint32_t first;      /* member: of the list of groups it stands in */
	uint32_t group;      /* a group that speaks for it; NONE: nobody's */
	bool phone, role, shared;
};

struct member {          /* node in group */
	uint32_t node, group;
	uint32_t next;       /* of the node; NONE */
};

struct group {
	uint64_t name;       /* keyed hash of the name that stands with it; 0: not known */
	bool sure;           /* the name stood in a column of names… */
	bool personal;       /* …of persons */
	uint32_t first, n;   /* members */
	uint32_t up;         /* union-find */
	uint32_t by_email;   /* which groups are one by their e-mails; NONE: it has none of a person's */
	uint32_t person;     /* from 1 */
	bool counts;
};

struct node_slot {
	uint32_t node;       /* + 1; 0: free */
	uint32_t high;       /* half of its key: most others are told apart without looking at the node */
};

struct contact_groups {
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	struct node_slot *slots; /* by key; a power of two */
	size_t n_slots;
	struct member *members;
	size_t n_members, cap_members;
	struct group *groups;
	size_t n_groups, cap_groups;
};

/* What a header says of its column: names of persons; of persons or companies; of companies. */
enum name_column { COLUMN_OTHER, COLUMN_NAME, COLUMN_PERSON, COLUMN_COMPANY };

void contact_groups_clear(struct contact_groups *g);
void contact_groups_free(struct contact_groups *g);
/* Opens a group; members go to the one opened last. */
int contact_groups_open(struct contact_groups *g);
void contact_groups_name(struct contact_groups *g, uint64_t name, enum name_column sure);
/* It will be added soon: the memory where it is looked for is asked for now. */
static inline void contact_groups_expect(const struct contact_groups *g, uint64_t key)
{
	if (g->n_slots)
		__builtin_prefetch(&g->slots[key & (g->n_slots - 1)], 1);
}
int contact_groups_add(struct contact_groups *g, uint64_t key, bool phone, bool role);
/* Joins groups into persons; returns how many. */
uint64_t contact_groups_persons(struct contact_groups *g);
/* Of a node, after contact_groups_persons: 0 nobody's. */
uint32_t contact_groups_person_of(const struct contact_groups *g, const struct node *n);

/* info@, sales@…: an address of a post, not of a person. */
bool contact_role(str email);
enum name_column contact_header(str cell);

#endif
