/* Office's drawing records (MS-ODRAW): what word art says, and pictures. In doc, xls and ppt alike. */
#include "extract/formats/ole.h"

#include <errno.h>

#define DEPTH_MAX 16
#define RECORDS_MAX 200000u

enum { ART_FBSE = 0xf007, ART_FOPT = 0xf00b, ART_BLIP_FIRST = 0xf018, ART_BLIP_LAST = 0xf117, ART_JPEG = 0xf01d, ART_PNG, ART_DIB,
	ART_TIFF = 0xf029, ART_JPEG2 };

struct walk {
	struct sink *sink;
	enum zone zone;
	str delay; /* where pictures stand that are only pointed at */
	unsigned left;
	void (*leaf)(struct walk *w, uint16_t head, uint16_t type, str data);
};

static void records(struct walk *w, str s, unsigned depth)
{
	for (size_t at = 0; le_has(s, at, 8) && w->left && !sink_full(w->sink); w->left--) {
		uint16_t head = le16(s, at), type = le16(s, at + 2);
		str data = le_sub(s, at + 8, le32(s, at + 4));

		if ((type & 0xf000) != 0xf000) { /* a number before each drawing of Word, or the end */
			at++;
			continue;
		}
		if ((head & 15) == 15 && depth < DEPTH_MAX)
			records(w, data, depth + 1);
		else
			w->leaf(w, head, type, data);
		at += 8 + data.n;
	}
}

/* Properties of a shape: six bytes each, long values behind them in order. */
static void leaf_text(struct walk *w, uint16_t head, uint16_t type, str data)
{
	size_t n = head >> 4, at = 6 * n;

	if (type != ART_FOPT)
		return;
	for (size_t i = 0; i < n && le_has(data, 6 * i, 6); i++) {
		uint16_t id = le16(data, 6 * i);
		uint32_t value = le32(data, 6 * i + 2);

		if (!(id & 0x8000))
			continue;
		if ((id & 0x3fff) == 0x00c0) {
			_cleanup_buf_ struct buf b = BUF_INIT;

			ole_utf16(&b, le_sub(data, at, value), true);
			sink_text(w->sink, w->zone, buf_str(&b));
			sink_block(w->sink);
		}
		at += value;
	}
}

static void blip(struct walk *w, uint16_t head, uint16_t type, str data)
{
	/* One checksum or two before the bytes, and a mark. */
	size_t skip = (head >> 4) & 1 ? 33 : 17;

	if (type == ART_JPEG || type == ART_PNG || type == ART_TIFF || type == ART_JPEG2)
		if (data.n > skip)
			sink_image(w->sink, STR_NONE, le_sub(data, skip, data.n));
}

static void leaf_picture(struct walk *w, uint16_t head, uint16_t type, str data)
{
	size_t at = le32(data, 28);

	if (type != ART_FBSE) {
		blip(w, head, type, data);
	} else if (data.n > 36 + 8) {
		str rest = le_sub(data, 36ul + le8(data, 33), data.n);

		blip(w, le16(rest, 0), le16(rest, 2), le_sub(rest, 8, le32(rest, 4)));
	} else if (at && at != UINT32_MAX) {
		blip(w, le16(w->delay, at), le16(w->delay, at + 2), le_sub(w->delay, at + 8, le32(w->delay, at + 4)));
	}
}

void art_text(str s, struct sink *sink, enum zone zone)
{
	struct walk w = { .sink = sink, .zone = zone, .left = RECORDS_MAX, .leaf = leaf_text };

	records(&w, s, 0);
}

void art_pictures(str s, str delay, struct sink *sink)
{
	struct walk w = { .sink = sink, .delay = delay, .left = RECORDS_MAX, .leaf = leaf_picture };

	records(&w, s, 0);
}
