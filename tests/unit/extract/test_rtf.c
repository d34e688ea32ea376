/* Rich Text Format: charsets of fonts, Unicode with what others see instead, zones, tables, objects; groups without end. */
#include "fixture.h"

#include "extract/formats/rtf.h"

#define SECRET "\xe7\xa4\xbe\xe5\xa4\x96\xe7\xa7\x98"
#define FONTS "{\\fonttbl{\\f0\\fswiss Arial;}{\\f1\\fnil\\fcharset128 MS Mincho;}{\\f2\\fcharset204{\\*\\falt Arial}Arial Cyr;}{\\f31500\\fcharset238 X;}}"
#define RTF(body) "{\\rtf1\\ansi\\ansicpg1252\\deff0" FONTS "{\\stylesheet{\\s0 Normal;}}{\\colortbl;\\red0;}" body "}"

static const char *rtf(const char *s)
{
	return dump("a.rtf", str_c(s));
}

static void test_charsets(void **state)
{
	const char *d = rtf(RTF("\\f0 K\\'f6ln \\f1\\'8e\\'d0\\'8aO\\'94\\'e9\\f0  end\\par{\\f2\\'cf\\'f0} back \\'e9\\par\\f31500 \\'b9\\par\\plain\\'b9\\par"
				"\\dbch\\af1 \\'8e\\'d0\\loch\\'e9"));

	assert_has(d, "part \"\" application/rtf");
	assert_has(d, " body 1: K\xc3\xb6ln " SECRET " end\n");
	assert_has(d, " body 2: \xd0\x9f\xd1\x80 back \xc3\xa9\n");
	assert_has(d, " body 3: \xc4\x85\n body 4: \xc2\xb9\n");
	assert_has(d, " body 5: \xe7\xa4\xbe\xc3\xa9\n");
	assert_has(dump("a.rtf", STR("{\\rtf1\\ansi\\ansicpg932 \\'8e\\'d0\\'8aO\\'94\\'e9}")), ": " SECRET "\n");
	assert_has(dump("a.rtf", STR("{\\rtf1\\mac \\'8a}")), ": \xc3\xa4\n");
}

static void test_unicode_pages(void **state)
{
	const char *d;

	assert_has(dump("a.rtf", STR("{\\rtf1\\ansi\\ansicpg65001 K\\'c3\\'b6ln \\'e7\\'a4\\'be\\'e5\\'a4\\'96\\'e7\\'a7\\'98!}")), ": K\xc3\xb6ln " SECRET "!\n");
	/* A character that a group cuts is none. */
	assert_has(dump("a.rtf", STR("{\\rtf1\\ansi\\ansicpg65001 a\\'e7{\\b \\'a4\\'be}b}")), ": a\xef\xbf\xbd");
	/* UTF-16: pairs of bytes, of which one may be a letter as it is; words that are plain ASCII. */
	d = dump("a.rtf", STR("{\\rtf1\\ansi\\ansicpg1200 Plain \\'3e\\'79\\'3e\\'79\\'3ey end A\\'00\\'42\\'00 and words}"));
	assert_has(d, ": Plain \xe7\xa4\xbe\xe7\xa4\xbe\xe7\xa4\xbe end AB and words\n");
	/* Vietnamese: a letter waits for the mark that may follow, also the last one. */
	assert_has(dump("a.rtf", STR("{\\rtf1\\ansi\\ansicpg1258 Xin ch\\'e0o, c\\'e1m \\'f5n b\\'f2}")), ": Xin ch\xc3\xa0o, c\xc3\xa1m \xc6\xa1n \xe1\xb8\x85\n");
	assert_has(dump("a.rtf", STR("{\\rtf1\\ansi\\ansicpg1258 \\'e0{\\b a}\\'e0 e}")), ": \xc3\xa0" "a\xc3\xa0 e\n");
}

static void test_unicode(void **state)
{
	const char *d = rtf(RTF("\\uc1\\u31038?\\u22806 ?\\u-31048\\'3fx {\\uc2\\u31038\\'8e\\'d0y}\\u31038?z{\\uc0\\u31038 w}\\par"
				"\\u-10180?\\u-8409?|\\u-10180?|\\par\\emdash\\~\\_\\lquote\\{\\\\\\}"));

	assert_has(d, " body 1: \xe7\xa4\xbe\xe5\xa4\x96\xe8\x9a\xb8x \xe7\xa4\xbey\xe7\xa4\xbez\xe7\xa4\xbew\n");
	assert_has(d, " body 2: \xf0\x9f\x8c\xa7|\xef\xbf\xbd|\n");
	assert_has(d, " body 3: \xe2\x80\x94 -\xe2\x80\x98{\\}\n");
}

static void test_zones(void **state)
{
	const char *d = rtf(RTF("{\\info{\\title {\\upr{Na?me}{\\*\\ud{\\u31038?}}}}{\\author somebody}{\\creatim\\yr2024\\mo3\\dy5\\hr6\\min7}{\\doccomm c}{\\comment no}}"
				"{\\header\\pard top {\\b of} page\\par}{\\footerf bottom\\par}{\\*\\generator Gen 1;}{\\*\\unknown {no}}"
				"Text{\\footnote a note} goes {\\v out of sight} on {\\deleted gone}{\\*\\annotation remark}here.\\par"
				"{\\field{\\*\\fldinst{HYPERLINK \"https://x.example/\"}}{\\fldrslt link}}\\par"
				"{\\shp{\\*\\shpinst{\\sp{\\sn gtextUNICODE}{\\sv DRAFT}}{\\sp{\\sn other}{\\sv no}}{\\shptxt box\\par}}{\\shprslt no}}"));

	assert_has(d, " meta author: somebody\n");
	assert_has(d, " meta created: 2024-03-05T06:07\n");
	assert_has(d, " meta comments: c\n");
	assert_has(d, " meta producer: Gen 1;\n");
	assert_has(d, " header 1: top of page\n");
	assert_has(d, " footer 2: bottom\n");
	assert_has(d, "note 3: a note\n");
	assert_has(d, ": remark\n");
	assert_has(d, ": Text goes ");
	assert_has(d, "hidden body");
	assert_has(d, ": out of sight\n");
	assert_has(d, "deleted");
	assert_has(d, ": here.\n");
	assert_has(d, ": link\n");
	assert_has(d, ": https://x.example/\n");
	assert_has(d, " watermark ");
	assert_has(d, ": DRAFT\n");
	assert_has(d, ": box\n");
	assert_has_not(d, "no\n");
	assert_has_not(d, "Arial");
	assert_has_not(d, "Normal");
}

static void test_upr(void **state)
{
	const char *d = rtf(RTF("{\\info{\\upr{\\title ??}{\\*\\ud{\\title \\u31038?}}}}x {\\upr{ab}{\\*\\ud{cd}}} y"));

	assert_has(d, " meta title: \xe7\xa4\xbe\n");
	assert_has(d, ": x cd y\n");
	assert_has_not(d, "??");
	assert_has_not(d, "ab");
}

static void test_tables(void **state)
{
	const char *d = rtf(RTF("before\\par\\trowd\\cellx100\\cellx200\\pard\\intbl Name\\cell Mail\\cell\\row\\trowd\\pard\\intbl{A\\par B\\cell}{\\v h}x@x.example\\cell\\row"
				"\\pard after\\par\\trowd\\intbl second\\cell\\row"));

	assert_has(d, " body 1: before\n cell t1 r1 c1: Name\n cell t1 r1 c2: Mail\n cell t1 r2 c1: A\nB\n hidden cell t1 r2 c2: h\n cell t1 r2 c2: x@x.example\n");
	assert_has(d, ": after\n cell t2 r1 c1: second\n");
}

static void hex(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putf(b, "%02x%s", (uint8_t)s.p[i], i % 32 == 31 ? "\r\n" : "");
}

static void put_le32(struct buf *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		buf_putc(b, (char)(v >> 8 * i));
}

static void put_counted(struct buf *b, str s)
{
	put_le32(b, (uint32_t)s.n);
	buf_puts(b, s);
}

static void test_objects(void **state)
{
	static const char file[] = "words of the file\n";
	_cleanup_buf_ struct buf native = BUF_INIT, ole = BUF_INIT, b = BUF_INIT;
	const char *d;

	buf_put(&native, "\2\0plan.txt\0C:\\x\\plan.txt\0\0\0\3\0", 29);
	put_counted(&native, (str){ "C:\\t\\plan.txt", 14 });
	put_counted(&native, STR(file));
	put_le32(&ole, 0x501);
	put_le32(&ole, 2);
	put_counted(&ole, (str){ "Package", 8 });
	put_le32(&ole, 0);
	put_le32(&ole, 0);
	put_counted(&ole, buf_str(&native));
	buf_puts(&b, STR("{\\rtf1 see {\\object\\objemb{\\*\\objclass Package}{\\*\\objdata "));
	hex(&b, buf_str(&ole));
	buf_puts(&b, STR("}{\\result{\\pict\\pngblip 89504e470d0a1a0a}}}{\\*\\shppict{\\pict\\bin4 {}{\\}}{\\nonshppict{\\pict 00}} end}"));
	d = dump("a.rtf", buf_str(&b));
	assert_has(d, "part \"plan.txt\" text/plain 18 bytes\n body 1: words of the file\n");
	assert_has(d, ": see  end\n");
	assert_has(d, " image 0x0\n image 0x0\n");
	assert_has_not(d, "image 0x0\n image 0x0\n image");

	/* Not a package: whatever it is, without a name; then cut in its middle. */
	buf_clear(&b);
	buf_puts(&b, STR("{\\rtf1{\\object{\\*\\objdata 0105000002000000080000005061636b616765000000000000000000ff00000061626364"));
	d = dump("a.rtf", buf_str(&b));
	assert_has(d, "part \"object-1\"");
	assert_has(d, " body 1: abcd\n error: corrupt (cut)\n");
}

static void test_properties(void **state)
{
	const char *d = rtf(RTF("{\\*\\userprops{\\propname MSIP_Label_0a1b2c3d-0000-4111-8222-333344445555_Enabled}\\proptype30{\\staticval true}"
				"{\\propname MSIP_Label_0a1b2c3d-0000-4111-8222-333344445555_Name}\\proptype30{\\staticval Secret}{\\propname Unit}\\proptype30{\\staticval sales}}x"));

	assert_has(d, " label 2 on 0a1b2c3d-0000-4111-8222-333344445555 Secret\n");
	assert_has(d, " meta custom:Unit: sales\n");
}

static void test_html_inside(void **state)
{
	const char *d = dump("a.rtf", STR("{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset128 X;}}{\\*\\htmltag64 <html><body>}\\htmlrtf \\par twice\\htmlrtf0 "
		"{\\*\\htmltag64 <p>}One {\\*\\htmltag84 <b>}\\htmlrtf {\\b \\htmlrtf0 word \\f1\\'8e\\'d0\\f0{\\*\\htmltag92 </b>}\\htmlrtf }\\htmlrtf0  &amp; x{\\*\\mhtmltag no}"
		"{\\*\\htmltag72 </p><table><tr><td>}cell{\\*\\htmltag0 </td></tr></table>}}"));

	assert_has(d, " body 1: One word \xe7\xa4\xbe & x\n cell t1 r1 c1: cell\n");
	assert_has_not(d, "twice");
	assert_has_not(d, "no");
}

static void test_broken(void **state)
{
	assert_has(rtf("{\\rtf1 words {\\b cut off"), " body 1: words cut off\n error: corrupt (ends inside a group)\n");
	assert_has(rtf("{\\rtf1 words"), " body 1: words\n");
	assert_has_not(rtf("{\\rtf1 words"), "error");
	assert_has_not(rtf("{\\rtf1 words}{ and what stands behind}"), "behind");
	assert_has(rtf("{\\rtf1 x{\\pict\\bin2147483647 abc"), " body 1: x\n");
	assert_has(rtf("{\\rtf1 a\\u99999999999999999999?b\\bin-5 c\\'"), "b");
	assert_has(rtf("{\\rtf1\\f99999999\\uc-3\\ansicpg-7 x\\'zz y}"), ": x");
	assert_has(rtf("{\\rtf1{\\fonttbl{\\f-1\\fcharset300 y;}{\\f70000\\cpg932 y;}}x}"), ": x\n");
}

static void test_hostile(void **state)
{
	static const struct {
		const char *first, *again;
		size_t n;
		const char *last;
	} texts[] = {
		{ "{\\rtf1 ", "{", 1000000, "MARK" }, { "{\\rtf1 MARK", "{\\footnote x", 20000, "" }, { "{\\rtf1 MARK", "{\\*\\htmltag ", 100000, "" },
		{ "{\\rtf1 MARK\\par", "\\trowd\\intbl x\\cell", 100000, "" }, { "{\\rtf1 MARK", "a\\v b\\v0 ", 100000, "" },
		{ "{\\rtf1 MARK", "{\\field{\\*\\fldinst HYPERLINK \"a:b\"}", 20000, "" }, { "{\\rtf1 MARK", "{\\upr{\\*\\ud ", 10000, "" },
		{ "{\\rtf1 MARK", "\\u31038?\\'8e", 200000, "" }, { "{\\rtf1 MARK", "}", 10, "" }, { "{\\rtf1 ", "x", 20000000, "MARK" },
		{ "{\\rtf1{\\fonttbl{\\f1\\fcharset128 X;}{\\f2\\fcharset204 Y;}}", "\\f1 a\\f2 b\\f3 c", 1600000, " MARK" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct extract_limits l = extract_limits_default;
		_cleanup_buf_ struct buf b = BUF_INIT;

		l.deadline_ms = 15000;
		buf_puts(&b, str_c(texts[i].first));
		for (size_t k = 0; k < texts[i].n; k++)
			buf_puts(&b, str_c(texts[i].again));
		buf_puts(&b, str_c(texts[i].last));
		assert_has(dump_with(&l, OCR_NEVER, "a.rtf", buf_str(&b)), "MARK");
	}
}

/* The tables are searched by halves: one name out of order loses others. */
static void test_words(void **state)
{
	static const char *const known[] = { "af", "aftncn", "annotation", "ansi", "author", "bin", "cell", "dbch", "deleted", "doccomm", "f", "fcharset",
		"fldinst", "fonttbl", "footnote", "fromhtml", "generator", "header", "htmlrtf", "htmltag", "info", "intbl", "keywords", "line", "mhtmltag",
		"nonshppict", "objdata", "par", "pard", "pict", "plain", "propname", "revtim", "row", "sect", "shpinst", "shptxt", "staticval", "sv", "tab",
		"title", "trowd", "u", "uc", "ud", "upr", "userprops", "v", "yr", "zwnj" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!rtf_control(str_c(known[i])))
			fail_msg("%s is not known", known[i]);
	assert_null(rtf_control(STR("")));
	assert_null(rtf_control(STR("zzz")));
	assert_int_equal(rtf_charset(128), 932);
	assert_int_equal(rtf_charset(1), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_charsets), cmocka_unit_test(test_unicode_pages), cmocka_unit_test(test_unicode), cmocka_unit_test(test_zones), cmocka_unit_test(test_upr),
	cmocka_unit_test(test_tables), cmocka_unit_test(test_objects), cmocka_unit_test(test_properties), cmocka_unit_test(test_html_inside),
	cmocka_unit_test(test_broken), cmocka_unit_test(test_hostile), cmocka_unit_test(test_words),
};
EXTRACT_TEST_MAIN(tests)
