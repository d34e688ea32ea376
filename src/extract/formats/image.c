/* Pictures: size, perceptual hash, properties; and their text where it is wanted. */
#include <errno.h>
#include <leptonica/allheaders.h>

#include "extract/formats/ocr.h"
#include "extract/formats/picture.h"
#include "extract/sink.h"

static const char *const mimes[] = {
	[PICTURE_PNG] = "image/png", [PICTURE_JPEG] = "image/jpeg", [PICTURE_TIFF] = "image/tiff", [PICTURE_GIF] = "image/gif",
	[PICTURE_BMP] = "image/bmp", [PICTURE_WEBP] = "image/webp", [PICTURE_PNM] = "image/x-portable-graymap",
};

static int bid(struct in *in, str head)
{
	return picture_kind(head) ? 70 : 0;
}

/* One page: *ret as far as it is known, text where wanted. */
static int look(enum picture_kind k, str bytes, unsigned page, struct image *ret, struct buf *text, bool *ret_damaged)
{
	_cleanup_(picture_freep) struct Pix *p = NULL;
	struct picture_size z = { 0 };
	int r = picture_size(k, bytes, page, &z);

	ret->width = z.width;
	ret->height = z.height;
	if (r == 0)
		r = picture_grey(k, bytes, page, text ? PICTURE_TEXT_SIDE : PICTURE_HASH_SIDE, &p, ret_damaged);
	if (r < 0)
		return r;
	ret->has_phash = picture_hash(p, &ret->phash);
	return text && picture_has_room_for_text(z) && ret->has_phash ? ocr_read(p, text) : 0;
}

static int look_inside(str bytes, struct image *ret, struct buf *text)
{
	enum picture_kind k = picture_kind(bytes);
	bool damaged;
	int r = k ? look(k, bytes, 0, ret, ocr_ready() ? text : NULL, &damaged) : -ENOTSUP;

	return r == -ENOTSUP || r == -EBADMSG ? r : 0; /* the size of what is too large to look at is known */
}

/* What went wrong, in words. */
static int explain(struct sink *s, int r, const struct image *i, unsigned page, bool damaged)
{
	if (r == -EMSGSIZE && i->width)
		sink_reason(s, "%u x %u pixels are more than are decoded", i->width, i->height);
	else if (r == -EMSGSIZE)
		sink_reason(s, "passes over its pixels too often");
	else if (r == -EBADMSG && page)
		sink_reason(s, "page %u cannot be decoded", page + 1);
	else if (r == -EBADMSG)
		sink_reason(s, "its pixels cannot be decoded");
	else if (r == -ETIME)
		sink_reason(s, "its text took too long to read");
	else if (r == 0 && damaged)
		sink_reason(s, "pixels are missing at its end");
	return r == 0 && damaged ? -EBADMSG : r;
}

static int read_pages(enum picture_kind k, str bytes, struct sink *s)
{
	bool now = sink_ocr(s) == OCR_NOW, wants = false;
	uint8_t sum[SHA256_LEN];
	int r = 0;

	sha256_parts(sink_doc(s)->hash, &bytes, 1, sum);
	for (unsigned page = 0; page < PICTURE_PAGES_MAX && !sink_full(s); page++) {
		_cleanup_buf_ struct buf text = BUF_INIT;
		struct image i = { 0 };
		bool damaged = false;

		r = look(k, bytes, page, &i, now && ocr_ready() ? &text : NULL, &damaged);
		if (page && r == -ENOENT)
			return 0;
		memcpy(i.sha256, sum, sizeof(sum));
		if (i.width)
			sink_picture(s, &i);
		sink_lines(s, ZONE_OCR, buf_str(&text));
		wants = wants || (i.has_phash && picture_has_room_for_text((struct picture_size){ i.width, i.height }));
		if (wants && (!now || !ocr_ready() || r == -ETIME))
			sink_wants_ocr(s);
		r = explain(s, r, &i, page, damaged);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_image(struct in *in, struct sink *s)
{
	enum picture_kind k = picture_kind(in_head(in));
	str bytes;
	int r = in_whole(in, IN_WHOLE_MAX, &bytes);

	if (r < 0)
		return r;
	sink_type(s, mimes[k]);
	picture_properties(k, bytes, s);
	r = read_pages(k, bytes, s);
	if (r == 0 && sink_ocr(s) == OCR_NOW && !ocr_ready())
		sink_reason(s, "tesseract is not installed: its text was not read");
	return r;
}

static int prepare(void)
{
	setMsgSeverity(L_SEVERITY_NONE);
	image_look = look_inside;
	return ocr_prepare();
}

const struct format format_image = { .name = "image", .mime = "image/png", .bid = bid, .read = read_image, .prepare = prepare };
