/* Writing runs: a walk over the entries that a run is to cover, from the names files, and never from the runs that it replaces. */
#include "base/array.h"
#include "evidence/names_table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/varint.h"

#define OUT_BLOCKS 64

struct words {
	uint64_t *p;
	size_t n, cap;
};

struct build {
	const struct names *names;
	uint64_t from, to, at; /* ordinals, and the place of the next entry */
	struct words places[NAME_KINDS_], parents;
	uint64_t *slot, slot_blocks, key[2];
	uint64_t head[BLOCK_WORDS];
	uint32_t tag, next; /* number of the next block */
	int fd;
	struct table_block *out;
	size_t n_out;
};

static void build_free(struct build *b)
{
	for (unsigned k = 0; k < NAME_KINDS_; k++)
		free(b->places[k].p);
	free(b->parents.p);
	free(b->slot);
	free(b->out);
	close_fd(&b->fd);
}

static int words_add(struct words *w, uint64_t v)
{
	if (array_room(w->p, w->cap, w->n + 1) < 0)
		return -ENOMEM;
	w->p[w->n++] = v;
	return 0;
}

/* --- gathering --- */

static void slot_put(struct build *b, unsigned kind, uint64_t number, str value)
{
	uint64_t hash = table_hash(b->key, kind, value), block = table_slot_block(hash, b->slot_blocks), at = table_slot_first(hash);

	for (uint64_t looked = 0; b->slot[block * BLOCK_WORDS + at];) {
		at = at + 1 == BLOCK_WORDS ? 0 : at + 1;
		if (++looked % BLOCK_WORDS == 0)
			block = block + 1 == b->slot_blocks ? 0 : block + 1;
	}
	b->slot[block * BLOCK_WORDS + at] = table_slot(hash, kind, number);
}

static int take(struct build *b, const struct name_entry *e)
{
	int r = e->number == b->head[HEAD_BEFORE + e->kind] + b->places[e->kind].n + 1 ? words_add(&b->places[e->kind], b->at) : -EBADMSG;
	uint64_t parent = 0;

	if (r == 0 && e->kind == NAME_COMPONENT) {
		/* An erased one says of its parent nothing. */
		if (e->state == NAME_STATE_LIVE && uvar_get((const uint8_t *)e->value.p, e->value.n, &parent) < 0)
			return -EBADMSG;
		r = words_add(&b->parents, parent);
	}
	if (r == 0 && e->state == NAME_STATE_LIVE)
		slot_put(b, e->kind, e->number, e->value);
	return r;
}

static int gather(struct build *b)
{
	const uint8_t *bytes;
	struct name_entry e;
	struct entry_id id;
	int r = names_entry_at(b->names, NAMES_HEADER, &e, &bytes);

	if (r < 0)
		return r;
	id = entry_id_of(bytes, &e);
	memcpy(b->head + HEAD_FIRST_ID, &id, sizeof(id));
	for (uint64_t ordinal = b->from; ordinal < b->to; ordinal++) {
		r = names_entry_at(b->names, b->at, &e, &bytes);
		/* The next file, where this one has ended. */
		if (r == -ENODATA) {
			b->at = ((b->at >> 32) + 1) << 32 | NAMES_HEADER;
			r = names_entry_at(b->names, b->at, &e, &bytes);
		}
		if (r == 0)
			r = take(b, &e);
		if (r < 0)
			return r == -ENODATA ? -EBADMSG : r;
		if (ordinal == b->from)
			b->head[HEAD_BEGIN] = b->at;
		b->head[HEAD_LAST] = b->at;
		b->at += e.bytes;
	}
	id = entry_id_of(bytes, &e);
	memcpy(b->head + HEAD_LAST_ID, &id, sizeof(id));
	b->head[HEAD_BEHIND] = b->at;
	return 0;
}

/* --- writing --- */

static int flush(struct build *b)
{
	size_t n = b->n_out * BLOCK_BYTES;
	const char *p = (const char *)b->out;

	while (n) {
		ssize_t k = write(b->fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : -EIO;
		p += k;
		n -= (size_t)k;
	}
	b->n_out = 0;
	return 0;
}

static int put_words(struct build *b, const uint64_t *word, uint64_t n)
{
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < n; i += BLOCK_WORDS) {
		struct table_block *out = &b->out[b->n_out++];

		memset(out, 0, sizeof(*out));
		memcpy(out->word, word + i, MIN(n - i, (uint64_t)BLOCK_WORDS) * 8);
		out->number = b->next++;
		out->crc = table_block_sum(out, b->tag);
		if (b->n_out == OUT_BLOCKS)
			r = flush(b);
	}
	return r;
}

static int put_all(struct build *b)
{
	int r;

	for (unsigned k = 1; k < NAME_KINDS_; k++)
		b->head[HEAD_COUNT + k] = b->places[k].n;
	b->head[HEAD_MAGIC] = TABLE_MAGIC;
	b->head[HEAD_TAG] = b->tag;
	b->head[HEAD_FROM] = b->from;
	b->head[HEAD_TO] = b->to;
	b->head[HEAD_SLOTS] = b->slot_blocks;
	memcpy(b->head + HEAD_KEY, b->key, sizeof(b->key));
	r = put_words(b, b->head, BLOCK_WORDS);
	for (unsigned k = 1; r == 0 && k < NAME_KINDS_; k++)
		r = put_words(b, b->places[k].p, b->places[k].n);
	if (r == 0)
		r = put_words(b, b->parents.p, b->parents.n);
	if (r == 0)
		r = put_words(b, b->slot, b->slot_blocks * BLOCK_WORDS);
	return r < 0 ? r : flush(b);
}

#define TEMPORARY "run.tmp"

static int write_run(int dir, struct build *b)
{
	char name[RUN_NAME_MAX];
	int r;

	b->fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (b->fd < 0)
		return -errno;
	table_run_name(name, b->from, b->to);
	r = put_all(b);
	if (r == 0 && fdatasync(b->fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dir, TEMPORARY, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, TEMPORARY, 0);
	return r;
}

/* One run over [info->from, to). */
static int build_run(int dir, const struct names *n, const struct run_info *info, uint64_t to)
{
	_cleanup_(build_free) struct build b = { .names = n, .from = info->from, .to = to, .at = info->begin, .fd = -1 };
	int r;

	b.slot_blocks = (to - b.from) / SLOT_FILL + 1;
	b.slot = calloc(b.slot_blocks * BLOCK_WORDS, sizeof(*b.slot));
	b.out = calloc(OUT_BLOCKS, sizeof(*b.out));
	if (!b.slot || !b.out)
		return -ENOMEM;
	if (getrandom(b.key, sizeof(b.key), 0) != (ssize_t)sizeof(b.key) || getrandom(&b.tag, sizeof(b.tag), 0) != (ssize_t)sizeof(b.tag))
		return -EIO;
	for (unsigned k = 1; k < NAME_KINDS_; k++)
		b.head[HEAD_BEFORE + k] = info->before[k];
	r = gather(&b);
	return r < 0 ? r : write_run(dir, &b);
}

/* --- the whole table --- */

/* Overwritten first: of what stood there nothing is left to be read from the disk by its name. */
static int wipe(int dir, const char *name, bool overwrite)
{
	_cleanup_close_ int fd = overwrite ? openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	static const char zero[65536];
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(zero))
			if (pwrite(fd, zero, MIN((size_t)(st.st_size - at), sizeof(zero)), at) < 0)
				return -errno;
		if (fsync(fd) < 0)
			return -errno;
	}
	return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* The mark last. */
static int remove_all(int dir, bool overwrite)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t from, to;

	if (!d) {
		r = -errno;
		close_fd(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(d)))
		if (table_run_parse(entry->d_name, &from, &to))
			r = wipe(dir, entry->d_name, overwrite);
	closedir(d);
	if (r == 0)
		r = wipe(dir, TEMPORARY, overwrite);
	return r < 0 ? r : wipe(dir, TABLE_DAMAGED, false);
}

static bool wanted(const struct names_table *t, uint64_t from, uint64_t to, uint64_t new_from, uint64_t new_to)
{
	if (from == new_from && to == new_to)
		return true;
	for (size_t i = 0; t && i < names_table_runs(t); i++) {
		struct run_info run = names_table_run(t, i);

		if (run.from == from && run.to == to)
			return to <= new_from;
	}
	return false;
}

/* Those that the new one replaces, and what a crash has left of earlier ones. */
static int remove_old(int dir, const struct names_table *t, uint64_t new_from, uint64_t new_to)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t from, to;

	if (!d) {
		r = -errno;
		close_fd(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(d)))
		if (table_run_parse(entry->d_name, &from, &to) && !wanted(t, from, to, new_from, new_to))
			r = wipe(dir, entry->d_name, false);
	closedir(d);
	return r;
}

static int open_dir(int state_fd, bool create)
{
	int dir;

	if (create && mkdirat(state_fd, TABLE_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir = openat(state_fd, TABLE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return dir < 0 ? -errno : dir;
}

int names_table_remove(int state_fd)
{
	_cleanup_close_ int dir = open_dir(state_fd, false);

	return dir == -ENOENT ? 0 : dir < 0 ? dir : remove_all(dir, true);
}

/* The table as it is, or a beginning. ret_next: the run that comes next if none is merged. */
static int begin(int state_fd, int dir, const struct names *n, struct names_table **ret, struct run_info *ret_next)
{
	struct names_table *t = NULL;
	int r = names_table_open(state_fd, &t);

	if (r == 0)
		r = names_table_fits(n, names_table_end(t));
	*ret_next = (struct run_info){ .begin = NAMES_HEADER };
	if (r == 0) {
		const struct table_end *end = names_table_end(t);

		ret_next->from = end->total;
		ret_next->begin = end->behind;
		memcpy(ret_next->before, end->count, sizeof(end->count));
		*ret = t;
		return 0;
	}
	names_table_close(t);
	*ret = NULL;
	return r == -ENOENT || r == -EBADMSG ? remove_all(dir, false) : r;
}

/* Merged are the last runs as long as they are short against what comes. */
static struct run_info merge(const struct names_table *t, struct run_info next, uint64_t to)
{
	for (size_t i = t ? names_table_runs(t) : 0; i-- > 0;) {
		struct run_info r = names_table_run(t, i);

		if (r.to - r.from >= TABLE_MERGE * (to - next.from) || to - r.from > TABLE_RUN_MAX)
			break;
		next = r;
	}
	return next;
}

int names_table_advance(int state_fd, struct names *n, uint64_t step)
{
	_cleanup_close_ int dir = -1;
	uint64_t total = names_total(n);
	int r = 0;

	for (bool any = false; r == 0; any = true) {
		struct names_table *t = NULL;
		struct run_info next, run;
		uint64_t to;

		if (dir < 0)
			dir = open_dir(state_fd, total >= step);
		if (dir < 0)
			return dir == -ENOENT ? 0 : dir;
		r = begin(state_fd, dir, n, &t, &next);
		if (r < 0 || total < next.from + (any ? 1 : step)) {
			names_table_close(t);
			return r;
		}
		to = MIN(total, next.from + TABLE_RUN_MAX);
		run = merge(t, next, to);
		r = build_run(dir, n, &run, to);
		if (r == 0)
			r = remove_old(dir, t, run.from, to);
		names_table_close(t);
	}
	return r;
}
