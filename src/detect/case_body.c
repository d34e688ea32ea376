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

json_t *case_rule(const json_t *body, const char *title)
{
	const json_t *rules = json_object_get(body, "rules");
	json_t *one;
	size_t i;

	json_array_foreach(rules, i, one) {
		const char *name = json_string_value(json_object_get(one, "rule"));

		if (name && strcmp(name, title) == 0)
			return one;
	}
	return NULL;
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

static bool merge_rule(struct kase *k, const struct firing *h, bool *news)
{
	json_t *rules = list(k->body, "rules"), *one = case_rule(k->body, h->title);
	uint64_t hits;

	if (!one) {
		if (json_array_size(rules) == CASE_RULES_MAX)
			return true;
		one = json_object();
		if (json_object_set_new(one, "rule", json_string(h->title)) < 0 || json_array_append_new(rules, one) < 0)
			return false;
		*news = true;
	}
	hits = (uint64_t)number(one, "hits") + 1;
	set(one, "hits", hits);
	*news |= !(hits & (hits - 1));
	return json_object_set_new(one, "why", told(h, hits)) == 0;
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

/* A record behind it: named, as long as there is room, else counted. */
static int merge_record(struct cases *c, struct kase *k, uint64_t seq)
{
	json_t *events = list(k->body, "events");
	struct leaf l;
	str packed;
	int r;

	if (contains(events, seq))
		return 0;
	r = evidence_read(c->r, seq, &packed);
	if (r == 0)
		r = leaf_decode((const uint8_t *)packed.p, packed.n, &l);
	if (r < 0 || l.kind != LEAF_EVENT)
		return r < 0 ? r : 0;
	if (json_array_size(events) == CASE_EVENTS_MAX) {
		set(k->body, "more", (uint64_t)number(k->body, "more") + 1);
		merge_document(c, k, &l);
		return 0;
	}
	json_array_append_new(events, json_integer((json_int_t)seq));
	merge_document(c, k, &l);
	return 0;
}

/* What stands first: numbers that anybody can count in the records named. */
static json_t *counted(const json_t *body)
{
	size_t events = json_array_size(json_object_get(body, "events")), documents = json_array_size(json_object_get(body, "documents"));
	char more[64] = "", labelled[64] = "";

	if (number(body, "more"))
		snprintf(more, sizeof(more), ", %lld more not named", (long long)number(body, "more"));
	if (number(body, "labelled"))
		snprintf(labelled, sizeof(labelled), ", %lld of them confidential or restricted", (long long)number(body, "labelled"));
	return sentence("%zu different documents%s in %zu records that are named here%s", documents, labelled, events, more);
}

static int compose(struct kase *k)
{
	json_t *why = json_array(), *one;
	size_t i;

	if (!why || json_array_append_new(why, counted(k->body)) < 0) {
		json_decref(why);
		return -ENOMEM;
	}
	json_array_foreach(json_object_get(k->body, "rules"), i, one)
		json_array_append(why, json_object_get(one, "why"));
	return json_object_set_new(k->body, "why", why) < 0 ? -ENOMEM : 0;
}

int case_merge(struct cases *c, struct kase *k, const struct firings *f, bool *news)
{
	int r = 0;

	for (size_t i = 0; i < f->n && r == 0; i++) {
		if (!merge_rule(k, &f->v[i], news))
			return -ENOMEM;
		for (size_t s = 0; s < f->v[i].n_seqs && r == 0; s++)
			r = merge_record(c, k, f->v[i].seqs[s]);
	}
	set(k->body, "last", (uint64_t)k->last);
	return r < 0 ? r : compose(k);
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
			if (i == 0)
				set(body, "more", (uint64_t)number(body, "more") + n - n / 2);
			while (json_array_size(l) > n / 2)
				json_array_remove(l, json_array_size(l) - 1);
			shortened = true;
		}
		if (!shortened)
			return NULL;
	}
}
