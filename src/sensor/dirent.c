#include <errno.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "sensor/recorder.h"

/* A change of names being handled. */
struct change {
	struct recorder *r;
	const struct fan_dirent *d;
	struct facts *facts;
	struct tree_node *n;
	str name, to_name;
};

/* Directories outside the tree have no node: theirs is the path that they have now. */
static int place(struct change *c, const struct fan_fid *dir, str name, struct buf *b)
{
	char link[32], path[4096];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	buf_clear(b);
	if (tree_path_of(c->r->tree, dir->key, name, b) == 0)
		return 0;
	buf_clear(b);
	fd = groups_open_fid(&c->r->f->groups, dir);
	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	if (n <= 0 || n == sizeof(path))
		return -ENAMETOOLONG;
	if (n > 1 || path[0] != '/')
		buf_put(b, path, (size_t)n);
	buf_putc(b, '/');
	buf_puts(b, name);
	return buf_error(b);
}

/* The name is kept below its directory's node, or as a whole path where the directory is not watched. */
static void add_name(struct change *c, const struct fan_fid *dir, str name)
{
	if (tree_find(c->r->tree, dir->key)) {
		tree_link(c->n, dir->key, name);
	} else if (place(c, dir, name, &c->r->to) == 0) {
		tree_link(c->n, 0, buf_str(&c->r->to));
	}
}

static int drop_name(struct change *c, const struct fan_fid *dir, str name)
{
	int left = tree_unlink(c->n, dir->key, name);

	if (left == -ENOENT && place(c, dir, name, &c->r->to) == 0)
		left = tree_unlink(c->n, 0, buf_str(&c->r->to));
	return left;
}

static void write_record(struct change *c, enum event_verb verb, bool with_path, bool with_to)
{
	struct recorder *r = c->r;
	struct event e = { .time = c->d->time, .verb = verb };
	char client[INET6_ADDRSTRLEN];

	event_set(&e, EV_TIME);
	event_set(&e, EV_VERB);
	recorder_object(r, &e, c->n);
	facts_fill(c->facts, &e, client);
	if (with_path && r->path.n) {
		e.path = buf_str(&r->path);
		event_set(&e, EV_PATH);
	}
	if (with_to && r->to.n) {
		e.to = buf_str(&r->to);
		event_set(&e, EV_TO);
	}
	out_record(&r->out, &e, 0, c->facts->a.known & WHO_SESSION ? (uint64_t)c->facts->a.session_uid + 1 : 0,
	           c->facts->a.known & WHO_LATE ? SENSOR_LATE : 0);
}

static bool make_node(struct change *c, uint32_t *ret_links)
{
	const struct fan_fid *t = &c->d->target;
	bool is_new = !c->n;

	*ret_links = 0;
	if (is_new && tree_add(c->r->tree, t->key, &c->n) < 0)
		return false;
	if (!scan_stat(c->r, t, c->n, ret_links) && is_new) {
		c->n->dir = c->d->mask & FAN_ONDIR;
		c->n->mode = c->n->dir ? S_IFDIR : 0;
	}
	if (is_new && c->n->mode && !S_ISREG(c->n->mode) && !c->n->dir) {
		/* A link, pipe, socket or device: not a document. */
		watchset_remove(c->r->f->set, t->key);
		tree_remove(c->r->tree, c->n);
		c->n = NULL;
		return false;
	}
	return true;
}

static void created(struct change *c)
{
	bool known = c->n != NULL;
	uint32_t links;

	if (!make_node(c, &links))
		return;
	if (known && tree_has_link(c->n, c->d->dir.key, c->name))
		return; /* the scan was here first */
	if (known || (links > 1 && !c->n->dir)) {
		buf_clear(&c->r->path);
		if (known)
			tree_path(c->r->tree, c->n, &c->r->path);
		add_name(c, &c->d->dir, c->name);
		c->n->deleted = false;
		if (place(c, &c->d->dir, c->name, &c->r->to) < 0)
			buf_clear(&c->r->to);
		write_record(c, VERB_LINK, true, true);
		return;
	}
	add_name(c, &c->d->dir, c->name);
	buf_clear(&c->r->path);
	tree_path(c->r->tree, c->n, &c->r->path);
	write_record(c, VERB_CREATE, true, false);
	if (c->n->dir && groups_is_subvolume(&c->r->f->groups, c->n->fs, c->n->ino))
		scan_subvolume(c->r, &c->d->target, c->d->since);
}

static void renamed(struct change *c)
{
	struct recorder *r = c->r;
	uint32_t links;

	if (!c->n && !make_node(c, &links))
		return;
	if (place(c, &c->d->dir, c->name, &r->path) < 0)
		buf_clear(&r->path);
	pastnames_add(&r->past, c->n->key, c->d->time, buf_str(&r->path));
	drop_name(c, &c->d->dir, c->name);
	add_name(c, &c->d->to_dir, c->to_name);
	if (place(c, &c->d->to_dir, c->to_name, &r->to) < 0)
		buf_clear(&r->to);
	write_record(c, VERB_RENAME, true, true);
	if (c->d->scanning) {
		r->owed++;
		scan_push(r, &c->d->target);
	}
}

static void deleted(struct change *c)
{
	if (!c->n)
		return;
	if (place(c, &c->d->dir, c->name, &c->r->path) < 0)
		buf_clear(&c->r->path);
	write_record(c, VERB_DELETE, true, false);
	if (drop_name(c, &c->d->dir, c->name) > 0)
		return;
	if (c->n->dir) { /* empty, and nothing that is recorded can be done with it */
		watchset_remove(c->r->f->set, c->n->key);
		tree_remove(c->r->tree, c->n);
		c->n = NULL;
		return;
	}
	/* What was done to it may not be written down yet: its last path is kept. */
	c->n->deleted = true;
	if (!c->n->link.name && c->r->path.n)
		tree_link(c->n, 0, buf_str(&c->r->path));
	departed_add(c->r, &c->d->target, c->n);
}

static void attributes(struct change *c)
{
	uint16_t mode = c->n ? c->n->mode : 0;
	uint32_t uid = c->n ? c->n->uid : 0, gid = c->n ? c->n->gid : 0, links;

	if (!c->n)
		return;
	/* A changed link count comes without a name. It is all that is told of an object that a rename replaces. */
	if (!c->d->dir.key) {
		if (!c->n->dir)
			departed_add(c->r, &c->d->target, c->n);
		return;
	}
	/* utimes changes neither owner nor mode. */
	if (!scan_stat(c->r, &c->d->target, c->n, &links))
		return;
	if (c->n->mode == mode && c->n->uid == uid && c->n->gid == gid)
		return;
	buf_clear(&c->r->path);
	tree_path(c->r->tree, c->n, &c->r->path);
	write_record(c, VERB_PERMISSION, true, false);
}

void dirent_handle(struct recorder *r, const struct fan_dirent *d)
{
	struct change c = { .r = r, .d = d };

	c.facts = recorder_facts(r, d->actor, d->tgid ? d->tgid : d->tid);
	if (!c.facts)
		return;
	c.name = (str){ d->names, d->name_n };
	c.to_name = (str){ d->names + d->name_n, d->to_name_n };
	c.n = d->target.key ? tree_find(r->tree, d->target.key) : NULL;
	if (d->came_in)
		recorder_gap(r, CAUSE_TREE, d->since, time_now(), 0);
	if (d->mask & FAN_CREATE)
		created(&c);
	if (d->mask & FAN_RENAME)
		renamed(&c);
	else if (d->scanning)
		r->owed++;
	if (d->mask & FAN_ATTRIB)
		attributes(&c);
	if (d->mask & FAN_DELETE)
		deleted(&c);
	facts_unref(c.facts);
}
