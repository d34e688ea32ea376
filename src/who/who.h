/* who.h — process → person, session, client address.
 *
 * Purpose: a table of processes and threads fed by the proc connector (fork, exec, uid, sid, exit) and completed from
 * /proc while the actor is held, so that the responder knows who acts within microseconds. It speaks in uids: names are the keeper's.
 * Ownership: struct who owns everything. An actor returned by who_lookup is immutable, reference counted (who_ref/who_unref, any thread)
 * and valid while a reference is held. All memory is taken by who_new: afterwards who_drain and who_lookup allocate nothing, take no
 * lock, resolve no name, and open nothing but entries below the /proc descriptor held since who_new.
 * Threads: who_drain and who_lookup by one thread (the responder); actors may be read and unref'd by another (the recorder).
 * Units: pids of the initial namespace, start times in clock ticks since boot (field 22 of /proc/PID/stat).
 * Errors: negative errno; a lookup that can only know part says so in `known`.
 *
 * What is how true:
 * - A held look-up right after who_drain is exact in fsuid, program, session: the kernel queues its message before the act goes on. No
 *   message tells of chdir, cgroup changes and clients attaching to tmux: cwd, container and such a client are up to 1 s old.
 * - A late look-up answers for the last second. Where the thread was more than one person in it, or its number was given to another
 *   process, fsuid or all is absent. A child made with CLONE_PARENT counts as its parent's until it executes or is held: the kernel
 *   tells no more.
 * - ppid and parents are those who forked, also when they are gone. Of parents, those that fit, nearest first, without a hole.
 * - An executable counts as sshd or smbd by its path, and only in our own user namespace: elsewhere anybody can mount anything there.
 * - The connector exists in the initial network and pid namespace only, for root. who_fd must be in the caller's poll: who_drain it
 *   whenever it is readable, or messages are lost (8 MB hold some 20,000).
 */
#ifndef TYTO_WHO_H
#define TYTO_WHO_H

#include <netinet/in.h>
#include <sys/types.h>

#include "base/str.h"
#include "event/event.h"

#define WHO_STRINGS 1600

enum who_known {
	WHO_FSUID = 1 << 0,      /* fsuid of the acting thread at the access */
	WHO_LOGIN = 1 << 1,      /* audit login uid is set (an unset one is unknown, never root) */
	WHO_SESSION = 1 << 2,    /* session_uid: the user of the ssh session, from ancestry */
	WHO_CLIENT = 1 << 3,     /* peer address of the session */
	WHO_PROGRAM = 1 << 4,    /* executable path */
	WHO_CWD = 1 << 5,
	WHO_PARENTS = 1 << 6,
	WHO_VIA = 1 << 7,
	WHO_CONTAINER = 1 << 8,
	WHO_LATE = 1 << 9,       /* read after the access, not while held */
	WHO_SMB = 1 << 10,       /* an smbd: fsuid is the SMB user, and the opener answers for what its pool threads do */
};

struct who_addr {
	uint16_t family; /* AF_INET, AF_INET6; v4-mapped addresses are given as AF_INET */
	uint16_t port;
	uint8_t addr[16];
};

struct who_actor {
	uint32_t id;          /* unique among live actors: the folding key's "program and session" part compares the fields instead */
	uint32_t known;       /* enum who_known */
	pid_t tid, tgid, ppid;
	uint64_t start;       /* of the thread group; 0: not known (gone before it was read) */
	uid_t fsuid, login_uid, session_uid;
	enum event_via via;
	pid_t session_pid;    /* the sshd or smbd process that is the session; 0: none */
	uint64_t session_start;
	struct who_addr client;
	/* Offsets into strings; lengths. */
	uint16_t program_off, program_len, cwd_off, cwd_len, container_off, container_len;
	uint16_t parent_off[EVENT_PARENTS_MAX], parent_len[EVENT_PARENTS_MAX];
	uint8_t n_parents;
	char strings[WHO_STRINGS];
};

struct who; /* opaque */

struct who_counters {
	uint64_t lookups, hits, proc_reads, lost_messages; /* lost_messages: ENOBUFS of the connector; the cache was dropped */
	uint64_t messages; /* of the connector, taken in */
	uint64_t evicted;  /* the table was full: the oldest made room */
};

/* proc_fd: an O_PATH descriptor of /proc, kept open by the caller for our life. max_actors bounds memory: each about 2 KB, and
 * 4 KB for the eight threads that the table holds for each (at least 4,096).
 * Scans /proc once. Works without the connector (ret still valid, who_has_connector false): then every lookup reads /proc. */
int who_new(int proc_fd, size_t max_actors, struct who **ret);
struct who *who_free(struct who *w);
bool who_has_connector(const struct who *w);
/* The connector's descriptor, for epoll; -1 without. */
int who_fd(const struct who *w);
/* Reads what the connector has, without waiting. Call after reading a batch of events and before looking up its actors. */
void who_drain(struct who *w);
/* The actor behind a thread id. held: the thread stands still now, so /proc is true of the access; otherwise the result carries
 * WHO_LATE where anything had to be read now. deadline: CLOCK_MONOTONIC ns; stops reading (partial `known`) when past.
 * ret: a referenced actor. -ENOENT (gone and unknown), -ETIME, -ENOBUFS (every actor in use). */
int who_lookup(struct who *w, pid_t tid, bool held, int64_t deadline, struct who_actor **ret);
void who_ref(struct who_actor *a);
void who_unref(struct who_actor *a);
/* Thread group of a tid known to the table or readable now; 0 if neither. */
pid_t who_tgid(struct who *w, pid_t tid);
/* Was it forked by `above`, which lives, or by a child of that, at most four deep? From the table alone; where it does not know, no. */
bool who_below(struct who *w, pid_t tgid, pid_t above);
void who_counters(const struct who *w, struct who_counters *ret);

/* "192.0.2.7", "2001:db8::1": the text form kept in the log. Returns the length. */
size_t who_addr_text(const struct who_addr *a, char out[static INET6_ADDRSTRLEN]);

static inline str who_program(const struct who_actor *a)
{
	return (str){ a->strings + a->program_off, a->program_len };
}

#endif
