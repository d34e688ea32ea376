/* When they do it: working days, the nightly backup, the indexer that follows writers. */
#include "office_int.h"

static bool weekend(const struct office *o, unsigned day)
{
	int64_t d = o->p.start / DAY + day; /* day 0 of 1970 was a Thursday */

	return (d + 3) % 7 >= 5;
}

/* The next day that the person comes in, and when; their connection is a new process. */
void office_begin_day(struct office *o, struct actor *a, unsigned day)
{
	while (day < o->p.days && !draw_chance(&o->d, INFO_SESSION, weekend(o, day) ? 0.04 : 0.88))
		day++;
	a->day = day;
	if (day >= o->p.days) {
		a->next = NEVER;
		return;
	}
	a->clock = o->p.start + day * DAY + 7 * HOUR + (int64_t)draw_below(&o->d, INFO_TIME, (uint64_t)(3 * HOUR));
	a->leaves = a->clock + (weekend(o, day) ? 2 * HOUR : 7 * HOUR + (int64_t)draw_below(&o->d, INFO_SESSION, (uint64_t)(3 * HOUR)));
	a->vpn = draw_chance(&o->d, INFO_SESSION, 0.25);
	a->pid = office_new_pid(o);
}

static int plan_backup(struct office *o, struct actor *a)
{
	int64_t d = o->p.start / DAY + a->day;
	bool full = (d + 3) % 7 == 6 && (d + 3) / 7 % 4 == 0; /* every fourth Sunday */
	struct list *l = &o->changed;
	struct step *s;

	if (a->clock < a->leaves && (full ? a->cwd_doc < o->n_docs : l->at < l->n)) {
		uint32_t doc = full ? a->cwd_doc++ : l->v[l->at++];

		s = office_put(a, VERB_READ, ON_DOC, doc, office_wait(o, 0.006));
		s->seen = SEEN_BYTES;
		s->bytes = o->docs[doc].size;
		o->docs[doc].dirty = false;
		return 0;
	}
	a->day++;
	a->clock = o->p.start + a->day * DAY + 22 * HOUR + office_wait(o, 1);
	a->leaves = a->clock + 8 * HOUR;
	a->cwd_doc = 0;
	a->pid = office_new_pid(o);
	a->next = a->day < o->p.days ? a->clock : NEVER;
	return 0;
}

static int plan_indexer(struct office *o, struct actor *a)
{
	struct list *l = &o->to_index;
	bool work = l->at < l->n;

	a->clock += office_wait(o, work ? 2 : 60);
	if (work) {
		uint32_t doc = l->v[l->at++];

		office_put(a, VERB_READ, ON_DOC, doc, 0)->seen = SEEN_BYTES;
		a->steps[0].bytes = o->docs[doc].size;
	}
	a->next = a->clock < o->p.start + (int64_t)o->p.days * DAY ? a->clock : NEVER;
	return 0;
}

/* Fills the actor's steps and sets the time of the first; a->next may come out without a step (then it is asked again at that time). */
int office_plan(struct office *o, struct actor *a)
{
	int64_t noon;
	int r;

	a->at = a->n = 0;
	if (a->kind >= AT_BACKUP) {
		r = a->kind == AT_BACKUP ? plan_backup(o, a) : plan_indexer(o, a);
		if (a->n)
			a->next = a->clock += a->steps[0].dt;
		return r;
	}
	a->clock += office_wait(o, o->p.gap_s);
	noon = o->p.start + a->day * DAY + 12 * HOUR;
	if (a->clock > noon && a->clock < noon + HOUR * 3 / 4)
		a->clock += HOUR * 3 / 4;
	if (a->clock > a->leaves) {
		office_begin_day(o, a, a->day + 1);
		if (a->next == NEVER)
			return 0;
	}
	r = office_plan_person(o, a);
	a->next = a->clock += a->n ? a->steps[0].dt : 0;
	return r;
}
