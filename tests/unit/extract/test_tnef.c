/* winmail.dat, written attribute by attribute: alone, attached to a mail, cut. */
#include "fixture.h"

#include "base/base64.h"

static void put_le(struct buf *b, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_putc(b, (char)(v >> 8 * i));
}

static void attribute(struct buf *b, int level, uint32_t id, str value)
{
	uint32_t sum = 0;

	put_le(b, (uint32_t)level, 1);
	put_le(b, id, 4);
	put_le(b, (uint32_t)value.n, 4);
	buf_puts(b, value);
	for (size_t i = 0; i < value.n; i++)
		sum += (uint8_t)value.p[i];
	put_le(b, sum, 2);
}

/* One of variable size; its bytes padded to four. */
static void property(struct buf *b, uint32_t type, uint32_t id, str value)
{
	put_le(b, type, 2);
	put_le(b, id, 2);
	put_le(b, 1, 4);
	put_le(b, (uint32_t)value.n, 4);
	buf_puts(b, value);
	put_le(b, 0, (int)((4 - value.n % 4) % 4));
}

static void make(struct buf *b)
{
	_cleanup_buf_ struct buf message = BUF_INIT, attachment = BUF_INIT;

	put_le(&message, 5, 4);
	put_le(&message, 0x0003, 2); /* a number */
	put_le(&message, 0x0017, 2);
	put_le(&message, 1, 4);
	put_le(&message, 0x0003, 2); /* one with a name of its own */
	put_le(&message, 0x8001, 2);
	buf_puts(&message, (str){ "0123456789abcdef", 16 });
	put_le(&message, 1, 4);
	put_le(&message, 6, 4);
	buf_puts(&message, (str){ "x\0y\0\0\0\0\0", 8 });
	put_le(&message, 7, 4);
	put_le(&message, 0x1003, 2); /* several numbers */
	put_le(&message, 0x0018, 2);
	put_le(&message, 2, 4);
	put_le(&message, 1, 4);
	put_le(&message, 2, 4);
	property(&message, 0x1f, 0x0037, (str){ "o\0f\0f\0e\0r\0\0\0", 12 });
	property(&message, 0x102, 0x1013, STR("<p>The <b>body</b></p>"));
	put_le(&attachment, 1, 4);
	property(&attachment, 0x1e, 0x3707, (str){ "long name.txt", 14 });
	buf_puts(b, STR("\x78\x9f\x3e\x22\1\0"));
	attribute(b, 1, 0x00069007, (str){ "\xe4\4\0\0\0\0\0\0", 8 });
	attribute(b, 1, 0x00069003, buf_str(&message));
	attribute(b, 2, 0x00069002, STR("render"));
	attribute(b, 2, 0x0006800f, STR("words in a file"));
	attribute(b, 2, 0x00018010, (str){ "LONGNA~1.TXT", 13 });
	attribute(b, 2, 0x00069005, buf_str(&attachment));
	attribute(b, 2, 0x00069002, STR("render"));
	attribute(b, 2, 0x00018010, (str){ "../K\xf6ln.txt", 12 });
	attribute(b, 2, 0x0006800f, STR("second file"));
}

static void test_alone(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	make(&b);
	d = dump("winmail.dat", buf_str(&b));
	assert_has(d, "part \"long name.txt\" text/plain 15 bytes\n body 1: words in a file\n");
	assert_has(d, "part \".._K\xc3\xb6ln.txt\" text/plain 11 bytes\n body 1: second file\n");
	assert_has(d, "part \"\" application/vnd.ms-tnef");
	assert_has(d, " title 1: offer\n body 2: The body\n meta subject: offer\n");
	assert_has_not(d, "error");
}

static void test_attached(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, m = BUF_INIT;
	const char *d;

	make(&b);
	buf_puts(&m, STR("From: a@x.example\nSubject: s\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"));
	base64_encode(&m, buf_str(&b));
	d = dump("a.eml", buf_str(&m));
	assert_has(d, "part \"winmail.dat!/long name.txt\" text/plain");
	assert_has(d, "part \"winmail.dat\" application/vnd.ms-tnef");
	assert_has(d, ": The body\n");
}

/* Wherever it is cut, what came before is there. */
static void test_cut(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	make(&b);
	for (size_t n = 6; n < b.n; n += 37) {
		const char *d = dump("winmail.dat", (str){ b.p, n });

		assert_has(d, "part \"\" application/vnd.ms-tnef");
		if (n > 360)
			assert_has(d, ": The body\n");
	}
	assert_has(dump("winmail.dat", (str){ b.p, b.n - 3 }), " error: corrupt (ends inside an attribute)\n");
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(test_alone), cmocka_unit_test(test_attached), cmocka_unit_test(test_cut) };
EXTRACT_TEST_MAIN(tests)
