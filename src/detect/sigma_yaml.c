/* YAML documents as small trees: bounded in depth and nodes; no aliases, no tags that mean anything. */
#include <errno.h>
#include <yaml.h>

#include "detect/sigma_int.h"

struct reading {
	struct sigma *s;
	struct tree *stack[TREE_DEPTH_MAX];
	unsigned depth;
	size_t nodes;
	struct tree *root;
	str key;
	bool have_key;
	struct tree_error *err;
};

static int bad(struct reading *r, const yaml_event_t *e, const char *what)
{
	r->err->line = (unsigned)e->start_mark.line + 1;
	r->err->what = what;
	return -EBADMSG;
}

/* A new node below the one that is open. A scalar in a map is first its key. */
static int add(struct reading *r, const yaml_event_t *e, enum tree_type type, str text, bool plain)
{
	struct tree *up = r->depth ? r->stack[r->depth - 1] : NULL, *t;

	if (++r->nodes > TREE_NODES_MAX)
		return bad(r, e, "at most 100,000 nodes in a document");
	if (up && up->type == TREE_MAP && !r->have_key) {
		if (type != TREE_SCALAR)
			return bad(r, e, "a key that is text");
		for (const struct tree *c = up->child; c; c = c->next)
			if (str_eq(c->key, text))
				return bad(r, e, "each key once");
		r->key = sigma_copy(r->s, text);
		r->have_key = true;
		return r->key.p ? 0 : -ENOMEM;
	}
	t = sigma_alloc(r->s, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->type = type;
	t->plain = plain;
	t->line = (unsigned)e->start_mark.line + 1;
	t->text = sigma_copy(r->s, text);
	if (!t->text.p)
		return -ENOMEM;
	if (up) {
		t->key = up->type == TREE_MAP ? r->key : STR_NONE;
		r->have_key = false;
		if (up->last)
			up->last->next = t;
		else
			up->child = t;
		up->last = t;
	} else {
		r->root = t;
	}
	if (type == TREE_SCALAR)
		return 0;
	if (r->depth == TREE_DEPTH_MAX)
		return bad(r, e, "at most 32 levels");
	r->stack[r->depth++] = t;
	return 0;
}

static int take(struct reading *r, const yaml_event_t *e, int (*cb)(void *arg, struct tree *t), void *arg)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		r->depth = 0;
		r->nodes = 0;
		r->root = NULL;
		r->have_key = false;
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		return r->root && !tree_null(r->root) ? cb(arg, r->root) : 0;
	case YAML_ALIAS_EVENT:
		return bad(r, e, "no aliases");
	case YAML_SCALAR_EVENT:
		return add(r, e, TREE_SCALAR, (str){ (const char *)e->data.scalar.value, e->data.scalar.length },
			e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
	case YAML_MAPPING_START_EVENT:
		return add(r, e, TREE_MAP, STR(""), false);
	case YAML_SEQUENCE_START_EVENT:
		return add(r, e, TREE_LIST, STR(""), false);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		return 0;
	default:
		return 0;
	}
}

int tree_documents(struct sigma *s, str text, int (*cb)(void *arg, struct tree *t), void *arg, struct tree_error *ret_err)
{
	struct reading r = { .s = s, .err = ret_err };
	yaml_parser_t parser;
	bool end = false;
	int ret = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	while (ret == 0 && !end) {
		yaml_event_t e;

		if (!yaml_parser_parse(&parser, &e)) {
			ret_err->line = (unsigned)parser.problem_mark.line + 1;
			/* Static text of the library. */
			ret_err->what = parser.problem ? parser.problem : "YAML";
			ret = parser.error == YAML_MEMORY_ERROR ? -ENOMEM : -EBADMSG;
			break;
		}
		ret = take(&r, &e, cb, arg);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return ret;
}

struct tree *tree_get(const struct tree *map, const char *key)
{
	if (!map || map->type != TREE_MAP)
		return NULL;
	for (struct tree *t = map->child; t; t = t->next)
		if (str_eq(t->key, str_c(key)))
			return t;
	return NULL;
}

bool tree_null(const struct tree *t)
{
	return t->type == TREE_SCALAR && t->plain &&
		(t->text.n == 0 || str_eq(t->text, STR("~")) || str_eq(t->text, STR("null")) || str_eq(t->text, STR("Null")) ||
			str_eq(t->text, STR("NULL")));
}

bool tree_true(const struct tree *t)
{
	return t && t->type == TREE_SCALAR && (str_eq(t->text, STR("true")) || str_eq(t->text, STR("yes")) || str_eq(t->text, STR("True")));
}
