/* base.h — the few macros that every file uses.
 *
 * Purpose: cleanup attributes, array sizes, likely/unlikely, and the list of banned functions.
 * Ownership: none. Threads: no state. Errors: functions in this project return 0 (or a count) or -errno; an
 * output argument is named ret_… and is left alone on failure.
 */
#ifndef TYTO_BASE_H
#define TYTO_BASE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#ifdef STATIC_ANALYSIS
/* cppcheck knows no cleanup: what needs none is nearest to it. */
#define _cleanup_(f) static
#else
#define _cleanup_(f) __attribute__((cleanup(f)))
#endif
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _nodiscard_ __attribute__((warn_unused_result))
#define _noreturn_ __attribute__((noreturn))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define NSEC_PER_SEC 1000000000LL

static inline void free_ptr(void *p)
{
	free(*(void **)p);
	*(void **)p = NULL;
}
#define _cleanup_free_ _cleanup_(free_ptr)

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
#define _cleanup_close_ _cleanup_(close_fd)

/* The same file under a number of at least `least`; where there is none, as it is. Negative: handed through. */
static inline int fd_above(int fd, int least)
{
	int up = fd < 0 || fd >= least ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, least);

	if (up < 0)
		return fd;
	close(fd);
	return up;
}

/* Hands an owned value out of a cleanup variable. */
#define TAKE_FD(fd) ({ int *fd_ = &(fd), v_ = *fd_; *fd_ = -1; v_; })
#define TAKE_PTR(p) ({ __typeof__(p) *p_ = &(p), v_ = *p_; *p_ = NULL; v_; })

#include "base/banned.h"

#endif
