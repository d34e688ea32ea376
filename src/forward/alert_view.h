/* alert_view.h — an alert with its words, as it is told to others.
 *
 * Purpose: what every form (OCSF, ECS, CEF) and every message is made of: names looked up, persons masked where they are to be masked.
 * Whoever makes one (daemon/alertview.h) has done the masking: from here on nothing is known but what may be told.
 * Ownership: the struct owns its texts (alert_view_free). Units: ns UTC of event time. Threads: plain data. Errors: alert_view_copy NULL:
 * no memory.
 */
#ifndef TYTO_ALERT_VIEW_H
#define TYTO_ALERT_VIEW_H

#include "base/buf.h"
#include "event/event.h"

struct alert_document {
	char *path;
	enum event_label label; /* 0 not known */
	uint8_t hash[32];
	bool has_hash;
};

struct alert_view {
	uint64_t number;
	char *log;            /* the name of the log: unique, so that LOG/alert/NUMBER is */
	int64_t raised, changed;
	int64_t first, last;  /* of the records behind it; 0 not known */
	enum severity severity;
	bool open, held;
	enum alert_reason reason; /* closed by a person, as what; 0: open, or closed by quiet days */
	uint64_t records;     /* of the alert in the log: 1, it was raised */
	char *person, *host;  /* NULL not known */
	bool masked;          /* persons are p:17 */
	char *rule;           /* the most severe one that fired */
	char **why;           /* sentences */
	char **rules;
	char **attack;        /* techniques of MITRE ATT&CK, "T1048.003" */
	char **tactics;       /* "TA0009" */
	struct alert_document *documents;
	uint64_t *events;     /* seq of the records behind it */
	size_t n_why, n_rules, n_attack, n_tactics, n_documents, n_events;
	uint64_t more;        /* records not among events */
	uint64_t labelled;    /* of the documents, those confidential or restricted */
	uint64_t quieted;
};

void alert_view_free(struct alert_view *v);
#define _cleanup_alert_view_ _cleanup_(alert_view_free)

/* The bytes as a C string, a NUL in them becoming a space. */
char *alert_view_copy(str s);
/* "open", "held" or "closed". */
const char *alert_view_status(const struct alert_view *v);
/* LOG/alert/NUMBER */
void alert_view_uid(const struct alert_view *v, struct buf *b);

#endif
