/* Landlock by its system calls: Debian 12's C library has no names for them, and its headers know an older interface than newer kernels
 * have. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/sandbox_internal.h"

/* Rights on files by the version that brought them: 1: the first 13, 2: refer, 3: truncate, 5: ioctl on devices
 * (docs.kernel.org/userspace-api/landlock). */
static const uint64_t fs_rights[] = { 0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff };

/* The kernel's struct as of version 6; an older one gets the part that it knows. */
struct ruleset_attr {
	uint64_t fs, net, scoped;
};
#define NET_ALL 3u    /* bind, connect over TCP; version 4 */
#define SCOPED_ALL 3u /* abstract sockets, signals; version 6 */

int sandbox_landlock_abi(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return r < 0 ? -errno : (int)r;
}

static int allow(int ruleset, const char *place)
{
	_cleanup_close_ int fd = open(place, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr a = { .parent_fd = fd };
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	a.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
	/* A library is read and mapped; only a program and its loader are executed. */
	a.allowed_access |= S_ISDIR(st.st_mode) ? LANDLOCK_ACCESS_FS_READ_DIR : LANDLOCK_ACCESS_FS_EXECUTE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0) < 0)
		return -errno;
	return 0;
}

int sandbox_landlock_prepare(const char *const *places, bool network)
{
	int abi = sandbox_landlock_abi();
	struct ruleset_attr a = { 0 };
	_cleanup_close_ int fd = -1;

	if (abi < 1)
		return abi < 0 ? abi : -EOPNOTSUPP;
	a.fs = fs_rights[MIN((size_t)abi, ARRAY_SIZE(fs_rights) - 1)];
	a.net = abi >= 4 && !network ? NET_ALL : 0;
	a.scoped = abi >= 6 ? SCOPED_ALL : 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &a, abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0);
	if (fd < 0)
		return -errno;
	for (; places && *places; places++) {
		int r = allow(fd, *places);

		if (r < 0)
			return r;
	}
	return TAKE_FD(fd);
}

int sandbox_landlock_enter(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
