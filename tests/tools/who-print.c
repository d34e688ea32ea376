/* who-print: tells as JSON who is behind thread ids.
 *
 * usage: who-print [-c] [-n MAX]      reads lines "held TID" or "late TID" from stdin, writes one line of JSON for each; ends at end of file.
 *                                     -c: without the connector
 * A line "ready" is written first, and "stats" asks for the counters.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include "base/json.h"
#include "who/internal.h"

static void put_str(struct buf *b, const char *key, const struct who_actor *a, uint16_t off, uint16_t len)
{
	json_key(b, key);
	json_str(b, (str){ a->strings + off, len });
}

static void put_num(struct buf *b, const char *key, uint64_t v)
{
	json_key(b, key);
	json_u64(b, v);
}

static void put_actor(struct buf *b, const struct who_actor *a)
{
	char text[INET6_ADDRSTRLEN];

	put_num(b, "tgid", (uint64_t)a->tgid);
	put_num(b, "ppid", (uint64_t)a->ppid);
	put_num(b, "start", a->start);
	if (a->known & WHO_FSUID)
		put_num(b, "uid", a->fsuid);
	if (a->known & WHO_LOGIN)
		put_num(b, "login_uid", a->login_uid);
	if (a->known & WHO_SESSION)
		put_num(b, "session_uid", a->session_uid);
	if (a->session_pid)
		put_num(b, "session_pid", (uint64_t)a->session_pid);
	if (a->known & WHO_VIA) {
		json_key(b, "via");
		json_str(b, str_c(event_via_name(a->via)));
	}
	if (a->known & WHO_CLIENT) {
		json_key(b, "client");
		json_str(b, (str){ text, who_addr_text(&a->client, text) });
	}
	if (a->known & WHO_PROGRAM)
		put_str(b, "program", a, a->program_off, a->program_len);
	if (a->known & WHO_CWD)
		put_str(b, "cwd", a, a->cwd_off, a->cwd_len);
	if (a->known & WHO_CONTAINER)
		put_str(b, "container", a, a->container_off, a->container_len);
	json_key(b, "parents");
	json_arr_begin(b);
	for (size_t i = 0; i < a->n_parents; i++)
		json_str(b, (str){ a->strings + a->parent_off[i], a->parent_len[i] });
	json_arr_end(b);
	json_key(b, "late");
	json_bool(b, a->known & WHO_LATE);
	json_key(b, "smb");
	json_bool(b, a->known & WHO_SMB);
}

static void answer(struct who *w, str line, struct buf *b)
{
	bool held = str_starts(line, STR("held "));
	struct who_actor *a = NULL;
	struct timespec ts;
	uint64_t tid = 0;
	int r;

	buf_clear(b);
	json_obj_begin(b);
	if (str_eq(line, STR("stats"))) {
		put_num(b, "lookups", w->c.lookups);
		put_num(b, "hits", w->c.hits);
		put_num(b, "lost", w->c.lost_messages);
		put_num(b, "messages", w->c.messages);
		put_num(b, "evicted", w->c.evicted);
		json_key(b, "connector");
		json_bool(b, who_has_connector(w));
	} else if ((held || str_starts(line, STR("late "))) && str_to_u64((str){ line.p + 5, line.n - 5 }, &tid) == 0) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		who_drain(w);
		r = who_lookup(w, (pid_t)tid, held, (ts.tv_sec + 1) * NSEC_PER_SEC + ts.tv_nsec, &a);
		put_num(b, "tid", tid);
		if (r == 0) {
			put_actor(b, a);
			who_unref(a);
		} else {
			json_key(b, "error");
			json_str(b, str_c(strerrorname_np(-r)));
		}
	} else {
		json_key(b, "error");
		json_str(b, STR("expected: held TID, late TID or stats"));
	}
	json_obj_end(b);
	buf_putc(b, '\n');
	fwrite(b->p, 1, b->n, stdout);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	bool connector = true;
	size_t max = 4096, used = 0;
	struct who *w;
	char in[65536];
	int c, r;

	while ((c = getopt(argc, argv, "cn:")) != -1) {
		if (c == 'c')
			connector = false;
		else if (c == 'n')
			max = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	r = who_new(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), max, &w);
	if (r < 0) {
		fprintf(stderr, "who-print: %s\n", strerrorname_np(-r));
		return 1;
	}
	if (!connector && w->netlink >= 0) {
		close(w->netlink);
		w->netlink = -1;
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .fd = who_fd(w), .events = POLLIN } };
		ssize_t n;
		char *nl;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents)
			who_drain(w);
		if (!p[0].revents)
			continue;
		n = read(0, in + used, sizeof(in) - used);
		if (n <= 0)
			break;
		used += (size_t)n;
		while ((nl = memchr(in, '\n', used))) {
			size_t line = (size_t)(nl - in);

			answer(w, (str){ in, line }, &out);
			used -= line + 1;
			memmove(in, nl + 1, used);
		}
		if (used == sizeof(in))
			break;
	}
	who_free(w);
	return 0;
}
