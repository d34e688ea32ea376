/* OpenDocument: text, sheets, slides, zipped and flat. */
#include "fixture.h"
#include "members.h"

#define ODF(kind) "==mimetype\napplication/vnd.oasis.opendocument." kind
#define MANIFEST "\n==META-INF/manifest.xml\n<manifest:manifest/>"
#define CONTENT(styles, body) "\n==content.xml\n<office:document-content><office:automatic-styles>" styles "</office:automatic-styles><office:body>" body "</office:body></office:document-content>"
#define P(s) "<text:p>" s "</text:p>"
#define HIDE "<style:style style:name=\"T1\"><style:text-properties text:display=\"none\"/></style:style>"

static const char *odf(const char *members)
{
	_cleanup_buf_ struct buf zip = BUF_INIT;

	members_pack(str_c(members), true, &zip);
	return dump("a.odt", buf_str(&zip));
}

static void test_text(void **state)
{
	const char *d = odf(ODF("text") MANIFEST CONTENT(HIDE "<style:style style:name=\"P1\" style:parent-style-name=\"Title\"/>", "<office:text>"
		"<text:tracked-changes><text:changed-region><text:deletion><office:change-info><dc:creator>x</dc:creator></office:change-info>" P("taken out") "</text:deletion></text:changed-region></text:tracked-changes>"
		"<text:p text:style-name=\"P1\">The title</text:p><text:h>Heading</text:h>"
		P("a<text:s text:c=\"3\"/>b<text:tab/>c<text:line-break/>d <text:span text:style-name=\"T1\">unseen</text:span><text:span>seen</text:span>")
		P("see <text:a xlink:href=\"https://example.org/\">here</text:a><text:note><text:note-citation>1</text:note-citation><text:note-body>" P("a note") "</text:note-body></text:note> more")
		P("<office:annotation><dc:creator>engineer</dc:creator><dc:date>2024-01-01</dc:date>" P("a remark") "</office:annotation>remarked")
		P("<text:ruby><text:ruby-base>\xe6\x9d\xb1</text:ruby-base><text:ruby-text>\xe3\x81\xb2</text:ruby-text></text:ruby>\xe4\xba\xac")
		P("outer<draw:frame><draw:text-box>" P("boxed") "</draw:text-box><svg:title>alt</svg:title></draw:frame> still outer")
		"<table:table table:name=\"T\"><table:table-row><table:table-cell>" P("one") "</table:table-cell><table:table-cell>" P("two") P("three") "</table:table-cell></table:table-row></table:table>"
		"<text:section text:display=\"none\">" P("in a hidden section") "</text:section>" P("last") "</office:text>")
		"\n==styles.xml\n<office:document-styles><office:master-styles><style:master-page><style:header>" P("CONFIDENTIAL")
		"<table:table><table:table-row><table:table-cell>" P("in a table") "</table:table-cell></table:table-row></table:table>"
		P("<draw:custom-shape draw:name=\"PowerPlusWaterMarkObject\">" P("DRAFT") "</draw:custom-shape>") "</style:header><style:footer>" P("foot") "</style:footer></style:master-page></office:master-styles></office:document-styles>"
		"\n==meta.xml\n<office:document-meta><office:meta><dc:title>Offer</dc:title><meta:initial-creator>engineer</meta:initial-creator><dc:creator>clerk</dc:creator>"
		"<meta:keyword>steel</meta:keyword><meta:user-defined meta:name=\"Project\">North</meta:user-defined>"
		"<meta:user-defined meta:name=\"MSIP_Label_AA_Enabled\">true</meta:user-defined></office:meta></office:document-meta>");

	assert_has(d, "part \"\" application/vnd.oasis.opendocument.text ");
	assert_has(d, " deleted 1: taken out\n title 2: The title\n body 3: Heading\n body 4: a   b\tc\nd \n hidden body 4: unseen\n body 4: seen\n");
	assert_has(d, " note 5: a note\n body 6: see here more\n link 7: https://example.org/\n comment 8: a remark\n body 9: remarked\n body 10: \xe6\x9d\xb1\xe4\xba\xac\n");
	assert_has(d, " body 11: boxed\n body 12: outer still outer\n sheet t1: T\n cell t1 r1 c1: one\n cell t1 r1 c2: two\nthree\n");
	assert_has(d, " hidden body 16: in a hidden section\n body 17: last\n header 18: CONFIDENTIAL\n header 19: in a table\n watermark 20: DRAFT\n footer 21: foot\n");
	assert_has(d, " meta title: Offer\n meta author: engineer\n meta editor: clerk\n meta keywords: steel\n meta custom:project: North\n label 2 on aa \n");
	assert_has_not(d, "alt");
	assert_has_not(d, "error");
}

static void test_sheets(void **state)
{
	const char *d = odf(ODF("spreadsheet") MANIFEST CONTENT("<style:style style:name=\"ta1\"><style:table-properties table:display=\"false\"/></style:style>", "<office:spreadsheet>"
		"<table:table table:name=\"People\"><table:shapes><draw:frame><draw:text-box>" P("floating") "</draw:text-box></draw:frame></table:shapes>"
		"<table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"1024\"/></table:table-row>"
		"<table:table-row><table:table-cell table:number-columns-repeated=\"2\"/><table:table-cell office:value-type=\"float\" office:value=\"5\">" P("5.00") "</table:table-cell>"
		"<table:covered-table-cell/><table:table-cell office:value=\"7\"/></table:table-row>"
		"<table:table-row table:visibility=\"collapse\"><table:table-cell>" P("hidden row") "<office:annotation>" P("remark") "</office:annotation></table:table-cell></table:table-row></table:table>"
		"<table:table table:name=\"Secret\" table:style-name=\"ta1\"><table:table-row><table:table-cell>" P("x") "</table:table-cell></table:table-row></table:table></office:spreadsheet>"));

	assert_has(d, "opendocument.spreadsheet ");
	assert_has(d, " sheet t1: People\n");
	assert_has(d, ": floating\n");
	assert_has(d, " cell t1 r3 c3: 5.00\n cell t1 r3 c5: 7\n");
	assert_has(d, ": remark\n");
	assert_has(d, " hidden cell t1 r4 c1: hidden row\n");
	assert_has(d, " hidden sheet t2: Secret\n hidden cell t2 r1 c1: x\n");
}

static void test_slides(void **state)
{
	const char *d = odf(ODF("presentation") MANIFEST CONTENT("<style:style style:name=\"dp2\"><style:drawing-page-properties presentation:visibility=\"hidden\"/></style:style>", "<office:presentation>"
		"<presentation:footer-decl presentation:name=\"f\">all rights</presentation:footer-decl>"
		"<draw:page><draw:frame presentation:class=\"title\"><draw:text-box>" P("First") "</draw:text-box></draw:frame><draw:frame><draw:text-box>" P("words") "</draw:text-box></draw:frame>"
		"<draw:frame presentation:class=\"page-number\"><draw:text-box>" P("1") "</draw:text-box></draw:frame><presentation:notes><draw:frame presentation:class=\"notes\"><draw:text-box>" P("say") "</draw:text-box></draw:frame></presentation:notes></draw:page>"
		"<draw:page draw:style-name=\"dp2\"><draw:frame><draw:text-box>" P("not shown") "</draw:text-box></draw:frame></draw:page></office:presentation>")
		"\n==styles.xml\n<office:document-styles><style:master-page><draw:frame presentation:class=\"title\"><draw:text-box>" P("Click to edit") "</draw:text-box></draw:frame>"
		"<draw:frame><draw:text-box>" P("on every slide") "</draw:text-box></draw:frame></style:master-page></office:document-styles>");

	assert_has(d, "opendocument.presentation ");
	assert_has(d, " footer 1: all rights\n title 2: First\n body 3: words\n note 4: say\n hidden body 5: not shown\n footer 6: on every slide\n");
	assert_has_not(d, "Click to edit");
}

static void test_flat(void **state)
{
	const char *d = dump("a.fodt", STR("<?xml version=\"1.0\"?><office:document xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\""
		" office:mimetype=\"application/vnd.oasis.opendocument.text\"><office:body><office:text><text:p>flat words</text:p><office:binary-data>AAAA</office:binary-data></office:text></office:body></office:document>"));

	assert_has(d, "part \"\" application/vnd.oasis.opendocument.text-flat-xml ");
	assert_has(d, " body 1: flat words\n");
}

static void test_encrypted(void **state)
{
	const char *d = odf(ODF("text") "\n==META-INF/manifest.xml\n<manifest:manifest><manifest:file-entry manifest:full-path=\"content.xml\"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
		"\n==content.xml\n\x01\x02\x03");

	assert_has(d, " error: encrypted\n");
}

static void test_embedded(void **state)
{
	const char *d = odf(ODF("text") MANIFEST CONTENT("", "<office:text>" P("outer") "</office:text>") "\n==Object 1/content.xml\n<office:document-content>" P("inner") "</office:document-content>"
		"\n==Pictures/1.png\npicture\n==Thumbnails/thumbnail.png\nsmall\n==attached.txt\nan attachment");

	assert_has(d, " body 1: outer\n body 2: inner\n image 0x0\n");
	assert_has(d, "part \"attached.txt\" text/plain 13 bytes\n body 1: an attachment\n");
	assert_has_not(d, "thumbnail");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_text), cmocka_unit_test(test_sheets), cmocka_unit_test(test_slides), cmocka_unit_test(test_flat), cmocka_unit_test(test_encrypted),
	cmocka_unit_test(test_embedded),
};
EXTRACT_TEST_MAIN(tests)
