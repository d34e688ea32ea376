/* append: how fast the evidence log takes records in, and verifies them, on one core; and what a record costs on disk.
 *
 * Records come from the made-up office (office.h). The first days fill the dictionary; a round appends a slice of the following days to a log that
 * is open (append and commit, every BATCH records), in turn with the other batch sizes, and verifies the whole log.
 * Bytes: of log/ but for the reserve, for the first day and later ones.
 * Usage: append [ROUNDS]. The state directory is made in $TMPDIR (default /tmp) and removed. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "event/event_wire.h"
#include "evidence/evidence.h"
#include "evidence/reserve.h"
#include "office.h"

#define ROUNDS_DEFAULT 15
#define SLICE 131072
#define DAYS 22 /* until most of what a person touches has been seen before: each day has fewer new names */

static const unsigned batches[] = { 65536, 1024 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "append: %s: %s\n", what, evidence_why());
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(const char *what, double *rates, size_t n)
{
	qsort(rates, n, sizeof(*rates), by_value);
	printf("%-34s %10.0f %10.0f %10.0f %10.0f %10.0f\n", what, rates[0], rates[n / 4], rates[n / 2], rates[3 * n / 4], rates[n - 1]);
}

static uint64_t log_bytes(struct evidence *e)
{
	struct evidence_stat st;

	evidence_stat(e, &st);
	return st.disk_log - RESERVE_BYTES;
}

/* Records made beforehand: their strs point into `bytes`. */
struct slice {
	struct buf bytes;
	struct event *events;
	size_t n, cap;
};

/* One more record of the office into the slice; false at the end of the office, or of the day. */
static bool take(struct slice *s, struct office *o, int64_t until)
{
	struct event ev;

	if (s->n == s->cap || office_next(o, &ev) != 1)
		return false;
	event_pack(&s->bytes, &ev);
	s->n++;
	return ev.time < until;
}

/* Up to `cap` records. */
static void fill(struct slice *s, struct office *o, size_t cap, int64_t until)
{
	size_t at = 0;

	if (s->cap < cap) {
		s->events = reallocarray(s->events, cap, sizeof(*s->events));
		s->cap = cap;
	}
	s->bytes.max = (size_t)1 << 32;
	buf_clear(&s->bytes);
	s->n = 0;
	while (take(s, o, until))
		;
	for (size_t i = 0; i < s->n; i++)
		at += (size_t)event_unpack((const uint8_t *)s->bytes.p + at, s->bytes.n - at, &s->events[i]);
	if (!s->events || buf_error(&s->bytes) || at != s->bytes.n) {
		fprintf(stderr, "append: no memory for the records\n");
		exit(1);
	}
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Appends and commits; records a second by the wall, *ret_cpu by the processor. */
static double append(struct evidence *e, const struct slice *s, unsigned batch, double *ret_cpu)
{
	double begin = now(), begin_cpu = cpu();

	for (size_t i = 0; i < s->n; i++) {
		if (evidence_append_event(e, &s->events[i], NULL) < 0)
			fail("append");
		if ((i + 1) % batch == 0 && evidence_commit(e) < 0)
			fail("commit");
	}
	if (evidence_commit(e) < 0)
		fail("commit");
	*ret_cpu = (double)s->n / (cpu() - begin_cpu);
	return (double)s->n / (now() - begin);
}

/* A whole day; returns its bytes a record, the names' share apart. */
static void day(struct evidence *e, struct office *o, struct slice *s, int64_t until, const char *what)
{
	uint64_t before = log_bytes(e), records = 0;
	struct evidence_stat a, b;
	double unused;

	evidence_stat(e, &a);
	do {
		fill(s, o, SLICE, until);
		append(e, s, 65536, &unused);
		records += s->n;
	} while (s->n == SLICE);
	evidence_stat(e, &b);
	if (what)
		printf("%-34s %10llu records, %llu leaves, %.1f bytes a record\n", what, (unsigned long long)records, (unsigned long long)(b.size - a.size),
		(double)(log_bytes(e) - before) / (double)records);
}

static void one_core(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)sched_getcpu() % CPU_SETSIZE, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static double verify_rate(const char *state)
{
	const struct verify_options o = { 0 };
	struct verify_result v;
	double begin = now();

	if (evidence_verify(state, &o, &v) < 0)
		fail("verify");
	if (v.damaged) {
		fprintf(stderr, "append: verify: %s: %s\n", v.where, v.what);
		exit(1);
	}
	return (double)v.records / (now() - begin);
}

int main(int argc, char **argv)
{
	const unsigned rounds = argc > 1 ? MAX((unsigned)atoi(argv[1]), 1U) : ROUNDS_DEFAULT;
	const char *tmp = getenv("TMPDIR");
	struct office_params p = OFFICE_DEFAULTS;
	double *wall[2], *processor[2], *verified = calloc(rounds, sizeof(double));
	struct slice s = { 0 };
	struct evidence *e = NULL;
	struct office *o = NULL;
	char dir[256], state[300], command[320];

	snprintf(dir, sizeof(dir), "%s/tyto-bench.XXXXXX", tmp ? tmp : "/tmp");
	p.days = 3650;
	if (!mkdtemp(dir) || !verified || office_new(&p, &o) < 0)
		fail("start");
	snprintf(state, sizeof(state), "%s/state", dir);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	one_core();
	if (evidence_open(state, &(struct evidence_options){ .create = true }, &e) < 0)
		fail("open");
	for (int i = 1; i <= DAYS; i++) {
		char what[64];

		/* A record of the next day ends a day, and counts with it. */
		snprintf(what, sizeof(what), "day %d%s", i, i == 1 ? ", dictionary empty" : i == DAYS ? ", dictionary warm" : "");
		day(e, o, &s, p.start + i * 86400 * NSEC_PER_SEC, i <= 2 || i % 7 == 1 ? what : NULL);
	}
	for (size_t b = 0; b < ARRAY_SIZE(batches); b++) {
		wall[b] = calloc(rounds, sizeof(double));
		processor[b] = calloc(rounds, sizeof(double));
	}
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t b = 0; b < ARRAY_SIZE(batches); b++) {
			fill(&s, o, SLICE, INT64_MAX);
			wall[b][round] = append(e, &s, batches[b], &processor[b][round]);
		}
		verified[round] = verify_rate(state);
	}
	printf("%u rounds of %u records; records a second:\n%-34s %10s %10s %10s %10s %10s\n", rounds, SLICE, "", "minimum", "quartile", "median",
		"quartile", "maximum");
	for (size_t b = 0; b < ARRAY_SIZE(batches); b++) {
		char what[64];

		snprintf(what, sizeof(what), "append, commit each %u", batches[b]);
		report(what, wall[b], rounds);
		snprintf(what, sizeof(what), "  the same by processor time");
		report(what, processor[b], rounds);
	}
	report("verify", verified, rounds);
	evidence_close(e);
	office_free(o);
	return system(command) != 0;
}
