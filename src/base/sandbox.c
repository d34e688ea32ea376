#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/sandbox_internal.h"

#define NOBODY 65534

#if defined(__SANITIZE_ADDRESS__)
#define NO_LIMIT_OF_MEMORY true /* its shadow alone is larger */
#else
#define NO_LIMIT_OF_MEMORY false
#endif

bool sandbox_without_landlock;

struct sandbox_plan {
	struct sock_fprog filter;
	const char *const *places;
	int ruleset; /* -1: by namespace */
	enum sandbox_fs fs;
};

enum sandbox_fs sandbox_probe(void)
{
	if (!sandbox_without_landlock && sandbox_landlock_abi() >= 1)
		return SANDBOX_FS_LANDLOCK;
	return sandbox_namespace_probe() == 0 ? SANDBOX_FS_NAMESPACE : SANDBOX_FS_NONE;
}

/* Without an account to become (a user namespace that maps root alone), the capabilities go. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	return syscall(SYS_capset, &h, none) < 0 ? -errno : 0;
}

/* By system calls of their own: the C library's would change every thread of the process, the parent's too after vfork. */
static int become_nobody(void)
{
	if (geteuid() != 0)
		return drop_capabilities();
	if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) < 0 || syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) < 0)
		return errno == EINVAL || errno == EPERM ? drop_capabilities() : -errno;
	return 0;
}

static int limit(int what, uint64_t to)
{
	struct rlimit now, l;

	/* Never more than there was: raising is refused. */
	if (getrlimit((__rlimit_resource_t)what, &now) < 0)
		return -errno;
	l.rlim_cur = l.rlim_max = MIN((rlim_t)to, now.rlim_max);
	return setrlimit((__rlimit_resource_t)what, &l) < 0 ? -errno : 0;
}

int sandbox_limits_enter(const struct sandbox_limits *l)
{
	int r = limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = limit(RLIMIT_FSIZE, 0);
	if (r == 0 && l->files)
		r = limit(RLIMIT_NOFILE, l->files);
	if (r == 0 && l->cpu)
		r = limit(RLIMIT_CPU, l->cpu);
	if (r == 0 && l->memory && !NO_LIMIT_OF_MEMORY)
		r = limit(RLIMIT_AS, l->memory);
	return r;
}

static int plan(enum sandbox_profile profile, const char *const *places, struct sandbox_plan *p)
{
	int r;

	p->places = places;
	p->fs = sandbox_probe();
	p->ruleset = -1;
	if (p->fs == SANDBOX_FS_NONE)
		return -EOPNOTSUPP;
	if (p->fs == SANDBOX_FS_LANDLOCK)
		p->ruleset = sandbox_landlock_prepare(places, false);
	if (p->fs == SANDBOX_FS_LANDLOCK && p->ruleset < 0)
		return p->ruleset;
	r = sandbox_filter_prepare(profile, &p->filter);
	if (r < 0)
		close_fd(&p->ruleset);
	return r;
}

static int enter(const struct sandbox_plan *p, const struct sandbox_limits *l)
{
	int r = p->fs == SANDBOX_FS_NAMESPACE ? sandbox_namespace_enter(p->places) : 0;

	if (r == 0)
		r = become_nobody();
	if (r == 0)
		r = sandbox_limits_enter(l);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0 && p->ruleset >= 0) {
		r = sandbox_landlock_enter(p->ruleset);
		close(p->ruleset);
	}
	return r < 0 ? r : sandbox_filter_enter(&p->filter);
}

int sandbox_library(const struct sandbox_limits *l, enum sandbox_fs *ret)
{
	struct sandbox_plan p = { 0 };
	int r = plan(PROFILE_LIBRARY, NULL, &p);

	if (r < 0)
		return r;
	/* Not in enter: after vfork it would be the parent's, and execve sets it anew. */
	r = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : enter(&p, l);
	free(p.filter.filter);
	if (r == 0)
		*ret = p.fs;
	return r;
}

int sandbox_plan_new(const char *const *places, struct sandbox_plan **ret)
{
	struct sandbox_plan *p = calloc(1, sizeof(*p));
	int r = p ? plan(PROFILE_PROGRAM, places, p) : -ENOMEM;

	if (r < 0)
		free(p);
	else
		*ret = p;
	return r;
}

struct sandbox_plan *sandbox_plan_free(struct sandbox_plan *p)
{
	if (p) {
		close_fd(&p->ruleset);
		free(p->filter.filter);
	}
	free(p);
	return NULL;
}

int sandbox_plan_enter(const struct sandbox_plan *p, const struct sandbox_limits *l)
{
	return enter(p, l);
}

enum sandbox_fs sandbox_plan_fs(const struct sandbox_plan *p)
{
	return p->fs;
}

int sandbox_program(const struct sandbox_limits *l, const char *const *places, enum sandbox_fs *ret)
{
	struct sandbox_plan *p;
	int r = sandbox_plan_new(places, &p);

	if (r < 0)
		return r;
	r = enter(p, l);
	if (r == 0)
		*ret = p->fs;
	p->ruleset = -1;
	sandbox_plan_free(p);
	return r;
}
