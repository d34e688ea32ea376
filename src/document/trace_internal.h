/* trace_internal.h — what the files of `trace` share; nobody outside src/document includes it.
 *
 * Purpose: a leak prepared once (struct leak), documents read again (struct source), verbatim runs between two texts (struct overlap), and what speaks
 * for one candidate before it becomes a match (struct looked, struct case_for). docs/trace.md says the rules and why they are so.
 * Ownership: sources belong to the trace's cache and live until its next part; everything else is freed by whoever made it.
 * Units: characters after normalisation unless bytes are said. Threads: one at a time. Errors: negative errno, trace_why().
 */
#ifndef TYTO_TRACE_INTERNAL_H
#define TYTO_TRACE_INTERNAL_H

#include "base/why.h"
#include "document/finding.h"
#include "document/trace.h"
#include "document/trace_align.h"

#define TRACE_CACHE_MAX (256u << 20) /* bytes of sources held at once */
#define TRACE_PLACES 16              /* places of a document that are tried */
#define TRACE_READ_MS 10000          /* one source */
#define TRACE_SHORT_GAP 80           /* characters: what is filled into a template's place */

#define trace_fail(r, ...) why_set(&trace_last, (r), __VA_ARGS__)
extern _Thread_local struct why trace_last;

/* --- a text with its fingerprints, to find runs in --- */

struct prepared {
	struct normalised text;
	size_t aside;            /* no run goes over this border */
	struct fingerprints f;   /* k = 12, in order */
	uint32_t *table, *next;  /* fingerprint's number + 1 by key; made by prepared_index */
	uint32_t mask;
};
int prepared_winnow(struct prepared *p, const uint8_t key[static FINGERPRINT_KEY]); /* text and aside are set */
int prepared_index(struct prepared *p);
void prepared_free(struct prepared *p);

struct source {
	uint8_t hash[32];
	bool read;               /* else it is gone: of it only fingerprints are left */
	bool public;
	bool ocr;                /* holds text that was read from pictures */
	char *path[TRACE_PLACES]; /* where it stands or has stood */
	size_t n_paths;
	int64_t last;            /* when it was last seen somewhere */
	struct prepared p;
	struct buf bytes;        /* its text */
};

struct trace {
	struct documents *documents;
	struct prints *prints;
	char *state;
	struct trace_options o;
	struct extract_limits limits;
	struct extractor *extractor, *ocr;
	struct finder *finder;           /* made when a leak may hold identifiers */
	struct finding_scan *scan;
	struct contacts *contacts;
	uint8_t key[IDENTIFIER_KEY];
	bool has_key;
	struct source **sources;
	size_t n_sources, held;
	int64_t until;                   /* CLOCK_BOOTTIME: no source is opened after this */
};

/* Read again, or known to be gone (read false). Lives until trace_sources_forget. */
int trace_source(struct trace *t, const uint8_t hash[static 32], struct source **ret);
void trace_sources_forget(struct trace *t);
bool trace_public(struct trace *t, const uint8_t hash[static 32]);
bool trace_late(const struct trace *t);

/* --- verbatim runs --- */

struct run {
	uint32_t a, b, n;
};

struct overlap {
	struct run *run;         /* in order of a, none over another */
	size_t n, cap;
	uint64_t chars;          /* of a */
	uint8_t *is;             /* of each of a's characters: it stands in a run; owned */
	bool cut;                /* given up: too much repeats */
};
/* Exact runs of ≥ FINGERPRINT_RUN characters that both have; a is indexed. */
int overlap_find(const struct prepared *a, const struct prepared *b, struct overlap *ret);
void overlap_free(struct overlap *c);

/* How two texts that share runs differ. */
struct differences {
	unsigned gaps;           /* between runs, on either side */
	unsigned jumps;          /* a goes on elsewhere in b, with nothing in between */
	unsigned slots;          /* of them: other words on both sides, short ones */
	unsigned shifts;         /* short words on one side only */
	uint64_t wide;           /* characters of other words on both sides, long ones, on the side that has less */
	uint64_t replaced;       /* of all other words on both sides, between what is common */
	uint64_t ends;           /* the same before all that is common and behind it */
	bool head, tail;         /* other short words on both sides before the first run, behind the last */
};
/* known: of a's characters, whether another document explains them; may be NULL. */
void overlap_differences(const struct prepared *a, const struct prepared *b, const struct overlap *c, const uint8_t *known,
	struct differences *ret);
/* Is a another instance of what b is an instance of, rather than a piece of b? */
bool trace_is_variant(const struct prepared *a, const struct prepared *b, const struct overlap *c, const struct differences *d);
/* Are both versions of one document, rather than instances of one template, or strangers with a common paragraph? */
bool trace_is_version(const struct prepared *a, const struct prepared *b, const struct overlap *c, const struct differences *d);

/* Is a place of an and bn other characters an end of both, since little is in common outside of it? common: before it. */
bool overlap_ends_there(const struct overlap *c, uint64_t common, int64_t an, int64_t bn);

/* Places where both have (most of) another sentence among sentences that stayed. */
struct rewritten {
	unsigned n;              /* short ones, between what is common */
	uint64_t ends;           /* characters that count as ends of both: one sentence there */
	bool head, tail;         /* before the first run, behind the last */
};
struct rewritten sentences_rewritten(const struct source *a, const struct source *b, const struct overlap *c);

/* What stands beside a passage, [from, to) of a text. */
struct beside {
	const struct normalised *text;
	const struct buf *bytes;
	size_t from, to;
};
/* Do both begin alike, line for line, as forms do that are filled in otherwise? before: the passage is behind them. */
bool entries_alike(const struct beside *a, const struct beside *b, bool before);

/* --- evidence of a stretch of the leak --- */

struct evidence_of {
	uint64_t chars;          /* that count */
	uint64_t weight;         /* letters of words that count; a CJK letter is two */
	uint64_t best;           /* weight of the best single stretch */
	uint64_t largest;        /* characters of the largest one */
	unsigned stretches;
	uint64_t skipped;        /* characters that do not: they usually come from outside */
	uint64_t code;           /* of chars: of program text, logs, markup */
};
/* Adds [from, to) of the leak (normalised): passages that usually come from outside (licences, disclaimers, statutes) count nothing. */
bool evidence_is_code(const struct text *t, uint32_t from, uint32_t to); /* bytes */
void evidence_add(const struct text *leak, const struct normalised *n, size_t from, size_t to, struct evidence_of *e);

/* --- a leak --- */

struct leak {
	const struct text *text;
	struct prepared p;
	bool ocr;
	bool code;               /* program text, a log, markup */
	/* Each fingerprint's key once, sorted, and who holds it. */
	uint64_t *keys;
	uint32_t n_keys;
	uint32_t *first;         /* n_keys + 1: where its documents begin in `doc` */
	uint32_t *doc;
	size_t n_docs, cap_docs;
	uint8_t *common;         /* of each key: TRACE_SHARED documents or more */
	uint32_t *key_of;        /* of each fingerprint: its key's number */
	uint8_t *known;          /* of each character: some document has it */
};
int leak_make(struct trace *t, const struct text *text, struct leak *ret);
void leak_free(struct leak *l);
bool leak_knows(const struct leak *l, uint64_t from, uint64_t to); /* some document has most of it */

/* A document that shares fingerprints with the leak. */
struct candidate {
	uint32_t doc;
	uint32_t hits;           /* keys */
	double score;            /* their weights */
	uint32_t *key;           /* their numbers, rising; belongs to the list */
};
struct candidates {
	struct candidate *c;     /* best first */
	size_t n;
	uint32_t *keys;
};
int candidates_make(struct trace *t, const struct leak *l, struct candidates *ret);
void candidates_free(struct candidates *c);

/* Each of these adds matches to the result; trace.c puts them in order. */
int trace_by_hash(struct trace *t, const struct extract_part *part, struct trace_result *ret);
int trace_by_text(struct trace *t, const struct leak *l, struct trace_result *ret);
int trace_by_identifiers(struct trace *t, const struct leak *l, struct trace_result *ret);
/* chars: how much text the leak has */
int trace_by_pictures(struct trace *t, const struct text *text, uint64_t chars, struct trace_result *ret);
int trace_by_likeness(struct trace *t, const struct leak *l, struct trace_result *ret);

/* What speaks for one of them: characters of the leak that no other family has. */
struct case_for {
	uint8_t *distinct;       /* of each character; owned */
	uint64_t chars;
	struct evidence_of e;
	bool whole, margin;
	bool very;               /* the leak is the whole of it */
	const char *because;     /* why it is not the source; NULL: it is */
};

/* A candidate that was looked at: read, or gone. */
struct looked {
	const struct candidate *c;
	struct source *s;
	struct overlap cover;      /* of the leak; where it is gone, as far as fingerprints tell */
	struct differences d;
	bool variant, done;
	unsigned family;         /* which of the looked at is the first of its family */
	struct case_for say;     /* without `distinct`; made when all families are known */
};
struct look {
	struct trace *t;
	const struct leak *l;
	struct looked at[TRACE_CANDIDATES];
	size_t n, more;
	uint64_t *held;          /* of each key: which of the looked at hold it */
	uint32_t *unread;        /* of each character: how long a piece around it one document has that was not read */
	uint64_t explained;      /* characters of the leak that any of them has */
};
int look_make(struct trace *t, const struct leak *l, const struct candidates *c, struct look *ret);
void look_free(struct look *k);
int look_unread(struct look *k, const struct candidates *c);
int look_families(struct look *k);

int look_case(const struct look *k, size_t which, struct case_for *ret);

/* Between versions: which goes first; which may be the leak's source as well as the best one; which has less of the leak than another. */
bool version_better(const struct look *k, const struct looked *x, const struct looked *y);
bool version_same(const struct look *k, const struct looked *best, const struct looked *x);
bool version_lesser(const struct look *k, size_t which);
/* A bit each: other families whose text is that of this one but for places where the leak agrees with this one. */
uint64_t version_relatives(const struct look *k, size_t which);

/* --- errors of reading and typing --- */

/* Along the runs of an alignment of a text leak (no long one) with a document that was read. */
struct noise {
	unsigned places;         /* so many characters that are others, so near each other, as errors at random would hardly be */
	unsigned values;         /* figures that are others */
	unsigned clear;          /* errors inside of a word: its other letters stayed */
	unsigned unclear;        /* in names, short words, ideographs: an error or another word */
	bool outside;            /* most of the source's text there is of licences, disclaimers, statutes */
};
int noise_of(const struct leak *l, const struct source *s, const struct alignment *al, struct noise *ret);
/* Where words of five characters and more are others, however long the leak. */
unsigned noise_slots(const struct leak *l, const struct source *s, const struct alignment *al);

/* --- values by which a table is known --- */

struct told {
	uint64_t key;
	bool cell;               /* else an address, number, account of a person */
};
struct told_values {
	struct told *v;          /* by key, each once; owned */
	size_t n;
	bool listed;             /* most lines are short ones */
	uint64_t lines;          /* lines and cells of the leak */
};
int told_values_of(struct trace *t, const struct text *text, struct told_values *ret);

/* The match of this content, made where there is none. NULL: no memory, or TRACE_MATCHES are there (then ret->more counts). */
struct trace_match *trace_match_of(struct trace_result *r, const uint8_t hash[static 32]);
struct trace_match *trace_match_find(struct trace_result *r, const uint8_t hash[static 32]);
int trace_match_alternative(struct trace_match *m, const uint8_t hash[static 32]);
/* Replaces what was there. */
void trace_match_why(struct trace_match *m, const char *fmt, ...) _printf_(2, 3);
void trace_note(struct trace_result *r, const char *fmt, ...) _printf_(2, 3);
void trace_match_forget_passages(struct trace_match *m);
/* Where the grapheme of a text's character ends, in bytes. */
uint32_t trace_end_byte(const struct normalised *t, const struct buf *bytes, uint32_t last);
/* Fills text, before and after of a passage whose bytes in the source are known. */
int trace_passage_read(const struct source *s, struct trace_passage *p);
int trace_match_passage(struct trace_match *m, const struct trace_passage *p); /* its strings are taken over, also on failure */

#endif
