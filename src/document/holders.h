/* holders.h — who had a document while it held what it holds.
 *
 * Purpose: `trace`. `who` asks about a thing, whatever stood in it; this asks about a content. Had it: whoever met a record that says this
 * content, whoever met an object in which scans saw it, from the last recorded write before until the first one after, wherever the object
 * was moved to; records without an object count by the path.
 * Of a part of a container it is the container that was had. A content that is deleted or overwritten answers like any other.
 * Ownership: struct holders owns the index; the table is borrowed. Units: ns UTC. Threads: one at a time. Errors: negative errno;
 * holders_why() says more.
 * What this program itself read as root, to compare, is in the record like any access, and does not count here.
 * Bounded: HOLDERS_PLACES places a content; more are counted.
 *
 *	writes to the object   ──w──────────w───────────────w──▶ time
 *	seen by scans              A    A         B    B
 *	A was had                ├──────────┤
 *	B was had                           ├───────────────┤
 */
#ifndef TYTO_HOLDERS_H
#define TYTO_HOLDERS_H

#include "document/documents.h"
#include "index/index.h"

#define HOLDERS_PLACES 1000
/* Writes that follow each other faster are one change: the scanner reads again when it has been quiet for so long. */
#define HOLDERS_QUIET_NS (12 * NSEC_PER_SEC)

struct holders;

const char *holders_why(void);

int holders_open(const char *state, struct documents *d, struct holders **ret);
struct holders *holders_close(struct holders *h);
/* Everybody who had any of these contents in [since, until) (0: open): a call a person, most recent last access first. */
int holders_each(struct holders *h, const uint8_t (*hashes)[32], size_t n, int64_t since, int64_t until,
	int (*cb)(void *arg, const struct index_who *w), void *arg);
/* Places of the last question that were too many to be asked. */
uint64_t holders_more(const struct holders *h);
/* Where it stands or stood last, through renames since the last scan. -ENOENT: nowhere. ret_path is appended to. */
int holders_path(struct holders *h, const uint8_t hash[static 32], struct buf *ret_path, bool *ret_gone);

/* Verbs by which somebody gets a content; the others are shown, too, but moving or deleting a document is not having read it. */
#define HOLDERS_HAD ((uint64_t)1 << VERB_OPEN | (uint64_t)1 << VERB_READ | (uint64_t)1 << VERB_WRITE | (uint64_t)1 << VERB_CREATE | \
	(uint64_t)1 << VERB_COPY | \
	(uint64_t)1 << VERB_ARCHIVE | (uint64_t)1 << VERB_EXPORT | (uint64_t)1 << VERB_SEND | (uint64_t)1 << VERB_EXEC)

#endif
