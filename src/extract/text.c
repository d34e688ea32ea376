#include "extract/text.h"

#include <errno.h>
#include <stdlib.h>

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

/* Two strs in one block, as text_clear frees them. */
static int copy_two(str a, str b, str *ret_a, str *ret_b)
{
	char *p = malloc(a.n + b.n + 1);

	if (!p)
		return -ENOMEM;
	memcpy(p, a.p, a.n);
	if (b.n)
		memcpy(p + a.n, b.p, b.n);
	*ret_a = (str){ p, a.n };
	*ret_b = (str){ p + a.n, b.n };
	/* cppcheck-suppress memleak ; ret_a keeps it */
	return 0;
}

static int copy_array(void *to, const void *from, size_t n, size_t size)
{
	void **p = to;

	if (n == 0)
		return 0;
	*p = reallocarray(NULL, n, size);
	if (!*p)
		return -ENOMEM;
	memcpy(*p, from, n * size);
	return 0;
}

static int copy_named(struct text *t, const struct text *from)
{
	int r = 0;

	t->metas = calloc(from->n_metas + 1, sizeof(*t->metas));
	t->labels = calloc(from->n_labels + 1, sizeof(*t->labels));
	if (!t->metas || !t->labels)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < from->n_metas; i++) {
		r = copy_two(from->metas[i].key, from->metas[i].value, &t->metas[i].key, &t->metas[i].value);
		t->n_metas += r == 0;
	}
	for (size_t i = 0; r == 0 && i < from->n_labels; i++) {
		t->labels[i] = from->labels[i];
		r = copy_two(from->labels[i].guid, from->labels[i].name, &t->labels[i].guid, &t->labels[i].name);
		t->n_labels += r == 0;
	}
	return r;
}

int text_copy(struct text *ret, const struct text *from)
{
	struct text t = { .chars = from->chars, .cut = from->cut, .wants_ocr = from->wants_ocr };
	int r;

	buf_puts(&t.bytes, buf_str(&from->bytes));
	r = buf_error(&t.bytes);
	if (r == 0)
		r = copy_array(&t.spans, from->spans, from->n_spans, sizeof(*from->spans));
	if (r == 0)
		r = copy_array(&t.images, from->images, from->n_images, sizeof(*from->images));
	if (r == 0)
		r = copy_named(&t, from);
	if (r < 0) {
		text_free(&t);
		return r;
	}
	t.n_spans = t.cap_spans = from->n_spans;
	t.n_images = from->n_images;
	*ret = t;
	return 0;
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
