/* copies.h — a decoy's copy, opened before a scan had read it.
 *
 * Purpose: what a file holds is known only when it has been quiet for a while and was read; whoever opens it before then has opened a decoy
 * nobody knew of. When the scan's place comes into the log, the records about the object since it was written last are marked in the list of
 * decoys (decoys_mark), and told, so that the detector looks at them again. Ownership: borrows all. Units: leaves, ns UTC. Threads: as the
 * reader. Errors: negative errno, index_why() says more; what was erased is passed over.
 */
#ifndef TYTO_COPIES_H
#define TYTO_COPIES_H

#include "detect/decoys.h"

/* So far back: nobody scans less often who wants to know. */
#define COPIES_BACK_NS (7 * 86400 * NSEC_PER_SEC)
#define COPIES_MAX 10000 /* records of one copy */

typedef int copies_fn(void *arg, uint64_t seq, int64_t time);
/* Leaf seq, a place (kind 10). Calls fn for each record that was about the copy; non-zero of fn is returned. */
int copies_place(const char *state, struct evidence_reader *r, struct decoys *d, uint64_t seq, const struct leaf *l, copies_fn *fn, void *arg);
/* The same for all places among leaves [from, to), which were looked at before: no view has what they showed. stop: NULL, or true ends it (-EINTR). */
int copies_again(const char *state, struct evidence_reader *r, struct decoys *d, uint64_t from, uint64_t to, bool (*stop)(void));

#endif
