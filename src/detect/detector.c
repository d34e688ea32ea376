/* Following the log: rules are fed, firings go to the cases, the position is kept. */
#include "detect/detector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/why.h"
#include "detect/beside.h"
#include "detect/cases.h"

#define AGAIN_NS (86400 * NSEC_PER_SEC) /* of event time, read again at a start */
#define AGAIN_LEAVES ((uint64_t)4 << 20) /* at most */
#define AGAIN_STEP 8192

struct detection {
	char *state;
	struct evidence_reader *r;
	struct sigma *rules;
	struct cases *cases;
	struct beside *beside;
	struct firings firings;
	struct buf scratch;
	size_t n_rules;
	uint64_t position;  /* records before it raise nothing any more */
	uint64_t next;      /* leaf to be read next; before position while reading again */
	uint64_t loaded;    /* alert leaves before it came from the table */
	uint64_t emitted, seen; /* alerts handed out, and read back since */
	uint64_t kept;      /* position in the file */
	bool began;
	int failed;         /* of a callback of the rules */
};

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *detector_why(void)
{
	return why.text;
}

size_t detector_rules(const struct detection *d)
{
	return d->n_rules;
}

/* --- opening --- */

static int load_rules(struct detection *d, char *const *rules, size_t n)
{
	int r = sigma_new(&d->rules);

	for (size_t i = 0; i < n && r == 0; i++) {
		r = sigma_add_path(d->rules, rules[i]);
		if (r == -ENOENT)
			r = 0;
		else if (r < 0)
			return fail(r, "%s: %s", rules[i], strerror(-r));
	}
	if (r == 0)
		r = sigma_ready(d->rules);
	if (r < 0)
		return fail(r, "rules: %s", strerror(-r));
	for (size_t i = 0; i < sigma_rules(d->rules); i++)
		d->n_rules += sigma_rule(d->rules, i)->state == SIGMA_RUNS;
	return 0;
}

/* A view, so what cannot be read is as good as none: more is read again. */
static void read_position(struct detection *d, uint64_t size)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	unsigned long long position, persons;
	FILE *f;

	buf_putf(&path, "%s/alerts/position", d->state);
	f = buf_cstr(&path) ? fopen(path.p, "re") : NULL;
	if (!f)
		return;
	if (fscanf(f, "tyto-position/1 %llu %llu", &position, &persons) == 2 && position <= size && position > d->position) {
		d->position = position;
		cases_person(d->cases, persons);
	}
	fclose(f);
}

/* Only when all that was handed out has come back from the log: what was lost on the way is found again. */
static void write_position(struct detection *d)
{
	_cleanup_buf_ struct buf path = BUF_INIT, tmp = BUF_INIT;
	FILE *f;
	bool ok;

	if (!d->began || d->emitted != d->seen || d->next < d->position || d->next == d->kept)
		return;
	buf_putf(&path, "%s/alerts/position", d->state);
	buf_putf(&tmp, "%s/alerts/position.tmp", d->state);
	if (!buf_cstr(&path) || !buf_cstr(&tmp) || !(f = fopen(tmp.p, "we")))
		return;
	ok = fprintf(f, "tyto-position/1 %llu %llu\n", (unsigned long long)d->next, (unsigned long long)cases_persons(d->cases)) > 0;
	ok = fclose(f) == 0 && ok;
	if (ok && rename(tmp.p, path.p) == 0)
		d->kept = d->next;
}

/* Never ahead of the position: what is to be told again is told from what was known then. */
static void keep_beside(struct detection *d, bool now)
{
	if (d->began && d->kept == d->next && beside_known(d->beside) == d->next)
		beside_keep(d->beside, now);
}

static int load_case(void *arg, const struct alert *al)
{
	struct detection *d = arg;

	d->position = MAX(d->position, al->upto);
	return cases_load(d->cases, al);
}

static int load_cases(struct detection *d, uint64_t size)
{
	struct alerts *table = NULL;
	int r = alerts_open(d->state, true, &table);

	if (r == 0)
		r = alerts_advance(table, d->r, size);
	if (r == 0)
		r = alerts_each(table, load_case, d);
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
	r = evidence_reader_open(state, &d->r);
	if (r == 0)
		r = evidence_reader_refresh(d->r, &size);
	if (r < 0)
		fail(r, "%s", evidence_why());
	if (r == 0 && !(d->cases = cases_new(d->r)))
		r = fail(-ENOMEM, "no memory");
	if (r == 0)
		r = load_rules(d, rules, n);
	if (r == 0)
		r = load_cases(d, size);
	if (r < 0) {
		detector_close(d);
		return r;
	}
	*ret = d;
	return 0;
}

struct detection *detector_close(struct detection *d)
{
	if (!d)
		return NULL;
	write_position(d);
	keep_beside(d, true);
	cases_free(d->cases);
	beside_free(d->beside);
	sigma_free(d->rules);
	evidence_reader_close(d->r);
	free(d->firings.v);
	buf_free(&d->scratch);
	free(d->state);
	free(d);
	return NULL;
}

/* --- reading --- */

static void on_hit(void *arg, const struct sigma_hit *h)
{
	struct detection *d = arg;
	int r = firings_add(&d->firings, h);

	d->failed = d->failed ? d->failed : r;
}

static int take_event(struct detection *d, uint64_t seq, const struct leaf *l, detector_emit *emit, void *arg)
{
	struct sigma_beside beside;
	struct event e;
	bool loud = seq >= d->position;
	int r;

	buf_clear(&d->scratch);
	r = evidence_event(evidence_reader_names(d->r), seq, l, &d->scratch, &e);
	if (r < 0)
		return fail(r, "%s", evidence_why());
	if (l->present & EV_BIT(EV_PERSON))
		cases_person(d->cases, l->value[EV_PERSON]);
	if (loud)
		r = cases_quiet(d->cases, e.time, seq, emit, arg);
	if (r != 0)
		return r;
	d->firings.n = 0;
	d->failed = 0;
	beside_tell(d->beside, l, &e, &beside);
	r = sigma_feed_beside(d->rules, &e, &beside, on_hit, d);
	if (r == 0)
		r = d->failed;
	if (r < 0)
		return fail(r, "rules: %s", strerror(-r));
	d->firings.seq = seq;
	d->firings.time = e.time;
	d->firings.loud = loud;
	d->firings.person = l->present & EV_BIT(EV_PERSON) ? l->value[EV_PERSON] : 0;
	d->firings.path = l->present & EV_BIT(EV_PATH) ? l->value[EV_PATH] : 0;
	return cases_firings(d->cases, &d->firings, emit, arg);
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

struct handing {
	struct detection *d;
	detector_emit *emit;
	void *arg;
};

static int hand_on(void *arg, const struct evidence_alert *a)
{
	struct handing *h = arg;

	h->d->emitted++;
	return h->emit(h->arg, a);
}

#define LOOKED_AT (1ULL << LEAF_EVENT | 1ULL << LEAF_ALERT | 1ULL << LEAF_PERSON | 1ULL << LEAF_CONFIG)

static int take(struct detection *d, uint64_t seq, detector_emit *emit, void *arg)
{
	struct handing handing = { d, emit, arg };
	struct leaf l;
	str packed;
	int r = evidence_read(d->r, seq, &packed);

	if (r < 0)
		return fail(r, "%s", evidence_why());
	if (packed.n < 2 || packed.p[1] >= 64 || !(LOOKED_AT >> packed.p[1] & 1))
		return 0;
	if (leaf_decode((const uint8_t *)packed.p, packed.n, &l) < 0)
		return fail(-EUCLEAN, "record %llu: expected a leaf", (unsigned long long)seq);
	r = beside_leaf(d->beside, seq, &l);
	if (r < 0)
		return fail(r, "the baseline: %s", strerror(-r));
	if (l.kind == LEAF_PERSON || l.kind == LEAF_CONFIG)
		return 0;
	if (l.kind == LEAF_EVENT)
		return take_event(d, seq, &l, hand_on, &handing);
	take_alert(d, seq, &l);
	return 0;
}

/* The latest time of an event in [from, to); INT64_MIN: none is there. */
static int latest(struct detection *d, uint64_t from, uint64_t to, int64_t *ret)
{
	*ret = INT64_MIN;
	for (uint64_t seq = from; seq < to; seq++) {
		struct leaf l;
		str packed;
		int r = evidence_read(d->r, seq, &packed);

		if (r < 0)
			return fail(r, "%s", evidence_why());
		if (packed.n > 2 && packed.p[1] == LEAF_EVENT && leaf_decode((const uint8_t *)packed.p, packed.n, &l) == 0)
			*ret = MAX(*ret, (int64_t)l.value[EV_TIME]);
	}
	return 0;
}

/* Goes back until a day lies between. */
static int find_start(struct detection *d)
{
	int64_t newest = INT64_MIN, t;
	uint64_t from = d->position;
	int r = 0;

	while (from > 0 && d->position - from < AGAIN_LEAVES) {
		uint64_t step = MIN(from, AGAIN_STEP);

		r = latest(d, from - step, from, &t);
		if (r < 0 || (t != INT64_MIN && newest != INT64_MIN && t < newest - AGAIN_NS))
			break;
		newest = MAX(newest, t);
		from -= step;
	}
	if (r == 0)
		d->next = from;
	return r;
}

int detector_advance(struct detection *d, uint64_t max, detector_emit *emit, void *arg, bool *ret_more)
{
	uint64_t size, to;
	int r = evidence_reader_refresh(d->r, &size);

	*ret_more = false;
	if (r < 0)
		return fail(r, "%s", evidence_why());
	if (!d->began && d->position < size) {
		r = find_start(d);
		d->began = r == 0;
	}
	/* Without a baseline that was kept, the log is read from its beginning. */
	if (r == 0 && beside_known(d->beside) < d->next) {
		r = beside_catch_up(d->beside, d->next, max);
		*ret_more = r == 0;
		return r < 0 ? fail(r, "the baseline: %s", evidence_why()) : 0;
	}
	to = d->next + MIN(max, size - d->next);
	while (r == 0 && d->next < to) {
		r = take(d, d->next, emit, arg);
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
