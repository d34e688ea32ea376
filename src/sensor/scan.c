#include <dirent.h>
#include <errno.h>
#include <linux/openat2.h>
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

bool scan_add_key(struct recorder *r, uint64_t key)
{
	if (watchset_crowded(r->f->set))
		watchset_grow(r->f->set, wait_turn, r->f);
	return watchset_add(r->f->set, key) >= 0;
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
	n->mode = (uint16_t)st->st_mode;
	n->uid = st->st_uid;
	n->gid = st->st_gid;
	n->dir = S_ISDIR(st->st_mode);
}

/* Opened before it was watched, perhaps: from now on its uses are reported. What is opened later is marked by the responder. */
static void watch_uses(struct recorder *r, int fd, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		groups_watch(&r->f->groups, fd, NULL);
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
	watch_uses(r, fd, &st);
	*ret_links = (uint32_t)st.st_nlink;
	return true;
}

static void scan_entry(struct recorder *r, const struct fan_fid *dir, int dir_fd, dev_t dev, const char *name)
{
	struct fan_fid fid;
	struct tree_node *n;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return;
	/* What is mounted here comes from the list of mounts. */
	if (st.st_dev != dev || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return;
	if (st.st_dev == r->exclude_dev && st.st_ino == r->exclude_ino)
		return;
	if (groups_fid_at(&r->f->groups, dir->fs, dir_fd, name, 0, &fid) < 0 || !scan_add_key(r, fid.key))
		return;
	if (tree_add(r->tree, fid.key, &n) < 0 || tree_link(n, dir->key, str_c(name)) < 0)
		return;
	take_stat(r, &fid, &st, n);
	if (!n->dir)
		groups_watch(&r->f->groups, dir_fd, name);
	if (n->dir && n->scan != r->round)
		scan_push(r, &fid);
}

static void scan_dir(struct recorder *r, const struct fan_fid *dir)
{
	struct tree_node *n = tree_find(r->tree, dir->key);
	_cleanup_close_ int at = -1;
	struct stat st;
	struct dirent *e;
	DIR *d;
	int fd;

	if (!n || n->scan == r->round)
		return;
	n->scan = r->round;
	at = groups_open_fid(&r->f->groups, dir);
	fd = at < 0 ? -1 : openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
	if (fd < 0)
		return;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return;
	}
	if (fstat(fd, &st) == 0)
		while ((e = readdir(d)))
			if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
				scan_entry(r, dir, fd, st.st_dev, e->d_name);
	closedir(d);
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

/* A path of the configuration, or a mount below one. */
int scan_root(struct recorder *r, str path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
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
	fd = (int)syscall(SYS_openat2, AT_FDCWD, name.p, &how, sizeof(how));
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

		fs = dir ? groups_add_fs(&r->f->groups, fd, dir, &why) : -ENOMEM;
	} else {
		fs = groups_add_fs(&r->f->groups, fd, name.p, &why);
	}
	if (fs < 0) {
		recorder_note(r, "%s: not watched: %s", name.p, why);
		return fs;
	}
	if (groups_fid_at(&r->f->groups, (unsigned)fs, fd, "", AT_EMPTY_PATH, &fid) < 0 || !scan_add_key(r, fid.key) ||
	    tree_add(r->tree, fid.key, &n) < 0)
		return -ENOMEM;
	/* A mount below a watched tree shows its root under the place where it is mounted. */
	if (!n->link.name)
		tree_link(n, 0, path);
	take_stat(r, &fid, &st, n);
	watch_uses(r, fd, &st);
	return n->dir ? scan_push(r, &fid) : 0;
}

static bool below_watched(const struct recorder *r, str path)
{
	for (size_t i = 0; i < r->f->c->n_paths; i++) {
		str p = r->f->c->paths[i];

		if (path.n > p.n && str_starts(path, p) && (path.p[p.n] == '/' || str_eq(p, STR("/"))))
			return true;
	}
	return false;
}

void scan_below_mounts(struct recorder *r)
{
	for (size_t i = 0; i < r->mounts.n; i++)
		if (below_watched(r, str_c(r->mounts.m[i].path)))
			scan_root(r, str_c(r->mounts.m[i].path));
}

static void begin(struct recorder *r)
{
	if (atomic_load(&r->f->started)) {
		atomic_fetch_add(&r->f->incomplete, 1);
		r->owed++;
	}
}

/* After events were lost: everything that is there is found again. */
void scan_again(struct recorder *r)
{
	r->rescan = false;
	r->round++;
	begin(r);
	for (size_t i = 0; i < r->f->c->n_paths; i++)
		scan_root(r, r->f->c->paths[i]);
	scan_below_mounts(r);
}

static bool mounted_still(const struct recorder *r, uint64_t dev)
{
	for (size_t i = 0; i < r->mounts.n; i++)
		if (r->mounts.m[i].dev == dev)
			return true;
	return false;
}

void scan_mounts_changed(struct recorder *r, int64_t since)
{
	int64_t now = time_now();

	if (mounts_read(&r->mounts) < 0)
		return;
	for (size_t i = 0; i < r->mounts.n_gone; i++)
		for (unsigned fs = 0; fs < r->f->groups.n_fs; fs++)
			if (r->f->groups.fs[fs]->dev == r->mounts.gone[i].dev && !mounted_still(r, r->mounts.gone[i].dev)) {
				recorder_gap(r, CAUSE_UNMOUNT, since, now, 0);
				recorder_note(r, "%s: unmounted", r->mounts.gone[i].path);
				/* Its marks went with it; mounted again it is a new one. */
				r->f->groups.fs[fs]->fsid = 0;
				r->f->groups.fs[fs]->dev = 0;
				break;
			}
	for (size_t i = 0; i < r->mounts.n; i++) {
		if (r->mounts.m[i].known)
			continue;
		for (size_t p = 0; p < r->f->c->n_paths; p++)
			if (str_eq(r->f->c->paths[p], str_c(r->mounts.m[i].path)) || below_watched(r, str_c(r->mounts.m[i].path))) {
				begin(r);
				if (!r->gap_mount_from)
					r->gap_mount_from = since;
				scan_root(r, str_c(r->mounts.m[i].path));
				break;
			}
	}
}
