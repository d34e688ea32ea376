/* marks.c — what fanotify marks cost an open and a close of a file that nobody watches, measured apart.
 *
 *	bench-marks DIR [ROUNDS]        root; DIR on a filesystem of its own (bench/marks.sh makes one)
 *
 * Each trial is a set of groups with filesystem marks and, on the file, ignore marks. A responder answers the first open, as the sensor does, and puts
 * the ignore marks; then opens and closes are timed apart in batches. The trials are interleaved; beside each stands what it adds to
 * the same round without any mark. Units: ns.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define GROUPS 3
#define BATCH 64
#define BATCHES 400
#define ROUNDS_MAX 1000

#define HELD (FAN_CLASS_CONTENT | FAN_REPORT_TID)
#define NAMES (FAN_REPORT_DFID_NAME_TARGET | FAN_REPORT_TID)
#define FIDS (FAN_CLASS_NOTIF | FAN_REPORT_FID)
#define NAME_EVENTS (FAN_CREATE | FAN_DELETE | FAN_RENAME)
#define USE_EVENTS (FAN_ACCESS | FAN_MODIFY | FAN_CLOSE)
#define SURVIVE (FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY)

#ifndef FAN_MARK_EVICTABLE
#define FAN_MARK_EVICTABLE 0x00000200
#endif

struct group {
	unsigned flags;   /* of fanotify_init; 0 FAN_CLASS_NOTIF with FIDS */
	uint64_t fs;      /* the filesystem's mark */
	uint64_t ignore;  /* the file's ignore mark */
	unsigned how;     /* of that mark */
	uint64_t dir;     /* ignore mark of the file's folder, with FAN_MARK_IGNORE */
};

static const struct trial {
	const char *what;
	struct group g[GROUPS];
} trials[] = {
	{ "no marks", { { 0 } } },
	{ "opens, names (with attributes), uses", {
		{ HELD, FAN_OPEN_PERM, FAN_OPEN_PERM, SURVIVE | FAN_MARK_EVICTABLE, 0 },
		{ NAMES, NAME_EVENTS | FAN_ATTRIB | FAN_ONDIR, 0, 0, 0 },
		{ FIDS, USE_EVENTS, USE_EVENTS, SURVIVE | FAN_MARK_EVICTABLE, 0 } } },
	{ "the same, marks of the file not evictable", {
		{ HELD, FAN_OPEN_PERM, FAN_OPEN_PERM, SURVIVE, 0 },
		{ NAMES, NAME_EVENTS | FAN_ATTRIB | FAN_ONDIR, 0, 0, 0 },
		{ FIDS, USE_EVENTS, USE_EVENTS, SURVIVE, 0 } } },
	{ "the same, also ignored by names", {
		{ HELD, FAN_OPEN_PERM, FAN_OPEN_PERM, SURVIVE | FAN_MARK_EVICTABLE, 0 },
		{ NAMES, NAME_EVENTS | FAN_ATTRIB | FAN_ONDIR, USE_EVENTS, SURVIVE | FAN_MARK_EVICTABLE, 0 },
		{ FIDS, USE_EVENTS, USE_EVENTS, SURVIVE | FAN_MARK_EVICTABLE, 0 } } },
	{ "opens, and names and uses in one group", {
		{ HELD, FAN_OPEN_PERM, FAN_OPEN_PERM, SURVIVE | FAN_MARK_EVICTABLE, 0 },
		{ NAMES & ~FAN_REPORT_TID, NAME_EVENTS | FAN_ATTRIB | FAN_ONDIR | USE_EVENTS, USE_EVENTS, SURVIVE | FAN_MARK_EVICTABLE, 0 } } },
	{ "opens, names; uses marked a watched file", {
		{ HELD, FAN_OPEN_PERM, FAN_OPEN_PERM, SURVIVE | FAN_MARK_EVICTABLE, 0 },
		{ NAMES, NAME_EVENTS | FAN_ATTRIB | FAN_ONDIR, 0, 0, 0 } } },
	{ "the same, names without attributes", {
		{ HELD, FAN_OPEN_PERM, FAN_OPEN_PERM, SURVIVE | FAN_MARK_EVICTABLE, 0 },
		{ NAMES, NAME_EVENTS | FAN_ONDIR, 0, 0, 0 } } },
	{ "opens, names, no ignore mark", { /* cannot be: every open would be answered. The floor of the marks alone, without OPEN_PERM */
		{ HELD, FAN_ACCESS_PERM, 0, 0, 0 },
		{ NAMES, NAME_EVENTS | FAN_ONDIR, 0, 0, 0 } } },
	{ "opens, uses (no names: no parent is taken)", {
		{ HELD, FAN_OPEN_PERM, FAN_OPEN_PERM, SURVIVE | FAN_MARK_EVICTABLE, 0 },
		{ FIDS, USE_EVENTS, USE_EVENTS, SURVIVE | FAN_MARK_EVICTABLE, 0 } } },
	{ "opens alone", { { HELD, FAN_OPEN_PERM, FAN_OPEN_PERM, SURVIVE | FAN_MARK_EVICTABLE, 0 } } },
	{ "opens alone, ignored by the folder", { { HELD, FAN_OPEN_PERM, 0, 0, FAN_OPEN_PERM | FAN_EVENT_ON_CHILD } } },
	{ "opens, names; ignored by the folder", {
		{ HELD, FAN_OPEN_PERM, 0, 0, FAN_OPEN_PERM | FAN_EVENT_ON_CHILD },
		{ NAMES, NAME_EVENTS | FAN_ONDIR, 0, 0, 0 } } },
	{ "uses alone", { { FIDS, USE_EVENTS, USE_EVENTS, SURVIVE | FAN_MARK_EVICTABLE, 0 } } },
	{ "names alone", { { NAMES, NAME_EVENTS | FAN_ATTRIB | FAN_ONDIR, 0, 0, 0 } } },
};

struct set {
	int fd[GROUPS];
	pthread_t thread;
	atomic_bool stop;
	bool answers;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static _noreturn_ void die(const char *what)
{
	fprintf(stderr, "bench-marks: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *answer(void *arg)
{
	struct set *s = arg;
	struct fanotify_event_metadata m[16];

	while (!atomic_load(&s->stop)) {
		ssize_t n = read(s->fd[0], m, sizeof(m));

		for (const struct fanotify_event_metadata *e = m; FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n)) {
			struct fanotify_response a = { .fd = e->fd, .response = FAN_ALLOW };

			if (write(s->fd[0], &a, sizeof(a)) < 0)
				die("answer");
			close(e->fd);
		}
		if (n <= 0)
			usleep(200);
	}
	return NULL;
}

static void begin(const struct trial *t, struct set *s, const char *dir, const char *file)
{
	*s = (struct set){ .fd = { -1, -1, -1 } };
	for (int i = 0; i < GROUPS; i++) {
		const struct group *g = &t->g[i];

		if (!g->fs)
			continue;
		s->fd[i] = fanotify_init(g->flags | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS, O_RDONLY | O_LARGEFILE);
		if (s->fd[i] < 0)
			die(t->what);
		if (g->ignore && fanotify_mark(s->fd[i], FAN_MARK_ADD | g->how, g->ignore, AT_FDCWD, file) < 0)
			die("ignore mark");
		if (g->dir && fanotify_mark(s->fd[i], FAN_MARK_ADD | FAN_MARK_IGNORE_SURV | FAN_MARK_EVICTABLE, g->dir, AT_FDCWD, dir) < 0)
			die("the folder's ignore mark");
		if (fanotify_mark(s->fd[i], FAN_MARK_ADD | FAN_MARK_FILESYSTEM, g->fs, AT_FDCWD, dir) < 0)
			die("filesystem mark");
	}
	s->answers = t->g[0].flags == HELD;
	if (s->answers && pthread_create(&s->thread, NULL, answer, s))
		die("thread");
}

static void end(struct set *s)
{
	atomic_store(&s->stop, true);
	if (s->answers)
		pthread_join(s->thread, NULL);
	for (int i = 0; i < GROUPS; i++)
		close_fd(&s->fd[i]);
}

struct cost { double open, close; };

static struct cost measure(const char *file)
{
	struct cost best = { 1e9, 1e9 };
	int fd[BATCH];

	/* The least of many short batches: a neighbour on the processor makes a batch dearer, nothing makes it cheaper. */
	for (int b = 0; b < BATCHES; b++) {
		double a = now(), m;

		for (int i = 0; i < BATCH; i++)
			fd[i] = open(file, O_RDONLY | O_CLOEXEC);
		m = now();
		for (int i = 0; i < BATCH; i++)
			if (fd[i] < 0 || close(fd[i]) < 0)
				die(file);
		best.open = MIN(best.open, (m - a) / BATCH);
		best.close = MIN(best.close, (now() - m) / BATCH);
	}
	return best;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print(const char *what, double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	printf("  %-6s min %7.1f  q1 %7.1f  median %7.1f  q3 %7.1f\n", what, v[0], v[n / 4], v[n / 2], v[n * 3 / 4]);
}

int main(int argc, char **argv)
{
	static double open_ns[ARRAY_SIZE(trials)][ROUNDS_MAX], close_ns[ARRAY_SIZE(trials)][ROUNDS_MAX];
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 21;
	char file[4096];
	int fd;

	if (argc < 2 || !rounds || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: bench-marks DIR [ROUNDS]\n");
		return 2;
	}
	snprintf(file, sizeof(file), "%s/unwatched", argv[1]);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		die(file);
	close(fd);
	for (size_t r = 0; r < rounds; r++) {
		for (size_t t = 0; t < ARRAY_SIZE(trials); t++) {
			struct set s;
			struct cost c;

			begin(&trials[t], &s, argv[1], file);
			c = measure(file);
			end(&s);
			open_ns[t][r] = t ? c.open - open_ns[0][r] : c.open;
			close_ns[t][r] = t ? c.close - close_ns[0][r] : c.close;
		}
	}
	for (size_t t = 0; t < ARRAY_SIZE(trials); t++) {
		printf("%s%s (ns, %zu rounds)\n", trials[t].what, t ? ": added" : "", rounds);
		print("open", open_ns[t], rounds);
		print("close", close_ns[t], rounds);
	}
	unlink(file);
	return 0;
}
