/* What a process keeps that talks to servers. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "base/sandbox_internal.h"

static const char *const allowed[] = {
	/* certificates, the name service's files and libraries */
	"openat", "open", "close", "read", "pread64", "readv", "write", "writev", "lseek", "_llseek", "stat", "stat64", "fstat", "fstat64",
	"lstat",
	"lstat64", "newfstatat", "fstatat64", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd",
	"fcntl",
	"fcntl64", "fadvise64", "pipe2", "dup", "ioctl",
	/* memory */
	"mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "brk", "membarrier",
	/* threads (the resolver's) and signals */
	"futex", "futex_time64", "set_robust_list", "get_robust_list", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
	"rt_sigtimedwait", "sigaltstack", "sched_yield", "sched_getaffinity", "gettid", "getpid", "exit", "exit_group", "restart_syscall",
	"set_tid_address", "getrlimit", "ugetrlimit", "getrusage",
	/* servers */
	"connect", "bind", "sendto", "sendmsg", "sendmmsg", "send", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "recv", "shutdown",
	"getsockopt",
	"setsockopt", "getsockname", "getpeername", "poll", "ppoll", "ppoll_time64", "select", "pselect6", "epoll_create1", "epoll_ctl",
	"epoll_wait",
	"epoll_pwait", "eventfd2",
	/* who we are, what time it is */
	"getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32", "getegid32", "uname", "sysinfo", "getrandom",
	"clock_gettime",
	"clock_gettime64", "clock_getres", "gettimeofday", "time", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64",
};

static const struct filter_only only[] = {
	{ "clone", { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD } }, /* threads, never a process */
	{ "socket", { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
	{ "socket", { 0, SCMP_CMP_EQ, AF_INET, 0 } },
	{ "socket", { 0, SCMP_CMP_EQ, AF_INET6, 0 } },
	{ "socket", { 0, SCMP_CMP_EQ, AF_NETLINK, 0 } }, /* getaddrinfo asks which addresses we have */
	{ "socketpair", { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
	{ "prctl", { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } },
};

static int become(uid_t uid)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (geteuid() == 0) {
		if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
			return -errno;
		/* Without an account to become (a user namespace that maps root alone), the capabilities go. */
		if ((syscall(SYS_setresgid, uid, uid, uid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0) && errno != EINVAL && errno != EPERM)
			return -errno;
	}
	return syscall(SYS_capset, &h, none) < 0 ? -errno : 0;
}

int sandbox_network(const struct sandbox_limits *l, const char *const *places, unsigned uid)
{
	_cleanup_close_ int ruleset = sandbox_without_landlock || sandbox_landlock_abi() < 1 ? -1 : sandbox_landlock_prepare(places, true);
	int r = become(uid);

	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = sandbox_limits_enter(l);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0 && ruleset >= 0)
		r = sandbox_landlock_enter(ruleset);
	return r < 0 ? r : filter_allow(allowed, ARRAY_SIZE(allowed), only, ARRAY_SIZE(only));
}
