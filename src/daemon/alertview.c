#include "daemon/alertview.h"

#include <errno.h>
#include <jansson.h>

#include "daemon/mask.h"

struct making {
	struct evidence_reader *r;
	const struct names *names;
	bool mask;
	struct alert_view *v;
	uint64_t *paths; /* numbers of v->documents */
};

/* Sentences and rules. */
static int take_texts(const json_t *list, const char *key, char ***ret, size_t *ret_n)
{
	size_t n = json_array_size(list), i;
	const json_t *one;

	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	json_array_foreach(list, i, one) {
		const char *text = json_string_value(key ? json_object_get(one, key) : one);

		if (text && !((*ret)[(*ret_n)++] = strdup(text)))
			return -ENOMEM;
	}
	return 0;
}

static int take_documents(struct making *m, const json_t *list)
{
	size_t n = json_array_size(list), i;
	const json_t *one;

	m->v->documents = calloc(n + 1, sizeof(*m->v->documents));
	m->paths = calloc(n + 1, sizeof(*m->paths));
	if (!m->v->documents || !m->paths)
		return -ENOMEM;
	json_array_foreach(list, i, one) {
		_cleanup_buf_ struct buf path = BUF_INIT, masked = BUF_INIT;
		uint64_t number = (uint64_t)json_integer_value(one);
		str s = STR("(erased)");

		if (names_path(m->names, number, &path) == 0)
			s = m->mask ? mask_path(m->names, buf_str(&path), &masked) : buf_str(&path);
		m->v->documents[i].path = alert_view_copy(s);
		if (!m->v->documents[i].path)
			return -ENOMEM;
		m->v->n_documents++;
		m->paths[i] = number;
	}
	return 0;
}

/* What a record says of the alert's documents, of the server, and of the time it spans. */
static int take_event(struct making *m, uint64_t seq)
{
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	struct alert_view *v = m->v;
	struct event e;
	struct leaf l;
	str packed;
	int r = evidence_read(m->r, seq, &packed);

	if (r < 0)
		return r;
	r = leaf_decode((const uint8_t *)packed.p, packed.n, &l);
	if (r < 0 || l.kind != LEAF_EVENT)
		return r < 0 ? r : 0;
	r = evidence_event(m->names, seq, &l, &scratch, &e);
	if (r < 0)
		return r;
	v->first = v->first ? MIN(v->first, e.time) : e.time;
	v->last = MAX(v->last, event_has(&e, EV_END) ? MAX(e.end, e.time) : e.time);
	if (!v->host && event_has(&e, EV_HOST) && !(v->host = alert_view_copy(e.host)))
		return -ENOMEM;
	for (size_t i = 0; event_has(&e, EV_PATH) && i < v->n_documents; i++) {
		struct alert_document *d = &v->documents[i];

		if (m->paths[i] != l.value[EV_PATH])
			continue;
		if (event_has(&e, EV_LABEL))
			d->label = e.label;
		if (event_has(&e, EV_DOCUMENT)) {
			memcpy(d->hash, e.document, sizeof(d->hash));
			d->has_hash = true;
		}
	}
	return 0;
}

static int take_events(struct making *m, const json_t *list)
{
	const json_t *one;
	size_t i;
	int r = 0;

	m->v->events = calloc(json_array_size(list) + 1, sizeof(*m->v->events));
	if (!m->v->events)
		return -ENOMEM;
	json_array_foreach(list, i, one) {
		uint64_t seq = (uint64_t)json_integer_value(one);

		m->v->events[m->v->n_events++] = seq;
		r = r == 0 ? take_event(m, seq) : r;
	}
	return r;
}

static int take_person(struct making *m, uint64_t number)
{
	_cleanup_buf_ struct buf masked = BUF_INIT;
	str s;

	if (!number || names_value(m->names, NAME_PERSON, number, &s) < 0)
		return 0;
	m->v->person = alert_view_copy(m->mask ? mask_person(m->names, s, &masked) : s);
	return m->v->person ? 0 : -ENOMEM;
}

/* A checkpoint's first line is the log's name. Before the first one there is none. */
static int take_log(struct making *m)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const char *end;
	int r = evidence_reader_checkpoint(m->r, &text);

	end = r == 0 && text.n ? memchr(text.p, '\n', text.n) : NULL;
	m->v->log = alert_view_copy(end ? (str){ text.p, (size_t)(end - text.p) } : STR("tyto"));
	return m->v->log ? 0 : -ENOMEM;
}

static uint64_t number_at(const json_t *body, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(body, key));
}

int alertview_make(struct evidence_reader *r, const struct alert *al, bool mask, struct alert_view *ret)
{
	struct alert_view v = { .number = al->number, .raised = al->raised, .changed = al->changed, .severity = al->severity, .open = al->open,
		.held = al->held, .reason = al->reason, .records = al->records, .masked = mask };
	struct making m = { .r = r, .names = evidence_reader_names(r), .mask = mask, .v = &v };
	json_t *body = al->body.n ? json_loadb(al->body.p, al->body.n, 0, NULL) : NULL;
	int e = (v.rule = alert_view_copy(al->rule.n ? al->rule : STR("(erased)"))) ? 0 : -ENOMEM;

	v.more = number_at(body, "more");
	v.labelled = number_at(body, "labelled");
	v.quieted = number_at(body, "quieted");
	if (e == 0)
		e = take_log(&m);
	if (e == 0)
		e = take_person(&m, al->person);
	if (e == 0)
		e = take_texts(json_object_get(body, "why"), NULL, &v.why, &v.n_why);
	if (e == 0)
		e = take_texts(json_object_get(body, "rules"), "rule", &v.rules, &v.n_rules);
	if (e == 0)
		e = take_texts(json_object_get(body, "attack"), NULL, &v.attack, &v.n_attack);
	if (e == 0)
		e = take_texts(json_object_get(body, "tactics"), NULL, &v.tactics, &v.n_tactics);
	if (e == 0)
		e = take_documents(&m, json_object_get(body, "documents"));
	if (e == 0)
		e = take_events(&m, json_object_get(body, "events"));
	json_decref(body);
	free(m.paths);
	if (e < 0)
		alert_view_free(&v);
	else
		*ret = v;
	return e;
}

int alertview_put(struct buf *b, struct evidence_reader *r, const struct alert *al, bool mask, const struct form *form)
{
	_cleanup_alert_view_ struct alert_view v = { 0 };
	int e = alertview_make(r, al, mask, &v);

	if (e == 0)
		form->put(&v, b);
	return e < 0 ? e : buf_error(b);
}
