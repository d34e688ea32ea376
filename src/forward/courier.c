#include "forward/courier.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>

#include "base/timefmt.h"
#include "base/utf8.h"

struct courier {
	int sock;
};

/* Beside the program, as in the build folder, else where it was installed. */
static const char *program(char path[static PATH_MAX])
{
	static const char beside[] = "/tyto-notify";
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(beside));
	char *slash;

	path[MAX(n, 0)] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return TYTO_LIBEXEC "/tyto-notify";
	memcpy(slash, beside, sizeof(beside));
	return access(path, X_OK) == 0 ? path : TYTO_LIBEXEC "/tyto-notify";
}

static int spawn(int sock)
{
	char name[] = "tyto-notify", path[PATH_MAX];
	char *argv[] = { name, NULL }, *envp[] = { NULL }; /* no proxy, no library, no place of certificates from whoever started us */
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	pid_t pid;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, 0, 1);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, sock, COURIER_SOCKET);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(&actions, COURIER_SOCKET + 1);
	r = r ? r : posix_spawnattr_setsigmask(&attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(&attr, &all);
	/* ^C is ours: what is being sent is still sent. */
	r = r ? r : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	r = r ? r : posix_spawn(&pid, program(path), &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int put(struct courier *c, const char *text)
{
	size_t n = strlen(text);

	if (n > COURIER_FRAME_MAX)
		return -EMSGSIZE;
	return send(c->sock, text, n, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int courier_start(const char *config, struct courier **ret)
{
	struct courier *c = calloc(1, sizeof(*c));
	int pair[2], r, size = 4 * COURIER_FRAME_MAX;

	if (!c)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		r = -errno;
		free(c);
		return r;
	}
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	c->sock = pair[0];
	r = spawn(pair[1]);
	close(pair[1]);
	if (r == 0)
		r = put(c, config);
	if (r < 0)
		courier_end(c);
	else
		*ret = c;
	return r;
}

struct courier *courier_end(struct courier *c)
{
	if (c)
		close(c->sock);
	free(c);
	return NULL;
}

int courier_fd(const struct courier *c)
{
	return c->sock;
}

static void text(json_t *j, const char *key, const struct buf *b)
{
	json_object_set_new(j, key, json_stringn(b->p ? b->p : "", b->n));
}

int courier_send(struct courier *c, const struct message *m, const char *to)
{
	json_t *j = json_object();
	char *packed;
	int r;

	text(j, "uid", &m->uid);
	text(j, "subject", &m->subject);
	text(j, "text", &m->text);
	text(j, "line", &m->line);
	text(j, "json", &m->json);
	text(j, "cef", &m->cef);
	json_object_set_new(j, "severity", json_integer(m->severity));
	json_object_set_new(j, "time", json_integer(m->time));
	if (to)
		json_object_set_new(j, "to", json_string(to));
	/* A part that is no UTF-8 is not there: what is made for telling is made of UTF-8 alone. */
	packed = json_dumps(j, JSON_COMPACT);
	r = packed ? put(c, packed) : -ENOMEM;
	free(packed);
	json_decref(j);
	return r;
}

int courier_answer_take(str packet, struct courier_answer *ret)
{
	static const char verdicts[] = { COURIER_SENT, COURIER_LATER, COURIER_NEVER };
	struct courier_answer a = { 0 };
	_cleanup_buf_ struct buf line = BUF_INIT;
	str rest;

	if (packet.n == 0 || !memchr(verdicts, packet.p[0], sizeof(verdicts)))
		return -EBADMSG;
	a.verdict = (enum courier_verdict)packet.p[0];
	rest = (str){ packet.p + 1, MIN(packet.n - 1, (size_t)COURIER_LINE_MAX) };
	/* A server's words, perhaps: they go to terminals and logs. */
	buf_put_visible(&line, rest);
	memcpy(a.line, line.p ? line.p : "", utf8_cut(buf_str(&line), COURIER_LINE_MAX));
	*ret = a;
	return 0;
}

int courier_take(struct courier *c, struct courier_answer *ret)
{
	char packet[COURIER_LINE_MAX + 1];
	ssize_t n = recv(c->sock, packet, sizeof(packet), MSG_DONTWAIT);

	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return courier_answer_take((str){ packet, (size_t)n }, ret);
}
