/* filing.h — what a scan finds into the log: through the keeper when one runs, else by writing here.
 *
 * Purpose: the counterpart of importer.h for facts and places. Ownership: struct filing owns the connection or the log. Units: none.
 * Threads: filing_open before any thread (it changes credentials); the rest by one thread at a time. Errors: negative errno; filing_why()
 * says more.
 */
#ifndef TYTO_FILING_H
#define TYTO_FILING_H

#include "document/documents.h"
#include "document/prints.h"

struct filing;

const char *filing_why(void);

/* Becomes the state's owner for good, whichever way. beside: only beside a keeper, else -ENOENT. -EBUSY: another scan (or writer) is at
 * work. */
int filing_open(const char *state, uint64_t disk_reserve, bool beside, struct filing **ret);
/* The table, for writing; it knows all that is in the log now. The scan is the only writer of identifiers and fingerprints; what is put
 * into either is made durable here, before the records that follow it are. */
struct documents *filing_documents(struct filing *f);
struct prints *filing_prints(struct filing *f);

int filing_document(struct filing *f, const struct facts *d);
int filing_place(struct filing *f, const struct place *p);
/* Tells a keeper which content stands at p now, so that records of it say so. */
int filing_known(struct filing *f, const struct place *p, const struct facts *d);
/* Often: makes durable what is due, at the latest when so many places wait. */
int filing_turn(struct filing *f, uint64_t places);
/* Everything is durable, and the table knows it, when this returns 0. Frees. */
int filing_close(struct filing *f);

/* Log records from facts: for the keeper, too. */
struct evidence;
int filing_append_document(struct evidence *e, const struct facts *d, int64_t now, struct buf *scratch);
int filing_append_place(struct evidence *e, const struct place *p);

#endif
