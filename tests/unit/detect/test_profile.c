/* The baseline: learning, what is new, a day's documents against own and peers' past, people's dates, caps, and the same again from its
 * bytes. */
#include <errno.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "detect/profile.h"
#include "../test.h"

#define DAY (86400 * NSEC_PER_SEC)

static int64_t at(const char *text)
{
	int64_t t;

	assert_int_equal(time_parse(str_c(text), &t), 0);
	return t;
}

static void take(struct profile *p, struct profile_record r)
{
	r.verb = r.verb ? r.verb : VERB_READ;
	assert_int_equal(profile_take(p, &r), 0);
}

static struct sigma_beside tell(struct profile *p, struct profile_record r)
{
	struct sigma_beside b = { 0 };

	r.verb = r.verb ? r.verb : VERB_READ;
	profile_tell(p, &r, &b);
	return b;
}

#define IS(b, field, text) assert_true(str_eq((b).value[BESIDE_##field], STR(text)))
#define NOT_KNOWN(b, field) assert_null((b).value[BESIDE_##field].p)

/* n documents a day on `days` days from `from`, each an hour's. */
static void past(struct profile *p, uint64_t person, int64_t from, int days, int n, uint64_t program, uint64_t client)
{
	for (int d = 0; d < days; d++)
		for (int i = 0; i < n; i++)
			take(p, (struct profile_record){ .time = from + d * DAY + i * NSEC_PER_SEC, .person = person, .program = program, .client = client,
				.path = (uint64_t)(1000 + i) });
}

static void learns(void **state)
{
	struct profile *p = profile_new();
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .person = 1, .program = 7, .client = 8, .path = 5 };

	past(p, 1, first, 13, 4, 3, 4);
	r.time = first + 13 * DAY;
	take(p, r);
	NOT_KNOWN(tell(p, r), PROGRAM_NEW);
	NOT_KNOWN(tell(p, r), OWN_RATIO);
	IS(tell(p, r), DAY_DOCUMENTS, "1");
	/* On the 14th day, what came before is known; what comes now is new. */
	r.time = first + 14 * DAY;
	r.program = 9;
	r.client = 10;
	take(p, r);
	IS(tell(p, r), PROGRAM_NEW, "true");
	IS(tell(p, r), CLIENT_NEW, "true");
	IS(tell(p, r), OWN_RATIO, "0.2");
	r.program = 7;
	NOT_KNOWN(tell(p, r), PROGRAM_NEW);
	/* New for a day. */
	r.program = 9;
	r.time += DAY;
	take(p, r);
	NOT_KNOWN(tell(p, r), PROGRAM_NEW);
	profile_free(p);
}

static void few_days_teach_nothing(void **state)
{
	struct profile *p = profile_new();
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .time = first + 20 * DAY, .person = 1, .program = 7, .path = 5 };

	past(p, 1, first, 4, 4, 3, 0);
	take(p, r);
	NOT_KNOWN(tell(p, r), PROGRAM_NEW);
	NOT_KNOWN(tell(p, r), OWN_RATIO);
	profile_free(p);
}

static void counts_documents(void **state)
{
	struct profile *p = profile_new();
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .person = 1, .path = 1 };

	past(p, 1, first, 20, 10, 0, 0);
	for (int i = 0; i < 25; i++) {
		r = (struct profile_record){ .time = first + 20 * DAY, .person = 1, .path = (uint64_t)i % 20 + 1, .labelled = i % 2 };
		take(p, r);
	}
	IS(tell(p, r), DAY_DOCUMENTS, "20");
	IS(tell(p, r), OWN_RATIO, "2.0");
	IS(tell(p, r), LABELLED_RATIO, "10.0"); /* every other one, each once; never any before */
	r.path = 1; /* got its label in between */
	r.labelled = true;
	take(p, r);
	IS(tell(p, r), DAY_DOCUMENTS, "20");
	IS(tell(p, r), DAY_LABELLED, "11");
	r.verb = VERB_DELETE;
	IS(tell(p, r), READ_TODAY, "true");
	r.path = 77;
	NOT_KNOWN(tell(p, r), READ_TODAY);
	/* A late record of yesterday moves nothing. */
	r = (struct profile_record){ .time = first + 19 * DAY, .person = 1, .path = 900 };
	take(p, r);
	NOT_KNOWN(tell(p, r), DAY_DOCUMENTS);
	r.time = first + 20 * DAY;
	r.path = 1;
	IS(tell(p, r), DAY_DOCUMENTS, "20");
	/* 29 days on, the past is past. */
	r.time = first + 60 * DAY;
	take(p, r);
	NOT_KNOWN(tell(p, r), OWN_RATIO);
	profile_free(p);
}

static void program_rolled_out(void **state)
{
	struct profile *p = profile_new();
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .time = first + 15 * DAY, .program = 9, .path = 5 };

	for (uint64_t i = 1; i <= 3; i++)
		past(p, i, first, 15, 2, 3, 0);
	for (r.person = 1; r.person <= 2; r.person++) {
		take(p, r);
		IS(tell(p, r), PROGRAM_NEW, "true");
	}
	take(p, r);
	NOT_KNOWN(tell(p, r), PROGRAM_NEW);
	profile_free(p);
}

static void who_roams(void **state)
{
	struct profile *p = profile_new();
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .person = 1, .path = 5 };

	past(p, 1, first, 15, 2, 0, 4);
	for (uint64_t d = 15; d < 19; d++) {
		r.time = first + (int64_t)d * DAY;
		r.client = 100 + d;
		take(p, r);
		if (d < 18)
			IS(tell(p, r), CLIENT_NEW, "true");
	}
	/* The fifth in 19 days: one day of four. */
	r.client = 200;
	take(p, r);
	NOT_KNOWN(tell(p, r), CLIENT_NEW);
	profile_free(p);
}

static int person(struct profile *p, uint64_t number, const char *row)
{
	return profile_person(p, number, number + 100, str_c(row));
}

static void people(void **state)
{
	struct profile *p = profile_new();
	struct profile_record r = { .time = at("2026-06-10T12:00:00Z"), .person = 1, .path = 5 };

	assert_int_equal(person(p, 1, "{\"person\":\"a\",\"unit\":\"sales/north\",\"role\":\"clerk\",\"manager\":\"b\",\"joined\":\"2026-06-01\","
				      "\"leaves\":\"2026-06-30\",\"announced\":\"2026-06-15\"}"), 0);
	take(p, r);
	IS(tell(p, r), UNIT, "sales/north");
	IS(tell(p, r), ROLE, "clerk");
	IS(tell(p, r), MANAGER, "b");
	IS(tell(p, r), JOINED_DAYS, "9");
	NOT_KNOWN(tell(p, r), LEAVES_DAYS);
	NOT_KNOWN(tell(p, r), LEFT);
	NOT_KNOWN(tell(p, r), SERVICE);
	r.time = at("2026-06-15T00:00:00Z");
	IS(tell(p, r), LEAVES_DAYS, "15");
	r.time = at("2026-06-30T23:59:59Z");
	IS(tell(p, r), LEAVES_DAYS, "0");
	r.time = at("2026-07-01T11:59:59Z"); /* not over everywhere yet */
	NOT_KNOWN(tell(p, r), LEFT);
	NOT_KNOWN(tell(p, r), LEAVES_DAYS);
	r.time = at("2026-07-01T12:00:00Z");
	IS(tell(p, r), LEFT, "true");
	/* A newer row takes the place of the older one. */
	assert_int_equal(person(p, 1, "{\"person\":\"a\",\"role\":\"Service account\"}"), 0);
	NOT_KNOWN(tell(p, r), LEFT);
	NOT_KNOWN(tell(p, r), UNIT);
	IS(tell(p, r), SERVICE, "true");
	/* Another person's row says nothing of this one; what is no row is refused. */
	r.person = 2;
	NOT_KNOWN(tell(p, r), ROLE);
	assert_int_equal(person(p, 2, "[]"), -EBADMSG);
	assert_int_equal(person(p, 0, "{\"person\":\"a\"}"), -EBADMSG);
	profile_free(p);
}

static void peers(void **state)
{
	struct profile *p = profile_new();
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .person = 1, .time = first + 6 * DAY };

	for (uint64_t i = 1; i <= 4; i++) {
		assert_int_equal(person(p, i, "{\"person\":\"x\",\"unit\":\"sales\"}"), 0);
		past(p, i, first, 6, i == 4 ? 20 : 10, 0, 0);
	}
	for (r.path = 1; r.path < 50; r.path++)
		take(p, r);
	r.path = 50;
	take(p, r);
	IS(tell(p, r), PEER_RATIO, "2.5"); /* of the busiest one's 20 */
	/* He is who the others are measured by. */
	r.person = 2;
	take(p, r);
	IS(tell(p, r), PEER_RATIO, "0.0");
	/* The busiest one leaves the unit: 10 of the two that are left, which are too few. */
	assert_int_equal(person(p, 4, "{\"person\":\"x\",\"unit\":\"else\"}"), 0);
	r.person = 1;
	NOT_KNOWN(tell(p, r), PEER_RATIO);
	past(p, 5, first, 6, 10, 0, 0);
	assert_int_equal(person(p, 5, "{\"person\":\"x\",\"unit\":\"sales\"}"), 0);
	IS(tell(p, r), PEER_RATIO, "5.0");
	/* A service account is nobody's peer. */
	assert_int_equal(person(p, 5, "{\"person\":\"x\",\"unit\":\"sales\",\"role\":\"backup\"}"), 0);
	NOT_KNOWN(tell(p, r), PEER_RATIO);
	profile_free(p);
}

static void what_is_full(void **state)
{
	struct profile *p = profile_new();
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .person = 1, .path = 5 };

	past(p, 1, first, 15, 2, 0, 0);
	for (uint64_t i = 1; i <= PROFILE_USED_MAX; i++) {
		r.time = first + 15 * DAY;
		r.program = i;
		take(p, r);
	}
	IS(tell(p, r), PROGRAM_NEW, "true");
	assert_int_equal(profile_full(p), 0);
	r.program = 500;
	take(p, r);
	NOT_KNOWN(tell(p, r), PROGRAM_NEW); /* whatever comes now may have been used */
	assert_int_equal(profile_full(p), 1);
	r = (struct profile_record){ .time = first, .person = PROFILE_PERSONS_MAX, .path = 5 };
	take(p, r);
	NOT_KNOWN(tell(p, r), DAY_DOCUMENTS);
	assert_int_equal(profile_full(p), 2);
	for (uint64_t i = 1; i <= PROFILE_DOCUMENTS_MAX + 10; i++) {
		r = (struct profile_record){ .time = first, .person = 2, .path = i };
		take(p, r);
	}
	IS(tell(p, r), DAY_DOCUMENTS, "65536");
	assert_true(profile_full(p) >= 12);
	profile_free(p);
}

static int row_of(void *arg, uint64_t row, str *ret)
{
	if (row != 101 && row != 102)
		return -ENODATA;
	*ret = row == 101 ? STR("{\"person\":\"a\",\"unit\":\"sales\",\"joined\":\"2026-01-01\"}") : STR("{\"person\":\"b\",\"unit\":\"sales\"}");
	return 0;
}

static void same_from_bytes(void **state)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT, again = BUF_INIT;
	struct profile *p = profile_new(), *q = NULL;
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .time = first + 16 * DAY, .person = 1, .path = 3, .program = 9 };
	uint64_t upto;
	str one;

	for (uint64_t i = 1; i <= 2; i++) {
		row_of(NULL, 100 + i, &one);
		assert_int_equal(profile_person(p, i, 100 + i, one), 0);
		past(p, i, first, 15, 7, 3, 4);
	}
	past(p, 40, first, 3, 200, 3, 4);
	take(p, r);
	assert_int_equal(profile_save(p, 77, &bytes), 0);
	assert_int_equal(profile_load(buf_str(&bytes), row_of, NULL, &upto, &q), 0);
	assert_int_equal(upto, 77);
	for (r.path = 1; r.path < 30; r.path++) {
		struct sigma_beside a, b;

		take(p, r);
		take(q, r);
		a = tell(p, r);
		b = tell(q, r);
		for (size_t i = 0; i < BESIDE_FIELDS_; i++)
			assert_true(str_eq(a.value[i], b.value[i]));
	}
	/* The set of a day is a set: its order in the bytes may differ, its size not. */
	assert_int_equal(profile_save(q, 77, &again), 0);
	profile_free(q);
	/* Every byte counts; every shorter piece is refused. */
	for (size_t i = 0; i < bytes.n; i += i < 200 ? 1 : 37) {
		bytes.p[i] ^= 0x40;
		assert_int_equal(profile_load(buf_str(&bytes), row_of, NULL, &upto, &q), -EBADMSG);
		bytes.p[i] ^= 0x40;
		assert_int_equal(profile_load((str){ bytes.p, i }, row_of, NULL, &upto, &q), -EBADMSG);
	}
	profile_free(p);
}

static void documents_new(void **state)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct profile *p = profile_new(), *q = NULL;
	int64_t first = at("2026-03-02T09:00:00Z");
	struct profile_record r = { .time = first + 16 * DAY, .person = 1, .path = 77 };
	uint64_t upto;

	past(p, 1, first, 15, 4, 3, 4);
	take(p, r);
	IS(tell(p, r), DOCUMENT_NEW, "true");
	r.time += 3600 * NSEC_PER_SEC; /* still of this day */
	take(p, r);
	IS(tell(p, r), DOCUMENT_NEW, "true");
	r.path = 1001;
	take(p, r);
	NOT_KNOWN(tell(p, r), DOCUMENT_NEW);
	/* As bytes; and gone back to before that day, it is new again, on its day alone. */
	assert_int_equal(profile_save(p, 1, &bytes), 0);
	assert_int_equal(profile_load(buf_str(&bytes), row_of, NULL, &upto, &q), 0);
	r.path = 77;
	IS(tell(q, r), DOCUMENT_NEW, "true");
	profile_rewind(q, first + 15 * DAY);
	r.time = first + 15 * DAY;
	take(q, r);
	IS(tell(q, r), DOCUMENT_NEW, "true");
	r.path = 1001;
	take(q, r);
	NOT_KNOWN(tell(q, r), DOCUMENT_NEW);
	r.path = 77;
	r.time = first + 17 * DAY;
	take(p, r);
	NOT_KNOWN(tell(p, r), DOCUMENT_NEW);
	/* A late record of the week before: it was no news then, and is none now. */
	r = (struct profile_record){ .time = first + 10 * DAY, .person = 1, .path = 90 };
	take(p, r);
	r.time = first + 17 * DAY;
	take(p, r);
	NOT_KNOWN(tell(p, r), DOCUMENT_NEW);
	/* More than are kept: nothing is new any more. */
	for (r.path = 100000; r.path < 100000 + PROFILE_KNOWN_MAX + 2; r.path++)
		take(p, r);
	assert_true(profile_full(p) > 0);
	NOT_KNOWN(tell(p, r), DOCUMENT_NEW);
	profile_free(p);
	profile_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns), cmocka_unit_test(few_days_teach_nothing), cmocka_unit_test(counts_documents),
			cmocka_unit_test(program_rolled_out),
		cmocka_unit_test(who_roams), cmocka_unit_test(people), cmocka_unit_test(peers), cmocka_unit_test(what_is_full),
		cmocka_unit_test(same_from_bytes), cmocka_unit_test(documents_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
