#include "sensor/tree.h"

#include <errno.h>

#include "event/event.h"

struct tree {
	struct tree_node **bucket;
	size_t size, n;
};

int tree_new(struct tree **ret)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->size = 1024;
	t->bucket = calloc(t->size, sizeof(struct tree_node *));
	if (!t->bucket) {
		free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

static void node_free(struct tree_node *n)
{
	for (struct tree_link *l = n->link.more, *more; l; l = more) {
		more = l->more;
		free(l->name);
		free(l);
	}
	free(n->link.name);
	free(n);
}

struct tree *tree_free(struct tree *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->size; i++)
		for (struct tree_node *n = t->bucket[i], *next; n; n = next) {
			next = n->next;
			node_free(n);
		}
	free(t->bucket);
	free(t);
	return NULL;
}

struct tree_node *tree_find(const struct tree *t, uint64_t key)
{
	struct tree_node *n = t->bucket[key & (t->size - 1)];

	while (n && n->key != key)
		n = n->next;
	return n;
}

static void grow(struct tree *t)
{
	size_t size = t->size * 2;
	struct tree_node **b = calloc(size, sizeof(*b));

	if (!b)
		return; /* longer chains, nothing worse */
	for (size_t i = 0; i < t->size; i++)
		for (struct tree_node *n = t->bucket[i], *next; n; n = next) {
			next = n->next;
			n->next = b[n->key & (size - 1)];
			b[n->key & (size - 1)] = n;
		}
	free(t->bucket);
	t->bucket = b;
	t->size = size;
}

int tree_add(struct tree *t, uint64_t key, struct tree_node **ret)
{
	struct tree_node *n = tree_find(t, key), **at;

	if (!n) {
		if (t->n >= t->size)
			grow(t);
		n = calloc(1, sizeof(*n));
		if (!n)
			return -ENOMEM;
		n->key = key;
		at = &t->bucket[key & (t->size - 1)];
		n->next = *at;
		*at = n;
		t->n++;
	}
	*ret = n;
	return 0;
}

void tree_remove(struct tree *t, struct tree_node *n)
{
	struct tree_node **at = &t->bucket[n->key & (t->size - 1)];

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	t->n--;
	node_free(n);
}

size_t tree_count(const struct tree *t)
{
	return t->n;
}

static bool is_link(const struct tree_link *l, uint64_t parent, str name)
{
	return l->name && l->parent == parent && str_eq((str){ l->name, l->name_n }, name);
}

bool tree_has_link(const struct tree_node *n, uint64_t parent, str name)
{
	for (const struct tree_link *l = &n->link; l; l = l->more)
		if (is_link(l, parent, name))
			return true;
	return false;
}

int tree_link(struct tree_node *n, uint64_t parent, str name)
{
	struct tree_link *l = &n->link;
	char *copy;

	if (tree_has_link(n, parent, name))
		return 0;
	copy = malloc(name.n + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, name.p, name.n);
	copy[name.n] = '\0';
	if (l->name) {
		while (l->more)
			l = l->more;
		l->more = calloc(1, sizeof(*l));
		if (!l->more) {
			free(copy);
			return -ENOMEM;
		}
		l = l->more;
	}
	l->parent = parent;
	l->name = copy;
	l->name_n = (uint32_t)name.n;
	return 0;
}

int tree_unlink(struct tree_node *n, uint64_t parent, str name)
{
	struct tree_link *l = &n->link, *before = NULL, *more;
	int left = 0;

	while (l && !is_link(l, parent, name)) {
		before = l;
		l = l->more;
	}
	if (!l)
		return -ENOENT;
	free(l->name);
	more = l->more;
	if (before) {
		before->more = more;
		free(l);
	} else if (more) {
		*l = *more;
		free(more);
	} else {
		*l = (struct tree_link){ 0 };
	}
	for (l = &n->link; l && l->name; l = l->more)
		left++;
	return left;
}

int tree_path_of(const struct tree *t, uint64_t parent, str name, struct buf *b)
{
	str part[TREE_DEPTH_MAX];
	size_t n = 0, bytes = 0;

	part[n++] = name;
	while (parent) {
		const struct tree_node *d = tree_find(t, parent);

		if (!d || !d->link.name)
			return -ENOENT;
		if (n == ARRAY_SIZE(part))
			return -ENAMETOOLONG;
		part[n++] = (str){ d->link.name, d->link.name_n };
		parent = d->link.parent;
	}
	for (size_t i = 0; i < n; i++)
		bytes += part[i].n + 1;
	if (bytes > EVENT_PATH_MAX + 1)
		return -ENAMETOOLONG;
	while (n-- > 0) {
		buf_puts(b, part[n]);
		if (n && !str_eq(part[n], STR("/")))
			buf_putc(b, '/');
	}
	return buf_error(b);
}

int tree_path(const struct tree *t, const struct tree_node *n, struct buf *b)
{
	if (!n->link.name)
		return -ENOENT;
	return tree_path_of(t, n->link.parent, (str){ n->link.name, n->link.name_n }, b);
}
