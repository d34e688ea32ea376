/* The prefilter: literals, one of which must stand in a record for a rule to match; one pass of vectorscan finds the rules worth evaluating.
 * The record's values stand one behind the other, in lower case, with VALUE_EDGE around each: a whole value is sought with both of them. That
 * a value may hold that byte too only lets more rules through. */
#include <errno.h>

#include "base/array.h"
#include "detect/sigma_int.h"

#define ATOM_MIN 3
#define ATOM_BYTES 48
#define ATOMS_OF_A_RULE 256

struct atoms {
	struct { str text; bool before, after; } v[ATOMS_OF_A_RULE];
	size_t n;
	size_t score; /* shortest; 0: no such set */
};

static char lower_of(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool atom_of(const struct matcher *m, struct atoms *a)
{
	bool before = m->kind == MATCH_EXACT || m->kind == MATCH_PREFIX, after = m->kind == MATCH_EXACT || m->kind == MATCH_SUFFIX;
	size_t n = m->text.n + before + after;

	if (m->kind > MATCH_CONTAINS || m->text.n < ATOM_MIN || memchr(m->text.p, 0, m->text.n) || a->n == ATOMS_OF_A_RULE)
		return false;
	a->v[a->n].text = m->text;
	a->v[a->n].before = before;
	a->v[a->n++].after = after;
	a->score = MIN(a->score, n);
	return true;
}

static void leaf_atoms(const struct node *n, struct atoms *a)
{
	size_t best = 0;

	a->n = 0;
	a->score = SIZE_MAX;
	if (n->not_equal) {
		a->score = 0;
		return;
	}
	if (n->all) {
		for (size_t i = 0; i < n->n; i++)
			if (n->m[i].kind <= MATCH_CONTAINS && (n->m[best].kind > MATCH_CONTAINS || n->m[i].text.n > n->m[best].text.n))
				best = i;
		if (!atom_of(&n->m[best], a))
			a->score = 0;
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		if (!atom_of(&n->m[i], a)) {
			a->score = 0;
			return;
		}
}

static void node_atoms(const struct node *n, struct atoms *a)
{
	struct atoms *one;

	if (n->type == NODE_LEAF) {
		leaf_atoms(n, a);
		return;
	}
	a->n = 0;
	a->score = n->type == NODE_OR ? SIZE_MAX : 0;
	if (n->type == NODE_NOT)
		return;
	one = malloc(sizeof(*one));
	for (const struct node *c = n->child; one && c; c = c->next) {
		node_atoms(c, one);
		if (n->type == NODE_AND) {
			if (one->score > a->score || (one->score && one->score == a->score && one->n < a->n))
				*a = *one;
			continue;
		}
		if (one->score == 0 || a->n + one->n > ATOMS_OF_A_RULE) {
			a->score = 0;
			break;
		}
		memcpy(a->v + a->n, one->v, one->n * sizeof(one->v[0]));
		a->n += one->n;
		a->score = MIN(a->score, one->score);
	}
	if (!one || a->n == 0)
		a->score = 0;
	free(one);
}

struct pair {
	str text;
	uint32_t rule;
};

static int by_text(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int r = str_cmp(x->text, y->text);

	return r ? r : (x->rule > y->rule) - (x->rule < y->rule);
}

static int add_atoms(struct sigma *s, const struct atoms *a, uint32_t rule, struct pair **pairs, size_t *n, size_t *room)
{
	for (size_t i = 0; i < a->n; i++) {
		size_t body = MIN(a->v[i].text.n, ATOM_BYTES), at = 0;
		bool cut = body < a->v[i].text.n;
		char *p = sigma_alloc(s, body + 2);

		if (!p || array_room(*pairs, *room, *n + 1) < 0)
			return -ENOMEM;
		if (a->v[i].before)
			p[at++] = VALUE_EDGE;
		/* Of a value that is too long its beginning, or the end where that is what must stand there. */
		memcpy(p + at, a->v[i].text.p + (a->v[i].after && !a->v[i].before ? a->v[i].text.n - body : 0), body);
		for (size_t k = at; k < at + body; k++)
			p[k] = lower_of(p[k]);
		at += body;
		if (a->v[i].after && (!cut || !a->v[i].before))
			p[at++] = VALUE_EDGE;
		(*pairs)[(*n)++] = (struct pair){ { p, at }, rule };
	}
	return 0;
}

static int compile(struct sigma *s, const struct pair *pairs, size_t n)
{
	const char **text = calloc(n + 1, sizeof(*text));
	size_t *len = calloc(n + 1, sizeof(*len)), m = 0;
	unsigned *flags = calloc(n + 1, sizeof(*flags)), *ids = calloc(n + 1, sizeof(*ids));
	hs_compile_error_t *error = NULL;
	int r = -ENOMEM;

	s->atom_first = sigma_alloc(s, (n + 2) * sizeof(uint32_t));
	s->atom_rules = sigma_alloc(s, (n + 1) * sizeof(uint32_t));
	if (text && len && flags && ids && s->atom_first && s->atom_rules) {
		for (size_t i = 0; i < n; i++) {
			s->atom_rules[i] = pairs[i].rule;
			if (i && str_eq(pairs[i].text, pairs[i - 1].text))
				continue;
			text[m] = pairs[i].text.p;
			len[m] = pairs[i].text.n;
			flags[m] = HS_FLAG_SINGLEMATCH;
			ids[m] = (unsigned)m;
			s->atom_first[m++] = (uint32_t)i;
		}
		s->atom_first[m] = (uint32_t)n;
		r = hs_compile_lit_multi(text, flags, ids, len, (unsigned)m, HS_MODE_BLOCK, NULL, &s->db, &error) == HS_SUCCESS &&
			hs_alloc_scratch(s->db, &s->scratch) == HS_SUCCESS ? 0 : -ENOMEM;
		if (error)
			hs_free_compile_error(error);
	}
	free(text);
	free(len);
	free(flags);
	free(ids);
	return r;
}

int prefilter_build(struct sigma *s)
{
	_cleanup_free_ struct atoms *a = malloc(sizeof(*a));
	struct pair *pairs = NULL;
	size_t n = 0, room = 0;
	int r = 0;

	s->always = sigma_alloc(s, (s->n_rules + 1) * sizeof(uint32_t));
	s->candidates = sigma_alloc(s, (s->n_rules + 1) * sizeof(uint32_t));
	if (!a || !s->always || !s->candidates)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_rules && r == 0; i++) {
		const struct compiled *c = s->rules[i];

		if (!c->root || c->rule.type != SIGMA_RULE || c->rule.state > SIGMA_NEVER)
			continue;
		node_atoms(c->root, a);
		if (a->score)
			r = add_atoms(s, a, i, &pairs, &n, &room);
		else
			s->always[s->n_always++] = i;
	}
	if (r == 0 && n) {
		qsort(pairs, n, sizeof(*pairs), by_text);
		r = compile(s, pairs, n);
	}
	free(pairs);
	return r;
}

static int found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	struct sigma *s = arg;

	for (uint32_t i = s->atom_first[id]; i < s->atom_first[id + 1]; i++) {
		struct compiled *c = s->rules[s->atom_rules[i]];

		if (c->mark != s->epoch) {
			c->mark = s->epoch;
			s->candidates[s->n_candidates++] = s->atom_rules[i];
		}
	}
	return 0;
}

int prefilter_scan(struct sigma *s, str lower)
{
	s->n_candidates = 0;
	s->epoch++;
	if (!s->db)
		return 0;
	return hs_scan(s->db, lower.p, (unsigned)lower.n, 0, s->scratch, found, s) == HS_SUCCESS ? 0 : -EIO;
}
