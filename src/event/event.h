/* event.h — the one record: who did what to which document.
 *
 * Purpose: the record of the whole project, live or imported; enums with their outside names; limits.
 * Ownership: every str points into memory of whoever filled the event (a message, a line, the name table) and lives as long as that.
 * Units: time in ns UTC, sizes in bytes. Threads: plain data. Errors: see event_json.h, event_wire.h.
 *
 * A field counts only when its bit is set in `present`: absent means not known, and nothing is guessed.
 */
#ifndef TYTO_EVENT_H
#define TYTO_EVENT_H

#include "base/str.h"

#define EVENT_PATH_MAX 4096     /* bytes of a path, program, parent */
#define EVENT_TEXT_MAX 512      /* bytes of command, parent_command */
#define EVENT_NAME_MAX 1024     /* bytes of person, host, client, container, peer */
#define EVENT_EXTRA_MAX 4096    /* bytes of the unknown keys of an imported record, as JSON */
#define EVENT_PARENTS_MAX 8

/* Append-only: these numbers stand in the log (docs/log-format.md). 0 is never stored. */
enum event_verb {
	VERB_OPEN = 1, VERB_READ, VERB_WRITE, VERB_CREATE, VERB_DELETE, VERB_RENAME, VERB_LINK, VERB_PERMISSION,
	VERB_COPY, VERB_ARCHIVE, VERB_EXPORT, VERB_SEND, VERB_EXEC, VERB_GAP,
	VERB_MAX_
};
enum event_person_by { BY_OPENER = 1, BY_LOGIN, BY_SESSION, BY_ACTING, BY_LATE, BY_MAX_ };
enum event_seen { SEEN_BYTES = 1, SEEN_ACCESS, SEEN_OPEN, SEEN_MAX_ };
enum event_via { VIA_LOCAL = 1, VIA_SSH, VIA_SMB, VIA_NFS, VIA_MAX_ };
enum event_label { LABEL_PUBLIC = 1, LABEL_INTERNAL, LABEL_CONFIDENTIAL, LABEL_RESTRICTED, LABEL_MAX_ };
enum event_confirmed { CONFIRMED_CONTENT = 1, CONFIRMED_OPAQUE, CONFIRMED_FLOW, CONFIRMED_MAX_ };
enum event_cause { /* why there is a gap */
	CAUSE_OVERFLOW = 1,  /* the kernel dropped events of the queue */
	CAUSE_RESTART,       /* the sensor was not running: stopped and started, crash, kill, reboot */
	CAUSE_STALLED,       /* the guard ended a sensor that no longer answered */
	CAUSE_DEADLINE,      /* an access was let go because who acts was not known within 500 ms */
	CAUSE_BACKLOG,       /* the keeper was too slow or stopped; the sensor dropped records */
	CAUSE_UNMOUNT,       /* the watched filesystem went away */
	CAUSE_MOUNT,         /* a filesystem appeared below a watched tree; from then until it was marked */
	CAUSE_TREE,          /* a tree came into the watched set; from then until it was scanned */
	CAUSE_DISK_FULL,     /* no room for the log */
	CAUSE_CLOCK,         /* the clock was set: from the last time before to the first after (end may lie before time: then absent) */
	CAUSE_KEEPER,        /* the keeper ended; what it had not acknowledged is lost */
	CAUSE_MAX_
};

enum severity { SEVERITY_LOW = 1, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL, SEVERITY_MAX_ };
enum alert_phase { /* what happened to an alert */
	ALERT_RAISED = 1,
	ALERT_GROWN,     /* more of the same case */
	ALERT_CLOSED,    /* by a person, with a reason; by quiet days, without */
	ALERT_REOPENED,
	ALERT_PHASE_MAX_
};
enum alert_reason { ALERT_THEFT = 1, ALERT_EXPECTED, ALERT_MISTAKE, ALERT_REASON_MAX_ };

/* Bit numbers are those of the event leaf's presence bitmap (docs/log-format.md): append-only. */
enum event_field {
	EV_TIME, EV_VERB, EV_SEEN, EV_HOST, EV_PERSON, EV_PERSON_BY, EV_UID, EV_PATH, EV_OBJECT, EV_PROGRAM, EV_PID, EV_VIA,
	EV_PARENTS, EV_CLIENT, EV_LOGIN_UID, EV_COUNT, EV_END, EV_REFERS, EV_CWD, EV_TO, EV_DOCUMENT,
	EV_LABEL, EV_BYTES, EV_COVERED, EV_COMMAND, EV_PARENT_COMMAND, EV_PEER, EV_PORT, EV_ALLOWED, EV_CONFIRMED,
	EV_CONTAINER, EV_CAUSE, EV_SOURCE, EV_EXTRA, EV_LATE,
	EV_FIELDS_
};
#define EV_BIT(f) ((uint64_t)1 << (f))

struct event_object {
	uint64_t dev; /* st_dev as one number; shown as decimal dev:ino:gen */
	uint64_t ino;
	uint64_t gen; /* 0 where the filesystem has none */
};

struct event {
	uint64_t present; /* EV_BIT(…) */
	uint64_t seq;     /* leaf index; UINT64_MAX when not in a log */
	int64_t time;
	int64_t end;      /* ≥ time */
	enum event_verb verb;
	enum event_seen seen;
	enum event_person_by person_by;
	enum event_via via;
	enum event_label label;
	enum event_confirmed confirmed;
	enum event_cause cause;
	str host, person, path, to, program, cwd, client, peer, container, command, parent_command;
	str parents[EVENT_PARENTS_MAX]; /* nearest first */
	uint8_t n_parents; /* at least 1 when present */
	struct event_object object;
	uint8_t document[32];
	uint32_t uid, login_uid;
	uint32_t pid;
	uint16_t port;
	bool allowed;
	bool late;       /* arrived more than 10 minutes behind the newest record of its source; present only when true */
	uint64_t bytes, covered, count, refers;
	uint64_t source; /* seq of the import record it came with; absent: seen live */
	str extra;       /* unknown keys of an imported record: one JSON object without white space, as text */
};

static inline bool event_has(const struct event *e, enum event_field f)
{
	return (e->present & EV_BIT(f)) != 0;
}

static inline void event_set(struct event *e, enum event_field f)
{
	e->present |= EV_BIT(f);
}

/* Outside names. The name of an unknown number is NULL; the number of an unknown name is 0. */
const char *event_verb_name(enum event_verb v);
const char *event_person_by_name(enum event_person_by v);
const char *event_seen_name(enum event_seen v);
const char *event_via_name(enum event_via v);
const char *event_label_name(enum event_label v);
const char *event_confirmed_name(enum event_confirmed v);
const char *event_cause_name(enum event_cause v);
enum event_verb event_verb_from(str s);
enum event_person_by event_person_by_from(str s);
enum event_seen event_seen_from(str s);
enum event_via event_via_from(str s);
enum event_label event_label_from(str s);
enum event_confirmed event_confirmed_from(str s);
enum event_cause event_cause_from(str s);
const char *severity_name(enum severity s);
const char *alert_reason_name(enum alert_reason r);
enum severity severity_from(str s);
enum alert_reason alert_reason_from(str s);
/* "device:inode:generation" and "sha256:<hex>"; false for anything else. */
bool event_object_from(str s, struct event_object *ret);
bool event_document_from(str s, uint8_t ret[static 32]);

#endif
