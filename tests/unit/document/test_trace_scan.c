/* Text with errors all over: found by alignment, and told from another instance of a template by what the errors are like. */
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

		if (r->n && strcmp(case_name(r->matches[0].hash), case_text("report-%02u.txt", i)) == 0 && r->verdict == TRACE_SOURCE) {
			right++;
			assert_true(r->matches[0].how & (TRACE_BY_LIKENESS | TRACE_BY_TEXT));
			assert_true(r->matches[0].n_passages > 0);
		}
	}
	if (right < 27)
		fail_msg("%u of 30", right);
	/* A stranger. */
	assert_int_equal(case_trace_text(with_errors(case_prose(500, 9000), 1000, 400, 11))->n, 0);
	case_end();
}

static const char *order(const char *to, const char *what, const char *sum, const char *until)
{
	return case_text("%s we hereby confirm the order of %s, which we have accepted for %s on the conditions that were agreed with your purchasing "
		"department, and which we shall hand over to the carrier on %s at our works. %s", case_prose(77, 1500), what, sum, until, to);
}

/* Both were typed again, with errors: the one that is known, and another one. */
static void other_instances(void **state)
{
	static const char *const other[][3] = {
		{ "a measuring table of granite", "2,310,000 yen", "30 June" },
		{ "forty hydraulic cylinders", "4,120,000 yen", "30 June" },
		{ "forty hydraulic cylinders", "88,000 euro", "31 March" },
		{ "thirty pneumatic pistons", "4,120,000 yen", "31 March" },
		{ "forty hydraulic cylinders", "4,170,000 yen", "31 March" }, /* one digit */
	};
	static const unsigned rates[] = { 5, 8, 11, 20, 40 };

	case_begin();
	for (unsigned i = 0; i < 6; i++)
		case_put_text(case_text("report-%u.txt", i), case_prose(i, 6000));
	case_put_text("order.txt", order("Higashi Seiki", "forty hydraulic cylinders", "4,120,000 yen", "31 March"));
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		for (size_t k = 0; k < ARRAY_SIZE(other); k++)
			for (unsigned again = 0; again < 3; again++) {
				const char *text = order("Tamura Shoji", other[k][0], other[k][1], other[k][2]);
				const struct trace_result *r = case_trace_text(with_errors(text, strlen(text) - 300, 300, rates[i]));

				if (r->verdict >= TRACE_SOURCE)
					fail_msg("%s, at one error in %u: %s", other[k][0], rates[i], r->matches[0].why);
			}
	case_end();
}

/* What comes from outside is nobody's, however badly it was typed. */
static void disclaimers(void **state)
{
	const char *text = case_text("%s\nThis message and any attachments are intended solely for the person to whom they are addressed. If you have received this by "
		"mistake please notify the sender immediately and delete it; opinions expressed in it are those of the writer alone, who gives no warranty of any kind.",
		case_prose(61, 2000));

	case_begin();
	case_put_text("mail.txt", text);
	case_put_text("other.txt", case_prose(1, 6000));
	text = case_text("%s", strstr(text, "This message"));
	for (unsigned of = 6; of < 30; of += 6)
		assert_true(case_trace_text(with_errors(text, 0, strlen(text), of))->verdict < TRACE_SOURCE);
	case_end();
}

static enum trace_verdict traced(const char *text)
{
	const struct trace_result *r = case_trace_text(text);

	assert_true(r->n > 0 && strcmp(case_name(r->matches[0].hash), "minutes.txt") == 0);
	return r->verdict;
}

/* One letter of a short word, or between two words: what can only be an error, and what may be another word. */
static void few_errors(void **state)
{
	static const char minutes[] = "According to the minutes, Mr Berg and the board of that company refused to pay for the new grinding shop, but asked our own "
		"planners for a second draft by 417 Lund had shown them in March, and nobody spoke of it again until autumn.";
	/* Names in which a letter is another may be other names: these alone say nothing. */
	static const char typed[] = "According to the minutes, Mr Bcrg and the board of that company refused to pay for the new grinding shop, but asked our own "
		"planners for a second draft by 417 Lnnd had shown them in March, and nobody spoke of it again until autumn.";
	static const struct { const char *from, *error, *word; } one[] = {
		{ "new grinding", "newkgrinding", "new k grinding" }, { "second draft", "second draftk", "second drafts" }, { "second draft", "ksecond draft", "good draft" },
		{ "but asked", "bnt asked", "not asked" }, { "pay for the", "pay fo the", "pay or the" }, { "spoke of", "spoke lof", "spoke off" },
		{ "the board", "tfhe board", "they board" }, { "refused to", "refu77d to", "refused 77" }, { "had shown", "hdd shown", "has shown" },
		{ "by 417", "byk417", "by 4k17" },
	};

	case_begin();
	case_put_text("other.txt", case_prose(1, 9000));
	case_put_text("minutes.txt", case_text("%s %s %s", case_prose(81, 1500), minutes, case_prose(82, 1500)));
	for (size_t i = 0; i < ARRAY_SIZE(one); i++)
		for (unsigned word = 0; word < 2; word++) {
			const char *at = strstr(typed, one[i].from), *to = word ? one[i].word : one[i].error;
			enum trace_verdict v = traced(case_text("%.*s%s%s", (int)(at - typed), typed, to, at + strlen(one[i].from)));

			if ((v >= TRACE_SOURCE) == word)
				fail_msg("%s: %s", to, trace_verdict_name(v));
		}
	assert_int_equal(traced(typed), TRACE_SHARED_ONLY);
	/* However many errors there are, another digit is another figure. */
	for (unsigned other = 0; other < 2; other++)
		assert_int_equal(traced(case_text("Accorbing to thc minntes, Mr Berg and the boand of that compamy refusad to pay for tbe new grinbing shop, bnt asked "
			"our own planmers for a secoud draft by 4%c7 Lund had shown thcm in March, and nobody spokc of it again until aufumn.",
			other ? '2' : '1')), other ? TRACE_SHARED_ONLY : TRACE_SOURCE);
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(errors_all_over), cmocka_unit_test(other_instances), cmocka_unit_test(disclaimers),
		cmocka_unit_test(few_errors) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
