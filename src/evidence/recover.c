/* Opening: what a start that was cut off, a crash or a power cut left is brought to the last state that was acknowledged. Cut is only a
 * torn tail behind the last checkpoint and at the physical end, and that is recorded; anything else is damage and is left as it is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "evidence/names_file.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "evidence/vfs.h"

enum cut { CUT_JOURNAL = 1, CUT_NAMES, CUT_SEGMENT, CUT_TREE };

struct recovery {
	struct evidence *e;
	uint64_t cut[5];         /* bytes, by enum cut */
	bool has_key_leaf;
	uint8_t key_leaf[32];
	uint64_t compacted_names; /* introduced by leaves in segments */
	bool gap_recorded;       /* the gap that is open in the reserve is a record already */
};

/* --- a new log --- */

static int begin_journal(struct evidence *e)
{
	uint8_t header[JOURNAL_HEADER];
	char name[LOGDIR_NAME_MAX];
	int r;

	journal_header_put(header, 0);
	logdir_journal_name(name, 0);
	r = vfs_replace(e->log_fd, name, header, sizeof(header), NULL);
	return r < 0 ? store_broken(e, r, "cannot begin the journal") : 0;
}

/* The journal comes last: where there is one, everything else is there. */
static int begin_log(struct evidence *e, struct logdir *d)
{
	int r = 0;

	if (d->n_segments > 1 || (d->n_segments == 1 && d->segments[0] != 0))
		return evidence_fail(-EUCLEAN, "log: expected a journal");
	if (e->checkpoint.size)
		return evidence_fail(-EUCLEAN, "log: expected a journal with the %llu records of the checkpoint", (unsigned long long)e->checkpoint.size);
	if (d->n_segments == 0)
		r = store_segment_begin(e, 0, store_day(time_now()));
	e->n_segments = 0;
	if (r == 0)
		r = begin_journal(e);
	if (r < 0)
		return r;
	logdir_free(d);
	return logdir_list(e->log_fd, d);
}

/* --- the journal --- */

static bool sound_frame_behind(const uint8_t *p, size_t n)
{
	for (size_t i = 1; i + JOURNAL_FRAME <= n; i++) {
		const uint8_t *q = memchr(p + i, 'T', n - i - JOURNAL_FRAME + 1);
		struct frame f;

		if (!q)
			return false;
		i = (size_t)(q - p);
		if (journal_frame_parse(q, n - i, &f) == 0)
			return true;
	}
	return false;
}

static int take_frame(struct evidence *e, const struct frame *f, uint64_t byte)
{
	str payload = { (const char *)f->payload, f->length }, leaf;
	uint32_t n = 0;
	int r = 0;

	for (size_t at = 0; r == 0 && at < payload.n; n++) {
		r = payload_next(payload, &at, &leaf);
		if (r == 0)
			r = leaves_add(&e->journal, (const uint8_t *)leaf.p, leaf.n);
	}
	if (r == 0 && n != f->count)
		r = -EBADMSG;
	return r == -EBADMSG ? evidence_fail(-EUCLEAN, "log/journal-%020llu byte %llu: expected the leaves that the frame counts",
		(unsigned long long)e->journal_first, (unsigned long long)byte) : r;
}

static int cut_journal(struct recovery *rec, const struct buf *b, size_t at)
{
	struct evidence *e = rec->e;
	uint64_t size = e->journal_first + e->journal.n;

	if (size < e->checkpoint.size || sound_frame_behind((const uint8_t *)b->p + at, b->n - at))
		return evidence_fail(-EUCLEAN, "log/journal-%020llu byte %zu: expected a sound frame with record %llu",
			(unsigned long long)e->journal_first, at,
			(unsigned long long)size);
	if (vfs_truncate(e->journal_fd, (off_t)at) < 0 || vfs_fsync(e->journal_fd) < 0)
		return store_broken(e, -EIO, "cannot cut the torn tail of the journal");
	rec->cut[CUT_JOURNAL] += b->n - at;
	return 0;
}

static int load_journal(struct recovery *rec, uint64_t first)
{
	struct evidence *e = rec->e;
	_cleanup_buf_ struct buf b = { .max = (size_t)1 << 34 };
	char name[LOGDIR_NAME_MAX];
	uint64_t says;
	size_t at = JOURNAL_HEADER;
	int r;

	logdir_journal_name(name, first);
	r = read_file(e->log_fd, name, (size_t)1 << 33, &b);
	if (r < 0)
		return evidence_fail(r, "log/%s: %s", name, strerror(-r));
	if (journal_header_parse((const uint8_t *)b.p, b.n, &says) < 0 || says != first)
		return evidence_fail(-EUCLEAN, "log/%s byte 0: expected a journal header", name);
	e->journal_fd = vfs_open(e->log_fd, name, O_WRONLY, 0);
	if (e->journal_fd < 0)
		return evidence_fail(e->journal_fd, "log/%s: %s", name, strerror(-e->journal_fd));
	e->journal_first = first;
	while (at < b.n) {
		struct frame f;

		if (journal_frame_parse((const uint8_t *)b.p + at, b.n - at, &f) < 0 || f.first != first + e->journal.n) {
			r = cut_journal(rec, &b, at);
			if (r < 0)
				return r;
			break;
		}
		r = take_frame(e, &f, at);
		if (r < 0)
			return r;
		at += f.bytes;
	}
	e->journal_size = at;
	/* What a process wrote that ended before its fsync, or whose fsync failed, may be in memory only, and look clean there. The same
	 * bytes again. */
	r = vfs_pwrite(e->journal_fd, b.p, at, 0);
	if (r < 0 || vfs_fsync(e->journal_fd) < 0)
		return store_broken(e, r < 0 ? r : -EIO, "cannot make the journal durable");
	if (first + e->journal.n < e->checkpoint.size)
		return evidence_fail(-EUCLEAN, "log: expected the %llu records of the checkpoint, found %llu", (unsigned long long)e->checkpoint.size,
			(unsigned long long)(first + e->journal.n));
	return 0;
}

/* --- segments --- */

/* Frames that a compaction wrote and did not finish stand in the journal too: they are cut, and written again later. */
static int cut_segment(struct recovery *rec, uint64_t first, uint64_t want)
{
	struct evidence *e = rec->e;
	_cleanup_close_ int fd = -1;
	char name[LOGDIR_NAME_MAX];
	uint64_t at = SEGMENT_HEADER, end = first;
	uint8_t head[SEGMENT_FRAME];
	struct stat st;

	logdir_segment_name(name, first);
	fd = vfs_open(e->log_fd, name, O_RDWR, 0);
	if (fd < 0 || fstat(fd, &st) < 0)
		return evidence_fail(-EUCLEAN, "log/%s: cannot be opened", name);
	while (end < want && at + SEGMENT_FRAME <= (uint64_t)st.st_size) {
		struct frame f;
		int r = read_exactly(fd, head, sizeof(head), (off_t)at);

		if (r == 0)
			r = segment_frame_header(head, SEGMENT_FRAME + ((size_t)1 << 31), &f);
		if (r < 0 || f.first != end || at + f.bytes > (uint64_t)st.st_size)
			break;
		at += f.bytes;
		end += f.count;
	}
	if (end != want)
		return evidence_fail(-EUCLEAN, "log/%s byte %llu: expected the frame with record %llu", name, (unsigned long long)at,
			(unsigned long long)end);
	if (at == (uint64_t)st.st_size)
		return 0;
	if (vfs_truncate(fd, (off_t)at) < 0 || vfs_fsync(fd) < 0)
		return store_broken(e, -EIO, "cannot cut a segment");
	rec->cut[CUT_SEGMENT] += (uint64_t)st.st_size - at;
	return 0;
}

static int load_segments(struct recovery *rec, const struct logdir *d)
{
	struct evidence *e = rec->e;
	uint64_t size = e->journal_first + e->journal.n;
	struct segment_header newest;
	int r = 0;

	if (d->n_segments == 0 || d->segments[0] != 0)
		return evidence_fail(-EUCLEAN, "log/segment-%020d: expected the first segment", 0);
	free(e->segments); /* of a log that was begun just now */
	e->segments = calloc(d->n_segments, sizeof(*e->segments));
	if (!e->segments)
		return evidence_fail(-ENOMEM, "no memory");
	for (size_t i = 0; i < d->n_segments; i++) {
		char name[LOGDIR_NAME_MAX];

		if (d->segments[i] <= size) {
			e->segments[e->n_segments++] = d->segments[i];
			continue;
		}
		/* Begun for leaves that were never acknowledged. */
		logdir_segment_name(name, d->segments[i]);
		r = vfs_unlink(e->log_fd, name);
		if (r < 0)
			return evidence_fail(r, "cannot remove log/%s: %s", name, strerror(-r));
	}
	/* Only the segments that the journal reaches into, and the one it continues, can hold such frames. */
	for (size_t i = 0; r == 0 && i < e->n_segments; i++)
		if (i + 1 == e->n_segments || e->segments[i + 1] >= e->journal_first)
			r = cut_segment(rec, e->segments[i],
				MAX(e->segments[i], MIN(e->journal_first, i + 1 < e->n_segments ? e->segments[i + 1] : UINT64_MAX)));
	e->segment.day = INT64_MIN;
	if (r == 0)
		r = store_segment_header(e, e->segments[e->n_segments - 1], &newest);
	e->segment_day = r == 0 ? newest.day : INT64_MIN;
	return r;
}

/* --- tree and counters --- */

static int rebuild_tree(struct evidence *e, struct log_reader *log)
{
	for (uint64_t i = 0; i < e->journal_first; i++) {
		hash32 h;
		int r = log_reader_hash(log, i, &h);

		if (r == 0)
			r = merkle_append(e->tree, &h);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A tree file says no more than what stands in segments: the rest comes again with the next compaction. */
static int cut_tree(struct recovery *rec, unsigned level, bool *ret_short)
{
	struct evidence *e = rec->e;
	_cleanup_close_ int fd = -1;
	uint64_t want = (e->journal_first >> (8 * level)) * 32;
	char name[LOGDIR_NAME_MAX];
	struct stat st;

	snprintf(name, sizeof(name), "tree-%u", level);
	fd = vfs_open(e->log_fd, name, O_RDWR, 0);
	if (fd < 0 || fstat(fd, &st) < 0) {
		*ret_short |= want > 0;
		return 0;
	}
	*ret_short |= (uint64_t)st.st_size < want;
	if ((uint64_t)st.st_size <= want)
		return 0;
	if (vfs_truncate(fd, (off_t)want) < 0 || vfs_fsync(fd) < 0)
		return store_broken(e, -EIO, "cannot cut a tree file");
	rec->cut[CUT_TREE] += (uint64_t)st.st_size - want;
	return 0;
}

static int load_tree(struct recovery *rec, struct log_reader *log)
{
	struct evidence *e = rec->e;
	bool is_short = false;
	int r = 0;

	for (unsigned level = 1; r == 0 && level < MERKLE_LEVELS; level++)
		r = cut_tree(rec, level, &is_short);
	if (r < 0)
		return r;
	if (!is_short) {
		r = merkle_restore(e->tree, e->journal_first, log_reader_load, log);
		merkle_on_full(e->tree, store_root_full, e);
		return r < 0 ? evidence_fail(r, "the tree files cannot be read") : 0;
	}
	/* Missing or too short: it is derived, so it is derived again. */
	merkle_on_full(e->tree, store_root_full, e);
	return rebuild_tree(e, log);
}

static int load_counters(struct recovery *rec, struct log_reader *log)
{
	struct evidence *e = rec->e;
	struct counters c = { 0 };

	if (counters_load(e->state_fd, &c) < 0 || c.size > e->journal_first)
		c = (struct counters){ 0 };
	e->counters_saved = c.size;
	while (c.size < e->journal_first) {
		struct leaf l;
		str packed;
		int r = log_reader_leaf(log, c.size, &packed);

		if (r < 0)
			return r;
		if (leaf_decode_any((const uint8_t *)packed.p, packed.n, &l) < 0)
			return evidence_fail(-EUCLEAN, "record %llu: expected a leaf", (unsigned long long)c.size);
		counters_leaf(&c, &l);
	}
	e->counters = e->aligned = e->compacted = c;
	rec->compacted_names = c.names;
	return 0;
}

static int check_root(struct evidence *e, const hash32 *root)
{
	if (memcmp(root->b, e->checkpoint.root.b, 32) == 0)
		return 0;
	return evidence_fail(-EUCLEAN,
	       "log/checkpoint: the first %llu records are not those that it signs (`tyto verify` finds the first bad one)",
		(unsigned long long)e->checkpoint.size);
}

static void look_at(struct recovery *rec, const struct leaf *l)
{
	const struct reserve *gap = &rec->e->reserve;

	if (l->kind == LEAF_KEY) {
		rec->has_key_leaf = true;
		memcpy(rec->key_leaf, l->hash, 32);
	}
	if (l->kind == LEAF_EVENT && gap->open && l->value[EV_VERB] == VERB_GAP && l->present & EV_BIT(EV_CAUSE) &&
		l->value[EV_CAUSE] == CAUSE_DISK_FULL &&
		(int64_t)l->value[EV_TIME] == gap->from && !(l->present & EV_BIT(EV_SOURCE)))
		rec->gap_recorded = true;
}

/* Hashes and counts what the journal holds, and looks whether everything is what the checkpoint signed. */
static int replay(struct recovery *rec, struct log_reader *log)
{
	struct evidence *e = rec->e;
	str bytes = buf_str(&e->journal.bytes), leaf;
	hash32 root;
	int r = 0;

	if (e->checkpoint.size && e->checkpoint.size <= e->journal_first) {
		r = merkle_root_at(e->checkpoint.size, log_reader_load, log, &root);
		r = r < 0 ? r : check_root(e, &root);
	}
	for (size_t at = 0; r == 0 && at < bytes.n;) {
		struct leaf l;

		r = payload_next(bytes, &at, &leaf);
		if (r == 0)
			r = store_take(e, leaf);
		if (r == 0 && leaf_decode((const uint8_t *)leaf.p, leaf.n, &l) == 0)
			look_at(rec, &l);
		if (r == 0 && e->counters.size == e->checkpoint.size) {
			merkle_root(e->tree, &root);
			r = check_root(e, &root);
		}
	}
	return r;
}

/* --- names --- */

/* Values that were durable before their leaf was: they get it now. */
static int adopt(void *arg, enum name_kind kind, uint64_t number)
{
	struct evidence *e = arg;
	struct leaf l = { .kind = LEAF_NAME, .present = 7, .value = { kind, number } };
	int r = names_commitment(e->names, kind, number, l.hash);

	return r < 0 ? evidence_fail(r, "a name cannot be read") : store_append(e, &l, NULL);
}

static int load_names(struct recovery *rec)
{
	struct evidence *e = rec->e;
	uint64_t tail = names_tail(e->names);
	int r;

	if (names_total(e->names) < e->counters.names)
		return evidence_fail(-EUCLEAN, "log/names: expected %llu names, found %llu", (unsigned long long)e->counters.names,
			(unsigned long long)names_total(e->names));
	if (tail) {
		r = names_cut_tail(e->names);
		if (r < 0)
			return store_broken(e, r, "cannot cut the torn tail of the names");
		rec->cut[CUT_NAMES] += tail;
	}
	/* Those of leaves in segments are durable for certain. */
	r = names_again(e->names, rec->compacted_names);
	if (r < 0)
		return store_broken(e, r, "cannot make the names durable");
	return names_each_from(e->names, e->counters.names, adopt, e);
}

/* --- all --- */

static bool is_leftover(const char *name, uint64_t journal)
{
	char current[LOGDIR_NAME_MAX];
	size_t n = strlen(name);

	logdir_journal_name(current, journal);
	if (strncmp(name, "journal-", 8) == 0 && strcmp(name, current) != 0)
		return true;
	return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

static int remove_leftovers(struct evidence *e)
{
	int fd = openat(e->log_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!d) {
		close_fd(&fd);
		return evidence_fail(-EIO, "log cannot be read");
	}
	while (r == 0 && (entry = readdir(d)))
		if (is_leftover(entry->d_name, e->journal_first))
			r = vfs_unlink(e->log_fd, entry->d_name);
	closedir(d);
	return r < 0 ? evidence_fail(r, "cannot remove what a crash left: %s", strerror(-r)) : 0;
}

static int record_cuts(struct recovery *rec)
{
	int r = 0;

	for (unsigned cut = CUT_JOURNAL; r == 0 && cut <= CUT_TREE; cut++) {
		struct leaf l = { .kind = LEAF_RECOVERY, .present = 7, .value = { (uint64_t)time_now(), cut, rec->cut[cut] } };

		if (rec->cut[cut])
			r = store_append(rec->e, &l, NULL);
	}
	return r;
}

static int recover_log(struct recovery *rec, const struct logdir *d)
{
	struct evidence *e = rec->e;
	struct log_reader *log = NULL;
	int r = load_journal(rec, d->journals[d->n_journals - 1]);

	if (r == 0)
		r = load_segments(rec, d);
	if (r == 0)
		r = remove_leftovers(e);
	if (r == 0)
		r = log_reader_open(e->log_fd, &log);
	if (r == 0)
		r = log_reader_refresh(log, UINT64_MAX, NULL);
	if (r == 0)
		r = load_tree(rec, log);
	if (r == 0)
		r = load_counters(rec, log);
	if (r == 0)
		r = replay(rec, log);
	log_reader_close(log);
	return r;
}

static int load_reserve(struct evidence *e)
{
	int r = reserve_open(e->log_fd, &e->reserve);

	return r < 0 ? evidence_fail(r == -EBADMSG ? -EUCLEAN : r, "log/reserve: %s", r == -EBADMSG ? "expected the reserve" : strerror(-r)) : 0;
}

/* What recovery itself has to record, durable. On a full disk it waits, and the gap stays open in the reserve. */
static int settle(struct recovery *rec)
{
	struct evidence *e = rec->e;
	int r;

	/* What a rotation that was cut off left is looked for in the journal; it stays there until that is finished. */
	e->no_compact = true;
	r = evidence_commit(e);
	if (r == 0 && e->reserve.open)
		r = store_close_gap(e, MAX(e->reserve.to, MIN(time_now(), e->reserve.to + 2 * RESERVE_WRITE_NS)), rec->gap_recorded);
	if (r == 0 || r == -ENOSPC)
		r = store_keys_finish(e, rec->has_key_leaf ? rec->key_leaf : NULL);
	e->no_compact = false;
	if (r == 0 && e->checkpoint_time == 0)
		r = evidence_checkpoint(e, time_now());
	return r == -ENOSPC ? 0 : r;
}

int store_recover(struct evidence *e)
{
	struct recovery rec = { .e = e };
	struct logdir d = { 0 };
	bool fresh;
	int r = logdir_list(e->log_fd, &d);

	if (r < 0)
		return evidence_fail(r, "log: %s", strerror(-r));
	fresh = d.n_journals == 0;
	r = store_keys_open(e, fresh);
	if (r == 0)
		r = store_checkpoint_load(e);
	if (r == 0 && fresh)
		r = begin_log(e, &d);
	if (r == 0) {
		r = names_open_beside(e->log_fd, e->state_fd, true, &e->names);
		if (r < 0)
			r = evidence_fail(r == -EBADMSG ? -EUCLEAN : r, "%s", r == -EBADMSG ? names_damage() : strerror(-r));
	}
	if (r == 0)
		r = load_reserve(e);
	if (r == 0)
		r = recover_log(&rec, &d);
	logdir_free(&d);
	if (r == 0)
		r = load_names(&rec);
	if (r == 0)
		r = record_cuts(&rec);
	return r == 0 ? settle(&rec) : r;
}
