/* libarchive's callbacks over struct in. */
#include "extract/formats/source.h"

static la_ssize_t on_read(struct archive *a, void *arg, const void **ret)
{
	struct source *s = arg;
	ssize_t n = in_read(s->in, s->at, s->block, SOURCE_BLOCK);

	if (n < 0) {
		archive_set_error(a, (int)-n, "read error");
		return ARCHIVE_FATAL;
	}
	s->at += (size_t)n;
	*ret = s->block;
	return n;
}

static la_int64_t on_skip(struct archive *a, void *arg, la_int64_t n)
{
	struct source *s = arg;
	uint64_t left = in_size(s->in) > s->at ? in_size(s->in) - s->at : 0;

	n = n < 0 ? 0 : MIN(n, (la_int64_t)left);
	s->at += (uint64_t)n;
	return n;
}

static la_int64_t on_seek(struct archive *a, void *arg, la_int64_t to, int whence)
{
	struct source *s = arg;
	int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)s->at : (int64_t)in_size(s->in), at;

	if (__builtin_add_overflow(base, to, &at) || at < 0)
		return ARCHIVE_FATAL;
	s->at = (uint64_t)at;
	return at;
}

int source_open(struct source *s, struct archive *a)
{
	s->at = 0;
	archive_read_set_read_callback(a, on_read);
	archive_read_set_skip_callback(a, on_skip);
	archive_read_set_seek_callback(a, on_seek);
	archive_read_set_callback_data(a, s);
	return archive_read_open1(a);
}
