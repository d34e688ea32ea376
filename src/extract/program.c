#include "extract/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/sandbox.h"

#define GRACE_MS 2000
#define ARGS_MAX 12
#define TEXT_CPU 4 /* seconds of processor time, and one more for each MiB of the document; a small one that takes more is a bomb */

struct program_run {
	pid_t pid;
	uint32_t cpu;
};

/* The loader by its names on the machines that Debian runs on; what is missing is passed over. */
#define LOADER "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-riscv64-lp64d.so.1"
#define LIBRARIES "/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"

static const char *const pdftotext_places[] = { "/usr/bin/pdftotext", LOADER, LIBRARIES, "/usr/share/poppler", NULL };
static const char *const pdfinfo_places[] = { "/usr/bin/pdfinfo", LOADER, LIBRARIES, "/usr/share/poppler", NULL };
static const char *const pdftoppm_places[] = { "/usr/bin/pdftoppm", LOADER, LIBRARIES, "/usr/share/poppler", "/usr/share/fonts",
	"/etc/fonts", NULL };

static const struct program_row {
	const char *args[ARGS_MAX]; /* "FIRST", "LAST": pages; left out with their option where 0 */
	const char *const *places;  /* the first is the program */
	bool text;                  /* costs what the document's size says */
} programs[PROGRAM_MAX_] = {
	[PROGRAM_PDFTOTEXT] = { { "pdftotext", "-f", "FIRST", "-l", "LAST", "-enc", "UTF-8", "-eol", "unix", "-", "-" }, pdftotext_places, true },
	[PROGRAM_PDFTOTEXT_BOXES] = { { "pdftotext", "-f", "FIRST", "-l", "LAST", "-bbox-layout", "-enc", "UTF-8", "-", "-" },
		pdftotext_places, true },
	[PROGRAM_PDFINFO] = { { "pdfinfo", "-enc", "UTF-8", "-" }, pdfinfo_places },
	[PROGRAM_PDFINFO_XMP] = { { "pdfinfo", "-meta", "-" }, pdfinfo_places },
	[PROGRAM_PDFTOPPM] = { { "pdftoppm", "-f", "FIRST", "-singlefile", "-gray", "-scale-to", "3500", "-" }, pdftoppm_places },
};

static struct sandbox_plan *plans[PROGRAM_MAX_];
static int plan_errors[PROGRAM_MAX_];

/* Once, for all extractors: they live as long as the process. */
static void make_plans(void)
{
	for (size_t i = 0; i < PROGRAM_MAX_; i++)
		plan_errors[i] = sandbox_plan_new(programs[i].places, &plans[i]);
}

struct start {
	const char *path;
	const char *argv[ARGS_MAX + 1];
	char first[12], last[12];
	int fds[3];     /* its standard descriptors */
	int error;      /* set by the child: the memory is shared until execve */
	sigset_t mask;
	const struct sandbox_plan *plan;
	struct sandbox_limits limits;
};

/* Beside the locale its only variable. A program ends after one document: what it frees is kept at hand, and its heap grows in large steps
 * (a twentieth of pdftotext's processor time, bench/RESULTS.md). Another C library passes this over. */
#define HEAP "GLIBC_TUNABLES=glibc.malloc.tcache_count=2000:glibc.malloc.top_pad=2097152:glibc.malloc.hugetlb=1"

/* Between vfork and execve: raw system calls only. */
static void __attribute__((noinline)) child(struct start *s)
{
	static char locale[] = "LC_ALL=C.UTF-8", heap[] = HEAP;
	char *const envp[] = { locale, heap, NULL };
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	int moved[3];

	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction now;

		if (sigaction(sig, NULL, &now) == 0 && now.sa_handler != SIG_DFL)
			sigaction(sig, &dfl, NULL);
	}
	/* Out of the way of 0…2 first. */
	for (int i = 0; i < 3; i++) {
		moved[i] = fcntl(s->fds[i], F_DUPFD, 10);
		if (moved[i] < 0)
			goto failed;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(moved[i], i) < 0)
			goto failed;
	if (syscall(SYS_close_range, 3, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */) < 0)
		goto failed;
	if (syscall(SYS_setpgid, 0, 0) < 0)
		goto failed;
	s->error = sandbox_plan_enter(s->plan, &s->limits);
	if (s->error < 0)
		_exit(127);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	execve(s->path, (char *const *)s->argv, envp);
failed:
	s->error = -errno;
	_exit(127);
}

static int launch(struct start *s, pid_t *ret)
{
	sigset_t all;
	pid_t pid;

	sigfillset(&all);
	/* No handler of ours may run in the child while it shares our memory. */
	pthread_sigmask(SIG_BLOCK, &all, &s->mask);
	sigemptyset(&all);
	/* fork would copy the tables of a parent that holds gigabytes; posix_spawn cannot shut a sandbox. */
	pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	if (pid == 0)
		child(s); /* NOLINT(clang-analyzer-unix.Vfork) */
	pthread_sigmask(SIG_SETMASK, &s->mask, NULL);
	if (pid < 0)
		return -errno;
	if (s->error < 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return s->error;
	}
	*ret = pid;
	return 0;
}

static void arguments(struct start *s, const struct program_row *row, const struct program_request *q)
{
	size_t n = 0;

	snprintf(s->first, sizeof(s->first), "%u", q->first);
	snprintf(s->last, sizeof(s->last), "%u", q->last);
	for (size_t i = 0; i < ARGS_MAX && row->args[i]; i++) {
		const char *a = row->args[i], *page = strcmp(a, "FIRST") == 0 ? s->first : strcmp(a, "LAST") == 0 ? s->last : NULL;

		if (page && strcmp(page, "0") == 0)
			n--; /* its option goes, too */
		else
			s->argv[n++] = page ? page : a;
	}
	s->argv[n] = NULL;
}

struct program_run *program_end(struct program_run *run, bool kill_it, int *ret_status)
{
	struct rusage used = { 0 };
	int status = 0;

	if (!run)
		return NULL;
	if (!kill_it) {
		_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (fd < 0 || poll(&p, 1, GRACE_MS) <= 0)
			kill_it = true;
	}
	if (kill_it)
		kill(run->pid, SIGKILL);
	while (wait4(run->pid, &status, 0, &used) < 0 && errno == EINTR)
		;
	if (ret_status)
		*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	/* The kernel kills whoever has had his time. */
	if (ret_status && !kill_it && WIFSIGNALED(status) && used.ru_utime.tv_sec + used.ru_stime.tv_sec + 2 > run->cpu)
		*ret_status = PROGRAM_TOO_SLOW;
	free(run);
	return NULL;
}

/* The worker's end of a pipe does not block where it has to serve several. */
static int make_pipe(int *ret_ours, int *ret_theirs, bool to_program)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	*ret_ours = p[to_program];
	*ret_theirs = p[!to_program];
	(void)fcntl(p[1], F_SETPIPE_SZ, 256 << 10); /* fewer changes between the two; refused beyond a user's share, no harm */
	return fcntl(*ret_ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int begin(struct program_run **run, const struct program_request *q, int doc, const struct sandbox_limits *l, int ours[static 3])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int theirs[3] = { -1, -1, -1 }, r;
	struct start s = { .limits = *l };
	struct stat st;

	pthread_once(&once, make_plans);
	s.plan = plans[q->program];
	s.path = programs[q->program].places[0];
	if (!s.plan)
		return plan_errors[q->program];
	*run = calloc(1, sizeof(**run));
	if (!*run)
		return -ENOMEM;
	if (programs[q->program].text && fstat(doc, &st) == 0)
		s.limits.cpu = (uint32_t)MIN((uint64_t)s.limits.cpu, TEXT_CPU + ((uint64_t)MAX(st.st_size, 0) >> 20));
	(*run)->cpu = s.limits.cpu;
	arguments(&s, &programs[q->program], q);
	r = make_pipe(&ours[0], &theirs[1], false);
	r = r ? r : make_pipe(&ours[1], &theirs[2], false);
	if (r == 0 && !q->document)
		r = make_pipe(&ours[2], &theirs[0], true);
	if (r == 0 && q->document && lseek(doc, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0) {
		memcpy(s.fds, theirs, sizeof(theirs));
		if (q->document)
			s.fds[0] = doc;
		r = launch(&s, &(*run)->pid);
	}
	for (size_t i = 0; i < 3; i++)
		close_fd(&theirs[i]);
	if (r < 0) {
		free(*run);
		*run = NULL;
	}
	return r;
}

int program_request(struct program_run **run, int sock, const char *body, size_t n, int doc, uint64_t memory, uint32_t deadline_ms)
{
	struct sandbox_limits l = { .memory = memory, .cpu = deadline_ms / 1000 + 1, .files = 32 };
	struct frame f = { .n = sizeof(int32_t), .kind = FRAME_PROGRAM_FDS };
	int ours[3] = { -1, -1, -1 }, r;
	struct program_request q;
	int32_t error;

	if (n != sizeof(q) || *run)
		return -EBADMSG;
	memcpy(&q, body, sizeof(q));
	if (q.program >= PROGRAM_MAX_ || q.document > 1)
		return -EBADMSG;
	error = begin(run, &q, doc, &l, ours);
	r = wire_send(sock, &f, &error, ours, error < 0 ? 0 : q.document ? 2 : 3);
	for (size_t i = 0; i < 3; i++)
		close_fd(&ours[i]);
	return r;
}

int program_answer(struct program_run **run, int sock, bool stop)
{
	struct frame f = { .n = sizeof(int32_t), .kind = FRAME_PROGRAM_STATUS };
	int status = 0;
	int32_t s;

	if (!*run)
		return -EBADMSG;
	*run = program_end(*run, stop, &status);
	s = status;
	return wire_send(sock, &f, &s, NULL, 0);
}
