/* Reading beside a writer: the journal with the greatest first index holds the newest leaves; everything before it stands in segments.
 * When the writer compacts, the journal we have open is removed, and we look again. */
#include "base/array.h"
#include "evidence/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/varint.h"
#include "evidence/vfs.h"

#define OPEN_SEGMENTS 64 /* there is one a day, or more */
#define LOOK_AGAIN 20 /* a writer that compacts all the time cannot keep a reader out for longer than this many looks */

struct frame_place {
	uint64_t first, offset;
	uint32_t count;
};

/* Opened when a leaf of it is asked for, and walked no further than that leaf: most questions are about few of them. */
struct segment {
	uint64_t first;
	struct segment_header header; /* known once walked is not 0 */
	int fd;               /* -1 while it rests */
	uint8_t *map;
	size_t size;          /* mapped */
	size_t walked;        /* bytes known as frames */
	uint64_t end;         /* leaf behind the last known frame */
	struct frame_place *frames;
	size_t n_frames, cap_frames;
};

struct log_reader {
	int log_fd;
	struct segment *segments;
	size_t n_segments;
	size_t open[OPEN_SEGMENTS], n_open;   /* a ring of the segments with a descriptor */
	int journal_fd;
	uint64_t journal_first, journal_read; /* bytes taken */
	struct leaves tail;
	uint64_t size;
	uint64_t seeds;                       /* the segments of leaves [0, seeds) are known */
	struct frame_packer *packer;
	struct buf frame;                     /* the unpacked one */
	uint64_t frame_first;
	uint32_t frame_count, frame_at[SEGMENT_FRAME_LEAVES + 1];
	struct leaf_hasher *hasher;
	uint64_t hasher_first;
};

int log_reader_open(int log_fd, struct log_reader **ret)
{
	struct log_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return evidence_fail(-ENOMEM, "no memory");
	r->journal_fd = -1;
	r->log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, 0);
	r->packer = frame_packer_new();
	r->hasher_first = UINT64_MAX;
	r->frame_first = UINT64_MAX;
	if (r->log_fd < 0 || !r->packer) {
		log_reader_close(r);
		return evidence_fail(-ENOMEM, "no memory");
	}
	*ret = r;
	return 0;
}

static void segment_rest(struct segment *s)
{
	if (s->map)
		munmap(s->map, s->size);
	s->map = NULL;
	s->size = 0;
	close_fd(&s->fd);
}

struct log_reader *log_reader_close(struct log_reader *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_segments; i++) {
		segment_rest(&r->segments[i]);
		free(r->segments[i].frames);
	}
	free(r->segments);
	close_fd(&r->journal_fd);
	close_fd(&r->log_fd);
	leaves_free(&r->tail);
	buf_free(&r->frame);
	frame_packer_free(r->packer);
	leaf_hasher_free(r->hasher);
	free(r);
	return NULL;
}

/* --- segments --- */

static int segment_damaged(const struct segment *s, size_t byte, const char *expect)
{
	return evidence_fail(-EUCLEAN, "log/segment-%020llu byte %zu: expected %s", (unsigned long long)s->first, byte, expect);
}

static int segment_header_read(struct segment *s)
{
	uint8_t header[SEGMENT_HEADER];
	int e = read_exactly(s->fd, header, sizeof(header), 0);

	if (e == 0)
		e = segment_header_parse(header, sizeof(header), &s->header);
	if (e < 0 || s->header.first != s->first)
		return segment_damaged(s, 0, "a segment header with the index of the file's name");
	s->walked = SEGMENT_HEADER;
	s->end = s->first;
	return 0;
}

static int segment_open(struct log_reader *r, struct segment *s)
{
	size_t *place = &r->open[r->n_open % OPEN_SEGMENTS];
	char name[LOGDIR_NAME_MAX];
	int e = 0;

	if (s->fd >= 0)
		return 0;
	logdir_segment_name(name, s->first);
	s->fd = openat(r->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (s->fd < 0)
		return evidence_fail(-errno, "log/%s: %s", name, strerror(errno));
	if (s->walked == 0)
		e = segment_header_read(s);
	if (e < 0) {
		close_fd(&s->fd);
		return e;
	}
	if (r->n_open >= OPEN_SEGMENTS)
		segment_rest(&r->segments[*place]);
	*place = (size_t)(s - r->segments);
	r->n_open++;
	return 0;
}

static int segment_map(struct segment *s)
{
	struct stat st;
	void *map;

	if (fstat(s->fd, &st) < 0)
		return evidence_fail(-errno, "segment: %s", strerror(errno));
	if ((size_t)st.st_size == s->size)
		return 0;
	if (s->map)
		munmap(s->map, s->size);
	s->map = NULL;
	s->size = 0;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, s->fd, 0);
	if (map == MAP_FAILED)
		return evidence_fail(-errno, "segment: %s", strerror(errno));
	s->map = map;
	s->size = (size_t)st.st_size;
	return 0;
}

static int frame_add(struct segment *s, const struct frame *f)
{
	if (array_room(s->frames, s->cap_frames, s->n_frames + 1) < 0)
		return evidence_fail(-ENOMEM, "no memory");
	s->frames[s->n_frames++] = (struct frame_place){ f->first, s->walked, f->count };
	return 0;
}

/* Opened, mapped, its frames known up to leaf `upto`. */
static int segment_walk(struct log_reader *log, struct segment *s, uint64_t upto)
{
	int r = segment_open(log, s);

	if (r == 0 && (s->end < upto || !s->map))
		r = segment_map(s);

	while (r == 0 && s->end < upto) {
		struct frame f;

		if (s->walked >= s->size || segment_frame_header(s->map + s->walked, s->size - s->walked, &f) < 0 || f.first != s->end)
			return segment_damaged(s, s->walked, "the frame with the next leaf");
		r = frame_add(s, &f);
		if (r < 0)
			return r;
		s->walked += f.bytes;
		s->end += f.count;
	}
	return r;
}

/* Which segments leaves [0, upto] have. */
static int segments_refresh(struct log_reader *r, const struct logdir *d, uint64_t upto)
{
	for (size_t i = 0; i < d->n_segments && (d->segments[i] <= upto || i == 0); i++) {
		if (i == r->n_segments) {
			struct segment *grown = reallocarray(r->segments, i + 1, sizeof(*grown));

			if (!grown)
				return evidence_fail(-ENOMEM, "no memory");
			r->segments = grown;
			r->segments[r->n_segments++] = (struct segment){ .first = d->segments[i], .fd = -1 };
		}
		if (r->segments[i].first != d->segments[i])
			return evidence_fail(-EUCLEAN, "log/segment-%020llu: expected to stay", (unsigned long long)r->segments[i].first);
	}
	if (r->n_segments == 0 || r->segments[0].first != 0)
		return evidence_fail(-EUCLEAN, "log/segment-%020d: expected the first segment", 0);
	return 0;
}

/* --- journal --- */

/* Frames behind what was taken. What is no whole frame is not there yet. */
static int journal_more(struct log_reader *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct stat st;
	size_t at = 0, n;
	int e;

	if (fstat(r->journal_fd, &st) < 0)
		return evidence_fail(-errno, "journal: %s", strerror(errno));
	if ((uint64_t)st.st_size <= r->journal_read)
		return 0;
	n = (size_t)((uint64_t)st.st_size - r->journal_read);
	if (buf_reserve(&b, n) < 0)
		return evidence_fail(-ENOMEM, "no memory");
	e = read_exactly(r->journal_fd, b.p, n, (off_t)r->journal_read);
	if (e == -ENODATA)
		return 0; /* it was cut meanwhile: looked at again next time */
	if (e < 0)
		return evidence_fail(e, "journal: %s", strerror(-e));
	for (;;) {
		struct frame f;

		if (journal_frame_parse((const uint8_t *)b.p + at, n - at, &f) < 0 || f.first != r->journal_first + r->tail.n)
			break;
		for (size_t k = 0, n_leaves = 0; k < f.length || n_leaves != f.count; n_leaves++) {
			str leaf;

			e = n_leaves == f.count ? -EBADMSG : payload_next((str){ (const char *)f.payload, f.length }, &k, &leaf);
			if (e == 0)
				e = leaves_add(&r->tail, (const uint8_t *)leaf.p, leaf.n);
			if (e < 0)
				return evidence_fail(e == -EBADMSG ? -EUCLEAN : e, "log/journal-%020llu: expected leaves in a frame",
					(unsigned long long)r->journal_first);
		}
		at += f.bytes;
	}
	r->journal_read += at;
	return 0;
}

static int journal_open(struct log_reader *r, uint64_t first)
{
	_cleanup_close_ int fd = -1;
	uint8_t header[JOURNAL_HEADER];
	char name[LOGDIR_NAME_MAX];
	uint64_t says = 0;
	int e;

	logdir_journal_name(name, first);
	fd = openat(r->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	e = read_exactly(fd, header, sizeof(header), 0);
	if (e == 0)
		e = journal_header_parse(header, sizeof(header), &says);
	if (e < 0 || says != first)
		return evidence_fail(-EUCLEAN, "log/%s byte 0: expected a journal header", name);
	close_fd(&r->journal_fd);
	r->journal_fd = TAKE_FD(fd);
	r->journal_first = first;
	r->journal_read = JOURNAL_HEADER;
	leaves_drop(&r->tail, r->tail.n);
	return 0;
}

/* -EAGAIN: the writer moved on meanwhile. */
static int look(struct log_reader *r)
{
	struct logdir d;
	int e = logdir_list(r->log_fd, &d);

	if (e < 0)
		return evidence_fail(e, "log: %s", strerror(-e));
	if (d.n_journals == 0) {
		logdir_free(&d);
		return -EAGAIN;
	}
	e = journal_open(r, d.journals[d.n_journals - 1]);
	if (e == 0)
		e = segments_refresh(r, &d, r->journal_first);
	logdir_free(&d);
	return e == -ENOENT ? -EAGAIN : e;
}

static bool journal_is_gone(const struct log_reader *r)
{
	struct stat st;

	return r->journal_fd < 0 || fstat(r->journal_fd, &st) < 0 || st.st_nlink == 0;
}

int log_reader_refresh(struct log_reader *r, uint64_t limit, uint64_t *ret_size)
{
	int e = 0;

	for (int i = 0; i < LOOK_AGAIN; i++) {
		e = journal_is_gone(r) ? look(r) : 0;
		if (e == 0)
			e = journal_more(r);
		/* Gone after we read it: what we read is right, but there may be more. */
		if (e == 0 && (i + 1 == LOOK_AGAIN || !journal_is_gone(r)))
			break;
		if (e < 0 && e != -EAGAIN && !journal_is_gone(r))
			return e;
		close_fd(&r->journal_fd);
		usleep(1000);
	}
	if (r->journal_fd < 0)
		return e < 0 && e != -EAGAIN ? e : evidence_fail(-EUCLEAN, "log: expected a journal");
	r->size = MIN(r->journal_first + r->tail.n, limit);
	if (ret_size)
		*ret_size = r->size;
	return 0;
}

/* --- leaves --- */

static struct segment *segment_of(struct log_reader *r, uint64_t seq)
{
	size_t lo = 0, hi = r->n_segments;

	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (r->segments[mid].first <= seq)
			lo = mid;
		else
			hi = mid;
	}
	return &r->segments[lo];
}

static int frame_use(struct log_reader *r, uint64_t seq)
{
	struct segment *s = segment_of(r, seq);
	size_t lo = 0, hi, at = 0;
	struct frame f;
	int e;

	if (r->frame_first != UINT64_MAX && seq - r->frame_first < r->frame_count)
		return 0;
	e = segment_walk(r, s, seq + 1);
	if (e < 0)
		return e;
	hi = s->n_frames;
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (s->frames[mid].first <= seq)
			lo = mid;
		else
			hi = mid;
	}
	if (s->n_frames == 0)
		return evidence_fail(-ERANGE, "record %llu is not there", (unsigned long long)seq);
	r->frame_first = UINT64_MAX;
	e = segment_frame_parse(s->map + s->frames[lo].offset, s->size - s->frames[lo].offset, &f);
	if (e == 0)
		e = segment_frame_unpack(r->packer, &f, &r->frame);
	if (e == -ENOMEM)
		return evidence_fail(e, "no memory");
	if (e < 0)
		return segment_damaged(s, s->frames[lo].offset, "a sound frame");
	for (uint32_t i = 0; i < f.count; i++) {
		str leaf;

		r->frame_at[i] = (uint32_t)at;
		if (payload_next(buf_str(&r->frame), &at, &leaf) < 0)
			return segment_damaged(s, s->frames[lo].offset, "leaves in the frame");
	}
	if (at != r->frame.n)
		return segment_damaged(s, s->frames[lo].offset, "nothing behind the frame's leaves");
	r->frame_first = f.first;
	r->frame_count = f.count;
	return 0;
}

int log_reader_leaf(struct log_reader *r, uint64_t seq, str *ret_packed)
{
	str bytes;
	size_t at = 0;

	if (seq >= r->size)
		return evidence_fail(-ERANGE, "record %llu is not there: the log has %llu", (unsigned long long)seq, (unsigned long long)r->size);
	if (seq >= r->journal_first) {
		size_t i = (size_t)(seq - r->journal_first);

		bytes = leaves_range(&r->tail, i, i + 1);
	} else {
		int e = frame_use(r, seq);

		if (e < 0)
			return e;
		at = r->frame_at[seq - r->frame_first];
		bytes = buf_str(&r->frame);
	}
	return payload_next(bytes, &at, ret_packed);
}

/* Leaves of the journal may belong to a segment that was begun after we looked. */
static int segments_of_journal(struct log_reader *r, uint64_t seq)
{
	struct logdir d;
	int e;

	if (seq < r->journal_first || seq < r->seeds)
		return 0;
	e = logdir_list(r->log_fd, &d);
	if (e < 0)
		return evidence_fail(e, "log: %s", strerror(-e));
	/* Those behind the last leaf may go again, with another seed: they are not looked at. */
	e = segments_refresh(r, &d, r->size - 1);
	logdir_free(&d);
	if (e == 0)
		r->seeds = r->size;
	return e;
}

static int hasher_use(struct log_reader *r, uint64_t seq)
{
	int e = segments_of_journal(r, seq);
	struct segment *s;

	if (e < 0)
		return e;
	if (!r->hasher && !(r->hasher = leaf_hasher_new()))
		return evidence_fail(-ENOMEM, "no memory");
	s = segment_of(r, seq);
	if (r->hasher_first == s->first)
		return 0;
	if (s->walked == 0)
		e = segment_open(r, s);
	if (e < 0)
		return e;
	e = leaf_hasher_segment(r->hasher, s->header.seed, s->first);
	if (e < 0)
		return evidence_fail(e, "no memory");
	r->hasher_first = s->first;
	return 0;
}

int log_reader_hash(struct log_reader *r, uint64_t seq, hash32 *ret)
{
	str packed;
	int e = log_reader_leaf(r, seq, &packed);

	if (e == 0)
		e = hasher_use(r, seq);
	if (e == 0)
		leaf_hash(r->hasher, seq, (const uint8_t *)packed.p, packed.n, ret->b);
	return e;
}

int log_reader_nonce(struct log_reader *r, uint64_t seq, uint8_t ret[static LEAF_NONCE])
{
	int e = hasher_use(r, seq);

	if (e == 0)
		leaf_nonce(r->hasher, seq, ret);
	return e;
}

int log_reader_load(void *arg, unsigned level, uint64_t n, hash32 *ret)
{
	struct log_reader *r = arg;
	_cleanup_close_ int fd = -1;
	char name[LOGDIR_NAME_MAX];
	struct merkle *m;
	int e = 0;

	if (level == 0)
		return log_reader_hash(r, n, ret);
	snprintf(name, sizeof(name), "tree-%u", level);
	fd = openat(r->log_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && read_exactly(fd, ret->b, 32, (off_t)(n * 32)) == 0)
		return 0;
	m = merkle_new();
	if (!m)
		return evidence_fail(-ENOMEM, "no memory");
	for (uint64_t i = n * MERKLE_TILE; e == 0 && i < (n + 1) * MERKLE_TILE; i++) {
		hash32 child;

		e = log_reader_load(r, level - 1, i, &child);
		/* Inner hashes combine as leaves' do: the root over 256 of them is the root over what they cover. */
		if (e == 0)
			e = merkle_append(m, &child);
	}
	if (e == 0)
		merkle_root(m, ret);
	merkle_free(m);
	return e;
}
