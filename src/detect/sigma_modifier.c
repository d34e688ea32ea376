/* One item of a detection: "Field|modifier|modifier: value or values", compiled to a leaf. */
#include <arpa/inet.h>
#include <errno.h>

#include "base/array.h"
#include "base/base64.h"
#include "base/utf8.h"
#include "detect/sigma_int.h"

enum transform { TO_NONE, TO_BASE64, TO_OFFSET, TO_WIDE, TO_WIDE_BE, TO_UTF16, TO_DASH };
#define TRANSFORMS_MAX 8
#define OFFSETS 3

struct item { /* what the modifiers ask for */
	bool contains, starts, ends, all, re, cidr, cased, exists, expand, fieldref, keyword;
	uint32_t re_flags;
	uint8_t op, part;
	bool compare;
	uint8_t transforms[TRANSFORMS_MAX];
	size_t n_transforms;
};

enum effect { SET_BOOL, SET_FLAG, SET_OP, SET_PART, SET_TRANSFORM };
static const struct modifier {
	const char *name;
	uint8_t effect;
	uint32_t arg;
} modifiers[] = {
	{ "contains", SET_BOOL, offsetof(struct item, contains) },
	{ "startswith", SET_BOOL, offsetof(struct item, starts) },
	{ "endswith", SET_BOOL, offsetof(struct item, ends) },
	{ "all", SET_BOOL, offsetof(struct item, all) },
	{ "re", SET_BOOL, offsetof(struct item, re) },
	{ "cidr", SET_BOOL, offsetof(struct item, cidr) },
	{ "cased", SET_BOOL, offsetof(struct item, cased) },
	{ "exists", SET_BOOL, offsetof(struct item, exists) },
	{ "expand", SET_BOOL, offsetof(struct item, expand) },
	{ "fieldref", SET_BOOL, offsetof(struct item, fieldref) },
	{ "i", SET_FLAG, PCRE2_CASELESS }, { "ignorecase", SET_FLAG, PCRE2_CASELESS },
	{ "m", SET_FLAG, PCRE2_MULTILINE }, { "multiline", SET_FLAG, PCRE2_MULTILINE },
	{ "s", SET_FLAG, PCRE2_DOTALL }, { "dotall", SET_FLAG, PCRE2_DOTALL },
	{ "lt", SET_OP, CMP_LT }, { "lte", SET_OP, CMP_LTE }, { "gt", SET_OP, CMP_GT }, { "gte", SET_OP, CMP_GTE }, { "neq", SET_OP, CMP_NEQ },
	{ "minute", SET_PART, PART_MINUTE }, { "hour", SET_PART, PART_HOUR }, { "day", SET_PART, PART_DAY },
	{ "week", SET_PART, PART_WEEK }, { "month", SET_PART, PART_MONTH }, { "year", SET_PART, PART_YEAR },
	{ "base64", SET_TRANSFORM, TO_BASE64 }, { "base64offset", SET_TRANSFORM, TO_OFFSET },
	{ "wide", SET_TRANSFORM, TO_WIDE }, { "utf16le", SET_TRANSFORM, TO_WIDE }, { "utf16be", SET_TRANSFORM, TO_WIDE_BE },
	{ "utf16", SET_TRANSFORM, TO_UTF16 }, { "windash", SET_TRANSFORM, TO_DASH },
};

static int apply(struct sigma *s, struct item *it, str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(modifiers); i++) {
		const struct modifier *m = &modifiers[i];

		if (!str_eq(name, str_c(m->name)))
			continue;
		if (m->effect == SET_BOOL) {
			*((bool *)it + m->arg) = true;
		} else if (m->effect == SET_FLAG) {
			if (!it->re)
				return rule_fail(s, SIGMA_BROKEN, "modifier %s: expected re before it", m->name);
			it->re_flags |= m->arg;
		} else if (m->effect == SET_OP) {
			it->op = (uint8_t)m->arg;
			it->compare = m->arg != CMP_NEQ;
		} else if (m->effect == SET_PART) {
			it->part = (uint8_t)m->arg;
		} else {
			if (it->n_transforms == TRANSFORMS_MAX)
				return rule_fail(s, SIGMA_UNSUPPORTED, "more than %d encodings", TRANSFORMS_MAX);
			it->transforms[it->n_transforms++] = (uint8_t)m->arg;
		}
		return 0;
	}
	return rule_fail(s, SIGMA_UNSUPPORTED, "modifier %.*s", STR_ARG(name));
}

/* A pattern while it is transformed. */
struct pattern {
	token t[4096];
	size_t n;
};

static bool push(struct pattern *p, unsigned t)
{
	if (p->n == ARRAY_SIZE(p->t))
		return false;
	p->t[p->n++] = (token)t;
	return true;
}

/* `*` and `?` are wildcards, `\*` `\?` `\\` themselves; another `\` is a plain one. */
static bool pattern_from(struct pattern *p, str text)
{
	bool ok = true;

	p->n = 0;
	for (size_t i = 0; i < text.n && ok; i++) {
		char c = text.p[i];

		if (c == '\\' && i + 1 < text.n && strchr("*?\\", text.p[i + 1]) && text.p[i + 1])
			ok = push(p, (unsigned char)text.p[++i]);
		else if (c == '*')
			ok = (p->n && p->t[p->n - 1] == TOKEN_ANY) || push(p, TOKEN_ANY);
		else
			ok = push(p, c == '?' ? TOKEN_ONE : (unsigned char)c);
	}
	return ok;
}

static bool plain(const struct pattern *p, struct buf *b)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->t[i] > 255)
			return false;
		buf_putc(b, (char)p->t[i]);
	}
	return true;
}

/* UTF-16 of each character; wildcards stay. */
static bool widen(struct pattern *p, enum transform how)
{
	_cleanup_free_ struct pattern *own = malloc(sizeof(*own));
	bool ok = own != NULL;

	if (!ok)
		return false;
	own->n = 0;
	if (how == TO_UTF16)
		ok = push(own, 0xff) && push(own, 0xfe);
	for (size_t i = 0; i < p->n && ok;) {
		uint32_t c = p->t[i++];
		unsigned more = c > 255 || c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		uint16_t unit[2];
		size_t n = 1;

		if (c > 255) {
			ok = push(own, c);
			continue;
		}
		if (more)
			c &= 0x3fu >> more;
		for (; more && i < p->n && (p->t[i] & 0xffc0) == 0x80; more--)
			c = c << 6 | (p->t[i++] & 0x3f);
		unit[0] = (uint16_t)c;
		if (c > 0xffff) {
			unit[0] = (uint16_t)(0xd800 | ((c - 0x10000) >> 10));
			unit[1] = (uint16_t)(0xdc00 | ((c - 0x10000) & 0x3ff));
			n = 2;
		}
		for (size_t k = 0; k < n && ok; k++)
			ok = how == TO_WIDE_BE ? push(own, unit[k] >> 8) && push(own, unit[k] & 255) :
						 push(own, unit[k] & 255) && push(own, unit[k] >> 8);
	}
	if (ok)
		memcpy(p, own, sizeof(*p));
	return ok;
}

static bool word(token t)
{
	return t == '_' || (t >= '0' && t <= '9') || (t < 256 && (t | 32) >= 'a' && (t | 32) <= 'z');
}

/* `-x` and `/x` at the beginning of a word stand for each kind of dash. */
static void dashes(struct pattern *p)
{
	for (size_t i = 0; i + 1 < p->n; i++) {
		token before = i ? p->t[i - 1] : ' ', after = p->t[i + 1];

		if ((p->t[i] == '-' || p->t[i] == '/') && !word(before) && word(after))
			p->t[i] = TOKEN_DASH;
	}
}

/* The part of the base64 text that does not hang on what stands around it, at an offset of 0, 1, 2 bytes. */
static bool encode(struct pattern *p, unsigned offset, bool cut)
{
	static const uint8_t skip[OFFSETS] = { 0, 2, 3 }, drop[OFFSETS] = { 0, 3, 2 };
	_cleanup_buf_ struct buf b = BUF_INIT, out = BUF_INIT;
	size_t from = cut ? skip[offset] : 0, to;
	bool ok;

	for (unsigned i = 0; i < offset; i++)
		buf_putc(&b, ' ');
	if (!plain(p, &b) || buf_error(&b))
		return false;
	base64_encode(&out, buf_str(&b));
	to = out.n - (cut ? drop[b.n % 3] : 0);
	p->n = 0;
	ok = !buf_error(&out) && to >= from;
	for (size_t i = from; ok && i < to; i++)
		ok = push(p, (unsigned char)out.p[i]);
	return ok;
}

static int add_matcher(struct sigma *s, struct matcher *m, size_t *n, size_t room, const struct matcher *v)
{
	if (*n == room)
		return rule_fail(s, SIGMA_UNSUPPORTED, "more than %zu values", room);
	m[(*n)++] = *v;
	return 0;
}

static uint8_t fold(token t)
{
	return (uint8_t)(t >= 'A' && t <= 'Z' ? t + 32 : t);
}

/* The cheapest form that means the same. */
static int pattern_matcher(struct sigma *s, const struct item *it, const struct pattern *p, struct matcher *ret)
{
	size_t from = 0, to = p->n;
	bool open = to && p->t[0] == TOKEN_ANY, close;
	char *text;
	token *copy;

	close = to > 1 && p->t[to - 1] == TOKEN_ANY;
	*ret = (struct matcher){ .cased = it->cased };
	from += open;
	to -= close;
	ret->kind = open && close ? MATCH_CONTAINS : open ? MATCH_SUFFIX : close ? MATCH_PREFIX : MATCH_EXACT;
	for (size_t i = from; i < to; i++)
		if (p->t[i] > 255)
			ret->kind = MATCH_TOKENS;
	if (ret->kind == MATCH_TOKENS) {
		copy = sigma_alloc(s, p->n * sizeof(token));
		if (!copy)
			return -ENOMEM;
		for (size_t i = 0; i < p->n; i++) {
			copy[i] = it->cased || p->t[i] > 255 ? p->t[i] : fold(p->t[i]);
			ret->dash |= p->t[i] == TOKEN_DASH;
		}
		ret->tokens = copy;
		ret->n = p->n;
		return 0;
	}
	text = sigma_alloc(s, to - from + 1);
	if (!text)
		return -ENOMEM;
	for (size_t i = from; i < to; i++)
		text[i - from] = (char)(it->cased ? (uint8_t)p->t[i] : fold(p->t[i]));
	ret->text = (str){ text, to - from };
	return 0;
}

static int regex_matcher(struct sigma *s, const struct item *it, str text, struct matcher *ret)
{
	uint32_t flags = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | it->re_flags | (it->starts ? PCRE2_ANCHORED : 0) | (it->ends ? PCRE2_ENDANCHORED : 0);
	PCRE2_SIZE at;
	int error;

	if (array_room(s->res, s->room_res, s->n_res + 1) < 0)
		return -ENOMEM;
	*ret = (struct matcher){ .kind = MATCH_RE };
	if (text.n > 4096)
		return rule_fail(s, SIGMA_BROKEN, "expected an expression of at most 4,096 bytes");
	ret->re = pcre2_compile((PCRE2_SPTR)text.p, text.n, flags | PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
	if (!ret->re) {
		char why[120];

		pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof(why));
		return rule_fail(s, SIGMA_BROKEN, "expression, byte %zu: %s", (size_t)at, why);
	}
	s->res[s->n_res++] = ret->re;
	return 0;
}

static bool host_bits(const struct matcher *m)
{
	for (unsigned bit = m->bits; bit < (m->family == AF_INET ? 32 : 128); bit++)
		if (m->address[bit / 8] & 0x80 >> bit % 8)
			return true;
	return false;
}

static int cidr_matcher(struct sigma *s, str text, struct matcher *ret)
{
	const char *slash = memchr(text.p, '/', text.n);
	char address[INET6_ADDRSTRLEN + 1];
	size_t n = slash ? (size_t)(slash - text.p) : text.n;
	uint64_t bits;

	*ret = (struct matcher){ .kind = MATCH_CIDR };
	if (n < sizeof(address)) {
		memcpy(address, text.p, n);
		address[n] = 0;
		ret->family = memchr(address, ':', n) ? AF_INET6 : AF_INET;
		bits = ret->family == AF_INET ? 32 : 128;
		if (inet_pton(ret->family, address, ret->address) == 1 &&
			(!slash || (str_to_u64((str){ slash + 1, text.n - n - 1 }, &bits) == 0 && bits <= (ret->family == AF_INET ? 32 : 128)))) {
			ret->bits = (uint8_t)bits;
			return host_bits(ret) ? rule_fail(s, SIGMA_BROKEN, "cidr: expected a network, \"%.*s\" is a host within one", STR_ARG(text)) : 0;
		}
	}
	return rule_fail(s, SIGMA_BROKEN, "cidr: expected ADDRESS/BITS, not \"%.*s\"", STR_ARG(text));
}

static int special(struct sigma *s, const struct item *it, const struct tree *v, struct matcher *ret)
{
	*ret = (struct matcher){ .kind = MATCH_NULL };
	if (it->n_transforms && (it->exists || it->re || it->cidr || it->fieldref || it->compare || it->part))
		return rule_fail(s, SIGMA_BROKEN, "expected no encoding beside a modifier that takes the value as it is");
	if (it->fieldref && (memchr(v->text.p, '*', v->text.n) || memchr(v->text.p, '?', v->text.n)))
		return rule_fail(s, SIGMA_BROKEN, "fieldref: expected a field's name, not \"%.*s\"", STR_ARG(v->text));
	if (it->keyword && tree_null(v))
		return rule_fail(s, SIGMA_BROKEN, "line %u: expected a keyword, not null", v->line);
	if (it->keyword && it->exists)
		return rule_fail(s, SIGMA_BROKEN, "line %u: exists: expected a field before it", v->line);
	if (it->exists) {
		ret->kind = MATCH_EXISTS;
		ret->yes = tree_true(v);
		return ret->yes || str_eq(v->text, STR("false")) || str_eq(v->text, STR("no")) || str_eq(v->text, STR("False")) ? 0 :
			rule_fail(s, SIGMA_BROKEN, "exists: expected true or false");
	}
	if (it->re)
		return regex_matcher(s, it, v->text, ret);
	if (it->cidr)
		return cidr_matcher(s, v->text, ret);
	if (it->fieldref) {
		ret->kind = MATCH_FIELD;
		ret->cased = it->cased;
		ret->shape = it->contains ? MATCH_CONTAINS : it->starts ? MATCH_PREFIX : it->ends ? MATCH_SUFFIX : MATCH_EXACT;
		return sigma_field_number(s, v->text, &ret->field);
	}
	if (it->compare || it->part) {
		ret->kind = MATCH_COMPARE;
		ret->op = it->compare ? it->op : CMP_EQ;
		ret->part = it->part;
		return number_of(v->text, &ret->number) ? 0 : rule_fail(s, SIGMA_BROKEN, "expected a number, not \"%.*s\"", STR_ARG(v->text));
	}
	return 1; /* a pattern, or null */
}

static int transform(struct sigma *s, const struct item *it, struct pattern *p, unsigned offset)
{
	for (size_t i = 0; i < it->n_transforms; i++) {
		enum transform t = it->transforms[i];
		bool ok = true;

		if (t == TO_DASH)
			dashes(p);
		else if (t == TO_BASE64 || t == TO_OFFSET)
			ok = encode(p, t == TO_OFFSET ? offset : 0, t == TO_OFFSET);
		else
			ok = widen(p, t);
		if (!ok)
			return rule_fail(s, SIGMA_UNSUPPORTED, "an encoding of a value with wildcards or of more than 4,096 bytes");
	}
	return 0;
}

static int add_value(struct sigma *s, const struct item *it, const struct tree *v, struct matcher *m, size_t *n, size_t room)
{
	_cleanup_free_ struct pattern *p = malloc(sizeof(*p));
	bool offsets = memchr(it->transforms, TO_OFFSET, it->n_transforms) != NULL;
	bool contains = it->contains || (it->keyword && !it->starts && !it->ends);
	struct matcher one;
	int r;

	if (!p)
		return -ENOMEM;
	if (v->type != TREE_SCALAR)
		return rule_fail(s, SIGMA_BROKEN, "line %u: expected a value", v->line);
	if (it->expand && memchr(v->text.p, '%', v->text.n))
		return rule_fail(s, SIGMA_UNSUPPORTED, "expand: no values for \"%.*s\"", STR_ARG(v->text));
	r = special(s, it, v, &one);
	if (r < 0)
		return r;
	if (r == 0 || tree_null(v))
		return add_matcher(s, m, n, room, &one);
	for (unsigned offset = 0; offset < (offsets ? OFFSETS : 1); offset++) {
		if (!pattern_from(p, v->text))
			return rule_fail(s, SIGMA_BROKEN, "line %u: expected a value of at most 4,096 bytes", v->line);
		r = transform(s, it, p, offset);
		if (r < 0)
			return r;
		if ((contains || it->ends) && !(p->n && p->t[0] == TOKEN_ANY)) {
			if (p->n == ARRAY_SIZE(p->t))
				return rule_fail(s, SIGMA_BROKEN, "line %u: expected a value of at most 4,096 bytes", v->line);
			memmove(p->t + 1, p->t, p->n++ * sizeof(token));
			p->t[0] = TOKEN_ANY;
		}
		if ((contains || it->starts) && !(p->n > 1 && p->t[p->n - 1] == TOKEN_ANY) && !push(p, TOKEN_ANY))
			return rule_fail(s, SIGMA_BROKEN, "line %u: expected a value of at most 4,096 bytes", v->line);
		r = pattern_matcher(s, it, p, &one);
		if (r == 0)
			r = add_matcher(s, m, n, room, &one);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_key(struct sigma *s, str key, struct item *it, str *ret_field)
{
	const char *bar = memchr(key.p, '|', key.n);
	int r = 0;

	*ret_field = bar ? (str){ key.p, (size_t)(bar - key.p) } : key;
	while (bar && r == 0) {
		str rest = { bar + 1, key.n - (size_t)(bar + 1 - key.p) };

		bar = memchr(rest.p, '|', rest.n);
		if (bar)
			rest.n = (size_t)(bar - rest.p);
		r = apply(s, it, rest);
	}
	return r;
}

int parse_item(struct sigma *s, str key, const struct tree *value, bool keyword, struct node **ret)
{
	struct item it = { .keyword = keyword };
	struct node *leaf = node_new(s, NODE_LEAF);
	struct matcher *m;
	size_t n = 0, room = 1;
	str field;
	int r = leaf ? parse_key(s, key, &it, &field) : -ENOMEM;

	if (r < 0)
		return r;
	it.keyword = field.n == 0;
	for (const struct tree *c = value->child; c; c = c->next)
		room++;
	room *= OFFSETS;
	m = sigma_alloc(s, room * sizeof(*m));
	if (!m)
		return -ENOMEM;
	if (value->type == TREE_MAP)
		return rule_fail(s, SIGMA_BROKEN, "line %u: expected a value or a list of values", value->line);
	if (value->type == TREE_SCALAR)
		r = add_value(s, &it, value, m, &n, room);
	for (const struct tree *c = value->child; c && r == 0; c = c->next)
		r = add_value(s, &it, c, m, &n, room);
	if (r < 0)
		return r;
	if (n == 0)
		return rule_fail(s, SIGMA_BROKEN, "line %u: expected at least one value", value->line);
	leaf->m = m;
	leaf->n = n;
	leaf->all = it.all;
	leaf->not_equal = it.op == CMP_NEQ;
	leaf->field = FIELD_ALL;
	*ret = leaf;
	return it.keyword ? 0 : sigma_field_number(s, field, &leaf->field);
}
