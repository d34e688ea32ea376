#include "sensor/out.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/timefmt.h"
#include "base/varint.h"
#include "event/event_wire.h"

#define LAST_WORDS 4096 /* room kept for gap and heartbeat when records no longer fit */

int out_new(struct out *o, int fd)
{
	*o = (struct out){ .fd = fd, .wait.max = OUT_BYTES, .body.max = SENSOR_MESSAGE_MAX };
	o->times = calloc(OUT_TIMES, sizeof(*o->times));
	if (!o->times || buf_reserve(&o->wait, OUT_BYTES) < 0) {
		out_free(o);
		return -ENOMEM;
	}
	return 0;
}

void out_free(struct out *o)
{
	buf_free(&o->wait);
	buf_free(&o->body);
	free(o->times);
	o->times = NULL;
}

static bool put(struct out *o, enum sensor_message kind, size_t keep_free)
{
	size_t need = 5 + o->body.n;

	if (buf_error(&o->body) || o->gone)
		return false;
	if (o->sent && (o->sent == o->wait.n || o->wait.n + need + keep_free > OUT_BYTES)) {
		memmove(o->wait.p, o->wait.p + o->sent, o->wait.n - o->sent);
		o->wait.n -= o->sent;
		o->sent = 0;
	}
	if (o->wait.n + need + keep_free > OUT_BYTES)
		return false;
	buf_put_be32(&o->wait, (uint32_t)(1 + o->body.n));
	buf_putc(&o->wait, (char)kind);
	buf_puts(&o->wait, buf_str(&o->body));
	return buf_error(&o->wait) == 0;
}

uint64_t out_record(struct out *o, const struct event *e, uint64_t refers, uint64_t session, uint8_t flags)
{
	buf_clear(&o->body);
	buf_put_uvar(&o->body, o->number + 1);
	buf_put_uvar(&o->body, refers);
	buf_put_uvar(&o->body, session);
	buf_putc(&o->body, (char)flags);
	event_pack(&o->body, e);
	if (!put(o, SENSOR_RECORD, e->verb == VERB_GAP ? 0 : LAST_WORDS)) {
		/* Not in order of time: the rest of a folding window is told at its end, with the time of its first access. */
		if (!o->lost_from || e->time < o->lost_from)
			o->lost_from = e->time;
		o->lost_now++;
		o->lost++;
		return 0;
	}
	o->number++;
	o->delivered++;
	o->times[o->number % OUT_TIMES] = e->time;
	return o->number;
}

void out_heartbeat(struct out *o, const struct sensor_heartbeat *h)
{
	const uint64_t v[] = { h->phase, h->received, h->delivered, h->lost, h->missed, h->own, h->held_max, h->watched };

	buf_clear(&o->body);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		buf_put_uvar(&o->body, v[i]);
	put(o, SENSOR_HEARTBEAT, 0);
}

void out_text(struct out *o, enum sensor_message kind, str text)
{
	buf_clear(&o->body);
	buf_puts(&o->body, text);
	put(o, kind, 0);
}

void out_flush(struct out *o)
{
	while (o->sent < o->wait.n && !o->gone) {
		ssize_t n = send(o->fd, o->wait.p + o->sent, o->wait.n - o->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			o->gone = true;
		if (n < 0)
			return;
		o->sent += (size_t)n;
	}
	if (o->sent == o->wait.n)
		o->sent = o->wait.n = 0;
}

static void message(struct out *o, uint8_t kind, const uint8_t *p, size_t n)
{
	uint64_t v;

	if (kind == SENSOR_STOP)
		o->stop = true;
	else if (kind == SENSOR_ACK && uvar_get(p, n, &v) > 0 && v <= o->number && v > o->acked)
		o->acked = v;
}

void out_read(struct out *o)
{
	ssize_t n;

	while ((n = recv(o->fd, o->in + o->in_n, sizeof(o->in) - o->in_n, MSG_DONTWAIT)) > 0) {
		size_t at = 0;

		o->in_n += (size_t)n;
		while (o->in_n - at >= 5) {
			uint32_t len = get_be32(o->in + at);

			if (len < 1 || len > 64) {
				o->gone = true; /* not our keeper's language */
				return;
			}
			if (o->in_n - at < 4 + len)
				break;
			message(o, o->in[at + 4], o->in + at + 5, len - 1);
			at += 4 + len;
		}
		memmove(o->in, o->in + at, o->in_n - at);
		o->in_n -= at;
	}
	if (n == 0)
		o->gone = true;
}

size_t out_waiting(const struct out *o)
{
	return o->wait.n - o->sent;
}

int64_t out_keeper(struct out *o, int fd)
{
	uint64_t first = o->acked + 1;
	int64_t from = 0;

	if (first <= o->number) {
		if (o->number - first >= OUT_TIMES)
			first = o->number - OUT_TIMES + 1;
		/* Not in order of time: an open is written down when it is decided. */
		from = o->times[first % OUT_TIMES];
		for (uint64_t i = first; i <= o->number; i++)
			from = MIN(from, o->times[i % OUT_TIMES]);
	}
	close(o->fd);
	o->fd = fd;
	o->gone = false;
	o->in_n = o->sent = o->wait.n = 0;
	o->acked = o->number;
	return from;
}
