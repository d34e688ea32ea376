/* What a trace says and how it looks: made-up results, shown on terminals of several widths, as JSON and as a page; hostile names and texts in all of them. */
#include "../test.h"

#include <jansson.h>

#include "cli/cli.h"
#include "cli/term.h"
#include "cli/trace_beside.h"
#include "cli/trace_out.h"
#include "cli/trace_words.h"

struct cli cli;

#define ENGLISH "The price for maintenance in the first year is fixed, and the customer may cancel with a notice of ninety days. "
#define JAPANESE "保守料金は初年度は固定とし、顧客は九十日前の通知により解約することができる。"

/* --- made-up results --- */

struct made {
	struct trace_passage passages[8];
	struct trace_match matches[4];
	struct found_part *part;
	struct found f;
};

static char *repeat(const char *s, unsigned n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	while (n-- > 0)
		buf_puts(&b, str_c(s));
	return strdup(buf_cstr(&b));
}

static void make(struct made *x, const char *file, const char *text, enum trace_verdict verdict)
{
	*x = (struct made){ 0 };
	x->f.parts = calloc(1, sizeof(*x->f.parts));
	x->f.n = x->f.cap = 1;
	x->f.time = 1800000000 * NSEC_PER_SEC;
	x->f.documents = 30512;
	x->part = &x->f.parts[0];
	buf_puts(&x->part->file, str_c(file));
	buf_puts(&x->part->type, STR("text/plain"));
	buf_puts(&x->part->text.bytes, str_c(text));
	x->part->has_sha256 = x->part->whole = true;
	x->part->bytes = strlen(text);
	x->part->result.verdict = verdict;
	x->part->result.chars = 1260;
	x->part->matches = calloc(4, sizeof(*x->part->matches));
}

static struct found_match *add_match(struct made *x, const char *path, enum trace_verdict verdict)
{
	size_t n = x->part->n++;
	struct found_match *m = &x->part->matches[n];

	x->matches[n] = (struct trace_match){ .hash = { (uint8_t)(n + 1) }, .verdict = verdict, .how = TRACE_BY_TEXT, .coverage = 0.956, .chars = 1204, .distinct = 980 };
	*m = (struct found_match){ .m = &x->matches[n], .document = { .hash = { (uint8_t)(n + 1) }, .label = LABEL_CONFIDENTIAL, .places = 1 } };
	buf_puts(&m->document.path, str_c(path));
	return m;
}

static void add_passage(struct made *x, const char *text, const char *around, uint32_t from)
{
	struct trace_match *m = &x->matches[0];

	m->passages = x->passages;
	x->passages[m->n_passages++] = (struct trace_passage){ .leak_from = from, .leak_to = from + (uint32_t)strlen(text), .source_from = 8211,
		.source_to = 8211 + (uint32_t)strlen(text), .chars = 620, .same = 1, .text = (char *)text, .before = (char *)around, .after = (char *)around };
}

static void add_person(struct found_match *m, const char *name, unsigned day)
{
	int64_t t = (1800000000 + (int64_t)day * 86400) * NSEC_PER_SEC;

	m->asked = true;
	assert_int_equal(person_list_add(&m->people, &(struct index_who){ .person = str_c(name), .first = t, .last = t + NSEC_PER_SEC, .count = day + 1,
		.verbs = 1u << VERB_READ | 1u << VERB_OPEN }), 0);
	m->had++;
	m->had_in_time++;
}

/* Only what the test did not make itself. */
static void unmake(struct made *x)
{
	for (size_t i = 0; i < x->part->n; i++) {
		buf_free(&x->part->matches[i].document.path);
		buf_free(&x->part->matches[i].document.others);
		person_list_free(&x->part->matches[i].people);
		for (size_t k = 0; k < x->part->matches[i].n_alternatives; k++)
			buf_free(&x->part->matches[i].alternatives[k].path);
		free(x->part->matches[i].alternatives);
	}
	free(x->part->matches);
	buf_free(&x->part->file);
	buf_free(&x->part->type);
	buf_free(&x->part->error);
	buf_free(&x->part->text.bytes);
	free(x->f.parts);
}

/* --- the words --- */

static void verdict_is(struct made *x, const char *want)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	words_verdict(&b, &x->f, x->part);
	assert_string_equal(buf_cstr(&b), want);
}

static void verdicts(void **state)
{
	struct found_match *m;
	struct made x;

	make(&x, "leak", "x", TRACE_SOURCE);
	m = add_match(&x, "/srv/offer.docx", TRACE_SOURCE);
	verdict_is(&x, "This is from /srv/offer.docx (confidential): 1,204 of its 1,260 characters stand there, 980 of them in no other document.");
	x.matches[0].chars = x.matches[0].distinct = 1260;
	verdict_is(&x, "This is from /srv/offer.docx (confidential): all of its 1,260 characters stand there, all of them in no other document.");
	x.matches[0].how = TRACE_BY_IDENTIFIERS;
	x.matches[0].identifiers = 312;
	x.part->result.identifiers = 315;
	verdict_is(&x, "This is from /srv/offer.docx (confidential): 312 of its 315 identifiers (e-mail addresses, phone numbers and the like) stand there.");
	x.matches[0].how = TRACE_BY_LIKENESS;
	x.matches[0].chars = 1100;
	x.matches[0].distinct = 0;
	m->document.gone = true;
	verdict_is(&x, "This is from /srv/offer.docx (confidential): 1,100 of its 1,260 characters agree with what stands there, as far as they could be read. "
		"That document does not stand there any more.");
	m->document.gone = false;
	x.matches[0].how = TRACE_BY_TEXT;
	add_match(&x, "/srv/other", TRACE_SOURCE);
	verdict_is(&x, "This is from 2 documents, most of it from /srv/offer.docx (confidential): 1,100 of its 1,260 characters stand there.");
	unmake(&x);

	make(&x, "leak", "x", TRACE_EXACT);
	m = add_match(&x, "/srv/offer.docx", TRACE_EXACT);
	m->document.label = 0;
	x.matches[0].how = TRACE_BY_HASH;
	verdict_is(&x, "This is /srv/offer.docx, the same to the last byte.");
	m->document.gone = true;
	verdict_is(&x, "This stood at /srv/offer.docx until that was changed or deleted: the same to the last byte.");
	unmake(&x);
}

static void nobody_is_accused(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct made x;

	make(&x, "leak", "x", TRACE_SHARED_ONLY);
	add_match(&x, "/srv/form.docx", TRACE_SHARED_ONLY);
	add_passage(&x, "words of a form", "", 0);
	x.passages[0].shared_by = 57;
	x.matches[0].distinct = 0;
	verdict_is(&x, "Where this is from cannot be said: 1,204 of its 1,260 characters stand in /srv/form.docx (confidential), but at least 57 other documents have the same words.");
	words_meaning(&b, x.part);
	assert_non_null(strstr(buf_cstr(&b), "nobody is named"));
	trace_json(&x.f);
	assert_null(memmem(out()->p, out()->n, "people", 6));
	buf_clear(out());
	unmake(&x);

	make(&x, "leak", "x", TRACE_NONE);
	verdict_is(&x, "Nothing of this is known here: no passage of its 1,260 characters stands in any of the 30,512 documents that were scanned.");
	buf_clear(&b);
	words_meaning(&b, x.part);
	assert_non_null(strstr(buf_cstr(&b), "no proof"));
	unmake(&x);
}

/* --- the looks --- */

static void lines_fit(unsigned columns)
{
	for (size_t at = 0; at < out()->n;) {
		const char *end = memchr(out()->p + at, '\n', out()->n - at);
		str line = { out()->p + at, end ? (size_t)(end - out()->p) - at : out()->n - at };

		if (term_width(line) > columns)
			fail_msg("%u columns: %.*s", columns, STR_ARG(line));
		at += line.n + 1;
	}
}

static void show_at(struct made *x, unsigned columns)
{
	const struct trace_asked a = { .all = true };
	char text[16];

	snprintf(text, sizeof(text), "%u", columns);
	setenv(TERM_COLUMNS_ENV, text, 1);
	buf_clear(out());
	person_list_done(&x->part->matches[0].people);
	trace_show(&x->f, &a);
	lines_fit(columns);
	unsetenv(TERM_COLUMNS_ENV);
}

static void fits_every_width(void **state)
{
	_cleanup_free_ char *english = repeat(ENGLISH, 20), *japanese = repeat(JAPANESE, 20), *word = repeat("x", 900);
	const char *const texts[] = { ENGLISH, english, JAPANESE, japanese, word, "", "a\nb\n\n\tc  d" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *leak = NULL;
		struct made x;

		assert_true(asprintf(&leak, "before it %s behind it", texts[i]) > 0);
		make(&x, "leak.txt", leak, TRACE_SOURCE);
		add_person(add_match(&x, "/srv/share/offer.docx", TRACE_SOURCE), "経理担当", 1);
		add_passage(&x, texts[i], JAPANESE, 10);
		add_passage(&x, texts[i], english, 10);
		for (unsigned columns = 80; columns < 300; columns += columns < 130 ? 1 : 37)
			show_at(&x, columns);
		for (unsigned columns = 40; columns < 300; columns += columns < 130 ? 1 : 37) {
			const struct passage_text side = { STR(JAPANESE), STR(ENGLISH), str_c(texts[i]), STR(JAPANESE) };

			buf_clear(out());
			beside_show(&side, &side, 3, columns, false);
			lines_fit(columns);
		}
		unmake(&x);
	}
	buf_clear(out());
}

static void both_sides_stand_beside_each_other(void **state)
{
	const struct passage_text left = { STR("In the leak"), STR("one "), STR("two three"), STR(" four") }, right = { STR("In the source"), STR_NONE, STR("two three"), STR_NONE };

	buf_clear(out());
	beside_show(&left, &right, 2, 80, false);
	assert_string_equal(buf_cstr(out()), "  In the leak                             In the source\n"
					     "  one [[two three]] four                  [[two three]]\n");
	buf_clear(out());
	beside_show(&left, &right, 0, 50, true);
	assert_string_equal(buf_cstr(out()), "In the leak\n  \033[2mone \033[0m\033[1mtwo three\033[0m\033[2m four\033[0m\n"
					     "In the source\n  \033[1mtwo three\033[0m\n");
	buf_clear(out());
}

/* --- hostile --- */

#define HOSTILE "</title><script>alert(1)</script>\033[31m\"'&\xe2\x80\xae\xff"

static void hostile(struct made *x)
{
	struct found_match *m;

	make(x, HOSTILE, HOSTILE " " ENGLISH, TRACE_SOURCE);
	m = add_match(x, "/srv/" HOSTILE, TRACE_SOURCE);
	add_person(m, HOSTILE, 1);
	add_passage(x, HOSTILE ENGLISH, HOSTILE, 3);
	x->matches[0].why = (char *)HOSTILE;
	x->part->result.note = (char *)HOSTILE;
	buf_puts(&x->part->error, STR(HOSTILE));
	m->alternatives = calloc(1, sizeof(*m->alternatives));
	m->n_alternatives = 1;
	buf_puts(&m->alternatives[0].path, STR(HOSTILE));
	buf_put(&m->document.others, HOSTILE, sizeof(HOSTILE));
	person_list_done(&m->people);
}

static void hostile_on_a_terminal(void **state)
{
	struct made x;

	hostile(&x);
	for (unsigned columns = 80; columns < 200; columns += 20) {
		show_at(&x, columns);
		assert_null(memchr(out()->p, '\033', out()->n));
		assert_null(memmem(out()->p, out()->n, "\xe2\x80\xae", 3));
		assert_true(str_utf8_valid(buf_str(out())));
	}
	buf_clear(out());
	unmake(&x);
}

static void hostile_on_a_page(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct trace_asked a = { 0 };
	struct made x;

	hostile(&x);
	trace_html(&b, &x.f, 1, &a);
	assert_true(str_utf8_valid(buf_str(&b)));
	buf_cstr(&b);
	assert_null(strstr(b.p, "<script"));
	assert_null(strstr(b.p, "alert(1)</"));
	assert_null(strchr(b.p, '\033'));
	assert_null(strstr(b.p, "\xe2\x80\xae"));
	assert_non_null(strstr(b.p, "&lt;script&gt;alert(1)"));
	/* It needs nothing from anywhere. */
	assert_null(strstr(b.p, "http:"));
	assert_null(strstr(b.p, "https:"));
	assert_null(strstr(b.p, "src="));
	assert_null(strstr(b.p, "href="));
	assert_non_null(strstr(b.p, "sha256:0100000000000000"));
	unmake(&x);
}

static void hostile_as_json(void **state)
{
	struct made x;
	json_t *j, *match, *passage;

	hostile(&x);
	buf_clear(out());
	trace_json(&x.f);
	j = json_loadb(out()->p, out()->n, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "verdict")), "source");
	assert_non_null(json_object_get(j, "file_b64"));
	match = json_array_get(json_object_get(j, "matches"), 0);
	assert_non_null(json_object_get(match, "path_b64"));
	assert_true(json_real_value(json_object_get(match, "coverage")) > 0.95);
	assert_int_equal(json_integer_value(json_object_get(match, "distinct")), 980);
	passage = json_array_get(json_object_get(match, "passages"), 0);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(passage, "leak"), 0)), 3);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(passage, "source"), 0)), 8211);
	assert_int_equal(json_array_size(json_object_get(match, "people")), 1);
	assert_int_equal(json_array_size(json_object_get(match, "alternatives")), 1);
	json_decref(j);
	buf_clear(out());
	unmake(&x);
}

/* Offsets beyond the leak's text must not be read. */
static void offsets_that_are_none(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct trace_asked a = { 0 };
	struct made x;

	make(&x, "leak", "short", TRACE_SOURCE);
	add_match(&x, "/srv/offer", TRACE_SOURCE);
	add_passage(&x, ENGLISH, "", 4000000000u);
	x.passages[0].text = NULL;
	show_at(&x, 80);
	trace_html(&b, &x.f, 1, &a);
	assert_non_null(strstr(buf_cstr(&b), "It was not read again."));
	buf_clear(out());
	unmake(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts), cmocka_unit_test(nobody_is_accused), cmocka_unit_test(fits_every_width),
		cmocka_unit_test(both_sides_stand_beside_each_other), cmocka_unit_test(hostile_on_a_terminal), cmocka_unit_test(hostile_on_a_page),
		cmocka_unit_test(hostile_as_json), cmocka_unit_test(offsets_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
