#include "daemon/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/notify.h"
#include "base/timefmt.h"
#include "daemon/confine.h"

#define TURN_NS (50 * 1000 * 1000LL)
#define START_NS (60 * NSEC_PER_SEC)       /* a sensor that has not begun to answer holds nobody yet */
#define KEEPER_STUCK_NS (5 * NSEC_PER_SEC)
#define KEEPER_START_NS (60 * NSEC_PER_SEC) /* reading years of names takes a while; nobody but the record waits for it */
#define STEADY_NS (10 * NSEC_PER_SEC)      /* who lived so long is started again at once */
#define BACKOFF_MIN_NS (100 * 1000 * 1000LL)
#define BACKOFF_MAX_NS (2 * NSEC_PER_SEC)   /* while it is down nobody records: a crash loop is cheap beside that */
#define SHORT_NS (5 * NSEC_PER_SEC)        /* for so long a sensor may do without descriptors */
#define SENSOR_END_NS (4 * NSEC_PER_SEC)
#define SCANNER_END_NS (2 * NSEC_PER_SEC)   /* what it has not recorded is read again */
#define NOTIFIER_END_NS (2 * NSEC_PER_SEC)  /* what it has not sent is sent by the next one */
#define KEEPER_END_NS (30 * NSEC_PER_SEC)
#define ARGS_MAX 64

enum { SENSOR, KEEPER, SCANNER, NOTIFIER, ROLES };

static const char *const role_names[ROLES] = { "sensor", "keeper", "scanner", "notifier" };

struct child {
	pid_t pid;        /* 0: not running */
	int control;      /* our end */
	int64_t started, start_at, backoff;
};

struct guard {
	const struct guard_config *c;
	struct child child[ROLES];
	struct sensor_pulse *pulse;
	int pulse_fd, signals;
	int64_t gap_from, turn, grace, short_since;
	enum event_cause cause;
	struct rlimit descriptors; /* ours at the start, and the children's */
	int manager;      /* the service manager's socket; negative: none */
	int terminal;     /* ours, open since the start; negative: none */
	bool stop, ready, refused;
};

static int64_t mono(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* --- the child's side --- */

int guard_child_parse(int argc, char *const *argv, struct guard_child *ret)
{
	for (int i = 1; i < argc; i++) {
		long long from;
		int cause, guard, peer;

		if (strncmp(argv[i], GUARD_ARGUMENT, strlen(GUARD_ARGUMENT)) != 0)
			continue;
		if (sscanf(argv[i] + strlen(GUARD_ARGUMENT), "%lld,%d,%d,%d", &from, &cause, &guard, &peer) != 4)
			return -EINVAL;
		*ret = (struct guard_child){ from, (enum event_cause)cause, guard, peer };
		return 0;
	}
	return -ENOENT;
}

union fd_room {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int guard_take(int control_fd, int *ret_fd, pid_t *ret_pid)
{
	union fd_room u = { 0 };
	int32_t pid;
	struct iovec iov = { &pid, sizeof(pid) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u) };
	ssize_t n = recvmsg(control_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *h;

	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -EAGAIN;
	h = CMSG_FIRSTHDR(&m);
	if (n != sizeof(pid) || !h || h->cmsg_type != SCM_RIGHTS || h->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EAGAIN;
	memcpy(ret_fd, CMSG_DATA(h), sizeof(*ret_fd));
	*ret_pid = pid;
	return 0;
}

void guard_tell_ready(int control_fd)
{
	(void)!send(control_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int give(int control_fd, int fd, pid_t pid)
{
	union fd_room u = { 0 };
	int32_t p = pid;
	struct iovec iov = { &p, sizeof(p) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	return sendmsg(control_fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* --- starting --- */

/* Between fork and exec: only what is safe there. */
static _noreturn_ void become(const struct guard *g, int role, const int fds[3], char *argument)
{
	char *const *const argvs[ROLES] = { g->c->sensor_argv, g->c->keeper_argv, g->c->scanner_argv, g->c->notifier_argv };
	char *const *argv = argvs[role];
	char *args[ARGS_MAX];
	sigset_t none;
	int up[3], n = 0;

	setpgid(0, 0); /* ^C is the guard's: it ends us in order */
	/* Without a guard nobody ends one that was stopped: it goes on, finds its control socket closed, and ends itself. */
	prctl(PR_SET_PDEATHSIG, SIGCONT);
	sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 });
	setpriority(PRIO_PROCESS, 0, 0); /* reading years of names must not keep people from the processor; the sensor raises what has to be */
	for (int i = 0; i < 3; i++)
		up[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, 16);
	for (int i = 0; i < 3; i++)
		if (up[i] >= 0)
			dup2(up[i], GUARD_FD_PEER + i);
	/* What a role does not get is not left from the guard. */
	for (int i = 0; i < 3; i++)
		if (up[i] < 0)
			close(GUARD_FD_PEER + i);
	close_range(GUARD_FD_PULSE + 1, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	while (n < ARGS_MAX - 2 && argv[n]) {
		args[n] = argv[n];
		n++;
	}
	args[n++] = argument;
	args[n] = NULL;
	execv(g->c->exe, args);
	_exit(127);
}

/* For the keeper, a sensor that has not begun to answer is none: what its predecessor sent may have died with the last keeper, so the
 * gap is told from the log. */
static int peer_pid(const struct guard *g, int role)
{
	if (role == SCANNER || role == NOTIFIER)
		return 0;
	if (role == KEEPER && !atomic_load(&g->pulse->beat))
		return 0;
	return (int)g->child[role == SENSOR ? KEEPER : SENSOR].pid;
}

/* peer: the end of a socketpair that the child gets. */
static int spawn(struct guard *g, int role, int peer)
{
	struct child *c = &g->child[role];
	int control[2], fds[3] = { peer, -1, role == SENSOR ? g->pulse_fd : role == KEEPER ? g->c->listen_fd : -1 };
	char argument[128];
	pid_t pid;

	snprintf(argument, sizeof(argument), GUARD_ARGUMENT "%lld,%d,%d,%d", role == SENSOR ? (long long)g->gap_from : 0LL,
	         role == SENSOR ? (int)g->cause : 0, (int)getpid(), peer_pid(g, role));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return -errno;
	fds[1] = control[1];
	if (role == SENSOR)
		atomic_store(&g->pulse->beat, 0);
	pid = fork();
	if (pid == 0)
		become(g, role, fds, argument);
	close(control[1]);
	if (pid < 0) {
		close(control[0]);
		return -errno;
	}
	c->pid = pid;
	c->control = control[0];
	c->started = mono();
	return 0;
}

/* Starts what is due. The other, if it runs, is handed the new socket. */
static void start_due(struct guard *g, int role)
{
	struct child *c = &g->child[role], *other = &g->child[role == SENSOR ? KEEPER : SENSOR];
	int pair[2], r;

	if (c->pid || g->stop || mono() < c->start_at || (role == SENSOR && !other->pid))
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	r = spawn(g, role, pair[0]);
	if (r < 0)
		c->start_at = mono() + NSEC_PER_SEC;
	else if (other->pid)
		give(other->control, pair[1], c->pid);
	close(pair[0]);
	close(pair[1]);
}

/* They have no peer: they find the keeper, or the record, as any command does. */
static void start_beside(struct guard *g, int role, char *const *argv)
{
	struct child *c = &g->child[role];

	if (argv && !c->pid && !g->stop && mono() >= c->start_at && spawn(g, role, -1) < 0)
		c->start_at = mono() + NSEC_PER_SEC;
}

/* --- watching --- */

static void ended(struct guard *g, int role, int status)
{
	struct child *c = &g->child[role];
	int64_t now = mono();

	close_fd(&c->control);
	c->pid = 0;
	c->backoff = now - c->started > STEADY_NS ? 0 : MIN(BACKOFF_MAX_NS, MAX(BACKOFF_MIN_NS, c->backoff * 2));
	c->start_at = now + (c->backoff > BACKOFF_MIN_NS ? c->backoff : 0);
	if (role == SENSOR) {
		int64_t recorded = atomic_load(&g->pulse->recorded);

		g->gap_from = recorded ? recorded : g->gap_from;
		if (!g->cause)
			g->cause = CAUSE_RESTART;
	}
	/* Later it may come back: an unmounted disk does. */
	if (role == SENSOR && !g->ready && WIFEXITED(status) && WEXITSTATUS(status) == GUARD_EXIT_REFUSED)
		g->stop = g->refused = true;
	if (!g->stop)
		log_error("the %s ended (%s %d); it is started again", role_names[role],
		          WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void reap(struct guard *g)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < ROLES; i++)
			if (g->child[i].pid == pid)
				ended(g, i, status);
}

static void check_sensor(struct guard *g, int64_t now)
{
	struct child *c = &g->child[SENSOR];
	int64_t beat = atomic_load(&g->pulse->beat);

	if (!c->pid)
		return;
	if (beat ? now - beat <= SENSOR_STALL_NS : now - c->started <= START_NS)
		return;
	/* Ours was the clock that stood still, or the machine: it gets time to beat again. */
	if (now < g->grace)
		return;
	kill(c->pid, SIGKILL);
	g->cause = CAUSE_STALLED;
}

/* Without descriptors the sensor lets opens through one by one and looks at nothing: what somebody took away is given back. Where we may
 * not (CAP_SYS_RESOURCE), it ends in order after a while, and the next one has our limit. */
static void check_descriptors(struct guard *g, int64_t now)
{
	struct child *c = &g->child[SENSOR];
	struct rlimit l;

	if (!c->pid || prlimit(c->pid, RLIMIT_NOFILE, NULL, &l) < 0 || l.rlim_max >= g->descriptors.rlim_max ||
	    prlimit(c->pid, RLIMIT_NOFILE, &g->descriptors, NULL) == 0) {
		g->short_since = 0;
		return;
	}
	if (!g->short_since)
		g->short_since = now;
	if (now - g->short_since > SHORT_NS)
		close_fd(&c->control);
}

static void check_keeper(struct guard *g, int64_t now)
{
	int64_t since = atomic_load(&g->pulse->unacked_since);

	if (g->child[KEEPER].pid && since && now >= g->grace && now - g->child[KEEPER].started > KEEPER_START_NS && now - since > KEEPER_STUCK_NS)
		kill(g->child[KEEPER].pid, SIGKILL);
}

/* The keeper says once that the paths are watched. */
static void check_ready(struct guard *g)
{
	uint8_t word;

	if (g->ready || !g->child[KEEPER].pid || recv(g->child[KEEPER].control, &word, 1, MSG_DONTWAIT) != 1)
		return;
	g->ready = true;
	notify_send(g->manager, "READY=1");
}

/* Our terminal is gone: the kernel tells it by the same signal. */
static bool hung_up(const struct guard *g)
{
	return g->terminal >= 0 && tcgetpgrp(g->terminal) < 0;
}

/* The keeper reads the rules again; one that is just starting does so anyway. */
static void take_signal(struct guard *g, const struct signalfd_siginfo *s)
{
	if (s->ssi_signo == SIGCHLD)
		return;
	if (s->ssi_signo != SIGHUP || hung_up(g))
		g->stop = true;
	else if (g->child[KEEPER].pid)
		kill(g->child[KEEPER].pid, SIGHUP);
}

static void turn(struct guard *g)
{
	struct pollfd p = { .fd = g->signals, .events = POLLIN };
	struct signalfd_siginfo s;
	int64_t now;

	poll(&p, 1, (int)(TURN_NS / 1000000));
	while (read(g->signals, &s, sizeof(s)) == sizeof(s))
		take_signal(g, &s);
	now = mono();
	if (now - g->turn > 3 * TURN_NS)
		g->grace = now + SENSOR_STALL_NS;
	g->turn = now;
	reap(g);
	check_sensor(g, now);
	check_descriptors(g, now);
	check_keeper(g, now);
	check_ready(g);
	if (!g->child[SENSOR].pid && g->child[SENSOR].start_at <= now && g->child[KEEPER].pid)
		start_due(g, SENSOR);
	start_due(g, KEEPER);
	start_beside(g, SCANNER, g->c->scanner_argv);
	start_beside(g, NOTIFIER, g->c->notifier_argv);
	/* Once it answers, what went before is its predecessor's. */
	if (g->child[SENSOR].pid && atomic_load(&g->pulse->beat))
		g->cause = g->cause == CAUSE_STALLED && now - atomic_load(&g->pulse->beat) > SENSOR_STALL_NS ? g->cause : 0;
}

static void wait_end(struct guard *g, int role, int64_t limit)
{
	int64_t until = mono() + limit;

	while (g->child[role].pid) {
		struct pollfd p = { .fd = g->signals, .events = POLLIN };
		struct signalfd_siginfo s;

		poll(&p, 1, 20);
		while (read(g->signals, &s, sizeof(s)) == sizeof(s))
			;
		reap(g);
		if (g->child[role].pid && mono() > until)
			kill(g->child[role].pid, SIGKILL);
	}
}

/* The sensor first, so that what it has still to say reaches the keeper. */
static void stop_all(struct guard *g)
{
	notify_send(g->manager, "STOPPING=1");
	close_fd(&g->child[SCANNER].control);
	close_fd(&g->child[NOTIFIER].control);
	close_fd(&g->child[SENSOR].control);
	wait_end(g, SENSOR, SENSOR_END_NS);
	wait_end(g, SCANNER, SCANNER_END_NS);
	wait_end(g, NOTIFIER, NOTIFIER_END_NS);
	if (g->child[KEEPER].pid)
		kill(g->child[KEEPER].pid, SIGTERM);
	wait_end(g, KEEPER, KEEPER_END_NS);
}

static int setup(struct guard *g)
{
	sigset_t set;
	int r;

	if (getrlimit(RLIMIT_NOFILE, &g->descriptors) < 0)
		return -errno;
	g->descriptors.rlim_cur = g->descriptors.rlim_max;
	g->pulse_fd = memfd_create("tyto-pulse", MFD_CLOEXEC);
	if (g->pulse_fd < 0 || ftruncate(g->pulse_fd, sizeof(*g->pulse)) < 0)
		return -errno;
	g->pulse = mmap(NULL, sizeof(*g->pulse), PROT_READ | PROT_WRITE, MAP_SHARED, g->pulse_fd, 0);
	if (g->pulse == MAP_FAILED)
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	g->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (g->signals < 0)
		return -errno;
	const struct sched_param p = { .sched_priority = SENSOR_RT_PRIORITY + 1 };

	/* Its look at the pulse must not wait behind the load that it guards against. Refused: it works, less surely. */
	if (sched_setscheduler(0, SCHED_RR, &p) < 0)
		log_debug("the guard runs without real-time priority: %s", strerror(errno));
	if (setpriority(PRIO_PROCESS, 0, -15) < 0 || mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		log_debug("the guard runs without priority or locked memory: %s", strerror(errno));
	r = confine_guard();
	if (r < 0)
		log_debug("the guard keeps more rights than it needs: %s", strerror(-r));
	return 0;
}

int guard_run(const struct guard_config *c)
{
	struct guard g = { .c = c, .child = { { .control = -1 }, { .control = -1 }, { .control = -1 }, { .control = -1 } }, .pulse_fd = -1,
		.signals = -1,
		.manager = notify_open(), .terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC) };
	int r = setup(&g);

	if (r == 0) {
		g.gap_from = c->gap_from;
		g.cause = c->gap_from ? CAUSE_RESTART : 0;
		g.turn = mono();
		start_due(&g, KEEPER);
		start_due(&g, SENSOR);
		while (!g.stop)
			turn(&g);
		stop_all(&g);
		r = g.refused ? -ENOTSUP : 0;
	}
	close_fd(&g.pulse_fd);
	close_fd(&g.signals);
	close_fd(&g.manager);
	close_fd(&g.terminal);
	return r;
}
