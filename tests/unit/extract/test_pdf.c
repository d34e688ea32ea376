/* PDF through pdftotext in its sandbox: from a descriptor, from memory, damaged, and without end; its zones, properties and parts; scans. */
#include "command.h"
#include "fixture.h"

#include <sys/wait.h>
#include <time.h>

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

/* Three thousand bytes that draw 10^9 words: each form draws the next one ten times. It is stopped long before the deadline. */
static void test_bomb(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t at[32], n = 0, xref;
	const char *d;

	buf_puts(&b, STR("%PDF-1.4\n"));
	at[++n] = b.n;
	buf_puts(&b, STR("1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"));
	at[++n] = b.n;
	buf_puts(&b, STR("2 0 obj\n<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>\nendobj\n"));
	for (unsigned page = 0; page < 2; page++) {
		at[++n] = b.n;
		buf_putf(&b, "%zu 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %u 0 R"
				"/Resources<</XObject<</X 7 0 R>>/Font<</F 17 0 R>>>>>>\nendobj\n", n, 5 + page);
	}
	at[++n] = b.n;
	buf_puts(&b, STR("5 0 obj\n<</Length 40>>stream\nBT /F 12 Tf 50 700 Td (First page) Tj ET    \nendstream\nendobj\n"));
	at[++n] = b.n;
	buf_puts(&b, STR("6 0 obj\n<</Length 6>>stream\n/X Do \nendstream\nendobj\n"));
	while (n < 15) {
		at[++n] = b.n;
		buf_putf(&b, "%zu 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</XObject<</X %zu 0 R>>>>/Length 60>>stream\n", n, n + 1);
		for (int i = 0; i < 10; i++)
			buf_puts(&b, STR("/X Do "));
		buf_puts(&b, STR("\nendstream\nendobj\n"));
	}
	at[++n] = b.n;
	buf_puts(&b, STR("16 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F 17 0 R>>>>/Length 36>>stream\n"
			"BT /F 12 Tf 50 700 Td (Bomb) Tj ET  \nendstream\nendobj\n"));
	at[++n] = b.n;
	buf_puts(&b, STR("17 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n"));
	xref = b.n;
	buf_putf(&b, "xref\n0 %zu\n0000000000 65535 f \n", n + 1);
	for (size_t i = 1; i <= n; i++)
		buf_putf(&b, "%010zu 00000 n \n", at[i]);
	buf_putf(&b, "trailer\n<</Size %zu/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", n + 1, xref);
	d = dump("a.pdf", buf_str(&b));
	assert_has(d, " error: unreadable: it takes pdftotext longer than a document of its size may");
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

/* make_pdf.py writes them. */
static const char *read_kind(const char *kind, enum ocr_mode ocr)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	output_of(&b, "/usr/bin/python3 '" TEST_DIR "/make_pdf.py' %s", kind);
	return dump_with(NULL, ocr, "a.pdf", buf_str(&b));
}

static void test_headers(void **state)
{
	const char *d = read_kind("headers", OCR_NEVER);

	assert_has(d, " header ");
	assert_has(d, ": Northern depot: internal use only\n");
	assert_has(d, " footer ");
	assert_has(d, ": Page 3 of 4\n");
	assert_has_not(d, " body 1: Northern");
	assert_has(d, "Line 9 of page 4 tells of copper");
}

static void test_watermark(void **state)
{
	const char *d = read_kind("watermark", OCR_NEVER);

	assert_has(d, " watermark 1: CONFIDENTIAL\n");
	assert_has(strstr(d, "page 1"), ": CONFIDENTIAL\n");
	assert_has(d, ": Line 0 of page 2 tells of copper");
	assert_has(d, " header ");
}

static void test_watermarks(void **state)
{
	const char *d = read_kind("watermarks", OCR_NEVER);
	unsigned n = 0;

	assert_has(d, " watermark 1: INTERNAL USE ONLY\n");
	assert_has(d, ": TLP:AMBER\n");
	assert_has(d, ": CONFIDENTIAL\n");
	assert_has(d, ": TOP SECRET\n");
	assert_has(d, ": Confidential\n");
	assert_has(d, ": PRIVATE\n");
	for (const char *p = d; (p = strstr(p, "So it is.")); p++)
		n++;
	assert_int_equal(n, 18); /* short words of the text are none of its letters */
	assert_has(d, "Line 9 of page 6 tells of copper");
	assert_has(read_kind("watermark-pair", OCR_NEVER), " watermark 1: 極秘\n");
}

/* Columns that pdftotext would print one below the other. */
static void test_table(void **state)
{
	const char *d = read_kind("table", OCR_NEVER);

	assert_has(d, " cell t1 r1 c1: Name\n cell t1 r1 c2: E-mail\n cell t1 r1 c3: Telephone\n");
	assert_has(d, " cell t1 r40 c1: Client 39 Ltd\n cell t1 r40 c2: client39@example.com\n cell t1 r40 c3: +81 3-5555-0039\n");
	assert_has(d, " header ");
	assert_has(d, ": Clients of the northern depot\n");
	assert_has_not(d, " body ");
}

static void test_japanese(void **state)
{
	const char *d = read_kind("japanese", OCR_NEVER);

	assert_has(d, ": 社外秘\n");
	assert_has(d, "銅線の在庫は計画に対して減少した。");
}

static void check_properties(const char *d)
{
	assert_has(d, " meta title: 社外秘\n");
	assert_has(d, " meta author: clerk (depot)\n");
	assert_has(d, " meta keywords: a/b, c\n");
	assert_has(d, " meta keywords: harbour\n");
	assert_has(d, " meta custom:Project Code: 7/G\n");
	assert_has(d, " label 3 off aaaaaaaa-2222-3333-4444-555555555555 Open\n");
	assert_has(d, " label 3 on 11111111-2222-3333-4444-555555555555 Secret\n");
	assert_has(d, "Line 9 of page 1");
}

static void test_properties(void **state)
{
	check_properties(read_kind("properties", OCR_NEVER));
	check_properties(read_kind("packed", OCR_NEVER));
}

static void test_attachment(void **state)
{
	const char *d = read_kind("attachment", OCR_NEVER);

	assert_has(d, "part \"名簿.txt\" text/plain 18 bytes\n body 1: words of the list\n");
	assert_has(d, "Line 9 of page 1");
	assert_has_not(d, "error");
}

static void test_scan(void **state)
{
	const char *d = read_kind("scan", OCR_LATER);

	assert_has(d, " image 1240x1753\n");
	assert_has(d, " flags: wants_ocr\n");
	assert_has_not(d, "error");
	d = read_kind("scan", OCR_NOW); /* the picture itself */
	assert_has(d, " ocr 2: The stock of copper wire fell by eleven per cent against the plan\n");
	assert_has(d, ": CONFIDENTIAL\n");
	assert_has_not(d, "wants_ocr");
	d = read_kind("scan-shared", OCR_NOW); /* its pages, drawn */
	assert_has(d, ": CONFIDENTIAL\n");
	assert_has(d, " ocr 10: The stock of copper wire fell by eleven per cent");
	assert_has_not(d, "wants_ocr");
	d = read_kind("scan-japanese", OCR_NOW);
	assert_has(d, ": 社外秘\n");
	assert_has(d, "次の監査まで書面による記録を保存すること");
}

static void test_hostile(void **state)
{
	static const char *const kinds[] = { "bomb", "many-pages", "page-loop" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *d = read_kind(kinds[i], OCR_LATER);

		assert_has(d, "part \"\" application/pdf");
		assert_has_not(d, "crashed");
		if (i == 0) {
			assert_has(d, "part \"zeros\"");
			assert_has(d, "Line 9 of page 1");
			assert_has(d, "error: too large");
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_pages),      cmocka_unit_test(test_inside),     cmocka_unit_test(test_damaged), cmocka_unit_test(test_deadline),
	cmocka_unit_test(test_bomb),
	cmocka_unit_test(test_cut),        cmocka_unit_test(test_headers),    cmocka_unit_test(test_watermark),
	cmocka_unit_test(test_watermarks), cmocka_unit_test(test_table),
	cmocka_unit_test(test_japanese),   cmocka_unit_test(test_properties), cmocka_unit_test(test_attachment), cmocka_unit_test(test_scan),
	cmocka_unit_test(test_hostile),
};
EXTRACT_TEST_MAIN(tests)
