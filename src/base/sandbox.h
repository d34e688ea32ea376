/* sandbox.h — a process gives up everything that reading one document does not need.
 *
 * Purpose: three profiles. *library*: no filesystem at all, no new descriptors but by recvmsg, no network, no fork, no exec. *program*:
 * read and execute below the given places (Landlock), one execve, nothing else. *network*: below. All: no_new_privs, seccomp allow-list,
 * RLIMIT_AS, RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_FSIZE 0, RLIMIT_CORE 0, not dumpable. Ownership: none. Units: bytes, seconds. Threads: call
 * before threads start. Errors: negative errno, and the process must not parse then; -EOPNOTSUPP where neither Landlock nor an empty mount
 * namespace can be had.
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
/* places: NULL-terminated paths; below folders may be read, files may be read and executed (the program, its loader); missing ones are
 * passed over. execve stays possible, of those files alone; fork is not. */
int sandbox_program(const struct sandbox_limits *l, const char *const *places, enum sandbox_fs *ret);

/* The same in two steps, for starting a program from a process with threads: the plan is made once, entered between vfork and execve (raw
 * system calls, no allocation, only the calling thread changes). */
struct sandbox_plan;
int sandbox_plan_new(const char *const *places, struct sandbox_plan **ret); /* places: borrowed, as long as the plan */
struct sandbox_plan *sandbox_plan_free(struct sandbox_plan *p);
int sandbox_plan_enter(const struct sandbox_plan *p, const struct sandbox_limits *l);
enum sandbox_fs sandbox_plan_fs(const struct sandbox_plan *p);

/* A third profile, for a process that talks to servers: below the places it reads (NULL-terminated; missing ones are passed over), nowhere
 * does it write; network, local sockets and threads stay, programs do not. Becomes uid (when root). Without Landlock the rest is in force,
 * and what others may read is readable. */
int sandbox_network(const struct sandbox_limits *l, const char *const *places, unsigned uid);

/* What this kernel offers, without entering. */
enum sandbox_fs sandbox_probe(void);


/* For tests: as if this kernel had no Landlock. */
extern bool sandbox_without_landlock;

#endif
