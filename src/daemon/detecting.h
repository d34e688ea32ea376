/* detecting.h — the detector behind a writer of the log.
 *
 * Purpose: a thread that follows the log and hands alerts to its writer, the keeper or an import, which alone appends. Ownership: the
 * thread owns its detector; an alert handed over lives until the callback returns. Units: leaves. Threads: all functions here are called
 * by the one who writes the log. Errors: detection never ends recording: what fails is logged, and found again from the log at the next
 * start.
 */
#ifndef TYTO_DETECTING_H
#define TYTO_DETECTING_H

#include "daemon/config.h"
#include "detect/detector.h"

/* Settings of detection that have changed become records; appended, not committed. */
int detecting_settings(const char *state, const struct config *c, struct evidence *ev);

struct detecting;
enum detecting_how {
	DETECTING_LIVE,   /* follows rules that change; late records are gone back for when no more come */
	DETECTING_IMPORT, /* has an end: late records wait for it, the rules stay, and it ends with detecting_finish */
};
/* c lives until detecting_stop. */
int detecting_start(const char *state, const struct config *c, enum detecting_how how, struct detecting **ret);
/* Readable when alerts wait. */
int detecting_fd(const struct detecting *d);
/* `size` leaves are durable now. */
void detecting_tell(struct detecting *d, uint64_t size);
/* Appends what waits: alerts, and which rules are in force. The number of them, or what evidence_append_alert returned: then the rest
 * waits on. */
int detecting_take(struct detecting *d, struct evidence *ev);
/* Of an import: everything that is durable is looked at; its alerts are durable when it returns. Only detecting_stop comes behind it. */
int detecting_finish(struct detecting *d, struct evidence *ev);
/* Reads the rules again; it does so by itself when their files have changed. */
void detecting_reload(struct detecting *d);
struct detecting_stat {
	struct detector_stat detector;
	int64_t since; /* the rules have been in force; 0 none are yet */
	char set[65];  /* their hash */
	bool failed;   /* nothing is looked at any more */
};
void detecting_stat(struct detecting *d, struct detecting_stat *ret);
struct detecting *detecting_stop(struct detecting *d);

#endif
