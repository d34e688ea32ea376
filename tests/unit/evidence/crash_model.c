#include "crash_model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define SECTOR 512
#define INODES 4096
#define ENTRIES 64

enum op_kind { OP_CREATE, OP_MKDIR, OP_WRITE, OP_TRUNCATE, OP_FSYNC, OP_FSYNC_FAILED, OP_RENAME, OP_UNLINK };
static const char *const op_names[] = { "create", "mkdir", "write", "truncate", "fsync", "failed fsync", "rename", "unlink" };

struct op {
	enum op_kind kind;
	unsigned dir, inode;
	char from[40], to[40];
	uint64_t offset; /* or the new size */
	size_t n;
	uint8_t *data;
	uint64_t acknowledged, checkpoint;
};

static struct {
	struct op *ops;
	size_t n, cap;
	ino_t real[INODES];  /* the number of each on the real filesystem; 0: gone */
	unsigned n_inodes;
	uint64_t acknowledged, checkpoint;
	int fail_writes;
	bool fail_fsync;
} rec;

static struct op *add(enum op_kind kind, unsigned dir, unsigned inode)
{
	if (rec.n == rec.cap) {
		rec.cap = rec.cap ? 2 * rec.cap : 256;
		rec.ops = reallocarray(rec.ops, rec.cap, sizeof(*rec.ops));
		assert_non_null(rec.ops);
	}
	rec.ops[rec.n] = (struct op){ .kind = kind, .dir = dir, .inode = inode, .acknowledged = rec.acknowledged, .checkpoint = rec.checkpoint };
	return &rec.ops[rec.n++];
}

static int known(ino_t real)
{
	for (unsigned i = 0; i < rec.n_inodes; i++)
		if (rec.real[i] == real)
			return (int)i;
	return -1;
}

static unsigned fresh(ino_t real)
{
	int old = known(real);

	if (old >= 0)
		rec.real[old] = 0; /* the number was used again */
	assert_true(rec.n_inodes < INODES);
	rec.real[rec.n_inodes] = real;
	return rec.n_inodes++;
}

static int inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return known(st.st_ino);
}

static void set_data(struct op *o, const void *p, size_t n)
{
	o->data = malloc(n ? n : 1);
	assert_non_null(o->data);
	memcpy(o->data, p, n);
	o->n = n;
}

static int rec_open(void *arg, int dir, const char *name, int flags, mode_t mode)
{
	struct stat st;
	bool there = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	int fd = vfs_real.open(NULL, dir, name, flags, mode);

	if (fd < 0)
		return fd;
	if (!there) {
		struct op *o;

		assert_int_equal(fstat(fd, &st), 0);
		o = add(OP_CREATE, (unsigned)inode_of(dir), fresh(st.st_ino));
		snprintf(o->from, sizeof(o->from), "%s", name);
	} else if (flags & O_TRUNC) {
		add(OP_TRUNCATE, 0, (unsigned)inode_of(fd));
	}
	return fd;
}

static int rec_pwrite(void *arg, int fd, const void *p, size_t n, off_t off)
{
	struct op *o;
	struct stat st;
	int fail;

	assert_int_equal(fstat(fd, &st), 0);
	fail = (off_t)n + off > st.st_size ? rec.fail_writes : 0; /* a full disk still takes what has its room */
	if (fail)
		n /= 2;
	o = add(OP_WRITE, 0, (unsigned)inode_of(fd));
	o->offset = (uint64_t)off;
	set_data(o, p, n);
	assert_int_equal(vfs_real.pwrite(NULL, fd, p, n, off), 0);
	return fail;
}

/* Keys are written past vfs.h: what is new in the folder when it is fsynced was written and fsynced before. */
static void adopt_files(int dir, unsigned inode)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d))) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct stat st;
		struct op *o;

		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || known(st.st_ino) >= 0 || strcmp(e->d_name, "lock") == 0)
			continue;
		assert_int_equal(read_file(dir, e->d_name, 1 << 20, &b), 0);
		o = add(OP_CREATE, inode, fresh(st.st_ino));
		snprintf(o->from, sizeof(o->from), "%.39s", e->d_name);
		set_data(add(OP_WRITE, 0, rec.n_inodes - 1), b.p, b.n);
		add(OP_FSYNC, 0, rec.n_inodes - 1);
	}
	closedir(d);
}

static int rec_fsync(void *arg, int fd)
{
	int inode = inode_of(fd);
	struct stat st;

	if (inode < 0)
		return 0;
	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode))
		adopt_files(fd, (unsigned)inode);
	if (S_ISREG(st.st_mode) && rec.fail_fsync) {
		rec.fail_fsync = false;
		add(OP_FSYNC_FAILED, 0, (unsigned)inode);
		return -EIO;
	}
	add(OP_FSYNC, 0, (unsigned)inode);
	return 0;
}

static int rec_truncate(void *arg, int fd, off_t size)
{
	add(OP_TRUNCATE, 0, (unsigned)inode_of(fd))->offset = (uint64_t)size;
	return vfs_real.truncate(NULL, fd, size);
}

static int rec_rename(void *arg, int dir, const char *from, const char *to)
{
	struct stat st;
	struct op *o;
	int r;

	assert_int_equal(fstatat(dir, from, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(known(st.st_ino) >= 0);
	o = add(OP_RENAME, (unsigned)inode_of(dir), (unsigned)known(st.st_ino));
	snprintf(o->from, sizeof(o->from), "%s", from);
	snprintf(o->to, sizeof(o->to), "%s", to);
	r = vfs_real.rename(NULL, dir, from, to);
	assert_int_equal(r, 0);
	return 0;
}

static int rec_unlink(void *arg, int dir, const char *name)
{
	int r = vfs_real.unlink(NULL, dir, name);

	if (r == 0) {
		struct op *o = add(OP_UNLINK, (unsigned)inode_of(dir), 0);

		snprintf(o->from, sizeof(o->from), "%s", name);
	}
	return r;
}

static int rec_mkdir(void *arg, int dir, const char *name)
{
	int r = vfs_real.mkdir(NULL, dir, name);

	if (r == 0) {
		struct stat st;
		struct op *o;

		assert_int_equal(fstatat(dir, name, &st, 0), 0);
		o = add(OP_MKDIR, (unsigned)inode_of(dir), fresh(st.st_ino));
		snprintf(o->from, sizeof(o->from), "%s", name);
	}
	return r;
}

static const struct vfs recorder = { .open = rec_open, .pwrite = rec_pwrite, .fsync = rec_fsync, .truncate = rec_truncate, .rename = rec_rename,
	.unlink = rec_unlink, .mkdir = rec_mkdir };

void record_begin(const char *root)
{
	struct stat st;

	memset(&rec, 0, sizeof(rec));
	assert_int_equal(stat(root, &st), 0);
	fresh(st.st_ino);
	vfs_set(&recorder);
}

void record_end(void)
{
	vfs_set(NULL);
	for (size_t i = 0; i < rec.n; i++)
		free(rec.ops[i].data);
	free(rec.ops);
	rec.ops = NULL;
	rec.n = 0;
}

size_t record_count(void)
{
	return rec.n;
}

void record_promise(uint64_t acknowledged, uint64_t checkpoint)
{
	rec.acknowledged = acknowledged;
	rec.checkpoint = checkpoint;
}

void record_promised(size_t k, uint64_t *ret_acknowledged, uint64_t *ret_checkpoint)
{
	*ret_acknowledged = k < rec.n ? rec.ops[k].acknowledged : rec.acknowledged;
	*ret_checkpoint = k < rec.n ? rec.ops[k].checkpoint : rec.checkpoint;
}

void record_fail_writes(int error)
{
	rec.fail_writes = error;
}

void record_fail_fsync(void)
{
	rec.fail_fsync = true;
}

const char *record_describe(size_t k)
{
	static char text[160];
	const struct op *o = k > 0 ? &rec.ops[k - 1] : NULL;

	if (!o)
		return "nothing";
	snprintf(text, sizeof(text), "%s %s %s inode %u at %llu, %zu bytes", op_names[o->kind], o->from, o->to, o->inode, (unsigned long long)o->offset, o->n);
	return text;
}

/* --- what the disk holds --- */

struct node {
	bool is_dir;
	uint8_t *data;
	size_t size;
	unsigned *pending; /* operations not durable */
	size_t n_pending, cap;
	struct {
		char name[40];
		unsigned inode;
	} *entries;
	size_t n_entries;
};

static uint64_t draw(uint64_t *rng)
{
	*rng = *rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return *rng >> 33;
}

static void resize(struct node *x, size_t size)
{
	if (size > x->size) {
		x->data = realloc(x->data, size);
		assert_non_null(x->data);
		memset(x->data + x->size, 0, size - x->size);
	}
	x->size = size;
}

static void drop_entry(struct node *d, const char *name)
{
	for (size_t i = 0; i < d->n_entries; i++)
		if (strcmp(d->entries[i].name, name) == 0)
			d->entries[i] = d->entries[--d->n_entries];
}

static void put_entry(struct node *d, const char *name, unsigned inode)
{
	drop_entry(d, name);
	if (!d->entries)
		d->entries = calloc(ENTRIES, sizeof(*d->entries));
	assert_true(d->entries && d->n_entries < ENTRIES);
	snprintf(d->entries[d->n_entries].name, sizeof(d->entries[0].name), "%s", name);
	d->entries[d->n_entries++].inode = inode;
}

static bool has_entry(const struct node *d, const char *name, unsigned inode)
{
	for (size_t i = 0; i < d->n_entries; i++)
		if (strcmp(d->entries[i].name, name) == 0 && d->entries[i].inode == inode)
			return true;
	return false;
}

/* rng NULL: the whole operation. */
static void apply(struct node *x, const struct op *o, uint64_t *rng)
{
	switch (o->kind) {
	case OP_CREATE:
	case OP_MKDIR:
		put_entry(x, o->from, o->inode);
		break;
	case OP_RENAME:
		if (has_entry(x, o->from, o->inode))
			drop_entry(x, o->from);
		put_entry(x, o->to, o->inode);
		break;
	case OP_UNLINK:
		drop_entry(x, o->from);
		break;
	case OP_TRUNCATE:
		resize(x, o->offset);
		break;
	case OP_WRITE:
		for (uint64_t at = o->offset, end = o->offset + o->n; at < end;) {
			uint64_t stop = MIN((at / SECTOR + 1) * SECTOR, end);

			if (!rng || draw(rng) % 2) {
				resize(x, MAX(x->size, (size_t)stop));
				memcpy(x->data + at, o->data + (at - o->offset), stop - at);
			}
			at = stop;
		}
		break;
	default:
		break;
	}
}

static void settle(struct node *x, enum crash_mode mode, uint64_t *rng)
{
	unsigned all = mode == CRASH_RANDOM ? (unsigned)draw(rng) % 4 : 0; /* now and then all of a file, or none */

	for (size_t i = 0; i < x->n_pending; i++) {
		const struct op *o = &rec.ops[x->pending[i]];
		bool keep = mode == CRASH_KILL || (mode == CRASH_NAMES && x->is_dir);

		if (mode == CRASH_RANDOM)
			keep = all == 1 || (all != 2 && (o->kind == OP_WRITE || draw(rng) % 2));
		if (keep)
			apply(x, o, mode == CRASH_RANDOM && all != 1 ? rng : NULL);
	}
	x->n_pending = 0;
}

static void wait_for(struct node *x, unsigned op)
{
	if (x->n_pending == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 16;
		x->pending = reallocarray(x->pending, x->cap, sizeof(*x->pending));
		assert_non_null(x->pending);
	}
	x->pending[x->n_pending++] = op;
}

static void write_out(const struct node *nodes, unsigned inode, int at, const char *name)
{
	const struct node *x = &nodes[inode];
	int fd;

	if (!x->is_dir) {
		fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(vfs_real.pwrite(NULL, fd, x->data, x->size, 0), 0);
		close(fd);
		return;
	}
	assert_int_equal(mkdirat(at, name, 0700), 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (size_t i = 0; i < x->n_entries; i++)
		write_out(nodes, x->entries[i].inode, fd, x->entries[i].name);
	close(fd);
}

void record_replay(size_t k, enum crash_mode mode, uint64_t seed, const char *to)
{
	struct node *nodes = calloc(INODES, sizeof(*nodes));
	uint64_t rng = seed;

	assert_non_null(nodes);
	nodes[0].is_dir = true;
	for (size_t i = 0; i < k; i++) {
		const struct op *o = &rec.ops[i];
		bool in_dir = o->kind == OP_CREATE || o->kind == OP_MKDIR || o->kind == OP_RENAME || o->kind == OP_UNLINK;

		if (o->kind == OP_MKDIR)
			nodes[o->inode].is_dir = true;
		if (o->kind == OP_FSYNC)
			settle(&nodes[o->inode], CRASH_KILL, &rng);
		else if (o->kind == OP_FSYNC_FAILED)
			settle(&nodes[o->inode], mode, &rng);
		else
			wait_for(&nodes[in_dir ? o->dir : o->inode], (unsigned)i);
	}
	for (unsigned i = 0; i < rec.n_inodes; i++)
		settle(&nodes[i], mode, &rng);
	write_out(nodes, 0, AT_FDCWD, to);
	for (unsigned i = 0; i < rec.n_inodes; i++) {
		free(nodes[i].data);
		free(nodes[i].pending);
		free(nodes[i].entries);
	}
	free(nodes);
}

static int lazy_fsync(void *arg, int fd)
{
	return 0;
}

const struct vfs *vfs_lazy(void)
{
	static struct vfs lazy;

	lazy = vfs_real;
	lazy.fsync = lazy_fsync;
	return &lazy;
}
