/* demo.h — what the demo is made of: a share, people at work, and records of the same where the kernel cannot be asked.
 *
 * Purpose: between cmd_demo.c (the story) and demo_work.c (what happens on disk). Ownership: none. Units: counts. Threads: main thread.
 * Errors: negative errno.
 */
#ifndef TYTO_DEMO_H
#define TYTO_DEMO_H

#include "base/buf.h"

struct demo_role {
	const char *name;
	unsigned uid;
};
extern const struct demo_role demo_roles[]; /* clerk, engineer, sales, assistant (who helps himself); ends with NULL */
#define DEMO_DOCUMENTS 96
#define DEMO_LEAKED 10 /* plans/site survey 10.txt, which the engineer reads, too */
#define DEMO_CLIENTS "clients/client-list.csv"

/* Documents below dir, writable for the roles. */
int demo_share(const char *dir);
/* People at work: each opens, reads, writes, renames with the programs of every day, under an account of his own. */
int demo_office(const char *dir);
/* One takes a copy of everything, into `to`. */
int demo_theft(const char *dir, const char *to);
/* The people file. */
void demo_people(struct buf *b);
/* The same as records about the documents below dir, for `tyto import`. */
void demo_records(struct buf *b, const char *dir);
/* Some paragraphs of a document, as they turn up outside: in capitals, among words of whoever passed them on. path: absolute. */
int demo_fragment(const char *path);

#endif
