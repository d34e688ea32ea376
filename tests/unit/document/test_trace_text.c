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

/* A fragment that is little more than phrases which others use, too: as a whole it stands in one document only. */
static void phrases(void **state)
{
	static const char *const phrase[] = { "the committee took note of the results of the survey and ", "asked the regional office to send its comments before ",
		"the end of the second quarter, in view of the costs which ", "had been reported by the department for purchasing and sales ", "in the course of the last two meetings of the board " };
	_cleanup_free_ char *all = strdup(case_text("%s%s%s%s%s", phrase[0], phrase[1], phrase[2], phrase[3], phrase[4]));
	const struct trace_result *r;

	case_begin();
	case_put_text("minutes.txt", case_text("%s. Thus %s. %s", case_prose(20, 5000), all, case_prose(21, 5000)));
	for (unsigned i = 0; i < 25; i++)
		case_put_text(case_text("other-%u.txt", i), case_text("%s. Thus %s%s", case_prose(30 + i, 3000), phrase[i % 5], case_prose(60 + i, 3000)));
	r = case_trace_text(all);
	assert_string_equal(case_said(r), "source minutes.txt");
	/* A phrase alone is everybody's. */
	r = case_trace_text(phrase[2]);
	assert_int_equal(r->verdict, TRACE_SHARED_ONLY);
	/* Half of it stands in another one as a passage. */
	case_put_text("summary.txt", case_text("%s. Then %s%s%s. %s", case_prose(22, 3000), phrase[0], phrase[1], phrase[2], case_prose(23, 3000)));
	r = case_trace_text(case_text("%s%s%.30s", phrase[0], phrase[1], phrase[2]));
	assert_int_equal(r->verdict, TRACE_SHARED_ONLY);
	case_end();
}

/* Words between two quotations, a sentence written anew, a mail that is passed on: no places of a template. */
static void with_words_of_others(void **state)
{
	_cleanup_free_ char *text = strdup(case_prose(140, 9000));
	const struct trace_result *r;

	case_begin();
	case_put_text("study.txt", text);
	case_put_text("mail.txt", case_text("From: sales\nTo: clerk\nSubject: The new gate\nDate: monday\n\n%s\n\nKind regards,\nsales", case_prose(141, 1200)));
	case_put_text("other.txt", case_prose(1, 6000));
	r = case_trace_text(case_text("This is what they write. %.*s And then, some pages on: %.*s Is it not?", 700, text + 1000, 800, text + 5000));
	assert_string_equal(case_said(r), "source study.txt");
	r = case_trace_text(case_text("%.*s%s%s", 4000, text, case_prose(142, 180), text + 4200));
	assert_string_equal(case_said(r), "source study.txt");
	r = case_trace_text(case_text("From: clerk\nTo: a friend\nSubject: What I told you of\nDate: tuesday\n\n%s", case_prose(141, 1200)));
	assert_string_equal(case_said(r), "source mail.txt");
	case_end();
}

/* Headings are too short to be found; between paragraphs in another order they are no other words. */
static void headings_in_another_order(void **state)
{
	static const char *const heading[] = { "The old gate at the river", "A price that is new", "On the harbour side", "What is left of it", "Until next Monday", "The blue form" };
	_cleanup_buf_ struct buf all = BUF_INIT, leak = BUF_INIT;
	const struct trace_result *r;

	case_begin();
	for (unsigned i = 0; i < 6; i++)
		buf_putf(&all, "%s\n%s\n", heading[i], case_prose(120 + i, 700));
	case_put_text("plan.txt", buf_cstr(&all));
	case_put_text("other.txt", case_prose(1, 6000));
	for (unsigned i = 0; i < 6; i++)
		buf_putf(&leak, "%s\n%s%s\n", case_prose(120 + 5 * i % 6, 700), i == 2 ? "What is left of it\n" : "", heading[(5 * i + 2) % 6]);
	r = case_trace_text(buf_cstr(&leak));
	assert_string_equal(case_said(r), "source plan.txt");
	assert_false(r->matches[0].variant);
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(phrases), cmocka_unit_test(with_words_of_others),
		cmocka_unit_test(headings_in_another_order), cmocka_unit_test(copies_and_fragments), cmocka_unit_test(mixed_and_quoted) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
