/* The bytes are a names file, as they are or as entries with sums that fit: opening it gives a dictionary whose every name can be looked at and is
 * found again, or says where the damage is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/varint.h"
#include "evidence/names_file.h"
#include "evidence/vfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[64];

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void at_exit(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/names-000000", dir);
	unlink(path);
	rmdir(dir);
}

/* Input: entries of (kind u8, number u8, length u16, value). */
static void put_entries(struct buf *b, const uint8_t *p, size_t n)
{
	uint8_t out[NAMES_ENTRY_MAX];
	const uint8_t salt[16] = { 1 };

	buf_puts(b, STR(NAMES_MAGIC));
	buf_put_be64(b, 0);
	while (n >= 4) {
		size_t len = MIN(MIN((size_t)(p[2] << 8 | p[3]), n - 4), (size_t)NAME_VALUE_MAX);

		buf_put(b, out, name_entry_put(out, NAME_STATE_LIVE, p[0], p[1], salt, (str){ (const char *)p + 4, len }));
		p += 4 + len;
		n -= 4 + len;
	}
}

static void look_at_all(struct names *names)
{
	for (unsigned kind = 1; kind < NAME_KINDS_; kind++)
		for (uint64_t i = 1; i <= names_count(names, kind); i++) {
			_cleanup_buf_ struct buf path = BUF_INIT;
			uint8_t commitment[32];
			str value;
			int r = names_value(names, kind, i, &value);

			if (r == -ENODATA)
				continue;
			need(r == 0 && names_find(names, kind, value) == i);
			need(names_commitment(names, kind, i, commitment) == 0);
			if (kind == NAME_COMPONENT && names_path(names, i, &path) == 0 && path.n <= EVENT_PATH_MAX)
				need(names_find_path(names, buf_str(&path)) == i);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_close_ int fd = -1, file = -1;
	struct names *names = NULL;

	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "/tmp/tyto-fuzz.XXXXXX");
		need(mkdtemp(dir) != NULL);
		atexit(at_exit);
	}
	if (n && data[0] % 2)
		put_entries(&b, data + 1, n - 1);
	else if (n)
		buf_put(&b, data + 1, n - 1);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file = openat(fd, "names-000000", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && file >= 0 && vfs_pwrite(file, b.p, b.n, 0) == 0);
	for (int write = 0; write < 2; write++) {
		if (names_open(fd, write, &names) != 0)
			continue;
		if (write)
			need(names_cut_tail(names) == 0 && names_tail(names) == 0);
		look_at_all(names);
		names = names_free(names);
	}
	return 0;
}
