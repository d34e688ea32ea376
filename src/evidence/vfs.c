#include "evidence/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"

static int real_open(void *arg, int dir, const char *name, int flags, mode_t mode)
{
	int fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);

	return fd < 0 ? -errno : fd;
}

static int real_pwrite(void *arg, int fd, const void *p, size_t n, off_t off)
{
	const char *c = p;

	while (n > 0) {
		ssize_t k = pwrite(fd, c, n, off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (k == 0)
			return -ENOSPC;
		c += k;
		off += k;
		n -= (size_t)k;
	}
	return 0;
}

static int real_fsync(void *arg, int fd)
{
	struct stat st;

	/* fdatasync also makes a new size durable. A directory needs fsync: ext4 counts a new name in a block that was there before as no
	 * change of data, and fdatasync leaves it where a power cut loses it. */
	if (fstat(fd, &st) < 0)
		return -errno;
	return (S_ISDIR(st.st_mode) ? fsync(fd) : fdatasync(fd)) < 0 ? -errno : 0;
}

static int real_truncate(void *arg, int fd, off_t size)
{
	return ftruncate(fd, size) < 0 ? -errno : 0;
}

static int real_rename(void *arg, int dir, const char *from, const char *to)
{
	return renameat(dir, from, dir, to) < 0 ? -errno : 0;
}

static int real_unlink(void *arg, int dir, const char *name)
{
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

static int real_mkdir(void *arg, int dir, const char *name)
{
	return mkdirat(dir, name, 0700) < 0 ? -errno : 0;
}

const struct vfs vfs_real = {
	.open = real_open, .pwrite = real_pwrite, .fsync = real_fsync, .truncate = real_truncate,
	.rename = real_rename, .unlink = real_unlink, .mkdir = real_mkdir,
};
static const struct vfs *current = &vfs_real;

void vfs_set(const struct vfs *v)
{
	current = v ? v : &vfs_real;
}

int vfs_open(int dir, const char *name, int flags, mode_t mode)
{
	return current->open(current->arg, dir, name, flags, mode);
}

int vfs_pwrite(int fd, const void *p, size_t n, off_t off)
{
	return current->pwrite(current->arg, fd, p, n, off);
}

int vfs_fsync(int fd)
{
	return current->fsync(current->arg, fd);
}

int vfs_truncate(int fd, off_t size)
{
	return current->truncate(current->arg, fd, size);
}

int vfs_rename(int dir, const char *from, const char *to)
{
	return current->rename(current->arg, dir, from, to);
}

int vfs_unlink(int dir, const char *name)
{
	return current->unlink(current->arg, dir, name);
}

int vfs_mkdir(int dir, const char *name)
{
	return current->mkdir(current->arg, dir, name);
}

int vfs_replace(int dir, const char *name, const void *p, size_t n, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	char tmp[64];
	int r;

	snprintf(tmp, sizeof(tmp), "%s.tmp", name);
	fd = vfs_open(dir, tmp, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fd;
	r = vfs_pwrite(fd, p, n, 0);
	if (r < 0)
		goto drop;
	r = vfs_fsync(fd);
	if (r < 0)
		return -EIO; /* final: the temporary file is left to the next start */
	r = vfs_rename(dir, tmp, name);
	if (r < 0)
		goto drop;
	if (vfs_fsync(dir) < 0)
		return -EIO;
	if (ret_fd)
		*ret_fd = TAKE_FD(fd);
	return 0;
drop:
	(void)vfs_unlink(dir, tmp); /* gives its room back on a full disk */
	return r;
}

int read_exactly(int fd, void *p, size_t n, off_t off)
{
	char *c = p;

	while (n > 0) {
		ssize_t k = pread(fd, c, n, off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (k == 0)
			return -ENODATA;
		c += k;
		off += k;
		n -= (size_t)k;
	}
	return 0;
}

int read_file(int dir, const char *name, size_t max, struct buf *ret)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	r = buf_reserve(ret, (size_t)st.st_size);
	if (r < 0)
		return r;
	r = read_exactly(fd, ret->p + ret->n, (size_t)st.st_size, 0);
	if (r < 0)
		return r;
	ret->n += (size_t)st.st_size;
	return 0;
}
