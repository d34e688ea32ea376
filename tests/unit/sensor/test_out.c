/* The messages to the keeper: what is dropped is counted, and known from its earliest time on. */
#include "../test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "sensor/out.h"

static uint64_t give(struct out *o, int64_t time)
{
	struct event e = { .time = time, .verb = VERB_READ };

	event_set(&e, EV_TIME);
	event_set(&e, EV_VERB);
	return out_record(o, &e, 0, 0, 0);
}

static void dropped(void **state)
{
	struct out o;
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	assert_int_equal(out_new(&o, s[0]), 0);
	assert_int_equal(give(&o, 500), 1);
	close(s[1]);
	out_flush(&o);
	assert_true(o.gone);
	/* The keeper is gone: an access, then the rests of two windows that began before it. */
	assert_int_equal(give(&o, 700), 0);
	assert_int_equal(give(&o, 300), 0);
	assert_int_equal(give(&o, 600), 0);
	assert_int_equal(o.lost, 3);
	assert_int_equal(o.lost_now, 3);
	assert_int_equal(o.lost_from, 300);
	assert_int_equal(o.number, 1);
	/* Nor was the first acknowledged: the next keeper hears of it. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	assert_int_equal(out_keeper(&o, s[0]), 500);
	assert_false(o.gone);
	assert_int_equal(give(&o, 800), 2);
	out_free(&o);
	close(s[0]);
	close(s[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(dropped) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
