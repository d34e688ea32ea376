/* Containers: what is inside is read, named, counted; what cannot be is named with its reason; bombs end. */
#include "fixture.h"

#include <sys/resource.h>

static const struct member two[] = { { "a.txt", STR("first words") }, { "sub/b.csv", STR("n,m\n1,2\n") }, { NULL } };

/* Processor time of the workers so far: what a cap bounds, whatever else the machine does. */
static int64_t work_ms(void)
{
	struct rusage r;

	getrusage(RUSAGE_CHILDREN, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
}

static void test_formats(void **state)
{
	static const struct {
		const char *format, *filter, *type;
	} t[] = {
		{ "zip", NULL, "application/zip" }, { "7zip", NULL, "application/x-7z-compressed" }, { "ustar", NULL, "application/x-tar" },
		{ "pax", NULL, "application/x-tar" }, { "gnutar", NULL, "application/x-tar" }, { "newc", NULL, "application/x-cpio" },
		{ "ustar", "gzip", "application/gzip" }, { "ustar", "xz", "application/x-xz" }, { "ustar", "zstd", "application/zstd" },
		{ "ustar", "bzip2", "application/x-bzip2" }, { "ustar", "lz4", "application/x-lz4" }, { "ustar", "lzma", "application/x-lzma" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		const char *d;

		make_archive(&b, t[i].format, t[i].filter, NULL, two);
		d = dump("box", buf_str(&b));
		assert_has(d, "part \"a.txt\" text/plain 11 bytes\n body 1: first words\n");
		assert_has(d, "part \"sub/b.csv\" text/csv 8 bytes\n cell t1 r1 c1: n\n");
		assert_has(d, t[i].type);
		assert_has_not(d, "error");
	}
}

/* Only compressed: one part, without the ending. */
static void test_single(void **state)
{
	static const struct member one[] = { { "x", STR("the words of it") }, { NULL } };
	static const char *const filters[][2] = { { "gzip", "notes.txt.gz" }, { "xz", "notes.txt.xz" }, { "zstd", "notes.txt.ZST" }, { "bzip2", "notes.txt.bz2" } };

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		make_archive(&b, "raw", filters[i][0], NULL, one);
		assert_has(dump(filters[i][1], buf_str(&b)), "part \"notes.txt\" text/plain 15 bytes\n body 1: the words of it\n");
	}
}

/* Words that begin like a container. */
static void test_lookalikes(void **state)
{
	assert_has(dump("a", STR("070701 is the number of the plan\n")), " body 1: 070701 is the number of the plan\n");
	assert_has(dump("a", STR("BZh is what the note says\n")), " body 1: BZh is what the note says\n");
	assert_has(dump("a", STR("A-lh of words\n")), " body 1: A-lh of words\n");
	assert_has(dump("a", STR("PK is short for something\n")), " body 1: PK is short for something\n");
}

static void test_nested(void **state)
{
	_cleanup_buf_ struct buf inner = BUF_INIT, outer = BUF_INIT;
	struct member m[] = { { "inner.zip", STR_NONE }, { "c.txt", STR("last") }, { NULL } };
	const char *d;

	make_archive(&inner, "zip", NULL, NULL, two);
	m[0].bytes = buf_str(&inner);
	make_archive(&outer, "ustar", "gzip", NULL, m);
	d = dump("outer.tgz", buf_str(&outer));
	assert_has(d, "part \"inner.zip!/a.txt\" text/plain 11 bytes\n body 1: first words\n");
	assert_has(d, "part \"inner.zip\" application/zip");
	assert_true(strstr(d, "part \"inner.zip\" ") > strstr(d, "part \"inner.zip!/sub/b.csv\""));
	assert_true(strstr(d, "part \"\" ") > strstr(d, "part \"c.txt\""));
}

static void test_encrypted(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, outer = BUF_INIT;
	struct member m[] = { { "locked.zip", STR_NONE }, { "open.txt", STR("open") }, { NULL } };
	const char *d;

	make_archive(&b, "zip", NULL, "password", two);
	d = dump("a.zip", buf_str(&b));
	assert_has(d, "part \"a.txt\" application/octet-stream 0 bytes no hash\n error: encrypted (a password is needed)\n");
	assert_has(d, "part \"\" application/zip");
	assert_has(strstr(d, "part \"\""), " error: encrypted");
	m[0].bytes = buf_str(&b);
	make_archive(&outer, "zip", NULL, NULL, m);
	d = dump("b.zip", buf_str(&outer));
	assert_has(d, "part \"locked.zip\" application/zip");
	assert_has(d, " body 1: open\n");
	assert_has_not(strstr(d, "part \"\""), "error");
}

/* Cut at every length: text as far as it goes, an error, never a crash. */
static void test_truncated(void **state)
{
	static const char *const kinds[][2] = { { "zip", NULL }, { "7zip", NULL }, { "ustar", "gzip" }, { "ustar", "xz" }, { "ustar", "zstd" }, { "ustar", NULL } };
	struct extractor *x;

	assert_int_equal(extractor_new(NULL, OCR_NEVER, &x), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		make_archive(&b, kinds[i][0], kinds[i][1], NULL, two);
		for (size_t n = 6; n < b.n; n += 1 + b.n / 60) {
			int fd = memory_file((str){ b.p, n });
			const char *d = dump_fd(x, fd, "box");

			close(fd);
			assert_has_not(d, "crashed");
			assert_has_not(d, "nonsense");
			assert_has(d, "part \"\" ");
		}
	}
	extractor_free(x);
	{
		_cleanup_buf_ struct buf b = BUF_INIT;

		make_archive(&b, "zip", NULL, NULL, two);
		assert_has(dump("a.zip", (str){ b.p, b.n / 2 }), " error: corrupt");
	}
}

static void test_names(void **state)
{
	static const struct member m[] = {
		{ "../../etc/passwd", STR("one") }, { "\x8c\x8b\x89\xca\x95\xf1\x8d\x90.txt", STR("two") }, { "a\nb\x1b[31m.txt", STR("three") },
		{ "", STR("four") }, { NULL },
	};
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	make_archive(&b, "ustar", NULL, NULL, m);
	d = dump("a.tar", buf_str(&b));
	assert_has(d, "part \"../../etc/passwd\"");
	assert_has(d, "part \"\xe7\xb5\x90\xe6\x9e\x9c\xe5\xa0\xb1\xe5\x91\x8a.txt\"");
	assert_has(d, "part \"a\nb [31m.txt\"");
}

static void bomb(struct buf *ret, const char *format, const char *filter, size_t mib, unsigned members)
{
	char *zeros = calloc(1, mib << 20);
	struct member m[130] = { 0 };

	assert_non_null(zeros);
	for (unsigned i = 0; i < members; i++)
		m[i] = (struct member){ "zeros.txt", { zeros, mib << 20 } };
	make_archive(ret, format, filter, NULL, m);
	free(zeros);
}

static void test_bombs(void **state)
{
	static const struct {
		const char *format, *filter;
		size_t mib;
		unsigned members;
		const char *want;
	} t[] = {
		{ "zip", NULL, 60, 2, NULL }, /* deflate reaches 1,032:1 */
		{ "ustar", "xz", 60, 2, "error: too large" },
		{ "ustar", "zstd", 60, 2, "error: too large" },
		{ "zip", NULL, 257, 1, "error: too large" },
		{ "raw", "bzip2", 60, 1, "error: too large" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT, twice = BUF_INIT;
		struct member m[] = { { "bomb", STR_NONE }, { NULL } };
		int64_t start;
		const char *d;

		bomb(&b, t[i].format, t[i].filter, t[i].mib, t[i].members);
		start = work_ms();
		d = dump("bomb.bz2", buf_str(&b));
		assert_true(work_ms() - start < 5000);
		if (t[i].want)
			assert_has(d, t[i].want);
		assert_has_not(d, "crashed");
		/* The same packed once more: the ratio of the whole counts. */
		m[0].bytes = buf_str(&b);
		make_archive(&twice, "ustar", "xz", NULL, m);
		start = work_ms();
		d = dump("bomb.tar.xz", buf_str(&twice));
		assert_true(work_ms() - start < 5000);
		assert_has(d, "error: too large");
	}
}

static void test_deep(void **state)
{
	struct buf b[2] = { 0 };
	struct member m[] = { { "z", STR("core") }, { NULL } };
	unsigned at = 0;
	const char *d;

	for (int i = 0; i < 30; i++) {
		at ^= 1;
		buf_clear(&b[at]);
		make_archive(&b[at], "zip", NULL, NULL, m);
		m[0].bytes = buf_str(&b[at]);
	}
	d = dump("deep.zip", buf_str(&b[at]));
	assert_has(d, " error: too large (nested too deeply)");
	assert_has(d, "part \"\" application/zip");
	assert_has_not(d, "core");
	buf_free(&b[0]);
	buf_free(&b[1]);
}

/* Tars of before there was a magic are known by the sum of their header. */
static void test_old_tar(void **state)
{
	static const struct member m[] = { { "one.txt", STR("from the depot") }, { "two.txt", STR("to the harbour") }, { NULL, STR_NONE } };
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	make_archive(&b, "v7tar", NULL, NULL, m);
	assert_null(memmem(b.p, 512, "ustar", 5));
	d = dump("old", buf_str(&b));
	assert_has(d, "part \"one.txt\" text/plain");
	assert_has(d, "from the depot");
	assert_has(d, "to the harbour");
	assert_has(d, "part \"\" application/x-tar");
	b.p[150] ^= 1;
	assert_has_not(dump("old", buf_str(&b)), "part \"one.txt\"");
}

/* A directory that leads nowhere is no empty archive; one without members is. */
static void test_lost_directory(void **state)
{
	static const struct member m[] = { { "one.txt", STR("words") }, { NULL, STR_NONE } }, none[] = { { NULL, STR_NONE } };
	_cleanup_buf_ struct buf b = BUF_INIT, empty = BUF_INIT;
	char *at;

	make_archive(&b, "zip", NULL, NULL, m);
	at = memmem(b.p, b.n, "PK\1\2", 4);
	assert_non_null(at);
	memset(at, 0xff, (size_t)(b.p + b.n - at) - 22);
	assert_has(dump("a.zip", buf_str(&b)), " error: ");
	make_archive(&empty, "zip", NULL, NULL, none);
	assert_has_not(dump("a.zip", buf_str(&empty)), " error: ");
}

static void test_many(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n = PART_COUNT_SMALL + 50;
	struct member *m = calloc(n + 1, sizeof(*m));
	struct extract_limits l = extract_limits_default;
	const char *d;
	int64_t start;

	assert_non_null(m);
	for (size_t i = 0; i < n; i++)
		m[i] = (struct member){ "small.txt", STR("words") };
	make_archive(&b, "ustar", "gzip", NULL, m);
	free(m);
	start = work_ms();
	d = dump_with(&l, OCR_NEVER, "many.tgz", buf_str(&b));
	assert_true(work_ms() - start < 5000);
	assert_has(d, " error: too large (more than 10000 parts)");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_formats), cmocka_unit_test(test_single), cmocka_unit_test(test_lookalikes), cmocka_unit_test(test_nested), cmocka_unit_test(test_encrypted),
	cmocka_unit_test(test_truncated), cmocka_unit_test(test_names), cmocka_unit_test(test_bombs), cmocka_unit_test(test_deep), cmocka_unit_test(test_many),
	cmocka_unit_test(test_old_tar), cmocka_unit_test(test_lost_directory),
};
EXTRACT_TEST_MAIN(tests)
