/* Files and folders of rules. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "detect/sigma_int.h"

#define FOLDERS_MAX 24

static int wanted(const struct dirent *d)
{
	str name = str_c(d->d_name);

	return name.n && name.p[0] != '.' && (d->d_type != DT_REG || str_ends(name, STR(".yml")) || str_ends(name, STR(".yaml")));
}

static int walk_folder(int fd, const char *shown, unsigned depth, sigma_walk_fn *fn, void *arg)
{
	struct dirent **list = NULL;
	int n = depth > FOLDERS_MAX ? 0 : scandirat(fd, ".", &list, wanted, alphasort), r = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		_cleanup_buf_ struct buf path = BUF_INIT;
		_cleanup_close_ int sub = -1;
		struct stat st;

		buf_putf(&path, "%s/%s", shown, list[i]->d_name);
		if (r == 0 && buf_cstr(&path) && fstatat(fd, list[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			if (S_ISDIR(st.st_mode)) {
				sub = openat(fd, list[i]->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
				r = sub < 0 ? -errno : walk_folder(sub, path.p, depth + 1, fn, arg);
			} else if (S_ISREG(st.st_mode)) {
				r = fn(arg, fd, list[i]->d_name, path.p, &st);
			}
		}
		free(list[i]);
	}
	free(list);
	return r;
}

int sigma_walk(const char *path, sigma_walk_fn *fn, void *arg)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0)
		return walk_folder(fd, path, 0, fn, arg);
	if (errno != ENOTDIR)
		return -errno;
	return stat(path, &st) < 0 ? -errno : fn(arg, AT_FDCWD, path, path, &st);
}

int sigma_read_file(int dir, const char *name, struct buf *b)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((size_t)st.st_size > SIGMA_FILE_MAX)
		return -EFBIG;
	b->max = SIGMA_FILE_MAX + 4096;
	r = buf_reserve(b, (size_t)st.st_size + 1);
	if (r < 0)
		return r;
	while (b->n < b->cap && (n = read(fd, b->p + b->n, b->cap - b->n)) != 0) {
		if (n < 0)
			return -errno;
		b->n += (size_t)n;
	}
	return 0;
}

int sigma_add_unread(struct sigma *s, str file, int error)
{
	str copied = sigma_copy(s, file);
	char what[128];

	if (!copied.p)
		return -ENOMEM;
	if (error == -EFBIG)
		return sigma_broken_file(s, copied, 0, "expected at most 1 MiB");
	snprintf(what, sizeof(what), "cannot be read: %s", strerror(-error));
	return sigma_broken_file(s, copied, 0, what);
}

static int add_file(void *arg, int dir, const char *name, const char *shown, const struct stat *st)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = sigma_read_file(dir, name, &b);

	if (r == 0)
		return sigma_add_text(arg, str_c(shown), buf_str(&b));
	/* Named itself: that it cannot be read is an error of the load. */
	return r == -EFBIG || dir != AT_FDCWD ? sigma_add_unread(arg, str_c(shown), r) : r;
}

int sigma_add_path(struct sigma *s, const char *path)
{
	return sigma_walk(path, add_file, s);
}
