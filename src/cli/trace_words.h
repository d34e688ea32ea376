/* trace_words.h — what a trace says, in sentences: the same on a terminal, on the page and for whoever quotes it.
 *
 * Purpose: one wording, that never says more than the evidence. Ownership: appended to the caller's buf, as raw bytes (paths may hold
 * anything): whoever shows them makes them safe. Units: characters after normalisation. Threads: no state. Errors: kept in the buf.
 */
#ifndef TYTO_TRACE_WORDS_H
#define TYTO_TRACE_WORDS_H

#include "cli/trace_found.h"

/* The verdict on a part, one sentence or two. */
void words_verdict(struct buf *b, const struct found *f, const struct found_part *p);
/* What the verdict means, and does not mean; nothing where it needs no explaining. */
void words_meaning(struct buf *b, const struct found_part *p);
/* "19 persons had it; 3 of them since 2026-03-01." */
void words_people(struct buf *b, const struct found_match *m, int64_t since, int64_t until);
/* "confidential, 96 % of the leak, found by text and identifiers" */
void words_match(struct buf *b, const struct found_match *m, uint64_t identifiers);
/* A remark of the trace's as a sentence of its own. */
void words_remark(struct buf *b, const char *remark);
/* "4 versions cannot be told apart from it by this leak" */
void words_alternatives(struct buf *b, const struct found_match *m);
/* The label's name, or "no label". */
const char *words_label(enum event_label l);
/* "byte 210 to 1,480": where a passage stands. */
void words_where(struct buf *b, uint32_t from, uint32_t to);
/* "820 characters, verbatim, in no other document" */
void words_passage(struct buf *b, const struct trace_passage *p);
void words_hash(struct buf *b, const uint8_t hash[static 32]);
/* What no trace can say; for every answer. */
extern const char words_limits[];

#endif
