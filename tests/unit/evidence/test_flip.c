/* Every bit of a closed log, flipped one at a time: verify finds each, and names the first bad record. Then everything else that can be done to
 * the files of a log without its key.
 *
 * Bits without meaning: none in a closed log. What verify does not look at, and why, is `meaningless` below.
 * TYTO_FLIP=all: every bit of the large log too (minutes); otherwise all its headers and a sample. */
#include "torture_log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/varint.h"
#include "evidence/frame.h"
#include "evidence/names_file.h"
#include "evidence/reserve.h"

#define DAY (86400 * NSEC_PER_SEC)
#define ANY (UINT64_MAX - 1)
#define FILES_MAX 64
#if defined(__SANITIZE_ADDRESS__)
#define STRIDE 13
#else
#define STRIDE 1
#endif

static const struct {
	const char *what, *why;
} meaningless[] = {
	{ "*.tmp", "a file that was to replace another and did not: the next start removes it" },
	{ "journal-N below the newest", "its records stand in segments: the next start removes it" },
	{ "bytes behind the last sound frame of the journal, where no checkpoint reaches", "a torn tail: never acknowledged, cut by the next start" },
	{ "bytes behind the last sound entry of the names, where no leaf reaches", "a torn tail" },
	{ "frames of a segment behind the journal's first record", "an unfinished compaction: the same records stand in the journal" },
	{ "counters, lock (beside log/)", "a cache, and an empty file" },
};

struct file {
	char name[64]; /* below the state directory */
	size_t size;
};

static struct file files[FILES_MAX];
static size_t n_files, base_length;

static int list_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + base_length + 1;

	if (type != FTW_F || (strncmp(name, "log/", 4) != 0 && strcmp(name, "VERSION") != 0))
		return 0;
	assert_true(n_files < FILES_MAX);
	snprintf(files[n_files].name, sizeof(files[0].name), "%s", name);
	files[n_files++].size = (size_t)st->st_size;
	return 0;
}

static void list_files(const struct fixture *f)
{
	n_files = 0;
	base_length = strlen(f->state);
	assert_int_equal(nftw(f->state, list_one, 16, FTW_PHYS), 0);
}

static void path_of(const struct fixture *f, const char *name, char out[static 256])
{
	snprintf(out, 256, "%s/%s", f->state, name);
}

static uint8_t *map_of(const struct fixture *f, const char *name, size_t *ret_n)
{
	char path[256];
	struct stat st;
	uint8_t *p;
	int fd;

	path_of(f, name, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	close(fd);
	*ret_n = (size_t)st.st_size;
	return p;
}

/* True when the damage is found. */
static bool found(const struct fixture *f, uint64_t *ret_first)
{
	const struct verify_options o = { 0 };
	struct verify_result v;
	int r = evidence_verify(f->state, &o, &v);

	*ret_first = v.first_bad;
	if (r == -EUCLEAN || r == -ESTALE)
		return true;
	if (r != 0)
		fail_msg("verify: %s", evidence_why());
	return v.damaged;
}

/* --- which record a byte belongs to --- */

static uint64_t name_leaves[4096];
static size_t n_name_leaves;

static int note_name(void *arg, uint64_t seq, const struct leaf *l)
{
	if (l->kind == LEAF_NAME && n_name_leaves < ARRAY_SIZE(name_leaves))
		name_leaves[n_name_leaves++] = seq;
	return 0;
}

static void learn_names(const struct fixture *f)
{
	struct evidence_reader *r = NULL;
	uint64_t size;

	n_name_leaves = 0;
	assert_int_equal(evidence_reader_open(f->state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	assert_int_equal(evidence_each(r, 0, size, note_name, NULL), 0);
	evidence_reader_close(r);
}

static uint64_t in_journal(const uint8_t *p, size_t n, size_t byte)
{
	size_t at = JOURNAL_HEADER;
	struct frame fr;

	for (; at < n; at += fr.bytes) {
		assert_int_equal(journal_frame_parse(p + at, n - at, &fr), 0);
		if (byte >= at && byte < at + fr.bytes)
			return fr.first;
	}
	return ANY; /* the header: the journal's first record, or the first that cannot be had */
}

static uint64_t in_segment(const uint8_t *p, size_t n, size_t byte)
{
	size_t at = SEGMENT_HEADER;
	struct frame fr;

	for (; at < n; at += fr.bytes) {
		assert_int_equal(segment_frame_parse(p + at, n - at, &fr), 0);
		if (byte >= at && byte < at + fr.bytes)
			return fr.first;
	}
	return ANY;
}

static uint64_t in_names(const uint8_t *p, size_t n, size_t byte)
{
	size_t at = NAMES_HEADER, i = 0;
	struct name_entry e;

	for (; at < n; at += e.bytes, i++) {
		assert_int_equal(name_entry_parse(p + at, n - at, &e), 0);
		if (byte >= at && byte < at + e.bytes)
			return i < n_name_leaves ? name_leaves[i] : ANY;
	}
	return ANY;
}

static uint64_t in_tree(const uint8_t *p, size_t n, size_t byte)
{
	return byte / 32 * 256;
}

static const struct {
	const char *prefix;
	uint64_t (*record)(const uint8_t *p, size_t n, size_t byte);
} kinds[] = {
	{ "log/journal-", in_journal }, { "log/segment-", in_segment }, { "log/names-", in_names }, { "log/tree-1", in_tree },
};

static uint64_t record_of(const char *name, const uint8_t *p, size_t n, size_t byte)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return kinds[i].record(p, n, byte);
	return ANY;
}

static void flip(const struct fixture *f, const char *name, uint8_t *p, size_t n, size_t byte, unsigned bit)
{
	uint64_t want = record_of(name, p, n, byte), got;
	bool ok;

	p[byte] ^= (uint8_t)(1U << bit);
	ok = found(f, &got);
	p[byte] ^= (uint8_t)(1U << bit);
	if (!ok)
		fail_msg("%s byte %zu bit %u: flipped and not found", name, byte, bit);
	if (want != ANY && got != want)
		fail_msg("%s byte %zu bit %u: record %llu named, expected %llu", name, byte, bit, (unsigned long long)got, (unsigned long long)want);
}

/* --- the logs --- */

/* All kinds of leaves and names, a rotation, a kept checkpoint, an entry of its own for each commit. */
static void make_small(const struct fixture *f)
{
	struct evidence *e = fixture_open(f);

	fixture_fill(e, 0, 6, 1);
	assert_int_equal(evidence_checkpoint(e, RICH_TIME), 0);
	assert_int_equal(rich_append(e, 6), 0);
	assert_int_equal(evidence_commit(e), 0);
	assert_int_equal(evidence_checkpoint(e, RICH_TIME + 2 * DAY), 0);
	assert_int_equal(evidence_key_rotate(e, RICH_TIME + 2 * DAY), 0);
	fixture_fill(e, 16, 18, 1);
	evidence_close(e);
}

static void make_large(const struct fixture *f)
{
	struct evidence *e = fixture_open(f);

	fixture_fill(e, 0, 4400, 700);
	fixture_fill(e, 4400, 4450, 10);
	evidence_close(e);
}

static void small(void **state)
{
	uint64_t first, flips = 0;
	struct fixture f;

	fixture_begin(&f);
	make_small(&f);
	assert_false(found(&f, &first));
	learn_names(&f);
	list_files(&f);
	for (size_t i = 0; i < n_files; i++) {
		bool reserve = strcmp(files[i].name, "log/reserve") == 0;
		size_t n;
		uint8_t *p;

		if (files[i].size == 0)
			continue;
		p = map_of(&f, files[i].name, &n);
		for (size_t bit = 0; bit < 8 * n; bit += STRIDE) {
			/* The reserve is zeros but for its head: one bit of each 128 bytes, another one each time. */
			if (reserve && bit >= 8 * RESERVE_HEAD && bit / 8 % 128 != bit / 1024 % 128 && !getenv("TYTO_FLIP"))
				continue;
			if (reserve && bit >= 8 * RESERVE_HEAD && bit % 8 != bit / 8192 % 8 && !getenv("TYTO_FLIP"))
				continue;
			flip(&f, files[i].name, p, n, bit / 8, bit % 8);
			flips++;
		}
		munmap(p, n);
	}
	assert_false(found(&f, &first));
	print_message("%llu bits of %zu files\n", (unsigned long long)flips, n_files);
	fixture_end(&f);
}

static bool in_header(const char *name, const uint8_t *p, size_t n, size_t byte)
{
	size_t at = SEGMENT_HEADER;
	struct frame fr;

	if (byte < JOURNAL_HEADER + JOURNAL_FRAME)
		return true;
	if (strncmp(name, "log/segment-", 12) != 0)
		return false;
	for (; at < n && segment_frame_parse(p + at, n - at, &fr) == 0; at += fr.bytes)
		if (byte < at + SEGMENT_FRAME)
			return byte >= at || byte < SEGMENT_HEADER;
	return false;
}

static void large(void **state)
{
	const char *all = getenv("TYTO_FLIP");
	uint64_t rng = 7, first, flips = 0;
	struct fixture f;

	fixture_begin(&f);
	make_large(&f);
	learn_names(&f);
	list_files(&f);
	for (size_t i = 0; i < n_files; i++) {
		size_t n;
		uint8_t *p = map_of(&f, files[i].name, &n);
		/* About a hundred of each file besides its headers; one bit a byte of those. */
		uint64_t every = MAX(8 * n / 100, (size_t)1);

		for (size_t bit = 0; bit < 8 * n; bit++) {
			rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
			if (!(all && strcmp(all, "all") == 0) && (rng >> 33) % every != 0 &&
				!(bit % 8 == bit / 8 % 8 && in_header(files[i].name, p, n, bit / 8)))
				continue;
			flip(&f, files[i].name, p, n, bit / 8, bit % 8);
			flips++;
		}
		munmap(p, n);
	}
	assert_false(found(&f, &first));
	print_message("%llu bits of %zu files\n", (unsigned long long)flips, n_files);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(small), cmocka_unit_test(large) };

	for (size_t i = 0; i < ARRAY_SIZE(meaningless); i++)
		print_message("without meaning: %s (%s)\n", meaningless[i].what, meaningless[i].why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
