/* way.h — what a courier knows of its server, and one function a way of sending.
 *
 * Purpose: mail.c, webhook.c and syslog.c each send one letter and say how it went. Ownership: texts belong to the JSON that they came in.
 * Units: seconds, ns.
 * Threads: one (libcurl's resolver has its own). Errors: a verdict, and a line for people in way->line.
 */
#ifndef TYTO_WAY_H
#define TYTO_WAY_H

#include <curl/curl.h>
#include <jansson.h>

#include "forward/courier.h"

struct way {
	const json_t *config;
	CURL *curl;
	long timeout_ms;
	char error[CURL_ERROR_SIZE];
	char line[COURIER_LINE_MAX + 1];
	int fd;             /* syslog: the socket, -1 none */
	bool connected;     /* syslog: curl holds a connection */
};

struct letter {
	str uid, subject, text, line, json, cef, to;
	enum severity severity;
};

typedef enum courier_verdict way_send(struct way *w, const struct letter *l);
way_send mail_send, webhook_send, syslog_send;

/* "" where it is not set. */
const char *way_text(const struct way *w, const char *key);
/* What all connections have: timeouts, certificates checked, no redirects, no proxy, no signals. NULL: no memory. */
CURL *way_curl(struct way *w, const char *protocols);
/* Says it, and hands the verdict on. */
enum courier_verdict way_say(struct way *w, enum courier_verdict v, const char *fmt, ...) _printf_(3, 4);

/* RFC 5322 and 2047, for tests: the whole mail, and a header's value that is ASCII alone, in lines. */
void mail_compose(const struct letter *l, const char *from, const char *host, int64_t now, struct buf *b);
void mail_put_header(const char *name, str value, struct buf *b);
/* RFC 5424. */
void syslog_compose(const struct letter *l, const char *host, unsigned facility, bool cef, int64_t now, size_t max, struct buf *b);

#endif
