/* text.h — what a document says: text in zones, cells, properties, labels, images, parts.
 *
 * Purpose: the one form in which text leaves the extractors; classifiers and fingerprints read it and nothing else of a document.
 * Ownership: struct text owns everything in it (text_free); strs point into it. Units: offsets and lengths in bytes of `bytes`, which is
 * well-formed UTF-8 throughout and never holds NUL; rows and columns from 1. Threads: plain data. Errors: negative errno; -EMSGSIZE at a
 * cap.
 *
 *   bytes   ┌─────────────┬────────┬──────────────┬ … one after the other, a '\n' between spans that do not join
 *   spans   │ title       │ cell   │ body         │   in order of `at`
 *           └─────────────┴────────┴──────────────┘
 */
#ifndef TYTO_TEXT_H
#define TYTO_TEXT_H

#include "base/buf.h"

#define TEXT_MAX (64u << 20)        /* bytes of text of one part */
#define TEXT_SPANS_MAX (8u << 20)
#define TEXT_META_MAX 1024          /* properties of one part */
#define TEXT_META_VALUE_MAX 4096    /* bytes of one */
#define TEXT_IMAGES_MAX 4096
#define TEXT_NAME_MAX 1024          /* bytes of a part's name, MIME type, reason */

/* Where a run of text stands. Append-only: numbers go over the wire. */
enum zone {
	ZONE_BODY = 1,
	ZONE_TITLE,     /* title of a page, slide, mail subject */
	ZONE_HEADER,
	ZONE_FOOTER,
	ZONE_WATERMARK,
	ZONE_CELL,      /* a table's cell: row and col are set */
	ZONE_SHEET,     /* name of a sheet or table */
	ZONE_COMMENT,
	ZONE_NOTE,      /* speaker's notes, footnotes, endnotes */
	ZONE_DELETED,   /* tracked deletion */
	ZONE_ADDRESS,   /* From, To, Cc of a mail */
	ZONE_LINK,      /* target of a link */
	ZONE_OCR,       /* read from an image */
	ZONE_MAX_
};
const char *zone_name(enum zone z);

enum span_flag { SPAN_HIDDEN = 1 /* hidden sheet, row, slide, text */ };

struct span {
	uint32_t at, n;
	uint32_t table;   /* 0: none; sheet or table, from 1, in order */
	uint32_t row, col; /* 0 where there is no table */
	uint32_t block;   /* paragraph, cell, mail part…: rises from 1; spans of one block belong together */
	uint8_t zone, flags;
};

struct meta {
	/* lower case: title subject keywords category comments author company manager created modified producer custom:NAME header:NAME */
	str key;
	str value;
};

/* A sensitivity label that Microsoft's products write (docMetadata/LabelInfo.xml, msip_… properties, mail header msip_labels). */
struct mslabel {
	str guid;      /* lower case, without braces */
	str name;      /* as stored, may be empty */
	bool enabled;
	uint8_t source; /* 1 LabelInfo.xml, 2 custom properties, 3 PDF Info or XMP, 4 mail header */
};

struct image {
	uint8_t sha256[32];
	uint64_t phash;     /* perceptual hash; valid when has_phash */
	uint32_t width, height;
	bool has_phash;
};

struct text {
	struct buf bytes;
	struct span *spans;
	size_t n_spans, cap_spans;
	struct meta *metas;
	size_t n_metas;
	struct mslabel *labels;
	size_t n_labels;
	struct image *images;
	size_t n_images;
	uint64_t chars;    /* code points of bytes, separators not counted */
	bool cut;          /* there was more than the caps let through */
	bool wants_ocr;    /* pictures with (nearly) no text */
};

void text_free(struct text *t);
void text_clear(struct text *t); /* keeps the memory */
/* All of it, for whoever needs it longer than the extractor keeps it. ret is left alone on failure. */
int text_copy(struct text *ret, const struct text *from);

static inline str text_span(const struct text *t, const struct span *s)
{
	return (str){ t->bytes.p + s->at, s->n };
}

#endif
