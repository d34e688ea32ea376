/* vfs.h — the file operations of the evidence writer behind one struct of functions.
 *
 * Purpose: everything that changes a log goes through here, so that tests can record writes and fsyncs in order, replay them torn, and
 * make any of them fail. Reading is not covered. Ownership: descriptors belong to the caller. Units: bytes.
 * Threads: vfs_set is for tests, before any log is opened; the rest has no state. Errors: negative errno.
 */
#ifndef TYTO_VFS_H
#define TYTO_VFS_H

#include <sys/types.h>

#include "base/str.h"

struct vfs {
	int (*open)(void *arg, int dir, const char *name, int flags, mode_t mode);
	int (*pwrite)(void *arg, int fd, const void *p, size_t n, off_t off); /* all of it or an error */
	int (*fsync)(void *arg, int fd);
	int (*truncate)(void *arg, int fd, off_t size);
	int (*rename)(void *arg, int dir, const char *from, const char *to);
	int (*unlink)(void *arg, int dir, const char *name);
	int (*mkdir)(void *arg, int dir, const char *name);
	void *arg;
};

extern const struct vfs vfs_real;
/* NULL: the real one again. */
void vfs_set(const struct vfs *v);

int vfs_open(int dir, const char *name, int flags, mode_t mode);
int vfs_pwrite(int fd, const void *p, size_t n, off_t off);
int vfs_fsync(int fd);
int vfs_truncate(int fd, off_t size);
int vfs_rename(int dir, const char *from, const char *to);
int vfs_unlink(int dir, const char *name);
int vfs_mkdir(int dir, const char *name);

/* Writes NAME.tmp, fsyncs it, renames it to NAME and fsyncs the directory: NAME is there whole or not at all.
 * ret_fd: the open file (read and write), or NULL. */
int vfs_replace(int dir, const char *name, const void *p, size_t n, int *ret_fd);

/* Reading helpers: exactly n bytes or -ENODATA; a whole file up to max bytes. */
int read_exactly(int fd, void *p, size_t n, off_t off);
struct buf;
int read_file(int dir, const char *name, size_t max, struct buf *ret);

#endif
