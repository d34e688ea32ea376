/* Correlations: rules that count what other rules matched, by group, within a span of event time. State is bounded; what it gives up is counted. */
#include <errno.h>

#include "base/hash.h"
#include "detect/correlation_int.h"

#define GROUPS_MAX 65536    /* of one correlation */
#define ALL_ENTRIES_MAX 4000000
#define KEY_MAX 2048
/* How late a record may come, as in an import: so long a group is kept behind its window. */
#define SETTLE (10 * 60 * NSEC_PER_SEC)

struct entry {
	int64_t time;
	uint64_t seq, newest, weight, hash;
	double number;
	uint32_t ref;
};

struct group {
	struct group *next, *older, *newer; /* of the table's place; in order of use */
	uint64_t hash;
	struct entry *base;  /* room for the entries: what leaves the window leaves it in front, without moving the others */
	struct entry *e;     /* n of them, in order of time, within it */
	size_t n, room;
	uint64_t weight;     /* of all entries */
	uint16_t *perhaps;   /* how many of the values share these bits of their hashes: 0 says that one is not there; NULL while they are few */
	size_t perhaps_n;    /* a power of two */
	uint64_t fed; /* the record that was counted last */
	int64_t fired;
	bool on;
	size_t key_n;
	char key[]; /* values, NUL between */
};

static void unlink_used(struct correlation *c, struct group *g)
{
	*(g->older ? &g->older->newer : &c->oldest) = g->newer;
	*(g->newer ? &g->newer->older : &c->newest) = g->older;
}

static void link_used(struct correlation *c, struct group *g)
{
	g->newer = NULL;
	g->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = g;
	c->newest = g;
}

static void drop_group(struct sigma *s, struct correlation *c, struct group *g)
{
	struct group **p = &c->table[g->hash % CORRELATION_TABLE];

	while (*p != g)
		p = &(*p)->next;
	*p = g->next;
	unlink_used(c, g);
	s->entries -= g->n;
	s->stat.groups--;
	c->n_groups--;
	free(g->base);
	free(g->perhaps);
	free(g);
}

void correlation_forget(struct sigma *s, struct correlation *c)
{
	while (c->oldest)
		drop_group(s, c, c->oldest);
}

/* Circles are broken rules, and do not run. */
int64_t correlation_reach(const struct sigma *s, uint32_t self)
{
	const struct correlation *c = s->rules[self]->correlation;
	int64_t below = 0;

	if (!c || s->rules[self]->rule.state != SIGMA_RUNS)
		return 0;
	for (size_t i = 0; i < c->n_refs; i++)
		below = MAX(below, correlation_reach(s, c->rules[i]));
	return MIN(below, INT64_MAX / 2) + c->span;
}

void correlation_release(struct sigma *s, struct correlation *c)
{
	correlation_forget(s, c);
	free(c->table);
	c->table = NULL;
}

/* What left its window too long ago for a late record goes first; then, when there is no more room, what was fed longest ago. */
static void make_room(struct sigma *s, struct correlation *c, int64_t now)
{
	while (c->oldest && (c->oldest->n == 0 || c->oldest->e[c->oldest->n - 1].time < now - c->span - SETTLE))
		drop_group(s, c, c->oldest);
	while (c->oldest && (c->n_groups >= GROUPS_MAX || s->entries >= ALL_ENTRIES_MAX)) {
		s->stat.full++;
		drop_group(s, c, c->oldest);
	}
}

static struct group *find_group(struct sigma *s, struct correlation *c, str key, int64_t now)
{
	static const uint8_t table_key[16] = "tyto sigma group";
	uint64_t hash = siphash13(table_key, key.p, key.n);
	struct group *g = c->table[hash % CORRELATION_TABLE];

	while (g && !(g->hash == hash && g->key_n == key.n && memcmp(g->key, key.p, key.n) == 0))
		g = g->next;
	if (g) {
		unlink_used(c, g);
		link_used(c, g);
		return g;
	}
	make_room(s, c, now);
	g = calloc(1, sizeof(*g) + key.n + 1);
	if (!g)
		return NULL;
	g->hash = hash;
	g->key_n = key.n;
	if (key.n) /* without group-by there is one group, and it has no key */
		memcpy(g->key, key.p, key.n);
	g->next = c->table[hash % CORRELATION_TABLE];
	c->table[hash % CORRELATION_TABLE] = g;
	link_used(c, g);
	c->n_groups++;
	s->stat.groups++;
	return g;
}

#define SEARCHED 64 /* so many values are looked through one by one */

static uint16_t *perhaps(struct group *g, uint64_t hash)
{
	return &g->perhaps[hash & (g->perhaps_n - 1)];
}

static void remove_entries(struct sigma *s, struct group *g, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++) {
		g->weight -= g->e[i].weight;
		if (g->perhaps)
			--*perhaps(g, g->e[i].hash);
	}
	if (at == 0)
		g->e += n;
	else
		memmove(g->e + at, g->e + at + n, (g->n - at - n) * sizeof(*g->e));
	g->n -= n;
	s->entries -= n;
}

/* Four times as wide as there may be values; without memory they are looked through. */
static void widen_perhaps(struct group *g)
{
	free(g->perhaps);
	g->perhaps_n = 4 * g->room;
	g->perhaps = calloc(g->perhaps_n, sizeof(*g->perhaps));
	for (size_t i = 0; g->perhaps && i < g->n; i++)
		++*perhaps(g, g->e[i].hash);
}

static bool make_place(const struct correlation *c, struct group *g)
{
	size_t room = g->room ? g->room * 2 : 4, left = (size_t)(g->e - g->base);
	void *p;

	if (left + g->n < g->room)
		return true;
	/* Moved to the front, and twice the room where less than half is free then: an entry is moved a few times at most. */
	if (left)
		memmove(g->base, g->e, g->n * sizeof(*g->e));
	g->e = g->base;
	if (2 * g->n <= g->room && g->room)
		return true;
	p = reallocarray(g->base, room, sizeof(*g->base));
	if (!p)
		return g->n < g->room;
	g->base = g->e = p;
	g->room = room;
	if (c->kind == VALUE_COUNT && room > SEARCHED)
		widen_perhaps(g);
	return true;
}

/* Of the same value, or the same rule, the newest says all there is to say. Not there: n. */
static size_t find_same(const struct correlation *c, struct group *g, const struct entry *e)
{
	if ((c->kind != VALUE_COUNT && c->kind != TEMPORAL) || (g->perhaps && *perhaps(g, e->hash) == 0))
		return g->n;
	for (size_t i = g->n; i-- > 0;)
		if (c->kind == VALUE_COUNT ? g->e[i].hash == e->hash : g->e[i].ref == e->ref)
			return i;
	return g->n;
}

/* In order of time; false where it does not count: behind the window, or no memory. */
static bool add_entry(struct sigma *s, const struct correlation *c, struct group *g, const struct entry *e)
{
	int64_t newest = g->n ? MAX(g->e[g->n - 1].time, e->time) : e->time;
	size_t old = 0, at;

	if (e->time < newest - c->span) {
		s->stat.late++;
		return false;
	}
	while (old < g->n && g->e[old].time < newest - c->span)
		old++;
	if (old)
		remove_entries(s, g, 0, old);
	at = find_same(c, g, e);
	if (at < g->n) {
		if (g->e[at].time > e->time)
			return true;
		remove_entries(s, g, at, 1);
	}
	if (g->n == CORRELATION_ENTRIES_MAX) {
		uint64_t weight = g->e[0].weight;

		/* So many different values are as many as any limit asks for: one fewer changes nothing. */
		s->stat.full += c->kind != VALUE_COUNT || c->from_above;
		remove_entries(s, g, 0, 1);
		if (c->kind == EVENT_COUNT) {
			g->e[0].weight += weight;
			g->weight += weight;
		}
	}
	if (!make_place(c, g))
		return false;
	for (at = g->n; at && g->e[at - 1].time > e->time; at--)
		;
	memmove(g->e + at + 1, g->e + at, (g->n - at) * sizeof(*g->e));
	g->e[at] = *e;
	g->n++;
	g->weight += e->weight;
	if (g->perhaps)
		++*perhaps(g, e->hash);
	s->entries++;
	return true;
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Nearest rank. */
static double percentile(const struct correlation *c, const struct group *g)
{
	double v[CORRELATION_ENTRIES_MAX];
	size_t rank = (size_t)(c->percentile / 100 * (double)g->n + 0.999999999);

	for (size_t i = 0; i < g->n; i++)
		v[i] = g->e[i].number;
	/* cppcheck-suppress uninitvar ; a group that is asked holds an entry */
	qsort(v, g->n, sizeof(*v), by_number);
	return v[rank ? rank - 1 : 0];
}

/* How many of the rules, in their order, have matched one record after the other: a record that several of them match stands for one, so that the
 * order in which the rules are written in their file changes nothing. */
static size_t in_order(const struct group *g)
{
	const struct entry *last = NULL;
	uint32_t want = 0;

	for (size_t i = 0; i < g->n; i++)
		if (g->e[i].ref == want && !(last && last->hash == g->e[i].hash)) {
			last = &g->e[i];
			want++;
		}
	return want;
}

static double measure(const struct correlation *c, const struct group *g)
{
	double sum = 0;

	switch (c->kind) {
	case VALUE_COUNT:
	case TEMPORAL: return (double)g->n;
	case EVENT_COUNT: return (double)g->weight;
	case TEMPORAL_ORDERED: return (double)in_order(g);
	case VALUE_PERCENTILE: return percentile(c, g);
	default: break;
	}
	for (size_t i = 0; i < g->n; i++)
		sum += g->e[i].number;
	return c->kind == VALUE_AVG ? sum / (double)g->n : sum;
}

static bool holds(const struct correlation *c, double n)
{
	if (c->n_tests == 0)
		return n >= (double)c->n_refs;
	for (size_t i = 0; i < c->n_tests; i++) {
		double than = c->test[i].than;
		bool ok = c->test[i].op == CMP_LT ? n < than : c->test[i].op == CMP_LTE ? n <= than : c->test[i].op == CMP_GT ? n > than :
			c->test[i].op == CMP_GTE ? n >= than : (n == than) == (c->test[i].op == CMP_EQ);

		if (!ok)
			return false;
	}
	return true;
}

/* False: a field is missing or empty, so there is no group. */
static bool group_key(const struct sigma *s, const struct correlation *c, size_t ref, const struct matching *m, struct buf *key)
{
	for (size_t g = 0; g < c->n_by; g++) {
		size_t n;
		const struct value *v = match_values(s, m, c->fields[g][ref], &n);

		if (n == 0 || v->null || v->raw.n == 0)
			return false;
		if (g)
			buf_putc(key, 0);
		buf_puts(key, v->raw);
	}
	return !buf_error(key);
}

static uint64_t newest_of(const struct group *g)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < g->n; i++)
		newest = g->e[i].newest != UINT64_MAX ? MAX(newest, g->e[i].newest) : newest;
	return newest;
}

static void tell(struct sigma *s, uint32_t self, const struct group *g, double number, sigma_hit_fn fn, void *arg)
{
	const struct correlation *c = s->rules[self]->correlation;
	_cleanup_buf_ struct buf shown = BUF_INIT;
	uint64_t seqs[SIGMA_SEQS_MAX];
	size_t n = 0, at = 0;

	for (size_t i = 0; i < c->n_by; i++) {
		size_t len = strnlen(g->key + at, g->key_n - at);

		buf_putf(&shown, "%s%.*s=%.*s", i ? " " : "", STR_ARG(c->by[i]), (int)len, g->key + at);
		at += len + 1;
	}
	for (size_t i = g->n > SIGMA_SEQS_MAX ? g->n - SIGMA_SEQS_MAX : 0; i < g->n; i++)
		if (g->e[i].seq != UINT64_MAX)
			seqs[n++] = g->e[i].seq;
	fn(arg, &(struct sigma_hit){ .rule = &s->rules[self]->rule, .group = buf_str(&shown), .count = number > 0 ? (uint64_t)number : 0, .seqs = seqs,
		.n_seqs = n, .first = g->e[0].time, .last = g->e[g->n - 1].time, .newest = newest_of(g) });
}

/* The record's value; false: it has none, so it does not count. */
static bool take_value(const struct sigma *s, const struct correlation *c, const struct matching *m, struct entry *e)
{
	static const uint8_t value_key[16] = "tyto sigma value";
	const struct value *v = NULL;
	size_t n;

	if (c->kind == EVENT_COUNT || c->kind == TEMPORAL || c->kind == TEMPORAL_ORDERED)
		return true;
	for (size_t i = 0; i < c->n_values; i++) {
		v = match_values(s, m, c->values[i], &n);
		if (n == 0 || v->null)
			return false;
		e->hash = (i ? e->hash * 0x9e3779b97f4a7c15 : 0) + siphash13(value_key, v->raw.p, v->raw.n);
	}
	return c->kind == VALUE_COUNT || number_of(v->raw, &e->number);
}

void correlation_feed(struct sigma *s, uint32_t self, uint32_t from, const struct matching *m, uint64_t newest, sigma_hit_fn fn, void *arg)
{
	struct compiled *me = s->rules[self];
	struct correlation *c = me->correlation;
	_cleanup_buf_ struct buf key = { .max = CORRELATION_BY_MAX * KEY_MAX };
	bool hit = s->rules[from]->correlation, temporal = c && (c->kind == TEMPORAL || c->kind == TEMPORAL_ORDERED);
	/* A correlation's hit is one, whatever it counted. The hash tells records apart until a value takes its place. */
	struct entry e = { .time = m->time, .seq = m->seq, .newest = newest, .weight = hit ? 1 : m->weight, .hash = s->stat.fed };
	struct group *g;
	double number;
	int64_t now;

	if (!c || !c->table)
		return;
	while (e.ref < c->n_refs && c->rules[e.ref] != from)
		e.ref++;
	if (e.ref == c->n_refs || !group_key(s, c, e.ref, m, &key) || !take_value(s, c, m, &e))
		return;
	g = find_group(s, c, buf_str(&key), m->time);
	if (!g)
		return;
	/* A record that several of the rules match is still one. */
	if (!hit && !temporal) {
		if (g->fed == s->stat.fed)
			return;
		g->fed = s->stat.fed;
	}
	if (!add_entry(s, c, g, &e))
		return;
	number = measure(c, g);
	now = g->e[g->n - 1].time;
	if (!holds(c, number)) {
		g->on = false;
		return;
	}
	/* Told when it comes to hold, and again when it still holds a timespan later. */
	if (g->on && now - g->fired <= c->span)
		return;
	g->on = true;
	g->fired = now;
	if (!me->silent && fn)
		tell(s, self, g, number, fn, arg);
	for (size_t i = 0; i < me->n_feeds; i++)
		correlation_feed(s, me->feeds[i], self, m, newest_of(g), fn, arg);
}
