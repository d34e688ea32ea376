#include "sensor/deleted.h"

#include <errno.h>

#include "base/timefmt.h"
#include "sensor/recorder.h"

#define LOOK_NS (FOLD_WINDOW_NS + NSEC_PER_SEC)

static void let_go(struct recorder *r, uint64_t key)
{
	struct tree_node *n = tree_find(r->tree, key);

	if (!n || !n->deleted) /* it has a name again */
		return;
	watchset_remove(r->f->set, key);
	tree_remove(r->tree, n);
}

static void put(struct recorder *r, const struct fan_fid *fid, int64_t look_at)
{
	struct deleted *d = &r->deleted;

	d->ring[(d->first + d->n++) % DELETED_MAX] = (struct deleted_object){ *fid, look_at };
}

static struct fan_fid take(struct recorder *r)
{
	struct deleted *d = &r->deleted;
	struct fan_fid fid = d->ring[d->first].fid;

	d->first = (d->first + 1) % DELETED_MAX;
	d->n--;
	return fid;
}

void deleted_add(struct recorder *r, const struct fan_fid *fid)
{
	struct deleted *d = &r->deleted;

	if (!d->ring)
		d->ring = calloc(DELETED_MAX, sizeof(*d->ring));
	if (!d->ring) {
		let_go(r, fid->key);
		return;
	}
	if (d->n == DELETED_MAX) {
		struct fan_fid oldest = take(r);

		fold_expire(r->fold, INT64_MAX);
		let_go(r, oldest.key);
	}
	put(r, fid, time_boottime() + LOOK_NS);
}

void deleted_turn(struct recorder *r)
{
	struct deleted *d = &r->deleted;
	int64_t now = d->n ? time_boottime() : 0;

	for (size_t i = MIN(d->n, (size_t)DELETED_LOOKS); i-- > 0 && d->ring[d->first].look_at <= now;) {
		struct fan_fid fid = take(r);
		_cleanup_close_ int fd = groups_open_fid(&r->f->groups, &fid);

		/* Other errors say nothing about the object. */
		if (fd == -ESTALE || fd == -ENOENT)
			let_go(r, fid.key);
		else
			put(r, &fid, now + LOOK_NS);
	}
}

void deleted_free(struct deleted *d)
{
	free(d->ring);
	d->ring = NULL;
}
