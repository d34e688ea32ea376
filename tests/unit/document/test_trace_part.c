/* Parts of containers, other encodings and forms of a document, pictures; and the caps. */
#include "trace_case.h"

#include <iconv.h>

#include "extract/extract.h"
#include "members.h"

static str zip_of(const char *text)
{
	static struct buf b;

	buf_clear(&b);
	members_pack(str_c(text), false, &b);
	return buf_str(&b);
}

static void containers(void **state)
{
	const struct trace_result *r;

	case_begin();
	case_put_text("other.txt", case_prose(1, 6000));
	case_put("box.zip", zip_of(case_text("==plan.txt\n%s\n==notes/list.txt\n%s\n", case_prose(60, 5000), case_prose(61, 5000))));
	/* A member is read again out of its container. */
	r = case_trace_text(case_text("%.*s", 900, case_prose(61, 5000) + 1500));
	assert_string_equal(case_said(r), "source box.zip!/notes/list.txt");
	assert_non_null(r->matches[0].passages[0].text);
	assert_false(r->matches[0].gone);
	/* A member as it is. */
	r = case_trace_text(case_prose(60, 5000));
	assert_string_equal(case_said(r), "exact box.zip!/plan.txt");
	/* A folder's name may look like a container's. */
	case_put_text("odd!", "no container");
	case_end();
}

static str encoded(const char *text, const char *to)
{
	static char out[1 << 17];
	char *in = (char *)(uintptr_t)text, *at = out;
	size_t n = strlen(text), left = sizeof(out);
	iconv_t cd = iconv_open(to, "UTF-8");

	assert_true(cd != (iconv_t)-1);
	assert_int_equal(iconv(cd, &in, &n, &at, &left), 0);
	iconv_close(cd);
	return (str){ out, sizeof(out) - left };
}

static const char paragraph[] = "<w:p><w:r><w:t>%s</w:t></w:r></w:p>";

/* A document of a word processor, with text from `a`; its header is no part of the running text. */
static str docx_of(const char *a, const char *b)
{
	return zip_of(case_text("==[Content_Types].xml\n<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
		"<Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>\n"
		"==_rels/.rels\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas."
		"openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>\n"
		"==word/document.xml\n<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>%s%s</w:body></w:document>\n",
		case_text(paragraph, a), case_text(paragraph, b)));
}

static void forms(void **state)
{
	const struct trace_result *r;
	const char *p = case_prose(70, 3000), *q = case_prose(71, 3000);

	case_begin();
	case_put_text("other.txt", case_prose(1, 6000));
	case_put("plan.docx", docx_of(p, q));
	case_put_text("keikaku.txt", case_prose_ja(9, 6000));
	r = case_trace_text(case_text("%s\n\n%s", p, q));
	assert_string_equal(case_said(r), "source plan.docx");
	assert_true(r->matches[0].coverage > .99 && !r->matches[0].variant);
	r = case_trace("leak.txt", encoded(strchr(case_prose_ja(9, 6000) + 1000, '\n') + 1, "SHIFT_JIS"));
	assert_string_equal(case_said(r), "source keikaku.txt");
	r = case_trace("leak.html", str_c(case_text("<html><body><p>%s</p><hr><p>%s</p></body></html>", q, p)));
	assert_string_equal(case_said(r), "source plan.docx");
	case_end();
}

static void nothing_there(void **state)
{
	const struct trace_result *r;

	case_begin();
	r = case_trace_text(case_prose(1, 2000));
	assert_string_equal(case_said(r), "none");
	assert_non_null(r->note);
	case_put_text("empty", "");
	r = case_trace_text("");
	assert_string_equal(case_said(r), "none");
	/* A text that repeats itself must not cost its square. */
	{
		static char same[200000];

		memset(same, 'a', sizeof(same) - 1);
		case_put_text("same.txt", same);
		r = case_trace("leak.txt", (str){ same, 150000 });
		assert_true(r->n == 1);
	}
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(containers), cmocka_unit_test(forms), cmocka_unit_test(nothing_there) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
