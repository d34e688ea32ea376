/* Readers beside a writer that compacts all the time: each sees one growing log, every record of it the same whenever it is read, and never an error. */
#include "torture_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "evidence/reader.h"

#define READERS 3
#if defined(__SANITIZE_ADDRESS__)
#define EVENTS 12000
#else
#define EVENTS 120000
#endif

static struct fixture shared;
static atomic_bool done;
static atomic_uint_fast64_t committed;

struct follower {
	unsigned number;
	uint64_t looks, size;
	hash32 *hashes; /* as first seen */
	char error[640];
};

static bool failed(struct follower *f, const char *what, uint64_t seq)
{
	snprintf(f->error, sizeof(f->error), "reader %u: %s at record %llu: %s", f->number, what, (unsigned long long)seq, evidence_why());
	return true;
}

static int decode(void *arg, uint64_t seq, const struct leaf *l)
{
	struct evidence_reader *r = arg;
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	struct event ev;

	return l->kind == LEAF_EVENT ? evidence_event(evidence_reader_names(r), seq, l, &scratch, &ev) : 0;
}

/* One look: what is new, then some of what is old. */
static bool look(struct follower *f, struct evidence_reader *r, uint64_t *rng)
{
	uint64_t least = atomic_load(&committed), size;

	if (evidence_reader_refresh(r, &size) != 0)
		return failed(f, "refresh", f->size);
	if (size < f->size || size < least)
		return failed(f, "the log shrank", size);
	for (uint64_t i = f->size; i < size; i++)
		if (log_reader_hash(evidence_reader_log(r), i, &f->hashes[i]) != 0)
			return failed(f, "read", i);
	if (evidence_each(r, f->size, size, decode, r) != 0)
		return failed(f, "decode", size);
	f->size = size;
	for (int k = 0; k < 20 && size; k++) {
		hash32 h;
		uint64_t i;

		*rng = *rng * 6364136223846793005ULL + 1442695040888963407ULL;
		i = (*rng >> 20) % size;
		if (log_reader_hash(evidence_reader_log(r), i, &h) != 0)
			return failed(f, "read again", i);
		if (memcmp(h.b, f->hashes[i].b, 32) != 0)
			return failed(f, "another record", i);
	}
	f->looks++;
	return false;
}

static void *follow(void *arg)
{
	struct follower *f = arg;
	struct evidence_reader *r = NULL;
	uint64_t rng = f->number;
	bool last = false, bad = false;

	while (!last && !bad) {
		last = atomic_load(&done);
		if (!r && evidence_reader_open(shared.state, &r) != 0) {
			failed(f, "open", f->size);
			return NULL;
		}
		bad = look(f, r, &rng);
		/* One of them opens the log anew each time. */
		if (f->number == 0)
			r = evidence_reader_close(r);
	}
	evidence_reader_close(r);
	return NULL;
}

/* verify beside the writer: a log that grows, is compacted, signed and whose key is rotated is never called damaged. */
static void *verifier(void *arg)
{
	char *error = arg;
	unsigned n = 0;

	while (!atomic_load(&done)) {
		const struct verify_options o = { 0 };
		struct verify_result v;
		int r = evidence_verify(shared.state, &o, &v);

		n++;
		if (r == 0 && !v.damaged)
			continue;
		snprintf(error, 640, "look %u: %s: %s", n, r ? evidence_why() : v.where, r ? "" : v.what);
		break;
	}
	return NULL;
}

static void verify_beside(void **state)
{
	char error[640] = "";
	struct evidence *e;
	pthread_t thread;

	fixture_begin(&shared);
	atomic_store(&done, false);
	e = fixture_open(&shared);
	assert_int_equal(pthread_create(&thread, NULL, verifier, error), 0);
	for (uint64_t i = 0; i < EVENTS / 4; i += 100) {
		fixture_fill(e, i, i + 100, 10);
		assert_int_equal(evidence_checkpoint(e, RICH_TIME + (int64_t)i * 100 * NSEC_PER_SEC), 0);
		if (i % 6000 == 0)
			assert_int_equal(evidence_key_rotate(e, RICH_TIME), 0);
	}
	atomic_store(&done, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	evidence_close(e);
	fixture_end(&shared);
	if (error[0])
		fail_msg("%s", error);
}

/* A small log whose key changes all the time, a checkpoint right behind each change: looks fall between any two steps of it. */
static void verify_beside_rotations(void **state)
{
	enum { LOGS = 6, ROTATIONS = 24 };

	for (unsigned log = 0; log < LOGS; log++) {
		char error[2][640] = { "", "" };
		struct evidence *e;
		pthread_t threads[2];

		fixture_begin(&shared);
		atomic_store(&done, false);
		e = fixture_open(&shared);
		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, verifier, error[i]), 0);
		for (uint64_t i = 0; i < ROTATIONS; i++) {
			assert_int_equal(evidence_key_rotate(e, RICH_TIME), 0);
			fixture_fill(e, i, i + 1, 1);
			assert_int_equal(evidence_checkpoint(e, RICH_TIME), 0);
		}
		atomic_store(&done, true);
		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(pthread_join(threads[i], NULL), 0);
		evidence_close(e);
		fixture_end(&shared);
		for (unsigned i = 0; i < 2; i++)
			if (error[i][0])
				fail_msg("%s", error[i]);
	}
}

static void beside(void **state)
{
	struct follower followers[READERS];
	pthread_t threads[READERS];
	struct evidence *e;
	struct evidence_stat st;

	fixture_begin(&shared);
	atomic_store(&done, false);
	e = fixture_open(&shared);
	for (unsigned i = 0; i < READERS; i++) {
		followers[i] = (struct follower){ .number = i, .hashes = calloc(4 * EVENTS, sizeof(hash32)) };
		assert_non_null(followers[i].hashes);
		assert_int_equal(pthread_create(&threads[i], NULL, follow, &followers[i]), 0);
	}
	for (uint64_t i = 0; i < EVENTS; i += 200) {
		fixture_fill(e, i, i + 200, i % 400 ? 7 : 200);
		evidence_stat(e, &st);
		atomic_store(&committed, st.size);
		if (i % 2000 == 0)
			assert_int_equal(evidence_checkpoint(e, RICH_TIME + (int64_t)i * NSEC_PER_SEC), 0);
	}
	atomic_store(&done, true);
	for (unsigned i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		if (followers[i].error[0])
			fail_msg("%s", followers[i].error);
		assert_true(followers[i].size == st.size);
		assert_memory_equal(followers[i].hashes, followers[0].hashes, st.size * sizeof(hash32));
		print_message("reader %u: %llu looks\n", i, (unsigned long long)followers[i].looks);
	}
	evidence_close(e);
	for (unsigned i = 0; i < READERS; i++)
		free(followers[i].hashes);
	assert_true(fixture_verify(shared.state, NULL));
	fixture_end(&shared);
}

/* Leaves of a segment that was begun after the reader looked for segments: their nonces come from its seed. */
static void new_segment(void **state)
{
	struct evidence_reader *r = NULL;
	struct verify_result v;
	struct evidence *e;
	hash32 root, got;
	uint64_t size;

	fixture_begin(&shared);
	e = fixture_open(&shared);
	assert_int_equal(evidence_reader_open(shared.state, &r), 0);
	fixture_fill(e, 0, 100, 100);
	/* The next day. */
	e->segment_day = 1;
	fixture_fill(e, 100, 800, 700);
	assert_int_equal(evidence_checkpoint(e, RICH_TIME), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	assert_true(e->n_segments == 2 && size > 512);
	assert_true(fixture_verify(shared.state, &v));
	root = v.root;
	assert_int_equal(merkle_root_at(size, log_reader_load, evidence_reader_log(r), &got), 0);
	assert_memory_equal(&root, &got, sizeof(root));
	evidence_reader_close(r);
	evidence_close(e);
	fixture_end(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(new_segment), cmocka_unit_test(beside), cmocka_unit_test(verify_beside), cmocka_unit_test(verify_beside_rotations) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
