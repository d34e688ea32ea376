#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "who/internal.h"

#define TASKS_PER_ACTOR 8
#define TASKS_MIN 4096
#define SESSIONS_MAX 4096
#define DRAIN_NS (50 * 1000 * 1000LL)
#define LATE_NS (1000 * 1000 * 1000LL) /* an access may be this long past at a late look-up */

/* Making and ending. */

static int pools_new(struct who *w, size_t max_actors)
{
	int r;

	w->n_tasks = (uint32_t)MIN(MAX(max_actors * TASKS_PER_ACTOR, TASKS_MIN), (size_t)1 << 22);
	w->n_sessions = SESSIONS_MAX;
	for (w->n_buckets = 1024; w->n_buckets < w->n_tasks; w->n_buckets *= 2)
		;
	w->tasks = calloc((size_t)w->n_tasks + 1, sizeof(*w->tasks));
	w->procs = calloc((size_t)w->n_tasks + 2, sizeof(*w->procs));
	w->sessions = calloc((size_t)w->n_sessions + 1, sizeof(*w->sessions));
	w->buckets = calloc(w->n_buckets, sizeof(*w->buckets));
	if (!w->tasks || !w->procs || !w->sessions || !w->buckets)
		return -ENOMEM;
	for (uint32_t i = w->n_tasks; i > 0; i--) {
		w->tasks[i].chain = w->task_unused;
		w->task_unused = i;
	}
	for (uint32_t i = w->n_tasks + 1; i > 0; i--) {
		w->procs[i].next = w->proc_unused;
		w->proc_unused = i;
	}
	for (uint32_t i = w->n_sessions; i > 0; i--) {
		w->sessions[i].next = w->session_unused;
		w->session_unused = i;
	}
	r = intern_new(w->n_tasks, w->n_tasks / 32, &w->names);
	return r < 0 ? r : pool_new(max_actors, &w->pool);
}

int who_new(int proc_fd, size_t max_actors, struct who **ret)
{
	struct who *w = calloc(1, sizeof(*w));
	struct stat st;
	int r;

	if (!w)
		return -ENOMEM;
	w->netlink = -1;
	w->proc_fd = proc_fd;
	r = max_actors ? pools_new(w, max_actors) : -EINVAL;
	if (r < 0) {
		who_free(w);
		return r;
	}
	if (fstatat(proc_fd, "self/ns/user", &st, 0) == 0)
		w->user_ns = (uint64_t)st.st_ino;
	/* Listen before reading: what changes meanwhile is told. */
	w->netlink = connector_open();
	w->now = who_now();
	w->deadline = INT64_MAX;
	table_scan(w);
	who_drain(w);
	*ret = w;
	return 0;
}

struct who *who_free(struct who *w)
{
	if (!w)
		return NULL;
	if (w->netlink >= 0)
		close(w->netlink);
	intern_free(w->names);
	pool_free(&w->pool);
	free(w->tasks);
	free(w->procs);
	free(w->sessions);
	free(w->buckets);
	free(w);
	return NULL;
}

bool who_has_connector(const struct who *w)
{
	return w->netlink >= 0;
}

int who_fd(const struct who *w)
{
	return w->netlink >= 0 ? w->netlink : -1;
}

void who_counters(const struct who *w, struct who_counters *ret)
{
	*ret = w->c;
}

void who_drain(struct who *w)
{
	struct timespec ts;

	if (w->netlink < 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	w->now = who_now();
	/* Against a storm of executions: from then on they are noted, not read. */
	w->deadline = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec + DRAIN_NS;
	connector_drain(w);
}

/* Packing. */

static bool put(struct who_actor *a, size_t *used, str s, uint16_t *off, uint16_t *len)
{
	if (!s.n || s.n > sizeof(a->strings) - *used)
		return false;
	memcpy(a->strings + *used, s.p, s.n);
	*off = (uint16_t)*used;
	*len = (uint16_t)s.n;
	*used += s.n;
	return true;
}

/* Into w->scratch; returns the bytes of it that count. */
static size_t pack(struct who *w, const struct task *t, const struct proc *p, str cwd, uint32_t known)
{
	struct who_actor *a = &w->scratch;
	size_t used = 0;

	memset(a, 0, offsetof(struct who_actor, strings));
	a->known = known;
	a->tid = t->tid;
	a->tgid = p->tgid;
	a->ppid = p->ppid;
	a->start = p->start;
	a->fsuid = known & WHO_FSUID ? t->fsuid : 0;
	if (p->flags & P_LOGIN) {
		a->known |= WHO_LOGIN;
		a->login_uid = p->login;
	}
	if (p->kind == KIND_KERNEL) { /* nfsd, ksmbd: their fsuid is nobody's that can be named */
		a->known &= ~(uint32_t)(WHO_FSUID | WHO_LOGIN);
		a->fsuid = a->login_uid = 0;
	}
	session_fill(w, p, a);
	if (put(a, &used, intern_str(w->names, p->program), &a->program_off, &a->program_len))
		a->known |= WHO_PROGRAM;
	if (put(a, &used, intern_str(w->names, p->container), &a->container_off, &a->container_len))
		a->known |= WHO_CONTAINER;
	if (put(a, &used, cwd, &a->cwd_off, &a->cwd_len))
		a->known |= WHO_CWD;
	while (a->n_parents < p->n_parents &&
	       put(a, &used, intern_str(w->names, p->parents[a->n_parents]), &a->parent_off[a->n_parents], &a->parent_len[a->n_parents]))
		a->n_parents++;
	if (a->n_parents)
		a->known |= WHO_PARENTS;
	return offsetof(struct who_actor, strings) + used;
}

/* The scratch actor as one that stays: the task's own where nothing changed. */
static int publish(struct who *w, struct task *t, size_t n, uint32_t flags, struct who_actor **ret)
{
	const size_t skip = offsetof(struct who_actor, known); /* the id */
	struct slot *s = t->slot;
	uint32_t id;

	if (!s || memcmp((char *)&s->a + skip, (char *)&w->scratch + skip, n - skip) != 0) {
		table_uncache(w, t);
		s = table_slot(w);
		if (!s)
			return -ENOBUFS;
		id = s->a.id;
		memcpy(&s->a, &w->scratch, n);
		s->a.id = id;
		s->n = n;
		t->slot = s;
		pool_cached(&w->pool, s, (uint32_t)(t - w->tasks));
	} else {
		who_ref(&s->a);
		pool_uncached(&w->pool, s); /* and again: it is the newest now */
		pool_cached(&w->pool, s, (uint32_t)(t - w->tasks));
	}
	t->slot_gen = task_proc(w, t)->gen;
	t->flags = (t->flags & ~(uint32_t)(T_HELD | T_LATE_OK)) | flags;
	t->fresh_until = flags ? w->now + WHO_REFRESH_NS : 0;
	*ret = &s->a;
	return 0;
}

/* Looking up. */

/* The task with this number, made anew where the table's is not the one that runs now. */
static struct task *task_for(struct who *w, pid_t tid, pid_t tgid)
{
	struct task *t = table_find(w, tid);

	if (t && task_proc(w, t)->tgid != tgid) {
		table_drop(w, t);
		t = NULL;
	}
	return t ? t : table_add(w, tid, tgid);
}

static void read_process(struct who *w, struct task **t, pid_t tid, int dir)
{
	struct proc *p = task_proc(w, *t);
	pid_t tgid = p->tgid;
	_cleanup_close_ int leader = tid == tgid ? -1 : procfs_open(w->proc_fd, tgid);
	int from = tid == tgid ? dir : leader;

	if (from < 0)
		return;
	if (w->netlink < 0) /* nothing tells of changes */
		p->flags &= ~(uint32_t)(P_PARENTS | P_SETTLED | P_INNER);
	/* Inherited or read at exec: processes are moved to a container before they execute there. A later move shows when the actor is read
	 * again. */
	if ((*t)->slot)
		p->flags &= ~(uint32_t)P_CONTAINER;
	if (facts_read(w, p, from) == -ESTALE) {
		struct task *other = tid == tgid ? NULL : table_find(w, tgid);

		if (other)
			table_drop(w, other);
		table_drop(w, *t);
		*t = table_add(w, tid, tgid);
		facts_read(w, task_proc(w, *t), from);
	}
}

static int lookup_read(struct who *w, pid_t tid, bool held, struct who_actor **ret)
{
	_cleanup_close_ int dir = procfs_open(w->proc_fd, tid);
	struct status_facts s;
	char path[WHO_STRINGS];
	str cwd = STR_NONE;
	struct task *t;
	struct proc *p;
	int r;

	if (dir < 0)
		return dir == -ENOENT ? -ENOENT : dir;
	r = procfs_status(dir, &s);
	w->c.proc_reads++;
	if (r < 0)
		return r == -ESRCH ? -ENOENT : r;
	t = task_for(w, tid, s.tgid);
	table_touch(w, t);
	t->fsuid = s.fsuid;
	t->flags = (t->flags & ~(uint32_t)T_STALE) | T_FSUID;
	if (!who_past(w))
		read_process(w, &t, tid, dir);
	p = task_proc(w, t);
	t->fsuid = s.fsuid;
	t->flags |= T_FSUID;
	if (!p->ppid || w->netlink < 0)
		p->ppid = s.ppid;
	if (!who_past(w)) {
		facts_ancestry(w, p);
		session_settle(w, p);
		session_resolve(w, p);
		r = procfs_link(dir, "cwd", path, sizeof(path));
		if (r > 0 && path[0] == '/')
			cwd = (str){ path, (size_t)r };
	}
	return publish(w, t, pack(w, t, p, cwd, WHO_FSUID | (held ? 0 : WHO_LATE)), who_past(w) ? 0 : held ? T_HELD | T_LATE_OK : T_LATE_OK, ret);
}

/* Only the credentials may have changed, as an smbd's do at every request: everything else stays as it was read. */
static int lookup_uid(struct who *w, struct task *t, struct who_actor **ret)
{
	_cleanup_close_ int dir = procfs_open(w->proc_fd, t->tid);
	int64_t fresh_until = t->fresh_until;
	struct status_facts s;
	int r;

	if (dir < 0 || procfs_status(dir, &s) < 0 || s.tgid != task_proc(w, t)->tgid)
		return lookup_read(w, t->tid, true, ret);
	w->c.proc_reads++;
	t->fsuid = s.fsuid;
	t->flags = (t->flags & ~(uint32_t)T_STALE) | T_FSUID;
	memcpy(&w->scratch, &t->slot->a, t->slot->n);
	if (task_proc(w, t)->kind != KIND_KERNEL)
		w->scratch.fsuid = s.fsuid;
	r = publish(w, t, t->slot->n, T_HELD | T_LATE_OK, ret);
	t->fresh_until = fresh_until;
	return r;
}

/* Is the uid that we have the one of an access that may be up to LATE_NS past? smbd changes to root and back around what it does for a
 * user: root's share is not the other user we must not mix him with. */
static bool late_uid(const struct who *w, const struct task *t, const struct proc *p, uid_t *ret)
{
	bool smb = p->kind == KIND_SMBD;
	uid_t uid = t->fsuid;
	bool known = !(smb && uid == 0);

	if (!(t->flags & T_FSUID) || t->flags & T_MANY)
		return false;
	for (size_t i = 0; i < t->n_old; i++) {
		if (w->now - t->old[i].last > LATE_NS || t->old[i].uid == uid || (smb && t->old[i].uid == 0))
			continue;
		if (known)
			return false;
		uid = t->old[i].uid;
		known = true;
	}
	*ret = uid;
	return true;
}

static int lookup_late(struct who *w, struct task *t, struct who_actor **ret)
{
	struct proc *p = task_proc(w, t);
	uint32_t known = 0;
	uid_t uid, now = t->fsuid;
	int r;

	if (t->flags & T_REUSED && w->now - t->born < LATE_NS)
		return -ENOENT;
	table_touch(w, t);
	if (!(t->flags & T_DEAD)) {
		const uint32_t need = P_PROGRAM | P_CONTAINER | P_LOGIN_READ;

		if ((p->flags & need) != need) {
			_cleanup_close_ int dir = procfs_open(w->proc_fd, p->tgid);

			if (dir >= 0 && facts_read(w, p, dir) == 0)
				known |= WHO_LATE;
		}
		facts_ancestry(w, p);
		session_settle(w, p);
		session_resolve(w, p);
	}
	if (late_uid(w, t, p, &uid)) {
		known |= WHO_FSUID;
		t->fsuid = uid;
	}
	r = publish(w, t, pack(w, t, p, STR_NONE, known), T_LATE_OK, ret);
	t->fsuid = now;
	return r;
}

/* Nothing about the thread, but its credentials where T_STALE says so, changed since its actor was read. */
static bool is_fresh(const struct who *w, const struct task *t, bool held, int64_t now)
{
	if (!t->slot || now >= t->fresh_until || t->slot_gen != w->procs[t->proc].gen)
		return false;
	if (held)
		return (t->flags & (T_HELD | T_DEAD)) == T_HELD;
	return (t->flags & (T_LATE_OK | T_REUSED)) == T_LATE_OK && !t->n_old;
}

int who_lookup(struct who *w, pid_t tid, bool held, int64_t deadline, struct who_actor **ret)
{
	struct task *t = table_find(w, tid);
	int64_t now = who_now();
	bool fresh;
	int r;

	w->c.lookups++;
	fresh = t && w->netlink >= 0 && is_fresh(w, t, held, now);
	if (likely(fresh && !(t->flags & T_STALE))) {
		w->c.hits++;
		who_ref(&t->slot->a);
		*ret = &t->slot->a;
		return 0;
	}
	w->now = now;
	w->deadline = deadline;
	if (who_past(w))
		return -ETIME;
	if (fresh && held)
		return lookup_uid(w, t, ret);
	if (t && !held && w->netlink >= 0)
		return lookup_late(w, t, ret);
	r = lookup_read(w, tid, held, ret);
	t = r == -ENOENT ? table_find(w, tid) : NULL;
	return t ? lookup_late(w, t, ret) : r;
}

pid_t who_tgid(struct who *w, pid_t tid)
{
	struct task *t = table_find(w, tid);
	_cleanup_close_ int dir = -1;
	struct status_facts s;

	if (t && w->netlink >= 0)
		return task_proc(w, t)->tgid;
	dir = procfs_open(w->proc_fd, tid);
	if (dir >= 0 && procfs_status(dir, &s) == 0)
		return s.tgid;
	return t ? task_proc(w, t)->tgid : 0;
}

#define BELOW_MAX 4

/* A dead parent's number may be another's by now: that table_parent would see. It may read, so it is asked last. */
bool who_below(struct who *w, pid_t tgid, pid_t above)
{
	struct proc *first = table_find_proc(w, tgid), *p = first;
	int depth = 1;

	for (; p && p->ppid != above; depth++) {
		p = depth < BELOW_MAX && p->ppid > 1 ? table_find_proc(w, p->ppid) : NULL;
		if (!p)
			return false;
	}
	for (p = first; p && --depth > 0;)
		p = table_parent(w, p);
	return p && p->ppid == above;
}
