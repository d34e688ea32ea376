/* Does a rule's tree match a record? */
#include <arpa/inet.h>
#include <time.h>

#include "base/timefmt.h"
#include "detect/sigma_int.h"

bool number_of(str text, double *ret)
{
	char copy[64], *end;

	if (text.n == 0 || text.n >= sizeof(copy) || !strchr("+-.0123456789", text.p[0]) || !text.p[0])
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	*ret = strtod(copy, &end);
	return end == copy + text.n;
}

const struct value *match_values(const struct sigma *s, const struct matching *m, uint32_t field, size_t *ret_n)
{
	size_t slot;

	if (field == FIELD_ALL) {
		*ret_n = m->n_values;
		return m->values;
	}
	*ret_n = 0;
	if (m->event && s->fields[field].slot < 0)
		return NULL;
	slot = m->event ? (size_t)s->fields[field].slot : field;
	*ret_n = m->count[slot];
	return m->values + m->first[slot];
}

/* Steps that a pattern with several wildcards may take: its length times the value's is the worst. */
static bool match_tokens(const struct matcher *k, str v)
{
	size_t i = 0, j = 0, star = SIZE_MAX, back = 0;

	for (;;) {
		size_t step = 0;

		if (i < k->n && k->tokens[i] == TOKEN_ANY) {
			star = ++i;
			back = j;
			continue;
		}
		if (j == v.n)
			return i == k->n;
		if (i < k->n) {
			token t = k->tokens[i];

			if (t < 256)
				step = t == (uint8_t)v.p[j];
			else if (t == TOKEN_ONE)
				for (step = 1; j + step < v.n && ((uint8_t)v.p[j + step] & 0xc0) == 0x80; step++)
					;
			else if (v.p[j] == '-' || v.p[j] == '/')
				step = 1;
			else if (v.n - j >= 3 && memcmp(v.p + j, "\xe2\x80", 2) == 0 && (uint8_t)v.p[j + 2] >= 0x93 && (uint8_t)v.p[j + 2] <= 0x95)
				step = 3; /* en dash, em dash, horizontal bar */
		}
		if (step) {
			i++;
			j += step;
		} else if (star != SIZE_MAX) {
			i = star;
			j = ++back;
		} else {
			return false;
		}
	}
}

static bool match_regex(struct sigma *s, const struct matcher *k, str v)
{
	int r = pcre2_match(k->re, (PCRE2_SPTR)v.p, v.n, 0, 0, s->match_data, s->match_context);

	if (r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_DEPTHLIMIT || r == PCRE2_ERROR_HEAPLIMIT)
		s->stat.limits++;
	return r >= 0;
}

static bool match_cidr(const struct matcher *k, str v)
{
	char text[INET6_ADDRSTRLEN + 1];
	uint8_t a[16];
	unsigned whole = k->bits / 8, rest = k->bits % 8;

	if (v.n >= sizeof(text))
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = 0;
	return inet_pton(k->family, text, a) == 1 && memcmp(a, k->address, whole) == 0 &&
		(rest == 0 || ((a[whole] ^ k->address[whole]) & (0xff00 >> rest & 0xff)) == 0);
}

static bool time_part(str v, enum time_part part, double *ret)
{
	int64_t t;
	time_t sec;
	struct tm tm;
	char week[8];

	if (time_parse(v, &t) < 0)
		return false;
	sec = (time_t)(t >= 0 ? t / NSEC_PER_SEC : -((-t + NSEC_PER_SEC - 1) / NSEC_PER_SEC));
	if (!gmtime_r(&sec, &tm))
		return false;
	strftime(week, sizeof(week), "%V", &tm);
	*ret = part == PART_MINUTE ? tm.tm_min : part == PART_HOUR ? tm.tm_hour : part == PART_DAY ? tm.tm_mday :
		part == PART_WEEK ? atoi(week) : part == PART_MONTH ? tm.tm_mon + 1 : tm.tm_year + 1900;
	return true;
}

static bool match_compare(const struct matcher *k, str v)
{
	double n;

	if (!(k->part ? time_part(v, k->part, &n) : number_of(v, &n)))
		return false;
	switch (k->op) {
	case CMP_LT: return n < k->number;
	case CMP_LTE: return n <= k->number;
	case CMP_GT: return n > k->number;
	case CMP_GTE: return n >= k->number;
	default: return n == k->number;
	}
}

static bool match_shape(enum match_kind kind, str v, str text)
{
	switch (kind) {
	case MATCH_EXACT: return str_eq(v, text);
	case MATCH_PREFIX: return str_starts(v, text);
	case MATCH_SUFFIX: return str_ends(v, text);
	default: return text.n == 0 || memmem(v.p, v.n, text.p, text.n) != NULL;
	}
}

static bool match_field(const struct sigma *s, const struct matcher *k, const struct value *v, const struct matching *m)
{
	size_t n;
	const struct value *other = match_values(s, m, k->field, &n);

	for (size_t i = 0; i < n; i++)
		if (!other[i].null && match_shape(k->shape, k->cased ? v->raw : v->lower, k->cased ? other[i].raw : other[i].lower))
			return true;
	return false;
}

static bool match_value(struct sigma *s, const struct matcher *k, const struct value *v, const struct matching *m)
{
	str text = k->cased ? v->raw : v->lower;

	switch (k->kind) {
	case MATCH_TOKENS: return match_tokens(k, text);
	case MATCH_RE: return match_regex(s, k, v->raw);
	case MATCH_CIDR: return match_cidr(k, v->raw);
	case MATCH_COMPARE: return match_compare(k, v->raw);
	case MATCH_FIELD: return match_field(s, k, v, m);
	default: return match_shape(k->kind, text, k->text);
	}
}

static bool match_one(struct sigma *s, const struct matcher *k, const struct value *v, size_t n, const struct matching *m)
{
	bool there = false;

	for (size_t i = 0; i < n; i++) {
		if (v[i].null)
			continue;
		there = true;
		if (k->kind != MATCH_NULL && k->kind != MATCH_EXISTS && match_value(s, k, &v[i], m))
			return true;
	}
	return k->kind == MATCH_NULL ? !there : k->kind == MATCH_EXISTS && (n > 0) == k->yes;
}

static bool match_leaf(struct sigma *s, const struct node *n, const struct matching *m)
{
	size_t n_values;
	const struct value *v = match_values(s, m, n->field, &n_values);
	bool hit = n->all;

	for (size_t i = 0; i < n->n && hit == n->all; i++)
		hit = match_one(s, &n->m[i], v, n_values, m);
	return hit != n->not_equal;
}

bool match_node(struct sigma *s, const struct node *n, const struct matching *m)
{
	bool any = n->type == NODE_OR;

	if (n->type == NODE_LEAF)
		return match_leaf(s, n, m);
	if (n->type == NODE_NOT)
		return !match_node(s, n->child, m);
	for (const struct node *c = n->child; c; c = c->next)
		if (match_node(s, c, m) == any)
			return any;
	return !any;
}
