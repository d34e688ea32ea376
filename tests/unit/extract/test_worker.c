/* Readers that misbehave in every way: the parent goes on, says what happened, leaves no process and no descriptor behind. This test has formats of its own. */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "extract/wire.h"
#include "extract/worker.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* no limit of memory, no filter of system calls then */
#else
#define SANITIZED 0
#endif

/* ---- a format that does what the document says ---- */

static bool says(str s, const char *word)
{
	return s.n > 8 && str_starts((str){ s.p + 8, s.n - 8 }, str_c(word));
}

static int bid_hostile(struct in *in, str head)
{
	return str_starts(head, STR("HOSTILE ")) ? 100 : 0;
}

static void raw(const void *p, size_t n)
{
	if (write(WORKER_SOCKET, p, n) < 0)
		_exit(9);
}

static void raw_frame(uint8_t kind, uint8_t zone, uint16_t flags, uint32_t n, const char *body, size_t sent)
{
	struct frame f = { .n = n, .kind = kind, .zone = zone, .flags = flags };

	raw(&f, sizeof(f));
	if (sent)
		raw(body, sent);
}

static void nonsense(str s)
{
	if (says(s, "nonsense kind"))
		raw_frame(200, 0, 0, 0, NULL, 0);
	else if (says(s, "nonsense length"))
		raw_frame(FRAME_TEXT, ZONE_BODY, 0, UINT32_MAX, NULL, 0);
	else if (says(s, "nonsense utf8"))
		raw_frame(FRAME_TEXT, ZONE_BODY, 0, 2, "\xc0\xaf", 2);
	else if (says(s, "nonsense nul"))
		raw_frame(FRAME_TEXT, ZONE_BODY, 0, 2, "a\0", 2);
	else if (says(s, "nonsense zone"))
		raw_frame(FRAME_TEXT, 77, 0, 1, "a", 1);
	else if (says(s, "nonsense cell"))
		raw_frame(FRAME_CELLS, 0, FRAME_NEW, 4, "\1\1\1x", 4);
	else if (says(s, "nonsense end"))
		for (int i = 0; i < 3; i++)
			raw_frame(FRAME_END, 0, 0, 4, "\0\0\0\0", 4);
	else if (says(s, "nonsense done"))
		raw_frame(FRAME_DONE, 0, 0, 0, NULL, 0);
	else if (says(s, "nonsense begin"))
		for (int i = 0; i < 100; i++)
			raw_frame(FRAME_BEGIN, 0, 0, 1, "a", 1);
	else if (says(s, "nonsense program"))
		raw_frame(FRAME_PROGRAM, 0, 0, 16, "\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	else if (says(s, "nonsense programs"))
		for (;;)
			raw_frame(FRAME_PROGRAM, 0, 0, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0", 16);
	for (;;)
		pause();
}

static int recurse(volatile int n)
{
	volatile char space[4096];

	space[0] = (char)n;
	return n < 0 ? 0 : recurse(n + 1) + space[0];
}

static int *nowhere;
static char *volatile hold;

static int read_hostile(struct in *in, struct sink *s)
{
	str whole;

	if (in_whole(in, 1 << 20, &whole) < 0)
		return -EIO;
	sink_text(s, ZONE_BODY, STR("before"));
	if (says(whole, "crash"))
		**(volatile int *volatile *)&nowhere = 1;
	if (says(whole, "abort"))
		abort();
	if (says(whole, "exit"))
		_exit(0);
	if (says(whole, "stack"))
		return recurse(0);
	if (says(whole, "hang"))
		for (;;)
			__asm__ volatile("");
	if (says(whole, "shut")) {
		close(WORKER_SOCKET);
		for (;;)
			pause();
	}
	if (says(whole, "memory")) /* as libraries do that cannot go on without */
		for (;;) { /* untouched: what counts is the address space */
			hold = malloc(32u << 20);
			if (!hold)
				abort();
		}
	if (says(whole, "leak")) {
		hold = malloc(100u << 20);
		if (!hold)
			abort();
		return 0;
	}
	if (says(whole, "nonsense"))
		nonsense(whole);
	if (says(whole, "flood"))
		while (!sink_full(s))
			sink_text(s, ZONE_BODY, STR("all work and no play makes a long text; "));
	if (says(whole, "slow"))
		poll(NULL, 0, 2000);
	if (says(whole, "open") && open("/etc/passwd", O_RDONLY) >= 0)
		sink_text(s, ZONE_BODY, STR("opened"));
	if (says(whole, "fork") && fork() >= 0)
		sink_text(s, ZONE_BODY, STR("forked"));
	return 0;
}

static const struct format format_hostile = { .name = "hostile", .mime = "text/x-hostile", .bid = bid_hostile, .read = read_hostile };

extern const struct format format_archive, format_text;
const struct format *const formats[] = { &format_hostile, &format_archive, &format_text, NULL };

/* ---- what is looked at ---- */

/* The deadline is never what ends a test here, but for the one that is about it: on a loaded machine a worker's start alone may take a second. */
static struct extract_limits small(void)
{
	struct extract_limits l = extract_limits_default;

	l.deadline_ms = 60000;
	l.memory = 256u << 20;
	return l;
}

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void assert_alone(void)
{
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static struct extractor *x;

static const char *say(const char *words)
{
	int fd = memory_file(str_c(words));
	const char *d = dump_fd(x, fd, "words");

	close(fd);
	return d;
}

static int setup(void **state)
{
	struct extract_limits l = small();

	return extractor_new(&l, OCR_NEVER, &x);
}

static int teardown(void **state)
{
	x = extractor_free(x);
	assert_alone();
	return 0;
}

static void test_ends(void **state)
{
	static const struct {
		const char *words, *error;
	} t[] = {
		{ "HOSTILE crash", " error: unreadable: its reader crashed (SEGV)" }, { "HOSTILE abort", " error: unreadable: its reader crashed (ABRT)" },
		{ "HOSTILE stack", " error: unreadable: its reader crashed (SEGV)" }, { "HOSTILE exit", " error: unreadable: its reader ended (0)" },
		{ "HOSTILE memory", " error: unreadable: too much memory" },
		{ "HOSTILE shut", " error: unreadable: its reader " },
	};
	unsigned before;

	say("warm");
	before = descriptors();
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *d;

		if (SANITIZED && (strstr(t[i].words, "memory") || strstr(t[i].words, "stack") || strstr(t[i].words, "abort") || strstr(t[i].words, "crash")))
			continue; /* its runtime answers those itself */
		d = say(t[i].words);
		assert_has(d, t[i].error);
		assert_has(d, "part \"\" text/x-hostile"); /* type and hash were known before */
		assert_has_not(d, "no hash");
		assert_has(say("and on it goes"), " body 1: and on it goes\n");
		assert_int_equal(descriptors(), before);
	}
}

/* A deadline that is over before the first part is told says nothing of it: then once more. */
static void test_deadline(void **state)
{
	struct extract_limits l = small();
	int fd = memory_file(STR("HOSTILE hang"));
	struct extractor *y;

	for (l.deadline_ms = 1500; l.deadline_ms <= 24000; l.deadline_ms *= 2) {
		char error[64];
		const char *d;
		bool begun;

		snprintf(error, sizeof(error), " error: unreadable: took longer than %g s", l.deadline_ms / 1000.0);
		assert_int_equal(extractor_new(&l, OCR_NEVER, &y), 0);
		d = dump_fd(y, fd, "words");
		assert_has(d, error);
		begun = strstr(d, "part \"\" text/x-hostile") && !strstr(d, "no hash");
		extractor_free(y);
		assert_alone();
		if (begun)
			break;
	}
	assert_true(l.deadline_ms <= 24000);
	close(fd);
}

static void test_nonsense(void **state)
{
	static const char *const kinds[] = { "kind", "length", "utf8", "nul", "zone", "cell", "end", "done", "begin", "program", "programs" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char words[64];

		snprintf(words, sizeof(words), "HOSTILE nonsense %s ", kinds[i]);
		if (strcmp(kinds[i], "end") == 0) /* the first closes the document; what follows breaks the rules */
			assert_has(say(words), "part \"\" text/x-hostile");
		else
			assert_has(say(words), "error: unreadable: ");
		assert_has(say("and on it goes"), " body 1: and on it goes\n");
	}
}

/* A worker that earlier documents have used up is not what the next one is judged by. */
static void test_used_up(void **state)
{
	for (int i = 0; i < 6; i++)
		assert_has_not(say("HOSTILE leak"), "error");
	assert_has(say("fine"), " body 1: fine\n");
}

static void test_flood(void **state)
{
	struct extract_limits l = small();
	struct extractor *y;
	int fd = memory_file(STR("HOSTILE flood"));
	const char *d;

	l.text_max = 1 << 20;
	assert_int_equal(extractor_new(&l, OCR_NEVER, &y), 0);
	d = dump_fd(y, fd, "");
	assert_has(d, "flags: cut");
	assert_true(strlen(d) <= (1 << 20) + 200);
	extractor_free(y);
	close(fd);
}

static void test_shut_in(void **state)
{
	const char *why = NULL;

	assert_non_null(extract_sandbox(&why));
	assert_null(why);
	assert_has_not(say("HOSTILE open"), "opened");
	if (!SANITIZED)
		assert_has_not(say("HOSTILE fork"), "forked");
}

static pid_t worker_of(void)
{
	char path[64], list[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, list, sizeof(list) - 1) < 0)
		list[0] = '\0';
	close(fd);
	return atoi(list);
}

/* After so many files there is another one; and one that died between two documents is replaced. */
static void test_replaced(void **state)
{
	struct extract_limits l = small();
	struct extractor *y;
	int fd = memory_file(STR("words"));
	pid_t first, second;
	siginfo_t dead;

	l.files = 3;
	assert_int_equal(extractor_new(&l, OCR_NEVER, &y), 0);
	assert_int_equal(worker_of(), 0); /* lazily */
	for (int i = 0; i < 2; i++)
		assert_has(dump_fd(y, fd, ""), "words");
	first = worker_of();
	assert_true(first > 0);
	assert_has(dump_fd(y, fd, ""), "words");
	assert_int_equal(worker_of(), 0);
	assert_has(dump_fd(y, fd, ""), "words");
	second = worker_of();
	assert_true(second > 0 && second != first);
	kill(second, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)second, &dead, WEXITED | WNOWAIT), 0);
	assert_has(dump_fd(y, fd, ""), " body 1: words\n");
	extractor_free(y);
	close(fd);
	assert_alone();
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_not_regular(void **state)
{
	int p[2], null = open("/dev/zero", O_RDONLY), dir = open("/", O_RDONLY | O_DIRECTORY), write_only;
	char path[] = "/tmp/tyto-extract-XXXXXX";

	assert_int_equal(pipe(p), 0);
	assert_has(dump_fd(x, p[0], "fifo"), "error: unreadable: not a regular file");
	assert_has(dump_fd(x, null, "zero"), "error: unreadable: not a regular file");
	assert_has(dump_fd(x, dir, "/"), "error: unreadable: not a regular file");
	close(mkstemp(path));
	write_only = open(path, O_WRONLY);
	assert_int_equal(write(write_only, "words", 5), 5);
	assert_has(dump_fd(x, write_only, "a.txt"), " error: unreadable: read error");
	unlink(path);
	close(write_only);
	close(p[0]);
	close(p[1]);
	close(null);
	close(dir);
}

/* Ten gigabytes that are not there. */
static void test_sparse(void **state)
{
	struct extract_limits l = extract_limits_default;
	int fd = memfd_create("sparse", MFD_CLOEXEC);
	int64_t start = now_ms();
	struct extractor *y;

	assert_int_equal(ftruncate(fd, 10ll << 30), 0);
	assert_int_equal(extractor_new(&l, OCR_NEVER, &y), 0);
	assert_has(dump_fd(y, fd, "big.txt"), "10737418240 bytes");
	assert_has(dump_fd(y, fd, "big.txt"), " error: too large");
	assert_true(now_ms() - start < l.deadline_ms); /* two of them, and neither was ended by its deadline */
	extractor_free(y);
	close(fd);
}

/* Reading its bytes takes longer than looking into it may: a slow disk is not held against a document. */
static void test_slow_disk(void **state)
{
	struct extract_limits l = extract_limits_default;
	int fd = memfd_create("large", MFD_CLOEXEC);
	struct extractor *y;

	l.deadline_ms = 200; /* three gigabytes are not hashed in that */
	assert_int_equal(ftruncate(fd, 3ll << 30), 0);
	assert_int_equal(extractor_new(&l, OCR_NEVER, &y), 0);
	assert_has_not(dump_fd(y, fd, "large.bin"), "error");
	extractor_free(y);
	close(fd);
}

struct writer {
	int fd;
	volatile bool stop;
};

/* The same again and again: one of these lies within the reading, whenever that begins. */
static void *write_again(void *arg)
{
	struct writer *w = arg;

	while (!w->stop) {
		(void)!pwrite(w->fd, "HOSTILE slow", 12, 0);
		usleep(20000);
	}
	return NULL;
}

static void *cut_and_grow(void *arg)
{
	struct writer *w = arg;

	for (unsigned i = 0; !w->stop; i++) {
		(void)!ftruncate(w->fd, i % 2 ? 40 << 20 : 100);
		usleep(500);
	}
	return NULL;
}

static int scratch_file(void)
{
	char path[] = "/tmp/tyto-extract-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

/* Written to while it is read: that is said. */
static void test_changed(void **state)
{
	struct extract_limits l = extract_limits_default;
	struct writer w = { .fd = scratch_file() };
	struct extractor *y;
	pthread_t t;

	assert_int_equal(write(w.fd, "HOSTILE slow", 12), 12);
	assert_int_equal(extractor_new(&l, OCR_NEVER, &y), 0);
	assert_has_not(dump_fd(y, w.fd, "a.txt"), "error");
	assert_int_equal(pthread_create(&t, NULL, write_again, &w), 0);
	assert_has(dump_fd(y, w.fd, "a.txt"), " error: unreadable: changed while it was read");
	w.stop = true;
	pthread_join(t, NULL);
	extractor_free(y);
	close(w.fd);
}

/* Cut and grown all the time: whatever is seen of it, nothing crashes. */
static void test_shrinking(void **state)
{
	struct extract_limits l = extract_limits_default;
	struct writer w = { .fd = scratch_file() };
	struct extractor *y;
	pthread_t t;

	for (int i = 0; i < 40; i++) {
		static char page[1 << 20];

		memset(page, 'a' + i % 26, sizeof(page));
		page[sizeof(page) - 1] = '\n';
		assert_int_equal(write(w.fd, page, sizeof(page)), sizeof(page));
	}
	assert_int_equal(extractor_new(&l, OCR_NEVER, &y), 0);
	assert_int_equal(pthread_create(&t, NULL, cut_and_grow, &w), 0);
	for (int i = 0; i < 5; i++)
		assert_has_not(dump_fd(y, w.fd, "a.txt"), "its reader");
	w.stop = true;
	pthread_join(t, NULL);
	extractor_free(y);
	close(w.fd);
}

/* The caller has had enough: the worker goes, the next document has its own. */
static int stop_at_once(void *arg, const struct extract_part *p)
{
	(*(unsigned *)arg)++;
	return 1;
}

static void test_caller_stops(void **state)
{
	static const struct member m[] = { { "a.txt", STR("one") }, { "b.txt", STR("two") }, { NULL } };
	_cleanup_buf_ struct buf zip = BUF_INIT;
	unsigned parts = 0;
	int fd;

	make_archive(&zip, "zip", NULL, NULL, m);
	fd = memory_file(buf_str(&zip));
	assert_int_equal(extract_file(x, fd, STR("a.zip"), stop_at_once, &parts), 0);
	assert_int_equal(parts, 1);
	close(fd);
	assert_has(say("next"), " body 1: next\n");
}

/* A part that crashes leaves what came before it, and is named; so is what holds it. */
static void test_crash_inside(void **state)
{
	static const struct member m[] = { { "a.txt", STR("one") }, { "b.bin", STR("HOSTILE crash") }, { "c.txt", STR("three") }, { NULL } };
	_cleanup_buf_ struct buf zip = BUF_INIT;
	const char *d;
	int fd;

	make_archive(&zip, "zip", NULL, NULL, m);
	fd = memory_file(buf_str(&zip));
	d = dump_fd(x, fd, "a.zip");
	close(fd);
	assert_has(d, "part \"a.txt\" text/plain 3 bytes\n body 1: one\npart \"b.bin\" text/x-hostile 13 bytes\n");
	assert_has(d, "part \"\" application/zip");
	assert_has(strstr(d, "part \"\""), " error: unreadable: its reader crashed");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_ends, setup, teardown), cmocka_unit_test(test_deadline),
	cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
	cmocka_unit_test_setup_teardown(test_used_up, setup, teardown), cmocka_unit_test(test_flood),
	cmocka_unit_test_setup_teardown(test_shut_in, setup, teardown), cmocka_unit_test(test_replaced),
	cmocka_unit_test_setup_teardown(test_not_regular, setup, teardown), cmocka_unit_test(test_sparse), cmocka_unit_test(test_slow_disk),
	cmocka_unit_test(test_changed), cmocka_unit_test(test_shrinking), cmocka_unit_test_setup_teardown(test_caller_stops, setup, teardown),
	cmocka_unit_test_setup_teardown(test_crash_inside, setup, teardown),
};
EXTRACT_TEST_MAIN(tests)
