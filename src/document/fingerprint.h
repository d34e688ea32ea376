/* fingerprint.h — winnowing: which keyed fingerprints a text leaves.
 *
 * Purpose: k-grams of normalised characters, the least of each window (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003): every shared
 * run of FINGERPRINT_RUN normalised characters leaves a common fingerprint; a property test holds it. Keys are of 48 bits, under the
 * state's key.
 * Ownership: the caller's array, grown (fingerprints_free). Units: characters. Threads: no state. Errors: -ENOMEM.
 */
#ifndef TYTO_FINGERPRINT_H
#define TYTO_FINGERPRINT_H

#include "document/normalise.h"

#define FINGERPRINT_K 12
#define FINGERPRINT_WINDOW 21   /* K + WINDOW - 1 = 32 = RUN */
#define FINGERPRINT_RUN 32
#define FINGERPRINT_SCAN_K 8    /* for text read from pictures: candidates only, an alignment decides */
#define FINGERPRINT_SCAN_WINDOW 13
#define FINGERPRINT_KEY 16

struct fingerprint {
	uint64_t key;   /* 48 bits */
	uint32_t pos;   /* character where its k-gram begins */
};
struct fingerprints {
	struct fingerprint *f; /* in order of pos */
	size_t n, cap;
};
void fingerprints_free(struct fingerprints *x);
int fingerprint(const uint8_t key[static FINGERPRINT_KEY], const struct normalised *t, unsigned k, unsigned window,
		struct fingerprints *ret);

#endif
