#include "../evidence/store_fixture.h"

#include <errno.h>

#include "daemon/mask.h"

static struct fixture f;
static struct evidence *ev;

static int begin(void **state)
{
	static const char *const persons[] = { "clerk", "engineer" };

	fixture_begin(&f);
	ev = fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(persons); i++) {
		struct event e = { .time = 1760000000LL * NSEC_PER_SEC, .verb = VERB_READ, .person = str_c(persons[i]) };

		event_set(&e, EV_TIME);
		event_set(&e, EV_VERB);
		event_set(&e, EV_PERSON);
		assert_int_equal(evidence_append_event(ev, &e, NULL), 0);
	}
	return evidence_commit(ev);
}

static int end(void **state)
{
	evidence_close(ev);
	fixture_end(&f);
	return 0;
}

static void persons(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const struct names *n = evidence_names(ev);
	str s;

	assert_str(mask_person(n, STR("clerk"), &b), "p:1");
	buf_clear(&b);
	assert_str(mask_person(n, STR("engineer"), &b), "p:2");
	buf_clear(&b);
	assert_str(mask_person(n, STR("stranger"), &b), "p:?");
	assert_int_equal(mask_resolve(n, STR("p:2"), &s), 0);
	assert_str(s, "engineer");
	assert_int_equal(mask_resolve(n, STR("p:3"), &s), -ENOENT);
	assert_int_equal(mask_resolve(n, STR("p:0"), &s), -ENOENT);
	assert_int_equal(mask_resolve(n, STR("engineer"), &s), 1);
	assert_str(s, "engineer");
	assert_int_equal(mask_resolve(n, STR("p:two"), &s), 1);
	assert_str(s, "p:two");
	buf_clear(&b);
	mask_resolve_path(n, STR("/home/p:1/p:2/p:3/p:2.txt/**"), &b);
	assert_str(buf_str(&b), "/home/clerk/engineer/p:3/p:2.txt/**");
	buf_clear(&b);
	mask_resolve_path(n, STR("p:1"), &b);
	assert_str(buf_str(&b), "clerk");
}

/* In no part of a masked record stands what names the account. */
static void records(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct event e = { .person = STR("clerk"), .uid = 1000, .login_uid = 1000, .path = STR("/home/clerk/engineer/clerk.txt"), .to = STR("clerk"), .cwd = STR("/home/clerk/"),
		.command = STR("cat /home/clerk/x"), .parent_command = STR("su clerk"), .extra = STR("{\"account\":\"clerk\"}"), .program = STR("/usr/bin/cat") };
	static const enum event_field set[] = { EV_PERSON, EV_UID, EV_LOGIN_UID, EV_PATH, EV_TO, EV_CWD, EV_COMMAND, EV_PARENT_COMMAND, EV_EXTRA, EV_PROGRAM };
	static const enum event_field gone[] = { EV_UID, EV_LOGIN_UID, EV_COMMAND, EV_PARENT_COMMAND, EV_EXTRA };

	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		event_set(&e, set[i]);
	mask_event(evidence_names(ev), &e, &b);
	assert_str(e.person, "p:1");
	assert_str(e.path, "/home/p:1/p:2/clerk.txt"); /* a file's name is content, said where masking is explained */
	assert_str(e.to, "p:1");
	assert_str(e.cwd, "/home/p:1/");
	assert_str(e.program, "/usr/bin/cat");
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		assert_false(event_has(&e, gone[i]));
}

/* The longest path of the shortest components, all of them a person: nothing moves under what was returned first. */
static void longest(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, path = BUF_INIT;
	struct event e = { .person = STR("clerk") };
	str first;

	while (path.n + 6 <= EVENT_PATH_MAX)
		buf_puts(&path, STR("clerk/"));
	e.path = e.to = e.cwd = buf_str(&path);
	event_set(&e, EV_PERSON);
	event_set(&e, EV_PATH);
	event_set(&e, EV_TO);
	event_set(&e, EV_CWD);
	mask_event(evidence_names(ev), &e, &b);
	first = e.person;
	assert_str(first, "p:1");
	assert_true(str_starts(e.path, STR("p:1/p:1/")) && str_eq(e.path, e.to) && str_eq(e.to, e.cwd));
	assert_int_equal(e.path.n, path.n / 6 * 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(persons), cmocka_unit_test(records), cmocka_unit_test(longest) };

	return cmocka_run_group_tests(tests, begin, end);
}
