#include "detect/late.h"

#include <string.h>

#include "base/array.h"

#define RUNS_MAX 65536

/* Leaves come in order, but for those of `late_add_all`, which are before or among them. */
static void add_run(struct late *l, struct late_run run)
{
	struct late_run *last = l->n ? &l->v[l->n - 1] : NULL;

	if (last && run.from >= last->from && (run.from <= last->to || l->n == RUNS_MAX)) {
		last->to = MAX(last->to, run.to);
		return;
	}
	if (array_room_max(l->v, l->cap, l->n + 1, RUNS_MAX) < 0) {
		/* No room: what there is takes it in. */
		if (last) {
			last->from = MIN(last->from, run.from);
			last->to = MAX(last->to, run.to);
		}
		return;
	}
	l->v[l->n++] = run;
}

static void add_time(struct late *l, int64_t min, int64_t max, uint64_t count)
{
	l->min = l->count ? MIN(l->min, min) : min;
	l->max = l->count ? MAX(l->max, max) : max;
	l->count += count;
}

void late_add(struct late *l, uint64_t seq, int64_t time)
{
	add_run(l, (struct late_run){ seq, seq + 1 });
	add_time(l, time, time, 1);
}

void late_add_all(struct late *l, const struct late *other)
{
	if (!other->count)
		return;
	for (size_t i = 0; i < other->n; i++)
		add_run(l, other->v[i]);
	add_time(l, other->min, other->max, other->count);
}

bool late_has(const struct late *l, uint64_t seq)
{
	for (size_t i = 0; i < l->n; i++)
		if (seq >= l->v[i].from && seq < l->v[i].to)
			return true;
	return false;
}

uint64_t late_from(const struct late *l)
{
	uint64_t from = UINT64_MAX;

	for (size_t i = 0; i < l->n; i++)
		from = MIN(from, l->v[i].from);
	return from;
}

void late_clear(struct late *l)
{
	free(l->v);
	*l = (struct late){ 0 };
}
