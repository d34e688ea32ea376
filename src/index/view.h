/* view.h — a table that follows the evidence log: opened, made anew when it is damaged, brought up to date.
 *
 * Purpose: what the table of alerts and the table of documents have in common. Which leaves count and what becomes of them is the
 * owner's (struct view_kind). How far the log is known stands in the table, so that a command beside the keeper may follow too.
 * Ownership: view_close frees what view_open took; the kind is static. Units: leaves. Threads: a view is used by one at a time.
 * Errors: negative errno; the reason goes into `why`, which says whether database, log or disk failed. What `take` fails with passes
 * through as it is: the taker has said why. -EUCLEAN from view_open: damaged, or of another version (a writer makes it anew instead).
 */
#ifndef TYTO_VIEW_H
#define TYTO_VIEW_H

#include "base/why.h"
#include "evidence/evidence.h"
#include "index/db.h"

struct view_kind {
	const char *name;   /* in messages: "table of alerts" */
	const char *folder; /* below the state */
	const char *file;
	const char *schema; /* with meta(k, v) */
	uint64_t format;
	uint32_t leaves;    /* bits of enum leaf_kind; others are passed over undecoded */
	/* One leaf into rows, within a transaction. */
	int (*take)(void *arg, const struct names *n, uint64_t seq, const struct leaf *l);
};

struct view {
	const struct view_kind *kind;
	char *dir;
	sqlite3 *db;
	uint64_t known; /* leaves below it stand in the table */
	uint64_t changes; /* grows whenever rows may have changed, by whomever */
	bool write;
};

/* v is zero, or closed. */
int view_open(struct view *v, const struct view_kind *kind, const char *state, bool write, struct why *why);
/* The owner's statements are finalized before. */
void view_close(struct view *v);
int view_advance(struct view *v, struct evidence_reader *r, uint64_t upto, void *arg, struct why *why);
/* r, and what the database says about it. */
int view_failed(const struct view *v, int r, struct why *why);

#endif
