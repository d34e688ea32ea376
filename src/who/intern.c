#include <errno.h>
#include <sys/random.h>

#include "base/hash.h"
#include "who/internal.h"

#define SMALL 96

/* Strings of two sizes in two arrays; ids are 1…n_small, then the large ones. */
struct entry {
	uint32_t refs, next, len;
	uint32_t hash;
};

struct intern {
	uint8_t key[16];
	uint32_t n_small, n_large, n_buckets;
	uint32_t unused_small, unused_large;
	struct entry *entries;
	uint32_t *buckets;
	char *small, *large;
};

struct intern *intern_free(struct intern *in)
{
	if (!in)
		return NULL;
	free(in->entries);
	free(in->buckets);
	free(in->small);
	free(in->large);
	free(in);
	return NULL;
}

static void chain_unused(struct intern *in, uint32_t from, uint32_t n, uint32_t *head)
{
	for (uint32_t id = from + n; id-- > from;) {
		in->entries[id].next = *head;
		*head = id;
	}
}

int intern_new(uint32_t n_small, uint32_t n_large, struct intern **ret)
{
	struct intern *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	in->n_small = n_small;
	in->n_large = n_large;
	for (in->n_buckets = 64; in->n_buckets < n_small; in->n_buckets *= 2)
		;
	in->entries = calloc((size_t)n_small + n_large + 1, sizeof(*in->entries));
	in->buckets = calloc(in->n_buckets, sizeof(*in->buckets));
	in->small = calloc(n_small, SMALL);
	in->large = calloc(n_large, WHO_PATH_MAX);
	if (!in->entries || !in->buckets || !in->small || !in->large || getrandom(in->key, sizeof(in->key), 0) != sizeof(in->key)) {
		intern_free(in);
		return -ENOMEM;
	}
	chain_unused(in, 1, n_small, &in->unused_small);
	chain_unused(in, 1 + n_small, n_large, &in->unused_large);
	*ret = in;
	return 0;
}

static char *bytes_of(const struct intern *in, uint32_t id)
{
	return id <= in->n_small ? in->small + (size_t)(id - 1) * SMALL : in->large + (size_t)(id - 1 - in->n_small) * WHO_PATH_MAX;
}

str intern_str(const struct intern *in, uint32_t id)
{
	return id ? (str){ bytes_of(in, id), in->entries[id].len } : STR_NONE;
}

uint32_t intern_get(struct intern *in, str s)
{
	uint32_t hash, *bucket, *unused, id;

	if (!s.n || s.n > WHO_PATH_MAX)
		return 0;
	hash = (uint32_t)siphash13(in->key, s.p, s.n);
	bucket = &in->buckets[hash & (in->n_buckets - 1)];
	for (id = *bucket; id; id = in->entries[id].next)
		if (in->entries[id].hash == hash && str_eq(intern_str(in, id), s))
			return intern_ref(in, id);
	unused = s.n <= SMALL ? &in->unused_small : &in->unused_large;
	id = *unused;
	if (!id)
		return 0;
	*unused = in->entries[id].next;
	in->entries[id] = (struct entry){ .refs = 1, .next = *bucket, .len = (uint32_t)s.n, .hash = hash };
	memcpy(bytes_of(in, id), s.p, s.n);
	*bucket = id;
	return id;
}

uint32_t intern_ref(struct intern *in, uint32_t id)
{
	if (id)
		in->entries[id].refs++;
	return id;
}

void intern_unref(struct intern *in, uint32_t id)
{
	uint32_t *at, *unused;

	if (!id || --in->entries[id].refs)
		return;
	for (at = &in->buckets[in->entries[id].hash & (in->n_buckets - 1)]; *at != id; at = &in->entries[*at].next)
		;
	*at = in->entries[id].next;
	unused = id <= in->n_small ? &in->unused_small : &in->unused_large;
	in->entries[id].next = *unused;
	*unused = id;
}
