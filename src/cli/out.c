/* stdout: one buffer, written in large pieces; and the signals that end a command early. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"

static struct buf buffer;

struct buf *out(void)
{
	return &buffer;
}

int stdout_flush(void)
{
	size_t done = 0;

	if (buf_error(&buffer))
		return buf_error(&buffer);
	while (done < buffer.n) {
		ssize_t n = write(STDOUT_FILENO, buffer.p + done, buffer.n - done);

		if (n < 0 && errno == EINTR && !interrupted())
			continue;
		if (n < 0) {
			buf_clear(&buffer);
			return -errno;
		}
		done += (size_t)n;
	}
	buf_clear(&buffer);
	return 0;
}

int exit_status(int r)
{
	return r == -EUCLEAN ? EXIT_DAMAGED : r == -EINTR ? EXIT_INTERRUPTED : EXIT_FAILED;
}

bool stdout_terminal(void)
{
	static int answer = -1;

	if (answer < 0)
		answer = isatty(STDOUT_FILENO);
	return answer;
}

bool progress_on(void)
{
	return isatty(STDERR_FILENO) && !cli.quiet;
}

void progress_end(void)
{
	if (progress_on())
		fputs("\r\033[K", stderr);
}

bool stdout_color(void)
{
	static int answer = -1; /* asked for every field of every record */
	const char *no;

	if (answer < 0) {
		no = getenv("NO_COLOR");
		answer = stdout_terminal() && !(no && *no);
	}
	return answer;
}

static volatile sig_atomic_t got_signal;
static int interrupt_pipe[2] = { -1, -1 };

static void on_signal(int sig)
{
	int saved = errno;

	got_signal = 1;
	if (interrupt_pipe[1] >= 0 && write(interrupt_pipe[1], "", 1) < 0)
		errno = saved; /* it is full: it can be read */
}

/* Runs before main: every command can be interrupted cleanly; those that need other handling set their own. */
__attribute__((constructor)) static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool interrupted(void)
{
	return got_signal;
}

int interrupt_fd(void)
{
	int made[2];

	if (interrupt_pipe[1] >= 0)
		return interrupt_pipe[0];
	if (pipe2(made, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	interrupt_pipe[0] = made[0];
	interrupt_pipe[1] = made[1];
	if (got_signal)
		on_signal(0);
	return interrupt_pipe[0];
}
