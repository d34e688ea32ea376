#include "document/seen.h"

#include <errno.h>
#include <sys/random.h>

#include "base/hash.h"

int seen_init(struct seen *s)
{
	*s = (struct seen){ 0 };
	return getrandom(s->key, sizeof(s->key), 0) == sizeof(s->key) ? 0 : -EIO;
}

void seen_free(struct seen *s)
{
	free(s->keys);
	free(s->values);
	*s = (struct seen){ 0 };
}

uint64_t seen_key(const struct seen *s, str text)
{
	uint64_t k = siphash13(s->key, text.p, text.n);

	return k ? k : 1;
}

static size_t slot(const struct seen *s, uint64_t key)
{
	size_t i = key & (s->cap - 1);

	while (s->keys[i] && s->keys[i] != key)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static int grow(struct seen *s)
{
	struct seen more = { .cap = s->cap ? s->cap * 2 : 1024, .n = s->n };

	more.keys = calloc(more.cap, sizeof(*more.keys));
	more.values = calloc(more.cap, 1);
	if (!more.keys || !more.values) {
		free(more.keys);
		free(more.values);
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->cap; i++) {
		if (s->keys[i]) {
			size_t at = slot(&more, s->keys[i]);

			more.keys[at] = s->keys[i];
			more.values[at] = s->values[i];
		}
	}
	free(s->keys);
	free(s->values);
	s->keys = more.keys;
	s->values = more.values;
	s->cap = more.cap;
	return 0;
}

int seen_put(struct seen *s, uint64_t key, uint8_t value)
{
	size_t i;
	int r = s->n * 4 >= s->cap * 3 ? grow(s) : 0;

	if (r < 0)
		return r;
	i = slot(s, key);
	s->n += !s->keys[i];
	s->keys[i] = key;
	s->values[i] = value;
	return 0;
}

uint8_t seen_get(const struct seen *s, uint64_t key)
{
	return s->cap ? s->values[slot(s, key)] : 0;
}
