/* detector.h — follows the log behind its writer, and turns firings of rules into alerts.
 *
 * Purpose: one code for the keeper and for an import: durable leaves in order, event time as the clock, the rules in force, one alert a person a case.
 * Alerts are handed out, never written here: whoever holds the log appends them. They are read back from the log like everything else.
 * Ownership: the detector owns its reader, rules and table of alerts; what the callback is given lives until it returns.
 * Units: ns UTC, leaves. Threads: one at a time a struct.
 * Errors: negative errno; detector_why() says more. A rule that cannot run is no error (`tyto rules check`).
 *
 * How far it got is the newest alert's `upto`, or STATE/alerts/position when that is further (a view: without it more is read again, and nothing is raised
 * twice). At a start the day before that position is read again, raising nothing, so that windows are full as they were.
 */
#ifndef TYTO_DETECTOR_H
#define TYTO_DETECTOR_H

#include "evidence/evidence.h"

struct detection;

/* Non-zero ends detector_advance and is returned: then the detector is to be opened anew, which finds that alert again. */
typedef int detector_emit(void *arg, const struct evidence_alert *a);

const char *detector_why(void);

/* rules: n files or folders; those that do not exist are passed over. */
int detector_open(const char *state, char *const *rules, size_t n, struct detection **ret);
struct detection *detector_close(struct detection *d);
/* Takes in what is durable, at most `max` leaves; *ret_more: there is more. */
int detector_advance(struct detection *d, uint64_t max, detector_emit *emit, void *arg, bool *ret_more);
/* Rules that run. */
size_t detector_rules(const struct detection *d);

#endif
