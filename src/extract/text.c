#include "extract/text.h"

static const char *const zone_names[ZONE_MAX_] = {
	[ZONE_BODY] = "body", [ZONE_TITLE] = "title", [ZONE_HEADER] = "header", [ZONE_FOOTER] = "footer", [ZONE_WATERMARK] = "watermark",
	[ZONE_CELL] = "cell", [ZONE_SHEET] = "sheet", [ZONE_COMMENT] = "comment", [ZONE_NOTE] = "note", [ZONE_DELETED] = "deleted",
	[ZONE_ADDRESS] = "address", [ZONE_LINK] = "link", [ZONE_OCR] = "ocr",
};

const char *zone_name(enum zone z)
{
	return (unsigned)z < ZONE_MAX_ && zone_names[z] ? zone_names[z] : "unknown";
}

void text_clear(struct text *t)
{
	for (size_t i = 0; i < t->n_metas; i++)
		free((char *)t->metas[i].key.p); /* key and value are one block */
	for (size_t i = 0; i < t->n_labels; i++)
		free((char *)t->labels[i].guid.p);
	buf_clear(&t->bytes);
	t->n_spans = t->n_metas = t->n_labels = t->n_images = 0;
	t->chars = 0;
	t->cut = t->wants_ocr = false;
}

void text_free(struct text *t)
{
	text_clear(t);
	buf_free(&t->bytes);
	free(t->spans);
	free(t->metas);
	free(t->labels);
	free(t->images);
	*t = (struct text){ 0 };
}
