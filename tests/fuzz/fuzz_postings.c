/* The bytes are a segment, or a journal, of postings: as they are, or with sums that fit. Every block is read or refused; nothing is read outside. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "document/segment.h"
#include "evidence/vfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[64], path[96];

static void at_exit(void)
{
	postings_reset(dir);
	rmdir(dir);
}

static int look(void *arg, const struct posting *e)
{
	return 0;
}

static void read_segment(const uint8_t *data, size_t n)
{
	struct segment s = { 0 };
	struct segment_block b;

	if (segment_take(data, n, &s) < 0)
		return;
	for (uint32_t i = 0; i < s.blocks; i++)
		(void)segment_block(&s, i, &b);
	(void)segment_seek(&s, 77);
}

/* Header, index and blocks get sums that fit, so that what they say is looked at. */
static void mend(uint8_t *p, size_t n)
{
	uint64_t index;
	uint32_t blocks, crc;

	if (n < 72)
		return;
	memcpy(p, "tytoseg1", 8);
	blocks = p[12] % 8;
	if ((n - 72) / 16 < blocks)
		blocks = (uint32_t)((n - 72) / 16);
	index = n - 8 - 16 * (uint64_t)blocks;
	memcpy(p + 12, &blocks, 4);
	memcpy(p + 24, &index, 8);
	for (uint32_t i = 0; i < blocks; i++) {
		uint8_t *x = p + index + 16 * i;
		uint32_t at, next = (uint32_t)(index / 8);

		memcpy(&at, x + 8, 4);
		at = 8 + at % (uint32_t)(index / 8);
		memcpy(x + 8, &at, 4);
		if (i + 1 < blocks)
			memcpy(&next, x + 24, 4);
		next = i + 1 < blocks ? 8 + next % (uint32_t)(index / 8) : next;
		if (next > at && (uint64_t)next * 8 <= index) {
			crc = crc32c(0, p + at * 8, (next - at) * 8);
			memcpy(x + 12, &crc, 4);
		}
	}
	crc = crc32c(0, p + index, n - index);
	memcpy(p + 32, &crc, 4);
	crc = crc32c(0, p + 12, 52);
	memcpy(p + 8, &crc, 4);
}

static void read_journal(const uint8_t *data, size_t n)
{
	struct postings *p = NULL;
	uint32_t head[3] = { 0x31527974u, (uint32_t)n, crc32c(0, data, n) };
	int fd;

	postings_reset(dir);
	if (postings_open(dir, &(struct postings_options){ .write = true }, &p) != 0)
		abort();
	postings_close(p);
	snprintf(path, sizeof(path), "%s/journal-1", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || vfs_pwrite(fd, head, sizeof(head), 0) != 0 || vfs_pwrite(fd, data, n, sizeof(head)) != 0)
		abort();
	close(fd);
	p = NULL;
	if (postings_open(dir, &(struct postings_options){ .write = true }, &p) == 0)
		postings_each(p, look, NULL);
	postings_close(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *copy;

	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "/tmp/tyto-fuzz.XXXXXX");
		if (!mkdtemp(dir))
			abort();
		atexit(at_exit);
	}
	if (n == 0)
		return 0;
	if (data[0] % 4 == 3) {
		read_journal(data + 1, n - 1);
		return 0;
	}
	copy = malloc(n); /* aligned, of exact size */
	if (!copy)
		abort();
	memcpy(copy, data + 1, n - 1);
	if (data[0] % 4)
		mend(copy, n - 1);
	read_segment(copy, n - 1);
	free(copy);
	return 0;
}
