#include "daemon/alertjson.h"

#include <errno.h>

#include "base/base64.h"
#include "base/json.h"
#include "daemon/mask.h"
#include "event/event_json.h"

#define GAPS_MAX 8
#define PERSONS_MAX 16

struct gap {
	int64_t time, end; /* end 0: not known */
	uint64_t count;    /* 0 not known */
	enum event_cause cause;
};

struct view {
	struct buf *b;
	struct evidence_reader *r;
	const struct names *names;
	bool mask;
	struct buf name, masked, event; /* scratch */
	struct alertpast past;
	struct gap gaps[GAPS_MAX]; /* among the records behind it */
	size_t n_gaps;
	uint64_t persons[PERSONS_MAX]; /* of these records, where the alert is nobody's */
	size_t n_persons;
	bool nobodys;
};

/* STR_NONE: not known, or erased. */
static str name_of(struct view *v, uint64_t number)
{
	str s;

	return number && names_value(v->names, NAME_PERSON, number, &s) == 0 ? s : STR_NONE;
}

static str person_of(struct view *v, uint64_t number)
{
	str s = name_of(v, number);

	buf_clear(&v->masked);
	return s.p && v->mask ? mask_person(v->names, s, &v->masked) : s;
}

static str path_of(struct view *v, uint64_t number)
{
	buf_clear(&v->name);
	buf_clear(&v->masked);
	if (names_path(v->names, number, &v->name) < 0)
		return STR("(erased)");
	return v->mask ? mask_path(v->names, buf_str(&v->name), &v->masked) : buf_str(&v->name);
}

/* What the records behind an alert say of its documents: each record is read once. */
struct known_document {
	uint64_t path;
	enum event_label label;
	uint8_t hash[32];
	bool has_hash;
};
struct known {
	struct known_document *v;
	size_t n;
};

static int read_event(struct view *v, uint64_t seq, struct leaf *l)
{
	str packed;
	int r = evidence_read(v->r, seq, &packed);

	if (r == 0)
		r = leaf_decode((const uint8_t *)packed.p, packed.n, l);
	return r < 0 ? r : l->kind == LEAF_EVENT ? 0 : -EINVAL;
}

static void learn_gap(struct view *v, uint64_t seq, const struct leaf *l)
{
	struct event e;

	buf_clear(&v->event);
	if (v->n_gaps == GAPS_MAX || evidence_event(v->names, seq, l, &v->event, &e) < 0)
		return;
	v->gaps[v->n_gaps++] = (struct gap){ e.time, event_has(&e, EV_END) ? e.end : 0, event_has(&e, EV_COUNT) ? e.count : 0,
		event_has(&e, EV_CAUSE) ? e.cause : 0 };
}

static void learn_person(struct view *v, uint64_t person)
{
	for (size_t i = 0; i < v->n_persons; i++)
		if (v->persons[i] == person)
			return;
	if (v->n_persons < PERSONS_MAX)
		v->persons[v->n_persons++] = person;
}

static void learn(struct view *v, struct known *k, uint64_t seq)
{
	struct event e;
	struct leaf l;

	if (read_event(v, seq, &l) < 0)
		return;
	if (l.value[EV_VERB] == VERB_GAP)
		learn_gap(v, seq, &l);
	if (v->nobodys && l.present & EV_BIT(EV_PERSON))
		learn_person(v, l.value[EV_PERSON]);
	v->past.verbs |= (uint64_t)1 << l.value[EV_VERB];
	v->past.first = MIN(v->past.first, (int64_t)l.value[EV_TIME]);
	v->past.last = MAX(v->past.last, (int64_t)l.value[EV_TIME]);
	for (size_t i = 0; i < k->n; i++) {
		struct known_document *d = &k->v[i];

		if (!(l.present & EV_BIT(EV_PATH)) || l.value[EV_PATH] != d->path)
			continue;
		if (l.present & EV_BIT(EV_LABEL))
			d->label = (enum event_label)l.value[EV_LABEL];
		buf_clear(&v->event);
		if (l.present & EV_BIT(EV_DOCUMENT) && evidence_event(v->names, seq, &l, &v->event, &e) == 0 && event_has(&e, EV_DOCUMENT)) {
			memcpy(d->hash, e.document, sizeof(d->hash));
			d->has_hash = true;
		}
	}
}

static int put_documents(struct view *v, const json_t *body)
{
	const json_t *list = json_object_get(body, "documents"), *one;
	struct known k = { .v = calloc(json_array_size(list) + 1, sizeof(*k.v)) };
	size_t i;

	if (!k.v)
		return -ENOMEM;
	json_array_foreach(list, i, one)
		k.v[k.n++].path = (uint64_t)json_integer_value(one);
	json_array_foreach(json_object_get(body, "events"), i, one)
		learn(v, &k, (uint64_t)json_integer_value(one));
	json_put_arr(v->b, "documents");
	for (i = 0; i < k.n; i++) {
		const struct known_document *d = &k.v[i];

		json_obj_begin(v->b);
		json_put_str(v->b, "path", path_of(v, d->path));
		if (d->has_hash) {
			buf_clear(&v->name);
			buf_puts(&v->name, STR("sha256:"));
			hex_encode(&v->name, (str){ (const char *)d->hash, sizeof(d->hash) });
			json_put_str(v->b, "document", buf_str(&v->name));
		}
		if (d->label)
			json_put_str(v->b, "label", str_c(event_label_name(d->label)));
		json_obj_end(v->b);
	}
	json_arr_end(v->b);
	free(k.v);
	return 0;
}

static void put_gaps(struct view *v)
{
	if (!v->n_gaps)
		return;
	json_put_arr(v->b, "gaps");
	for (size_t i = 0; i < v->n_gaps; i++) {
		const struct gap *g = &v->gaps[i];

		json_obj_begin(v->b);
		json_put_time(v->b, "time", g->time);
		if (g->end)
			json_put_time(v->b, "end", g->end);
		if (g->cause)
			json_put_str(v->b, "cause", str_c(event_cause_name(g->cause)));
		if (g->count)
			json_put_u64(v->b, "count", g->count);
		json_obj_end(v->b);
	}
	json_arr_end(v->b);
}

static void put_persons(struct view *v)
{
	if (!v->n_persons)
		return;
	json_put_arr(v->b, "persons");
	for (size_t i = 0; i < v->n_persons; i++) {
		str s = person_of(v, v->persons[i]);

		if (s.p)
			json_str(v->b, s);
	}
	json_arr_end(v->b);
}

static int put_timeline(struct view *v, const json_t *body)
{
	const json_t *one;
	size_t i;
	int r = 0;

	json_put_arr(v->b, "timeline");
	json_array_foreach(json_object_get(body, "events"), i, one) {
		uint64_t seq = (uint64_t)json_integer_value(one);
		struct event e;
		struct leaf l;

		buf_clear(&v->event);
		buf_clear(&v->masked);
		r = read_event(v, seq, &l);
		if (r == 0)
			r = evidence_event(v->names, seq, &l, &v->event, &e);
		if (r < 0)
			break;
		if (v->mask)
			mask_event(v->names, &e, &v->masked);
		event_to_json(v->b, &e);
	}
	json_arr_end(v->b);
	return r;
}

static void put_copied(struct view *v, const json_t *body, const char *key)
{
	char *text = json_dumps(json_object_get(body, key), JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		return;
	json_key(v->b, key);
	json_raw(v->b, str_c(text));
	free(text);
}

/* Times in ns are of the body; here they are as everywhere. */
static void put_rules(struct view *v, const json_t *body)
{
	static const char *const copied[] = { "rule", "hits", "count", "counts", "field", "percentile", "least", "span", "parts", "asks",
		"attack" };
	const json_t *one;
	size_t i;

	json_put_arr(v->b, "rules");
	json_array_foreach(json_object_get(body, "rules"), i, one) {
		json_obj_begin(v->b);
		for (size_t k = 0; k < ARRAY_SIZE(copied); k++)
			put_copied(v, one, copied[k]);
		if (json_object_get(one, "from"))
			json_put_time(v->b, "from", json_integer_value(json_object_get(one, "from")));
		if (json_object_get(one, "to"))
			json_put_time(v->b, "to", json_integer_value(json_object_get(one, "to")));
		json_obj_end(v->b);
	}
	json_arr_end(v->b);
}

/* Not all records are named: the rules' own stretches say from when to when it was. */
static void stretch(struct view *v, const json_t *body)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(body, "rules"), i, one) {
		if (!json_object_get(one, "from"))
			continue;
		v->past.first = MIN(v->past.first, json_integer_value(json_object_get(one, "from")));
		v->past.last = MAX(v->past.last, json_integer_value(json_object_get(one, "to")));
	}
}

static int put_whole(struct view *v, const json_t *body)
{
	int r = 0;

	stretch(v, body);
	if (v->past.person.n && v->past.verbs)
		r = alertpast_put(v->b, &v->past);
	alertpast_put_lower(v->b, body);
	return r < 0 ? r : put_timeline(v, body);
}

int alertjson_put(struct buf *b, const char *state, struct evidence_reader *r, const struct alert *al, bool mask, bool whole)
{
	static const char *const copied[] = { "title", "why", "attack", "tactics", "events", "more", "quieted", "joined" };
	json_t *body = al->body.n ? json_loadb(al->body.p, al->body.n, 0, NULL) : NULL;
	struct view v = { .b = b, .r = r, .names = evidence_reader_names(r), .mask = mask,
		.past = { .state = state, .r = r, .mask = mask, .first = INT64_MAX, .last = INT64_MIN }, .nobodys = !al->person };
	str person = person_of(&v, al->person);
	int e;

	v.past.person = name_of(&v, al->person);

	json_obj_begin(b);
	json_put_u64(b, "id", al->number);
	json_put_time(b, "time", al->raised);
	json_put_str(b, "severity", str_c(severity_name(al->severity)));
	if (person.p)
		json_put_str(b, "person", person);
	json_put_str(b, "rule", al->rule);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		put_copied(&v, body, copied[i]);
	put_rules(&v, body);
	e = put_documents(&v, body);
	put_gaps(&v);
	put_persons(&v);
	json_put_str(b, "status", str_c(al->open ? (al->held ? "held" : "open") : "closed"));
	json_put_time(b, "changed", al->changed);
	if (al->reason)
		json_put_str(b, "reason", str_c(alert_reason_name(al->reason)));
	if (al->has_account && !mask)
		json_put_u64(b, "closed_by", al->account);
	if (e == 0 && whole)
		e = put_whole(&v, body);
	json_obj_end(b);
	json_decref(body);
	buf_free(&v.name);
	buf_free(&v.masked);
	buf_free(&v.event);
	return e < 0 ? e : buf_error(b);
}
