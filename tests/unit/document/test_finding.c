/* The finder: order, spans, cells, full-width forms, extra literals, caps. */
#include "../test.h"

#include "finding_case.h"

static void test_order_and_offsets(void **state)
{
	find(
	     "mail a.b+c@Example.COM, call 03-1234-5678; card 4111 1111 1111 1111.");
	assert_int_equal(found.n, 3);
	assert_hit(0, DET_EMAIL, "a.b+c@Example.COM", "a.b+c@example.com");
	assert_hit(1, DET_PHONE, "03-1234-5678", "+81312345678");
	assert_hit(2, DET_PAYMENT_CARD, "4111 1111 1111 1111", "4111111111111111");
	assert_int_equal(found.count[DET_EMAIL], 1);
	assert_false(found.cut);
}

static void test_empty(void **state)
{
	find("");
	assert_int_equal(found.n, 0);
	find("no number and no sign");
	assert_int_equal(found.n, 0);
}

static void test_full_width(void **state)
{
	find("電話：０３−１２３４−５６７８　ＴＥＬ　０９０ー１２３４ー５６７８、ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ。");
	assert_int_equal(found.n, 3);
	assert_hit(0, DET_PHONE, "０３−１２３４−５６７８", "+81312345678");
	assert_hit(1, DET_PHONE, "０９０ー１２３４ー５６７８", "+819012345678");
	assert_hit(2, DET_EMAIL, "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "taro@example.jp");
}

static void test_never_across_spans(void **state)
{
	struct text t = { 0 };

	buf_puts(&t.bytes, STR("4111 1111 1111 1111"));
	t.spans = calloc(2, sizeof(*t.spans));
	t.n_spans = 2;
	t.spans[0] = (struct span){ .at = 0, .n = 10, .block = 1, .zone = ZONE_BODY };
	t.spans[1] = (struct span){ .at = 10, .n = 9, .block = 1, .zone = ZONE_BODY };
	run(&t);
	assert_int_equal(found.n, 0);
	t.spans[0].n = 0;
	t.spans[1] = (struct span){ .at = 0, .n = 19, .block = 1, .zone = ZONE_BODY };
	run(&t);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.hit[0].span, 1);
	text_free(&t);
}

static void test_extra_literals(void **state)
{
	const struct finder_literal extra[] = { { STR("社外秘"), 1, false }, { STR("Confidential"), 2, true }, { STR("ＴＬＰ：ＲＥＤ"), 3, true } };

	finder_begin(extra, 3);
	find("ＣＯＮＦＩＤＥＮＴＩＡＬ unconfidential confidentiality tlp:red 【社外秘】 Confidential, x");
	assert_int_equal(found.n, 4);
	assert_literal(0, 2, "ＣＯＮＦＩＤＥＮＴＩＡＬ");
	assert_literal(1, 3, "tlp:red");
	assert_literal(2, 1, "社外秘");
	assert_literal(3, 2, "Confidential");
	finder_begin(NULL, 0);
}

/* A window ends behind a line; what stands around its end is found once. */
static void test_windows(void **state)
{
	struct text t = { 0 };

	for (int i = 0; i < 40000; i++)
		buf_puts(&t.bytes, i % 3 ? STR("a line of text without anything in it\n") : STR("電話 ０９０-1234-5678 and x@example.com\n"));
	run(&t);
	assert_int_equal(found.count[DET_PHONE], 13334);
	assert_int_equal(found.count[DET_EMAIL], 13334);
	for (size_t i = 1; i < found.n; i++)
		assert_true(found.hit[i].at > found.hit[i - 1].at);
	assert_false(found.cut);
	buf_clear(&t.bytes);
	for (int i = 0; i < 30000; i++) /* one line */
		buf_puts(&t.bytes, STR("x@example.com "));
	run(&t);
	assert_int_equal(found.count[DET_EMAIL], 30000);
	text_free(&t);
}

static void test_cap(void **state)
{
	struct text t = { 0 };

	for (unsigned i = 0; i < HITS_MAX + 7; i++)
		buf_puts(&t.bytes, STR("a@b.co "));
	run(&t);
	assert_int_equal(found.n, HITS_MAX);
	assert_int_equal(found.count[DET_EMAIL], HITS_MAX + 7);
	assert_true(found.cut);
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_offsets), cmocka_unit_test(test_empty), cmocka_unit_test(test_full_width),
		cmocka_unit_test(test_never_across_spans), cmocka_unit_test(test_extra_literals), cmocka_unit_test(test_windows), cmocka_unit_test(test_cap),
	};

	return cmocka_run_group_tests(tests, finder_setup, finder_teardown);
}
