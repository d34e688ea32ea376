/* detector.h — follows the log behind its writer, and turns firings of rules into alerts.
 *
 * Purpose: one code for the keeper and for an import: durable leaves in order, event time as the clock, the rules in force, one alert a person a case.
 * Alerts are handed out, never written here: whoever holds the log appends them. They are read back from the log like everything else.
 * Ownership: the detector owns its reader, rules and table of alerts; what the callback is given lives until it returns.
 * Units: ns UTC, leaves. Threads: one at a time a struct.
 * Errors: negative errno; detector_why() says more. A rule that cannot run is no error: detector_complain names it.
 *
 * How far it got is the newest alert's `upto`, or STATE/alerts/position when that is further (a view: without it more is read again, and nothing is raised
 * twice). At a start, and with new rules, the time before that position is gone through again, raising nothing, so that windows are full as they were.
 *
 * What is two minutes behind the newest event (15 s, of an import) came late: it is put aside, and detector_settle goes through that part of the past again, in order
 * of event time. So the same records give the same alerts in whatever order they come.
 */
#ifndef TYTO_DETECTOR_H
#define TYTO_DETECTOR_H

#include "detect/ruleset.h"
#include "evidence/evidence.h"

#define DETECTOR_LATE_NS (120 * NSEC_PER_SEC)
#define DETECTOR_IMPORTED_NS (15 * NSEC_PER_SEC) /* of records made elsewhere: they come in order, each source for itself */

struct detection;

/* Non-zero ends detector_advance and is returned: then the detector is to be opened anew, which finds that alert again. */
typedef int detector_emit(void *arg, const struct evidence_alert *a);

const char *detector_why(void);

/* rules: n files or folders; those that do not exist are passed over. */
int detector_open(const char *state, char *const *rules, size_t n, struct detection **ret);
struct detection *detector_close(struct detection *d);
/* As cases_budget: before the first advance. */
void detector_budget(struct detection *d, uint64_t of_1000);
/* Takes in what is durable, at most `max` leaves; *ret_more: there is more. */
int detector_advance(struct detection *d, uint64_t max, detector_emit *emit, void *arg, bool *ret_more);
/* Late records wait. */
bool detector_unsettled(const struct detection *d);
/* About `max` records of the past that late ones touch; *ret_more: there is more of it. When it is through, the alerts come. */
int detector_settle(struct detection *d, uint64_t max, detector_emit *emit, void *arg, bool *ret_more);

/* Cases that have grown since their newest records, which come ever more rarely: one more for each. */
bool detector_unsaved(const struct detection *d);
int detector_save(struct detection *d, detector_emit *emit, void *arg);

/* Reads the rules again; the same ones: 0; others: 1, and they are in force from here on. A failure leaves the old ones in force. */
int detector_reload(struct detection *d, char *const *rules, size_t n);
/* Each broken rule, one line. */
void detector_complain(const struct detection *d, void (*say)(void *arg, const struct sigma_rule *r), void *arg);
/* `rules = {…}` when the log does not say so yet: to be appended to it as a setting; then detector_recorded. */
bool detector_unrecorded(const struct detection *d, str *ret_setting);
void detector_recorded(struct detection *d);
bool detector_recorded_any(const struct detection *d);
/* When that was recorded, as the log had it at the start; 0: it had nothing. Hexadecimal hash of the set in force. */
int64_t detector_since(const struct detection *d);
void detector_set(const struct detection *d, char ret[static 65]);

struct detector_stat {
	struct ruleset_counts rules;
	uint64_t full;    /* state of correlations that was given up because there was no room */
	uint64_t waiting; /* late records put aside */
	uint64_t open, held; /* alerts */
};
void detector_stat(const struct detection *d, struct detector_stat *ret);

#endif
