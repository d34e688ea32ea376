/* The journal of what is in no segment yet. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/varint.h"
#include "document/postings_internal.h"
#include "evidence/vfs.h"

#define MARK 0x31527974u /* "tyR1" */

void journal_name(uint64_t number, char out[static 32])
{
	snprintf(out, 32, "journal-%llu", (unsigned long long)number);
}

static int mem_reserve(struct postings *p, size_t more)
{
	size_t cap = MAX(p->cap_mem ? 2 * p->cap_mem : 4096, p->n_mem + more);
	struct posting *m, *s;

	if (p->n_mem + more <= p->cap_mem)
		return 0;
	m = reallocarray(p->mem, cap, sizeof(*m));
	if (!m)
		return postings_fail(-ENOMEM, "no memory");
	p->mem = m;
	s = reallocarray(p->scratch, cap, sizeof(*s));
	if (!s)
		return postings_fail(-ENOMEM, "no memory");
	p->scratch = s;
	p->cap_mem = cap;
	return 0;
}

/* The last two runs become one, from behind: what comes later has the higher document. */
static void merge_runs(struct postings *p)
{
	size_t from = p->n_runs > 2 ? p->runs[p->n_runs - 3] : 0, mid = p->runs[p->n_runs - 2], end = p->runs[p->n_runs - 1];
	struct posting *m = p->mem, *late = p->scratch;
	size_t i = mid, j = end - mid, to = end;

	memcpy(late, m + mid, j * sizeof(*late));
	while (j > 0)
		m[--to] = i > from && m[i - 1].key > late[j - 1].key ? m[--i] : late[--j];
	p->runs[--p->n_runs - 1] = end;
}

static size_t run_length(const struct postings *p, unsigned back)
{
	unsigned i = p->n_runs - back;

	return p->runs[i] - (i ? p->runs[i - 1] : 0);
}

/* n more, in order. Each posting is moved log2 times. */
static void mem_take(struct postings *p, size_t n)
{
	if (n == 0)
		return;
	p->n_mem += n;
	p->runs[p->n_runs++] = p->n_mem;
	while (p->n_runs > 1 && run_length(p, 2) / 2 < run_length(p, 1))
		merge_runs(p);
}

void mem_sort(struct postings *p)
{
	while (p->n_runs > 1)
		merge_runs(p);
}

static uint32_t get_le32(const uint8_t *b)
{
	uint32_t v;

	memcpy(&v, b, 4);
	return v;
}

/* A body whose sum fits: into registry and memory. -EUCLEAN where it is none of ours. */
/* One record of a frame; ret_n: its bytes. */
static int take_record(struct postings *p, const uint8_t *b, size_t n, size_t *ret_n)
{
	uint32_t version, flags, count, doc = p->n_docs;
	size_t at = POSTINGS_BODY_FIXED;
	uint64_t key = 0, v, aux;
	int r;

	if (n < POSTINGS_BODY_FIXED)
		return -EUCLEAN;
	version = get_le32(b + 32);
	flags = get_le32(b + 36);
	count = get_le32(b + 40);
	if (count > POSTINGS_OF_DOCUMENT_MAX || count > n / 2)
		return -EUCLEAN;
	r = mem_reserve(p, count);
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		int a = uvar_get(b + at, n - at, &v), c;

		if (a < 0 || v > UINT64_MAX - key)
			return -EUCLEAN;
		at += (size_t)a;
		c = uvar_get(b + at, n - at, &aux);
		if (c < 0 || aux > UINT32_MAX)
			return -EUCLEAN;
		at += (size_t)c;
		key += v;
		p->mem[p->n_mem + i] = (struct posting){ key, doc, (uint32_t)aux };
	}
	if (r == 0)
		r = registry_add(p, b, version, count, flags);
	if (r < 0)
		return r;
	mem_take(p, count);
	*ret_n = at;
	return 0;
}

static int take_body(struct postings *p, const uint8_t *b, size_t n)
{
	int r = 0;

	for (size_t at = 0, k = 0; r == 0 && at < n; at += k)
		r = take_record(p, b + at, n - at, &k);
	return r;
}

/* Length of a whole record at the beginning of b; 0: there is none. */
static size_t whole_record(const uint8_t *b, size_t n)
{
	uint32_t body;

	if (n < POSTINGS_RECORD_HEADER + POSTINGS_BODY_FIXED || get_le32(b) != MARK)
		return 0;
	body = get_le32(b + 4);
	if (body < POSTINGS_BODY_FIXED || body > n - POSTINGS_RECORD_HEADER || crc32c(0, b + POSTINGS_RECORD_HEADER, body) != get_le32(b + 8))
		return 0;
	return POSTINGS_RECORD_HEADER + (size_t)body;
}

/* Only the last put can be torn: whatever was acknowledged is whole. */
static bool whole_one_behind(const uint8_t *b, size_t n)
{
	const uint32_t mark = MARK;

	for (size_t at = 1; at < n; at++) {
		const uint8_t *m = memmem(b + at, n - at, &mark, 4);

		if (!m)
			return false;
		at = (size_t)(m - b);
		if (whole_record(m, n - at))
			return true;
	}
	return false;
}

static int read_frames(struct postings *p)
{
	_cleanup_buf_ struct buf b = { .max = POSTINGS_JOURNAL_BYTES_MAX };
	char name[32];
	struct stat st;
	size_t at = 0, n;
	int r;

	journal_name(p->journal, name);
	if (p->journal_fd < 0) {
		p->journal_fd = openat(p->dir, name, (p->o.write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
		if (p->journal_fd < 0)
			return errno == ENOENT ? -ENOENT : postings_fail(-errno, "%s: %m", name);
		p->journal_size = 0;
	}
	if (fstat(p->journal_fd, &st) < 0)
		return postings_fail(-errno, "%s: %m", name);
	if ((uint64_t)st.st_size <= p->journal_size)
		return 0;
	n = (size_t)((uint64_t)st.st_size - p->journal_size);
	if (buf_reserve(&b, n) < 0)
		return postings_fail(-ENOMEM, "%s: too large", name);
	r = read_exactly(p->journal_fd, b.p, n, (off_t)p->journal_size);
	if (r < 0)
		return r == -ENODATA ? 0 : postings_fail(r, "%s: %s", name, strerror(-r)); /* cut by its writer at this moment */
	for (size_t k; (k = whole_record((uint8_t *)b.p + at, n - at)) > 0; at += k) {
		r = take_body(p, (uint8_t *)b.p + at + POSTINGS_RECORD_HEADER, k - POSTINGS_RECORD_HEADER);
		if (r < 0)
			return r == -EUCLEAN ? postings_fail(r, "%s: byte %llu: a record that is none", name, (unsigned long long)(p->journal_size + at)) : r;
	}
	if (at < n && whole_one_behind((uint8_t *)b.p + at, n - at))
		return postings_fail(-EUCLEAN, "%s: damaged at byte %llu", name, (unsigned long long)(p->journal_size + at));
	p->journal_size += at;
	if (at < n && p->o.write) {
		r = vfs_truncate(p->journal_fd, (off_t)p->journal_size);
		return r < 0 ? postings_io(p, r, name) : 0;
	}
	return 0;
}

int journal_read(struct postings *p)
{
	int r = read_frames(p);

	return r == 0 ? registry_settle(p) : r;
}

/* Its body comes behind; the head is filled in when it is written. */
static void frame_begin(struct buf *b)
{
	static const uint8_t head[POSTINGS_RECORD_HEADER];

	buf_clear(b);
	buf_put(b, head, sizeof(head));
}

static void put_record(struct buf *b, const struct doc_entry *d, const struct posting *e)
{
	const uint32_t fixed[3] = { d->version, d->flags, d->n };
	uint64_t before = 0;

	buf_put(b, d->hash, 32);
	buf_put(b, fixed, sizeof(fixed));
	for (size_t i = 0; i < d->n; i++) {
		buf_put_uvar(b, e[i].key - before);
		buf_put_uvar(b, e[i].aux);
		before = e[i].key;
	}
}

static int frame_write(struct postings *p, struct buf *b)
{
	const uint32_t body = (uint32_t)(b->n - POSTINGS_RECORD_HEADER);
	const uint32_t head[3] = { MARK, body, crc32c(0, b->p + POSTINGS_RECORD_HEADER, body) };
	int r;

	memcpy(b->p, head, sizeof(head));
	r = vfs_pwrite(p->journal_fd, b->p, b->n, (off_t)p->journal_size);
	if (r < 0) {
		/* Half a frame must not stay before the next one. */
		if (vfs_truncate(p->journal_fd, (off_t)p->journal_size) < 0)
			p->broken = true;
		return postings_io(p, r, "journal");
	}
	if (vfs_fsync(p->journal_fd) < 0)
		return postings_io(p, -EIO, "journal");
	p->journal_size += b->n;
	return 0;
}

/* What is put later must not be seen when it cannot be kept; what is put now must not be seen before it is durable. */
static int record_put(struct postings *p, const struct doc_entry *d, const struct posting *e, bool later)
{
	struct buf *b = later ? &p->waiting : &p->record;
	size_t had;
	int r;

	if (!later || b->n == 0)
		frame_begin(b);
	had = b->n;
	put_record(b, d, e);
	r = buf_error(b) ? postings_fail(buf_error(b), "no memory") : later ? 0 : frame_write(p, b);
	if (r == 0)
		r = registry_add(p, d->hash, d->version, d->n, d->flags);
	if (r < 0 && later) {
		b->err = 0;
		b->n = had > POSTINGS_RECORD_HEADER ? had : 0;
	}
	return r;
}

int journal_append(struct postings *p, const struct doc_entry *d, const struct posting *e, bool later)
{
	struct posting *mine;
	bool sorted = true;
	int r = mem_reserve(p, d->n);

	if (r < 0)
		return r;
	mine = p->mem + p->n_mem;
	for (size_t i = 0; i < d->n; i++) {
		mine[i] = (struct posting){ e[i].key, p->n_docs, e[i].aux };
		sorted = sorted && (i == 0 || e[i - 1].key <= e[i].key);
	}
	if (!sorted)
		postings_sort(mine, p->scratch, d->n);
	r = record_put(p, d, mine, later);
	/* The record is there, its number is not: what follows would get it. */
	if (r == -ENOMEM && !later)
		p->broken = true;
	if (r == 0)
		mem_take(p, d->n);
	return r;
}

int journal_commit(struct postings *p)
{
	int r = p->waiting.n ? frame_write(p, &p->waiting) : 0;

	if (r == 0)
		buf_clear(&p->waiting);
	return r;
}
