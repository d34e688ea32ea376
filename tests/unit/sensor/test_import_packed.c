/* Packed files of records: members and frames, damage, bombs. */
#include "import_case.h"

#include <sys/resource.h>
#include <zlib.h>

/* Two parts, the cut within a line, and an empty one between them, as members or frames. */
static void packings(void **state)
{
	static pack *const packs[] = { put_gz, put_zst };

	for (size_t k = 0; k < ARRAY_SIZE(packs); k++) {
		_cleanup_buf_ struct buf text = BUF_INIT, b = BUF_INIT;
		pack *p = packs[k];
		struct result r;

		put_records(&text, 20000);
		p(&b, (str){ text.p, 777777 });
		p(&b, STR(""));
		p(&b, (str){ text.p + 777777, text.n - 777777 });
		import_text(&r, buf_str(&b));
		assert_int_equal(r.n, 20000);
		assert_int_equal(r.n_bad, 0);
		assert_int_equal(r.pids[63], 63);
		check_digest(&r, buf_str(&b));
		end(&r);
	}
}

static void zstd_skippable(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, text = BUF_INIT;
	struct result r;

	put_records(&text, 3);
	buf_puts(&b, STR("\x5d\x2a\x4d\x18\x03\0\0\0abc"));
	put_zst(&b, buf_str(&text));
	buf_puts(&b, STR("\x50\x2a\x4d\x18\x01\0\0\0\n"));
	import_text(&r, buf_str(&b));
	assert_int_equal(r.n, 3);
	assert_int_equal(r.n_bad, 0);
	end(&r);
}

/* Cut anywhere, the records before the cut are there, and one complaint says so; a cut at 0 is an empty file. */
static void truncated(void **state)
{
	static pack *const packs[] = { put_gz, put_zst };

	for (size_t k = 0; k < ARRAY_SIZE(packs); k++) {
		_cleanup_buf_ struct buf text = BUF_INIT, b = BUF_INIT;
		size_t most = 0;

		put_records(&text, 40);
		packs[k](&b, buf_str(&text));
		for (size_t n = 4; n < b.n; n++) {
			struct result r;

			import_text(&r, (str){ b.p, n });
			assert_true(r.n >= most && r.n <= 40);
			most = r.n;
			assert_int_equal(r.n_bad, 1);
			assert_int_equal(r.bad[0].line, 0);
			assert_true(r.bad[0].byte == SIZE_MAX);
			assert_string_equal(r.bad[0].expect, "whole compressed data (it is damaged or cut off)");
			check_digest(&r, (str){ b.p, n });
			end(&r);
		}
		/* Only the checksum behind it is missing. */
		assert_true(most == 40);
	}
}

/* A byte changed late in a large file: what stands before it is not lost, though it came with the same read. */
static void damaged(void **state)
{
	static pack *const packs[] = { put_gz, put_zst };

	for (size_t k = 0; k < ARRAY_SIZE(packs); k++) {
		_cleanup_buf_ struct buf text = BUF_INIT, b = BUF_INIT;
		struct result r;

		put_records(&text, 50000);
		packs[k](&b, buf_str(&text));
		for (size_t i = 0; i < 64; i++)
			b.p[b.n * 3 / 4 + i] ^= 0x55;
		import_text(&r, buf_str(&b));
		/* Deflate goes on with nonsense until its checksum tells; zstd stops at the block. */
		assert_in_range(r.n, 25000, k == 0 ? 49999 : 38000);
		assert_string_equal(r.last.expect, "whole compressed data (it is damaged or cut off)");
		check_digest(&r, buf_str(&b));
		end(&r);
	}
	/* Other things behind the end. */
	_cleanup_buf_ struct buf text = BUF_INIT, b = BUF_INIT;
	struct result r;

	put_records(&text, 3);
	put_gz(&b, buf_str(&text));
	buf_puts(&b, STR("{}"));
	import_text(&r, buf_str(&b));
	assert_int_equal(r.n, 3);
	assert_int_equal(r.n_bad, 1);
	end(&r);
}

/* The fault stands right behind what was read with it: deflate goes wrong at a block that there is not, zstd in its last block. */
static void damaged_behind(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT, gz = BUF_INIT, zst = BUF_INIT;
	z_stream z = { 0 };
	struct result r;

	put_records(&text, 1000);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(buf_reserve(&gz, deflateBound(&z, text.n) + 64), 0);
	z.next_in = (uint8_t *)text.p;
	z.avail_in = (unsigned)text.n;
	z.next_out = (uint8_t *)gz.p;
	z.avail_out = (unsigned)gz.cap;
	assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
	gz.n = z.total_out;
	deflateEnd(&z);
	buf_puts(&gz, STR("\x07\0\0\0\0\0\0\0"));
	import_text(&r, buf_str(&gz));
	assert_int_equal(r.n, 1000);
	assert_int_equal(r.n_bad, 1);
	end(&r);

	buf_clear(&text);
	put_records(&text, 5000);
	put_zst(&zst, buf_str(&text));
	memset(zst.p + zst.n - 40, 0xff, 30);
	import_text(&r, buf_str(&zst));
	/* More than the 256 KiB that one read takes before it; a record has at least 85 bytes. */
	assert_in_range(r.n, (256 << 10) / 85 + 1, 4999);
	assert_int_equal(r.n_bad, 1);
	end(&r);
}

static long peak_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* A gigabyte of zeros: one line that is too long. With line ends in it: as many. Memory does not follow. */
static void bomb(void **state)
{
	static char zeros[16 << 20];
	static pack *const packs[] = { put_gz, put_zst };

	for (int k = 0; k < 4; k++) {
		_cleanup_buf_ struct buf one = BUF_INIT, b = BUF_INIT;
		struct result r;
		long before;

		zeros[1000000] = zeros[2000000] = k >= 2 ? '\n' : '\0';
		packs[k % 2](&one, (str){ zeros, sizeof(zeros) });
		for (int i = 0; i < 64; i++)
			buf_puts(&b, buf_str(&one));
		before = peak_kib();
		import_text(&r, buf_str(&b));
		assert_in_range(peak_kib() - before, 0, 32 << 10);
		assert_int_equal(r.n, 0);
		assert_int_equal(r.n_bad, k >= 2 ? 129 : 1);
		check_digest(&r, buf_str(&b));
		end(&r);
	}
	zeros[1000000] = zeros[2000000] = '\0';
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packings),
		cmocka_unit_test(zstd_skippable),
		cmocka_unit_test(truncated),
		cmocka_unit_test(damaged),
		cmocka_unit_test(damaged_behind),
		cmocka_unit_test(bomb),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
