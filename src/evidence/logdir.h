/* logdir.h — which files stand in a log directory, and the one line that says what went wrong.
 *
 * Purpose: names of segment, journal, tree and checkpoint files, lists of them in order, and evidence_why. Ownership: lists are freed by
 * the caller (logdir_free). Units: leaf indices. Threads: evidence_why is per thread. Errors: negative errno.
 */
#ifndef TYTO_LOGDIR_H
#define TYTO_LOGDIR_H

#include <errno.h>

#include "base/buf.h"
#include "base/why.h"

#define LOGDIR_NAME_MAX 40

struct logdir {
	uint64_t *segments, *journals; /* first indices, ascending */
	size_t n_segments, n_journals;
};

int logdir_list(int log_fd, struct logdir *ret);
void logdir_free(struct logdir *d);
/* Numbers of the files `digits` in a directory (checkpoints), ascending. */
int logdir_numbers(int dir_fd, const char *prefix, uint64_t **ret, size_t *ret_n);

void logdir_segment_name(char out[static LOGDIR_NAME_MAX], uint64_t first);
void logdir_journal_name(char out[static LOGDIR_NAME_MAX], uint64_t first);
void logdir_number_name(char out[static LOGDIR_NAME_MAX], uint64_t n);

/* STATE/begun stands there once the first checkpoint does: from then on a log without one has lost it, however empty it looks. */
#define LOGDIR_BEGUN "begun"
bool logdir_begun(int state_fd);

/* Sum of the sizes of the regular files in a directory. */
uint64_t logdir_bytes(int dir);

/* False where it is we who cannot read just now (memory, descriptors): no damage then. */
static inline bool evidence_is_damage(int r)
{
	return r < 0 && r != -ENOMEM && r != -EMFILE && r != -ENFILE && r != -EACCES && r != -EPERM && r != -EINTR;
}

/* Sets evidence_why() and returns r. */
#define evidence_fail(r, ...) why_set(&evidence_last, (r), __VA_ARGS__)
extern _Thread_local struct why evidence_last;

#define STATE_VERSION 1
#define STATE_VERSION_TEXT "tyto-state 1\n"
/* Opens <state> and <state>/log for reading, after a look at VERSION. */
int logdir_open(const char *state, int *ret_state_fd, int *ret_log_fd);

#endif
