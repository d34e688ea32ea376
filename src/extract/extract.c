/* The parent's half: starts workers, hands them documents, watches the clock, and reads frames that it does not trust. */
#include "extract/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/sandbox.h"
#include "extract/format.h"
#include "extract/program.h"
#include "extract/wire.h"
#include "extract/worker.h"

#define INBOX (256u << 10)
#define OCR_DEADLINE_MS 120000

const struct extract_limits extract_limits_default = { .file_max = 4ull << 30, .text_max = TEXT_MAX, .deadline_ms = 30000,
	.memory = 1ull << 30, .files = 1000 };

struct extractor {
	struct extract_limits limits;
	enum ocr_mode ocr;
	struct decoder *decoder;
	int sock;       /* -1: no worker */
	pid_t pid;
	uint32_t served; /* documents that this worker has begun */
	uint64_t size;   /* of the document at hand */
	struct program_run *program;
	char *inbox;
	size_t n;       /* bytes in inbox */
	char error[96];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct extractor *extractor_free(struct extractor *x);

int extractor_new(const struct extract_limits *limits, enum ocr_mode ocr, struct extractor **ret)
{
	struct extractor *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	x->limits = limits ? *limits : extract_limits_default;
	if (!limits && ocr == OCR_NOW)
		x->limits.deadline_ms = OCR_DEADLINE_MS;
	x->limits.files = MAX(x->limits.files, 1u);
	x->ocr = ocr;
	x->sock = -1;
	x->decoder = decoder_new(x->limits.text_max);
	x->inbox = malloc(INBOX);
	if (!x->decoder || !x->inbox) {
		extractor_free(x);
		return -ENOMEM;
	}
	*ret = x;
	return 0;
}

/* Gone for good: the status as waitpid gave it. */
static int bury(struct extractor *x)
{
	int status = 0;

	x->program = program_end(x->program, true, NULL);
	if (x->sock < 0)
		return 0;
	/* One that is ending already keeps its own status; one that only shut its socket must not keep us. */
	kill(x->pid, SIGKILL);
	close(x->sock);
	x->sock = -1;
	while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
		;
	x->pid = 0;
	x->n = 0;
	x->served = 0;
	return status;
}

struct extractor *extractor_free(struct extractor *x)
{
	if (!x)
		return NULL;
	bury(x);
	decoder_free(x->decoder);
	free(x->inbox);
	free(x);
	return NULL;
}

/* NULL in a program without the readers. */
#pragma weak extract_worker_main

const char *extract_program(unsigned n, char *path)
{
	static const char beside[] = "/tyto-extract";
	ssize_t len;
	char *slash;

	if (n == 1)
		return TYTO_LIBEXEC "/tyto-extract";
	if (n > 1 || !path)
		return NULL;
	len = readlink("/proc/self/exe", path, PATH_MAX - sizeof(beside));
	path[MAX(len, 0)] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return "";
	memcpy(slash, beside, sizeof(beside));
	return path;
}

/* The program that parses. */
static const char *worker_program(char path[static PATH_MAX])
{
	const char *beside;

	if (extract_worker_main)
		return "/proc/self/exe";
	beside = extract_program(0, path);
	return access(beside, X_OK) == 0 ? beside : extract_program(1, path);
}

static int spawn(struct extractor *x, int sock)
{
	char limits[WORKER_LIMITS_LEN], role[] = EXTRACT_ROLE, name[] = "tyto-extract", path[PATH_MAX];
	char one_thread[] = "OMP_THREAD_LIMIT=1"; /* tesseract's; the sandbox lets no thread begin */
	char *argv[] = { name, role, limits, NULL }, *envp[] = { one_thread, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	worker_limits_put(limits, sizeof(limits), &x->limits, x->ocr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	/* Its standard input is nothing; messages of libraries go nowhere either. */
	r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, 0, 1);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, 0, 2);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, sock, WORKER_SOCKET);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(&actions, WORKER_SOCKET + 1);
	r = r ? r : posix_spawnattr_setsigmask(&attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(&attr, &all);
	r = r ? r : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	r = r ? r : posix_spawn(&x->pid, worker_program(path), &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int start(struct extractor *x)
{
	struct timeval patience = { .tv_sec = 5 }; /* a worker that does not listen must not hold us up */
	int pair[2], r, size = 1 << 20;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	r = spawn(x, pair[1]);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	x->sock = pair[0];
	return 0;
}

/* Frames until the document is done. 0, -ETIME, -EPIPE: the worker is gone, -EBADMSG: it broke the rules, -ECANCELED: the caller has had
 * enough. */
static int serve_request(struct extractor *x, const struct frame *f, const char *body, int doc)
{
	if (f->kind == FRAME_PROGRAM)
		return program_request(&x->program, x->sock, body, f->n, doc, x->limits.memory, x->limits.deadline_ms);
	if (f->kind == FRAME_PROGRAM_END)
		return program_answer(&x->program, x->sock, f->flags & FRAME_CUT);
	return 1;
}

static int take_frames(struct extractor *x, int doc, bool *ret_retire)
{
	for (;;) {
		const char *body;
		struct frame f;
		ssize_t used = decoder_feed(x->decoder, x->inbox, x->n, &f, &body);
		int r = 0;

		if (used < 0)
			return (int)used;
		if (f.kind)
			r = serve_request(x, &f, body, doc);
		x->n -= (size_t)used;
		memmove(x->inbox, x->inbox + used, x->n);
		if (r > 0)
			*ret_retire = f.flags & FRAME_RETIRE;
		if (r || !f.kind)
			return r;
	}
}

/* A large one on a slow disk has the time that its bytes need until they have been read once; the clock of what is done with them begins
 * then. A mailbox has the time that its mails need, as long as they keep coming. */
static uint32_t deadline_ms(const struct extractor *x)
{
	size_t parts = decoder_parts(x->decoder);

	if (!decoder_hashed(x->decoder))
		return x->limits.deadline_ms + extract_slow_ms(MIN(x->size, x->limits.file_max));
	return x->limits.deadline_ms + (parts > PART_COUNT_SMALL ? (uint32_t)(parts - PART_COUNT_SMALL) * PART_MS : 0);
}

static int converse(struct extractor *x, int doc, bool *ret_retire)
{
	int64_t begun = now_ms();
	bool hashed = false;

	for (;;) {
		struct pollfd p = { .fd = x->sock, .events = POLLIN };
		ssize_t k = recv(x->sock, x->inbox + x->n, INBOX - x->n, MSG_DONTWAIT);
		int64_t left = begun + deadline_ms(x) - now_ms();
		int r;

		if (left <= 0)
			return -ETIME;
		if (k < 0 && errno == EAGAIN) {
			if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
				return -errno;
			continue;
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -EPIPE;
		x->n += (size_t)k;
		r = take_frames(x, doc, ret_retire);
		if (r)
			return r > 0 ? 0 : r;
		if (!hashed && decoder_hashed(x->decoder)) {
			hashed = true;
			begun = now_ms();
		}
	}
}

/* Why the document has no more text, from how its worker ended. */
static const char *cause(struct extractor *x, int r, int status)
{
	if (r == -ETIME)
		snprintf(x->error, sizeof(x->error), "unreadable: took longer than %g s", deadline_ms(x) / 1000.0);
	else if (r == -EBADMSG)
		snprintf(x->error, sizeof(x->error), "unreadable: its reader gave back nonsense");
	else if ((WIFEXITED(status) && WEXITSTATUS(status) == WORKER_NO_MEMORY) || r == -ENOMEM)
		snprintf(x->error, sizeof(x->error), "unreadable: too much memory");
	else if (WIFSIGNALED(status))
		snprintf(x->error, sizeof(x->error), "unreadable: its reader crashed (%s)", sigabbrev_np(WTERMSIG(status)) ?: "?");
	else
		snprintf(x->error, sizeof(x->error), "unreadable: its reader ended (%d)", WEXITSTATUS(status));
	return x->error;
}

static int send_document(struct extractor *x, int fd, str name)
{
	struct frame f = { .kind = FRAME_DOCUMENT, .n = (uint32_t)MIN(name.n, (size_t)TEXT_NAME_MAX) };

	if (name.n > f.n) /* its ending says more than its beginning */
		name.p += name.n - f.n;
	return wire_send(x->sock, &f, name.p, &fd, 1);
}

static int refuse(struct extractor *x, const char *why, extract_cb *cb, void *arg)
{
	decoder_start(x->decoder, cb, arg);
	return decoder_abort(x->decoder, why);
}

static int one_try(struct extractor *x, int fd, str name, extract_cb *cb, void *arg, bool *ret_again)
{
	bool retire = false, used = x->served > 0;
	int r = 0, status;

	if (x->sock < 0)
		r = start(x);
	if (r < 0)
		return r;
	x->served++;
	decoder_start(x->decoder, cb, arg);
	r = send_document(x, fd, name);
	if (r == 0)
		r = converse(x, fd, &retire);
	if (r == 0) {
		if (retire)
			bury(x);
		return 0;
	}
	status = bury(x);
	if (r == -ECANCELED)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_NO_SANDBOX)
		return -EOPNOTSUPP;
	if (WIFEXITED(status) && WEXITSTATUS(status) && !used && r == -EPIPE && WEXITSTATUS(status) != WORKER_NO_MEMORY &&
	    !decoder_begun(x->decoder))
		return -ENOEXEC; /* it never got as far as to read */
	/* What earlier documents left in the worker is not held against this one. */
	if (used && r == -EPIPE && !decoder_parts(x->decoder)) {
		*ret_again = true;
		return 0;
	}
	decoder_abort(x->decoder, cause(x, r, status));
	return 0;
}

int extract_file(struct extractor *x, int fd, str name, extract_cb *cb, void *arg)
{
	bool again = false;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		refuse(x, "unreadable: not a regular file", cb, arg);
		return 0;
	}
	x->size = (uint64_t)MAX(st.st_size, 0);
	r = one_try(x, fd, name, cb, arg, &again);
	if (r == 0 && again)
		r = one_try(x, fd, name, cb, arg, &again);
	return r;
}

const char *extract_sandbox(const char **ret_why)
{
	static const char *const names[] = {
		[SANDBOX_FS_LANDLOCK] = "landlock+seccomp", [SANDBOX_FS_NAMESPACE] = "mount namespace+seccomp",
	};
	enum sandbox_fs fs = sandbox_probe();

	if (fs == SANDBOX_FS_NONE)
		*ret_why = "this kernel offers neither Landlock nor a mount namespace of one's own";
	return fs == SANDBOX_FS_NONE ? NULL : names[fs];
}
