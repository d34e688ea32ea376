/* Text with errors all over: found by alignment, and never more than that where it was not read from a picture. */
#include "trace_case.h"

#include "extract/extract.h"

static uint64_t seed = 99;

static unsigned next(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33);
}

/* One letter in `of` is another, missing, or doubled. */
static const char *with_errors(const char *text, size_t from, size_t n, unsigned of)
{
	static char out[1 << 16];
	size_t k = 0;

	for (size_t i = from; i < from + n; i++) {
		unsigned what = next() % (3 * of);

		if (what == 0 || text[i] <= ' ') {
			out[k++] = what == 0 ? (char)('a' + next() % 26) : text[i];
			continue;
		}
		if (what == 1)
			continue;
		out[k++] = text[i];
		if (what == 2)
			out[k++] = text[i];
	}
	out[k] = 0;
	return out;
}

static void errors_all_over(void **state)
{
	unsigned right = 0;

	case_begin();
	for (unsigned i = 0; i < 30; i++)
		case_put_text(case_text("report-%02u.txt", i), case_prose(i, 9000));
	for (unsigned i = 0; i < 30; i++) {
		const struct trace_result *r = case_trace_text(with_errors(case_prose(i, 9000), 1000 + 97 * i, 260, 11));

		if (r->n && strcmp(case_name(r->matches[0].hash), case_text("report-%02u.txt", i)) == 0 && r->verdict == TRACE_SHARED_ONLY) {
			right++;
			assert_true(r->matches[0].how & (TRACE_BY_LIKENESS | TRACE_BY_TEXT));
			assert_true(r->matches[0].n_passages > 0);
		}
	}
	if (right < 29)
		fail_msg("%u of 30", right);
	/* A stranger. */
	assert_int_equal(case_trace_text(with_errors(case_prose(500, 9000), 1000, 400, 11))->n, 0);
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(errors_all_over) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
