/* The parent's decoder on frames that no honest worker sends: what it holds is bounded, whatever the depth. */
#include "fixture.h"

#include "extract/wire.h"

static void put_frame(struct buf *b, uint8_t kind, uint8_t zone, uint16_t flags, str body)
{
	struct frame f = { .n = (uint32_t)body.n, .kind = kind, .zone = zone, .flags = flags };

	buf_put(b, &f, sizeof(f));
	buf_puts(b, body);
}

struct sum {
	size_t parts, spans, bytes, cut;
};

static int on_part(void *arg, const struct extract_part *p)
{
	struct sum *s = arg;

	s->parts++;
	s->spans += p->text.n_spans;
	s->bytes += p->text.bytes.n;
	s->cut += p->text.cut;
	return 0;
}

static void feed(struct decoder *d, const struct buf *b)
{
	const char *body;
	struct frame f;

	assert_int_equal(decoder_feed(d, b->p, b->n, &f, &body), (ssize_t)b->n);
	assert_int_equal(f.kind, 0);
}

static void test_held(void **state)
{
	_cleanup_buf_ struct buf begin = BUF_INIT, many = BUF_INIT;
	struct decoder *d = decoder_new(TEXT_MAX);
	struct sum sum = { 0 };

	put_frame(&begin, FRAME_BEGIN, 0, 0, STR("a"));
	for (int i = 0; i < 1 << 16; i++)
		put_frame(&many, FRAME_TEXT, ZONE_BODY, FRAME_NEW, STR("x"));
	decoder_start(d, on_part, &sum);
	/* Each level would hold a little less than what one alone may. */
	for (int level = 0; level < 4; level++) {
		feed(d, &begin);
		for (int i = 0; i < 70; i++)
			feed(d, &many);
	}
	assert_int_equal(decoder_abort(d, "unreadable: the end"), 0);
	assert_int_equal(sum.parts, 4);
	assert_true(sum.cut >= 1);
	assert_true(sum.spans * sizeof(struct span) + sum.bytes <= 384u << 20);
	assert_true(sum.spans * sizeof(struct span) + sum.bytes > 300u << 20);
	/* What was handed out no longer counts. */
	sum = (struct sum){ 0 };
	decoder_start(d, on_part, &sum);
	feed(d, &begin);
	feed(d, &many);
	assert_int_equal(decoder_abort(d, "unreadable: the end"), 0);
	assert_int_equal(sum.cut, 0);
	assert_int_equal(sum.spans, 1 << 16);
	decoder_free(d);
}

/* Nothing was begun: the document itself is named all the same. */
static void test_nothing(void **state)
{
	struct decoder *d = decoder_new(TEXT_MAX);
	struct sum sum = { 0 };

	decoder_start(d, on_part, &sum);
	assert_int_equal(decoder_abort(d, "unreadable: the end"), 0);
	assert_int_equal(sum.parts, 1);
	assert_int_equal(sum.spans, 0);
	decoder_free(d);
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(test_held), cmocka_unit_test(test_nothing) };
EXTRACT_TEST_MAIN(tests)
