/* A text that is kept longer than its reader keeps it: the same in everything, and its own. */
#include "../test.h"

#include "extract/text.h"

static str block(const char *a, const char *b, str *ret_b)
{
	size_t n = strlen(a), m = strlen(b);
	char *p = malloc(n + m + 1);

	memcpy(p, a, n);
	memcpy(p + n, b, m);
	*ret_b = (str){ p + n, m };
	return (str){ p, n };
}

static void make(struct text *t)
{
	*t = (struct text){ .chars = 7, .cut = true, .wants_ocr = true };
	buf_puts(&t->bytes, STR("one two"));
	t->spans = calloc(4, sizeof(*t->spans));
	t->cap_spans = 4;
	t->spans[t->n_spans++] = (struct span){ .at = 0, .n = 3, .zone = ZONE_TITLE, .block = 1 };
	t->spans[t->n_spans++] = (struct span){ .at = 4, .n = 3, .zone = ZONE_CELL, .row = 2, .col = 3, .table = 1, .block = 2 };
	t->metas = calloc(2, sizeof(*t->metas));
	t->metas[0].key = block("author", "clerk", &t->metas[0].value);
	t->metas[1].key = block("title", "", &t->metas[1].value);
	t->n_metas = 2;
	t->labels = calloc(1, sizeof(*t->labels));
	t->labels[0] = (struct mslabel){ .enabled = true, .source = 3 };
	t->labels[0].guid = block("1234", "Secret", &t->labels[0].name);
	t->n_labels = 1;
	t->images = calloc(1, sizeof(*t->images));
	t->images[0] = (struct image){ .sha256 = { 5 }, .phash = 6, .width = 7, .height = 8, .has_phash = true };
	t->n_images = 1;
}

static void same_and_its_own(void **state)
{
	struct text a, b = { 0 };

	make(&a);
	assert_int_equal(text_copy(&b, &a), 0);
	text_free(&a); /* the copy must not need it */
	assert_str(buf_str(&b.bytes), "one two");
	assert_true(b.n_spans == 2 && b.spans[1].zone == ZONE_CELL && b.spans[1].row == 2 && b.spans[1].col == 3);
	assert_str(text_span(&b, &b.spans[1]), "two");
	assert_true(b.n_metas == 2);
	assert_str(b.metas[0].key, "author");
	assert_str(b.metas[0].value, "clerk");
	assert_str(b.metas[1].key, "title");
	assert_true(b.metas[1].value.n == 0);
	assert_true(b.n_labels == 1 && b.labels[0].enabled && b.labels[0].source == 3);
	assert_str(b.labels[0].guid, "1234");
	assert_str(b.labels[0].name, "Secret");
	assert_true(b.n_images == 1 && b.images[0].sha256[0] == 5 && b.images[0].phash == 6 && b.images[0].has_phash);
	assert_true(b.chars == 7 && b.cut && b.wants_ocr);
	text_free(&b);
}

static void nothing(void **state)
{
	struct text a = { 0 }, b = { .chars = 1 };

	assert_int_equal(text_copy(&b, &a), 0);
	assert_true(b.bytes.n == 0 && b.n_spans == 0 && b.n_metas == 0 && b.n_labels == 0 && b.n_images == 0 && b.chars == 0);
	text_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(same_and_its_own), cmocka_unit_test(nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
