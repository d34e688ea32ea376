/* Versions of one document, instances of one template, documents that are gone, parts of containers. */
#include "trace_case.h"

#include "extract/extract.h"

/* Version n: a paragraph more each time, one rewritten, one left out. */
static const char *version(unsigned n)
{
	const char *base = case_prose(40, 9000);
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, (str){ base, 2000 });
	if (n >= 2)
		buf_putf(&b, "\n%s\n", case_prose(402, 600));
	buf_puts(&b, (str){ base + 2000, 2500 });
	if (n >= 3)
		buf_putf(&b, "\n%s\n", case_prose(403, 500));
	else
		buf_puts(&b, (str){ base + 4500, 500 });
	buf_puts(&b, (str){ base + 5000, n >= 4 ? 3000 : 4000 });
	return case_text("%s", buf_cstr(&b));
}

static const char *leak_of(const char *text)
{
	return case_text("%s (copy)", text);
}

static bool has_alternative(const struct trace_result *r, const char *name)
{
	for (size_t i = 0; i < r->matches[0].n_alternatives; i++)
		if (strcmp(case_name(r->matches[0].alternatives[i]), name) == 0)
			return true;
	return false;
}

static void versions(void **state)
{
	const struct trace_result *r;

	case_begin();
	case_put_text("other.txt", case_prose(1, 9000));
	for (unsigned n = 1; n <= 4; n++)
		case_put_text(case_text("plan-v%u.txt", n), version(n));
	for (unsigned n = 1; n <= 4; n++) {
		r = case_trace_text(leak_of(version(n)));
		assert_string_equal(case_said(r), case_text("source plan-v%u.txt", n));
		assert_true(r->matches[0].n_alternatives == (n == 4)); /* the third one goes on where the fourth ends: the leak may be a piece of it */
	}
	/* What all have. */
	r = case_trace_text(case_text("%.*s", 800, case_prose(40, 9000) + 2600));
	assert_true(r->verdict == TRACE_SOURCE && r->n == 1 && r->matches[0].n_alternatives == 3);
	/* What the last two have. */
	r = case_trace_text(case_prose(403, 500));
	assert_string_equal(case_said(r), "source plan-v4.txt"); /* least that is not in the leak */
	assert_true(r->matches[0].n_alternatives == 1 && has_alternative(r, "plan-v3.txt"));
	case_end();
}

static const char *letter(const char *to, const char *what, const char *sum, const char *until)
{
	return case_text("Dear %s,\n\nwe thank you for your inquiry about %s and are pleased to submit the following offer, which is subject to our general terms.\n"
		"The price including tooling, transport and installation at your premises amounts to %s and is fixed for the whole period of delivery.\n"
		"This offer is valid until %s; delivery takes place twelve weeks after receipt of the order and the approved drawings.\n\n%s\n\nYours faithfully, sales",
		to, what, sum, until, case_prose(90, 900));
}

static void instances(void **state)
{
	const struct trace_result *r;

	case_begin();
	case_put_text("other.txt", case_prose(1, 9000));
	case_put_text("offer-1.txt", letter("Ms Kobayashi of Higashi Seiki", "forty hydraulic cylinders of the series HZ", "4,120,000 yen", "31 March 2026"));
	case_put_text("offer-2.txt", letter("Mr Lindqvist of Norrland Motor", "a used transfer press of 600 tons", "88,000 euro", "15 May 2026"));
	case_put_text("offer-3.txt", letter("Dr Amsel of Amsel Prothetik", "titanium blanks of grade five", "12,400 euro", "1 June 2026"));
	/* This very instance, in another form. */
	r = case_trace_text(leak_of(letter("Mr Lindqvist of Norrland Motor", "a used transfer press of 600 tons", "88,000 euro", "15 May 2026")));
	assert_string_equal(case_said(r), "source offer-2.txt");
	assert_true(r->matches[0].n_alternatives == 0);
	/* Another one. */
	r = case_trace_text(letter("Mr Tamura of Tamura Shoji", "a measuring table of granite", "2,310,000 yen", "30 June 2026"));
	assert_int_equal(r->verdict, TRACE_SHARED_ONLY);
	assert_true(r->matches[0].variant);
	/* What all of them say. */
	r = case_trace_text(case_text("%.*s", 500, case_prose(90, 900) + 100));
	assert_int_equal(r->verdict, TRACE_SHARED_ONLY);
	case_end();
}

static void gone(void **state)
{
	const struct trace_result *r;

	case_begin();
	case_put_text("other.txt", case_prose(1, 9000));
	case_put_text("deleted.txt", case_prose(50, 6000));
	case_put_text("letter.txt", letter("Ms Kobayashi of Higashi Seiki", "forty hydraulic cylinders of the series HZ", "4,120,000 yen", "31 March 2026"));
	case_remove("deleted.txt");
	case_remove("letter.txt");
	r = case_trace_text(case_text("%.*s", 1500, case_prose(50, 6000) + 1200));
	assert_string_equal(case_said(r), "source deleted.txt");
	assert_true(r->matches[0].gone && !r->matches[0].passages[0].text);
	/* One run of a few characters is one fingerprint or two: nobody is accused. */
	r = case_trace_text(case_text("%.*s %s", 120, case_prose(50, 6000) + 3000, case_prose(5050, 900)));
	assert_true(r->verdict < TRACE_SOURCE);
	r = case_trace_text(letter("Mr Tamura of Tamura Shoji", "a measuring table of granite", "2,310,000 yen", "30 June 2026"));
	assert_true(r->verdict < TRACE_SOURCE);
	case_end();
}

/* The versions before stood at the same place. */
static void overwritten(void **state)
{
	const struct trace_result *r;

	case_begin();
	case_put_text("other.txt", case_prose(1, 9000));
	for (unsigned n = 1; n <= 3; n++)
		case_overwrite("plan.txt", version(n));
	r = case_trace_text(leak_of(version(3)));
	assert_string_equal(case_said(r), "source plan.txt");
	assert_false(r->matches[0].gone);
	r = case_trace_text(case_text("%.*s", 800, case_prose(40, 9000) + 2600));
	assert_true(r->verdict == TRACE_SOURCE && !r->matches[0].gone && r->matches[0].n_alternatives == 2);
	case_end();
}

/* Fingerprints are drawn by a key of the store: now and then none falls on the few words that tell an earlier content from the one on disk, and
 * both are listed. */
static bool names_earlier(const struct trace_result *r)
{
	return r->matches[0].gone || r->matches[0].n_alternatives;
}

/* The leak stands in an earlier content, and what stands there now has other words, or words in between. */
static void overwritten_since(void **state)
{
	const struct trace_result *r;

	case_begin();
	case_put_text("other.txt", case_prose(1, 9000));
	for (unsigned n = 1; n <= 3; n++)
		case_overwrite("plan.txt", version(n));
	case_overwrite("letter.txt", letter("Ms Kobayashi of Higashi Seiki", "forty hydraulic cylinders of the series HZ", "4,120,000 yen", "31 March 2026"));
	case_overwrite("letter.txt", letter("Mr Lindqvist of Norrland Motor", "a used transfer press of 600 tons", "88,000 euro", "15 May 2026"));
	/* Nothing in between in the first; in the last one there is, but it has every word. */
	r = case_trace_text(case_text("%.*s", 1600, case_prose(40, 9000) + 1200));
	assert_string_equal(case_said(r), "source plan.txt");
	assert_true(names_earlier(r));
	/* The first two have it, the last one has not. */
	r = case_trace_text(case_text("%.*s", 1500, case_prose(40, 9000) + 4000));
	assert_string_equal(case_said(r), "source plan.txt");
	assert_true(names_earlier(r));
	for (size_t i = 1; i < r->n; i++)
		assert_true(r->matches[i].verdict < TRACE_SOURCE);
	r = case_trace_text(leak_of(version(2)));
	assert_true(r->verdict == TRACE_SOURCE && r->matches[0].gone && r->matches[0].n_alternatives == 0);
	/* This letter stood there. */
	r = case_trace_text(case_text("%s\n", letter("Ms Kobayashi of Higashi Seiki", "forty hydraulic cylinders of the series HZ", "4,120,000 yen",
		"31 March 2026")));
	assert_true(r->verdict == TRACE_SOURCE && r->matches[0].gone && r->matches[0].n_alternatives == 0);
	/* These never did: with another date, with another customer. */
	r = case_trace_text(letter("Ms Kobayashi of Higashi Seiki", "forty hydraulic cylinders of the series HZ", "4,120,000 yen", "30 September 2026"));
	assert_true(r->verdict < TRACE_SOURCE);
	r = case_trace_text(letter("Mr Tamura of Tamura Shoji", "a measuring table of granite", "2,310,000 yen", "30 June 2026"));
	assert_true(r->verdict < TRACE_SOURCE);
	case_end();
}

/* Sentence n of a paper: in each version a few are others, and a number is. */
static const char *paper(unsigned changed, unsigned sum)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (unsigned i = 0; i < 40; i++) {
		const char *sentence = case_prose_ja(i % 9 == 4 && i / 9 < changed ? 900 + i : 700 + i, 75);

		buf_putf(&b, "%s。%s", sentence, i % 5 == 4 ? "\n" : "");
		if (i == 21)
			buf_putf(&b, "予算は%u万円とする。", sum);
	}
	return case_text("%s", buf_cstr(&b));
}

/* Short papers of which a few sentences are written anew are versions, though so few characters stand between these. */
static void rewritten(void **state)
{
	const struct trace_result *r;
	const char *text;
	char second[128];

	case_begin();
	case_put_text("other.txt", case_prose_ja(1, 9000));
	case_put_text("paper-0.txt", paper(0, 120));
	case_put_text("paper-2.txt", paper(2, 120));
	case_put_text("paper-4.txt", paper(4, 120));
	for (unsigned n = 0; n <= 4; n += 2) {
		r = case_trace_text(leak_of(paper(n, 120)));
		assert_string_equal(case_said(r), case_text("source paper-%u.txt", n));
		assert_true(r->matches[0].n_alternatives == 0);
	}
	/* A piece that the last two have: from the second place on. */
	snprintf(second, sizeof(second), "%s", case_prose_ja(913, 75));
	text = strstr(paper(4, 120), second);
	assert_non_null(text);
	r = case_trace_text(case_text("%.*s", 602, text));
	assert_true(r->verdict == TRACE_SOURCE && r->matches[0].n_alternatives == 1);
	case_end();
}

/* Nothing but one number tells two of them apart: all of one is that one, a piece may be from another that nobody knows. */
static void one_number(void **state)
{
	const struct trace_result *r;

	case_begin();
	case_put_text("other.txt", case_prose_ja(1, 9000));
	case_put_text("offer-1.txt", paper(0, 120));
	case_put_text("offer-2.txt", paper(0, 380));
	r = case_trace_text(case_text("%s\n", paper(0, 380)));
	assert_true(r->verdict >= TRACE_SOURCE && strcmp(case_name(r->matches[0].hash), "offer-2.txt") == 0 && r->matches[0].n_alternatives == 0);
	r = case_trace_text(case_text("%s\n", paper(0, 555)));
	assert_true(r->verdict < TRACE_SOURCE);
	r = case_trace_text(case_text("%.*s", 602, strstr(paper(0, 380), "予算は380万円") - 300));
	assert_true(r->verdict < TRACE_SOURCE);
	case_end();
}

/* What both have stands in a leak of a piece of it; which of two was put in later is compared as the first one. */
static const struct trace_result *piece_of_both(const char *first, const char *second, const char *common)
{
	case_begin();
	case_put_text("other.txt", case_prose(1, 9000));
	case_put_text("first.txt", first);
	case_put_text("second.txt", second);
	return case_trace_text(case_text("%.*s", 700, common + 300));
}

static void are_versions(const char *first, const char *second, const char *common)
{
	const struct trace_result *r = piece_of_both(first, second, common);

	assert_true(r->verdict == TRACE_SOURCE && r->matches[0].n_alternatives == 1);
	case_end();
}

static void are_instances(const char *first, const char *second, const char *third, const char *common)
{
	assert_true(piece_of_both(first, second, common)->verdict < TRACE_SOURCE);
	assert_true(case_trace_text(third)->verdict < TRACE_SOURCE);
	case_end();
}

/* A sentence was put in that ends with the same words as the one before it. */
static void put_in(void **state)
{
	_cleanup_free_ char *before = strdup(case_prose(61, 1200)), *behind = strdup(case_prose(62, 1500));
	const char *without = case_text("%s But so it was agreed. %s", before, behind);
	const char *with = case_text("%s But so it was agreed. Years later some members said that hardly anybody knew why so it was agreed. %s", before, behind);

	are_versions(without, with, behind);
}

/* One sentence of a paragraph is another one: a short one before a long one, the first of all, the last of all. */
static void one_sentence(void **state)
{
	_cleanup_free_ char *text = strdup(case_prose(63, 1900)), *more = strdup(case_prose(64, 1200));
	static const char *const said[] = { "Nobody expected every barn to be filled twice.", "Older farmers remember which bridges went." };
	static const char *const longer = "That autumn the harvest was brought in by lamplight between two storms while half of the village lay ill with fever, and so on.";

	are_versions(case_text("%s. %s %s %s", text, said[0], longer, more), case_text("%s. %s %s %s", text, said[1], longer, more), text);
	are_versions(case_text("%s %s", said[0], text), case_text("%s %s", said[1], text), text);
	are_versions(case_text("%s. %s", text, said[0]), case_text("%s. %s", text, said[1]), text);
}

/* The same sentence with other names in it, or a name alone: instances of one letter. */
static void one_sentence_filled_in(void **state)
{
	_cleanup_free_ char *text = strdup(case_prose(63, 1900)), *more = strdup(case_prose(64, 1200));
	static const char *const said[] = { "Abel Nyberg ordered seven barrels of salted herring for Uppsala.", "Ida Koskinen ordered twenty barrels of salted herring for Turku.",
		"Jon Dahl ordered eleven barrels of salted herring for Bergen." };
	static const char *const name[] = { "Nyberg and Sons.", "Koskinen Ltd.", "Dahl Brothers." };

	are_instances(case_text("%s %s", said[0], text), case_text("%s %s", said[1], text), case_text("%s %s", said[2], text), text);
	are_instances(case_text("%s %s", name[0], text), case_text("%s %s", name[1], text), case_text("%s %s", name[2], text), text);
	are_instances(case_text("%s. %s", text, said[0]), case_text("%s. %s", text, said[1]), case_text("%s. %s", text, said[2]), text);
	are_instances(case_text("%s. %s %s", text, said[0], more), case_text("%s. %s %s", text, said[1], more), case_text("%s. %s %s", text, said[2], more), text);
	/* A line of its own is no sentence of a paragraph. */
	are_instances(case_text("Nobody expected every barn to be filled twice.\n%s", text), case_text("Older farmers remember which bridges went.\n%s", text),
		case_text("The council asked for new reports from us.\n%s", text), text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(versions), cmocka_unit_test(instances), cmocka_unit_test(gone), cmocka_unit_test(overwritten),
		cmocka_unit_test(overwritten_since), cmocka_unit_test(rewritten), cmocka_unit_test(one_number), cmocka_unit_test(put_in),
		cmocka_unit_test(one_sentence), cmocka_unit_test(one_sentence_filled_in) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
