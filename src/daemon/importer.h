/* importer.h — records made elsewhere into the log, beside a running keeper or alone.
 *
 * Purpose: one interface, two ways: through the keeper's socket when one runs, else by writing the log here (with the index behind it).
 * Ownership: struct importer owns the connection or the log. Units: none. Threads: one at a time.
 * Errors: negative errno; importer_why() says more.
 */
#ifndef TYTO_IMPORTER_H
#define TYTO_IMPORTER_H

#include "event/event.h"

struct importer;

const char *importer_why(void);

/* settings: disk.reserve for the index. Becomes the state's owner when no keeper runs: open the input files before. */
int importer_open(const char *state, uint64_t disk_reserve, struct importer **ret);
/* Commits what is left. The result of the last commit. */
int importer_close(struct importer *i);
/* Has a file of this content been imported? PARTLY: begun, and its end was not reached (interrupted, killed). */
enum importer_seen { IMPORTER_NEVER, IMPORTER_PARTLY, IMPORTER_WHOLE };
int importer_seen(struct importer *i, const uint8_t digest[static 32], enum importer_seen *ret);
/* A file of this content is begun: recorded before any of its records. */
int importer_mark(struct importer *i, const uint8_t digest[static 32]);

int importer_begin(struct importer *i, str title, uint8_t format);
int importer_event(struct importer *i, struct event *ev);
/* A people row as JSON. ret_expect: what was expected, on -EBADMSG. */
int importer_row(struct importer *i, str row, const char **ret_expect);
/* Everything since importer_begin is durable when this returns 0. digests: SHA-256 of the n files, for importer_seen. */
int importer_end(struct importer *i, const uint8_t (*digests)[32], size_t n, uint64_t refused, uint64_t *ret_records);

#endif
