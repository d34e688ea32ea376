/* The filter over an event, for records as they come, gives what the index gives for the same question; leaves of later kinds are passed over. */
#include "../evidence/store_fixture.h"

#include "evidence/store.h"
#include "index/index.h"

#define EVENTS 600

static uint64_t seed = 0x9e3779b97f4a7c15ULL;

static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static char texts[8][64];

static str text(int slot, const char *before, unsigned n, const char *after)
{
	return (str){ texts[slot], (size_t)snprintf(texts[slot], sizeof(texts[slot]), "%s%u%s", before, n, after) };
}

static void make(struct event *e)
{
	*e = (struct event){ .time = (int64_t)(1750000000 + rnd(5000000)) * NSEC_PER_SEC, .verb = 1 + rnd(VERB_MAX_ - 1), .uid = 1000 + rnd(3), .via = 1 + rnd(4),
		.label = 1 + rnd(4), .object = { 8, 100 + rnd(5), 1 } };
	event_set(e, EV_TIME);
	event_set(e, EV_VERB);
	e->path = text(0, "/srv/d", rnd(4), rnd(2) ? "/f" : "");
	e->to = text(1, "/srv/to/f", rnd(4), "");
	e->person = text(2, "p", rnd(3), "");
	e->client = text(3, "10.0.0.", rnd(3), "");
	memset(e->document, (int)rnd(3), 32);
	static const enum event_field maybe[] = { EV_PATH, EV_TO, EV_PERSON, EV_UID, EV_VIA, EV_LABEL, EV_CLIENT, EV_OBJECT, EV_DOCUMENT };
	for (size_t i = 0; i < ARRAY_SIZE(maybe); i++)
		if (rnd(4))
			event_set(e, maybe[i]);
}

struct answer {
	const struct index_filter *f;
	bool seen[4 * EVENTS];
	unsigned n;
};

static int take(void *arg, const struct event *e)
{
	struct answer *a = arg;

	if (!a->f || index_matches(a->f, e)) {
		a->seen[e->seq] = true;
		a->n++;
	}
	return 0;
}

static const uint8_t zeros[32];
static const struct event_object object = { 8, 101, 1 };

/* One condition, or several. */
static void some_filter(struct index_filter *f, str persons[static 2])
{
	static const char *const paths[] = { "/srv/d1", "/srv/d1/", "/srv/d*", "f", "/srv/**", "/srv/to/f2", "f?" }, *const who[] = { "p1", "p2", "uid:1001", "nobody" };

	*f = (struct index_filter){ 0 };
	if (rnd(4) == 0)
		f->since = (int64_t)(1750000000 + rnd(5000000)) * NSEC_PER_SEC;
	if (rnd(4) == 0)
		f->until = (int64_t)(1750000000 + rnd(5000000)) * NSEC_PER_SEC;
	f->below = rnd(5) ? 0 : 1 + rnd(EVENTS);
	f->verbs = rnd(3) ? 0 : 1ULL << (1 + rnd(5)) | 1ULL << (1 + rnd(5));
	f->vias = rnd(4) ? 0 : 1ULL << (1 + rnd(4));
	f->labels = rnd(4) ? 0 : 1ULL << (1 + rnd(4));
	f->client = rnd(5) ? STR_NONE : STR("10.0.0.1");
	f->document = rnd(5) ? NULL : zeros;
	f->object = rnd(5) ? NULL : &object;
	f->path_glob = rnd(2) ? STR_NONE : str_c(paths[rnd(ARRAY_SIZE(paths))]);
	f->n_persons = rnd(3);
	for (size_t i = 0; i < f->n_persons; i++)
		persons[i] = str_c(who[rnd(ARRAY_SIZE(who))]);
	f->persons = persons;
}

static void compare(const char *state)
{
	unsigned matched = 0;

	for (int i = 0; i < 400; i++) {
		const struct index_filter all = { 0 };
		struct answer want = { 0 }, got = { 0 };
		struct index_filter f;
		str persons[2];

		some_filter(&f, persons);
		got.f = &f;
		if (index_events(state, &f, take, &want) < 0 || index_events(state, &all, take, &got) < 0)
			fail_msg("%s", index_why());
		if (want.n != got.n || memcmp(want.seen, got.seen, sizeof(want.seen)) != 0)
			fail_msg("filter %d: the index gives %u, the filter %u (path %.*s)", i, want.n, got.n, STR_ARG(f.path_glob));
		matched += want.n;
	}
	assert_in_range(matched, 400, 400 * EVENTS / 2);
}

static void live_as_stored(void **unused)
{
	struct fixture f;
	struct evidence *ev;
	struct evidence_reader *r = NULL;
	struct index *x = NULL;
	uint64_t size;

	fixture_begin(&f);
	ev = fixture_open(&f);
	for (unsigned i = 0; i < EVENTS; i++) {
		const uint8_t later[] = { LEAF_VERSION, LEAF_KIND_MAX_ + 1, 7 };
		struct event e;

		make(&e);
		assert_int_equal(evidence_append_event(ev, &e, NULL), 0);
		if (i % 100 == 50)
			assert_int_equal(leaves_add(&ev->pending, later, sizeof(later)), 0);
	}
	evidence_close(ev);
	compare(f.state); /* all in the tail */
	assert_int_equal(evidence_reader_open(f.state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	assert_int_equal(index_open(f.state, &x), 0);
	if (index_advance(x, r, size, 0) < 0)
		fail_msg("%s", index_why());
	assert_int_equal(index_indexed(x), size);
	index_close(x);
	evidence_reader_close(r);
	compare(f.state);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(live_as_stored) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
