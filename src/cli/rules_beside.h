/* rules_beside.h — what is known beside the records of a test of rules: people, baseline and decoys without a log.
 *
 * Purpose: the fields tyto.* for `tyto rules test`. Ownership: owns all; strs told live until the next call. Units: as in
 * detect/profile.h. Threads: main.
 * Errors: negative errno.
 */
#ifndef TYTO_RULES_BESIDE_H
#define TYTO_RULES_BESIDE_H

#include "detect/sigma.h"

struct rules_beside;

struct rules_beside *rules_beside_new(void);
struct rules_beside *rules_beside_free(struct rules_beside *b);
/* A row of people, as JSON; a decoy's path: in force from here on. -EBADMSG. */
int rules_beside_row(struct rules_beside *b, str row);
int rules_beside_decoy(struct rules_beside *b, const char *path);
/* Takes the event in, and tells what is known at it. */
int rules_beside_tell(struct rules_beside *b, const struct event *e, struct sigma_beside *ret);

#endif
