/* Guard, sensor and a keeper that prints, for tests: sensor-run [-x EXCLUDE] [-o FILE] PATH… ; ends with SIGTERM.
 * Each message is a JSON line; records are acknowledged as they come. Roles are told apart by argv[0]. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/varint.h"
#include "daemon/guard.h"
#include "event/event_wire.h"
#include "sensor/sensor.h"

static volatile sig_atomic_t ended;

static void on_term(int s)
{
	ended = 1;
}

static void field_u(struct buf *b, const char *k, uint64_t v)
{
	json_key(b, k);
	json_u64(b, v);
}

static void field_s(struct buf *b, const char *k, str v)
{
	json_key(b, k);
	json_str(b, v);
}

static void print_record(struct buf *b, const uint8_t *p, size_t n, uint64_t *ret_number)
{
	struct event e;
	uint64_t refers, session;
	size_t at = (size_t)uvar_get(p, n, ret_number);
	uint8_t flags;

	at += (size_t)uvar_get(p + at, n - at, &refers);
	at += (size_t)uvar_get(p + at, n - at, &session);
	flags = p[at++];
	if (event_unpack(p + at, n - at, &e) < 0) {
		field_s(b, "bad", STR("record"));
		return;
	}
	field_u(b, "number", *ret_number);
	field_s(b, "verb", str_c(event_verb_name(e.verb)));
	json_key(b, "time");
	json_time(b, e.time);
	if (event_has(&e, EV_END)) {
		json_key(b, "end");
		json_time(b, e.end);
	}
	if (event_has(&e, EV_SEEN))
		field_s(b, "seen", str_c(event_seen_name(e.seen)));
	if (event_has(&e, EV_CAUSE))
		field_s(b, "cause", str_c(event_cause_name(e.cause)));
	if (event_has(&e, EV_COUNT))
		field_u(b, "count", e.count);
	if (event_has(&e, EV_UID))
		field_u(b, "uid", e.uid);
	if (event_has(&e, EV_LOGIN_UID))
		field_u(b, "login_uid", e.login_uid);
	if (session)
		field_u(b, "session_uid", session - 1);
	if (event_has(&e, EV_PID))
		field_u(b, "pid", e.pid);
	if (event_has(&e, EV_PROGRAM))
		field_s(b, "program", e.program);
	if (event_has(&e, EV_PATH))
		field_s(b, "path", e.path);
	if (event_has(&e, EV_TO))
		field_s(b, "to", e.to);
	if (event_has(&e, EV_OBJECT)) {
		json_key(b, "object");
		buf_putf(b, "\"%llu:%llu:%llu\"", (unsigned long long)e.object.dev, (unsigned long long)e.object.ino,
		         (unsigned long long)e.object.gen);
	}
	if (event_has(&e, EV_VIA))
		field_s(b, "via", str_c(event_via_name(e.via)));
	if (event_has(&e, EV_CLIENT))
		field_s(b, "client", e.client);
	if (refers)
		field_u(b, "refers", refers);
	if (flags & SENSOR_OPENER)
		field_u(b, "opener", 1);
	if (flags & SENSOR_LATE)
		field_u(b, "late", 1);
}

static void print_message(struct buf *out, const uint8_t *p, size_t n, uint64_t *number)
{
	static const char *const beat[] = { "phase", "received", "delivered", "lost", "missed", "own", "held_max", "watched" };
	str rest = { (const char *)p + 1, n - 1 };
	uint64_t v;
	size_t at = 1;

	json_obj_begin(out);
	if (p[0] == SENSOR_RECORD) {
		print_record(out, p + 1, n - 1, number);
	} else if (p[0] == SENSOR_HEARTBEAT) {
		field_s(out, "message", STR("heartbeat"));
		for (size_t i = 0; i < ARRAY_SIZE(beat); i++) {
			at += (size_t)uvar_get(p + at, n - at, &v);
			field_u(out, beat[i], v);
		}
	} else {
		field_s(out, "message", p[0] == SENSOR_READY ? STR("ready") : STR("note"));
		field_s(out, "text", rest);
	}
	json_obj_end(out);
	buf_putc(out, '\n');
}

static void acknowledge(int fd, uint64_t number)
{
	uint8_t m[16] = { 0, 0, 0, 0, SENSOR_ACK };
	size_t n = uvar_put(m + 5, number);

	put_be32(m, (uint32_t)(1 + n));
	send(fd, m, 5 + n, MSG_NOSIGNAL);
}

static int keeper(int argc, char **argv)
{
	const char *file = argc > 1 && strncmp(argv[1], GUARD_ARGUMENT, 5) ? argv[1] : NULL;
	int out = file ? open(file, O_WRONLY | O_CREAT | O_APPEND, 0600) : STDOUT_FILENO, peer = GUARD_FD_PEER;
	struct buf in = BUF_INIT, text = BUF_INIT;
	bool quiet = getenv("SENSOR_RUN_QUIET") != NULL;

	signal(SIGTERM, on_term);
	while (!ended || peer >= 0) {
		struct pollfd p[] = { { .fd = peer, .events = POLLIN }, { .fd = GUARD_FD_CONTROL, .events = POLLIN } };
		uint64_t number = 0;
		size_t at = 0;
		pid_t pid;
		int fd;

		poll(p, 2, 200);
		if (p[1].revents && !ended) {
			int r = guard_take(GUARD_FD_CONTROL, &fd, &pid);

			if (r == 0) {
				if (peer >= 0)
					close(peer);
				peer = fd;
				in.n = 0;
				continue;
			}
			if (r == -EPIPE)
				ended = 1;
		}
		if (peer < 0)
			continue;
		if (buf_reserve(&in, 1 << 18) < 0)
			return 1;
		ssize_t n = recv(peer, in.p + in.n, 1 << 18, MSG_DONTWAIT);
		if (n == 0) {
			close_fd(&peer);
			continue;
		}
		if (n < 0) {
			if (ended && errno != EAGAIN)
				close_fd(&peer);
			continue;
		}
		in.n += (size_t)n;
		text.n = 0;
		while (in.n - at >= 5) {
			uint32_t len = get_be32(in.p + at);

			if (len > SENSOR_MESSAGE_MAX + 1 || in.n - at < 4 + len)
				break;
			if (quiet && in.p[at + 4] == SENSOR_RECORD)
				uvar_get((const uint8_t *)in.p + at + 5, len - 1, &number);
			else
				print_message(&text, (const uint8_t *)in.p + at + 4, len, &number);
			at += 4 + len;
		}
		memmove(in.p, in.p + at, in.n - at);
		in.n -= at;
		if (text.n && write(out, text.p, text.n) < 0)
			return 1;
		if (number)
			acknowledge(peer, number);
	}
	return 0;
}

static int sensor(int argc, char **argv)
{
	struct guard_child g;
	str paths[64];
	pid_t own[2];
	struct sensor_config c = { .paths = paths, .keeper_fd = GUARD_FD_PEER, .control_fd = GUARD_FD_CONTROL, .own = own, .n_own = 2 };
	const struct sensor_ops *ops;
	const char *why;

	if (guard_child_parse(argc, argv, &g) < 0)
		return 2;
	c.exclude = str_c(argv[1]);
	for (int i = 2; i < argc && c.n_paths < 64; i++)
		if (strncmp(argv[i], GUARD_ARGUMENT, strlen(GUARD_ARGUMENT)))
			paths[c.n_paths++] = str_c(argv[i]);
	own[0] = g.guard;
	own[1] = g.peer;
	c.gap_from = g.gap_from;
	c.gap_cause = g.gap_cause;
	c.pulse = mmap(NULL, sizeof(*c.pulse), PROT_READ | PROT_WRITE, MAP_SHARED, GUARD_FD_PULSE, 0);
	close(GUARD_FD_PULSE);
	if (c.pulse == MAP_FAILED)
		return 1;
	if (sensor_pick(&ops, &why) < 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	return ops->run(&c) < 0;
}

int main(int argc, char **argv)
{
	char *sensor_argv[70] = { (char *)"test-sensor", (char *)"" }, *keeper_argv[] = { (char *)"test-keeper", NULL, NULL };
	struct guard_config c = { .exe = "/proc/self/exe", .sensor_argv = sensor_argv, .keeper_argv = keeper_argv };
	int opt, n = 2;

	if (strcmp(argv[0], "test-sensor") == 0)
		return sensor(argc, argv);
	if (strcmp(argv[0], "test-keeper") == 0)
		return keeper(argc, argv);
	while ((opt = getopt(argc, argv, "x:o:")) != -1) {
		if (opt == 'x')
			sensor_argv[1] = optarg;
		else if (opt == 'o')
			keeper_argv[1] = optarg;
		else
			return 2;
	}
	while (optind < argc && n < 66)
		sensor_argv[n++] = argv[optind++];
	return guard_run(&c) < 0;
}
