/* What the sensor's threads ask the kernel for once everything is opened. */
#include <linux/sched.h>
#include <sys/prctl.h>

#include "base/filter.h"
#include "sensor/fan.h"

static const char *const allowed[] = {
	/* the groups */
	"fanotify_mark", "read", "write", "close", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
	"ppoll_time64",
	/* objects and folders, by name and by handle; only for reading where open flags can be seen */
	"name_to_handle_at", "open_by_handle_at", "fstat", "fstat64", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx",
	"statfs", "statfs64", "fstatfs", "fstatfs64", "getdents64", "readlink", "readlinkat", "lseek", "_llseek", "fcntl", "fcntl64",
	/* the keeper, the guard, the proc connector, sockets of others: whose connection is it */
	"recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "recv", "sendto", "send", "sendmsg", "pidfd_open", "pidfd_getfd", "getsockopt",
	"getsockname", "getpeername",
	/* memory, threads, time */
	"mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "brk", "futex", "futex_time64", "set_robust_list", "rseq", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sigaltstack", "sched_yield", "sched_getaffinity", "gettid", "getpid", "tgkill", "exit", "exit_group",
	"restart_syscall", "getrandom", "clock_gettime", "clock_gettime64", "gettimeofday", "time", "nanosleep", "clock_nanosleep",
	"clock_nanosleep_time64",
	/* how many descriptors are left */
	"getrlimit", "ugetrlimit", "prlimit64", "setrlimit",
	/* a last word on stderr */
	"writev",
};

static const struct filter_only only[] = {
	{ "openat", { 2, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } },
	{ "open", { 1, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } },
	{ "clone", { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD } }, /* threads, never a process */
	{ "prctl", { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } },
};

int sensor_confine(void)
{
	return filter_allow(allowed, ARRAY_SIZE(allowed), only, ARRAY_SIZE(only));
}
