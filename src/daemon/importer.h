/* importer.h — records made elsewhere into the log, beside a running keeper or alone.
 *
 * Purpose: one interface, two ways: through the keeper's socket when one runs, else by writing the log here (with the index behind it).
 * Ownership: struct importer owns the connection or the log. Units: none. Threads: one at a time.
 * Errors: negative errno; importer_why() says more.
 */
#ifndef TYTO_IMPORTER_H
#define TYTO_IMPORTER_H

#include "daemon/imports.h"
#include "event/event.h"

struct config;

struct importer;

const char *importer_why(void);

/* settings: disk.reserve for the index. Becomes the state's owner when no keeper runs: open the input files before. */
int importer_open(const char *state, uint64_t disk_reserve, struct importer **ret);
/* For so long (ns) waits for one that writes the log and answers nobody: a keeper whose guard was killed. */
int importer_open_wait(const char *state, uint64_t disk_reserve, int64_t wait, struct importer **ret);
/* Alone, runs the detectors over what was recorded when it is closed; beside a keeper that one does. c lives until then. */
void importer_detect(struct importer *i, const struct config *c);
/* Commits what is left. The result of the last commit. */
int importer_close(struct importer *i);
/* Has a file of this content been imported whole? */
int importer_seen(struct importer *i, const uint8_t digest[static 32], bool *ret);

/* An import of this content that was stopped. */
int importer_unfinished(struct importer *i, const uint8_t digest[static 32], struct imports_part *ret);

/* file: as in the import leaf; NULL where it is not known. */
int importer_begin(struct importer *i, str title, const uint8_t *file, uint8_t format);
/* Instead of importer_begin: goes on with one that was stopped. The first part->records of its records are not to be given again. */
int importer_resume(struct importer *i, const struct imports_part *part, uint8_t format);
int importer_event(struct importer *i, struct event *ev);
/* A people row as JSON. ret_expect: what was expected, on -EBADMSG. */
int importer_row(struct importer *i, str row, const char **ret_expect);
/* Everything since importer_begin is durable when this returns 0. digests: SHA-256 of the n files, for importer_seen. */
int importer_end(struct importer *i, const uint8_t (*digests)[32], size_t n, uint64_t refused, uint64_t *ret_records);

#endif
