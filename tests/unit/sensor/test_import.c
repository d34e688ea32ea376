/* Files of records: lines of all lengths and ends, merging, in bounded memory. */
#include "import_case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sensor/inflate.h"

static void lines(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct result r;

	buf_puts(&b, STR("\xef\xbb\xbf"));
	put_record(&b, 0, 1);
	buf_puts(&b, STR("\r\n\n\r\n \t"));
	put_record(&b, 1, 2);
	buf_puts(&b, STR("\r\n"));
	put_record(&b, 2, 3);
	import_text(&r, buf_str(&b));
	assert_int_equal(r.n, 3);
	assert_int_equal(r.n_bad, 0);
	assert_int_equal(r.pids[2], 3);
	assert_string_equal(import_format_of(r.im, 0)->name, "tyto");
	check_digest(&r, buf_str(&b));
	end(&r);
	import_text(&r, STR(""));
	assert_true(r.n == 0 && r.n_bad == 0);
	check_digest(&r, STR(""));
	end(&r);
	import_text(&r, STR("\n\n"));
	assert_true(r.n == 0 && r.n_bad == 0);
	end(&r);
}

static void bad_lines(void **state)
{
	static const struct { const char *line; size_t byte; const char *expect; } bad[] = {
		{ "not JSON", 0, "a JSON object" },
		{ "{\"time\":\"2026-11-25T14:56:20Z\",\"verb\":\"steal\"}", 38, "open, read, write, create, delete, rename, link, permission, co" },
		{ "{\"verb\":\"read\",\"path\":\"x\"}", SIZE_MAX, "`time` and `verb`" },
		{ "{\"time\":\"1989-12-31T23:59:59Z\",\"verb\":\"read\",\"path\":\"x\"}", SIZE_MAX, "a time from 1990 to a day from now" },
		{ "{\"time\":\"2026-11-26T14:56:21Z\",\"verb\":\"read\",\"path\":\"x\"}", SIZE_MAX, "a time from 1990 to a day from now" },
		{ "{\"time\":\"2026-11-25T14:56:20Z\",\"verb\":\"read\",\"path\":\"\xff\"}", 53, "UTF-8 in a string" },
		{ "{\"time\":\"2026-11-25T14:56:20Z\"", 30, "a comma or }" },
	};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct result r;

	buf_puts(&b, STR("\xef\xbb\xbfx\n\n"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buf_putf(&b, "%s\r\n", bad[i].line);
		put_record(&b, (int)i, (unsigned)i);
		buf_putc(&b, '\n');
	}
	import_text(&r, buf_str(&b));
	assert_int_equal(r.n, ARRAY_SIZE(bad));
	assert_int_equal(r.n_bad, ARRAY_SIZE(bad) + 1);
	assert_int_equal(r.bad[0].line, 1);
	assert_int_equal(r.bad[0].byte, 3);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_string_equal(r.bad[i + 1].file, "f");
		assert_int_equal(r.bad[i + 1].line, 3 + 2 * i);
		assert_int_equal(r.bad[i + 1].byte, bad[i].byte);
		assert_string_equal(r.bad[i + 1].expect, bad[i].expect);
	}
	end(&r);
}

/* A record with spaces behind it, n bytes in all. */
static void put_padded(struct buf *b, size_t n, unsigned pid)
{
	size_t at = b->n;

	put_record(b, 5, pid);
	while (b->n - at < n)
		buf_putc(b, ' ');
}

static void long_lines(void **state)
{
	for (int packed = 0; packed < 2; packed++) {
		_cleanup_buf_ struct buf b = BUF_INIT, gz = BUF_INIT;
		struct result r;

		put_padded(&b, IMPORT_LINE_MAX - 1, 1);
		buf_putc(&b, '\n');
		put_padded(&b, IMPORT_LINE_MAX, 2);
		buf_putc(&b, '\n');
		put_padded(&b, IMPORT_LINE_MAX + 1, 3);
		buf_putc(&b, '\n');
		put_padded(&b, 10000000, 4);
		buf_putc(&b, '\n');
		put_record(&b, 6, 5);
		buf_putc(&b, '\n');
		put_padded(&b, IMPORT_LINE_MAX + 1, 6);
		if (packed)
			put_gz(&gz, buf_str(&b));
		import_text(&r, buf_str(packed ? &gz : &b));
		assert_int_equal(r.n, 3);
		assert_true(r.pids[0] == 1 && r.pids[1] == 2 && r.pids[2] == 5);
		assert_int_equal(r.n_bad, 3);
		assert_true(r.bad[0].line == 3 && r.bad[1].line == 4 && r.bad[2].line == 6);
		assert_string_equal(r.bad[1].expect, "a line of at most 65,536 bytes");
		assert_true(r.bad[1].byte == SIZE_MAX);
		end(&r);
	}
}

static void merged(void **state)
{
	static const struct { const char *name; int seconds[4]; unsigned pids[4]; } files[] = {
		{ "a", { 10, 20, 30, 40 }, { 1, 4, 6, 8 } },
		{ "b", { 10, 15, 30, 50 }, { 2, 3, 7, 10 } },
		{ "c", { 25, 45, 44, 60 }, { 5, 9, 11, 12 } },
	};
	static const unsigned want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 11, 9, 10, 12 };
	struct result r;

	begin(&r);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		for (size_t k = 0; k < 4; k++) {
			put_record(&b, files[i].seconds[k], files[i].pids[k]);
			buf_puts(&b, k == 1 ? STR("\nbad\n") : STR("\n"));
		}
		assert_int_equal(import_add(r.im, file_of(buf_str(&b)), files[i].name, &import_tyto), 0);
	}
	drain(&r);
	assert_int_equal(import_files(r.im), 3);
	assert_int_equal(r.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(r.pids[i], want[i]);
	assert_int_equal(r.n_bad, 3);
	assert_true(r.bad[0].line == 3 && r.bad[1].line == 3 && r.bad[2].line == 3);
	end(&r);
}

/* Within a file, 10 minutes are mended; what is later is handed out and flagged. */
static void late(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	static const int seconds[] = { 100, 1000, 400, 399, 1001, 400, 401 };
	static const unsigned want[] = { 0, 3, 2, 5, 6, 1, 4 };
	struct result r;

	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		put_record(&b, seconds[i], (unsigned)i);
		buf_putc(&b, '\n');
	}
	import_text(&r, buf_str(&b));
	assert_int_equal(r.n, ARRAY_SIZE(seconds));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(r.pids[i], want[i]);
		assert_int_equal(r.late[i], want[i] == 3 || want[i] == 5);
	}
	end(&r);
}

/* A second's records stand up to 10 minutes from their place: they come out in order, those of one time as they stood. */
static void in_order(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct result r;
	struct event e;
	int64_t before = INT64_MIN;
	unsigned n = 0, pid = 0;

	for (unsigned i = 0; i < 3000; i++) {
		unsigned block = i / 600 * 600, at = i % 600;

		/* Each ten minutes backwards but for their first. */
		put_record(&b, (int)(block + (600 - at) % 600), i / 600);
		buf_putc(&b, '\n');
		put_record(&b, (int)(block + (600 - at) % 600), i / 600 + 100);
		buf_putc(&b, '\n');
	}
	begin(&r);
	assert_int_equal(import_add(r.im, file_of(buf_str(&b)), "f", NULL), 0);
	while (import_next(r.im, NOW, &e) == 1) {
		assert_true(e.time >= before);
		assert_false(event_has(&e, EV_LATE));
		assert_int_equal(e.pid / 100, n % 2);
		if (n % 2)
			assert_int_equal(e.pid, pid + 100);
		pid = e.pid;
		before = e.time;
		n++;
	}
	assert_int_equal(n, 6000);
	end(&r);
}

/* More records in a moment than are read ahead: what comes behind those that had to go is flagged, and memory stays bounded. */
static void ahead_is_bounded(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct result r;
	struct event e;
	unsigned n = 0, late_ones = 0;

	for (unsigned i = 0; i < IMPORT_AHEAD_RECORDS + 1000; i++) {
		put_record(&b, 20, i);
		buf_putc(&b, '\n');
	}
	put_record(&b, 10, 7777777);
	begin(&r);
	assert_int_equal(import_add(r.im, file_of(buf_str(&b)), "f", NULL), 0);
	while (import_next(r.im, NOW, &e) == 1) {
		if (event_has(&e, EV_LATE)) {
			assert_int_equal(e.pid, 7777777);
			/* At once: before those that are still read ahead. */
			assert_in_range(n, 1000, 2000);
			late_ones++;
		}
		n++;
	}
	assert_int_equal(n, IMPORT_AHEAD_RECORDS + 1001);
	assert_int_equal(late_ones, 1);
	end(&r);
}

/* How a record came to another log says nothing of how it comes to this one. */
static void late_of_another_log(void **state)
{
	struct result r;

	import_text(&r, STR("{\"time\":\"2026-11-25T14:00:00Z\",\"verb\":\"read\",\"path\":\"/srv/x\",\"pid\":1,\"late\":true}\n"));
	assert_int_equal(r.n, 1);
	assert_false(r.late[0]);
	end(&r);
}

/* What was read is handed out, and nothing more is read. */
static void stopped(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct result r;
	struct event e;

	put_records(&b, 20000);
	begin(&r);
	assert_int_equal(import_add(r.im, file_of(buf_str(&b)), "f", NULL), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(import_next(r.im, NOW, &e), 1);
	import_stop(r.im);
	drain(&r);
	assert_in_range(r.n, 600, 19000);
	end(&r);
}

/* Each read gives one byte: packets of one. */
static void single_bytes(void **state)
{
	for (size_t k = 0; k < 3; k++) {
		_cleanup_buf_ struct buf text = BUF_INIT, b = BUF_INIT;
		struct result r;
		int fd[2], status;
		pid_t child;

		put_records(&text, 20);
		if (k == 0)
			buf_puts(&b, buf_str(&text));
		else
			(k == 1 ? put_gz : put_zst)(&b, buf_str(&text));
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
		child = fork();
		if (child == 0) {
			close(fd[0]);
			for (size_t i = 0; i < b.n; i++)
				if (write(fd[1], b.p + i, 1) != 1)
					_exit(1);
			_exit(0);
		}
		close(fd[1]);
		begin(&r);
		assert_int_equal(import_add(r.im, fd[0], "-", NULL), 0);
		drain(&r);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_int_equal(r.n, 20);
		assert_int_equal(r.n_bad, 0);
		check_digest(&r, buf_str(&b));
		end(&r);
	}
}

/* A caller with little room: the raw buffer stays full while bytes wait to be handed out. */
static void small_reads(void **state)
{
	for (int k = 0; k < 3; k++) {
		_cleanup_buf_ struct buf data = BUF_INIT, b = BUF_INIT, got = BUF_INIT;
		uint64_t x = 88172645463325252ULL;
		uint8_t digest[SHA256_LEN];
		struct inflate *f;
		char some[13];
		ssize_t n;

		for (int i = 0; i < 50000; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			buf_put(&data, &x, sizeof(x));
		}
		data.p[0] = 'x'; /* no packing begins so */
		if (k == 0)
			buf_puts(&b, buf_str(&data));
		else
			(k == 1 ? put_gz : put_zst)(&b, buf_str(&data));
		assert_int_equal(inflate_new(file_of(buf_str(&b)), -1, &f), 0);
		while ((n = inflate_read(f, some, sizeof(some))) > 0)
			buf_put(&got, some, (size_t)n);
		assert_int_equal(n, 0);
		assert_true(str_eq(buf_str(&data), buf_str(&got)));
		assert_true(inflate_digest(f, digest));
		assert_int_equal(inflate_raw_bytes(f), b.n);
		inflate_free(f);
	}
}

static void unreadable(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct result r;
	uint8_t digest[SHA256_LEN];

	put_record(&b, 1, 7);
	begin(&r);
	/* A folder. */
	assert_int_equal(import_add(r.im, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "folder", NULL), 0);
	assert_int_equal(import_add(r.im, file_of(buf_str(&b)), "f", NULL), 0);
	drain(&r);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.n_bad, 1);
	assert_string_equal(r.bad[0].file, "folder");
	assert_string_equal(r.bad[0].expect, strerror(EISDIR));
	assert_int_equal(r.bad[0].line, 0);
	assert_false(import_digest(r.im, 0, digest));
	end(&r);
}

static void too_many(void **state)
{
	struct result r;
	int fd = file_of(STR(""));

	begin(&r);
	for (int i = 0; i < IMPORT_FILES_MAX; i++)
		assert_int_equal(import_add(r.im, dup(fd), "f", NULL), 0);
	assert_int_equal(import_add(r.im, fd, "f", NULL), -E2BIG);
	/* It is still the caller's. */
	assert_int_equal(close(fd), 0);
	drain(&r);
	end(&r);
	import_free(NULL);
}

/* Another program's digest. */
static void sha256sum(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT, b = BUF_INIT;
	char command[80], want[65] = "", got[65] = "";
	uint8_t digest[SHA256_LEN];
	struct result r;
	FILE *out;
	int fd;

	put_records(&text, 5000);
	put_zst(&b, buf_str(&text));
	fd = file_of(buf_str(&b));
	snprintf(command, sizeof(command), "sha256sum /proc/%d/fd/%d", (int)getpid(), fd);
	out = popen(command, "r");
	assert_non_null(out);
	assert_non_null(fgets(want, sizeof(want), out));
	assert_int_equal(pclose(out), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	begin(&r);
	assert_int_equal(import_add(r.im, fd, "f", NULL), 0);
	assert_false(import_digest(r.im, 0, digest));
	drain(&r);
	assert_true(import_digest(r.im, 0, digest));
	for (size_t i = 0; i < SHA256_LEN; i++)
		snprintf(got + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(got, want);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(merged),
		cmocka_unit_test(late),
		cmocka_unit_test(in_order),
		cmocka_unit_test(ahead_is_bounded),
		cmocka_unit_test(late_of_another_log),
		cmocka_unit_test(stopped),
		cmocka_unit_test(single_bytes),
		cmocka_unit_test(small_reads),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(too_many),
		cmocka_unit_test(sha256sum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
