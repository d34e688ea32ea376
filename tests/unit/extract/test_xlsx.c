/* Excel: cells as a person sees them, what is hidden, and what stands beside the cells. */
#include "fixture.h"
#include "members.h"

#include "extract/formats/numfmt.h"

#define R "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
#define BOOK(pr, sheets) "==[Content_Types].xml\n<Types><Override PartName=\"/xl/workbook.xml\" " \
	"ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>\n" \
	"==_rels/.rels\n<Relationships><Relationship Id=\"rId1\" Type=\"" R "officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>\n" \
	"==xl/_rels/workbook.xml.rels\n<Relationships><Relationship Id=\"a\" Type=\"" R "worksheet\" Target=\"worksheets/sheet1.xml\"/>" \
	"<Relationship Id=\"b\" Type=\"" R "worksheet\" Target=\"worksheets/sheet2.xml\"/>" \
	"<Relationship Id=\"s\" Type=\"" R "sharedStrings\" Target=\"sharedStrings.xml\"/><Relationship Id=\"t\" Type=\"" R "styles\" Target=\"styles.xml\"/></Relationships>\n" \
	"==xl/workbook.xml\n<workbook xmlns:r=\"" R "\">" pr "<sheets>" sheets "</sheets></workbook>\n"
#define SHEET1 "<sheet name=\"People\" sheetId=\"1\" r:id=\"a\"/>"
#define SHEET2 "<sheet name=\"Secret\" sheetId=\"2\" state=\"veryHidden\" r:id=\"b\"/>"
#define DATA(n, s) "==xl/worksheets/sheet" n ".xml\n<worksheet xmlns:r=\"" R "\"><sheetData>" s "</sheetData></worksheet>\n"

static const char *book(const char *members)
{
	_cleanup_buf_ struct buf zip = BUF_INIT;

	members_pack(str_c(members), false, &zip);
	return dump("a.xlsx", buf_str(&zip));
}

static void test_cells(void **state)
{
	const char *d = book(BOOK("", SHEET1 SHEET2)
		"==xl/sharedStrings.xml\n<sst><si><t>name</t></si><si><r><t>two </t></r><r><rPr><b/></rPr><t>runs</t></r></si>"
		"<si><t>\xe6\x9d\xb1\xe4\xba\xac</t><rPh sb=\"0\" eb=\"2\"><t>\xe3\x83\x88\xe3\x82\xa6</t></rPh><phoneticPr fontId=\"1\"/></si></sst>\n"
		DATA("1", "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"s\"><v>1</v></c></row>"
		"<row r=\"3\"><c r=\"AA3\" t=\"s\"><v>2</v></c><c r=\"AB3\" t=\"inlineStr\"><is><t>in line</t></is></c><c t=\"b\"><v>1</v></c></row>"
		"<row><c><f>1+1</f><v>2</v></c><c t=\"str\"><f>A1&amp;\"x\"</f><v>namex</v></c><c t=\"e\"><v>#N/A</v></c><c t=\"s\"><v>99</v></c><c s=\"7\"><v>1.5</v></c></row>")
		DATA("2", "<row r=\"1\"><c r=\"A1\"><v>4111111111111111</v></c><c r=\"B1\"><v>4.111111111111111E15</v></c><c r=\"C1\"><v>0.30000000000000004</v></c></row>"));

	assert_has(d, " sheet t1: People\n cell t1 r1 c1: name\n cell t1 r1 c3: two runs\n cell t1 r3 c27: \xe6\x9d\xb1\xe4\xba\xac\n cell t1 r3 c28: in line\n cell t1 r3 c29: TRUE\n");
	assert_has(d, " cell t1 r4 c1: 2\n cell t1 r4 c2: namex\n cell t1 r4 c3: #N/A\n cell t1 r4 c5: 1.5\n");
	assert_has(d, " hidden sheet t2: Secret\n hidden cell t2 r1 c1: 4111111111111111\n hidden cell t2 r1 c2: 4111111111111111\n hidden cell t2 r1 c3: 0.3\n");
	assert_has_not(d, "\xe3\x83\x88");
	assert_has_not(d, "error");
}

static void test_formats(void **state)
{
	const char *d = book(BOOK("<workbookPr date1904=\"0\"/>", SHEET1)
		"==xl/styles.xml\n<styleSheet><numFmts count=\"3\"><numFmt numFmtId=\"164\" formatCode=\"000\\-0000\"/><numFmt numFmtId=\"165\" formatCode=\"yyyy/m/d\"/></numFmts>"
		"<cellStyleXfs><xf numFmtId=\"0\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>\n"
		DATA("1", "<row r=\"1\"><c s=\"1\"><v>640941</v></c><c s=\"2\"><v>30753</v></c><c s=\"3\"><v>30753</v></c><c s=\"0\"><v>30753</v></c></row>"));

	assert_has(d, " cell t1 r1 c1: 064-0941\n cell t1 r1 c2: 1984/3/12\n cell t1 r1 c3: 1984-03-12\n cell t1 r1 c4: 30753\n");
}

static void test_numbers(void **state)
{
	static const struct {
		const char *code, *stored, *want;
		bool date1904;
	} t[] = {
		{ "", "12", "12", false }, { "General", "1E3", "1000", false }, { "0", "1234.5", "1234", false }, { "0.00", "1234.5", "1234.50", false },
		{ "#,##0", "1234567", "1,234,567", false }, { "#,##0.00", "-1234.5", "-1,234.50", false }, { "#,##0", "12", "12", false }, { "0%", "0.25", "25%", false },
		{ "00000", "501", "00501", false }, { "000-00-0000", "78051120", "078-05-1120", false }, { "0000 0000 0000", "123456789012", "1234 5678 9012", false },
		{ "[<=9999999]###-####;(###) ###-####", "5551234", "555-1234", false }, { "[<=9999999]###-####;(###) ###-####", "2125551234", "(212) 555-1234", false },
		{ "000-0000-0000", "9012345678", "090-1234-5678", false }, { "\"ID\"0000", "7", "ID0007", false }, { "0;(0)", "-5", "(5)", false }, { "#", "0", "", false },
		{ "#.##", "0.5", ".50", false }, { "[$\xe2\x82\xac-407]#,##0", "1500", "\xe2\x82\xac""1,500", false }, { "0.00E+00", "12345", "12345", false },
		{ "@", "12", "12", false }, { "[Red]0", "5", "5", false }, { "[Magenta]0.0", "5", "5.0", false },
		{ "yyyy-mm-dd", "1", "1900-01-01", false }, { "yyyy-mm-dd", "59", "1900-02-28", false }, { "yyyy-mm-dd", "61", "1900-03-01", false },
		{ "yyyy-mm-dd", "45658", "2025-01-01", false }, { "yyyy-mm-dd", "0", "1904-01-01", true }, { "d-mmm-yy", "45658", "1-Jan-25", false },
		{ "dddd, mmmm d, yyyy", "45658", "Wednesday, January 1, 2025", false }, { "h:mm AM/PM", "0.75", "6:00 PM", false }, { "hh:mm:ss", "0.5", "12:00:00", false },
		{ "yyyy/mm/dd hh:mm", "45658.5", "2025/01/01 12:00", false }, { "[h]:mm", "1.5", "36:00", false }, { "mm:ss", "0.001", "01:26", false },
		{ "ggge\"\xe5\xb9\xb4\"m\"\xe6\x9c\x88\"d\"\xe6\x97\xa5\"", "30753", "\xe6\x98\xad\xe5\x92\x8c""59\xe5\xb9\xb4""3\xe6\x9c\x88""12\xe6\x97\xa5", false },
		{ "[$-411]ge.m.d", "43586", "R1.5.1", false }, { "[$-411]ge.m.d", "43585", "H31.4.30", false }, { "m/d(aaa)", "45658", "1/1(\xe6\xb0\xb4)", false },
		{ "yyyy-mm-dd", "-1", "-1", false }, { "yyyy-mm-dd", "99999999", "99999999", false }, { "0", "words", "words", false }, { "0", "1e400", "1e400", false },
		{ "0", "123456789012345678901234567890", "123456789012345678901234567890", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct numfmt f;

		numfmt_parse(t[i].code, &f);
		numfmt_put(&b, &f, str_c(t[i].stored), t[i].date1904);
		if (!str_eq(buf_str(&b), str_c(t[i].want)))
			fail_msg("%s as \"%s\": got \"%.*s\", expected \"%s\"", t[i].stored, t[i].code, STR_ARG(buf_str(&b)), t[i].want);
	}
}

/* The sheet is gone, what a pivot table knows of it is not. */
static void test_kept(void **state)
{
	const char *d = book("==xl/_rels/workbook.xml.rels\n<Relationships><Relationship Id=\"p\" Type=\"" R "pivotCacheDefinition\" Target=\"pivotCache/def1.xml\"/>"
		"<Relationship Id=\"e\" Type=\"" R "externalLink\" Target=\"externalLinks/externalLink1.xml\"/></Relationships>\n"
		BOOK("", SHEET1)
		"==xl/pivotCache/def1.xml\n<pivotCacheDefinition><cacheFields><cacheField name=\"Client\"><sharedItems><s v=\"a client\"/><n v=\"5\"/></sharedItems></cacheField></cacheFields></pivotCacheDefinition>\n"
		"==xl/pivotCache/_rels/def1.xml.rels\n<Relationships><Relationship Id=\"r\" Type=\"" R "pivotCacheRecords\" Target=\"rec1.xml\"/></Relationships>\n"
		"==xl/pivotCache/rec1.xml\n<pivotCacheRecords><r><x v=\"0\"/><s v=\"a record\"/></r></pivotCacheRecords>\n"
		"==xl/externalLinks/externalLink1.xml\n<externalLink><externalBook><sheetDataSet><sheetData><row><cell r=\"A1\"><v>elsewhere</v></cell></row></sheetData></sheetDataSet></externalBook></externalLink>\n");

	assert_has(d, " hidden body 1: Client\n hidden body 2: a client\n hidden body 3: 5\n hidden body 4: a record\n hidden body 5: elsewhere\n");
}

static void test_beside(void **state)
{
	const char *d = book(BOOK("", SHEET1)
		"==xl/worksheets/_rels/sheet1.xml.rels\n<Relationships><Relationship Id=\"l\" Type=\"" R "hyperlink\" Target=\"https://example.org/\" TargetMode=\"External\"/>"
		"<Relationship Id=\"c\" Type=\"" R "comments\" Target=\"../comments1.xml\"/><Relationship Id=\"d\" Type=\"" R "drawing\" Target=\"../drawings/drawing1.xml\"/></Relationships>\n"
		"==xl/worksheets/sheet1.xml\n<worksheet xmlns:r=\"" R "\"><cols><col min=\"2\" max=\"3\" hidden=\"1\"/></cols><sheetData>"
		"<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\"><v>2</v></c></row><row r=\"2\" hidden=\"1\"><c r=\"A2\"><v>3</v></c></row></sheetData>"
		"<hyperlinks><hyperlink ref=\"A1\" r:id=\"l\"/></hyperlinks>"
		"<headerFooter><oddHeader>&amp;L&amp;\"Arial,Bold\"&amp;14CONFIDENTIAL&amp;Cpage &amp;P&amp;R&amp;KFF0000A&amp;&amp;B</oddHeader><evenFooter>&amp;Cfoot</evenFooter></headerFooter></worksheet>\n"
		"==xl/comments1.xml\n<comments><commentList><comment ref=\"A1\"><text><r><t>a </t></r><r><t>remark</t></r></text></comment></commentList></comments>\n"
		"==xl/drawings/drawing1.xml\n<xdr:wsDr><xdr:sp><xdr:txBody><a:p><a:r><a:t>in a box</a:t></a:r></a:p></xdr:txBody></xdr:sp></xdr:wsDr>\n"
		"==xl/media/image1.png\npicture\n==xl/printerSettings/printerSettings1.bin\nx\n");

	assert_has(d, " cell t1 r1 c1: 1\n hidden cell t1 r1 c2: 2\n hidden cell t1 r2 c1: 3\n");
	assert_has(d, "header 6: CONFIDENTIAL\n");
	assert_has(d, ": page \n");
	assert_has(d, ": A&B\n");
	assert_has(d, "footer ");
	assert_has(d, ": https://example.org/\n");
	assert_has(d, "comment ");
	assert_has(d, ": a remark\n");
	assert_has(d, ": in a box\n");
	assert_has(d, " image 0x0\n");
	assert_has_not(d, "printerSettings");
}

/* A million rows, streamed: what fits is there in seconds of work and within the worker's memory. */
static void test_large(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, zip = BUF_INIT;
	const char *d;

	buf_puts(&b, STR(BOOK("", SHEET1) "==xl/worksheets/sheet1.xml\n<worksheet><sheetData>"));
	for (unsigned i = 1; i <= 1000000; i++)
		buf_putf(&b, "<row r=\"%u\"><c r=\"A%u\"><v>%u</v></c><c r=\"B%u\" t=\"inlineStr\"><is><t>row %u</t></is></c></row>", i, i, i, i, i);
	buf_puts(&b, STR("</sheetData></worksheet>\n"));
	members_pack(buf_str(&b), false, &zip);
	d = dump("large.xlsx", buf_str(&zip));
	assert_has(d, " cell t1 r1000000 c2: row 1000000\n");
	assert_has_not(d, "error");
	assert_has_not(d, "cut");
}

static void test_kinds(void **state)
{
	static const char *const kinds[][2] = {
		{ "application/vnd.ms-excel.sheet.macroEnabled.main", "application/vnd.ms-excel.sheet.macroEnabled.12" },
		{ "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main", "application/vnd.openxmlformats-officedocument.spreadsheetml.template" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		buf_putf(&b, "==[Content_Types].xml\n<Types><Override PartName=\"/xl/workbook.xml\" ContentType=\"%s+xml\"/></Types>\n%s", kinds[i][0],
			strstr(BOOK("", SHEET1) DATA("1", "<row><c><v>1</v></c></row>"), "==_rels"));
		assert_has(book(buf_cstr(&b)), kinds[i][1]);
		assert_has(book(buf_cstr(&b)), " cell t1 r1 c1: 1\n");
	}
}

/* ---- xlsb ---- */

static void record_head(struct buf *b, unsigned type, size_t n)
{
	if (type >= 128)
		buf_putc(b, (char)((type & 0x7f) | 0x80));
	buf_putc(b, (char)(type >= 128 ? type >> 7 : type));
	for (; n >= 128; n >>= 7)
		buf_putc(b, (char)((n & 0x7f) | 0x80));
	buf_putc(b, (char)n);
}

static void numbers(struct buf *b, unsigned n, const uint32_t *v)
{
	for (unsigned i = 0; i < n; i++)
		buf_put(b, &v[i], 4);
}
#define U32(b, ...) numbers(b, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, (uint32_t[]){ __VA_ARGS__ })

static void wide(struct buf *b, const char *ascii)
{
	U32(b, (uint32_t)strlen(ascii));
	for (; *ascii; ascii++) {
		buf_putc(b, *ascii);
		buf_putc(b, 0);
	}
}

/* What stands in body as a record; body is empty then. */
static void put(struct buf *b, unsigned type, struct buf *body)
{
	record_head(b, type, body->n);
	buf_puts(b, buf_str(body));
	buf_clear(body);
}

struct binary {
	struct buf book, strings, styles, sheet, body;
};

static void make_parts(struct binary *x)
{
	struct buf *o = &x->body;
	double real = 30753;

	U32(o, 1, 1); wide(o, "a"); wide(o, "Staff"); put(&x->book, 156, o);
	buf_putc(o, 0); wide(o, "shared words"); put(&x->strings, 19, o);
	buf_put(o, "\xa4\0", 2); wide(o, "000\\-0000"); put(&x->styles, 44, o);
	put(&x->styles, 617, o);
	buf_put(o, "\0\0\0\0", 4); put(&x->styles, 47, o);
	buf_put(o, "\0\0\xa4\0", 4); put(&x->styles, 47, o);
	buf_put(o, "\0\0\x0e\0", 4); put(&x->styles, 47, o);
	put(&x->styles, 618, o);
	U32(o, 4, 0, 0); put(&x->sheet, 0, o);
	U32(o, 0, 0, 0); put(&x->sheet, 7, o);
	U32(o, 1, 1, 640941u << 2 | 2); put(&x->sheet, 2, o);
	U32(o, 2, 2); buf_put(o, &real, 8); put(&x->sheet, 5, o);
	U32(o, 3, 0); wide(o, "in the cell"); put(&x->sheet, 6, o);
	U32(o, 4, 0); wide(o, "of a formula"); buf_put(o, "\1\2\3", 3); put(&x->sheet, 8, o);
	U32(o, 5, 0); buf_putc(o, 1); put(&x->sheet, 4, o);
	U32(o, 6, 0, 77); put(&x->sheet, 7, o);
	buf_put(o, "\0\0", 2); wide(o, "&CTop"); wide(o, "&LCONFIDENTIAL"); U32(o, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX); put(&x->sheet, 479, o);
}

static const char *binary_book(struct binary *x, size_t cut)
{
	_cleanup_buf_ struct buf zip = BUF_INIT;
	struct member m[] = {
		{ "[Content_Types].xml", STR("<Types><Override PartName=\"/xl/workbook.bin\" ContentType=\"application/vnd.ms-excel.sheet.binary.macroEnabled.main\"/></Types>") },
		{ "_rels/.rels", STR("<Relationships><Relationship Id=\"r\" Type=\"" R "officeDocument\" Target=\"xl/workbook.bin\"/></Relationships>") },
		{ "xl/_rels/workbook.bin.rels", STR("<Relationships><Relationship Id=\"a\" Type=\"" R "worksheet\" Target=\"worksheets/sheet1.bin\"/>"
			"<Relationship Id=\"s\" Type=\"" R "sharedStrings\" Target=\"sharedStrings.bin\"/>"
			"<Relationship Id=\"t\" Type=\"" R "styles\" Target=\"styles.bin\"/></Relationships>") },
		{ "xl/workbook.bin", buf_str(&x->book) }, { "xl/sharedStrings.bin", buf_str(&x->strings) }, { "xl/styles.bin", buf_str(&x->styles) },
		{ "xl/worksheets/sheet1.bin", { x->sheet.p, x->sheet.n - cut } }, { NULL, STR_NONE },
	};

	make_archive(&zip, "zip", NULL, NULL, m);
	return dump("a.xlsb", buf_str(&zip));
}

static void test_binary(void **state)
{
	struct binary x = { 0 };
	const char *d;

	make_parts(&x);
	d = binary_book(&x, 0);
	assert_has(d, " hidden sheet t1: Staff\n hidden cell t1 r5 c1: shared words\n hidden cell t1 r5 c2: 064-0941\n hidden cell t1 r5 c3: 1984-03-12\n");
	assert_has(d, " hidden cell t1 r5 c4: in the cell\n hidden cell t1 r5 c5: of a formula\n hidden cell t1 r5 c6: TRUE\n");
	assert_has(d, ": Top\n");
	assert_has(d, "footer ");
	assert_has(d, ": CONFIDENTIAL\n");
	assert_has_not(d, " error: ");
	d = binary_book(&x, 5);
	assert_has(d, ": in the cell\n");
	assert_has(d, " error: corrupt (a part of the workbook ends amid a record)");
	buf_free(&x.book);
	buf_free(&x.strings);
	buf_free(&x.styles);
	buf_free(&x.sheet);
	buf_free(&x.body);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_cells), cmocka_unit_test(test_formats), cmocka_unit_test(test_numbers), cmocka_unit_test(test_kept), cmocka_unit_test(test_beside), cmocka_unit_test(test_large),
	cmocka_unit_test(test_kinds), cmocka_unit_test(test_binary),
};
EXTRACT_TEST_MAIN(tests)
