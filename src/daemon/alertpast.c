/* The person's numbers against the past and against the unit: different documents an hour and a day, by local time. */
#include <errno.h>
#include <time.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "daemon/alertjson.h"
#include "daemon/mask.h"
#include "daemon/query.h"
#include "index/index.h"
#include "who/people.h"

#define RECORDS_MAX 2000000 /* looked at for one person */
#define HOURS_MAX 400       /* of the timeline */
#define SPAN_MAX 4096       /* hours or days of the past */

static int64_t start_of(int64_t ns, bool day)
{
	time_t t = (time_t)(ns / NSEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return ns;
	if (day)
		tm.tm_hour = 0;
	tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * NSEC_PER_SEC;
}

static int64_t days_before(int64_t ns, int days)
{
	time_t t = (time_t)(ns / NSEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return ns;
	tm.tm_mday -= days;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * NSEC_PER_SEC;
}

/* Different documents of the hour or day that is going on, as hashes of their places. */
struct span {
	int64_t start, end;
	uint64_t *v;
	size_t n, cap, records;
	bool day;
};

struct count {
	int64_t start;
	size_t documents, records;
};

struct counts {
	struct count *v;
	size_t n, cap;
};

struct counting {
	struct span hour, day;
	struct counts hours, days;
	uint64_t seen;
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t different(uint64_t *v, size_t n)
{
	size_t d = 0;

	if (n)
		qsort(v, n, sizeof(*v), by_value);
	for (size_t i = 0; i < n; i++)
		d += i == 0 || v[i] != v[i - 1];
	return d;
}

static int close_span(struct span *s, struct counts *c)
{
	if (!s->records)
		return 0;
	if (array_room_max(c->v, c->cap, c->n + 1, SPAN_MAX) < 0)
		return -ENOMEM;
	c->v[c->n++] = (struct count){ s->start, different(s->v, s->n), s->records };
	s->n = s->records = 0;
	return 0;
}

static int add(struct span *s, struct counts *c, int64_t time, uint64_t place)
{
	int r = 0;

	if (time >= s->end || !s->end) {
		r = close_span(s, c);
		s->start = start_of(time, s->day);
		s->end = s->day ? days_before(s->start, -1) : s->start + 3600 * NSEC_PER_SEC;
	}
	if (r == 0)
		r = array_room(s->v, s->cap, s->n + 1);
	if (r < 0)
		return r;
	s->v[s->n++] = place;
	s->records++;
	return r;
}

static uint64_t place_of(const struct event *e)
{
	static const uint8_t key[16] = "tyto alert place";

	return siphash13(key, e->path.p, e->path.n);
}

static int take(void *arg, const struct event *e)
{
	struct counting *c = arg;

	if (!event_has(e, EV_PATH))
		return 0;
	if (++c->seen > RECORDS_MAX || add(&c->hour, &c->hours, e->time, place_of(e)) < 0 || add(&c->day, &c->days, e->time, place_of(e)) < 0)
		return 1;
	return 0;
}

static void counting_free(struct counting *c)
{
	free(c->hour.v);
	free(c->day.v);
	free(c->hours.v);
	free(c->days.v);
}

static int by_size(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

/* Of an even number of values the lower one of the two in the middle. */
static void put_compared(struct buf *b, const char *key, size_t now, size_t *past, size_t n)
{
	if (n)
		qsort(past, n, sizeof(*past), by_size);
	json_put_obj(b, key);
	json_put_u64(b, "now", now);
	if (n) {
		json_put_u64(b, "median", past[(n - 1) / 2]);
		json_put_u64(b, "most", past[n - 1]);
	}
	json_put_u64(b, "of", n);
	json_obj_end(b);
}

/* now: the most in the case, which is from `from` to `to`; past: those before it. */
static void put_own(struct buf *b, const char *key, const struct counts *c, int64_t from, int64_t to)
{
	size_t past[SPAN_MAX], n = 0, now = 0;

	for (size_t i = 0; i < c->n && c->v[i].start < to; i++)
		if (c->v[i].start >= from)
			now = MAX(now, c->v[i].documents);
		else
			past[n++] = c->v[i].documents;
	put_compared(b, key, now, past, n);
}

static void put_hours(struct buf *b, const struct counts *c, int64_t from, int64_t to)
{
	size_t n = 0;

	json_put_arr(b, "hours");
	for (size_t i = 0; i < c->n && c->v[i].start < to; i++) {
		if (c->v[i].start < from || n++ >= HOURS_MAX)
			continue;
		json_obj_begin(b);
		json_put_time(b, "hour", c->v[i].start);
		json_put_u64(b, "documents", c->v[i].documents);
		json_put_u64(b, "records", c->v[i].records);
		json_obj_end(b);
	}
	json_arr_end(b);
}

static int query(const struct alertpast *p, const struct index_filter *f, int (*cb)(void *arg, const struct event *e), void *arg)
{
	return index_events(p->state, f, cb, arg);
}

/* --- the unit --- */

struct peers {
	struct peer {
		char *name, *unit;
		uint64_t *v;
		size_t n, cap;
	} *v;
	size_t n, cap;
};

static void peers_free(struct peers *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].name);
		free(p->v[i].unit);
		free(p->v[i].v);
	}
	free(p->v);
}

static struct peer *peer_of(struct peers *p, str name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(str_c(p->v[i].name), name))
			return &p->v[i];
	return NULL;
}

/* A person's newest row that held then; where the first one came later, that one. */
static int take_row(struct peers *p, str text, int64_t then)
{
	json_t *row = json_loadb(text.p, text.n, 0, NULL);
	const char *name = json_string_value(json_object_get(row, "person")), *unit = json_string_value(json_object_get(row, "unit"));
	const char *from = json_string_value(json_object_get(row, "from"));
	struct peer *one = name ? peer_of(p, str_c(name)) : NULL;
	int64_t since;
	int r = 0;

	if (!name || (one && from && time_parse(str_c(from), &since) == 0 && since > then)) {
		json_decref(row);
		return 0;
	}
	if (!one)
		r = array_room_max(p->v, p->cap, p->n + 1, PEOPLE_MAX);
	if (r == 0 && !one) {
		one = &p->v[p->n];
		*one = (struct peer){ .name = strdup(name) };
		p->n += one->name != NULL;
		r = one->name ? 0 : -ENOMEM;
	}
	if (r == 0) {
		free(one->unit);
		one->unit = unit ? strdup(unit) : NULL;
	}
	json_decref(row);
	return r;
}

/* Those of the unit that the person was in then, without the person. */
static int find_peers(const struct alertpast *p, struct peers *all, char **ret_unit)
{
	const struct names *names = evidence_reader_names(p->r);
	struct peer *self;
	size_t n = 0;
	int r = 0;

	for (uint64_t i = 1; i <= names_count(names, NAME_ROW) && r == 0; i++) {
		str row;

		if (names_value(names, NAME_ROW, i, &row) == 0)
			r = take_row(all, row, p->last);
	}
	self = r == 0 ? peer_of(all, p->person) : NULL;
	if (!self || !self->unit || !*self->unit)
		return r;
	*ret_unit = strdup(self->unit);
	if (!*ret_unit)
		return -ENOMEM;
	for (size_t i = 0; i < all->n; i++) {
		struct peer one = all->v[i];
		bool yes = &all->v[i] != self && one.unit && strcmp(one.unit, *ret_unit) == 0 && n < QUERY_PERSONS_MAX;

		if (yes) {
			all->v[i] = all->v[n];
			all->v[n] = one;
			self = self == &all->v[n] ? &all->v[i] : self;
			n++;
		}
	}
	for (size_t i = n; i < all->n; i++) {
		free(all->v[i].name);
		free(all->v[i].unit);
	}
	all->n = n;
	return 0;
}

static int take_peer(void *arg, const struct event *e)
{
	struct peer *one = event_has(e, EV_PATH) ? peer_of(arg, e->person) : NULL;

	if (!one)
		return 0;
	if (array_room_max(one->v, one->cap, one->n + 1, RECORDS_MAX) < 0)
		return 1;
	one->v[one->n++] = place_of(e);
	return 0;
}

/* On the day on which the case had most. */
static int put_peers(struct buf *b, const struct alertpast *p, const struct count *most)
{
	struct index_filter f = { .since = most->start, .until = days_before(most->start, -1), .verbs = p->verbs };
	size_t past[QUERY_PERSONS_MAX], n = 0;
	str names[QUERY_PERSONS_MAX];
	struct peers peers = { 0 };
	char *unit = NULL;
	int r = find_peers(p, &peers, &unit);

	for (size_t i = 0; unit && i < peers.n; i++)
		names[i] = str_c(peers.v[i].name);
	f.persons = names;
	f.n_persons = peers.n;
	if (r == 0 && unit && peers.n)
		r = query(p, &f, take_peer, &peers);
	if (r == 0 && unit) {
		for (size_t i = 0; i < peers.n; i++)
			if (peers.v[i].n)
				past[n++] = different(peers.v[i].v, peers.v[i].n);
		json_put_obj(b, "peers");
		json_put_str(b, "unit", str_c(unit));
		json_put_u64(b, "persons", peers.n);
		json_put_time(b, "day_of", most->start);
		put_compared(b, "day", most->documents, past, n);
		json_obj_end(b);
	}
	peers_free(&peers);
	free(unit);
	return r;
}

int alertpast_put(struct buf *b, const struct alertpast *p)
{
	int64_t day = start_of(p->first, true), hour = start_of(p->first, false);
	/* Days are whole, as those of the past are. */
	int64_t day_end = days_before(start_of(p->last, true), -1), hour_end = start_of(p->last, false) + 3600 * NSEC_PER_SEC;
	struct index_filter f = { .since = days_before(day, ALERTJSON_PAST_DAYS), .verbs = p->verbs,
		.persons = &p->person, .n_persons = 1, .until = day_end };
	struct counting c = { 0 };
	const struct count *most = NULL;
	int r;

	c.day.day = true;
	r = query(p, &f, take, &c);
	if (r == 0)
		r = close_span(&c.hour, &c.hours);
	if (r == 0)
		r = close_span(&c.day, &c.days);
	if (r == 0) {
		put_hours(b, &c.hours, hour, hour_end);
		json_put_obj(b, "own");
		json_put_u64(b, "days", ALERTJSON_PAST_DAYS);
		put_own(b, "hour", &c.hours, hour, hour_end);
		put_own(b, "day", &c.days, day, day_end);
		if (c.seen > RECORDS_MAX)
			json_put_bool(b, "cut", true);
		json_obj_end(b);
	}
	for (size_t i = 0; i < c.days.n; i++)
		if (c.days.v[i].start >= day && (!most || c.days.v[i].documents > most->documents))
			most = &c.days.v[i];
	if (r == 0 && most)
		r = put_peers(b, p, most);
	counting_free(&c);
	return r;
}

/* --- what would not have raised it --- */

static void put_duration(struct buf *b, int64_t seconds)
{
	static const struct { int64_t seconds; const char *one, *many; } units[] = { { 86400, "a day", "days" }, { 3600, "an hour", "hours" },
		{ 60, "a minute", "minutes" }, { 1, "a second", "seconds" } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds % units[i].seconds)
			continue;
		if (seconds == units[i].seconds)
			buf_puts(b, str_c(units[i].one));
		else
			buf_putf(b, "%lld %s", (long long)(seconds / units[i].seconds), units[i].many);
		return;
	}
}

static void put_counted(struct buf *b, const json_t *rule)
{
	static const struct { const char *field, *words; } fields[] = { { "path", "different documents" }, { "document", "different contents" },
		{ "client", "different client addresses" }, { "program", "different programs" }, { "peer", "different peers" },
		{ "tyto.new_in", "different folders with documents new to the person" } };
	const char *counts = json_string_value(json_object_get(rule, "counts")), *field = json_string_value(json_object_get(rule, "field"));

	if (strcmp(counts, "value_count") == 0) {
		for (size_t i = 0; field && i < ARRAY_SIZE(fields); i++)
			if (strcmp(fields[i].field, field) == 0) {
				buf_puts(b, str_c(fields[i].words));
				return;
			}
		buf_putf(b, "different values of %s", field ? field : "the field");
	} else if (strcmp(counts, "event_count") == 0) {
		buf_puts(b, STR("accesses"));
	} else if (strcmp(counts, "value_sum") == 0) {
		buf_putf(b, "%s in all", field ? field : "of it");
	} else {
		if (strcmp(counts, "value_avg") == 0)
			buf_puts(b, STR("on average"));
		else
			buf_putf(b, "at percentile %g", json_is_number(json_object_get(rule, "percentile")) ?
				json_number_value(json_object_get(rule, "percentile")) : 50);
		buf_putf(b, " of %s", field ? field : "the field");
	}
}

static void put_below(struct buf *b, const json_t *count)
{
	buf_putf(b, "below %lld ", (long long)json_integer_value(json_object_get(count, "least")));
	put_counted(b, count);
	buf_puts(b, STR(" within "));
	put_duration(b, json_integer_value(json_object_get(count, "span")));
}

/* All must hold: without one of them, nothing. */
static void put_parts(struct buf *b, const json_t *parts)
{
	const json_t *one;
	size_t i, n = 0;

	json_array_foreach(parts, i, one) {
		if (!json_integer_value(json_object_get(one, "least")))
			continue;
		buf_puts(b, str_c(n++ ? ", or " : ""));
		put_below(b, one);
	}
}

/* "below 3 times any peer's busiest day": one of these, and no record would have counted. */
static void put_ask(struct buf *b, const json_t *ask)
{
	static const struct { const char *field, *words; } fields[] = { { "tyto.own_ratio", "times the person's own busiest day" },
		{ "tyto.labelled_ratio", "times the person's own busiest day of labelled documents" },
		{ "tyto.peer_ratio", "times any peer's busiest day" }, { "tyto.day_documents", "different documents on the day" },
		{ "tyto.day_labelled", "different labelled documents on the day" } };
	const char *field = json_string_value(json_object_get(ask, "field"));

	buf_putf(b, "%s %g ", json_is_true(json_object_get(ask, "above")) ? "at most" : "below", json_number_value(json_object_get(ask, "least")));
	for (size_t i = 0; field && i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].field, field) == 0) {
			buf_puts(b, str_c(fields[i].words));
			return;
		}
	buf_putf(b, "of %s", field ? field : "the field");
}

static void put_asks(struct buf *b, const json_t *asks, const char *between)
{
	const json_t *one;
	size_t i;

	json_array_foreach(asks, i, one) {
		buf_puts(b, str_c(i ? ", or " : ""));
		put_ask(b, one);
	}
	if (json_array_size(asks))
		buf_puts(b, str_c(between));
}

/* One sentence; nothing where the rule has no number that says it. */
static void put_sentence(struct buf *b, const json_t *rule)
{
	const char *title = json_string_value(json_object_get(rule, "rule")), *counts = json_string_value(json_object_get(rule, "counts"));
	const json_t *asks = json_object_get(rule, "asks");
	json_int_t least = json_integer_value(json_object_get(rule, "least"));

	title = title ? title : "";
	if (!counts && !json_array_size(asks)) {
		buf_putf(b, "each such record raises it: %s", title);
	} else if (!counts || (!least && json_array_size(asks))) {
		put_asks(b, asks, " it would not have fired: ");
		buf_puts(b, str_c(title));
	} else if (json_array_size(json_object_get(rule, "parts"))) {
		put_parts(b, json_object_get(rule, "parts"));
		buf_putf(b, " it would not have fired: %s", title);
	} else if (strncmp(counts, "temporal", 8) == 0) {
		buf_putf(b, "fewer than %lld of its parts within ", (long long)least);
		put_duration(b, json_integer_value(json_object_get(rule, "span")));
		buf_putf(b, ", and it would not have fired: %s", title);
	} else if (least) {
		put_asks(b, asks, ", or, beyond that, ");
		put_below(b, rule);
		buf_putf(b, " it would not have fired: %s", title);
	}
}

void alertpast_put_lower(struct buf *b, const json_t *body)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const json_t *one;
	size_t i;

	json_put_arr(b, "lower");
	json_array_foreach(json_object_get(body, "rules"), i, one) {
		buf_clear(&text);
		put_sentence(&text, one);
		if (text.n)
			json_str(b, buf_str(&text));
	}
	json_arr_end(b);
}
