/* indexer.h — the thread that keeps the index and the table of documents behind the log.
 *
 * Purpose: takes durable leaves into the index in large sorted batches: when 65,536 wait, or after 5 s, or when asked to finish.
 * Ownership: the thread owns its own reader and index. Units: leaves. Threads: the functions here are called by the keeper's main thread.
 * Errors: the index is a view: a failure is logged, and queries look through the log instead.
 */
#ifndef TYTO_INDEXER_H
#define TYTO_INDEXER_H

#include "base/base.h"

struct indexer;

/* reserve: free bytes on the filesystem below which the index waits (the log goes first). */
int indexer_start(const char *state, uint64_t reserve, struct indexer **ret);
/* `size` leaves are durable now. */
void indexer_tell(struct indexer *x, uint64_t size);
uint64_t indexer_indexed(struct indexer *x);
/* What the table of documents held when it was last looked at; false: nothing yet. */
struct documents_stat;
bool indexer_documents(struct indexer *x, struct documents_stat *ret);
/* finish: take in what is left first. */
struct indexer *indexer_stop(struct indexer *x, bool finish);

#endif
