/* Pictures: taken out of a document, saved anew, made smaller; and those that many have, or that say nothing. */
#include "trace_case.h"

#include "command.h"
#include "extract/extract.h"

/* make_picture.py draws them: KIND FORMAT. */
static void draw(struct buf *b, const char *kind, const char *format, const char *then)
{
	output_of(b, "/usr/bin/python3 '" PICTURES "' %s %s%s", kind, format, then);
}

static const struct trace_result *trace_picture(const char *kind, const char *format)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	draw(&b, kind, format, "");
	return case_trace("leak", buf_str(&b));
}

/* A page of prose that shows it. */
static void page_with(struct buf *page, unsigned prose, const char *kind)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	draw(&b, kind, "png", " | base64 -w0");
	buf_clear(page);
	buf_putf(page, "<html><p>%s</p><img src='data:image/png;base64,", case_prose(prose, 3000));
	buf_puts(page, buf_str(&b));
	buf_puts(page, STR("'></html>"));
	assert_int_equal(buf_error(page), 0);
}

static void put_page(const char *name, unsigned prose, const char *kind)
{
	_cleanup_buf_ struct buf page = BUF_INIT;

	page_with(&page, prose, kind);
	case_put(name, buf_str(&page));
}

static void one_document(void **state)
{
	_cleanup_buf_ struct buf page = BUF_INIT;
	const struct trace_result *r;

	case_begin();
	case_put_text("other.txt", case_prose(1, 3000));
	put_page("report.html", 2, "scene-1");
	/* Its very bytes. */
	r = trace_picture("scene-1", "png");
	assert_string_equal(case_said(r), "exact report.html");
	assert_true(r->matches[0].how == TRACE_BY_PICTURE);
	assert_non_null(strstr(r->matches[0].why, "a picture of 640×420"));
	/* Saved anew. */
	r = trace_picture("scene-1", "jpeg");
	assert_string_equal(case_said(r), "source report.html");
	assert_true(r->matches[0].how == TRACE_BY_PICTURE);
	/* Another one, and an empty one. */
	assert_int_equal(trace_picture("scene-2", "png")->n, 0);
	assert_int_equal(trace_picture("blank", "png")->verdict, TRACE_NONE);
	/* In a text of other origin it may be anybody's. */
	page_with(&page, 3, "scene-1");
	r = case_trace("leak.html", buf_str(&page));
	assert_string_equal(case_said(r), "shared report.html");
	case_end();
}

static void several_documents(void **state)
{
	const struct trace_result *r;

	case_begin();
	put_page("report.html", 2, "scene-1");
	put_page("offer.html", 3, "scene-1");
	r = trace_picture("scene-1", "png");
	assert_int_equal(r->verdict, TRACE_SHARED_ONLY);
	assert_int_equal(r->matches[0].n_alternatives, 1);
	assert_int_equal(trace_picture("scene-1", "jpeg")->verdict, TRACE_SHARED_ONLY);
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(one_document), cmocka_unit_test(several_documents) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
