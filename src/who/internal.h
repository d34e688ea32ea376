/* internal.h — what the files of src/who share.
 *
 * Purpose: the table's structures. A task is a thread, a proc a thread group; facts that a whole process has stand in the proc, the
 * fsuid stands in the task. Program paths are interned: a fork copies numbers. Sessions are shared by everybody below them.
 * Ownership: struct who owns all pools; nothing is allocated after who_new. Numbers (u32) index the pools, 0 is none.
 * Threads: the responder only, but the reference counts of slots. Units: ns of CLOCK_MONOTONIC for `now`, deadlines and message times.
 * Errors: negative errno.
 */
#ifndef TYTO_WHO_INTERNAL_H
#define TYTO_WHO_INTERNAL_H

#include <stdatomic.h>

#include "who/who.h"

#define WHO_PATH_MAX EVENT_NAME_MAX      /* a longer program is absent */
#define WHO_REFRESH_NS (1000 * 1000 * 1000LL) /* what no message tells (cwd, cgroup, attached tmux clients) is this old at most */
#define WHO_FDS_MAX 64                   /* descriptors looked at to find a connection */
#define WHO_DEPTH_MAX 64                 /* ancestors walked */
#define WHO_OLD_UIDS 3
#define WHO_EXECS 256                    /* executions that wait to be told */
#define WHO_SETTLE_NS (5 * 1000 * 1000LL) /* a message may be this long behind the change that it tells of */

/* procfs.c: /proc below one descriptor, in stack buffers. */

struct stat_facts { /* /proc/PID/stat */
	pid_t ppid, sid;
	uint64_t start;
	bool kernel; /* PF_KTHREAD */
};

struct status_facts { /* /proc/TID/status */
	pid_t tgid, ppid;
	uid_t ruid, euid, fsuid;
};

int procfs_parse_stat(str text, struct stat_facts *ret);
int procfs_parse_status(str text, struct status_facts *ret);
int procfs_parse_loginuid(str text, uid_t *ret); /* -ENODATA: unset */
/* A descriptor of /proc/TID: what is read below it is of this very process, also when its number is used again. */
int procfs_open(int proc_fd, pid_t tid);
int procfs_read(int dir_fd, const char *name, char *buf, size_t size); /* bytes read, at most size */
int procfs_link(int dir_fd, const char *name, char *buf, size_t size); /* length; -ENAMETOOLONG when it does not fit */
int procfs_stat(int dir_fd, struct stat_facts *ret);
int procfs_status(int dir_fd, struct status_facts *ret);
/* Executable without the kernel's " (deleted)". */
int procfs_exe(int dir_fd, char *buf, size_t size);
/* Arguments with a blank between them, cut to size at a whole character; 0 where there are none. */
int procfs_command(int dir_fd, char *buf, size_t size);
size_t procfs_join_arguments(char *text, size_t n, size_t max);

/* container.c */
/* The container's id in the text of /proc/PID/cgroup; STR_NONE when there is none. */
str container_id(str cgroup);

/* intern.c: reference counted strings in fixed pools. */
struct intern;
int intern_new(uint32_t n_small, uint32_t n_large, struct intern **ret);
struct intern *intern_free(struct intern *in);
uint32_t intern_get(struct intern *in, str s); /* takes a reference; 0 when full, empty or too long */
uint32_t intern_ref(struct intern *in, uint32_t id);
void intern_unref(struct intern *in, uint32_t id);
str intern_str(const struct intern *in, uint32_t id);

/* actor.c: the pool of actors. */
struct pool;
struct slot {
	_Atomic uint32_t refs;
	uint32_t task;           /* whose cache holds a reference; 0: none */
	struct slot *next;       /* of the free or returned list */
	struct slot *newer, *older;
	struct pool *pool;
	size_t n; /* bytes of a that count */
	struct who_actor a;
};
struct pool {
	struct slot *slots, *unused;
	struct slot *oldest, *newest; /* those that a task's cache holds */
	_Atomic(struct slot *) returned; /* given back by any thread */
	size_t n;
	uint32_t next_id;
};
int pool_new(size_t n, struct pool *ret);
void pool_free(struct pool *p);
struct slot *pool_take(struct pool *p); /* referenced once; NULL when all are in use */
void pool_cached(struct pool *p, struct slot *s, uint32_t task);
void pool_uncached(struct pool *p, struct slot *s);

enum kind { KIND_PLAIN, KIND_SMBD, KIND_SSHD, KIND_TMUX, KIND_SCREEN, KIND_KERNEL };

enum session_kind { SESSION_SSH = 1, SESSION_SMB, SESSION_TMUX, SESSION_SCREEN };
enum tri { UNKNOWN, YES, NO };

struct session {
	uint32_t refs;
	enum session_kind kind;
	pid_t pid; /* the sshd next to the connection, the smbd, the tmux server */
	uint64_t start;
	enum tri has_uid, has_client;
	uid_t uid;
	struct who_addr client;
	int64_t checked;  /* when the client was looked for */
	uint32_t outer;   /* tmux, screen: the session that started the server */
	uint32_t next;    /* of the free list */
};

enum proc_flag {
	P_PROGRAM = 1 << 0,    /* program is known: read in this program, or inherited at fork */
	P_PARENTS = 1 << 1,
	P_CONTAINER = 1 << 2,  /* known, also to be none */
	P_LOGIN = 1 << 3,      /* login is set */
	P_LOGIN_READ = 1 << 4, /* known, also to be unset */
	P_SETTLED = 1 << 5,    /* session is decided, also to be none */
	P_INNER = 1 << 6,      /* an sshd that belongs to its session's connection */
	P_TOUCHED = 1 << 7,    /* it, or the one that forked it, has touched a document */
	P_NOTED = 1 << 8,      /* what it executes now was told */
};

struct proc {
	uint32_t refs;   /* tasks, dead ones too */
	uint32_t flags;
	uint32_t gen;    /* goes up with whatever makes cached actors false */
	pid_t tgid, ppid; /* ppid: who forked it, also when that one has died since */
	uint64_t start;   /* 0: not read yet */
	int64_t born;     /* by the message of its fork; 0: was there before, or read */
	int64_t executed; /* by the message of its last exec; 0: none was seen */
	enum kind kind;
	uint32_t program, container, session;
	uint32_t own_session; /* not referenced: the session whose pid this is, while it lives */
	uid_t login;
	uint32_t uid_changes; /* since fork or exec: while 0, all threads have the same credentials */
	uint8_t n_parents;
	uint32_t parents[EVENT_PARENTS_MAX];
	uint32_t next; /* of the free list */
};

enum task_flag {
	T_FSUID = 1 << 0, /* fsuid is known: read while held, or inherited, or the euid of a message */
	T_STALE = 1 << 1, /* a message changed the credentials since fsuid was read */
	T_HELD = 1 << 2,  /* the cached actor was read while held */
	T_DEAD = 1 << 3,
	T_MANY = 1 << 4,  /* more different uids in a short time than we keep */
	T_REUSED = 1 << 5, /* another task died with this number shortly before */
	T_LATE_OK = 1 << 6, /* the cached actor answers for late look-ups */
};

struct task {
	pid_t tid;
	uint32_t flags;
	uint32_t proc;
	uint32_t chain;       /* hash */
	uint32_t newer, older; /* of the live or the dead list */
	uid_t fsuid;
	uint32_t slot_gen;
	struct slot *slot;
	int64_t fresh_until;
	int64_t born, died; /* by messages; 0 unknown */
	struct { uid_t uid; int64_t last; } old[WHO_OLD_UIDS]; /* uids it had, and until when */
	uint8_t n_old;
};

struct exec_note {
	struct who_exec e;
	int64_t read; /* when what it says was read */
};

struct list {
	uint32_t oldest, newest;
};

struct who {
	int proc_fd, netlink;
	uint64_t user_ns; /* inode of our user namespace */
	struct task *tasks;
	struct proc *procs;
	struct session *sessions;
	uint32_t n_tasks, n_sessions, n_buckets;
	uint32_t task_unused, proc_unused, session_unused;
	uint32_t *buckets;
	struct list live, dead;
	struct intern *names;
	struct pool pool;
	struct exec_note *execs; /* a ring */
	uint32_t exec_first, exec_n;
	int64_t drained;  /* when everything that the connector had was taken in */
	struct who_counters c;
	int64_t now;      /* coarse, of the running call */
	int64_t deadline; /* of the running look-up */
	struct who_actor scratch;
};

static inline struct proc *task_proc(struct who *w, const struct task *t)
{
	return &w->procs[t->proc];
}

/* table.c */
int64_t who_now(void);   /* coarse */
int64_t who_clock(void); /* exact */
bool who_past(const struct who *w);
struct task *table_find(struct who *w, pid_t tid);
struct proc *table_find_proc(struct who *w, pid_t tgid);
/* The parent of p: by its number, and because it is older; NULL when its number is another's now or it is not known. */
struct proc *table_parent(struct who *w, struct proc *p);
/* The live process, from the table or else read now; NULL when it cannot be read. */
struct proc *table_proc(struct who *w, pid_t tgid);
void table_drop_all(struct who *w);
void table_fork(struct who *w, pid_t ptid, pid_t ptgid, pid_t tid, pid_t tgid, int64_t when);
void table_exec(struct who *w, pid_t tid, pid_t tgid, int64_t when);
void table_uid(struct who *w, pid_t tid, uid_t euid, int64_t when);
void table_exit(struct who *w, pid_t tid, int64_t when);
void table_scan(struct who *w);
struct task *table_add(struct who *w, pid_t tid, pid_t tgid);

/* Makes it the last to be evicted: before anything that may add others. */
void table_touch(struct who *w, struct task *t);
void table_drop(struct who *w, struct task *t);
void table_uncache(struct who *w, struct task *t);
/* A slot for a new actor, taken from the longest unused task if need be; NULL when all are in use. */
struct slot *table_slot(struct who *w);

/* facts.c */
/* All that a process has but its credentials. -ESTALE: the number is another process's now. */
int facts_read(struct who *w, struct proc *p, int dir_fd);
void facts_program(struct who *w, struct proc *p, int dir_fd);
void facts_container(struct who *w, struct proc *p, int dir_fd);
void facts_login(struct who *w, struct proc *p, int dir_fd);
void facts_start(struct who *w, struct proc *p);
void facts_ancestry(struct who *w, struct proc *p);

/* execs.c */
int execs_new(struct who *w);
void execs_free(struct who *w);
/* Another program in this process: what was noted a moment ago may have been read of it. */
void execs_again(struct who *w, pid_t tgid, int64_t when);
/* Of a process that touched documents, after the table has taken it in. */
void execs_note(struct who *w, pid_t tgid);
void execs_unsure(struct who *w); /* messages were lost */

/* connector.c */
int connector_open(void); /* a descriptor, or -errno */
bool connector_message(struct who *w, const void *msg, size_t n);
void connector_drain(struct who *w);

/* session.c */
enum kind session_kind_of(struct who *w, str program, int dir_fd);
void session_settle(struct who *w, struct proc *p);
void session_inherit(struct who *w, struct proc *p, struct proc *from); /* at fork */
void session_exec(struct who *w, struct proc *p);                       /* at exec, after the program is known */
void session_set(struct who *w, struct proc *p, uint32_t session);
/* Looks for what is not known yet of p's session (user, peer), at most once in WHO_REFRESH_NS. */
void session_resolve(struct who *w, struct proc *p);
void session_fill(struct who *w, const struct proc *p, struct who_actor *a);

/* addr.c */
bool addr_from_sockaddr(const void *sa, size_t n, struct who_addr *ret);
bool addr_same_host(const struct who_addr *a, const struct who_addr *b);

/* peer.c: sockets of another process. */
#define PEERS_MAX 8
struct peers {
	size_t n, n_ports;
	struct who_addr addr[PEERS_MAX]; /* peers of connected TCP sockets */
	uint16_t local[PEERS_MAX];       /* their ports here */
	uint16_t ports[PEERS_MAX];       /* ports listened on */
	bool complete;                   /* all descriptors were looked at, and all found had room */
};
/* start: of the process that is meant. -ESRCH: another one has the number. */
int peers_tcp(struct who *w, pid_t pid, uint64_t start, struct peers *ret);
/* Processes at the other end of connected unix sockets, each once, not pid itself. -EMSGSIZE: more than cap, or not all looked at. */
int peers_unix(struct who *w, pid_t pid, uint64_t start, pid_t *pids, size_t cap, size_t *ret_n);

#endif
