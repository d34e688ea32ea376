/* A set of rules: its memory, its files, a record on its way through. */
#include <errno.h>

#include "base/array.h"
#include "base/hash.h"
#include "detect/sigma_int.h"

#define ARENA_MAX ((size_t)512 << 20)
#define CHUNK ((size_t)256 << 10)
#define MATCH_LIMIT 20000
#define SLOT_NONE UINT32_MAX

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char p[];
};

void *sigma_alloc(struct sigma *s, size_t n)
{
	struct chunk *c = s->chunks;
	void *p;

	n = (n + 15) & ~(size_t)15;
	if (n > ARENA_MAX)
		return NULL;
	if (!c || c->size - c->used < n) {
		size_t size = MAX(n, CHUNK);

		if (s->allocated + size > ARENA_MAX)
			return NULL;
		c = calloc(1, sizeof(*c) + size);
		if (!c)
			return NULL;
		c->size = size;
		c->next = s->chunks;
		s->chunks = c;
		s->allocated += size;
	}
	p = c->p + c->used;
	c->used += n;
	return p;
}

str sigma_copy(struct sigma *s, str text)
{
	char *p = sigma_alloc(s, text.n + 1);

	if (!p)
		return STR_NONE;
	if (text.n)
		memcpy(p, text.p, text.n);
	return (str){ p, text.n };
}

static const uint8_t table_key[16] = "tyto sigma field";

static uint32_t *field_place(const struct sigma *s, str name)
{
	size_t mask = s->field_table_size - 1, i = siphash13(table_key, name.p, name.n) & mask;

	while (s->field_table[i] != SLOT_NONE && !str_eq(s->fields[s->field_table[i]].name, name))
		i = (i + 1) & mask;
	return &s->field_table[i];
}

int sigma_field_number(struct sigma *s, str name, uint32_t *ret)
{
	uint32_t *place;

	if (s->n_fields * 2 >= s->field_table_size) {
		size_t size = s->field_table_size ? s->field_table_size * 2 : 256;
		uint32_t *table = malloc(size * sizeof(*table));

		if (!table)
			return -ENOMEM;
		memset(table, 0xff, size * sizeof(*table));
		free(s->field_table);
		s->field_table = table;
		s->field_table_size = size;
		for (uint32_t i = 0; i < s->n_fields; i++)
			*field_place(s, s->fields[i].name) = i;
	}
	place = field_place(s, name);
	if (*place == SLOT_NONE) {
		if (array_room(s->fields, s->room_fields, s->n_fields + 1) < 0)
			return -ENOMEM;
		s->fields[s->n_fields] = (struct field){ sigma_copy(s, name), event_slot(name) };
		if (!s->fields[s->n_fields].name.p)
			return -ENOMEM;
		*place = (uint32_t)s->n_fields++;
	}
	*ret = *place;
	return 0;
}

int sigma_new(struct sigma **ret)
{
	_cleanup_sigma_ struct sigma *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->match_data = pcre2_match_data_create(1, NULL);
	s->match_context = pcre2_match_context_create(NULL);
	if (!s->match_data || !s->match_context)
		return -ENOMEM;
	pcre2_set_match_limit(s->match_context, MATCH_LIMIT);
	pcre2_set_depth_limit(s->match_context, 1000);
	pcre2_set_heap_limit(s->match_context, 1024);
	*ret = TAKE_PTR(s);
	return 0;
}

struct sigma *sigma_free(struct sigma *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rules[i]->correlation)
			correlation_release(s, s->rules[i]->correlation);
	for (size_t i = 0; i < s->n_res; i++)
		pcre2_code_free(s->res[i]);
	pcre2_match_data_free(s->match_data);
	pcre2_match_context_free(s->match_context);
	hs_free_scratch(s->scratch);
	hs_free_database(s->db);
	for (struct chunk *c = s->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(s->res);
	free(s->rules);
	free(s->fields);
	free(s->field_table);
	free(s->values);
	free(s->first);
	free(s->count);
	buf_free(&s->lower);
	free(s);
	return NULL;
}

struct document {
	struct sigma *s;
	str file;
};

static int document(void *arg, struct tree *t)
{
	struct document *d = arg;

	return parse_document(d->s, t, d->file);
}

/* A file that cannot be read stands in the list as one broken rule. */
int sigma_broken_file(struct sigma *s, str file, unsigned line, const char *what)
{
	static struct tree none = { .type = TREE_SCALAR };
	int r = parse_document(s, &none, file);

	if (r < 0)
		return r;
	s->current->rule.line = line;
	s->current->rule.why = NULL;
	rule_fail(s, SIGMA_BROKEN, "%s", what);
	return 0;
}

int sigma_add_text(struct sigma *s, str file, str text)
{
	struct document d = { s, sigma_copy(s, file) };
	struct tree_error e = { 0, "YAML" };
	char what[160];
	int r;

	if (!d.file.p)
		return -ENOMEM;
	if (text.n > SIGMA_FILE_MAX)
		return sigma_broken_file(s, d.file, 0, "expected at most 1 MiB");
	r = tree_documents(s, text, document, &d, &e);
	if (r != -EBADMSG)
		return r;
	snprintf(what, sizeof(what), "not YAML that can be read: %s", e.what);
	return sigma_broken_file(s, d.file, e.line, what);
}

static bool listed(const struct tree *rules, const struct sigma_rule *r)
{
	const struct tree *first = rules && rules->type == TREE_LIST ? rules->child : rules;

	if (!rules)
		return true;
	for (const struct tree *i = first; i; i = rules->type == TREE_LIST ? i->next : NULL)
		if (str_eq(i->text, STR("any")) || (i->text.n && (str_eq(i->text, r->id) || str_eq(i->text, r->name))))
			return true;
	return false;
}

static bool source_fits(str asked, str has)
{
	return asked.n == 0 || str_eq(asked, has);
}

/* A filter is one more condition of each rule that it names and whose log source is within its own. */
static int filters_join(struct sigma *s)
{
	for (size_t i = 0; i < s->n_rules; i++) {
		struct compiled *f = s->rules[i];
		const struct tree *rules;

		if (f->rule.type != SIGMA_FILTER || f->rule.state != SIGMA_RUNS || !f->root)
			continue;
		rules = tree_get(tree_get(f->tree, "filter"), "rules");
		for (size_t j = 0; j < s->n_rules; j++) {
			struct compiled *c = s->rules[j];
			struct node **more;

			if (c->rule.type != SIGMA_RULE || !c->root || !listed(rules, &c->rule) || !source_fits(f->rule.product, c->rule.product) ||
				!source_fits(f->rule.category, c->rule.category) || !source_fits(f->rule.service, c->rule.service))
				continue;
			more = sigma_alloc(s, (c->n_filters + 1) * sizeof(*more));
			if (!more)
				return -ENOMEM;
			if (c->n_filters)
				memcpy(more, c->filters, c->n_filters * sizeof(*more));
			more[c->n_filters++] = f->root;
			c->filters = more;
		}
	}
	return 0;
}

int sigma_ready(struct sigma *s)
{
	size_t slots = MAX(s->n_fields + 1, (size_t)EVENT_SLOTS_MAX + 16);
	int r = filters_join(s);

	if (r == 0)
		r = correlations_join(s);
	if (r == 0)
		r = prefilter_build(s);
	if (r < 0)
		return r;
	slots = MAX(slots, s->n_fields + 1);
	s->first = calloc(slots, sizeof(*s->first));
	s->count = calloc(slots, sizeof(*s->count));
	s->values = calloc(128, sizeof(*s->values));
	s->room_values = 128;
	if (!s->first || !s->count || !s->values)
		return -ENOMEM;
	s->ready = true;
	return 0;
}

size_t sigma_rules(const struct sigma *s)
{
	return s->n_rules;
}

const struct sigma_rule *sigma_rule(const struct sigma *s, size_t i)
{
	return i < s->n_rules ? &s->rules[i]->rule : NULL;
}

void sigma_stat(const struct sigma *s, struct sigma_stat *ret)
{
	*ret = s->stat;
}

void sigma_forget(struct sigma *s)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rules[i]->correlation)
			correlation_forget(s, s->rules[i]->correlation);
}

int64_t sigma_reach(const struct sigma *s)
{
	int64_t reach = 0;

	for (uint32_t i = 0; i < s->n_rules; i++)
		reach = MAX(reach, correlation_reach(s, i));
	return reach;
}

/* Lower case of all values, VALUE_EDGE around each; ASCII letters alone. */
static int lower_values(struct sigma *s, size_t n)
{
	size_t total = 1;
	char *p;
	int r;

	for (size_t i = 0; i < n; i++)
		total += s->values[i].raw.n + 1;
	buf_clear(&s->lower);
	r = buf_reserve(&s->lower, total);
	if (r < 0)
		return r;
	p = s->lower.p;
	*p++ = VALUE_EDGE;
	for (size_t i = 0; i < n; i++) {
		str raw = s->values[i].raw;

		for (size_t k = 0; k < raw.n; k++) {
			char c = raw.p[k];

			p[k] = (char)(c + ((c >= 'A' && c <= 'Z') << 5));
		}
		s->values[i].lower = (str){ p, raw.n };
		p += raw.n;
		*p++ = VALUE_EDGE;
	}
	s->lower.n = total;
	return prefilter_scan(s, buf_str(&s->lower));
}

static void try_rule(struct sigma *s, uint32_t i, uint64_t verb, const struct matching *m, sigma_hit_fn fn, void *arg)
{
	struct compiled *c = s->rules[i];

	if (m->event && !(c->verbs & verb))
		return;
	s->stat.evaluated++;
	if (!match_node(s, c->root, m))
		return;
	for (size_t k = 0; k < c->n_filters; k++)
		if (!match_node(s, c->filters[k], m))
			return;
	if (!c->silent && fn)
		fn(arg, &(struct sigma_hit){ .rule = &c->rule, .group = STR(""), .count = m->weight, .seqs = &m->seq,
			.n_seqs = m->seq != UINT64_MAX, .first = m->time, .last = m->time, .newest = m->seq != UINT64_MAX ? m->seq : 0 });
	for (size_t k = 0; k < c->n_feeds; k++)
		correlation_feed(s, c->feeds[k], i, m, m->seq, fn, arg);
}

static void run(struct sigma *s, uint64_t verb, const struct matching *m, sigma_hit_fn fn, void *arg)
{
	s->stat.fed++;
	for (size_t i = 0; i < s->n_candidates; i++)
		try_rule(s, s->candidates[i], verb, m, fn, arg);
	for (size_t i = 0; i < s->n_always; i++)
		try_rule(s, s->always[i], verb, m, fn, arg);
}

int sigma_feed(struct sigma *s, const struct event *e, sigma_hit_fn fn, void *arg)
{
	return sigma_feed_beside(s, e, NULL, fn, arg);
}

int sigma_feed_beside(struct sigma *s, const struct event *e, const struct sigma_beside *b, sigma_hit_fn fn, void *arg)
{
	char room[EVENT_TEXT_ROOM];
	struct matching m = { .values = s->values, .first = s->first, .count = s->count, .event = true, .time = e->time, .seq = e->seq,
		.weight = event_has(e, EV_COUNT) && e->count ? e->count : 1 };
	int r;

	if (!s->ready)
		return -EINVAL;
	m.n_values = event_values(e, s->values, s->first, s->count, room, sizeof(room));
	m.n_values = beside_values(b, m.n_values, s->values, s->first, s->count);
	r = lower_values(s, m.n_values);
	if (r == 0)
		run(s, (uint64_t)1 << (e->verb & 63), &m, fn, arg);
	return r;
}

int sigma_feed_fields(struct sigma *s, const struct sigma_record *rec, sigma_hit_fn fn, void *arg)
{
	struct matching m = { .first = s->first, .count = s->count, .time = rec->time, .seq = rec->seq, .weight = rec->count ? rec->count : 1 };
	int r;

	if (!s->ready)
		return -EINVAL;
	if (array_room(s->values, s->room_values, rec->n + 1) < 0)
		return -ENOMEM;
	memset(s->count, 0, s->n_fields * sizeof(*s->count));
	/* Values of one name stand side by side; what no rule names stands there once, for keywords. */
	for (size_t i = 0; i < rec->n; i++) {
		uint32_t number = s->field_table_size ? *field_place(s, rec->fields[i].name) : SLOT_NONE;
		bool taken = number != SLOT_NONE && s->count[number];

		if (taken)
			continue;
		if (number != SLOT_NONE)
			s->first[number] = (uint32_t)m.n_values;
		for (size_t k = i; k < rec->n; k++) {
			if (k > i && (number == SLOT_NONE || !str_eq(rec->fields[k].name, rec->fields[i].name)))
				continue;
			s->values[m.n_values].raw = rec->fields[k].value.p && !rec->fields[k].null ? rec->fields[k].value : STR("");
			s->values[m.n_values++].null = rec->fields[k].null;
			if (number != SLOT_NONE)
				s->count[number]++;
		}
	}
	m.values = s->values;
	r = lower_values(s, m.n_values);
	if (r == 0)
		run(s, 0, &m, fn, arg);
	for (size_t i = 0; i < m.n_values; i++)
		s->values[i].null = false;
	return r;
}
