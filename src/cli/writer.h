/* writer.h — a command that writes to the log itself, when no keeper runs.
 *
 * Purpose: enter the state directory as its owner and hold the writer lock. Ownership: close with evidence_close. Units: none.
 * Threads: before any thread starts (it changes credentials). Errors: negative errno, having said what is wrong.
 */
#ifndef TYTO_WRITER_H
#define TYTO_WRITER_H

#include "evidence/evidence.h"

/* Becomes the owner of --state (made when create is set and it is missing). */
int writer_enter(bool create);
/* Opens the log for writing; -EBUSY: another writer holds it. */
int writer_open(bool create, struct evidence **ret);

#endif
