#include "evidence/frame.h"

#include <errno.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/varint.h"
#include "evidence/leaf.h"

#define ZSTD_LEVEL 3

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

void segment_header_put(uint8_t out[static SEGMENT_HEADER], const struct segment_header *h)
{
	memset(out, 0, SEGMENT_HEADER);
	memcpy(out, "TYTOSEG1", 8);
	put_be64(out + 8, h->first);
	memcpy(out + 16, h->seed, 16);
	put_be64(out + 32, (uint64_t)h->day);
	put_be32(out + 60, crc32c(0, out, 60));
}

int segment_header_parse(const uint8_t *p, size_t n, struct segment_header *ret)
{
	if (n < SEGMENT_HEADER)
		return -ENODATA;
	if (memcmp(p, "TYTOSEG1", 8) != 0 || !all_zero(p + 40, 20) || get_be32(p + 60) != crc32c(0, p, 60))
		return -EBADMSG;
	ret->first = get_be64(p + 8);
	memcpy(ret->seed, p + 16, 16);
	ret->day = (int64_t)get_be64(p + 32);
	return ret->first % FRAME_ALIGN ? -EBADMSG : 0;
}

void journal_header_put(uint8_t out[static JOURNAL_HEADER], uint64_t first)
{
	memset(out, 0, JOURNAL_HEADER);
	memcpy(out, "TYTOJRN1", 8);
	put_be64(out + 8, first);
	put_be32(out + 20, crc32c(0, out, 20));
}

int journal_header_parse(const uint8_t *p, size_t n, uint64_t *ret_first)
{
	if (n < JOURNAL_HEADER)
		return -ENODATA;
	if (memcmp(p, "TYTOJRN1", 8) != 0 || !all_zero(p + 16, 4) || get_be32(p + 20) != crc32c(0, p, 20))
		return -EBADMSG;
	*ret_first = get_be64(p + 8);
	return 0;
}

int segment_frame_header(const uint8_t *p, size_t n, struct frame *ret)
{
	struct frame f;

	if (n < SEGMENT_FRAME)
		return -ENODATA;
	if (memcmp(p, "TYFR", 4) != 0)
		return -EBADMSG;
	f.raw = get_be32(p + 4);
	f.length = get_be32(p + 8);
	f.count = get_be32(p + 12);
	f.first = get_be64(p + 16);
	f.payload = p + SEGMENT_FRAME;
	if (f.count == 0 || f.count % FRAME_ALIGN || f.count > SEGMENT_FRAME_LEAVES || f.first % FRAME_ALIGN)
		return -EBADMSG;
	if (f.raw > f.count * FRAME_LEAF_MAX || f.length > ZSTD_COMPRESSBOUND((size_t)f.raw))
		return -EBADMSG;
	if (n - SEGMENT_FRAME < f.length)
		return -ENODATA;
	f.bytes = SEGMENT_FRAME + (size_t)f.length;
	*ret = f;
	return 0;
}

int segment_frame_parse(const uint8_t *p, size_t n, struct frame *ret)
{
	struct frame f;
	int r = segment_frame_header(p, n, &f);

	if (r < 0)
		return r;
	if (crc32c(crc32c(0, p, 24), f.payload, f.length) != get_be32(p + 24))
		return -EBADMSG;
	*ret = f;
	return 0;
}

int journal_frame_parse(const uint8_t *p, size_t n, struct frame *ret)
{
	struct frame f = { 0 };

	if (n < JOURNAL_FRAME)
		return -ENODATA;
	if (memcmp(p, "TYJR", 4) != 0)
		return -EBADMSG;
	f.length = f.raw = get_be32(p + 4);
	f.count = get_be32(p + 8);
	f.first = get_be64(p + 12);
	f.payload = p + JOURNAL_FRAME;
	if (f.count == 0 || f.count > JOURNAL_FRAME_LEAVES || f.length > (size_t)f.count * FRAME_LEAF_MAX)
		return -EBADMSG;
	if (n - JOURNAL_FRAME < f.length)
		return -ENODATA;
	if (crc32c(crc32c(0, p, 20), f.payload, f.length) != get_be32(p + 20))
		return -EBADMSG;
	f.bytes = JOURNAL_FRAME + (size_t)f.length;
	*ret = f;
	return 0;
}

void journal_frame_put(struct buf *b, uint64_t first, uint32_t count, str payload)
{
	uint8_t h[JOURNAL_FRAME];

	memcpy(h, "TYJR", 4);
	put_be32(h + 4, (uint32_t)payload.n);
	put_be32(h + 8, count);
	put_be64(h + 12, first);
	put_be32(h + 20, crc32c(crc32c(0, h, 20), payload.p, payload.n));
	buf_put(b, h, sizeof(h));
	buf_puts(b, payload);
}

struct frame_packer {
	ZSTD_CCtx *c;
	ZSTD_DCtx *d;
};

struct frame_packer *frame_packer_new(void)
{
	struct frame_packer *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->c = ZSTD_createCCtx();
	f->d = ZSTD_createDCtx();
	return f->c && f->d ? f : frame_packer_free(f);
}

struct frame_packer *frame_packer_free(struct frame_packer *f)
{
	if (!f)
		return NULL;
	ZSTD_freeCCtx(f->c);
	ZSTD_freeDCtx(f->d);
	free(f);
	return NULL;
}

int segment_frame_put(struct frame_packer *f, struct buf *b, uint64_t first, uint32_t count, str payload)
{
	size_t bound = ZSTD_compressBound(payload.n), n;
	uint8_t *h;
	int r = buf_reserve(b, SEGMENT_FRAME + bound);

	if (r < 0)
		return r;
	h = (uint8_t *)b->p + b->n;
	n = ZSTD_compressCCtx(f->c, h + SEGMENT_FRAME, bound, payload.p, payload.n, ZSTD_LEVEL);
	if (ZSTD_isError(n))
		return -ENOMEM;
	memcpy(h, "TYFR", 4);
	put_be32(h + 4, (uint32_t)payload.n);
	put_be32(h + 8, (uint32_t)n);
	put_be32(h + 12, count);
	put_be64(h + 16, first);
	put_be32(h + 24, crc32c(crc32c(0, h, 24), h + SEGMENT_FRAME, n));
	b->n += SEGMENT_FRAME + n;
	return 0;
}

int segment_frame_unpack(struct frame_packer *f, const struct frame *frame, struct buf *ret)
{
	size_t n;
	int r;

	buf_clear(ret);
	r = buf_reserve(ret, frame->raw);
	if (r < 0)
		return r;
	n = ZSTD_decompressDCtx(f->d, ret->p, frame->raw, frame->payload, frame->length);
	/* One zstd frame, of the length that was announced, and nothing behind it. */
	if (ZSTD_isError(n) || n != frame->raw || ZSTD_findFrameCompressedSize(frame->payload, frame->length) != frame->length)
		return -EBADMSG;
	ret->n = n;
	return 0;
}

int payload_next(str payload, size_t *at, str *ret_leaf)
{
	uint64_t n;
	int r = uvar_get((const uint8_t *)payload.p + *at, payload.n - *at, &n);

	if (r < 0 || n > payload.n - *at - (size_t)r || n > LEAF_MAX - LEAF_NONCE)
		return -EBADMSG;
	*ret_leaf = (str){ payload.p + *at + r, n };
	*at += (size_t)r + n;
	return 0;
}
