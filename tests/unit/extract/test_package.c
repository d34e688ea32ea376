/* Packages that are damaged, hostile or enormous: named, and over soon. */
#include "fixture.h"
#include "members.h"

#include <sys/resource.h>

#define R "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
#define WORD "==[Content_Types].xml\n<Types><Override PartName=\"/word/document.xml\" " \
	"ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>\n" \
	"==_rels/.rels\n<Relationships><Relationship Id=\"rId1\" Type=\"" R "officeDocument\" Target=\"word/document.xml\"/></Relationships>\n"
#define SHEET "==[Content_Types].xml\n<Types><Override PartName=\"/xl/workbook.xml\" " \
	"ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>\n" \
	"==_rels/.rels\n<Relationships><Relationship Id=\"rId1\" Type=\"" R "officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>\n" \
	"==xl/_rels/workbook.xml.rels\n<Relationships><Relationship Id=\"a\" Type=\"" R "worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>\n" \
	"==xl/workbook.xml\n<workbook><sheets><sheet name=\"S\" r:id=\"a\"/></sheets></workbook>\n"
#define DOC "==word/document.xml\n"
#define P(s) "<w:p><w:r><w:t>" s "</w:t></w:r></w:p>"

static int64_t work_ms(void)
{
	struct rusage r;

	getrusage(RUSAGE_CHILDREN, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
}

/* The dump of members, made within 5 s of work. */
static const char *timely(const char *name, str members, bool stored)
{
	_cleanup_buf_ struct buf zip = BUF_INIT;
	int64_t start;
	const char *d;

	members_pack(members, stored, &zip);
	start = work_ms();
	d = dump(name, buf_str(&zip));
	if (work_ms() - start > 5000)
		fail_msg("%s took %lld ms", name, (long long)(work_ms() - start));
	assert_has_not(d, "crashed");
	assert_has_not(d, "too long");
	return d;
}

static void test_truncated(void **state)
{
	_cleanup_buf_ struct buf zip = BUF_INIT, text = BUF_INIT;
	struct extractor *x;
	const char *d;

	buf_puts(&text, STR(WORD DOC "<w:document>"));
	for (unsigned i = 0; i < 2000; i++)
		buf_putf(&text, P("paragraph %u of it"), i);
	buf_puts(&text, STR("</w:document>\n==docProps/app.xml\n<Properties/>\n"));
	members_pack(buf_str(&text), false, &zip);
	assert_int_equal(extractor_new(NULL, OCR_NEVER, &x), 0);
	for (size_t n = 4; n < zip.n; n += 1 + zip.n / 150) {
		int fd = memory_file((str){ zip.p, n });

		d = dump_fd(x, fd, "a.docx");
		close(fd);
		assert_has_not(d, "crashed");
		assert_has_not(d, "nonsense");
		if (n < zip.n * 9 / 10)
			assert_has(d, " error: corrupt");
	}
	extractor_free(x);
	/* What is there of it is read. */
	d = dump("a.docx", (str){ zip.p, zip.n / 2 });
	assert_has(d, "wordprocessingml.document");
	assert_has(d, " body 1: paragraph 0 of it\n");
	assert_has(d, " error: corrupt (");
}

/* Flipped bytes: an answer, whatever it is. */
static void test_flipped(void **state)
{
	_cleanup_buf_ struct buf zip = BUF_INIT;
	struct extractor *x;

	members_pack(STR(WORD DOC "<w:document>" P("one") P("two") "</w:document>\n"), false, &zip);
	assert_int_equal(extractor_new(NULL, OCR_NEVER, &x), 0);
	for (size_t i = 0; i < zip.n; i += 3) {
		int fd;

		zip.p[i] ^= 0x55;
		fd = memory_file(buf_str(&zip));
		assert_has_not(dump_fd(x, fd, "a.docx"), "crashed");
		close(fd);
		zip.p[i] ^= 0x55;
	}
	extractor_free(x);
}

static void test_malformed(void **state)
{
	const char *d = timely("a.docx", STR(WORD DOC "<w:document>" P("good") "<w:p><w:r><w:t>begun</w:r>"), false);

	assert_has(d, " body 1: good\n body 2: begun\n error: corrupt (word/document.xml: mismatched tag at byte ");
}

static void test_entities(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	buf_puts(&b, STR(WORD DOC "<!DOCTYPE w [<!ENTITY a0 \"lol\">"));
	for (int i = 1; i < 20; i++)
		buf_putf(&b, "<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;\">", i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	buf_puts(&b, STR("]><w:document>" P("&a19;") "</w:document>\n"));
	d = timely("a.docx", buf_str(&b), false);
	assert_has(d, " error: corrupt (word/document.xml: declares an entity)");
	assert_has_not(d, "lol");
	/* One that is not there, one from elsewhere. */
	d = timely("b.docx", STR(WORD DOC "<!DOCTYPE w [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><w:document>" P("&x;") "</w:document>\n"), false);
	assert_has(d, "declares an entity");
	d = timely("c.docx", STR(WORD DOC "<!DOCTYPE w SYSTEM \"w.dtd\"><w:document>" P("words") "</w:document>\n"), false);
	assert_has(d, " body 1: words\n");
	assert_has_not(d, "error");
}

static void test_deep(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, STR(WORD DOC "<w:document>" P("before")));
	for (int i = 0; i < 200000; i++)
		buf_puts(&b, STR("<w:tbl><w:tr><w:tc>"));
	assert_has(timely("a.docx", buf_str(&b), false), " body 1: before\n error: too large (word/document.xml: elements more than 1000 deep)");
}

static void test_long_tag(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, STR(WORD DOC "<w:document>" P("before") "<w:p a=\""));
	for (int i = 0; i < 1 << 20; i++)
		buf_puts(&b, STR("sixteen letters "));
	assert_has(timely("a.docx", buf_str(&b), false), " body 1: before\n error: too large (word/document.xml: a tag of more than 4 MiB)");
}

static void test_bombs(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, sheet = BUF_INIT;
	const char *d;

	/* Nothing but spaces between two elements: 300 MiB of them. */
	buf_puts(&b, STR(WORD DOC "<w:document>" P("before")));
	buf_reserve(&b, 300u << 20);
	memset(b.p + b.n, ' ', 300u << 20);
	b.n += 300u << 20;
	d = timely("spaces.docx", buf_str(&b), false);
	assert_has(d, " body 1: before\n");
	assert_has(d, " error: too large (");
	/* Cells without a value. */
	buf_free(&b);
	buf_puts(&sheet, STR(SHEET "==xl/worksheets/sheet1.xml\n<worksheet><sheetData><row><c r=\"A1\"><v>7</v></c>"));
	for (int i = 0; i < 8 << 20; i++)
		buf_puts(&sheet, STR("<c r=\"B1\" s=\"1\"/>"));
	d = timely("cells.xlsx", buf_str(&sheet), false);
	assert_has(d, " cell t1 r1 c1: 7\n");
	assert_has(d, " error: ");
}

static void test_many_members(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	buf_puts(&b, STR(WORD DOC "<w:document>" P("before") "</w:document>\n"));
	for (int i = 0; i < PART_COUNT_SMALL + 50; i++)
		buf_putf(&b, "==word/embeddings/%d.txt\nx\n", i);
	d = timely("a.docx", buf_str(&b), true);
	assert_has(d, " body 1: before\n");
	assert_has(d, " error: too large (more than 10000 parts)");
}

/* Relations that lead in circles, out of the package, nowhere. */
static void test_relations(void **state)
{
	const char *d = timely("a.docx", STR(WORD
		"==word/_rels/document.xml.rels\n<Relationships><Relationship Id=\"a\" Type=\"" R "header\" Target=\"document.xml\"/>"
		"<Relationship Id=\"b\" Type=\"" R "footer\" Target=\"../../../../etc/passwd\"/><Relationship Id=\"c\" Type=\"" R "comments\" Target=\"none.xml\"/>"
		"<Relationship Id=\"d\" Type=\"" R "chart\" Target=\"charts/a.xml\"/></Relationships>\n" DOC "<w:document>" P("once") "</w:document>\n"
		"==word/charts/a.xml\n<c><a:p><a:t>first</a:t></a:p></c>\n==word/charts/_rels/a.xml.rels\n<Relationships><Relationship Id=\"d\" Type=\"" R "chart\" Target=\"b.xml\"/></Relationships>\n"
		"==word/charts/b.xml\n<c><a:p><a:t>second</a:t></a:p></c>\n==word/charts/_rels/b.xml.rels\n<Relationships><Relationship Id=\"d\" Type=\"" R "chart\" Target=\"a.xml\"/></Relationships>\n"
		"==../../../tmp/evil.txt\na name that leads out\n"), false);

	assert_has(d, " body 1: once\n body 2: first\n body 3: second\n");
	assert_has(d, "part \"evil.txt\" text/plain ");
	assert_has_not(d, "error");
}

/* A zip of documents is a container, and what is no office package is one, too. */
static void test_not_office(void **state)
{
	_cleanup_buf_ struct buf inner = BUF_INIT, outer = BUF_INIT, other = BUF_INIT;
	struct member m[] = { { "a.docx", STR_NONE }, { "b.txt", STR("words") }, { NULL } };
	const char *d;

	members_pack(STR(WORD DOC "<w:document>" P("inner") "</w:document>\n"), true, &inner);
	m[0].bytes = buf_str(&inner);
	make_archive(&outer, "zip", NULL, NULL, m);
	d = dump("a.zip", buf_str(&outer));
	assert_has(d, "part \"a.docx\" application/vnd.openxmlformats-officedocument.wordprocessingml.document ");
	assert_has(d, "part \"\" application/zip ");
	members_pack(STR("==[Content_Types].xml\n<Types/>\n==a.txt\nwords\n"), false, &other);
	d = dump("a.nupkg", buf_str(&other));
	assert_has(d, "part \"a.txt\" text/plain ");
	assert_has(d, "part \"\" application/zip ");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_truncated), cmocka_unit_test(test_flipped), cmocka_unit_test(test_malformed), cmocka_unit_test(test_entities), cmocka_unit_test(test_deep),
	cmocka_unit_test(test_long_tag), cmocka_unit_test(test_bombs), cmocka_unit_test(test_many_members), cmocka_unit_test(test_relations), cmocka_unit_test(test_not_office),
};
EXTRACT_TEST_MAIN(tests)
