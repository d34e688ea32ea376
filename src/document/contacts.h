/* contacts.h — of how many persons a document holds contact details; and the keyed identifiers by which a leaked table finds its source.
 *
 * Purpose: e-mails and phones of one table row or one text block are joined into persons (union-find); switchboards and role addresses join
 * nobody.
 * Identifiers are SipHash-2-4-128 cut to 64 bits under the state's key of e-mail, phone, card, IBAN and of table cells with 6 or more
 * characters (normalised: see identifier_normalise): nothing can be read back from them without the key. Ownership: struct contacts belongs
 * to one thread; results live until its next run.
 * Units: none. Threads: one at a time. Errors: negative errno.
 */
#ifndef TYTO_CONTACTS_H
#define TYTO_CONTACTS_H

#include "document/finding.h"

#define IDENTIFIER_KEY 16
#define IDENTIFIERS_MAX (1u << 20) /* of one document */

enum identifier_kind { IDENT_EMAIL = 1, IDENT_PHONE, IDENT_CARD, IDENT_IBAN, IDENT_CELL };

struct identifier {
	uint64_t key;   /* keyed hash of kind and normalised value */
	uint32_t person; /* e-mail and phone: which person of this document, from 1; 0 none */
	uint8_t kind;
};

struct contacts_result {
	uint64_t persons;                     /* distinct persons whose contact details it holds */
	const struct identifier *identifiers; /* sorted by key, unique */
	size_t n;
	bool cut;
	uint64_t clients;                     /* of the client list, how many stand in it (exact); 0 without a list */
};

struct client_list;
const char *client_list_why(void);
/* One client a line, or CSV: each e-mail, phone and field of ≥ 6 characters of a row belongs to that client. Only keyed hashes stay in
 * memory. */
int client_list_load(int fd, const uint8_t key[static IDENTIFIER_KEY], struct client_list **ret);
struct client_list *client_list_free(struct client_list *c);

struct contacts;
int contacts_new(const uint8_t key[static IDENTIFIER_KEY], const struct client_list *clients, struct contacts **ret);
struct contacts *contacts_free(struct contacts *c);
int contacts_run(struct contacts *c, const struct text *t, const struct hits *h, struct contacts_result *ret);

/* For `trace`, which asks with the same values: the keyed hash of one. E-mail, phone, card and IBAN as in struct hits' values. */
#define IDENTIFIER_CELL_MIN 6     /* characters; shorter cells are no identifiers */
#define IDENTIFIER_VALUE_MAX 1024 /* bytes; what is behind them does not count */
/* Of a cell: full-width forms and case folded, runs of white space one space, none at the ends. Appends to b; false: it is too short to be
 * one. */
bool identifier_normalise(str cell, struct buf *b);
uint64_t identifier_key(const uint8_t key[static IDENTIFIER_KEY], enum identifier_kind kind, str normalised);

#endif
