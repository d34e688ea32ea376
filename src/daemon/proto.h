/* proto.h — frames on the keeper's socket.
 *
 * Purpose: what commands and the keeper say to each other: u32 length (big endian, of what follows), u8 kind, body. Both ends are the same
 * binary; the peer is nevertheless not trusted: lengths are capped, bodies are checked.
 * Ownership: proto_recv fills the caller's buf; the body points into it until the next call. Units: timeouts in ms.
 * Threads: no shared state. Errors: negative errno; -ETIMEDOUT, -ECONNRESET at the peer's end, -EBADMSG for a frame that is none.
 */
#ifndef TYTO_PROTO_H
#define TYTO_PROTO_H

#include "base/buf.h"

#define PROTO_MAX (64 * 1024)

enum proto_kind {
	PROTO_REQUEST = 1, /* JSON: {"do":"status"}, {"do":"events",…}, {"do":"who",…}, {"do":"import",…}, {"do":"scan"}, {"do":"config",…} */
	PROTO_EVENT,       /* event_pack; in answers uvar seq before it */
	PROTO_WHO,         /* query.c */
	PROTO_ROW,         /* a people row: JSON */
	PROTO_DONE,        /* import: JSON {"refused":N,"file":"<hex>"} */
	PROTO_ANSWER,      /* JSON: the result, or {"error":"…"}; the last frame */
	PROTO_FACTS,       /* scan: facts_wire_put … */
	PROTO_PLACE,       /* … place_wire_put … */
	PROTO_KNOWN,       /* … known_wire_put */
	PROTO_ALERT,       /* alertqueue.c: '+' or '.' (the last part), then a part of an alert's JSON */
};

/* Adds a frame to b. */
void proto_put(struct buf *b, enum proto_kind kind, str body);
/* Takes the first whole frame of s: 1 and the bytes it takes, 0 when more is needed, -EBADMSG. */
int proto_take(str s, enum proto_kind *ret_kind, str *ret_body, size_t *ret_used);

int proto_write(int fd, str bytes, int timeout_ms);
int proto_send(int fd, enum proto_kind kind, str body, int timeout_ms);

/* A blocking reader over one connection. */
struct proto_reader {
	int fd;
	struct buf b;
	size_t used; /* of b, by the frame returned last */
};
int proto_recv(struct proto_reader *r, enum proto_kind *ret_kind, str *ret_body, int timeout_ms);

#endif
