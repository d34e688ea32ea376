#include <errno.h>

#include "who/internal.h"

int execs_new(struct who *w)
{
	w->execs = calloc(WHO_EXECS, sizeof(*w->execs));
	return w->execs ? 0 : -ENOMEM;
}

void execs_free(struct who *w)
{
	free(w->execs);
	w->execs = NULL;
}

static struct exec_note *note_at(struct who *w, uint32_t i)
{
	return &w->execs[(w->exec_first + i) % WHO_EXECS];
}

void execs_again(struct who *w, pid_t tgid, int64_t when)
{
	for (uint32_t i = 0; i < w->exec_n; i++) {
		struct exec_note *n = note_at(w, i);

		if (n->e.tgid == tgid && when < n->read + WHO_SETTLE_NS)
			n->e.sure = false;
	}
}

void execs_unsure(struct who *w)
{
	for (uint32_t i = 0; i < w->exec_n; i++)
		if (note_at(w, i)->read + WHO_SETTLE_NS > w->drained)
			note_at(w, i)->e.sure = false;
}

static size_t room(const struct who_exec *e)
{
	return sizeof(e->text) - e->command_n - e->parent_n - e->cwd_n;
}

static void read_command(struct who *w, struct who_exec *e, int dir)
{
	int n = who_past(w) ? 0 : procfs_command(dir, e->text, EVENT_TEXT_MAX);

	e->command_n = (uint16_t)MAX(n, 0);
}

/* The parent's, unless it has begun another program since. */
static void read_parent(struct who *w, struct who_exec *e, struct proc *p)
{
	struct proc *q = table_parent(w, p);
	struct task *t = q ? table_find(w, q->tgid) : NULL;
	_cleanup_close_ int dir = -1;
	struct stat_facts s;
	int n;

	if (!t || t->flags & T_DEAD || q->executed > e->when || who_past(w))
		return;
	dir = procfs_open(w->proc_fd, q->tgid);
	if (dir < 0 || (q->start && (procfs_stat(dir, &s) < 0 || s.start != q->start)))
		return;
	n = procfs_command(dir, e->text + e->command_n, EVENT_TEXT_MAX);
	e->parent_n = (uint16_t)MAX(n, 0);
}

static void read_cwd(struct who *w, struct who_exec *e, int dir)
{
	size_t at = (size_t)e->command_n + e->parent_n;
	int n = who_past(w) || w->now - e->when > WHO_REFRESH_NS ? 0 : procfs_link(dir, "cwd", e->text + at, room(e));

	if (n > 0 && e->text[at] == '/')
		e->cwd_n = (uint16_t)n;
}

/* settled: nothing that follows can have been read for it. */
static void add(struct who *w, struct proc *p, struct who_actor *actor, bool now, bool settled)
{
	_cleanup_close_ int dir = -1;
	struct exec_note *n;

	if (w->exec_n == WHO_EXECS) {
		w->c.execs_lost++;
		return;
	}
	n = note_at(w, w->exec_n);
	n->e = (struct who_exec){ .tgid = p->tgid, .when = p->executed, .sure = true, .same_uid = now || p->uid_changes == 0 };
	n->e.actor = actor;
	p->flags |= P_NOTED;
	dir = who_past(w) ? -1 : procfs_open(w->proc_fd, p->tgid);
	w->c.proc_reads++;
	if (dir >= 0) {
		read_command(w, &n->e, dir);
		read_parent(w, &n->e, p);
		if (now) /* later it may have gone elsewhere */
			read_cwd(w, &n->e, dir);
	}
	n->read = settled ? 0 : who_clock();
	w->exec_n++;
}

void execs_note(struct who *w, pid_t tgid)
{
	struct who_actor *a = NULL;
	struct proc *p;

	if (who_lookup(w, tgid, false, w->deadline, &a) < 0)
		a = NULL;
	p = table_find_proc(w, tgid);
	if (p)
		add(w, p, a, true, false);
	else
		who_unref(a);
}

void who_touch(struct who *w, struct who_actor *a, bool held)
{
	struct proc *p = w->netlink >= 0 ? table_find_proc(w, a->tgid) : NULL;

	if (!p || p->kind == KIND_KERNEL)
		return;
	p->flags |= P_TOUCHED;
	if (p->flags & P_NOTED || !p->executed)
		return;
	who_ref(a);
	add(w, p, a, false, held);
}

bool who_exec_waiting(const struct who *w)
{
	return w->exec_n > 0;
}

bool who_exec_next(struct who *w, struct who_exec *ret)
{
	struct exec_note *n = note_at(w, 0);

	if (!w->exec_n || n->read + WHO_SETTLE_NS > w->drained)
		return false;
	*ret = n->e;
	w->exec_first = (w->exec_first + 1) % WHO_EXECS;
	w->exec_n--;
	return true;
}
