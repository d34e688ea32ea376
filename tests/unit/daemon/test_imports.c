/* What of a file stands in the log: nothing, a part, or all of it. */
#include "../evidence/store_fixture.h"

#include "daemon/imports.h"

static const uint8_t digest[1][32] = { { 0xab, 0xcd } };
static const char mark[] = "imported sha256:abcd000000000000000000000000000000000000000000000000000000000000";

static bool seen(const struct fixture *f)
{
	struct evidence_reader *r;
	bool ret;

	assert_int_equal(evidence_reader_open(f->state, &r), 0);
	assert_int_equal(imports_seen(r, digest[0], &ret), 0);
	evidence_reader_close(r);
	return ret;
}

static bool unfinished(const struct fixture *f)
{
	struct evidence_reader *r;
	struct imports_part part;

	assert_int_equal(evidence_reader_open(f->state, &r), 0);
	assert_int_equal(imports_unfinished(r, digest[0], &part), 0);
	evidence_reader_close(r);
	return part.found;
}

/* Names are durable before the leaves that use them. A kill in between leaves the mark's name without its leaf, which is made here by another
 * record that holds the same text: the import has not ended, whatever the name says. */
static void a_name_is_no_mark(void **state)
{
	struct evidence_import im = { .time = 1, .phase = PHASE_START, .format = 1, .title = str_c(mark), .file = digest[0] };
	struct fixture f;
	struct evidence *ev;
	uint64_t begins;

	fixture_begin(&f);
	ev = fixture_open(&f);
	assert_int_equal(evidence_append_import(ev, &im, &begins), 0);
	assert_int_equal(evidence_commit(ev), 0);
	assert_false(seen(&f));
	assert_true(unfinished(&f));

	im = (struct evidence_import){ .time = 2, .phase = PHASE_STOP, .format = 1, .begins = begins };
	assert_int_equal(imports_append_end(ev, &im, digest, 1), 0);
	assert_int_equal(evidence_commit(ev), 0);
	assert_true(seen(&f));
	assert_false(unfinished(&f));
	evidence_close(ev);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_no_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
