/* From the journal into segments and tree files. Order: frames durable, tree files durable, new journal durable, old journal gone. */
#include "base/array.h"
#include "evidence/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "evidence/vfs.h"

struct segment_end {
	int fd; /* kept open: cutting must not need a descriptor that there is none for */
	off_t bytes;
};
struct segment_ends {
	struct segment_end *v;
	size_t n;
};

static void segment_ends_free(struct segment_ends *s)
{
	while (s->n)
		close_fd(&s->v[--s->n].fd);
	free(s->v);
}

int store_segment_begin(struct evidence *e, uint64_t first, int64_t day)
{
	struct segment_header h = { .first = first, .day = day };
	uint64_t *grown = reallocarray(e->segments, e->n_segments + 1, sizeof(*grown));
	uint8_t bytes[SEGMENT_HEADER];
	char name[LOGDIR_NAME_MAX];
	int r;

	if (!grown)
		return evidence_fail(-ENOMEM, "no memory");
	e->segments = grown;
	if (getrandom(h.seed, sizeof(h.seed), 0) != (ssize_t)sizeof(h.seed))
		return evidence_fail(-EIO, "no random numbers");
	segment_header_put(bytes, &h);
	logdir_segment_name(name, first);
	r = vfs_replace(e->log_fd, name, bytes, sizeof(bytes), NULL);
	if (r < 0)
		return store_broken(e, r, "cannot begin a segment");
	e->segments[e->n_segments++] = first;
	e->segment_day = day;
	return 0;
}

static size_t segment_of(const struct evidence *e, uint64_t index)
{
	size_t i = e->n_segments;

	while (i > 1 && e->segments[i - 1] > index)
		i--;
	return i - 1;
}

int store_segment_header(struct evidence *e, uint64_t first, struct segment_header *ret)
{
	_cleanup_close_ int fd = -1;
	uint8_t bytes[SEGMENT_HEADER];
	char name[LOGDIR_NAME_MAX];
	int r;

	logdir_segment_name(name, first);
	fd = openat(e->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return evidence_fail(-errno, "log/%s: %s", name, strerror(errno));
	r = read_exactly(fd, bytes, sizeof(bytes), 0);
	if (r == 0)
		r = segment_header_parse(bytes, sizeof(bytes), ret);
	if (r < 0 || ret->first != first)
		return evidence_fail(-EUCLEAN, "log/%s byte 0: expected a segment header with the index of the file's name", name);
	return 0;
}

int store_segment_use(struct evidence *e, uint64_t index)
{
	uint64_t first = e->segments[segment_of(e, index)];
	struct segment_header h;
	int r;

	if (likely(first == e->segment.first && e->segment.day != INT64_MIN))
		return 0;
	r = store_segment_header(e, first, &h);
	if (r < 0)
		return r;
	r = leaf_hasher_segment(e->hasher, h.seed, first);
	if (r < 0)
		return evidence_fail(r, "no memory");
	e->segment = h;
	return 0;
}

int store_root_full(void *arg, unsigned level, uint64_t n, const hash32 *root)
{
	struct evidence *e = arg;

	if (array_room(e->roots, e->cap_roots, e->n_roots + 1) < 0)
		return -ENOMEM;
	e->roots[e->n_roots++] = (struct tree_entry){ level, n, *root };
	return 0;
}

/* A compaction that does not come to its end takes its frames back: the next one writes them again, at the same place. */
static void cut_frames(struct evidence *e, const struct segment_ends *ends)
{
	for (size_t i = 0; i < ends->n; i++)
		if (vfs_truncate(ends->v[i].fd, ends->v[i].bytes) < 0)
			e->broken = true;
}

/* Frames of journal leaves [0, n), within their segments. ends: where those ended before. */
static int write_frames(struct evidence *e, size_t n, struct segment_ends *ends)
{
	for (size_t done = 0; done < n;) {
		uint64_t index = e->journal_first + done;
		size_t s = segment_of(e, index), stop = n;
		_cleanup_buf_ struct buf b = BUF_INIT;
		_cleanup_close_ int fd = -1;
		struct segment_end *grown, *end;
		char name[LOGDIR_NAME_MAX];
		struct stat st;
		int r = 0;

		if (s + 1 < e->n_segments)
			stop = (size_t)MIN((uint64_t)n, e->segments[s + 1] - e->journal_first);
		while (r == 0 && done < stop) {
			size_t k = MIN(stop - done, (size_t)SEGMENT_FRAME_LEAVES);

			r = segment_frame_put(e->packer, &b, e->journal_first + done, (uint32_t)k, leaves_range(&e->journal, done, done + k));
			done += k;
		}
		if (r < 0)
			return evidence_fail(r, "no memory for a frame");
		logdir_segment_name(name, e->segments[s]);
		fd = vfs_open(e->log_fd, name, O_WRONLY, 0);
		if (fd < 0 || fstat(fd, &st) < 0)
			return evidence_fail(fd < 0 ? fd : -errno, "log/%s cannot be opened", name);
		grown = reallocarray(ends->v, ends->n + 1, sizeof(*grown));
		if (!grown)
			return evidence_fail(-ENOMEM, "no memory");
		ends->v = grown;
		end = &grown[ends->n++];
		*end = (struct segment_end){ TAKE_FD(fd), st.st_size };
		r = vfs_pwrite(end->fd, b.p, b.n, st.st_size);
		if (r < 0)
			return store_broken(e, r, "cannot write a segment");
		if (vfs_fsync(end->fd) < 0)
			return store_broken(e, -EIO, "fsync of a segment failed");
	}
	return 0;
}

/* Subtrees that lie wholly below `size`. */
static int write_roots(struct evidence *e, uint64_t size)
{
	size_t left = 0;

	for (unsigned level = 1; level < MERKLE_LEVELS; level++) {
		_cleanup_close_ int fd = -1;
		char name[LOGDIR_NAME_MAX];
		int r = 0;

		for (size_t i = 0; i < e->n_roots && r == 0; i++) {
			const struct tree_entry *t = &e->roots[i];

			if (t->level != level || (t->n + 1) << (8 * level) > size)
				continue;
			if (fd < 0) {
				snprintf(name, sizeof(name), "tree-%u", level);
				fd = vfs_open(e->log_fd, name, O_WRONLY | O_CREAT, 0600);
				if (fd < 0)
					return evidence_fail(fd, "log/%s: %s", name, strerror(-fd));
			}
			r = vfs_pwrite(fd, t->root.b, 32, (off_t)(t->n * 32));
		}
		if (r < 0)
			return store_broken(e, r, "cannot write a tree file");
		if (fd >= 0 && vfs_fsync(fd) < 0)
			return store_broken(e, -EIO, "fsync of a tree file failed");
	}
	for (size_t i = 0; i < e->n_roots; i++)
		if ((e->roots[i].n + 1) << (8 * e->roots[i].level) > size)
			e->roots[left++] = e->roots[i];
	e->n_roots = left;
	return 0;
}

/* The journal that begins behind what was compacted. */
static int next_journal(struct evidence *e, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t first = e->journal_first + n;
	uint8_t header[JOURNAL_HEADER];
	char name[LOGDIR_NAME_MAX];
	int fd, r;

	journal_header_put(header, first);
	buf_put(&b, header, sizeof(header));
	if (e->journal.n > n)
		journal_frame_put(&b, first, (uint32_t)(e->journal.n - n), leaves_range(&e->journal, n, e->journal.n));
	if (buf_error(&b))
		return evidence_fail(buf_error(&b), "no memory for the journal");
	logdir_journal_name(name, first);
	r = vfs_replace(e->log_fd, name, b.p, b.n, &fd);
	if (r < 0)
		return store_broken(e, r, "cannot begin a journal");
	close_fd(&e->journal_fd);
	e->journal_fd = fd;
	e->journal_size = b.n;
	logdir_journal_name(name, e->journal_first);
	e->journal_first = first;
	leaves_drop(&e->journal, n);
	/* Where it cannot be removed it stays beside the new one, until the next start. */
	(void)vfs_unlink(e->log_fd, name);
	return 0;
}

/* A cache: when it cannot be written, the next start counts. But a failed fsync is final whose ever it is. */
int store_save_counters(struct evidence *e)
{
	int r = counters_save(e->state_fd, &e->compacted);

	if (r == 0)
		e->counters_saved = e->compacted.size;
	return r == -EIO ? store_broken(e, r, "cannot write the counters") : 0;
}

int store_compact(struct evidence *e)
{
	size_t n = e->journal.n / FRAME_ALIGN * FRAME_ALIGN;
	uint64_t next = e->journal_first + n;
	_cleanup_(segment_ends_free) struct segment_ends ends = { 0 };
	int r;

	if (n == 0)
		return 0;
	r = write_frames(e, n, &ends);
	if (r == 0)
		r = write_roots(e, next);
	if (r == 0)
		r = next_journal(e, n);
	/* Where the new journal stands, the frames are what the log consists of. */
	if (e->journal_first == next)
		e->compacted = e->aligned;
	else if (!e->broken)
		cut_frames(e, &ends);
	if (r == 0 && e->compacted.size - e->counters_saved >= STORE_COUNTERS_LEAVES)
		r = store_save_counters(e);
	e->disk_base = 0;
	return r;
}

uint64_t store_disk(struct evidence *e)
{
	/* Counted anew after each compaction; between two only the journal grows. */
	if (e->disk_base == 0)
		e->disk_base = logdir_bytes(e->log_fd) + logdir_bytes(e->kept_fd) - e->journal_size;
	return e->disk_base + e->journal_size;
}
