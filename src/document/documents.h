/* documents.h — the table of documents: contents, places, identifiers.
 *
 * Purpose: what `scan`, `label` in events, `trace` and `report` look up. Contents and places are a view of the evidence log (leaves of kind
 * 9 and 10) and are rebuilt from it; identifiers are keyed sets that stand only here: an entry of the table says whether they are present,
 * and a scan makes them anew where not.
 * SQLite (STATE/documents/documents.db), opened through the index's page sums; written by the keeper, or by a command that holds the writer
 * lock.
 * Ownership: strs in callbacks live until they return. Units: ns UTC, bytes. Threads: each struct one thread at a time; readers beside the
 * writer.
 * Errors: negative errno; documents_why() says more. A damaged table is removed and built anew from the log, and said.
 */
#ifndef TYTO_DOCUMENTS_H
#define TYTO_DOCUMENTS_H

#include "document/contacts.h"
#include "document/facts.h"
#include "evidence/evidence.h"

struct documents;

const char *documents_why(void);

int documents_open(const char *state, bool write, struct documents **ret);
struct documents *documents_close(struct documents *d);
/* Takes in leaves [known, upto) of the log; never ahead of what is durable. */
int documents_advance(struct documents *d, struct evidence_reader *r, uint64_t upto);
uint64_t documents_known(const struct documents *d);
/* Contents that were ever told of: at once, whatever their number. */
int documents_count(struct documents *d, uint64_t *ret);
/* Identifiers of a content; durable with the next documents_commit, which comes before the content's leaf is. */
int documents_identifiers(struct documents *d, const uint8_t hash[static 32], uint32_t version, const struct identifier *i, size_t n);
int documents_commit(struct documents *d);

/* The state's key of identifiers (STATE/documents/key), made at the first call. */
int documents_key(const char *state, uint8_t ret[static IDENTIFIER_KEY]);

/* -ENOENT where not known. scratch owns the strs. */
int documents_facts(struct documents *d, const uint8_t hash[static 32], struct buf *scratch, struct facts *ret);
int documents_place(struct documents *d, str path, struct buf *scratch, struct place *ret);
int documents_object(struct documents *d, const struct event_object *o, struct buf *scratch, struct place *ret);
/* Are its identifiers there, made by this version? */
bool documents_has_identifiers(struct documents *d, const uint8_t hash[static 32], uint32_t version);

/* Each place at or below a path (STR_NONE: all), in order of path, gone ones too where asked. */
int documents_places(struct documents *d, str below, bool gone, int (*cb)(void *arg, const struct place *p), void *arg);
/* Places of contents whose pictures are still to be read: files, not parts (their containers wait with them). Non-zero of cb ends it and is
 * returned. */
int documents_waiting_ocr(struct documents *d, int (*cb)(void *arg, const struct place *p), void *arg);
/* Places of a content. */
int documents_of_hash(struct documents *d, const uint8_t hash[static 32], int (*cb)(void *arg, const struct place *p), void *arg);
/* Every place where a content has been seen, latest first, what stands there now or not; a place at which another object took over counts
 * once for each. */
struct stood {
	uint8_t hash[32];
	str path;
	struct event_object object;
	bool has_object;
	int64_t first, last;
};
int documents_stood(struct documents *d, const uint8_t hash[static 32], int (*cb)(void *arg, const struct stood *s), void *arg);
/* Every content that has been seen in an object, or in objects at exactly this path; earliest first. Parts of containers have no object. */
int documents_stood_object(struct documents *d, const struct event_object *o, int (*cb)(void *arg, const struct stood *s), void *arg);
int documents_stood_path(struct documents *d, str path, int (*cb)(void *arg, const struct stood *s), void *arg);
/* Were they damaged and begun anew since this was opened? Then a scan is due. */
bool documents_identifiers_lost(const struct documents *d);
/* Every identifier of these documents, in no order: distinct persons over many documents are the union. Reads the whole store. */
int documents_identifiers_of(struct documents *d, const uint8_t (*hashes)[32], size_t n, int (*cb)(void *arg, const struct identifier *i),
		void *arg);
/* Containment: how many of these keys (sorted, unique) each document has, most first, at most max documents. */
int documents_containing(struct documents *d, const uint64_t *keys, size_t n, size_t max,
		int (*cb)(void *arg, const uint8_t hash[static 32], uint64_t count),
	void *arg);
/* Each document that holds a key (sorted, unique), key by key: doc is the store's number of it, of documents_holders() that there are.
 * POSTINGS_NEXT as there. */
int documents_holding(struct documents *d, const uint64_t *keys, size_t n, int (*cb)(void *arg, uint64_t key, uint32_t doc), void *arg);
uint32_t documents_holders(struct documents *d);
const uint8_t *documents_holder(const struct documents *d, uint32_t doc);

struct documents_stat {
	uint64_t documents, places, gone, unreadable, unlabelled, waiting_ocr, identifiers, disk;
	uint64_t labels[LABEL_MAX_];
	uint64_t with_text, fingerprinted; /* contents; of these, whose text `trace` can find */
	uint64_t fingerprints_disk, fingerprints_disk8, pictures_disk;
};
int documents_stat(struct documents *d, struct documents_stat *ret);
/* Contents with text that stand somewhere now and have no fingerprints, or of another version: a scan is due. Looks at every one. -EUCLEAN:
 * all of them. */
int documents_unprinted(struct documents *d, uint64_t *ret);

#endif
