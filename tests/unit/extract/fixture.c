#include "fixture.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/mman.h>

static void put_text(struct buf *b, const struct text *t)
{
	for (size_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];

		buf_putf(b, " %s%s ", s->flags & SPAN_HIDDEN ? "hidden " : "", zone_name(s->zone));
		if (s->zone == ZONE_CELL)
			buf_putf(b, "t%u r%u c%u: ", s->table, s->row, s->col);
		else if (s->zone == ZONE_SHEET)
			buf_putf(b, "t%u: ", s->table);
		else
			buf_putf(b, "%u: ", s->block);
		buf_puts(b, text_span(t, s));
		buf_putc(b, '\n');
	}
	for (size_t i = 0; i < t->n_metas; i++)
		buf_putf(b, " meta %.*s: %.*s\n", STR_ARG(t->metas[i].key), STR_ARG(t->metas[i].value));
	for (size_t i = 0; i < t->n_labels; i++)
		buf_putf(b, " label %u %s %.*s %.*s\n", t->labels[i].source, t->labels[i].enabled ? "on" : "off", STR_ARG(t->labels[i].guid),
			STR_ARG(t->labels[i].name));
	for (size_t i = 0; i < t->n_images; i++)
		buf_putf(b, " image %ux%u\n", t->images[i].width, t->images[i].height);
	if (t->cut || t->wants_ocr)
		buf_putf(b, " flags:%s%s\n", t->cut ? " cut" : "", t->wants_ocr ? " wants_ocr" : "");
}

static void check_text(const struct text *t)
{
	size_t at = 0;

	assert_true(str_utf8_valid(buf_str(&t->bytes)));
	assert_null(t->bytes.n ? memchr(t->bytes.p, 0, t->bytes.n) : NULL);
	for (size_t i = 0; i < t->n_spans; i++) {
		assert_int_equal(t->spans[i].at, at);
		at += t->spans[i].n + 1;
	}
	assert_int_equal(t->bytes.n, at ? at - 1 : 0);
}

static int on_part(void *arg, const struct extract_part *p)
{
	struct buf *b = arg;

	check_text(&p->text);
	buf_putf(b, "part \"%.*s\" %.*s %llu bytes%s\n", STR_ARG(p->name), STR_ARG(p->type), (unsigned long long)p->bytes, p->has_sha256 ? "" : " no hash");
	put_text(b, &p->text);
	if (p->error)
		buf_putf(b, " error: %s%s%s%s\n", p->error, *p->reason ? " (" : "", p->reason, *p->reason ? ")" : "");
	else if (*p->reason)
		buf_putf(b, " reason: %s\n", p->reason);
	return 0;
}

const char *dump_fd(struct extractor *x, int fd, const char *name)
{
	static struct buf ring[8];
	static unsigned next;
	struct buf *b = &ring[next++ % ARRAY_SIZE(ring)];

	buf_free(b);
	assert_int_equal(extract_file(x, fd, str_c(name), on_part, b), 0);
	return buf_cstr(b);
}

int memory_file(str bytes)
{
	int fd = memfd_create("document", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t at = 0; at < bytes.n;) {
		ssize_t n = write(fd, bytes.p + at, bytes.n - at);

		assert_true(n > 0);
		at += (size_t)n;
	}
	return fd;
}

const char *dump_with(const struct extract_limits *limits, enum ocr_mode ocr, const char *name, str bytes)
{
	struct extractor *x;
	int fd = memory_file(bytes);
	const char *d;

	assert_int_equal(extractor_new(limits, ocr, &x), 0);
	d = dump_fd(x, fd, name);
	extractor_free(x);
	close(fd);
	return d;
}

const char *dump(const char *name, str bytes)
{
	return dump_with(NULL, OCR_NEVER, name, bytes);
}

void assert_has(const char *d, const char *want)
{
	if (!strstr(d, want))
		fail_msg("expected\n%s\nin\n%.4000s", want, d);
}

void assert_has_not(const char *d, const char *unwanted)
{
	if (strstr(d, unwanted))
		fail_msg("did not expect\n%s\nin\n%.4000s", unwanted, d);
}

static la_ssize_t on_write(struct archive *a, void *arg, const void *p, size_t n)
{
	buf_put(arg, p, n);
	return (la_ssize_t)n;
}

void make_archive(struct buf *ret, const char *format, const char *filter, const char *password, const struct member *m)
{
	struct archive *a = archive_write_new();

	assert_int_equal(archive_write_set_format_by_name(a, format), ARCHIVE_OK);
	if (filter)
		assert_true(archive_write_add_filter_by_name(a, filter) >= ARCHIVE_WARN);
	if (password) {
		assert_int_equal(archive_write_set_options(a, "zip:encryption=aes256"), ARCHIVE_OK);
		assert_int_equal(archive_write_set_passphrase(a, password), ARCHIVE_OK);
	}
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open2(a, ret, NULL, on_write, NULL, NULL), ARCHIVE_OK);
	for (; m->name; m++) {
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, m->name);
		archive_entry_set_size(e, (la_int64_t)m->bytes.n);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_perm(e, 0644);
		assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
		if (m->bytes.n)
			assert_int_equal(archive_write_data(a, m->bytes.p, m->bytes.n), (la_ssize_t)m->bytes.n);
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
}
