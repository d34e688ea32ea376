/* Bytes as a record between processes. What is taken must be packed into the same bytes, and hold in JSON. */
#include "../unit/event/events.h"

#include "event/event_json.h"
#include "event/event_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_json(const struct event *e)
{
	_cleanup_buf_ struct buf out = BUF_INIT, scratch = BUF_INIT;
	struct event_json_error err;
	struct event back;

	/* The first second of an int64 is broken, and not to be had as text. */
	if ((event_has(e, EV_TIME) && e->time < INT64_MIN + 2 * NSEC_PER_SEC) || (event_has(e, EV_END) && e->end < INT64_MIN + 2 * NSEC_PER_SEC))
		return;
	event_to_json(&out, e);
	check(event_from_json(buf_str(&out), &scratch, &back, &err) == 0);
	check(events_same(e, &back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_free_ uint8_t *copy = malloc(n ? n : 1);
	struct event e;
	ssize_t used;

	if (!copy)
		return 0;
	if (n)
		memcpy(copy, data, n);
	used = event_unpack(copy, n, &e);
	if (used < 0)
		return 0;
	check((size_t)used <= n);
	event_pack(&out, &e);
	check(out.n == (size_t)used && memcmp(out.p, copy, out.n) == 0);
	check_json(&e);
	return 0;
}
