/* keeper_private.h — what the files of the keeper share; nobody else includes it.
 *
 * Purpose: struct keeper and the calls between keeper.c (loop), keeper_sensor.c (sensor messages) and keeper_clients.c (commands).
 * Ownership: keeper.c owns struct keeper. Units: ns, leaves. Threads: the loop's, but for query threads, which see only their own
 * connection.
 * Errors: negative errno; -EIO, -EUCLEAN and -ENOMEM end the keeper.
 */
#ifndef TYTO_KEEPER_PRIVATE_H
#define TYTO_KEEPER_PRIVATE_H

#include <sys/epoll.h>

#include "daemon/clockwatch.h"
#include "daemon/detecting.h"
#include "daemon/indexer.h"
#include "daemon/keeper.h"
#include "daemon/known.h"
#include "daemon/persons.h"
#include "daemon/proto.h"
#include "evidence/evidence.h"
#include "who/people.h"

#define KEEPER_CLIENTS_MAX 32
#define KEEPER_CLIENTS_OTHERS 24 /* of these, by those who may not write: root always finds a place */
#define KEEPER_CLIENTS_UID 6     /* by one of them */
#define KEEPER_CLIENT_NS (10 * NSEC_PER_SEC) /* for one of them to say what he wants */
#define KEEPER_REASON_MAX 512
#define KEEPER_ROLES 64          /* uids whose role is remembered */
#define KEEPER_ROLE_NS (30 * NSEC_PER_SEC)
#define KEEPER_NUMBERS 65536 /* sensor records whose seq is remembered for `refers` */
#define KEEPER_COMMIT_NS (50 * 1000 * 1000LL)
#define KEEPER_COMMIT_LEAVES 16384
#define KEEPER_SETTLE_NS (11 * NSEC_PER_SEC) /* what a sensor still holds when it is killed: a folding window, and opens not decided yet */
/* a sensor that ends takes its marks away, then writes down what it has, then beats for the last time */
#define KEEPER_STOP_NS (2 * NSEC_PER_SEC)
#define KEEPER_BUSY_NS (10 * NSEC_PER_SEC)   /* wait for the end of a keeper whose guard was killed */
#define KEEPER_HEARTBEAT_NS (10 * NSEC_PER_SEC)

/* What an epoll event belongs to; a client's is TAG_CLIENT + its place. */
enum tag { TAG_SENSOR, TAG_CONTROL, TAG_LISTEN, TAG_SIGNAL, TAG_ALERTS, TAG_CLIENT };

enum client_role { ROLE_NONE, ROLE_READ, ROLE_WRITE };

struct client {
	int fd; /* -1: free */
	enum client_role role;
	uid_t uid;
	int64_t since; /* CLOCK_BOOTTIME */
	struct buf in;
	bool importing;
	bool scanning;
	bool answer_due;       /* the import is finished; answered when durable */
	uint64_t import_seq;   /* leaf that began it */
	uint64_t records, refused, rows;
};

struct keeper {
	const struct keeper_config *c;
	struct evidence *ev;
	struct indexer *indexer;
	struct detecting *detecting;
	struct follower *follower;
	struct people *people;
	struct persons *persons;
	struct clockwatch clock;
	int epoll, signal_fd;
	bool stop;
	bool orphan;                /* the guard is gone: whoever comes next must not wait for us */
	bool sensor_input_stopped;  /* the sensor's end is closed */

	/* group commit */
	uint64_t pending;           /* leaves appended since the last commit */
	int64_t pending_since;      /* CLOCK_BOOTTIME */
	bool checkpoint_due;
	int64_t last_checkpoint;
	int64_t last_try_room;
	bool disk_full;

	/* sensor */
	int sensor_fd;
	struct buf sensor_in, sensor_out;
	uint64_t sensor_bytes;               /* taken from it */
	uint64_t numbers[KEEPER_NUMBERS];    /* seq of record number n at n % KEEPER_NUMBERS … */
	uint64_t number_of[KEEPER_NUMBERS];  /* … and which n that is */
	uint64_t last_number;                /* highest received */
	uint64_t acked_number;
	struct sensor_heartbeat counters;    /* of the last heartbeat message */
	enum sensor_backend backend;
	char *watching[CONFIG_PATHS_MAX];
	size_t n_watching;
	char *blind[SENSOR_BLIND_MAX + 1];   /* what the sensor cannot see just now */
	size_t n_blind;
	int64_t gap_from;                    /* a gap is to be recorded when the first path is ready */
	int64_t last_heartbeat;              /* CLOCK_BOOTTIME of the last heartbeat leaf */
	struct known *known;                 /* which content stands where */

	struct client clients[KEEPER_CLIENTS_MAX];
	struct known_role {
		uid_t uid;
		enum client_role role;
		int64_t until; /* CLOCK_BOOTTIME; 0: free */
	} roles[KEEPER_ROLES];
	char host[256];
	char boot[64];
	struct buf scratch;
};

/* keeper.c */
int keeper_appended(struct keeper *k, int r); /* after each append: counts, turns -ENOSPC into a gap */
void keeper_full(struct keeper *k); /* no room: the log has opened its gap */
int keeper_gap(struct keeper *k, enum event_cause cause, int64_t from, int64_t to, uint64_t lost);
int keeper_heartbeat(struct keeper *k, enum heartbeat_phase phase);
int keeper_watch_fd(struct keeper *k, int fd, uint64_t tag, uint32_t events);
int keeper_add_person(struct keeper *k, str row, uint64_t source, const char **ret_expect);

/* keeper_sensor.c */
int keeper_sensor_attach(struct keeper *k, int fd);
int keeper_sensor_input(struct keeper *k);
int keeper_sensor_ack(struct keeper *k);
void keeper_sensor_stop(struct keeper *k);

/* keeper_clients.c */
int keeper_client_accept(struct keeper *k);
int keeper_client_event(struct keeper *k, size_t i, uint32_t events);
void keeper_clients_committed(struct keeper *k);
void keeper_clients_full(struct keeper *k); /* what they wait for will not become durable */
void keeper_clients_tick(struct keeper *k, int64_t now); /* who has said nothing for too long */
void keeper_clients_close(struct keeper *k);
void keeper_status(struct keeper *k, bool names, struct buf *b);

#endif
