/* A container covers its parts; persons are counted once. Also: sets of keys, ACL as text, facts and places as messages. */
#include "../test.h"

#include <errno.h>

#include "document/cover.h"
#include "document/facts_wire.h"
#include "document/seen.h"
#include "document/walk.h"

static struct contacts_result contacts(const struct identifier *i, size_t n, uint64_t persons)
{
	return (struct contacts_result){ .persons = persons, .identifiers = i, .n = n };
}

static void persons_are_counted_once(void **state)
{
	struct cover *c = cover_new();
	_cleanup_buf_ struct buf why = BUF_INIT;
	/* m1: persons {10,11} and {12}; m2: person {12,13} is the second of m1, person {14} is new; the container itself names {11}. */
	const struct identifier m1[] = { { 10, 1, IDENT_EMAIL }, { 11, 1, IDENT_PHONE }, { 12, 2, IDENT_EMAIL } };
	const struct identifier m2[] = { { 12, 1, IDENT_EMAIL }, { 13, 1, IDENT_PHONE }, { 14, 2, IDENT_EMAIL }, { 15, 0, IDENT_PHONE } };
	const struct identifier own[] = { { 11, 1, IDENT_PHONE } };
	struct contacts_result r1 = contacts(m1, 3, 2), r2 = contacts(m2, 4, 2), r3 = contacts(own, 1, 1);
	struct facts f1 = { .contacts = 2, .findings[DET_EMAIL] = 2, .label = LABEL_INTERNAL }, f2 = { .contacts = 2, .findings[DET_EMAIL] = 2 };
	struct facts f3 = { .contacts = 1, .findings[DET_PHONE] = 1, .label_why = STR("own reason") };

	assert_int_equal(cover_part(c, STR("a"), &f1, &r1, &why), 0);
	assert_int_equal(cover_part(c, STR("b"), &f2, &r2, &why), 0);
	assert_int_equal(f1.contacts, 2);
	assert_int_equal(f2.contacts, 2);
	assert_int_equal(cover_part(c, STR(""), &f3, &r3, &why), 0);
	assert_int_equal(f3.contacts, 3);
	assert_int_equal(f3.findings[DET_EMAIL], 4);
	assert_int_equal(f3.findings[DET_PHONE], 1);
	assert_int_equal(f3.label, LABEL_INTERNAL);
	assert_true(str_eq(f3.label_why, STR("own reason\na inside is internal")));
	cover_free(c);
}

static void containers_in_containers(void **state)
{
	struct cover *c = cover_new();
	_cleanup_buf_ struct buf why = BUF_INIT;
	const struct identifier one[] = { { 1, 1, IDENT_EMAIL } }, two[] = { { 2, 1, IDENT_EMAIL } };
	struct contacts_result r1 = contacts(one, 1, 1), r2 = contacts(two, 1, 1), none = { 0 };
	struct facts before = { .contacts = 1 }, inner = { .contacts = 1, .label = LABEL_RESTRICTED }, box = { 0 }, all = { .label = LABEL_PUBLIC };

	/* "in.zip-x" begins like a member's name and is none. */
	assert_int_equal(cover_part(c, STR("in.zip-x"), &before, &r1, &why), 0);
	assert_int_equal(cover_part(c, STR("in.zip!/m"), &inner, &r2, &why), 0);
	assert_int_equal(cover_part(c, STR("in.zip"), &box, &none, &why), 0);
	assert_int_equal(box.contacts, 1);
	assert_int_equal(box.label, LABEL_RESTRICTED);
	assert_int_equal(cover_part(c, STR(""), &all, &none, &why), 0);
	assert_int_equal(all.contacts, 2);
	assert_int_equal(all.label, LABEL_RESTRICTED);
	cover_clear(c);
	all = (struct facts){ .contacts = 7 };
	assert_int_equal(cover_part(c, STR(""), &all, &none, &why), 0);
	assert_int_equal(all.contacts, 7);
	cover_free(c);
}

static void a_set_of_keys(void **state)
{
	struct seen s;

	assert_int_equal(seen_init(&s), 0);
	assert_int_equal(seen_get(&s, 5), 0);
	for (uint64_t k = 1; k < 100000; k++)
		assert_int_equal(seen_put(&s, k * 0x9e3779b97f4a7c15u, (uint8_t)(k % 200 + 1)), 0);
	for (uint64_t k = 1; k < 100000; k++)
		assert_int_equal(seen_get(&s, k * 0x9e3779b97f4a7c15u), k % 200 + 1);
	assert_int_equal(s.n, 99999);
	assert_int_equal(seen_put(&s, 0x9e3779b97f4a7c15u, 0), 0);
	assert_int_equal(seen_get(&s, 0x9e3779b97f4a7c15u), 0);
	assert_true(seen_key(&s, STR("a")) != seen_key(&s, STR("b")));
	seen_free(&s);
}

#define ENTRY(tag, perm, id) tag, 0, perm, 0, (id) & 0xff, (id) >> 8 & 0xff, (id) >> 16 & 0xff, (id) >> 24 & 0xff

static void access_control_lists(void **state)
{
	const uint8_t acl[] = { 2, 0, 0, 0, ENTRY(0x01, 6, 0xffffffffu), ENTRY(0x02, 4, 1000u), ENTRY(0x04, 5, 0xffffffffu), ENTRY(0x08, 7, 70000u),
		ENTRY(0x10, 5, 0xffffffffu), ENTRY(0x20, 0, 0xffffffffu) };
	const uint8_t unknown[] = { 2, 0, 0, 0, ENTRY(0x40, 6, 0u) };
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_int_equal(walk_acl_text((str){ (const char *)acl, sizeof(acl) }, &b), 0);
	assert_true(str_eq(buf_str(&b), STR("user:1000:r--,group::r-x,group:70000:rwx,mask::r-x")));
	assert_int_equal(walk_acl_text((str){ (const char *)acl, sizeof(acl) - 1 }, &b), -EBADMSG);
	assert_int_equal(walk_acl_text((str){ (const char *)acl, 3 }, &b), -EBADMSG);
	assert_int_equal(walk_acl_text((str){ (const char *)unknown, sizeof(unknown) }, &b), -EBADMSG);
}

static void facts_go_through(void **state)
{
	struct facts f = { .hash = { 1, 2, 3 }, .bytes = 1ull << 40, .type = STR("text/plain"), .label = LABEL_CONFIDENTIAL, .label_why = STR("footer\nheader"),
		.contacts = 3, .clients = 2, .text_chars = 99, .error = STR("corrupt"), .wants_ocr = true, .version = 7 }, g;
	_cleanup_buf_ struct buf b = BUF_INIT, scratch = BUF_INIT;

	f.findings[DET_IBAN] = 4;
	facts_wire_put(&b, &f);
	assert_int_equal(facts_wire_take(buf_str(&b), &g, &scratch), 0);
	assert_memory_equal(g.hash, f.hash, 32);
	assert_true(g.bytes == f.bytes && g.label == f.label && g.contacts == 3 && g.clients == 2 && g.text_chars == 99 && g.wants_ocr && g.version == 7);
	assert_true(str_eq(g.type, f.type) && str_eq(g.label_why, f.label_why) && str_eq(g.error, f.error));
	assert_int_equal(g.findings[DET_IBAN], 4);
	for (size_t n = 0; n < b.n; n++) {
		/* A copy of exactly that size, so that reading behind it is seen. */
		char *cut = malloc(n + 1);

		memcpy(cut, b.p, n);
		assert_int_equal(facts_wire_take((str){ cut, n }, &g, &scratch), -EBADMSG);
		free(cut);
	}
	buf_putc(&b, 0);
	assert_int_equal(facts_wire_take(buf_str(&b), &g, &scratch), -EBADMSG);
}

static void places_go_through(void **state)
{
	struct place p = { .path = STR("/srv/\xff"), .object = { 1, 1ull << 63, 3 }, .has_object = true, .has_document = true, .document = { 9 }, .has_stat = true,
		.owner = UINT32_MAX, .group = 7, .mode = 07777, .acl = STR("mask::r--"), .bytes = 5, .modified = -6, .changed = INT64_MAX, .time = 8 }, q;
	_cleanup_buf_ struct buf b = BUF_INIT;
	enum event_label label;
	struct facts f = { .label = LABEL_PUBLIC };
	int64_t started;

	place_wire_put(&b, &p);
	assert_int_equal(place_wire_take(buf_str(&b), &q), 0);
	assert_true(str_eq(q.path, p.path) && q.object.ino == p.object.ino && q.object.gen == 3 && q.document[0] == 9 && q.owner == UINT32_MAX && q.mode == 07777);
	assert_true(q.modified == -6 && q.changed == INT64_MAX && q.time == 8 && !q.gone && str_eq(q.acl, p.acl) && q.error.n == 0);
	for (size_t n = 0; n < b.n; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, b.p, n);
		assert_int_equal(place_wire_take((str){ cut, n }, &q), -EBADMSG);
		free(cut);
	}
	buf_clear(&b);
	place_wire_put(&b, &(struct place){ .path = STR("x"), .gone = true, .time = 1 });
	assert_int_equal(place_wire_take(buf_str(&b), &q), 0);
	assert_true(q.gone && !q.has_object && !q.has_document && !q.has_stat);
	b.p[0] = 16;
	assert_int_equal(place_wire_take(buf_str(&b), &q), -EBADMSG);
	buf_clear(&b);
	place_wire_put(&b, &(struct place){ .path = STR_NONE });
	assert_int_equal(place_wire_take(buf_str(&b), &q), -EBADMSG);
	buf_clear(&b);
	known_wire_put(&b, &p, &f, 44);
	assert_int_equal(known_wire_take(buf_str(&b), &q, &label, &started), 0);
	assert_true(q.object.ino == p.object.ino && q.document[0] == 9 && label == LABEL_PUBLIC && started == 44);
	assert_int_equal(known_wire_take((str){ b.p, b.n - 1 }, &q, &label, &started), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(persons_are_counted_once), cmocka_unit_test(containers_in_containers), cmocka_unit_test(a_set_of_keys),
		cmocka_unit_test(access_control_lists), cmocka_unit_test(facts_go_through), cmocka_unit_test(places_go_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
