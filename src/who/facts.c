#include <errno.h>
#include <fcntl.h>

#include "who/internal.h"

/* An empty link (a kernel thread) and a path that is too long are known to be absent. */
void facts_program(struct who *w, struct proc *p, int dir_fd)
{
	char path[WHO_PATH_MAX + 1];
	int n = procfs_exe(dir_fd, path, sizeof(path));
	str now = { path, n > 0 ? (size_t)n : 0 };
	enum kind kind;

	w->c.proc_reads++;
	if (n == -ESRCH || n == -EACCES || n == -EPERM)
		return;
	if (p->flags & P_PROGRAM && str_eq(now, intern_str(w->names, p->program)))
		return;
	intern_unref(w->names, p->program);
	p->program = intern_get(w->names, now);
	p->flags |= P_PROGRAM;
	p->gen++;
	if (n == -ENOENT)
		return;
	kind = session_kind_of(w, now, dir_fd);
	if (kind != p->kind)
		p->flags &= ~(uint32_t)(P_SETTLED | P_INNER);
	p->kind = kind;
}

void facts_container(struct who *w, struct proc *p, int dir_fd)
{
	char text[4096];
	int n = procfs_read(dir_fd, "cgroup", text, sizeof(text));
	str id;

	w->c.proc_reads++;
	if (n < 0)
		return;
	id = container_id((str){ text, (size_t)n });
	p->flags |= P_CONTAINER;
	if (str_eq(id, intern_str(w->names, p->container)))
		return;
	intern_unref(w->names, p->container);
	p->container = intern_get(w->names, id);
	p->gen++;
}

void facts_login(struct who *w, struct proc *p, int dir_fd)
{
	char text[32];
	int n = procfs_read(dir_fd, "loginuid", text, sizeof(text));
	uint32_t before = p->flags & P_LOGIN;
	uid_t uid = p->login;

	w->c.proc_reads++;
	if (n < 0)
		return;
	n = procfs_parse_loginuid((str){ text, (size_t)n }, &uid);
	if (n < 0 && n != -ENODATA)
		return;
	p->flags |= P_LOGIN_READ;
	p->flags = n == 0 ? p->flags | P_LOGIN : p->flags & ~(uint32_t)P_LOGIN;
	if (before != (p->flags & P_LOGIN) || uid != p->login)
		p->gen++;
	p->login = uid;
}

int facts_read(struct who *w, struct proc *p, int dir_fd)
{
	struct stat_facts s;
	int r = procfs_stat(dir_fd, &s);

	w->c.proc_reads++;
	if (r < 0)
		return r;
	if (p->start && p->start != s.start)
		return -ESTALE;
	p->start = s.start;
	if (s.ppid && !p->ppid)
		p->ppid = s.ppid;
	if (s.kernel) {
		p->kind = KIND_KERNEL;
		p->flags |= P_PROGRAM | P_CONTAINER | P_LOGIN_READ | P_PARENTS | P_SETTLED;
		return 0;
	}
	if (p->kind == KIND_KERNEL)
		p->kind = KIND_PLAIN;
	facts_program(w, p, dir_fd);
	if (who_past(w))
		return 0;
	facts_login(w, p, dir_fd);
	if (!(p->flags & P_CONTAINER))
		facts_container(w, p, dir_fd);
	return 0;
}

void facts_start(struct who *w, struct proc *p)
{
	_cleanup_close_ int dir = p->start ? -1 : procfs_open(w->proc_fd, p->tgid);
	struct stat_facts s;

	if (dir >= 0 && procfs_stat(dir, &s) == 0)
		p->start = s.start;
}

/* Executables of the ancestors as far as they are known without a hole. */
void facts_ancestry(struct who *w, struct proc *p)
{
	uint32_t names[EVENT_PARENTS_MAX];
	struct proc *q = p;
	size_t n = 0;

	if (p->flags & P_PARENTS)
		return;
	while (n < EVENT_PARENTS_MAX) {
		q = table_parent(w, q);
		if (!q || !q->program)
			break;
		names[n++] = q->program;
		if (q->flags & P_PARENTS) {
			for (size_t i = 0; i < q->n_parents && n < EVENT_PARENTS_MAX; i++)
				names[n++] = q->parents[i];
			break;
		}
	}
	if (who_past(w))
		return;
	for (size_t i = 0; i < n; i++)
		intern_ref(w->names, names[i]);
	for (size_t i = 0; i < p->n_parents; i++)
		intern_unref(w->names, p->parents[i]);
	memcpy(p->parents, names, n * sizeof(names[0]));
	p->n_parents = (uint8_t)n;
	p->flags |= P_PARENTS;
	p->gen++;
}
