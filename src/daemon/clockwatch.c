#include "daemon/clockwatch.h"

#include <sys/timex.h>

#include "base/timefmt.h"

bool clockwatch_step(struct clockwatch *c, int64_t realtime, int64_t boottime, int64_t *ret_from, int64_t *ret_to)
{
	int64_t offset = realtime - boottime, moved = offset - c->offset;
	bool first = !c->started;

	c->offset = offset;
	c->started = true;
	if (first || (moved < CLOCK_JUMP_NS && moved > -CLOCK_JUMP_NS))
		return false;
	*ret_from = realtime - moved;
	*ret_to = realtime;
	return true;
}

bool clockwatch_since(const struct clock_look *then, const struct clock_look *now, int64_t *ret_from, int64_t *ret_to)
{
	struct clockwatch c = { .offset = then->realtime - then->boottime, .started = true };

	if (*then->boot && *now->boot && strcmp(then->boot, now->boot) == 0)
		return clockwatch_step(&c, now->realtime, now->boottime, ret_from, ret_to);
	if (now->realtime > then->realtime - CLOCK_JUMP_NS)
		return false;
	*ret_from = then->realtime;
	*ret_to = now->realtime;
	return true;
}

bool clockwatch_jumped(struct clockwatch *c, int64_t *ret_from, int64_t *ret_to)
{
	return clockwatch_step(c, time_now(), time_boottime(), ret_from, ret_to);
}

enum clock_state clockwatch_state(void)
{
	struct timex t = { 0 };
	int r = adjtimex(&t);

	if (r < 0)
		return CLOCK_UNKNOWN;
	return r == TIME_ERROR || t.status & STA_UNSYNC ? CLOCK_UNSYNCED : CLOCK_SYNCED;
}
