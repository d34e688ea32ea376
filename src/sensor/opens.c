#include "sensor/opens.h"

#include <errno.h>
#include <sys/fanotify.h>

#define NONE UINT32_MAX

struct entry {
	uint64_t key, open_number;
	struct facts *facts;
	int64_t first;      /* of the opens that wait */
	uint64_t undecided, opens;
	pid_t tgid;
	uint32_t next;      /* bucket, or free list */
	uint32_t older, newer;
	bool waiting;       /* which list it is in */
	bool mixed;
};

struct list { uint32_t oldest, newest; };

struct opens {
	struct entry *e;
	uint32_t *bucket;
	uint32_t mask, free;
	struct list waiting, settled; /* both: oldest first */
	opens_decide decide;
	void *arg;
};

static uint32_t bucket_of(const struct opens *o, uint64_t key, pid_t tgid)
{
	return (uint32_t)((key ^ ((uint64_t)tgid * 0x9e3779b97f4a7c15u) >> 20) & o->mask);
}

int opens_new(size_t max, opens_decide decide, void *arg, struct opens **ret)
{
	struct opens *o = calloc(1, sizeof(*o));
	uint32_t n = 16;

	if (!o)
		return -ENOMEM;
	while (n < max)
		n *= 2;
	*o = (struct opens){ .mask = n - 1, .decide = decide, .arg = arg, .waiting = { NONE, NONE }, .settled = { NONE, NONE } };
	o->e = calloc(n, sizeof(*o->e));
	o->bucket = malloc(n * sizeof(*o->bucket));
	if (!o->e || !o->bucket) {
		opens_free(o);
		return -ENOMEM;
	}
	memset(o->bucket, 0xff, n * sizeof(*o->bucket));
	for (uint32_t i = 0; i < n; i++)
		o->e[i].next = i + 1 < n ? i + 1 : NONE;
	*ret = o;
	return 0;
}

static void list_take(struct opens *o, uint32_t i)
{
	struct entry *e = &o->e[i];
	struct list *l = e->waiting ? &o->waiting : &o->settled;

	if (e->older != NONE)
		o->e[e->older].newer = e->newer;
	else
		l->oldest = e->newer;
	if (e->newer != NONE)
		o->e[e->newer].older = e->older;
	else
		l->newest = e->older;
}

static void list_put(struct opens *o, uint32_t i, bool waiting)
{
	struct entry *e = &o->e[i];
	struct list *l = waiting ? &o->waiting : &o->settled;

	e->waiting = waiting;
	e->newer = NONE;
	e->older = l->newest;
	if (l->newest != NONE)
		o->e[l->newest].newer = i;
	else
		l->oldest = i;
	l->newest = i;
}

static uint32_t find(const struct opens *o, uint64_t key, pid_t tgid)
{
	uint32_t i = o->bucket[bucket_of(o, key, tgid)];

	while (i != NONE && (o->e[i].key != key || o->e[i].tgid != tgid))
		i = o->e[i].next;
	return i;
}

static uint64_t decide(struct opens *o, struct entry *e, enum event_verb verb, enum event_seen seen, int64_t time, uint64_t refers)
{
	struct opens_decision d = { .key = e->key, .facts = e->facts, .verb = verb, .seen = seen, .refers = refers, .count = e->undecided };

	d.time = e->undecided ? e->first : time;
	return o->decide(&d, o->arg);
}

static void decide_uses(struct opens *o, struct entry *e, uint64_t mask, enum event_seen seen, int64_t time, uint64_t refers)
{
	if (mask & FAN_MODIFY)
		decide(o, e, VERB_WRITE, seen, time, refers);
	if (mask & FAN_ACCESS)
		decide(o, e, VERB_READ, seen, time, refers);
}

/* What was told as an open already is completed by a record that refers to it and counts nothing; opens since then are accesses of their
 * own. */
static void decide_all(struct opens *o, struct entry *e, uint64_t mask, enum event_seen seen, int64_t time)
{
	uint64_t n = e->undecided;

	e->undecided = 0;
	if (e->open_number)
		decide_uses(o, e, mask, seen, time, e->open_number);
	e->undecided = n;
	if (n || !e->open_number)
		decide_uses(o, e, mask, seen, time, 0);
	e->open_number = 0;
}

static void give_up(struct opens *o, struct entry *e)
{
	if (e->undecided)
		e->open_number = decide(o, e, VERB_OPEN, SEEN_OPEN, e->first, 0);
	e->undecided = 0;
}

static void remove_entry(struct opens *o, uint32_t i)
{
	struct entry *e = &o->e[i];
	uint32_t *at = &o->bucket[bucket_of(o, e->key, e->tgid)];

	while (*at != i)
		at = &o->e[*at].next;
	*at = e->next;
	list_take(o, i);
	facts_unref(e->facts);
	e->facts = NULL;
	e->next = o->free;
	o->free = i;
}

struct opens *opens_free(struct opens *o)
{
	if (!o)
		return NULL;
	if (o->e && o->bucket)
		for (uint32_t i = 0; i <= o->mask; i++)
			facts_unref(o->e[i].facts);
	free(o->e);
	free(o->bucket);
	free(o);
	return NULL;
}

static uint32_t take_free(struct opens *o)
{
	uint32_t i;

	if (o->free == NONE) {
		i = o->settled.oldest != NONE ? o->settled.oldest : o->waiting.oldest;
		give_up(o, &o->e[i]);
		remove_entry(o, i);
	}
	i = o->free;
	o->free = o->e[i].next;
	return i;
}

void opens_add(struct opens *o, uint64_t key, pid_t tgid, struct facts *f, int64_t time)
{
	uint32_t i = find(o, key, tgid), b = bucket_of(o, key, tgid);
	struct entry *e;
	bool stay = false; /* where it waits already: by its first open */

	if (i == NONE) {
		i = take_free(o);
		e = &o->e[i];
		*e = (struct entry){ .key = key, .tgid = tgid, .facts = f, .next = o->bucket[b] };
		facts_ref(f);
		o->bucket[b] = i;
	} else {
		e = &o->e[i];
		if (e->facts->person != f->person) {
			e->mixed = true;
			give_up(o, e);
		}
		if (e->facts != f) {
			/* Those that wait are the earlier's: another program or session of the same person. */
			if (e->facts->fold_id != f->fold_id)
				give_up(o, e);
			facts_ref(f);
			facts_unref(e->facts);
			e->facts = f;
		}
		stay = e->waiting && e->undecided;
		if (!stay)
			list_take(o, i);
	}
	if (!e->undecided)
		e->first = time;
	e->undecided++;
	e->opens++;
	if (!stay)
		list_put(o, i, true);
}

/* Several opens, and not all were for the same: one for each use that was seen, the others were opens. Their sum stays what it was. */
static void decide_apart(struct opens *o, struct entry *e, uint64_t mask, int64_t time)
{
	uint64_t n = e->undecided;

	e->undecided = 1;
	if (mask & FAN_MODIFY)
		decide(o, e, VERB_WRITE, SEEN_ACCESS, time, 0), n--;
	if (mask & FAN_ACCESS)
		decide(o, e, VERB_READ, SEEN_ACCESS, time, 0), n--;
	e->undecided = n;
	if (n)
		decide(o, e, VERB_OPEN, SEEN_OPEN, time, 0);
}

static bool differ(uint64_t mask)
{
	bool wrote = mask & FAN_MODIFY, read = mask & FAN_ACCESS;

	return (wrote && (read || (mask & FAN_CLOSE_NOWRITE))) || (!wrote && read && (mask & FAN_CLOSE_WRITE));
}

bool opens_use(struct opens *o, uint64_t key, pid_t tgid, uint64_t mask, int64_t time)
{
	uint32_t i = find(o, key, tgid);
	bool closed = mask & (FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE);
	struct entry *e;

	if (i == NONE)
		return false;
	e = &o->e[i];
	if (e->mixed) {
		give_up(o, e);
	} else if (e->undecided > 1 && (mask & (FAN_ACCESS | FAN_MODIFY)) && differ(mask)) {
		decide_apart(o, e, mask, time);
		e->open_number = 0;
	} else if (mask & (FAN_ACCESS | FAN_MODIFY)) {
		decide_all(o, e, mask, SEEN_ACCESS, time);
	} else if ((mask & FAN_CLOSE_NOWRITE) && !(mask & FAN_CLOSE_WRITE) && (e->undecided || e->open_number)) {
		decide_all(o, e, FAN_ACCESS, SEEN_OPEN, time);
	} else {
		give_up(o, e);
	}
	e->undecided = 0;
	/* With several opens merged it cannot be told which was closed: it stays until it is the oldest. */
	if (closed && e->opens == 1) {
		remove_entry(o, i);
	} else {
		list_take(o, i);
		list_put(o, i, false);
	}
	return true;
}

void opens_expire(struct opens *o, int64_t now)
{
	uint32_t i;

	while ((i = o->waiting.oldest) != NONE) {
		struct entry *e = &o->e[i];

		if (now != INT64_MAX && now - e->first < OPENS_WAIT_NS)
			break;
		give_up(o, e);
		list_take(o, i);
		list_put(o, i, false);
	}
}

int64_t opens_oldest(const struct opens *o)
{
	return o->waiting.oldest == NONE ? INT64_MAX : o->e[o->waiting.oldest].first;
}
