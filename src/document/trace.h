/* trace.h — what a leaked file is from: exact copies, passages, tables, scans.
 *
 * Purpose: from a leak to its sources in the table of documents, with a verdict that never says more than the evidence.
 *   exact   the same bytes (whole, or a part of a container, or a picture)
 *   source  text that no other family has, verbatim, or identifiers of a table
 *   shared  text is known, but stands in several families, in public documents, or only as a template's
 *   none    nothing of it is known (a paraphrase or translation is out of reach)
 * Ownership: struct trace_result is freed by trace_result_free; the leak's text is borrowed. Units: characters after normalisation; passages in bytes of the texts.
 * Threads: one at a time. Errors: negative errno, trace_why() says more. Bounded: TRACE_CANDIDATES documents are read again, TRACE_PASSAGES passages shown a match,
 * TRACE_TIME_MS for reading sources.
 */
#ifndef TYTO_TRACE_H
#define TYTO_TRACE_H

#include "document/documents.h"
#include "document/prints.h"
#include "extract/extract.h"

#define TRACE_CANDIDATES 64
#define TRACE_MATCHES 32
#define TRACE_PASSAGES 64
#define TRACE_SHARED 50      /* a passage in so many documents or more is no evidence, and no candidate comes from it alone */
#define TRACE_DISTINCT 64    /* verbatim characters that no other family has, so many at least for `source` */
#define TRACE_TIME_MS 20000

enum trace_verdict { TRACE_NONE, TRACE_SHARED_ONLY, TRACE_SOURCE, TRACE_EXACT };
const char *trace_verdict_name(enum trace_verdict v);

enum trace_how {             /* by what a match was found; a bit each */
	TRACE_BY_HASH = 1,       /* the same bytes */
	TRACE_BY_PICTURE = 2,    /* a picture, the same or perceptually */
	TRACE_BY_TEXT = 4,       /* verbatim passages */
	TRACE_BY_IDENTIFIERS = 8,
	TRACE_BY_LIKENESS = 16,  /* aligned with errors: scan, photo, retyped */
};

struct trace_passage {
	uint32_t leak_from, leak_to;     /* bytes in the leak's text */
	uint32_t source_from, source_to; /* bytes in the source's text; both 0 where it is gone */
	uint32_t chars;                  /* normalised characters */
	uint32_t shared_by;              /* other documents that have it; 0: only this one (and its versions) */
	float same;                      /* 1 verbatim; else the share of characters that agree */
	char *text, *before, *after;     /* of the source, read again, up to 512 bytes each side for before and after; NULL: it is gone */
};

struct trace_match {
	uint8_t hash[32];
	enum trace_verdict verdict;      /* of this one */
	unsigned how;                    /* enum trace_how */
	double coverage;                 /* share of the leak's characters found in it */
	uint64_t chars, distinct;        /* found in it; of them in no other family, verbatim */
	uint64_t identifiers;            /* of the leak's identifiers so many stand in it; of trace_result.identifiers */
	double score;
	bool gone;                       /* could not be read again: fingerprints only */
	bool variant;                    /* the same text with other words in its places: a template filled in otherwise, or another version */
	bool public;                     /* of outside origin */
	struct trace_passage *passages;  /* in order of leak_from */
	size_t n_passages, more_passages; /* shown; and how many are not */
	uint8_t (*alternatives)[32];     /* contents that cannot be told apart from it by this leak */
	size_t n_alternatives;
	char *why;                       /* one sentence with the numbers */
};

struct trace_result {
	enum trace_verdict verdict;
	struct trace_match *matches;     /* best first */
	size_t n, more;                  /* more: candidates that were not read for want of time or room */
	uint64_t chars;                  /* of the leak */
	uint64_t identifiers;            /* of the leak */
	char *note;                      /* what limits the answer, or NULL: too short, fingerprints missing (scan again) … */
};

struct trace;

const char *trace_why(void);
/* Opens the table and the store for reading. open_source: opens a document for reading (-errno), with its last component as a hint; NULL: its known places are
 * tried, and only what has that hash counts. */
struct trace_options {
	int (*open_source)(void *arg, const uint8_t hash[static 32], struct buf *ret_name);
	void *arg;
	const struct extract_limits *limits; /* NULL: the standard */
};
int trace_open(const char *state, const struct trace_options *o, struct trace **ret);
struct trace *trace_close(struct trace *t);
struct documents *trace_documents(struct trace *t);

/* One part of a leak, as the extractor gave it (its text, pictures, hash). */
int trace_part(struct trace *t, const struct extract_part *part, struct trace_result *ret);
/* Text alone, for evaluations and for standard input. */
int trace_text(struct trace *t, const struct text *text, struct trace_result *ret);
void trace_result_free(struct trace_result *r);

#endif
