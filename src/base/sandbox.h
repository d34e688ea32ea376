/* sandbox.h — a process gives up everything that reading one document does not need.
 *
 * Purpose: two profiles. *library*: no filesystem at all, no new descriptors but by recvmsg, no network, no fork, no exec. *program*: read and execute
 * below the given places (Landlock), one execve, nothing else. Both: no_new_privs, seccomp allow-list, RLIMIT_AS, RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_FSIZE 0,
 * RLIMIT_CORE 0, not dumpable. Ownership: none. Units: bytes, seconds. Threads: call before threads start. Errors: negative errno, and the process must not
 * parse then; -EOPNOTSUPP where neither Landlock nor an empty mount namespace can be had.
 */
#ifndef TYTO_SANDBOX_H
#define TYTO_SANDBOX_H

#include "base/base.h"

struct sandbox_limits {
	uint64_t memory;  /* RLIMIT_AS; 0 unchanged */
	uint32_t cpu;     /* seconds; 0 unchanged */
	uint32_t files;   /* RLIMIT_NOFILE */
};

enum sandbox_fs { SANDBOX_FS_NONE, SANDBOX_FS_LANDLOCK, SANDBOX_FS_NAMESPACE };

/* Becomes an unprivileged uid (when root), closes what is not kept, and shuts the profile for good. */
int sandbox_library(const struct sandbox_limits *l, enum sandbox_fs *ret);
/* places: NULL-terminated paths that may be read and executed; missing ones are passed over. One execve is allowed afterwards. */
int sandbox_program(const struct sandbox_limits *l, const char *const *places, enum sandbox_fs *ret);
/* What this kernel offers, without entering. */
enum sandbox_fs sandbox_probe(void);

#endif
