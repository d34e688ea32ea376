/* finding.h — cards, accounts, addresses, secrets: what a text holds, each validated.
 *
 * Purpose: detectors as a table (detectors.c: name, literals or anchors, validator); one pass of vectorscan for literals, a SIMD scan for
 * digits and '@', a side buffer for full-width forms. Hits are what contacts.c and identifiers.c build on.
 * Ownership: struct finder is compiled once and shared; struct finding_scan belongs to one thread and owns the hits it returns (valid until
 * its next run).
 * Units: byte offsets into struct text's `bytes`. Threads: finder read-only after finder_new. Errors: negative errno; -EMSGSIZE never: hits
 * are capped and `cut` says so.
 */
#ifndef TYTO_FINDING_H
#define TYTO_FINDING_H

#include "extract/text.h"

/* Append-only: counts by number stand in the table of documents; names are the contract's. */
enum detector {
	DET_PAYMENT_CARD = 1, DET_IBAN, DET_EMAIL, DET_PHONE, DET_MY_NUMBER, DET_JP_CORPORATE_NUMBER, DET_JP_PENSION_NUMBER,
	DET_JP_DRIVERS_LICENSE,
	DET_PASSPORT, DET_BANK_ACCOUNT_JP, DET_POSTAL_CODE_JP, DET_ADDRESS_JP, DET_US_SSN, DET_EU_VAT, DET_IP_ADDRESS, DET_BIRTH_DATE,
	DET_SECRET_AWS, DET_SECRET_GITHUB, DET_SECRET_NPM, DET_SECRET_SLACK, DET_SECRET_STRIPE, DET_SECRET_GCP, DET_SECRET_JWT,
	DET_SECRET_PRIVATE_KEY,
	DET_MAX_
};
const char *detector_name(enum detector d); /* "payment_card"; NULL unknown */
enum detector detector_from(str name);      /* 0 unknown */

#define HITS_MAX (1u << 20) /* of one document part, all detectors */

struct hit {
	uint32_t at, n;   /* bytes in the text */
	uint32_t span;    /* in which span it begins */
	/* normalised form in `values`: digits without spaces, lower case e-mail, E.164 phone with '+', IBAN in capitals */
	uint32_t value, value_n;
	uint16_t literal; /* with detector 0: which of the finder's extra literals */
	uint8_t detector; /* enum detector; 0 an extra literal */
};

struct hits {
	const struct hit *hit; /* in order of `at` */
	size_t n;
	const char *values;
	uint64_t count[DET_MAX_]; /* all occurrences that validated, those behind HITS_MAX too */
	bool cut;
};

/* Literals that others want found in the same pass (markings of labels): UTF-8, matched after full-width forms and case are folded. */
struct finder_literal {
	str text;
	uint16_t id;
	bool word; /* not inside a longer word (ASCII letters and digits) */
};

struct finder;
int finder_new(const struct finder_literal *extra, size_t n_extra, struct finder **ret);
struct finder *finder_free(struct finder *f);

struct finding_scan;
int finding_scan_new(const struct finder *f, struct finding_scan **ret);
struct finding_scan *finding_scan_free(struct finding_scan *s);
int finding_run(struct finding_scan *s, const struct text *t, struct hits *ret);

static inline str hit_value(const struct hits *h, const struct hit *x)
{
	return (str){ h->values + x->value, x->value_n };
}

#endif
