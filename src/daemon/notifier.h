/* notifier.h — tells of alerts: follows the record, keeps the letters, gives them to couriers.
 *
 * Purpose: a process beside the keeper, or of `tyto notify run`. It runs as the state's owner, has no network, and writes nothing but
 * STATE/notify (and the table of alerts, a view); who talks to servers (forward/courier.h) has nothing else. An alert is told when it is
 * raised and shown, when it becomes more severe, when it is closed, and when it comes back. What was raised before the first start is told
 * where it is still open.
 * Ownership: notifier_run owns all that it opens. Units: ns. Threads: one. Errors: an exit status; started again, it goes on where it was.
 */
#ifndef TYTO_NOTIFIER_H
#define TYTO_NOTIFIER_H

#include "daemon/config.h"

struct notifier_config {
	const char *state;
	const struct config *settings;
	int control_fd;      /* its end means stop; -1: none */
	bool (*interrupted)(void);
	bool patient;        /* where somebody else tells already: wait until he ends */
	bool once;           /* ends when everything has been sent, or has failed once */
};

/* As root, so that secrets can be read; it and its couriers give that up. */
int notifier_run(const struct notifier_config *c);

#endif
