/* classify.h — text in, label, findings, contacts and identifiers out: the whole of what a scan says about one document.
 *
 * Purpose: joins finding, label and contacts, one part a call; a container's numbers cover its parts (cover.h: whoever reads it sums,
 * persons are the union). Ownership: struct classifier is shared, struct classify one a thread; results live until the next call. Units:
 * none. Threads: as said. Errors: negative errno.
 */
#ifndef TYTO_CLASSIFY_H
#define TYTO_CLASSIFY_H

#include "document/contacts.h"
#include "document/facts.h"
#include "document/label.h"

struct classifier;
const char *classify_why(void); /* of classifier_new: what is wrong with the label settings */
int classifier_new(const struct label_config *labels, const uint8_t key[static IDENTIFIER_KEY], const struct client_list *clients,
		struct classifier **ret);
struct classifier *classifier_free(struct classifier *c);

struct classify;
int classify_new(const struct classifier *c, struct classify **ret);
struct classify *classify_free(struct classify *c);
/* Fills label, label_why, findings, contacts, clients, text_chars of ret; identifiers in ret_contacts. */
int classify_text(struct classify *c, const struct text *t, struct facts *ret, struct contacts_result *ret_contacts);
/* A part with everything in it (cover_part has summed it): label.contacts counts the persons of all. own: those that its own text holds.
 * reasons gets the reasons when there is one more, and must outlive f; f->label_why may stand in it. */
int classify_container(const struct classifier *c, uint64_t own, struct facts *f, struct buf *reasons);

#endif
