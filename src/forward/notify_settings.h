/* notify_settings.h — who is to be told of alerts, and how: the settings `notify.*` and what they come to.
 *
 * Purpose: checks the settings in one place (`config check`, `doctor` and the notifier say the same), and makes the ways out of them: a
 * recipient of mail, the webhook and the syslog server are a way each. Ownership: struct notify_settings is part of struct config, which
 * owns its texts; struct notify_ways owns what it holds (notify_ways_free), secrets too. Units: seconds. Threads: plain data.
 * Errors: negative errno; *ret_why is one line that names the setting, per thread.
 */
#ifndef TYTO_NOTIFY_SETTINGS_H
#define TYTO_NOTIFY_SETTINGS_H

#include "base/buf.h"
#include "event/event.h"

#define NOTIFY_RECIPIENTS_MAX 16
#define NOTIFY_SECRET_MAX 4096
#define NOTIFY_WAIT_MAX 3600 /* seconds between two tries, at most */

/* "" where a text is not set. */
struct notify_settings {
	char *min_severity;
	uint64_t tries, wait, timeout;
	char *ca_file;
	char *mail_server, *mail_tls, *mail_from, *mail_to, *mail_user, *mail_password_file;
	char *webhook_url, *webhook_token_file, *webhook_key_file;
	char *syslog_server, *syslog_transport, *syslog_form;
	uint64_t syslog_facility;
};

enum notify_kind { NOTIFY_MAIL, NOTIFY_WEBHOOK, NOTIFY_SYSLOG, NOTIFY_KINDS };
extern const char *const notify_kind_names[NOTIFY_KINDS];

struct notify_way {
	enum notify_kind kind;
	char *name; /* "mail who@example.org", "webhook", "syslog": as in the outbox, and as it is shown */
	char *to;   /* of mail: the recipient */
};

struct notify_ways {
	struct notify_way v[NOTIFY_RECIPIENTS_MAX + 2];
	size_t n;
	char *courier[NOTIFY_KINDS]; /* what its courier has to know (courier.h), with secrets; NULL: not configured */
	enum severity min_severity;
};

/* Is anything configured at all? */
bool notify_any(const struct notify_settings *s);
/* secrets: read the files of password, token and key, as who we are now. */
int notify_ways_make(const struct notify_settings *s, bool secrets, struct notify_ways *ret, const char **ret_why);
void notify_ways_free(struct notify_ways *w);
#define _cleanup_notify_ways_ _cleanup_(notify_ways_free)

#endif
