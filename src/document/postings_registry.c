/* The registry of document numbers.
 *
 * A writer, and whoever looks many hashes up, has a table of them. A reader that only asks for keys needs none: it maps `docs`, takes from
 * `dead` which entries count, and sees for the few of the journal which ones they end. Of a million hashes a table takes 75 ms to make
 * (and 8 MB, and a copy of the entries), the mapping 20.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "document/postings_internal.h"
#include "evidence/vfs.h"

#define SUMMED offsetof(struct doc_entry, crc)
#define HUGE_PAGE (2u << 20)
#define READ_ENTRIES 8192      /* at a time */
#define AHEAD 16               /* entries whose slots are fetched before they are needed */
#define BEHIND 65536u          /* entries of the journal for which a mapping has room */
#define SEARCHES 4             /* hashes that are searched for one by one before a table is made */
#define DEAD_MAGIC "tytodead"
#define DEAD_MAX (POSTINGS_DOCUMENTS_MAX / 8 + sizeof(struct dead_head))

_Static_assert(sizeof(struct doc_entry) == 48, "as on disk");

struct dead_head { /* as on disk */
	char magic[8];
	uint32_t crc, docs, sum, zero;
};
_Static_assert(sizeof(struct dead_head) == 24, "as on disk");

static bool is_link(const struct doc_entry *e)
{
	return e->flags & POSTINGS_LINK;
}

static uint32_t hash_bits(const uint8_t hash[static 32])
{
	uint32_t h;

	memcpy(&h, hash, 4); /* of a SHA-256 */
	return h;
}

static uint32_t first_slot(const struct postings *p, const uint8_t hash[static 32])
{
	return hash_bits(hash) & (p->n_slots - 1);
}

static uint32_t *slot_of(const struct postings *p, const uint8_t hash[static 32])
{
	for (uint32_t i = first_slot(p, hash);; i = (i + 1) & (p->n_slots - 1))
		if (p->slots[i] == 0 || memcmp(p->docs[p->slots[i] - 1].hash, hash, 32) == 0)
			return &p->slots[i];
}

static void set_dead(struct postings *p, uint32_t doc)
{
	p->dead[doc / 8] |= (uint8_t)(1u << (doc % 8));
}

/* Of a million documents every one is looked at when a store is opened: pages of 4 KiB would cost more than the looking. */
static void prefer_huge(void *at, size_t n)
{
	uintptr_t from = ((uintptr_t)at + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1), to = ((uintptr_t)at + n) & ~(uintptr_t)(HUGE_PAGE - 1);

	if (to > from)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE); /* refused: slower, nothing else */
}

/* A table of what is there, with room for as many as the entries have. The latest of a hash counts. */
static int make_table(struct postings *p)
{
	uint32_t n = 2048, *s;

	while (n < 2 * p->cap_docs)
		n *= 2;
	s = calloc(n, sizeof(*s));
	if (!s)
		return -ENOMEM;
	prefer_huge(s, n * sizeof(*s));
	free(p->slots);
	p->slots = s;
	p->n_slots = n;
	for (uint32_t i = 0; i < p->n_docs; i++)
		if (!is_link(&p->docs[i]))
			*slot_of(p, p->docs[i].hash) = i + 1;
	return 0;
}

static void unmap(struct postings *p)
{
	if (p->map)
		munmap(p->map, p->map_bytes);
	p->map = NULL;
}

/* The entries in memory of our own: cap of them. */
static int own_entries(struct postings *p, uint32_t cap)
{
	struct doc_entry *docs = reallocarray(p->map ? NULL : p->docs, cap, sizeof(*docs));

	if (!docs)
		return -ENOMEM;
	prefer_huge(docs, cap * sizeof(*docs));
	if (p->map)
		memcpy(docs, p->docs, p->n_docs * sizeof(*docs));
	unmap(p);
	p->docs = docs;
	return 0;
}

/* Room for n. */
static int registry_grow(struct postings *p, uint32_t n)
{
	uint32_t cap = 1024;
	uint8_t *dead;

	while (cap < n || cap <= p->cap_docs)
		cap *= 2;
	if (own_entries(p, cap) < 0)
		return -ENOMEM;
	dead = realloc(p->dead, cap / 8);
	if (!dead)
		return -ENOMEM;
	memset(dead + p->cap_docs / 8, 0, cap / 8 - p->cap_docs / 8);
	p->dead = dead;
	p->cap_docs = cap;
	return make_table(p);
}

/* The entry behind the last one counts from now on. */
static void registry_place(struct postings *p)
{
	const struct doc_entry *e = &p->docs[p->n_docs];
	uint32_t *slot;

	if (e->flags & (POSTINGS_LINK | POSTINGS_REMOVED))
		set_dead(p, p->n_docs);
	if (p->slots && !is_link(e)) {
		slot = slot_of(p, e->hash);
		if (*slot)
			set_dead(p, *slot - 1);
		*slot = p->n_docs + 1;
	}
	p->n_docs++;
}

int registry_add(struct postings *p, const uint8_t hash[static 32], uint32_t version, uint32_t n, uint32_t flags)
{
	struct doc_entry e = { .version = version, .n = n, .flags = flags };
	int r = 0;

	if (p->n_docs >= POSTINGS_DOCUMENTS_MAX)
		return postings_fail(-EFBIG, "more than %u documents were taken in", POSTINGS_DOCUMENTS_MAX);
	if (p->n_docs == p->cap_docs) {
		r = registry_settle(p);
		if (r == 0)
			r = registry_grow(p, p->n_docs + 1);
	}
	if (r < 0)
		return postings_fail(r, "no memory");
	memcpy(e.hash, hash, 32);
	e.crc = crc32c(0, &e, SUMMED);
	p->docs[p->n_docs] = e;
	registry_place(p);
	return 0;
}

void registry_clear(struct postings *p)
{
	if (!p->map)
		free(p->docs);
	unmap(p);
	free(p->dead);
	free(p->slots);
	p->docs = NULL;
	p->dead = NULL;
	p->slots = NULL;
	p->n_docs = p->cap_docs = p->n_slots = p->settled = p->searches = 0;
}

/* The next k, into room that is there. */
static int load_entries(struct postings *p, int fd, uint32_t k)
{
	struct doc_entry *e = &p->docs[p->n_docs];
	int r = read_exactly(fd, e, k * sizeof(*e), (off_t)p->n_docs * (off_t)sizeof(*e));

	if (r < 0)
		return postings_fail(r == -ENODATA ? -EUCLEAN : r, "docs: %s", r == -ENODATA ? "too short" : strerror(-r));
	for (uint32_t j = 0; j < k; j++) {
		if (j + AHEAD < k)
			__builtin_prefetch(&p->slots[first_slot(p, e[j + AHEAD].hash)], 1);
		if (crc32c(0, &e[j], SUMMED) != e[j].crc)
			return postings_fail(-EUCLEAN, "docs: entry %u is damaged", p->n_docs);
		registry_place(p);
	}
	return 0;
}

/* --- without a table --- */

/* Every entry is whole, and these are the ones of which `dead` speaks. */
static int check_entries(const struct doc_entry *e, uint32_t n, uint32_t *ret_sum)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (crc32c(0, &e[i], SUMMED) != e[i].crc)
			return postings_fail(-EUCLEAN, "docs: entry %u is damaged", i);
		sum = crc32c(sum, &e[i].crc, sizeof(e[i].crc));
	}
	*ret_sum = sum;
	return 0;
}

/* Room for the journal's entries behind them; writing there stays with us. */
static int map_entries(struct postings *p, int fd, uint32_t n)
{
	uint32_t cap = (n + BEHIND) & ~7u;
	size_t bytes = cap * sizeof(struct doc_entry);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	if (mmap(at, n * sizeof(struct doc_entry), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
		int r = -errno;

		munmap(at, bytes);
		return r;
	}
	p->map = at;
	p->map_bytes = bytes;
	p->docs = at;
	p->cap_docs = cap;
	return 0;
}

/* The head of a sound `dead` of n documents, or NULL: the reader makes a table. */
static const struct dead_head *read_dead(const struct postings *p, uint32_t n, struct buf *b)
{
	const struct dead_head *h;

	if (read_file(p->dir, "dead", DEAD_MAX, b) < 0 || b->n != sizeof(*h) + (n + 7) / 8)
		return NULL;
	h = (const struct dead_head *)b->p;
	if (memcmp(h->magic, DEAD_MAGIC, sizeof(h->magic)) != 0 || h->docs != n || crc32c(0, b->p + 12, b->n - 12) != h->crc)
		return NULL;
	return h;
}

/* 1: what is needed for it is not there, or of another registry. */
static int load_mapped(struct postings *p, int fd, uint32_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct dead_head *h = read_dead(p, n, &b);
	struct stat st;
	uint32_t sum;
	int r;

	if (!h)
		return 1;
	if (fstat(fd, &st) < 0)
		return postings_fail(-errno, "docs: %m");
	if ((uint64_t)st.st_size < (uint64_t)n * sizeof(struct doc_entry))
		return postings_fail(-EUCLEAN, "docs: too short");
	if (map_entries(p, fd, n) < 0)
		return 1;
	r = check_entries(p->docs, n, &sum);
	if (r < 0)
		return r;
	p->dead = sum == h->sum ? calloc(p->cap_docs / 8 + 1, 1) : NULL;
	if (!p->dead) {
		registry_clear(p);
		return 1;
	}
	memcpy(p->dead, h + 1, (n + 7) / 8);
	p->n_docs = p->settled = n;
	return 0;
}

/* Entries of the journal by their hash: an entry's number + 1. */
struct latest {
	uint32_t *slot, mask;
	uint8_t maybe[8192]; /* a bit for 16 bits of a hash: most are none of them */
};

static uint32_t *latest_of(const struct latest *l, const struct postings *p, const uint8_t hash[static 32])
{
	uint32_t i = hash_bits(hash) & l->mask;

	while (l->slot[i] && memcmp(p->docs[l->slot[i] - 1].hash, hash, 32) != 0)
		i = (i + 1) & l->mask;
	return &l->slot[i];
}

static void end_earlier(struct postings *p, struct latest *l, uint32_t from)
{
	for (uint32_t i = from; i < p->n_docs; i++) {
		uint32_t bits = hash_bits(p->docs[i].hash) & 0xffff, *slot;

		if (is_link(&p->docs[i]))
			continue;
		slot = latest_of(l, p, p->docs[i].hash);
		if (*slot)
			set_dead(p, *slot - 1);
		*slot = i + 1;
		l->maybe[bits / 8] |= (uint8_t)(1u << (bits % 8));
	}
	for (uint32_t i = 0; i < from; i++) {
		uint32_t bits = hash_bits(p->docs[i].hash) & 0xffff;

		if ((l->maybe[bits / 8] >> (bits % 8) & 1) && !is_link(&p->docs[i]) && *latest_of(l, p, p->docs[i].hash))
			set_dead(p, i);
	}
}

int registry_settle(struct postings *p)
{
	struct latest l = { .mask = 63 };

	if (p->slots || p->settled == p->n_docs)
		return 0;
	while (l.mask < 4 * (p->n_docs - p->settled))
		l.mask = 2 * l.mask + 1;
	l.slot = calloc((size_t)l.mask + 1, sizeof(*l.slot));
	if (!l.slot)
		return postings_fail(-ENOMEM, "no memory");
	end_earlier(p, &l, p->settled);
	free(l.slot);
	p->settled = p->n_docs;
	return 0;
}

/* The latest entry of a hash + 1; 0: there is none. */
static uint32_t search(const struct postings *p, const uint8_t hash[static 32])
{
	for (uint32_t i = p->n_docs; i > 0; i--)
		if (memcmp(p->docs[i - 1].hash, hash, 32) == 0 && !is_link(&p->docs[i - 1]))
			return i;
	return 0;
}

uint32_t registry_find(struct postings *p, const uint8_t hash[static 32])
{
	if (!p->slots && p->searches++ >= SEARCHES)
		(void)make_table(p); /* without memory for it: slower */
	return p->slots ? *slot_of(p, hash) : search(p, hash);
}

/* --- files --- */

int registry_load(struct postings *p, uint32_t n)
{
	_cleanup_close_ int fd = -1;
	int r;

	registry_clear(p);
	if (n > POSTINGS_DOCUMENTS_MAX)
		return postings_fail(-EUCLEAN, "manifest: %u documents", n);
	if (n) {
		fd = openat(p->dir, "docs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return postings_fail(errno == ENOENT ? -EUCLEAN : -errno, "docs: %m");
	}
	r = n && !p->o.write ? load_mapped(p, fd, n) : 1;
	if (r <= 0)
		return r;
	if (registry_grow(p, n) < 0)
		return postings_fail(-ENOMEM, "no memory");
	r = 0;
	for (uint32_t i = 0; r == 0 && i < n; i += READ_ENTRIES)
		r = load_entries(p, fd, MIN(n - i, (uint32_t)READ_ENTRIES));
	return r;
}

/* What the manifest does not count yet. */
int registry_save(struct postings *p)
{
	_cleanup_close_ int fd = vfs_open(p->dir, "docs", O_RDWR | O_CREAT, 0600);
	int r = fd < 0 ? fd : 0;

	if (r == 0 && p->n_docs > p->docs_saved)
		r = vfs_pwrite(fd, &p->docs[p->docs_saved], (p->n_docs - p->docs_saved) * sizeof(*p->docs),
			(off_t)p->docs_saved * (off_t)sizeof(*p->docs));
	if (r < 0)
		return postings_io(p, r, "docs");
	return vfs_fsync(fd) < 0 ? postings_io(p, -EIO, "docs") : 0;
}

/* Of all entries, which a manifest is about to count. Without it a reader takes longer, so that a failure is none. */
void registry_save_dead(const struct postings *p)
{
	struct dead_head h = { .magic = DEAD_MAGIC, .docs = p->n_docs };
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (check_entries(p->docs, p->n_docs, &h.sum) < 0)
		return;
	buf_put(&b, &h, sizeof(h));
	buf_put(&b, p->dead, (p->n_docs + 7) / 8);
	if (buf_error(&b))
		return;
	h.crc = crc32c(0, b.p + 12, b.n - 12);
	memcpy(b.p, &h, sizeof(h));
	(void)vfs_replace(p->dir, "dead", b.p, b.n, NULL);
}
