#include "sensor/pastnames.h"

void pastnames_add(struct pastnames *p, uint64_t key, int64_t until, str path)
{
	struct past_name *n = &p->ring[p->next++ % PASTNAMES_MAX];

	buf_clear(&n->path);
	buf_puts(&n->path, path);
	n->key = buf_error(&n->path) || path.n == 0 ? 0 : key;
	n->until = until;
	p->latest = MAX(p->latest, until);
}

bool pastnames_at(const struct pastnames *p, uint64_t key, int64_t time, str *ret)
{
	const struct past_name *best = NULL;

	if (p->latest <= time)
		return false;
	for (size_t i = 0; i < PASTNAMES_MAX; i++) {
		const struct past_name *n = &p->ring[i];

		/* Renamed several times since: the first of those names is the one of that time. */
		if (n->key == key && key && n->until > time && (!best || n->until < best->until))
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
