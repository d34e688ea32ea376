/* picture.h — pixels of a picture, within caps; its perceptual hash; what its properties say.
 *
 * Purpose: shared by image, pdf and ocr; leptonica stays behind it. Ownership: a struct Pix that is returned is the caller's
 * (picture_free).
 * Units: pixels. Threads: one. Errors: -EBADMSG damaged, -EMSGSIZE more pixels than the cap, -ENOTSUP a variant that nobody here reads,
 * -ENOMEM.
 */
#ifndef TYTO_PICTURE_H
#define TYTO_PICTURE_H

#include "extract/format.h"

#define PICTURE_PIXELS_MAX (100u << 20) /* decoded at four bytes each: 400 MiB of the worker's 1 GiB */
#define PICTURE_SIDE_MAX 65535
#define PICTURE_PAGES_MAX 200           /* of one TIFF */
#define PICTURE_TEXT_MIN 24             /* neither side of a picture with text is shorter, */
#define PICTURE_TEXT_PIXELS 8000       /* and it has this many pixels: below are icons and bullets */

enum picture_kind { PICTURE_NONE, PICTURE_PNG, PICTURE_JPEG, PICTURE_TIFF, PICTURE_GIF, PICTURE_BMP, PICTURE_WEBP, PICTURE_PNM };

struct Pix;
struct picture_size {
	uint32_t width, height;
};

/* By the first bytes. */
enum picture_kind picture_kind(str head);
/* Of page n, from 0, by the headers alone; -ENOENT: no such page. -EMSGSIZE: the size is set, but nobody may decode it. */
int picture_size(enum picture_kind k, str bytes, unsigned page, struct picture_size *ret);
/* Eight bits of grey, transparent on white, upright as the file says. Only after picture_size said 0. side: this many pixels along its
 * longer side are enough (a JPEG is then decoded at a fraction of its size). *ret_damaged: pixels are missing at its end. */
int picture_grey(enum picture_kind k, str bytes, unsigned page, uint32_t side, struct Pix **ret, bool *ret_damaged);
#define PICTURE_HASH_SIDE 256
#define PICTURE_TEXT_SIDE 3500
struct Pix *picture_free(struct Pix *p);
static inline void picture_freep(struct Pix **p)
{
	*p = picture_free(*p);
}
static inline bool picture_has_room_for_text(struct picture_size z)
{
	return MIN(z.width, z.height) >= PICTURE_TEXT_MIN && (uint64_t)z.width * z.height >= PICTURE_TEXT_PIXELS;
}

/* 64 bits that nearly stay when the picture is scaled or compressed: phash.c says how. False: a flat picture, which has none. */
bool picture_hash(const struct Pix *grey, uint64_t *ret);

/* EXIF's turn of the picture, 1 to 8 (1 upright); 1 where nothing is said. */
unsigned picture_orientation(enum picture_kind k, str bytes);
/* Title, author, comment… by EXIF, XMP and the texts of PNG. */
void picture_properties(enum picture_kind k, str bytes, struct sink *s);

/* xmp.c: an XMP packet, also of PDF: dc, xmp, pdf and photoshop properties; msip_… as labels of PDF. */
void xmp_properties(str packet, struct sink *s);

#endif
