/* Cases: when they open, grow, close and stay quiet. Their bodies are in case_body.c. */
#include <errno.h>

#include "base/array.h"
#include "detect/cases_int.h"

#define DAY ALERTS_DAY
#define QUIET (CASE_QUIET_DAYS * DAY)
#define EXPECTED (CASE_EXPECTED_DAYS * DAY)

struct cases *cases_new(const char *state, struct evidence_reader *r)
{
	struct cases *c = calloc(1, sizeof(*c));

	if (c) {
		c->state = state;
		c->r = r;
		c->next_quiet = INT64_MAX;
		c->budget = ALERTS_PERSONS;
	}
	return c;
}

struct cases *cases_free(struct cases *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		json_decref(c->v[i].body);
	index_query_close(c->index);
	free(c->v);
	free(c);
	return NULL;
}

void cases_person(struct cases *c, uint64_t person)
{
	c->persons = MAX(c->persons, person);
}

uint64_t cases_persons(const struct cases *c)
{
	return c->persons;
}

void cases_budget(struct cases *c, uint64_t of_1000)
{
	c->budget = MIN(of_1000, 1000);
}

static int64_t number(const json_t *body, const char *key)
{
	return json_integer_value(json_object_get(body, key));
}

static void note_quiet(struct cases *c, const struct kase *k)
{
	if (k->open)
		c->next_quiet = MIN(c->next_quiet, k->last + QUIET);
}

static struct kase *add(struct cases *c)
{
	if (array_room(c->v, c->cap, c->n + 1) < 0)
		return NULL;
	c->v[c->n] = (struct kase){ 0 };
	return &c->v[c->n++];
}

int cases_load(struct cases *c, const struct alert *al)
{
	struct kase *k = add(c);

	if (!k)
		return -ENOMEM;
	k->body = json_loadb(al->body.p, al->body.n, 0, NULL);
	if (!k->body && !(k->body = json_object()))
		return -ENOMEM;
	k->number = al->number;
	k->person = al->person;
	k->severity = al->severity;
	k->open = al->open;
	k->reason = al->reason;
	k->upto = al->upto;
	k->recorded = k->last = number(k->body, "last");
	k->first = json_object_get(k->body, "first") ? number(k->body, "first") : al->raised;
	c->newest = MAX(c->newest, al->number);
	cases_person(c, (uint64_t)number(k->body, "known"));
	note_quiet(c, k);
	return 0;
}

void cases_leaf(struct cases *c, const struct leaf *l)
{
	for (size_t i = 0; i < c->n; i++) {
		struct kase *k = &c->v[i];

		if (k->number != l->value[ALERT_NUMBER] || l->value[ALERT_PHASE] != ALERT_CLOSED || !(l->present >> ALERT_ACCOUNT & 1))
			continue;
		k->open = false;
		k->reason = (enum alert_reason)l->value[ALERT_REASON];
	}
}

bool cases_unsaved(const struct cases *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].unsaved)
			return true;
	return false;
}

void cases_count(const struct cases *c, struct cases_count *ret)
{
	*ret = (struct cases_count){ 0 };
	for (size_t i = 0; i < c->n; i++) {
		const struct kase *k = &c->v[i];

		if (!k->open)
			continue;
		ret->open++;
		ret->held += json_is_true(json_object_get(k->body, "held"));
		ret->by[k->severity < SEVERITY_MAX_ ? k->severity : 0]++;
	}
}

static bool joined(const struct kase *k)
{
	return json_object_get(k->body, "joined") != NULL;
}

/* Of the person; without one, of the rule: a gap is nobody's. */
static bool is_his(const struct kase *k, const struct firings *f)
{
	const char *title;

	if (k->person != f->person || joined(k))
		return false;
	title = f->person ? NULL : json_string_value(json_object_get(k->body, "title"));
	return f->person || (title && strcmp(title, f->v[0].title) == 0);
}

/* Nobody has judged it, and it lies within the quiet days. */
static bool takes(const struct kase *k, const struct firings *f)
{
	return !k->reason && is_his(k, f) && f->time >= k->first - QUIET && f->time <= k->last + QUIET;
}

/* The earliest that takes it. */
static struct kase *find_case(struct cases *c, const struct firings *f)
{
	struct kase *found = NULL;

	for (size_t i = 0; i < c->n; i++)
		if (takes(&c->v[i], f) && (!found || c->v[i].first < found->first))
			found = &c->v[i];
	return found;
}

static bool knows_all(const struct kase *k, const struct firings *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].exempt || !case_knows(k->body, f->v[i].title))
			return false;
	return true;
}

static bool is_below(const struct cases *c, uint64_t path, uint64_t folder)
{
	uint64_t up[256];
	size_t n;

	if (!folder)
		return true;
	n = path ? names_parents(evidence_reader_names(c->r), path, up, ARRAY_SIZE(up)) : 0;
	for (size_t i = 0; i < n; i++)
		if (up[i] == folder)
			return true;
	return false;
}

/* The newest of his that a person closed, not long before this. */
static struct kase *find_closed(struct cases *c, const struct firings *f)
{
	struct kase *found = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct kase *k = &c->v[i];

		if (!k->open && k->reason && is_his(k, f) && f->time >= k->first - QUIET && f->time - k->last <= EXPECTED &&
			(!found || k->last >= found->last))
			found = k;
	}
	return found;
}

static uint64_t allowed(const struct cases *c)
{
	return MAX(1, c->persons * c->budget / 1000);
}

/* Days are of the event that raised an alert; the budget counts what is not exempt. */
static uint64_t raised_on(const struct cases *c, int64_t day)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->v[i].body && c->v[i].first / DAY == day && !json_is_true(json_object_get(c->v[i].body, "exempt")) && !joined(&c->v[i]);
	return n;
}

static int hand_out(struct cases *c, struct kase *k, enum alert_phase phase, int64_t time, uint64_t upto, detector_emit *emit, void *arg)
{
	struct evidence_alert a = { .time = time, .number = k->number, .phase = phase, .severity = k->severity, .upto = upto };
	char *text = NULL;
	int r;

	k->recorded = time;
	k->upto = upto;
	k->dirty = k->unsaved = false;
	text = case_text(k->body);
	if (!text)
		return -ENOMEM;
	a.body = str_c(text);
	a.rule = str_c(json_string_value(json_object_get(k->body, "title")));
	if (k->person && names_value(evidence_reader_names(c->r), NAME_PERSON, k->person, &a.person) < 0)
		a.person = STR_NONE;
	r = emit(arg, &a);
	free(text);
	return r;
}

/* 1, 2, 4, 8…: what repeats itself is recorded ever more rarely. */
static bool is_power(uint64_t v)
{
	return v && !(v & (v - 1));
}

static void mark(struct kase *k, enum alert_phase phase)
{
	/* Raised is more than reopened, reopened more than grown. */
	static const int rank[ALERT_PHASE_MAX_] = { [ALERT_GROWN] = 1, [ALERT_REOPENED] = 2, [ALERT_RAISED] = 3 };

	if (!k->dirty || rank[phase] > rank[k->phase])
		k->phase = phase;
	k->dirty = true;
}

/* Of one that was closed as expected: counted, and the count recorded, and that is all. */
static int quieten(struct cases *c, struct kase *k, const struct firings *f, detector_emit *emit, void *arg)
{
	int64_t n = number(k->body, "quieted") + 1;

	if (f->mode == FIRING_SILENT && f->seq < k->upto)
		return 0;
	/* Once for a stretch of time, whichever of its records came late. */
	if (f->mode == FIRING_PAST && !f->late && f->time <= number(k->body, "quieted_to"))
		return 0;
	json_object_set_new(k->body, "quieted", json_integer(n));
	json_object_set_new(k->body, "quieted_to", json_integer(MAX(f->time, number(k->body, "quieted_to"))));
	if (f->mode == FIRING_PAST)
		mark(k, ALERT_GROWN);
	k->unsaved = true;
	return f->mode == FIRING_LOUD && is_power((uint64_t)n) ? hand_out(c, k, ALERT_GROWN, f->time, f->seq + 1, emit, arg) : 0;
}

static struct kase *raise_case(struct cases *c, const struct firings *f, bool exempt)
{
	uint64_t before = exempt ? 0 : raised_on(c, f->time / DAY);
	struct kase *k = add(c);

	if (!k || !(k->body = json_object()))
		return NULL;
	k->number = ++c->newest;
	k->person = f->person;
	k->first = k->last = f->time;
	json_object_set_new(k->body, "title", json_string(f->v[0].title));
	json_object_set_new(k->body, "exempt", json_boolean(exempt));
	json_object_set_new(k->body, "known", json_integer((json_int_t)c->persons));
	json_object_set_new(k->body, "allowed", json_integer((json_int_t)allowed(c)));
	json_object_set_new(k->body, "held", json_boolean(!exempt && before >= allowed(c)));
	return k;
}

/* The most severe first: it gives the title. */
static void order(const struct firings *f, enum severity *ret_severity, bool *ret_exempt)
{
	size_t top = 0;

	*ret_exempt = false;
	for (size_t i = 0; i < f->n; i++) {
		*ret_exempt |= f->v[i].exempt;
		if (f->v[i].severity > f->v[top].severity)
			top = i;
	}
	*ret_severity = f->v[top].severity;
	if (top) {
		struct firing first = f->v[0];

		f->v[0] = f->v[top];
		f->v[top] = first;
	}
}

/* What leans on nothing that came late was told when it happened. */
static struct firings past_only(const struct firings *f)
{
	struct firings left = *f;

	left.n = 0;
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].correlation ? f->v[i].newest >= f->late_from : f->late)
			f->v[left.n++] = f->v[i];
	return left;
}

/* Late records within a case that a person has judged, and nothing new in kind: part of what was judged. */
static bool was_judged(const struct kase *closed, const struct firings *f, enum severity severity)
{
	return closed && f->mode == FIRING_PAST && severity <= closed->severity && f->time >= closed->first - DAY && f->time <= closed->last &&
		knows_all(closed, f);
}

/* Another of his within the quiet days of k, now that it has grown: they were one all along. The later one is closed and names the other. */
static int join_others(struct cases *c, struct kase *k, const struct firings *f, detector_emit *emit, void *arg)
{
	for (size_t i = 0; i < c->n; i++) {
		struct kase *o = &c->v[i];
		int r;

		if (o == k || o->reason || !is_his(o, f) || o->first > k->last + QUIET || o->last < k->first - QUIET)
			continue;
		r = case_join(c, k, o);
		if (r < 0)
			return r;
		k->severity = MAX(k->severity, o->severity);
		k->first = MIN(k->first, o->first);
		k->last = MAX(k->last, o->last);
		o->open = false;
		json_object_set_new(o->body, "joined", json_integer((json_int_t)k->number));
		mark(k, ALERT_GROWN);
		r = hand_out(c, o, ALERT_CLOSED, o->last, MAX(o->upto, f->seq + 1), emit, arg);
		if (r != 0)
			return r;
	}
	return 0;
}

/* NULL with 0: it ends here. */
static int open_case(struct cases *c, const struct firings *f, enum severity severity, bool exempt, enum alert_phase *ret_phase, struct kase **ret,
	detector_emit *emit, void *arg)
{
	struct kase *closed = find_closed(c, f), *k;

	*ret = NULL;
	if (closed && closed->reason == ALERT_EXPECTED && knows_all(closed, f) && is_below(c, f->path, (uint64_t)number(closed->body, "folder")))
		return quieten(c, closed, f, emit, arg);
	if (f->mode == FIRING_SILENT)
		return 0;
	if (was_judged(closed, f, severity)) {
		*ret = closed;
		return 0;
	}
	*ret_phase = closed && severity > closed->severity ? ALERT_REOPENED : ALERT_RAISED;
	k = *ret_phase == ALERT_REOPENED ? closed : raise_case(c, f, exempt);
	if (!k)
		return -ENOMEM;
	k->open = true;
	k->reason = 0;
	*ret = k;
	return 0;
}

/* The most severe firing gives the title; of those the earliest. */
static void take_title(struct kase *k, const struct firings *f, enum severity severity, bool *news)
{
	bool higher = severity > k->severity;

	if (higher || (severity == k->severity && f->time < k->first)) {
		json_object_set_new(k->body, "title", json_string(f->v[0].title));
		*news |= higher;
	}
	k->severity = MAX(k->severity, severity);
}

int cases_firings(struct cases *c, const struct firings *given, detector_emit *emit, void *arg)
{
	const struct firings left = given->mode == FIRING_PAST ? past_only(given) : *given, *f = &left;
	enum alert_phase phase = ALERT_GROWN;
	enum severity severity;
	struct kase *k;
	bool exempt, news = false, changed = false;
	int r;

	if (f->n == 0)
		return 0;
	order(f, &severity, &exempt);
	k = find_case(c, f);
	if (f->mode == FIRING_SILENT && k && (!k->open || f->seq < k->upto))
		return 0;
	if (!k) {
		r = open_case(c, f, severity, exempt, &phase, &k, emit, arg);
		if (r != 0 || !k)
			return r;
		news = changed = phase != ALERT_GROWN;
	} else if (!k->open) {
		/* Quiet days had closed it. */
		phase = ALERT_REOPENED;
	}
	take_title(k, f, severity, &news);
	if (exempt)
		json_object_set_new(k->body, "exempt", json_true());
	r = case_merge(c, k, f, &changed, &news);
	k->first = MIN(k->first, f->time);
	k->last = MAX(k->last, f->time);
	k->unsaved |= changed;
	if (r == 0 && f->mode != FIRING_SILENT)
		r = join_others(c, k, f, emit, arg);
	json_object_set_new(k->body, "first", json_integer(k->first));
	json_object_set_new(k->body, "last", json_integer(k->last));
	if (r != 0 || f->mode == FIRING_SILENT)
		return r;
	if (changed || f->mode == FIRING_LOUD)
		k->open = !k->reason;
	note_quiet(c, k);
	if (f->mode == FIRING_PAST) {
		if (changed)
			mark(k, phase);
		return 0;
	}
	if (!news && !k->dirty && phase == ALERT_GROWN && f->time - k->recorded < CASE_GROW_NS)
		return 0;
	return hand_out(c, k, k->dirty && phase == ALERT_GROWN ? k->phase : phase, k->last, f->seq + 1, emit, arg);
}

int cases_flush(struct cases *c, uint64_t upto, detector_emit *emit, void *arg)
{
	int r = 0;

	for (size_t i = 0; i < c->n && r == 0; i++) {
		struct kase *k = &c->v[i];

		if (k->dirty || k->unsaved)
			r = hand_out(c, k, k->dirty ? k->phase : ALERT_GROWN, k->last, upto, emit, arg);
	}
	return r;
}

int cases_quiet(struct cases *c, int64_t time, uint64_t seq, detector_emit *emit, void *arg)
{
	int r = 0;

	if (likely(time <= c->next_quiet))
		return 0;
	c->next_quiet = INT64_MAX;
	for (size_t i = 0; i < c->n && r == 0; i++) {
		struct kase *k = &c->v[i];

		if (k->open && !k->dirty && time > k->last + QUIET) {
			k->open = false;
			/* This record is still to be looked at: it is not among those that had been read. */
			r = hand_out(c, k, ALERT_CLOSED, k->last + QUIET, seq, emit, arg);
		}
		note_quiet(c, k);
	}
	return r;
}
