/* Who had a content: by what records say, by the object and when, by path, through renames and containers; and never who only had another version. */
#include "../evidence/store_fixture.h"

#include <errno.h>

#include "document/holders.h"

#define S NSEC_PER_SEC
#define T0 (1800000000 * S)

static const uint8_t first_hash[32] = { 1 }, second_hash[32] = { 2 }, third_hash[32] = { 3 }, box_hash[32] = { 4 }, member_hash[32] = { 5 };
static const struct event_object plan = { 2049, 17, 3 }, other = { 2049, 18, 1 }, box = { 2049, 19, 1 };

struct world {
	struct fixture f;
	struct evidence *e;
	struct documents *d;
	struct holders *h;
};

static void place(struct world *w, int64_t at, const char *path, const struct event_object *o, const uint8_t *hash)
{
	assert_int_equal(evidence_append_place(w->e, &(struct evidence_place){ .time = T0 + at * S, .path = str_c(path), .object = o, .document = hash,
		.has_stat = o != NULL, .mode = 0640 }, NULL), 0);
}

static struct event access_by(int64_t at, const char *person, enum event_verb verb, const char *path, const struct event_object *o)
{
	struct event e = { .present = EV_BIT(EV_TIME) | EV_BIT(EV_VERB) | EV_BIT(EV_SEEN) | EV_BIT(EV_PERSON) | EV_BIT(EV_PATH), .time = T0 + at * S, .verb = verb,
		.seen = SEEN_ACCESS, .person = str_c(person), .path = str_c(path) };

	if (o) {
		event_set(&e, EV_OBJECT);
		e.object = *o;
	}
	return e;
}

static void put(struct world *w, struct event e)
{
	assert_int_equal(evidence_append_event(w->e, &e, NULL), 0);
}

static void access_to(struct world *w, int64_t at, const char *person, enum event_verb verb, const char *path, const struct event_object *o)
{
	put(w, access_by(at, person, verb, path, o));
}

/* The log is done: the table follows it; indexed or not. */
static void ask_now(struct world *w, bool indexed)
{
	struct evidence_reader *r = NULL;
	struct index *x = NULL;
	uint64_t size;

	assert_int_equal(evidence_commit(w->e), 0);
	assert_int_equal(documents_open(w->f.state, true, &w->d), 0);
	assert_int_equal(evidence_reader_open(w->f.state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	assert_int_equal(documents_advance(w->d, r, size), 0);
	if (indexed) {
		assert_int_equal(index_open(w->f.state, &x), 0);
		assert_int_equal(index_advance(x, r, size - 1, 0), 0);
		index_close(x);
	}
	evidence_reader_close(r);
	assert_int_equal(holders_open(w->f.state, w->d, &w->h), 0);
}

static int list_person(void *arg, const struct index_who *who)
{
	buf_puts(arg, who->person);
	buf_putf(arg, "×%llu ", (unsigned long long)who->count);
	return 0;
}

static void had(struct world *w, const uint8_t (*hashes)[32], size_t n, const char *want)
{
	_cleanup_buf_ struct buf list = BUF_INIT;

	if (holders_each(w->h, hashes, n, 0, 0, list_person, &list) < 0)
		fail_msg("%s", holders_why());
	buf_cstr(&list);
	assert_string_equal(list.p ? list.p : "", want);
}

static void had_one(struct world *w, const uint8_t hash[static 32], const char *want)
{
	uint8_t hashes[1][32];

	memcpy(hashes[0], hash, 32);
	had(w, hashes, 1, want);
}

static void begin(struct world *w)
{
	*w = (struct world){ 0 };
	fixture_begin(&w->f);
	w->e = fixture_open(&w->f);
}

static void end(struct world *w)
{
	holders_close(w->h);
	documents_close(w->d);
	evidence_close(w->e);
	fixture_end(&w->f);
}

static void versions(struct world *w)
{
	place(w, 100, "/srv/plan", &plan, first_hash);
	access_to(w, 50, "before", VERB_READ, "/srv/plan", &plan);
	access_to(w, 110, "one", VERB_READ, "/srv/plan", &plan);
	access_to(w, 111, "one", VERB_READ, "/srv/plan", &plan);
	access_to(w, 200, "writer", VERB_WRITE, "/srv/plan", &plan);
	access_to(w, 208, "writer", VERB_WRITE, "/srv/plan", &plan); /* the same burst */
	place(w, 230, "/srv/plan", &plan, second_hash);
	access_to(w, 240, "two", VERB_READ, "/srv/plan", &plan);
	access_to(w, 250, "mover", VERB_RENAME, "/srv/plan", &plan);
	access_to(w, 260, "three", VERB_READ, "/srv/moved", &plan);
	access_to(w, 300, "writer", VERB_WRITE, "/srv/moved", &plan);
	access_to(w, 310, "unseen", VERB_READ, "/srv/moved", &plan); /* a version that no scan has seen */
	access_to(w, 330, "writer", VERB_WRITE, "/srv/moved", &plan);
	place(w, 350, "/srv/moved", &plan, third_hash);
	access_to(w, 360, "four", VERB_READ, "/srv/moved", &plan);
	access_to(w, 370, "remover", VERB_DELETE, "/srv/moved", &plan);
}

static void each_version_has_its_readers(void **state)
{
	for (int indexed = 0; indexed < 2; indexed++) {
		const uint8_t both[2][32] = { { 1 }, { 2 } };
		struct world w;

		begin(&w);
		versions(&w);
		ask_now(&w, indexed);
		had_one(&w, first_hash, "one×2 before×1 ");
		had_one(&w, second_hash, "three×1 mover×1 two×1 writer×2 ");
		had_one(&w, third_hash, "remover×1 four×1 writer×1 ");
		had(&w, both, 2, "three×1 mover×1 two×1 writer×2 one×2 before×1 ");
		end(&w);
	}
}

static void what_a_record_says_counts_more(void **state)
{
	struct world w;
	struct event e;

	begin(&w);
	place(&w, 100, "/srv/plan", &plan, first_hash);
	/* In an object that no scan has seen it in. */
	e = access_by(110, "elsewhere", VERB_READ, "/mnt/copy", &other);
	event_set(&e, EV_DOCUMENT);
	memcpy(e.document, first_hash, 32);
	put(&w, e);
	/* In this object, but the record says another content. */
	e = access_by(120, "another", VERB_READ, "/srv/plan", &plan);
	event_set(&e, EV_DOCUMENT);
	memcpy(e.document, second_hash, 32);
	put(&w, e);
	/* Counted once, though found by content and by object. */
	e = access_by(130, "both", VERB_READ, "/srv/plan", &plan);
	event_set(&e, EV_DOCUMENT);
	memcpy(e.document, first_hash, 32);
	put(&w, e);
	ask_now(&w, true);
	had_one(&w, first_hash, "both×1 elsewhere×1 ");
	end(&w);
}

static void our_own_reading_does_not_count(void **state)
{
	char own[4096] = "";
	struct world w;
	struct event e;

	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	begin(&w);
	place(&w, 100, "/srv/plan", &plan, first_hash);
	for (uint32_t uid = 0; uid < 2; uid++)
		for (int ours = 0; ours < 2; ours++) {
			e = access_by(110 + ours, uid ? "person" : "root", VERB_READ, "/srv/plan", &plan);
			event_set(&e, EV_UID);
			e.uid = uid;
			event_set(&e, EV_PROGRAM);
			e.program = ours ? str_c(own) : STR("/usr/bin/cat");
			put(&w, e);
		}
	ask_now(&w, true);
	had_one(&w, first_hash, "person×2 root×1 ");
	end(&w);
}

static void a_change_that_no_record_tells_of(void **state)
{
	struct world w;

	begin(&w);
	place(&w, 100, "/srv/plan", &plan, first_hash);
	access_to(&w, 110, "first", VERB_READ, "/srv/plan", &plan);
	place(&w, 200, "/srv/plan", &plan, second_hash);
	access_to(&w, 210, "second", VERB_READ, "/srv/plan", &plan);
	ask_now(&w, true);
	/* Between the two sightings it may have been either. */
	had_one(&w, first_hash, "first×1 ");
	had_one(&w, second_hash, "second×1 first×1 ");
	end(&w);
}

static void changed_and_changed_back(void **state)
{
	struct world w;

	begin(&w);
	place(&w, 100, "/srv/plan", &plan, first_hash);
	access_to(&w, 150, "writer", VERB_WRITE, "/srv/plan", &plan);
	place(&w, 170, "/srv/plan", &plan, second_hash);
	access_to(&w, 180, "between", VERB_READ, "/srv/plan", &plan);
	access_to(&w, 200, "back", VERB_WRITE, "/srv/plan", &plan);
	place(&w, 220, "/srv/plan", &plan, first_hash);
	access_to(&w, 230, "after", VERB_READ, "/srv/plan", &plan);
	ask_now(&w, false);
	had_one(&w, first_hash, "after×1 back×1 ");
	had_one(&w, second_hash, "between×1 writer×1 ");
	end(&w);
}

static void records_without_an_object(void **state)
{
	struct world w;

	begin(&w);
	access_to(&w, 10, "writer", VERB_WRITE, "/srv/plan", NULL);
	access_to(&w, 20, "reader", VERB_READ, "/srv/plan", NULL);
	access_to(&w, 20, "neighbour", VERB_READ, "/srv/plan2", NULL);
	place(&w, 100, "/srv/plan", &plan, first_hash);
	access_to(&w, 110, "late", VERB_READ, "/srv/plan", NULL);
	access_to(&w, 150, "writer", VERB_WRITE, "/srv/plan", NULL);
	access_to(&w, 160, "new", VERB_READ, "/srv/plan", NULL);
	ask_now(&w, true);
	had_one(&w, first_hash, "late×1 reader×1 writer×1 ");
	end(&w);
}

static void a_part_is_had_with_its_container(void **state)
{
	struct world w;

	begin(&w);
	place(&w, 100, "/srv/a!/box.zip!/in/m.txt", NULL, member_hash);
	place(&w, 100, "/srv/a!/box.zip", &box, box_hash);
	access_to(&w, 110, "opener", VERB_READ, "/srv/a!/box.zip", &box);
	access_to(&w, 200, "writer", VERB_WRITE, "/srv/a!/box.zip", &box);
	place(&w, 230, "/srv/a!/box.zip", &box, third_hash);
	access_to(&w, 240, "later", VERB_READ, "/srv/a!/box.zip", &box);
	ask_now(&w, true);
	had_one(&w, member_hash, "opener×1 ");
	had_one(&w, third_hash, "later×1 writer×1 ");
	end(&w);
}

static void in_a_time(void **state)
{
	_cleanup_buf_ struct buf list = BUF_INIT;
	const uint8_t hash[1][32] = { { 2 } };
	struct world w;

	begin(&w);
	versions(&w);
	ask_now(&w, true);
	assert_int_equal(holders_each(w.h, hash, 1, T0 + 240 * S, T0 + 260 * S, list_person, &list), 0);
	assert_string_equal(buf_cstr(&list), "mover×1 two×1 ");
	end(&w);
}

static void its_last_path(void **state)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct world w;
	struct event e;
	bool gone = true;

	begin(&w);
	place(&w, 100, "/srv/plan", &plan, first_hash);
	e = access_by(150, "mover", VERB_RENAME, "/srv/plan", &plan);
	event_set(&e, EV_TO);
	e.to = STR("/srv/moved since");
	put(&w, e);
	place(&w, 100, "/srv/other", &other, second_hash);
	place(&w, 200, "/srv/other", &other, third_hash);
	ask_now(&w, true);
	assert_int_equal(holders_path(w.h, first_hash, &path, &gone), 0);
	assert_string_equal(buf_cstr(&path), "/srv/moved since");
	assert_false(gone);
	buf_clear(&path);
	assert_int_equal(holders_path(w.h, second_hash, &path, &gone), 0);
	assert_string_equal(buf_cstr(&path), "/srv/other");
	assert_true(gone);
	assert_int_equal(holders_path(w.h, box_hash, &path, &gone), -ENOENT);
	end(&w);
}

static void too_many_places(void **state)
{
	struct world w;

	begin(&w);
	for (unsigned i = 0; i < HOLDERS_PLACES + 7; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/srv/copy %u", i);
		place(&w, 100, path, &(struct event_object){ 1, 100 + i, 0 }, first_hash);
	}
	access_to(&w, 110, "reader", VERB_READ, "/srv/copy 0", &(struct event_object){ 1, 100, 0 });
	ask_now(&w, true);
	had_one(&w, first_hash, "reader×1 ");
	assert_int_equal(holders_more(w.h), 7);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_has_its_readers), cmocka_unit_test(what_a_record_says_counts_more), cmocka_unit_test(our_own_reading_does_not_count),
		cmocka_unit_test(a_change_that_no_record_tells_of), cmocka_unit_test(changed_and_changed_back), cmocka_unit_test(records_without_an_object),
		cmocka_unit_test(a_part_is_had_with_its_container), cmocka_unit_test(in_a_time), cmocka_unit_test(its_last_path), cmocka_unit_test(too_many_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
