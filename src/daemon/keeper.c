#include "daemon/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "daemon/guard.h"
#include "daemon/keeper_private.h"
#include "daemon/peopletable.h"

int keeper_watch_fd(struct keeper *k, int fd, uint64_t tag, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.u64 = tag };

	return epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

void keeper_full(struct keeper *k)
{
	if (k->disk_full)
		return;
	log_error("the disk is full: what happens from now on is not recorded until there is room; the gap is noted");
	k->disk_full = true;
	k->last_try_room = time_boottime();
	keeper_clients_full(k);
}

int keeper_appended(struct keeper *k, int r)
{
	if (r == 0) {
		if (k->pending++ == 0)
			k->pending_since = time_boottime();
		return 0;
	}
	if (r == -ENOSPC) {
		keeper_full(k);
		evidence_count_lost(k->ev, time_now(), time_now());
		return 0;
	}
	if (r == -EINVAL || r == -EMSGSIZE) {
		log_error("a record was refused: %s", evidence_why());
		return 0;
	}
	return r;
}

int keeper_gap(struct keeper *k, enum event_cause cause, int64_t from, int64_t to, uint64_t lost)
{
	struct event e = { .time = from, .verb = VERB_GAP, .cause = cause, .end = to, .count = lost, .host = str_c(k->host) };
	uint64_t seq;

	if (cause != CAUSE_CLOCK)
		known_forget(k->known, time_boottime());
	event_set(&e, EV_TIME);
	event_set(&e, EV_VERB);
	event_set(&e, EV_CAUSE);
	event_set(&e, EV_HOST);
	if (to >= from)
		event_set(&e, EV_END);
	if (lost)
		event_set(&e, EV_COUNT);
	return k->disk_full ? 0 : keeper_appended(k, evidence_append_event(k->ev, &e, &seq));
}

int keeper_heartbeat(struct keeper *k, enum heartbeat_phase phase)
{
	struct evidence_heartbeat h = {
		.time = time_now(), .phase = phase, .host = str_c(k->host), .boot = str_c(k->boot), .uptime = (uint64_t)time_boottime(),
		.clock = clockwatch_state(), .backend = k->backend, .counters = k->counters,
	};
	uint64_t seq;

	k->last_heartbeat = time_boottime();
	return k->disk_full ? 0 : keeper_appended(k, evidence_append_heartbeat(k->ev, &h, &seq));
}

/* Makes what is pending durable, then tells everybody who waits for that. */
static int commit(struct keeper *k)
{
	struct evidence_stat st;
	int r = 0;

	if (k->pending && !k->disk_full) {
		r = evidence_commit(k->ev);
		if (r == -ENOSPC) {
			/* What is pending waits in memory, inside the gap that was opened for it: the sensor need not keep it. */
			keeper_full(k);
			r = 0;
		} else if (r < 0) {
			return r;
		} else {
			k->pending = 0;
			k->checkpoint_due = true;
		}
	}
	evidence_stat(k->ev, &st);
	if (k->indexer)
		indexer_tell(k->indexer, st.size);
	if (k->detecting)
		detecting_tell(k->detecting, st.size);
	r = keeper_sensor_ack(k);
	if (!k->disk_full)
		keeper_clients_committed(k);
	return r;
}

static int checkpoint(struct keeper *k)
{
	int r = evidence_checkpoint(k->ev, time_now());

	/* What is durable stays so; it is signed when there is room, or a descriptor. */
	if (evidence_may_wait(r))
		r = 0;
	else
		k->checkpoint_due = false;
	k->last_checkpoint = time_boottime();
	return r;
}

/* What does not fit waits, and the detector with it. */
static int take_alerts(struct keeper *k)
{
	int r = k->disk_full || !k->detecting ? 0 : detecting_take(k->detecting, k->ev);

	if (r == -ENOSPC)
		keeper_full(k);
	if (r > 0 && k->pending == 0)
		k->pending_since = time_boottime();
	k->pending += r > 0 ? (uint64_t)r : 0;
	return r < 0 && r != -ENOSPC ? r : 0;
}

/* Everything that is due by the clock. */
static int tick(struct keeper *k)
{
	int64_t now = time_boottime(), from, to;
	int r = 0;

	keeper_clients_tick(k, now);
	if (clockwatch_jumped(&k->clock, &from, &to)) {
		log_info("the clock was set by %+.1f s: recorded as a gap", (double)(to - from) / NSEC_PER_SEC);
		r = keeper_gap(k, CAUSE_CLOCK, from, to, 0);
	}
	if (r == 0 && k->disk_full && now - k->last_try_room >= NSEC_PER_SEC) {
		k->last_try_room = now;
		r = evidence_try_room(k->ev, time_now());
		if (r == 0) {
			log_info("there is room on the disk again: recording goes on, the gap is closed");
			k->disk_full = false;
			k->pending++;
			k->pending_since = now;
			r = take_alerts(k);
		} else if (r == -ENOSPC) {
			r = 0;
		}
	}
	/* Without a sensor's own heartbeat (it may be restarting) the log still gets its sign of life. */
	if (r == 0 && now - k->last_heartbeat >= KEEPER_HEARTBEAT_NS + 2 * NSEC_PER_SEC)
		r = keeper_heartbeat(k, PHASE_PERIODIC);
	if (r == 0 && (k->pending >= KEEPER_COMMIT_LEAVES || (k->pending && now - k->pending_since >= KEEPER_COMMIT_NS)))
		r = commit(k);
	if (r == 0 && k->checkpoint_due && !k->disk_full && now - k->last_checkpoint >= NSEC_PER_SEC)
		r = checkpoint(k);
	return r;
}

static int next_timeout_ms(const struct keeper *k)
{
	return k->pending ? (int)(KEEPER_COMMIT_NS / 1000000) : k->checkpoint_due || k->disk_full ? 250 : 1000;
}

/* A new sensor's socket; the end of the guard's side means that we stop. */
static int on_control(struct keeper *k)
{
	pid_t pid;
	int fd, r = guard_take(k->c->control_fd, &fd, &pid);

	if (r == -EPIPE) {
		k->stop = k->orphan = true;
		/* A new watch may start at once; it makes its own. */
		if (k->c->listen_fd >= 0)
			shutdown(k->c->listen_fd, SHUT_RDWR);
	}
	if (r < 0)
		return 0;
	/* What the old one still sent comes first: its successor's gap begins behind it. */
	for (uint64_t before = UINT64_MAX; k->sensor_fd >= 0 && !k->sensor_input_stopped && before != k->sensor_bytes;) {
		before = k->sensor_bytes;
		r = keeper_sensor_input(k);
		if (r < 0) {
			close(fd);
			return r;
		}
	}
	return keeper_sensor_attach(k, fd);
}

static int dispatch(struct keeper *k, const struct epoll_event *e)
{
	struct signalfd_siginfo si;

	switch (e->data.u64) {
	case TAG_SENSOR:
		return k->sensor_fd < 0 || k->sensor_input_stopped ? 0 : keeper_sensor_input(k);
	case TAG_CONTROL:
		return on_control(k);
	case TAG_LISTEN:
		return keeper_client_accept(k);
	case TAG_SIGNAL:
		while (read(k->signal_fd, &si, sizeof(si)) > 0) {
			if (si.ssi_signo != SIGHUP)
				k->stop = true;
			else if (k->detecting)
				detecting_reload(k->detecting);
		}
		return 0;
	case TAG_ALERTS:
		return take_alerts(k);
	default:
		return keeper_client_event(k, e->data.u64 - TAG_CLIENT, e->events);
	}
}

static int loop(struct keeper *k)
{
	struct epoll_event events[32];
	int r = 0;

	while (!k->stop && r == 0) {
		int n = epoll_wait(k->epoll, events, ARRAY_SIZE(events), next_timeout_ms(k));

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && r == 0; i++)
			r = dispatch(k, &events[i]);
		if (r == 0)
			r = tick(k);
	}
	return r;
}

static int load_people(struct keeper *k)
{
	int r = peopletable_load(evidence_names(k->ev), &k->people);

	if (r < 0)
		return r;
	k->persons = persons_new(k->people);
	return k->persons ? 0 : -ENOMEM;
}

int keeper_add_person(struct keeper *k, str row, uint64_t source, const char **ret_expect)
{
	int r = peopletable_record(k->ev, k->people, row, source, ret_expect);

	if (r == -EBADMSG || r == -EEXIST || r == -ENOSPC)
		return r;
	persons_set_people(k->persons, k->people);
	return keeper_appended(k, r);
}

static void read_boot_id(char *out, size_t n)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, out, n - 1);

	while (got > 0 && out[got - 1] == '\n')
		got--;
	out[got > 0 ? got : 0] = '\0';
}

static int signals(struct keeper *k)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signal_fd < 0 ? -errno : keeper_watch_fd(k, k->signal_fd, TAG_SIGNAL, EPOLLIN);
}

static int open_log(struct keeper *k)
{
	const struct evidence_options o = { .create = true };
	int64_t until = time_boottime() + KEEPER_BUSY_NS;
	int r;

	while ((r = evidence_open(k->c->state, &o, &k->ev)) == -EBUSY && time_boottime() < until)
		usleep(50000);
	return r;
}

/* Set while no keeper ran. */
static int check_clock(struct keeper *k, const struct evidence_stat *st)
{
	const struct clock_look then = { st->last_boot, st->last_beat, (int64_t)st->last_uptime }, now = { k->boot, time_now(), time_boottime() };
	int64_t from, to;

	if (!st->last_beat || !clockwatch_since(&then, &now, &from, &to))
		return 0;
	log_info("the clock was set by %+.1f s while nothing was recorded: recorded as a gap", (double)(to - from) / NSEC_PER_SEC);
	return keeper_gap(k, CAUSE_CLOCK, from, to, 0);
}

static int open_all(struct keeper *k)
{
	const struct keeper_config *c = k->c;
	struct evidence_stat st;
	int r;

	r = open_log(k);
	if (r < 0) {
		log_error("%s", evidence_why());
		return r;
	}
	evidence_stat(k->ev, &st);
	if (!c->resume && st.last_heartbeat)
		k->gap_from = st.last_heartbeat - (st.last_phase == PHASE_STOP ? KEEPER_STOP_NS : KEEPER_SETTLE_NS);
	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (k->epoll < 0)
		return -errno;
	r = check_clock(k, &st);
	if (r == 0)
		r = load_people(k);
	if (r == 0)
		r = signals(k);
	if (r == 0 && c->control_fd >= 0)
		r = keeper_watch_fd(k, c->control_fd, TAG_CONTROL, EPOLLIN);
	if (r == 0 && c->listen_fd >= 0)
		r = keeper_watch_fd(k, c->listen_fd, TAG_LISTEN, EPOLLIN);
	if (r == 0 && c->sensor_fd >= 0)
		r = keeper_sensor_attach(k, c->sensor_fd);
	if (r == 0)
		r = indexer_start(c->state, c->settings->disk_reserve, &k->indexer);
	if (r == 0)
		r = keeper_appended(k, detecting_settings(c->state, c->settings, k->ev));
	if (r == 0)
		r = detecting_start(c->state, c->settings, DETECTING_LIVE, &k->detecting);
	if (r == 0)
		r = keeper_watch_fd(k, detecting_fd(k->detecting), TAG_ALERTS, EPOLLIN);
	if (r == 0) /* what the last one did not get to */
		detecting_tell(k->detecting, st.size);
	if (r == 0 && c->show)
		r = follower_start(c->state, st.size, c->settings->mask, c->show, c->flush, c->show_arg, &k->follower);
	return r;
}

static void close_all(struct keeper *k)
{
	keeper_clients_close(k);
	k->detecting = detecting_stop(k->detecting);
	k->indexer = indexer_stop(k->indexer, !k->orphan);
	k->follower = follower_stop(k->follower);
	evidence_close(k->ev);
	persons_free(k->persons);
	people_free(k->people);
	known_free(k->known);
	for (size_t i = 0; i < k->n_watching; i++)
		free(k->watching[i]);
	for (size_t i = 0; i < k->n_blind; i++)
		free(k->blind[i]);
	buf_free(&k->sensor_in);
	buf_free(&k->sensor_out);
	buf_free(&k->scratch);
	close_fd(&k->sensor_fd);
	close_fd(&k->signal_fd);
	close_fd(&k->epoll);
	free(k);
}

/* Takes what the sensor still sends (it was told to stop, and sends its last records and heartbeat), at most two seconds. */
static int drain_sensor(struct keeper *k)
{
	int64_t until = time_boottime() + 2 * NSEC_PER_SEC;
	int r = 0;

	keeper_sensor_stop(k);
	while (r == 0 && k->sensor_fd >= 0 && !k->sensor_input_stopped && time_boottime() < until) {
		r = keeper_sensor_input(k);
		if (k->counters.phase == PHASE_STOP)
			break;
		usleep(2000);
	}
	return r;
}

int keeper_run(const struct keeper_config *c)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return 1;
	k->c = c;
	k->sensor_fd = k->epoll = k->signal_fd = -1;
	k->backend = BACKEND_FANOTIFY;
	for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++)
		k->clients[i].fd = -1;
	if (gethostname(k->host, sizeof(k->host) - 1) < 0)
		k->host[0] = '\0';
	read_boot_id(k->boot, sizeof(k->boot));
	k->last_heartbeat = time_boottime();
	k->known = known_new(0);
	r = k->known ? open_all(k) : -ENOMEM;
	if (r == 0)
		r = loop(k);
	if (r == 0)
		r = drain_sensor(k);
	if (r == 0)
		r = commit(k);
	if (r < 0)
		log_error("the keeper ends: %s", r == -EIO || r == -EUCLEAN ? evidence_why() : strerror(-r));
	close_all(k);
	return r == -EUCLEAN ? 4 : r < 0 ? 1 : 0;
}
