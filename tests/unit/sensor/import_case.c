/* Records, their packings, and what an import makes of them. */
#include "import_case.h"

#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

static void complain(void *arg, const char *file, uint64_t line, size_t byte, const char *expect)
{
	struct result *r = arg;

	r->last = (struct complaint){ .line = line, .byte = byte };
	snprintf(r->last.file, sizeof(r->last.file), "%s", file);
	snprintf(r->last.expect, sizeof(r->last.expect), "%s", expect);
	if (r->n_bad < ARRAY_SIZE(r->bad))
		r->bad[r->n_bad] = r->last;
	r->n_bad++;
	r->n_lines += line > 0;
}

void begin(struct result *r)
{
	*r = (struct result){ 0 };
	r->im = import_new(complain, r, -1);
	assert_non_null(r->im);
}

void drain(struct result *r)
{
	struct event e;
	int one;

	while ((one = import_next(r->im, NOW, &e)) == 1) {
		if (r->n < ARRAY_SIZE(r->pids)) {
			r->pids[r->n] = e.pid;
			r->late[r->n] = event_has(&e, EV_LATE) && e.late;
		}
		r->n++;
	}
	assert_int_equal(one, 0);
	/* Asked again, it is still over. */
	assert_int_equal(import_next(r->im, NOW, &e), 0);
	assert_int_equal(import_refused(r->im), r->n_lines);
}

void end(struct result *r)
{
	r->im = import_free(r->im);
}

int file_of(str bytes)
{
	int fd = memfd_create("records", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t i = 0; i < bytes.n;) {
		ssize_t n = write(fd, bytes.p + i, bytes.n - i);

		assert_true(n > 0);
		i += (size_t)n;
	}
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

void import_text(struct result *r, str bytes)
{
	begin(r);
	assert_int_equal(import_add(r->im, file_of(bytes), "f", NULL), 0);
	drain(r);
}

void put_record(struct buf *b, int second, unsigned pid)
{
	buf_putf(b, "{\"time\":\"2026-11-25T14:%02d:%02dZ\",\"verb\":\"read\",\"path\":\"/srv/offer\",\"pid\":%u}", second / 60, second % 60, pid);
}

void put_records(struct buf *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		put_record(b, (int)(i % 3000), i);
		buf_putc(b, '\n');
	}
}

/* One gzip member. */
void put_gz(struct buf *b, str s)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(buf_reserve(b, deflateBound(&z, s.n)), 0);
	z.next_in = (uint8_t *)(uintptr_t)s.p;
	z.avail_in = (unsigned)s.n;
	z.next_out = (uint8_t *)b->p + b->n;
	z.avail_out = (unsigned)(b->cap - b->n);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b->n += z.total_out;
	deflateEnd(&z);
}

/* One zstd frame with a checksum. */
void put_zst(struct buf *b, str s)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t n;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	assert_int_equal(buf_reserve(b, ZSTD_compressBound(s.n)), 0);
	n = ZSTD_compress2(c, b->p + b->n, b->cap - b->n, s.p, s.n);
	assert_false(ZSTD_isError(n));
	b->n += n;
	ZSTD_freeCCtx(c);
}

void check_digest(struct result *r, str bytes)
{
	struct sha256 *h = sha256_new();
	uint8_t want[SHA256_LEN], got[SHA256_LEN];

	sha256_parts(h, &bytes, 1, want);
	sha256_free(h);
	assert_true(import_digest(r->im, 0, got));
	assert_memory_equal(got, want, SHA256_LEN);
	assert_int_equal(import_bytes(r->im), bytes.n);
}
