/* The condition of a rule: not, and, or, parentheses, identifiers, `1 of`, `any of`, `all of`, `them`, patterns. */
#include <errno.h>
#include <strings.h>

#include "detect/sigma_int.h"

struct parser {
	struct sigma *s;
	const struct named *names;
	size_t n;
	str text;
	size_t at;
	unsigned depth;
	str word; /* the next one; empty at the end */
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_*?-.", c)) || (unsigned char)c >= 0x80;
}

static void next(struct parser *p)
{
	size_t from;

	while (p->at < p->text.n && strchr(" \t\r\n", p->text.p[p->at]))
		p->at++;
	from = p->at;
	while (p->at < p->text.n && is_word(p->text.p[p->at]))
		p->at++;
	if (p->at == from && p->at < p->text.n)
		p->at++;
	p->word = (str){ p->text.p + from, p->at - from };
}

static bool is(const struct parser *p, const char *word)
{
	return p->word.n == strlen(word) && strncasecmp(p->word.p, word, p->word.n) == 0;
}

static int parse_or(struct parser *p, struct node **ret);

/* `selection_*`: * stands for anything. */
static bool fits(str pattern, str name)
{
	size_t i = 0, j = 0, star = SIZE_MAX, back = 0;

	while (j < name.n) {
		if (i < pattern.n && pattern.p[i] == '*') {
			star = i++;
			back = j;
		} else if (i < pattern.n && (pattern.p[i] == name.p[j] || pattern.p[i] == '?')) {
			i++;
			j++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			j = ++back;
		} else {
			return false;
		}
	}
	while (i < pattern.n && pattern.p[i] == '*')
		i++;
	return i == pattern.n;
}

/* A subtree may stand in several places: a node of its own leads to it. */
static int refer(struct parser *p, struct node *to, struct node **ret)
{
	struct node *n = node_new(p->s, to->type);

	if (!n)
		return -ENOMEM;
	*n = *to;
	n->next = NULL;
	*ret = n;
	return 0;
}

static int parse_of(struct parser *p, bool all, struct node **ret)
{
	struct node *n = node_new(p->s, all ? NODE_AND : NODE_OR);
	bool them;
	int r;

	if (!n)
		return -ENOMEM;
	next(p);
	them = is(p, "them");
	for (size_t i = 0; i < p->n; i++) {
		struct node *c;

		/* Names with _ in front are not counted in by `them` or a pattern that does not name it. */
		if (p->names[i].name.n && p->names[i].name.p[0] == '_' && (them || !str_starts(p->word, STR("_"))))
			continue;
		if (!them && !fits(p->word, p->names[i].name))
			continue;
		r = refer(p, p->names[i].node, &c);
		if (r < 0)
			return r;
		node_add(n, c);
	}
	if (!n->child)
		return rule_fail(p->s, SIGMA_BROKEN, "condition: expected an identifier that \"%.*s\" fits", STR_ARG(p->word));
	next(p);
	*ret = n;
	return 0;
}

static int parse_primary(struct parser *p, struct node **ret)
{
	str word = p->word;
	int r;

	if (is(p, "(")) {
		next(p);
		r = parse_or(p, ret);
		if (r < 0)
			return r;
		if (!is(p, ")"))
			return rule_fail(p->s, SIGMA_BROKEN, "condition: expected ) at \"%.*s\"", STR_ARG(p->word));
		next(p);
		return 0;
	}
	if (word.n == 0 || !is_word(word.p[0]) || is(p, "and") || is(p, "or") || is(p, "of"))
		return rule_fail(p->s, SIGMA_BROKEN, "condition: expected an identifier at \"%.*s\"", STR_ARG(word));
	next(p);
	if (is(p, "of")) {
		if (str_eq(word, STR("1")) || str_eq(word, STR("any")))
			return parse_of(p, false, ret);
		if (str_eq(word, STR("all")))
			return parse_of(p, true, ret);
		return rule_fail(p->s, SIGMA_UNSUPPORTED, "condition: \"%.*s of\"; expected 1, any or all", STR_ARG(word));
	}
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->names[i].name, word))
			return refer(p, p->names[i].node, ret);
	return rule_fail(p->s, SIGMA_BROKEN, "condition: expected an identifier of the detection, not \"%.*s\"", STR_ARG(word));
}

static int parse_not(struct parser *p, struct node **ret)
{
	struct node *n, *c = NULL;
	int r;

	if (++p->depth > NEST_MAX)
		return rule_fail(p->s, SIGMA_BROKEN, "condition: expected at most %d levels", NEST_MAX);
	if (is(p, "not")) {
		next(p);
		r = parse_not(p, &c);
		n = node_new(p->s, NODE_NOT);
		if (r == 0 && !n)
			r = -ENOMEM;
		if (r < 0)
			return r;
		node_add(n, c);
		*ret = n;
	} else {
		r = parse_primary(p, ret);
	}
	p->depth--;
	return r;
}

static int parse_and(struct parser *p, struct node **ret)
{
	struct node *n = node_new(p->s, NODE_AND), *c = NULL;
	int r = n ? parse_not(p, &c) : -ENOMEM;

	while (r == 0) {
		node_add(n, c);
		if (!is(p, "and"))
			break;
		next(p);
		r = parse_not(p, &c);
	}
	*ret = n;
	return r;
}

static int parse_or(struct parser *p, struct node **ret)
{
	struct node *n = node_new(p->s, NODE_OR), *c = NULL;
	int r = n ? parse_and(p, &c) : -ENOMEM;

	while (r == 0) {
		node_add(n, c);
		if (!is(p, "or"))
			break;
		next(p);
		r = parse_and(p, &c);
	}
	*ret = n;
	return r;
}

int parse_condition(struct sigma *s, str text, const struct named *names, size_t n, struct node **ret)
{
	struct parser p = { .s = s, .names = names, .n = n, .text = text };
	int r;

	next(&p);
	r = parse_or(&p, ret);
	if (r < 0)
		return r;
	if (is(&p, "|"))
		return rule_fail(s, SIGMA_UNSUPPORTED, "condition: aggregation after |; correlation rules replace it");
	if (p.word.n)
		return rule_fail(s, SIGMA_BROKEN, "condition: expected and, or, or the end at \"%.*s\"", STR_ARG(p.word));
	return 0;
}
