/* A log that a newer program wrote to: leaves of kinds that come later are hashed in their place, counted and passed over, never called damage.
 * And what a log must not say of an import. */
#include "torture_log.h"

#include "evidence/store.h"

/* What a later version might append: nothing but version and kind is known of it. */
static void append_later(struct evidence *e, uint8_t kind, const char *body)
{
	uint8_t packed[64] = { LEAF_VERSION, kind };
	size_t n = strlen(body);

	memcpy(packed + 2, body, n);
	assert_int_equal(leaves_add(&e->pending, packed, n + 2), 0);
}

static int count_kind(void *arg, uint64_t seq, const struct leaf *l)
{
	uint64_t *n = arg;

	n[leaf_known(l)]++;
	if (!leaf_known(l) && l->kind != LEAF_NAME)
		assert_int_equal(l->present, 0);
	return 0;
}

/* `events` leaves and three of later kinds stand in the log. */
static void assert_passed_over(const struct fixture *f, uint64_t events)
{
	struct evidence_reader *r = NULL;
	struct evidence_stat st;
	struct verify_result v;
	uint64_t size, unknown = 0, n[2] = { 0 };

	if (!fixture_verify(f->state, &v))
		fail_msg("%s: %s", v.where, v.what);
	assert_int_equal(v.unknown, 3);
	assert_int_equal(v.records, events);
	assert_int_equal(evidence_reader_open(f->state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	assert_int_equal(size, v.size);
	if (evidence_each(r, 0, size, count_kind, n) != 0)
		fail_msg("%s", evidence_why());
	assert_int_equal(n[false], 3);
	assert_int_equal(evidence_reader_stat(r, &st), 0);
	assert_int_equal(st.unknown, 3);
	assert_int_equal(st.records, events);
	assert_int_equal(evidence_count_unknown(f->state, &unknown), 0);
	assert_int_equal(unknown, 3);
	evidence_reader_close(r);
}

static void kinds_of_later_versions(void **state)
{
	struct fixture f;
	struct evidence *e;

	fixture_begin(&f);
	e = fixture_open(&f);
	fixture_fill(e, 0, 10, 10);
	append_later(e, LEAF_KIND_MAX_, "");
	append_later(e, 200, "whatever");
	fixture_fill(e, 10, 20, 10);
	append_later(e, 255, "\x01\x80\xff");
	fixture_fill(e, 20, 30, 10);
	evidence_close(e);
	assert_passed_over(&f, 30);
	/* We go on writing behind them, and a start counts them again from segments. */
	e = fixture_open(&f);
	fixture_fill(e, 30, 6000, 500);
	evidence_close(e);
	assert_passed_over(&f, 6000);
	/* Without the cache of counters: from the leaves. */
	{
		char path[128];

		snprintf(path, sizeof(path), "%s/counters", f.state);
		assert_int_equal(unlink(path), 0);
	}
	evidence_close(fixture_open(&f));
	assert_passed_over(&f, 6000);
	fixture_end(&f);
}

static void names_of_later_kinds(void **state)
{
	uint8_t beyond[] = { LEAF_VERSION, LEAF_NAME, 7, NAME_KINDS_, 1, [5 + 31] = 0 };
	struct fixture f;
	struct evidence *e;
	struct leaf l;
	uint64_t a, b;

	fixture_begin(&f);
	e = fixture_open(&f);
	fixture_fill(e, 0, 10, 10);
	assert_int_equal(store_name(e, (enum name_kind)NAME_KIND_MAX_, STR("of a form unknown here"), &a), 0);
	assert_int_equal(store_name(e, (enum name_kind)NAME_KIND_MAX_, STR("of a form unknown here"), &b), 0);
	assert_int_equal(a, b);
	assert_int_equal(store_name(e, (enum name_kind)(NAME_KINDS_ - 1), STR("/"), &b), 0);
	fixture_fill(e, 10, 20, 10);
	append_later(e, 255, "");
	evidence_close(e);
	assert_passed_over(&f, 20);
	/* A start reads them, and they go into segments. */
	e = fixture_open(&f);
	assert_int_equal(store_name(e, (enum name_kind)NAME_KIND_MAX_, STR("of a form unknown here"), &b), 0);
	assert_int_equal(a, b);
	fixture_fill(e, 20, 6000, 500);
	evidence_close(e);
	assert_passed_over(&f, 6000);
	/* What can be checked is. */
	{
		char path[128];
		struct verify_result v;
		FILE *names;
		char bytes[65536], *at;
		size_t n;

		snprintf(path, sizeof(path), "%s/log/names-000000", f.state);
		names = fopen(path, "r+");
		n = fread(bytes, 1, sizeof(bytes), names);
		at = memmem(bytes, n, "of a form", 9);
		assert_non_null(at);
		fseek(names, at - bytes, SEEK_SET);
		fputc('O', names);
		fclose(names);
		assert_false(fixture_verify(f.state, &v));
	}
	fixture_end(&f);
	assert_int_equal(leaf_decode(beyond, sizeof(beyond), &l), -EBADMSG);
	beyond[3] = NAME_KINDS_ - 1;
	assert_int_equal(leaf_decode(beyond, sizeof(beyond), &l), 0);
	assert_false(leaf_known(&l));
	beyond[3] = NAME_KIND_MAX_ - 1;
	assert_int_equal(leaf_decode(beyond, sizeof(beyond), &l), 0);
	assert_true(leaf_known(&l));
}

/* A log with these import leaves: is it sound? */
static bool sound(struct fixture *f, const struct evidence_import *im, size_t n, bool event_behind)
{
	struct evidence *e;
	struct verify_result v;
	bool ok;

	fixture_begin(f);
	e = fixture_open(f);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(evidence_append_import(e, &im[i], NULL), 0);
	if (event_behind) {
		struct event ev = { .time = RICH_TIME, .verb = VERB_READ, .source = 0 };

		event_set(&ev, EV_TIME);
		event_set(&ev, EV_VERB);
		event_set(&ev, EV_SOURCE);
		assert_int_equal(evidence_append_event(e, &ev, NULL), 0);
	}
	evidence_close(e);
	ok = fixture_verify(f->state, &v);
	if (!ok)
		assert_int_equal(v.first_bad, n - !event_behind);
	fixture_end(f);
	return ok;
}

#define BEGIN { .time = RICH_TIME, .phase = PHASE_START, .format = 1 }
#define END(at) { .time = RICH_TIME, .phase = PHASE_STOP, .format = 1, .begins = (at) }

static void imports_begin_and_end_once(void **state)
{
	const struct evidence_import good[] = { BEGIN, BEGIN, END(1), END(0), BEGIN }, twice[] = { BEGIN, END(0), END(0) }, none[] = { END(0) },
		before[] = { END(1), BEGIN }, no_import[] = { BEGIN, END(0), BEGIN, END(1) };
	struct fixture f;

	assert_true(sound(&f, good, ARRAY_SIZE(good), false));
	assert_true(sound(&f, good, 3, true));
	assert_false(sound(&f, twice, ARRAY_SIZE(twice), false));
	assert_false(sound(&f, none, ARRAY_SIZE(none), false));
	assert_false(sound(&f, before, 1, false));
	assert_false(sound(&f, no_import, ARRAY_SIZE(no_import), false));
	assert_false(sound(&f, twice, 2, true)); /* a record of an import that has ended */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(kinds_of_later_versions), cmocka_unit_test(names_of_later_kinds),
		cmocka_unit_test(imports_begin_and_end_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
