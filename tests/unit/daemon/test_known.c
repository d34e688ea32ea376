/* Which content stands where: clean until written, and a scan counts only when it began late enough. */
#include "../test.h"

#include "daemon/known.h"

#define S NSEC_PER_SEC

static const uint8_t first[32] = { 1 }, second[32] = { 2 };

static struct event_object object(uint64_t ino)
{
	return (struct event_object){ 2049, ino, 7 };
}

static void written_and_scanned_again(void **state)
{
	struct known *k = known_new(0);
	struct event_object o = object(1), other = { 2049, 1, 8 };
	enum event_label label;

	assert_null(known_get(k, &o, &label));
	assert_int_equal(label, 0);
	known_put(k, &o, first, LABEL_CONFIDENTIAL, 100 * S);
	assert_memory_equal(known_get(k, &o, &label), first, 32);
	assert_int_equal(label, LABEL_CONFIDENTIAL);
	assert_null(known_get(k, &other, &label));
	known_written(k, &o, 200 * S);
	assert_null(known_get(k, &o, &label));
	assert_int_equal(label, LABEL_CONFIDENTIAL); /* the last one known */
	/* A scan that began before, or so soon that writes may still be folded. */
	known_put(k, &o, second, LABEL_PUBLIC, 150 * S);
	known_put(k, &o, second, LABEL_PUBLIC, 210 * S);
	assert_null(known_get(k, &o, &label));
	known_put(k, &o, second, 0, 211 * S);
	assert_memory_equal(known_get(k, &o, &label), second, 32);
	assert_int_equal(label, 0);
	/* Unknown objects that are written: an older scan says nothing of them. */
	o = object(2);
	known_written(k, &o, 300 * S);
	known_put(k, &o, first, LABEL_PUBLIC, 299 * S);
	assert_null(known_get(k, &o, &label));
	known_free(k);
}

static void what_happened_unseen(void **state)
{
	struct known *k = known_new(0);
	struct event_object o = object(1);
	enum event_label label;

	known_put(k, &o, first, LABEL_INTERNAL, 100 * S);
	known_forget(k, 200 * S);
	assert_null(known_get(k, &o, &label));
	assert_int_equal(label, LABEL_INTERNAL);
	known_put(k, &o, first, LABEL_INTERNAL, 199 * S);
	assert_null(known_get(k, &o, &label));
	known_put(k, &o, first, LABEL_INTERNAL, 201 * S);
	assert_non_null(known_get(k, &o, &label));
	known_free(k);
}

static void a_bound_that_never_lies(void **state)
{
	struct known *k = known_new(4096);
	struct event_object o;
	enum event_label label;
	unsigned known = 0;

	for (uint64_t i = 0; i < 100000; i++) {
		o = object(i);
		known_put(k, &o, first, LABEL_PUBLIC, 100 * S);
	}
	for (uint64_t i = 0; i < 100000; i++) {
		o = object(i);
		known += known_get(k, &o, &label) != NULL;
	}
	assert_true(known > 2000 && known <= 4096);
	/* More are written than fit: none of them is ever called clean by a scan from before. */
	for (uint64_t i = 0; i < 200000; i++) {
		o = object(i);
		known_written(k, &o, 200 * S);
	}
	for (uint64_t i = 0; i < 200000; i++) {
		o = object(i);
		known_put(k, &o, second, 0, 199 * S);
		assert_null(known_get(k, &o, &label));
	}
	known_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(written_and_scanned_again), cmocka_unit_test(what_happened_unseen),
		cmocka_unit_test(a_bound_that_never_lies) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
