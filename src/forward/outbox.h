/* outbox.h — messages that are to be sent, and what has been told: STATE/notify/notify.db.
 *
 * Purpose: nothing is lost over a restart, and nothing is told twice but in doubt: how far the log was read, what was told of each alert,
 * and the letters that this made are one transaction. A letter says which alert, not what of it: no name stands here. It is deleted when it
 * was sent; after too many tries it is dead, and stays until somebody sends it again (`tyto notify retry`).
 * Not a view of the log: when it is damaged it is put aside; what was told stands in notified.h, too.
 * Ownership: strs in callbacks live until they return. Units: ns of the wall clock; leaves. Threads: one at a time a struct; several
 * processes may have it open.
 * Errors: negative errno; outbox_why() says more.
 */
#ifndef TYTO_OUTBOX_H
#define TYTO_OUTBOX_H

#include "base/str.h"
#include "event/event.h"

#define OUTBOX_WAITING_MAX 10000 /* letters of one way; more are dead at once */
#define OUTBOX_DEAD_MAX 100000   /* dead letters; the oldest go, and are counted */

struct outbox;

const char *outbox_why(void);
/* write: made when missing; otherwise -ENOENT. */
int outbox_open(const char *state, bool write, struct outbox **ret);
struct outbox *outbox_close(struct outbox *o);
/* -EUCLEAN of anything below: close it, put it aside, and open it again. Opening does so itself where it sees the damage. */
int outbox_put_aside(const char *state);

/* --- reading the log --- */

/* Leaves read so far; begun false: none yet. */
int outbox_position(struct outbox *o, uint64_t *ret, bool *ret_begun);
int outbox_begin(struct outbox *o);
int outbox_commit(struct outbox *o, uint64_t position);
void outbox_rollback(struct outbox *o);

/* What was told last of an alert. */
struct outbox_told {
	enum severity severity;
	bool open;
	enum alert_reason reason;
};
int outbox_told(struct outbox *o, uint64_t alert, struct outbox_told *ret); /* 1, or 0: nothing yet */
int outbox_tell(struct outbox *o, uint64_t alert, const struct outbox_told *t);

/* --- letters --- */

struct outbox_letter {
	uint64_t id;
	uint64_t alert, record; /* which, and the record of it that this is about */
	unsigned kind;          /* enum message_kind */
	str way;
	int64_t created, due;
	unsigned tries;
	bool dead;
	str answer;             /* of the last try; STR_NONE: none yet */
};
/* id, tries and answer are ours. */
int outbox_add(struct outbox *o, const struct outbox_letter *l);
/* Those that were being sent when somebody died are sent again. Letters of other ways than these are dead: nobody sends them. */
int outbox_settle(struct outbox *o, const char *const *ways, size_t n);
/* The one whose turn it is: 1, or 0. way and answer are left out. */
int outbox_next(struct outbox *o, const char *way, int64_t now, struct outbox_letter *ret);
int outbox_sending(struct outbox *o, uint64_t id);
int outbox_sent(struct outbox *o, uint64_t id, int64_t now);
/* due: when to try again; dead: never. */
int outbox_failed(struct outbox *o, uint64_t id, str answer, int64_t due, bool dead);
/* The lowest record that a letter which is still to be sent is about: 1, or 0: nothing waits. */
int outbox_oldest(struct outbox *o, uint64_t *ret);
int outbox_dead(struct outbox *o, int (*cb)(void *arg, const struct outbox_letter *l), void *arg);
/* id 0: all dead ones. */
int outbox_retry(struct outbox *o, uint64_t id, uint64_t *ret_n);

struct outbox_stat {
	uint64_t waiting, dead, sent, forgotten; /* forgotten: dead letters that had to go */
	int64_t oldest;  /* of those waiting; 0 none */
	int64_t last;    /* when something was sent; 0 never */
	char answer[256]; /* of the newest failed try among those waiting */
};
int outbox_stat(const char *state, struct outbox_stat *ret);

/* The one who tells: a lock as long as the descriptor is open. -EWOULDBLOCK: somebody else does. */
int outbox_lock(const char *state, int *ret_fd);
/* Somebody does. */
bool outbox_locked(const char *state);

#endif
