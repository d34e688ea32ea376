/* The record between our processes: the same on both ends, and nothing that a compromised sender writes does harm. */
#include "../test.h"

#include <errno.h>

#include "base/varint.h"
#include "event/event_json.h"
#include "event/event_wire.h"
#include "events.h"

/* From memory of the exact size, so that a sanitizer sees a read beyond it. */
static ssize_t unpack(const char *p, size_t n, struct event *e, char **ret_copy)
{
	*ret_copy = malloc(n ? n : 1);
	assert_non_null(*ret_copy);
	if (n)
		memcpy(*ret_copy, p, n);
	return event_unpack((const uint8_t *)*ret_copy, n, e);
}

static void same_after(const struct event *e, struct buf *b)
{
	_cleanup_free_ char *copy = NULL;
	struct event got;

	buf_clear(b);
	event_pack(b, e);
	assert_int_equal(buf_error(b), 0);
	assert_int_equal(unpack(b->p, b->n, &got, &copy), b->n);
	assert_true(events_same(e, &got));
	assert_true(got.seq == UINT64_MAX);
}

static void random_events(void **state)
{
	_cleanup_buf_ struct buf pool = BUF_INIT, b = BUF_INIT;
	uint64_t seed = 1;

	for (int i = 0; i < 100000; i++) {
		struct event e;

		events_random(&seed, &pool, &e);
		same_after(&e, &b);
	}
}

/* What is accepted must hold in JSON too, and nothing may lie outside of the message. */
static void check_accepted(const struct event *e, const char *from, size_t n)
{
	_cleanup_buf_ struct buf json = BUF_INIT, scratch = BUF_INIT;
	struct event_json_error err;
	struct event got;

	if (event_has(e, EV_PATH) && e->path.n)
		assert_true(e->path.p >= from && e->path.p + e->path.n <= from + n);
	event_to_json(&json, e);
	assert_null(memchr(json.p, '\n', json.n));
	/* A time in the first, broken second of an int64 is the one thing that text cannot give back. */
	if (e->time < INT64_MIN + 2 * NSEC_PER_SEC)
		return;
	if (event_from_json(buf_str(&json), &scratch, &got, &err) < 0)
		fail_msg("byte %zu: expected %s: %.*s", err.byte, err.expect, (int)json.n, json.p);
	assert_true(events_same(e, &got));
}

static void damaged(void **state)
{
	_cleanup_buf_ struct buf pool = BUF_INIT, b = BUF_INIT;
	uint64_t seed = 2;
	unsigned accepted = 0;

	for (int i = 0; i < 300; i++) {
		struct event e, got;

		events_random(&seed, &pool, &e);
		buf_clear(&b);
		event_pack(&b, &e);
		for (size_t n = 0; n < b.n; n += b.n > 2000 ? 1 + events_draw(&seed) % 97 : 1) {
			_cleanup_free_ char *copy = NULL;

			assert_int_equal(unpack(b.p, n, &got, &copy), -EBADMSG);
		}
		for (int k = 0; k < 200; k++) {
			_cleanup_free_ char *copy = NULL;
			size_t at = events_draw(&seed) % (k % 2 ? b.n : MIN(b.n, (size_t)40));
			char was = b.p[at];
			ssize_t r;

			b.p[at] = (char)events_draw(&seed);
			r = unpack(b.p, b.n, &got, &copy);
			assert_true(r == -EBADMSG || (r > 0 && (size_t)r <= b.n));
			if (r > 0) {
				check_accepted(&got, copy, b.n);
				accepted++;
			}
			b.p[at] = was;
		}
	}
	/* The damage was of a kind that is sometimes only another value. */
	assert_true(accepted > 1000);
}

static void text_caps(void **state)
{
	static const struct { enum event_field field; size_t offset, max; } texts[] = {
#define CAP(f, m, max) { f, offsetof(struct event, m), max }
		CAP(EV_HOST, host, 1024), CAP(EV_PERSON, person, 1024), CAP(EV_PATH, path, 4096), CAP(EV_PROGRAM, program, 4096),
		CAP(EV_CLIENT, client, 1024), CAP(EV_CWD, cwd, 4096), CAP(EV_TO, to, 4096), CAP(EV_COMMAND, command, 512),
		CAP(EV_PARENT_COMMAND, parent_command, 512), CAP(EV_PEER, peer, 1024), CAP(EV_CONTAINER, container, 1024),
		CAP(EV_PARENTS, parents, 4096),
	};
	static char long_text[4097];
	_cleanup_buf_ struct buf b = BUF_INIT;

	memset(long_text, 'x', sizeof(long_text));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct event e = { .present = EV_BIT(EV_TIME) | EV_BIT(texts[i].field), .n_parents = 1 }, got;

		*(str *)((char *)&e + texts[i].offset) = (str){ long_text, texts[i].max };
		same_after(&e, &b);
		*(str *)((char *)&e + texts[i].offset) = (str){ long_text, texts[i].max + 1 };
		buf_clear(&b);
		event_pack(&b, &e);
		assert_int_equal(event_unpack((uint8_t *)b.p, b.n, &got), -EBADMSG);
	}
}

/* present and one number behind it. */
static ssize_t one_number(enum event_field f, uint64_t v, struct event *ret)
{
	uint8_t p[2 * UVAR_MAX_BYTES];
	size_t n = uvar_put(p, EV_BIT(f));

	n += uvar_put(p + n, v);
	return event_unpack(p, n, ret);
}

static void number_caps(void **state)
{
	static const struct { enum event_field field; uint64_t min, max; } numbers[] = {
		{ EV_VERB, 1, VERB_GAP }, { EV_SEEN, 1, SEEN_OPEN }, { EV_PERSON_BY, 1, BY_LATE }, { EV_VIA, 1, VIA_NFS }, { EV_LABEL, 1,
			LABEL_RESTRICTED },
		{ EV_CONFIRMED, 1, CONFIRMED_FLOW }, { EV_CAUSE, 1, CAUSE_KEEPER }, { EV_UID, 0, UINT32_MAX }, { EV_LOGIN_UID, 0, UINT32_MAX },
		{ EV_PID, 0, UINT32_MAX }, { EV_PORT, 0, UINT16_MAX }, { EV_ALLOWED, 0, 1 }, { EV_LATE, 1, 1 }, { EV_COUNT, 0, UINT64_MAX },
	};
	struct event e;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_true(one_number(numbers[i].field, numbers[i].min, &e) > 0);
		assert_true(one_number(numbers[i].field, numbers[i].max, &e) > 0);
		if (numbers[i].min)
			assert_int_equal(one_number(numbers[i].field, numbers[i].min - 1, &e), -EBADMSG);
		if (numbers[i].max < UINT64_MAX)
			assert_int_equal(one_number(numbers[i].field, numbers[i].max + 1, &e), -EBADMSG);
	}
}

static ssize_t raw(const void *p, size_t n)
{
	struct event e = { .pid = 77 };
	ssize_t r = event_unpack(p, n, &e);

	/* Left alone on failure. */
	if (r < 0)
		assert_int_equal(e.pid, 77);
	return r;
}

static void forms(void **state)
{
	uint8_t p[64];
	size_t n = uvar_put(p, EV_BIT(EV_FIELDS_));

	assert_int_equal(raw(p, n), -EBADMSG);
	assert_int_equal(raw("", 0), -EBADMSG);
	assert_int_equal(raw("\0", 1), 1);
	/* A longer form of a number. */
	assert_int_equal(raw("\x82\x00\x01", 3), -EBADMSG);
	assert_int_equal(raw("\x02\x01", 2), 2);
	assert_int_equal(raw("\x02\x81\x00", 3), -EBADMSG);
	/* No parents, and nine. */
	n = uvar_put(p, EV_BIT(EV_PARENTS));
	memset(p + n, 0, 20);
	assert_int_equal(raw(p, n + 1), -EBADMSG);
	p[n] = 8;
	assert_int_equal(raw(p, n + 20), n + 9);
	p[n] = 9;
	assert_int_equal(raw(p, n + 20), -EBADMSG);
	/* An end without a time, and one beyond what fits. */
	n = uvar_put(p, EV_BIT(EV_END));
	assert_int_equal(raw(p, n + uvar_put(p + n, 5)), -EBADMSG);
	n = uvar_put(p, EV_BIT(EV_END) | EV_BIT(EV_TIME));
	put_be64(p + n, (uint64_t)INT64_MAX - 5);
	n += 8;
	assert_true(raw(p, n + uvar_put(p + n, 5)) > 0);
	assert_int_equal(raw(p, n + uvar_put(p + n, 6)), -EBADMSG);
	put_be64(p + n - 8, (uint64_t)INT64_MIN);
	assert_true(raw(p, n + uvar_put(p + n, UINT64_MAX)) > 0);
}

static ssize_t with_extra(const char *extra)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct event e = { .present = EV_BIT(EV_EXTRA), .extra = str_c(extra) }, got;

	event_pack(&b, &e);
	return event_unpack((uint8_t *)b.p, b.n, &got) == (ssize_t)b.n ? 1 : -1;
}

/* It is written into JSON as it is: nothing may come in by it that looks like a record's own keys or another line. */
static void extras(void **state)
{
	assert_int_equal(with_extra("{\"a\":1}"), 1);
	assert_int_equal(with_extra("{\"a\":{\"path\":[\" x \"]},\"a\":2}"), 1);
	assert_int_equal(with_extra("{}"), -1);
	assert_int_equal(with_extra(""), -1);
	assert_int_equal(with_extra("{\"a\":1"), -1);
	assert_int_equal(with_extra("{\"a\":1}}"), -1);
	assert_int_equal(with_extra("{\"a\":1},\"person\":\"x\"}"), -1);
	assert_int_equal(with_extra("{\"person\":\"x\"}"), -1);
	assert_int_equal(with_extra("{\"a\":1,\"seq\":5}"), -1);
	assert_int_equal(with_extra("{\"a\":1,\"p\\u0061th\":\"x\"}"), -1);
	assert_int_equal(with_extra("{\"a\":\n1}"), -1);
	assert_int_equal(with_extra("{\"a\": 1}"), -1);
	assert_int_equal(with_extra(" {\"a\":1}"), -1);
	assert_int_equal(with_extra("[1]"), -1);
	assert_int_equal(with_extra("{\"a\":\"\xff\"}"), -1);
}

/* Set, but false: as good as not set. */
static void late_false(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct event e = { .present = EV_BIT(EV_LATE) | EV_BIT(EV_PID), .pid = 5 }, got;

	event_pack(&b, &e);
	assert_int_equal(event_unpack((uint8_t *)b.p, b.n, &got), b.n);
	assert_true(got.present == EV_BIT(EV_PID));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_events), cmocka_unit_test(damaged), cmocka_unit_test(text_caps), cmocka_unit_test(number_caps),
		cmocka_unit_test(forms), cmocka_unit_test(extras), cmocka_unit_test(late_false),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
