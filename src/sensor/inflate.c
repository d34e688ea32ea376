#include "sensor/inflate.h"

#include <errno.h>
#include <poll.h>
#include <zlib.h>
#include <zstd.h>

#define RAW (128 * 1024)
/* More memory than this for one frame's window is an attack, not a log file. */
#define ZSTD_WINDOW_LOG 27

enum packing { PACK_UNKNOWN, PACK_NONE, PACK_GZIP, PACK_ZSTD };

struct inflate {
	int fd, stop_fd;
	enum packing packing;
	uint8_t raw[RAW];
	size_t at, n;
	bool eof;        /* of fd */
	bool mid_stream; /* inside a member or frame: an end here is a cut file */
	bool damaged;    /* told once everything before the damage has been handed out */
	uint64_t bytes;
	struct sha256 *hash;
	uint8_t digest[SHA256_LEN];
	z_stream z;
	ZSTD_DStream *zstd;
	size_t zstd_start, zstd_wants; /* bytes of a frame's beginning; bytes of its next piece */
};

int inflate_new(int fd, int stop_fd, struct inflate **ret)
{
	struct inflate *f = calloc(1, sizeof(*f));

	if (!f || !(f->hash = sha256_new())) {
		free(f);
		return -ENOMEM;
	}
	f->fd = fd;
	f->stop_fd = stop_fd;
	sha256_init(f->hash);
	*ret = f;
	return 0;
}

struct inflate *inflate_free(struct inflate *f)
{
	if (!f)
		return NULL;
	if (f->packing == PACK_GZIP)
		inflateEnd(&f->z);
	ZSTD_freeDStream(f->zstd);
	sha256_free(f->hash);
	close_fd(&f->fd);
	free(f);
	return NULL;
}

/* More raw bytes behind those that are not used yet. There must be room: a read of nothing looks like the end. */
static int fill(struct inflate *f)
{
	ssize_t n;

	if (f->eof)
		return 0;
	memmove(f->raw, f->raw + f->at, f->n - f->at);
	f->n -= f->at;
	f->at = 0;
	if (f->n == RAW)
		return 0;
	if (f->stop_fd >= 0) {
		struct pollfd p[] = { { .fd = f->fd, .events = POLLIN }, { .fd = f->stop_fd, .events = POLLIN } };

		if (poll(p, 2, -1) < 0)
			return -errno;
		if (p[1].revents)
			return -EINTR;
	}
	n = read(f->fd, f->raw + f->n, RAW - f->n);
	if (n < 0)
		return -errno;
	if (n == 0) {
		f->eof = true;
		sha256_final(f->hash, f->digest);
		return 0;
	}
	sha256_update(f->hash, f->raw + f->n, (size_t)n);
	f->n += (size_t)n;
	f->bytes += (uint64_t)n;
	return 0;
}

/* A frame, or one to be skipped (RFC 8878, 3.1.2), with which some writers begin. */
static bool is_zstd(const uint8_t *p)
{
	return memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0 || ((p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0);
}

static int tell_packing(struct inflate *f)
{
	/* A pipe may give single bytes. */
	while (!f->eof && f->n < 4) {
		int r = fill(f);

		if (r < 0)
			return r;
	}
	if (f->n >= 2 && f->raw[0] == 0x1f && f->raw[1] == 0x8b) {
		f->packing = PACK_GZIP;
		return inflateInit2(&f->z, 15 + 16) == Z_OK ? 0 : -ENOMEM;
	}
	if (f->n >= 4 && is_zstd(f->raw)) {
		f->packing = PACK_ZSTD;
		f->zstd = ZSTD_createDStream();
		if (!f->zstd)
			return -ENOMEM;
		f->zstd_start = f->zstd_wants = ZSTD_initDStream(f->zstd);
		ZSTD_DCtx_setParameter(f->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
		return 0;
	}
	f->packing = PACK_NONE;
	return 0;
}

static size_t gzip_some(struct inflate *f, void *p, size_t n)
{
	int r;

	f->z.next_in = f->raw + f->at;
	f->z.avail_in = (unsigned)(f->n - f->at);
	f->z.next_out = p;
	f->z.avail_out = (unsigned)MIN(n, (size_t)UINT32_MAX);
	r = inflate(&f->z, Z_NO_FLUSH);
	f->at = f->n - f->z.avail_in;
	f->mid_stream = r != Z_STREAM_END;
	if (r == Z_STREAM_END)
		inflateReset(&f->z);
	f->damaged = r != Z_STREAM_END && r != Z_OK && r != Z_BUF_ERROR;
	return (size_t)(f->z.next_out - (uint8_t *)p);
}

/* One block at a time: what stands before a damaged one is not lost with it. */
static size_t zstd_some(struct inflate *f, void *p, size_t n)
{
	ZSTD_inBuffer in = { f->raw + f->at, MIN(f->n - f->at, f->zstd_wants), 0 };
	ZSTD_outBuffer o = { p, n, 0 };
	size_t r = ZSTD_decompressStream(f->zstd, &o, &in);

	f->at += in.pos;
	f->mid_stream = r != 0;
	f->damaged = ZSTD_isError(r);
	f->zstd_wants = r ? r : f->zstd_start;
	return o.pos;
}

static size_t plain_some(struct inflate *f, void *p, size_t n)
{
	size_t got = MIN(n, f->n - f->at);

	memcpy(p, f->raw + f->at, got);
	f->at += got;
	return got;
}

/* The digest is that of the whole file, damaged or not. */
static int read_out(struct inflate *f)
{
	int r = 0;

	while (r == 0 && !f->eof) {
		f->at = f->n;
		r = fill(f);
	}
	return r < 0 ? r : -EBADMSG;
}

ssize_t inflate_read(struct inflate *f, void *p, size_t n)
{
	size_t got = 0;
	int r = f->packing == PACK_UNKNOWN ? tell_packing(f) : 0;

	while (r == 0 && got == 0 && n > 0) {
		size_t before;

		if (f->damaged)
			return read_out(f);
		if (f->at == f->n)
			r = fill(f);
		if (r < 0 || (f->at == f->n && f->eof && !f->mid_stream))
			break;
		before = f->at;
		got = (f->packing == PACK_NONE ? plain_some : f->packing == PACK_GZIP ? gzip_some : zstd_some)(f, p, n);
		/* No progress with all there is: the stream was cut off. */
		if (got == 0 && f->at == before && f->eof)
			f->damaged = true;
	}
	return r < 0 ? r : (ssize_t)got;
}

bool inflate_digest(const struct inflate *f, uint8_t out[static SHA256_LEN])
{
	if (f->eof)
		memcpy(out, f->digest, SHA256_LEN);
	return f->eof;
}

uint64_t inflate_raw_bytes(const struct inflate *f)
{
	return f->bytes;
}
