#include "members.h"

#include <archive.h>
#include <archive_entry.h>

static la_ssize_t on_write(struct archive *a, void *arg, const void *p, size_t n)
{
	buf_put(arg, p, n);
	return (la_ssize_t)n;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void one(struct archive *a, str name, str content)
{
	struct archive_entry *e = archive_entry_new();
	char path[256];

	snprintf(path, sizeof(path), "%.*s", STR_ARG(name));
	archive_entry_set_pathname(e, path[0] ? path : "?");
	archive_entry_set_size(e, (la_int64_t)content.n);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	/* A name that libarchive cannot write is no member. */
	if (archive_write_header(a, e) >= ARCHIVE_WARN && content.n)
		check(archive_write_data(a, content.p, content.n) == (la_ssize_t)content.n);
	archive_entry_free(e);
}

void members_pack(str text, bool stored, struct buf *ret)
{
	struct archive *a = archive_write_new();

	check(a && archive_write_set_format_zip(a) == ARCHIVE_OK);
	check(archive_write_set_options(a, stored ? "zip:compression=store" : "zip:compression=deflate") == ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(a, 1);
	check(archive_write_open2(a, ret, NULL, on_write, NULL, NULL) == ARCHIVE_OK);
	while (str_starts(text, STR("=="))) {
		const char *nl = memchr(text.p, '\n', text.n), *next;
		str name, rest;

		if (!nl)
			break;
		name = (str){ text.p + 2, (size_t)(nl - text.p) - 2 };
		rest = (str){ nl + 1, text.n - name.n - 3 };
		next = str_starts(rest, STR("==")) ? rest.p : memmem(rest.p, rest.n, "\n==", 3);
		one(a, name, (str){ rest.p, next ? (size_t)(next - rest.p) : rest.n });
		if (!next)
			break;
		text.n = rest.n - (size_t)(next - rest.p);
		text.p = next;
		if (*next == '\n') {
			text.p++;
			text.n--;
		}
	}
	check(archive_write_close(a) == ARCHIVE_OK);
	archive_write_free(a);
}
