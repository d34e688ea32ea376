/* The sensor's messages: records into the log, heartbeats, paths that are ready. The sensor has more rights than we have, but what it
 * sends is checked like anything from outside. */
#include <errno.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "base/varint.h"
#include "daemon/guard.h"
#include "daemon/keeper_private.h"
#include "event/event_wire.h"

#define READ_SIZE (256 * 1024)

static void forget_blind(struct keeper *k)
{
	while (k->n_blind)
		free(k->blind[--k->n_blind]);
}

int keeper_sensor_attach(struct keeper *k, int fd)
{
	if (k->sensor_fd >= 0) {
		close(k->sensor_fd);
		k->sensor_fd = -1;
	}
	buf_clear(&k->sensor_in);
	buf_clear(&k->sensor_out);
	k->sensor_fd = fd;
	k->sensor_input_stopped = false;
	k->last_number = k->acked_number = 0;
	memset(k->number_of, 0, sizeof(k->number_of));
	for (size_t i = 0; i < k->n_watching; i++)
		free(k->watching[i]);
	k->n_watching = 0;
	forget_blind(k);
	return keeper_watch_fd(k, fd, TAG_SENSOR, EPOLLIN);
}

static int seq_of(const struct keeper *k, uint64_t number, uint64_t *ret)
{
	if (number == 0 || k->number_of[number % KEEPER_NUMBERS] != number)
		return -ENOENT;
	*ret = k->numbers[number % KEEPER_NUMBERS];
	return 0;
}

/* Label and content of what was accessed, as they are known at this moment; and what is no longer known behind this record. */
static void say_what_is_known(struct keeper *k, struct event *ev)
{
	bool writes = ev->verb == VERB_WRITE || ev->verb == VERB_CREATE;
	enum event_label label;
	const uint8_t *document;

	if (ev->verb == VERB_GAP && !(event_has(ev, EV_CAUSE) && ev->cause == CAUSE_CLOCK))
		known_forget(k->known, time_boottime());
	if (!event_has(ev, EV_OBJECT))
		return;
	document = known_get(k->known, &ev->object, &label);
	if (label) {
		ev->label = label;
		event_set(ev, EV_LABEL);
	}
	if (document && !writes) {
		memcpy(ev->document, document, sizeof(ev->document));
		event_set(ev, EV_DOCUMENT);
	}
	if (writes)
		known_written(k->known, &ev->object, time_boottime());
}

static int on_record(struct keeper *k, const uint8_t *p, size_t n)
{
	uint64_t number = 0, refers = 0, session = 0, seq;
	struct persons_facts facts = { 0 };
	struct event ev;
	size_t at = 0;
	int r;
	uint64_t *const heads[] = { &number, &refers, &session };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		r = uvar_get(p + at, n - at, heads[i]);
		if (r < 0)
			return r;
		at += (size_t)r;
	}
	if (at >= n || session > (uint64_t)UINT32_MAX + 1)
		return -EBADMSG;
	facts.opener = p[at] & SENSOR_OPENER;
	facts.late = p[at] & SENSOR_LATE;
	facts.has_session = session != 0;
	facts.session_uid = (uint32_t)(session - 1);
	at++;
	if (event_unpack(p + at, n - at, &ev) != (ssize_t)(n - at))
		return -EBADMSG;
	ev.host = str_c(k->host);
	event_set(&ev, EV_HOST);
	persons_decide(k->persons, &facts, &ev);
	if (seq_of(k, refers, &ev.refers) == 0)
		event_set(&ev, EV_REFERS);
	k->last_number = number;
	say_what_is_known(k, &ev);
	r = k->disk_full ? -ENOSPC : evidence_append_event(k->ev, &ev, &seq);
	if (r == -ENOSPC) {
		/* The rest of a folding window began before the disk was full. */
		keeper_full(k);
		evidence_count_lost(k->ev, ev.time, time_now());
		return 0;
	}
	if (r == 0) {
		k->numbers[number % KEEPER_NUMBERS] = seq;
		k->number_of[number % KEEPER_NUMBERS] = number;
	}
	return keeper_appended(k, r);
}

static int on_heartbeat(struct keeper *k, const uint8_t *p, size_t n)
{
	struct sensor_heartbeat h = { 0 };
	uint64_t *const fields[] = { &h.phase, &h.received, &h.delivered, &h.lost, &h.missed, &h.own, &h.held_max, &h.watched };
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		int r = uvar_get(p + at, n - at, fields[i]);

		if (r < 0)
			return r;
		at += (size_t)r;
	}
	if (at != n || h.phase == 0 || h.phase >= PHASE_MAX_)
		return -EBADMSG;
	k->counters = h;
	return keeper_heartbeat(k, (enum heartbeat_phase)h.phase);
}

static int on_ready(struct keeper *k, str path)
{
	int r = 0;

	/* Nobody watched from the last sign of life in the log until now. */
	if (k->gap_from) {
		r = keeper_gap(k, CAUSE_RESTART, k->gap_from, time_now(), 0);
		k->gap_from = 0;
	}
	if (k->n_watching < CONFIG_PATHS_MAX) {
		char *copy = strndup(path.p, path.n);

		if (!copy)
			return -ENOMEM;
		k->watching[k->n_watching++] = copy;
	}
	/* A scan that began before may have missed a write. */
	known_forget(k->known, time_boottime());
	log_info("watching %.*s (%s)", STR_ARG(path), sensor_backend_name(k->backend));
	if (k->c->control_fd >= 0)
		guard_tell_ready(k->c->control_fd);
	return r;
}

static int on_blind(struct keeper *k, str text)
{
	char *copy;

	if (!text.n) {
		forget_blind(k);
		return 0;
	}
	if (k->n_blind == ARRAY_SIZE(k->blind))
		return 0;
	copy = strndup(text.p, text.n);
	if (!copy)
		return -ENOMEM;
	k->blind[k->n_blind++] = copy;
	return 0;
}

static int on_message(struct keeper *k, uint8_t kind, const uint8_t *p, size_t n)
{
	switch (kind) {
	case SENSOR_RECORD:
		return on_record(k, p, n);
	case SENSOR_HEARTBEAT:
		return on_heartbeat(k, p, n);
	case SENSOR_READY:
		return on_ready(k, (str){ (const char *)p, n });
	case SENSOR_NOTE: /* what is not watched: said also with -q */
		log_error("%.*s", (int)n, (const char *)p);
		return 0;
	case SENSOR_BLIND:
		return on_blind(k, (str){ (const char *)p, n });
	}
	return -EBADMSG;
}

/* All whole messages of the buffer. */
static int take_messages(struct keeper *k)
{
	struct buf *b = &k->sensor_in;
	size_t at = 0;
	int r = 0;

	while (r == 0 && b->n - at >= 5) {
		const uint8_t *p = (const uint8_t *)b->p + at;
		uint32_t len = get_be32(p);

		if (len < 1 || len > SENSOR_MESSAGE_MAX) {
			r = -EBADMSG;
			break;
		}
		if (b->n - at - 4 < len)
			break;
		r = on_message(k, p[4], p + 5, len - 1);
		at += 4 + (size_t)len;
	}
	memmove(b->p, b->p + at, b->n - at);
	b->n -= at;
	return r;
}

int keeper_sensor_input(struct keeper *k)
{
	ssize_t n;
	int r = buf_reserve(&k->sensor_in, READ_SIZE);

	if (r < 0)
		return r;
	n = recv(k->sensor_fd, k->sensor_in.p + k->sensor_in.n, READ_SIZE, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* A killed sensor resets the connection: its end like any other, after everything that it sent. */
	if (n <= 0) {
		epoll_ctl(k->epoll, EPOLL_CTL_DEL, k->sensor_fd, NULL);
		k->sensor_input_stopped = true;
		return 0;
	}
	k->sensor_in.n += (size_t)n;
	k->sensor_bytes += (uint64_t)n;
	r = take_messages(k);
	if (r == -EBADMSG) {
		log_error("the sensor sent a message that is none; it is started again");
		shutdown(k->sensor_fd, SHUT_RDWR);
		r = 0;
	}
	return r;
}

static void put_message(struct buf *b, uint8_t kind, const struct buf *body)
{
	buf_put_be32(b, (uint32_t)body->n + 1);
	buf_putc(b, (char)kind);
	buf_puts(b, buf_str(body));
}

static int flush_out(struct keeper *k)
{
	while (k->sensor_out.n) {
		ssize_t n = send(k->sensor_fd, k->sensor_out.p, k->sensor_out.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n <= 0)
			return 0; /* tried again with the next acknowledgement; a gone sensor is seen on input */
		memmove(k->sensor_out.p, k->sensor_out.p + n, k->sensor_out.n - (size_t)n);
		k->sensor_out.n -= (size_t)n;
	}
	return 0;
}

int keeper_sensor_ack(struct keeper *k)
{
	_cleanup_buf_ struct buf body = BUF_INIT;

	if (k->sensor_fd < 0 || k->sensor_input_stopped || k->last_number == k->acked_number)
		return 0;
	buf_put_uvar(&body, k->last_number);
	/* Only the newest matters: one that could not be sent whole is never cut, but no second one waits behind it. */
	if (k->sensor_out.n == 0) {
		put_message(&k->sensor_out, SENSOR_ACK, &body);
		k->acked_number = k->last_number;
	}
	return flush_out(k);
}

void keeper_sensor_stop(struct keeper *k)
{
	const struct buf none = BUF_INIT;

	if (k->sensor_fd < 0 || k->sensor_input_stopped)
		return;
	put_message(&k->sensor_out, SENSOR_STOP, &none);
	flush_out(k);
}
