#include "document/cover.h"

#include <errno.h>

#include "base/array.h"

/* One key of one person; persons are numbered through the whole document. */
struct pair {
	uint64_t key;
	uint32_t person;
};

struct covered { /* a part that no container has taken in yet */
	char *name;
	uint64_t findings[DET_MAX_];
	uint64_t clients;
	enum event_label label;
	uint32_t first, persons; /* its persons: [first, first + persons) */
	size_t pair, pairs;
	bool wants_ocr;
};

struct cover {
	struct covered *part;
	size_t n, cap;
	struct pair *pairs;
	size_t n_pairs, cap_pairs;
	uint32_t persons;
};

struct cover *cover_new(void)
{
	return calloc(1, sizeof(struct cover));
}

void cover_clear(struct cover *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->part[i].name);
	c->n = 0;
	c->n_pairs = 0;
	c->persons = 0;
}

struct cover *cover_free(struct cover *c)
{
	if (!c)
		return NULL;
	cover_clear(c);
	free(c->part);
	free(c->pairs);
	free(c);
	return NULL;
}

static bool inside(const char *member, str container)
{
	size_t n = strlen(member);

	return container.n == 0 || (n > container.n + 2 && memcmp(member, container.p, container.n) == 0 &&
	       memcmp(member + container.n, "!/", 2) == 0);
}

static int take_pairs(struct cover *c, const struct contacts_result *r)
{
	int e = array_room(c->pairs, c->cap_pairs, c->n_pairs + r->n);

	for (size_t i = 0; e == 0 && i < r->n; i++)
		if (r->identifiers[i].person && r->identifiers[i].person <= r->persons)
			c->pairs[c->n_pairs++] = (struct pair){ r->identifiers[i].key, c->persons + r->identifiers[i].person - 1 };
	return e;
}

static uint32_t root_of(uint32_t *up, uint32_t i)
{
	while (up[i] != i)
		i = up[i] = up[up[i]];
	return i;
}

static int by_key(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Persons [first, c->persons) with pairs from `pair` on, joined where they share a key. */
static int count_persons(struct cover *c, uint32_t first, size_t pair, uint64_t *ret)
{
	uint32_t n = c->persons - first;
	size_t n_pairs = c->n_pairs - pair;
	_cleanup_free_ struct pair *sorted = malloc((n_pairs + 1) * sizeof(*sorted));
	_cleanup_free_ uint32_t *up = malloc(((size_t)n + 1) * sizeof(*up));
	uint64_t count = n;

	if (!sorted || !up)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		up[i] = i;
	if (n_pairs)
		memcpy(sorted, c->pairs + pair, n_pairs * sizeof(*sorted));
	qsort(sorted, n_pairs, sizeof(*sorted), by_key);
	for (size_t i = 1; i < n_pairs; i++) {
		uint32_t a = root_of(up, sorted[i - 1].person - first), b = root_of(up, sorted[i].person - first);

		if (sorted[i].key == sorted[i - 1].key && a != b) {
			up[b] = a;
			count--;
		}
	}
	*ret = count;
	return 0;
}

static void take_label(struct facts *f, enum event_label inner, const char *member, struct buf *why)
{
	if (inner <= f->label)
		return;
	f->label = inner;
	buf_clear(why);
	buf_puts(why, f->label_why);
	if (why->n)
		buf_putc(why, '\n');
	buf_putf(why, "%.200s inside is %s", member, event_label_name(inner));
	f->label_why = buf_str(why);
}

/* What of c->part[from…] lies inside goes into f and is forgotten. */
static void take_in(struct cover *c, size_t from, struct facts *f, struct buf *why)
{
	const char *member = "";
	enum event_label inner = 0;

	for (size_t i = from; i < c->n; i++) {
		struct covered *p = &c->part[i];

		for (unsigned d = 1; d < DET_MAX_; d++)
			f->findings[d] += p->findings[d];
		f->clients = MAX(f->clients, p->clients);
		f->wants_ocr |= p->wants_ocr;
		if (p->label > inner) {
			inner = p->label;
			member = p->name;
		}
	}
	take_label(f, inner, member, why);
	for (size_t i = from; i < c->n; i++)
		free(c->part[i].name);
	c->n = from;
}

int cover_part(struct cover *c, str name, struct facts *f, const struct contacts_result *r, struct buf *why)
{
	struct covered one = { .first = c->persons, .pair = c->n_pairs };
	size_t from = c->n;
	int e;

	/* Members end right before their container, so they stand last. */
	while (from > 0 && inside(c->part[from - 1].name, name))
		from--;
	if (from < c->n) {
		one.first = c->part[from].first;
		one.pair = c->part[from].pair;
	}
	e = take_pairs(c, r);
	if (e < 0)
		return e;
	c->persons += (uint32_t)MIN(r->persons, (uint64_t)UINT32_MAX / 4);
	if (from < c->n) {
		take_in(c, from, f, why);
		e = count_persons(c, one.first, one.pair, &f->contacts);
	}
	if (e < 0 || buf_error(why))
		return e < 0 ? e : buf_error(why);
	e = array_room(c->part, c->cap, c->n + 1);
	one.name = e == 0 ? strndup(name.p ? name.p : "", name.n) : NULL;
	if (!one.name)
		return -ENOMEM;
	memcpy(one.findings, f->findings, sizeof(one.findings));
	one.clients = f->clients;
	one.label = f->label;
	one.wants_ocr = f->wants_ocr;
	c->part[c->n++] = one;
	return 0;
}
