#include "sensor/fan.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/timefmt.h"

/* Of the responder alone; taken before it starts. */
#define RESPONDER_NO_DESCRIPTORS 71 /* exit status */
#define DESCRIPTORS_OTHERS 24 /* numbers for look-ups and the recorder */
#define DESCRIPTORS_AMPLE 32  /* below it the recorder opens nothing, and events come one by one */
#define DESCRIPTORS_LEAST 8   /* 0 to 2, three that the recorder may have open at the moment, one for an event, one more */

struct responder {
	struct fan *f;
	int epoll;
	int64_t opens_read, names_read, processes_read; /* CLOCK_REALTIME, when nothing waited there any more */
	uint64_t messages_lost, execs_lost;
	uint32_t touched; /* id of the actor that touched a document last */
	int64_t empty; /* CLOCK_MONOTONIC: when no open waited: what waits now has come since */
	int64_t taken; /* when a batch was read last */
	_Alignas(8) uint8_t opens[FAN_BATCH * FAN_EVENT_METADATA_LEN];
	_Alignas(8) uint8_t names[64 * 1024];
	uint64_t ignored[1 << 14]; /* one bit a hash: objects behind an ignore mark, perhaps */
	size_t n_ignored;
};

static struct responder the_responder; /* one a process; static so that it is locked in memory from the start */

static int64_t mono(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static void poke(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake anyhow */
}

static void beat(struct fan *f)
{
	atomic_fetch_add_explicit(&f->turn, 1, memory_order_release);
	if (f->c->pulse)
		atomic_store_explicit(&f->c->pulse->beat, mono(), memory_order_relaxed);
}

static void dropped(struct fan *f)
{
	fan_first_time(&f->dropped_time, time_now());
	atomic_fetch_add(&f->dropped, 1);
}

/* Guard, keeper, ourselves, and whatever the guard's scanner starts: it reads documents so that others need not. */
static bool is_own(const struct fan *f, pid_t tgid)
{
	if (tgid == f->self || tgid == atomic_load_explicit(&f->keeper, memory_order_relaxed))
		return true;
	for (size_t i = 0; i < f->c->n_own; i++)
		if (f->c->own[i] == tgid)
			return true;
	return f->c->n_own && who_below(f->who, tgid, f->c->own[0]);
}

/* --- names: G2 --- */

struct infos {
	struct fan_fid dir, to_dir, target;
	str name, to_name;
	bool has_dir, has_to, has_target;
};

static void take_info(const struct groups *g, const uint8_t *p, size_t n, struct infos *in)
{
	struct fanotify_event_info_fid fid;
	const struct file_handle *h = (const struct file_handle *)(p + sizeof(fid));
	struct fan_fid *to = NULL;
	str *name = NULL;
	uint64_t fsid;
	size_t used;
	int fs;

	if (n < sizeof(fid) + sizeof(*h))
		return;
	memcpy(&fid, p, sizeof(fid));
	used = sizeof(fid) + sizeof(*h) + h->handle_bytes;
	memcpy(&fsid, &fid.fsid, sizeof(fsid));
	fs = groups_find_fs(g, fsid);
	if (used > n || fs < 0)
		return;
	switch (fid.hdr.info_type) {
	case FAN_EVENT_INFO_TYPE_FID:
		to = &in->target;
		in->has_target = true;
		break;
	case FAN_EVENT_INFO_TYPE_DFID_NAME:
	case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
		to = &in->dir;
		name = &in->name;
		in->has_dir = true;
		break;
	case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
		to = &in->to_dir;
		name = &in->to_name;
		in->has_to = true;
		break;
	default:
		return;
	}
	groups_fid_from(g, (unsigned)fs, h, to);
	if (name)
		*name = (str){ (const char *)p + used, strnlen((const char *)p + used, n - used) };
}

static bool maybe_ignored(const struct responder *r, uint64_t key)
{
	return r->ignored[(key >> 6) % ARRAY_SIZE(r->ignored)] >> (key & 63) & 1;
}

static void push_dirent(struct responder *r, const struct fanotify_event_metadata *m, const struct infos *in, bool came_in, bool scanning,
	int64_t deadline)
{
	struct fan *f = r->f;
	struct who_actor *actor = NULL;
	struct fan_dirent *d;
	pid_t tgid = m->pid > 0 ? who_tgid(f->who, m->pid) : 0;

	d = ring_begin(&f->ring, ENTRY_DIRENT, sizeof(*d) + in->name.n + in->to_name.n);
	if (!d) {
		/* The recorder scans everything anew after a drop. */
		if (scanning)
			atomic_fetch_sub(&f->incomplete, 1);
		dropped(f);
		return;
	}
	if (m->pid > 0)
		who_lookup(f->who, m->pid, false, deadline, &actor);
	if (actor)
		who_touch(f->who, actor, false);
	d->actor = actor;
	d->time = time_now();
	d->since = r->names_read;
	d->mask = m->mask;
	d->tid = m->pid;
	d->tgid = actor ? actor->tgid : tgid;
	d->fs = in->has_target ? in->target.fs : in->dir.fs;
	d->came_in = came_in;
	d->scanning = scanning;
	d->dir = in->dir;
	d->to_dir = in->to_dir;
	d->target = in->target;
	if (!in->has_dir)
		d->dir.key = 0;
	if (!in->has_to)
		d->to_dir.key = 0;
	if (!in->has_target)
		d->target.key = 0;
	d->name_n = (uint16_t)in->name.n;
	d->to_name_n = (uint16_t)in->to_name.n;
	memcpy(d->names, in->name.p ? in->name.p : "", in->name.n);
	memcpy(d->names + in->name.n, in->to_name.p ? in->to_name.p : "", in->to_name.n);
	ring_commit(&f->ring);
}

/* Keeps the set right before anything else is answered. Returns true when something cached as unwatched may be watched now. */
static bool names_event(struct responder *r, const struct fanotify_event_metadata *m, const struct infos *in, int64_t deadline)
{
	struct fan *f = r->f;
	uint64_t into = m->mask & FAN_RENAME ? in->to_dir.key : in->dir.key;
	bool target = in->has_target && watchset_has(f->set, in->target.key);
	bool dir = in->has_dir && watchset_has(f->set, in->dir.key);
	bool to = in->has_to && watchset_has(f->set, in->to_dir.key);
	bool came = false, scanning = false, maybe = false;

	if ((m->mask & (FAN_CREATE | FAN_RENAME)) && in->has_target && !target && watchset_has(f->set, into)) {
		if (watchset_add(f->set, in->target.key) < 0)
			dropped(f); /* said as a gap; the recorder grows the table long before */
		came = true;
		/* A new file or directory was never seen; what was moved or linked in may have been. */
		maybe = (m->mask & FAN_ONDIR) ? (m->mask & FAN_RENAME) != 0 : maybe_ignored(r, in->target.key);
		scanning = (m->mask & FAN_ONDIR) && (m->mask & FAN_RENAME);
		if (scanning)
			atomic_fetch_add(&f->incomplete, 1);
	}
	if (came || target || (dir && !(m->mask & FAN_ATTRIB)) || to)
		push_dirent(r, m, in, maybe, scanning, deadline);
	return maybe;
}

static void overflow(struct fan *f, int64_t from, bool rescan)
{
	struct fan_overflow *v = ring_begin(&f->ring, ENTRY_OVERFLOW, sizeof(*v));

	if (!v) {
		dropped(f);
		return;
	}
	*v = (struct fan_overflow){ .from = from, .rescan = rescan };
	ring_commit(&f->ring);
}

static void drain_names(struct responder *r)
{
	struct fan *f = r->f;
	int64_t deadline = mono() + FAN_ASIDE_NS;
	bool forget = false, poked = false;
	int64_t begun = time_now();
	ssize_t n;

	/* Names that come faster than they are read must not hold the opens. What is answered too early then is ignored, and known to be: a
	 * gap. */
	while ((!poked || mono() < deadline) && (n = read(f->groups.names, r->names, sizeof(r->names))) > 0) {
		const struct fanotify_event_metadata *m = (const void *)r->names;

		who_drain(f->who);
		for (; FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n)) {
			const uint8_t *p = (const uint8_t *)m + m->metadata_len, *end = (const uint8_t *)m + m->event_len;
			struct infos in = { 0 };

			atomic_fetch_add_explicit(&f->received, 1, memory_order_relaxed);
			if (m->mask & FAN_Q_OVERFLOW) {
				overflow(f, r->names_read, true);
				forget = true;
				continue;
			}
			while (p + sizeof(struct fanotify_event_info_header) <= end) {
				struct fanotify_event_info_header h;

				memcpy(&h, p, sizeof(h));
				if (h.len < sizeof(h) || p + h.len > end)
					break;
				take_info(&f->groups, p, h.len, &in);
				p += h.len;
			}
			forget |= names_event(r, m, &in, deadline);
		}
		poked = true;
	}
	if (n < 0 && errno == EAGAIN)
		r->names_read = begun;
	if (forget) {
		/* All at once: cheaper to think about than one object, and a moved directory has many. */
		groups_forget(&f->groups);
		memset(r->ignored, 0, sizeof(r->ignored));
		r->n_ignored = 0;
	}
	if (poked)
		poke(f->wake_fd);
}

/* --- opens: G1 --- */

static void ignore(struct responder *r, int fd, uint64_t key)
{
	struct stat st;

	if (atomic_load(&r->f->incomplete) || !atomic_load(&r->f->started))
		return;
	/* One without a name (O_TMPFILE) may get one in a watched folder next. */
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return;
	r->ignored[(key >> 6) % ARRAY_SIZE(r->ignored)] |= (uint64_t)1 << (key & 63);
	r->n_ignored++;
	groups_ignore(&r->f->groups, fd);
}

static void push_open(struct fan *f, const struct fan_open *o, uint16_t kind)
{
	struct fan_open *p = ring_begin(&f->ring, kind, sizeof(*p));

	if (!p) {
		if (o->actor)
			who_unref(o->actor);
		dropped(f);
		return;
	}
	*p = *o;
	ring_commit(&f->ring);
}

static void open_event(struct responder *r, const struct fanotify_event_metadata *m, int64_t time, int64_t deadline)
{
	struct fan *f = r->f;
	struct fan_open o = { .time = time, .tid = m->pid };

	o.tgid = m->pid > 0 ? who_tgid(f->who, m->pid) : 0;
	if (o.tgid && is_own(f, o.tgid)) {
		atomic_fetch_add_explicit(&f->own, 1, memory_order_relaxed);
		return;
	}
	if (groups_key_of_event(&f->groups, m->fd, &o.key) < 0)
		return;
	if (!watchset_has(f->set, o.key)) {
		/* Its creation or its move into the watched set was queued before this open, and is known by now. */
		if (!atomic_load(&f->started))
			return;
		if (!atomic_load(&f->incomplete)) {
			ignore(r, m->fd, o.key);
			return;
		}
		o.flags |= OPEN_UNSURE;
	}
	if (m->pid > 0 && who_lookup(f->who, m->pid, true, deadline, &o.actor) == -ETIME) {
		fan_first_time(&f->missed_time, time);
		atomic_fetch_add(&f->missed, 1);
	}
	if (o.actor && !o.tgid)
		o.tgid = o.actor->tgid;
	/* Opens come in runs of one actor. */
	if (o.actor && !o.flags && o.actor->id != r->touched) {
		r->touched = o.actor->id;
		who_touch(f->who, o.actor, true);
	}
	push_open(f, &o, ENTRY_OPEN);
}

static void answer(struct fan *f, int fd, int64_t since)
{
	struct fanotify_response a = { .fd = fd, .response = FAN_ALLOW };
	int64_t held;

	while (write(f->groups.opens, &a, sizeof(a)) < 0 && errno == EINTR)
		;
	close(fd);
	held = mono() - since;
	if (held > atomic_load_explicit(&f->held_max, memory_order_relaxed))
		atomic_store(&f->held_max, held);
}

/* Where the kernel finds no descriptor for an event it denies the open, so never more are read than there are twice as many numbers for.
 * What the sensor keeps open stands above FAN_FD_HIGH: the low numbers are free, and a limit that somebody lowers to a handful still
 * lets opens through one by one, while the recorder opens nothing. With fewer than that the sensor ends: every open that waits is
 * allowed, and the guard starts another one, whose limit is the guard's: a gap rather than a user without his file. */
static size_t batch_now(const struct responder *r)
{
	struct rlimit l;
	bool scarce;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 1;
	if (l.rlim_cur < DESCRIPTORS_AMPLE && l.rlim_cur < l.rlim_max) { /* ours to raise again */
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	if (l.rlim_cur < DESCRIPTORS_LEAST)
		_exit(RESPONDER_NO_DESCRIPTORS);
	scarce = l.rlim_cur < DESCRIPTORS_AMPLE;
	atomic_store_explicit(&r->f->scarce, scarce, memory_order_relaxed);
	return scarce ? 1 : MIN((size_t)FAN_BATCH, (size_t)(l.rlim_cur - DESCRIPTORS_OTHERS) / 2);
}

static void read_opens(struct responder *r)
{
	struct fan *f = r->f;
	size_t batch = batch_now(r);
	int64_t since = r->empty, taken = mono(), begun = time_now(), time;
	ssize_t n = read(f->groups.opens, r->opens, batch * FAN_EVENT_METADATA_LEN);
	const struct fanotify_event_metadata *m = (const void *)r->opens;

	if (n < 0 && errno == EMFILE)
		_exit(RESPONDER_NO_DESCRIPTORS);
	if (n < 0 || (size_t)n < batch * FAN_EVENT_METADATA_LEN)
		r->opens_read = begun;
	if (n <= 0)
		return;
	/* Behind a full batch more may wait, since the last one was read perhaps. */
	r->empty = (size_t)n < batch * FAN_EVENT_METADATA_LEN ? taken : r->taken;
	r->taken = taken;
	/* What the opener did to names before is in that queue, and earlier than his open. */
	drain_names(r);
	who_drain(f->who);
	time = time_now();
	for (; FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n)) {
		atomic_fetch_add_explicit(&f->received, 1, memory_order_relaxed);
		if (m->mask & FAN_Q_OVERFLOW) {
			overflow(f, r->opens_read, true);
			continue;
		}
		if (m->fd < 0)
			continue;
		/* One slow look-up must not make those behind it late too, in this batch or the next: they share what is left. */
		open_event(r, m, time, since + FAN_WHO_NS);
		answer(f, m->fd, since);
	}
	if (ring_used(&f->ring) > FAN_POKE_BYTES)
		poke(f->wake_fd);
}

/* The recorder saw a use by a process that did not open: who is it? */
static void answer_asks(struct fan *f)
{
	const struct fan_open *ask;
	uint16_t kind;
	size_t n;
	int64_t deadline = mono() + FAN_ASIDE_NS;

	while ((ask = ring_peek(&f->asks, &kind, &n))) {
		struct fan_open o = *ask;

		ring_next(&f->asks);
		who_lookup(f->who, o.tid, false, deadline, &o.actor);
		/* Readers of documents get their descriptors from others of us. */
		if (is_own(f, o.tgid)) {
			who_unref(o.actor);
			atomic_fetch_add_explicit(&f->own, 1, memory_order_relaxed);
			continue;
		}
		if (o.actor)
			who_touch(f->who, o.actor, false);
		push_open(f, &o, ENTRY_LATE);
	}
}

/* --- processes --- */

static void push_exec(struct fan *f, const struct who_exec *e)
{
	size_t n = (size_t)e->command_n + e->parent_n + e->cwd_n;
	struct fan_exec *x = ring_begin(&f->ring, ENTRY_EXEC, sizeof(*x) + n);

	if (!x) {
		if (e->actor)
			who_unref(e->actor);
		dropped(f);
		return;
	}
	x->actor = e->actor;
	x->time = time_now() - (mono() - e->when);
	x->tgid = e->tgid;
	x->sure = e->sure;
	x->same_uid = e->same_uid;
	x->command_n = e->command_n;
	x->parent_n = e->parent_n;
	x->cwd_n = e->cwd_n;
	memcpy(x->text, e->text, n);
	ring_commit(&f->ring);
}

static void drain_processes(struct responder *r)
{
	struct fan *f = r->f;
	int64_t begun = time_now();
	struct who_counters c;
	struct who_exec e;

	who_drain(f->who);
	while (who_exec_next(f->who, &e))
		push_exec(f, &e);
	/* Without the messages it is not known who is whose child, and what was executed. */
	who_counters(f->who, &c);
	if (c.lost_messages != r->messages_lost || c.execs_lost != r->execs_lost)
		overflow(f, r->processes_read, false);
	r->messages_lost = c.lost_messages;
	r->execs_lost = c.execs_lost;
	r->processes_read = begun;
}

static int watch_fd(struct responder *r, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return fd < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

static void turn(struct responder *r)
{
	struct fan *f = r->f;
	struct epoll_event ev[8];
	int64_t before = mono(), now;
	int n = epoll_wait(r->epoll, ev, ARRAY_SIZE(ev), FAN_TURN_MS);
	bool opens = false, processes = who_exec_waiting(f->who);
	uint64_t v;

	now = mono();
	if (now - before > FAN_ASLEEP_NS)
		r->empty = now;
	beat(f);
	/* Names before opens: an open is recorded under the name it had. */
	for (int i = 0; i < n; i++) {
		if (ev[i].data.fd == f->groups.names)
			drain_names(r);
		else if (ev[i].data.fd == f->groups.opens)
			opens = true;
		else if (ev[i].data.fd == f->turn_fd && read(f->turn_fd, &v, sizeof(v)) < 0)
			continue;
		else if (ev[i].data.fd == who_fd(f->who))
			processes = true;
	}
	if (opens)
		read_opens(r);
	if (processes || n == 0)
		drain_processes(r);
	answer_asks(f);
}

void *responder_main(void *arg)
{
	struct responder *r = &the_responder;
	struct fan *f = arg;

	prctl(PR_SET_NAME, "tyto-responder");
	r->f = f;
	r->empty = r->taken = mono();
	r->opens_read = r->names_read = r->processes_read = time_now();
	r->epoll = fd_above(epoll_create1(EPOLL_CLOEXEC), FAN_FD_HIGH);
	watch_fd(r, f->groups.opens);
	watch_fd(r, f->groups.names);
	watch_fd(r, f->turn_fd);
	watch_fd(r, who_fd(f->who));
	while (!atomic_load(&f->stop))
		turn(r);
	/* The marks are gone by now: whoever still waits is answered. */
	for (int i = 0; i < 100; i++)
		read_opens(r);
	drain_names(r);
	for (int i = 0; i < 5 && who_exec_waiting(f->who); i++) {
		usleep(2000);
		drain_processes(r);
	}
	close_fd(&r->epoll);
	atomic_store(&f->ended, true);
	return NULL;
}
