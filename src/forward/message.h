/* message.h — what a person or another system is told of an alert, in words and in JSON.
 *
 * Purpose: one wording for mail, webhook and syslog. A message holds title, severity, person (masked where masked), numbers, and the
 * command that shows more; no path, nothing of a document's content. Ownership: the struct owns its bufs (message_free). Units: ns UTC.
 * Threads: no state.
 * Errors: kept in the bufs; message_error says so.
 */
#ifndef TYTO_MESSAGE_H
#define TYTO_MESSAGE_H

#include "forward/alert_view.h"

enum message_kind { MESSAGE_RAISED = 1, MESSAGE_GROWN, MESSAGE_CLOSED, MESSAGE_REOPENED, MESSAGE_TEST, MESSAGE_KIND_MAX_ };
const char *message_kind_name(enum message_kind k);

struct message {
	struct buf uid;     /* LOG/alert/NUMBER/RECORD: the same when told again */
	struct buf subject; /* one line, no control characters */
	struct buf text;    /* lines */
	struct buf line;    /* one line, no control characters */
	struct buf json;    /* one object */
	struct buf cef;     /* one line */
	enum severity severity;
};

/* record: seq of the alert's record that this is about. */
void message_of_alert(const struct alert_view *v, enum message_kind kind, uint64_t record, struct message *ret);
/* now: of the test. */
void message_of_test(int64_t now, struct message *ret);
int message_error(const struct message *m);
void message_free(struct message *m);
#define _cleanup_message_ _cleanup_(message_free)

#endif
