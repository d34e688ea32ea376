/* A line as a record. What is taken must be written, be read back as the same event, and be written the same again. */
#include "../unit/event/events.h"

#include "event/event_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf scratch = BUF_INIT, again = BUF_INIT, out = BUF_INIT, second = BUF_INIT;
	_cleanup_free_ char *copy = malloc(n ? n : 1);
	struct event_json_error err = { SIZE_MAX, NULL };
	struct event e, back;
	const char *expect;

	if (!copy)
		return 0;
	if (n)
		memcpy(copy, data, n);
	if (event_from_json((str){ copy, n }, &scratch, &e, &err) < 0) {
		check(err.byte <= n && err.expect);
		return 0;
	}
	event_to_json(&out, &e);
	check(buf_error(&out) == 0 && !memchr(out.p, '\n', out.n) && str_utf8_valid(buf_str(&out)));
	/* A time in the broken first second of an int64 cannot be given as text: not by us, so not in the input either. */
	check(event_from_json(buf_str(&out), &again, &back, &err) == 0);
	check(events_same(&e, &back));
	event_to_json(&second, &back);
	check(str_eq(buf_str(&out), buf_str(&second)));
	(void)event_check(&e, 1795618580 * NSEC_PER_SEC, &expect);
	return 0;
}
