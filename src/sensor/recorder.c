#include "sensor/recorder.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/timefmt.h"

#define HEARTBEAT_NS (10 * NSEC_PER_SEC)
#define FOLD_MAX 65536
#define OPENS_MAX 65536

void recorder_note(struct recorder *r, const char *fmt, ...)
{
	char text[4400];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		out_text(&r->out, SENSOR_NOTE, (str){ text, MIN((size_t)n, sizeof(text) - 1) });
}

void recorder_gap(struct recorder *r, enum event_cause cause, int64_t from, int64_t to, uint64_t count)
{
	struct event e = { .time = from, .end = MAX(from, to), .verb = VERB_GAP, .cause = cause, .count = count };

	event_set(&e, EV_TIME);
	event_set(&e, EV_VERB);
	event_set(&e, EV_CAUSE);
	event_set(&e, EV_END);
	if (count)
		event_set(&e, EV_COUNT);
	out_record(&r->out, &e, 0, 0, 0);
}

void recorder_object(struct recorder *r, struct event *e, const struct tree_node *n)
{
	if (!n || !n->ino)
		return;
	e->object = (struct event_object){ n->dev ? n->dev : r->f->groups.fs[n->fs]->dev, n->ino, n->gen };
	event_set(e, EV_OBJECT);
}

/* Takes over the reference of a. */
struct facts *recorder_facts(struct recorder *r, struct who_actor *a, pid_t tgid)
{
	struct facts *f;

	if (a && a == r->last_actor) {
		who_unref(a);
		facts_ref(r->last);
		return r->last;
	}
	if (facts_of(r->f->hash_key, a, tgid, &f) < 0) {
		if (a)
			who_unref(a);
		return NULL;
	}
	if (!a)
		return f;
	/* The actor is held as long as it is compared with: its address is its identity. */
	if (r->last_actor)
		who_unref(r->last_actor);
	facts_unref(r->last);
	r->last_actor = a;
	r->last = f;
	facts_ref(f);
	return f;
}

/* --- accesses --- */

/* The path that the object had then: it, or a folder above it, may have been renamed since. */
static bool path_then(struct recorder *r, const struct tree_node *n, int64_t time)
{
	const struct tree_link *below[TREE_DEPTH_MAX];
	size_t depth = 0;
	str then;

	buf_clear(&r->path);
	for (const struct tree_node *up = n; up && r->past.latest > time && depth < TREE_DEPTH_MAX;) {
		if (pastnames_at(&r->past, up->key, time, &then)) {
			buf_puts(&r->path, then);
			while (depth-- > 0) {
				buf_putc(&r->path, '/');
				buf_puts(&r->path, (str){ below[depth]->name, below[depth]->name_n });
			}
			return buf_error(&r->path) == 0 && r->path.n <= EVENT_PATH_MAX;
		}
		below[depth++] = &up->link;
		up = up->link.name && up->link.parent ? tree_find(r->tree, up->link.parent) : NULL;
	}
	return n && tree_path(r->tree, n, &r->path) == 0;
}

static uint64_t write_access(struct recorder *r, const struct fold_access *a, int64_t end, uint64_t refers)
{
	const struct facts *f = a->who;
	const struct tree_node *n = tree_find(r->tree, a->object);
	struct event e = { .time = a->time, .end = end, .verb = a->verb, .seen = a->seen, .count = a->count };
	char client[INET6_ADDRSTRLEN];
	uint8_t flags = 0;

	event_set(&e, EV_TIME);
	event_set(&e, EV_VERB);
	event_set(&e, EV_SEEN);
	if (end > a->time)
		event_set(&e, EV_END);
	if (a->count > 1)
		event_set(&e, EV_COUNT);
	recorder_object(r, &e, n);
	if (n ? path_then(r, n, a->time) : pastnames_at(&r->past, a->object, a->time, &e.path)) {
		if (n)
			e.path = buf_str(&r->path);
		event_set(&e, EV_PATH);
	}
	facts_fill(f, &e, client);
	if (f->a.known & WHO_SMB)
		flags |= SENSOR_OPENER;
	if (f->a.known & WHO_LATE)
		flags |= SENSOR_LATE;
	return out_record(&r->out, &e, refers, f->a.known & WHO_SESSION ? (uint64_t)f->a.session_uid + 1 : 0, flags);
}

static void write_rest(const struct fold_rest *rest, void *arg)
{
	struct fold_access a = rest->first;

	a.time = rest->time;
	if (a.verb == VERB_EXEC)
		exec_write(arg, &a, rest->end);
	else
		write_access(arg, &a, rest->end, 0);
}

uint64_t recorder_decide(const struct opens_decision *d, void *arg)
{
	struct recorder *r = arg;
	struct fold_access a = { .object = d->key, .verb = (uint8_t)d->verb, .seen = (uint8_t)d->seen, .count = d->count,
	                         .time = d->time, .who = d->facts, .who_id = d->facts->fold_id };

	if (!tree_find(r->tree, d->key)) {
		/* Not watched, unless the scan that goes on finds it. */
		if (atomic_load(&r->f->incomplete) && r->n_limbo < RECORDER_LIMBO_MAX) {
			facts_ref(d->facts);
			r->limbo[r->n_limbo++] = *d;
		} else if (atomic_load(&r->f->incomplete)) {
			fan_first_time(&r->f->dropped_time, d->time);
			atomic_fetch_add(&r->f->dropped, 1);
		}
		return 0;
	}
	if (d->refers)
		return write_access(r, &a, 0, d->refers);
	if (fold_add(r->fold, &a))
		return write_access(r, &a, 0, 0);
	return 0;
}

static void settle_limbo(struct recorder *r)
{
	for (size_t i = 0; i < r->n_limbo; i++) {
		if (tree_find(r->tree, r->limbo[i].key))
			recorder_decide(&r->limbo[i], r);
		facts_unref(r->limbo[i].facts);
	}
	r->n_limbo = 0;
}

/* Facts of its own: what the same actor opens is not late. */
static void handle_late(struct recorder *r, const struct fan_open *o)
{
	struct opens_decision d = { .key = o->key, .seen = SEEN_ACCESS, .time = o->time, .count = 1 };
	struct facts *f;
	int e = facts_of(r->f->hash_key, o->actor, o->tgid, &f);

	if (o->actor)
		who_unref(o->actor);
	if (e < 0)
		return;
	f->a.known |= WHO_LATE;
	d.facts = f;
	if (o->mask & FAN_ACCESS) {
		d.verb = VERB_READ;
		recorder_decide(&d, r);
	}
	if (o->mask & FAN_MODIFY) {
		d.verb = VERB_WRITE;
		recorder_decide(&d, r);
	}
	facts_unref(f);
}

static void handle_entry(struct recorder *r, uint16_t kind, const void *p)
{
	const struct fan_open *o = p;
	struct facts *f;

	if (kind == ENTRY_DIRENT) {
		dirent_handle(r, p);
	} else if (kind == ENTRY_EXEC) {
		exec_handle(r, p);
	} else if (kind == ENTRY_OVERFLOW) {
		const struct fan_overflow *v = p;

		recorder_gap(r, CAUSE_OVERFLOW, v->from, time_now(), 0);
		r->rescan |= v->rescan;
	} else {
		if (kind == ENTRY_LATE) {
			handle_late(r, o);
			return;
		}
		f = recorder_facts(r, o->actor, o->tgid);
		if (!f)
			return;
		opens_add(r->opens, o->key, f->a.tgid ? f->a.tgid : o->tid, f, o->time);
		facts_unref(f);
	}
}

/* Opens after `until` stay for the next time: their uses are not among those that were read by then. Much later: the clock went back. */
static bool is_after(uint16_t kind, const struct fan_open *o, int64_t until)
{
	return kind == ENTRY_OPEN && o->time > until && o->time < until + NSEC_PER_SEC;
}

static void drain_ring(struct recorder *r, int64_t until)
{
	size_t end = atomic_load_explicit(&r->f->ring.head, memory_order_acquire);
	const void *p;
	uint16_t kind;
	size_t n;

	while ((ssize_t)(end - atomic_load_explicit(&r->f->ring.tail, memory_order_relaxed)) > 0 && (p = ring_peek(&r->f->ring, &kind, &n)) &&
	       !is_after(kind, p, until)) {
		handle_entry(r, kind, p);
		ring_next(&r->f->ring);
	}
}

/* --- uses: G3 --- */

static void ask(struct recorder *r, uint64_t key, pid_t tgid, uint64_t mask, int64_t time)
{
	struct fan_open *o = ring_begin(&r->f->asks, ENTRY_LATE, sizeof(*o));
	uint64_t one = 1;

	if (!o) {
		fan_first_time(&r->f->dropped_time, time);
		atomic_fetch_add(&r->f->dropped, 1);
		return;
	}
	*o = (struct fan_open){ .key = key, .tid = tgid, .tgid = tgid, .time = time, .mask = (uint32_t)mask };
	ring_commit(&r->f->asks);
	if (write(r->f->turn_fd, &one, sizeof(one)) < 0)
		return;
}

static bool is_own(const struct fan *f, pid_t tgid)
{
	for (size_t i = 0; i < f->c->n_own; i++)
		if (f->c->own[i] == tgid)
			return true;
	return tgid == f->self || tgid == atomic_load(&f->keeper);
}

static void handle_use(struct recorder *r, const struct fanotify_event_metadata *m, int64_t time)
{
	const uint8_t *p = (const uint8_t *)m + m->metadata_len;
	struct fanotify_event_info_fid info;
	const struct file_handle *h = (const struct file_handle *)(p + sizeof(info));
	uint64_t fsid, key;
	int fs;

	if (m->mask & FAN_Q_OVERFLOW) {
		recorder_gap(r, CAUSE_OVERFLOW, r->uses_read, time, 0);
		return;
	}
	if (m->event_len < m->metadata_len + sizeof(info) + sizeof(*h))
		return;
	memcpy(&info, p, sizeof(info));
	memcpy(&fsid, &info.fsid, sizeof(fsid));
	fs = groups_find_fs(&r->f->groups, fsid);
	if (info.hdr.info_type != FAN_EVENT_INFO_TYPE_FID || fs < 0)
		return;
	key = groups_key(&r->f->groups, (unsigned)fs, h->handle_type, h->f_handle, h->handle_bytes);
	if (opens_use(r->opens, key, m->pid, m->mask, time) || !(m->mask & (FAN_ACCESS | FAN_MODIFY)))
		return;
	if ((tree_find(r->tree, key) || atomic_load(&r->f->incomplete)) && m->pid > 0 && !is_own(r->f, m->pid))
		ask(r, key, m->pid, m->mask & (FAN_ACCESS | FAN_MODIFY), time);
}

/* Uses are read first and the ring drained before they are looked at: the open of a use is in the ring by then. */
static void read_uses(struct recorder *r)
{
	for (int i = 0; i < 64; i++) {
		int64_t begun = time_now();
		ssize_t n = read(r->f->groups.uses, r->uses, sizeof(r->uses));
		const struct fanotify_event_metadata *m = (const void *)r->uses;
		int64_t now = time_now();

		drain_ring(r, now);
		if (n <= 0) {
			if (n < 0 && errno == EAGAIN)
				r->uses_read = begun;
			return;
		}
		for (; FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n))
			handle_use(r, m, now);
	}
}

/* --- losses, heartbeat --- */

static void tell_losses(struct recorder *r)
{
	struct fan *f = r->f;
	uint64_t dropped = atomic_load(&f->dropped), missed = atomic_load(&f->missed);
	int64_t now = time_now();

	if (dropped != r->dropped_seen) {
		int64_t from = atomic_exchange(&f->dropped_time, 0);

		recorder_gap(r, CAUSE_BACKLOG, (from ? MIN(now, from) : now) - NSEC_PER_SEC, now, dropped - r->dropped_seen);
		r->dropped_seen = dropped;
		r->rescan = true;
	}
	if (missed != r->missed_seen) {
		int64_t from = atomic_exchange(&f->missed_time, 0);

		recorder_gap(r, CAUSE_DEADLINE, from ? MIN(now, from) : now - NSEC_PER_SEC, now, missed - r->missed_seen);
		r->missed_seen = missed;
	}
	/* Half empty again: the keeper reads. */
	if (r->out.lost_from && !r->out.gone && out_waiting(&r->out) < OUT_BYTES / 2) {
		int64_t from = r->out.lost_from;
		uint64_t n = r->out.lost_now;

		r->out.lost_from = 0;
		r->out.lost_now = 0;
		recorder_gap(r, CAUSE_BACKLOG, from, now, n);
	}
}

static void heartbeat(struct recorder *r, enum heartbeat_phase phase)
{
	struct fan *f = r->f;
	struct sensor_heartbeat h = {
		.phase = phase,
		.received = atomic_load(&f->received),
		.delivered = r->out.delivered,
		.lost = r->out.lost + atomic_load(&f->dropped),
		.missed = atomic_load(&f->missed),
		.own = atomic_load(&f->own),
		.held_max = (uint64_t)atomic_exchange(&f->held_max, 0),
		.watched = watchset_count(f->set),
	};

	out_heartbeat(&r->out, &h);
	r->last_heartbeat = time_boottime();
}

static int64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* Up to when all that was seen is with the keeper: what waits for a decision or in a window is not. */
static void pulse(struct recorder *r, int64_t turn)
{
	struct sensor_pulse *p = r->f->c->pulse;

	if (!p)
		return;
	if (r->out.acked == r->out.number || r->out.acked != r->acked_seen)
		r->unacked_since = 0;
	if (r->out.acked != r->out.number && !r->unacked_since)
		r->unacked_since = monotonic();
	r->acked_seen = r->out.acked;
	atomic_store(&p->unacked_since, r->unacked_since);
	if (out_waiting(&r->out))
		return;
	/* What the responder works at, and what the kernel still queues, is older than this turn by no more than its deadline. */
	atomic_store(&p->recorded, MIN(turn - SENSOR_DEADLINE_NS, MIN(opens_oldest(r->opens), fold_oldest(r->fold))));
	atomic_store(&p->lost, r->out.lost + atomic_load(&r->f->dropped));
}

/* --- the keeper --- */

static int take_fd(int socket, pid_t *ret_pid)
{
	union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u = { 0 };
	int32_t pid = 0;
	struct iovec iov = { &pid, sizeof(pid) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u) };
	ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	int fd;

	if (n == 0)
		return -EPIPE;
	if (!h || h->cmsg_type != SCM_RIGHTS || h->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EAGAIN;
	memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	*ret_pid = pid;
	return fd;
}

static void ready(struct recorder *r)
{
	/* A path that was refused has been named in a note; it is never called watched. */
	for (size_t i = 0; i < r->f->c->n_paths; i++)
		if (!(r->refused >> (i % 64) & 1))
			out_text(&r->out, SENSOR_READY, r->f->c->paths[i]);
}

static void new_keeper(struct recorder *r)
{
	pid_t pid = 0;
	int fd = take_fd(r->f->c->control_fd, &pid);
	int64_t from;

	if (fd == -EPIPE)
		r->stopping = true; /* the guard is gone: nobody would end a frozen sensor */
	if (fd < 0)
		return;
	from = out_keeper(&r->out, fd_above(fd, FAN_FD_HIGH));
	atomic_store(&r->f->keeper, pid);
	if (from)
		recorder_gap(r, CAUSE_KEEPER, from, time_now(), 0);
	blind_tell(r);
	if (atomic_load(&r->f->started))
		ready(r);
}

/* --- the loop --- */

static void scanned(struct recorder *r)
{
	struct fan *f = r->f;
	int64_t now = time_now();

	blind_scanned(r);
	if (!atomic_load(&f->started)) {
		r->gap_mount_from = 0;
		if (f->c->gap_from)
			recorder_gap(r, f->c->gap_cause ? f->c->gap_cause : CAUSE_RESTART, f->c->gap_from, now, 0);
		atomic_store(&f->started, true);
		heartbeat(r, PHASE_START);
		ready(r);
		return;
	}
	if (!r->owed)
		return;
	if (r->gap_mount_from) {
		scan_forget_ignored(r);
		now = time_now();
		recorder_gap(r, CAUSE_MOUNT, r->gap_mount_from, now, 0);
		r->gap_mount_from = 0;
		ready(r);
	}
	settle_limbo(r);
	atomic_fetch_sub(&f->incomplete, r->owed);
	r->owed = 0;
}

static void turn(struct recorder *r)
{
	struct fan *f = r->f;
	struct pollfd p[] = {
		{ .fd = r->out.gone ? -1 : r->out.fd, .events = POLLIN | (out_waiting(&r->out) ? POLLOUT : 0) },
		{ .fd = f->c->control_fd, .events = POLLIN },
		{ .fd = r->mounts.fd, .events = POLLPRI },
		{ .fd = f->wake_fd, .events = POLLIN },
	};
	int64_t before = time_now(), now;
	uint64_t v;

	poll(p, ARRAY_SIZE(p), r->n_todo ? 0 : FAN_TURN_MS);
	now = time_now();
	if (p[3].revents && read(f->wake_fd, &v, sizeof(v)) < 0)
		return;
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		out_read(&r->out);
	if (p[1].revents)
		new_keeper(r);
	if (p[2].revents)
		scan_mounts_changed(r, r->mounts_seen);
	else
		r->mounts_seen = before;
	read_uses(r);
	opens_expire(r->opens, now);
	fold_expire(r->fold, now);
	departed_expire(r);
	blind_retry(r);
	if (r->rescan)
		scan_again(r);
	if (scan_slice(r))
		scanned(r);
	tell_losses(r);
	if (time_boottime() - r->last_heartbeat >= HEARTBEAT_NS && atomic_load(&f->started))
		heartbeat(r, PHASE_PERIODIC);
	out_flush(&r->out);
	pulse(r, now);
	/* Without a guard nobody brings another keeper. */
	if (r->out.stop || (r->out.gone && f->c->control_fd < 0))
		r->stopping = true;
}

/* What another start might mend. */
static bool is_passing(int e)
{
	return e == -ENOMEM || e == -EMFILE || e == -ENFILE || e == -ENOSPC || e == -EINTR;
}

static int start(struct recorder *r)
{
	const struct sensor_config *c = r->f->c;
	const struct fold_ops ops = { .ref = facts_ref, .unref = facts_unref, .rest = write_rest, .arg = r };
	int e, n = 0, passing = 0;

	e = out_new(&r->out, c->keeper_fd);
	if (e == 0)
		e = tree_new(&r->tree);
	if (e == 0)
		e = fold_new(FOLD_MAX, &ops, &r->fold);
	if (e == 0)
		e = opens_new(OPENS_MAX, recorder_decide, r, &r->opens);
	r->mounts_seen = time_now();
	if (e == 0)
		e = mounts_open(&r->mounts);
	r->limbo = calloc(RECORDER_LIMBO_MAX, sizeof(*r->limbo));
	if (e < 0 || !r->limbo)
		return e < 0 ? e : -ENOMEM;
	r->round = 1;
	for (size_t i = 0; i < c->n_paths; i++) {
		int x = scan_root(r, c->paths[i]);

		if (x < 0)
			r->refused |= (uint64_t)1 << (i % 64);

		n += x == 0;
		if (is_passing(x))
			passing = x;
	}
	scan_below_mounts(r);
	if (!who_has_connector(r->f->who))
		blind_add(r, NULL, "the kernel's process events cannot be had here: no program begun (exec) is recorded, and short-lived actors may be "
				"absent");
	return n ? 0 : passing ? passing : -ENOTSUP;
}

static void end(struct recorder *r)
{
	struct fan *f = r->f;

	/* No new opens are held from here on; the responder answers those that wait, then all of it is written down. */
	for (unsigned i = 0; i < f->groups.n_fs; i++)
		if (f->groups.fs[i]->fsid)
			fanotify_mark(f->groups.opens, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, "/");
	atomic_store(&f->stop, true);
	for (int i = 0; i < 1000 && !atomic_load(&f->ended); i++)
		usleep(1000);
	if (r->opens) {
		read_uses(r);
		drain_ring(r, INT64_MAX - NSEC_PER_SEC);
		opens_expire(r->opens, INT64_MAX);
		fold_expire(r->fold, INT64_MAX);
		tell_losses(r);
		heartbeat(r, PHASE_STOP);
		pulse(r, time_now());
	}
	for (int i = 0; i < 100 && out_waiting(&r->out) && !r->out.gone; i++) {
		out_flush(&r->out);
		usleep(10000);
	}
}

static void release(struct recorder *r)
{
	for (size_t i = 0; i < r->n_limbo; i++)
		facts_unref(r->limbo[i].facts);
	free(r->limbo);
	free(r->todo);
	r->opens = opens_free(r->opens);
	r->fold = fold_free(r->fold);
	r->tree = tree_free(r->tree);
	mounts_close(&r->mounts);
	if (r->last_actor)
		who_unref(r->last_actor);
	facts_unref(r->last);
	buf_free(&r->path);
	pastnames_free(&r->past);
	departed_free(&r->departed);
	blind_free(&r->blind);
	buf_free(&r->to);
	out_free(&r->out);
	free(r);
}

int recorder_run(struct fan *f)
{
	struct recorder *r = calloc(1, sizeof(*r));
	struct stat st;
	int e;

	if (!r)
		return -ENOMEM;
	r->f = f;
	r->uses_read = time_now();
	if (f->c->exclude.n && f->c->exclude.n < 4096) {
		_cleanup_free_ char *path = strndup(f->c->exclude.p, f->c->exclude.n);

		if (path && stat(path, &st) == 0) {
			r->exclude_dev = st.st_dev;
			r->exclude_ino = st.st_ino;
		}
	}
	e = start(r);
	if (e == 0)
		while (!r->stopping)
			turn(r);
	end(r);
	release(r);
	return e;
}
