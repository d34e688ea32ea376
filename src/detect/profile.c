/* The baseline of a person: taken in record by record, and told as fields. */
#include "detect/profile_int.h"

#include <errno.h>

struct profile *profile_new(void)
{
	return calloc(1, sizeof(struct profile));
}

struct profile *profile_free(struct profile *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->n_persons; i++) {
		free(p->persons[i].programs.v);
		free(p->persons[i].clients.v);
		free(p->persons[i].set);
		free(p->persons[i].known);
		staff_free(&p->persons[i].staff);
	}
	for (size_t i = 0; i < p->n_units; i++) {
		free(p->units[i].name);
		free(p->units[i].members);
	}
	free(p->persons);
	free(p->programs);
	free(p->units);
	buf_free(&p->text);
	free(p);
	return NULL;
}

uint64_t profile_full(const struct profile *p)
{
	return p->full;
}

static int32_t day_of(int64_t time)
{
	return (int32_t)(time / DAY_NS - (time % DAY_NS < 0));
}

/* An array by number, grown by doubling. */
static int grow(void **v, size_t *n, uint64_t number, size_t size, size_t max)
{
	size_t want = MAX((size_t)64, *n);
	char *grown;

	if (number >= max)
		return -E2BIG;
	if (number < *n)
		return 0;
	while (want <= number)
		want *= 2;
	want = MIN(want, max);
	grown = reallocarray(*v, want, size);
	if (!grown)
		return -ENOMEM;
	memset(grown + *n * size, 0, (want - *n) * size);
	*v = grown;
	*n = want;
	return 0;
}

struct person *profile_at(struct profile *p, uint64_t number)
{
	if (grow((void **)&p->persons, &p->n_persons, number, sizeof(*p->persons), PROFILE_PERSONS_MAX) < 0)
		return NULL;
	return &p->persons[number];
}

static bool learned(const struct person *a, int64_t time)
{
	return a->active >= PROFILE_LEARN_DAYS && time - a->first >= PROFILE_LEARN_NS;
}

/* --- what was used --- */

static void program_rolls(struct profile *p, uint64_t id, int64_t time)
{
	struct program *g;

	if (grow((void **)&p->programs, &p->n_programs, id, sizeof(*p->programs), PROFILE_PROGRAMS_MAX) < 0) {
		p->full++;
		return;
	}
	g = &p->programs[id];
	for (size_t i = ROLLOUT - 1; i > 0; i--)
		g->newest[i] = g->newest[i - 1];
	g->newest[0] = time;
}

/* The newest in front. True: it was never used before. */
static int use(struct profile *p, struct uses *u, uint64_t id, int64_t time, bool *ret_new)
{
	struct used one = { id, time, time };
	size_t i = 0;

	*ret_new = false;
	if (!id)
		return 0;
	while (i < u->n && u->v[i].id != id)
		i++;
	if (i < u->n) {
		one = u->v[i];
		one.first = MIN(one.first, time);
		one.last = MAX(one.last, time);
	} else {
		*ret_new = true;
		if (u->n == PROFILE_USED_MAX) {
			p->full += !u->full;
			u->full = true;
			i = PROFILE_USED_MAX - 1u;
		} else {
			if (u->n == u->cap) {
				uint8_t cap = (uint8_t)(u->cap ? MIN(2 * u->cap, PROFILE_USED_MAX) : 4);
				struct used *v = reallocarray(u->v, cap, sizeof(*v));

				if (!v)
					return -ENOMEM;
				u->v = v;
				u->cap = cap;
			}
			u->n++;
		}
	}
	memmove(u->v + 1, u->v, i * sizeof(*u->v));
	u->v[0] = one;
	return 0;
}

/* --- a day's documents --- */

#define LABELLED ((uint64_t)1 << 63)

static uint64_t *slot(const uint64_t *set, uint32_t cap, uint64_t path)
{
	uint32_t i = (uint32_t)(path * 0x9E3779B97F4A7C15ULL >> 40) & (cap - 1);

	while (set[i] && (set[i] & ~LABELLED) != path)
		i = (i + 1) & (cap - 1);
	return (uint64_t *)(uintptr_t)&set[i];
}

static int set_grow(struct profile *p, struct person *a)
{
	uint32_t cap = a->set_cap ? 2 * a->set_cap : 64;
	uint64_t *set;

	if (2 * (a->set_n + 1) <= a->set_cap)
		return 0;
	set = calloc(cap, sizeof(*set));
	if (!set)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->set_cap; i++)
		if (a->set[i])
			*slot(set, cap, a->set[i] & ~LABELLED) = a->set[i];
	free(a->set);
	p->entries += cap - a->set_cap;
	a->set = set;
	a->set_cap = cap;
	return 0;
}

int profile_remember(struct profile *p, struct person *a, uint64_t path, bool labelled, bool *ret_new, bool *ret_new_labelled)
{
	uint64_t *at;
	int r;

	*ret_new = *ret_new_labelled = false;
	if (a->set_n == PROFILE_DOCUMENTS_MAX || (p->entries > PROFILE_ENTRIES_MAX && 2 * (a->set_n + 1) > a->set_cap)) {
		p->full++;
		return 0;
	}
	r = set_grow(p, a);
	if (r < 0)
		return r;
	at = slot(a->set, a->set_cap, path);
	*ret_new = !*at;
	*ret_new_labelled = labelled && !(*at & LABELLED);
	a->set_n += *ret_new;
	*at = path | (*at & LABELLED) | (labelled ? LABELLED : 0);
	return 0;
}

static void set_empty(struct profile *p, struct person *a)
{
	if (a->set_cap > 1024) {
		free(a->set);
		p->entries -= a->set_cap;
		a->set = NULL;
		a->set_cap = 0;
	} else if (a->set) {
		memset(a->set, 0, a->set_cap * sizeof(*a->set));
	}
	a->set_n = 0;
}

void profile_past(const struct person *a, int32_t day, uint32_t *ret_busiest, uint32_t *ret_labelled, uint32_t *ret_active)
{
	uint32_t busiest = 0, labelled = 0, active = 0;

	for (size_t i = 0; i <= PROFILE_DAYS; i++) {
		const struct past *d = i < PROFILE_DAYS ? &a->past[i] : &a->today;

		/* 0 documents: no day, or one on which nothing was read. */
		if (!d->documents || d->day >= day || d->day < day - PROFILE_DAYS)
			continue;
		busiest = MAX(busiest, d->documents);
		labelled = MAX(labelled, d->labelled);
		active++;
	}
	*ret_busiest = busiest;
	*ret_labelled = labelled;
	*ret_active = active;
}

static void turn_day(struct profile *p, struct person *a, int32_t day)
{
	if (a->today.documents)
		a->past[(uint32_t)a->today.day % PROFILE_DAYS] = a->today;
	a->day = day;
	a->today = (struct past){ .day = day };
	set_empty(p, a);
	profile_past(a, day, &a->busiest, &a->busiest_labelled, &a->active);
}

void profile_rewind(struct profile *p, int64_t from)
{
	int32_t day = day_of(from);

	for (size_t i = 0; i < p->n_persons; i++) {
		struct person *a = &p->persons[i];

		if (!a->seen)
			continue;
		if (a->day >= day)
			turn_day(p, a, MIN(day, a->day)); /* today is past, too, if it is */
		profile_unknow(a, day);
		for (size_t k = 0; k < PROFILE_DAYS; k++)
			if (a->past[k].day >= day)
				a->past[k] = (struct past){ 0 };
		if (a->day >= day)
			a->day = day - 1;
	}
	for (size_t i = 0; i < p->n_units; i++)
		p->units[i].day = NO_DAY;
}

static bool takes(enum event_verb v)
{
	return v == VERB_READ || v == VERB_COPY || v == VERB_ARCHIVE || v == VERB_EXPORT || v == VERB_SEND;
}

int profile_take(struct profile *p, const struct profile_record *r)
{
	bool new_program, new_client, new_document, new_labelled;
	int32_t day = day_of(r->time);
	struct person *a;
	int e;

	if (!r->person || r->verb == VERB_GAP || r->verb == VERB_EXEC)
		return 0;
	a = profile_at(p, r->person);
	if (!a) {
		p->full++;
		return 0;
	}
	if (!a->seen) {
		a->seen = true;
		a->first = r->time;
		turn_day(p, a, day);
	} else if (day > a->day) {
		turn_day(p, a, day);
	}
	e = use(p, &a->programs, r->program, r->time, &new_program);
	if (e == 0)
		e = use(p, &a->clients, r->client, r->time, &new_client);
	if (e < 0)
		return e;
	if (new_program && learned(a, r->time))
		program_rolls(p, r->program, r->time);
	if (!takes(r->verb) || !r->path)
		return 0;
	e = profile_know(p, a, r->path, day);
	/* A late record of an earlier day does not move a day's numbers. */
	if (e < 0 || day < a->day)
		return e;
	e = profile_remember(p, a, r->path, r->labelled, &new_document, &new_labelled);
	if (e < 0)
		return e;
	a->today.documents += new_document;
	a->today.labelled += new_labelled;
	if (new_document && a->unit)
		profile_unit_grown(p, r->person);
	return 0;
}

/* --- telling --- */

static const struct used *used_of(const struct uses *u, uint64_t id)
{
	for (size_t i = 0; id && i < u->n; i++)
		if (u->v[i].id == id)
			return &u->v[i];
	return NULL;
}

/* New to a person who has been learned when it was first used, within the last day. */
static bool is_new(const struct person *a, const struct uses *u, uint64_t id, int64_t time)
{
	const struct used *o = used_of(u, id);

	return o && !u->full && learned(a, time) && o->first - a->first >= PROFILE_LEARN_NS && time - o->first < PROFILE_NEW_NS;
}

/* Who comes from a new address on one day of four tells nothing by one more (addresses that are dealt out daily). */
static bool roams(const struct person *a, int64_t time)
{
	uint32_t fresh = 0;

	for (size_t i = 0; i < a->clients.n; i++)
		fresh += a->clients.v[i].first > time - PROFILE_DAYS * DAY_NS && a->clients.v[i].first - a->first >= PROFILE_LEARN_NS;
	return fresh > 3 && 4 * fresh > a->active;
}

static bool rolled_out(const struct profile *p, uint64_t id, int64_t time)
{
	int64_t oldest = id < p->n_programs ? p->programs[id].newest[ROLLOUT - 1] : 0;

	return id >= PROFILE_PROGRAMS_MAX || (oldest && time - oldest < ROLLOUT_NS);
}

static str put_number(struct buf *b, uint64_t v)
{
	size_t at = b->n;

	buf_put_dec(b, v);
	return (str){ b->p + at, b->n - at };
}

/* One digit behind the point, cut. */
static str put_ratio(struct buf *b, uint32_t v, uint32_t by)
{
	uint64_t tenths = (uint64_t)v * 10 / MAX(1u, by);
	size_t at = b->n;

	buf_put_dec(b, tenths / 10);
	buf_putc(b, '.');
	buf_putc(b, (char)('0' + tenths % 10));
	return (str){ b->p + at, b->n - at };
}

void profile_tell(struct profile *p, const struct profile_record *r, struct sigma_beside *ret)
{
	const struct person *a = r->person && r->person < p->n_persons ? &p->persons[r->person] : NULL;
	uint32_t peers;

	buf_clear(&p->text);
	/* What is given out points into it. */
	if (!a || buf_reserve(&p->text, 512) < 0)
		return;
	profile_tell_person(p, a, r->time, ret);
	if (!a->seen || r->verb == VERB_GAP || r->verb == VERB_EXEC)
		return;
	if (is_new(a, &a->programs, r->program, r->time) && !rolled_out(p, r->program, r->time))
		ret->value[BESIDE_PROGRAM_NEW] = STR("true");
	if (is_new(a, &a->clients, r->client, r->time) && !roams(a, r->time))
		ret->value[BESIDE_CLIENT_NEW] = STR("true");
	if (day_of(r->time) != a->day)
		return;
	if ((r->verb == VERB_DELETE || r->verb == VERB_RENAME) && r->path && a->set && *slot(a->set, a->set_cap, r->path))
		ret->value[BESIDE_READ_TODAY] = STR("true");
	if (!takes(r->verb))
		return;
	ret->value[BESIDE_DAY_DOCUMENTS] = put_number(&p->text, a->today.documents);
	ret->value[BESIDE_DAY_LABELLED] = put_number(&p->text, a->today.labelled);
	if (learned(a, r->time)) {
		if (profile_first_on(a, r->path, a->day))
			ret->value[BESIDE_DOCUMENT_NEW] = STR("true");
		ret->value[BESIDE_OWN_RATIO] = put_ratio(&p->text, a->today.documents, a->busiest);
		ret->value[BESIDE_LABELLED_RATIO] = put_ratio(&p->text, a->today.labelled, a->busiest_labelled);
	}
	if (profile_peers(p, r->person, a->day, &peers))
		ret->value[BESIDE_PEER_RATIO] = put_ratio(&p->text, a->today.documents, peers);
}
