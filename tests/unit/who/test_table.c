/* The table, with a made-up /proc and made-up messages of the connector. */
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#include "who/internal.h"

static char root[64];
static int root_fd;
static struct who *w;
static uint64_t clock_ns; /* of the messages */

static void put_file(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

struct fake {
	pid_t pid, tgid, ppid;
	unsigned uid;
	const char *exe, *login, *cgroup;
	unsigned start;
};

static void remove_fake(pid_t pid)
{
	static const char *const names[] = { "stat", "status", "exe", "cwd", "loginuid", "cgroup", "cmdline" };
	char name[96];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), "%d/%s", pid, names[i]);
		unlinkat(root_fd, name, 0);
	}
	snprintf(name, sizeof(name), "%d", pid);
	unlinkat(root_fd, name, AT_REMOVEDIR);
}

static void put_fake(struct fake f)
{
	char text[512];
	_cleanup_close_ int dir = -1;

	remove_fake(f.pid);
	snprintf(text, sizeof(text), "%d", f.pid);
	assert_int_equal(mkdirat(root_fd, text, 0700), 0);
	dir = openat(root_fd, text, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	snprintf(text, sizeof(text), "%d (a) b) S %d 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %u 0 0\n", f.pid, f.ppid,
		 f.start ? f.start : (unsigned)f.pid);
	put_file(dir, "stat", text);
	snprintf(text, sizeof(text), "Name:\ta\nTgid:\t%d\nPPid:\t%d\nUid:\t%u\t%u\t%u\t%u\n",
		 f.tgid ? f.tgid : f.pid, f.ppid, f.uid, f.uid, f.uid, f.uid);
	put_file(dir, "status", text);
	put_file(dir, "loginuid", f.login ? f.login : "4294967295");
	put_file(dir, "cgroup", f.cgroup ? f.cgroup : "0::/\n");
	assert_int_equal(symlinkat(f.exe, dir, "exe"), 0);
	assert_int_equal(symlinkat("/srv", dir, "cwd"), 0);
}

static void send_event(struct proc_event e)
{
	char m[NLMSG_HDRLEN + sizeof(struct cn_msg) + sizeof(e)] = { 0 };
	struct nlmsghdr nl = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_DONE };
	struct cn_msg cn = { .id = { .idx = CN_IDX_PROC, .val = CN_VAL_PROC }, .len = sizeof(e) };

	e.timestamp_ns = clock_ns;
	memcpy(m, &nl, sizeof(nl));
	memcpy(m + NLMSG_HDRLEN, &cn, sizeof(cn));
	memcpy(m + NLMSG_HDRLEN + sizeof(cn), &e, sizeof(e));
	assert_true(connector_message(w, m, sizeof(m)));
	for (size_t n = 0; n < NLMSG_HDRLEN + sizeof(cn) + offsetof(struct proc_event, event_data); n++) {
		char *exact = malloc(n + 1); /* so that a sanitizer sees a read behind the end */

		memcpy(exact, m, n);
		assert_false(connector_message(w, exact, n));
		free(exact);
	}
}

static void did_fork(pid_t parent, pid_t tid, pid_t tgid)
{
	send_event((struct proc_event){ .what = PROC_EVENT_FORK,
		.event_data.fork = { .parent_pid = parent, .parent_tgid = parent, .child_pid = tid, .child_tgid = tgid } });
}

static void did_fork_quick(pid_t parent, pid_t pid)
{
	table_fork(w, parent, parent, pid, pid, (int64_t)clock_ns);
}

static void did_exec(pid_t pid)
{
	send_event((struct proc_event){ .what = PROC_EVENT_EXEC, .event_data.exec = { .process_pid = pid, .process_tgid = pid } });
}

static void did_uid(pid_t tid, unsigned euid)
{
	struct proc_event e = { .what = PROC_EVENT_UID };

	e.event_data.id.process_pid = e.event_data.id.process_tgid = tid;
	e.event_data.id.r.ruid = e.event_data.id.e.euid = euid;
	send_event(e);
}

static void did_exit(pid_t tid)
{
	send_event((struct proc_event){ .what = PROC_EVENT_EXIT, .event_data.exit = { .process_pid = tid, .process_tgid = tid } });
}

static int setup(void **state)
{
	snprintf(root, sizeof(root), "/tmp/tyto-who-test.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_fake((struct fake){ .pid = 1, .exe = "/sbin/init" });
	put_fake((struct fake){ .pid = 50, .ppid = 1, .uid = 1000, .exe = "/bin/bash", .login = "1000" });
	if (who_new(root_fd, 64, &w) < 0)
		return -1;
	/* Messages come from the tests alone; a descriptor stands for the connector. */
	if (w->netlink >= 0)
		close(w->netlink);
	w->netlink = open("/dev/null", O_RDONLY | O_CLOEXEC);
	table_drop_all(w);
	table_scan(w);
	clock_ns = (uint64_t)who_now();
	return 0;
}

static int teardown(void **state)
{
	static const pid_t pids[] = { 1, 50, 60, 61, 62, 70 };

	who_free(w);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		remove_fake(pids[i]);
	close(root_fd);
	return rmdir(root);
}

static struct who_actor *look(pid_t tid, bool held)
{
	struct who_actor *a = NULL;
	int r = who_lookup(w, tid, held, INT64_MAX, &a);

	if (r < 0 && r != -ENOENT)
		fail_msg("look-up of %d: %d", tid, r);
	return a;
}

/* A child that was gone before anybody could read it. */
static void gone_child(void **state)
{
	struct who_actor *a;

	did_fork(50, 60, 60);
	did_exit(60);
	a = look(60, false);
	assert_non_null(a);
	assert_int_equal(a->known & (WHO_FSUID | WHO_LOGIN | WHO_PROGRAM | WHO_PARENTS | WHO_LATE),
			 WHO_FSUID | WHO_LOGIN | WHO_PROGRAM | WHO_PARENTS);
	assert_int_equal(a->fsuid, 1000);
	assert_int_equal(a->login_uid, 1000);
	assert_int_equal(a->ppid, 50);
	assert_str(who_program(a), "/bin/bash");
	assert_int_equal(a->n_parents, 2);
	assert_str(((str){ a->strings + a->parent_off[0], a->parent_len[0] }), "/bin/bash");
	assert_str(((str){ a->strings + a->parent_off[1], a->parent_len[1] }), "/sbin/init");
	who_unref(a);
	/* It executed, but was gone before its program could be read: absent, not its parent's. */
	did_fork(50, 61, 61);
	did_exec(61);
	did_exit(61);
	a = look(61, false);
	assert_int_equal(a->known & (WHO_FSUID | WHO_PROGRAM), WHO_FSUID);
	who_unref(a);
}

static void gone_after_exec(void **state)
{
	struct who_actor *a;

	did_fork(50, 60, 60);
	put_fake((struct fake){ .pid = 60, .ppid = 50, .uid = 1000, .exe = "/bin/rm", .login = "1000" });
	did_exec(60);
	remove_fake(60);
	did_exit(60);
	a = look(60, false);
	assert_str(who_program(a), "/bin/rm");
	who_unref(a);
}

/* The number is another process's now: the old one's deed and the new one's cannot be told apart, so neither is named. */
static void reused_number(void **state)
{
	did_fork(50, 60, 60);
	did_exit(60);
	did_fork(1, 60, 60);
	assert_null(look(60, false));
	put_fake((struct fake){ .pid = 60, .ppid = 1, .uid = 0, .exe = "/sbin/init" });
	struct who_actor *a = look(60, true); /* who is held is surely the new one */
	assert_int_equal(a->fsuid, 0);
	who_unref(a);
}

static void cached_until_told(void **state)
{
	struct who_actor *a = look(50, true), *b;
	struct who_counters c, d;

	who_counters(w, &c);
	b = look(50, true);
	who_counters(w, &d);
	assert_ptr_equal(a, b);
	assert_int_equal(d.hits, c.hits + 1);
	assert_int_equal(d.proc_reads, c.proc_reads);
	who_unref(b);
	put_fake((struct fake){ .pid = 50, .ppid = 1, .uid = 1001, .exe = "/bin/bash", .login = "1000" });
	did_uid(50, 1001);
	b = look(50, true);
	assert_int_equal(b->fsuid, 1001);
	assert_int_equal(a->fsuid, 1000); /* what somebody holds does not change */
	who_unref(b);
	put_fake((struct fake){ .pid = 50, .ppid = 1, .uid = 1001, .exe = "/bin/cat", .login = "1000" });
	did_exec(50);
	b = look(50, true);
	assert_str(who_program(b), "/bin/cat");
	assert_str(who_program(a), "/bin/bash");
	who_unref(a);
	who_unref(b);
}

/* Two persons in one thread within a short time: late, neither. Later: the one it is. */
static void late_uid_is_never_mixed(void **state)
{
	struct who_actor *a;

	did_uid(50, 1001);
	a = look(50, false);
	assert_false(a->known & WHO_FSUID);
	who_unref(a);
	clock_ns -= 5 * NSEC_PER_SEC;
	did_fork(50, 60, 60);
	put_fake((struct fake){ .pid = 60, .ppid = 50, .uid = 1001, .exe = "/bin/sh" });
	did_uid(60, 1002);
	a = look(60, false);
	assert_true(a->known & WHO_FSUID);
	assert_int_equal(a->fsuid, 1002);
	who_unref(a);
}

/* su: root becomes somebody and executes. */
static void late_after_su(void **state)
{
	struct who_actor *a;

	did_fork(1, 60, 60);
	did_uid(60, 1002);
	put_fake((struct fake){ .pid = 60, .ppid = 1, .uid = 1002, .exe = "/bin/rm" });
	did_exec(60);
	did_exit(60);
	a = look(60, false);
	assert_int_equal(a->known & WHO_FSUID, WHO_FSUID);
	assert_int_equal(a->fsuid, 1002);
	who_unref(a);
}

static void threads(void **state)
{
	struct who_actor *a;

	did_fork(1, 62, 50); /* the message of a new thread names the parent of its process */
	a = look(62, false);
	assert_int_equal(a->tgid, 50);
	assert_int_equal(a->fsuid, 1000);
	who_unref(a);
	/* The thread alone becomes another. */
	put_fake((struct fake){ .pid = 62, .tgid = 50, .ppid = 1, .uid = 1005, .exe = "/bin/bash" });
	did_uid(62, 1005);
	a = look(62, true);
	assert_int_equal(a->fsuid, 1005);
	assert_int_equal(a->tgid, 50);
	who_unref(a);
	a = look(50, true);
	assert_int_equal(a->fsuid, 1000);
	who_unref(a);
	assert_int_equal(who_tgid(w, 62), 50);
	/* A thread made later is not guessed at. */
	did_fork(1, 61, 50);
	a = look(61, false);
	assert_false(a->known & WHO_FSUID);
	who_unref(a);
	/* The leader goes first, another thread executes under its number. */
	did_exit(50);
	did_exit(61);
	did_exec(50);
	put_fake((struct fake){ .pid = 50, .ppid = 1, .uid = 1005, .exe = "/bin/cat" });
	a = look(50, true);
	assert_int_equal(a->fsuid, 1005);
	assert_str(who_program(a), "/bin/cat");
	who_unref(a);
}

static void hostile_programs(void **state)
{
	char path[WHO_PATH_MAX + 64];
	struct who_actor *a;

	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	put_fake((struct fake){ .pid = 60, .ppid = 50, .uid = 7, .exe = path });
	did_fork(50, 60, 60);
	did_exec(60);
	a = look(60, true);
	assert_false(a->known & WHO_PROGRAM); /* too long: absent, never cut */
	assert_true(a->known & WHO_CWD);
	who_unref(a);
	/* Eight long ancestors: the nearest that fit, whole. */
	path[WHO_PATH_MAX - 100] = '\0';
	put_fake((struct fake){ .pid = 60, .ppid = 50, .uid = 7, .exe = path });
	did_exec(60);
	did_fork(60, 61, 61);
	put_fake((struct fake){ .pid = 61, .ppid = 60, .uid = 7, .exe = "/bin/true" });
	did_exec(61);
	a = look(61, true);
	assert_int_equal(a->n_parents, 3);
	assert_int_equal(a->parent_len[0], WHO_PATH_MAX - 100);
	who_unref(a);
	/* It may really be called so. */
	put_fake((struct fake){ .pid = 62, .ppid = 50, .uid = 7, .exe = "/bin/x\n(y (deleted)" });
	did_fork(50, 62, 62);
	did_exec(62);
	a = look(62, true);
	assert_str(who_program(a), "/bin/x\n(y (deleted)");
	who_unref(a);
}

/* More processes than there is room for: the oldest go, counted, and the newest is right. */
static void fork_bomb(void **state)
{
	struct who_counters c;
	struct who_actor *a;

	for (pid_t pid = 1000; pid < 20000; pid++)
		did_fork(pid == 1000 ? 50 : pid - 1, pid, pid);
	who_counters(w, &c);
	assert_true(c.evicted >= 19000 - w->n_tasks);
	a = look(19999, false);
	assert_int_equal(a->fsuid, 1000);
	assert_str(who_program(a), "/bin/bash");
	assert_int_equal(a->n_parents, EVENT_PARENTS_MAX);
	who_unref(a);
	a = look(50, true); /* forgotten, read again */
	assert_int_equal(a->fsuid, 1000);
	who_unref(a);
	table_drop_all(w);
	for (uint32_t i = 1; i <= w->n_tasks + 1; i++)
		assert_int_equal(w->procs[i].refs, 0);
	for (uint32_t i = 1; i <= w->n_sessions; i++)
		assert_int_equal(w->sessions[i].refs, 0);
}

static void every_actor_in_use(void **state)
{
	struct who_actor *kept[64], *a;

	for (pid_t i = 0; i < 64; i++) {
		did_fork(50, 1000 + i, 1000 + i);
		kept[i] = look(1000 + i, false);
		assert_non_null(kept[i]);
	}
	did_fork(50, 2000, 2000);
	assert_int_equal(who_lookup(w, 2000, false, INT64_MAX, &a), -ENOBUFS);
	who_unref(kept[7]);
	assert_int_equal(who_lookup(w, 2000, false, INT64_MAX, &a), 0);
	assert_int_equal(a->tid, 2000);
	who_unref(a);
	for (pid_t i = 0; i < 64; i++)
		if (i != 7) {
			assert_int_equal(kept[i]->tid, 1000 + i);
			who_unref(kept[i]);
		}
}

/* Actors are given back by another thread while the responder makes new ones. */
#define RING 32
static _Atomic(struct who_actor *) ring[RING];

static void *give_back(void *arg)
{
	size_t n = 0;

	for (size_t i = 0; n < 20000; i = (i + 1) % RING) {
		struct who_actor *a = atomic_exchange(&ring[i], NULL);

		if (!a) {
			sched_yield();
			continue;
		}
		if (a->fsuid != 1000 || a->tid < 1000)
			abort();
		who_unref(a);
		n++;
	}
	return NULL;
}

static void two_threads(void **state)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, give_back, NULL), 0);
	for (pid_t i = 0; i < 20000; i++) {
		struct who_actor *a, *none;

		did_fork_quick(50, 1000 + i);
		a = look(1000 + i, false);
		assert_non_null(a);
		assert_int_equal(a->tid, 1000 + i);
		for (size_t k = (size_t)i % RING;; k = (k + 1) % RING) {
			none = NULL;
			if (atomic_compare_exchange_strong(&ring[k], &none, a))
				break;
			sched_yield();
		}
	}
	pthread_join(thread, NULL);
}

static void deadline_past(void **state)
{
	struct who_actor *a = NULL;

	put_fake((struct fake){ .pid = 70, .ppid = 50, .uid = 7, .exe = "/bin/x" });
	assert_int_equal(who_lookup(w, 70, true, 1, &a), -ETIME);
	assert_null(a);
	assert_int_equal(who_lookup(w, 71, true, INT64_MAX, &a), -ENOENT);
}

/* Without the connector: a process with a number seen before is found to be another by its start. */
static void without_connector(void **state)
{
	struct who_actor *a;

	close(w->netlink);
	w->netlink = -1;
	a = look(50, true);
	assert_str(who_program(a), "/bin/bash");
	who_unref(a);
	put_fake((struct fake){ .pid = 50, .ppid = 1, .uid = 1002, .exe = "/bin/vi", .start = 777 });
	a = look(50, true);
	assert_str(who_program(a), "/bin/vi");
	assert_int_equal(a->start, 777);
	assert_int_equal(a->fsuid, 1002);
	assert_false(a->known & WHO_LOGIN);
	who_unref(a);
}

static void put_command(pid_t pid, const char *text, size_t n)
{
	char name[32];
	_cleanup_close_ int fd = -1;

	snprintf(name, sizeof(name), "%d/cmdline", pid);
	fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, text, n), (ssize_t)n);
}

/* The next execution, once nothing that follows can concern it. */
static bool next_exec(struct who_exec *ret)
{
	w->drained = who_clock() + 2 * WHO_SETTLE_NS;
	if (!who_exec_next(w, ret))
		return false;
	who_unref(ret->actor);
	return true;
}

static void begin(pid_t parent, pid_t pid, const char *exe)
{
	did_fork(parent, pid, pid);
	put_fake((struct fake){ .pid = pid, .ppid = parent, .uid = 1000, .exe = exe, .login = "1000" });
	put_command(pid, "a\0b c\0", 6);
	did_exec(pid);
}

static void touch(pid_t pid, bool held)
{
	struct who_actor *a = look(pid, held);

	who_touch(w, a, held);
	who_unref(a);
}

static void execs_of_those_who_touched(void **state)
{
	struct who_exec e;

	begin(50, 60, "/bin/cat");
	assert_false(next_exec(&e)); /* it has touched nothing yet */
	touch(60, true);
	touch(60, true);
	assert_true(next_exec(&e));
	assert_int_equal(e.tgid, 60);
	assert_int_equal(e.when, clock_ns);
	assert_true(e.sure && e.same_uid);
	assert_str(((str){ e.text, e.command_n }), "a b c");
	assert_int_equal(e.cwd_n, 0); /* where it is now says nothing about then */
	assert_false(next_exec(&e)); /* once */
	/* Its child and what the child executes; not its parent's other children. */
	begin(60, 61, "/bin/gpg");
	assert_true(next_exec(&e));
	assert_int_equal(e.tgid, 61);
	assert_str(((str){ e.text + e.command_n, e.parent_n }), "a b c");
	assert_str(((str){ e.text + e.command_n + e.parent_n, e.cwd_n }), "/srv");
	begin(50, 62, "/bin/ls");
	assert_false(next_exec(&e));
	touch(1, true);
	begin(1, 70, "/bin/daemon");
	assert_false(next_exec(&e)); /* everybody descends from the first process */
}

static void exec_directly_behind(void **state)
{
	struct who_exec e;

	touch(50, true);
	begin(50, 60, "/bin/env");
	clock_ns = (uint64_t)who_clock() + 1000;
	did_exec(60);
	assert_true(next_exec(&e));
	assert_false(e.sure); /* it may be the second that was read */
	assert_true(next_exec(&e));
	assert_true(e.sure);
	clock_ns = (uint64_t)who_clock() + 2 * WHO_SETTLE_NS;
	did_exec(60);
	assert_true(next_exec(&e));
	assert_true(e.sure);
	/* Gone before it was read: told, and nothing more known. */
	did_fork(50, 61, 61);
	did_exec(61);
	did_exit(61);
	assert_true(next_exec(&e));
	assert_int_equal(e.command_n, 0);
	did_fork(50, 62, 62);
	did_exec(62);
	w->drained = who_clock();
	execs_unsure(w); /* a message was lost: perhaps another execution */
	assert_true(next_exec(&e));
	assert_false(e.sure);
}

static void many_execs(void **state)
{
	struct who_counters c;
	struct who_exec e;
	size_t n = 0;

	touch(50, true);
	for (int i = 0; i < WHO_EXECS + 10; i++) {
		did_fork_quick(50, 1000 + i);
		table_exec(w, 1000 + i, 1000 + i, (int64_t)clock_ns);
	}
	while (next_exec(&e))
		n++;
	assert_int_equal(n, WHO_EXECS);
	who_counters(w, &c);
	assert_int_equal(c.execs_lost, 10);
}

static void changed_uid_since(void **state)
{
	struct who_exec e;

	begin(50, 60, "/bin/su");
	did_uid(60, 1001);
	touch(60, true);
	assert_true(next_exec(&e));
	assert_false(e.same_uid);
}

static void arguments(void **state)
{
	char text[] = "x\0\0\xc3\xa9\0";

	assert_int_equal(procfs_join_arguments(text, 6, 512), 5);
	assert_memory_equal(text, "x  \xc3\xa9", 5);
	memcpy(text, "ab\xc3\xa9", 4);
	assert_int_equal(procfs_join_arguments(text, 4, 3), 2); /* no half character */
	memcpy(text, "\xf0\x9f\x98\x80z", 5);
	assert_int_equal(procfs_join_arguments(text, 5, 3), 0);
	memcpy(text, "\xf0\x9f\x98\x80z", 5);
	assert_int_equal(procfs_join_arguments(text, 5, 4), 4);
	memcpy(text, "\x80\x80\x80\x80\x80", 5);
	assert_int_equal(procfs_join_arguments(text, 5, 4), 4); /* no text at all: bytes */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(gone_child), T(gone_after_exec), T(reused_number), T(cached_until_told), T(late_uid_is_never_mixed), T(late_after_su), T(threads),
		T(hostile_programs), T(fork_bomb), T(every_actor_in_use), T(two_threads), T(deadline_past), T(without_connector),
		T(execs_of_those_who_touched), T(exec_directly_behind), T(many_execs), T(changed_uid_since), T(arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
