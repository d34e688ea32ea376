/* tyto trace: this turned up outside; what is it from, and who had it? */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/lookup.h"
#include "cli/trace_out.h"
#include "daemon/state.h"
#include "document/walk.h"

#define FILES_MAX 256
#define STREAM_MAX (256u << 20) /* of standard input or a pipe: kept in memory */
#define DEADLINE_MS 900000      /* somebody waits for the pictures of a long scan, and may interrupt */

static const char *page, *ocr;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "output", 'o', OPT_TEXT, &page, "FILE", "the same as one page of HTML that needs nothing else" },
		{ "ocr", 0, OPT_TEXT, &ocr, "WHEN", "read pictures of the leak: now (the default) or never" },
		OPT_END,
	};
	return o;
}

/* --- progress: readers and pictures take their time --- */

struct ticker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	const char *what, *file;
	bool on, end;
};

static void *tick(void *arg)
{
	struct ticker *t = arg;
	_cleanup_buf_ struct buf name = BUF_INIT;
	unsigned seconds = 0;

	buf_put_visible(&name, str_c(t->file));
	pthread_mutex_lock(&t->lock);
	while (!t->end) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (pthread_cond_timedwait(&t->wake, &t->lock, &until) == ETIMEDOUT && !t->end)
			fprintf(stderr, "\r%s %.*s, %u s\033[K", t->what, (int)MIN(name.n, (size_t)60), name.p, ++seconds);
	}
	if (seconds)
		fputs("\r\033[K", stderr);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void ticker_begin(struct ticker *t, const char *what, const char *file)
{
	*t = (struct ticker){ .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .what = what, .file = file };
	t->on = progress_on() && pthread_create(&t->thread, NULL, tick, t) == 0;
}

static void ticker_end(struct ticker *t)
{
	if (!t->on)
		return;
	pthread_mutex_lock(&t->lock);
	t->end = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
}

/* --- opening leaks --- */

static int pour(int from, int to, const char *name)
{
	_cleanup_free_ char *chunk = malloc(1 << 16);
	uint64_t all = 0;
	ssize_t n;

	if (!chunk)
		return -ENOMEM;
	for (;;) {
		struct pollfd p[] = { { .fd = from, .events = POLLIN }, { .fd = interrupt_fd(), .events = POLLIN } };

		n = poll(p, 2, -1) < 0 ? -1 : p[1].revents ? 0 : read(from, chunk, 1 << 16);
		if (interrupted())
			return -EINTR;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		all += (uint64_t)n;
		if (all > STREAM_MAX) {
			log_error("%s: more than %u MiB come from there: give it as a file", name, STREAM_MAX >> 20);
			return -EFBIG;
		}
		if (write(to, chunk, (size_t)n) != n)
			return -EIO;
	}
}

/* A reader wants a file: what comes from a pipe is kept in memory. */
static int keep_stream(int from, const char *name)
{
	int fd = memfd_create("leak", MFD_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = pour(from, fd, name);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Opened with the rights of whoever asks, before these are given up. */
static int open_leak(const char *name)
{
	_cleanup_close_ int fd = strcmp(name, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
		open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
	} else if (S_ISREG(st.st_mode)) {
		r = fd;
		fd = -1;
	} else if (S_ISDIR(st.st_mode)) {
		r = -EISDIR;
	} else {
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
		r = keep_stream(fd, name);
	}
	if (r < 0 && r != -EFBIG)
		log_error("%s: %s", name, strerror(-r));
	return r;
}

/* Made now, written at the end: an old page stays until there is a new one. */
static int open_page(void)
{
	struct stat st;
	int fd = open(page, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	log_error("%s: %s", page, fd < 0 ? strerror(errno) : "expected a file");
	if (fd >= 0)
		close(fd);
	return -EIO;
}

static int write_page(int fd, const struct found *f, size_t n, const struct trace_asked *a)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t done = 0;

	trace_html(&b, f, n, a);
	if (buf_error(&b)) {
		log_error("%s: %s", page, strerror(-buf_error(&b)));
		return buf_error(&b);
	}
	while (done < b.n) {
		ssize_t k = pwrite(fd, b.p + done, b.n - done, (off_t)done);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		done += (size_t)k;
	}
	if (done == b.n && ftruncate(fd, (off_t)b.n) == 0)
		return 0;
	log_error("%s: %s", page, strerror(errno));
	return -EIO;
}

/* --- one after the other --- */

struct job {
	char *const *names;
	int fds[FILES_MAX];
	size_t n;
	struct walk *walk;
	struct found *found; /* of each that could be read */
	size_t n_found;
	bool partly;
};

static bool unread(const struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->parts[i].error.n)
			return true;
	return f->more > 0;
}

static void name_unread(const struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		_cleanup_buf_ struct buf line = BUF_INIT;

		if (f->parts[i].error.n == 0)
			continue;
		buf_put_visible(&line, buf_str(&f->parts[i].file));
		buf_puts(&line, STR(": "));
		buf_put_visible(&line, buf_str(&f->parts[i].error));
		if (buf_cstr(&line))
			log_error("%s", line.p);
	}
}

/* Made when it is needed: one that reads pictures takes a third of a second to begin. */
struct readers {
	struct extractor *quick, *pictures;
	bool ocr;
};

static int read_with(struct extractor **x, enum ocr_mode mode, int fd, const char *name, struct found *ret)
{
	const struct extract_limits *d = &extract_limits_default;
	const struct extract_limits limits = { .file_max = d->file_max, .text_max = d->text_max, .deadline_ms = DEADLINE_MS, .memory = d->memory,
		.files = d->files };
	struct ticker t;
	int r = *x ? 0 : extractor_new(&limits, mode, x);

	if (r < 0) {
		log_error("no reader can be started: %s", strerror(-r));
		return r;
	}
	ticker_begin(&t, mode == OCR_NOW ? "reading the pictures of" : "reading", name);
	r = found_read(*x, fd, name, ret);
	ticker_end(&t);
	return r;
}

static bool wants_pictures(const struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->parts[i].text.wants_ocr)
			return true;
	return false;
}

static int read_leak(struct readers *x, int fd, const char *name, struct found *ret)
{
	int r = read_with(&x->quick, x->ocr ? OCR_LATER : OCR_NEVER, fd, name, ret);

	if (r < 0 || !x->ocr || !wants_pictures(ret))
		return r;
	found_free(ret);
	return read_with(&x->pictures, OCR_NOW, fd, name, ret);
}

static int trace_one(struct job *j, struct readers *x, struct finder *finder, size_t i, const struct trace_asked *a)
{
	struct found *f = &j->found[j->n_found];
	struct ticker t;
	int r = read_leak(x, j->fds[i], j->names[i], f);

	if (r < 0)
		return r;
	j->n_found++;
	j->partly |= unread(f);
	name_unread(f);
	ticker_begin(&t, "looking for the sources of", j->names[i]);
	r = finder_trace(finder, f);
	ticker_end(&t);
	if (r < 0)
		return r;
	if (cli.json)
		trace_json(f);
	else if (!cli.quiet || !page)
		trace_show(f, a);
	return stdout_flush();
}

static int trace_all(struct job *j, const struct trace_asked *a, int page_fd)
{
	const struct finder_config c = { .state = cli.state, .walk = j->walk, .mask = lookup_mask(), .since = cli.since, .until = cli.until,
		.limit = cli.limit };
	struct readers x = { .ocr = !ocr || strcmp(ocr, "never") != 0 };
	struct finder *finder = NULL;
	int r = finder_open(&c, &finder);

	for (size_t i = 0; r == 0 && i < j->n; i++)
		if (j->fds[i] >= 0)
			r = trace_one(j, &x, finder, i, a);
	if (r == 0 && page_fd >= 0)
		r = write_page(page_fd, j->found, j->n_found, a);
	if (r == 0 && page_fd >= 0)
		log_info("written to %s", page);
	extractor_free(x.quick);
	extractor_free(x.pictures);
	finder_close(finder);
	return r;
}

/* The walker is begun with our rights and opens the sources; we become the state's owner, who reads them. */
static int give_up_rights(struct job *j)
{
	char root[] = "/", *const paths[] = { root };
	struct account owner;
	const char *why = "";
	int r = state_prepare(cli.state, false, &owner, &why);

	if (r == -EACCES || r == -EPERM) {
		log_error("a trace reads the documents themselves: run it as root, or as the owner of the state %s", cli.state);
		return r;
	}
	if (r == 0) {
		r = walk_start(paths, 1, NULL, false, &j->walk);
		if (r < 0)
			why = strerror(-r);
	}
	if (r == 0)
		r = state_enter(&owner, cli.state, &why);
	if (r < 0)
		log_error("%s", why);
	return r;
}

static int open_all(struct job *j, int argc)
{
	size_t good = 0;

	j->n = (size_t)argc;
	for (size_t i = 0; i < j->n; i++) {
		j->fds[i] = open_leak(j->names[i]);
		good += j->fds[i] >= 0;
		j->partly |= j->fds[i] < 0;
	}
	return good ? 0 : -ENOENT;
}

static int check(int argc, char **argv)
{
	size_t streams = 0;

	for (int i = 0; i < argc; i++)
		streams += strcmp(argv[i], "-") == 0;
	if (argc > FILES_MAX)
		return usage_error("at most %d files at once", FILES_MAX);
	if (streams > 1)
		return usage_error("standard input can be read once");
	if (ocr && strcmp(ocr, "now") != 0 && strcmp(ocr, "never") != 0)
		return usage_error("--ocr %s: expected now or never", ocr);
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	const struct trace_asked a = { .since = cli.since, .until = cli.until, .all = cli.verbose };
	struct job j = { .names = argv };
	_cleanup_close_ int page_fd = -1;
	int r = check(argc, argv), unmasked;

	if (r != EXIT_DONE)
		return r;
	/* Nothing of ours is half done when it is interrupted. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (open_all(&j, argc) < 0)
		return EXIT_PARTLY;
	if (page && (page_fd = open_page()) < 0)
		return EXIT_FAILED;
	j.found = calloc(j.n, sizeof(*j.found));
	r = j.found ? give_up_rights(&j) : -ENOMEM;
	unmasked = r == 0 ? lookup_unmask() : EXIT_DONE;
	if (r == 0 && unmasked == EXIT_DONE)
		r = trace_all(&j, &a, page_fd);
	walk_end(j.walk);
	for (size_t i = 0; i < j.n_found; i++)
		found_free(&j.found[i]);
	free(j.found);
	for (size_t i = 0; i < j.n; i++)
		if (j.fds[i] >= 0)
			close(j.fds[i]);
	if (unmasked != EXIT_DONE)
		return unmasked;
	if (r < 0)
		return r == -EPIPE ? EXIT_DONE : exit_status(r);
	lookup_say_unknown();
	return j.partly ? EXIT_PARTLY : EXIT_DONE;
}

const struct command cmd_trace = {
	.name = "trace", .args = "FILE…", .summary = "this turned up outside: what it is from, and who had it",
	.examples = "  tyto trace leak.pdf                         the documents that it is from, the passages, who had them\n"
		    "  tyto trace --since 2026-03-01 photo.jpg     only who had them since then\n"
		    "  tyto trace - <fragment.txt                  a fragment from standard input\n"
		    "  tyto trace -o report.html mail.eml          the same as a page; attachments are traced, too\n",
	.notes = "FILE is a copy, a fragment, a converted file, a table, a scan or a photo; archives and mails are opened. It is compared with "
	"what\n"
		 "`tyto scan` has seen. exact: the same bytes. source: text or identifiers that no other document has. shared: known, but from many\n"
		 "documents; nobody is named. none. -n N shows the first N sources, -v every passage and person. What cannot be read is named (exit\n"
		 "status 3). It reads the documents themselves: for root, or the owner of the state.\n",
	.options = options, .run = run, .needs_args = true,
};
