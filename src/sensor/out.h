/* out.h — the messages to the keeper.
 *
 * Purpose: numbers and frames records, keeps what the socket does not take now (bounded), and knows what was lost on the way.
 * Ownership: borrows the socket until out_keeper gives it another (then closes the old one). Threads: recorder only.
 * Errors: nothing is returned for a slow keeper: records are dropped, counted, and told as a gap once there is room.
 */
#ifndef TYTO_OUT_H
#define TYTO_OUT_H

#include "base/buf.h"
#include "event/event.h"
#include "sensor/sensor.h"

#define OUT_BYTES (8u << 20)
#define OUT_TIMES 65536 /* records whose time is remembered until they are acknowledged */

struct out {
	int fd;
	struct buf wait, body;
	size_t sent;         /* of wait */
	uint64_t number;     /* of the last record */
	uint64_t acked;
	uint64_t delivered, lost;
	int64_t lost_from;   /* 0: nothing was dropped since the last gap */
	uint64_t lost_now;
	int64_t *times;      /* by number % OUT_TIMES */
	bool stop;           /* the keeper said so, or is gone and nobody brings another */
	bool gone;
	uint8_t in[256];
	size_t in_n;
};

int out_new(struct out *o, int fd);
void out_free(struct out *o);
/* Returns the record's number, 0 if it was dropped. */
uint64_t out_record(struct out *o, const struct event *e, uint64_t refers, uint64_t session, uint8_t flags);
void out_heartbeat(struct out *o, const struct sensor_heartbeat *h);
void out_text(struct out *o, enum sensor_message kind, str text); /* READY, NOTE */
/* Writes what the socket takes. */
void out_flush(struct out *o);
/* Reads ACK and STOP. */
void out_read(struct out *o);
size_t out_waiting(const struct out *o);
/* A new keeper: what waited for the old one and was not acknowledged is gone. Returns the time from which. */
int64_t out_keeper(struct out *o, int fd);

#endif
