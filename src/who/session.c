#include <sys/stat.h>

#include "who/internal.h"

/* Sessions.
 *
 * smb: each smbd process is one; it has one connection.
 *
 * ssh: listener → M (root, next to the connection) → U (the user's, but for root's logins) → shell …
 * M is the topmost sshd that is not the listener. All sshd from M on are P_INNER. U's uid is the session's user. Where M has a child
 * that is no sshd, it is root's session or a helper of M (pam, AuthorizedKeysCommand) before there is any: M's title tells.
 *
 * tmux, screen: whatever the server starts. Who started the server keeps the session, but the client is the one that is attached now.
 */

static const struct {
	const char *path;
	enum kind kind;
} known_programs[] = {
	{ "/usr/sbin/smbd", KIND_SMBD },
	{ "/usr/local/samba/sbin/smbd", KIND_SMBD },
	{ "/usr/local/sbin/smbd", KIND_SMBD },
	{ "/usr/sbin/sshd", KIND_SSHD },
	{ "/usr/lib/openssh/sshd-session", KIND_SSHD },
	{ "/usr/lib/openssh/sshd-auth", KIND_SSHD },
	{ "/usr/lib/ssh/sshd-session", KIND_SSHD },
	{ "/usr/lib/ssh/sshd-auth", KIND_SSHD },
	{ "/usr/libexec/openssh/sshd-session", KIND_SSHD },
	{ "/usr/libexec/openssh/sshd-auth", KIND_SSHD },
	{ "/usr/local/sbin/sshd", KIND_SSHD },
	{ "/usr/local/libexec/sshd-session", KIND_SSHD },
};

/* By last component, wherever they are: they only take a client away. */
static const struct {
	const char *name;
	enum kind kind;
} known_names[] = {
	{ "tmux", KIND_TMUX }, { "screen", KIND_SCREEN }, { "dtach", KIND_SCREEN }, { "abduco", KIND_SCREEN },
	{ "zellij", KIND_SCREEN }, { "mosh-server", KIND_SCREEN },
};

/* In a user namespace of his own, anybody can put any program at any path. */
static bool in_our_user_ns(const struct who *w, int dir_fd)
{
	struct stat st;

	return fstatat(dir_fd, "ns/user", &st, 0) == 0 && (uint64_t)st.st_ino == w->user_ns;
}

enum kind session_kind_of(struct who *w, str program, int dir_fd)
{
	static const str mark = { " (deleted)", 10 };
	const char *slash;
	str name;

	if (str_ends(program, mark))
		program.n -= mark.n;
	for (size_t i = 0; i < ARRAY_SIZE(known_programs); i++)
		if (str_eq(program, str_c(known_programs[i].path)))
			return in_our_user_ns(w, dir_fd) ? known_programs[i].kind : KIND_PLAIN;
	slash = program.n ? memrchr(program.p, '/', program.n) : NULL;
	if (!slash)
		return KIND_PLAIN;
	name = (str){ slash + 1, program.n - (size_t)(slash + 1 - program.p) };
	for (size_t i = 0; i < ARRAY_SIZE(known_names); i++)
		if (str_eq(name, str_c(known_names[i].name)))
			return known_names[i].kind;
	return KIND_PLAIN;
}

/* The pool. */

static void session_unref(struct who *w, uint32_t id)
{
	while (id) {
		struct session *s = &w->sessions[id];
		uint32_t outer = s->outer;

		if (--s->refs)
			return;
		*s = (struct session){ .next = w->session_unused };
		w->session_unused = id;
		id = outer;
	}
}

void session_set(struct who *w, struct proc *p, uint32_t session)
{
	uint32_t before = p->session;

	if (session == before)
		return;
	if (session)
		w->sessions[session].refs++;
	p->session = session;
	p->gen++;
	session_unref(w, before);
}

/* The session whose process is owner: the one that lives, or a new one; 0 when there are too many. */
static uint32_t session_get(struct who *w, struct proc *owner, enum session_kind kind, uint32_t outer)
{
	uint32_t id = owner->own_session;
	struct session *s = &w->sessions[id];

	if (id && s->refs && s->kind == kind && s->pid == owner->tgid && s->start == owner->start)
		return id;
	id = w->session_unused;
	if (!id)
		return 0;
	s = &w->sessions[id];
	w->session_unused = s->next;
	*s = (struct session){ .kind = kind, .pid = owner->tgid, .start = owner->start, .outer = outer };
	if (outer)
		w->sessions[outer].refs++;
	owner->own_session = id;
	return id;
}

/* Titles. */

/* "sshd: NAME@pts/0", "sshd-session: NAME@notty": a session that is authenticated and not the monitor ("NAME [priv]"). */
static bool title_is_session(struct who *w, pid_t pid, uint64_t start)
{
	_cleanup_close_ int dir = procfs_open(w->proc_fd, pid);
	struct stat_facts s;
	char text[512];
	const char *nul;
	str t;
	int n;

	if (dir < 0 || procfs_stat(dir, &s) < 0 || (start && s.start != start))
		return false;
	n = procfs_read(dir, "cmdline", text, sizeof(text));
	w->c.proc_reads++;
	if (n <= 0)
		return false;
	nul = memchr(text, '\0', (size_t)n);
	t = (str){ text, nul ? (size_t)(nul - text) : (size_t)n };
	return str_starts(t, STR("sshd")) && memmem(t.p, t.n, ": ", 2) && memchr(t.p, '@', t.n) && !memmem(t.p, t.n, " [", 2);
}

/* Clients. */

static bool one_host(const struct peers *p, const struct peers *accepting, struct who_addr *ret)
{
	const struct who_addr *found = NULL;

	for (size_t i = 0; i < p->n; i++) {
		bool accepted = !accepting;

		for (size_t k = 0; accepting && k < accepting->n_ports; k++)
			accepted = accepted || accepting->ports[k] == p->local[i];
		if (!accepted)
			continue;
		if (found && !addr_same_host(found, &p->addr[i]))
			return false;
		if (!found)
			found = &p->addr[i];
	}
	if (!found)
		return false;
	*ret = *found;
	return true;
}

/* The peer of the process's one connection. With several (a server asks a directory, a session forwards ports), or more descriptors than
 * we look at, those count that came in on a port its parent listens on. */
static bool find_client(struct who *w, struct proc *p, struct who_addr *ret)
{
	struct peers here, above;
	struct proc *parent;

	if (peers_tcp(w, p->tgid, p->start, &here) < 0)
		return false;
	if (here.complete && one_host(&here, NULL, ret))
		return true;
	parent = here.n ? table_parent(w, p) : NULL;
	if (!parent || parent->kind != p->kind || peers_tcp(w, parent->tgid, parent->start, &above) < 0)
		return false;
	return one_host(&here, &above, ret);
}

/* Exactly one tmux is attached: its session's client. */
static bool attached_client(struct who *w, const struct session *s, struct who_addr *ret)
{
	struct proc *client = NULL;
	const struct session *its;
	pid_t pids[16];
	size_t n;

	if (peers_unix(w, s->pid, s->start, pids, ARRAY_SIZE(pids), &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct proc *q = table_proc(w, pids[i]);

		if (!q || q->kind != KIND_TMUX)
			continue;
		if (client)
			return false;
		client = q;
	}
	if (!client)
		return false;
	session_settle(w, client);
	its = &w->sessions[client->session];
	if (client->session && (its->kind == SESSION_SSH || its->kind == SESSION_SMB))
		session_resolve(w, client);
	else
		return false;
	its = &w->sessions[client->session];
	if (its->has_client != YES)
		return false;
	*ret = its->client;
	return true;
}

/* Users. */

/* The process next below the session's on the way to p: U, or a direct child of M. */
static struct proc *next_below(struct who *w, const struct session *s, struct proc *p)
{
	for (int depth = 0; p && depth < WHO_DEPTH_MAX; depth++) {
		if (p->ppid == s->pid)
			return p;
		p = table_parent(w, p);
	}
	return NULL;
}

static void find_user(struct who *w, struct session *s, struct proc *p)
{
	struct proc *below = p->tgid == s->pid ? NULL : next_below(w, s, p);
	_cleanup_close_ int dir = -1;
	struct status_facts facts;
	struct stat_facts st;
	struct task *t;

	if (!below)
		return;
	if (below->kind != KIND_SSHD) { /* no U: root's own session, or a helper of M */
		dir = procfs_open(w->proc_fd, s->pid);
		if (title_is_session(w, s->pid, s->start) && dir >= 0 && procfs_status(dir, &facts) == 0 && facts.euid == 0 && facts.ruid == 0) {
			s->uid = 0;
			s->has_uid = YES;
		}
		return;
	}
	t = table_find(w, below->tgid);
	dir = procfs_open(w->proc_fd, below->tgid);
	if (dir >= 0 && procfs_status(dir, &facts) == 0 && procfs_stat(dir, &st) == 0 && (!below->start || below->start == st.start)) {
		/* What is below U and no sshd was started by U after the login. U itself must say so. */
		if (facts.ruid == 0 || facts.ruid != facts.euid || (p->kind == KIND_SSHD && !title_is_session(w, below->tgid, st.start)))
			return;
		s->uid = facts.ruid;
		s->has_uid = YES;
	} else if (t && t->flags & T_FSUID && t->fsuid != 0 && p->kind != KIND_SSHD) {
		s->uid = t->fsuid;
		s->has_uid = YES;
	}
}

void session_resolve(struct who *w, struct proc *p)
{
	struct session *s = &w->sessions[p->session];
	struct proc *owner;
	bool found = false, had = s->has_client == YES;
	struct who_addr before = s->client;

	if (!p->session)
		return;
	if (s->kind == SESSION_SSH && s->has_uid == UNKNOWN) {
		find_user(w, s, p);
		p->gen += s->has_uid == YES;
	}
	if (s->kind == SESSION_SCREEN || (had && s->kind != SESSION_TMUX) || (s->checked && w->now - s->checked < WHO_REFRESH_NS))
		return;
	s->checked = w->now;
	if (s->kind == SESSION_TMUX) {
		found = attached_client(w, s, &s->client);
	} else {
		owner = table_find_proc(w, s->pid);
		if (owner && owner->start != s->start)
			owner = NULL; /* its number is another's now */
		if (owner)
			found = find_client(w, owner, &s->client);
		if (!found && s->kind == SESSION_SSH && p != owner) { /* M may be gone: U holds the connection too */
			struct proc *u = next_below(w, s, p);

			found = u && u->kind == KIND_SSHD && find_client(w, u, &s->client);
		}
	}
	s->has_client = found ? YES : NO;
	if (found != had || (found && memcmp(&before, &s->client, sizeof(before)) != 0))
		p->gen++;
}

/* Which session. */

static bool is_connected_sshd(struct who *w, const struct proc *p)
{
	struct peers peers;

	if (peers_tcp(w, p->tgid, p->start, &peers) < 0 || !peers.n)
		return false;
	/* A listener has just accepted a connection: it is not that connection's session. With forwarded ports a session listens too. */
	return !peers.n_ports || title_is_session(w, p->tgid, p->start);
}

static void settle_sshd(struct who *w, struct proc *p, struct proc *parent)
{
	uint32_t id;

	if (parent && parent->kind == KIND_SSHD && parent->flags & P_INNER) {
		session_set(w, p, parent->session);
		p->flags |= P_INNER;
		return;
	}
	facts_start(w, p);
	id = is_connected_sshd(w, p) ? session_get(w, p, SESSION_SSH, 0) : 0;
	if (id) {
		session_set(w, p, id);
		p->flags |= P_INNER;
	} else {
		session_set(w, p, parent && parent->kind != KIND_SSHD ? parent->session : 0);
	}
}

static void settle_one(struct who *w, struct proc *p, struct proc *parent)
{
	enum session_kind kind = parent && parent->kind == KIND_SCREEN ? SESSION_SCREEN : SESSION_TMUX;
	uint32_t id;

	p->flags |= P_SETTLED;
	if (p->kind == KIND_SMBD) {
		facts_start(w, p);
		session_set(w, p, session_get(w, p, SESSION_SMB, 0));
	} else if (p->kind == KIND_SSHD) {
		settle_sshd(w, p, parent);
	} else if (parent && (parent->kind == KIND_TMUX || parent->kind == KIND_SCREEN) && p->kind != parent->kind) {
		facts_start(w, parent);
		id = session_get(w, parent, kind, parent->session);
		session_set(w, p, id);
	} else {
		session_set(w, p, parent && parent->kind != KIND_KERNEL ? parent->session : 0);
	}
}

/* From the uppermost ancestor that is not settled down to p. */
void session_settle(struct who *w, struct proc *p)
{
	struct proc *path[WHO_DEPTH_MAX];
	size_t n = 0;

	while (p && !(p->flags & P_SETTLED) && n < ARRAY_SIZE(path)) {
		path[n++] = p;
		p = table_parent(w, p);
	}
	while (n-- > 0) {
		settle_one(w, path[n], p);
		p = path[n];
	}
}

void session_inherit(struct who *w, struct proc *p, struct proc *from)
{
	if (p->kind == KIND_SMBD)
		return; /* a session of its own */
	if (p->kind == KIND_SSHD) {
		if (!(from->flags & P_INNER))
			return; /* the listener's child: decided when it executes, forks or acts */
		p->flags |= P_INNER;
	}
	session_set(w, p, from->session);
	p->flags |= from->flags & P_SETTLED;
}

void session_exec(struct who *w, struct proc *p)
{
	struct proc *parent = table_parent(w, p);

	p->flags &= ~(uint32_t)P_INNER;
	if (p->kind == KIND_SMBD || p->kind == KIND_SSHD || (parent && (parent->kind == KIND_TMUX || parent->kind == KIND_SCREEN)))
		p->flags &= ~(uint32_t)P_SETTLED;
	if (p->kind != KIND_PLAIN || p->session)
		session_settle(w, p);
	/* Once a session, while all of its processes are there. */
	if (p->session && w->sessions[p->session].kind == SESSION_SSH && w->sessions[p->session].has_uid == UNKNOWN)
		session_resolve(w, p);
}

void session_fill(struct who *w, const struct proc *p, struct who_actor *a)
{
	const struct session *s = &w->sessions[p->session], *identity = s;

	if (p->kind == KIND_KERNEL || !(p->flags & P_SETTLED))
		return;
	if (p->session && (s->kind == SESSION_TMUX || s->kind == SESSION_SCREEN)) {
		for (int depth = 0; depth < WHO_DEPTH_MAX && (identity->kind == SESSION_TMUX || identity->kind == SESSION_SCREEN); depth++)
			identity = &w->sessions[identity->outer];
	}
	a->known |= WHO_VIA;
	a->via = identity->kind == SESSION_SSH ? VIA_SSH : identity->kind == SESSION_SMB ? VIA_SMB : VIA_LOCAL;
	if (p->kind == KIND_SMBD)
		a->known |= WHO_SMB;
	if (!p->session)
		return;
	a->session_pid = identity->pid;
	a->session_start = identity->start;
	if (identity->has_uid == YES) {
		a->known |= WHO_SESSION;
		a->session_uid = identity->uid;
	}
	if (s->has_client == YES && p->kind != KIND_TMUX && p->kind != KIND_SCREEN) {
		a->known |= WHO_CLIENT;
		a->client = s->client;
	}
}
