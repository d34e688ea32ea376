/* Correlations as they are written: read, and joined with the rules that they name. */
#include <errno.h>

#include "detect/correlation_int.h"

const char *const correlation_kinds[KINDS] = { "event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg",
	"value_percentile" };

static int parse_span(struct sigma *s, const struct tree *t, int64_t *ret)
{
	static const struct { char unit; int64_t seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
		{ 'M', 2592000 }, { 'y', 31536000 } };
	uint64_t n;

	if (t && t->type == TREE_SCALAR && t->text.n > 1 && str_to_u64((str){ t->text.p, t->text.n - 1 }, &n) == 0 && n > 0 && n <= 36500)
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (units[i].unit == t->text.p[t->text.n - 1] && (int64_t)n <= INT64_MAX / NSEC_PER_SEC / 4 / units[i].seconds) {
				*ret = (int64_t)n * units[i].seconds * NSEC_PER_SEC;
				return 0;
			}
	return rule_fail(s, SIGMA_BROKEN, "expected a timespan as in 10m (s, m, h, d, w, M, y)");
}

/* One field; of value_count several, too: their values together. */
static int parse_values(struct sigma *s, struct correlation *c, const struct tree *field)
{
	const struct tree *first = field && field->type == TREE_LIST ? field->child : field;
	_cleanup_buf_ struct buf named = BUF_INIT; /* "client, path" */

	for (const struct tree *i = first; i; i = field->type == TREE_LIST ? i->next : NULL) {
		if (i->type != TREE_SCALAR || (c->n_values && c->kind != VALUE_COUNT))
			return rule_fail(s, SIGMA_BROKEN, "%s: expected the name of a field in the condition", correlation_kinds[c->kind]);
		if (c->n_values == CORRELATION_VALUES_MAX)
			return rule_fail(s, SIGMA_UNSUPPORTED, "%s of more than %d fields", correlation_kinds[c->kind], CORRELATION_VALUES_MAX);
		buf_putf(&named, "%s%.*s", c->n_values ? ", " : "", STR_ARG(i->text));
		if (sigma_field_number(s, i->text, &c->values[c->n_values++]) < 0)
			return -ENOMEM;
	}
	s->current->rule.counted = sigma_copy(s, buf_str(&named));
	return c->n_values ? 0 : rule_fail(s, SIGMA_BROKEN, "%s: expected a field in the condition", correlation_kinds[c->kind]);
}

static int parse_tests(struct sigma *s, struct correlation *c, const struct tree *t)
{
	static const char *const ops[CMP_MAX_] = { "eq", "lt", "lte", "gt", "gte", "neq" };
	bool temporal = c->kind == TEMPORAL || c->kind == TEMPORAL_ORDERED, valued = c->kind != EVENT_COUNT && !temporal;
	const struct tree *field = tree_get(t, "field");
	int r;

	if (t && t->type == TREE_SCALAR)
		return rule_fail(s, SIGMA_UNSUPPORTED, "a correlation's condition in words");
	r = valued ? parse_values(s, c, field) : 0;
	if (r < 0)
		return r;
	c->percentile = 50;
	for (const struct tree *i = t ? t->child : NULL; i; i = i->next) {
		uint8_t op = 0;
		double n;

		if (i == field)
			continue;
		while (op < CMP_MAX_ && !str_eq(i->key, str_c(ops[op])))
			op++;
		if ((op == CMP_MAX_ && !str_eq(i->key, STR("percentile"))) || i->type != TREE_SCALAR || !number_of(i->text, &n))
			return rule_fail(s, SIGMA_BROKEN, "condition: expected eq, neq, lt, lte, gt, gte or percentile with a number, not \"%.*s\"",
				STR_ARG(i->key));
		if (op == CMP_MAX_) {
			c->percentile = n;
			continue;
		}
		if (c->n_tests == ARRAY_SIZE(c->test))
			return rule_fail(s, SIGMA_UNSUPPORTED, "more than two comparisons");
		if (c->kind == VALUE_COUNT && n + (op == CMP_GT) > CORRELATION_ENTRIES_MAX)
			return rule_fail(s, SIGMA_UNSUPPORTED, "value_count over %d", CORRELATION_ENTRIES_MAX);
		c->from_above |= op != CMP_GT && op != CMP_GTE;
		c->test[c->n_tests].op = op;
		c->test[c->n_tests++].than = n;
	}
	if (c->percentile < 0 || c->percentile > 100)
		return rule_fail(s, SIGMA_BROKEN, "expected a percentile from 0 to 100");
	if (c->n_tests == 0 && !temporal)
		return rule_fail(s, SIGMA_BROKEN, "%s: expected a comparison in the condition", correlation_kinds[c->kind]);
	return 0;
}

static int parse_list(struct sigma *s, const struct tree *t, const char *what, str *out, size_t room, size_t *ret_n)
{
	const struct tree *first = t && t->type == TREE_LIST ? t->child : t;

	for (const struct tree *i = first; i; i = t->type == TREE_LIST ? i->next : NULL) {
		if (i->type != TREE_SCALAR)
			return rule_fail(s, SIGMA_BROKEN, "%s: expected a list of names", what);
		if (*ret_n == room)
			return rule_fail(s, SIGMA_UNSUPPORTED, "%s: more than %zu", what, room);
		out[(*ret_n)++] = i->text;
	}
	return 0;
}

static int parse_fields(struct sigma *s, struct correlation *c, const struct tree *aliases)
{
	for (size_t g = 0; g < c->n_by; g++) {
		char name[256];
		const struct tree *alias, *in;
		int r = 0;

		snprintf(name, sizeof(name), "%.*s", STR_ARG(c->by[g]));
		alias = tree_get(aliases, name);
		for (size_t i = 0; i < c->n_refs && r == 0; i++) {
			snprintf(name, sizeof(name), "%.*s", STR_ARG(c->refs[i]));
			in = tree_get(alias, name);
			if (alias && (!in || in->type != TREE_SCALAR))
				return rule_fail(s, SIGMA_BROKEN, "alias %.*s: expected a field of rule %s", STR_ARG(c->by[g]), name);
			r = sigma_field_number(s, in ? in->text : c->by[g], &c->fields[g][i]);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* What an alert says would not have fired it. */
static void say_counts(const struct correlation *c, struct sigma_rule *ret)
{
	ret->counts = correlation_kinds[c->kind];
	ret->span = c->span;
	ret->percentile = c->percentile;
	for (size_t i = 0; i < c->n_tests; i++)
		if (c->test[i].op == CMP_GTE || c->test[i].op == CMP_EQ)
			ret->least = c->test[i].than;
		else if (c->test[i].op == CMP_GT)
			ret->least = c->test[i].than + 1;
	if (c->n_tests == 0)
		ret->least = (double)c->n_refs;
}

int correlation_parse(struct sigma *s, const struct tree *map)
{
	struct correlation *c = sigma_alloc(s, sizeof(*c));
	const struct tree *type = tree_get(map, "type");
	int r;

	if (!c)
		return -ENOMEM;
	while (type && c->kind < KINDS && !str_eq(type->text, str_c(correlation_kinds[c->kind])))
		c->kind++;
	if (!type || c->kind == KINDS)
		return rule_fail(s, type ? SIGMA_UNSUPPORTED : SIGMA_BROKEN, "correlation type %.*s", STR_ARG(type ? type->text : STR("is missing")));
	/* Beside `correlation` in the specification, within it in others' engines. */
	c->generate = tree_true(tree_get(map, "generate")) || tree_true(tree_get(s->current->tree, "generate"));
	r = parse_list(s, tree_get(map, "rules"), "rules", c->refs, CORRELATION_REFS_MAX, &c->n_refs);
	if (r == 0)
		r = parse_list(s, tree_get(map, "group-by"), "group-by", c->by, CORRELATION_BY_MAX, &c->n_by);
	if (r == 0)
		r = parse_span(s, tree_get(map, "timespan"), &c->span);
	if (r == 0)
		r = parse_tests(s, c, tree_get(map, "condition"));
	if (r == 0 && c->n_refs == 0)
		r = rule_fail(s, SIGMA_BROKEN, "expected rules to correlate");
	if (r == 0)
		r = parse_fields(s, c, tree_get(map, "aliases"));
	if (r == 0) {
		s->current->correlation = c;
		say_counts(c, &s->current->rule);
	}
	return r;
}

static int join_one(struct sigma *s, uint32_t self)
{
	struct correlation *c = s->rules[self]->correlation;

	s->current = s->rules[self];
	for (size_t i = 0; i < c->n_refs; i++) {
		size_t k = 0;

		while (k < s->n_rules && !(c->refs[i].n && (str_eq(s->rules[k]->rule.id, c->refs[i]) || str_eq(s->rules[k]->rule.name, c->refs[i]))))
			k++;
		if (k == s->n_rules || s->rules[k]->rule.type == SIGMA_FILTER)
			return rule_fail(s, SIGMA_BROKEN, "expected a rule \"%.*s\" in the set", STR_ARG(c->refs[i]));
		c->rules[i] = (uint32_t)k;
	}
	return 0;
}

static void say_parts(const struct sigma *s, const struct correlation *c, struct sigma_rule *ret)
{
	bool all = (c->kind == TEMPORAL || c->kind == TEMPORAL_ORDERED) && c->n_tests == 0;

	for (size_t i = 0; i < c->n_refs; i++) {
		const struct sigma_rule *on = &s->rules[c->rules[i]]->rule;

		if (on->type != SIGMA_CORRELATION)
			continue;
		ret->composed = true;
		if (all && ret->n_parts < SIGMA_PARTS_MAX)
			ret->parts[ret->n_parts++] = (struct sigma_count){ on->counts, on->counted, on->least, on->span };
	}
}

/* Depth first; what a correlation leans on has been judged before it. */
static int judge(struct sigma *s, uint32_t self, unsigned depth)
{
	struct compiled *me = s->rules[self];
	struct correlation *c = me->correlation;

	if (!c || c->color == 2 || me->rule.state != SIGMA_RUNS)
		return 0;
	s->current = me;
	if (c->color == 1 || depth > 16)
		return rule_fail(s, SIGMA_BROKEN, "correlations in a circle, or more than 16 levels deep");
	c->color = 1;
	for (size_t i = 0; i < c->n_refs; i++) {
		const struct sigma_rule *on = &s->rules[c->rules[i]]->rule;

		judge(s, c->rules[i], depth + 1);
		s->current = me;
		if (on->state > SIGMA_NEVER)
			rule_fail(s, on->state, "it leans on \"%.*s\", which does not run", STR_ARG(c->refs[i]));
		else if (on->state == SIGMA_NEVER)
			rule_fail(s, SIGMA_NEVER, "it leans on \"%.*s\": %s", STR_ARG(c->refs[i]), on->why);
	}
	if (c->n_refs == 1)
		asks_of_correlation(&s->rules[c->rules[0]]->rule, &me->rule);
	say_parts(s, c, &me->rule);
	c->color = 2;
	return 0;
}

int correlations_join(struct sigma *s)
{
	for (uint32_t i = 0; i < s->n_rules; i++)
		if (s->rules[i]->correlation && join_one(s, i) == -ENOMEM)
			return -ENOMEM;
	asks_of_rules(s);
	for (uint32_t i = 0; i < s->n_rules; i++)
		judge(s, i, 0);
	for (uint32_t i = 0; i < s->n_rules; i++) {
		struct correlation *c = s->rules[i]->correlation;

		if (!c || s->rules[i]->rule.state > SIGMA_NEVER)
			continue;
		c->table = calloc(CORRELATION_TABLE, sizeof(*c->table));
		if (!c->table)
			return -ENOMEM;
		for (size_t k = 0; k < c->n_refs; k++) {
			struct compiled *on = s->rules[c->rules[k]];
			uint32_t *more = sigma_alloc(s, (on->n_feeds + 1) * sizeof(*more));

			if (!more)
				return -ENOMEM;
			if (on->n_feeds)
				memcpy(more, on->feeds, on->n_feeds * sizeof(*more));
			more[on->n_feeds++] = i;
			on->feeds = more;
			on->silent |= !c->generate;
		}
	}
	return 0;
}
