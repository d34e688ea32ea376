/* The log as its users see it: what is committed is there again, in order, and verifies. */
#include "store_fixture.h"

#include <errno.h>

static int compare(void *arg, uint64_t seq, const struct leaf *l)
{
	struct evidence_reader *r = ((void **)arg)[0];
	uint64_t *i = ((void **)arg)[1];
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	struct event got, want;

	if (l->kind != LEAF_EVENT)
		return 0;
	assert_int_equal(evidence_event(evidence_reader_names(r), seq, l, &scratch, &got), 0);
	fixture_event((*i)++, &want);
	assert_true(got.present == want.present);
	assert_true(got.time == want.time && got.verb == want.verb && got.uid == want.uid && got.pid == want.pid);
	assert_true(str_eq(got.path, want.path) && str_eq(got.person, want.person) && str_eq(got.program, want.program));
	assert_memory_equal(&got.object, &want.object, sizeof(got.object));
	if (event_has(&want, EV_TO))
		assert_true(str_eq(got.to, want.to));
	if (event_has(&want, EV_PARENTS)) {
		assert_int_equal(got.n_parents, want.n_parents);
		assert_true(str_eq(got.parents[1], want.parents[1]) && str_eq(got.client, want.client));
	}
	if (event_has(&want, EV_COUNT))
		assert_true(got.count == want.count && got.end == want.end);
	return 0;
}

static void check_all(const struct fixture *f, uint64_t events)
{
	struct evidence_reader *r = NULL;
	struct verify_result v;
	struct evidence_stat st;
	uint64_t size, i = 0;
	void *arg[2];

	if (evidence_reader_open(f->state, &r) != 0)
		fail_msg("reader: %s", evidence_why());
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	arg[0] = r;
	arg[1] = &i;
	assert_int_equal(evidence_each(r, 0, size, compare, arg), 0);
	assert_true(i == events);
	assert_int_equal(evidence_reader_stat(r, &st), 0);
	assert_true(st.size == size && st.records == events);
	evidence_reader_close(r);
	if (!fixture_verify(f->state, &v))
		fail_msg("verify: %s: %s", v.where, v.what);
	assert_true(v.size == size && v.records == events);
}

static void round_trip(void **state)
{
	static const struct { uint64_t events, batch; } t[] = { { 0, 1 }, { 1, 1 }, { 100, 7 }, { 255, 1000 }, { 1024, 256 }, { 5000, 501 }, { 9000, 9000 }, { 70000, 70000 } };

	for (size_t k = 0; k < ARRAY_SIZE(t); k++) {
		struct fixture f;
		struct evidence *e;

		fixture_begin(&f);
		e = fixture_open(&f);
		fixture_fill(e, 0, t[k].events, t[k].batch);
		check_all(&f, t[k].events); /* beside the writer */
		evidence_close(e);
		check_all(&f, t[k].events);
		/* Again, and on. */
		e = fixture_open(&f);
		fixture_fill(e, t[k].events, t[k].events + 300, 100);
		evidence_close(e);
		check_all(&f, t[k].events + 300);
		fixture_end(&f);
	}
}

static void one_writer(void **state)
{
	const struct evidence_options o = { .create = true };
	struct evidence *e, *second = NULL;
	struct fixture f;

	fixture_begin(&f);
	e = fixture_open(&f);
	assert_int_equal(evidence_open(f.state, &o, &second), -EBUSY);
	evidence_close(e);
	assert_int_equal(evidence_open(f.state, &o, &second), 0);
	evidence_close(second);
	fixture_end(&f);
}

static void rotation(void **state)
{
	struct verify_result v;
	struct fixture f;
	struct evidence *e;

	fixture_begin(&f);
	e = fixture_open(&f);
	for (int i = 0; i < 4; i++) {
		fixture_fill(e, (uint64_t)i * 2000, (uint64_t)(i + 1) * 2000, 700);
		if (evidence_key_rotate(e, 1760000000LL * NSEC_PER_SEC + i) != 0)
			fail_msg("rotate: %s", evidence_why());
	}
	evidence_close(e);
	e = fixture_open(&f);
	fixture_fill(e, 8000, 8100, 100);
	evidence_close(e);
	if (!fixture_verify(f.state, &v))
		fail_msg("verify: %s: %s", v.where, v.what);
	assert_true(v.checkpoints >= 5);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(one_writer), cmocka_unit_test(rotation) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
