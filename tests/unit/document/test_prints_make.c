/* From a text to what is put: the running text apart, pieces give what the whole gives, what one reads is found. */
#include "../test.h"

#include "document/prints.h"

static const uint8_t key[FINGERPRINT_KEY] = "sixteen bytes!!";

struct made_text {
	struct buf b;
	struct span s[64];
	struct text t;
};

static void add(struct made_text *x, enum zone zone, uint8_t flags, const char *text)
{
	if (x->b.n)
		buf_putc(&x->b, '\n');
	assert_true(x->t.n_spans < ARRAY_SIZE(x->s));
	x->s[x->t.n_spans++] = (struct span){ .at = (uint32_t)x->b.n, .n = (uint32_t)strlen(text), .zone = (uint8_t)zone, .flags = flags };
	buf_puts(&x->b, str_c(text));
	x->t.bytes = x->b;
	x->t.spans = x->s;
}

static bool holds(const struct prints_made *m, enum prints_kind kind, uint64_t k)
{
	for (size_t i = 0; i < m->n[kind]; i++)
		if (m->e[kind][i].key == k)
			return true;
	return false;
}

/* Every fingerprint of text stands in m. */
static bool all_in(const struct prints_made *m, const char *text)
{
	struct made_text x = { 0 };
	struct prints_made q = { 0 };
	bool all = true;

	add(&x, ZONE_BODY, 0, text);
	assert_int_equal(prints_make(&q, key, &x.t), 0);
	for (unsigned k = 0; k < PRINTS_KINDS; k++) {
		assert_true(q.n[k] > 0);
		for (size_t i = 0; i < q.n[k]; i++)
			all = all && holds(m, (enum prints_kind)k, q.e[k][i].key);
	}
	prints_made_free(&q);
	buf_free(&x.b);
	return all;
}

static void both(const struct text *t, struct prints_made *whole)
{
	struct prints_made pieces = { 0 };

	assert_int_equal(prints_make(whole, key, t), 0);
	assert_int_equal(prints_make_keys(&pieces, key, t), 0);
	for (unsigned k = 0; k < PRINTS_KINDS; k++) {
		assert_int_equal(pieces.n[k], whole->n[k]);
		for (size_t i = 0; i < whole->n[k]; i++) {
			assert_true(pieces.e[k][i].key == whole->e[k][i].key);
			assert_true(i == 0 || whole->e[k][i - 1].key < whole->e[k][i].key);
		}
	}
	prints_made_free(&pieces);
}

static void running_text_apart(void **state)
{
	struct made_text x = { 0 };
	struct prints_made m = { 0 };

	add(&x, ZONE_HEADER, 0, "");
	add(&x, ZONE_TITLE, 0, "");
	add(&x, ZONE_BODY, 0, "Please see the offer of the");
	add(&x, ZONE_LINK, 0, "https://example.com/a/very/long/address/of/something?else=1");
	add(&x, ZONE_BODY, 0, "northern branch before you sign");
	add(&x, ZONE_DELETED, 0, "and pay everything in advance, which nobody does");
	add(&x, ZONE_BODY, SPAN_HIDDEN, "a hidden row that nobody sees but the clerk");
	add(&x, ZONE_OCR, 0, "or do not sign at all, as the stamp says");
	both(&x.t, &m);
	assert_true(m.aside > 0 && m.aside < m.text.n);
	assert_true(all_in(&m, "offer of the northern branch bef")); /* across the link */
	assert_true(all_in(&m, "before you sign or do not sign at all"));
	assert_true(all_in(&m, "and pay everything in advance, which nobody does a hidden row"));
	assert_true(all_in(&m, "example.com/a/very/long/address/of/something?else=1"));
	assert_false(all_in(&m, "at all, as the stamp says https example com a very long")); /* not over the border */
	/* Places lead back into the text, on both sides of the border. */
	assert_memory_equal(x.b.p + m.text.at[0], "Please", 6);
	assert_memory_equal(x.b.p + m.text.at[m.aside], "https", 5);
	for (size_t i = 1; i < m.f[PRINTS_TEXT].n; i++)
		assert_true(m.f[PRINTS_TEXT].f[i].pos > m.f[PRINTS_TEXT].f[i - 1].pos);
	prints_made_free(&m);
	buf_free(&x.b);
}

static void nothing_and_little(void **state)
{
	struct made_text x = { 0 };
	struct prints_made m = { 0 };

	both(&x.t, &m);
	assert_true(m.n[PRINTS_TEXT] == 0 && m.n[PRINTS_SCAN] == 0);
	add(&x, ZONE_BODY, 0, "yes");
	both(&x.t, &m);
	assert_true(m.n[PRINTS_TEXT] == 0 && m.n[PRINTS_SCAN] == 0);
	add(&x, ZONE_LINK, 0, "no");
	both(&x.t, &m);
	assert_int_equal(m.n[PRINTS_TEXT], 0);
	prints_made_free(&m);
	buf_free(&x.b);
}

/* Several megabytes in one line: with blanks, without, and of what may join across any cut. */
static void pieces_as_the_whole(void **state)
{
	static const char *const alphabets[][4] = { { "offer ", "branch ", "sign. ", "x" }, { "契約", "は本日", "の", "一" }, { "e\u0301", "ﾊﾟ", "か\u3099", "á" } };
	uint64_t rng = 5;

	for (size_t a = 0; a < ARRAY_SIZE(alphabets); a++) {
		struct made_text x = { 0 };
		struct prints_made m = { 0 };

		x.b.max = 8 << 20;
		while (x.b.n < (5 << 19)) {
			rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
			buf_puts(&x.b, str_c(alphabets[a][rng >> 62]));
			if (rng % 97 == 0)
				buf_putf(&x.b, "%u", (unsigned)(rng >> 33));
		}
		x.s[0] = (struct span){ .n = (uint32_t)x.b.n, .zone = ZONE_BODY };
		x.t = (struct text){ .bytes = x.b, .spans = x.s, .n_spans = 1 };
		if (a + 1 < ARRAY_SIZE(alphabets))
			both(&x.t, &m);
		else
			assert_int_equal(prints_make_keys(&m, key, &x.t), 0);
		assert_true(m.n[PRINTS_TEXT] > 1000);
		prints_made_free(&m);
		buf_free(&x.b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(running_text_apart), cmocka_unit_test(nothing_and_little), cmocka_unit_test(pieces_as_the_whole) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
