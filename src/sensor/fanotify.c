#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "base/filter.h"
#include "sensor/fan.h"

static bool kernel_since(unsigned major, unsigned minor)
{
	unsigned a = 0, b = 0;
	struct utsname u;

	return uname(&u) == 0 && sscanf(u.release, "%u.%u", &a, &b) == 2 && (a > major || (a == major && b >= minor));
}

static const char *const *blind_spots(void)
{
	static const char *const spots[] = {
		"an overlay mount opens the files below it unseen (this kernel is older than Linux 6.5)",
		"bytes moved are not known: an access is counted, its length is not",
		"a mapped file's reads are seen as an open only",
		"several opens of one object by one process within 50 ms are told apart together, not one by one",
		"of a descriptor that another process opened the opener is recorded; its reader is looked up after the fact, and absent where that fails",
		"a change of access control lists that leaves owner and mode as they were is not seen, nor a change of mode that is taken back at once",
		"what is mounted below a watched folder in another mount namespace only is not watched",
		"remote access through the kernel's own servers (nfsd, ksmbd) has no person",
		"programs begun (exec) are recorded for processes that were seen to touch documents since the sensor's start, and their descendants",
		NULL,
	};

	return spots + kernel_since(6, 5);
}

static int probe(const char **ret_why)
{
	static const uint8_t key[16];
	struct groups g;
	int r = groups_open(&g, key, ret_why);

	groups_close(&g);
	return r;
}

/* What the threads need after the start: marks, /proc of others, handles; memory of grown tables is locked too. */
static int drop_capabilities(void)
{
	static const int keep[] = { CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_IPC_LOCK };
	int r = filter_capabilities(keep, ARRAY_SIZE(keep), false);

	if (r < 0)
		return r;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static void raise_limits(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* People wait for the responder, and for nothing else of ours. A nice value counts only inside a control group, or a session with its
 * autogroup: measured at a load of 6, the responder stood up to 60 ms ready to run. Refused, the nice value is left. The guard runs before
 * it, and ends one that never stops. */
#define RECORDER_NICE (-5)

static void real_time(bool on)
{
	const struct sched_param p = { .sched_priority = on ? SENSOR_RT_PRIORITY : 0 };

	if (sched_setscheduler(0, on ? SCHED_RR : SCHED_OTHER, &p) < 0 && on)
		log_debug("the sensor answers without real-time priority: %s", strerror(errno));
	/* A scan is work like anybody's; but what waits in the ring should not wait long. */
	if (!on)
		setpriority(PRIO_PROCESS, 0, RECORDER_NICE);
}

static int setup(struct fan *f, const char **ret_why)
{
	int r;

	setpriority(PRIO_PROCESS, 0, -15); /* people wait for us; refused it works as well */
	f->self = getpid();
	if (getrandom(f->hash_key, sizeof(f->hash_key), 0) != sizeof(f->hash_key))
		return -EIO;
	f->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->turn_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->proc_fd < 0 || f->wake_fd < 0 || f->turn_fd < 0)
		return -errno;
	f->proc_fd = fd_above(f->proc_fd, FAN_FD_HIGH);
	f->wake_fd = fd_above(f->wake_fd, FAN_FD_HIGH);
	f->turn_fd = fd_above(f->turn_fd, FAN_FD_HIGH);
	r = groups_open(&f->groups, f->hash_key, ret_why);
	f->groups.scarce = &f->scarce;
	if (r == 0)
		r = watchset_new(100000, &f->set);
	if (r == 0)
		r = ring_new(&f->ring, FAN_RING_BYTES);
	if (r == 0)
		r = ring_new(&f->asks, FAN_ASK_BYTES);
	if (r == 0)
		r = who_new(f->proc_fd, FAN_ACTORS, &f->who);
	if (r == 0) {
		real_time(true); /* what the responder, started after this, inherits */
		r = drop_capabilities();
	}
	return r;
}

static void teardown(struct fan *f)
{
	groups_close(&f->groups);
	f->who = who_free(f->who);
	f->set = watchset_free(f->set);
	ring_free(&f->ring);
	ring_free(&f->asks);
	close_fd(&f->proc_fd);
	close_fd(&f->wake_fd);
	close_fd(&f->turn_fd);
}

static int run(const struct sensor_config *given)
{
	static struct fan fan;
	struct sensor_config high = *given;
	const struct sensor_config *c = &high;
	struct fan *f = &fan;
	const char *why = "";
	pthread_t responder;
	int r;

	*f = (struct fan){ .c = c, .proc_fd = -1, .wake_fd = -1, .turn_fd = -1, .groups = { .opens = -1, .names = -1, .uses = -1 } };
	raise_limits();
	high.keeper_fd = fd_above(high.keeper_fd, FAN_FD_HIGH);
	high.control_fd = fd_above(high.control_fd, FAN_FD_HIGH);
	signal(SIGPIPE, SIG_IGN);
	if (c->control_fd >= 0) { /* the guard ends us in order, by closing control */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
	}
	r = setup(f, &why);
	if (r < 0) {
		log_error("the sensor cannot start: %s%s%s", why, *why ? ": " : "", strerror(-r));
		teardown(f);
		return r;
	}
	/* A page that has to be read back would hold every open meanwhile. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		log_error("the sensor's memory is not locked: %s", strerror(errno));
	r = sensor_confine();
	if (r < 0)
		log_error("the sensor runs without a filter of system calls: %s", strerror(-r));
	r = pthread_create(&responder, NULL, responder_main, f);
	real_time(false);
	if (r == 0) {
		r = recorder_run(f);
		pthread_join(responder, NULL);
	} else {
		r = -r;
	}
	teardown(f);
	return r;
}

const struct sensor_ops sensor_fanotify = {
	.name = "fanotify",
	.backend = BACKEND_FANOTIFY,
	.blind_spots = blind_spots,
	.probe = probe,
	.run = run,
};
