#include "base/filter.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static void release(scmp_filter_ctx *f)
{
	if (*f)
		seccomp_release(*f);
}

static int add(scmp_filter_ctx f, uint32_t action, const char *name, const struct scmp_arg_cmp *arg)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(f, action, nr, arg ? 1 : 0, arg);
}

int filter_allow(const char *const *names, size_t n, const struct filter_only *only, size_t n_only)
{
	_cleanup_(release) scmp_filter_ctx f = SANITIZED ? NULL : seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = f ? 0 : -ENOMEM;

	if (SANITIZED)
		return 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add(f, SCMP_ACT_ALLOW, names[i], NULL);
	for (size_t i = 0; r == 0 && i < n_only; i++)
		r = add(f, SCMP_ACT_ALLOW, only[i].name, &only[i].arg);
	if (r == 0)
		r = add(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", NULL);
	return r == 0 ? seccomp_load(f) : r;
}

int filter_deny(const char *const *names, size_t n)
{
	_cleanup_(release) scmp_filter_ctx f = SANITIZED ? NULL : seccomp_init(SCMP_ACT_ALLOW);
	int r = f ? 0 : -ENOMEM;

	if (SANITIZED)
		return 0;
	if (r == 0)
		r = seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add(f, SCMP_ACT_ERRNO(EPERM), names[i], NULL);
	return r == 0 ? seccomp_load(f) : r;
}

int filter_capabilities(const int *keep, size_t n, bool heirs)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };
	uint32_t mask[2] = { 0 };

	for (size_t i = 0; i < n; i++)
		mask[keep[i] / 32] |= (uint32_t)1 << (keep[i] % 32);
	/* First what programs started later may get: giving that up needs a capability that goes next. One that this kernel does not know:
	 * EINVAL. */
	for (int c = 0; c < 64; c++)
		if (!(heirs && mask[c / 32] >> (c % 32) & 1) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 && errno == EPERM)
			return -EPERM;
	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	for (size_t i = 0; i < 2; i++) {
		d[i].permitted &= mask[i];
		d[i].effective &= mask[i];
		d[i].inheritable = 0;
	}
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}
