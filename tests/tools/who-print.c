/* who-print: tells as JSON who is behind thread ids.
 *
 * usage: who-print [-c] [-n MAX] [-b BYTES] [-w MOUNTPOINT]
 *	reads lines "held TID" or "late TID" from stdin, writes one line of JSON for each; ends at end of file. -c: without the connector.
 *	-b: with so small a buffer for the connector's messages.
 *	-w: also holds every open on that filesystem, and writes a line for each open ("verb":"open"), create, delete and rename on it.
 * A line "ready" is written first, and "stats" asks for the counters.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/socket.h>

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

static void print(struct buf *b)
{
	json_obj_end(b);
	buf_putc(b, '\n');
	fwrite(b->p, 1, b->n, stdout);
	fflush(stdout);
}

static void put_lookup(struct who *w, struct buf *b, pid_t tid, bool held)
{
	struct who_actor *a = NULL;
	struct timespec ts;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	r = who_lookup(w, tid, held, (ts.tv_sec + 1) * NSEC_PER_SEC + ts.tv_nsec, &a);
	put_num(b, "tid", (uint64_t)tid);
	if (r == 0) {
		put_actor(b, a);
		who_unref(a);
	} else {
		json_key(b, "error");
		json_str(b, str_c(strerrorname_np(-r)));
	}
}

/* Permission events: the actor waits while he is looked up. */
static void take_held(struct who *w, int group, struct buf *b)
{
	_Alignas(8) char in[8192];
	ssize_t n = read(group, in, sizeof(in));
	const struct fanotify_event_metadata *e = (void *)in;

	who_drain(w);
	for (; n > 0 && FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n)) {
		struct fanotify_response answer = { .fd = e->fd, .response = FAN_ALLOW };
		char link[32], path[4096];
		ssize_t len;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", e->fd);
		len = readlink(link, path, sizeof(path));
		buf_clear(b);
		json_obj_begin(b);
		json_key(b, "verb");
		json_str(b, STR("open"));
		json_key(b, "path");
		json_str(b, (str){ path, len > 0 ? (size_t)len : 0 });
		put_lookup(w, b, e->pid, true);
		if (write(group, &answer, sizeof(answer)) < 0)
			fprintf(stderr, "who-print: answer: %s\n", strerrorname_np(errno));
		close(e->fd);
		print(b);
	}
}

static const char *verb_of(uint64_t mask)
{
	return mask & FAN_CREATE ? "create" : mask & FAN_DELETE ? "delete" : "rename";
}

static void take_late(struct who *w, int group, struct buf *b)
{
	_Alignas(8) char in[8192];
	ssize_t n = read(group, in, sizeof(in));
	const struct fanotify_event_metadata *e = (void *)in;

	who_drain(w);
	for (; n > 0 && FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n)) {
		const struct fanotify_event_info_fid *fid = (const void *)(e + 1);
		const struct file_handle *h = (const void *)fid->handle;

		if (e->event_len < sizeof(*e) + sizeof(*fid) + sizeof(*h))
			continue;
		buf_clear(b);
		json_obj_begin(b);
		json_key(b, "verb");
		json_str(b, str_c(verb_of(e->mask)));
		json_key(b, "path");
		json_str(b, str_c((const char *)h->f_handle + h->handle_bytes));
		put_lookup(w, b, e->pid, false);
		print(b);
	}
}

static int watch(const char *path, int group[2])
{
	group[0] = fanotify_init(FAN_CLASS_CONTENT | FAN_REPORT_TID | FAN_UNLIMITED_QUEUE | FAN_CLOEXEC, O_RDONLY | O_LARGEFILE | O_CLOEXEC);
	group[1] = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_REPORT_TID | FAN_UNLIMITED_QUEUE | FAN_CLOEXEC, 0);
	if (group[0] < 0 || group[1] < 0 || fanotify_mark(group[0], FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_PERM, AT_FDCWD, path) < 0 ||
	    fanotify_mark(group[1], FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_CREATE | FAN_DELETE | FAN_MOVED_TO, AT_FDCWD, path) < 0)
		return -errno;
	return 0;
}

static void answer(struct who *w, str line, struct buf *b)
{
	bool held = str_starts(line, STR("held "));
	uint64_t tid = 0;

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
		who_drain(w);
		put_lookup(w, b, (pid_t)tid, held);
	} else {
		json_key(b, "error");
		json_str(b, STR("expected: held TID, late TID or stats"));
	}
	print(b);
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	bool connector = true;
	int receive = 0;
	size_t max = 4096, used = 0;
	const char *mount = NULL;
	int group[2] = { -1, -1 };
	struct who *w;
	char in[65536];
	int c, r;

	while ((c = getopt(argc, argv, "b:cn:w:")) != -1) {
		if (c == 'c')
			connector = false;
		else if (c == 'b')
			receive = atoi(optarg);
		else if (c == 'w')
			mount = optarg;
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
	if (receive && setsockopt(who_fd(w), SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive)) < 0)
		return 1;
	r = mount ? watch(mount, group) : 0;
	if (r < 0) {
		fprintf(stderr, "who-print: %s: %s\n", mount, strerrorname_np(-r));
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct pollfd p[4] = { { .fd = 0, .events = POLLIN }, { .fd = who_fd(w), .events = POLLIN },
				       { .fd = group[0], .events = POLLIN }, { .fd = group[1], .events = POLLIN } };
		ssize_t n;
		char *nl;

		if (poll(p, 4, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents)
			who_drain(w);
		if (p[2].revents)
			take_held(w, group[0], &out);
		if (p[3].revents)
			take_late(w, group[1], &out);
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
