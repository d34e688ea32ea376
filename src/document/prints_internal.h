/* prints_internal.h — what the files of the store of fingerprints share; nobody else includes it.
 *
 * Purpose: struct prints between prints.c (opening, putting, asking), prints_kin.c (near-duplicates), prints_pictures.c. Ownership:
 * prints.c owns the struct.
 * Units: numbers of documents are those of PRINTS_TEXT unless said. Threads: one at a time. Errors: negative errno, prints_why().
 */
#ifndef TYTO_PRINTS_INTERNAL_H
#define TYTO_PRINTS_INTERNAL_H

#include "base/why.h"
#include "document/prints.h"

struct kin;

struct prints {
	char *dir;                             /* STATE/documents */
	bool write, lost;
	uint8_t key[FINGERPRINT_KEY];
	struct postings *kind[PRINTS_KINDS];   /* NULL: a reader, and nothing is there */
	struct postings *pictures;
	struct kin *kin;
	struct posting *scratch;               /* of pictures */
	size_t cap_scratch;
};

#define prints_fail(r, ...) why_set(&prints_last, (r), __VA_ARGS__)
extern _Thread_local struct why prints_last;

/* --- prints_kin.c --- */
struct kin *kin_new(void);
struct kin *kin_free(struct kin *k);
/* Takes in what the registry has that it does not know yet. */
int kin_follow(struct kin *k, const struct postings *p);
/* Whose kin a document with these postings (sorted by key, unique) is: distinct kins, the first one first, at most KIN_JOIN_MAX. */
#define KIN_JOIN_MAX 32
int kin_find(struct kin *k, struct postings *p, const struct posting *e, size_t n, uint32_t ret[static KIN_JOIN_MAX]);
uint32_t kin_of(struct kin *k, uint32_t doc);
uint32_t kin_next(const struct kin *k, uint32_t doc); /* around the ring of its kin */
struct kin_tally {
	uint32_t documents, kins;              /* that are there and have text */
};
struct kin_tally kin_tally(struct kin *k, const struct postings *p);

/* --- prints_pictures.c --- */
int pictures_put(struct prints *p, const uint8_t hash[static 32], const struct image *images, size_t n);

#endif
