/* The bytes are the newest journal of an otherwise good log: reading, verifying and opening it end with an answer, and take no memory that the
 * bytes do not pay for. The first byte selects: the bytes as they are, or as frames with sums that fit, so that what is inside is reached. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/hash.h"
#include "base/varint.h"
#include "evidence/evidence.h"
#include "evidence/frame.h"
#include "evidence/vfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[64], state[80];

static int no_fsync(void *arg, int fd)
{
	return 0;
}

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void remove_tree(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		unlinkat(at, name, 0);
		return;
	}
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_tree(fd, e->d_name);
	closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

static void at_exit(void)
{
	remove_tree(AT_FDCWD, dir);
}

/* A good log of a few records, each time anew: opening it changes it. */
static void make_log(void)
{
	static struct vfs lazy;
	struct evidence *e = NULL;
	struct event ev = { .time = 1, .verb = VERB_READ, .present = EV_BIT(EV_TIME) | EV_BIT(EV_VERB) | EV_BIT(EV_PATH), .path = STR("/a/b") };

	if (!dir[0]) {
		lazy = vfs_real;
		lazy.fsync = no_fsync;
		vfs_set(&lazy);
		snprintf(dir, sizeof(dir), "/dev/shm/tyto-fuzz.XXXXXX");
		if (!mkdtemp(dir)) {
			snprintf(dir, sizeof(dir), "/tmp/tyto-fuzz.XXXXXX");
			need(mkdtemp(dir) != NULL);
		}
		snprintf(state, sizeof(state), "%s/state", dir);
		atexit(at_exit);
	}
	remove_tree(AT_FDCWD, state);
	need(evidence_open(state, &(struct evidence_options){ .create = true }, &e) == 0);
	need(evidence_append_event(e, &ev, NULL) == 0);
	evidence_close(e);
}

/* Input: frames of (length u16, count u16, payload). */
static void put_frames(struct buf *b, const uint8_t *p, size_t n)
{
	uint8_t header[JOURNAL_HEADER];
	uint64_t first = 0;

	journal_header_put(header, 0);
	buf_put(b, header, sizeof(header));
	while (n >= 4) {
		size_t len = MIN((size_t)(p[0] << 8 | p[1]), n - 4);
		uint32_t count = (uint32_t)(p[2] << 8 | p[3]);

		journal_frame_put(b, first, count, (str){ (const char *)p + 4, len });
		first += count;
		p += 4 + len;
		n -= 4 + len;
	}
}

static int each(void *arg, uint64_t seq, const struct leaf *l)
{
	struct evidence_reader *r = arg;
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	struct event ev;

	if (l->kind == LEAF_EVENT)
		(void)evidence_event(evidence_reader_names(r), seq, l, &scratch, &ev);
	return 0;
}

static void read_and_verify(void)
{
	const struct verify_options o = { 0 };
	struct evidence_reader *r = NULL;
	struct verify_result v;
	struct evidence_stat st;
	uint64_t size;

	(void)evidence_verify(state, &o, &v);
	if (evidence_reader_open(state, &r) != 0)
		return;
	if (evidence_reader_refresh(r, &size) == 0) {
		(void)evidence_each(r, 0, size, each, r);
		(void)evidence_reader_stat(r, &st);
	}
	evidence_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct evidence *e = NULL;
	struct rusage before, after;
	char path[160];
	FILE *f;
	const struct verify_options o = { 0 };
	struct verify_result v;

	make_log();
	if (n && data[0] % 2)
		put_frames(&b, data + 1, n - 1);
	else if (n)
		buf_put(&b, data + 1, n - 1);
	snprintf(path, sizeof(path), "%s/log/checkpoint", state);
	if (n && data[0] & 2)
		unlink(path); /* nothing is signed: the records themselves are looked at */
	snprintf(path, sizeof(path), "%s/log/journal-%020d", state, 0);
	f = fopen(path, "we");
	need(f && fwrite(b.p ? b.p : "", 1, b.n, f) == b.n && fclose(f) == 0);
	getrusage(RUSAGE_SELF, &before);
	read_and_verify();
	/* What opens is a log: it verifies, or says why not; and it closes. */
	if (evidence_open(state, &(struct evidence_options){ 0 }, &e) == 0) {
		evidence_close(e);
		(void)evidence_verify(state, &o, &v);
	}
	getrusage(RUSAGE_SELF, &after);
	/* KiB: the tables of a log, and a hundred times what was given. */
	need(after.ru_maxrss - before.ru_maxrss < 64 * 1024 + (long)n / 10);
	return 0;
}
