/* Cost of a look-up: cached, after fork, after a change of credentials, without the connector. ns each: minimum and quartiles of many
 * short rounds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "who/internal.h"

#define ROUNDS 31

static pid_t self, parent; /* asked once: getpid is a system call */

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(const char *what, double *ns)
{
	qsort(ns, ROUNDS, sizeof(*ns), by_value);
	printf("%-46s min %9.1f  q1 %9.1f  median %9.1f  q3 %9.1f ns\n", what, ns[0], ns[ROUNDS / 4], ns[ROUNDS / 2], ns[ROUNDS * 3 / 4]);
}

static void look(struct who *w, pid_t tid, bool held)
{
	struct who_actor *a;
	int r = who_lookup(w, tid, held, INT64_MAX, &a);

	if (r < 0) {
		fprintf(stderr, "bench-who: %s\n", strerrorname_np(-r));
		exit(1);
	}
	who_unref(a);
}

static double cached(struct who *w)
{
	int64_t t;

	look(w, self, true);
	t = now_ns();
	for (int i = 0; i < 100000; i++)
		look(w, self, true);
	return (double)(now_ns() - t) / 100000;
}

static double drain_empty(struct who *w)
{
	int64_t t = now_ns();

	for (int i = 0; i < 10000; i++)
		who_drain(w);
	return (double)(now_ns() - t) / 10000;
}

static double after_uid(struct who *w)
{
	int64_t t = now_ns();

	for (int i = 0; i < 500; i++) {
		table_uid(w, self, geteuid(), t);
		look(w, self, true);
	}
	return (double)(now_ns() - t) / 500;
}

static double first(struct who *w)
{
	int64_t t = now_ns();

	for (int i = 0; i < 500; i++) {
		table_fork(w, parent, parent, self, self, 0);
		look(w, self, true);
	}
	return (double)(now_ns() - t) / 500;
}

static double gone(struct who *w)
{
	const pid_t pid = 4194303; /* above pid_max: surely not there */
	int64_t t = now_ns();

	for (int i = 0; i < 2000; i++) {
		table_fork(w, self, self, pid, pid, 0);
		table_exit(w, pid, 0);
		look(w, pid, false);
	}
	return (double)(now_ns() - t) / 2000;
}

static double exec_message(struct who *w)
{
	int64_t t = now_ns();

	for (int i = 0; i < 500; i++)
		table_exec(w, self, self, 0);
	return (double)(now_ns() - t) / 500;
}

static double uncached(struct who *w)
{
	int netlink = w->netlink;
	int64_t t = now_ns();

	w->netlink = -1;
	for (int i = 0; i < 200; i++)
		look(w, self, true);
	w->netlink = netlink;
	return (double)(now_ns() - t) / 200;
}

int main(void)
{
	static const struct { const char *what; double (*run)(struct who *w); bool connector; } cases[] = {
		{ "cached look-up", cached, true },
		{ "drain, nothing there", drain_empty, true },
		{ "look-up after a change of credentials", after_uid, true },
		{ "first look-up after fork", first, true },
		{ "exec message (exe, cgroup, login uid)", exec_message, true },
		{ "fork, exit and late look-up of what is gone", gone, true },
		{ "look-up without the connector", uncached, false },
	};
	double ns[ARRAY_SIZE(cases)][ROUNDS];
	struct who *w;
	int r = who_new(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), 4096, &w);

	if (r < 0) {
		fprintf(stderr, "bench-who: %s\n", strerrorname_np(-r));
		return 1;
	}
	self = getpid();
	parent = getppid();
	for (int round = 0; round < ROUNDS; round++) {
		who_drain(w);
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
			ns[i][round] = cases[i].connector && !who_has_connector(w) ? 0 : cases[i].run(w);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (cases[i].connector && !who_has_connector(w))
			printf("%-46s no connector here\n", cases[i].what);
		else
			report(cases[i].what, ns[i]);
	who_free(w);
	return 0;
}
