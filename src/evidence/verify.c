/* verify: every byte of the log, in order, from the files alone. */
#include "evidence/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "evidence/names_file.h"
#include "evidence/reserve.h"
#include "evidence/vfs.h"

#define LOOK_AGAIN 20 /* beside a writer that compacts all the time */

int verify_bad(struct verifier *v, uint64_t index, const char *file, uint64_t byte, const char *fmt, ...)
{
	struct verify_result *r = v->ret;
	va_list ap;

	if (r->damaged)
		return VERIFY_BAD;
	r->damaged = true;
	r->first_bad = index;
	snprintf(r->where, sizeof(r->where), "log/%s byte %llu", file, (unsigned long long)byte);
	va_start(ap, fmt);
	vsnprintf(r->what, sizeof(r->what), fmt, ap);
	va_end(ap);
	return VERIFY_BAD;
}

struct mapping {
	const uint8_t *p;
	size_t n;
};

static int map_file(struct verifier *v, const char *name, struct mapping *ret)
{
	_cleanup_close_ int fd = openat(v->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	void *p;

	*ret = (struct mapping){ 0 };
	if (fd < 0 && !evidence_is_damage(-errno))
		return evidence_fail(-errno, "log/%s: %s", name, strerror(errno));
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return verify_bad(v, v->next, name, 0, "expected a file that can be read");
	if (st.st_size == 0)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return evidence_fail(-errno, "log/%s: %s", name, strerror(errno));
	madvise(p, (size_t)st.st_size, MADV_SEQUENTIAL);
	*ret = (struct mapping){ p, (size_t)st.st_size };
	return 0;
}

static void unmap(struct mapping *m)
{
	if (m->p)
		munmap((void *)m->p, m->n);
}

/* The leaves of one frame. */
static int verify_payload(struct verifier *v, str payload, uint32_t count)
{
	uint32_t n = 0;
	str leaf;
	int r = 0;

	for (size_t at = 0; r == 0 && at < payload.n; n++) {
		if (payload_next(payload, &at, &leaf) < 0)
			return verify_bad(v, v->next, v->file, v->byte, "expected leaves with their lengths");
		r = verify_leaf(v, leaf);
	}
	if (r == 0 && n != count)
		r = verify_bad(v, v->next, v->file, v->byte, "expected as many leaves as the frame counts");
	return r;
}

/* --- the journal --- */

/* -EAGAIN: a segment was begun since the list was made; leaves of the journal may have its seed. */
static int segments_begun(const struct verifier *v)
{
	struct logdir now = { 0 };
	int r = logdir_list(v->log_fd, &now);
	bool same = r == 0 && now.n_segments == v->dir.n_segments;

	logdir_free(&now);
	return r < 0 ? evidence_fail(r, "log: %s", strerror(-r)) : same ? 0 : -EAGAIN;
}

/* Read, not mapped: a live writer may cut it. -EAGAIN: it was replaced meanwhile. */
static int load_journal(struct verifier *v)
{
	char name[LOGDIR_NAME_MAX];
	uint64_t first, says;
	int r;

	logdir_free(&v->dir);
	r = logdir_list(v->log_fd, &v->dir);
	if (r < 0)
		return evidence_fail(r, "log: %s", strerror(-r));
	if (v->dir.n_journals == 0)
		return -EAGAIN;
	first = v->dir.journals[v->dir.n_journals - 1];
	logdir_journal_name(name, first);
	buf_clear(&v->journal);
	v->journal.max = (size_t)1 << 34;
	r = read_file(v->log_fd, name, (size_t)1 << 33, &v->journal);
	if (r == -ENOENT || r == -ENODATA)
		return -EAGAIN;
	if (r < 0 && !evidence_is_damage(r))
		return evidence_fail(r, "log/%s: %s", name, strerror(-r));
	if (r < 0)
		return verify_bad(v, first, name, 0, "expected a file that can be read");
	if (journal_header_parse((const uint8_t *)v->journal.p, v->journal.n, &says) < 0 || says != first)
		return verify_bad(v, first, name, 0, "expected a journal header with the index of the file's name");
	return segments_begun(v);
}

static int find_journal(struct verifier *v)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < LOOK_AGAIN; i++) {
		if (i)
			usleep(2000);
		r = load_journal(v);
	}
	return r == -EAGAIN ? verify_bad(v, 0, "journal-00000000000000000000", 0, "expected a journal") : r;
}

static int verify_frame(struct verifier *v, const struct frame *f, struct buf *raw)
{
	int r = segment_frame_unpack(v->packer, f, raw);

	if (r == -ENOMEM)
		return evidence_fail(r, "no memory");
	if (r < 0)
		return verify_bad(v, v->next, v->file, v->byte, "expected a frame that unpacks");
	return verify_payload(v, buf_str(raw), f->count);
}

/* Frames beyond the journal's beginning: only their own soundness is looked at here; the leaves come from the journal, and a start cuts
 * these. */
static int verify_segment(struct verifier *v, uint64_t first, uint64_t stop, bool last)
{
	_cleanup_buf_ struct buf raw = BUF_INIT;
	struct segment_header h;
	struct mapping m;
	char name[LOGDIR_NAME_MAX];
	size_t at = SEGMENT_HEADER;
	int r;

	logdir_segment_name(name, first);
	v->file = name;
	v->byte = 0;
	r = map_file(v, name, &m);
	if (r < 0)
		return r;
	if (segment_header_parse(m.p, m.n, &h) < 0 || h.first != first)
		r = verify_bad(v, v->next, name, 0, "expected a segment header with the index of the file's name");
	else
		r = leaf_hasher_segment(v->hasher, h.seed, first);
	while (r == 0 && v->next < stop && at < m.n) {
		struct frame f;

		v->byte = at;
		if (segment_frame_parse(m.p + at, m.n - at, &f) < 0 || f.first != v->next || f.first + f.count > stop)
			r = verify_bad(v, v->next, name, at, "expected a sound frame with record %llu", (unsigned long long)v->next);
		else
			r = verify_frame(v, &f, &raw);
		at += f.bytes;
	}
	if (r == 0 && v->next < stop && !last)
		r = verify_bad(v, v->next, name, at, "expected the frame with record %llu", (unsigned long long)v->next);
	if (r == 0 && at < m.n && !last)
		r = verify_bad(v, v->next, name, at, "expected nothing behind the last frame");
	unmap(&m);
	v->file = "";
	return r;
}

/* Bytes behind the last sound frame are a torn tail where no checkpoint covers what could have stood there and no sound frame follows. */
static int verify_tail(struct verifier *v, str m, size_t at)
{
	for (size_t i = at + 1; i + JOURNAL_FRAME <= m.n; i++) {
		struct frame f;

		if (m.p[i] == 'T' && journal_frame_parse((const uint8_t *)m.p + i, m.n - i, &f) == 0)
			return verify_bad(v, v->next, v->file, at, "expected a sound frame with record %llu", (unsigned long long)v->next);
	}
	if (v->n_sizes && v->sizes[v->n_sizes - 1].c.size > v->next)
		return verify_bad(v, v->next, v->file, at, "expected a sound frame with record %llu", (unsigned long long)v->next);
	return 0;
}

/* The seed of a segment whose leaves are still in the journal. */
static int use_segment(struct verifier *v, size_t i)
{
	struct segment_header h;
	struct mapping m;
	char name[LOGDIR_NAME_MAX];
	int r;

	logdir_segment_name(name, v->dir.segments[i]);
	r = map_file(v, name, &m);
	if (r == 0 && (segment_header_parse(m.p, m.n, &h) < 0 || h.first != v->dir.segments[i]))
		r = verify_bad(v, v->next, name, 0, "expected a segment header with the index of the file's name");
	unmap(&m);
	return r < 0 ? r : leaf_hasher_segment(v->hasher, h.seed, h.first);
}

static int verify_journal(struct verifier *v, str m, uint64_t first)
{
	char name[LOGDIR_NAME_MAX];
	size_t segment = v->dir.n_segments, at = JOURNAL_HEADER;
	struct frame f;
	int r = 0;

	logdir_journal_name(name, first);
	v->file = name;
	while (segment > 1 && v->dir.segments[segment - 1] > first)
		segment--;
	while (r == 0 && at < m.n) {
		str payload, leaf;

		v->byte = at;
		if (journal_frame_parse((const uint8_t *)m.p + at, m.n - at, &f) < 0 || f.first != v->next) {
			r = verify_tail(v, m, at);
			break;
		}
		payload = (str){ (const char *)f.payload, f.length };
		for (size_t k = 0; r == 0 && k < payload.n;) {
			/* The segment that a leaf's nonce comes from may begin inside a frame. */
			if (segment < v->dir.n_segments && v->dir.segments[segment] == v->next) {
				r = use_segment(v, segment++);
				if (r < 0)
					break;
			}
			if (payload_next(payload, &k, &leaf) < 0)
				r = verify_bad(v, v->next, name, at, "expected leaves with their lengths");
			else
				r = verify_leaf(v, leaf);
		}
		if (r == 0 && v->next != f.first + f.count)
			r = verify_bad(v, v->next, name, at, "expected as many leaves as the frame counts");
		at += f.bytes;
	}
	v->file = "";
	return r;
}

static int verify_leaves(struct verifier *v)
{
	uint64_t first = v->dir.journals[v->dir.n_journals - 1];
	int r = 0;

	if (v->dir.n_segments == 0 || v->dir.segments[0] != 0)
		return verify_bad(v, 0, "segment-00000000000000000000", 0, "expected the first segment");
	for (size_t i = 0; r == 0 && i < v->dir.n_segments && (v->dir.segments[i] <= first); i++) {
		bool last = i + 1 == v->dir.n_segments || v->dir.segments[i + 1] >= first;
		uint64_t stop = i + 1 < v->dir.n_segments ? MIN(v->dir.segments[i + 1], first) : first;

		r = verify_segment(v, v->dir.segments[i], stop, last);
	}
	if (r == 0 && v->next != first)
		r = verify_bad(v, v->next, "segment", 0, "expected the frame with record %llu", (unsigned long long)v->next);
	return r == 0 ? verify_journal(v, buf_str(&v->journal), first) : r;
}

/* --- tree files, names, reserve --- */

static int tree_full(void *arg, unsigned level, uint64_t n, const hash32 *root)
{
	struct verifier *v = arg;
	char name[16];
	hash32 stored;

	if (level >= MERKLE_LEVELS || (n + 1) * 32 > v->tree_size[level])
		return 0;
	if (read_exactly(v->tree_fd[level], stored.b, 32, (off_t)(n * 32)) == 0 && memcmp(stored.b, root->b, 32) == 0)
		return 0;
	snprintf(name, sizeof(name), "tree-%u", level);
	return verify_bad(v, n << (8 * level), name, n * 32, "expected the hash of records %llu to %llu", (unsigned long long)(n << (8 * level)),
		(unsigned long long)(((n + 1) << (8 * level)) - 1));
}

static int open_tree(struct verifier *v)
{
	for (unsigned level = 1; level < MERKLE_LEVELS; level++) {
		char name[16];
		struct stat st;

		snprintf(name, sizeof(name), "tree-%u", level);
		v->tree_fd[level] = openat(v->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (v->tree_fd[level] < 0)
			continue;
		if (fstat(v->tree_fd[level], &st) < 0 || st.st_size % 32)
			return verify_bad(v, UINT64_MAX, name, (uint64_t)st.st_size, "expected whole hashes of 32 bytes");
		v->tree_size[level] = (uint64_t)st.st_size;
	}
	return 0;
}

static int close_tree(struct verifier *v)
{
	for (unsigned level = 1; level < MERKLE_LEVELS; level++) {
		char name[16];

		snprintf(name, sizeof(name), "tree-%u", level);
		if (v->tree_size[level] > (v->next >> (8 * level)) * 32)
			return verify_bad(v, UINT64_MAX, name, (v->next >> (8 * level)) * 32, "expected no hash of records that are not there");
	}
	return 0;
}

static int verify_reserve(struct verifier *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct reserve r;
	int e = 0;

	for (int i = 0; i < 3; i++) {
		/* A live writer writes it in place. */
		buf_clear(&b);
		e = read_file(v->log_fd, "reserve", RESERVE_BYTES + 1, &b);
		if (e == -ENOENT || (e == 0 && reserve_parse((const uint8_t *)b.p, b.n, &r) == 0))
			return 0;
		usleep(1000);
	}
	if (e < 0 && !evidence_is_damage(e))
		return evidence_fail(e, "log/reserve: %s", strerror(-e));
	if (e < 0 || reserve_parse((const uint8_t *)b.p, b.n, &r) < 0)
		return verify_bad(v, UINT64_MAX, "reserve", 0, "expected the reserve of 65,536 bytes");
	return 0;
}

static int open_names(struct verifier *v)
{
	int r = names_open(v->log_fd, false, &v->names);

	return r == -EBADMSG ? verify_bad(v, UINT64_MAX, "names", 0, "%s", names_damage()) : r < 0 ? evidence_fail(r, "log/names: %s",
		strerror(-r)) : 0;
}

/* The order matters beside a live writer: each thing is read before what was durable earlier. Hashes come after their leaves,
 * checkpoints after what they sign, leaves after their names. */
static int run(struct verifier *v)
{
	int r = verify_keys_load(v);

	if (r == 0)
		r = verify_checkpoints_load(v);
	if (r == 0)
		r = open_tree(v);
	if (r == 0)
		r = find_journal(v);
	if (r == 0)
		r = open_names(v);
	if (r == 0)
		r = verify_size_reached(v);
	if (r == 0)
		r = verify_leaves(v);
	if (r == 0)
		r = close_tree(v);
	if (r == 0)
		r = verify_reserve(v);
	if (r == 0)
		r = verify_signatures(v);
	return r;
}

static int verify_once(const char *state, const struct verify_options *o, struct verify_result *ret, bool *ret_rotating)
{
	struct verifier v = { .o = o, .ret = ret, .log_fd = -1, .hasher = leaf_hasher_new(), .packer = frame_packer_new(), .tree = merkle_new() };
	int state_fd = -1, r;

	*ret = (struct verify_result){ .first_bad = UINT64_MAX };
	memset(v.tree_fd, -1, sizeof(v.tree_fd));
	r = v.hasher && v.packer && v.tree ? logdir_open(state, &state_fd, &v.log_fd) : evidence_fail(-ENOMEM, "no memory");
	if (r == 0) {
		v.begun = logdir_begun(state_fd);
		merkle_on_full(v.tree, tree_full, &v);
		r = run(&v);
	}
	ret->size = v.next;
	if (r == 0)
		merkle_root(v.tree, &ret->root);
	for (size_t i = 0; i < MERKLE_LEVELS; i++)
		close_fd(&v.tree_fd[i]);
	names_free(v.names);
	leaf_hasher_free(v.hasher);
	frame_packer_free(v.packer);
	merkle_free(v.tree);
	logdir_free(&v.dir);
	*ret_rotating = v.rotating;
	buf_free(&v.journal);
	free(v.imports);
	free(v.sizes);
	close_fd(&v.log_fd);
	close_fd(&state_fd);
	return ret->damaged ? 0 : r;
}

/* What log.vkey says now. */
static void key_lines(const char *state, struct buf *ret)
{
	_cleanup_close_ int fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	buf_clear(ret);
	if (fd >= 0)
		(void)read_file(fd, "log/log.vkey", 1 << 20, ret);
}

int evidence_verify(const char *state, const struct verify_options *o, struct verify_result *ret)
{
	int r = 0;

	/* A key that a live writer rotates while we look signs what we did not expect: once more, then. A log has at most NOTE_KEYS_MAX keys, so
	 * this ends. */
	for (int again = 0; again < 4;) {
		_cleanup_buf_ struct buf before = BUF_INIT, after = BUF_INIT;
		bool rotating = false, rotated;

		key_lines(state, &before);
		r = verify_once(state, o, ret, &rotating);
		if (!ret->damaged)
			break;
		if (rotating)
			usleep(20000);
		key_lines(state, &after);
		rotated = before.n < after.n;
		if (!rotating && !rotated)
			break;
		again += !rotated;
	}
	return r;
}
