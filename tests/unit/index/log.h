/* log.h — a small log of our own to test the index against: packed leaves and names in two plain files.
 *
 * Purpose: stands for the evidence log's reader at link time, so that the index is tested without signatures, frames and fsync; several processes may
 * read what one appends. Ownership: log_begin's caller removes the directory. Threads: none. Errors: a failed write ends the test program.
 */
#ifndef TYTO_TEST_INDEX_LOG_H
#define TYTO_TEST_INDEX_LOG_H

#include "evidence/evidence.h"

void log_begin(const char *state);
void log_append(const char *state, const struct leaf *l);
uint64_t log_name(const char *state, enum name_kind kind, str value);
uint64_t log_path(const char *state, str path);
void log_end(void);

#endif
