/* Segments of postings: packing, mapping, seeking. */
#include "document/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "evidence/vfs.h"

#define MAGIC "tytoseg1"
#define HEADER 64
#define BLOCK_HEADER 8
#define TAIL 8          /* so that the last value can be read as a word */
#define WRITE_AT (1u << 20)
#define BLOCK_BYTES_MAX (BLOCK_HEADER + POSTINGS_BLOCK * 16 + 3)

struct header {
	char magic[8];
	uint32_t crc, blocks;
	uint64_t n, index_at;
	uint32_t index_crc, zero[7];
};
_Static_assert(sizeof(struct header) == HEADER && sizeof(struct segment_index) == 16, "as on disk");
#define HEADER_SUMMED 12

void segment_name(uint64_t number, char out[static 32])
{
	snprintf(out, 32, "segment-%llu", (unsigned long long)number);
}

/* --- columns of bits --- */

static unsigned bits_of(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

static size_t column_bytes(size_t n, unsigned bits)
{
	return (n * bits + 7) / 8;
}

/* out holds zeros. */
static void put_bits(uint8_t *out, size_t i, unsigned bits, uint64_t v)
{
	size_t bit = i * bits;

	for (unsigned done = 0; done < bits;) {
		unsigned at = bit & 7, take = MIN(8 - at, bits - done);

		out[bit >> 3] |= (uint8_t)((v >> done & ((1u << take) - 1)) << at);
		done += take;
		bit += take;
	}
}

/* Eight bytes behind the column are readable. */
static inline uint64_t get_bits(const uint8_t *p, size_t i, unsigned bits)
{
	size_t bit = i * bits;
	unsigned shift = bit & 7;
	uint64_t v;

	memcpy(&v, p + (bit >> 3), 8);
	v >>= shift;
	if (shift + bits > 64)
		v |= (uint64_t)p[(bit >> 3) + 8] << (64 - shift);
	return bits == 64 ? v : v & ((1ULL << bits) - 1);
}

/* --- reading --- */

int segment_take(const uint8_t *map, uint64_t size, struct segment *ret)
{
	struct header h;

	if (size < HEADER + TAIL)
		return -EUCLEAN;
	memcpy(&h, map, sizeof(h));
	if (memcmp(h.magic, MAGIC, 8) != 0 || crc32c(0, map + HEADER_SUMMED, HEADER - HEADER_SUMMED) != h.crc || h.index_at % 8 ||
	    h.index_at < HEADER ||
	    h.index_at > size || size - h.index_at != (uint64_t)h.blocks * sizeof(struct segment_index) + TAIL ||
	    h.n > (uint64_t)h.blocks * POSTINGS_BLOCK || h.n < h.blocks)
		return -EUCLEAN;
	if (crc32c(0, map + h.index_at, size - h.index_at) != h.index_crc)
		return -EUCLEAN;
	ret->n = h.n;
	ret->size = size;
	ret->index_at = h.index_at;
	ret->blocks = h.blocks;
	ret->map = map;
	ret->index = (const struct segment_index *)(map + h.index_at);
	return 0;
}

int segment_open(int dir, uint64_t number, struct segment *ret)
{
	_cleanup_close_ int fd = -1;
	struct segment s = { .number = number };
	struct stat st;
	char name[32];
	void *map;
	int r;

	segment_name(number, name);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < HEADER)
		return -EUCLEAN;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r = segment_take(map, (uint64_t)st.st_size, &s);
	if (r < 0) {
		munmap(map, (size_t)st.st_size);
		return r;
	}
	/* Few keys of many blocks are asked for: reading ahead would be for nothing. */
	madvise(map, (size_t)st.st_size, MADV_RANDOM);
	s.checked = calloc(s.blocks / 64 + 1, sizeof(*s.checked));
	*ret = s;
	return 0;
}

void segment_close(struct segment *s)
{
	if (s->map)
		munmap((void *)s->map, s->size);
	free(s->checked);
	*s = (struct segment){ 0 };
}

static bool sum_is_right(const struct segment *s, uint32_t block, const uint8_t *p, size_t n)
{
	if (s->checked && s->checked[block / 64] >> (block % 64) & 1)
		return true;
	if (crc32c(0, p, n) != s->index[block].crc)
		return false;
	if (s->checked)
		s->checked[block / 64] |= 1ULL << (block % 64);
	return true;
}

int segment_keys(const struct segment *s, uint32_t block, struct segment_keys *ret)
{
	const struct segment_index *x = &s->index[block];
	uint64_t at = (uint64_t)x->at * 8, end = block + 1 < s->blocks ? (uint64_t)x[1].at * 8 : s->index_at;
	const uint8_t *p = s->map + at, *keys;
	uint64_t key = x->first;
	unsigned key_bits;
	size_t n;

	if (at < HEADER || end > s->index_at || end <= at || end - at < BLOCK_HEADER || !sum_is_right(s, block, p, end - at))
		return -EUCLEAN;
	n = (size_t)p[0] + 1;
	key_bits = p[1];
	ret->doc_bits = p[2];
	ret->aux_bits = p[3];
	if (n > POSTINGS_BLOCK || key_bits > 64 || ret->doc_bits > 32 || ret->aux_bits > 32)
		return -EUCLEAN;
	keys = p + BLOCK_HEADER;
	ret->docs = keys + column_bytes(n - 1, key_bits);
	ret->auxes = ret->docs + column_bytes(n, ret->doc_bits);
	if (ret->auxes + column_bytes(n, ret->aux_bits) > s->map + end)
		return -EUCLEAN;
	for (size_t i = 0; i < n; i++) {
		ret->key[i] = key;
		if (i + 1 < n)
			key += get_bits(keys, i, key_bits);
	}
	ret->n = (uint32_t)n;
	return 0;
}

struct posting segment_posting(const struct segment_keys *k, uint32_t i)
{
	return (struct posting){ k->key[i], (uint32_t)get_bits(k->docs, i, k->doc_bits), (uint32_t)get_bits(k->auxes, i, k->aux_bits) };
}

int segment_block(const struct segment *s, uint32_t block, struct segment_block *ret)
{
	struct segment_keys k;
	int r = segment_keys(s, block, &k);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < k.n; i++)
		ret->e[i] = segment_posting(&k, i);
	ret->n = k.n;
	return 0;
}

uint32_t segment_seek(const struct segment *s, uint64_t key)
{
	uint32_t lo = 0, hi = s->blocks; /* first block whose first key is not below key */

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->index[mid].first < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : 0;
}

/* --- writing --- */

int segment_writer_begin(int dir, uint64_t number, struct segment_writer *w)
{
	char name[32];
	int fd;

	segment_name(number, name);
	fd = vfs_open(dir, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fd;
	*w = (struct segment_writer){ .dir = dir, .fd = fd, .number = number, .at = HEADER };
	return 0;
}

static int write_out(struct segment_writer *w)
{
	int r = buf_error(&w->out);

	if (r == 0)
		r = vfs_pwrite(w->fd, w->out.p, w->out.n, (off_t)w->at);
	if (r == 0)
		w->at += w->out.n;
	buf_clear(&w->out);
	return r;
}

static int block_end(struct segment_writer *w)
{
	struct segment_block *b = &w->block;
	uint8_t out[BLOCK_BYTES_MAX + 8] = { 0 }, *p = out + BLOCK_HEADER;
	uint64_t gap = 0;
	uint32_t doc = 0, aux = 0;
	struct segment_index x = { .first = b->e[0].key, .at = (uint32_t)((w->at + w->out.n) / 8) };
	size_t n = b->n;

	if (n == 0)
		return 0;
	if ((w->at + w->out.n) / 8 > UINT32_MAX)
		return -EFBIG;
	for (size_t i = 0; i < n; i++) {
		gap |= i ? b->e[i].key - b->e[i - 1].key : 0;
		doc |= b->e[i].doc;
		aux |= b->e[i].aux;
	}
	out[0] = (uint8_t)(n - 1);
	out[1] = (uint8_t)bits_of(gap);
	out[2] = (uint8_t)bits_of(doc);
	out[3] = (uint8_t)bits_of(aux);
	for (size_t i = 1; i < n; i++)
		put_bits(p, i - 1, out[1], b->e[i].key - b->e[i - 1].key);
	p += column_bytes(n - 1, out[1]);
	for (size_t i = 0; i < n; i++)
		put_bits(p, i, out[2], b->e[i].doc);
	p += column_bytes(n, out[2]);
	for (size_t i = 0; i < n; i++)
		put_bits(p, i, out[3], b->e[i].aux);
	p += column_bytes(n, out[3]);
	n = ((size_t)(p - out) + 7) / 8 * 8;
	x.crc = crc32c(0, out, n);
	buf_put(&w->out, out, n);
	buf_put(&w->index, &x, sizeof(x));
	w->n += b->n;
	b->n = 0;
	return w->out.n >= WRITE_AT ? write_out(w) : buf_error(&w->out);
}

int segment_writer_add(struct segment_writer *w, const struct posting *e)
{
	w->block.e[w->block.n++] = *e;
	return w->block.n == POSTINGS_BLOCK ? block_end(w) : 0;
}

int segment_writer_end(struct segment_writer *w)
{
	static const uint8_t tail[TAIL];
	struct header h = { .magic = MAGIC };
	int r = block_end(w);

	if (r == 0)
		r = write_out(w);
	if (r < 0)
		return r;
	h.blocks = (uint32_t)(w->index.n / sizeof(struct segment_index));
	h.n = w->n;
	h.index_at = w->at;
	buf_put(&w->index, tail, TAIL);
	r = buf_error(&w->index);
	if (r < 0)
		return r;
	h.index_crc = crc32c(0, w->index.p, w->index.n);
	h.crc = crc32c(0, (uint8_t *)&h + HEADER_SUMMED, HEADER - HEADER_SUMMED);
	r = vfs_pwrite(w->fd, w->index.p, w->index.n, (off_t)w->at);
	if (r == 0)
		r = vfs_pwrite(w->fd, &h, sizeof(h), 0);
	if (r == 0)
		r = vfs_fsync(w->fd);
	return r;
}

void segment_writer_drop(struct segment_writer *w)
{
	buf_free(&w->out);
	buf_free(&w->index);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* --- order --- */

/* Least significant byte first, documents before keys; bytes that are all the same cost one look. */
void postings_sort(struct posting *e, struct posting *scratch, size_t n)
{
	struct posting *from = e, *to = scratch;

	for (unsigned pass = 0; pass < 12; pass++) {
		unsigned shift = 8 * (pass < 4 ? pass : pass - 4);
		size_t count[256] = { 0 }, at[256], sum = 0;
		struct posting *other = from;

#define DIGIT(x) ((pass < 4 ? (uint64_t)(x).doc : (x).key) >> shift & 0xff)
		for (size_t i = 0; i < n; i++)
			count[DIGIT(from[i])]++;
		if (n == 0 || count[DIGIT(from[0])] == n)
			continue;
		for (unsigned i = 0; i < 256; i++) {
			at[i] = sum;
			sum += count[i];
		}
		for (size_t i = 0; i < n; i++)
			to[at[DIGIT(from[i])]++] = from[i];
#undef DIGIT
		from = to;
		to = other;
	}
	if (from != e)
		memcpy(e, from, n * sizeof(*e));
}
