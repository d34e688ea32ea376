/* The bytes are a run of the names table, as they are or with sums that fit, beside a log of sixty names: whatever it says, a value is the one
 * of the log or refused, and a number that is found is the right one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/varint.h"
#include "evidence/names_table.h"
#include "evidence/vfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NAMES 60

static char dir[64];
static int state_fd, log_fd;

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void at_exit(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	if (system(cmd) != 0)
		fprintf(stderr, "%s stays\n", dir);
}

static enum name_kind name_of(uint64_t i, char out[static 64], str *ret)
{
	size_t n = 0;

	if (i % 2) {
		*ret = (str){ out, (size_t)snprintf(out, 64, "/usr/bin/%llu", (unsigned long long)i) };
		return NAME_PROGRAM;
	}
	n = uvar_put((uint8_t *)out, i / 4);
	*ret = (str){ out, n + (size_t)snprintf(out + n, 32, "part %llu", (unsigned long long)i) };
	return NAME_COMPONENT;
}

/* The same salts each time: what the corpus holds fits. */
static void make_log(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint8_t out[NAMES_ENTRY_MAX], salt[16] = { 0 };
	char text[64];
	int fd;

	snprintf(dir, sizeof(dir), "/tmp/tyto-fuzz.XXXXXX");
	need(mkdtemp(dir) != NULL);
	atexit(at_exit);
	state_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(state_fd >= 0 && mkdirat(state_fd, "log", 0700) == 0 && mkdirat(state_fd, TABLE_DIR, 0700) == 0);
	log_fd = openat(state_fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_puts(&b, STR(NAMES_MAGIC));
	buf_put_be64(&b, 0);
	for (uint64_t i = 0; i < NAMES; i++) {
		str value;
		enum name_kind kind = name_of(i, text, &value);

		salt[0] = (uint8_t)i;
		buf_put(&b, out, name_entry_put(out, NAME_STATE_LIVE, (uint8_t)kind, i / 2 + 1, salt, value));
	}
	fd = openat(log_fd, "names-000000", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	need(fd >= 0 && vfs_pwrite(fd, b.p, b.n, 0) == 0);
	close(fd);
}

static void put_run(const uint8_t *data, size_t n, bool sums)
{
	_cleanup_free_ uint8_t *copy = malloc(n + 1);
	_cleanup_close_ int dir_fd = openat(state_fd, TABLE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	char name[RUN_NAME_MAX];
	uint64_t tag = 0;

	need(copy != NULL);
	if (n)
		memcpy(copy, data, n);
	if (sums && n >= BLOCK_BYTES)
		memcpy(&tag, copy + 8 * HEAD_TAG, 8);
	for (size_t i = 0; sums && (i + 1) * BLOCK_BYTES <= n; i++) {
		struct table_block b;

		memcpy(&b, copy + i * BLOCK_BYTES, sizeof(b));
		b.number = (uint32_t)i;
		b.crc = table_block_sum(&b, (uint32_t)tag);
		memcpy(copy + i * BLOCK_BYTES, &b, sizeof(b));
	}
	unlinkat(dir_fd, TABLE_DAMAGED, 0);
	table_run_name(name, 0, NAMES);
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && vfs_pwrite(fd, copy, n, 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct names *names = NULL;
	char text[64];

	if (!dir[0])
		make_log();
	if (n == 0)
		return 0;
	put_run(data + 1, n - 1, data[0] % 2);
	if (names_open_beside(log_fd, state_fd, false, &names) != 0)
		return 0;
	for (uint64_t i = 0; i < NAMES; i++) {
		str value, got;
		enum name_kind kind = name_of(i, text, &value);
		uint64_t number = names_find(names, kind, value);
		int r = names_value(names, kind, i / 2 + 1, &got);

		need(number == 0 || number == i / 2 + 1);
		need(r < 0 || str_eq(got, value));
		if (kind == NAME_COMPONENT)
			need(names_parents(names, i / 2 + 1, &number, 1) == 1);
	}
	names_free(names);
	return 0;
}
