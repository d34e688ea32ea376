/* The writer: what is appended waits in memory; a commit makes names, then the journal frame durable, and only then is it acknowledged. */
#include "evidence/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/timefmt.h"
#include "base/varint.h"
#include "evidence/names_file.h"
#include "evidence/vfs.h"

#define DAY_NS (86400 * NSEC_PER_SEC)

int64_t store_day(int64_t ns)
{
	return ns / DAY_NS - (ns % DAY_NS < 0);
}

int leaves_reserve(struct leaves *l, size_t n)
{
	int r = buf_reserve(&l->bytes, n + UVAR_MAX_BYTES);

	if (r < 0)
		return r;
	if (array_room(l->at, l->cap, l->n + 1) < 0)
		return -ENOMEM;
	return 0;
}

int leaves_add(struct leaves *l, const uint8_t *packed, size_t n)
{
	uint8_t *p;
	int r = leaves_reserve(l, n);

	if (r < 0)
		return r;
	l->at[l->n++] = (uint32_t)l->bytes.n;
	p = (uint8_t *)l->bytes.p + l->bytes.n;
	p += uvar_put(p, n);
	memcpy(p, packed, n);
	l->bytes.n = (size_t)((char *)p + n - l->bytes.p);
	return 0;
}

str leaves_range(const struct leaves *l, size_t i, size_t j)
{
	size_t from = i < l->n ? l->at[i] : l->bytes.n, to = j < l->n ? l->at[j] : l->bytes.n;

	return (str){ l->bytes.p + from, to - from };
}

/* The first n of `from` behind those of `to`. */
static int leaves_move(struct leaves *to, struct leaves *from, size_t n)
{
	str bytes = leaves_range(from, 0, n);
	int r = buf_reserve(&to->bytes, bytes.n);

	if (r == 0)
		r = array_room(to->at, to->cap, to->n + n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		to->at[to->n + i] = from->at[i] + (uint32_t)to->bytes.n;
	to->n += n;
	buf_puts(&to->bytes, bytes);
	leaves_drop(from, n);
	return 0;
}

void leaves_drop(struct leaves *l, size_t k)
{
	size_t cut = k < l->n ? l->at[k] : l->bytes.n;

	if (k == 0)
		return;
	memmove(l->bytes.p, l->bytes.p + cut, l->bytes.n - cut);
	l->bytes.n -= cut;
	for (size_t i = k; i < l->n; i++)
		l->at[i - k] = l->at[i] - (uint32_t)cut;
	l->n -= k;
}

void leaves_drop_last(struct leaves *l)
{
	l->bytes.n = l->at[--l->n];
}

void leaves_free(struct leaves *l)
{
	buf_free(&l->bytes);
	free(l->at);
	*l = (struct leaves){ 0 };
}

int store_broken(struct evidence *e, int r, const char *what)
{
	if (r == -EIO)
		e->broken = true;
	return evidence_fail(r, "%s: %s%s", what, strerror(-r), r == -EIO ? " (final: nothing more is written)" : "");
}

int store_refuse(const struct evidence *e)
{
	return evidence_fail(-EIO, "the log was closed by a failed write; start again");
}

uint64_t store_next(const struct evidence *e)
{
	return e->counters.size + e->pending.n;
}

int store_append(struct evidence *e, const struct leaf *l, uint64_t *ret_seq)
{
	uint8_t packed[LEAF_MAX];
	ssize_t n;
	int r;

	if (unlikely(e->broken))
		return store_refuse(e);
	n = leaf_encode(l, packed);
	if (n < 0)
		return evidence_fail((int)n, "a record that the log's format cannot hold");
	r = leaves_add(&e->pending, packed, (size_t)n);
	if (r < 0)
		return evidence_fail(r, "no memory for a record");
	if (ret_seq)
		*ret_seq = store_next(e) - 1;
	return 0;
}

int store_take(struct evidence *e, str packed)
{
	uint64_t index = e->counters.size;
	struct leaf l;
	hash32 h;
	int r;

	r = leaf_decode_any((const uint8_t *)packed.p, packed.n, &l);
	if (r < 0)
		return evidence_fail(-EUCLEAN, "record %llu: expected a leaf", (unsigned long long)index);
	r = store_segment_use(e, index);
	if (r < 0)
		return r;
	leaf_hash(e->hasher, index, (const uint8_t *)packed.p, packed.n, h.b);
	r = merkle_append(e->tree, &h);
	if (r < 0)
		return evidence_fail(r, "no memory for the tree");
	counters_leaf(&e->counters, &l);
	if (e->counters.size % FRAME_ALIGN == 0)
		e->aligned = e->counters;
	return 0;
}

/* New segments that begin within the leaves about to be committed: their headers, and so their seeds, are durable first. */
static int begin_segments(struct evidence *e, uint64_t n)
{
	uint64_t from = e->counters.size;
	int64_t day = store_day(time_now());

	for (uint64_t b = (from + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN; b < from + n; b += FRAME_ALIGN) {
		uint64_t first = e->segments[e->n_segments - 1];
		int r;

		if (b <= first || (day == e->segment_day && b - first < SEGMENT_LEAVES_MAX))
			continue;
		r = store_segment_begin(e, b, day);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One journal frame of the first n pending leaves, durable. */
static int commit_frame(struct evidence *e, size_t n)
{
	_cleanup_buf_ struct buf frame = BUF_INIT;
	str bytes = leaves_range(&e->pending, 0, n), leaf;
	int r;

	r = begin_segments(e, n);
	if (r < 0)
		return r;
	journal_frame_put(&frame, e->counters.size, (uint32_t)n, bytes);
	r = buf_error(&frame);
	if (r == 0)
		r = vfs_pwrite(e->journal_fd, frame.p, frame.n, (off_t)e->journal_size);
	if (r < 0) {
		/* Half a frame is no frame, but it takes room that a full disk needs. */
		if (vfs_truncate(e->journal_fd, (off_t)e->journal_size) < 0)
			e->broken = true;
		return store_broken(e, r, "cannot write the journal");
	}
	if (vfs_fsync(e->journal_fd) < 0)
		return store_broken(e, -EIO, "fsync of the journal failed");
	e->journal_size += frame.n;
	for (size_t at = 0; r == 0 && at < bytes.n;) {
		r = payload_next(bytes, &at, &leaf);
		if (r == 0)
			r = store_take(e, leaf);
	}
	if (r == 0)
		r = leaves_move(&e->journal, &e->pending, n);
	if (r < 0)
		e->broken = true; /* durable, but our tables do not have it: only a new start can go on */
	return r;
}

static void write_gap(struct evidence *e, int64_t now)
{
	e->reserve_written = now;
	if (reserve_write(&e->reserve) == -EIO)
		e->broken = true;
}

/* The disk is full: the gap is opened in the reserve at once. */
static void open_gap(struct evidence *e, int64_t now)
{
	if (e->reserve.open)
		return;
	e->reserve.open = true;
	e->reserve.from = e->reserve.to = now;
	e->reserve.lost = 0;
	write_gap(e, now);
}

/* What is pending, durable. */
static int commit_pending(struct evidence *e)
{
	int r = 0;

	if (e->pending.n) {
		r = names_sync(e->names);
		if (r < 0)
			return store_broken(e, r, "cannot write names");
	}
	while (r == 0 && e->pending.n)
		r = commit_frame(e, MIN(e->pending.n, (size_t)JOURNAL_FRAME_LEAVES));
	if (r == 0)
		e->pending_from = INT64_MAX;
	return r;
}

bool evidence_may_wait(int r)
{
	return r == -ENOSPC || r == -EMFILE || r == -ENFILE;
}

int evidence_commit(struct evidence *e)
{
	int r;

	if (e->broken)
		return store_refuse(e);
	r = commit_pending(e);
	if (r == -ENOSPC && !e->full) {
		e->full = true;
		open_gap(e, MIN(time_now(), e->pending_from));
	}
	/* A rotation that is not whole is looked for in the journal by the next start. */
	if (r < 0 || e->journal.n < STORE_COMPACT_LEAVES || e->no_compact || e->old_key)
		return r;
	r = store_compact(e);
	/* Everything is durable in the journal: compaction waits until there is room. */
	return evidence_may_wait(r) ? 0 : r;
}

/* While the disk is full nothing is taken in: it could only wait in memory, and be lost there. */
int store_full(void)
{
	return evidence_fail(-ENOSPC, "the disk is full");
}

int evidence_append_event(struct evidence *e, const struct event *ev, uint64_t *ret_seq)
{
	struct leaf l;
	int r;

	e->live |= !event_has(ev, EV_SOURCE);
	if (unlikely(e->full))
		return store_full();
	r = store_event_leaf(e, ev, &l);
	if (r == 0)
		r = store_append(e, &l, ret_seq);
	if (r == 0 && !event_has(ev, EV_SOURCE))
		e->pending_from = MIN(e->pending_from, ev->time);
	return r;
}

void evidence_count_lost(struct evidence *e, int64_t from, int64_t now)
{
	bool earlier = e->reserve.open && from < e->reserve.from;

	if (e->broken)
		return;
	open_gap(e, MIN(from, now));
	e->reserve.lost++;
	e->reserve.from = MIN(from, e->reserve.from);
	e->reserve.to = MAX(now, e->reserve.to);
	if (earlier || now - e->reserve_written >= RESERVE_WRITE_NS || now < e->reserve_written)
		write_gap(e, now);
}

/* The gap as a record. Without a count where it is not known how many there were. */
static int append_gap(struct evidence *e, int64_t now)
{
	struct event gap = { .time = e->reserve.from, .end = MAX(now, e->reserve.from), .verb = VERB_GAP, .cause = CAUSE_DISK_FULL,
		.count = e->reserve.lost };

	event_set(&gap, EV_TIME);
	event_set(&gap, EV_END);
	event_set(&gap, EV_VERB);
	event_set(&gap, EV_CAUSE);
	if (gap.count)
		event_set(&gap, EV_COUNT);
	return evidence_append_event(e, &gap, NULL);
}

int store_close_gap(struct evidence *e, int64_t now, bool recorded)
{
	bool before = e->no_compact;
	int r = recorded ? 0 : append_gap(e, now);

	if (r == 0 && !recorded) {
		/* It stays in the journal until the reserve is cleared: a start looks for it there, so that it is never written twice. */
		e->no_compact = true;
		r = commit_pending(e);
		e->no_compact = before;
		if (r < 0 && e->pending.n)
			leaves_drop_last(&e->pending); /* it waits in the reserve; a second try would write it twice */
	}
	if (r < 0)
		return r;
	e->reserve.open = false;
	r = reserve_write(&e->reserve);
	return r < 0 ? store_broken(e, r, "cannot write the reserve") : 0;
}

int evidence_try_room(struct evidence *e, int64_t now)
{
	int r;

	if (e->broken)
		return store_refuse(e);
	r = commit_pending(e);
	if (r < 0)
		return r;
	e->full = false;
	/* What waited is durable now; where nothing else came meanwhile, nothing was lost. */
	if (e->reserve.open)
		r = store_close_gap(e, now, e->reserve.lost == 0);
	e->full = r == -ENOSPC;
	return r < 0 ? r : evidence_commit(e);
}

void evidence_stat(const struct evidence *e, struct evidence_stat *ret)
{
	counters_stat(&e->counters, e->names, ret);
	ret->checkpoint_size = e->checkpoint.size;
	ret->checkpoint_time = e->checkpoint_time;
	ret->disk_log = store_disk((struct evidence *)e);
}

const struct names *evidence_names(const struct evidence *e)
{
	return e->names;
}

/* --- opening and closing --- */

static int check_owner(const char *state, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return evidence_fail(-errno, "%s: %s", state, strerror(errno));
	if (st.st_uid != geteuid())
		return evidence_fail(-EPERM, "state directory %s belongs to uid %u, not to uid %u", state, st.st_uid, geteuid());
	return 0;
}

/* Nothing but the lock that was just made, and what a start that was cut off left. */
static bool directory_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	bool empty = d != NULL;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "lock") != 0 && strcmp(entry->d_name, "VERSION.tmp") != 0)
			empty = false;
	if (d)
		closedir(d);
	else
		close_fd(&copy);
	return empty;
}

static int open_subdir(struct evidence *e, int at, const char *name, bool create, int *ret)
{
	int r = create ? vfs_mkdir(at, name) : 0;

	if (r < 0 && r != -EEXIST)
		return evidence_fail(r, "cannot make %s: %s", name, strerror(-r));
	/* Also where it is there: a start that was cut off may have made it and not come to this. */
	if (create && vfs_fsync(at) < 0)
		return store_broken(e, -EIO, "fsync of a directory failed");
	*ret = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret < 0 ? evidence_fail(-errno, "%s: %s", name, strerror(errno)) : 0;
}

static int open_state(struct evidence *e, const char *state, bool create)
{
	struct stat st;
	int r;

	if (create && mkdir(state, 0700) < 0 && errno != EEXIST)
		return evidence_fail(-errno, "cannot make the state directory %s: %s", state, strerror(errno));
	e->state_fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->state_fd < 0)
		return evidence_fail(-errno, "state directory %s: %s", state, strerror(errno));
	if (create) {
		_cleanup_close_ int parent = openat(e->state_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		/* Its name must not go with a power cut. Where the parent may not be read, it was there before us. */
		if (parent >= 0 && vfs_fsync(parent) < 0)
			return store_broken(e, -EIO, "fsync of the folder of the state directory failed");
	}
	r = check_owner(state, e->state_fd);
	if (r < 0)
		return r;
	/* Nothing is left in somebody else's folder, not even the lock. */
	if (fstatat(e->state_fd, "VERSION", &st, AT_SYMLINK_NOFOLLOW) < 0 && !directory_empty(e->state_fd))
		return evidence_fail(-ENOENT, "%s is not a state directory of Tyto (no VERSION)", state);
	e->lock_fd = openat(e->state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (e->lock_fd < 0)
		return evidence_fail(-errno, "%s/lock: %s", state, strerror(errno));
	if (flock(e->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return evidence_fail(-EBUSY, "another tyto writes to the state %s", state);
	if (fstatat(e->state_fd, "VERSION", &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT || !create || !directory_empty(e->state_fd))
			return evidence_fail(-ENOENT, "%s is not a state directory of Tyto (no VERSION)", state);
		r = vfs_replace(e->state_fd, "VERSION", STATE_VERSION_TEXT, strlen(STATE_VERSION_TEXT), NULL);
		if (r < 0)
			return evidence_fail(r, "%s/VERSION: %s", state, strerror(-r));
	}
	/* A start that was cut off before the log existed goes on here. The key is made after the folder of the log. */
	r = open_subdir(e, e->state_fd, "keys", create, &e->keys_fd);
	if (r == 0 && fstatat(e->keys_fd, "log.key", &st, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(e->state_fd, "log", &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = evidence_fail(-EUCLEAN, "%s/log: %s, but its key is there: expected the log; a new one needs a new state", state, strerror(errno));
	if (r == 0)
		r = open_subdir(e, e->state_fd, "log", create, &e->log_fd);
	if (r == 0)
		r = open_subdir(e, e->log_fd, "checkpoints", true, &e->kept_fd);
	if (r == 0) {
		int s, l;

		r = logdir_open(state, &s, &l);
		if (r == 0) {
			close(s);
			close(l);
		}
	}
	return r;
}

static void evidence_free(struct evidence *e)
{
	int *const fds[] = { &e->journal_fd, &e->reserve.fd, &e->kept_fd, &e->keys_fd, &e->log_fd, &e->lock_fd, &e->state_fd };

	note_key_free(e->key);
	note_key_free(e->old_key);
	names_free(e->names);
	merkle_free(e->tree);
	leaf_hasher_free(e->hasher);
	frame_packer_free(e->packer);
	leaves_free(&e->pending);
	leaves_free(&e->journal);
	free(e->segments);
	free(e->roots);
	for (size_t i = 0; i < MEMO_MAX_; i++)
		buf_free(&e->memos[i].text);
	for (size_t i = 0; e->dirs && i < STORE_DIRS; i++)
		buf_free(&e->dirs[i].path);
	free(e->dirs);
	free(e->state);
	buf_free(&e->scratch);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close_fd(fds[i]);
	free(e);
}

int evidence_open(const char *state, const struct evidence_options *o, struct evidence **ret)
{
	struct evidence *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return evidence_fail(-ENOMEM, "no memory");
	e->state_fd = e->log_fd = e->kept_fd = e->keys_fd = e->lock_fd = e->journal_fd = e->reserve.fd = -1;
	e->pending_from = INT64_MAX;
	e->tree = merkle_new();
	e->hasher = leaf_hasher_new();
	e->packer = frame_packer_new();
	e->dirs = calloc(STORE_DIRS, sizeof(*e->dirs));
	e->state = strdup(state);
	r = e->tree && e->hasher && e->packer && e->dirs && e->state ? 0 : evidence_fail(-ENOMEM, "no memory");
	if (r == 0 && getrandom(e->dirs_key, sizeof(e->dirs_key), 0) != (ssize_t)sizeof(e->dirs_key))
		r = evidence_fail(-EIO, "no random numbers");
	if (r == 0)
		r = open_state(e, state, o->create);
	if (r == 0)
		r = store_recover(e);
	if (r < 0) {
		evidence_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

/* Events that will not come again: an import's stand in its file. */
static uint64_t pending_events(const struct evidence *e)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->pending.n; i++) {
		str bytes = leaves_range(&e->pending, i, i + 1), leaf;
		size_t at = 0;
		struct leaf l;

		n += payload_next(bytes, &at, &leaf) == 0 && leaf_decode((const uint8_t *)leaf.p, leaf.n, &l) == 0 && l.kind == LEAF_EVENT &&
			!(l.present & EV_BIT(EV_SOURCE));
	}
	return n;
}

struct evidence *evidence_close(struct evidence *e)
{
	if (!e)
		return NULL;
	if (!e->broken && evidence_commit(e) == 0 && e->counters.size > e->checkpoint.size)
		(void)evidence_checkpoint(e, time_now()); /* what is durable stays so; the next start signs it */
	if (!e->broken && e->compacted.size > e->counters_saved)
		(void)store_save_counters(e);
	if (!e->broken && e->reserve.open) {
		/* What waits in memory goes with it, and counts. */
		e->reserve.lost += pending_events(e);
		e->reserve.to = MAX(e->reserve.to, time_now());
		/* Where nobody watched, nothing was kept from being recorded: only an import was stopped. */
		e->reserve.open = e->live || e->reserve.lost > 0;
		(void)reserve_write(&e->reserve);
	}
	evidence_free(e);
	return NULL;
}
