/* sandbox_internal.h — the mechanisms that sandbox.c puts together, one file each.
 *
 * Purpose: system call filter, Landlock, mount namespace. What has to happen between vfork and execve (sandbox_program) only makes raw
 * system calls: nothing here allocates once its _prepare has been called. Ownership: as said at each. Units: none. Threads: none. Errors:
 * negative errno.
 */
#ifndef TYTO_SANDBOX_INTERNAL_H
#define TYTO_SANDBOX_INTERNAL_H

#include <linux/filter.h>

#include "base/sandbox.h"

enum sandbox_profile { PROFILE_LIBRARY, PROFILE_PROGRAM };

/* The filter as the kernel takes it; the caller frees *ret->filter. A sanitized build gets an empty one: its runtime's own calls are none
 * of ours. */
int sandbox_filter_prepare(enum sandbox_profile p, struct sock_fprog *ret);
int sandbox_filter_enter(const struct sock_fprog *f);

/* The version of Landlock's interface, or negative errno. */
int sandbox_landlock_abi(void);
/* A rule set in which nothing is allowed but reading below the places, and executing those that are files; network: TCP stays as it is.
 * Returns its descriptor. */
int sandbox_landlock_prepare(const char *const *places, bool network);
int sandbox_landlock_enter(int ruleset);

/* RLIMIT_CORE and RLIMIT_FSIZE 0, and what is asked for. */
int sandbox_limits_enter(const struct sandbox_limits *l);

/* An empty, read-only root with nothing in it but the places (may be NULL). Needs root, or user namespaces. */
int sandbox_namespace_enter(const char *const *places);
int sandbox_namespace_probe(void);

#endif
