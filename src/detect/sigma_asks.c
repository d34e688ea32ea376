/* What a rule asks besides how many: lowest numbers that each record must reach. An alert says them beside the count. */
#include "detect/sigma_int.h"

static void note(struct sigma *s, const struct node *n, struct sigma_rule *ret)
{
	const struct matcher *m = n->m;

	if (n->field == FIELD_ALL || n->n != 1 || n->not_equal || m->kind != MATCH_COMPARE || m->part != PART_NONE ||
		(m->op != CMP_GTE && m->op != CMP_GT) || ret->n_asks == SIGMA_ASKS_MAX)
		return;
	ret->asks[ret->n_asks++] = (struct sigma_ask){ .field = s->fields[n->field].name, .least = m->number, .above = m->op == CMP_GT };
}

/* Only what stands in every way to a match: under `or` and `not` a number may be missed and the rule match all the same. */
static void walk(struct sigma *s, const struct node *n, struct sigma_rule *ret)
{
	if (n->type == NODE_LEAF)
		note(s, n, ret);
	if (n->type == NODE_AND || ((n->type == NODE_OR) && n->child && !n->child->next))
		for (const struct node *i = n->child; i; i = i->next)
			walk(s, i, ret);
}

void asks_of_rules(struct sigma *s)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rules[i]->root && s->rules[i]->rule.type == SIGMA_RULE)
			walk(s, s->rules[i]->root, &s->rules[i]->rule);
}

void asks_of_correlation(const struct sigma_rule *on, struct sigma_rule *ret)
{
	memcpy(ret->asks, on->asks, sizeof(ret->asks));
	ret->n_asks = on->n_asks;
}
