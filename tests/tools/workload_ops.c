/* The ways to touch a file. Each counts what it did exactly once, where it is known to have happened. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/timefmt.h"
#include "workload.h"

#define SLOW_NS (500 * 1000000LL)
#define CHUNK 65536

static int open_timed(struct worker *w, int dir, const char *path, int flags)
{
	int64_t t = time_boottime();
	int fd = openat(dir, path, flags | O_CLOEXEC, 0666), r = fd < 0 ? -errno : fd;

	t = time_boottime() - t;
	w->c->slowest = MAX(w->c->slowest, t);
	w->c->slow += t > SLOW_NS;
	if (fd < 0)
		return r;
	if (flags & O_PATH) {
		w->c->opens_path++;
	} else {
		w->c->opens++;
		w->c->opens_write += (flags & O_ACCMODE) != O_RDONLY;
	}
	return r;
}

static int read_all(struct worker *w, int fd, size_t chunk)
{
	_cleanup_free_ void *p = NULL;
	ssize_t n;

	if (posix_memalign(&p, 4096, chunk))
		return -ENOMEM;
	while ((n = read(fd, p, chunk)) > 0)
		w->c->read_bytes += (uint64_t)n;
	if (n < 0)
		return -errno;
	w->c->reads++;
	return 0;
}

static int op_open(struct worker *w, const char *path)
{
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, O_RDONLY);

	return MIN(fd, 0);
}

static int op_open_write(struct worker *w, const char *path)
{
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, O_RDWR);

	return MIN(fd, 0);
}

static int op_read(struct worker *w, const char *path)
{
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, O_RDONLY);

	return fd < 0 ? fd : read_all(w, fd, CHUNK);
}

static int op_direct(struct worker *w, const char *path)
{
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, O_RDONLY | O_DIRECT);

	return fd < 0 ? fd : read_all(w, fd, CHUNK);
}

static int op_mmap(struct worker *w, const char *path)
{
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, O_RDONLY);
	struct stat st;
	volatile uint8_t sum = 0;
	uint8_t *p;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!st.st_size)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	close_fd(&fd); /* what is read then has no descriptor any more */
	for (off_t i = 0; i < st.st_size; i += 4096)
		sum = (uint8_t)(sum + p[i]);
	munmap(p, (size_t)st.st_size);
	w->c->reads++;
	w->c->mapped_bytes += (uint64_t)st.st_size;
	return 0;
}

/* Moves the file in the kernel, into memory or a pipe, until it ends. */
static int in_kernel(struct worker *w, const char *path, ssize_t (*move)(int from, int to))
{
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, O_RDONLY), to = memfd_create("workload", MFD_CLOEXEC);
	ssize_t n;

	if (fd < 0 || to < 0)
		return fd < 0 ? fd : -EMFILE;
	while ((n = move(fd, to)) > 0)
		w->c->read_bytes += (uint64_t)n;
	if (n < 0)
		return (int)n;
	w->c->reads++;
	return 0;
}

static ssize_t move_sendfile(int from, int to)
{
	ssize_t n = sendfile(to, from, NULL, CHUNK);

	return n < 0 ? -errno : n;
}

static ssize_t move_splice(int from, int to)
{
	int p[2];
	ssize_t n;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	n = splice(from, NULL, p[1], NULL, CHUNK, 0);
	if (n < 0)
		n = -errno;
	close(p[0]);
	close(p[1]);
	return n;
}

static int op_sendfile(struct worker *w, const char *path)
{
	return in_kernel(w, path, move_sendfile);
}

static int op_splice(struct worker *w, const char *path)
{
	return in_kernel(w, path, move_splice);
}

static void name_beside(const struct worker *w, const char *path, const char *what, char out[static 4300])
{
	snprintf(out, 4300, "%s.%s.%u.%u.%d", path, what, w->id, w->round, (int)getpid());
}

static int removed(struct worker *w, const char *path)
{
	if (unlink(path) < 0)
		return -errno;
	w->c->deletes++;
	return 0;
}

static int op_copy_range(struct worker *w, const char *path)
{
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, O_RDONLY), to = -1;
	char copy[4300];
	ssize_t n;

	if (fd < 0)
		return fd;
	name_beside(w, path, "copy", copy);
	to = open_timed(w, AT_FDCWD, copy, O_WRONLY | O_CREAT | O_EXCL);
	if (to < 0)
		return to;
	w->c->creates++;
	while ((n = copy_file_range(fd, NULL, to, NULL, CHUNK, 0)) > 0) {
		w->c->read_bytes += (uint64_t)n;
		w->c->write_bytes += (uint64_t)n;
	}
	if (n < 0)
		return -errno;
	w->c->reads++;
	w->c->writes++;
	return removed(w, copy);
}

static int op_path_reopen(struct worker *w, const char *path)
{
	_cleanup_close_ int o = open_timed(w, AT_FDCWD, path, O_PATH), fd = -1;
	char proc[64];

	if (o < 0)
		return o;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", o);
	fd = open_timed(w, AT_FDCWD, proc, O_RDONLY);
	return fd < 0 ? fd : read_all(w, fd, CHUNK);
}

/* As another process may do through /proc/PID/fd. */
static int op_fd_reopen(struct worker *w, const char *path)
{
	_cleanup_close_ int first = open_timed(w, AT_FDCWD, path, O_RDONLY), fd = -1;
	char proc[64];

	if (first < 0)
		return first;
	snprintf(proc, sizeof(proc), "/proc/%d/fd/%d", (int)getpid(), first);
	fd = open_timed(w, AT_FDCWD, proc, O_RDONLY);
	return fd < 0 ? fd : read_all(w, fd, CHUNK);
}

static int op_handle(struct worker *w, const char *path)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .h.handle_bytes = MAX_HANDLE_SZ };
	_cleanup_close_ int mount = -1, fd = -1;
	char dir[4300];
	char *slash;
	int id;

	/* Any descriptor on the filesystem will do, but not an O_PATH one: its folder. */
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[1] = '\0';
	mount = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount < 0 || name_to_handle_at(AT_FDCWD, path, &u.h, &id, 0) < 0)
		return -errno;
	fd = open_by_handle_at(mount, &u.h, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	w->c->opens++;
	return read_all(w, fd, CHUNK);
}

/* Another process opens (as the user that started us) and passes the descriptor; this one reads. */
static int op_passed(struct worker *w, const char *path)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec io = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	_cleanup_close_ int fd = -1;

	if (send(w->server, path, strlen(path), 0) < 0 || recvmsg(w->server, &m, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	if (!CMSG_FIRSTHDR(&m))
		return -EBADF;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	w->c->passed++; /* opened once, by the passer */
	return read_all(w, fd, CHUNK);
}

static int write_some(struct worker *w, const char *path, int flags)
{
	static const char text[4096] = "workload";
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, flags);

	if (fd < 0)
		return fd;
	if (write(fd, text, sizeof(text)) != (ssize_t)sizeof(text))
		return -EIO;
	w->c->writes++;
	w->c->write_bytes += sizeof(text);
	return 0;
}

static int op_write(struct worker *w, const char *path)
{
	return write_some(w, path, O_WRONLY);
}

static int op_append(struct worker *w, const char *path)
{
	return write_some(w, path, O_WRONLY | O_APPEND);
}

static int op_write_mmap(struct worker *w, const char *path)
{
	_cleanup_close_ int fd = open_timed(w, AT_FDCWD, path, O_RDWR);
	struct stat st;
	uint8_t *p;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_size == 0) /* a page of an empty file faults */
		return -ENODATA;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	close_fd(&fd);
	p[0]++;
	munmap(p, 4096);
	w->c->writes++;
	return 0;
}

static int op_truncate(struct worker *w, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || truncate(path, st.st_size) < 0)
		return -errno;
	w->c->truncates++;
	return 0;
}

static int op_create(struct worker *w, const char *path)
{
	char name[4300];
	int r;

	name_beside(w, path, "new", name);
	r = write_some(w, name, O_WRONLY | O_CREAT | O_EXCL);
	if (r < 0)
		return r;
	w->c->creates++;
	return removed(w, name);
}

/* A file without a name, which gets one, is read by it and removed. */
static int op_tmpfile(struct worker *w, const char *path)
{
	char name[4300], dir[4300], proc[64];
	_cleanup_close_ int fd = -1;
	char *slash;
	int r;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[1] = '\0';
	name_beside(w, path, "tmp", name);
	fd = open_timed(w, AT_FDCWD, slash ? dir : ".", O_TMPFILE | O_RDWR);
	if (fd < 0)
		return fd;
	w->c->opens--; /* nobody's yet: what follows is counted */
	w->c->opens_write--;
	if (write(fd, "text", 4) != 4)
		return -EIO;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, proc, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	w->c->creates++;
	r = op_read(w, name);
	return r < 0 ? r : removed(w, name);
}

static int op_rename(struct worker *w, const char *path)
{
	char name[4300], to[4400];
	_cleanup_close_ int fd = -1;

	name_beside(w, path, "ren", name);
	snprintf(to, sizeof(to), "%s.to", name);
	fd = open_timed(w, AT_FDCWD, name, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return fd;
	w->c->creates++;
	if (rename(name, to) < 0)
		return -errno;
	w->c->renames++;
	return removed(w, to);
}

/* A hard link, read through, and removed: the alias is no escape. */
static int op_link(struct worker *w, const char *path)
{
	char name[4300];
	int r;

	name_beside(w, path, "link", name);
	if (link(path, name) < 0)
		return -errno;
	w->c->links++;
	r = op_read(w, name);
	return r < 0 ? r : removed(w, name);
}

static int op_mode(struct worker *w, const char *path)
{
	struct stat st;

	/* A change that is none is not one that anybody asks for. */
	if (stat(path, &st) < 0 || chmod(path, (st.st_mode & 07777) ^ 0100) < 0)
		return -errno;
	w->c->modes++;
	return 0;
}

/* The reader is a program of its own that has ended before anybody can look it up. */
static int op_cat(struct worker *w, const char *path)
{
	struct stat st;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		execl("/bin/cat", "cat", "--", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	if (status)
		return -ECHILD;
	w->c->opens++;
	w->c->reads++;
	if (stat(path, &st) == 0)
		w->c->read_bytes += (uint64_t)st.st_size;
	return 0;
}

const struct op workload_ops[] = {
	{ "open", op_open, "open and close: no content is read" },
	{ "open-write", op_open_write, "open for reading and writing, do neither" },
	{ "read", op_read, "open, read to the end" },
	{ "direct", op_direct, "the same with O_DIRECT" },
	{ "mmap", op_mmap, "map, close, touch each page" },
	{ "sendfile", op_sendfile, "sendfile into memory" },
	{ "splice", op_splice, "splice into a pipe" },
	{ "copy-range", op_copy_range, "copy_file_range into a new file beside it, which is then removed" },
	{ "path-reopen", op_path_reopen, "O_PATH, then opened again through /proc/self/fd" },
	{ "fd-reopen", op_fd_reopen, "open, opened once more through /proc/PID/fd" },
	{ "uring", workload_uring, "open and read through io_uring, every second time in a thread of the kernel" },
	{ "handle", op_handle, "open_by_handle_at (root)" },
	{ "passed", op_passed, "read a descriptor that another process, of the starting user, opened and passed" },
	{ "write", op_write, "open, write 4096 bytes" },
	{ "append", op_append, "the same with O_APPEND" },
	{ "write-mmap", op_write_mmap, "map shared, close, change a byte" },
	{ "truncate", op_truncate, "truncate to its own size: no descriptor" },
	{ "create", op_create, "create a file beside it, write, remove" },
	{ "tmpfile", op_tmpfile, "O_TMPFILE, write, link it beside the file, read it there, remove" },
	{ "rename", op_rename, "create a file beside it, rename, remove" },
	{ "link", op_link, "link, read through the link, remove the link" },
	{ "mode", op_mode, "chmod, the owner's x there and back again" },
	{ "cat", op_cat, "a new process runs cat on it" },
};

const size_t n_workload_ops = ARRAY_SIZE(workload_ops);

bool workload_passed(const struct op *op)
{
	return op->run == op_passed;
}
