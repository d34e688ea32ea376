/* PowerPoint presentations, record by record. */
#include "fixture.h"
#include "ole_make.h"

#include <zlib.h>

#include "extract/formats/office_rc4.h"

#define KANJI "\xe6\xa9\x9f\xe5\xaf\x86"

static void atom(struct buf *b, uint16_t instance, uint16_t type, str data)
{
	put_le16(b, (uint32_t)instance << 4);
	put_le16(b, type);
	put_le32(b, (uint32_t)data.n);
	buf_puts(b, data);
}

/* Its length is set when it ends. */
static size_t begin(struct buf *b, uint16_t instance, uint16_t type)
{
	put_le16(b, (uint32_t)instance << 4 | 15);
	put_le16(b, type);
	put_le32(b, 0);
	return b->n;
}

static void end(struct buf *b, size_t at)
{
	set_le32(b, at - 4, (uint32_t)(b->n - at));
}

static void wide(struct buf *b, uint16_t instance, uint16_t type, const char *text)
{
	_cleanup_buf_ struct buf d = BUF_INIT;

	put_utf16(&d, text);
	atom(b, instance, type, buf_str(&d));
}

static void text(struct buf *b, uint32_t kind, const char *latin1)
{
	_cleanup_buf_ struct buf d = BUF_INIT;

	put_le32(&d, kind);
	atom(b, 0, 3999, buf_str(&d));
	atom(b, 0, 4008, str_c(latin1));
}

/* A shape with a placeholder (0 none) and text. */
static void shape(struct buf *b, uint8_t placeholder, const char *words)
{
	size_t outer = begin(b, 0, 0xf004), at;
	char p[8] = { 0 };

	at = begin(b, 0, 0xf00d);
	text(b, 1, words);
	end(b, at);
	if (placeholder) {
		p[4] = (char)placeholder;
		at = begin(b, 0, 0xf011);
		atom(b, 0, 3011, (str){ p, 8 });
		end(b, at);
	}
	end(b, outer);
}

struct show {
	struct buf b;
	uint32_t document, slide, hidden, notes, master, old, session;
};

static void put_document(struct show *s)
{
	size_t at, list;

	s->document = (uint32_t)s->b.n;
	at = begin(&s->b, 0, 1000);
	list = begin(&s->b, 0, 4080);
	atom(&s->b, 0, 1011, STR("\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	text(&s->b, 0, "Plan for spring");
	text(&s->b, 1, "First\rSecond caf\xe9");
	atom(&s->b, 0, 1011, STR("\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	text(&s->b, 0, "Price list");
	end(&s->b, list);
	list = begin(&s->b, 3, 4057);
	wide(&s->b, 1, 4026, "Head");
	wide(&s->b, 2, 4026, "Internal use only");
	end(&s->b, list);
	end(&s->b, at);
}

static uint32_t put_slide(struct show *s, uint16_t flags, const char *words)
{
	uint32_t where = (uint32_t)s->b.n;
	size_t at = begin(&s->b, 0, 1006), c;
	char info[16] = { 0 };

	info[10] = (char)flags;
	atom(&s->b, 0, 1017, (str){ info, 16 });
	shape(&s->b, 0, words);
	c = begin(&s->b, 0, 12000);
	wide(&s->b, 0, 4026, "clerk");
	wide(&s->b, 1, 4026, "Check this");
	end(&s->b, c);
	end(&s->b, at);
	return where;
}

static void put_rest(struct show *s)
{
	size_t at;

	s->old = put_slide(s, 0, "Taken out again");
	s->slide = put_slide(s, 0, "On the slide " "\xa9");
	s->hidden = put_slide(s, 4, "Not for the audience");
	s->notes = (uint32_t)s->b.n;
	at = begin(&s->b, 0, 1008);
	wide(&s->b, 0, 4000, KANJI " to say");
	end(&s->b, at);
	s->master = (uint32_t)s->b.n;
	at = begin(&s->b, 0, 1016);
	shape(&s->b, 1, "Click to edit Master title style");
	shape(&s->b, 9, "Footer of all");
	shape(&s->b, 0, "Logo text");
	end(&s->b, at);
}

/* Enciphers objects 1 to 5 under a password; the sixth says how (MS-OFFCRYPTO 2.3.5.1, 2.3.5.4). */
static void encipher(struct show *s, const char *password)
{
	const uint32_t objects[] = { s->document, s->slide, s->hidden, s->notes, s->master };
	_cleanup_buf_ struct buf salted = BUF_INIT, info = BUF_INIT;
	struct office_rc4 k = { .md = EVP_sha1(), .hashing = EVP_MD_CTX_new(), .n_base = 20, .n_key = 16 };
	uint8_t v[36] = "verify this text";

	buf_puts(&salted, STR("0123456789abcdef"));
	put_utf16(&salted, password);
	assert_int_equal(EVP_Digest(salted.p, salted.n, k.base, NULL, k.md, NULL), 1);
	assert_int_equal(EVP_Digest(v, 16, v + 16, NULL, k.md, NULL), 1);
	assert_true(office_rc4_block(&k, 0));
	office_rc4_apply(&k, v, 36);
	put_le16(&info, 4);
	put_le16(&info, 2);
	for (size_t i = 0; i < 10; i++) /* flags, size, header with an empty name */
		put_le32(&info, (const uint32_t[]){ 4, 36, 4, 0, 0x6801, 0x8004, 128, 1, 0, 0 }[i]);
	put_le32(&info, 0);
	put_le32(&info, 16);
	buf_puts(&info, STR("0123456789abcdef"));
	buf_put(&info, v, 16);
	put_le32(&info, 20);
	buf_put(&info, v + 16, 20);
	s->session = (uint32_t)s->b.n;
	atom(&s->b, 0, 0x2f14, buf_str(&info));
	for (uint32_t i = 0; i < ARRAY_SIZE(objects); i++) {
		uint8_t *p = (uint8_t *)s->b.p + objects[i];
		size_t n = 8 + (p[4] | (size_t)p[5] << 8);

		assert_true(office_rc4_block(&k, i + 1));
		office_rc4_apply(&k, p, n);
	}
	office_rc4_close(&k);
}

static const char *finish(struct show *s, bool with_user, uint32_t token)
{
	_cleanup_buf_ struct buf ole = BUF_INIT, d = BUF_INIT, user = BUF_INIT;
	uint32_t persist = (uint32_t)s->b.n, edit;
	const char *out;

	put_le32(&d, (s->session ? 6u : 5u) << 20 | 1);
	put_le32(&d, s->document);
	put_le32(&d, s->slide);
	put_le32(&d, s->hidden);
	put_le32(&d, s->notes);
	put_le32(&d, s->master);
	if (s->session)
		put_le32(&d, s->session);
	atom(&s->b, 0, 6002, buf_str(&d));
	edit = (uint32_t)s->b.n;
	buf_clear(&d);
	put_le32(&d, 0);
	put_le32(&d, 0);
	put_le32(&d, 0);
	put_le32(&d, persist);
	pad_to(&d, 28);
	if (s->session)
		put_le32(&d, 6);
	atom(&s->b, 0, 4085, buf_str(&d));
	pad_to(&user, 8);
	put_le32(&user, 20);
	put_le32(&user, token);
	put_le32(&user, edit);
	make_ole(&ole, (struct ole_stream[]){ { "PowerPoint Document", buf_str(&s->b) }, { with_user ? "Current User" : "Other", buf_str(&user) }, { 0 } });
	out = dump("a.ppt", buf_str(&ole));
	buf_free(&s->b);
	return out;
}

static void test_show(void **state)
{
	struct show s = { 0 };
	const char *out;

	put_document(&s);
	put_rest(&s);
	out = finish(&s, true, 0xe391c05f);
	assert_has(out, "part \"\" application/vnd.ms-powerpoint");
	assert_has(out, " title 1: Plan for spring\n body 2: First\nSecond caf\xc3\xa9\n hidden title 3: Price list\n header 4: Head\n footer 5: Internal use only\n");
	assert_has(out, ": On the slide \xc2\xa9\n");
	assert_has(out, " hidden body ");
	assert_has(out, ": Not for the audience\n");
	assert_has(out, ": " KANJI " to say\n");
	assert_has(out, " footer 11: Footer of all\n body 12: Logo text\n");
	assert_has(out, ": Check this\n");
	assert_has_not(out, "clerk");
	assert_has_not(out, "Click to edit");
	assert_has_not(out, "Taken out again"); /* an earlier save left it behind */
	assert_has_not(out, "error");
}

/* Without the list of what is in use everything is read. */
static void test_no_list(void **state)
{
	struct show s = { 0 };
	const char *out;

	put_document(&s);
	put_rest(&s);
	out = finish(&s, false, 0);
	assert_has(out, ": On the slide");
	assert_has(out, "Taken out again");
}

static void test_encrypted(void **state)
{
	struct show s = { 0 };
	const char *out;

	put_document(&s);
	put_rest(&s);
	out = finish(&s, true, 0xf3d1c4df);
	assert_has(out, " error: encrypted (a password is needed)\n");
	assert_has_not(out, "On the slide");
}

static void test_everybodys(void **state)
{
	static const char *const passwords[] = { "/01Hannes Ruescher/01", "another" };

	for (size_t i = 0; i < ARRAY_SIZE(passwords); i++) {
		struct show s = { 0 };
		const char *out;

		put_document(&s);
		put_rest(&s);
		encipher(&s, passwords[i]);
		out = finish(&s, true, 0xf3d1c4df);
		if (i == 0) {
			assert_has(out, " title 1: Plan for spring\n");
			assert_has(out, ": On the slide \xc2\xa9\n");
			assert_has(out, KANJI " to say\n");
			assert_has_not(out, "error");
		} else {
			assert_has(out, " error: encrypted (a password is needed)\n");
			assert_has_not(out, "spring");
		}
		assert_has_not(out, "Taken out");
	}
}

static void test_truncated(void **state)
{
	struct show s = { 0 };
	_cleanup_buf_ struct buf ole = BUF_INIT;
	const char *out;

	put_document(&s);
	s.b.n -= 20;
	make_ole(&ole, (struct ole_stream[]){ { "PowerPoint Document", buf_str(&s.b) }, { 0 } });
	out = dump("a.ppt", buf_str(&ole));
	assert_has(out, " title 1: Plan for spring\n");
	assert_has(out, " error: corrupt (truncated)\n");
	buf_free(&s.b);
}

/* An object is an OLE2 file of its own, compressed; one that claims less than it unpacks to is cut. */
static void test_object(void **state)
{
	_cleanup_buf_ struct buf inner = BUF_INIT, packed = BUF_INIT;
	static const char csv[] = "a,b\r\n1,2\r\n";
	struct show s = { 0 };
	const char *out;
	uLongf n;

	make_ole(&inner, (struct ole_stream[]){ { "Something", STR("x") }, { 0 } });
	n = compressBound(inner.n);
	put_le32(&packed, (uint32_t)inner.n);
	assert_int_equal(buf_reserve(&packed, n), 0);
	assert_int_equal(compress((Bytef *)packed.p + 4, &n, (const Bytef *)inner.p, inner.n), Z_OK);
	packed.n += n;
	put_document(&s);
	atom(&s.b, 1, 4113, buf_str(&packed));
	atom(&s.b, 1, 4113, STR("\xff\xff\xff\xffnot compressed at all"));
	atom(&s.b, 0, 4113, (str){ csv, sizeof(csv) - 1 });
	put_rest(&s);
	out = finish(&s, false, 0);
	assert_has(out, "part \"object1\" application/x-ole-storage");
	assert_has(out, ": On the slide");
}

/* Records within records without end. */
static void test_deep(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, ole = BUF_INIT;
	const char *out;

	for (uint32_t i = 0; i < 100000; i++) {
		put_le16(&b, 15);
		put_le16(&b, 1006);
		put_le32(&b, (100000 - i) * 8);
	}
	make_ole(&ole, (struct ole_stream[]){ { "PowerPoint Document", buf_str(&b) }, { 0 } });
	out = dump("a.ppt", buf_str(&ole));
	assert_has(out, "part \"\" application/vnd.ms-powerpoint");
	assert_has_not(out, "crash");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_show), cmocka_unit_test(test_no_list), cmocka_unit_test(test_encrypted), cmocka_unit_test(test_everybodys),
	cmocka_unit_test(test_truncated),
	cmocka_unit_test(test_object), cmocka_unit_test(test_deep),
};
EXTRACT_TEST_MAIN(tests)
