/* imports.h — what an import writes into the log, whoever writes it: the keeper for a command, or the command alone.
 *
 * Purpose: its records, its end, the mark that a file has been imported, and where one that was stopped can go on. An import that never
 * ended (a full disk, a kill) is continued under the same beginning: its records are handed out in the same order again, and those that
 * stand are left out.
 * Ownership: none. Units: leaves, records. Threads: those of the log. Errors: negative errno, evidence_why() says more.
 */
#ifndef TYTO_IMPORTS_H
#define TYTO_IMPORTS_H

#include "daemon/persons.h"
#include "evidence/evidence.h"

/* ev as a record of the import that began at `begins`. */
int imports_append_event(struct evidence *e, struct persons *p, struct event *ev, uint64_t begins);
/* The end, and a mark for each file. digests: SHA-256 of the n files. */
int imports_append_end(struct evidence *e, const struct evidence_import *end, const uint8_t (*digests)[32], size_t n);
/* Has a file of this content been imported whole? */
int imports_seen(struct evidence_reader *r, const uint8_t digest[static 32], bool *ret);

struct imports_part {
	bool found;
	uint64_t begins, records; /* records: event leaves that it has */
};
/* The newest import of this content (evidence_import.file) that has begun and not ended. */
int imports_unfinished(struct evidence_reader *r, const uint8_t digest[static 32], struct imports_part *ret);
/* Can an import be continued at this leaf? -EINVAL. */
int imports_check(const char *state, uint64_t begins);

#endif
