/* cover.h — a container's numbers cover its parts.
 *
 * Purpose: sums findings, takes the highest label, and counts persons once: two parts that hold the same e-mail or phone speak of one
 * person. Ownership: struct cover owns copies of what it needs of each part. Units: none. Threads: one at a time. Errors: -ENOMEM.
 */
#ifndef TYTO_COVER_H
#define TYTO_COVER_H

#include "document/contacts.h"
#include "document/facts.h"

struct cover;

struct cover *cover_new(void);
struct cover *cover_free(struct cover *c);
void cover_clear(struct cover *c);
/* A part, in the order in which extractors end them (members before their container; name "" is the document itself). f and its contacts
 * become those of the part with everything in it; why gets the reason for a label that came from inside, and must outlive f. */
int cover_part(struct cover *c, str name, struct facts *f, const struct contacts_result *r, struct buf *why);

#endif
