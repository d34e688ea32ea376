/* The walker: lists and opens, with rights that nobody else of us has. */
#include "document/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "sensor/object.h"

#define MESSAGE_MAX (PATH_MAX + 8192)
#define ACL_MAX 65536
#define RESOLVE (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

struct shared { /* between walker and scanner */
	_Atomic uint64_t files, bytes;
	_Atomic bool complete;
};

struct walk {
	pid_t pid;
	int list, open;
	pthread_mutex_t lock; /* one request at a time */
	char *const *paths;   /* to be walked through, one after the other */
	size_t n, at;
	bool busy;            /* with the one before paths[at] */
	struct shared *shared;
	char message[MESSAGE_MAX];
};

/* An entry as it goes through the socket: this, then path, acl, error. */
struct header {
	uint32_t kind, path_n, acl_n, error_n;
	struct place place; /* its strs count for nothing */
};

struct walker {
	char *const *paths;
	size_t n;
	dev_t exclude_dev;
	ino_t exclude_ino;
	bool exclude;
	int list, open;
	struct shared *shared;
};

/* One going-through: to the socket, or for counting only. */
struct pass {
	const struct walker *w;
	bool count;
	struct buf path, acl, message;
	dev_t dev;     /* of … */
	long fs_type;  /* … the filesystem seen last */
	int error;     /* the scanner is gone */
};

/* --- entries --- */

void walk_take_stat(const struct stat *st, struct place *p)
{
	p->has_stat = true;
	p->owner = st->st_uid;
	p->group = st->st_gid;
	p->mode = st->st_mode & 07777;
	p->bytes = (uint64_t)st->st_size;
	p->modified = st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec;
	p->changed = st->st_ctim.tv_sec * NSEC_PER_SEC + st->st_ctim.tv_nsec;
}

static void send_entry(struct pass *p, enum walk_kind kind, const struct place *place)
{
	struct header h = { .kind = kind, .path_n = (uint32_t)place->path.n, .acl_n = (uint32_t)place->acl.n, .error_n = (uint32_t)place->error.n,
		.place = *place };

	h.place.path = h.place.acl = h.place.error = STR_NONE;
	buf_clear(&p->message);
	buf_put(&p->message, &h, sizeof(h));
	buf_puts(&p->message, place->path);
	buf_puts(&p->message, place->acl);
	buf_puts(&p->message, place->error);
	if (!buf_error(&p->message) && p->message.n > MESSAGE_MAX)
		p->error = -EMSGSIZE;
	else if (buf_error(&p->message))
		p->error = buf_error(&p->message);
	else if (send(p->w->list, p->message.p, p->message.n, MSG_NOSIGNAL) < 0)
		p->error = -errno;
}

static void failed(struct pass *p, enum walk_kind kind, const char *fmt, ...) _printf_(3, 4);
static void failed(struct pass *p, enum walk_kind kind, const char *fmt, ...)
{
	struct place place = { .path = buf_str(&p->path) };
	char text[128];
	va_list ap;

	if (p->count)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	place.error = str_c(text);
	send_entry(p, kind, &place);
}

/* --- access control lists (include/linux/posix_acl_xattr.h) --- */

int walk_acl_text(str xattr, struct buf *ret)
{
	static const struct { uint16_t tag; const char *name; bool id; } tags[] = {
		{ 0x01, "user", false }, { 0x02, "user", true }, { 0x04, "group", false }, { 0x08, "group", true }, { 0x10, "mask", false },
		{ 0x20, "other", false },
	};
	const uint8_t *p = (const uint8_t *)xattr.p;

	if (xattr.n < 4 || (xattr.n - 4) % 8)
		return -EBADMSG;
	for (size_t at = 4; at < xattr.n; at += 8) {
		uint16_t tag = (uint16_t)(p[at] | p[at + 1] << 8), perm = (uint16_t)(p[at + 2] | p[at + 3] << 8);
		uint32_t id = (uint32_t)p[at + 4] | (uint32_t)p[at + 5] << 8 | (uint32_t)p[at + 6] << 16 | (uint32_t)p[at + 7] << 24;
		size_t i = 0;

		while (i < ARRAY_SIZE(tags) && tags[i].tag != tag)
			i++;
		if (i == ARRAY_SIZE(tags))
			return -EBADMSG;
		/* Owner and others stand in the mode; the owning group does not where there is a mask. */
		if (tag == 0x01 || tag == 0x20)
			continue;
		buf_putf(ret, ret->n ? ",%s:" : "%s:", tags[i].name);
		if (tags[i].id)
			buf_putf(ret, "%u", id);
		buf_putf(ret, ":%c%c%c", perm & 4 ? 'r' : '-', perm & 2 ? 'w' : '-', perm & 1 ? 'x' : '-');
	}
	return buf_error(ret);
}

static str read_acl(struct pass *p, int dir_fd, const char *name)
{
	char at[64 + NAME_MAX], value[4096];
	_cleanup_free_ char *big = NULL;
	ssize_t n;

	buf_clear(&p->acl);
	snprintf(at, sizeof(at), "/proc/self/fd/%d/%s", dir_fd, name);
	n = lgetxattr(at, "system.posix_acl_access", value, sizeof(value));
	if (n < 0 && errno == ERANGE) {
		big = malloc(ACL_MAX);
		n = big ? lgetxattr(at, "system.posix_acl_access", big, ACL_MAX) : -1;
	}
	if (n <= 0 || walk_acl_text((str){ big ? big : value, (size_t)n }, &p->acl) < 0)
		return STR_NONE;
	/* What the log cannot hold is cut at an entry, and says so. */
	if (p->acl.n > 4000) {
		p->acl.n = 4000;
		while (p->acl.p[p->acl.n - 1] != ',')
			p->acl.n--;
		buf_puts(&p->acl, STR("…"));
	}
	return buf_str(&p->acl);
}

/* --- walking --- */

/* Filesystems whose files are no documents but views of the kernel. */
static bool is_view(long fs_type)
{
	static const long views[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
		BPF_FS_MAGIC,
		DEVPTS_SUPER_MAGIC, SECURITYFS_MAGIC, PSTOREFS_MAGIC, 0x19800202 /* mqueue */, 0x62656570 /* configfs */, 0x6165676c, NSFS_MAGIC };

	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (views[i] == fs_type)
			return true;
	return false;
}

static void know_fs(struct pass *p, int fd, dev_t dev)
{
	struct statfs s;

	if (dev == p->dev && p->fs_type)
		return;
	p->fs_type = fstatfs(fd, &s) < 0 ? 1 : (long)s.f_type;
	p->dev = dev;
}

static const char *kind_name(mode_t mode)
{
	return S_ISSOCK(mode) ? "a socket" : S_ISFIFO(mode) ? "a fifo" : S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "no file";
}

static void visit_file(struct pass *p, int dir_fd, const char *name, const struct stat *st)
{
	struct place place = { .path = buf_str(&p->path), .has_object = true };

	if (p->count) {
		atomic_fetch_add_explicit(&p->w->shared->files, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&p->w->shared->bytes, (uint64_t)st->st_size, memory_order_relaxed);
		return;
	}
	walk_take_stat(st, &place);
	know_fs(p, dir_fd, st->st_dev);
	object_at(dir_fd, name, 0, p->fs_type, st, &place.object);
	place.acl = read_acl(p, dir_fd, name);
	send_entry(p, WALK_FILE, &place);
}

static void visit_folder(struct pass *p, int dir_fd, const char *name);

static void visit(struct pass *p, int dir_fd, const char *name)
{
	struct stat st;

	if (p->path.n >= PATH_MAX)
		failed(p, WALK_FOLDER_FAILED, "unreadable: its path is longer than %d bytes", PATH_MAX - 1);
	else if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		failed(p, WALK_FAILED, errno == ENOENT ? "vanished while it was looked at" : "unreadable: %s", strerror(errno));
	else if (S_ISDIR(st.st_mode) && !(p->w->exclude && st.st_dev == p->w->exclude_dev && st.st_ino == p->w->exclude_ino))
		visit_folder(p, dir_fd, name);
	else if (S_ISREG(st.st_mode))
		visit_file(p, dir_fd, name, &st);
	else if (!S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
		failed(p, WALK_FAILED, "not read: %s", kind_name(st.st_mode));
}

static int open_folder(int dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(dir_fd, name, flags) : fd;
}

static void visit_folder(struct pass *p, int dir_fd, const char *name)
{
	int fd = open_folder(dir_fd, name);
	size_t n = p->path.n;
	struct dirent *e = NULL;
	struct statfs s;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		failed(p, WALK_FOLDER_FAILED, errno == ENOENT ? "vanished while it was looked at" : "unreadable: %s", strerror(errno));
		close_fd(&fd);
		return;
	}
	if (fstatfs(fd, &s) == 0 && is_view((long)s.f_type)) {
		failed(p, WALK_FOLDER_FAILED, "not read: a view of the kernel");
		closedir(d);
		return;
	}
	while (!p->error && (errno = 0, e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (n > 1 || p->path.p[0] != '/')
			buf_putc(&p->path, '/');
		buf_puts(&p->path, str_c(e->d_name));
		if (buf_error(&p->path))
			p->error = buf_error(&p->path);
		else
			visit(p, fd, e->d_name);
		p->path.n = n;
	}
	if (!e && errno && !p->error)
		failed(p, WALK_FOLDER_FAILED, "unreadable: %s", strerror(errno));
	closedir(d);
}

static bool permitted(const struct walker *w, str path);

static void visit_root(struct pass *p, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	_cleanup_free_ char *above = strndup(path, name - path > 1 ? (size_t)(name - path) - 1 : 1);
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE };
	_cleanup_close_ int fd = above ? (int)syscall(SYS_openat2, AT_FDCWD, above, &how, sizeof(how)) : -1;

	buf_clear(&p->path);
	buf_puts(&p->path, str_c(path));
	if (fd < 0)
		failed(p, WALK_FOLDER_FAILED, "unreadable: %s", strerror(errno));
	else
		visit(p, fd, *name ? name : ".");
}

static void pass_free(struct pass *p)
{
	buf_free(&p->path);
	buf_free(&p->acl);
	buf_free(&p->message);
}

static void *count_all(void *arg)
{
	struct pass *p = arg;

	for (size_t i = 0; i < p->w->n && !p->error; i++)
		visit_root(p, p->w->paths[i]);
	p->w->shared->complete = true;
	pass_free(p);
	return NULL;
}

/* A path a message; its entries, then the end of it. */
static void *serve_walks(void *arg)
{
	struct pass *p = arg;
	char path[PATH_MAX];
	ssize_t n;

	while (!p->error && (n = recv(p->w->list, path, sizeof(path) - 1, 0)) > 0) {
		const struct place none = { 0 };

		path[n] = '\0';
		if (permitted(p->w, (str){ path, (size_t)n }))
			visit_root(p, path);
		if (!p->error)
			send_entry(p, 0, &none);
	}
	shutdown(p->w->list, SHUT_RDWR);
	pass_free(p);
	return NULL;
}

/* --- opening --- */

/* At or below one of the paths, and without a way up. */
static bool permitted(const struct walker *w, str path)
{
	bool below = false;

	if (path.n == 0 || path.p[0] != '/' || memchr(path.p, '\0', path.n) || memmem(path.p, path.n, "/../", 4) || str_ends(path, STR("/..")))
		return false;
	for (size_t i = 0; i < w->n && !below; i++) {
		str root = str_c(w->paths[i]);

		below = str_eq(path, root) || str_eq(root, STR("/")) || (str_starts(path, root) && path.p[root.n] == '/');
	}
	return below;
}

/* Looked at before it is opened: opening a fifo or a device is an act. */
static int open_regular(const struct walker *w, str path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | O_NOFOLLOW, .resolve = RESOLVE };
	_cleanup_close_ int fd = -1;
	char text[PATH_MAX], self[64];
	struct stat st;
	int r;

	if (path.n >= sizeof(text) || !permitted(w, path))
		return -EPERM;
	memcpy(text, path.p, path.n);
	text[path.n] = '\0';
	fd = (int)syscall(SYS_openat2, AT_FDCWD, text, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	r = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOATIME);
	if (r < 0 && errno == EPERM)
		r = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

union fd_room {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static int answer(int sock, int fd)
{
	union fd_room u = { 0 };
	int32_t r = fd < 0 ? fd : 0;
	struct iovec iov = { &r, sizeof(r) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *h;

		m.msg_control = &u;
		m.msg_controllen = sizeof(u);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void serve_opens(const struct walker *w)
{
	char path[PATH_MAX];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = recv(w->open, path, sizeof(path), 0)) > 0) {
		int fd = open_regular(w, (str){ path, (size_t)n });

		r = answer(w->open, fd);
		close_fd(&fd);
	}
}

/* Of root only what listing and opening takes. */
static void keep_little(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };
	const uint32_t keep = 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_capget, &h, d) < 0)
		return;
	d[0].effective &= keep;
	d[0].permitted &= keep;
	d[1] = (struct __user_cap_data_struct){ 0 };
	d[0].inheritable = 0;
	syscall(SYS_capset, &h, d);
}

static _noreturn_ void walker_main(struct walker *w, const char *exclude, bool count)
{
	struct pass list = { .w = w }, counting = { .w = w, .count = true };
	struct rlimit files;
	pthread_t t;
	struct stat st;

	/* Interruptions are the scanner's; we end with its sockets. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_NAME, "tyto-walker");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	keep_little();
	if (exclude && stat(exclude, &st) == 0) {
		w->exclude = true;
		w->exclude_dev = st.st_dev;
		w->exclude_ino = st.st_ino;
	}
	if (pthread_create(&t, NULL, serve_walks, &list) != 0)
		_exit(1);
	if (count)
		pthread_create(&t, NULL, count_all, &counting);
	serve_opens(w);
	_exit(0);
}

/* --- the scanner's side --- */

int walk_start(char *const *paths, size_t n, const char *exclude, bool count, struct walk **ret)
{
	struct walk *w = calloc(1, sizeof(*w));
	int list[2] = { -1, -1 }, open[2] = { -1, -1 }, r = 0;

	if (!w)
		return -ENOMEM;
	w->list = w->open = -1;
	pthread_mutex_init(&w->lock, NULL);
	w->shared = mmap(NULL, sizeof(*w->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->shared == MAP_FAILED)
		w->shared = NULL;
	if (!w->shared || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, list) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, open) < 0)
		r = -errno;
	if (r == 0)
		w->pid = fork();
	if (r == 0 && w->pid == 0) {
		struct walker walker = { .paths = paths, .n = n, .list = list[1], .open = open[1], .shared = w->shared };

		close(list[0]);
		close(open[0]);
		walker_main(&walker, exclude, count);
	}
	if (r == 0 && w->pid < 0)
		r = -errno;
	close_fd(&list[1]);
	close_fd(&open[1]);
	w->list = list[0];
	w->open = open[0];
	if (r < 0) {
		walk_end(w);
		return r;
	}
	*ret = w;
	return 0;
}

void walk_begin(struct walk *w, char *const *paths, size_t n)
{
	w->paths = paths;
	w->n = n;
	w->at = 0;
}

static int next_message(struct walk *w, struct header *h, size_t *ret_n)
{
	ssize_t n;

	do
		n = recv(w->list, w->message, sizeof(w->message), 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	if ((size_t)n < sizeof(*h))
		return -EBADMSG;
	memcpy(h, w->message, sizeof(*h));
	*ret_n = (size_t)n;
	return 0;
}

int walk_next(struct walk *w, struct walk_entry *ret)
{
	struct header h = { 0 };
	size_t n = 0;

	while (!h.kind) {
		int r;

		if (!w->busy) {
			if (w->at == w->n)
				return 0;
			if (send(w->list, w->paths[w->at], strlen(w->paths[w->at]), MSG_NOSIGNAL) < 0)
				return -errno;
			w->at++;
			w->busy = true;
		}
		r = next_message(w, &h, &n);
		if (r < 0)
			return r;
		w->busy = h.kind != 0;
	}
	if (n != sizeof(h) + (uint64_t)h.path_n + h.acl_n + h.error_n)
		return -EBADMSG;
	ret->kind = (enum walk_kind)h.kind;
	ret->place = h.place;
	ret->place.path = (str){ w->message + sizeof(h), h.path_n };
	ret->place.acl = (str){ ret->place.path.p + h.path_n, h.acl_n };
	ret->place.error = (str){ ret->place.acl.p + h.acl_n, h.error_n };
	return 1;
}

int walk_open(struct walk *w, str path, int *ret_fd)
{
	union fd_room u = { 0 };
	int32_t r = -EIO;
	struct iovec iov = { &r, sizeof(r) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u) };
	struct cmsghdr *h;
	ssize_t n;

	pthread_mutex_lock(&w->lock);
	n = send(w->open, path.p, path.n, MSG_NOSIGNAL);
	while (n > 0 && (n = recvmsg(w->open, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		n = 1;
	pthread_mutex_unlock(&w->lock);
	if (n != sizeof(r))
		return n < 0 ? -errno : -EPIPE;
	if (r < 0)
		return r;
	h = CMSG_FIRSTHDR(&m);
	if (!h || h->cmsg_type != SCM_RIGHTS || h->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EMFILE;
	memcpy(ret_fd, CMSG_DATA(h), sizeof(*ret_fd));
	return 0;
}

struct walk_totals walk_totals(const struct walk *w)
{
	return (struct walk_totals){ w->shared->files, w->shared->bytes, w->shared->complete };
}

struct walk *walk_end(struct walk *w)
{
	if (!w)
		return NULL;
	close_fd(&w->list);
	close_fd(&w->open);
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (w->shared)
		munmap(w->shared, sizeof(*w->shared));
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}
