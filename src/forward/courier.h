/* courier.h — the process that talks to a server, seen from who gives it letters.
 *
 * Purpose: a courier knows one server and its secrets, and gets one message at a time; it has no files, no rights, and an account of its
 * own, so that whoever takes it over through the network has neither the record nor the keeper's socket. What it answers is a verdict and a
 * line, and not believed further.
 *
 *	courier_start ──config (JSON)──►  tyto-notify: confines itself, then
 *	courier_send  ──letter (JSON)──►  SMTP, HTTPS, syslog
 *	courier_take  ◄──verdict, line──
 *
 * Frames are packets of a socketpair (SOCK_SEQPACKET). Ownership: the struct owns process and socket. Units: none. Threads: one at a time.
 * Errors: negative errno; -EPIPE: it has ended.
 */
#ifndef TYTO_COURIER_H
#define TYTO_COURIER_H

#include "forward/message.h"

#define COURIER_SOCKET 3
#define COURIER_FRAME_MAX (192 * 1024)
#define COURIER_LINE_MAX 240 /* of an answer */

enum courier_verdict { COURIER_SENT = 'y', COURIER_LATER = 'l', COURIER_NEVER = 'n' };

struct courier_answer {
	enum courier_verdict verdict;
	char line[COURIER_LINE_MAX + 1]; /* printable */
};

struct courier;

/* config: of notify_ways. Starts as who we are; root's becomes nobody's own account (courier_account). */
int courier_start(const char *config, struct courier **ret);
struct courier *courier_end(struct courier *c);
/* Readable when an answer waits, or when it has ended. */
int courier_fd(const struct courier *c);
/* to: of mail; NULL otherwise. */
int courier_send(struct courier *c, const struct message *m, const char *to);
/* -EAGAIN: none yet. -EBADMSG: what came is no answer. */
int courier_take(struct courier *c, struct courier_answer *ret);

/* The packet as an answer: any bytes may come. */
int courier_answer_take(str packet, struct courier_answer *ret);

#endif
