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

int groups_open(struct groups *g, const uint8_t hash_key[static 16], const char **ret_why)
{
	union handle h = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	*g = (struct groups){ .opens = -1, .names = -1, .uses = -1 };
	memcpy(g->hash_key, hash_key, sizeof(g->hash_key));
	g->names = open_group(FAN_REPORT_DFID_NAME_TARGET | FAN_REPORT_TID,
	                      "this kernel does not report names (FAN_REPORT_TARGET_FID, Linux 5.17)", ret_why);
	if (g->names < 0)
		return g->names;
	/* No FAN_REPORT_TID: the event carries the thread group, which is what an open is matched by, and threads merge. */
	g->uses = open_group(FAN_CLASS_NOTIF | FAN_REPORT_FID, "this kernel does not report file handles (FAN_REPORT_FID)", ret_why);
	if (g->uses < 0)
		return g->uses;
	g->opens = open_group(FAN_CLASS_CONTENT | FAN_REPORT_TID, "this kernel holds no opens (FAN_CLASS_CONTENT)", ret_why);
	if (g->opens < 0)
		return g->opens;
	/* Opens last, so that it has the highest number. While an open is held the kernel holds on to the marks that it met, ignore marks of uses
	 * too, and a group ends only when its marks are let go: ended before opens, uses would wait for an answer that nobody gives, and the
	 * opener with it. Of
	 * a process that is killed the kernel ends the highest number first (task_work runs the newest first); tests/kernel/sensor_attack.sh. */
	g->names = fd_above(g->names, FAN_FD_HIGH);
	g->uses = fd_above(g->uses, FAN_FD_HIGH);
	g->opens = fd_above(g->opens, FAN_FD_HIGH);
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

#define BTRFS_MAGIC 0x9123683e
#define BTRFS_HANDLE 0x4d
#define BTRFS_ROOT_INODE 256

/* statfs mixes the number of the subvolume into btrfs's fsid; the handle has it at 8. */
static uint64_t fsid_whole(const struct statfs *s, const struct file_handle *h)
{
	uint32_t v[2];
	uint64_t fsid, volume;

	memcpy(v, &s->f_fsid, sizeof(v));
	if (s->f_type == BTRFS_MAGIC && h->handle_type >= BTRFS_HANDLE && h->handle_bytes >= 16) {
		memcpy(&volume, h->f_handle + 8, sizeof(volume));
		v[0] ^= (uint32_t)(volume >> 32);
		v[1] ^= (uint32_t)volume;
	}
	memcpy(&fsid, v, sizeof(fsid));
	return fsid;
}

/* The kernel marks a filesystem only by something of its top volume, whether that is mounted or not: it is reached by its handle. Before
 * Linux 6.2 the handle's generation has to be right; mkfs gives a small one. */
#define BTRFS_TOP 5
#define BTRFS_TOP_GENERATIONS 32

static int btrfs_top(const char *root)
{
	struct { uint64_t inode, volume; uint32_t generation; } id = { BTRFS_ROOT_INODE, BTRFS_TOP, 0 };
	_cleanup_close_ int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	union handle h = { .h = { .handle_bytes = 20, .handle_type = BTRFS_HANDLE } };
	int fd;

	if (at < 0)
		return -errno;
	do {
		memcpy(h.h.f_handle, &id, h.h.handle_bytes);
		fd = open_by_handle_at(at, &h.h, O_PATH | O_CLOEXEC);
	} while (fd < 0 && errno == ESTALE && id.generation++ < BTRFS_TOP_GENERATIONS);
	return fd < 0 ? -errno : fd;
}

static int find_whole(const struct groups *g, uint64_t whole)
{
	unsigned n = atomic_load_explicit(&g->n_fs, memory_order_acquire);

	while (n-- > 0)
		if (g->fs[n]->fsid && g->fs[n]->whole == whole)
			return (int)n;
	return -ENOENT;
}

bool groups_is_subvolume(const struct groups *g, unsigned fs, uint64_t ino)
{
	return g->fs[fs]->type == BTRFS_MAGIC && ino == BTRFS_ROOT_INODE;
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
		return "this is a subvolume, and the kernel marks the whole only: mount the filesystem with subvolid=5 and watch below that";
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

/* One that is there already. A filesystem mounted anew has the number of the one that is gone, and subvolumes have devices of their own. */
static struct fan_fs *find_same(const struct groups *g, const struct fan_fs *f, unsigned *ret_n)
{
	unsigned n = atomic_load(&g->n_fs);

	while (n-- > 0) {
		struct fan_fs *o = g->fs[n];

		if (!o->fsid || o->whole != f->whole)
			continue;
		if (f->type == BTRFS_MAGIC ? o->mount_dev != f->mount_dev : o->dev != f->dev)
			return NULL;
		*ret_n = n;
		return o;
	}
	return NULL;
}

static int look_at(int fd, const char *root, dev_t mount_dev, struct fan_fs *ret, const char **ret_why)
{
	union handle h = { .h.handle_bytes = MAX_HANDLE_SZ };
	struct statfs s;
	struct stat st;
	int mount;

	if (fstatfs(fd, &s) < 0 || fstat(fd, &st) < 0) {
		*ret_why = "cannot be looked at";
		return -errno;
	}
	if (name_to_handle_at(fd, "", &h.h, &mount, AT_EMPTY_PATH) < 0) {
		*ret_why = mark_why(EOPNOTSUPP);
		return -errno;
	}
	*ret = (struct fan_fs){ .fsid = fsid_of(&s), .whole = fsid_whole(&s, &h.h), .type = s.f_type, .dev = st.st_dev,
	                        .mount_dev = mount_dev ? mount_dev : st.st_dev };
	snprintf(ret->root, sizeof(ret->root), "%s", root);
	return 0;
}

/* Marks live as long as the filesystem is mounted anywhere: after an unmount they may be gone, or not. */
static int add_again(const struct groups *g, unsigned n, const struct fan_fs *f, int fd, const char **ret_why)
{
	struct fan_fs *same = g->fs[n];
	struct stat st;
	int r = mark(g, fd, ret_why);

	if (r == 0 && (stat(same->root, &st) < 0 || st.st_dev != same->dev)) {
		memcpy(same->root, f->root, sizeof(same->root));
		same->dev = f->dev;
	}
	return r < 0 ? r : (int)n;
}

int groups_add_fs(struct groups *g, int fd, const char *root, dev_t mount_dev, const char **ret_why)
{
	_cleanup_free_ struct fan_fs *f = calloc(1, sizeof(*f));
	_cleanup_close_ int top = -1;
	unsigned n = atomic_load(&g->n_fs), same;
	struct statfs s;
	int r;

	if (!f) {
		*ret_why = "no memory";
		return -ENOMEM;
	}
	r = look_at(fd, root, mount_dev, f, ret_why);
	if (r < 0)
		return r;
	if (f->type == BTRFS_MAGIC && (top = btrfs_top(root)) >= 0 && fstatfs(top, &s) == 0) {
		f->fsid = fsid_of(&s); /* what its events say */
		fd = top;
	}
	if (find_same(g, f, &same))
		return add_again(g, same, f, fd, ret_why);
	if (n == FAN_FS_MAX) {
		*ret_why = "more filesystems than can be watched";
		return -ENOSPC;
	}
	/* Known before its first event. */
	g->fs[n] = TAKE_PTR(f);
	atomic_store_explicit(&g->n_fs, n + 1, memory_order_release);
	r = mark(g, fd, ret_why);
	if (r < 0) {
		g->fs[n]->fsid = 0; /* stays in the list, matched by nothing: the responder may look at it */
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
		fs = find_whole(g, fsid_whole(&s, &h.h));
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
	if (g->scarce && atomic_load_explicit(g->scarce, memory_order_relaxed))
		return -EMFILE;
	root = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	if (root < 0)
		return -errno;
	if (fstat(root, &st) < 0 || st.st_dev != f->dev)
		return -ENODEV;
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
