/* The body of an alert: sentences, records, documents, rules. No text from outside but the titles of rules: persons and paths are told by the numbers of
 * the log's dictionary, so that an erased name is erased here. */
#include <errno.h>
#include <stdarg.h>

#include "base/timefmt.h"
#include "detect/cases_int.h"

int firings_add(struct firings *f, const struct sigma_hit *h)
{
	static const char *const exempt[] = { "tyto.decoy", "tyto.chain", "tyto.tamper" };
	struct firing *one;

	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 8;
		struct firing *v = reallocarray(f->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		f->v = v;
		f->cap = cap;
	}
	one = &f->v[f->n++];
	*one = (struct firing){ .severity = severity_from(h->rule->level), .correlation = h->rule->type == SIGMA_CORRELATION, .count = h->count,
		.first = h->first, .last = h->last, .n_seqs = h->n_seqs };
	if (!one->severity)
		one->severity = str_eq(h->rule->level, STR("informational")) ? SEVERITY_LOW : SEVERITY_MEDIUM;
	one->exempt = one->severity == SEVERITY_CRITICAL;
	for (size_t i = 0; i < h->rule->n_tags; i++)
		for (size_t k = 0; k < ARRAY_SIZE(exempt); k++)
			one->exempt |= str_eq(h->rule->tags[i], str_c(exempt[k]));
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

static json_t *told(const struct firing *h, uint64_t hits)
{
	char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];

	time_format(h->first, first);
	time_format(h->last, last);
	if (h->correlation)
		return sentence("%s: counted %llu from %s to %s; fired %llu time%s", h->title, (unsigned long long)h->count, first, last,
			(unsigned long long)hits, hits == 1 ? "" : "s");
	return sentence("%s: %llu time%s, the last one at %s", h->title, (unsigned long long)hits, hits == 1 ? "" : "s", last);
}

/* why[0] is what was counted, why[n + 1] the sentence of rules[n]. */
static bool merge_rule(struct kase *k, const struct firing *h, bool *news)
{
	json_t *rules = list(k->body, "rules"), *why = list(k->body, "why"), *one;
	size_t at = rule_at(k->body, h->title);
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
		*news = true;
	}
	one = json_array_get(rules, at);
	hits = (uint64_t)number(one, "hits") + 1;
	set(one, "hits", hits);
	*news |= !(hits & (hits - 1));
	return json_array_set_new(why, at + 1, told(h, hits)) == 0;
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

static void merge_document(struct cases *c, struct kase *k, const struct leaf *l)
{
	json_t *documents = list(k->body, "documents");
	uint64_t path = l->value[EV_PATH];

	if (!(l->present & EV_BIT(EV_PATH)) || contains(documents, path))
		return;
	set(k->body, "folder", json_object_get(k->body, "folder") ? common(c, (uint64_t)number(k->body, "folder"), path) : folder_of(c, path));
	if (json_array_size(documents) == CASE_DOCUMENTS_MAX)
		return;
	json_array_append_new(documents, json_integer((json_int_t)path));
	if (l->present & EV_BIT(EV_LABEL) && l->value[EV_LABEL] >= LABEL_CONFIDENTIAL)
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
	bool full = json_array_size(events) >= room(k->body);

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

/* A rule tells the newest records only. The others it counted are this person's with the same verbs, back to the first one's time. */
static int merge_counted(struct cases *c, struct kase *k, const struct firings *f, const struct firing *h)
{
	uint64_t from = f->seq > CASE_LOOK_MAX ? f->seq - CASE_LOOK_MAX : 0, verbs = 0, first = f->seq;
	struct leaf l;
	int r = 0;

	for (size_t i = 0; i < h->n_seqs && r == 0; i++) {
		r = read_leaf(c, h->seqs[i], &l);
		verbs |= r < 0 ? 0 : 1ULL << l.value[EV_VERB];
		first = MIN(first, h->seqs[i]);
	}
	if (r < 0)
		return r;
	/* Back to where time is before the first one's; records are in order but for a few seconds. */
	for (uint64_t seq = first; seq-- > from;) {
		r = read_leaf(c, seq, &l);
		if (r < 0 && r != -EINVAL)
			return r;
		if (r == 0 && (int64_t)l.value[EV_TIME] < h->first - 60 * NSEC_PER_SEC)
			break;
		first = seq;
	}
	for (uint64_t seq = first; seq <= f->seq; seq++) {
		r = read_leaf(c, seq, &l);
		if (r < 0 && r != -EINVAL)
			return r;
		if (r == 0 && l.value[EV_PERSON] == f->person && verbs >> l.value[EV_VERB] & 1 && (int64_t)l.value[EV_TIME] >= h->first)
			merge_record(c, k, seq, &l);
	}
	return 0;
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
	return sentence("%s%zu different documents%s in %zu records that are named here%s", documents == CASE_DOCUMENTS_MAX ? "at least " : "", documents,
		labelled, events, more);
}

int case_merge(struct cases *c, struct kase *k, const struct firings *f, bool *news)
{
	int r = 0;

	for (size_t i = 0; i < f->n && r == 0; i++) {
		const struct firing *h = &f->v[i];

		if (!merge_rule(k, h, news))
			return -ENOMEM;
		r = h->correlation && f->person && h->n_seqs == SIGMA_SEQS_MAX ? merge_counted(c, k, f, h) : merge_named(c, k, h);
	}
	set(k->body, "last", (uint64_t)k->last);
	if (r == 0 && json_array_set_new(list(k->body, "why"), 0, counted(k->body)) < 0)
		r = -ENOMEM;
	return r;
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
