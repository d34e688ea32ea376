/* The system calls that are left: a list each, everything else fails with EPERM. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/sandbox_internal.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* By name: a call that this machine's kind does not have is passed over. */
static const char *const both[] = {
	"read", "pread64", "readv", "preadv", "write", "writev", "close", "lseek", "_llseek", "fstat", "fstat64",
	/* memory */
	"munmap", "mremap", "madvise", "brk", "futex", "futex_time64", "membarrier",
	/* signals and time */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "sigaltstack", "restart_syscall", "clock_gettime", "clock_gettime64",
	"clock_getres", "clock_getres_time64", "gettimeofday", "time", "getrusage", "times",
	/* itself */
	"getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32", "getegid32", "sched_yield",
	"sched_getaffinity",
	"sysinfo", "uname", "getrandom", "exit", "exit_group",
};

/* Documents come and text goes over a socket that is there. */
static const char *const library[] = { "recvmsg", "recvfrom", "recv", "sendmsg", "sendto", "send", "poll", "ppoll", "ppoll_time64", "alarm",
	"setitimer" };

/* A program is loaded: what its places do not hold, Landlock or the namespace keeps from it. */
static const char *const program[] = {
	"execve", "openat", "open", "access", "faccessat", "faccessat2", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx",
	"readlink",
	"readlinkat", "getdents64", "getcwd", "mmap", "mmap2", "mprotect", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "fadvise64",
	"getrlimit", "ugetrlimit",
};

struct only {
	const char *name;
	struct scmp_arg_cmp arg;
};

/* No memory that is both ours to fill and to run. */
static const struct only library_only[] = {
	{ "mmap", { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ "mmap2", { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ "mprotect", { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
};

static const struct only program_only[] = {
	{ "prlimit64", { 2, SCMP_CMP_EQ, 0, 0 } }, /* reading */
	{ "fcntl", { 1, SCMP_CMP_EQ, F_GETFL, 0 } },
	{ "fcntl", { 1, SCMP_CMP_EQ, F_GETFD, 0 } },
	{ "fcntl", { 1, SCMP_CMP_EQ, F_SETFD, 0 } },
};

static int add(scmp_filter_ctx f, const char *const *names, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		if (nr != __NR_SCMP_ERROR && nr >= 0)
			r = seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 0);
	}
	return r;
}

static int add_only(scmp_filter_ctx f, const struct only *o, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		int nr = seccomp_syscall_resolve_name(o[i].name);

		if (nr != __NR_SCMP_ERROR && nr >= 0)
			r = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, nr, 1, &o[i].arg);
	}
	return r;
}

/* libseccomp of Debian 12 gives the finished filter only to a file. */
static int export(scmp_filter_ctx f, struct sock_fprog *ret)
{
	_cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter *p;
	off_t n;

	if (fd < 0)
		return -errno;
	if (seccomp_export_bpf(f, fd) < 0)
		return -EIO;
	n = lseek(fd, 0, SEEK_END);
	if (n <= 0 || n % (off_t)sizeof(*p) || n / (off_t)sizeof(*p) > BPF_MAXINSNS)
		return -EIO;
	p = malloc((size_t)n);
	if (!p)
		return -ENOMEM;
	if (pread(fd, p, (size_t)n, 0) != n) {
		free(p);
		return -EIO;
	}
	ret->filter = p;
	ret->len = (unsigned short)((size_t)n / sizeof(*p));
	return 0;
}

int sandbox_filter_prepare(enum sandbox_profile profile, struct sock_fprog *ret)
{
	scmp_filter_ctx f;
	int r;

	*ret = (struct sock_fprog){ 0 };
	if (SANITIZED)
		return 0;
	f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!f)
		return -ENOMEM;
	/* Short and even: the order of the calls costs nothing then. */
	seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r = add(f, both, ARRAY_SIZE(both));
	if (r == 0 && profile == PROFILE_LIBRARY) {
		struct only self = { "tgkill", { 0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0 } }; /* raise, abort */

		r = add(f, library, ARRAY_SIZE(library));
		r = r ? r : add_only(f, library_only, ARRAY_SIZE(library_only));
		r = r ? r : add_only(f, &self, 1);
	} else if (r == 0) {
		r = add(f, program, ARRAY_SIZE(program));
		r = r ? r : add_only(f, program_only, ARRAY_SIZE(program_only));
	}
	r = r ? r : export(f, ret);
	seccomp_release(f);
	return r;
}

int sandbox_filter_enter(const struct sock_fprog *f)
{
	if (!f->len)
		return 0;
	return syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, f) < 0 ? -errno : 0;
}
