/* segment.h — one immutable file of postings: written in order, mapped, read by key. Byte format: postings.h.
 *
 * Purpose: for postings.c alone. Ownership: struct segment owns its mapping. Units: bytes. Threads: reading has no state but `checked`; a
 * copy for another thread has none.
 * Errors: negative errno; -EUCLEAN where a sum does not fit.
 */
#ifndef TYTO_DOCUMENT_SEGMENT_H
#define TYTO_DOCUMENT_SEGMENT_H

#include "document/postings.h"

struct segment_index {
	uint64_t first;
	uint32_t at, crc; /* offset / 8 */
};

struct segment {
	uint64_t number;
	uint64_t n, size, index_at;
	uint32_t blocks;
	const uint8_t *map;
	const struct segment_index *index;
	uint64_t *checked;  /* a bit a block whose sum was found right; NULL: each is summed each time it is read */
};

/* -ENOENT where there is none. */
int segment_open(int dir, uint64_t number, struct segment *ret);
void segment_close(struct segment *s);
/* Bytes of a segment that somebody else maps: what segment_open checks, for tests. */
int segment_take(const uint8_t *map, uint64_t size, struct segment *ret);

struct segment_block {
	uint32_t n;
	struct posting e[POSTINGS_BLOCK];
};
int segment_block(const struct segment *s, uint32_t block, struct segment_block *ret);
/* The keys of a block alone: most of what is looked at is not what was asked for. Points into the mapping. */
struct segment_keys {
	uint32_t n;
	unsigned doc_bits, aux_bits;
	const uint8_t *docs, *auxes;
	uint64_t key[POSTINGS_BLOCK];
};
int segment_keys(const struct segment *s, uint32_t block, struct segment_keys *ret);
struct posting segment_posting(const struct segment_keys *k, uint32_t i);
/* Blocks that may hold key: from the returned one on, while their first key is not above it. */
uint32_t segment_seek(const struct segment *s, uint64_t key);

struct segment_writer {
	int dir, fd;
	uint64_t number, n, at;
	struct buf out, index;  /* blocks not written yet; entries of the index */
	struct segment_block block;
};
int segment_writer_begin(int dir, uint64_t number, struct segment_writer *w);
/* In order of (key, document). */
int segment_writer_add(struct segment_writer *w, const struct posting *e);
/* Durable but for the folder's entry. */
int segment_writer_end(struct segment_writer *w);
void segment_writer_drop(struct segment_writer *w);

void segment_name(uint64_t number, char out[static 32]);
/* By key, then document; scratch has room for n. */
void postings_sort(struct posting *e, struct posting *scratch, size_t n);

#endif
