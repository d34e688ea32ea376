/* Following the log: rules are fed, firings go to the cases, what came late waits for its turn, the position is kept. */
#include "detect/detector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "base/why.h"
#include "index/index.h"
#include "detect/beside.h"
#include "detect/copies.h"
#include "detect/late.h"
#include "detect/replay.h"

#define WARM_STEP 65536 /* each step asks the index anew, and looks through the log's tail */
#define AGAIN_NS (86400 * NSEC_PER_SEC) /* of event time, gone through again at a start, at least */

struct detection {
	char *state;
	struct evidence_reader *r;
	struct ruleset *set;
	struct sigma *rules;
	struct cases *cases;
	struct beside *beside;
	struct firings firings;
	struct buf scratch;
	uint64_t position;  /* records before it raise nothing any more, but late ones that waited */
	uint64_t next;      /* leaf to be read next */
	uint64_t loaded;    /* alert leaves before it came from the table */
	uint64_t emitted, seen; /* alerts handed out, and read back since */
	int64_t frontier;   /* the latest event; INT64_MIN: none */
	bool began;

	struct replay *warm; /* windows are being filled */
	bool warm_cases;     /* cases too: after a start */

	struct late late;    /* put aside */
	struct sigma *past_rules;
	struct replay *past; /* gone through just now… */
	struct late past_late; /* …because of these */
	uint64_t past_below;
	bool adopt;          /* it leads up to the present: its engine has seen all that ours has, and more */

	struct buf setting;  /* what the log is to say of the rules in force… */
	struct buf recorded; /* …and what it says */
	int64_t since;       /* it was recorded */
	char kept[256];      /* the file of the position */
};

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *detector_why(void)
{
	return why.text;
}

/* --- rules --- */

static int load_rules(char *const *rules, size_t n, struct ruleset **ret_set, struct sigma **ret_engine)
{
	struct ruleset *set = NULL;
	int r = ruleset_load(rules, n, &set);

	if (r == 0)
		r = ruleset_engine(set, ret_engine);
	if (r < 0) {
		ruleset_free(set);
		return fail(r, "%s", ruleset_why());
	}
	*ret_set = set;
	return 0;
}

static size_t running(const struct detection *d)
{
	struct ruleset_counts c;

	ruleset_count(d->rules, &c);
	return c.run;
}

/* Windows of `rules` are filled with what is before leaf `below`. */
static int start_warm(struct detection *d, uint64_t below, bool with_cases)
{
	struct replay_range range = { .below = below };
	int r;

	if (d->frontier == INT64_MIN || running(d) == 0)
		return 0;
	range.from = d->frontier - MAX(sigma_reach(d->rules) + DETECTOR_LATE_NS, AGAIN_NS);
	d->warm_cases = with_cases;
	r = replay_open(d->state, d->r, d->rules, &range, d->beside, &d->warm);
	return r < 0 ? fail(r, "%s", replay_why()) : 0;
}

/* What was under way with other rules is begun anew. */
static void drop_past(struct detection *d)
{
	d->past = replay_close(d->past);
	late_add_all(&d->late, &d->past_late);
	late_clear(&d->past_late);
	d->past_rules = sigma_free(d->past_rules);
}

int detector_reload(struct detection *d, char *const *rules, size_t n)
{
	_cleanup_buf_ struct buf setting = BUF_INIT;
	struct ruleset *set = NULL;
	struct sigma *engine = NULL;
	int r = load_rules(rules, n, &set, &engine);

	if (r < 0)
		return r;
	r = ruleset_record(set, engine, &setting);
	if (r < 0 || str_eq(buf_str(&setting), buf_str(&d->setting))) {
		ruleset_free(set);
		sigma_free(engine);
		return r;
	}
	d->warm = replay_close(d->warm);
	drop_past(d);
	ruleset_free(d->set);
	sigma_free(d->rules);
	d->set = set;
	d->rules = engine;
	buf_clear(&d->setting);
	buf_puts(&d->setting, buf_str(&setting));
	/* A start that was not through yet still is to open its cases. */
	r = d->began ? start_warm(d, d->next, false) : 0;
	return r < 0 ? r : 1;
}

void detector_complain(const struct detection *d, void (*say)(void *arg, const struct sigma_rule *r), void *arg)
{
	for (size_t i = 0; i < sigma_rules(d->rules); i++)
		if (sigma_rule(d->rules, i)->state == SIGMA_BROKEN)
			say(arg, sigma_rule(d->rules, i));
}

bool detector_unrecorded(const struct detection *d, str *ret_setting)
{
	*ret_setting = buf_str(&d->setting);
	return !str_eq(*ret_setting, buf_str(&d->recorded));
}

void detector_recorded(struct detection *d)
{
	buf_clear(&d->recorded);
	buf_puts(&d->recorded, buf_str(&d->setting));
}

bool detector_recorded_any(const struct detection *d)
{
	return d->recorded.n > 0;
}

int64_t detector_since(const struct detection *d)
{
	return d->since;
}

void detector_set(const struct detection *d, char ret[static 65])
{
	ruleset_hash(d->set, ret);
}

void detector_stat(const struct detection *d, struct detector_stat *ret)
{
	struct sigma_stat s;
	struct cases_count c;

	*ret = (struct detector_stat){ .waiting = d->late.count + d->past_late.count };
	ruleset_count(d->rules, &ret->rules);
	sigma_stat(d->rules, &s);
	ret->full = s.full;
	cases_count(d->cases, &c);
	ret->open = c.open;
	ret->held = c.held;
}

/* --- the position --- */

#define POSITION "tyto-position/2 %llu %llu %llu %llu %lld %lld\n" /* position, persons; late leaves from, to, of times from, to */

/* A view, so what cannot be read is as good as none: more is read again. */
static void read_position(struct detection *d, uint64_t size)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	unsigned long long position, persons, from, to;
	long long min, max;
	FILE *f;

	buf_putf(&path, "%s/alerts/position", d->state);
	f = buf_cstr(&path) ? fopen(path.p, "re") : NULL;
	if (!f)
		return;
	if (fscanf(f, POSITION, &position, &persons, &from, &to, &min, &max) == 6 && position <= size) {
		d->position = MAX(d->position, position);
		cases_person(d->cases, persons);
		if (from < to && to <= size) {
			late_add(&d->late, from, min);
			late_add(&d->late, to - 1, max);
			d->late.v[0].to = to;
		}
	}
	fclose(f);
}

static uint64_t late_end(const struct late *l)
{
	uint64_t to = 0;

	for (size_t i = 0; i < l->n; i++)
		to = MAX(to, l->v[i].to);
	return to;
}

static void put_position(const struct detection *d, char *out, size_t n)
{
	const struct late *one = &d->late, *other = &d->past_late;
	uint64_t from = MIN(late_from(one), late_from(other));
	int64_t min = !one->count ? other->min : !other->count ? one->min : MIN(one->min, other->min);
	int64_t max = !one->count ? other->max : !other->count ? one->max : MAX(one->max, other->max);

	if (from == UINT64_MAX)
		from = 0;
	snprintf(out, n, POSITION, (unsigned long long)d->next, (unsigned long long)cases_persons(d->cases), (unsigned long long)from,
		(unsigned long long)MAX(late_end(one), late_end(other)), (long long)min, (long long)max);
}

/* Only when all that was handed out has come back from the log: what was lost on the way is found again. */
static void write_position(struct detection *d)
{
	_cleanup_buf_ struct buf path = BUF_INIT, tmp = BUF_INIT;
	char text[sizeof(d->kept)];
	FILE *f;
	bool ok;

	if (!d->began || d->emitted != d->seen || d->next < d->position)
		return;
	put_position(d, text, sizeof(text));
	if (strcmp(text, d->kept) == 0)
		return;
	buf_putf(&path, "%s/alerts/position", d->state);
	buf_putf(&tmp, "%s/alerts/position.tmp", d->state);
	if (!buf_cstr(&path) || !buf_cstr(&tmp) || !(f = fopen(tmp.p, "we")))
		return;
	ok = fputs(text, f) >= 0;
	ok = fclose(f) == 0 && ok;
	if (ok && rename(tmp.p, path.p) == 0)
		memcpy(d->kept, text, sizeof(text));
}

/* Never ahead of the position: what is to be told again is told from what was known then. */
static void keep_beside(struct detection *d, bool now)
{
	if (d->began && d->emitted == d->seen && d->next >= d->position && beside_known(d->beside) == d->next)
		beside_keep(d->beside, now);
}

/* --- opening --- */

static int load_case(void *arg, const struct alert *al)
{
	struct detection *d = arg;

	d->position = MAX(d->position, al->upto);
	return cases_load(d->cases, al);
}

static int load_table(struct detection *d, uint64_t size)
{
	struct alerts *table = NULL;
	int r = alerts_open(d->state, true, &table);

	if (r == 0)
		r = alerts_advance(table, d->r, size);
	if (r == 0)
		r = alerts_each(table, load_case, d);
	if (r == 0) {
		buf_puts(&d->recorded, STR("rules = "));
		if (alerts_ruleset(table, &d->since, &d->recorded) < 0)
			buf_clear(&d->recorded);
	}
	alerts_close(table);
	if (r < 0)
		return fail(r, "%s", alerts_why());
	d->loaded = size;
	read_position(d, size);
	d->next = d->position;
	r = beside_open(d->state, d->r, size, d->position, &d->beside);
	return r < 0 ? fail(r, "the baseline: %s", strerror(-r)) : 0;
}

int detector_open(const char *state, char *const *rules, size_t n, struct detection **ret)
{
	struct detection *d = calloc(1, sizeof(*d));
	uint64_t size;
	int r;

	if (!d || !(d->state = strdup(state))) {
		free(d);
		return fail(-ENOMEM, "no memory");
	}
	d->frontier = INT64_MIN;
	r = evidence_reader_open(state, &d->r);
	if (r == 0)
		r = evidence_reader_refresh(d->r, &size);
	if (r < 0)
		fail(r, "%s", evidence_why());
	if (r == 0 && !(d->cases = cases_new(d->state, d->r)))
		r = fail(-ENOMEM, "no memory");
	if (r == 0)
		r = load_rules(rules, n, &d->set, &d->rules);
	if (r == 0)
		r = ruleset_record(d->set, d->rules, &d->setting);
	if (r == 0)
		r = load_table(d, size);
	if (r < 0) {
		detector_close(d);
		return r;
	}
	*ret = d;
	return 0;
}

void detector_budget(struct detection *d, uint64_t of_1000)
{
	cases_budget(d->cases, of_1000);
}

/* So that whoever may only read finds it as the log is. */
static void bring_table(struct detection *d)
{
	struct alerts *table = NULL;
	uint64_t size;

	if (evidence_reader_refresh(d->r, &size) == 0 && alerts_open(d->state, true, &table) == 0)
		(void)alerts_advance(table, d->r, size);
	alerts_close(table);
}

struct detection *detector_close(struct detection *d)
{
	if (!d)
		return NULL;
	if (d->began) {
		write_position(d);
		keep_beside(d, true);
		bring_table(d);
	}
	replay_close(d->warm);
	replay_close(d->past);
	late_clear(&d->late);
	late_clear(&d->past_late);
	cases_free(d->cases);
	beside_free(d->beside);
	sigma_free(d->rules);
	sigma_free(d->past_rules);
	ruleset_free(d->set);
	evidence_reader_close(d->r);
	free(d->firings.v);
	buf_free(&d->scratch);
	buf_free(&d->setting);
	buf_free(&d->recorded);
	free(d->state);
	free(d);
	return NULL;
}

/* --- what comes --- */

struct handing {
	struct detection *d;
	detector_emit *emit;
	void *arg;
	int failed; /* of a callback of the rules */
};

static int hand_on(void *arg, const struct evidence_alert *a)
{
	struct handing *h = arg;

	h->d->emitted++;
	return h->emit(h->arg, a);
}

static void on_hit(void *arg, const struct sigma_hit *hit)
{
	struct handing *h = arg;
	int r = firings_add(&h->d->firings, hit);

	h->failed = h->failed ? h->failed : r;
}

static int take_event(struct detection *d, uint64_t seq, const struct leaf *l, struct handing *h)
{
	struct sigma_beside beside;
	struct event e;
	int64_t late;
	int r;

	buf_clear(&d->scratch);
	r = evidence_event(evidence_reader_names(d->r), seq, l, &d->scratch, &e);
	if (r < 0)
		return fail(r, "%s", evidence_why());
	if (l->present & EV_BIT(EV_PERSON))
		cases_person(d->cases, l->value[EV_PERSON]);
	late = event_has(&e, EV_SOURCE) ? DETECTOR_IMPORTED_NS : DETECTOR_LATE_NS;
	if (d->frontier != INT64_MIN && e.time < d->frontier - late) {
		if (running(d))
			late_add(&d->late, seq, e.time);
		return 0;
	}
	/* A record from the future must not make late ones of all that comes. */
	d->frontier = MAX(d->frontier, MIN(e.time, time_now()));
	r = cases_quiet(d->cases, d->frontier, seq, hand_on, h);
	if (r != 0)
		return r;
	d->firings.n = 0;
	h->failed = 0;
	beside_tell(d->beside, l, &e, &beside);
	r = sigma_feed_beside(d->rules, &e, &beside, on_hit, h);
	if (r == 0)
		r = h->failed;
	if (r < 0)
		return fail(r, "rules: %s", strerror(-r));
	d->firings.seq = seq;
	d->firings.time = e.time;
	d->firings.mode = FIRING_LOUD;
	d->firings.person = l->present & EV_BIT(EV_PERSON) ? l->value[EV_PERSON] : 0;
	d->firings.path = l->present & EV_BIT(EV_PATH) ? l->value[EV_PATH] : 0;
	r = cases_firings(d->cases, &d->firings, hand_on, h);
	return r < 0 && r != -EINTR ? fail(r, "a case: %s", strerror(-r)) : r;
}

static void take_alert(struct detection *d, uint64_t seq, const struct leaf *l)
{
	if (seq < d->loaded)
		return;
	if (l->present >> ALERT_ACCOUNT & 1)
		cases_leaf(d->cases, l);
	else
		d->seen++;
}

#define LOOKED_AT (1ULL << LEAF_EVENT | 1ULL << LEAF_ALERT | 1ULL << LEAF_PERSON | 1ULL << LEAF_CONFIG | 1ULL << LEAF_PLACE)

/* 0: of a kind that is not looked at. */
static int read_leaf(struct detection *d, uint64_t seq, struct leaf *ret)
{
	str packed;
	int r = evidence_read(d->r, seq, &packed);

	if (r < 0)
		return fail(r, "%s", evidence_why());
	if (packed.n < 2 || packed.p[1] >= 64 || !(LOOKED_AT >> packed.p[1] & 1))
		return 0;
	if (leaf_decode((const uint8_t *)packed.p, packed.n, ret) < 0)
		return fail(-EUCLEAN, "record %llu: expected a leaf", (unsigned long long)seq);
	return 1;
}

/* Opened before it was known to be a decoy's copy: the past is gone through again, as with what came late. */
static int put_back(void *arg, uint64_t seq, int64_t time)
{
	struct detection *d = arg;

	if (running(d))
		late_add(&d->late, seq, time);
	return 0;
}

static int take_place(struct detection *d, uint64_t seq, const struct leaf *l)
{
	int r = copies_place(d->state, d->r, beside_decoys(d->beside), seq, l, put_back, d);

	return r < 0 ? fail(r, "a decoy's copy: %s", *index_why() ? index_why() : strerror(-r)) : 0;
}

static int take(struct detection *d, uint64_t seq, struct handing *h)
{
	struct leaf l;
	int r = read_leaf(d, seq, &l);

	if (r <= 0)
		return r;
	r = beside_leaf(d->beside, seq, &l);
	if (r < 0)
		return fail(r, "the baseline: %s", strerror(-r));
	if (l.kind == LEAF_EVENT)
		return take_event(d, seq, &l, h);
	if (l.kind == LEAF_PLACE)
		return take_place(d, seq, &l);
	if (l.kind != LEAF_ALERT)
		return 0;
	take_alert(d, seq, &l);
	return 0;
}

static int warm_fired(void *arg, struct firings *f)
{
	struct detection *d = arg;

	f->mode = FIRING_SILENT;
	return d->warm_cases ? cases_firings(d->cases, f, NULL, NULL) : 0;
}

static int begin(struct detection *d)
{
	int r = replay_frontier(d->state, d->position, &d->frontier);

	if (r < 0)
		return fail(r, "%s", replay_why());
	d->frontier = MIN(d->frontier, time_now());
	/* What waited over a start: which of it was about a decoy's copy stands in no view. */
	if (d->late.count && (r = copies_again(d->state, d->r, beside_decoys(d->beside), late_from(&d->late), d->position, NULL)) < 0)
		return fail(r, "late records: %s", evidence_why());
	d->began = true;
	return start_warm(d, d->position, true);
}

static int warm_step(struct detection *d, uint64_t max, bool *ret_more)
{
	int r = replay_step(d->warm, MAX(max, WARM_STEP), warm_fired, d, ret_more);

	if (r < 0)
		return fail(r, "%s", replay_why());
	if (!*ret_more)
		d->warm = replay_close(d->warm);
	return 0;
}

int detector_advance(struct detection *d, uint64_t max, detector_emit *emit, void *arg, bool *ret_more)
{
	struct handing h = { d, emit, arg, 0 };
	uint64_t size, to;
	int r = evidence_reader_refresh(d->r, &size);

	*ret_more = false;
	if (r < 0)
		return fail(r, "%s", evidence_why());
	/* Without a baseline that was kept, the log is read from its beginning. */
	if (beside_known(d->beside) < d->next) {
		r = beside_catch_up(d->beside, d->next, max);
		*ret_more = r == 0;
		return r < 0 ? fail(r, "the baseline: %s", evidence_why()) : 0;
	}
	if (!d->began)
		r = begin(d);
	if (r == 0 && d->warm) {
		r = warm_step(d, max, ret_more);
		if (r < 0 || *ret_more)
			return r;
	}
	to = d->next + MIN(max, size - d->next);
	while (r == 0 && d->next < to) {
		r = take(d, d->next, &h);
		d->next += r == 0;
	}
	if (r == 0) {
		beside_passed(d->beside, d->next);
		write_position(d);
		keep_beside(d, false);
	}
	*ret_more = r == 0 && d->next < size;
	return r;
}

/* --- what came late --- */

bool detector_unsettled(const struct detection *d)
{
	return d->late.count > 0 || d->past;
}

static int start_past(struct detection *d)
{
	struct replay_range range = { .below = d->next };
	int64_t reach;
	int r = 0;

	if (d->past_rules)
		sigma_forget(d->past_rules);
	else if ((r = ruleset_engine(d->set, &d->past_rules)) < 0)
		return fail(r, "%s", ruleset_why());
	reach = sigma_reach(d->past_rules) + DETECTOR_LATE_NS;
	range.from = d->late.min - reach;
	range.to = d->late.max + reach;
	d->adopt = range.to >= d->frontier;
	if (d->adopt) {
		range.to = 0;
		range.from = MIN(range.from, d->frontier - reach);
	}
	r = replay_open(d->state, d->r, d->past_rules, &range, d->beside, &d->past);
	if (r < 0)
		return fail(r, "%s", replay_why());
	d->past_below = range.below;
	d->past_late = d->late;
	d->late = (struct late){ 0 };
	return 0;
}

static int past_fired(void *arg, struct firings *f)
{
	struct handing *h = arg;

	f->mode = FIRING_PAST;
	f->late_from = late_from(&h->d->past_late);
	f->late = late_has(&h->d->past_late, f->seq);
	return cases_firings(h->d->cases, f, hand_on, h);
}

/* The engine that saw the late ones takes over; what came meanwhile it is fed first: that has been told. */
static int adopt(struct detection *d)
{
	struct sigma *old = d->rules;
	int r = 0;

	for (uint64_t seq = d->past_below; r >= 0 && seq < d->next; seq++) {
		struct sigma_beside beside;
		struct event e;
		struct leaf l;

		r = read_leaf(d, seq, &l);
		if (r <= 0 || l.kind != LEAF_EVENT || late_has(&d->late, seq))
			continue;
		buf_clear(&d->scratch);
		r = evidence_event(evidence_reader_names(d->r), seq, &l, &d->scratch, &e);
		if (r == 0) {
			beside_tell(d->beside, &l, &e, &beside);
			r = sigma_feed_beside(d->past_rules, &e, &beside, NULL, NULL);
		}
	}
	if (r < 0)
		return fail(r, "late records: %s", strerror(-r));
	d->rules = d->past_rules;
	d->past_rules = old;
	return 0;
}

static int finish_past(struct detection *d, struct handing *h)
{
	int r = d->adopt ? adopt(d) : 0;

	if (r < 0)
		return r;
	d->past = replay_close(d->past);
	late_clear(&d->past_late);
	r = cases_flush(d->cases, d->next, hand_on, h);
	if (r == 0)
		r = cases_quiet(d->cases, d->frontier, d->next, hand_on, h);
	if (r == 0)
		write_position(d);
	return r;
}

int detector_settle(struct detection *d, uint64_t max, detector_emit *emit, void *arg, bool *ret_more)
{
	struct handing h = { d, emit, arg, 0 };
	int r = 0;

	*ret_more = false;
	if (!d->began || d->warm || !detector_unsettled(d))
		return 0;
	if (!d->past)
		r = start_past(d);
	if (r == 0)
		r = replay_step(d->past, max, past_fired, &h, ret_more);
	if (r < 0 && r != -EINTR)
		return fail(r, "late records: %s", *replay_why() ? replay_why() : strerror(-r));
	return r || *ret_more ? r : finish_past(d, &h);
}

bool detector_unsaved(const struct detection *d)
{
	return cases_unsaved(d->cases);
}

int detector_save(struct detection *d, detector_emit *emit, void *arg)
{
	struct handing h = { d, emit, arg, 0 };

	return cases_flush(d->cases, d->next, hand_on, &h);
}
