/* beside.h — what is known beside a record when it is looked at: people, the baseline, decoys; behind the log.
 *
 * Purpose: takes the log's leaves in order and tells the fields tyto.* for a record. Kept in STATE/alerts/baseline, a view: without it
 * the log is read again
 * from its beginning, and it is the same.
 * Ownership: owns all but the reader; strs of beside_tell live until the next call. Units: leaves. Threads: one at a time.
 * Errors: negative errno.
 */
#ifndef TYTO_BESIDE_H
#define TYTO_BESIDE_H

#include "detect/decoys.h"
#include "detect/profile.h"

struct beside;

/* size: leaves that are durable. What is kept of records from `position` on is not taken. */
int beside_open(const char *state, struct evidence_reader *r, uint64_t size, uint64_t position, struct beside **ret);
/* For a replay of records from the beginning of the UTC day of `from` on, in order of their time: what is known at present, gone back to
 * there. Lives no longer than
 * `present`. */
int beside_view(const struct beside *present, int64_t from, struct beside **ret);
struct beside *beside_free(struct beside *b);
/* Leaves that it knows. */
uint64_t beside_known(const struct beside *b);
/* Reads the log up to `upto`, at most `max` leaves. */
int beside_catch_up(struct beside *b, uint64_t upto, uint64_t max);
/* Leaf seq, the next one; those it knows are passed over. */
int beside_leaf(struct beside *b, uint64_t seq, const struct leaf *l);
/* All before `upto` has been looked at. */
void beside_passed(struct beside *b, uint64_t upto);
void beside_tell(struct beside *b, const struct leaf *l, const struct event *e, struct sigma_beside *ret);
struct decoys *beside_decoys(struct beside *b);
/* Keeps it when that is due, or `now`. */
void beside_keep(struct beside *b, bool now);

/* What the event itself says, with the list of decoys: whether one was touched, how it was renamed, whether a service account did. */
void beside_tell_event(const struct decoys *d, uint32_t owner, const struct event *e, struct sigma_beside *ret);

#endif
