/* frame.h — headers and frames of segment and journal files as bytes (docs/log-format.md, section 3).
 *
 * Purpose: the one place that knows these offsets; used by writer, recovery, reader and verify. Ownership: parsed views point into the
 * caller's bytes.
 * Units: bytes, leaf indices. Threads: struct frame_packer one at a time. Errors: -EBADMSG for any other form, -ENODATA when the bytes
 * end inside, -ENOMEM.
 */
#ifndef TYTO_FRAME_H
#define TYTO_FRAME_H

#include "base/buf.h"

#define SEGMENT_HEADER 64
#define SEGMENT_FRAME 28
#define SEGMENT_FRAME_LEAVES 1024
#define SEGMENT_LEAVES_MAX ((uint64_t)1 << 20)
#define JOURNAL_HEADER 24
#define JOURNAL_FRAME 24
#define JOURNAL_FRAME_LEAVES 65536
#define FRAME_ALIGN 256
/* A leaf and its length; no frame is longer than its leaves. */
#define FRAME_LEAF_MAX (4096 + 2)

struct segment_header {
	uint64_t first;
	uint8_t seed[16];
	int64_t day;
};
void segment_header_put(uint8_t out[static SEGMENT_HEADER], const struct segment_header *h);
int segment_header_parse(const uint8_t *p, size_t n, struct segment_header *ret);

void journal_header_put(uint8_t out[static JOURNAL_HEADER], uint64_t first);
int journal_header_parse(const uint8_t *p, size_t n, uint64_t *ret_first);

struct frame {
	uint64_t first;
	uint32_t count, raw, length;
	const uint8_t *payload;
	size_t bytes; /* header and payload */
};
/* The header alone, without the crc: enough to walk. */
int segment_frame_header(const uint8_t *p, size_t n, struct frame *ret);
/* Header, payload and crc. */
int segment_frame_parse(const uint8_t *p, size_t n, struct frame *ret);
int journal_frame_parse(const uint8_t *p, size_t n, struct frame *ret);
void journal_frame_put(struct buf *b, uint64_t first, uint32_t count, str payload);

/* zstd contexts that are reused. */
struct frame_packer;
struct frame_packer *frame_packer_new(void);
struct frame_packer *frame_packer_free(struct frame_packer *f);
int segment_frame_put(struct frame_packer *f, struct buf *b, uint64_t first, uint32_t count, str payload);
/* The payload's leaves into ret (replaced). */
int segment_frame_unpack(struct frame_packer *f, const struct frame *frame, struct buf *ret);

/* The packed leaf at *at of a payload; moves on. -EBADMSG. */
int payload_next(str payload, size_t *at, str *ret_leaf);

#endif
