/* Outlook's messages, and what of its stores can be told from their head. */
#include "../../../src/extract/formats/message.h"
#include "extract/formats/message.h"

#include <errno.h>

#include "fixture.h"
#include "ole_make.h"
#include "pst_make.h"

#define KANJI "\xe6\xa9\x9f\xe5\xaf\x86"
#define GUID "01234567-89ab-cdef-0123-456789abcdef"

/* The example of MS-OXRTFCP 3.1.1. */
static const char hello[] = "\x2d\0\0\0\x2b\0\0\0\x4c\x5a\x46\x75\xf1\xc5\xc7\xa7\x03\0\x0a\0\x72\x63\x70\x67\x31\x32\x35\x42\x32\x0a\xf3\x20\x68\x65\x6c\x09\0\x20\x62\x77\x05\xb0"
	"\x6c\x64\x7d\x0a\x80\x0f\xa0";

static void property(struct buf *b, uint16_t id, uint16_t type, uint64_t value)
{
	put_le16(b, type);
	put_le16(b, id);
	put_le32(b, 6);
	put_le64(b, value);
}

static str wide(struct buf *b, const char *text)
{
	buf_clear(b);
	put_utf16(b, text);
	return buf_str(b);
}

static void test_message(void **state)
{
	_cleanup_buf_ struct buf ole = BUF_INIT, props = BUF_INIT, inner = BUF_INIT, subject = BUF_INIT, body = BUF_INIT, sender = BUF_INIT, name = BUF_INIT, sub = BUF_INIT;
	const char *out;

	pad_to(&props, 32);
	property(&props, 0x3ffd, 3, 932);
	property(&props, 0x0039, 0x40, 133000000000000000);
	pad_to(&inner, 24);
	property(&inner, 0x0039, 0x40, 133000000000000000);
	make_ole(&ole, (struct ole_stream[]){
		{ "__properties_version1.0", buf_str(&props) },
		{ "__substg1.0_0037001F", wide(&subject, "Offer " KANJI) },
		{ "__substg1.0_0C1A001F", wide(&sender, "The Clerk") },
		{ "__substg1.0_0C1F001E", STR("/o=EXAMPLE/cn=clerk") },
		{ "__substg1.0_5D01001E", STR("clerk@x.example") },
		{ "__substg1.0_1000001E", STR("\x8b\x40\x96\xa7 body\r\n\r\nSecond\r\n\0") },
		{ "__substg1.0_007D001E", STR("Received: x\r\nmsip_labels: MSIP_Label_" GUID "_Enabled=True;\r\n MSIP_Label_" GUID "_Name=Secret\r\nTo: y\r\n") },
		{ "__recip_version1.0_#00000000/__substg1.0_3001001E", STR("Sales") },
		{ "__recip_version1.0_#00000000/__substg1.0_39FE001E", STR("sales@y.example") },
		{ "__recip_version1.0_#00000001/__substg1.0_3003001E", STR("engineer@y.example") },
		{ "__attach_version1.0_#00000000/__substg1.0_3707001F", wide(&name, "a/" KANJI ".csv") },
		{ "__attach_version1.0_#00000000/__substg1.0_37010102", STR("n,m\r\n1,2\r\n") },
		{ "__attach_version1.0_#00000001/__substg1.0_3001001E", STR("Forwarded") },
		{ "__attach_version1.0_#00000001/__substg1.0_3701000D/__properties_version1.0", buf_str(&inner) },
		{ "__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_0037001F", wide(&sub, "Inner") },
		{ "__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_1000001F", wide(&body, "Inner body") },
		{ 0 } });
	out = dump("a.msg", buf_str(&ole));
	assert_has(out, "part \"\" application/vnd.ms-outlook");
	assert_has(out, " title 1: Offer " KANJI "\n address 2: The Clerk <clerk@x.example>\n address 3: Sales <sales@y.example>\n address 4: engineer@y.example\n");
	assert_has(out, " body 5: " KANJI " body\n body 6: Second\n");
	assert_has(out, " meta subject: Offer " KANJI "\n");
	assert_has(out, " meta created: 2022-06-18T04:26:40Z\n");
	assert_has(out, " label 4 on " GUID " Secret\n");
	assert_has(out, "part \"a_" KANJI ".csv\" text/csv");
	assert_has(out, "part \"Forwarded\" application/vnd.ms-outlook");
	assert_has(out, " title 1: Inner\n body 2: Inner body\n meta subject: Inner\n meta created: 2022-06-18T04:26:40Z\n");
	assert_has_not(out, "error");
	assert_has_not(out, "EXAMPLE");
}

/* Only HTML, in a code page that a property names; only compressed RTF. */
static void test_bodies(void **state)
{
	_cleanup_buf_ struct buf ole = BUF_INIT, props = BUF_INIT;
	char damaged[sizeof(hello) - 1];

	pad_to(&props, 32);
	property(&props, 0x3fde, 3, 932);
	make_ole(&ole, (struct ole_stream[]){ { "__properties_version1.0", buf_str(&props) },
		{ "__substg1.0_10130102", STR("<html><body><p>\x8b\x40\x96\xa7</p></body></html>") }, { 0 } });
	assert_has(dump("a.msg", buf_str(&ole)), ": " KANJI);
	buf_clear(&ole);
	make_ole(&ole, (struct ole_stream[]){ { "__properties_version1.0", buf_str(&props) }, { "__substg1.0_10090102", { hello, sizeof(hello) - 1 } }, { 0 } });
	assert_has(dump("a.msg", buf_str(&ole)), " body 1: hello world");
	memcpy(damaged, hello, sizeof(damaged));
	damaged[13] ^= 1;
	buf_clear(&ole);
	make_ole(&ole, (struct ole_stream[]){ { "__properties_version1.0", buf_str(&props) }, { "__substg1.0_10090102", { damaged, sizeof(damaged) } }, { 0 } });
	assert_has(dump("a.msg", buf_str(&ole)), " error: corrupt (its compressed body is damaged)\n");
}

static void test_lzfu(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT, stored = BUF_INIT;

	assert_int_equal(lzfu_unpack((str){ hello, sizeof(hello) - 1 }, 1000, &out), 0);
	assert_string_equal(buf_cstr(&out), "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
	/* Every way to cut it is found. */
	for (size_t n = 0; n < sizeof(hello) - 1; n++) {
		buf_clear(&out);
		assert_int_equal(lzfu_unpack((str){ hello, n }, 1000, &out), -EBADMSG);
	}
	put_le32(&stored, 12 + 5);
	put_le32(&stored, 5);
	put_le32(&stored, 0x414c454d);
	put_le32(&stored, 0);
	buf_puts(&stored, STR("{\\rtf"));
	buf_clear(&out);
	assert_int_equal(lzfu_unpack(buf_str(&stored), 1000, &out), 0);
	assert_string_equal(buf_cstr(&out), "{\\rtf");
	set_le32(&stored, 8, 0);
	assert_int_equal(lzfu_unpack(buf_str(&stored), 1000, &out), -ENOTSUP);
	/* References multiply at most by nine: what they make stays within what is allowed. */
	buf_clear(&stored);
	put_le32(&stored, 100000);
	put_le32(&stored, 100000);
	put_le32(&stored, 0x75465a4c);
	put_le32(&stored, 0);
	for (int i = 0; i < 5000; i++)
		buf_puts(&stored, STR("\xff\0\x0f\0\x0f\0\x0f\0\x0f\0\x0f\0\x0f\0\x0f\0\x0f"));
	buf_clear(&out);
	assert_int_equal(lzfu_unpack(buf_str(&stored), 10000, &out), -EMSGSIZE);
	assert_true(out.n < 11000);
}

static void test_name(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	message_name(&b, STR("../a\n\tb "), "x");
	assert_string_equal(buf_cstr(&b), ".._a  b");
	buf_clear(&b);
	message_name(&b, STR(""), "x");
	assert_string_equal(buf_cstr(&b), "x");
	buf_clear(&b);
	for (int i = 0; i < 100; i++)
		buf_puts(&b, STR(KANJI));
	{
		_cleanup_buf_ struct buf cut = BUF_INIT;

		message_name(&cut, buf_str(&b), "x");
		assert_true(cut.n <= 120 && str_utf8_valid(buf_str(&cut)));
	}
}

static void test_store(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, STR("!BDN\0\0\0\0SM\x17\0"));
	pad_to(&b, 4096);
	assert_has(dump("a.pst", buf_str(&b)), "part \"\" application/vnd.ms-outlook-pst");
	assert_has(dump("a.pst", buf_str(&b)), " error: corrupt (its folders cannot be read)\n");
	b.p[513] = 0x10;
	assert_has(dump("a.pst", buf_str(&b)), " error: encrypted (encrypted by the system that it was made on)\n");
	b.p[513] = 1;
	b.p[8] = 'A';
	assert_has(dump("a.pst", buf_str(&b)), " error: unreadable: an address book of Outlook");
}

static void test_folders(void **state)
{
	static const struct pst_property store[] = { { 0x3001, 0x1f, STR("Store"), 0 }, { 0 } }, root[] = { { 0x3001, 0x1f, STR(""), 0 }, { 0 } },
		inbox[] = { { 0x3001, 0x1f, STR("In/box"), 0 }, { 0x3602, 3, { 0 }, 1 }, { 0 } }, clients[] = { { 0x3001, 0x1f, STR("Clients"), 0 }, { 0 } },
		first[] = { { 0x001a, 0x1f, STR("IPM.Note"), 0 }, { 0x0037, 0x1f, STR("\1\5Re: Offer " KANJI), 0 }, { 0x0c1a, 0x1f, STR("The Clerk"), 0 },
			{ 0x1000, 0x1f, STR("Body of the first"), 0 }, { 0x5d01, 0x1f, STR("clerk@x.example"), 0 }, { 0 } },
		second[] = { { 0x001a, 0x1f, STR("IPM.Note"), 0 }, { 0x1013, 0x102, STR("<p>Body of the second</p>"), 0 }, { 0 } };
	static const struct pst_node nodes[] = { { 0x21, 0, store }, { 0x122, 0x122, root }, { 0x8022, 0x122, inbox }, { 0x8042, 0x8022, clients }, { 0x200024, 0x8022, first },
		{ 0x200044, 0x8042, second }, { 0 } };
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *out;

	make_pst(&b, nodes);
	out = dump("a.pst", buf_str(&b));
	assert_has(out, "part \"In_box/Re: Offer " KANJI " (2097188)\" application/vnd.ms-outlook");
	assert_has(out, " title 1: Re: Offer " KANJI "\n address 2: The Clerk <clerk@x.example>\n body 3: Body of the first\n");
	assert_has(out, "part \"In_box/Clients/message (2097220)\" application/vnd.ms-outlook");
	assert_has(out, ": Body of the second\n");
	assert_has(out, "part \"\" application/vnd.ms-outlook-pst");
	assert_has_not(out, "error");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_message), cmocka_unit_test(test_bodies), cmocka_unit_test(test_lzfu), cmocka_unit_test(test_name), cmocka_unit_test(test_store),
	cmocka_unit_test(test_folders),
};
EXTRACT_TEST_MAIN(tests)
