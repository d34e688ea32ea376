/* prints.h — the store of fingerprints: which documents hold a run of text, at which picture they share, and which are near-duplicates.
 *
 * Purpose: what a scan makes of each document's text and `trace` asks. Three stores of postings under STATE/documents (a view: removed, a
 * scan makes them anew): `prints` (k = 12, evidence), `prints8` (k = 8, candidates for scans and photos, reported apart), `pictures`
 * (perceptual hashes).
 * Ownership: struct prints owns its files; struct prints_made belongs to one thread and is used again. Units: characters after
 * normalisation.
 * Threads: prints_make in any thread with a struct of its own; the rest one at a time. One writer (the scan), readers beside it.
 * Errors: negative errno, prints_why() says more; -EUCLEAN: damaged; a writer begins anew and says so (prints_lost), a reader answers
 * without.
 */
#ifndef TYTO_PRINTS_H
#define TYTO_PRINTS_H

#include "document/fingerprint.h"
#include "document/postings.h"
#include "extract/text.h"

#define PRINTS_VERSION 1 /* of normalise, fingerprint and this: others are made anew by the next scan */

enum prints_kind { PRINTS_TEXT, PRINTS_SCAN, PRINTS_KINDS };

struct prints;

const char *prints_why(void);

/* The key is the state's key of identifiers (documents_key), another domain. */
int prints_open(const char *state, bool write, struct prints **ret);
int prints_open_at(const char *documents, struct prints **ret); /* STATE/documents, for reading, without the key */
struct prints *prints_close(struct prints *p);
static inline void prints_closep(struct prints **p)
{
	*p = prints_close(*p);
}
#define _cleanup_prints_ _cleanup_(prints_closep)
int prints_refresh(struct prints *p);
bool prints_lost(const struct prints *p);
const uint8_t *prints_key(const struct prints *p); /* FINGERPRINT_KEY bytes, for fingerprint() */

/* The running text first, as a reader copies it, then from `aside` on what stands beside it (headers, footers, notes, comments, targets of
 * links, deleted and hidden text), each part in the order of its bytes. No run goes over that border: whoever extends a match stops
 * there. */
int prints_normalise(struct normalised *x, const struct text *t, size_t *ret_aside);

struct prints_made {
	struct normalised text;
	size_t aside;                        /* its first character that stands beside */
	struct fingerprints f[PRINTS_KINDS];
	struct posting *e[PRINTS_KINDS];     /* each key once, sorted */
	size_t n[PRINTS_KINDS], cap[PRINTS_KINDS];
	const struct image *images;          /* of the text it was made of: that lives until it is put */
	size_t n_images;
	struct fingerprints part;            /* scratch, as the next one */
	struct posting *scratch;
	size_t cap_scratch;
};
int prints_make(struct prints_made *m, const uint8_t key[static FINGERPRINT_KEY], const struct text *t);
/* Only what is put (e and images), in memory that does not grow with the text: for a scan. text and f are of no use then. */
int prints_make_keys(struct prints_made *m, const uint8_t key[static FINGERPRINT_KEY], const struct text *t);
void prints_made_free(struct prints_made *m);

/* In place of what was there; durable at the next prints_commit, which a scan calls before the content's leaf is appended. */
int prints_put(struct prints *p, const uint8_t hash[static 32], const struct prints_made *m);
int prints_commit(struct prints *p);
int prints_remove(struct prints *p, const uint8_t hash[static 32]);
bool prints_has(const struct prints *p, const uint8_t hash[static 32]); /* made by this version */

/* Every document that holds these keys (sorted, unique), key by key; doc is the store's number of it. Non-zero of cb ends it and is
 * returned; POSTINGS_NEXT ends only the key at hand: a passage may stand in a million documents. -EUCLEAN: damaged, what was given so far
 * is true; a reader finds nothing there from then on. */
typedef int prints_cb(void *arg, uint64_t key, uint32_t doc);
int prints_find(struct prints *p, enum prints_kind kind, const uint64_t *keys, size_t n, prints_cb *cb, void *arg);
const uint8_t *prints_hash(const struct prints *p, enum prints_kind kind, uint32_t doc);
int prints_number(const struct prints *p, enum prints_kind kind, const uint8_t hash[static 32], uint32_t *ret_doc); /* -ENOENT */
uint32_t prints_count(const struct prints *p, enum prints_kind kind, uint32_t doc); /* distinct fingerprints of this document */
uint32_t prints_documents(const struct prints *p); /* how many hold any text */

/* Kin: documents most of whose text is the same (estimated Jaccard of the fingerprints ≥ PRINTS_KIN), joined when put: versions of one
 * document, and instances of one template. Which of both they are is not known here; `trace` reads them and decides. The number is that of
 * the first one; a document without kin is its own. */
#define PRINTS_KIN 0.5
uint32_t prints_kin(const struct prints *p, uint32_t doc); /* of PRINTS_TEXT */
uint32_t prints_kins(const struct prints *p);              /* how many there are */
int prints_kindred(struct prints *p, uint32_t kin, int (*cb)(void *arg, uint32_t doc), void *arg);

/* Documents with a picture whose perceptual hash differs in at most `bits`; the same bytes (sha256) say so. */
int prints_pictures(struct prints *p, const struct image *i, unsigned bits,
	int (*cb)(void *arg, const uint8_t hash[static 32], unsigned bits, bool same), void *arg);

struct prints_stat {
	uint64_t postings[PRINTS_KINDS], disk[PRINTS_KINDS], pictures, disk_pictures;
	uint32_t documents;
};
void prints_stat(const struct prints *p, struct prints_stat *ret);

#endif
