/* Excel workbooks, record by record. */
#include "fixture.h"
#include "ole_make.h"

#define KANJI "\xe6\xa9\x9f\xe5\xaf\x86"

static void rec(struct buf *b, uint16_t type, str data)
{
	put_le16(b, type);
	put_le16(b, (uint32_t)data.n);
	buf_puts(b, data);
}

static void cell(struct buf *b, uint16_t type, uint16_t row, uint16_t col, uint16_t xf, str data)
{
	put_le16(b, type);
	put_le16(b, (uint32_t)data.n + 6);
	put_le16(b, row);
	put_le16(b, col);
	put_le16(b, xf);
	buf_puts(b, data);
}

static void number(struct buf *b, uint16_t row, uint16_t col, uint16_t xf, double v)
{
	_cleanup_buf_ struct buf d = BUF_INIT;

	put_double(&d, v);
	cell(b, 0x203, row, col, xf, buf_str(&d));
}

static void bof(struct buf *b, uint16_t version, uint16_t kind)
{
	_cleanup_buf_ struct buf d = BUF_INIT;

	put_le16(&d, version);
	put_le16(&d, kind);
	put_le32(&d, 0);
	rec(b, 0x809, buf_str(&d));
}

/* Where its position is written later. */
static size_t sheet(struct buf *b, uint8_t state, const char *name)
{
	_cleanup_buf_ struct buf d = BUF_INIT;
	size_t at = b->n + 4;

	put_le32(&d, 0);
	buf_putc(&d, (char)state);
	buf_putc(&d, 0);
	buf_putc(&d, (char)strlen(name));
	buf_putc(&d, 0);
	buf_puts(&d, str_c(name));
	rec(b, 0x85, buf_str(&d));
	return at;
}

static void xf(struct buf *b, uint16_t format)
{
	_cleanup_buf_ struct buf d = BUF_INIT;

	put_le16(&d, 0);
	put_le16(&d, format);
	pad_to(&d, 20);
	rec(b, 0xe0, buf_str(&d));
}

static void format(struct buf *b, uint16_t id, const char *text)
{
	_cleanup_buf_ struct buf d = BUF_INIT;

	put_le16(&d, id);
	put_le16(&d, (uint32_t)strlen(text));
	buf_putc(&d, 0);
	buf_puts(&d, str_c(text));
	rec(b, 0x41e, buf_str(&d));
}

static const char *read_book(str stream, const char *name)
{
	_cleanup_buf_ struct buf ole = BUF_INIT;

	make_ole(&ole, (struct ole_stream[]){ { name, stream }, { 0 } });
	return dump("a.xls", buf_str(&ole));
}

/* Shared strings: a plain one, a wide one with formatting and a phonetic guide, and one that a CONTINUE cuts and makes wide. */
static void put_shared(struct buf *b)
{
	_cleanup_buf_ struct buf d = BUF_INIT;

	put_le32(&d, 9);
	put_le32(&d, 4);
	put_le16(&d, 4);
	buf_puts(&d, STR("\0Name"));
	put_le16(&d, 2);
	buf_putc(&d, 1 | 8 | 4);
	put_le16(&d, 1);
	put_le32(&d, 6);
	put_utf16(&d, KANJI);
	buf_puts(&d, STR("RUN!phonet"));
	put_le16(&d, 6);
	buf_puts(&d, STR("\0caf\xe9"));
	rec(b, 0xfc, buf_str(&d));
	buf_clear(&d);
	buf_putc(&d, 1);
	put_utf16(&d, KANJI);
	put_le16(&d, 4);
	buf_puts(&d, STR("\0last"));
	rec(b, 0x3c, buf_str(&d));
}

static void test_book(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, d = BUF_INIT;
	size_t first, second;
	const char *out;

	bof(&b, 0x600, 5);
	format(&b, 164, "yyyy\\-mm\\-dd hh:mm");
	format(&b, 165, "0000000");
	format(&b, 166, "[$-409]d \"of\" mmm;@");
	format(&b, 167, "Standard");
	for (uint16_t i = 0; i < 7; i++)
		xf(&b, (uint16_t[]){ 0, 14, 164, 165, 166, 167, 20 }[i]);
	first = sheet(&b, 0, "Clients");
	second = sheet(&b, 1, "Secret");
	put_shared(&b);
	rec(&b, 0x0a, STR_NONE);

	set_le32(&b, first, (uint32_t)b.n);
	bof(&b, 0x600, 0x10);
	rec(&b, 0x14, STR("\x25\0\0&L&\"Arial,Bold\"&14CONFIDENTIAL&R&P/&N"));
	rec(&b, 0x15, STR("\x05\0\0A&&B&"));
	rec(&b, 0x208, STR("\2\0\0\0\5\0\xff\0\0\0\0\0\x20\0\0\0")); /* third row is hidden */
	rec(&b, 0x7d, STR("\3\0\3\0\0\1\0\0\1\0\0\0"));              /* fourth column, too */
	for (uint32_t i = 0; i < 4; i++)
		cell(&b, 0xfd, 0, (uint16_t)i, 0, (str[]){ STR("\0\0\0\0"), STR("\1\0\0\0"), STR("\2\0\0\0"), STR("\3\0\0\0") }[i]);
	number(&b, 1, 0, 0, 1234567.25);
	number(&b, 1, 1, 1, 45413);      /* 2024-05-01 */
	number(&b, 1, 2, 2, 45413.5);
	number(&b, 1, 4, 3, 12345);      /* zeros before it count */
	number(&b, 1, 5, 4, 45413);
	number(&b, 1, 6, 5, 42);
	number(&b, 1, 7, 6, 0.75);
	cell(&b, 0x27e, 2, 0, 0, STR("\x02\x01\0\0"));  /* 64 */
	cell(&b, 0x27e, 3, 0, 0, STR("\x03\x01\0\0"));  /* .64 */
	rec(&b, 0xbd, STR("\4\0\0\0" "\0\0\x0a\0\0\0" "\0\0\x0e\0\0\0" "\1\0")); /* 2, 3 */
	cell(&b, 0x06, 5, 0, 0, STR("\0\0\0\0\0\0\xff\xff\0\0\0\0\0\0\0\0"));
	rec(&b, 0x207, STR("\4\0\0calc"));
	cell(&b, 0x06, 5, 1, 0, STR("\1\0\1\0\0\0\xff\xff\0\0\0\0\0\0\0\0"));
	cell(&b, 0x06, 5, 2, 0, STR("\2\0\x2a\0\0\0\xff\xff\0\0\0\0\0\0\0\0"));
	cell(&b, 0x204, 6, 0, 0, STR("\5\0\0label"));
	cell(&b, 0x205, 6, 1, 0, STR("\0\0"));
	rec(&b, 0x5d, STR("\x15\0\x12\0\x19\0\1\0\0\0")); /* a comment */
	buf_clear(&d);
	pad_to(&d, 18);
	set_le16(&d, 10, 6);
	rec(&b, 0x1b6, buf_str(&d));
	rec(&b, 0x3c, STR("\0remark"));
	rec(&b, 0x3c, STR("\0\0\0\0\0\0\0\0"));
	rec(&b, 0x0a, STR_NONE);

	set_le32(&b, second, (uint32_t)b.n);
	bof(&b, 0x600, 0x10);
	cell(&b, 0x204, 0, 0, 0, STR("\4\0\0cost"));
	rec(&b, 0x0a, STR_NONE);

	out = read_book(buf_str(&b), "Workbook");
	assert_has(out, "part \"\" application/vnd.ms-excel");
	assert_has(out, " sheet t1: Clients\n cell t1 r1 c1: Name\n cell t1 r1 c2: " KANJI "\n cell t1 r1 c3: caf\xc3\xa9" KANJI "\n hidden cell t1 r1 c4: last\n");
	assert_has(out, " cell t1 r2 c1: 1234567.25\n cell t1 r2 c2: 2024-05-01\n cell t1 r2 c3: 2024-05-01 12:00\n cell t1 r2 c5: 0012345\n"
		" cell t1 r2 c6: 2024-05-01\n cell t1 r2 c7: 42\n cell t1 r2 c8: 18:00\n");
	assert_has(out, " hidden cell t1 r3 c1: 64\n cell t1 r4 c1: 0.64\n cell t1 r5 c1: 2\n cell t1 r5 c2: 3\n");
	assert_has(out, " cell t1 r6 c1: calc\n cell t1 r6 c2: TRUE\n cell t1 r6 c3: #N/A\n cell t1 r7 c1: label\n cell t1 r7 c2: FALSE\n");
	assert_has(out, ": CONFIDENTIAL\t/\n");
	assert_has(out, ": A&B&\n");
	assert_has(out, " comment ");
	assert_has(out, ": remark\n");
	assert_has(out, " hidden sheet t2: Secret\n hidden cell t2 r1 c1: cost\n");
	assert_has_not(out, "error");
	/* The end is missing. */
	out = read_book((str){ b.p, second > 0 ? b.n - 9 : 0 }, "Workbook");
	assert_has(out, " cell t1 r7 c1: label\n");
	assert_has(out, " error: corrupt (truncated)\n");
}

static void test_excel5(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, d = BUF_INIT;
	const char *out;
	size_t at;

	bof(&b, 0x500, 5);
	rec(&b, 0x42, STR("\xa4\x03")); /* 932 */
	at = b.n + 4;
	put_le32(&d, 0);
	put_le16(&d, 0);
	buf_puts(&d, STR("\4\x8b\x40\x96\xa7"));
	rec(&b, 0x85, buf_str(&d));
	rec(&b, 0x0a, STR_NONE);
	set_le32(&b, at, (uint32_t)b.n);
	bof(&b, 0x500, 0x10);
	cell(&b, 0x204, 0, 0, 0, STR("\6\0\x8b\x40\x96\xa7 x"));
	rec(&b, 0x15, STR("\4foot"));
	rec(&b, 0x1c, STR("\1\0\1\0\4\0note"));
	rec(&b, 0x0a, STR_NONE);
	out = read_book(buf_str(&b), "Book");
	assert_has(out, " sheet t1: " KANJI "\n cell t1 r1 c1: " KANJI " x\n");
	assert_has(out, ": foot\n");
	assert_has(out, " comment 4: note\n");
}

/* Before Excel 5 there is no container. */
static void test_excel2(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, d = BUF_INIT;
	const char *out;

	rec(&b, 0x009, STR("\2\0\x10\0"));
	rec(&b, 0x42, STR("\xe4\x04"));
	rec(&b, 0x04, STR("\0\0\0\0\0\0\0\5Total"));
	rec(&b, 0x02, STR("\0\0\1\0\0\0\0\x2a\0"));
	put_le32(&d, 1);
	buf_puts(&d, STR("\0\0\0"));
	put_double(&d, 2.5);
	rec(&b, 0x03, buf_str(&d));
	rec(&b, 0x0a, STR_NONE);
	out = dump("a.xls", buf_str(&b));
	assert_has(out, "part \"\" application/vnd.ms-excel");
	assert_has(out, " cell t1 r1 c1: Total\n cell t1 r1 c2: 42\n cell t1 r2 c1: 2.5\n");
	/* Text that begins so is none. */
	assert_has_not(dump("a.txt", STR("\t\10\20 plain words, nothing else, in a line or two")), "ms-excel");
}

static void test_encrypted(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *out;
	size_t at;

	bof(&b, 0x600, 5);
	rec(&b, 0x2f, STR("\1\0\1\0\1\0abcdefghijklmnopabcdefghijklmnopabcdefghijklmnop"));
	at = sheet(&b, 0, "Scrambled");
	rec(&b, 0x0a, STR_NONE);
	set_le32(&b, at, (uint32_t)b.n);
	bof(&b, 0x600, 0x10);
	rec(&b, 0x0a, STR_NONE);
	out = read_book(buf_str(&b), "Workbook");
	assert_has(out, " error: encrypted (a password is needed)\n");
	assert_has_not(out, "Scrambled");
	assert_has(read_book(STR("nothing of the kind"), "Workbook"), " error: corrupt (no workbook)\n");
}

/* Many sheets that are all the same stretch of the file, and counts that promise more than there is. */
static void test_hostile(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t at[200];
	const char *out;

	bof(&b, 0x600, 5);
	rec(&b, 0xfc, STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"));
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		at[i] = sheet(&b, 0, "S");
	rec(&b, 0x0a, STR_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		set_le32(&b, at[i], (uint32_t)b.n);
	bof(&b, 0x600, 0x10);
	for (uint16_t i = 0; i < 1000; i++)
		cell(&b, 0x204, i, 0, 0, STR("\4\0\0cost"));
	cell(&b, 0xfd, 0, 1, 0, STR("\xff\xff\xff\xff"));
	rec(&b, 0x0a, STR_NONE);
	out = read_book(buf_str(&b), "Workbook");
	assert_has(out, " cell t1 r1000 c1: cost\n");
	assert_true(strlen(out) < 200000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_book), cmocka_unit_test(test_excel5), cmocka_unit_test(test_excel2), cmocka_unit_test(test_encrypted), cmocka_unit_test(test_hostile),
};
EXTRACT_TEST_MAIN(tests)
