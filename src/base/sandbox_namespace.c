/* Where there is no Landlock: a root directory with nothing in it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/sandbox_internal.h"

#define STAGE "/proc" /* a directory that is always there; the mount over it is ours alone */

/* Makes the folders above place, and place itself as a file or folder, below the stage; binds the real one there, read-only. */
static int bind_place(const char *place)
{
	char path[512] = STAGE;
	size_t at = sizeof(STAGE) - 1, n = strlen(place);
	struct stat st;

	if (n >= sizeof(path) - at || place[0] != '/')
		return -ENAMETOOLONG;
	if (stat(place, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (size_t i = 0; i <= n; i++) {
		if (i && (place[i] == '/' || !place[i])) {
			path[at + i] = '\0';
			if (place[i] || S_ISDIR(st.st_mode)) {
				if (mkdir(path, 0755) < 0 && errno != EEXIST)
					return -errno;
			} else {
				int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

				if (fd < 0)
					return -errno;
				close(fd);
			}
		}
		path[at + i] = place[i];
	}
	if (mount(place, path, NULL, MS_BIND, NULL) < 0)
		return -errno;
	return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0 ? -errno : 0;
}

static int put(const char *path, const char *s)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, s, strlen(s)) < 0 ? -errno : 0;
}

/* Whoever is not root becomes able to mount in a user namespace, as the one user that it has: files of nobody cannot be made. */
static int own_namespaces(bool makes_files)
{
	char map[48];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int r;

	if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	if (uid == 0 || !makes_files) /* (not dumpable, a process may not even write its own map) */
		return 0;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	r = put("/proc/self/uid_map", map);
	if (r == 0)
		r = put("/proc/self/setgroups", "deny"); /* without it, the next is refused */
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (r == 0)
		r = put("/proc/self/gid_map", map);
	return r < 0 ? -EOPNOTSUPP : 0;
}

int sandbox_namespace_enter(const char *const *places)
{
	int r = own_namespaces(places != NULL);

	if (r < 0)
		return r;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV,
	    "size=64k,mode=0755") < 0)
		return -errno;
	for (; r == 0 && places && *places; places++)
		r = bind_place(*places);
	if (r < 0)
		return r;
	/* "." over ".": the old root ends up on top of the new one and is taken off. */
	if (chdir(STAGE) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		return -errno;
	return 0;
}

/* By trying, in a child that nobody misses. */
int sandbox_namespace_probe(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(sandbox_namespace_enter(NULL) < 0);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EOPNOTSUPP;
}
