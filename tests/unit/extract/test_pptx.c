/* PowerPoint: slides in order, what each shape is for, notes, comments, and what masters say on every slide. */
#include "fixture.h"
#include "members.h"

#define R "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
#define REL(id, type, target) "<Relationship Id=\"" id "\" Type=\"" R type "\" Target=\"" target "\"/>"
#define SHOW(type) "==[Content_Types].xml\n<Types><Override PartName=\"/ppt/presentation.xml\" ContentType=\"" type "+xml\"/></Types>\n" \
	"==_rels/.rels\n<Relationships>" REL("rId1", "officeDocument", "ppt/presentation.xml") "</Relationships>\n" \
	"==ppt/_rels/presentation.xml.rels\n<Relationships>" REL("a", "slide", "slides/slide1.xml") REL("b", "slide", "slides/slide2.xml") "</Relationships>\n" \
	"==ppt/presentation.xml\n<p:presentation xmlns:r=\"" R "\"><p:sldIdLst><p:sldId id=\"257\" r:id=\"b\"/><p:sldId id=\"256\" r:id=\"a\"/></p:sldIdLst></p:presentation>\n"
#define PPTX "application/vnd.openxmlformats-officedocument.presentationml.presentation.main"
#define SP(ph, s) "<p:sp><p:nvSpPr><p:cNvPr id=\"1\" name=\"x\"/><p:nvPr>" ph "</p:nvPr></p:nvSpPr><p:txBody>" s "</p:txBody></p:sp>"
#define PH(t) "<p:ph type=\"" t "\"/>"
#define P(s) "<a:p><a:r><a:t>" s "</a:t></a:r></a:p>"
#define SLIDE(attr, s) "<p:sld xmlns:r=\"" R "\"" attr "><p:cSld><p:spTree>" s "</p:spTree></p:cSld></p:sld>\n"

static const char *show(const char *members)
{
	_cleanup_buf_ struct buf zip = BUF_INIT;

	members_pack(str_c(members), false, &zip);
	return dump("a.pptx", buf_str(&zip));
}

static void test_slides(void **state)
{
	const char *d = show(SHOW(PPTX)
		"==ppt/slides/slide1.xml\n" SLIDE(" show=\"0\"", SP(PH("title"), P("Hidden title")) SP("", P("hidden words")))
		"==ppt/slides/slide2.xml\n" SLIDE("", SP(PH("ctrTitle"), P("First title")) SP("<p:ph idx=\"1\"/>", P("point one") P("point two"))
		SP(PH("ftr"), P("foot")) SP(PH("sldNum"), "<a:p><a:fld type=\"slidenum\"><a:t>3</a:t></a:fld></a:p>")
		"<p:graphicFrame><a:graphic><a:tbl><a:tr><a:tc><a:txBody>" P("name") "</a:txBody></a:tc><a:tc><a:txBody>" P("mail") P("more") "</a:txBody></a:tc></a:tr></a:tbl></a:graphic></p:graphicFrame>"
		"<p:sp><p:nvSpPr><p:cNvPr id=\"9\" name=\"y\" hidden=\"1\"/></p:nvSpPr><p:txBody>" P("hidden shape") "</p:txBody></p:sp>"
		SP("", "<a:p><a:r><a:rPr><a:hlinkClick r:id=\"l\"/></a:rPr><a:t>link</a:t></a:r></a:p>"))
		"==ppt/slides/_rels/slide2.xml.rels\n<Relationships><Relationship Id=\"l\" Type=\"" R "hyperlink\" Target=\"https://example.org/\" TargetMode=\"External\"/></Relationships>\n");

	assert_has(d, "part \"\" application/vnd.openxmlformats-officedocument.presentationml.presentation ");
	assert_has(d, " title 1: First title\n body 2: point one\n body 3: point two\n footer 4: foot\n cell t1 r1 c1: name\n cell t1 r1 c2: mail\nmore\n"
		" hidden body 7: hidden shape\n body 8: link\n link 9: https://example.org/\n hidden title 10: Hidden title\n hidden body 11: hidden words\n");
	assert_has_not(d, "error");
}

static void test_related(void **state)
{
	const char *d = show(SHOW(PPTX)
		"==ppt/slides/slide2.xml\n" SLIDE("", SP("", P("words")))
		"==ppt/slides/_rels/slide2.xml.rels\n<Relationships>" REL("n", "notesSlide", "../notesSlides/notesSlide1.xml") REL("c", "comments", "../comments/comment1.xml")
		REL("y", "slideLayout", "../slideLayouts/slideLayout1.xml") REL("d", "diagramData", "../diagrams/data1.xml") "</Relationships>\n"
		"==ppt/notesSlides/notesSlide1.xml\n" SLIDE("", SP(PH("sldImg"), P("no")) SP("<p:ph type=\"body\" idx=\"1\"/>", P("say this")))
		"==ppt/comments/comment1.xml\n<p:cmLst><p:cm authorId=\"0\"><p:text>is that so</p:text></p:cm></p:cmLst>\n"
		"==ppt/diagrams/data1.xml\n<dgm:dataModel><dgm:pt><dgm:t><a:p><a:r><a:t>step</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>\n"
		"==ppt/slideLayouts/slideLayout1.xml\n" SLIDE("", SP(PH("title"), P("Click to edit")) SP("", P("Company confidential")))
		"==ppt/slideLayouts/_rels/slideLayout1.xml.rels\n<Relationships>" REL("m", "slideMaster", "../slideMasters/slideMaster1.xml") "</Relationships>\n"
		"==ppt/slideMasters/slideMaster1.xml\n" SLIDE("", "<p:sp><p:spPr><a:xfrm><a:off x=\"0\" y=\"100\"/></a:xfrm></p:spPr><p:txBody>" P("at the top") "</p:txBody></p:sp>"
		"<p:sp><p:nvSpPr><p:cNvPr name=\"Watermark 1\"/></p:nvSpPr><p:txBody>" P("DRAFT") "</p:txBody></p:sp>"));

	assert_has(d, ": words\n");
	assert_has(d, " body 2: step\n note 3: say this\n comment 4: is that so\n footer 5: Company confidential\n header 6: at the top\n watermark 7: DRAFT\n");
	assert_has_not(d, "Click to edit");
	assert_has_not(d, ": no\n");
}

static void test_kinds(void **state)
{
	static const char *const kinds[][2] = {
		{ "application/vnd.ms-powerpoint.presentation.macroEnabled.main", "application/vnd.ms-powerpoint.presentation.macroEnabled.12" },
		{ "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main", "application/vnd.openxmlformats-officedocument.presentationml.slideshow" },
		{ "application/vnd.openxmlformats-officedocument.presentationml.template.main", "application/vnd.openxmlformats-officedocument.presentationml.template" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		buf_putf(&b, "==[Content_Types].xml\n<Types><Override PartName=\"/ppt/presentation.xml\" ContentType=\"%s+xml\"/></Types>\n%s", kinds[i][0],
			strstr(SHOW(PPTX) "==ppt/slides/slide1.xml\n" SLIDE("", SP("", P("x"))), "==_rels"));
		assert_has(show(buf_cstr(&b)), kinds[i][1]);
		assert_has(show(buf_cstr(&b)), " body 1: x\n");
	}
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(test_slides), cmocka_unit_test(test_related), cmocka_unit_test(test_kinds) };
EXTRACT_TEST_MAIN(tests)
