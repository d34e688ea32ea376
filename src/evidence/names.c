/* The dictionary: files of entries, mapped, and one hash table from values to numbers.
 *
 *	slot  = tag 24 bits | kind 5 | number 35        open addressing, at most 5/8 full
 *	place = erased 1 | length 14 | file 14 | offset of the value 27     one array of places a kind, by number − 1
 */
#include "base/array.h"
#include "evidence/names_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/varint.h"
#include "evidence/vfs.h"

#define READ_CHUNK (1U << 20)

static _Thread_local char damage[256];

const char *names_damage(void)
{
	return damage;
}

int names_damaged(unsigned file, uint64_t off, const char *expect)
{
	snprintf(damage, sizeof(damage), "log/names-%06u byte %llu: expected %s", file, (unsigned long long)off, expect);
	return -EBADMSG;
}

/* --- tables --- */

static uint64_t hash_of(const struct names *n, unsigned kind, str v)
{
	/* Kinds are kept apart by the key's last byte. */
	uint8_t key[16];

	memcpy(key, n->key, 16);
	key[15] ^= (uint8_t)kind;
	return siphash13(key, v.p, v.n);
}

static uint64_t place_make(unsigned file, uint64_t off, size_t len, bool erased)
{
	return (uint64_t)erased << 55 | (uint64_t)len << (OFFSET_BITS + FILE_BITS) | (uint64_t)file << OFFSET_BITS | off;
}

static str place_value(const struct names *n, uint64_t place)
{
	unsigned file = (place >> OFFSET_BITS) & ((1U << FILE_BITS) - 1);
	uint64_t off = place & ((1U << OFFSET_BITS) - 1);
	size_t len = (place >> (OFFSET_BITS + FILE_BITS)) & 0x3fff;

	/* A pending value stands behind its entry's head; one at `written` itself is the empty value of the last entry in the file. */
	if (file + 1 == n->n_files && off > n->written)
		return (str){ n->pend.p + (off - n->written), len };
	return (str){ (const char *)n->maps[file] + off, len };
}

static bool place_erased(uint64_t place)
{
	return place >> 55 & 1;
}

static uint64_t slot_make(uint64_t hash, unsigned kind, uint64_t number)
{
	return (hash >> 40) << 40 | (uint64_t)kind << NAME_NUMBER_BITS | number;
}

/* Number of a value that is not in the table, or 0; *ret_at is the free slot then. */
static uint64_t lookup(const struct names *n, unsigned kind, str v, uint64_t hash, uint64_t *ret_at)
{
	uint64_t want = slot_make(hash, kind, 0), at = hash & n->mask;

	for (;; at = (at + 1) & n->mask) {
		uint64_t s = n->slots[at], number = s & (((uint64_t)1 << NAME_NUMBER_BITS) - 1);

		if (s == 0)
			break;
		if (s - number == want && str_eq(place_value(n, n->places[kind][number - 1 - n->base[kind]]), v))
			return number;
	}
	if (ret_at)
		*ret_at = at;
	return 0;
}

static int slots_grow(struct names *n)
{
	uint64_t size = n->slots ? (n->mask + 1) * 2 : 1024;
	uint64_t *slots = calloc(size, sizeof(*slots)), *old = n->slots;

	if (!slots)
		return -ENOMEM;
	n->slots = slots;
	n->mask = size - 1;
	free(old);
	for (unsigned kind = 1; kind < NAME_KINDS_; kind++)
		for (uint64_t i = n->base[kind]; i < n->count[kind]; i++) {
			uint64_t place = n->places[kind][i - n->base[kind]], hash, at;

			if (place_erased(place))
				continue;
			hash = hash_of(n, kind, place_value(n, place));
			for (at = hash & n->mask; slots[at]; at = (at + 1) & n->mask)
				;
			slots[at] = slot_make(hash, kind, i + 1);
		}
	return 0;
}

static int room_for_one(struct names *n, unsigned kind)
{
	if (array_room(n->places[kind], n->cap[kind], n->count[kind] - n->base[kind] + 1) < 0)
		return -ENOMEM;
	if (!n->slots || n->used * 8 >= (n->mask + 1) * 5)
		return slots_grow(n);
	return 0;
}

static void add(struct names *n, unsigned kind, uint64_t place, uint64_t hash, uint64_t at)
{
	n->places[kind][n->count[kind]++ - n->base[kind]] = place;
	n->total++;
	if (place_erased(place))
		return;
	n->slots[at] = slot_make(hash, kind, n->count[kind]);
	n->used++;
}

/* --- files --- */

static void file_name(char out[static 16], unsigned file)
{
	snprintf(out, 16, "names-%06u", file % 1000000);
}

static int take_fd(struct names *n, int fd)
{
	int *fds = realloc(n->fds, (n->n_files + 1) * sizeof(*fds));
	uint8_t **maps;
	uint64_t *sizes;
	void *map;

	if (!fds)
		return -ENOMEM;
	n->fds = fds;
	maps = realloc(n->maps, (n->n_files + 1) * sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	n->maps = maps;
	sizes = realloc(n->sizes, (n->n_files + 1) * sizeof(*sizes));
	if (!sizes)
		return -ENOMEM;
	n->sizes = sizes;
	/* Longer than the file: what is appended later shows up in the same place. Nothing behind whole entries is ever touched. */
	map = mmap(NULL, MAP_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	if (n->n_files)
		n->sizes[n->n_files - 1] = n->end;
	n->fds[n->n_files] = fd;
	n->maps[n->n_files++] = map;
	n->end = n->written = NAMES_HEADER;
	return 0;
}

static int file_create(struct names *n)
{
	_cleanup_close_ int fd = -1;
	uint8_t header[NAMES_HEADER];
	char name[16];
	int r;

	if (n->n_files >= NAMES_FILES_MAX)
		return -EFBIG;
	memcpy(header, NAMES_MAGIC, 8);
	put_be64(header + 8, n->total);
	file_name(name, n->n_files);
	r = vfs_replace(n->dir, name, header, sizeof(header), &fd);
	if (r < 0)
		return r;
	r = take_fd(n, fd);
	if (r == 0)
		(void)TAKE_FD(fd);
	return r;
}

int names_file_open(struct names *n, uint64_t before)
{
	_cleanup_close_ int fd = -1;
	uint8_t header[NAMES_HEADER];
	char name[16];
	int r;

	if (n->n_files >= NAMES_FILES_MAX)
		return -EFBIG;
	file_name(name, n->n_files);
	fd = openat(n->dir, name, (n->write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	r = read_exactly(fd, header, sizeof(header), 0);
	if (r < 0 || memcmp(header, NAMES_MAGIC, 8) != 0)
		return names_damaged(n->n_files, 0, "the header TYTONAM1");
	if (before != UINT64_MAX && get_be64(header + 8) != before)
		return names_damaged(n->n_files, 8, "the count of entries before");
	r = take_fd(n, fd);
	if (r == 0)
		(void)TAKE_FD(fd);
	return r;
}

/* -ESTALE: the table had to be given up, and with that everything has been read anew. */
static int take_entry(struct names *n, const struct name_entry *e, uint64_t off, const char **ret_expect)
{
	unsigned file = n->n_files - 1;
	uint64_t place = place_make(file, off + e->bytes - e->value.n, e->value.n, e->state == NAME_STATE_ERASED);
	uint64_t hash = 0, at = 0;
	int r;

	*ret_expect = NULL;
	if (e->number != n->count[e->kind] + 1)
		*ret_expect = "the next number of its kind";
	else if (e->state == NAME_STATE_LIVE && !name_value_ok(e->kind, e->value, n->count))
		*ret_expect = "a value in the form of its kind";
	if (*ret_expect)
		return -EBADMSG;
	r = room_for_one(n, e->kind);
	if (r < 0)
		return r;
	if (e->state == NAME_STATE_LIVE) {
		bool table = n->table != NULL, known = names_find(n, e->kind, e->value) != 0;

		if (table && !n->table)
			return -ESTALE;
		if (known) {
			*ret_expect = "a value that has no number yet";
			return -EBADMSG;
		}
		hash = hash_of(n, e->kind, e->value);
		lookup(n, e->kind, e->value, hash, &at);
	}
	add(n, e->kind, place, hash, at);
	return 0;
}

/* Takes in whole entries behind n->end of the last file, by reading: a mapping must not be touched where the file may be cut. */
static int file_load(struct names *n)
{
	_cleanup_free_ uint8_t *chunk = malloc(READ_CHUNK);
	int fd = n->fds[n->n_files - 1], r = 0;
	const char *expect = NULL;
	struct stat st;

	if (!chunk)
		return -ENOMEM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < n->end)
		return names_damaged(n->n_files - 1, (uint64_t)st.st_size, "the entries that stood there before");
	if ((uint64_t)st.st_size > MAP_BYTES)
		return names_damaged(n->n_files - 1, NAMES_FILE_FULL, "no file longer than 64 MiB and one entry");
	while (n->end < (uint64_t)st.st_size) {
		size_t have = MIN((uint64_t)st.st_size - n->end, READ_CHUNK), at = 0;

		r = read_exactly(fd, chunk, have, (off_t)n->end);
		if (r < 0)
			break;
		while (at < have) {
			struct name_entry e;

			r = name_entry_parse(chunk + at, have - at, &e);
			/* Whole, so it may be looked at in the mapping: the table may grow meanwhile. */
			if (r == 0)
				n->written = n->end + at + e.bytes;
			if (r == 0)
				r = take_entry(n, &e, n->end + at, &expect);
			if (r == -ESTALE)
				return r;
			if (r < 0)
				break;
			at += e.bytes;
		}
		n->end += at;
		n->written = n->end;
		if (r < 0 && (r != -ENODATA || at == 0))
			break;
	}
	n->tail = (uint64_t)st.st_size - n->end;
	/* A file that cannot be read is not a torn one. */
	if (r < 0 && r != -ENODATA && r != -EBADMSG)
		return r;
	/* A whole entry with a false content is damage wherever it stands; anything else may be a torn tail: the caller knows. */
	return expect ? names_damaged(n->n_files - 1, n->end, expect) : 0;
}

static bool next_file_exists(const struct names *n)
{
	char name[16];

	file_name(name, n->n_files);
	return faccessat(n->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int load_rest(struct names *n)
{
	int r;

	for (;;) {
		r = file_load(n);
		if (r < 0)
			return r == -ESTALE ? n->error : r;
		if (!next_file_exists(n))
			return 0;
		/* The next file is begun when this one is whole: what looked torn may have been finished meanwhile. */
		r = n->tail ? file_load(n) : 0;
		if (r == -ESTALE)
			return n->error;
		if (r == 0 && n->tail)
			r = names_damaged(n->n_files - 1, n->end, "a whole entry");
		if (r == 0)
			r = names_file_open(n, n->total);
		if (r < 0)
			return r;
	}
}

int names_open(int log_dirfd, bool write, struct names **ret)
{
	return names_open_beside(log_dirfd, -1, write, ret);
}

int names_open_beside(int log_dirfd, int state_dirfd, bool write, struct names **ret)
{
	struct names *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->state = state_dirfd < 0 ? -1 : fcntl(state_dirfd, F_DUPFD_CLOEXEC, 0);
	n->dir = fcntl(log_dirfd, F_DUPFD_CLOEXEC, 0);
	n->write = write;
	n->sha = write ? sha256_new() : NULL; /* libcrypto's start costs a command a millisecond: readers do without */
	r = n->dir < 0 ? -errno : write && !n->sha ? -ENOMEM : 0;
	if (r == 0 && getrandom(n->key, sizeof(n->key), 0) != (ssize_t)sizeof(n->key))
		r = -EIO;
	if (r == 0)
		r = slots_grow(n);
	if (r == 0 && (n->state < 0 || names_base_attach(n) < 0))
		r = names_file_open(n, n->total);
	if (r == -ENOENT && write)
		r = file_create(n);
	if (r == -ENOENT)
		r = names_damaged(0, 0, "the file");
	if (r == 0)
		r = load_rest(n);
	if (r < 0) {
		names_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

void names_files_drop(struct names *n)
{
	for (unsigned i = 0; i < n->n_files; i++) {
		munmap(n->maps[i], MAP_BYTES);
		close(n->fds[i]);
	}
	n->n_files = 0;
}

struct names *names_free(struct names *n)
{
	if (!n)
		return NULL;
	names_free(n->before);
	names_table_close(n->table);
	names_files_drop(n);
	close_fd(&n->dir);
	close_fd(&n->state);
	for (unsigned k = 0; k < NAME_KINDS_; k++)
		free(n->places[k]);
	free(n->fds);
	free(n->maps);
	free(n->sizes);
	free(n->memo);
	free(n->slots);
	buf_free(&n->pend);
	sha256_free(n->sha);
	free(n);
	return NULL;
}

int names_refresh(struct names *n)
{
	if (n->error)
		return n->error;
	return n->write ? 0 : load_rest(n);
}

uint64_t names_tail(const struct names *n)
{
	return n->tail;
}

int names_cut_tail(struct names *n)
{
	int fd = n->fds[n->n_files - 1], r;

	if (!n->tail)
		return 0;
	r = vfs_truncate(fd, (off_t)n->end);
	if (r == 0)
		r = vfs_fsync(fd) < 0 ? -EIO : 0;
	if (r == 0)
		n->tail = 0;
	return r;
}

/* --- looking up and adding --- */

uint64_t names_find(const struct names *n, enum name_kind kind, str value)
{
	uint64_t number = lookup(n, kind, value, hash_of(n, kind, value), NULL);

	/* What is found out about the table on the way changes no answer. */
	return number || !n->table ? number : names_base_find((struct names *)n, kind, value);
}

int names_error(const struct names *n)
{
	return n->error;
}

static int flush(struct names *n)
{
	int r;

	if (n->pend.n == 0)
		return 0;
	r = vfs_pwrite(n->fds[n->n_files - 1], n->pend.p, n->pend.n, (off_t)n->written);
	if (r < 0)
		return r;
	n->written = n->end;
	n->dirty = true;
	buf_clear(&n->pend);
	return 0;
}

int names_sync(struct names *n)
{
	int r = flush(n);

	if (r < 0 || !n->dirty)
		return r;
	if (vfs_fsync(n->fds[n->n_files - 1]) < 0)
		return -EIO;
	n->dirty = false;
	return 0;
}

static int salt_take(struct names *n, uint8_t out[static 16])
{
	if (n->pool_left < 16) {
		if (getrandom(n->pool, sizeof(n->pool), 0) != (ssize_t)sizeof(n->pool))
			return -EIO;
		n->pool_left = sizeof(n->pool);
	}
	n->pool_left -= 16;
	memcpy(out, n->pool + n->pool_left, 16);
	memset(n->pool + n->pool_left, 0, 16);
	return 0;
}

static void commitment_of(struct sha256 *sha, uint8_t kind, const uint8_t *salt, str value, uint8_t out[static 32])
{
	const str parts[] = { STR("tyto/name/1"), { (const char *)&kind, 1 }, { (const char *)salt, 16 }, value };

	sha256_parts(sha, parts, ARRAY_SIZE(parts), out);
}

int names_intern(struct names *n, enum name_kind kind, str value, uint64_t *ret_number, bool *ret_new, uint8_t ret_commitment[static 32])
{
	uint64_t hash, at, number = names_find(n, kind, value);
	uint8_t salt[16];
	size_t bytes;
	int r;

	if (n->error)
		return n->error;

	if (number) {
		*ret_number = number;
		*ret_new = false;
		return 0;
	}
	if (!n->write || n->tail)
		return -EROFS;
	if (value.n > NAME_VALUE_MAX)
		return -EMSGSIZE;
	if (n->end > NAMES_FILE_FULL) {
		r = names_sync(n);
		if (r == 0)
			r = file_create(n);
		if (r < 0)
			return r;
	}
	r = room_for_one(n, kind);
	if (r == 0)
		r = buf_reserve(&n->pend, NAMES_ENTRY_MAX);
	if (r == 0)
		r = salt_take(n, salt);
	if (r < 0)
		return r;
	hash = hash_of(n, kind, value);
	lookup(n, kind, value, hash, &at);
	bytes = name_entry_put((uint8_t *)n->pend.p + n->pend.n, NAME_STATE_LIVE, kind, n->count[kind] + 1, salt, value);
	commitment_of(n->sha, kind, salt, value, ret_commitment);
	n->pend.n += bytes;
	add(n, kind, place_make(n->n_files - 1, n->end + bytes - value.n, value.n, false), hash, at);
	n->end += bytes;
	*ret_number = n->count[kind];
	*ret_new = true;
	return 0;
}

int names_value(const struct names *n, enum name_kind kind, uint64_t number, str *ret)
{
	uint64_t place;

	if (kind < 1 || kind >= NAME_KINDS_ || number == 0 || number > n->count[kind])
		return -ENOENT;
	if (number <= n->base[kind])
		return names_base_value((struct names *)n, kind, number, ret);
	place = n->places[kind][number - 1 - n->base[kind]];
	if (place_erased(place))
		return -ENODATA;
	*ret = place_value(n, place);
	return 0;
}

uint64_t names_count(const struct names *n, enum name_kind kind)
{
	return n->count[kind];
}

uint64_t names_total(const struct names *n)
{
	return n->total;
}

int names_commitment(struct names *n, enum name_kind kind, uint64_t number, uint8_t ret[static 32])
{
	uint8_t tmp[UVAR_MAX_BYTES];
	str value;
	int r = names_value(n, kind, number, &value);

	if (r < 0)
		return r;
	if (!n->sha && !(n->sha = sha256_new()))
		return -ENOMEM;
	/* The salt stands before the length, which stands before the value. */
	commitment_of(n->sha, kind, (const uint8_t *)value.p - uvar_put(tmp, value.n) - 16, value, ret);
	return 0;
}

/* Where in a file a walk to the entry `from` begins: at its first entry, or behind what the table covers. */
static uint64_t walk_begin(const struct names *n, unsigned file, uint64_t from, uint64_t *ret_ordinal)
{
	const struct table_end *end = n->table ? names_table_end(n->table) : NULL;

	if (end && end->total <= from && end->behind >> 32 == file) {
		*ret_ordinal = end->total;
		return end->behind & UINT32_MAX;
	}
	*ret_ordinal = get_be64(n->maps[file] + 8);
	return NAMES_HEADER;
}

int names_again(struct names *n, uint64_t from)
{
	unsigned f = n->n_files - 1;
	uint64_t ordinal, off = walk_begin(n, f, from, &ordinal);
	struct name_entry e;
	int r;

	for (; ordinal < from && off < n->written; ordinal++, off += e.bytes) {
		r = name_entry_parse(n->maps[f] + off, n->written - off, &e);
		if (r < 0)
			return r;
	}
	while (off < n->written) {
		/* Through memory of our own: the page that a write reads from may be the one that it writes to. */
		uint8_t again[4096];
		size_t k = MIN(n->written - off, sizeof(again));

		memcpy(again, n->maps[f] + off, k);
		r = vfs_pwrite(n->fds[f], again, k, (off_t)off);
		if (r < 0)
			return r;
		off += k;
	}
	return vfs_fsync(n->fds[f]) < 0 ? -EIO : 0;
}

/* Recovery only: entries without a leaf are few and at the end, but their order is that of the file, so the last file is read again. */
int names_each_from(struct names *n, uint64_t from, int (*cb)(void *arg, enum name_kind kind, uint64_t number), void *arg)
{
	uint64_t ordinal;
	int r = flush(n);

	for (unsigned f = 0; r == 0 && f < n->n_files; f++) {
		uint64_t off = walk_begin(n, f, from, &ordinal), next = f + 1 < n->n_files ? get_be64(n->maps[f + 1] + 8) : n->total;
		struct name_entry e;

		if (next <= from)
			continue;
		for (; r == 0 && ordinal < next; ordinal++, off += e.bytes) {
			r = name_entry_parse(n->maps[f] + off, MAP_BYTES - off, &e);
			if (r == 0 && ordinal >= from)
				r = cb(arg, e.kind, e.number);
		}
	}
	return r;
}

int names_take_pending(struct names *n, struct names *from)
{
	size_t at = 0;
	int r = 0;

	/* What a failed write has left behind `written` is written over. */
	if (n->n_files != from->n_files || n->end != from->written)
		return names_damaged(n->n_files - 1, n->end, "the entries that were written");
	n->tail = from->tail;
	n->dirty = from->dirty;
	if (buf_puts(&n->pend, buf_str(&from->pend)), buf_error(&n->pend))
		return -ENOMEM;
	while (r == 0 && at < n->pend.n) {
		const char *expect;
		struct name_entry e;

		r = name_entry_parse((const uint8_t *)n->pend.p + at, n->pend.n - at, &e);
		if (r == 0)
			r = take_entry(n, &e, n->end, &expect);
		if (r == 0) {
			n->end += e.bytes;
			at += e.bytes;
		}
	}
	return r;
}
