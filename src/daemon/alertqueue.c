#include "daemon/alertqueue.h"

#include <errno.h>

#include "base/array.h"
#include "base/json.h"
#include "base/why.h"
#include "daemon/alertjson.h"
#include "daemon/alertview.h"
#include "daemon/proto.h"
#include "daemon/query.h"

#define TIMEOUT_MS 30000

struct alertqueue {
	char *state;
	struct evidence_reader *r;
	struct alerts *table;
};

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *alertqueue_why(void)
{
	return why.text;
}

struct alertqueue *alertqueue_close(struct alertqueue *q)
{
	if (!q)
		return NULL;
	alerts_close(q->table);
	evidence_reader_close(q->r);
	free(q->state);
	free(q);
	return NULL;
}

/* The table is a view: whoever may write the state brings it up to the log himself, with a keeper or without. */
int alertqueue_open(const char *state, struct alertqueue **ret)
{
	struct alertqueue *q = calloc(1, sizeof(*q));
	int r = q && (q->state = strdup(state)) ? 0 : fail(-ENOMEM, "no memory");

	if (r == 0 && (r = evidence_reader_open(state, &q->r)) < 0)
		fail(r, "%s", evidence_why());
	if (r == 0 && (r = alerts_open(state, true, &q->table)) < 0)
		fail(r, "%s", alerts_why());
	if (r < 0) {
		alertqueue_close(q);
		return r;
	}
	*ret = q;
	return 0;
}

struct asking {
	struct alertqueue *q;
	const struct alertqueue_filter *f;
	alertqueue_cb *cb;
	void *arg;
	struct alertqueue_counts *counts;
	enum severity severity; /* that is listed just now */
	bool called;            /* what came is of the callback */
	struct found {
		uint64_t key, number; /* in the order of key */
	} *found;
	size_t n, cap;
};

static int give(struct asking *a, const struct alert *al)
{
	int r;

	if (a->f->limit && a->counts->shown >= a->f->limit)
		return 1;
	a->counts->shown++;
	a->counts->worst = MAX(a->counts->worst, (uint64_t)al->severity);
	r = a->cb(a->arg, a->q->r, al);
	a->called = r != 0;
	return r;
}

/* What is not is counted. */
static bool is_listed(struct asking *a, const struct alert *al)
{
	const struct alertqueue_filter *f = a->f;

	if ((f->since && al->raised < f->since) || (f->until && al->raised >= f->until))
		return false;
	if (f->held != al->held && !f->all) {
		a->counts->back += al->held;
		return false;
	}
	if (!f->all && (!al->open || (al->severity == SEVERITY_LOW && !f->held))) {
		a->counts->closed += !al->open;
		a->counts->low += al->open;
		return false;
	}
	return true;
}

static int one(void *arg, const struct alert *al)
{
	struct asking *a = arg;

	return al->severity == a->severity && is_listed(a, al) ? give(a, al) : 0;
}

static int note(struct asking *a, uint64_t key, uint64_t number)
{
	if (array_room(a->found, a->cap, a->n + 1) < 0)
		return -ENOMEM;
	a->found[a->n++] = (struct found){ key, number };
	return 0;
}

/* Times of events are after 1990; of two the one with the higher number was found later. */
static int note_raised(void *arg, const struct alert *al)
{
	struct asking *a = arg;

	return is_listed(a, al) ? note(a, UINT64_MAX - (uint64_t)al->raised, UINT64_MAX - al->number) : 0;
}

static int note_change(void *arg, const struct alert *al)
{
	struct asking *a = arg;

	if (al->seq < a->f->after || (!a->f->all && (al->severity == SEVERITY_LOW || al->held != a->f->held)))
		return 0;
	return note(a, al->seq, al->number);
}

static int by_key(const void *x, const void *y)
{
	const struct found *a = x, *b = y;

	return a->key != b->key ? (a->key > b->key ? 1 : -1) : (a->number > b->number) - (a->number < b->number);
}

static int give_it(void *arg, const struct alert *al)
{
	return give(arg, al);
}

static int give_found(struct asking *a, bool newest)
{
	int r = alerts_each(a->q->table, newest ? note_raised : note_change, a);

	if (a->n)
		qsort(a->found, a->n, sizeof(*a->found), by_key);
	for (size_t i = 0; i < a->n && r == 0; i++)
		r = alerts_one(a->q->table, newest ? UINT64_MAX - a->found[i].number : a->found[i].number, give_it, a);
	free(a->found);
	return r;
}

int alertqueue_ask(struct alertqueue *q, const struct alertqueue_filter *f, alertqueue_cb *cb, void *arg, struct alertqueue_counts *ret)
{
	struct asking a = { .q = q, .f = f, .cb = cb, .arg = arg, .counts = ret };
	int r;

	*ret = (struct alertqueue_counts){ 0 };
	r = evidence_reader_refresh(q->r, &ret->size);
	if (r < 0)
		return fail(r, "%s", evidence_why());
	r = alerts_advance(q->table, q->r, ret->size);
	if (r == 0 && f->id)
		r = alerts_one(q->table, f->id, give_it, &a);
	else if (r == 0 && (f->changes || f->newest))
		r = give_found(&a, !f->changes);
	else
		for (unsigned s = SEVERITY_MAX_; s-- > SEVERITY_LOW && r == 0;) {
			a.severity = (enum severity)s;
			r = alerts_each(q->table, one, &a);
		}
	if (r < 0 && !a.called)
		fail(r, "%s", alerts_why());
	return r == 1 && !a.called ? 0 : r;
}

/* --- by way of the keeper --- */

static const struct {
	const char *key;
	size_t offset;
} numbers[] = {
	{ "since", offsetof(struct alertqueue_filter, since) }, { "until", offsetof(struct alertqueue_filter, until) },
	{ "limit", offsetof(struct alertqueue_filter, limit) }, { "id", offsetof(struct alertqueue_filter, id) },
	{ "after", offsetof(struct alertqueue_filter, after) },
}, flags[] = {
	{ "all", offsetof(struct alertqueue_filter, all) }, { "held", offsetof(struct alertqueue_filter, held) },
	{ "changes", offsetof(struct alertqueue_filter, changes) }, { "whole", offsetof(struct alertqueue_filter, whole) },
	{ "newest", offsetof(struct alertqueue_filter, newest) },
}, counted[] = {
	{ "shown", offsetof(struct alertqueue_counts, shown) }, { "closed", offsetof(struct alertqueue_counts, closed) },
	{ "low", offsetof(struct alertqueue_counts, low) }, { "back", offsetof(struct alertqueue_counts, back) },
	{ "size", offsetof(struct alertqueue_counts, size) }, { "worst", offsetof(struct alertqueue_counts, worst) },
};

static json_t *filter_to_json(const struct alertqueue_filter *f)
{
	json_t *j = json_pack("{s:s}", "do", "alerts");

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_object_set_new(j, numbers[i].key, json_integer(*(const json_int_t *)((const char *)f + numbers[i].offset)));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		json_object_set_new(j, flags[i].key, json_boolean(*(const bool *)((const char *)f + flags[i].offset)));
	if (f->form)
		json_object_set_new(j, "as", json_string(f->form->name));
	return j;
}

/* Anything may stand there: -EINVAL. */
static int filter_from_json(const json_t *j, struct alertqueue_filter *f)
{
	const json_t *as = json_object_get(j, "as");

	*f = (struct alertqueue_filter){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		*(json_int_t *)((char *)f + numbers[i].offset) = json_integer_value(json_object_get(j, numbers[i].key));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		*(bool *)((char *)f + flags[i].offset) = json_is_true(json_object_get(j, flags[i].key));
	f->form = json_is_string(as) ? form_find(json_string_value(as)) : NULL;
	return as && !f->form ? fail(-EINVAL, "as: expected ocsf, ecs or cef") : 0;
}

struct reading {
	alertqueue_text_cb *cb;
	void *arg;
	struct alertqueue_counts *counts;
	struct buf whole; /* of an object that comes in several frames */
};

static int take_frame(void *arg, str body, bool last)
{
	struct reading *k = arg;
	json_t *j;
	int r = 0;

	if (last) {
		j = json_loadb(body.p, body.n, 0, NULL);
		for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
			*(uint64_t *)((char *)k->counts + counted[i].offset) = (uint64_t)json_integer_value(json_object_get(j, counted[i].key));
		json_decref(j);
		return 0;
	}
	/* The first byte: does more of it follow? */
	if (body.n < 1)
		return -EBADMSG;
	buf_puts(&k->whole, (str){ body.p + 1, body.n - 1 });
	if (body.p[0] == '.') {
		r = buf_error(&k->whole) ? buf_error(&k->whole) : k->cb(k->arg, buf_str(&k->whole));
		buf_clear(&k->whole);
	}
	return r;
}

int alertqueue_remote(const char *state, const struct alertqueue_filter *f, alertqueue_text_cb *cb, void *arg,
	struct alertqueue_counts *ret)
{
	struct reading k = { .cb = cb, .arg = arg, .counts = ret };
	json_t *request = filter_to_json(f);
	int r;

	*ret = (struct alertqueue_counts){ 0 };
	r = query_frames(state, request, PROTO_ALERT, take_frame, &k);
	if (r < 0)
		fail(r, "%s", query_why());
	json_decref(request);
	buf_free(&k.whole);
	return r;
}

struct serving {
	int fd;
	const char *state;
	bool mask, whole;
	const struct form *form;
	struct buf text, frame;
};

static int serve(void *arg, struct evidence_reader *r, const struct alert *al)
{
	struct serving *s = arg;
	size_t at = 0;
	int e;

	buf_clear(&s->text);
	if (s->form)
		e = alertview_put(&s->text, r, al, s->mask, s->form);
	else
		e = alertjson_put(&s->text, s->state, r, al, s->mask, s->whole);
	while (e == 0 && at < s->text.n) {
		size_t n = MIN(s->text.n - at, (size_t)PROTO_MAX / 2);

		buf_clear(&s->frame);
		buf_putc(&s->frame, at + n == s->text.n ? '.' : '+');
		buf_put(&s->frame, s->text.p + at, n);
		e = proto_send(s->fd, PROTO_ALERT, buf_str(&s->frame), TIMEOUT_MS);
		at += n;
	}
	return e;
}

void alertqueue_serve(const char *state, int fd, json_t *request, bool mask)
{
	struct serving s = { .fd = fd, .state = state, .mask = mask };
	struct alertqueue_counts counts = { 0 };
	struct alertqueue_filter f;
	struct alertqueue *q = NULL;
	json_t *answer;
	char *text;
	int r;

	r = filter_from_json(request, &f);
	s.whole = f.whole;
	s.form = f.form;
	if (r == 0)
		r = alertqueue_open(state, &q);
	if (r == 0)
		r = alertqueue_ask(q, &f, serve, &s, &counts);
	answer = r < 0 ? json_pack("{s:s,s:i}", "error", *why.text ? why.text : strerror(-r), "errno", r) : json_object();
	for (size_t i = 0; i < ARRAY_SIZE(counted) && r >= 0; i++)
		json_object_set_new(answer, counted[i].key, json_integer((json_int_t)*(uint64_t *)((char *)&counts + counted[i].offset)));
	text = json_dumps(answer, JSON_COMPACT);
	if (text)
		proto_send(fd, PROTO_ANSWER, str_c(text), TIMEOUT_MS);
	free(text);
	json_decref(answer);
	alertqueue_close(q);
	buf_free(&s.text);
	buf_free(&s.frame);
}
