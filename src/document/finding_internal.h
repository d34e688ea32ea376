/* finding_internal.h — what the files of the detectors share; nobody outside src/document includes it.
 *
 * Purpose: struct finding_scan between the engine (finding.c: windows, folding, order), literals (literals.c), and the detectors, one file
 * a family.
 * Ownership: finding.c owns everything. Units: offsets into the window `p`, which is the text, or a copy with full-width forms folded;
 * finding_emit puts them back into offsets of the text. Threads: one scan a thread. Errors: detectors have none; memory is remembered in
 * `err`.
 *
 * A detector is asked with `lo` and `hi` set to the limits of the span in the window and reads nothing outside them.
 */
#ifndef TYTO_FINDING_INTERNAL_H
#define TYTO_FINDING_INTERNAL_H

#include <hs.h>

#include "document/finding.h"

#define FINDING_WINDOW (128u << 10) /* stays in the second-level cache with its copy */
#define FINDING_PAD 64
#define MARKS_MAX (1u << 20)        /* of one window */
#define CONTEXT_BACK 160            /* so many bytes before a number are searched for its label */
#define COLUMNS_MAX 1024            /* columns whose headers are remembered */

#define BIT(d) (1u << (d))
#define LABEL_OTHER BIT(0)          /* the label of something else: an order, a hash, a date */

enum literal_kind { LIT_LABEL, LIT_SECRET, LIT_PREFECTURE, LIT_BEHIND /* a label that follows its number */, LIT_EXTRA };

struct literal {
	const char *text;
	uint32_t mask;  /* LIT_LABEL: detectors that it names, or LABEL_OTHER */
	uint16_t arg;   /* which secret, prefecture, extra literal */
	uint8_t kind;
	bool word;      /* not inside a longer word of ASCII letters and digits */
	bool exact;     /* case counts */
};

struct finder {
	hs_database_t *db;
	hs_scratch_t *scratch; /* cloned for every scan */
	struct literal *lit;
	uint16_t *n; /* bytes of each */
	size_t n_lits;
	struct buf texts; /* of extra literals, folded */
};

struct mark {
	uint32_t at, end;
	uint16_t lit;
};

struct fold { uint32_t at, text; }; /* from this offset of the window on, the text's offset is text + distance */

struct column { uint32_t table, mask; };

struct finding_scan {
	const struct finder *f;
	hs_scratch_t *scratch;
	const struct text *t;
	int err;

	const char *p;   /* the window */
	uint32_t n;
	uint32_t base;   /* its offset in the text */
	char *side;      /* FINDING_WINDOW + FINDING_PAD bytes */
	struct fold *folds;
	size_t n_folds, cap_folds;
	struct mark *marks;
	size_t n_marks, cap_marks, seen; /* seen: marks that end before what is looked at */
	uint32_t *starts;
	size_t n_starts;

	struct span whole; /* stands in for the spans of a text without any */
	const struct span *spans, *span;
	size_t n_spans, at_span;
	uint32_t lo, hi; /* limits of the span in the window */
	uint32_t done;   /* taken up to here */
	uint32_t ip6_seen;
	/* what the labels of the document so far, and of this window, name: without its label most numbers need not be looked at */
	uint32_t labels;
	uint16_t ask[4][32]; /* bits of the detectors of numbers: by what stands before and by digits of the first group */
	uint32_t context_at, context; /* the last answer of finding_context */

	struct column *columns;
	uint32_t left_table, left_row, left_col, left_mask; /* the last label in a cell */

	struct hit *hits;
	size_t n_hits, cap_hits;
	struct buf values;
	uint64_t count[DET_MAX_];
	bool cut;
};

/* A number as written: runs of digits with one separator between. */
#define GROUPS_MAX 8
struct number {
	uint32_t at;
	unsigned n;            /* groups */
	/* sep stands before it; 0 before the first; '(' and ')' with or without a space */
	struct { uint32_t at; uint8_t n; char sep; } g[GROUPS_MAX];
	bool joined;           /* part of something longer on the left: AB-1234 */
	char before;           /* the byte before, 0 at the limit */
};

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool is_alpha(char c)
{
	return is_upper((char)(c & ~0x20));
}

static inline bool is_alnum(char c)
{
	return is_digit(c) || is_alpha(c);
}

static inline char lower(char c)
{
	return is_upper(c) ? (char)(c | 0x20) : c;
}

static inline char at(const struct finding_scan *s, uint32_t i)
{
	return i < s->hi ? s->p[i] : 0;
}

static inline char before(const struct finding_scan *s, uint32_t i)
{
	return i > s->lo && i <= s->hi ? s->p[i - 1] : 0;
}

/* engine */
int finding_mark(struct finding_scan *s, uint32_t at, uint32_t end, uint16_t lit);
void finding_emit(struct finding_scan *s, enum detector d, uint32_t from, uint32_t to, const char *value, size_t value_n);
void finding_emit_literal(struct finding_scan *s, uint16_t id, uint32_t from, uint32_t to);
uint32_t finding_text_offset(const struct finding_scan *s, uint32_t i);
/* What the label of the number in [from, to) names: a mask of detectors, LABEL_OTHER, or 0. */
uint32_t finding_context(struct finding_scan *s, uint32_t from, uint32_t to);
void finding_label(struct finding_scan *s, const struct mark *m); /* remembers labels of columns and rows */
/* The number is a whole one on the right: nothing that belongs to it follows. */
bool finding_ends(const struct finding_scan *s, uint32_t end);

/* SIMD (scan_simd.c) */
size_t scan_starts(const char *p, size_t n, uint32_t *ret); /* where a run of digits begins, and each '@' */
size_t scan_folds(const char *p, size_t n, uint32_t *ret);  /* characters that have a folded form (candidates) */
/* Folds n bytes into out (never longer); folds may be NULL. */
size_t fold_bytes(const char *p, size_t n, char *out, struct finding_scan *s);

/* literals.c */
int literals_compile(struct finder *f, const struct finder_literal *extra, size_t n_extra);
int literals_scan(struct finding_scan *s);

/* Detectors: true when they took what stands at the place. */
bool detect_email(struct finding_scan *s, uint32_t i);
void detect_number_prepare(struct finding_scan *s); /* after `labels` */
void detect_number(struct finding_scan *s, uint32_t i);
bool detect_card(struct finding_scan *s, const struct number *k);
bool detect_iban(struct finding_scan *s, const struct number *k);
bool detect_phone(struct finding_scan *s, const struct number *k);
bool detect_ip(struct finding_scan *s, const struct number *k);
bool detect_ip6(struct finding_scan *s, const struct number *k);
bool detect_my_number(struct finding_scan *s, const struct number *k);
bool detect_corporate(struct finding_scan *s, const struct number *k);
bool detect_pension(struct finding_scan *s, const struct number *k);
bool detect_license(struct finding_scan *s, const struct number *k);
bool detect_bank(struct finding_scan *s, const struct number *k);
bool detect_postal(struct finding_scan *s, const struct number *k);
bool detect_ssn(struct finding_scan *s, const struct number *k);
bool detect_passport(struct finding_scan *s, const struct number *k);
bool detect_birth_date(struct finding_scan *s, const struct number *k);
bool detect_vat(struct finding_scan *s, const struct number *k);
void detect_secret(struct finding_scan *s, const struct mark *m, unsigned which);
/* Where prefecture and municipality end; 0: there is no address. */
uint32_t address_begins(const struct finding_scan *s, const struct mark *m, unsigned prefecture);
void detect_address(struct finding_scan *s, const struct mark *m, unsigned prefecture);

/* Check digits, tested by themselves. digits: ASCII digits (or capitals where a format has them), n of them. */
bool luhn_valid(const char *digits, size_t n);
bool card_valid(const char *digits, size_t n, bool labelled);
bool iban_valid(const char *capitals, size_t n);
bool my_number_valid(const char *digits);   /* 12 */
bool corporate_valid(const char *digits);   /* 13 */
bool vat_valid(const char *capitals, size_t n); /* with the two letters of the country */
bool github_crc_valid(const char *token, size_t prefix, size_t n);

#endif
