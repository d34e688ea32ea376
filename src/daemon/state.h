/* state.h — the state directory: whose it is, how it is entered, where its socket is.
 *
 * Purpose: create and enter the directory with the right owner, and find the keeper's socket. The keeper's account is `tyto`, or uid 65534
 * where there is none; whoever runs without root keeps a state of its own.
 * Ownership: texts go to the caller's memory. Units: none. Threads: state_enter changes the credentials of the whole process: call it before threads start.
 * Errors: negative errno, and *ret_why: one sentence, static or per thread.
 */
#ifndef TYTO_STATE_H
#define TYTO_STATE_H

#include <limits.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/base.h"

struct account {
	uid_t uid;
	gid_t gid;
	bool named; /* the account `tyto` exists */
};

/* The account that the keeper runs as. */
void state_account(struct account *ret);

/* Makes the directory (0700) for the keeper's account when it is missing and create is set; checks that it is a directory with no rights for others, and who owns it. */
int state_prepare(const char *state, bool create, struct account *ret_owner, const char **ret_why);

/* Root becomes the owner of the directory for good (files made from here on are the keeper's); others must own it. */
int state_enter(const struct account *owner, const char *state, const char **ret_why);

/* Missing, or a folder in which no log has been begun (it is empty, or a first start was cut off). */
bool state_unused(const char *state);

/* /run/tyto/<hash of the real path>.sock; -ENOENT when the directory does not exist. */
int state_socket(const char *state, struct sockaddr_un *ret);

#endif
