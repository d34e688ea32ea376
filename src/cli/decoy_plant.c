#include "cli/decoy_plant.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/hash.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "detect/decoy_make.h"
#include "sensor/object.h"

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * NSEC_PER_SEC + t->tv_nsec;
}

static struct timespec spec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NSEC_PER_SEC), .tv_nsec = (long)(ns % NSEC_PER_SEC) };
}

/* --- looking around --- */

static bool passed_over(const FTSENT *e, const char *state)
{
	return (e->fts_level > 0 && e->fts_name[0] == '.') || strcmp(e->fts_name, "lost+found") == 0 || strcmp(e->fts_path, state) == 0;
}

static int take_file(const FTSENT *e, size_t root, const struct decoys *d, struct decoy_share *s)
{
	const struct stat *st = e->fts_statp;
	const struct decoy_sample one = { .bytes = (uint64_t)st->st_size, .modified = ns_of(&st->st_mtim), .uid = st->st_uid, .gid = st->st_gid,
		.mode = st->st_mode & 0777 };
	_cleanup_buf_ struct buf folder = BUF_INIT;
	size_t n = e->fts_pathlen - e->fts_namelen;

	if (e->fts_name[0] == '.' || decoys_path(d, str_c(e->fts_path)))
		return 0;
	n = n > root + 1 ? n - 1 : root;
	buf_put(&folder, e->fts_path + root, n - root);
	if (!buf_cstr(&folder))
		return -ENOMEM;
	return decoy_share_add(s, folder.p[0] == '/' ? folder.p + 1 : folder.p, e->fts_name, &one);
}

/* Files before folders, so that a folder's files come one after the other. */
static int files_first(const FTSENT **a, const FTSENT **b)
{
	bool x = (*a)->fts_info == FTS_D, y = (*b)->fts_info == FTS_D;

	return x != y ? x - y : strcmp((*a)->fts_name, (*b)->fts_name);
}

int plant_look(const char *dir, const struct decoys *d, const char *state, struct decoy_share *ret, uint64_t *ret_unread)
{
	char *const paths[] = { (char *)(uintptr_t)dir, NULL };
	FTS *f = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, files_first);
	size_t root = strcmp(dir, "/") == 0 ? 0 : strlen(dir);
	FTSENT *e;
	int r = 0;

	if (!f)
		return -errno;
	while (r == 0 && (e = fts_read(f))) {
		if (interrupted())
			r = -EINTR;
		else if (e->fts_info == FTS_D && passed_over(e, state))
			fts_set(f, e, FTS_SKIP);
		else if (e->fts_info == FTS_F)
			r = take_file(e, root, d, ret);
		else if (e->fts_info == FTS_DNR || (e->fts_info == FTS_ERR && e->fts_level > 0))
			(*ret_unread)++;
	}
	fts_close(f);
	return r;
}

/* --- writing --- */

static int open_folder(const char *dir, const char *folder)
{
	const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	_cleanup_close_ int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int fd;

	if (root < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, root, *folder ? folder : ".", &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

static int hash(const struct buf *b, uint8_t ret[static 32])
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();

	if (!h)
		return -ENOMEM;
	sha256_parts(h, &(str){ b->p, b->n }, 1, ret);
	return 0;
}

/* Whole, with the neighbours' owner, mode and times, before anybody else may open it. */
static int fill(int fd, const struct buf *b, const struct decoy_plan *p)
{
	const struct timespec times[2] = { spec_of(p->modified), spec_of(p->modified) };

	for (size_t at = 0; at < b->n;) {
		ssize_t n = write(fd, b->p + at, b->n - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	/* Without root they are the caller's own. */
	if (fchown(fd, p->uid, p->gid) < 0 && errno != EPERM)
		return -errno;
	if (fchmod(fd, p->mode) < 0 || fsync(fd) < 0 || futimens(fd, times) < 0)
		return -errno;
	return 0;
}

static void identify(int fd, struct decoy *ret)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return;
	object_at(fd, "", AT_EMPTY_PATH, (long)fs.f_type, &st, &ret->object);
	ret->has_object = true;
}

static int make_at(int folder, const struct decoy_plan *p, const struct buf *bytes, struct decoy *ret)
{
	_cleanup_close_ int fd = openat(folder, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = fill(fd, bytes, p);
	if (r < 0) {
		unlinkat(folder, p->name, 0);
		return r;
	}
	identify(fd, ret);
	return 0;
}

int plant_write(const char *dir, const struct decoy_share *s, const struct decoy_plan *p, struct decoy *ret)
{
	const struct decoy_wish wish = { .format = p->format, .language = p->language, .bytes = p->bytes, .modified = p->modified };
	_cleanup_close_ int folder = open_folder(dir, s->folders[p->folder]);
	_cleanup_buf_ struct buf bytes = BUF_INIT, path = BUF_INIT;
	struct decoy c = { .removed_seq = UINT64_MAX };
	uint64_t id = 0;
	struct stat st;
	int r;

	if (folder < 0)
		return folder;
	r = decoy_make(&wish, &bytes);
	if (r == 0)
		r = hash(&bytes, c.document);
	if (r < 0)
		return r;
	if (fstat(folder, &st) < 0)
		return -errno;
	r = make_at(folder, p, &bytes, &c);
	if (r < 0)
		return r;
	/* The folder looks as old as it was. */
	futimens(folder, (const struct timespec[2]){ st.st_atim, st.st_mtim });
	buf_putf(&path, "%s%s%s%s%s", strcmp(dir, "/") == 0 ? "" : dir, *s->folders[p->folder] ? "/" : "", s->folders[p->folder], "/", p->name);
	arc4random_buf(&id, sizeof(id));
	snprintf(c.id, sizeof(c.id), "%016llx", (unsigned long long)id);
	c.bytes = bytes.n;
	c.planted = time_now();
	c.path = buf_cstr(&path) ? strdup(path.p) : NULL;
	if (!c.path)
		return -ENOMEM;
	*ret = c;
	return 0;
}

/* --- what became of it --- */

static int hash_file(int fd, uint8_t ret[static 32])
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();
	char room[65536];
	ssize_t n;

	if (!h)
		return -ENOMEM;
	sha256_init(h);
	while ((n = read(fd, room, sizeof(room))) > 0)
		sha256_update(h, room, (size_t)n);
	sha256_final(h, ret);
	return n < 0 ? -errno : 0;
}

enum plant_state plant_state(const struct decoy *c)
{
	_cleanup_close_ int fd = open(c->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOATIME);
	uint8_t document[32];
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? PLANT_MISSING : errno == ELOOP ? PLANT_CHANGED : PLANT_UNKNOWN;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != c->bytes)
		return PLANT_CHANGED;
	return hash_file(fd, document) < 0 ? PLANT_UNKNOWN : memcmp(document, c->document, 32) == 0 ? PLANT_THERE : PLANT_CHANGED;
}

int plant_remove(const struct decoy *c)
{
	const char *slash = strrchr(c->path, '/');
	_cleanup_buf_ struct buf folder = BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct stat st;

	buf_putf(&folder, "%.*s/", (int)(slash - c->path), c->path);
	fd = buf_cstr(&folder) ? open_folder(folder.p, "") : -ENOMEM;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	if (unlinkat(fd, slash + 1, 0) < 0)
		return -errno;
	futimens(fd, (const struct timespec[2]){ st.st_atim, st.st_mtim });
	return 0;
}
