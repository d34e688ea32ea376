/* workload — touches given files in a chosen way, as chosen users, and prints exactly what it did as one JSON object.
 *
 *	workload --op read --count 100 --uid 1001,1002 --by threads --workers 4 FILE…
 *
 * Tests of the sensor compare their records with these counts: the program that makes the accesses is the only one that knows them.
 * It starts as root where it has to become other users (--uid). Every worker goes over every FILE --count times.
 *
 * --op    see workload_ops.c; --op list prints them
 * --by    main: one after the other · threads · forks: one process a worker · brief: a process for each single access, gone at once
 * --creds res: real, effective and saved ids of the thread · fs: only its fsuid and fsgid, as file servers do
 * --sleep-ms between accesses · --newns: in a mount namespace of its own
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/json.h"
#include "workload.h"

#define WORKERS_MAX 256
#define UIDS_MAX 64
static const struct {
	const char *name;
	size_t at;
} count_names[] = {
#define COUNT(f) { #f, offsetof(struct counts, f) }
	COUNT(opens), COUNT(opens_write), COUNT(opens_path), COUNT(reads), COUNT(read_bytes), COUNT(mapped_bytes),
	COUNT(writes), COUNT(write_bytes),
	COUNT(creates), COUNT(deletes), COUNT(renames), COUNT(links), COUNT(modes), COUNT(truncates), COUNT(passed), COUNT(failed), COUNT(slow),
};

static struct {
	const char *by;
	bool fsuid, newns;
	unsigned count, workers, sleep_ms, n_uids;
	uid_t uids[UIDS_MAX];
	char **files;
	int n_files;
} opt = { .by = "main", .count = 1, .workers = 1 };

/* Workers ---------------------------------------------------------------------------------------------------------------------- */

/* The raw calls change this thread alone; libc's would change all threads. */
static int become(uid_t uid)
{
	gid_t gid = uid;

	if (opt.fsuid) {
		syscall(SYS_setfsgid, gid);
		syscall(SYS_setfsuid, uid);
		return syscall(SYS_setfsuid, (uid_t)-1) == (long)uid ? 0 : -EPERM;
	}
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0)
		return -errno;
	return 0;
}

static void opener(int fd)
{
	char path[4300];
	ssize_t n;

	while ((n = recv(fd, path, sizeof(path) - 1, 0)) > 0) {
		char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
		struct iovec io = { .iov_base = &byte, .iov_len = 1 };
		struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		_cleanup_close_ int doc = -1;

		path[n] = '\0';
		doc = open(path, O_RDONLY | O_CLOEXEC);
		*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(c), &doc, sizeof(doc));
		if (doc < 0)
			m.msg_control = NULL, m.msg_controllen = 0;
		if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

static int start_opener(struct worker *w)
{
	int pair[2];
	pid_t pid;

	if (!workload_passed(w->op))
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(pair[0]);
		opener(pair[1]);
	}
	close(pair[1]);
	w->server = pair[0];
	return 0;
}

static void access_once(struct worker *w, const char *path)
{
	int r = w->op->run(w, path);

	if (r < 0) {
		w->c->failed++;
		w->c->last_errno = -r;
	}
	if (opt.sleep_ms)
		usleep(opt.sleep_ms * 1000);
}

static void access_brief(struct worker *w, const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (w->uid != (uid_t)-1 && become(w->uid) < 0)
			_exit(1);
		access_once(w, path);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		w->c->failed++;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	bool brief = !strcmp(opt.by, "brief");
	int r = 0;

	*w->pid = (pid_t)syscall(SYS_gettid);
	if (w->uid != (uid_t)-1 && !brief)
		r = become(w->uid);
	*w->uid_seen = w->uid == (uid_t)-1 ? geteuid() : w->uid;
	for (w->round = 0; r == 0 && w->round < opt.count; w->round++)
		for (int f = 0; f < opt.n_files; f++)
			(brief ? access_brief : access_once)(w, opt.files[f]);
	if (r < 0) {
		w->c->failed++;
		w->c->last_errno = -r;
	}
	return NULL;
}

static int run_threads(struct worker *w)
{
	pthread_t t[WORKERS_MAX];

	for (unsigned i = 0; i < opt.workers; i++) {
		int r = pthread_create(&t[i], NULL, work, &w[i]);

		if (r)
			return -r;
	}
	for (unsigned i = 0; i < opt.workers; i++)
		pthread_join(t[i], NULL);
	return 0;
}

static int run_forks(struct worker *w)
{
	pid_t pids[WORKERS_MAX];
	int status, r = 0;

	for (unsigned i = 0; i < opt.workers; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			return -errno;
		if (pids[i] == 0) {
			work(&w[i]);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < opt.workers; i++)
		if (waitpid(pids[i], &status, 0) < 0 || status)
			r = -ECHILD;
	return r;
}

/* The shared page holds a struct counts, a uid and a pid a worker, so that those of processes come back too. */
struct shared {
	struct counts c[WORKERS_MAX];
	uid_t uid[WORKERS_MAX];
	pid_t pid[WORKERS_MAX];
};

static void print(const struct shared *s, const struct op *op)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct counts all = { 0 };

	json_obj_begin(&b);
	json_key(&b, "op");
	json_str(&b, str_c(op->name));
	json_key(&b, "by");
	json_str(&b, str_c(opt.by));
	json_key(&b, "workers");
	json_arr_begin(&b);
	for (unsigned i = 0; i < opt.workers; i++) {
		json_obj_begin(&b);
		json_key(&b, "uid");
		json_u64(&b, s->uid[i]);
		json_key(&b, "tid");
		json_u64(&b, (uint64_t)s->pid[i]);
		for (size_t k = 0; k < ARRAY_SIZE(count_names); k++) {
			uint64_t v;

			memcpy(&v, (const char *)&s->c[i] + count_names[k].at, sizeof(v));
			*(uint64_t *)((char *)&all + count_names[k].at) += v;
			if (v) {
				json_key(&b, count_names[k].name);
				json_u64(&b, v);
			}
		}
		if (s->c[i].last_errno) {
			json_key(&b, "error");
			json_str(&b, str_c(strerror(s->c[i].last_errno)));
		}
		all.slowest = MAX(all.slowest, s->c[i].slowest);
		json_obj_end(&b);
	}
	json_arr_end(&b);
	for (size_t k = 0; k < ARRAY_SIZE(count_names); k++) {
		json_key(&b, count_names[k].name);
		json_u64(&b, *(const uint64_t *)((const char *)&all + count_names[k].at));
	}
	json_key(&b, "slowest_open_ns");
	json_i64(&b, all.slowest);
	json_obj_end(&b);
	printf("%s\n", buf_cstr(&b));
}

static const struct op *op_by_name(const char *name)
{
	for (size_t i = 0; i < n_workload_ops; i++)
		if (!strcmp(workload_ops[i].name, name))
			return &workload_ops[i];
	if (!strcmp(name, "list"))
		for (size_t i = 0; i < n_workload_ops; i++)
			printf("%-12s %s\n", workload_ops[i].name, workload_ops[i].what);
	return NULL;
}

static bool parse_uids(const char *s)
{
	for (char *end; *s; s = *end ? end + 1 : end) {
		if (opt.n_uids == UIDS_MAX)
			return false;
		opt.uids[opt.n_uids++] = (uid_t)strtoul(s, &end, 10);
		if (end == s || (*end && *end != ','))
			return false;
	}
	return true;
}

static bool parse(int argc, char **argv, const struct op **op)
{
	enum { OP = 1, BY, CREDS, COUNT_, WORKERS, UID, SLEEP, NEWNS };
	static const struct option table[] = { { "op", 1, NULL, OP }, { "by", 1, NULL, BY }, { "creds", 1, NULL, CREDS },
		{ "count", 1, NULL, COUNT_ }, { "workers", 1, NULL, WORKERS }, { "uid", 1, NULL, UID }, { "sleep-ms", 1, NULL, SLEEP },
		{ "newns", 0, NULL, NEWNS }, { 0 } };
	static const char *const ways[] = { "main", "threads", "forks", "brief" };
	bool known = false;
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		switch (c) {
		case OP: *op = op_by_name(optarg); break;
		case BY: opt.by = optarg; break;
		case CREDS: opt.fsuid = !strcmp(optarg, "fs"); break;
		case COUNT_: opt.count = (unsigned)strtoul(optarg, NULL, 10); break;
		case WORKERS: opt.workers = (unsigned)strtoul(optarg, NULL, 10); break;
		case UID:
			if (!parse_uids(optarg))
				return false;
			break;
		case SLEEP: opt.sleep_ms = (unsigned)strtoul(optarg, NULL, 10); break;
		case NEWNS: opt.newns = true; break;
		default: return false;
		}
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		known |= !strcmp(opt.by, ways[i]);
	opt.files = argv + optind;
	opt.n_files = argc - optind;
	if (!strcmp(opt.by, "main") && opt.n_uids > 1 && !opt.fsuid)
		return false; /* a process that gave up its ids cannot become another */
	return *op && known && opt.n_files && opt.workers && opt.workers <= WORKERS_MAX;
}

int main(int argc, char **argv)
{
	static struct worker w[WORKERS_MAX];
	const struct op *op = NULL;
	struct shared *s;
	int r = 0;

	if (!parse(argc, argv, &op)) {
		fprintf(stderr, "usage: workload --op OP|list [--by main|threads|forks|brief] [--workers N] [--count K] [--uid U,…] [--creds res|fs]\n"
			"                [--sleep-ms N] [--newns] FILE…\n");
		return 2;
	}
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED || (opt.newns && unshare(CLONE_NEWNS) < 0)) {
		fprintf(stderr, "workload: %s\n", strerror(errno));
		return 1;
	}
	for (unsigned i = 0; i < opt.workers && r == 0; i++) {
		w[i] = (struct worker){ .op = op, .c = &s->c[i], .id = i, .uid = opt.n_uids ? opt.uids[i % opt.n_uids] : (uid_t)-1,
			.uid_seen = &s->uid[i], .pid = &s->pid[i], .server = -1 };
		r = start_opener(&w[i]);
	}
	if (r == 0 && !strcmp(opt.by, "threads"))
		r = run_threads(w);
	else if (r == 0 && !strcmp(opt.by, "forks"))
		r = run_forks(w);
	for (unsigned i = 0; r == 0 && i < opt.workers && (!strcmp(opt.by, "main") || !strcmp(opt.by, "brief")); i++) {
		work(&w[i]);
	}
	if (r < 0) {
		fprintf(stderr, "workload: %s\n", strerror(-r));
		return 1;
	}
	print(s, op);
	return 0;
}
