/* label.h — how sensitive a document says it is.
 *
 * Purpose: markings in words (a shipped table, a company's own file), weighted by zone; Microsoft's labels; derived labels by
 * configuration. What is not said is absent: no label is guessed. Ownership: struct labels is read-only once loaded and shared. Units:
 * none.
 * Threads: shared read-only. Errors: negative errno, label_why_text() for the operator: file, line, what was expected.
 *
 * A marking stands by itself: in a header, footer, watermark, title, property, or as a line of its own in the body. A sentence that
 * mentions the word does not count.
 */
#ifndef TYTO_LABEL_H
#define TYTO_LABEL_H

#include "document/finding.h"
#include "event/event.h"

struct labels;

const char *label_why_text(void);

struct label_config {
	const char *file;             /* a company's own markings: "LABEL<TAB>MARKING" a line, # comments; NULL none */
	struct { const char *guid; enum event_label label; const char *name; } ms[64]; /* GUID to label */
	size_t n_ms;
	uint64_t contacts_confidential; /* ≥ so many contacts: confidential; 0: off */
};
int labels_new(const struct label_config *c, struct labels **ret);
struct labels *labels_free(struct labels *l);
/* What the finder has to look for: literals with ids that labels_decide understands. */
const struct finder_literal *labels_literals(const struct labels *l, size_t *ret_n);

/* 0: no label. why: one line a reason, separated by '\n' ("footer says 社外秘"; "Microsoft label 1234… is not in the configuration"). */
enum event_label labels_decide(const struct labels *l, const struct text *t, const struct hits *h, uint64_t contacts, struct buf *why);

/* The label of a part with everything in it: own persons of its own text, all with those of its parts. */
enum event_label labels_contacts(const struct labels *l, enum event_label label, uint64_t own, uint64_t all, struct buf *why);

#endif
