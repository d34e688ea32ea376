/* Plain text and tables in their charsets. */
#include "fixture.h"

#include <iconv.h>

#define PROSE "\xe6\xa9\x9f\xe5\xaf\x86\xe6\x96\x87\xe6\x9b\xb8\xe3\x80\x82\xe3\x81\x93\xe3\x82\x8c\xe3\x81\xaf\xe7\xa4\xbe\xe5\xa4\x96\xe7\xa7\x98\xe3\x81\xa7\xe3\x81\x99\xe3\x80\x82"
#define KANA "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88\xe3\x81\xae\xe6\x96\x87\xe7\xab\xa0"

static void convert(struct buf *ret, const char *charset, const char *utf8)
{
	iconv_t cd = iconv_open(charset, "UTF-8");
	char *p = (char *)utf8, *out;
	size_t left = strlen(utf8), room = left * 4 + 16, all = room;

	assert_true(cd != (iconv_t)-1);
	assert_int_equal(buf_reserve(ret, room), 0);
	out = ret->p;
	assert_int_equal(iconv(cd, &p, &left, &out, &room), 0);
	assert_int_equal(iconv(cd, NULL, NULL, &out, &room), 0);
	ret->n = all - room;
	iconv_close(cd);
}

static void test_japanese(void **state)
{
	static const char *const charsets[] = { "UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "CP932", "SHIFT_JIS", "EUC-JP", "ISO-2022-JP" };

	for (size_t i = 0; i < ARRAY_SIZE(charsets); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		const char *d;

		/* The second without a mark is known by its line ends and spaces. */
		convert(&b, charsets[i], strncmp(charsets[i], "UTF-16", 6) == 0 ? PROSE " plan A: offer to a client, draft 7\n\n" KANA "\n" : PROSE "\n\n" KANA "\n");
		d = dump("a.txt", buf_str(&b));
		assert_has(d, "part \"\" text/plain");
		assert_has(d, " body 1: " PROSE);
		assert_has(d, " body 2: " KANA);
	}
}

static void test_latin1(void **state)
{
	const char *d = dump("a.txt", STR("Gr\xfc\xdf" "e aus K\xf6ln, \x80 5\r\nzweite Zeile\r\rdritte"));

	assert_has(d, " body 1: Gr\xc3\xbc\xc3\x9f" "e aus K\xc3\xb6ln, \xe2\x82\xac 5\nzweite Zeile\n");
	assert_has(d, " body 2: dritte\n");
}

/* Half-width kana are words; kanji in EUC, and letters and signs of Latin-1, are no kana. */
static void test_half_width(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_has(dump("a.txt", STR("1 0009\xd0\xbd\xde\xce\x20 111\xd4\xcf\xc0\xde \xc0\xdb\xb3 1234567\n")),
		": 1 0009\xef\xbe\x90\xef\xbd\xbd\xef\xbe\x9e\xef\xbe\x8e  111\xef\xbe\x94\xef\xbe\x8f\xef\xbe\x80\xef\xbe\x9e \xef\xbe\x80\xef\xbe\x9b\xef\xbd\xb3 1234567\n");
	/* 氏名 over names in kana: the kanji are of Shift_JIS, whatever the kana would be in EUC. */
	buf_puts(&b, STR("\x8e\x81\x96\xbc,\x93\x64\x98\x62\n"));
	for (unsigned i = 0; i < 200; i++)
		buf_putf(&b, "\xd4\xcf\xc0\xde\xca\xc5,%u\n", i);
	assert_has(dump("a.csv", buf_str(&b)), " cell t1 r1 c1: \xe6\xb0\x8f\xe5\x90\x8d\n cell t1 r1 c2: \xe9\x9b\xbb\xe8\xa9\xb1\n cell t1 r2 c1: \xef\xbe\x94\xef\xbe\x8f\xef\xbe\x80");
	assert_has(dump("a.txt", STR("\xb5\xa1\xcc\xa9 \xbc\xd2\xb3\xb0\xc8\xeb\n")), ": \xe6\xa9\x9f\xe5\xaf\x86 \xe7\xa4\xbe\xe5\xa4\x96\xe7\xa7\x98\n");
	assert_has(dump("a.txt", STR("\xa7 12: \xa3 5 at 20 \xb0""C, \xa9 \xc4pfel \xdc""ber \xa7\xa7 3-4\n")), ": \xc2\xa7 12: \xc2\xa3 5 at 20 \xc2\xb0""C, \xc2\xa9 \xc3\x84pfel");
}

/* Without a mark at its beginning, and nothing but Japanese in it. */
static void test_utf16_unmarked(void **state)
{
	static const char *const charsets[] = { "UTF-16LE", "UTF-16BE" };

	for (size_t i = 0; i < ARRAY_SIZE(charsets); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		convert(&b, charsets[i], PROSE KANA PROSE);
		assert_has(dump("a.txt", buf_str(&b)), " body 1: " PROSE KANA PROSE "\n");
	}
}

/* Kilobytes of ASCII come first, in the same piece of the file and before it. */
static void test_late(void **state)
{
	static const struct { const char *charset, *text; } late[] = { { "CP932", PROSE }, { "EUC-JP", PROSE }, { "UTF-8", PROSE }, { "CP1252", "caf\xc3\xa9 Gr\xc3\xb6\xc3\x9f" "e" } };

	for (size_t i = 0; i < ARRAY_SIZE(late) * 2; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT, text = BUF_INIT;
		char want[200];

		for (unsigned line = 0; line < (i % 2 ? 60000u : 1000u); line++)
			buf_putf(&b, "%u plain words in a line\n", line);
		convert(&text, late[i / 2].charset, late[i / 2].text);
		buf_puts(&b, STR("\n"));
		buf_puts(&b, buf_str(&text));
		snprintf(want, sizeof(want), " body 2: %s\n", late[i / 2].text);
		assert_has(dump("a.txt", buf_str(&b)), want);
	}
}

static void test_malformed(void **state)
{
	const char *d = dump("a.txt", STR("A paragraph of plain words with one bad byte here \xe3\x81 and a bell \x07.\xef\xbf\xbd \xe3\x81\x82\xe3\x81\x84\xe3\x81\x86\n"));

	assert_has(d, "a bell  .");
	/* One damaged character does not make Shift_JIS of it. */
	assert_has(dump("a.txt", STR(PROSE "\xe3\x81" "x " PROSE PROSE "\n")), PROSE "\xef\xbf\xbdx " PROSE PROSE "\n");
}

/* More than one piece of reading, no line end in sight, characters across every cut. */
static void test_long_lines(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	for (int i = 0; i < 1500000; i++)
		buf_puts(&b, STR("\xe3\x81\x82"));
	d = dump("a.txt", buf_str(&b));
	assert_has_not(d, "\xef\xbf\xbd");
	assert_int_equal(strlen(strstr(d, " body 1: ")), strlen(" body 1: ") + b.n + 1);
}

static void test_cut(void **state)
{
	struct extract_limits l = extract_limits_default;
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	l.text_max = 100000;
	for (int i = 0; i < 30000; i++)
		buf_putf(&b, "line %d\n", i);
	d = dump_with(&l, OCR_NEVER, "a.txt", buf_str(&b));
	assert_has(d, " flags: cut");
	assert_true(strlen(d) < 100300);
	assert_has(d, "line 0\n");
}

static void test_binary(void **state)
{
	char noise[4096];
	uint64_t x = 1;

	for (size_t i = 0; i < sizeof(noise); i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		noise[i] = (char)(x >> 56);
	}
	assert_has_not(dump("a.txt", (str){ noise, sizeof(noise) }), "body");
	assert_has(dump("e", STR("")), "part \"\" application/x-empty 0 bytes\n");
	assert_has(dump("e", STR("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\2\0\0\0")), "image/png");
}

static void test_csv(void **state)
{
	const char *d = dump("t.csv", STR("name,mail,note\r\nA,\"a@x.example\",\"say \"\"hi\"\", ok\"\r\nB,b@x.example,\"two\r\nlines\"\r\n\r\nC,,x"));

	assert_has(d, "part \"\" text/csv");
	assert_has(d, " cell t1 r1 c1: name\n cell t1 r1 c2: mail\n cell t1 r1 c3: note\n");
	assert_has(d, " cell t1 r2 c2: a@x.example\n cell t1 r2 c3: say \"hi\", ok\n");
	assert_has(d, " cell t1 r3 c3: two\nlines\n cell t1 r4 c1: C\n cell t1 r4 c3: x\n");
}

static void test_csv_separators(void **state)
{
	assert_has(dump("x", STR("a;b;c\n1;2,5;3\n4;5;6\n7;8;9\n")), " cell t1 r2 c2: 2,5\n cell t1 r2 c3: 3\n");
	assert_has(dump("x.tsv", STR("a\tb\n1\t2\n")), " cell t1 r2 c2: 2\n");
	assert_has(dump("x", STR("a|b|c\n1|2|3\n4|5|6\n")), " cell t1 r3 c3: 6\n");
	assert_has(dump("x.csv", STR("\xef\xbb\xbf" "alone\nvalue\n")), " cell t1 r1 c1: alone\n cell t1 r2 c1: value\n");
	/* Rows that differ, in a file that says what it is. */
	assert_has(dump("x.csv", STR("a,b\n1\n1,2,3\n")), " cell t1 r3 c3: 3\n");
	/* Prose is no table. */
	assert_has(dump("x", STR("Dear colleague, the plan\nis good, as you know\nand late, too\n")), " body 1: Dear colleague, the plan\n");
}

static void test_csv_japanese(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	convert(&b, "CP932", "\xe6\xb0\x8f\xe5\x90\x8d,\xe4\xbd\x8f\xe6\x89\x80,\xe9\x9b\xbb\xe8\xa9\xb1\r\n\xe5\x96\xb6\xe6\xa5\xad,\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd,03-0000-0000\r\n");
	assert_has(dump("list.csv", buf_str(&b)), " cell t1 r2 c2: \xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\n cell t1 r2 c3: 03-0000-0000\n");
}

/* Quotes that never close cost one cell, not the table; rows across pieces of reading are whole. */
static void test_csv_large(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	for (int i = 1; i <= 60000; i++)
		buf_putf(&b, "%d,\"cell \"\"%d\"\"\",x%d,\"line\nbreak %d\"\n", i, i, i, i);
	d = dump("t.csv", buf_str(&b));
	for (int i = 1; i <= 60000; i += 997) {
		char want[160];

		snprintf(want, sizeof(want), " cell t1 r%d c1: %d\n cell t1 r%d c2: cell \"%d\"\n cell t1 r%d c3: x%d\n cell t1 r%d c4: line\nbreak %d\n", i, i, i, i, i,
			i, i, i);
		assert_has(d, want);
	}
	buf_clear(&b);
	buf_puts(&b, STR("a,b,c\n1,\"never closed,3\n"));
	for (int i = 0; i < 20000; i++)
		buf_putf(&b, "x%d,y%d,z%d\n", i, i, i);
	assert_has(dump("t.csv", buf_str(&b)), " c2: y19999\n");
}

/* Short pieces of ASCII take another way than long ones: both give the same, in every page. */
static void test_pages(void **state)
{
	static const unsigned pages[] = { 437, 850, 852, 866, 874, 932, 936, 949, 950, 1200, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258, 10000,
		20866, 21866, 28592, 28597, 28605, 50220, 51932, 54936, 65001, 4711 };
	char ascii['~' - ' '], many[sizeof(ascii) * 60];

	for (size_t i = 0; i < sizeof(ascii); i++)
		ascii[i] = (char)('!' + i);
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = ascii[i % sizeof(ascii)];
	assert_int_equal(charset_prepare(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		_cleanup_buf_ struct buf whole = BUF_INIT, pieces = BUF_INIT;

		charset_codepage_to_utf8(pages[i], (str){ many, sizeof(many) }, &whole);
		for (size_t k = 0; k < sizeof(many); k += sizeof(ascii))
			charset_codepage_to_utf8(pages[i], (str){ many + k, sizeof(ascii) }, &pieces);
		if (whole.n != pieces.n || memcmp(whole.p, pieces.p, whole.n) != 0)
			fail_msg("page %u", pages[i]);
		if (pages[i] != 1200 && (whole.n != sizeof(many) || memcmp(whole.p, many, whole.n) != 0))
			fail_msg("page %u is no ASCII", pages[i]);
	}
}

/* The last character counts, too, where a converter waits for a mark that may follow. */
static void test_last_character(void **state)
{
	const struct {
		const char *charset;
		str bytes;
		const char *want;
	} ends[] = {
		{ "iso-2022-jp", STR("\x1b$B$3$l$+"), "\xe3\x81\x93\xe3\x82\x8c\xe3\x81\x8b" },
		{ "windows-1258", STR("Ha Noi"), "Ha Noi" },
		{ "windows-1258", STR("ch\xe0o \xe0"), "ch\xc3\xa0o \xc3\xa0" },
		{ "big5", STR("\xa4\xa4\x88\x66"), "\xe4\xb8\xad\xc3\x8a" },
	};

	assert_int_equal(charset_prepare(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		assert_int_equal(charset_to_utf8(str_c(ends[i].charset), ends[i].bytes, &b), 0);
		assert_non_null(buf_cstr(&b));
		assert_string_equal(b.p, ends[i].want);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_pages), cmocka_unit_test(test_last_character), cmocka_unit_test(test_japanese), cmocka_unit_test(test_latin1), cmocka_unit_test(test_half_width),
	cmocka_unit_test(test_utf16_unmarked), cmocka_unit_test(test_late), cmocka_unit_test(test_malformed), cmocka_unit_test(test_long_lines),
	cmocka_unit_test(test_cut), cmocka_unit_test(test_binary), cmocka_unit_test(test_csv), cmocka_unit_test(test_csv_separators),
	cmocka_unit_test(test_csv_japanese), cmocka_unit_test(test_csv_large),
};
EXTRACT_TEST_MAIN(tests)
