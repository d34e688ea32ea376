#include <errno.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "sensor/recorder.h"

/* Longer than an access waits to be written down: what is folded needs the name and number of its object until then. */
#define DEPARTED_NS (FOLD_WINDOW_NS + NSEC_PER_SEC)
#define DEPARTED_MAX 65536 /* more in that time: the oldest go early */
#define DEPARTED_TURN 1024 /* looked at in one turn */

static bool grow(struct departed *d)
{
	size_t cap = d->cap ? d->cap * 2 : 256;
	struct departed_object *more = d->cap < DEPARTED_MAX ? calloc(cap, sizeof(*more)) : NULL;

	if (!more)
		return false;
	for (size_t i = 0; i < d->n; i++)
		more[i] = d->o[(d->first + i) % d->cap];
	free(d->o);
	d->o = more;
	d->first = 0;
	d->cap = cap;
	return true;
}

static void put(struct departed *d, const struct fan_fid *fid)
{
	d->o[(d->first + d->n++) % d->cap] = (struct departed_object){ .fid = *fid, .until = time_boottime() + DEPARTED_NS };
}

/* Gone, still open somewhere, or still there by a name that nobody knows? */
static void look(struct recorder *r)
{
	struct departed *d = &r->departed;
	struct fan_fid fid = d->o[d->first].fid;
	struct tree_node *n = tree_find(r->tree, fid.key);
	_cleanup_close_ int fd = n ? groups_open_fid(&r->f->groups, &fid) : -ESTALE;
	struct stat st;

	d->first = (d->first + 1) % d->cap;
	d->n--;
	if (!n)
		return;
	if (fd == -ESTALE || fd == -ENOENT || fd == -EMSGSIZE) {
		watchset_remove(r->f->set, fid.key);
		tree_remove(r->tree, n);
	} else if (fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink > 0) {
		n->departing = n->deleted = false;
	} else {
		put(d, &fid);
	}
}

void departed_add(struct recorder *r, const struct fan_fid *fid, struct tree_node *n)
{
	struct departed *d = &r->departed;

	if (n->departing)
		return;
	if (d->n == d->cap && !grow(d)) {
		if (!d->n)
			return; /* no memory: it stays watched */
		fold_expire(r->fold, INT64_MAX); /* under the name that it had */
		look(r);
		if (d->n == d->cap)
			return;
	}
	n->departing = true;
	put(d, fid);
}

void departed_expire(struct recorder *r)
{
	struct departed *d = &r->departed;
	int64_t now = time_boottime();

	for (int i = 0; i < DEPARTED_TURN && d->n && d->o[d->first].until <= now; i++)
		look(r);
}

void departed_free(struct departed *d)
{
	free(d->o);
	*d = (struct departed){ 0 };
}
