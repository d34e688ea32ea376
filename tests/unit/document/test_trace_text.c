/* Verbatim text: copies, fragments, mixtures, quotations are traced to their source. */
#include "trace_case.h"

#include "extract/extract.h"

static void fill(void)
{
	case_begin();
	for (unsigned i = 0; i < 12; i++)
		case_put_text(case_text("report-%02u.txt", i), case_prose(i, 12000));
	for (unsigned i = 0; i < 6; i++)
		case_put_text(case_text("keikaku-%02u.txt", i), case_prose_ja(i, 9000));
}

static void copies_and_fragments(void **state)
{
	const struct trace_result *r;

	fill();
	r = case_trace_text(case_prose(3, 12000));
	assert_string_equal(case_said(r), "exact report-03.txt");
	r = case_trace_text(case_text("%.*s", 900, case_prose(5, 12000) + 4000));
	assert_string_equal(case_said(r), "source report-05.txt");
	assert_true(r->matches[0].coverage > .97 && r->matches[0].n_passages == 1 && r->matches[0].how == TRACE_BY_TEXT);
	assert_non_null(strstr(case_prose(5, 12000), case_text("%.60s", r->matches[0].passages[0].text)));
	assert_true(r->matches[0].passages[0].shared_by == 0 && strlen(r->matches[0].passages[0].before) > 400);
	r = case_trace_text(case_text("%.*s", 600, strchr(case_prose_ja(2, 9000) + 2000, '\n') + 1));
	assert_string_equal(case_said(r), "source keikaku-02.txt");
	r = case_trace_text(case_prose(99, 5000));
	assert_string_equal(case_said(r), "none");
	r = case_trace_text("Too short to tell.");
	assert_string_equal(case_said(r), "none");
	assert_non_null(r->note);
	case_end();
}

static void mixed_and_quoted(void **state)
{
	const struct trace_result *r;

	fill();
	/* Three documents in one. */
	r = case_trace_text(case_text("%.*s\n%.*s\n%.*s", 2000, case_prose(1, 12000) + 500, 1500, case_prose(2, 12000) + 3000, 1800, case_prose(3, 12000) + 6000));
	assert_true(r->verdict == TRACE_SOURCE && r->n == 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(r->matches[i].verdict == TRACE_SOURCE);
	/* A mail around a paragraph. */
	r = case_trace_text(case_text("Hello,\n\nhere is what I found, tell me what it is worth to you:\n\n> %.*s\n\nMore to follow on friday. Regards\n%s", 700,
		case_prose(7, 12000) + 2000, case_prose(777, 300)));
	assert_string_equal(case_said(r), "source report-07.txt");
	/* Paragraphs in another order. */
	r = case_trace_text(case_text("%.*s\n\n%.*s\n\n%.*s", 900, case_prose(8, 12000) + 9000, 1200, case_prose(8, 12000) + 1000, 1100, case_prose(8, 12000) + 5000));
	assert_string_equal(case_said(r), "source report-08.txt");
	assert_true(r->matches[0].n_passages >= 3 && !r->matches[0].variant);
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(copies_and_fragments), cmocka_unit_test(mixed_and_quoted) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
