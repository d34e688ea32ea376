#include "../test.h"

#include "finding_case.h"

struct hits found;

static struct finder *finder;
static struct finding_scan *scan;
static struct text text;

void finder_begin(const struct finder_literal *extra, size_t n)
{
	scan = finding_scan_free(scan);
	finder = finder_free(finder);
	assert_int_equal(finder_new(extra, n, &finder), 0);
	assert_int_equal(finding_scan_new(finder, &scan), 0);
}

int finder_setup(void **state)
{
	finder_begin(NULL, 0);
	return 0;
}

int finder_teardown(void **state)
{
	text_free(&text);
	scan = finding_scan_free(scan);
	finder = finder_free(finder);
	return 0;
}

void run(const struct text *t)
{
	struct text copy = *t;
	char *exact = malloc(t->bytes.n ? t->bytes.n : 1); /* of exact size: the sanitizer sees what reads beyond */

	assert_non_null(exact);
	if (t->bytes.n)
		memcpy(exact, t->bytes.p, t->bytes.n);
	copy.bytes.p = exact;
	assert_int_equal(finding_run(scan, &copy, &found), 0);
	free(exact);
	if (t != &text) {
		buf_clear(&text.bytes);
		buf_puts(&text.bytes, buf_str(&t->bytes));
	}
}

void find(const char *s)
{
	text.n_spans = 0;
	buf_clear(&text.bytes);
	buf_puts(&text.bytes, str_c(s));
	run(&text);
}

void find_cells(const char *rows)
{
	uint32_t row = 1, col = 1;

	free(text.spans);
	text.spans = calloc(strlen(rows) + 1, sizeof(*text.spans));
	text.n_spans = 0;
	buf_clear(&text.bytes);
	for (const char *p = rows;; p++) {
		size_t n = strcspn(p, "|\n");

		if (text.bytes.n)
			buf_putc(&text.bytes, '\n');
		text.spans[text.n_spans++] = (struct span){ .at = (uint32_t)text.bytes.n, .n = (uint32_t)n, .table = 1, .row = row, .col = col, .zone = ZONE_CELL };
		buf_put(&text.bytes, p, n);
		p += n;
		if (!*p)
			break;
		col = *p == '|' ? col + 1 : 1;
		row += *p == '\n';
	}
	run(&text);
	text.n_spans = 0;
}

static str text_of(size_t i)
{
	return (str){ text.bytes.p + found.hit[i].at, found.hit[i].n };
}

void assert_hit(size_t i, enum detector d, const char *want, const char *value)
{
	assert_true(i < found.n);
	if (found.hit[i].detector != d)
		fail_msg("%s instead of %s", detector_name(found.hit[i].detector), detector_name(d));
	assert_str(text_of(i), want);
	assert_str(hit_value(&found, &found.hit[i]), value);
}

void assert_literal(size_t i, unsigned id, const char *want)
{
	assert_true(i < found.n);
	assert_int_equal(found.hit[i].detector, 0);
	assert_int_equal(found.hit[i].literal, id);
	assert_str(text_of(i), want);
}

void assert_found(enum detector d, const char *want, const char *value)
{
	for (size_t i = 0; i < found.n; i++)
		if (found.hit[i].detector == d && str_eq(text_of(i), str_c(want))) {
			assert_hit(i, d, want, value);
			return;
		}
	fail_msg("no %s \"%s\"", detector_name(d), want);
}

void assert_one(const char *s, enum detector d, const char *value)
{
	find(s);
	if (found.n != 1 || found.hit[0].detector != d || (value && !str_eq(hit_value(&found, &found.hit[0]), str_c(value))))
		fail_msg("\"%s\": %zu hits, the first %s \"%.*s\"; expected %s \"%s\"", s, found.n, found.n ? detector_name(found.hit[0].detector) : "none",
			 STR_ARG(found.n ? hit_value(&found, &found.hit[0]) : STR_NONE), detector_name(d), value ? value : "");
}

void assert_none(const char *s, enum detector d)
{
	find(s);
	if (d ? found.count[d] > 0 : found.n > 0)
		fail_msg("\"%s\" taken for %s", s, detector_name(d ? d : found.hit[0].detector));
}
