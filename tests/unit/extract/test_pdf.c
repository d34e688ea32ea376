/* PDF through pdftotext in its sandbox: from a descriptor, from memory, damaged, and without end. */
#include "fixture.h"

#include <sys/wait.h>

/* A document of so many pages, each with this line (plain ASCII without parentheses). */
static void make_pdf(struct buf *b, unsigned pages, const char *line)
{
	size_t *at = calloc(2 * pages + 4, sizeof(*at)), n = 1, xref;

	assert_non_null(at);
	buf_puts(b, STR("%PDF-1.4\n"));
	at[n++] = b->n;
	buf_puts(b, STR("1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"));
	at[n++] = b->n;
	buf_puts(b, STR("2 0 obj\n<< /Type /Pages /Kids ["));
	for (unsigned i = 0; i < pages; i++)
		buf_putf(b, "%u 0 R ", 4 + 2 * i);
	buf_putf(b, "] /Count %u >>\nendobj\n", pages);
	at[n++] = b->n;
	buf_puts(b, STR("3 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n"));
	for (unsigned i = 0; i < pages; i++) {
		at[n++] = b->n;
		buf_putf(b, "%u 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %u 0 R /Resources << /Font << /F1 3 0 R >> >> >>\nendobj\n",
			 4 + 2 * i, 5 + 2 * i);
		at[n++] = b->n;
		buf_putf(b, "%u 0 obj\n<< /Length %zu >>\nstream\nBT /F1 12 Tf 72 720 Td (%s) Tj ET\nendstream\nendobj\n", 5 + 2 * i, strlen(line) + 33, line);
	}
	xref = b->n;
	buf_putf(b, "xref\n0 %zu\n0000000000 65535 f \n", n);
	for (size_t i = 1; i < n; i++)
		buf_putf(b, "%010zu 00000 n \n", at[i]);
	buf_putf(b, "trailer << /Size %zu /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n", n, xref);
	free(at);
}

static void test_pages(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	make_pdf(&b, 3, "An offer to nobody");
	d = dump("a.pdf", buf_str(&b));
	assert_has(d, "part \"\" application/pdf");
	assert_has(d, "An offer to nobody\n");
	assert_has(strstr(d, " body 3: "), "An offer to nobody\n");
	assert_has_not(d, "error");
}

/* In a container there is no descriptor: the bytes go to the program's standard input. */
static void test_inside(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, zip = BUF_INIT;
	struct member m[] = { { "a.pdf", STR_NONE }, { "b.pdf", STR_NONE }, { "c.txt", STR("words") }, { NULL } };
	const char *d;

	make_pdf(&b, 2000, "More than a pipe holds");
	m[0].bytes = m[1].bytes = buf_str(&b);
	make_archive(&zip, "zip", NULL, NULL, m);
	d = dump("a.zip", buf_str(&zip));
	assert_has(d, "part \"a.pdf\" application/pdf");
	assert_has(strstr(d, "part \"b.pdf\""), " body 2000: More than a pipe holds\n");
	assert_has(d, "part \"c.txt\" text/plain 5 bytes\n body 1: words\n");
	assert_has_not(d, "error");
}

static void test_damaged(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct extractor *x;

	make_pdf(&b, 5, "Cut off");
	assert_int_equal(extractor_new(NULL, OCR_NEVER, &x), 0);
	for (size_t n = 9; n < b.n; n += 1 + b.n / 25) {
		int fd = memory_file((str){ b.p, n });
		const char *d = dump_fd(x, fd, "a.pdf");

		close(fd);
		assert_has(d, "part \"\" application/pdf");
		/* Never an empty success. */
		if (!strstr(d, "Cut off"))
			assert_has(d, " error: unreadable: ");
	}
	extractor_free(x);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The clock runs for the program, too, and it does not outlive the document. */
static void test_deadline(void **state)
{
	struct extract_limits l = extract_limits_default;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct extractor *x;
	int fd;

	l.deadline_ms = 400;
	make_pdf(&b, 40000, "Pages without end");
	fd = memory_file(buf_str(&b));
	assert_int_equal(extractor_new(&l, OCR_NEVER, &x), 0);
	assert_has(dump_fd(x, fd, "a.pdf"), " error: unreadable: took longer than 0.4 s");
	close(fd);
	extractor_free(x);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* More text than a part may have: the program is stopped, what came stays. */
static void test_cut(void **state)
{
	struct extract_limits l = extract_limits_default;
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	l.text_max = 4000;
	make_pdf(&b, 500, "One of many pages of a long document");
	d = dump_with(&l, OCR_NEVER, "a.pdf", buf_str(&b));
	assert_has(d, "flags: cut");
	assert_has(d, "One of many pages");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_pages), cmocka_unit_test(test_inside), cmocka_unit_test(test_damaged), cmocka_unit_test(test_deadline), cmocka_unit_test(test_cut),
};
EXTRACT_TEST_MAIN(tests)
