#include "sensor/groups.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/hash.h"
#include "sensor/object.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID AT_REMOVEDIR
#endif
#ifndef FAN_MARK_EVICTABLE
#define FAN_MARK_EVICTABLE 0x00000200
#endif

/* A handle with room; struct file_handle ends in a flexible array. */
union handle {
	struct file_handle h;
	uint8_t room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static int open_group(unsigned flags, const char *what, const char **ret_why)
{
	int fd = fanotify_init(flags | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
	                       O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME);

	if (fd < 0) {
		*ret_why = errno == EPERM ? "watching needs root (CAP_SYS_ADMIN)" :
		           errno == ENOSYS ? "this kernel has no fanotify" : what;
		return -errno;
	}
	return fd;
}

/* Event descriptors take the lowest free numbers: what stays open goes out of their way. */
static int move_up(int fd)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, 400);

	if (up < 0)
		return fd;
	close(fd);
	return up;
}

int groups_open(struct groups *g, const uint8_t hash_key[static 16], const char **ret_why)
{
	union handle h = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	*g = (struct groups){ .opens = -1, .names = -1, .uses = -1 };
	memcpy(g->hash_key, hash_key, sizeof(g->hash_key));
	g->opens = open_group(FAN_CLASS_CONTENT | FAN_REPORT_TID, "this kernel holds no opens (FAN_CLASS_CONTENT)", ret_why);
	if (g->opens < 0)
		return g->opens;
	g->names = open_group(FAN_REPORT_DFID_NAME_TARGET | FAN_REPORT_TID,
	                      "this kernel does not report names (FAN_REPORT_TARGET_FID, Linux 5.17)", ret_why);
	if (g->names < 0)
		return g->names;
	/* No FAN_REPORT_TID: the event carries the thread group, which is what an open is matched by, and threads merge. */
	g->uses = open_group(FAN_CLASS_NOTIF | FAN_REPORT_FID, "this kernel does not report file handles (FAN_REPORT_FID)", ret_why);
	if (g->uses < 0)
		return g->uses;
	g->opens = move_up(g->opens);
	g->names = move_up(g->names);
	g->uses = move_up(g->uses);
	if (name_to_handle_at(AT_FDCWD, "/proc/self", &h.h, &mount, AT_HANDLE_FID) == 0 || errno != EINVAL)
		g->handle_flag = AT_HANDLE_FID;
	return 0;
}

void groups_close(struct groups *g)
{
	close_fd(&g->opens);
	close_fd(&g->names);
	close_fd(&g->uses);
	for (unsigned i = 0; i < g->n_fs; i++)
		free(g->fs[i]);
	g->n_fs = 0;
}

static uint64_t fsid_of(const struct statfs *s)
{
	uint64_t v;

	memcpy(&v, &s->f_fsid, sizeof(v));
	return v;
}

int groups_find_fs(const struct groups *g, uint64_t fsid)
{
	unsigned n = atomic_load_explicit(&g->n_fs, memory_order_acquire);

	/* The last first: a filesystem mounted anew can have the number of one that is gone. */
	while (n-- > 0)
		if (g->fs[n]->fsid == fsid)
			return (int)n;
	return -ENOENT;
}

static const char *mark_why(int err)
{
	switch (err) {
	case ENODEV:
		return "this filesystem has no identity of its own (fsid)";
	case EOPNOTSUPP:
		return "this filesystem has no file handles";
	case EXDEV:
		return "this is a subvolume: watch the filesystem by its top";
	default:
		return "the kernel refuses to mark this filesystem";
	}
}

static int mark(const struct groups *g, int fd, const char **ret_why)
{
	static const struct { uint64_t mask; size_t group; } marks[] = {
		{ GROUP_NAMES, offsetof(struct groups, names) },
		{ GROUP_USES, offsetof(struct groups, uses) },
		{ GROUP_OPENS, offsetof(struct groups, opens) }, /* last: from here on opens wait for us */
	};
	char self[32];

	/* O_PATH will do for the descriptor when it is named through /proc. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		int group;

		memcpy(&group, (const char *)g + marks[i].group, sizeof(group));
		if (fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, marks[i].mask, AT_FDCWD, self) < 0) {
			int err = errno;

			*ret_why = mark_why(err);
			while (i-- > 0) {
				memcpy(&group, (const char *)g + marks[i].group, sizeof(group));
				fanotify_mark(group, FAN_MARK_REMOVE | FAN_MARK_FILESYSTEM, marks[i].mask, AT_FDCWD, self);
			}
			return -err;
		}
	}
	return 0;
}

int groups_add_fs(struct groups *g, int fd, const char *root, const char **ret_why)
{
	union handle h = { .h.handle_bytes = MAX_HANDLE_SZ };
	unsigned n = atomic_load(&g->n_fs);
	struct fan_fs *f;
	struct statfs s;
	struct stat st;
	int mount, r;

	if (fstatfs(fd, &s) < 0 || fstat(fd, &st) < 0) {
		*ret_why = "cannot be looked at";
		return -errno;
	}
	r = groups_find_fs(g, fsid_of(&s));
	if (r >= 0 && g->fs[r]->dev == st.st_dev)
		return r;
	if (name_to_handle_at(fd, "", &h.h, &mount, AT_EMPTY_PATH) < 0) {
		*ret_why = mark_why(EOPNOTSUPP);
		return -errno;
	}
	if (n == FAN_FS_MAX) {
		*ret_why = "more filesystems than can be watched";
		return -ENOSPC;
	}
	f = calloc(1, sizeof(*f));
	if (!f) {
		*ret_why = "no memory";
		return -ENOMEM;
	}
	f->fsid = fsid_of(&s);
	f->dev = st.st_dev;
	f->type = s.f_type;
	snprintf(f->root, sizeof(f->root), "%s", root);
	/* Known before its first event. */
	g->fs[n] = f;
	atomic_store_explicit(&g->n_fs, n + 1, memory_order_release);
	r = mark(g, fd, ret_why);
	if (r < 0) {
		f->fsid = 0; /* stays in the list, matched by nothing: the responder may look at it */
		return r;
	}
	return (int)n;
}

uint64_t groups_key(const struct groups *g, unsigned fs, int32_t type, const uint8_t *bytes, size_t n)
{
	uint8_t in[8 + MAX_HANDLE_SZ];
	uint32_t head[2] = { fs, (uint32_t)type };
	uint64_t key;

	n = MIN(n, (size_t)MAX_HANDLE_SZ);
	memcpy(in, head, sizeof(head));
	memcpy(in + sizeof(head), bytes, n);
	key = siphash13(g->hash_key, in, sizeof(head) + n);
	return key > 1 ? key : key + 2;
}

void groups_fid_from(const struct groups *g, unsigned fs, const struct file_handle *h, struct fan_fid *ret)
{
	ret->fs = (uint8_t)fs;
	ret->type = h->handle_type;
	ret->key = groups_key(g, fs, h->handle_type, h->f_handle, h->handle_bytes);
	ret->n = 0;
	if (h->handle_bytes <= sizeof(ret->bytes)) {
		ret->n = (uint8_t)h->handle_bytes;
		memcpy(ret->bytes, h->f_handle, h->handle_bytes);
	}
}

int groups_fid_at(const struct groups *g, unsigned fs, int dir_fd, const char *name, int flags, struct fan_fid *ret)
{
	union handle h = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	if (name_to_handle_at(dir_fd, name, &h.h, &mount, flags | g->handle_flag) < 0)
		return -errno;
	groups_fid_from(g, fs, &h.h, ret);
	return 0;
}

int groups_key_of_event(const struct groups *g, int fd, uint64_t *ret)
{
	union handle h = { .h.handle_bytes = MAX_HANDLE_SZ };
	unsigned n_fs = atomic_load_explicit(&g->n_fs, memory_order_acquire);
	struct statfs s;
	int mount, fs = 0;

	if (name_to_handle_at(fd, "", &h.h, &mount, AT_EMPTY_PATH | g->handle_flag) < 0)
		return -errno;
	if (n_fs > 1) {
		if (fstatfs(fd, &s) < 0)
			return -errno;
		fs = groups_find_fs(g, fsid_of(&s));
		if (fs < 0)
			return fs;
	}
	*ret = groups_key(g, (unsigned)fs, h.h.handle_type, h.h.f_handle, h.h.handle_bytes);
	return 0;
}

int groups_open_fid(const struct groups *g, const struct fan_fid *fid)
{
	const struct fan_fs *f = g->fs[fid->fs];
	_cleanup_close_ int root = -1;
	union handle h;
	struct stat st;
	int fd;

	if (!fid->n)
		return -EMSGSIZE;
	root = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	if (root < 0)
		return -errno;
	if (fstat(root, &st) < 0 || st.st_dev != f->dev)
		return -ESTALE;
	h.h.handle_bytes = fid->n;
	h.h.handle_type = fid->type;
	memcpy(h.h.f_handle, fid->bytes, fid->n);
	fd = open_by_handle_at(root, &h.h, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

bool groups_object(const struct groups *g, const struct fan_fid *fid, uint64_t *ret_ino, uint32_t *ret_gen)
{
	return object_of_handle(g->fs[fid->fs]->type, fid->type, fid->bytes, fid->n, ret_ino, ret_gen);
}

#define IGNORE (FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY | FAN_MARK_EVICTABLE)

void groups_ignore(const struct groups *g, int fd)
{
	/* A failure costs time at the next open, nothing else. */
	if (fanotify_mark(g->opens, FAN_MARK_ADD | IGNORE, GROUP_OPENS, fd, NULL) == 0)
		fanotify_mark(g->uses, FAN_MARK_ADD | IGNORE, GROUP_USES, fd, NULL);
}

void groups_forget(const struct groups *g)
{
	fanotify_mark(g->opens, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
	fanotify_mark(g->uses, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
}
