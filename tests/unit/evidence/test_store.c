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

struct found {
	uint64_t documents, places, alerts;
	struct leaf document, place, alert;
};

static int find_facts(void *arg, uint64_t seq, const struct leaf *l)
{
	struct found *f = arg;

	if (l->kind == LEAF_DOCUMENT) {
		f->documents++;
		f->document = *l;
	} else if (l->kind == LEAF_PLACE && f->places++ == 0) {
		f->place = *l;
	} else if (l->kind == LEAF_ALERT) {
		f->alerts++;
		f->alert = *l;
	}
	return 0;
}

static void assert_name(const struct names *n, enum name_kind kind, uint64_t number, const char *want)
{
	str value;

	assert_int_equal(names_value(n, kind, number, &value), 0);
	assert_true(str_eq(value, str_c(want)));
}

/* What a scan found is in the log, and what it did not find is absent. */
static void documents_and_places(void **state)
{
	const uint8_t hash[32] = { 1, 2, 3 };
	const struct event_object object = { 2049, 17, 3 };
	const uint32_t uid = 1000;
	struct found found = { 0 };
	struct evidence_reader *r = NULL;
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct verify_result v;
	struct fixture f;
	struct evidence *e;
	uint64_t size;

	fixture_begin(&f);
	e = fixture_open(&f);
	assert_int_equal(evidence_append_document(e, &(struct evidence_document){ .time = 5, .document = hash, .bytes = 9, .text_chars = 8, .contacts = 2,
		.type = STR("text/plain"), .label = LABEL_CONFIDENTIAL, .facts = STR("{\"label_why\":[]}") }, NULL), 0);
	assert_int_equal(evidence_append_place(e, &(struct evidence_place){ .time = 6, .path = STR("/srv/a.zip!/b"), .object = &object, .document = hash,
		.has_stat = true, .owner = 1000, .group = 100, .mode = 0100640, .bytes = 9, .modified = -1, .changed = 7 }, NULL), 0);
	assert_int_equal(evidence_append_place(e, &(struct evidence_place){ .time = 8, .path = STR("/srv/b"), .gone = true }, NULL), 0);
	assert_int_equal(evidence_append_alert(e, &(struct evidence_alert){ .time = 9, .number = 1, .phase = ALERT_CLOSED, .severity = SEVERITY_HIGH,
		.reason = ALERT_EXPECTED, .person = STR("clerk"), .rule = STR("mass-read"), .body = STR("{}"), .upto = 12, .account = &uid }, NULL), 0);
	evidence_close(e);
	assert_int_equal(evidence_reader_open(f.state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	assert_int_equal(evidence_each(r, 0, size, find_facts, &found), 0);
	assert_true(found.alerts == 1 && found.alert.present == (1u << ALERT_FIELDS_) - 1);
	assert_true(found.alert.value[ALERT_REASON] == ALERT_EXPECTED && found.alert.value[ALERT_UPTO] == 12);
	assert_name(evidence_reader_names(r), NAME_ACCOUNT, found.alert.value[ALERT_ACCOUNT], "1000");
	assert_true(found.documents == 1 && found.places == 2);
	assert_true(found.document.value[DOC_LABEL] == LABEL_CONFIDENTIAL && found.document.value[DOC_CONTACTS] == 2);
	assert_false(found.document.present >> DOC_ERROR & 1);
	assert_name(evidence_reader_names(r), NAME_TEXT, found.document.value[DOC_TYPE], "text/plain");
	assert_name(evidence_reader_names(r), NAME_GROUP, found.place.value[PLACE_GROUP], "100");
	assert_true(found.place.value[PLACE_MODE] == 0640 && (int64_t)found.place.value[PLACE_MODIFIED] == -1);
	assert_true(found.place.value[PLACE_DOCUMENT] == found.document.value[DOC_DOCUMENT]);
	assert_int_equal(names_path(evidence_reader_names(r), found.place.value[PLACE_PATH], &path), 0);
	assert_true(str_eq(buf_str(&path), STR("/srv/a.zip!/b")));
	evidence_reader_close(r);
	assert_true(fixture_verify(f.state, &v));
	fixture_end(&f);
}

/* Who empties the folder of the log gets no new log under the old key. */
static void emptied(void **state)
{
	const struct evidence_options o = { .create = true };
	struct verify_result v = { 0 };
	char command[256];
	struct fixture f;
	struct evidence *e;

	fixture_begin(&f);
	e = fixture_open(&f);
	fixture_fill(e, 0, 10, 10);
	evidence_close(e);
	snprintf(command, sizeof(command), "find %s/log -type f -delete", f.state);
	assert_int_equal(system(command), 0);
	assert_int_equal(evidence_open(f.state, &o, &e), -EUCLEAN);
	assert_false(fixture_verify(f.state, &v));
	fixture_end(&f);
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
	const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(documents_and_places),
		cmocka_unit_test(one_writer), cmocka_unit_test(emptied), cmocka_unit_test(rotation) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
