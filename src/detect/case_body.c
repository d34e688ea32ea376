/* The body of an alert: sentences, records, documents, rules. No text from outside but the titles of rules: persons and paths are told by the numbers of
 * the log's dictionary, so that an erased name is erased here. */
#include <errno.h>
#include <stdarg.h>

#include "base/array.h"
#include "base/timefmt.h"
#include "detect/cases_int.h"
#include "event/attack.h"

/* "attack.t1048.003" */
static bool is_technique(str tag)
{
	static const char shape[] = "attack.t0000.000";

	if (tag.n != sizeof("attack.t0000") - 1 && tag.n != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < tag.n; i++)
		if (shape[i] == '0' ? !(tag.p[i] >= '0' && tag.p[i] <= '9') : (tag.p[i] | (i == 7 ? 0x20 : 0)) != shape[i])
			return false;
	return true;
}

static void take_attack(const struct sigma_rule *r, struct firing *ret)
{
	for (size_t i = 0; i < r->n_tags && ret->n_attack < CASE_ATTACK_MAX; i++)
		if (is_technique(r->tags[i]))
			snprintf(ret->attack[ret->n_attack++], sizeof(ret->attack[0]), "T%.*s", (int)r->tags[i].n - 8, r->tags[i].p + 8);
	for (size_t i = 0; i < r->n_tags && ret->n_tactics < CASE_ATTACK_MAX; i++)
		if (attack_tactic(r->tags[i]))
			ret->tactics[ret->n_tactics++] = attack_tactic(r->tags[i]);
}

static void take_asks(const struct sigma_rule *r, struct firing *ret)
{
	for (size_t i = 0; i < r->n_asks; i++) {
		struct firing_ask *a = &ret->asks[ret->n_asks];

		/* A name from outside that is longer would be no name any more. */
		if (r->asks[i].field.n >= sizeof(a->field) || !str_utf8_valid(r->asks[i].field))
			continue;
		snprintf(a->field, sizeof(a->field), "%.*s", STR_ARG(r->asks[i].field));
		a->least = r->asks[i].least;
		a->above = r->asks[i].above;
		ret->n_asks++;
	}
}

static struct firing_count count_of(const char *counts, str field, double least, int64_t span)
{
	struct firing_count c = { .counts = counts, .least = least >= 1 && least < 1e15 ? (uint64_t)least : 0, .span = span };

	snprintf(c.counted, sizeof(c.counted), "%.*s", STR_ARG(field));
	return c;
}

int firings_add(struct firings *f, const struct sigma_hit *h)
{
	static const char *const exempt[] = { "tyto.decoy", "tyto.chain", "tyto.tamper" };
	struct firing *one;

	if (array_room(f->v, f->cap, f->n + 1) < 0)
		return -ENOMEM;
	one = &f->v[f->n++];
	*one = (struct firing){ .severity = severity_from(h->rule->level), .correlation = h->rule->type == SIGMA_CORRELATION, .count = h->count,
		.first = h->first, .last = h->last, .n_seqs = h->n_seqs, .newest = h->newest, .composed = h->rule->composed,
		.percentile = h->rule->percentile };
	one->what = count_of(h->rule->counts, h->rule->counted, h->rule->least, h->rule->span);
	while (one->n_parts < h->rule->n_parts) {
		const struct sigma_count *p = &h->rule->parts[one->n_parts];

		one->parts[one->n_parts++] = count_of(p->counts, p->counted, p->least, p->span);
	}
	take_attack(h->rule, one);
	take_asks(h->rule, one);
	if (!one->severity)
		one->severity = str_eq(h->rule->level, STR("informational")) ? SEVERITY_LOW : SEVERITY_MEDIUM;
	one->exempt = one->severity == SEVERITY_CRITICAL;
	for (size_t i = 0; i < h->rule->n_tags; i++)
		for (size_t k = 0; k < ARRAY_SIZE(exempt); k++)
			one->exempt |= str_eq(h->rule->tags[i], str_c(exempt[k]));
	if (h->n_seqs)
		memcpy(one->seqs, h->seqs, h->n_seqs * sizeof(*h->seqs));
	/* Cut between characters. */
	for (size_t n = MIN(h->rule->title.n, sizeof(one->title) - 1); n > 0; n--) {
		if (!str_utf8_valid((str){ h->rule->title.p, n }))
			continue;
		memcpy(one->title, h->rule->title.p, n);
		break;
	}
	if (!one->title[0])
		memcpy(one->title, "(untitled)", sizeof("(untitled)"));
	return 0;
}

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void set(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static json_t *list(json_t *body, const char *key)
{
	json_t *l = json_object_get(body, key);

	if (!json_is_array(l)) {
		l = json_array();
		json_object_set_new(body, key, l);
	}
	return l;
}

/* The number of rules: not there. */
static size_t rule_at(const json_t *body, const char *title)
{
	const json_t *rules = json_object_get(body, "rules");
	json_t *one;
	size_t i;

	json_array_foreach(rules, i, one) {
		const char *name = json_string_value(json_object_get(one, "rule"));

		if (name && strcmp(name, title) == 0)
			return i;
	}
	return json_array_size(rules);
}

bool case_knows(const json_t *body, const char *title)
{
	return rule_at(body, title) < json_array_size(json_object_get(body, "rules"));
}

static json_t *sentence(const char *fmt, ...) _printf_(1, 2);
static json_t *sentence(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return json_string(text);
}

/* Of its newest firing. */
/* "12 ms", "49 s", "23 minutes": rounded up, so that what is said to be within it is. */
static void span_text(int64_t ns, char *out, size_t room)
{
	static const struct { int64_t ns; const char *name; } units[] = {
		{ NSEC_PER_SEC / 1000, "ms" }, { NSEC_PER_SEC, "s" }, { 60 * NSEC_PER_SEC, "minutes" }, { 3600 * NSEC_PER_SEC, "hours" },
		{ 86400 * NSEC_PER_SEC, "days" } };
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && ns > 2 * units[i + 1].ns - units[i].ns)
		i++;
	snprintf(out, room, "%lld %s", (long long)MAX(1, (ns + units[i].ns - 1) / units[i].ns), units[i].name);
}

static json_t *told(const json_t *rule, bool correlation)
{
	const char *title = json_string_value(json_object_get(rule, "rule")), *counts = json_string_value(json_object_get(rule, "counts"));
	uint64_t hits = (uint64_t)number(rule, "hits");
	char within[32], last[TIME_TEXT_MAX];
	int64_t to = number(rule, "to");

	span_text(to - number(rule, "since"), within, sizeof(within));
	time_format(to - to % NSEC_PER_SEC, last);
	if (correlation && counts && strncmp(counts, "temporal", 8) == 0)
		return sentence("%s: %llu of its parts within %s, to %s; fired %llu time%s", title, (unsigned long long)number(rule, "count"), within, last,
			(unsigned long long)hits, hits == 1 ? "" : "s");
	if (correlation)
		return sentence("%s: counted %llu within %s, to %s; fired %llu time%s", title, (unsigned long long)number(rule, "count"), within, last,
			(unsigned long long)hits, hits == 1 ? "" : "s");
	return sentence("%s: %llu time%s, the last one at %s", title, (unsigned long long)hits, hits == 1 ? "" : "s", last);
}

static bool contains(const json_t *l, uint64_t v)
{
	const json_t *one;
	size_t i;

	json_array_foreach(l, i, one)
		if (json_integer_value(one) == (json_int_t)v)
			return true;
	return false;
}

/* Has it been counted? Of what came late, only what lies outside of the stretches that this rule has fired for: within one, it is the same firing. */
static bool is_counted(const json_t *body, const json_t *rule, const struct firings *f, const struct firing *h)
{
	if (f->mode != FIRING_PAST)
		return false;
	if (!h->correlation)
		return contains(json_object_get(body, "events"), f->seq);
	return json_object_get(rule, "from") && h->first <= number(rule, "to") && h->last >= number(rule, "from");
}

/* Once. */
static void add_text(json_t *of, const char *key, const char *text)
{
	json_t *l = list(of, key), *one;
	size_t i;

	json_array_foreach(l, i, one)
		if (strcmp(json_string_value(one) ? json_string_value(one) : "", text) == 0)
			return;
	json_array_append_new(l, json_string(text));
}

/* Of the rule, and of the whole case. */
static void note_attack(json_t *body, json_t *rule, const struct firing *h)
{
	for (size_t i = 0; i < h->n_attack; i++) {
		add_text(rule, "attack", h->attack[i]);
		add_text(body, "attack", h->attack[i]);
	}
	for (size_t i = 0; i < h->n_tactics; i++)
		add_text(body, "tactics", h->tactics[i]);
}

static void note_asks(json_t *rule, const struct firing *h)
{
	json_t *l = h->n_asks ? json_array() : NULL;

	for (size_t i = 0; i < h->n_asks; i++)
		json_array_append_new(l, json_pack("{s:s,s:f,s:b}", "field", h->asks[i].field, "least", h->asks[i].least, "above", h->asks[i].above));
	if (l)
		json_object_set_new(rule, "asks", l);
}

static void note_count(json_t *o, const struct firing_count *c)
{
	if (!c->counts)
		return;
	json_object_set_new(o, "counts", json_string(c->counts));
	if (c->counted[0])
		json_object_set_new(o, "field", json_string(c->counted));
	if (!c->least)
		return;
	set(o, "least", c->least);
	set(o, "span", (uint64_t)(c->span / NSEC_PER_SEC));
}

/* In what time, and from how many on, it fires: for the sentence about what would not have fired it. */
static void note_threshold(json_t *rule, const struct firing *h)
{
	json_t *parts = h->n_parts ? json_array() : NULL;

	note_asks(rule, h);
	note_count(rule, &h->what);
	if (h->what.least && strcmp(h->what.counts, "value_percentile") == 0)
		json_object_set_new(rule, "percentile", json_real(h->percentile));
	for (size_t i = 0; i < h->n_parts; i++) {
		json_t *one = json_object();

		note_count(one, &h->parts[i]);
		json_array_append_new(parts, one);
	}
	if (parts)
		json_object_set_new(rule, "parts", parts);
}

/* why[0] is what was counted, why[n + 1] the sentence of rules[n]. */
static bool merge_rule(struct kase *k, const struct firings *f, const struct firing *h, bool *changed, bool *news)
{
	json_t *rules = list(k->body, "rules"), *why = list(k->body, "why"), *one;
	size_t at = rule_at(k->body, h->title);
	bool newer;
	uint64_t hits;

	if (at == CASE_RULES_MAX)
		return true;
	if (json_array_size(why) == 0)
		json_array_append_new(why, json_string(""));
	if (at == json_array_size(rules)) {
		one = json_object();
		if (json_object_set_new(one, "rule", json_string(h->title)) < 0 || json_array_append_new(rules, one) < 0 ||
			json_array_append_new(why, json_string("")) < 0)
			return false;
		*news = *changed = true;
	}
	one = json_array_get(rules, at);
	if (is_counted(k->body, one, f, h))
		return true;
	hits = (uint64_t)number(one, "hits") + 1;
	newer = !json_object_get(one, "to") || h->last >= number(one, "to");
	set(one, "hits", hits);
	set(one, "from", (uint64_t)(json_object_get(one, "from") ? MIN(h->first, number(one, "from")) : h->first));
	set(one, "to", (uint64_t)MAX(h->last, number(one, "to")));
	note_attack(k->body, one, h);
	note_threshold(one, h);
	*changed = true;
	*news |= !(hits & (hits - 1));
	if (newer) {
		set(one, "count", h->count);
		set(one, "since", (uint64_t)h->first);
	}
	return json_array_set_new(why, at + 1, told(one, h->correlation)) == 0;
}

/* The nearest folder that all documents have in common; 0 none. */
static uint64_t common(const struct cases *c, uint64_t folder, uint64_t path)
{
	uint64_t up[256], of[256];
	size_t n = names_parents(evidence_reader_names(c->r), path, up, ARRAY_SIZE(up));
	size_t m = names_parents(evidence_reader_names(c->r), folder, of, ARRAY_SIZE(of));

	for (size_t i = 0; i < n; i++)
		if (up[i] == folder)
			return folder;
	for (size_t k = 0; k < m; k++)
		for (size_t i = 0; i < n; i++)
			if (up[i] == of[k])
				return of[k];
	return 0;
}

static uint64_t folder_of(const struct cases *c, uint64_t path)
{
	uint64_t up = 0;

	return names_parents(evidence_reader_names(c->r), path, &up, 1) ? up : 0;
}

static bool is_labelled(const struct leaf *l)
{
	return l->present & EV_BIT(EV_LABEL) && l->value[EV_LABEL] >= LABEL_CONFIDENTIAL;
}

static void merge_document(struct cases *c, struct kase *k, const struct leaf *l)
{
	json_t *documents = list(k->body, "documents");
	uint64_t path = l->value[EV_PATH];

	if (!(l->present & EV_BIT(EV_PATH)) || contains(documents, path))
		return;
	set(k->body, "folder", json_object_get(k->body, "folder") ? common(c, (uint64_t)number(k->body, "folder"), path) : folder_of(c, path));
	if (json_array_size(documents) >= CASE_DOCUMENTS_MAX + (is_labelled(l) ? CASE_LABELLED_MAX : 0))
		return;
	json_array_append_new(documents, json_integer((json_int_t)path));
	if (is_labelled(l))
		set(k->body, "labelled", (uint64_t)number(k->body, "labelled") + 1);
}

static size_t room(const json_t *body)
{
	const json_t *cap = json_object_get(body, "cap");

	return cap ? (size_t)json_integer_value(cap) : CASE_EVENTS_MAX;
}

/* A record behind it: named, as long as there is room, else counted; only once, since they come in order. */
static void merge_record(struct cases *c, struct kase *k, uint64_t seq, const struct leaf *l)
{
	json_t *events = list(k->body, "events");
	bool full = json_array_size(events) >= room(k->body) + (is_labelled(l) ? CASE_LABELLED_MAX : 0);

	if (full ? seq <= (uint64_t)number(k->body, "through") : contains(events, seq))
		return;
	if (full)
		set(k->body, "more", (uint64_t)number(k->body, "more") + 1);
	else
		json_array_append_new(events, json_integer((json_int_t)seq));
	set(k->body, "through", MAX(seq, (uint64_t)number(k->body, "through")));
	merge_document(c, k, l);
}

static int read_leaf(struct cases *c, uint64_t seq, struct leaf *ret)
{
	str packed;
	int r = evidence_read(c->r, seq, &packed);

	if (r == 0 && packed.n > 1 && packed.p[1] != LEAF_EVENT)
		return -EINVAL;
	return r < 0 ? r : leaf_decode((const uint8_t *)packed.p, packed.n, ret);
}

static int merge_named(struct cases *c, struct kase *k, const struct firing *h)
{
	for (size_t i = 0; i < h->n_seqs; i++) {
		struct leaf l;
		int r = read_leaf(c, h->seqs[i], &l);

		if (r < 0)
			return r;
		merge_record(c, k, h->seqs[i], &l);
	}
	return 0;
}

struct counting {
	struct cases *c;
	struct kase *k;
};

static int merge_one(void *arg, uint64_t seq, const struct leaf *l)
{
	struct counting *m = arg;

	merge_record(m->c, m->k, seq, l);
	return 0;
}

/* A rule tells the newest records only, and one that leans on correlations just those that completed its parts. The others that it counted are this person's with the same verbs, of the same time. */
static int merge_counted(struct cases *c, struct kase *k, const struct firings *f, const struct firing *h)
{
	struct index_filter filter = { .since = h->first, .until = h->last + 1, .n_persons = 1, .below = f->mode == FIRING_PAST ? 0 : f->seq + 1,
		.limit = CASE_LOOK_MAX };
	struct counting m = { c, k };
	str person;
	int r = names_value(evidence_reader_names(c->r), NAME_PERSON, f->person, &person);

	if (r == -ENODATA || !c->state)
		return merge_named(c, k, h);
	for (size_t i = 0; i < h->n_seqs && r == 0; i++) {
		struct leaf l;

		r = read_leaf(c, h->seqs[i], &l);
		filter.verbs |= r < 0 ? 0 : (uint64_t)1 << l.value[EV_VERB];
	}
	filter.persons = &person;
	if (r == 0 && !c->index)
		r = index_query_open(c->state, &c->index);
	return r < 0 ? r : index_query_leaves(c->index, &filter, merge_one, &m);
}

/* What stands first: numbers that anybody can count in the records named. */
static json_t *counted(const json_t *body)
{
	size_t events = json_array_size(json_object_get(body, "events")), documents = json_array_size(json_object_get(body, "documents"));
	char more[64] = "", labelled[64] = "";

	if (number(body, "more"))
		snprintf(more, sizeof(more), ", at least %lld more are not named", (long long)number(body, "more"));
	if (number(body, "labelled"))
		snprintf(labelled, sizeof(labelled), ", %lld of them confidential or restricted,", (long long)number(body, "labelled"));
	return sentence("%s%zu different documents%s in %zu records that are named here%s", documents >= CASE_DOCUMENTS_MAX ? "at least " : "", documents,
		labelled, events, more);
}

static size_t size_of(const json_t *body)
{
	return json_array_size(json_object_get(body, "events")) + json_array_size(json_object_get(body, "documents")) + (size_t)number(body, "more");
}

int case_merge(struct cases *c, struct kase *k, const struct firings *f, bool *changed, bool *news)
{
	size_t before = size_of(k->body);
	int r = 0;

	for (size_t i = 0; i < f->n && r == 0; i++) {
		const struct firing *h = &f->v[i];

		if (!merge_rule(k, f, h, changed, news))
			return -ENOMEM;
		r = h->correlation && f->person && (h->composed || h->n_seqs == SIGMA_SEQS_MAX) ? merge_counted(c, k, f, h) : merge_named(c, k, h);
	}
	*changed |= size_of(k->body) != before;
	if (r == 0 && json_array_set_new(list(k->body, "why"), 0, counted(k->body)) < 0)
		r = -ENOMEM;
	return r;
}

static int join_rule(json_t *rules, json_t *why, const json_t *rule, json_t *told_before)
{
	const char *title = json_string_value(json_object_get(rule, "rule"));
	json_t *one;
	size_t i;

	json_array_foreach(rules, i, one) {
		const char *name = json_string_value(json_object_get(one, "rule"));

		if (!title || !name || strcmp(name, title) != 0)
			continue;
		set(one, "hits", (uint64_t)(number(one, "hits") + number(rule, "hits")));
		set(one, "from", (uint64_t)MIN(number(one, "from"), number(rule, "from")));
		if (number(rule, "to") > number(one, "to")) {
			set(one, "to", (uint64_t)number(rule, "to"));
			set(one, "count", (uint64_t)number(rule, "count"));
			set(one, "since", (uint64_t)number(rule, "since"));
		}
		return json_array_set_new(why, i + 1, told(one, json_object_get(one, "counts") != NULL));
	}
	if (json_array_size(rules) == CASE_RULES_MAX)
		return 0;
	return json_array_append_new(rules, json_deep_copy(rule)) < 0 ? -1 : json_array_append(why, told_before);
}

int case_join(struct cases *c, struct kase *k, const struct kase *other)
{
	static const char *const tags[] = { "attack", "tactics" };
	json_t *rules = list(k->body, "rules"), *why = list(k->body, "why"), *one;
	size_t i;

	json_array_foreach(json_object_get(other->body, "rules"), i, one)
		if (join_rule(rules, why, one, json_array_get(json_object_get(other->body, "why"), i + 1)) < 0)
			return -ENOMEM;
	json_array_foreach(json_object_get(other->body, "events"), i, one) {
		uint64_t seq = (uint64_t)json_integer_value(one);
		struct leaf l;
		int r = read_leaf(c, seq, &l);

		if (r < 0)
			return r;
		merge_record(c, k, seq, &l);
	}
	for (size_t t = 0; t < ARRAY_SIZE(tags); t++)
		json_array_foreach(json_object_get(other->body, tags[t]), i, one)
			if (json_is_string(one))
				add_text(k->body, tags[t], json_string_value(one));
	if (json_is_true(json_object_get(other->body, "exempt")))
		json_object_set_new(k->body, "exempt", json_true());
	return json_array_set_new(why, 0, counted(k->body)) < 0 ? -ENOMEM : 0;
}

/* Keys in order: the same case gives the same bytes after a start as before. Too long: the newest records and documents are left out. */
char *case_text(json_t *body)
{
	static const char *const shorter[] = { "events", "documents" };

	for (;;) {
		char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
		bool shortened = false;

		if (!text || strlen(text) <= NAME_VALUE_MAX)
			return text;
		free(text);
		for (size_t i = 0; i < ARRAY_SIZE(shorter); i++) {
			json_t *l = json_object_get(body, shorter[i]);
			size_t n = json_array_size(l);

			if (n < 2)
				continue;
			if (i == 0) {
				set(body, "more", (uint64_t)number(body, "more") + n - n / 2);
				set(body, "cap", n / 2);
			}
			while (json_array_size(l) > n / 2)
				json_array_remove(l, json_array_size(l) - 1);
			shortened = true;
		}
		if (!shortened)
			return NULL;
	}
}
