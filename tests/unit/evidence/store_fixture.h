/* store_fixture.h — logs for tests: a state directory of its own, events that are all different.
 *
 * Purpose: shared by the store's tests. Ownership: the directory is removed by fixture_end. Units: leaves. Threads: one at a time.
 * Errors: a failed check ends the test.
 */
#ifndef TYTO_STORE_FIXTURE_H
#define TYTO_STORE_FIXTURE_H

#include "../test.h"

#include "evidence/evidence.h"

struct fixture {
	char dir[64];   /* of its own */
	char state[80];
};
void fixture_begin(struct fixture *f);
void fixture_end(struct fixture *f);
/* The i-th event: all kinds of fields over time. Its strs live until the next call. */
void fixture_event(uint64_t i, struct event *ret);
/* Appends events [from, to), a commit after every `batch`. */
void fixture_fill(struct evidence *e, uint64_t from, uint64_t to, uint64_t batch);
struct evidence *fixture_open(const struct fixture *f);
/* Copies the state directory to `to` (which must not exist). */
void fixture_copy(const char *from, const char *to);
/* Verify: true when intact; ret may be NULL. */
bool fixture_verify(const char *state, struct verify_result *ret);

#endif
