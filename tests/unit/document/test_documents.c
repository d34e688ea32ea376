/* The table of documents says what the log says: kept up, made anew, and after everything was overwritten or deleted. */
#include "../evidence/store_fixture.h"

#include <errno.h>
#include <fcntl.h>

#include "document/documents.h"
#include "document/inventory_private.h"
#include "document/prints.h"

static const uint8_t first_hash[32] = { 1 }, second_hash[32] = { 2 };
static const struct event_object object = { 2049, 17, 3 };

static void append_document(struct evidence *e, const uint8_t *hash, enum event_label label, const char *facts)
{
	assert_int_equal(evidence_append_document(e, &(struct evidence_document){ .time = 5, .document = hash, .bytes = 9, .text_chars = 8, .contacts = 2,
		.type = STR("text/plain"), .label = label, .facts = str_c(facts) }, NULL), 0);
}

static void append_place(struct evidence *e, const char *path, const uint8_t *hash, int64_t time)
{
	assert_int_equal(evidence_append_place(e, &(struct evidence_place){ .time = time, .path = str_c(path), .object = &object, .document = hash,
		.has_stat = true, .owner = 1000, .group = 100, .mode = 0640, .bytes = 9, .modified = -1, .changed = 7, .acl = STR("user:7:r--") }, NULL), 0);
}

static void follow_log(const char *state, struct documents *d)
{
	struct evidence_reader *r = NULL;
	uint64_t size;

	assert_int_equal(evidence_reader_open(state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	if (documents_advance(d, r, size) != 0)
		fail_msg("advance: %s", documents_why());
	assert_true(documents_known(d) == size);
	evidence_reader_close(r);
}

static int list_paths(void *arg, const struct place *p)
{
	buf_puts(arg, p->path);
	buf_putc(arg, ' ');
	return 0;
}

static int list_stood(void *arg, const struct stood *s)
{
	buf_puts(arg, s->path);
	buf_putf(arg, " %lld-%lld ", (long long)s->first, (long long)s->last);
	assert_true(s->has_object && s->object.ino == 17);
	return 0;
}

static void check_all(struct documents *d)
{
	_cleanup_buf_ struct buf scratch = BUF_INIT, list = BUF_INIT;
	struct documents_stat st;
	uint64_t count;
	struct facts f;
	struct place p;

	assert_int_equal(documents_facts(d, first_hash, &scratch, &f), 0);
	assert_true(f.label == LABEL_RESTRICTED && f.findings[DET_EMAIL] == 4 && f.contacts == 2 && f.version == 1);
	assert_str(f.label_why, "footer says x\nheader says y");
	assert_str(f.type, "text/plain");
	assert_int_equal(documents_facts(d, second_hash, &scratch, &f), -ENOENT); /* its place is known, what it holds is not */

	assert_int_equal(documents_place(d, STR("/srv/a"), &scratch, &p), 0);
	assert_true(p.has_document && memcmp(p.document, second_hash, 32) == 0 && p.owner == 1000 && p.mode == 0640 && p.modified == -1 && !p.gone);
	assert_str(p.acl, "user:7:r--");
	assert_int_equal(documents_place(d, STR("/srv/b"), &scratch, &p), 0);
	assert_true(p.gone && p.time == 9);
	assert_int_equal(documents_place(d, STR("/srv"), &scratch, &p), -ENOENT);

	/* Three names stand for one object: a place that still is there speaks for it. */
	assert_int_equal(documents_object(d, &object, &scratch, &p), 0);
	assert_false(p.gone);

	documents_places(d, STR("/srv/a"), true, list_paths, &list);
	assert_str(buf_str(&list), "/srv/a /srv/a!/in /srv/a/x ");
	buf_clear(&list);
	documents_places(d, STR_NONE, false, list_paths, &list);
	assert_str(buf_str(&list), "/srv/a /srv/a!/in /srv/a-b /srv/a/x ");
	buf_clear(&list);
	documents_stood(d, first_hash, list_stood, &list);
	assert_str(buf_str(&list), "/srv/b 2-2 /srv/a 1-1 ");
	assert_int_equal(documents_count(d, &count), 0);
	assert_true(count == 2);
	assert_int_equal(documents_stat(d, &st), 0);
	assert_true(st.documents == 1 && st.places == 5 && st.gone == 1 && st.labels[LABEL_RESTRICTED] == 1);
}

static void fill(struct evidence *e)
{
	append_place(e, "/srv/a", first_hash, 1);
	append_place(e, "/srv/b", first_hash, 2);
	append_document(e, first_hash, LABEL_INTERNAL, "{}");
	append_document(e, first_hash, LABEL_RESTRICTED,
		"{\"version\":1,\"findings\":{\"email\":4,\"of_a_later_version\":1},\"label_why\":[\"footer says x\",\"header says y\"]}");
	append_place(e, "/srv/a/x", second_hash, 3);
	append_place(e, "/srv/a-b", second_hash, 3);
	append_place(e, "/srv/a!/in", second_hash, 3);
	append_place(e, "/srv/a", second_hash, 4);
	assert_int_equal(evidence_append_place(e, &(struct evidence_place){ .time = 9, .path = STR("/srv/b"), .gone = true }, NULL), 0);
}

static void same_as_the_log(void **state)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct documents *d = NULL;
	struct fixture f;
	struct evidence *e;
	int fd;

	fixture_begin(&f);
	e = fixture_open(&f);
	fill(e);
	evidence_close(e);
	assert_int_equal(documents_open(f.state, true, &d), 0);
	follow_log(f.state, d);
	check_all(d);
	d = documents_close(d);

	/* Again, and by a reader. */
	assert_int_equal(documents_open(f.state, false, &d), 0);
	check_all(d);
	d = documents_close(d);

	/* Damaged: a reader says so, a writer makes it anew. */
	buf_putf(&path, "%s/documents/documents.db", f.state);
	fd = open(buf_cstr(&path), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "damage damage damage", 20, 0), 20);
	close(fd);
	assert_int_equal(documents_open(f.state, false, &d), -EUCLEAN);
	assert_int_equal(documents_open(f.state, true, &d), 0);
	assert_true(documents_known(d) == 0);
	follow_log(f.state, d);
	check_all(d);
	documents_close(d);
	fixture_end(&f);
}

static void facts_in_json(void **state)
{
	const struct place p = { .path = STR("/srv/\xff"), .has_object = true, .object = { 1, 2, 3 }, .has_document = true, .bytes = 7, .has_stat = true, .mode = 0604 };
	struct facts f = { .type = STR("text/plain"), .label = LABEL_PUBLIC, .label_why = STR("a\nb"), .contacts = 3, .version = FACTS_VERSION, .wants_ocr = true,
		.public_ = true }, g = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT, scratch = BUF_INIT;
	static const char *const bad[] = { "", "[]", "{}", "{\"findings\":{},\"label_why\":[1]}", "{\"findings\":{\"email\":-1},\"label_why\":[]}",
		"{\"findings\":{},\"label_why\":[]} x", "{\"findings\":{},\"label_why\":[],\"version\":4294967296}" };

	f.findings[DET_SECRET_JWT] = UINT32_MAX;
	facts_pack(&b, &f);
	assert_int_equal(facts_unpack(buf_str(&b), &g, &scratch), 0);
	assert_true(g.findings[DET_SECRET_JWT] == UINT32_MAX && g.wants_ocr && g.public_ && g.version == FACTS_VERSION);
	assert_int_equal(facts_unpack(STR("{\"findings\":{},\"label_why\":[]}"), &g, &scratch), 0); /* older than the mark */
	assert_false(g.public_);
	assert_int_equal(facts_unpack(buf_str(&b), &g, &scratch), 0);
	assert_str(g.label_why, "a\nb");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(facts_unpack(str_c(bad[i]), &g, &scratch), -EBADMSG);
	buf_clear(&b);
	facts_write_json(&b, &p, &f, STR("clerk"), STR_NONE);
	assert_str(buf_str(&b), "{\"path\":\"/srv/\xef\xbf\xbd\",\"path_b64\":\"L3Nydi//\",\"object\":\"1:2:3\",\"document\":\"sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000\",\"bytes\":7,\"owner\":\"clerk\",\"group\":\"gid:0\",\"mode\":\"0604\","
		"\"modified\":\"1970-01-01T00:00:00Z\",\"type\":\"text/plain\",\"label\":\"public\",\"label_why\":[\"a\",\"b\"],"
		"\"findings\":{\"secret_jwt\":4294967295},\"contacts\":3,\"text_chars\":0,\"waiting_ocr\":true,\"public\":true}");
}

/* What an older version has read is not known well enough: the next scan reads it again, though nothing of it has changed. */
static void older_version(void **state)
{
	static const uint8_t *const hashes[] = { first_hash, second_hash };
	struct inventory_config config = { 0 };
	struct inventory inv = { .c = &config };
	struct prints_made none = { 0 };
	struct evidence *e;
	struct fixture f;
	struct facts facts;

	fixture_begin(&f);
	e = fixture_open(&f);
	assert_int_equal(documents_open(f.state, true, &config.documents), 0);
	assert_int_equal(prints_open(f.state, true, &config.prints), 0);
	for (uint32_t i = 0; i < 2; i++) { /* of the last version, of this one */
		_cleanup_buf_ struct buf text = BUF_INIT;

		facts_pack(&text, &(struct facts){ .version = FACTS_VERSION - 1 + i });
		append_document(e, hashes[i], 0, buf_cstr(&text));
		assert_int_equal(documents_identifiers(config.documents, hashes[i], FACTS_VERSION - 1 + i, NULL, 0), 0);
		assert_int_equal(prints_put(config.prints, hashes[i], &none), 0);
	}
	assert_int_equal(prints_commit(config.prints), 0);
	assert_int_equal(documents_commit(config.documents), 0);
	assert_int_equal(evidence_commit(e), 0);
	evidence_close(e);
	follow_log(f.state, config.documents);
	assert_false(inventory_knows(&inv, first_hash, &facts));
	assert_true(inventory_knows(&inv, second_hash, &facts));
	buf_free(&inv.facts_scratch);
	prints_close(config.prints);
	documents_close(config.documents);
	fixture_end(&f);
}

static int list_holder(void *arg, const uint8_t hash[static 32], uint64_t count)
{
	buf_putf(arg, "%d:%llu ", hash[0], (unsigned long long)count);
	return 0;
}

static int sum_persons(void *arg, const struct identifier *i)
{
	buf_putf(arg, "%llu/%u/%u ", (unsigned long long)i->key, i->person, i->kind);
	return 0;
}

static void identifiers(void **state)
{
	static const struct identifier of_first[] = { { 3, 1, IDENT_EMAIL }, { 5, 1, IDENT_PHONE }, { 9, 0, IDENT_CELL } }, of_second[] = { { 5, 7, IDENT_PHONE } };
	static const uint64_t keys[] = { 3, 4, 5, 9 };
	_cleanup_buf_ struct buf list = BUF_INIT, path = BUF_INIT;
	struct documents *d = NULL, *r = NULL;
	struct documents_stat st;
	struct fixture f;

	fixture_begin(&f);
	evidence_close(fixture_open(&f));
	assert_int_equal(documents_open(f.state, true, &d), 0);
	assert_int_equal(documents_open(f.state, false, &r), 0);
	assert_false(documents_has_identifiers(r, first_hash, 1));
	assert_int_equal(documents_containing(r, keys, 4, 10, list_holder, &list), 0);
	assert_int_equal(documents_identifiers(d, first_hash, 1, of_first, 3), 0);
	assert_int_equal(documents_identifiers(d, second_hash, 1, of_second, 1), 0);
	assert_false(documents_has_identifiers(r, first_hash, 1)); /* not durable yet */
	assert_int_equal(documents_commit(d), 0);
	assert_true(documents_has_identifiers(r, first_hash, 1));
	assert_false(documents_has_identifiers(r, first_hash, 2));
	assert_int_equal(documents_containing(r, keys, 4, 10, list_holder, &list), 0);
	assert_str(buf_str(&list), "1:3 2:1 ");
	buf_clear(&list);
	assert_int_equal(documents_containing(r, keys, 4, 1, list_holder, &list), 0);
	assert_str(buf_str(&list), "1:3 ");
	buf_clear(&list);
	assert_int_equal(documents_identifiers_of(r, &second_hash, 1, sum_persons, &list), 0);
	assert_str(buf_str(&list), "5/7/2 ");
	assert_int_equal(documents_stat(r, &st), 0);
	assert_true(st.identifiers == 4 && st.disk > 0);

	/* Made by a newer version: in place of what was there. */
	assert_int_equal(documents_identifiers(d, first_hash, 2, of_first, 1), 0);
	assert_int_equal(documents_commit(d), 0);
	assert_true(documents_has_identifiers(r, first_hash, 2));
	buf_clear(&list);
	assert_int_equal(documents_containing(r, keys, 4, 10, list_holder, &list), 0);
	assert_str(buf_str(&list), "2:1 1:1 "); /* taken in anew: behind the other */
	documents_close(r);
	documents_close(d);

	/* Damaged: a reader says so, a writer begins anew and says that a scan is due. */
	buf_putf(&path, "%s/documents/identifiers/manifest", f.state);
	assert_int_equal(truncate(buf_cstr(&path), 10), 0);
	assert_int_equal(documents_open(f.state, false, &r), 0);
	assert_int_equal(documents_containing(r, keys, 4, 10, list_holder, &list), -EUCLEAN);
	documents_close(r);
	assert_int_equal(documents_open(f.state, true, &d), 0);
	assert_false(documents_has_identifiers(d, first_hash, 2));
	assert_true(documents_identifiers_lost(d));
	assert_int_equal(documents_identifiers(d, first_hash, 2, of_first, 3), 0);
	assert_true(documents_has_identifiers(d, first_hash, 2));
	documents_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(identifiers), cmocka_unit_test(same_as_the_log), cmocka_unit_test(facts_in_json),
		cmocka_unit_test(older_version) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
