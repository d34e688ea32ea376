#include "sensor/ahead.h"

#include <errno.h>

#include "event/event_wire.h"

static bool before(const struct ahead_item *a, const struct ahead_item *b)
{
	return a->time != b->time ? a->time < b->time : a->number < b->number;
}

int ahead_push(struct ahead *a, const struct event *e)
{
	struct ahead_item item = { .time = e->time, .number = a->number };
	size_t i;

	buf_clear(&a->scratch);
	event_pack(&a->scratch, e);
	if (buf_error(&a->scratch))
		return buf_error(&a->scratch);
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 64;
		struct ahead_item *grown = reallocarray(a->p, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		a->p = grown;
		a->cap = cap;
	}
	item.n = a->scratch.n;
	item.packed = malloc(item.n);
	if (!item.packed)
		return -ENOMEM;
	memcpy(item.packed, a->scratch.p, item.n);
	a->bytes += item.n + sizeof(item);
	a->number++;
	/* Records mostly come in order, and stay where they are. */
	for (i = a->n++; i && before(&item, &a->p[(i - 1) / 2]); i = (i - 1) / 2)
		a->p[i] = a->p[(i - 1) / 2];
	a->p[i] = item;
	return 0;
}

bool ahead_pop(struct ahead *a, struct event *ret)
{
	struct ahead_item top, last;
	size_t i = 0;

	if (a->n == 0)
		return false;
	top = a->p[0];
	last = a->p[--a->n];
	for (size_t child; (child = 2 * i + 1) < a->n; i = child) {
		if (child + 1 < a->n && before(&a->p[child + 1], &a->p[child]))
			child++;
		if (!before(&a->p[child], &last))
			break;
		a->p[i] = a->p[child];
	}
	a->p[i] = last;
	a->bytes -= top.n + sizeof(top);
	free(a->given);
	a->given = top.packed;
	/* We packed it ourselves. */
	return event_unpack(top.packed, top.n, ret) >= 0;
}

void ahead_free(struct ahead *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->p[i].packed);
	free(a->p);
	free(a->given);
	buf_free(&a->scratch);
	*a = (struct ahead){ 0 };
}
