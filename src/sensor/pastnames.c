#include "sensor/pastnames.h"

/* Buckets and links hold a number in the ring + 1; 0: none. */
static uint16_t *bucket_of(struct pastnames *p, uint64_t key)
{
	return &p->bucket[key % PASTNAMES_MAX];
}

static void unlink_name(struct pastnames *p, struct past_name *n)
{
	uint16_t *at = bucket_of(p, n->key);

	while (*at && &p->ring[*at - 1] != n)
		at = &p->ring[*at - 1].more;
	if (*at)
		*at = n->more;
}

void pastnames_add(struct pastnames *p, uint64_t key, int64_t until, str path)
{
	size_t at = p->next++ % PASTNAMES_MAX;
	struct past_name *n = &p->ring[at];

	if (n->key)
		unlink_name(p, n);
	n->key = 0;
	buf_clear(&n->path);
	buf_puts(&n->path, path);
	if (buf_error(&n->path) || path.n == 0)
		return;
	n->key = key;
	n->until = until;
	n->more = *bucket_of(p, key);
	*bucket_of(p, key) = (uint16_t)(at + 1);
	p->latest = MAX(p->latest, until);
}

bool pastnames_at(struct pastnames *p, uint64_t key, int64_t time, str *ret)
{
	const struct past_name *best = NULL;

	if (p->latest <= time || !key)
		return false;
	for (uint16_t i = *bucket_of(p, key); i; i = p->ring[i - 1].more) {
		const struct past_name *n = &p->ring[i - 1];

		/* Renamed several times since: the first of those names is the one of that time. */
		if (n->key == key && n->until > time && (!best || n->until <= best->until))
			best = n;
	}
	if (!best)
		return false;
	*ret = buf_str(&best->path);
	return true;
}

void pastnames_free(struct pastnames *p)
{
	for (size_t i = 0; i < PASTNAMES_MAX; i++)
		buf_free(&p->ring[i].path);
}
