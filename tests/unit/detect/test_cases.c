/* Cases: when they are raised, grow, close, come back and stay quiet; whom the daily budget shows. Firings are made by hand, alerts are appended to a log,
 * so that the table of alerts is asked, too. */
#include "../evidence/store_fixture.h"

#include <jansson.h>

#include "base/timefmt.h"
#include "detect/cases.h"

#define DAY ALERTS_DAY
#define BASE (20000 * DAY) /* a day's beginning in 2024 */
#define EMITTED_MAX 256

struct emitted {
	uint64_t number;
	enum alert_phase phase;
	enum severity severity;
	int64_t time;
	json_t *body;
};

struct bench {
	struct fixture f;
	struct evidence *ev;
	struct evidence_reader *r;
	struct cases *c;
	struct emitted out[EMITTED_MAX];
	size_t n;
	uint64_t clerk, sales, plans, other; /* persons, and documents in two folders */
	uint64_t seq;
};

static int emit(void *arg, const struct evidence_alert *a)
{
	struct bench *b = arg;
	uint64_t seq;

	assert_true(b->n < EMITTED_MAX);
	assert_int_equal(evidence_append_alert(b->ev, a, &seq), 0);
	b->out[b->n++] = (struct emitted){ a->number, a->phase, a->severity, a->time, json_loadb(a->body.p, a->body.n, 0, NULL) };
	return 0;
}

static void event(struct bench *b, const char *person, const char *path)
{
	struct event e = { .time = BASE, .verb = VERB_READ, .person = str_c(person), .person_by = BY_SESSION, .path = str_c(path) };

	event_set(&e, EV_TIME);
	event_set(&e, EV_VERB);
	event_set(&e, EV_PERSON);
	event_set(&e, EV_PERSON_BY);
	event_set(&e, EV_PATH);
	assert_int_equal(evidence_append_event(b->ev, &e, NULL), 0);
}

static uint64_t path_number(struct bench *b, const char *path)
{
	uint64_t size;
	struct leaf l;
	str packed;

	assert_int_equal(evidence_reader_refresh(b->r, &size), 0);
	for (uint64_t seq = 0; seq < size; seq++) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		assert_int_equal(evidence_read(b->r, seq, &packed), 0);
		if (packed.p[1] != LEAF_EVENT || leaf_decode((const uint8_t *)packed.p, packed.n, &l) < 0)
			continue;
		assert_int_equal(names_path(evidence_reader_names(b->r), l.value[EV_PATH], &name), 0);
		if (str_eq(buf_str(&name), str_c(path)))
			return l.value[EV_PATH];
	}
	fail();
	return 0;
}

static struct bench *begin(void)
{
	struct bench *b = calloc(1, sizeof(*b));
	uint64_t size;

	assert_non_null(b);
	fixture_begin(&b->f);
	b->ev = fixture_open(&b->f);
	event(b, "clerk", "/share/plans/a.odt");
	event(b, "sales", "/share/other/b.odt");
	assert_int_equal(evidence_commit(b->ev), 0);
	assert_int_equal(evidence_reader_open(b->f.state, &b->r), 0);
	assert_int_equal(evidence_reader_refresh(b->r, &size), 0);
	b->clerk = names_find(evidence_reader_names(b->r), NAME_PERSON, STR("clerk"));
	b->sales = names_find(evidence_reader_names(b->r), NAME_PERSON, STR("sales"));
	b->plans = path_number(b, "/share/plans/a.odt");
	b->other = path_number(b, "/share/other/b.odt");
	b->c = cases_new(NULL, b->r);
	assert_non_null(b->c);
	cases_person(b->c, 2);
	b->seq = 1000;
	return b;
}

static void end(struct bench *b)
{
	cases_free(b->c);
	evidence_reader_close(b->r);
	evidence_close(b->ev);
	for (size_t i = 0; i < b->n; i++)
		json_decref(b->out[i].body);
	fixture_end(&b->f);
	free(b);
}

struct shot {
	uint64_t person, path;
	int64_t time;
	const char *rule;
	enum severity severity;
	bool exempt, correlation;
};

/* How many records that gave. */
static size_t fire_as(struct bench *b, enum firing_mode mode, const struct shot *s)
{
	struct firing one = { .severity = s->severity, .exempt = s->exempt, .correlation = s->correlation, .count = 50, .first = s->time - 60 * NSEC_PER_SEC,
		.last = s->time, .newest = b->seq };
	struct firings f = { .v = &one, .n = 1, .seq = b->seq++, .person = s->person, .path = s->path, .time = s->time, .mode = mode, .late = true };
	size_t before = b->n;

	snprintf(one.title, sizeof(one.title), "%s", s->rule);
	if (mode != FIRING_PAST)
		assert_int_equal(cases_quiet(b->c, s->time, f.seq, emit, b), 0);
	assert_int_equal(cases_firings(b->c, &f, emit, b), 0);
	return b->n - before;
}

static size_t fire(struct bench *b, const struct shot *s)
{
	return fire_as(b, FIRING_LOUD, s);
}

static size_t past(struct bench *b, const struct shot *s)
{
	size_t before = b->n;

	fire_as(b, FIRING_PAST, s);
	assert_int_equal(cases_flush(b->c, b->seq, emit, b), 0);
	return b->n - before;
}

static const struct emitted *newest(const struct bench *b)
{
	assert_true(b->n > 0);
	return &b->out[b->n - 1];
}

static void expect(const struct bench *b, uint64_t number, enum alert_phase phase, enum severity severity)
{
	assert_int_equal(newest(b)->number, number);
	assert_int_equal(newest(b)->phase, phase);
	assert_int_equal(newest(b)->severity, severity);
}

static int64_t in_body(const struct bench *b, const char *key)
{
	return json_integer_value(json_object_get(newest(b)->body, key));
}

static void person_closes(struct bench *b, uint64_t number, enum alert_reason reason)
{
	const uint32_t uid = 1000;
	const struct evidence_alert a = { .time = BASE, .number = number, .phase = ALERT_CLOSED, .reason = reason, .account = &uid };
	struct leaf l = { .kind = LEAF_ALERT, .present = 1ULL << ALERT_NUMBER | 1ULL << ALERT_PHASE | 1ULL << ALERT_REASON | 1ULL << ALERT_ACCOUNT };
	uint64_t seq;

	l.value[ALERT_NUMBER] = number;
	l.value[ALERT_PHASE] = ALERT_CLOSED;
	l.value[ALERT_REASON] = reason;
	assert_int_equal(evidence_append_alert(b->ev, &a, &seq), 0);
	cases_leaf(b->c, &l);
}

static void growth(void **state)
{
	struct bench *b = begin();
	struct shot s = { b->clerk, b->plans, BASE, "reads", SEVERITY_MEDIUM };
	static const size_t records[] = { 1, 1, 0, 1, 0, 0, 0, 1 }; /* at the 1st, 2nd, 4th, 8th firing */

	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		s.time += 60 * NSEC_PER_SEC;
		assert_int_equal(fire(b, &s), records[i]);
		expect(b, 1, i == 0 ? ALERT_RAISED : ALERT_GROWN, SEVERITY_MEDIUM);
	}
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(newest(b)->body, "rules"), 0), "hits")), 8);
	/* Nothing but numbers: every ten minutes of event time. */
	s.time += CASE_GROW_NS - NSEC_PER_SEC;
	assert_int_equal(fire(b, &s), 0);
	s.time += 2 * NSEC_PER_SEC;
	assert_int_equal(fire(b, &s), 1);
	/* Another rule, and one that is more severe, are told at once; that one gives the title. */
	s.rule = "exports";
	s.severity = SEVERITY_HIGH;
	assert_int_equal(fire(b, &s), 1);
	expect(b, 1, ALERT_GROWN, SEVERITY_HIGH);
	assert_string_equal(json_string_value(json_object_get(newest(b)->body, "title")), "exports");
	s.rule = "reads";
	s.severity = SEVERITY_MEDIUM;
	fire(b, &s);
	assert_string_equal(json_string_value(json_object_get(newest(b)->body, "title")), "exports");
	/* Another person's is another one. */
	s.person = b->sales;
	assert_int_equal(fire(b, &s), 1);
	expect(b, 2, ALERT_RAISED, SEVERITY_MEDIUM);
	end(b);
}

static void quiet_days(void **state)
{
	struct bench *b = begin();
	struct shot s = { b->clerk, b->plans, BASE, "reads", SEVERITY_MEDIUM };

	fire(b, &s);
	assert_int_equal(cases_quiet(b->c, BASE + CASE_QUIET_DAYS * DAY, b->seq, emit, b), 0);
	assert_int_equal(b->n, 1);
	/* What comes on the last of these days belongs to it, and the days begin anew. */
	s.time = BASE + CASE_QUIET_DAYS * DAY;
	fire(b, &s);
	expect(b, 1, ALERT_GROWN, SEVERITY_MEDIUM);
	assert_int_equal(cases_quiet(b->c, s.time + CASE_QUIET_DAYS * DAY + 1, b->seq, emit, b), 0);
	expect(b, 1, ALERT_CLOSED, SEVERITY_MEDIUM);
	assert_true(newest(b)->time == s.time + CASE_QUIET_DAYS * DAY);
	/* Later ones are another case, also where nobody closed the first by hand. */
	s.time += 15 * DAY;
	fire(b, &s);
	expect(b, 2, ALERT_RAISED, SEVERITY_MEDIUM);
	end(b);
}

static void higher_stage(void **state)
{
	struct bench *b = begin();
	struct shot s = { b->clerk, b->plans, BASE, "reads", SEVERITY_MEDIUM };

	fire(b, &s);
	person_closes(b, 1, ALERT_THEFT);
	s.time += DAY;
	fire(b, &s);
	expect(b, 2, ALERT_RAISED, SEVERITY_MEDIUM);
	person_closes(b, 2, ALERT_MISTAKE);
	s.time += DAY;
	s.severity = SEVERITY_HIGH;
	s.rule = "exports";
	fire(b, &s);
	expect(b, 2, ALERT_REOPENED, SEVERITY_HIGH);
	/* Also one that was expected. */
	person_closes(b, 2, ALERT_EXPECTED);
	s.time += DAY;
	s.severity = SEVERITY_CRITICAL;
	s.rule = "left with it";
	fire(b, &s);
	expect(b, 2, ALERT_REOPENED, SEVERITY_CRITICAL);
	end(b);
}

static void expected(void **state)
{
	struct bench *b = begin();
	struct shot s = { b->clerk, b->plans, BASE, "reads", SEVERITY_MEDIUM }, t;

	fire(b, &s);
	person_closes(b, 1, ALERT_EXPECTED);
	/* Quiet, and visibly counted: at the 1st, 2nd, 4th… */
	for (int i = 1; i <= 4; i++) {
		s.time = BASE + i * DAY;
		assert_int_equal(fire(b, &s), i == 3 ? 0 : 1);
	}
	expect(b, 1, ALERT_GROWN, SEVERITY_MEDIUM);
	assert_int_equal(in_body(b, "quieted"), 4);
	/* Another rule, another person, decoys, tampering and chains (exempt), and what comes after 30 days are not quieted. */
	t = s;
	t.rule = "exports";
	fire(b, &t);
	expect(b, 2, ALERT_RAISED, SEVERITY_MEDIUM);
	person_closes(b, 2, ALERT_MISTAKE);
	t = s;
	t.person = b->sales;
	fire(b, &t);
	expect(b, 3, ALERT_RAISED, SEVERITY_MEDIUM);
	t = s;
	t.exempt = true;
	fire(b, &t);
	expect(b, 4, ALERT_RAISED, SEVERITY_MEDIUM);
	end(b);
}

/* 30 days from its last firing, and within the folder of its documents. */
static void expected_ends(void **state)
{
	struct bench *b = begin();
	struct shot s = { b->clerk, b->plans, BASE, "reads", SEVERITY_MEDIUM };
	struct firing one = { .severity = SEVERITY_MEDIUM, .n_seqs = 1, .title = "reads", .first = BASE, .last = BASE };
	struct firings f = { .v = &one, .n = 1, .seq = b->seq++, .person = b->clerk, .path = b->plans, .time = BASE };
	uint64_t size;

	/* Its folder is that of the record behind it. */
	assert_int_equal(evidence_reader_refresh(b->r, &size), 0);
	for (uint64_t seq = 0; seq < size && !one.seqs[0]; seq++) {
		str packed;

		assert_int_equal(evidence_read(b->r, seq, &packed), 0);
		if (packed.p[1] == LEAF_EVENT)
			one.seqs[0] = seq;
	}
	assert_int_equal(cases_firings(b->c, &f, emit, b), 0);
	assert_true(in_body(b, "folder") > 0);
	person_closes(b, 1, ALERT_EXPECTED);
	s.time = BASE + CASE_EXPECTED_DAYS * DAY;
	assert_int_equal(fire(b, &s), 1);
	assert_int_equal(in_body(b, "quieted"), 1);
	s.path = b->other;
	fire(b, &s);
	expect(b, 2, ALERT_RAISED, SEVERITY_MEDIUM);
	person_closes(b, 2, ALERT_MISTAKE);
	s.path = b->plans;
	s.time = BASE + CASE_EXPECTED_DAYS * DAY + 1;
	fire(b, &s);
	expect(b, 3, ALERT_RAISED, SEVERITY_MEDIUM);
	end(b);
}

/* --- the budget --- */

struct held {
	bool held[64], open[64];
	size_t n;
};

static int note(void *arg, const struct alert *al)
{
	struct held *h = arg;

	assert_true(al->number < ARRAY_SIZE(h->held));
	h->held[al->number] = al->held;
	h->open[al->number] = al->open;
	h->n++;
	return 0;
}

static struct held table(struct bench *b)
{
	struct alerts *a = NULL;
	struct held h = { 0 };
	uint64_t size;

	assert_int_equal(evidence_commit(b->ev), 0);
	assert_int_equal(evidence_reader_refresh(b->r, &size), 0);
	assert_int_equal(alerts_open(b->f.state, true, &a), 0);
	assert_int_equal(alerts_advance(a, b->r, size), 0);
	assert_int_equal(alerts_each(a, note, &h), 0);
	alerts_close(a);
	return h;
}

/* Alerts of many persons on one day, numbers 1, 2, 3…: whose names nobody needs. */
static void raise_on(struct bench *b, int64_t day, uint64_t person, enum severity severity, bool exempt)
{
	fire(b, &(struct shot){ 100 + person, b->plans, BASE + day * DAY + (int64_t)person * NSEC_PER_SEC, "reads", severity, exempt });
}

static void budget(void **state)
{
	static const struct {
		uint64_t persons, allowed;
	} t[] = { { 1, 1 }, { 333, 1 }, { 666, 1 }, { 667, 2 }, { 1000, 3 }, { 3000, 9 } };

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct bench *b = begin();
		struct held h;
		size_t shown = 0;

		cases_person(b->c, t[i].persons);
		for (uint64_t k = 1; k <= 12; k++)
			raise_on(b, 0, k, SEVERITY_MEDIUM, false);
		h = table(b);
		assert_int_equal(h.n, 12); /* what is held back is there, and says so */
		for (uint64_t k = 1; k <= 12; k++)
			shown += !h.held[k];
		assert_int_equal(shown, t[i].allowed);
		assert_false(h.held[1]); /* of the same severity the earlier ones */
		assert_true(h.held[12]);
		end(b);
	}
}

static void budget_ranks(void **state)
{
	struct bench *b = begin();
	struct held h;

	cases_person(b->c, 1000);
	raise_on(b, 0, 1, SEVERITY_MEDIUM, false);
	raise_on(b, 0, 2, SEVERITY_MEDIUM, false);
	raise_on(b, 0, 3, SEVERITY_MEDIUM, false);
	raise_on(b, 0, 4, SEVERITY_HIGH, false);   /* displaces the last of the medium ones */
	raise_on(b, 0, 5, SEVERITY_CRITICAL, true); /* not of the budget */
	raise_on(b, 0, 6, SEVERITY_HIGH, true);     /* a decoy, or tampering */
	raise_on(b, 1, 7, SEVERITY_MEDIUM, false);  /* another day has another budget */
	h = table(b);
	assert_int_equal(h.n, 7);
	assert_false(h.held[1] || h.held[2] || h.held[4] || h.held[5] || h.held[6] || h.held[7]);
	assert_true(h.held[3]);
	/* One that grows more severe gets its place. */
	fire(b, &(struct shot){ 103, b->plans, BASE + 4000 * NSEC_PER_SEC, "exports", SEVERITY_HIGH });
	h = table(b);
	assert_false(h.held[3]);
	assert_true(h.held[2]);
	end(b);
}

/* By level and by tag of the rule. */
static void exempt(void **state)
{
	static const struct {
		const char *level, *tag;
		bool exempt;
	} t[] = { { "critical", "attack.t1005", true }, { "high", "tyto.decoy", true }, { "medium", "tyto.tamper", true }, { "low", "tyto.chain", true },
		{ "high", "attack.t1070", false }, { "high", "tyto.decoys", false } };

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const str tags[] = { STR("attack.collection"), str_c(t[i].tag) };
		const struct sigma_rule rule = { .title = STR("a"), .level = str_c(t[i].level), .tags = tags, .n_tags = 2 };
		const struct sigma_hit hit = { .rule = &rule };
		struct firings f = { 0 };

		assert_int_equal(firings_add(&f, &hit), 0);
		assert_int_equal(f.v[0].exempt, t[i].exempt);
		free(f.v);
	}
}

/* --- the past --- */

static void late(void **state)
{
	struct bench *b = begin();
	struct shot s = { b->clerk, b->plans, BASE + 40 * DAY, "reads", SEVERITY_MEDIUM, .correlation = true }, t;

	fire(b, &s);
	/* Long before: a case of its own. */
	t = s;
	t.time = BASE;
	assert_int_equal(past(b, &t), 1);
	expect(b, 2, ALERT_RAISED, SEVERITY_MEDIUM);
	/* The same again: nothing. */
	assert_int_equal(past(b, &t), 0);
	/* An earlier beginning of the first one. */
	t.time = BASE + 30 * DAY;
	assert_int_equal(past(b, &t), 1);
	expect(b, 1, ALERT_GROWN, SEVERITY_MEDIUM);
	assert_true(in_body(b, "first") == BASE + 30 * DAY);
	assert_true(in_body(b, "last") == BASE + 40 * DAY);
	/* Between both: they were one all along. The later one is closed, and says so. */
	t.time = BASE + 14 * DAY;
	past(b, &t);
	t.time = BASE + 20 * DAY;
	past(b, &t);
	for (size_t i = 0; i < b->n; i++)
		if (b->out[i].number == 1 && b->out[i].phase == ALERT_CLOSED)
			assert_int_equal(json_integer_value(json_object_get(b->out[i].body, "joined")), 2);
	expect(b, 2, ALERT_GROWN, SEVERITY_MEDIUM);
	assert_true(in_body(b, "last") == BASE + 40 * DAY);
	assert_int_equal(table(b).n, 2);
	assert_false(table(b).open[1]);
	assert_true(table(b).open[2]);
	/* What it has not to do with a late record was told before. */
	struct firing one = { .severity = SEVERITY_HIGH, .correlation = true, .newest = 5, .title = "other" };
	struct firings f = { .v = &one, .n = 1, .seq = 5, .person = b->clerk, .time = BASE, .mode = FIRING_PAST, .late_from = 6 };

	assert_int_equal(cases_firings(b->c, &f, emit, b), 0);
	assert_false(cases_unsaved(b->c));
	end(b);
}

/* The past of a case that a person has judged is part of what was judged, unless it is something else. */
static void late_and_judged(void **state)
{
	struct bench *b = begin();
	struct shot s = { b->clerk, b->plans, BASE + 10 * DAY, "reads", SEVERITY_MEDIUM }, t;

	fire(b, &s);
	person_closes(b, 1, ALERT_MISTAKE);
	t = s;
	t.time -= 3600 * NSEC_PER_SEC;
	past(b, &t);
	expect(b, 1, ALERT_GROWN, SEVERITY_MEDIUM);
	assert_false(table(b).open[1]);
	t.rule = "exports";
	t.severity = SEVERITY_HIGH;
	past(b, &t);
	expect(b, 1, ALERT_REOPENED, SEVERITY_HIGH);
	end(b);
}

/* From the table a case goes on as it was. */
static int load(void *arg, const struct alert *al)
{
	return cases_load(arg, al);
}

static void start_again(void **state)
{
	struct bench *b = begin();
	struct shot s = { b->clerk, b->plans, BASE, "reads", SEVERITY_MEDIUM };
	struct alerts *a = NULL;

	fire(b, &s);
	s.time += 60 * NSEC_PER_SEC;
	fire(b, &s);
	table(b);
	cases_free(b->c);
	b->c = cases_new(NULL, b->r);
	assert_int_equal(alerts_open(b->f.state, true, &a), 0);
	assert_int_equal(alerts_each(a, load, b->c), 0);
	alerts_close(a);
	/* What had been read raises nothing again, in silence. */
	b->seq -= 2;
	s.time = BASE;
	assert_int_equal(fire_as(b, FIRING_SILENT, &s), 0);
	assert_false(cases_unsaved(b->c));
	b->seq++;
	s.time = BASE + 2 * 3600 * NSEC_PER_SEC;
	assert_int_equal(fire(b, &s), 1);
	expect(b, 1, ALERT_GROWN, SEVERITY_MEDIUM);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(newest(b)->body, "rules"), 0), "hits")), 3);
	end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(growth), cmocka_unit_test(quiet_days), cmocka_unit_test(higher_stage), cmocka_unit_test(expected),
		cmocka_unit_test(expected_ends), cmocka_unit_test(budget), cmocka_unit_test(budget_ranks), cmocka_unit_test(exempt),
		cmocka_unit_test(late), cmocka_unit_test(late_and_judged), cmocka_unit_test(start_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
