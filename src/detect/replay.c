#include "detect/replay.h"

#include <errno.h>

#include "base/why.h"
#include "detect/beside.h"
#include "index/index.h"

struct replay {
	struct index_query *q;
	struct evidence_reader *r;
	struct sigma *engine;
	struct beside *beside;
	struct replay_range range;
	struct firings firings;
	struct buf scratch;
	/* where the last step ended: a time, and the records of that time which were fed */
	int64_t at;
	uint64_t last_seq;
	bool begun;
	uint64_t fed;
	/* of the step */
	replay_fired *fired;
	void *arg;
	uint64_t left;
	int failed;
	bool full;
};

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *replay_why(void)
{
	return why.text;
}

#define DAY (86400 * NSEC_PER_SEC)

/* A day's documents are counted from its beginning. */
static int open_beside(struct replay *p, const struct beside *present)
{
	int64_t from = p->range.lead ? MIN(p->range.lead, p->range.from) : p->range.from;

	p->range.lead = from - (from % DAY + DAY) % DAY;
	return beside_view(present, from, &p->beside);
}

int replay_open(const char *state, struct evidence_reader *r, struct sigma *engine, const struct replay_range *range,
	const struct beside *present,
	struct replay **ret)
{
	struct replay *p = calloc(1, sizeof(*p));
	int e = p ? index_query_open(state, &p->q) : -ENOMEM;

	if (e < 0) {
		free(p);
		return fail(e, "%s", e == -ENOMEM ? "no memory" : index_why());
	}
	p->r = r;
	p->engine = engine;
	p->range = *range;
	e = present ? open_beside(p, present) : 0;
	if (e < 0) {
		replay_close(p);
		return fail(e, "the baseline: %s", strerror(-e));
	}
	*ret = p;
	return 0;
}

struct replay *replay_close(struct replay *p)
{
	if (!p)
		return NULL;
	index_query_close(p->q);
	beside_free(p->beside);
	free(p->firings.v);
	buf_free(&p->scratch);
	free(p);
	return NULL;
}

uint64_t replay_records(const struct replay *p)
{
	return p->fed;
}

static void on_hit(void *arg, const struct sigma_hit *h)
{
	struct replay *p = arg;
	int r = firings_add(&p->firings, h);

	p->failed = p->failed ? p->failed : r;
}

static int64_t record_time(const struct leaf *l)
{
	return (int64_t)l->value[EV_TIME];
}

static int tell(struct replay *p, uint64_t seq, const struct leaf *l)
{
	p->firings.seq = seq;
	p->firings.time = record_time(l);
	p->firings.person = l->present & EV_BIT(EV_PERSON) ? l->value[EV_PERSON] : 0;
	p->firings.path = l->present & EV_BIT(EV_PATH) ? l->value[EV_PATH] : 0;
	return p->fired(p->arg, &p->firings);
}

/* Rules, with what is known beside the record. */
static int feed_rules(struct replay *p, uint64_t seq, const struct leaf *l)
{
	struct sigma_beside beside = { 0 };
	struct event e;
	int r = p->beside ? beside_leaf(p->beside, seq, l) : 0;

	if (r < 0)
		return fail(r, "the baseline: %s", strerror(-r));
	if (record_time(l) < p->range.from)
		return 0;
	buf_clear(&p->scratch);
	r = evidence_event(evidence_reader_names(p->r), seq, l, &p->scratch, &e);
	if (r < 0)
		return fail(r, "%s", evidence_why());
	if (p->beside)
		beside_tell(p->beside, l, &e, &beside);
	r = sigma_feed_beside(p->engine, &e, &beside, on_hit, p);
	if (r == 0)
		r = p->failed;
	return r < 0 ? fail(r, "rules: %s", strerror(-r)) : 0;
}

static int feed(void *arg, uint64_t seq, const struct leaf *l)
{
	struct replay *p = arg;
	int r;

	if (p->begun && record_time(l) == p->at && seq <= p->last_seq)
		return 0;
	p->begun = true;
	p->at = record_time(l);
	p->last_seq = seq;
	p->fed++;
	p->firings.n = 0;
	r = feed_rules(p, seq, l);
	if (r == 0 && p->firings.n)
		r = tell(p, seq, l);
	p->failed = r;
	p->full = r == 0 && --p->left == 0;
	return r || p->full ? 1 : 0;
}

int replay_step(struct replay *p, uint64_t max, replay_fired *fired, void *arg, bool *ret_more)
{
	struct index_filter f = { .since = p->begun ? p->at : p->beside ? p->range.lead : p->range.from, .until = p->range.to,
		.below = p->range.below };
	uint64_t size;
	int r = evidence_reader_refresh(p->r, &size);

	p->fired = fired;
	p->arg = arg;
	p->left = MAX(max, 1);
	p->failed = 0;
	p->full = false;
	if (r < 0)
		return fail(r, "%s", evidence_why());
	r = index_query_leaves(p->q, &f, feed, p);
	if (r < 0)
		return fail(r, "%s", index_why());
	*ret_more = p->full;
	return p->failed;
}

static int newest(void *arg, const struct event *e)
{
	*(int64_t *)arg = e->time;
	return 1;
}

int replay_frontier(const char *state, uint64_t below, int64_t *ret)
{
	const struct index_filter f = { .reverse = true, .below = below, .limit = 1 };
	int r = 0;

	*ret = INT64_MIN;
	if (below)
		r = index_events(state, &f, newest, ret);
	return r < 0 ? fail(r, "%s", index_why()) : 0;
}
