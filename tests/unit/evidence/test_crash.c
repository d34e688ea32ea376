/* A log is used while every change of the disk is recorded; then the machine crashes after each of them, in all the ways that a disk may keep what
 * was not made durable. Each time the log opens, holds what was acknowledged, verifies, and goes on. */
#include "torture_log.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>

#include "crash_model.h"
#include "evidence/reader.h"
#include "evidence/store.h"

#define DAY (86400 * NSEC_PER_SEC)
#if defined(__SANITIZE_ADDRESS__)
#define RANDOM_RUNS 1
#define STEP 4 /* slow: every fourth place */
#else
#define RANDOM_RUNS 4
#define STEP 1
#endif

static hash32 *hashes; /* of all leaves of the finished log */
static uint64_t n_hashes;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void promise(struct evidence *e)
{
	struct evidence_stat st;

	evidence_stat(e, &st);
	record_promise(st.size, st.checkpoint_size);
}

static void ok(struct evidence *e, int r, const char *what)
{
	if (r != 0)
		fail_msg("%s: %s", what, evidence_why());
	promise(e);
}

static void add(struct evidence *e, uint64_t from, uint64_t n)
{
	for (uint64_t i = from; i < from + n; i++) {
		struct event ev;

		fixture_event(i, &ev);
		ok(e, evidence_append_event(e, &ev, NULL), "append");
	}
	ok(e, evidence_commit(e), "commit");
}

/* The process ends here, as it stands. */
static void killed(struct evidence *e)
{
	e->broken = true;
	evidence_close(e);
}

static struct evidence *failed_fsync(struct evidence *e, const struct fixture *f, uint64_t i)
{
	struct event ev;

	fixture_event(i, &ev);
	assert_int_equal(evidence_append_event(e, &ev, NULL), 0);
	record_fail_fsync();
	assert_int_equal(evidence_commit(e), -EIO);
	/* Final: not even a second try is one. */
	assert_int_equal(evidence_commit(e), -EIO);
	assert_int_equal(evidence_append_event(e, &ev, NULL), -EIO);
	assert_int_equal(evidence_checkpoint(e, RICH_TIME), -EIO);
	evidence_close(e);
	e = fixture_open(f);
	promise(e);
	return e;
}

static void full_disk(struct evidence *e, uint64_t i)
{
	struct event ev;

	fixture_event(i, &ev);
	assert_int_equal(evidence_append_event(e, &ev, NULL), 0);
	record_fail_writes(-ENOSPC);
	assert_int_equal(evidence_commit(e), -ENOSPC);
	record_fail_writes(0);
	assert_int_equal(evidence_append_event(e, &ev, NULL), -ENOSPC);
	evidence_count_lost(e, RICH_TIME, RICH_TIME);
	ok(e, evidence_try_room(e, RICH_TIME + 5), "room");
}

static void workload(const struct fixture *f)
{
	struct evidence *e = fixture_open(f);

	promise(e);
	ok(e, rich_append(e, 1), "append");
	add(e, 2, 3);
	ok(e, evidence_checkpoint(e, RICH_TIME), "checkpoint");
	add(e, 10, 2);
	e = failed_fsync(e, f, 12); /* of the names */
	e = failed_fsync(e, f, 12); /* they are known now: of the journal */
	ok(e, evidence_checkpoint(e, RICH_TIME + 3 * DAY), "checkpoint");
	add(e, 20, 2);
	full_disk(e, 22);
	ok(e, evidence_key_rotate(e, RICH_TIME + 3 * DAY), "rotate");
	add(e, 30, 1);
	killed(e);
	e = fixture_open(f);
	promise(e);
	add(e, 1000, 2000);
	ok(e, evidence_checkpoint(e, RICH_TIME + 4 * DAY), "checkpoint");
	e->segment_day = 1; /* the next day: another segment begins in the middle of this */
	add(e, 3000, 2200); /* compacts */
	add(e, 5200, 20);
	ok(e, evidence_checkpoint(e, RICH_TIME + 4 * DAY), "checkpoint");
	ok(e, evidence_key_rotate(e, RICH_TIME + 4 * DAY), "rotate");
	add(e, 5300, 4100); /* compacts */
	evidence_close(e);
}

static void learn(const struct fixture *f)
{
	struct evidence_reader *r = NULL;

	assert_int_equal(evidence_reader_open(f->state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &n_hashes), 0);
	hashes = calloc(n_hashes, sizeof(*hashes));
	assert_non_null(hashes);
	for (uint64_t i = 0; i < n_hashes; i++)
		assert_int_equal(log_reader_hash(evidence_reader_log(r), i, &hashes[i]), 0);
	evidence_reader_close(r);
}

static void check(const struct fixture *f, size_t k, enum crash_mode mode, uint64_t seed)
{
	uint64_t acknowledged, checkpoint, size;
	struct evidence_reader *r = NULL;
	struct verify_result v;
	struct evidence_stat st;
	struct evidence *e;
	struct event ev;

	record_promised(k, &acknowledged, &checkpoint);
	e = NULL;
	if (evidence_open(f->state, &(struct evidence_options){ .create = true }, &e) != 0)
		fail_msg("crash %zu (%s) mode %d seed %llu: open: %s", k, record_describe(k), mode, (unsigned long long)seed, evidence_why());
	evidence_stat(e, &st);
	if (st.size < acknowledged || st.checkpoint_size < checkpoint)
		fail_msg("crash %zu (%s) mode %d seed %llu: %llu records of %llu, checkpoint %llu of %llu", k, record_describe(k), mode, (unsigned long long)seed,
			(unsigned long long)st.size, (unsigned long long)acknowledged, (unsigned long long)st.checkpoint_size, (unsigned long long)checkpoint);
	assert_int_equal(evidence_reader_open(f->state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	for (uint64_t i = 0; i < acknowledged; i++) {
		hash32 h;

		assert_int_equal(log_reader_hash(evidence_reader_log(r), i, &h), 0);
		if (memcmp(h.b, hashes[i].b, 32) != 0)
			fail_msg("crash %zu (%s) mode %d seed %llu: record %llu is another", k, record_describe(k), mode, (unsigned long long)seed, (unsigned long long)i);
	}
	evidence_reader_close(r);
	fixture_event(k, &ev);
	if (evidence_append_event(e, &ev, NULL) != 0 || evidence_commit(e) != 0)
		fail_msg("crash %zu (%s) mode %d: append: %s", k, record_describe(k), mode, evidence_why());
	evidence_close(e);
	if (!fixture_verify(f->state, &v))
		fail_msg("crash %zu (%s) mode %d seed %llu: %s: %s", k, record_describe(k), mode, (unsigned long long)seed, v.where, v.what);
}

static void crashes(void **state)
{
	struct fixture f, copy;
	size_t runs = 0;

	fixture_begin(&f);
	assert_int_equal(mkdir(f.state, 0700), 0);
	record_begin(f.state);
	workload(&f);
	vfs_set(vfs_lazy());
	learn(&f);
	print_message("%zu operations, %llu records\n", record_count(), (unsigned long long)n_hashes);
	copy = f;
	snprintf(copy.state, sizeof(copy.state), "%s/crash", f.dir);
	for (size_t k = 0; k <= record_count(); k += STEP)
		for (unsigned run = 0; run < CRASH_RANDOM + RANDOM_RUNS; run++) {
			enum crash_mode mode = MIN(run, (unsigned)CRASH_RANDOM);

			record_replay(k, mode, k * 1000 + run, copy.state);
			check(&copy, k, mode, k * 1000 + run);
			assert_int_equal(nftw(copy.state, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
			runs++;
		}
	print_message("%zu crashes\n", runs);
	record_end();
	free(hashes);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(crashes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
