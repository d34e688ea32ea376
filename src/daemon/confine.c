#include "daemon/confine.h"

#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/base.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* the sanitizer's own calls are none of ours */
#else
#define SANITIZED false
#endif

/* By name: a call that this machine's kind does not have is passed over. */
static const char *const allowed[] = {
	/* the log, the index, the name service's files and libraries */
	"openat", "open", "close", "read", "pread64", "readv", "write", "pwrite64", "writev", "lseek", "_llseek", "fsync", "fdatasync",
	"sync_file_range", "fallocate", "ftruncate", "ftruncate64", "stat", "stat64", "fstat", "fstat64", "lstat", "lstat64",
	"newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2", "readlink",
	"readlinkat", "getdents64", "getcwd", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir",
	"fchmod", "fchmodat", "umask", "flock", "fcntl", "fcntl64", "fadvise64", "dup", "dup3", "pipe2",
	/* memory */
	"mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "brk", "membarrier",
	/* threads and signals */
	"futex", "futex_time64", "futex_waitv", "set_robust_list", "get_robust_list", "rseq", "rt_sigaction", "rt_sigprocmask",
	"rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "sigaltstack", "signalfd4", "tgkill", "sched_yield", "sched_getaffinity",
	"gettid", "getpid", "exit", "exit_group", "restart_syscall", "set_tid_address", "getrlimit", "ugetrlimit", "getrusage",
	/* the sensor, the commands, the name service */
	"accept", "accept4", "connect", "recvfrom", "recvmsg", "recv", "sendto", "sendmsg", "send", "shutdown", "getsockopt",
	"setsockopt", "getsockname", "getpeername", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll",
	"ppoll", "ppoll_time64", "select", "pselect6", "eventfd2",
	/* who we are, what time it is */
	"getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32", "getegid32", "getgroups", "getppid", "uname",
	"sysinfo", "getrandom", "clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday", "time", "nanosleep",
	"clock_nanosleep", "clock_nanosleep_time64",
	/* is the clock synchronised: reading needs the call that sets, and setting needs a capability that is gone */
	"clock_adjtime", "clock_adjtime64", "adjtimex",
};

static int allow_some(scmp_filter_ctx f)
{
	static const struct {
		const char *name;
		struct scmp_arg_cmp arg;
	} only[] = {
		/* threads, never a process */
		{ "clone", { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD } },
		{ "socket", { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
		{ "socketpair", { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
		{ "ioctl", { 1, SCMP_CMP_EQ, TCGETS, 0 } },
		{ "ioctl", { 1, SCMP_CMP_EQ, TIOCGWINSZ, 0 } },
		{ "prctl", { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(only); i++) {
		int nr = seccomp_syscall_resolve_name(only[i].name);

		if (nr != __NR_SCMP_ERROR)
			r = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, nr, 1, &only[i].arg);
	}
	/* Its flags lie in memory, where no filter sees them; the C library falls back on clone. */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

int confine_keeper(void)
{
	scmp_filter_ctx f = SANITIZED ? NULL : seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = f ? 0 : -ENOMEM;

	if (SANITIZED)
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed); i++) {
		int nr = seccomp_syscall_resolve_name(allowed[i]);

		if (nr != __NR_SCMP_ERROR)
			r = seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 0);
	}
	if (r == 0)
		r = allow_some(f);
	if (r == 0)
		r = seccomp_load(f); /* sets no_new_privs */
	if (f)
		seccomp_release(f);
	return r;
}
