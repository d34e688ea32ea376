/* Pictures: sizes, hashes that hold under scaling and compression, properties, text by OCR; and those that would take everything. */
#include "command.h"
#include "fixture.h"

#include <time.h>

/* make_picture.py draws them: KIND FORMAT. */
static void draw(struct buf *b, const char *kind, const char *format)
{
	output_of(b, "/usr/bin/python3 '" TEST_DIR "/make_picture.py' %s %s", kind, format);
}

static int keep_image(void *arg, const struct extract_part *p)
{
	assert_int_equal(p->text.n_images, 1);
	*(struct image *)arg = p->text.images[0];
	return 0;
}

static struct image look(struct extractor *x, const char *kind, const char *format)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct image i = { 0 };
	int fd;

	draw(&b, kind, format);
	fd = memory_file(buf_str(&b));
	assert_int_equal(extract_file(x, fd, STR("p"), keep_image, &i), 0);
	close(fd);
	return i;
}

static void test_formats(void **state)
{
	static const char *const formats_[] = { "png", "jpeg", "tiff", "gif", "bmp", "webp" };
	char want[64];

	for (size_t i = 0; i < ARRAY_SIZE(formats_); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		const char *d;

		draw(&b, "scene-1", formats_[i]);
		d = dump("picture", buf_str(&b));
		snprintf(want, sizeof(want), "part \"\" image/%s ", formats_[i]);
		assert_has(d, want);
		assert_has(d, " image 640x420\n");
		assert_has(d, "flags: wants_ocr");
		assert_has_not(d, "error");
	}
}

/* Of 64 bits few differ after scaling, JPEG at 40, 256 colours; many for another picture. */
static void test_hash(void **state)
{
	struct image a, b, c, d, e, blank, clear;
	struct extractor *x;

	assert_int_equal(extractor_new(NULL, OCR_NEVER, &x), 0);
	a = look(x, "scene-1", "png");
	b = look(x, "scene-1", "jpeg");
	c = look(x, "scene-small", "png");
	d = look(x, "scene-1", "gif");
	e = look(x, "scene-2", "png");
	blank = look(x, "blank", "png");
	clear = look(x, "clear", "png");
	extractor_free(x);
	assert_true(a.has_phash && b.has_phash && c.has_phash && d.has_phash && e.has_phash);
	assert_true(__builtin_popcountll(a.phash ^ b.phash) <= 4);
	assert_true(__builtin_popcountll(a.phash ^ c.phash) <= 4);
	assert_true(__builtin_popcountll(a.phash ^ d.phash) <= 6);
	assert_true(__builtin_popcountll(a.phash ^ e.phash) >= 16);
	assert_false(blank.has_phash);
	assert_false(clear.has_phash);
}

static void be32(struct buf *b, uint32_t v)
{
	buf_put_be32(b, v);
}

static void chunk(struct buf *b, const char *kind, str data)
{
	be32(b, (uint32_t)data.n);
	buf_put(b, kind, 4);
	buf_puts(b, data);
	be32(b, 0); /* nobody looks at the sum of these */
}

static void test_properties(void **state)
{
	_cleanup_buf_ struct buf png = BUF_INIT, jpeg = BUF_INIT, made = BUF_INIT;
	static const char exif[] = "Exif\0\0II*\0\x08\0\0\0\x02\0\x3b\x01\x02\0\x0a\0\0\0\x26\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0night owl";
	static const char xmp[] = "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='r'><rdf:Description "
				  "photoshop:Headline='North &amp; south'><dc:title><rdf:Alt><rdf:li>Harbour</rdf:li></rdf:Alt></dc:title></rdf:Description>"
				  "</rdf:RDF></x:xmpmeta>";
	const char *d;

	draw(&made, "english", "png");
	buf_put(&png, made.p, 33);
	chunk(&png, "tEXt", (str){ "Author\0caf\xe9", 11 });
	chunk(&png, "iTXt", (str){ "Title\0\0\0\0\0r\xc3\xa9sum\xc3\xa9", 18 });
	buf_put(&png, made.p + 33, made.n - 33);
	d = dump("a.png", buf_str(&png));
	assert_has(d, " meta author: caf\xc3\xa9\n");
	assert_has(d, " meta title: r\xc3\xa9sum\xc3\xa9\n");

	draw(&made, "scene-1", "jpeg");
	buf_put(&jpeg, made.p, 2);
	buf_put(&jpeg, "\xff\xe1\0", 3);
	buf_putc(&jpeg, (char)(sizeof(exif) + 2));
	buf_put(&jpeg, exif, sizeof(exif));
	buf_put(&jpeg, "\xff\xe1", 2);
	buf_putc(&jpeg, (char)((sizeof(xmp) + 1) >> 8));
	buf_putc(&jpeg, (char)((sizeof(xmp) + 1) & 0xff));
	buf_put(&jpeg, xmp, sizeof(xmp) - 1);
	buf_put(&jpeg, made.p + 2, made.n - 2);
	d = dump("a.jpg", buf_str(&jpeg));
	assert_has(d, " meta author: night owl\n");
	assert_has(d, " meta title: Harbour\n");
	assert_has(d, " meta subject: North & south\n");
	assert_has(d, " image 640x420\n");
}

/* ---- OCR ---- */

static const char *read_with(const char *kind, const char *format)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	draw(&b, kind, format);
	return dump_with(NULL, OCR_NOW, "scan", buf_str(&b));
}

/* 150 dpi, turned by two degrees, JPEG at 40. */
static void test_english(void **state)
{
	const char *d = read_with("english-scan", "jpeg");

	assert_has(d, " ocr 2: The stock of copper wire fell by eleven per cent against the plan\n");
	assert_has(d, ": CONFIDENTIAL\n");
	assert_has_not(d, "wants_ocr");
	d = read_with("english-photo", "jpeg");
	assert_has(d, ": CONFIDENTIAL\n");
	assert_has(d, "written note is kept for each of them");
	d = read_with("english-sideways", "png");
	assert_has(d, "Contact the warehouse clerk before any change");
}

static void test_japanese(void **state)
{
	const char *d = read_with("japanese-scan", "jpeg");

	assert_has(d, ": 社外秘\n");
	assert_has(d, "次の監査まで書面による記録を保存すること");
	assert_has(read_with("japanese-photo", "jpeg"), "配送が締切日の後に到着したため");
}

static void test_pages(void **state)
{
	const char *d = read_with("english", "tiff");

	assert_has(d, " image 1240x1753\n image 1240x1753\n");
	assert_has(strstr(d, "CONFIDENTIAL"), "Second sheet of two\n");
}

/* Icons and empty sheets are not worth a model's time. */
static void test_nothing_to_read(void **state)
{
	assert_has_not(read_with("icon", "png"), "ocr");
	assert_has_not(read_with("blank", "png"), "ocr");
}

/* ---- hostile ---- */

static void test_too_large(void **state)
{
	_cleanup_buf_ struct buf png = BUF_INIT, gif = BUF_INIT, bmp = BUF_INIT;
	const char *d;

	buf_put(&png, "\x89PNG\r\n\x1a\n", 8);
	chunk(&png, "IHDR", (str){ "\0\1\x86\xa0\0\1\x86\xa0\x08\2\0\0\0", 13 });
	d = dump("a.png", buf_str(&png));
	assert_has(d, "error: too large (100000 x 100000 pixels");
	assert_has(d, " image 100000x100000\n");

	buf_put(&gif, "GIF89a\1\0\1\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\1\1\0;", 27);
	assert_has(dump("a.gif", buf_str(&gif)), "error: too large (65535 x 65535 pixels");

	buf_put(&bmp, "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xff\xff\0\0\xff\xff\0\0\1\0\x18\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 54);
	assert_has(dump("a.bmp", buf_str(&bmp)), "error: too large (65535 x 65535 pixels");
}

/* A progressive JPEG may pass over its pixels as often as it likes. */
static void test_many_scans(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put(&b, "\xff\xd8\xff\xc2\0\x0b\x08\x20\0\x20\0\1\1\x11\0", 15);
	for (int i = 0; i < 5000; i++)
		buf_put(&b, "\xff\xda\0\x08\1\1\0\1\5\0\0", 11);
	buf_put(&b, "\xff\xd9", 2);
	assert_has(dump("a.jpg", buf_str(&b)), "error: too large (passes over its pixels too often)");
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Cut anywhere: an answer, and in time. */
static void test_truncated(void **state)
{
	static const char *const formats_[] = { "png", "jpeg", "tiff", "gif", "bmp", "webp" };
	struct extractor *x;
	int64_t start;

	assert_int_equal(extractor_new(NULL, OCR_NEVER, &x), 0);
	for (size_t i = 0; i < ARRAY_SIZE(formats_); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		draw(&b, "scene-2", formats_[i]);
		for (size_t part = 1; part < 16; part++) {
			int fd = memory_file((str){ b.p, b.n * part / 16 });
			const char *d;

			start = now_ms();
			d = dump_fd(x, fd, "a");
			close(fd);
			assert_has(d, "part \"\" image/");
			assert_has_not(d, "crashed");
			assert_true(now_ms() - start < 5000);
			/* Never as if it were whole. */
			if (part < 15)
				assert_has(d, " error: ");
		}
	}
	extractor_free(x);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_formats),   cmocka_unit_test(test_hash),    cmocka_unit_test(test_properties),
	cmocka_unit_test(test_english),   cmocka_unit_test(test_japanese), cmocka_unit_test(test_pages),
	cmocka_unit_test(test_nothing_to_read), cmocka_unit_test(test_too_large), cmocka_unit_test(test_many_scans), cmocka_unit_test(test_truncated),
};
EXTRACT_TEST_MAIN(tests)
