/* tyto demo: a small share, people at work, a theft; then what the record says of it, and whether it can be trusted. Nothing is canned:
 * each answer comes from this program, run as a user would run it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/demo.h"
#include "cli/files.h"
#include "cli/show.h"
#include "cli/term.h"
#include "daemon/query.h"

#define WAIT_NS (20 * NSEC_PER_SEC)
#define LIVE_LINES 10
#define RELAY_INDENT 3

struct demo {
	char dir[64], state[96], share[96], loot[96], copy[96], people[96];
	bool mounted;
	pid_t watch;
	int live; /* stdout and stderr of watch */
	struct buf text;
	int step;
};

static void say(const char *fmt, ...) _printf_(1, 2);
static void say(const char *fmt, ...)
{
	va_list ap;
	char text[1024];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_puts(out(), str_c(text));
	buf_putc(out(), '\n');
	stdout_flush();
}

static void heading(struct demo *d, const char *text)
{
	bool color = stdout_color();

	say("\n%s%d. %s%s", color ? "\033[1m" : "", ++d->step, text, color ? "\033[0m" : "");
}

/* --- running ourselves --- */

static pid_t start(const char *const *argv, int output)
{
	pid_t pid = fork();

	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		if (output >= 0) {
			dup2(output, STDOUT_FILENO);
			dup2(output, STDERR_FILENO);
		}
		execv("/proc/self/exe", (char *const *)argv);
		_exit(127);
	}
	return pid;
}

/* Shows the command as one would type it, and what it prints. Returns its exit status. */
static int run_tyto(struct demo *d, const char *const *args, bool show)
{
	const char *argv[16] = { "tyto" };
	int n = 1, status;
	pid_t pid;

	if (interrupted())
		return -1;
	for (; args[n - 1]; n++)
		argv[n] = args[n - 1];
	argv[n++] = "--state";
	argv[n] = d->state;
	if (show) {
		buf_puts(out(), STR("   $ tyto"));
		for (int i = 0; args[i]; i++)
			buf_putf(out(), strpbrk(args[i], " *") ? " '%s'" : " %s", args[i]);
		buf_putc(out(), '\n');
	}
	stdout_flush();
	pid = start(argv, -1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A line of the live record; the share's own path, the same in each, is left out. */
static void say_line(const struct demo *d, str line)
{
	size_t share = strlen(d->share);

	term_spaces(RELAY_INDENT);
	while (line.n) {
		const char *at = memmem(line.p, line.n, d->share, share);
		bool below = at && at + share < line.p + line.n && at[share] == '/';
		size_t n = below ? (size_t)(at - line.p) : line.n;

		buf_put(out(), line.p, n);
		if (below)
			n += share + 1;
		line = (str){ line.p + n, line.n - n };
	}
	buf_putc(out(), '\n');
	stdout_flush();
}

/* Reads what `watch` prints until nothing came for quiet_ms; prints at most `lines` lines, counts all. */
static unsigned relay(struct demo *d, int quiet_ms, unsigned lines, const char *until)
{
	int64_t limit = time_boottime() + WAIT_NS;
	unsigned n = 0;

	buf_clear(&d->text);
	while (time_boottime() < limit && !interrupted()) {
		struct pollfd p = { .fd = d->live, .events = POLLIN };
		const char *end;
		ssize_t got;

		if (poll(&p, 1, until ? 200 : quiet_ms) == 0 && !until)
			break;
		if (buf_reserve(&d->text, 4096) < 0)
			break;
		got = read(d->live, d->text.p + d->text.n, 4096);
		if (got == 0)
			break;
		if (got < 0)
			continue;
		d->text.n += (size_t)got;
		while ((end = memchr(d->text.p, '\n', d->text.n))) {
			str line = { d->text.p, (size_t)(end - d->text.p) };
			bool last = until && memmem(line.p, line.n, until, strlen(until));

			if (n++ < lines)
				say_line(d, line);
			memmove(d->text.p, end + 1, d->text.n - line.n - 1);
			d->text.n -= line.n + 1;
			if (last)
				return n;
		}
	}
	return n;
}

static int watch_start(struct demo *d, bool first)
{
	const char *argv[] = { "tyto", "watch", "--state", d->state, d->share, first ? "--people" : NULL, d->people, NULL };
	unsigned columns = term_columns();
	char width[16];
	int pipe_fds[2];

	if (interrupted())
		return -EINTR;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	/* What it prints is shown on our terminal by say_line(). */
	snprintf(width, sizeof(width), "%zu", columns - RELAY_INDENT + strlen(d->share) + 1);
	if (columns > RELAY_INDENT)
		setenv(TERM_COLUMNS_ENV, width, 1);
	d->watch = start(argv, pipe_fds[1]);
	unsetenv(TERM_COLUMNS_ENV);
	close(pipe_fds[1]);
	d->live = pipe_fds[0];
	fcntl(d->live, F_SETFL, O_NONBLOCK);
	return relay(d, 0, 4, "watching /") ? 0 : -EIO;
}

static void watch_stop(struct demo *d)
{
	int64_t limit = time_boottime() + WAIT_NS;
	int status;

	if (d->watch <= 0)
		return;
	kill(d->watch, SIGTERM);
	while (waitpid(d->watch, &status, WNOHANG) == 0) {
		if (time_boottime() > limit)
			kill(d->watch, SIGKILL);
		usleep(20000);
	}
	d->watch = 0;
	close_fd(&d->live);
}

/* --- leaving nothing behind --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void clean_up(struct demo *d)
{
	watch_stop(d);
	if (d->mounted)
		umount2(d->share, MNT_DETACH);
	remove_tree(d->dir);
	buf_free(&d->text);
}

static int prepare(struct demo *d, bool mount_share)
{
	_cleanup_buf_ struct buf people = BUF_INIT;

	snprintf(d->dir, sizeof(d->dir), "/tmp/tyto-demo.XXXXXX");
	if (!mkdtemp(d->dir) || chmod(d->dir, 0755) < 0)
		return -errno;
	snprintf(d->state, sizeof(d->state), "%s/state", d->dir);
	snprintf(d->share, sizeof(d->share), "%s/share", d->dir);
	snprintf(d->loot, sizeof(d->loot), "%s/usb-stick", d->dir);
	snprintf(d->copy, sizeof(d->copy), "%s/copy", d->dir);
	snprintf(d->people, sizeof(d->people), "%s/people.csv", d->dir);
	demo_people(&people);
	if (files_write(d->people, buf_str(&people)) < 0)
		return -EIO;
	if (mkdir(d->share, 0755) < 0 || mkdir(d->loot, 0777) < 0 || chmod(d->loot, 0777) < 0)
		return -errno;
	/* A filesystem of its own: nothing else on this machine is touched or slowed. */
	if (mount_share && mount("tyto-demo", d->share, "tmpfs", MS_NOSUID | MS_NODEV, "size=32m,mode=0755") < 0)
		return -errno;
	d->mounted = mount_share;
	return demo_share(d->share);
}

/* --- what the record says --- */

struct tally {
	const char *name;
	uint64_t records, reads;
	int64_t first, last;
};

static int count_person(void *arg, const struct event *e)
{
	struct tally *t = arg;

	for (; t->name; t++) {
		if (!event_has(e, EV_PERSON) || !str_eq(e->person, str_c(t->name)))
			continue;
		t->records++;
		t->reads += e->verb == VERB_READ;
		t->first = t->first ? t->first : e->time;
		t->last = e->time;
	}
	return 0;
}

static int tell_persons(struct demo *d)
{
	struct tally t[8] = { 0 };
	struct index_filter f = { 0 };
	int r;

	for (size_t i = 0; demo_roles[i].name; i++)
		t[i].name = demo_roles[i].name;
	r = query_events(d->state, &f, false, count_person, t);
	if (r < 0)
		return r;
	for (struct tally *p = t; p->name; p++)
		say("   %-10s %3llu records; documents read: %llu; within %.1f s", p->name, (unsigned long long)p->records, (unsigned long long)p->reads,
			(double)(p->last - p->first) / NSEC_PER_SEC);
	return 0;
}

/* One bit of one byte in the middle of the newest journal of a copy. */
static int flip_byte(struct demo *d)
{
	char command[512], file[512] = "", byte;
	_cleanup_close_ int fd = -1;
	struct stat st;
	FILE *p;

	snprintf(command, sizeof(command), "cp -a '%s' '%s' && ls '%s'/log/journal-*", d->state, d->copy, d->copy);
	p = popen(command, "r");
	if (!p || !fgets(file, sizeof(file), p)) {
		if (p)
			pclose(p);
		return -EIO;
	}
	pclose(p);
	file[strcspn(file, "\n")] = '\0';
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || pread(fd, &byte, 1, st.st_size / 2) != 1)
		return -EIO;
	byte ^= 1;
	return pwrite(fd, &byte, 1, st.st_size / 2) == 1 ? 0 : -EIO;
}

static int prove(struct demo *d)
{
	const char *const verify[] = { "verify", NULL };
	char state[96];
	int r;

	heading(d, "Can it be trusted? From the first byte to the last signature:");
	if (run_tyto(d, verify, true) != EXIT_DONE)
		return -EUCLEAN;
	say("   One bit is changed in a copy of the log:");
	r = flip_byte(d);
	if (r < 0)
		return r;
	memcpy(state, d->state, sizeof(state));
	memcpy(d->state, d->copy, sizeof(state));
	r = run_tyto(d, verify, true);
	memcpy(d->state, state, sizeof(state));
	say("   exit status %d", r);
	return r == EXIT_DAMAGED ? 0 : -EUCLEAN;
}

static int ask(struct demo *d)
{
	char path[256];
	const char *const who[] = { "who", path, NULL };

	snprintf(path, sizeof(path), "%s/" DEMO_CLIENTS, d->share);
	return run_tyto(d, who, true) == EXIT_DONE ? 0 : -EIO;
}

static int take_inventory(struct demo *d)
{
	const char *const scan[] = { "scan", "--ocr", "never", d->share, NULL };

	heading(d, "What documents there are, and how sensitive");
	return run_tyto(d, scan, true) == EXIT_DONE ? 0 : -EIO;
}

static int trace(struct demo *d)
{
	char path[128];
	const char *const trace[] = { "trace", path, NULL };
	int r;

	heading(d, "A fragment turns up outside: what is it from, and who had that?");
	snprintf(path, sizeof(path), "%s/fragment.txt", d->dir);
	r = demo_fragment(path);
	if (r < 0)
		return r;
	return run_tyto(d, trace, true) == EXIT_DONE ? 0 : -EIO;
}

/* Waits until everything is in the index again. */
static int wait_indexed(struct demo *d)
{
	int64_t limit = time_boottime() + WAIT_NS;

	while (time_boottime() < limit && !interrupted()) {
		json_t *request = json_pack("{s:s}", "do", "status"), *j = NULL;
		int r = query_ask(d->state, request, &j);
		uint64_t indexed = (uint64_t)json_integer_value(json_object_get(j, "indexed"));
		bool done = r == 0 && indexed && indexed + 64 >= (uint64_t)json_integer_value(json_object_get(j, "leaves"));

		json_decref(request);
		json_decref(j);
		if (done) {
			say("   rebuilt: %llu leaves indexed", (unsigned long long)indexed);
			return 0;
		}
		usleep(200000);
	}
	return -ETIMEDOUT;
}

/* The detectors read behind the record. */
static int wait_alert(struct demo *d)
{
	int64_t limit = time_boottime() + WAIT_NS;

	while (time_boottime() < limit && !interrupted()) {
		json_t *request = json_pack("{s:s}", "do", "status"), *j = NULL;
		int r = query_ask(d->state, request, &j);
		bool raised = r == 0 && json_integer_value(json_object_get(json_object_get(j, "alerts"), "open")) > 0;

		json_decref(request);
		json_decref(j);
		if (raised)
			return 0;
		usleep(100000);
	}
	return -ETIMEDOUT;
}

static int tell_alerts(struct demo *d)
{
	const char *const alerts[] = { "alerts", NULL };

	heading(d, "Is somebody taking our documents?");
	return run_tyto(d, alerts, true) == EXIT_DONE ? 0 : -EIO;
}

static void drop_index(const struct demo *d)
{
	char index[128];

	snprintf(index, sizeof(index), "%s/index", d->state);
	remove_tree(index);
}

static int story(struct demo *d)
{
	const char *const status[] = { "status", NULL };
	int r;

	r = take_inventory(d);
	if (r < 0)
		return r;
	heading(d, "The share is watched (a small filesystem of its own, removed at the end)");
	r = watch_start(d, true);
	if (r < 0)
		return r;
	heading(d, "Three people work; this is the live record (paths below the share)");
	r = demo_office(d->share);
	if (r < 0)
		return r;
	relay(d, 700, 99, NULL);
	heading(d, "A fourth helps himself to everything");
	r = demo_theft(d->share, d->loot);
	if (r < 0)
		return r;
	unsigned n = relay(d, 700, LIVE_LINES, NULL);

	say("   … and %u more lines", n > LIVE_LINES ? n - LIVE_LINES : 0);
	heading(d, "What the record says of each");
	r = tell_persons(d);
	if (r == 0)
		r = wait_alert(d);
	if (r == 0)
		r = tell_alerts(d);
	if (r < 0)
		return r;
	heading(d, "Who had the client list?");
	r = ask(d);
	if (r == 0)
		r = trace(d);
	if (r < 0)
		return r;
	watch_stop(d);
	r = prove(d);
	if (r < 0)
		return r;
	heading(d, "The index is deleted and built again from the record, by the next start");
	drop_index(d);
	r = watch_start(d, false);
	if (r == 0)
		r = wait_indexed(d);
	if (r == 0)
		r = ask(d);
	if (r < 0)
		return r;
	heading(d, "Losses, and the time in which nobody watched");
	if (run_tyto(d, status, true) != EXIT_DONE)
		return -EIO;
	return 0;
}

/* Without root the kernel cannot be asked; the records come from a file then, and everything behind it is the same. */
static int story_imported(struct demo *d)
{
	_cleanup_buf_ struct buf records = BUF_INIT;
	char file[128];
	const char *import[] = { "import", "--people", d->people, file, NULL };
	const char *const people[] = { "people", "import", d->people, NULL };
	const char *const events[] = { "events", "-n", "8", NULL };
	const char *const status[] = { "status", NULL };
	int r;

	say("Not root: the kernel cannot be asked for accesses. The same story comes from a file of records instead, through `tyto import`.");
	snprintf(file, sizeof(file), "%s/office.jsonl", d->dir);
	demo_records(&records, d->share);
	if (files_write(file, buf_str(&records)) < 0)
		return -EIO;
	heading(d, "Records of three people at work, and of a fourth who helps himself");
	if (run_tyto(d, import, true) != EXIT_DONE || run_tyto(d, events, true) != EXIT_DONE)
		return -EIO;
	heading(d, "What the record says of each");
	r = tell_persons(d);
	if (r == 0)
		r = tell_alerts(d);
	if (r == 0) {
		heading(d, "Who had the client list?");
		r = ask(d);
	}
	if (r == 0)
		r = take_inventory(d);
	if (r == 0)
		r = trace(d);
	if (r == 0)
		r = prove(d);
	if (r < 0)
		return r;
	heading(d, "The index is deleted and built again from the record, by the next command that writes");
	drop_index(d);
	r = run_tyto(d, people, true) == EXIT_DONE ? ask(d) : -EIO;
	if (r < 0)
		return r;
	heading(d, "Losses, and how far the index is");
	return run_tyto(d, status, true) == EXIT_DONE ? 0 : -EIO;
}

static int run(int argc, char **argv)
{
	struct demo d = { .live = -1 };
	bool root = geteuid() == 0;
	int r;

	if (argc > 0)
		return usage_error("`tyto demo` takes no arguments");
	cli.state = d.state;
	r = prepare(&d, root);
	if (r == 0)
		r = root ? story(&d) : story_imported(&d);
	clean_up(&d);
	if (interrupted())
		return EXIT_INTERRUPTED;
	if (r < 0) {
		log_error("the demo stopped: %s (`tyto doctor` says what is wrong here)", strerror(-r));
		return EXIT_FAILED;
	}
	say("\nTo go on with a real share:\n   tyto watch /srv/share          (as root; until stopped)\n   tyto events --since 1h\n   tyto "
			"alerts\n   tyto alerts show 1\n   tyto who "
			"/srv/share/DOCUMENT\n   tyto trace LEAK\n   tyto verify");
	return EXIT_DONE;
}

const struct command cmd_demo = {
	.name = "demo", .args = "", .summary = "a small share, people at work, a theft: recorded, asked, proved, in a minute",
	.examples = "  tyto demo        as root on real kernel events; otherwise the same through `tyto import`. Leaves nothing behind.\n",
	.run = run,
};
