#include "daemon/confine.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/filter.h"

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

static const struct filter_only only[] = {
	/* threads, never a process */
	{ "clone", { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD } },
	{ "socket", { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
	{ "socketpair", { 0, SCMP_CMP_EQ, AF_UNIX, 0 } },
	{ "ioctl", { 1, SCMP_CMP_EQ, TCGETS, 0 } },
	{ "ioctl", { 1, SCMP_CMP_EQ, TIOCGWINSZ, 0 } },
	{ "prctl", { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } },
};

int confine_keeper(void)
{
	return filter_allow(allowed, ARRAY_SIZE(allowed), only, ARRAY_SIZE(only));
}

/* Kept from the guard and, as filters are inherited, from whatever it starts. */
static const char *const nobodys[] = {
	"mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick",
	"mount_setattr",
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp",
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "quotactl", "quotactl_fd",
	"acct", "syslog", "iopl", "ioperm", "settimeofday", "clock_settime", "clock_settime64", "stime", "sethostname", "setdomainname", "setns",
	"unshare", "keyctl", "add_key", "request_key", "userfaultfd", "perf_event_open", "mknod", "mknodat", "lookup_dcookie", "nfsservctl",
	"vhangup", "personality", "io_uring_setup", "io_uring_enter", "io_uring_register",
};

/* What the children need, each for a part of it, or for its start; they reduce it further. */
static const int kept[] = {
	CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_IPC_LOCK, /* the sensor, as long as it runs */
	CAP_NET_ADMIN,                                                    /* the proc connector and its buffer */
	CAP_SYS_NICE, CAP_SYS_RESOURCE, CAP_KILL, CAP_SETPCAP,            /* priority, descriptors, the keeper's end */
	CAP_CHOWN, CAP_FOWNER, CAP_FSETID, CAP_DAC_OVERRIDE, CAP_SETUID, CAP_SETGID, /* the state directory; becoming its owner */
};

int confine_guard(void)
{
	int r = filter_capabilities(kept, ARRAY_SIZE(kept), true);

	return r < 0 ? r : filter_deny(nobodys, ARRAY_SIZE(nobodys));
}
