#include "../evidence/store_fixture.h"

#include <errno.h>

#include "daemon/peopletable.h"

static int record(struct evidence *ev, struct people *p, const char *row)
{
	const char *expect = "";

	return peopletable_record(ev, p, str_c(row), UINT64_MAX, &expect);
}

static void alias_is(const struct people *p, const char *account, const char *want)
{
	str person;

	assert_true(people_alias(p, str_c(account), &person));
	assert_str(person, want);
}

/* Rows are records; the table is a view of them that is the same after a new start. */
static void view(void **state)
{
	struct fixture f;
	struct evidence *ev;
	struct people *p = NULL;
	struct evidence_stat st;
	str person;

	fixture_begin(&f);
	ev = fixture_open(&f);
	assert_int_equal(peopletable_load(evidence_names(ev), &p), 0);
	assert_int_equal(people_count(p), 0);
	assert_int_equal(record(ev, p, "{\"person\":\"clerk\",\"unit\":\"office/tokyo\",\"aliases\":[\"c1\",\"c2\"]}"), 0);
	assert_int_equal(record(ev, p, "{\"person\":\"engineer\",\"leaves\":\"2026-03-31\"}"), 0);
	/* An account that a row names no more is free; another person's changes hands. */
	assert_int_equal(record(ev, p, "{\"person\":\"clerk\",\"aliases\":[\"c1\"]}"), 0);
	assert_false(people_alias(p, STR("c2"), &person));
	assert_int_equal(record(ev, p, "{\"person\":\"sales\",\"aliases\":[\"c2\",\"s1\"]}"), 0);
	assert_int_equal(record(ev, p, "{\"person\":\"engineer\",\"aliases\":[\"s1\"]}"), 0);
	assert_int_equal(record(ev, p, "{\"name\":\"nobody\"}"), -EBADMSG);
	assert_int_equal(record(ev, p, "no row"), -EBADMSG);
	assert_int_equal(evidence_commit(ev), 0);
	evidence_stat(ev, &st);
	evidence_close(ev);
	p = people_free(p);

	ev = fixture_open(&f);
	assert_int_equal(peopletable_load(evidence_names(ev), &p), 0);
	assert_int_equal(people_count(p), 3);
	alias_is(p, "c1", "clerk");
	alias_is(p, "c2", "sales");
	alias_is(p, "s1", "engineer");
	people_free(p);
	evidence_close(ev);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(view) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
