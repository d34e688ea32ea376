#include "../test.h"

#include <pwd.h>

#include "daemon/persons.h"

#define NONE UINT32_MAX
/* Uids that no account of an ordinary system has. */
#define CLERK 61101
#define ENGINEER 61102
#define SALES 61103

static struct people *table(void)
{
	struct people *p = people_new();
	const char *expect;

	assert_int_equal(people_add_json(p, STR("{\"person\":\"clerk\",\"aliases\":[\"uid:61101\",\"clerk-admin\"]}"), &expect), 0);
	assert_int_equal(people_add_json(p, STR("{\"person\":\"engineer\",\"aliases\":[\"uid:61102\"]}"), &expect), 0);
	return p;
}

static void order(void **state)
{
	static const struct {
		uint32_t uid, login, session;
		bool opener, late;
		const char *person; /* NULL: absent */
		enum event_person_by by;
	} t[] = {
		{ CLERK, NONE, NONE, false, false, "clerk", BY_ACTING },
		{ CLERK, ENGINEER, NONE, false, false, "engineer", BY_LOGIN },
		{ CLERK, NONE, ENGINEER, false, false, "engineer", BY_SESSION },
		{ CLERK, ENGINEER, SALES, false, false, "engineer", BY_LOGIN },
		{ CLERK, ENGINEER, SALES, true, false, "clerk", BY_OPENER },
		{ CLERK, NONE, NONE, false, true, "clerk", BY_LATE },
		{ 0, ENGINEER, NONE, false, true, "engineer", BY_LATE },
		{ 0, ENGINEER, NONE, false, false, "engineer", BY_LOGIN },
		{ 0, NONE, ENGINEER, false, false, "engineer", BY_SESSION },
		{ 0, NONE, NONE, false, false, NULL, 0 },     /* nobody: never root */
		{ 0, NONE, NONE, false, true, NULL, 0 },
		{ 0, ENGINEER, NONE, true, false, NULL, 0 },  /* smbd before it is anybody; whoever started it is not who asks */
		{ NONE, NONE, NONE, false, false, NULL, 0 },
		{ NONE, NONE, NONE, true, false, NULL, 0 },
		{ NONE, ENGINEER, NONE, false, false, "engineer", BY_LOGIN },
		{ SALES, NONE, NONE, false, false, "uid:61103", BY_ACTING }, /* in no table */
	};
	struct people *people = table();
	struct persons *p = persons_new(people);

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct persons_facts f = { t[i].opener, t[i].late, t[i].session != NONE, t[i].session };
		struct event e = { .uid = t[i].uid, .login_uid = t[i].login };

		if (t[i].uid != NONE)
			event_set(&e, EV_UID);
		if (t[i].login != NONE)
			event_set(&e, EV_LOGIN_UID);
		persons_decide(p, &f, &e);
		if (event_has(&e, EV_PERSON) != (t[i].person != NULL) || event_has(&e, EV_PERSON_BY) != (t[i].person != NULL))
			fail_msg("row %zu: a person %s", i, t[i].person ? "is missing" : "where there is none");
		if (!t[i].person)
			continue;
		assert_str(e.person, t[i].person);
		assert_int_equal(e.person_by, t[i].by);
	}
	persons_free(p);
	people_free(people);
}

/* A name from the name service, and its alias. */
static void account_names(void **state)
{
	struct people *people = table();
	const struct passwd *daemon = getpwnam("daemon");
	struct persons *p = persons_new(people);
	struct persons_facts f = { 0 };
	struct event e = { 0 };
	const char *expect;

	assert_non_null(daemon);
	e.uid = daemon->pw_uid;
	event_set(&e, EV_UID);
	persons_decide(p, &f, &e);
	assert_str(e.person, "daemon");
	assert_int_equal(people_add_json(people, STR("{\"person\":\"sales\",\"aliases\":[\"daemon\"]}"), &expect), 0);
	persons_set_people(p, people); /* what was kept of the old table is forgotten */
	persons_decide(p, &f, &e);
	assert_str(e.person, "sales");
	assert_str(persons_alias(p, STR("daemon")), "sales");
	assert_str(persons_alias(p, STR("clerk-admin")), "clerk");
	assert_str(persons_alias(p, STR("stranger")), "stranger");
	persons_free(p);
	people_free(people);
}

/* More uids than the cache has slots: each keeps its own name. */
static void many(void **state)
{
	struct persons *p = persons_new(NULL);
	struct persons_facts f = { 0 };

	for (int round = 0; round < 2; round++)
		for (uint32_t uid = 100000; uid < 120000; uid++) {
			struct event e = { .uid = uid };
			char want[24];

			event_set(&e, EV_UID);
			persons_decide(p, &f, &e);
			snprintf(want, sizeof(want), "uid:%u", uid);
			assert_str(e.person, want);
		}
	persons_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(order), cmocka_unit_test(account_names), cmocka_unit_test(many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
