/* evidence.h — the evidence log: append, make durable, checkpoint, read, verify, export, prove.
 *
 * Purpose: the truth that everything else is derived from. Format: docs/log-format.md. Rules of durability there and in ARCHITECTURE.md.
 * Ownership: struct evidence is the only writer of a state directory (it holds the writer lock); struct evidence_reader reads beside it.
 * Units: sequence numbers are leaf indices from 0; sizes in leaves; times ns UTC. Threads: each struct one thread at a time; a reader
 * and the writer may live in different threads or processes.
 * Errors: negative errno. -EUCLEAN: the log is damaged (evidence_why says where; exit 4). -EIO from a failed fsync is final: close and
 * start again. -ENOSPC: the disk is full; the writer has opened the gap in the reserve and keeps refusing until evidence_try_room
 * succeeds.
 */
#ifndef TYTO_EVIDENCE_H
#define TYTO_EVIDENCE_H

#include "event/event.h"
#include "evidence/leaf.h"
#include "evidence/names.h"
#include "evidence/note.h"
#include "sensor/sensor.h"

struct evidence;
struct evidence_reader;

struct evidence_options {
	bool create;            /* make the directory, key and log if there are none */
	bool no_fsync;          /* for benchmarks of the parts only; never set by a command */
};

/* The last failure on this thread, one line for the operator; never NULL. */
const char *evidence_why(void);

/* state: the state directory. Recovers a torn tail (recorded). -EBUSY: another writer. -ESTALE: newer version. -EPERM: another owner. */
int evidence_open(const char *state, const struct evidence_options *o, struct evidence **ret);
/* Commits, writes a checkpoint, closes. */
struct evidence *evidence_close(struct evidence *e);

/* Appends are buffered; nothing is acknowledged before evidence_commit has returned. Names are interned (their leaves come first). */
int evidence_append_event(struct evidence *e, const struct event *ev, uint64_t *ret_seq);
struct evidence_heartbeat {
	int64_t time;
	enum heartbeat_phase phase;
	str host, boot;
	uint64_t uptime;
	enum clock_state clock;
	enum sensor_backend backend; /* 0: absent, and the counters too */
	struct sensor_heartbeat counters;
};
int evidence_append_heartbeat(struct evidence *e, const struct evidence_heartbeat *h, uint64_t *ret_seq);
struct evidence_import {
	int64_t time;
	enum heartbeat_phase phase; /* start or stop */
	const uint8_t *file;        /* SHA-256, of several files that of their SHA-256s; NULL where unknown */
	uint8_t format;
	str title;
	uint64_t begins, records, refused;
};
int evidence_append_import(struct evidence *e, const struct evidence_import *i, uint64_t *ret_seq);
int evidence_append_person(struct evidence *e, int64_t time, str person, str row, uint64_t source, uint64_t *ret_seq);
/* What a scan found (kinds 9 and 10 of the log). n 0, a NULL or a `has` that is not set: absent. facts: a JSON object. */
struct evidence_document {
	int64_t time;
	const uint8_t *document;
	uint64_t bytes, text_chars, contacts;
	str type, facts, error;
	enum event_label label;
};
int evidence_append_document(struct evidence *e, const struct evidence_document *d, uint64_t *ret_seq);
struct evidence_place {
	int64_t time;
	str path;
	const struct event_object *object;
	const uint8_t *document;
	bool has_stat;              /* owner, group, mode, bytes, modified, changed */
	uint32_t owner, group, mode;
	uint64_t bytes;
	int64_t modified, changed;
	str acl, error;
	bool gone;
};
int evidence_append_place(struct evidence *e, const struct evidence_place *p, uint64_t *ret_seq);
int evidence_append_config(struct evidence *e, int64_t time, str setting, uint64_t *ret_seq);
/* An alert, or a change of one (kind 11). n 0 and 0: absent. body: a JSON object; upto: leaves that the detectors had read; account: who
 * closed it. */
struct evidence_alert {
	int64_t time;
	uint64_t number; /* from 1 */
	enum alert_phase phase;
	enum severity severity;
	enum alert_reason reason;
	str person, rule, body;
	uint64_t upto;
	const uint32_t *account;
};
int evidence_append_alert(struct evidence *e, const struct evidence_alert *a, uint64_t *ret_seq);

/* Everything appended is durable when this returns 0. Compacts when due. */
int evidence_commit(struct evidence *e);
/* What failed so can be asked for again, and nothing is lost meanwhile: no room on the disk, no descriptor to be had. */
bool evidence_may_wait(int r);
/* Signs the durable size; at most one a second is useful. `now` decides the period of the kept ones. */
int evidence_checkpoint(struct evidence *e, int64_t now);
int evidence_key_rotate(struct evidence *e, int64_t now);
/* After -ENOSPC: tries whether there is room; then the gap is recorded and appends work again. */
int evidence_try_room(struct evidence *e, int64_t now);
/* Counts a record that could not be appended while the disk is full; `from` is its time, which may be before the gap was opened. */
void evidence_count_lost(struct evidence *e, int64_t from, int64_t now);

struct evidence_stat {
	uint64_t size;        /* durable leaves */
	uint64_t records;     /* durable event leaves: status.records */
	uint64_t gaps;        /* of them with verb gap */
	uint64_t lost;        /* sum of their counts */
	uint64_t unknown;     /* durable leaves of kinds that a newer program wrote: kept and proved, not understood */
	uint64_t checkpoint_size;
	int64_t checkpoint_time;
	int64_t last_heartbeat; /* time of the last durable heartbeat or event, 0 none */
	uint8_t last_phase;     /* of the last heartbeat; 0 none */
	char last_boot[64];
	uint64_t last_uptime;
	int64_t last_beat;      /* time of the last heartbeat: that of last_boot and last_uptime; 0 none */
	uint64_t disk_log;      /* bytes */
};
void evidence_stat(const struct evidence *e, struct evidence_stat *ret);
const struct names *evidence_names(const struct evidence *e);

/* Readers. */
int evidence_reader_open(const char *state, struct evidence_reader **ret);
struct evidence_reader *evidence_reader_close(struct evidence_reader *r);
/* Sees what became durable since; returns the size. */
int evidence_reader_refresh(struct evidence_reader *r, uint64_t *ret_size);
const struct names *evidence_reader_names(const struct evidence_reader *r);
/* Brings the names table up to what r has seen, when enough has come (finish: also little). Only beside the one who holds the writer
 * lock. */
int evidence_reader_names_table(struct evidence_reader *r, bool finish);
int evidence_reader_stat(struct evidence_reader *r, struct evidence_stat *ret);
/* The `unknown` of a log, without opening its names. */
int evidence_count_unknown(const char *state, uint64_t *ret);
/* One leaf, likewise. */
int evidence_leaf(const char *state, uint64_t seq, struct leaf *ret);
/* Packed leaf `seq`; points into the reader's frame cache until the next call. */
int evidence_read(struct evidence_reader *r, uint64_t seq, str *ret_packed);
/* Leaves [from, to) in order; stops when cb returns non-zero (and returns that). One of a kind above ours comes with its kind alone
 * (leaf_known). */
int evidence_each(struct evidence_reader *r, uint64_t from, uint64_t to,
	int (*cb)(void *arg, uint64_t seq, const struct leaf *l), void *arg);
/* Values of name(9) and name(8). -ENODATA: erased. */
int evidence_object(const struct names *n, uint64_t number, struct event_object *ret);
int evidence_content(const struct names *n, uint64_t number, uint8_t ret[static 32]);
/* An event leaf with its names filled in; strs live until the next call with the same scratch. */
int evidence_event(const struct names *n, uint64_t seq, const struct leaf *l, struct buf *scratch, struct event *ret);
/* The value of a leaf's field that holds a name's number; STR_NONE where the field is absent or the name erased. */
int evidence_name(const struct names *n, const struct leaf *l, unsigned bit, enum name_kind kind, str *ret);

/* verify: from the first byte to the last signature. */
struct verify_options {
	str since_checkpoint;                  /* text of an earlier checkpoint kept elsewhere; STR_NONE */
	const struct note_verifier *trusted;   /* NULL: the log's own log.vkey ("self-consistent") */
	size_t n_trusted;
	void (*progress)(void *arg, uint64_t done, uint64_t size);
	void *progress_arg;
};
struct verify_result {
	uint64_t size, records, names, checkpoints;
	uint64_t unknown;      /* leaves of kinds above ours: hash and place are right, what they say cannot be checked */
	bool damaged;
	uint64_t first_bad;    /* leaf index where known, else UINT64_MAX */
	char where[256];       /* file and byte */
	char what[256];        /* what was expected */
	hash32 root;
};
/* 0 also when damage was found (ret->damaged); negative errno when the log could not be read at all. */
int evidence_verify(const char *state, const struct verify_options *o, struct verify_result *ret);

int evidence_export(struct evidence_reader *r, const char *dir, bool names);
int evidence_proof(struct evidence_reader *r, uint64_t seq, struct buf *ret);
/* Text of the newest checkpoint. */
int evidence_reader_checkpoint(struct evidence_reader *r, struct buf *ret);

#endif
