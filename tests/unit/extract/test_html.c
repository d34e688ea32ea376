/* Pages: what is shown, where it stands, in which charset; and pages made to be slow. */
#include "fixture.h"

#include "extract/formats/html.h"

#define SECRET "\xe7\xa4\xbe\xe5\xa4\x96\xe7\xa7\x98"                       /* three ideographs */
#define SECRET_SJIS "\x8e\xd0\x8a\x4f\x94\xe9"
#define SECRET_EUC "\xbc\xd2\xb3\xb0\xc8\xeb"
#define SECRET_JIS "\x1b$B<R30Hk\x1b(B"
#define KANA "\xe3\x81\x82\xe3\x82\x8a\xe3\x81\x8c\xe3\x81\xa8\xe3\x81\x86"

static const char *page(const char *html)
{
	return dump("a.html", str_c(html));
}

static void test_blocks(void **state)
{
	const char *d = page("<!DOCTYPE html><html><head><title>Offer &amp; plan</title><style>p { x: y }</style><script>var a = '<p>no</p>';</script></head>"
			     "<body><p>One <b>bo</b>ld\n  word<p>Two<br>lines<br><br>Three &lt;x&gt; 1 < 2 <!-- no --> end<ul><li>a<li>b</ul>"
			     "<pre>k  e\n p</pre><textarea>in a <b> field</textarea></body></html>");

	assert_has(d, "part \"\" text/html");
	assert_has(d, " title 1: Offer & plan\n");
	assert_has(d, ": One bold word\n");
	assert_has(d, ": Two\nlines\n");
	assert_has(d, ": Three <x> 1 < 2 end\n");
	assert_has(d, ": a\n body 6: b\n");
	assert_has(d, ": k  e\n p\n");
	assert_has(d, ": in a <b> field\n");
	assert_has_not(d, "no");
	assert_has_not(d, "x: y");
}

static void test_zones(void **state)
{
	const char *d = page("<html><head><meta name=author content='A &amp; B'><meta name='Description' content=about><meta name=keywords content='x, y'></head>"
			     "<header>TOP</header><p>kept<del>gone</del></p><footer>END</footer>"
			     "<p>see <a href='https://x.example/?a=1&amp;b=2'>here</a> or <a href='#top'>up</a> <a href='javascript:f()'>f</a></p>");

	assert_has(d, " header 1: TOP\n");
	assert_has(d, " body 2: kept\n deleted 2: gone\n");
	assert_has(d, " footer 3: END\n");
	assert_has(d, " body 4: see here or up f\n link 4: https://x.example/?a=1&b=2\n");
	assert_has(d, " meta author: A & B\n");
	assert_has(d, " meta comments: about\n");
	assert_has(d, " meta keywords: x, y\n");
	assert_has_not(d, "javascript");
}

static void test_hidden(void **state)
{
	const char *d = page("<html><p>shown</p><div style='color: red; DISPLAY :none'><p>h1</p><span>h2</span></div><p>shown again</p><p hidden>h3</p>"
			     "<span style=\"mso-hide:all\">h4</span> last<input type=hidden name=a value='h5'><input value=typed><template>h6</template>");

	assert_has(d, " body 1: shown\n");
	assert_has(d, " hidden body 2: h1\n");
	assert_has(d, "hidden body 3: h2\n");
	assert_has(d, " body 4: shown again\n");
	assert_has(d, " hidden body 5: h3\n");
	assert_has(d, " hidden body 6: h4\n body 6:  last\n");
	assert_has(d, " hidden body 6:  h5\n");
	assert_has(d, " typed\n");
	assert_has(d, " hidden body 7: h6\n");
}

static void test_tables(void **state)
{
	const char *d = page("<html><table><caption>Clients</caption><thead><tr><th>Name<th colspan=2>Mail<th>Tel</thead><tr><td rowspan=2>A</td>"
			     "<td><a href='mailto:a@x.example?subject=x'>write</a></td><td>1</td><td>2</td></tr><tr><td>b@x.example<td><p>p1<p>p2<td>3</table><p>after");

	assert_has(d, ": Clients\n");
	assert_has(d, " cell t1 r1 c1: Name\n cell t1 r1 c2: Mail\n cell t1 r1 c4: Tel\n cell t1 r2 c1: A\n cell t1 r2 c2: write a@x.example\n cell t1 r2 c3: 1\n"
		      " cell t1 r2 c4: 2\n cell t1 r3 c2: b@x.example\n cell t1 r3 c3: p1\np2\n cell t1 r3 c4: 3\n");
	assert_has(d, ": after\n");

	/* A table inside a cell is the one that counts; tables that only lay out are none. */
	d = page("<html><table><tr><td>around<table><tr><td>in</td></tr></table>behind</td></tr></table><table role=presentation><tr><td>left<td>right</table>");
	assert_has(d, " body 1: around\n");
	assert_has(d, " r1 c1: in\n");
	assert_has(d, ": behind\n");
	assert_has(d, ": left\n");
	assert_has_not(d, "c1: left");
}

static void test_entities(void **state)
{
	const char *d = page("<html>&eacute;&#233;&#xE9;&eacute &euro;&#128; &copy=1 &nosuch; &commat;x&period;y &#0; &#x110000; &#xD800; a&nbsp;b &amp;lt; &");

	assert_has(d, ": \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 \xe2\x82\xac\xe2\x82\xac &copy=1 &nosuch; @x.y \xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd a b &lt; &\n");
}

static void test_japanese(void **state)
{
	static const struct {
		const char *meta, *bytes;
	} pages[] = {
		{ "<meta charset=Shift_JIS>", SECRET_SJIS }, { "<meta http-equiv=Content-Type content='text/html; charset=euc-jp'>", SECRET_EUC },
		{ "<meta charset='iso-2022-jp'>", SECRET_JIS }, { "<meta charset=utf-8>", SECRET }, { "", SECRET }, { "", SECRET_JIS },
		{ "<meta charset=x-sjis>", SECRET_SJIS }, { "<meta charset=windows-1252>", SECRET },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		buf_putf(&b, "<html><head>%s</head><p>%s</p>", pages[i].meta, pages[i].bytes);
		assert_has(dump("a.htm", buf_str(&b)), ": " SECRET "\n");
	}
	/* Lines that end between two ideographs were set so, and readings stand apart. */
	assert_has(page("<html>\xe7\xa4\xbe\n\xe5\xa4\x96\xe7\xa7\x98"), ": " SECRET "\n");
	assert_has(page("<html><p><ruby>\xe7\xa4\xbe\xe5\xa4\x96<rp>(</rp><rt>" KANA "</rt><rp>)</rp></ruby>\xe7\xa7\x98</p>"),
		" body 1: " SECRET "\n note 1: " KANA);
}

static void test_utf16(void **state)
{
	static const char text[] = "\xff\xfe<\0h\0t\0m\0l\0>\0<\0p\0>\0k\0\x42\x30\x30\x30x\0";

	assert_has(dump("a.html", (str){ text, sizeof(text) - 1 }), ": k\xe3\x81\x82\xe3\x80\xb0x\n");
	assert_has(dump("x", (str){ text, 20 }), "text/html");
}

static void test_xhtml(void **state)
{
	const char *d = page("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><!DOCTYPE html PUBLIC \"x\" \"y\"><html xmlns='http://www.w3.org/1999/xhtml'><head>"
			     "<title/><script src='x'/></head><body><p>K\xf6ln</p><![CDATA[a<b]]><div style='display:none'/>seen</body></html>");

	assert_has(d, "application/xhtml+xml");
	assert_has(d, "K\xc3\xb6ln\n");
	assert_has(d, ": a<b\n");
	assert_has(d, ": seen\n");
	assert_has_not(d, "hidden");
}

static void test_labels(void **state)
{
	const char *d = page("<html><head><meta name='MSIP_Label_0A1b2c3d-0000-4111-8222-333344445555_Enabled' content='True'>"
			     "<meta name='MSIP_Label_0a1b2c3d-0000-4111-8222-333344445555_Name' content='Secret'>"
			     "<meta name='MSIP_Label_ffffffff-0000-4111-8222-333344445555_Enabled' content='false'></head>x");

	assert_has(d, " label 2 on 0a1b2c3d-0000-4111-8222-333344445555 Secret\n");
	assert_has(d, " label 2 off ffffffff-0000-4111-8222-333344445555 \n");
}

static void test_images(void **state)
{
	const char *d = page("<html><img src='data:image/png;base64,iVBORw0KGgo=' alt='a logo'><img src='data:image/png;base64,!!!'>");

	assert_has(d, ": a logo\n");
	assert_has(d, " image ");
}

/* Text in comments that never end, attributes that never close. */
static void test_broken(void **state)
{
	assert_has(page("<html><p>a<!-- b <p>c"), "c\n");
	assert_has(page("<html><p>a<a href=\"x>link</a> b<p>c"), ": c\n");
	assert_has(page("<html><p>a</div></b></p></p>b</html>c<"), "c<\n");
	assert_has(page("<html>a<script>b"), ": a\n");
	assert_has(page("<html></td></tr></table><td>x<tr>y"), "y\n");
	assert_has(page("<html><table><p>x<td>y</table>z"), ": z\n");
	assert_has(page("<html><del><table><tr><td>x</table>y"), "y\n");
}

static void repeat(struct buf *b, const char *what, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_puts(b, str_c(what));
}

static void test_hostile(void **state)
{
	static const struct {
		const char *first, *again;
		size_t n;
		const char *last, *want;
	} pages[] = {
		{ "<html>", "<div>", 10000, "MARK", ": MARK\n" },
		{ "<html>", "<table><tr><td>", 10000, "MARK</table></table>x", "MARK\n" },
		{ "<html>MARK", "<!--", 500000, "", ": MARK" },
		{ "<html>MARK", "<![CDATA[", 300000, "", ": MARK" },
		{ "<html>MARK", "<a href=\"", 300000, "", ": MARK" },
		{ "<html>MARK", "</x>", 500000, "", ": MARK" },
		{ "<html><i><table><td>", "<b>", 1000, "MARK", "MARK" },
		{ "<html>MARK", "&", 1000000, "", ": MARK" },
		{ "<html>MARK<p ", "a=b ", 500000, ">END", ": END\n" },
		{ "<html><table>", "<tr><td rowspan=65535 colspan=4000000000>x", 5000, "</table>MARK", ": MARK\n" },
		{ "<html>", "x", 20000000, "MARK", "MARK" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		struct extract_limits l = extract_limits_default;
		_cleanup_buf_ struct buf b = BUF_INIT;

		l.deadline_ms = 15000; /* far above what it takes, far below what a square would */
		buf_puts(&b, str_c(pages[i].first));
		repeat(&b, pages[i].again, pages[i].n);
		buf_puts(&b, str_c(pages[i].last));
		assert_has(dump_with(&l, OCR_NEVER, "a.html", buf_str(&b)), pages[i].want);
	}
}

static void test_bids(void **state)
{
	assert_has(dump("noname", STR("\n <!-- saved --><!DOCTYPE html><html><p>x</html>")), "text/html");
	assert_has(dump("a.txt", STR("<html> is how a page begins")), "text/html");
	assert_has(dump("a.txt", STR("The tag <html> is how a page begins")), "text/plain");
	assert_has(dump("a.xml", STR("<?xml version='1.0'?><list><item>x</item></list>")), "text/");
	assert_has_not(dump("a.xml", STR("<?xml version='1.0'?><list><item>x</item></list>")), "text/html");
}

static void test_words(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_int_equal(html_words(STR("<table><tr><td>a</td><td>b&amp;c</td></tr></table><p>d<script>no</script>"), &b), 0);
	assert_non_null(buf_cstr(&b));
	assert_non_null(strstr(b.p, "a\n"));
	assert_non_null(strstr(b.p, "b&c\n"));
	assert_non_null(strstr(b.p, "d\n"));
	assert_null(strstr(b.p, "no"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_blocks), cmocka_unit_test(test_zones), cmocka_unit_test(test_hidden), cmocka_unit_test(test_tables),
	cmocka_unit_test(test_entities), cmocka_unit_test(test_japanese), cmocka_unit_test(test_utf16), cmocka_unit_test(test_xhtml),
	cmocka_unit_test(test_labels), cmocka_unit_test(test_images), cmocka_unit_test(test_broken), cmocka_unit_test(test_hostile),
	cmocka_unit_test(test_bids), cmocka_unit_test(test_words),
};
EXTRACT_TEST_MAIN(tests)
