/* A document becomes a rule, a correlation or a filter. */
#include <errno.h>
#include <stdarg.h>

#include "base/array.h"
#include "detect/sigma_int.h"

#define NODES_MAX 2000000
#define NAMES_MAX 512

struct node *node_new(struct sigma *s, enum node_type type)
{
	struct node *n = ++s->nodes > NODES_MAX ? NULL : sigma_alloc(s, sizeof(*n));

	if (n)
		n->type = type;
	return n;
}

void node_add(struct node *parent, struct node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->child = child;
	parent->last = child;
}

int rule_fail(struct sigma *s, enum sigma_state state, const char *fmt, ...)
{
	struct sigma_rule *r = &s->current->rule;
	_cleanup_buf_ struct buf visible = BUF_INIT;
	char text[256];
	va_list ap;

	if (r->why)
		return -EBADMSG;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_put_visible(&visible, str_c(text));
	r->state = state;
	r->why = sigma_copy(s, buf_str(&visible)).p;
	if (!r->why)
		r->why = "no memory";
	return -EBADMSG;
}

static int parse_map(struct sigma *s, const struct tree *t, struct node **ret)
{
	struct node *all = node_new(s, NODE_AND), *c;
	int r;

	if (!all)
		return -ENOMEM;
	for (const struct tree *i = t->child; i; i = i->next) {
		r = parse_item(s, i->key, i, false, &c);
		if (r < 0)
			return r;
		node_add(all, c);
	}
	if (!all->child)
		return rule_fail(s, SIGMA_BROKEN, "line %u: expected at least one field", t->line);
	*ret = all;
	return 0;
}

/* A map: all of its items. A list: any of its maps or keywords. A scalar: a keyword. */
static int parse_search(struct sigma *s, const struct tree *t, struct node **ret)
{
	struct node *any, *c;
	int r;

	if (t->type == TREE_MAP)
		return parse_map(s, t, ret);
	if (t->type == TREE_SCALAR)
		return parse_item(s, STR(""), t, true, ret);
	any = node_new(s, NODE_OR);
	if (!any)
		return -ENOMEM;
	for (const struct tree *i = t->child; i; i = i->next) {
		r = i->type == TREE_LIST ? rule_fail(s, SIGMA_BROKEN, "line %u: expected fields or keywords", i->line) : parse_search(s, i, &c);
		if (r < 0)
			return r;
		node_add(any, c);
	}
	if (!any->child)
		return rule_fail(s, SIGMA_BROKEN, "line %u: expected at least one value", t->line);
	*ret = any;
	return 0;
}

int parse_detections(struct sigma *s, const struct tree *map, struct node **ret)
{
	const struct tree *condition = tree_get(map, "condition"), *first;
	_cleanup_free_ struct named *names = calloc(NAMES_MAX, sizeof(*names));
	struct node *any = node_new(s, NODE_OR), *c;
	size_t n = 0;
	int r;

	if (!names || !any)
		return -ENOMEM;
	if (!condition)
		return rule_fail(s, SIGMA_BROKEN, "expected a detection with a condition");
	for (const struct tree *i = map->child; i; i = i->next) {
		if (i == condition || str_eq(i->key, STR("timeframe")) || str_eq(i->key, STR("rules")))
			continue;
		if (n == NAMES_MAX)
			return rule_fail(s, SIGMA_UNSUPPORTED, "more than %d search identifiers", NAMES_MAX);
		names[n].name = i->key;
		r = parse_search(s, i, &names[n++].node);
		if (r < 0)
			return r;
	}
	first = condition->type == TREE_LIST ? condition->child : condition;
	for (const struct tree *i = first; i; i = condition->type == TREE_LIST ? i->next : NULL) {
		r = i->type == TREE_SCALAR ? parse_condition(s, i->text, names, n, &c) : rule_fail(s, SIGMA_BROKEN, "expected a condition that is text");
		if (r < 0)
			return r;
		node_add(any, c);
	}
	if (!any->child)
		return rule_fail(s, SIGMA_BROKEN, "expected a condition");
	*ret = any;
	return 0;
}

/* What comes of a tree where what is never recorded is missing: bit 0, it can be false; bit 1, true. */
static unsigned outcomes(const struct sigma *s, const struct node *n, str *ret_missing)
{
	bool can = n->type == NODE_AND, cannot = n->type == NODE_OR;

	if (n->type == NODE_LEAF) {
		bool hit = n->all;

		if (n->field == FIELD_ALL || s->fields[n->field].slot >= 0)
			return 3;
		for (size_t i = 0; i < n->n; i++) {
			bool one = n->m[i].kind == MATCH_NULL || (n->m[i].kind == MATCH_EXISTS && !n->m[i].yes);

			hit = n->all ? hit && one : hit || one;
		}
		if (!ret_missing->p && hit == n->not_equal)
			*ret_missing = s->fields[n->field].name;
		return hit != n->not_equal ? 2 : 1;
	}
	for (const struct node *c = n->child; c; c = c->next) {
		unsigned o = outcomes(s, c, ret_missing);

		if (n->type == NODE_NOT)
			return (o & 1) << 1 | o >> 1;
		can = n->type == NODE_AND ? can && o & 2 : can || o & 2;
		cannot = n->type == NODE_AND ? cannot || o & 1 : cannot && o & 1;
	}
	return (unsigned)can << 1 | (unsigned)cannot;
}

static int parse_rule(struct sigma *s, struct tree *t)
{
	struct compiled *c = s->current;
	const struct tree *source = tree_get(t, "logsource"), *detection = tree_get(t, "detection");
	const char *why = NULL;
	str missing = STR_NONE;
	int r;

	if (!source || source->type != TREE_MAP)
		return rule_fail(s, SIGMA_BROKEN, "expected a logsource");
	if (!detection || detection->type != TREE_MAP)
		return rule_fail(s, SIGMA_BROKEN, "expected a detection");
	r = parse_detections(s, detection, &c->root);
	if (r < 0) {
		c->root = NULL;
		return r;
	}
	c->verbs = logsource_verbs(c->rule.product, c->rule.category, c->rule.service, &why);
	if (!c->verbs)
		rule_fail(s, SIGMA_NEVER, "%s %.*s", why, STR_ARG(why[12] == 'p' ? c->rule.product : why[12] == 's' ? c->rule.service : c->rule.category));
	else if (!(outcomes(s, c->root, &missing) & 2))
		rule_fail(s, SIGMA_NEVER, "missing field %.*s", STR_ARG(missing));
	return 0;
}

static str text_at(const struct tree *map, const char *key)
{
	const struct tree *t = tree_get(map, key);

	return t && t->type == TREE_SCALAR ? t->text : STR("");
}

static int parse_head(struct sigma *s, const struct tree *t, str file)
{
	struct sigma_rule *r = &s->current->rule;
	const struct tree *source = tree_get(t, "logsource"), *tags = tree_get(t, "tags");
	str *list;

	r->file = file;
	r->line = t->line;
	r->title = text_at(t, "title");
	r->id = text_at(t, "id");
	r->name = text_at(t, "name");
	r->level = text_at(t, "level");
	r->product = text_at(source, "product");
	r->category = text_at(source, "category");
	r->service = text_at(source, "service");
	for (const struct tree *i = tags ? tags->child : NULL; i; i = i->next)
		r->n_tags++;
	list = sigma_alloc(s, (r->n_tags + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	r->tags = list;
	for (const struct tree *i = tags ? tags->child : NULL; i; i = i->next)
		*list++ = i->text;
	return 0;
}

/* -ENOMEM alone ends the load: all else is the rule's own trouble. */
int parse_document(struct sigma *s, struct tree *t, str file)
{
	struct compiled *c = sigma_alloc(s, sizeof(*c));
	int r;

	if (!c || array_room(s->rules, s->room_rules, s->n_rules + 1) < 0)
		return -ENOMEM;
	s->rules[s->n_rules++] = c;
	s->current = c;
	c->tree = t;
	r = parse_head(s, t, file);
	if (r < 0)
		return r;
	if (t->type != TREE_MAP)
		r = rule_fail(s, SIGMA_BROKEN, "expected a rule");
	else if (tree_get(t, "action"))
		r = rule_fail(s, SIGMA_UNSUPPORTED, "action: rule collections; each rule in full replaces them");
	else if (!c->rule.title.n)
		r = rule_fail(s, SIGMA_BROKEN, "expected a title");
	else if (tree_get(t, "correlation")) {
		c->rule.type = SIGMA_CORRELATION;
		r = correlation_parse(s, tree_get(t, "correlation"));
	} else if (tree_get(t, "filter")) {
		c->rule.type = SIGMA_FILTER;
		r = parse_detections(s, tree_get(t, "filter"), &c->root);
	} else {
		r = parse_rule(s, t);
	}
	return r == -ENOMEM ? r : 0;
}
