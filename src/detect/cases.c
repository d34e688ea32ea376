/* Cases: when they open, grow, close and stay quiet. Their bodies are in case_body.c. */
#include <errno.h>

#include "detect/cases_int.h"

#define DAY ALERTS_DAY

struct cases *cases_new(struct evidence_reader *r)
{
	struct cases *c = calloc(1, sizeof(*c));

	if (c) {
		c->r = r;
		c->next_quiet = INT64_MAX;
	}
	return c;
}

struct cases *cases_free(struct cases *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		json_decref(c->v[i].body);
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

static int64_t number(const json_t *body, const char *key)
{
	return json_integer_value(json_object_get(body, key));
}

static void note_quiet(struct cases *c, const struct kase *k)
{
	if (k->open)
		c->next_quiet = MIN(c->next_quiet, k->last + CASE_QUIET_DAYS * DAY);
}

static struct kase *add(struct cases *c)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct kase *v = reallocarray(c->v, cap, sizeof(*v));

		if (!v)
			return NULL;
		c->v = v;
		c->cap = cap;
	}
	c->v[c->n] = (struct kase){ 0 };
	return &c->v[c->n++];
}

/* Days are of the event that raised an alert; the budget counts what was not exempt. */
static void count_day(struct cases *c, int64_t time)
{
	int64_t day = time / DAY;

	if (c->day != day) {
		c->day = day;
		c->raised_today = 0;
	}
	c->raised_today++;
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
	c->newest = MAX(c->newest, al->number);
	cases_person(c, (uint64_t)number(k->body, "known"));
	if (!al->exempt)
		count_day(c, al->raised);
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

/* Of the person; without one, of the rule: a gap is nobody's. */
static bool is_his(const struct kase *k, const struct firings *f)
{
	const char *title = json_string_value(json_object_get(k->body, "title"));

	return k->person == f->person && (f->person || (title && strcmp(title, f->v[0].title) == 0));
}

static struct kase *find_open(struct cases *c, const struct firings *f)
{
	for (size_t i = c->n; i-- > 0;)
		if (c->v[i].open && is_his(&c->v[i], f))
			return &c->v[i];
	return NULL;
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

/* The newest of his that a person closed not long ago. */
static struct kase *find_closed(struct cases *c, const struct firings *f)
{
	for (size_t i = c->n; i-- > 0;) {
		struct kase *k = &c->v[i];

		if (!k->open && k->reason && is_his(k, f) && f->time - k->last <= CASE_EXPECTED_DAYS * DAY)
			return k;
	}
	return NULL;
}

static uint64_t allowed(const struct cases *c)
{
	return MAX(1, c->persons * ALERTS_PERSONS / 1000);
}

static int hand_out(struct cases *c, struct kase *k, enum alert_phase phase, int64_t time, uint64_t upto, detector_emit *emit, void *arg)
{
	struct evidence_alert a = { .time = time, .number = k->number, .phase = phase, .severity = k->severity, .upto = upto };
	char *text = NULL;
	int r;

	k->recorded = time;
	k->upto = upto;
	if (phase != ALERT_CLOSED) {
		text = case_text(k->body);
		if (!text)
			return -ENOMEM;
		a.body = str_c(text);
		a.rule = str_c(json_string_value(json_object_get(k->body, "title")));
	}
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

/* Of one that was closed as expected: counted, and the count recorded, and that is all. */
static int quieten(struct cases *c, struct kase *k, const struct firings *f, detector_emit *emit, void *arg)
{
	int64_t n = number(k->body, "quieted") + 1;

	if (!f->loud && f->seq < k->upto)
		return 0;
	json_object_set_new(k->body, "quieted", json_integer(n));
	return f->loud && is_power((uint64_t)n) ? hand_out(c, k, ALERT_GROWN, f->time, f->seq + 1, emit, arg) : 0;
}

static struct kase *raise_case(struct cases *c, const struct firings *f, bool exempt)
{
	struct kase *k = add(c);

	if (!k || !(k->body = json_object()))
		return NULL;
	k->number = ++c->newest;
	k->person = f->person;
	if (!exempt)
		count_day(c, f->time);
	json_object_set_new(k->body, "title", json_string(f->v[0].title));
	json_object_set_new(k->body, "exempt", json_boolean(exempt));
	json_object_set_new(k->body, "known", json_integer((json_int_t)c->persons));
	json_object_set_new(k->body, "allowed", json_integer((json_int_t)allowed(c)));
	json_object_set_new(k->body, "held", json_boolean(!exempt && c->raised_today > allowed(c)));
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

int cases_firings(struct cases *c, const struct firings *f, detector_emit *emit, void *arg)
{
	enum alert_phase phase = ALERT_GROWN;
	enum severity severity;
	struct kase *k, *closed;
	bool exempt, news = false;
	int r;

	if (f->n == 0)
		return 0;
	order(f, &severity, &exempt);
	k = find_open(c, f);
	if (!k) {
		closed = find_closed(c, f);
		if (closed && closed->reason == ALERT_EXPECTED && knows_all(closed, f) &&
			is_below(c, f->path, (uint64_t)number(closed->body, "folder")))
			return quieten(c, closed, f, emit, arg);
		if (!f->loud)
			return 0;
		phase = closed && severity > closed->severity ? ALERT_REOPENED : ALERT_RAISED;
		k = phase == ALERT_REOPENED ? closed : raise_case(c, f, exempt);
		if (!k)
			return -ENOMEM;
		k->open = news = true;
		k->reason = 0;
	}
	if (!f->loud && f->seq < k->upto)
		return 0;
	if (severity > k->severity) {
		k->severity = severity;
		json_object_set_new(k->body, "title", json_string(f->v[0].title));
		news = true;
	}
	if (exempt)
		json_object_set_new(k->body, "exempt", json_true());
	k->last = MAX(k->last, f->time);
	note_quiet(c, k);
	r = case_merge(c, k, f, &news);
	if (r < 0 || !f->loud)
		return r;
	return news || f->time - k->recorded >= CASE_GROW_NS ? hand_out(c, k, phase, f->time, f->seq + 1, emit, arg) : 0;
}

int cases_quiet(struct cases *c, int64_t time, uint64_t seq, detector_emit *emit, void *arg)
{
	int r = 0;

	if (likely(time <= c->next_quiet))
		return 0;
	c->next_quiet = INT64_MAX;
	for (size_t i = 0; i < c->n && r == 0; i++) {
		struct kase *k = &c->v[i];

		if (k->open && time > k->last + CASE_QUIET_DAYS * DAY) {
			k->open = false;
			/* This record is still to be looked at: it is not among those that had been read. */
			r = hand_out(c, k, ALERT_CLOSED, k->last + CASE_QUIET_DAYS * DAY, seq, emit, arg);
		}
		note_quiet(c, k);
	}
	return r;
}
