#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "who/internal.h"

#define REUSE_NS (1000 * 1000 * 1000LL) /* a number given again this soon is ambiguous for late look-ups */

int64_t who_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int64_t who_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

bool who_past(const struct who *w)
{
	return who_clock() >= w->deadline;
}

/* Lists and pools. */

static void list_remove(struct who *w, struct list *l, struct task *t)
{
	*(t->older ? &w->tasks[t->older].newer : &l->oldest) = t->newer;
	*(t->newer ? &w->tasks[t->newer].older : &l->newest) = t->older;
}

static void list_append(struct who *w, struct list *l, struct task *t)
{
	uint32_t id = (uint32_t)(t - w->tasks);

	t->newer = 0;
	t->older = l->newest;
	*(l->newest ? &w->tasks[l->newest].newer : &l->oldest) = id;
	l->newest = id;
}

static struct list *list_of(struct who *w, const struct task *t)
{
	return t->flags & T_DEAD ? &w->dead : &w->live;
}

void table_touch(struct who *w, struct task *t)
{
	list_remove(w, list_of(w, t), t);
	list_append(w, list_of(w, t), t);
}

static uint32_t *bucket_of(struct who *w, pid_t tid)
{
	return &w->buckets[((uint32_t)tid * 2654435761U) & (w->n_buckets - 1)];
}

static void proc_forget_names(struct who *w, struct proc *p)
{
	intern_unref(w->names, p->program);
	intern_unref(w->names, p->container);
	for (size_t i = 0; i < p->n_parents; i++)
		intern_unref(w->names, p->parents[i]);
	p->program = p->container = 0;
	p->n_parents = 0;
}

static void proc_unref(struct who *w, uint32_t id)
{
	struct proc *p = &w->procs[id];

	if (--p->refs)
		return;
	session_set(w, p, 0);
	proc_forget_names(w, p);
	p->next = w->proc_unused;
	w->proc_unused = id;
}

static uint32_t proc_new(struct who *w, pid_t tgid)
{
	uint32_t id = w->proc_unused; /* as many procs as tasks: there is one */
	struct proc *p = &w->procs[id];

	w->proc_unused = p->next;
	*p = (struct proc){ .tgid = tgid, .gen = 1 };
	return id;
}

void table_uncache(struct who *w, struct task *t)
{
	if (t->slot)
		pool_uncached(&w->pool, t->slot);
	t->slot = NULL;
}

void table_drop(struct who *w, struct task *t)
{
	uint32_t id = (uint32_t)(t - w->tasks), *at;

	for (at = bucket_of(w, t->tid); *at != id; at = &w->tasks[*at].chain)
		;
	*at = t->chain;
	list_remove(w, list_of(w, t), t);
	table_uncache(w, t);
	proc_unref(w, t->proc);
	t->tid = 0;
	t->chain = w->task_unused;
	w->task_unused = id;
}

/* Proc is a number, or 0 for a new one. */
static struct task *task_new(struct who *w, pid_t tid, pid_t tgid, uint32_t proc)
{
	uint32_t *bucket = bucket_of(w, tid), id;
	struct task *t;

	if (proc)
		w->procs[proc].refs++; /* before making room, which may drop its other tasks */
	if (!w->task_unused) {
		table_drop(w, &w->tasks[w->dead.oldest ? w->dead.oldest : w->live.oldest]);
		w->c.evicted++;
	}
	if (!proc) {
		proc = proc_new(w, tgid);
		w->procs[proc].refs = 1;
	}
	id = w->task_unused;
	t = &w->tasks[id];
	w->task_unused = t->chain;
	*t = (struct task){ .tid = tid, .proc = proc, .chain = *bucket };
	*bucket = id;
	list_append(w, &w->live, t);
	return t;
}

struct task *table_find(struct who *w, pid_t tid)
{
	for (uint32_t id = *bucket_of(w, tid); id; id = w->tasks[id].chain)
		if (w->tasks[id].tid == tid)
			return &w->tasks[id];
	return NULL;
}

struct proc *table_find_proc(struct who *w, pid_t tgid)
{
	struct task *t = table_find(w, tgid);

	return t && task_proc(w, t)->tgid == tgid ? task_proc(w, t) : NULL;
}

struct task *table_add(struct who *w, pid_t tid, pid_t tgid)
{
	struct task *leader = tid == tgid ? NULL : table_find(w, tgid);

	if (leader && task_proc(w, leader)->tgid != tgid) { /* a thread that ended untold: one that executed */
		table_drop(w, leader);
		leader = NULL;
	}
	if (!leader && tid != tgid) /* so that the process's threads share it */
		leader = task_new(w, tgid, tgid, 0);
	return task_new(w, tid, tgid, leader ? leader->proc : 0);
}

void table_drop_all(struct who *w)
{
	while (w->live.oldest)
		table_drop(w, &w->tasks[w->live.oldest]);
	while (w->dead.oldest)
		table_drop(w, &w->tasks[w->dead.oldest]);
}

struct slot *table_slot(struct who *w)
{
	struct slot *s = pool_take(&w->pool);

	/* Most that are oldest in the caches are not in use elsewhere; a bounded number of tries keeps this short. */
	for (int i = 0; !s && i < 256 && w->pool.oldest; i++) {
		table_uncache(w, &w->tasks[w->pool.oldest->task]);
		s = pool_take(&w->pool);
	}
	return s;
}

struct proc *table_proc(struct who *w, pid_t tgid)
{
	struct task *t = table_find(w, tgid);
	_cleanup_close_ int dir = -1;

	if (tgid <= 0)
		return NULL;
	if (t && (t->flags & T_DEAD || task_proc(w, t)->tgid != tgid))
		return NULL;
	if (t && w->netlink >= 0)
		return task_proc(w, t);
	if (who_past(w))
		return NULL;
	dir = procfs_open(w->proc_fd, tgid);
	if (dir < 0)
		return NULL;
	if (t && facts_read(w, task_proc(w, t), dir) == 0)
		return task_proc(w, t);
	if (t)
		table_drop(w, t);
	t = table_add(w, tgid, tgid);
	if (facts_read(w, task_proc(w, t), dir) < 0) {
		table_drop(w, t);
		return NULL;
	}
	return task_proc(w, t);
}

struct proc *table_parent(struct who *w, struct proc *p)
{
	struct proc *q;

	if (p->ppid <= 0)
		return NULL;
	q = table_find_proc(w, p->ppid);
	if (!q || w->netlink < 0)
		q = table_proc(w, p->ppid);
	if (!q || q == p)
		return NULL;
	if (p->born && q->born)
		return q->born <= p->born ? q : NULL;
	if (p->born)
		return q; /* it was there before */
	facts_start(w, p);
	facts_start(w, q);
	return p->start && q->start && q->start <= p->start ? q : NULL;
}

/* Messages. */

static void inherit(struct who *w, struct proc *p, struct proc *from)
{
	if (!(from->flags & P_SETTLED) && from->kind != KIND_PLAIN)
		session_settle(w, from);
	p->kind = from->kind;
	p->flags = from->flags & (P_PROGRAM | P_CONTAINER | P_LOGIN | P_LOGIN_READ | P_TOUCHED);
	if (from->tgid == 1) /* everybody descends from it */
		p->flags &= ~(uint32_t)P_TOUCHED;
	p->login = from->login;
	p->program = intern_ref(w->names, from->program);
	p->container = intern_ref(w->names, from->container);
	if (from->flags & P_PARENTS && from->program) {
		p->flags |= P_PARENTS;
		p->parents[p->n_parents++] = intern_ref(w->names, from->program);
		for (size_t i = 0; i < from->n_parents && p->n_parents < EVENT_PARENTS_MAX; i++)
			p->parents[p->n_parents++] = intern_ref(w->names, from->parents[i]);
	}
	session_inherit(w, p, from);
}

static struct task *fork_thread(struct who *w, pid_t tid, pid_t tgid)
{
	struct task *leader = table_find(w, tgid), *t = table_add(w, tid, tgid);

	/* Who made the thread is not told; before any change of credentials all threads have the same. */
	if (leader && leader->proc == t->proc && task_proc(w, t)->uid_changes == 0 && (leader->flags & (T_FSUID | T_STALE)) == T_FSUID) {
		t->fsuid = leader->fsuid;
		t->flags |= T_FSUID;
	}
	return t;
}

static struct task *fork_process(struct who *w, pid_t ptid, pid_t ptgid, pid_t tid, int64_t when)
{
	struct task *parent = table_find(w, ptid), *t;
	struct proc *from, *p;

	if (parent) /* not the one that makes room for its own child */
		table_touch(w, parent);
	t = table_add(w, tid, tid);
	p = task_proc(w, t);
	from = table_find_proc(w, ptgid);
	p->ppid = ptgid;
	p->born = when;
	if (from && from != p)
		inherit(w, p, from);
	if (parent && parent != t) {
		t->fsuid = parent->fsuid;
		t->flags |= parent->flags & (T_FSUID | T_STALE);
	}
	return t;
}

void table_fork(struct who *w, pid_t ptid, pid_t ptgid, pid_t tid, pid_t tgid, int64_t when)
{
	struct task *old = table_find(w, tid), *t;
	bool reused = old && old->flags & T_DEAD && when - old->died < REUSE_NS;

	if (old)
		table_drop(w, old);
	t = tid == tgid ? fork_process(w, ptid, ptgid, tid, when) : fork_thread(w, tid, tgid);
	t->born = when;
	if (reused)
		t->flags |= T_REUSED;
}

/* su, cron and sshd become somebody and execute: what that program does is not root's. Another person's uid stays remembered. */
static void forget_root(struct task *t)
{
	for (size_t i = 0; i < t->n_old; i++)
		if (t->old[i].uid == 0 && t->fsuid != 0) {
			t->old[i] = t->old[--t->n_old];
			return;
		}
}

void table_exec(struct who *w, pid_t tid, pid_t tgid, int64_t when)
{
	struct task *t = table_find(w, tgid);
	_cleanup_close_ int dir = -1;
	struct proc *p;

	if (!t)
		t = table_add(w, tgid, tgid);
	if (t->flags & T_DEAD) { /* another thread took over the leader's number */
		list_remove(w, &w->dead, t);
		t->flags &= ~(uint32_t)(T_DEAD | T_FSUID | T_STALE);
		list_append(w, &w->live, t);
	}
	execs_again(w, tgid, when);
	p = task_proc(w, t);
	p->gen++;
	p->executed = when;
	p->flags &= ~(uint32_t)P_NOTED;
	p->uid_changes = 0;
	forget_root(t);
	intern_unref(w->names, p->program);
	p->program = 0;
	p->flags &= ~(uint32_t)P_PROGRAM;
	/* Read now: a short-lived program may be gone when its deeds are looked up. */
	dir = who_past(w) ? -1 : procfs_open(w->proc_fd, tgid);
	if (dir >= 0) {
		facts_program(w, p, dir);
		facts_container(w, p, dir);
		facts_login(w, p, dir);
	} else {
		p->flags &= ~(uint32_t)(P_CONTAINER | P_LOGIN_READ);
		p->kind = KIND_PLAIN;
	}
	session_exec(w, p);
	if (p->flags & P_TOUCHED)
		execs_note(w, tgid);
}

static void remember_uid(struct task *t, uid_t uid, int64_t when)
{
	size_t i;

	for (i = 0; i < t->n_old; i++)
		if (t->old[i].uid == uid)
			break;
	if (i == t->n_old && t->n_old < WHO_OLD_UIDS) {
		t->n_old++;
	} else if (i == t->n_old) {
		i = 0;
		for (size_t k = 1; k < t->n_old; k++)
			if (t->old[k].last < t->old[i].last)
				i = k;
		if (when - t->old[i].last < REUSE_NS)
			t->flags |= T_MANY;
	}
	t->old[i].uid = uid;
	t->old[i].last = when;
}

void table_uid(struct who *w, pid_t tid, uid_t euid, int64_t when)
{
	struct task *t = table_find(w, tid);

	if (!t)
		return;
	if (t->flags & T_FSUID && t->fsuid != euid)
		remember_uid(t, t->fsuid, when);
	t->fsuid = euid;
	t->flags |= T_FSUID | T_STALE;
	task_proc(w, t)->uid_changes++;
}

void table_exit(struct who *w, pid_t tid, int64_t when)
{
	struct task *t = table_find(w, tid);

	if (!t || t->flags & T_DEAD)
		return;
	list_remove(w, &w->live, t);
	t->flags |= T_DEAD;
	t->died = when;
	list_append(w, &w->dead, t);
}

static void scan_one(struct who *w, pid_t pid)
{
	_cleanup_close_ int dir = w->task_unused ? procfs_open(w->proc_fd, pid) : -1;
	struct status_facts s;
	struct task *t;

	if (dir < 0 || procfs_status(dir, &s) < 0)
		return;
	t = table_add(w, pid, pid);
	if (facts_read(w, task_proc(w, t), dir) < 0) {
		table_drop(w, t);
		return;
	}
	t->fsuid = s.fsuid;
	t->flags |= T_FSUID;
}

void table_scan(struct who *w)
{
	int fd = openat(w->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d))) {
		uint64_t pid;

		if (str_to_u64(str_c(e->d_name), &pid) == 0 && pid > 0 && pid <= INT32_MAX)
			scan_one(w, (pid_t)pid);
	}
	closedir(d);
	for (uint32_t id = 1; id <= w->n_tasks; id++) {
		struct task *t = &w->tasks[id];

		if (!t->tid)
			continue;
		table_touch(w, t);
		facts_ancestry(w, task_proc(w, t));
		session_settle(w, task_proc(w, t));
	}
}
