/* Pixels by leptonica: the size first, by the header alone, and nothing is decoded that is too large. */
#include "extract/formats/picture.h"

#include <errno.h>
#include <leptonica/allheaders.h>

#define SCANS_MAX 100 /* of a progressive JPEG: cameras and editors write about ten; each passes over all its pixels */

static const struct magic_row {
	const char *bytes;
	uint8_t n, at, kind;
} magics[] = {
	{ "\x89PNG\r\n\x1a\n", 8, 0, PICTURE_PNG }, { "\xff\xd8\xff", 3, 0, PICTURE_JPEG }, { "II*\0", 4, 0, PICTURE_TIFF },
	{ "MM\0*", 4, 0, PICTURE_TIFF },            { "GIF87a", 6, 0, PICTURE_GIF },        { "GIF89a", 6, 0, PICTURE_GIF },
	{ "WEBP", 4, 8, PICTURE_WEBP },             { "P5\n", 3, 0, PICTURE_PNM },
};

static uint32_t le16(const char *p)
{
	return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8;
}

static uint32_t le32(const char *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static uint32_t be32(const char *p)
{
	return (uint32_t)(uint8_t)p[0] << 24 | (uint32_t)(uint8_t)p[1] << 16 | (uint32_t)(uint8_t)p[2] << 8 | (uint8_t)p[3];
}

enum picture_kind picture_kind(str head)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (head.n >= (size_t)magics[i].at + magics[i].n && memcmp(head.p + magics[i].at, magics[i].bytes, magics[i].n) == 0 &&
		    (magics[i].kind != PICTURE_WEBP || memcmp(head.p, "RIFF", 4) == 0))
			return magics[i].kind;
	/* Two letters begin many things: the length of the header behind them must be one that exists (12: OS/2, 40 to 124: Windows). */
	if (head.n >= 30 && memcmp(head.p, "BM", 2) == 0 && le32(head.p + 6) == 0 &&
	    (le32(head.p + 14) == 12 || (le32(head.p + 14) >= 40 && le32(head.p + 14) <= 124)))
		return PICTURE_BMP;
	return PICTURE_NONE;
}

static bool too_large(struct picture_size z)
{
	return z.width > PICTURE_SIDE_MAX || z.height > PICTURE_SIDE_MAX || (uint64_t)z.width * z.height > PICTURE_PIXELS_MAX;
}

/* The frame header: all but DHT, JPG and DAC of C0 to CF. Counts the scans, which are what takes time. */
static int jpeg_size(str b, struct picture_size *ret)
{
	size_t at = 2, scans = 0;
	bool found = false;

	while (at + 9 < b.n) {
		uint8_t m = (uint8_t)b.p[at + 1];
		const char *next;

		if ((uint8_t)b.p[at] != 0xff || m == 0 || m == 0xff || (m >= 0xd0 && m <= 0xd8)) {
			next = memchr(b.p + at + 1, 0xff, b.n - at - 1);
			if (!next)
				break;
			at = (size_t)(next - b.p);
			continue;
		}
		if (m == 0xd9)
			break;
		if (m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc && !found) {
			*ret = (struct picture_size){ be32(b.p + at + 5) & 0xffff, be32(b.p + at + 5) >> 16 }; /* height stands first */
			found = true;
		}
		if (m == 0xda && ++scans > SCANS_MAX)
			return -EMSGSIZE;
		at += 2 + (be32(b.p + at) & 0xffff);
	}
	return found ? 0 : -EBADMSG;
}

/* libpng allocates what a chunk says that it has, before it is there. */
static int png_size(str b, struct picture_size *ret)
{
	if (b.n < 33)
		return -EBADMSG;
	for (size_t at = 8, n; at + 8 <= b.n; at += 12 + n) {
		n = be32(b.p + at);
		if (n > b.n - at - 8 && memcmp(b.p + at + 4, "IDAT", 4) != 0)
			return -EBADMSG;
		if (n > b.n - at - 8)
			break;
	}
	*ret = (struct picture_size){ be32(b.p + 16), be32(b.p + 20) };
	return 0;
}

static int tiff_size(str b, unsigned page, struct picture_size *ret)
{
	l_int32 w = 0, h = 0;

	if (readHeaderMemTiff((const l_uint8 *)b.p, b.n, (l_int32)page, &w, &h, NULL, NULL, NULL, NULL, NULL))
		return page ? -ENOENT : -EBADMSG;
	if (w <= 0 || h <= 0)
		return -EBADMSG;
	*ret = (struct picture_size){ (uint32_t)w, (uint32_t)h };
	return 0;
}

static int pnm_size(str b, struct picture_size *ret)
{
	char head[64] = "";
	unsigned w, h, max;

	memcpy(head, b.p, MIN(b.n, sizeof(head) - 1));
	if (sscanf(head, "P5 %9u %9u %9u", &w, &h, &max) != 3 || max != 255)
		return -ENOTSUP;
	*ret = (struct picture_size){ w, h };
	return 0;
}

static int webp_size(str b, struct picture_size *ret)
{
	l_int32 w = 0, h = 0, samples;

	if (b.n >= 30 && memcmp(b.p + 12, "VP8X", 4) == 0) { /* the canvas: what is asked for first */
		w = (l_int32)(le32(b.p + 24) & 0xffffff) + 1;
		h = (l_int32)(le32(b.p + 26) >> 8) + 1;
	} else if (readHeaderMemWebP((const l_uint8 *)b.p, b.n, &w, &h, &samples)) {
		return -EBADMSG;
	}
	*ret = (struct picture_size){ (uint32_t)w, (uint32_t)h };
	return 0;
}

static int bmp_size(str b, struct picture_size *ret)
{
	if (le32(b.p + 14) == 12)
		*ret = (struct picture_size){ le16(b.p + 18), le16(b.p + 20) };
	else
		*ret = (struct picture_size){ le32(b.p + 18), (uint32_t)labs((long)(int32_t)le32(b.p + 22)) };
	return 0;
}

/* The first image's own size: the screen's says nothing of what is unpacked. *ret_end: behind it. */
static int gif_first(str b, struct picture_size *ret, size_t *ret_end)
{
	size_t at = 13;

	if (b.n < 14)
		return -EBADMSG;
	at += b.p[10] & 0x80 ? 3u << ((b.p[10] & 7) + 1) : 0;
	while (at + 11 < b.n) {
		bool image = b.p[at] == 0x2c;

		if (image) {
			*ret = (struct picture_size){ le16(b.p + at + 5), le16(b.p + at + 7) };
			at += 10 + (b.p[at + 9] & 0x80 ? 3u << ((b.p[at + 9] & 7) + 1) : 0) + 1;
		} else if (b.p[at] == 0x21) {
			at += 2;
		} else {
			return -EBADMSG;
		}
		while (at < b.n && b.p[at])
			at += 1 + (uint8_t)b.p[at];
		at++;
		if (image) {
			*ret_end = MIN(at, b.n);
			return at <= b.n ? 0 : -EBADMSG;
		}
	}
	return -EBADMSG;
}

static int size_of(enum picture_kind k, str b, unsigned page, struct picture_size *ret)
{
	size_t end;

	switch (k) {
	case PICTURE_PNG: return png_size(b, ret);
	case PICTURE_JPEG: return jpeg_size(b, ret);
	case PICTURE_TIFF: return tiff_size(b, page, ret);
	case PICTURE_GIF: return gif_first(b, ret, &end);
	case PICTURE_BMP: return bmp_size(b, ret);
	case PICTURE_WEBP: return webp_size(b, ret);
	case PICTURE_PNM: return pnm_size(b, ret);
	default: return -ENOTSUP;
	}
}

int picture_size(enum picture_kind k, str b, unsigned page, struct picture_size *ret)
{
	struct picture_size z = { 0 };
	int r = page && k != PICTURE_TIFF ? -ENOENT : size_of(k, b, page, &z);

	if (r == 0 && (!z.width || !z.height))
		r = -EBADMSG;
	if (r < 0)
		return r;
	*ret = z;
	return too_large(z) ? -EMSGSIZE : 0;
}

static struct Pix *read_gif(str b)
{
	_cleanup_buf_ struct buf one = BUF_INIT;
	struct picture_size z;
	size_t end = 0;

	/* leptonica unpacks every frame of an animation to look at the first. */
	if (gif_first(b, &z, &end) < 0)
		return NULL;
	buf_put(&one, b.p, end);
	buf_putc(&one, 0x3b);
	return one.err ? NULL : pixReadMemGif((const l_uint8 *)one.p, one.n);
}

static struct Pix *read_jpeg(str b, uint32_t side, bool *ret_damaged)
{
	struct picture_size z;
	l_int32 reduce = 1, warnings = 0;
	struct Pix *p;

	if (jpeg_size(b, &z) < 0)
		return NULL;
	while (side && reduce < 8 && MAX(z.width, z.height) / (2 * (uint32_t)reduce) >= side)
		reduce *= 2;
	p = pixReadMemJpeg((const l_uint8 *)b.p, b.n, 0, reduce, &warnings, L_JPEG_READ_LUMINANCE);
	if (!p) /* four colours have no luminance of their own */
		p = pixReadMemJpeg((const l_uint8 *)b.p, b.n, 0, reduce, &warnings, 0);
	*ret_damaged = warnings > 0;
	return p;
}

static struct Pix *read_any(enum picture_kind k, str b, unsigned page, uint32_t side, bool *ret_damaged)
{
	const l_uint8 *p = (const l_uint8 *)b.p;

	switch (k) {
	case PICTURE_PNG: return pixReadMemPng(p, b.n);
	case PICTURE_JPEG: return read_jpeg(b, side, ret_damaged);
	case PICTURE_TIFF: return pixReadMemTiff(p, b.n, (l_int32)page);
	case PICTURE_GIF: return read_gif(b);
	case PICTURE_BMP: return pixReadMemBmp(p, b.n);
	case PICTURE_WEBP: return pixReadMemWebP(p, b.n);
	case PICTURE_PNM: return pixReadMemPnm(p, b.n);
	default: return NULL;
	}
}

/* EXIF's numbers: quarter turns clockwise, and whether it is mirrored left to right first. */
static struct Pix *upright(struct Pix *p, unsigned orientation)
{
	static const struct {
		uint8_t turns;
		bool mirror;
	} rows[9] = { [2] = { 0, true }, [3] = { 2, false }, [4] = { 2, true }, [5] = { 3, true }, [6] = { 1, false }, [7] = { 1, true }, [8] =
			{ 3, false } };
	struct Pix *turned;

	if (orientation < 2 || orientation > 8)
		return p;
	if (rows[orientation].mirror)
		pixFlipLR(p, p);
	if (!rows[orientation].turns)
		return p;
	turned = pixRotateOrth(p, rows[orientation].turns);
	picture_free(p);
	return turned;
}

int picture_grey(enum picture_kind k, str b, unsigned page, uint32_t side, struct Pix **ret, bool *ret_damaged)
{
	struct Pix *p, *grey;

	*ret_damaged = false;
	p = read_any(k, b, page, side, ret_damaged);
	if (!p)
		return -EBADMSG;
	if (too_large((struct picture_size){ (uint32_t)pixGetWidth(p), (uint32_t)pixGetHeight(p) })) {
		picture_free(p);
		return -EMSGSIZE;
	}
	if (pixGetDepth(p) == 32 && pixGetSpp(p) == 4) {
		grey = pixAlphaBlendUniform(p, 0xffffff00);
		picture_free(p);
		p = grey;
	}
	grey = p ? pixConvertTo8(p, 0) : NULL;
	picture_free(p);
	if (grey)
		grey = upright(grey, picture_orientation(k, b));
	if (!grey)
		return -ENOMEM;
	*ret = grey;
	return 0;
}

struct Pix *picture_free(struct Pix *p)
{
	pixDestroy(&p);
	return NULL;
}
