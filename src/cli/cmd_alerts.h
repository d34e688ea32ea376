/* cmd_alerts.h — parts of `tyto alerts` with files of their own.
 *
 * Purpose: show, close. Ownership: none. Units: none. Threads: main thread. Errors: negative errno, said.
 */
#ifndef TYTO_CMD_ALERTS_H
#define TYTO_CMD_ALERTS_H

#include <jansson.h>

#include "daemon/alertqueue.h"

/* An alert's object (daemon/alertjson.h) for people: its line and its sentences; whole: everything. */
void alerts_show_line(const json_t *alert);
void alerts_show_whole(const json_t *alert);

/* Through the keeper, or alone. */
int alerts_close_one(struct alertqueue *q, uint64_t id, enum alert_reason reason, uint32_t uid);
/* The human behind sudo, where the system knows. */
uint32_t alerts_whoami(void);

#endif
