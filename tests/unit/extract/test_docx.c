/* Word: every place where words can stand, and what stands there that is no text. */
#include "fixture.h"
#include "members.h"

#define TYPES(main) "==[Content_Types].xml\n<Types><Default Extension=\"xml\" ContentType=\"application/xml\"/>" \
	"<Override PartName=\"/word/document.xml\" ContentType=\"" main "+xml\"/></Types>\n"
#define WORD "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main"
#define R "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
#define ROOT "==_rels/.rels\n<Relationships><Relationship Id=\"rId1\" Type=\"" R "officeDocument\" Target=\"word/document.xml\"/></Relationships>\n"
#define W "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" xmlns:r=\"" R "\" xmlns:v=\"urn:schemas-microsoft-com:vml\"" \
	" xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\" xmlns:wps=\"urn:wps\" xmlns:wp=\"urn:wp\"><w:body>"
#define END "</w:body></w:document>\n"
#define T(s) "<w:r><w:t>" s "</w:t></w:r>"
#define P(s) "<w:p>" s "</w:p>"
#define MAIN "==word/document.xml\n"

static const char *word(const char *members)
{
	_cleanup_buf_ struct buf zip = BUF_INIT;

	members_pack(str_c(members), false, &zip);
	return dump("a.docx", buf_str(&zip));
}

static void test_body(void **state)
{
	const char *d = word(TYPES(WORD) ROOT MAIN W
		P("<w:r><w:t>Offer </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>No. 7</w:t></w:r>")
		P("<w:pPr><w:tabs><w:tab w:val=\"left\"/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r>")
		P("<w:ruby><w:rubyPr/><w:rt>" T("\xe3\x81\xa8\xe3\x81\x86") "</w:rt><w:rubyBase>" T("\xe6\x9d\xb1") "</w:rubyBase></w:ruby>" T("\xe4\xba\xac"))
		P("<w:sdt><w:sdtPr><w:alias w:val=\"x\"/></w:sdtPr><w:sdtContent>" T("control") "</w:sdtContent></w:sdt>")
		P("&lt;" T("5 &lt; 6 &amp; 7"))
		END);

	assert_has(d, "part \"\" application/vnd.openxmlformats-officedocument.wordprocessingml.document ");
	assert_has(d, " body 1: Offer No. 7\n body 2: a\tb\nc-d\n body 3: \xe6\x9d\xb1\xe4\xba\xac\n body 4: control\n body 5: 5 < 6 & 7\n");
	assert_has_not(d, "\xe3\x81\xa8");
	assert_has_not(d, "error");
}

static void test_changes(void **state)
{
	const char *d = word(TYPES(WORD) ROOT
		"==word/_rels/document.xml.rels\n<Relationships><Relationship Id=\"s\" Type=\"" R "styles\" Target=\"styles.xml\"/></Relationships>\n"
		"==word/styles.xml\n<w:styles><w:style w:styleId=\"H\"><w:name w:val=\"H\"/><w:rPr><w:vanish/></w:rPr></w:style>"
		"<w:style w:styleId=\"H2\"><w:name w:val=\"Below\"/><w:basedOn w:val=\"H\"/></w:style>"
		"<w:style w:styleId=\"a3\"><w:name w:val=\"Title\"/></w:style></w:styles>\n" MAIN W
		P(T("price ") "<w:del>" "<w:r><w:delText>900</w:delText></w:r></w:del><w:ins>" T("950") "</w:ins>" T(" euro"))
		P("<w:moveFrom>" T("old place") "</w:moveFrom>")
		P("<w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r><w:r><w:rPr><w:vanish w:val=\"0\"/></w:rPr><w:t>seen</w:t></w:r>")
		P("<w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>" T("only its mark is hidden"))
		P("<w:pPr><w:pStyle w:val=\"H2\"/></w:pPr>" T("by style"))
		P("<w:r><w:rPr><w:rStyle w:val=\"H\"/></w:rPr><w:t>by run</w:t></w:r>")
		P("<w:pPr><w:pStyle w:val=\"a3\"/></w:pPr>" T("The Title"))
		END);

	assert_has(d, " body 1: price \n deleted 1: 900\n body 1: 950 euro\n");
	assert_has(d, " deleted 2: old place\n hidden body 3: unseen\n body 3: seen\n body 4: only its mark is hidden\n");
	assert_has(d, " hidden body 5: by style\n hidden body 6: by run\n title 7: The Title\n");
}

static void test_tables(void **state)
{
	const char *d = word(TYPES(WORD) ROOT MAIN W
		"<w:tbl><w:tr><w:tc>" P(T("name")) "</w:tc><w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>" P(T("mail")) "</w:tc><w:tc>" P(T("phone")) "</w:tc></w:tr>"
		"<w:tr><w:trPr><w:gridBefore w:val=\"1\"/></w:trPr><w:tc>" P(T("one")) P(T("two")) "</w:tc><w:tc>" P("")
		"<w:tbl><w:tr><w:tc>" P(T("in")) "</w:tc><w:tc>" P(T("ner")) "</w:tc></w:tr></w:tbl>" P(T("after")) "</w:tc></w:tr>"
		"<w:tr><w:tc>" P(T("kept") "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>dark</w:t></w:r>" T("!")) "</w:tc></w:tr></w:tbl>"
		P(T("end")) END);

	assert_has(d, " cell t1 r1 c1: name\n cell t1 r1 c2: mail\n cell t1 r1 c4: phone\n");
	assert_has(d, " cell t1 r2 c2: one\ntwo\n");
	assert_has(d, "in\tner");
	assert_has(d, "after\n");
	assert_has(d, " cell t1 r3 c1: kept!\n hidden cell t1 r3 c1: dark\n");
	assert_has(d, ": gone\n");
	assert_has(d, ": end\n");
	assert_has_not(d, "t2");
}

static void test_parts(void **state)
{
	const char *d = word(TYPES(WORD) ROOT
		"==word/_rels/document.xml.rels\n<Relationships>"
		"<Relationship Id=\"h\" Type=\"" R "header\" Target=\"header1.xml\"/><Relationship Id=\"h2\" Type=\"" R "header\" Target=\"/word/header2.xml\"/>"
		"<Relationship Id=\"f\" Type=\"" R "footer\" Target=\"footer1.xml\"/><Relationship Id=\"n\" Type=\"" R "footnotes\" Target=\"footnotes.xml\"/>"
		"<Relationship Id=\"e\" Type=\"" R "endnotes\" Target=\"../word/endnotes.xml\"/><Relationship Id=\"c\" Type=\"" R "comments\" Target=\"comments.xml\"/>"
		"<Relationship Id=\"l\" Type=\"" R "hyperlink\" Target=\"https://example.org/a?b=1&amp;c\" TargetMode=\"External\"/>"
		"<Relationship Id=\"g\" Type=\"" R "chart\" Target=\"charts/chart1.xml\"/></Relationships>\n"
		MAIN W P("<w:hyperlink r:id=\"l\">" T("here") "</w:hyperlink>")
		P("<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText> HYPERLINK \"mailto:</w:instrText></w:r><w:r><w:instrText>info@example.org\" </w:instrText></w:r>"
		"<w:r><w:fldChar w:fldCharType=\"separate\"/></w:r>" T("write") "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>") END
		"==word/header1.xml\n<w:hdr><w:tbl><w:tr><w:tc>" P(T("CONFIDENTIAL")) "</w:tc></w:tr></w:tbl>"
		P("<w:r><w:pict><v:shape id=\"PowerPlusWaterMarkObject1\"><v:textpath string=\"DRAFT\"/></v:shape></w:pict></w:r>") "</w:hdr>\n"
		"==word/header2.xml\n<w:hdr>" P(T("even page")) "</w:hdr>\n==word/footer1.xml\n<w:ftr>" P(T("page foot")) "</w:ftr>\n"
		"==word/footnotes.xml\n<w:footnotes><w:footnote w:type=\"separator\">" P(T("----")) "</w:footnote><w:footnote>" P(T("foot")) "</w:footnote></w:footnotes>\n"
		"==word/endnotes.xml\n<w:endnotes><w:endnote>" P(T("end")) "</w:endnote></w:endnotes>\n"
		"==word/comments.xml\n<w:comments><w:comment>" P(T("remark")) "</w:comment></w:comments>\n"
		"==word/charts/chart1.xml\n<c:chartSpace><c:title><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:title><c:strCache><c:pt><c:v>North</c:v></c:pt></c:strCache></c:chartSpace>\n");

	assert_has(d, " body 1: here\n link 2: https://example.org/a?b=1&c\n body 3: write\n link 4: mailto:info@example.org\n");
	assert_has(d, " header 5: CONFIDENTIAL\n watermark 6: DRAFT\n header 7: even page\n footer 8: page foot\n note 9: foot\n note 10: end\n comment 11: remark\n");
	assert_has(d, "Sales\n");
	assert_has(d, "North");
	assert_has_not(d, "----");
}

static void test_text_box(void **state)
{
	const char *d = word(TYPES(WORD) ROOT MAIN W
		P(T("before ") "<w:r><mc:AlternateContent><mc:Choice Requires=\"wps\"><wps:txbx><w:txbxContent>" P(T("in the box")) P(T("second")) "</w:txbxContent></wps:txbx></mc:Choice>"
		"<mc:Fallback><w:pict><v:textbox><w:txbxContent>" P(T("in the box")) "</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>" T("after"))
		"<w:tbl><w:tr><w:tc>" P(T("cell ") "<w:r><w:pict><v:textbox><w:txbxContent>" P(T("box in cell")) "</w:txbxContent></v:textbox></w:pict></w:r>" T("text")) "</w:tc></w:tr></w:tbl>"
		END);

	assert_has(d, " body 1: in the box\n body 2: second\n body 3: before after\n");
	assert_has(d, ": box in cell\n");
	assert_has(d, " cell t1 r1 c1: cell text\n");
	assert_null(strstr(strstr(d, "in the box") + 1, "in the box"));
}

static void test_kinds(void **state)
{
	static const char *const kinds[][2] = {
		{ "application/vnd.ms-word.document.macroEnabled.main", "application/vnd.ms-word.document.macroEnabled.12" },
		{ "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main", "application/vnd.openxmlformats-officedocument.wordprocessingml.template" },
		{ "application/vnd.ms-word.template.macroEnabledTemplate.main", "application/vnd.ms-word.template.macroEnabled.12" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		const char *d;

		buf_putf(&b, "==[Content_Types].xml\n<Types><Override PartName=\"/word/document.xml\" ContentType=\"%s+xml\"/></Types>\n%s", kinds[i][0], ROOT MAIN W P(T("x")) END);
		d = word(buf_cstr(&b));
		assert_has(d, kinds[i][1]);
		assert_has(d, " body 1: x\n");
	}
}

/* Strict names, another prefix, another place of the main part. */
static void test_strict(void **state)
{
	const char *d = word("==[Content_Types].xml\n<Types><Override PartName=\"/d/main.xml\" ContentType=\"" WORD "+xml\"/></Types>\n"
		"==_rels/.rels\n<Relationships><Relationship Id=\"a\" Type=\"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument\" Target=\"/d/main.xml\"/></Relationships>\n"
		"==d/main.xml\n<x:document xmlns:x=\"http://purl.oclc.org/ooxml/wordprocessingml/main\"><x:body><x:p><x:r><x:t>strict</x:t></x:r></x:p></x:body></x:document>\n");

	assert_has(d, " body 1: strict\n");
	assert_has(d, "wordprocessingml.document");
}

static void test_properties(void **state)
{
	const char *d = word(TYPES(WORD) ROOT MAIN W P(T("x")) END
		"==docProps/core.xml\n<cp:coreProperties><dc:title>Offer</dc:title><dc:creator>engineer</dc:creator><cp:keywords>steel</cp:keywords>"
		"<dc:description>for sales</dc:description><dcterms:created>2024-01-02T03:04:05Z</dcterms:created></cp:coreProperties>\n"
		"==docProps/app.xml\n<Properties><Application>Writer</Application><Company>Example</Company><Manager>sales</Manager></Properties>\n"
		"==docProps/custom.xml\n<Properties><property name=\"Project\"><vt:lpwstr>North</vt:lpwstr></property>"
		"<property name=\"MSIP_Label_0A1B2C3D-1111-2222-3333-444455556666_Enabled\"><vt:lpwstr>true</vt:lpwstr></property>"
		"<property name=\"MSIP_Label_0A1B2C3D-1111-2222-3333-444455556666_Name\"><vt:lpwstr>Secret</vt:lpwstr></property></Properties>\n"
		"==docMetadata/LabelInfo.xml\n<clbl:labelList><clbl:label id=\"{AAAAAAAA-1111-2222-3333-444455556666}\" enabled=\"1\" method=\"Privileged\"/>"
		"<clbl:label id=\"{BBBBBBBB-1111-2222-3333-444455556666}\" enabled=\"1\" removed=\"1\"/></clbl:labelList>\n");

	assert_has(d, " meta title: Offer\n meta author: engineer\n meta keywords: steel\n meta comments: for sales\n meta created: 2024-01-02T03:04:05Z\n");
	assert_has(d, " meta producer: Writer\n meta company: Example\n meta manager: sales\n meta custom:project: North\n");
	assert_has(d, " label 1 on aaaaaaaa-1111-2222-3333-444455556666 \n label 1 off bbbbbbbb-1111-2222-3333-444455556666 \n"
		" label 2 on 0a1b2c3d-1111-2222-3333-444455556666 Secret\n");
	assert_has_not(d, "custom:msip");
}

static void test_embedded(void **state)
{
	const char *d = word(TYPES(WORD) ROOT MAIN W P(T("outer")) END
		"==word/media/image1.png\nnot really a picture\n==word/embeddings/notes.txt\nwords of the inner\n==word/afchunk.csv\na,b\n1,2\n"
		"==word/vbaProject.bin\nmacros\n==word/fonts/font1.odttf\nfont\n==docProps/thumbnail.jpeg\nsmall\n");

	assert_has(d, "part \"notes.txt\" text/plain ");
	assert_has(d, " body 1: words of the inner\n");
	assert_has(d, "part \"afchunk.csv\" ");
	assert_has(d, " image 0x0\n");
	assert_has_not(d, "vbaProject");
	assert_has_not(d, "odttf");
	assert_null(strstr(strstr(d, " image ") + 1, " image "));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_body), cmocka_unit_test(test_changes), cmocka_unit_test(test_tables), cmocka_unit_test(test_parts), cmocka_unit_test(test_text_box),
	cmocka_unit_test(test_kinds), cmocka_unit_test(test_strict), cmocka_unit_test(test_properties), cmocka_unit_test(test_embedded),
};
EXTRACT_TEST_MAIN(tests)
