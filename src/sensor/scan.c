#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/timefmt.h"
#include "sensor/recorder.h"

static int wait_turn(void *arg)
{
	struct fan *f = arg;
	uint64_t from = atomic_load(&f->turn), one = 1;

	/* Two turns: the one that may be under way, and a whole one. */
	for (int i = 0; i < 2000; i++) {
		if (write(f->turn_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
			return -errno;
		if (atomic_load(&f->turn) >= from + 2)
			return 0;
		usleep(500);
	}
	return -ETIME;
}

/* The responder ignores nothing while `incomplete` stands, but may be in the middle of it. */
void scan_forget_ignored(struct recorder *r)
{
	wait_turn(r->f);
	groups_forget(&r->f->groups);
}

bool scan_add_key(struct recorder *r, uint64_t key)
{
	if (watchset_crowded(r->f->set))
		watchset_grow(r->f->set, wait_turn, r->f);
	return watchset_add(r->f->set, key) >= 0;
}

void scan_begin(struct recorder *r)
{
	if (atomic_load(&r->f->started)) {
		atomic_fetch_add(&r->f->incomplete, 1);
		r->owed++;
	}
}

int scan_push(struct recorder *r, const struct fan_fid *fid)
{
	if (r->n_todo == r->cap_todo) {
		size_t cap = r->cap_todo ? r->cap_todo * 2 : 256;
		struct fan_fid *more = realloc(r->todo, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		r->todo = more;
		r->cap_todo = cap;
	}
	r->todo[r->n_todo++] = *fid;
	return 0;
}

static void take_stat(struct recorder *r, const struct fan_fid *fid, const struct stat *st, struct tree_node *n)
{
	if (!groups_object(&r->f->groups, fid, &n->ino, &n->gen)) {
		n->ino = st->st_ino;
		n->gen = 0;
	}
	n->fs = fid->fs;
	n->dev = st->st_dev;
	n->mode = (uint16_t)st->st_mode;
	n->uid = st->st_uid;
	n->gid = st->st_gid;
	n->dir = S_ISDIR(st->st_mode);
}

bool scan_stat(struct recorder *r, const struct fan_fid *fid, struct tree_node *n, uint32_t *ret_links)
{
	_cleanup_close_ int fd = groups_open_fid(&r->f->groups, fid);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		n->fs = fid->fs;
		groups_object(&r->f->groups, fid, &n->ino, &n->gen);
		return false;
	}
	take_stat(r, fid, &st, n);
	*ret_links = (uint32_t)st.st_nlink;
	return true;
}

/* What is mounted here comes from the list of mounts; a subvolume is in no such list. */
static bool is_subvolume(struct recorder *r, const struct fan_fid *dir, int dir_fd, const char *name, ino_t ino)
{
	struct statx s;

	return groups_is_subvolume(&r->f->groups, dir->fs, ino) &&
	       statx(dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &s) == 0 && !(s.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* A folder of another device that nothing is mounted on, and no subvolume that we know how to tell. */
static void other_device(struct recorder *r, const struct fan_fid *dir, int dir_fd, const char *name)
{
	struct statx x;

	if (statx(dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &x) < 0 || !(x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ||
	    x.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return;
	buf_clear(&r->path);
	if (tree_path_of(r->tree, dir->key, str_c(name), &r->path) == 0 && buf_cstr(&r->path))
		blind_add(r, NULL, "%s: a part of its own: what happens in it is not recorded", r->path.p);
}

/* 0, also when there is nothing to watch; negative: what lies there would be missing. */
static int scan_entry(struct recorder *r, const struct fan_fid *dir, int dir_fd, dev_t dev, const char *name)
{
	struct fan_fid fid;
	struct tree_node *n;
	struct stat st;
	int e;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev != dev && !is_subvolume(r, dir, dir_fd, name, st.st_ino)) {
		if (S_ISDIR(st.st_mode))
			other_device(r, dir, dir_fd, name);
		return 0;
	}
	if (!(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return 0;
	if (st.st_dev == r->exclude_dev && st.st_ino == r->exclude_ino)
		return 0;
	e = groups_fid_at(&r->f->groups, dir->fs, dir_fd, name, 0, &fid);
	if (e < 0)
		return e == -ENOENT || e == -ESTALE ? 0 : e;
	if (!scan_add_key(r, fid.key))
		return -ENOSPC;
	if (tree_add(r->tree, fid.key, &n) < 0 || tree_link(n, dir->key, str_c(name)) < 0)
		return -ENOMEM;
	take_stat(r, &fid, &st, n);
	return n->dir && n->scan != r->round ? scan_push(r, &fid) : 0;
}

static int open_dir(struct recorder *r, const struct fan_fid *dir, DIR **ret)
{
	const int how = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK;
	_cleanup_close_ int at = groups_open_fid(&r->f->groups, dir), fd = -1;
	int e = at < 0 ? at : 0;

	if (e == 0) {
		fd = openat(at, ".", how | O_NOATIME);
		if (fd < 0 && errno == EPERM)
			fd = openat(at, ".", how); /* another's folder: without CAP_FOWNER the time of its last access cannot be spared */
		*ret = fd < 0 ? NULL : fdopendir(fd);
		e = *ret ? 0 : -errno;
	}
	if (e == 0)
		TAKE_FD(fd);
	return e;
}

/* One that cannot be read, or an entry that cannot be taken in, is tried again. */
static int read_dir(struct recorder *r, const struct fan_fid *dir, char what[static NAME_MAX + 1])
{
	int e, bad = 0;
	struct dirent *d;
	struct stat st;
	DIR *s;

	e = open_dir(r, dir, &s);
	if (e < 0)
		return e;
	if (fstat(dirfd(s), &st) < 0) {
		bad = -errno;
		closedir(s);
		return bad;
	}
	for (;;) {
		errno = 0;
		d = readdir(s);
		if (!d) {
			bad = errno ? -errno : bad;
			break;
		}
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		e = scan_entry(r, dir, dirfd(s), st.st_dev, d->d_name);
		if (e < 0 && bad == 0) {
			bad = e;
			snprintf(what, NAME_MAX + 1, "%s", d->d_name);
		}
	}
	closedir(s);
	return bad;
}

static void scan_dir(struct recorder *r, const struct fan_fid *dir)
{
	struct tree_node *n = tree_find(r->tree, dir->key);
	char what[NAME_MAX + 1] = "";
	int e;

	if (!n || n->scan == r->round)
		return;
	n->scan = r->round;
	e = read_dir(r, dir, what);
	if (e == 0)
		blind_over(r, dir->key);
	if (e == 0 || e == -ESTALE || e == -ENOENT) /* gone meanwhile: that is told by its events */
		return;
	n->scan = 0;
	buf_clear(&r->path);
	if (tree_path(r->tree, n, &r->path) < 0 || !buf_cstr(&r->path))
		buf_clear(&r->path);
	blind_add(r, dir, "%s%s%s: cannot be read (%s): what happens there is not recorded", r->path.n ? r->path.p : "a folder", *what ? "/" : "",
			what,
	          strerror(-e));
}

bool scan_slice(struct recorder *r)
{
	int64_t until = time_boottime() + RECORDER_SLICE_NS;

	while (r->n_todo) {
		struct fan_fid dir = r->todo[--r->n_todo];

		scan_dir(r, &dir);
		if (time_boottime() >= until)
			return r->n_todo == 0;
	}
	return true;
}

static bool mounted_at(const struct recorder *r, str path)
{
	for (size_t i = 0; i < r->f->c->n_paths; i++)
		if (str_eq(r->f->c->paths[i], path))
			return true;
	for (size_t i = 0; i < r->mounts.n; i++)
		if (str_eq(str_c(r->mounts.m[i].path), path))
			return true;
	return false;
}

static dev_t mount_device(const struct recorder *r, int fd)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 && x.stx_mask & STATX_MNT_ID)
		for (size_t i = 0; i < r->mounts.n; i++)
			if ((uint64_t)r->mounts.m[i].id == x.stx_mnt_id)
				return r->mounts.m[i].dev;
	return 0;
}

/* A path of the configuration, or a mount below one. */
int scan_root(struct recorder *r, str path)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	_cleanup_close_ int fd = -1;
	const char *why = "";
	struct fan_fid fid;
	struct tree_node *n;
	struct stat st;
	int fs;

	buf_puts(&name, path);
	if (!buf_cstr(&name))
		return -ENOMEM;
	fd = open(name.p, O_PATH | O_CLOEXEC); /* not openat2: its flags lie where the filter of system calls does not see them */
	if (fd < 0 || fstat(fd, &st) < 0) {
		int err = errno;

		recorder_note(r, "%s: %s", name.p, strerror(err));
		return -err;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		recorder_note(r, "%s: neither a folder nor a regular file", name.p);
		return -EINVAL;
	}
	if (S_ISREG(st.st_mode)) { /* a place to open handles from is needed: its folder */
		char *slash = strrchr(name.p, '/');
		_cleanup_free_ char *dir = strndup(name.p, slash && slash > name.p ? (size_t)(slash - name.p) : 1);

		fs = dir ? groups_add_fs(&r->f->groups, fd, dir, mount_device(r, fd), &why) : -ENOMEM;
	} else {
		fs = groups_add_fs(&r->f->groups, fd, name.p, mount_device(r, fd), &why);
	}
	if (fs < 0) {
		blind_add(r, NULL, "%s: not watched: %s", name.p, why);
		return fs;
	}
	if (groups_fid_at(&r->f->groups, (unsigned)fs, fd, "", AT_EMPTY_PATH, &fid) < 0 || !scan_add_key(r, fid.key) ||
	    tree_add(r->tree, fid.key, &n) < 0)
		return -ENOMEM;
	/* A mount below a watched tree shows its root under the place where it is mounted; one that is gone from there has moved. */
	if (n->link.name && !n->link.parent && !mounted_at(r, (str){ n->link.name, n->link.name_n })) {
		pastnames_add(&r->past, fid.key, time_now(), (str){ n->link.name, n->link.name_n });
		tree_unlink(n, 0, (str){ n->link.name, n->link.name_n });
	}
	if (!n->link.name)
		tree_link(n, 0, path);
	take_stat(r, &fid, &st, n);
	return n->dir ? scan_push(r, &fid) : 0;
}

static bool is_below(str path, str dir)
{
	return path.n > dir.n && str_starts(path, dir) && (path.p[dir.n] == '/' || str_eq(dir, STR("/")));
}

static bool below_watched(const struct recorder *r, str path)
{
	for (size_t i = 0; i < r->f->c->n_paths; i++)
		if (is_below(path, r->f->c->paths[i]))
			return true;
	return false;
}

void scan_below_mounts(struct recorder *r)
{
	for (size_t i = 0; i < r->mounts.n; i++)
		if (below_watched(r, str_c(r->mounts.m[i].path)))
			scan_root(r, str_c(r->mounts.m[i].path));
}

/* After events were lost: everything that is there is found again. */
void scan_again(struct recorder *r)
{
	r->rescan = false;
	r->round++;
	blind_again(r);
	scan_begin(r);
	for (size_t i = 0; i < r->f->c->n_paths; i++)
		scan_root(r, r->f->c->paths[i]);
	scan_below_mounts(r);
}

void scan_subvolume(struct recorder *r, const struct fan_fid *fid, int64_t since)
{
	scan_begin(r);
	if (!r->gap_mount_from)
		r->gap_mount_from = since;
	scan_push(r, fid);
}

static const struct mount *mounted_still(const struct recorder *r, uint64_t dev)
{
	for (size_t i = 0; i < r->mounts.n; i++)
		if (r->mounts.m[i].dev == dev)
			return &r->mounts.m[i];
	return NULL;
}

static bool is_root(const struct recorder *r, const struct fan_fs *f)
{
	for (size_t i = 0; i < r->mounts.n; i++)
		if (r->mounts.m[i].dev == f->mount_dev && str_starts(str_c(f->root), str_c(r->mounts.m[i].path)))
			return true;
	return false;
}

/* Somewhere else, if it still is: its objects are looked at from there. */
static void unmounted(struct recorder *r, const struct mount *gone, int64_t since)
{
	for (unsigned i = 0; i < r->f->groups.n_fs; i++) {
		struct fan_fs *f = r->f->groups.fs[i];
		const struct mount *other = mounted_still(r, f->mount_dev);

		if (!f->fsid || f->mount_dev != gone->dev)
			continue;
		if (!other) {
			/* A process in it, or another mount namespace, may hold it: it stays marked and known until then. */
			recorder_gap(r, CAUSE_UNMOUNT, since, time_now(), 0);
			recorder_note(r, "%s: unmounted", gone->path);
		} else if (!is_root(r, f)) {
			struct stat st;

			snprintf(f->root, sizeof(f->root), "%s", other->path);
			if (stat(f->root, &st) == 0)
				f->dev = st.st_dev; /* of another subvolume another one */
		}
		return;
	}
}

static void scan_mounted(struct recorder *r, str path, int64_t since)
{
	scan_begin(r);
	if (!r->gap_mount_from)
		r->gap_mount_from = since;
	scan_root(r, path);
}

/* Below a watched tree, or such a tree stands on it. */
static void new_mount(struct recorder *r, str at, int64_t since)
{
	if (below_watched(r, at)) {
		scan_mounted(r, at, since);
		return;
	}
	for (size_t i = 0; i < r->f->c->n_paths; i++)
		if (str_eq(r->f->c->paths[i], at) || is_below(r->f->c->paths[i], at))
			scan_mounted(r, r->f->c->paths[i], since);
}

void scan_mounts_changed(struct recorder *r, int64_t since)
{
	if (mounts_read(&r->mounts) < 0)
		return;
	for (size_t i = 0; i < r->mounts.n_gone; i++)
		unmounted(r, &r->mounts.gone[i], since);
	for (size_t i = 0; i < r->mounts.n; i++)
		if (!r->mounts.m[i].known)
			new_mount(r, str_c(r->mounts.m[i].path), since);
}
