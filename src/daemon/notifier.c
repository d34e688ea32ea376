#include "daemon/notifier.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "daemon/alertview.h"
#include "daemon/confine.h"
#include "daemon/state.h"
#include "forward/courier.h"
#include "forward/notified.h"
#include "forward/outbox.h"

#define TURN_MS 500
#define LOCK_MS 5000
#define SLACK_NS (60 * NSEC_PER_SEC) /* beyond its own timeouts; then a courier hangs */

/* A courier, and what it is at. */
struct channel {
	struct courier *courier; /* NULL: not configured */
	uint64_t letter;         /* under way; 0: none */
	unsigned tries;          /* of it, before */
	const char *way;
	int64_t since;           /* CLOCK_BOOTTIME */
	unsigned failures;       /* in a row: the server is away */
	int64_t resume;          /* CLOCK_BOOTTIME */
};

struct notifier {
	const struct notifier_config *c;
	const struct notify_settings *settings;
	struct notify_ways ways;
	struct channel channels[NOTIFY_KINDS];
	struct evidence_reader *reader;
	struct alerts *alerts;
	struct outbox *outbox;
	int lock;
	bool begun;      /* the outbox knows what was told before, or we do: */
	bool recovered;  /* the outbox was lost; what is before `position` was told */
	bool looked;     /* at all alerts, since we started: settings may be others than before */
	bool idle;       /* nothing more can be sent now */
	bool failed;     /* something was not */
	uint64_t position, size;
	uint64_t kept;   /* as notified_write has it */
};

static bool ended(const struct notifier *n)
{
	struct pollfd p = { .fd = n->c->control_fd, .events = POLLIN };

	return n->c->interrupted() || (p.fd >= 0 && poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLIN | POLLERR));
}

static int said(int r, const char *why)
{
	log_error("notify: %s", why);
	return r;
}

/* --- what is to be told --- */

struct telling {
	struct notifier *n;
	int64_t now;
};

static int add_letters(struct telling *t, const struct alert *al, enum message_kind kind)
{
	const struct outbox_told told = { al->severity, al->open, al->reason };
	struct notifier *n = t->n;
	int r = outbox_tell(n->outbox, al->number, &told);

	for (size_t i = 0; r == 0 && kind && i < n->ways.n; i++) {
		const struct outbox_letter l = { .alert = al->number, .record = al->seq, .kind = kind, .way = str_c(n->ways.v[i].name), .created = t->now,
			.due = t->now };

		r = outbox_add(n->outbox, &l);
	}
	return r;
}

/* A growing case is told again at a higher severity alone; numbers that grow are in `alerts show`. */
static enum message_kind news(const struct alert *al, const struct outbox_told *told)
{
	if (al->open != told->open)
		return al->open ? MESSAGE_REOPENED : MESSAGE_CLOSED;
	if (!al->open && al->reason != told->reason)
		return MESSAGE_CLOSED;
	return al->severity > told->severity ? MESSAGE_GROWN : 0;
}

static int on_alert(void *arg, const struct alert *al)
{
	struct telling *t = arg;
	struct outbox_told told;
	enum message_kind kind;
	int r;

	if (al->severity < t->n->ways.min_severity)
		return 0;
	r = outbox_told(t->n->outbox, al->number, &told);
	if (r < 0)
		return r;
	if (r > 0) {
		kind = news(al, &told);
		return kind ? add_letters(t, al, kind) : 0;
	}
	/* Closed before anybody was to be told, or told of its severity: that is the past. */
	if (!al->open && (!t->n->begun || al->seq < t->n->position))
		return add_letters(t, al, 0);
	if (al->held)
		return 0;
	if (!t->n->recovered)
		return add_letters(t, al, MESSAGE_RAISED);
	return add_letters(t, al, al->seq < t->n->position ? 0 : al->open ? MESSAGE_RAISED : MESSAGE_CLOSED);
}

static int tell(struct notifier *n)
{
	struct telling t = { n, time_now() };
	int r = outbox_begin(n->outbox);

	if (r < 0)
		return r;
	r = alerts_each(n->alerts, on_alert, &t);
	if (r == 0)
		r = outbox_commit(n->outbox, n->size);
	if (r < 0) {
		outbox_rollback(n->outbox);
		return r;
	}
	n->position = n->size;
	n->begun = n->looked = true;
	n->recovered = false;
	return 0;
}

/* For the one who finds no outbox. What waits to be sent has not been told; what is dead, nobody gets by itself. */
static int keep_notified(struct notifier *n)
{
	uint64_t upto = n->position, oldest;
	int r = n->looked ? outbox_oldest(n->outbox, &oldest) : 0;

	if (r < 0)
		return said(r, outbox_why());
	if (r > 0)
		upto = MIN(upto, oldest);
	if (!n->looked || upto == n->kept)
		return 0;
	n->kept = upto;
	r = notified_write(n->c->state, upto);
	if (r < 0)
		log_error("notify: %s/notified: %s", n->c->state, strerror(-r));
	return 0;
}

/* The record is read on; whether an alert is concerned shows in their table. */
static int follow(struct notifier *n)
{
	uint64_t size, newest = 0;
	int r = evidence_reader_refresh(n->reader, &size);

	if (r < 0)
		return said(r, evidence_why());
	if (size == n->size && n->looked)
		return 0;
	n->size = size;
	r = alerts_advance(n->alerts, n->reader, size);
	if (r == 0)
		r = alerts_newest(n->alerts, &newest);
	if (r < 0)
		return said(r, alerts_why());
	if (n->looked && newest < n->position)
		return 0;
	r = tell(n);
	return r < 0 ? said(r, outbox_why()) : 0;
}

/* --- sending --- */

/* Doubled, up to an hour; an eighth of it by chance, so that not everybody comes at once. */
static int64_t backoff(const struct notifier *n, unsigned failures)
{
	int64_t wait = (int64_t)n->settings->wait;

	for (unsigned i = 1; i < failures && wait < NOTIFY_WAIT_MAX; i++)
		wait *= 2;
	wait = MIN(wait, (int64_t)NOTIFY_WAIT_MAX) * NSEC_PER_SEC;
	return wait - time_now() % (wait / 8 + 1);
}

static int give_up(struct notifier *n, uint64_t letter, const char *why)
{
	log_error("notify: message %llu is a dead letter: %s", (unsigned long long)letter, why);
	return outbox_failed(n->outbox, letter, str_c(why), 0, true);
}

static int answered(struct notifier *n, struct channel *ch, const struct courier_answer *a)
{
	uint64_t letter = ch->letter;
	bool last = ch->tries + 1 >= n->settings->tries;

	ch->letter = 0;
	if (a->verdict == COURIER_SENT) {
		ch->failures = 0;
		log_debug("notify: %s: %s", ch->way, a->line);
		return outbox_sent(n->outbox, letter, time_now());
	}
	n->failed = true;
	if (a->verdict == COURIER_NEVER)
		return give_up(n, letter, a->line);
	ch->failures++;
	ch->resume = time_boottime() + backoff(n, ch->failures);
	if (last)
		return give_up(n, letter, a->line);
	if (ch->failures == 1)
		log_error("notify: %s: %s; it is tried again", ch->way, a->line);
	return outbox_failed(n->outbox, letter, str_c(a->line), time_now() + backoff(n, ch->tries + 1), false);
}

static int take_answer(struct notifier *n, struct channel *ch)
{
	struct courier_answer a = { .verdict = COURIER_LATER };
	int r = courier_take(ch->courier, &a);

	if (r == -EAGAIN && !(ch->letter && time_boottime() - ch->since > 2 * (int64_t)n->settings->timeout * NSEC_PER_SEC + SLACK_NS))
		return 0;
	if (r == 0 && ch->letter)
		return answered(n, ch, &a);
	/* Taken over, broken or stuck: only a new one, of a new notifier, is trusted again. */
	snprintf(a.line, sizeof(a.line), "%s", r == -EPIPE ? "the courier ended" : r == -EAGAIN ? "the courier does not answer" :
			"the courier broke the rules");
	log_error("notify: %s: %s", ch->way ? ch->way : "a courier", a.line);
	if (ch->letter)
		answered(n, ch, &a);
	return -EPIPE;
}

struct composing {
	struct notifier *n;
	const struct outbox_letter *l;
	struct message *m;
};

static int compose(void *arg, const struct alert *al)
{
	struct composing *c = arg;
	_cleanup_alert_view_ struct alert_view v = { 0 };
	int r = alertview_make(c->n->reader, al, c->n->c->settings->mask, &v);

	if (r == 0)
		message_of_alert(&v, (enum message_kind)c->l->kind, c->l->record, c->m);
	return r < 0 ? r : message_error(c->m);
}

static int send_letter(struct notifier *n, struct channel *ch, const struct notify_way *way, const struct outbox_letter *l)
{
	_cleanup_message_ struct message m = { 0 };
	struct composing c = { n, l, &m };
	int r = l->kind && l->kind < MESSAGE_TEST ? alerts_one(n->alerts, l->alert, compose, &c) : -EINVAL;

	if (r < 0)
		return give_up(n, l->id, r == -ENOENT ? "there is no such alert" : r == -EINVAL ? "it says nothing" : "it cannot be composed");
	r = outbox_sending(n->outbox, l->id);
	if (r < 0)
		return r;
	ch->letter = l->id;
	ch->tries = l->tries;
	ch->way = way->name;
	ch->since = time_boottime();
	r = courier_send(ch->courier, &m, way->to);
	if (r == -EMSGSIZE) {
		ch->letter = 0;
		return give_up(n, l->id, "it is too long");
	}
	/* It has ended: take_answer sees that. */
	return 0;
}

/* Of all ways of a courier, the letter whose turn it is. */
static int send_next(struct notifier *n, enum notify_kind kind)
{
	struct channel *ch = &n->channels[kind];
	struct outbox_letter best = { 0 }, l;
	const struct notify_way *way = NULL;
	int64_t now = time_now();

	if (!ch->courier || ch->letter || time_boottime() < ch->resume)
		return 0;
	for (size_t i = 0; i < n->ways.n; i++) {
		int r = n->ways.v[i].kind == kind ? outbox_next(n->outbox, n->ways.v[i].name, now, &l) : 0;

		if (r < 0)
			return r;
		if (r > 0 && (!way || l.tries < best.tries || (l.tries == best.tries && l.id < best.id))) {
			best = l;
			way = &n->ways.v[i];
		}
	}
	if (!way)
		return 0;
	n->idle = false;
	return send_letter(n, ch, way, &best);
}

static int turn(struct notifier *n)
{
	struct pollfd p[NOTIFY_KINDS + 1] = { { .fd = n->c->control_fd, .events = POLLIN } };
	size_t k = 1;
	int r = follow(n);

	n->idle = true;
	for (size_t i = 0; r == 0 && i < NOTIFY_KINDS; i++) {
		r = send_next(n, (enum notify_kind)i);
		if (r < 0)
			said(r, outbox_why());
		if (n->channels[i].courier)
			p[k++] = (struct pollfd){ .fd = courier_fd(n->channels[i].courier), .events = POLLIN };
		n->idle &= !n->channels[i].letter;
	}
	if (r == 0 && !(n->idle && n->c->once))
		poll(p, k, TURN_MS);
	for (size_t i = 0; r == 0 && i < NOTIFY_KINDS; i++)
		if (n->channels[i].courier)
			r = take_answer(n, &n->channels[i]);
	return r == 0 ? keep_notified(n) : r;
}

/* --- the process --- */

/* Secrets and couriers come first, with the rights that we were started with. */
static int start_couriers(struct notifier *n)
{
	const char *why = "";
	int r = notify_ways_make(n->settings, true, &n->ways, &why);

	if (r < 0)
		return said(r, why);
	for (size_t i = 0; r == 0 && i < NOTIFY_KINDS; i++)
		if (n->ways.courier[i])
			r = courier_start(n->ways.courier[i], &n->channels[i].courier);
	return r < 0 ? said(r, "tyto-notify cannot be started") : 0;
}

/* Waits for a state, and for a log in it: whoever makes them may be starting just now. */
static int enter(struct notifier *n)
{
	struct account owner;
	const char *why = "";
	bool told = false;
	int r;

	while ((r = state_prepare(n->c->state, false, &owner, &why)) == -ENOENT && !ended(n)) {
		if (!told)
			log_info("notify: nothing has been recorded in %s yet", n->c->state);
		told = true;
		if (n->c->once)
			return r;
		usleep(TURN_MS * 1000);
	}
	if (r == 0)
		r = state_enter(&owner, n->c->state, &why);
	if (r < 0)
		return said(r, why);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (n->c->control_fd >= 0)
		prctl(PR_SET_PDEATHSIG, SIGCONT); /* as the guard set it; lost with the change of the account */
	r = confine_keeper();
	if (r < 0)
		log_error("the notifier runs without a filter of system calls: %s", strerror(-r));
	return 0;
}

static int open_log(struct notifier *n)
{
	int r;

	while ((r = evidence_reader_open(n->c->state, &n->reader)) == -ENOENT && !ended(n) && !n->c->once)
		usleep(TURN_MS * 1000);
	if (r < 0)
		return ended(n) ? r : said(r, evidence_why());
	r = alerts_open(n->c->state, true, &n->alerts);
	return r < 0 ? said(r, alerts_why()) : 0;
}

/* A new outbox: the first one, or another was lost. */
static void recover(struct notifier *n)
{
	uint64_t upto, size;

	if (notified_read(n->c->state, &upto) < 0 || evidence_reader_refresh(n->reader, &size) < 0 || upto > size)
		return;
	n->position = upto;
	n->begun = n->recovered = true;
	log_info("notify: the outbox is new: alerts before record %llu have been told and are not told again; dead letters are gone",
		(unsigned long long)upto);
}

static int open_outbox(struct notifier *n)
{
	const char *names[NOTIFY_RECIPIENTS_MAX + 2];
	bool told = false;
	int r;

	while ((r = outbox_lock(n->c->state, &n->lock)) == -EWOULDBLOCK && n->c->patient && !ended(n)) {
		if (!told)
			log_info("notify: %s; waiting", outbox_why());
		told = true;
		usleep(LOCK_MS * 1000 / 10);
	}
	if (r == 0)
		r = outbox_open(n->c->state, true, &n->outbox);
	for (size_t i = 0; i < n->ways.n; i++)
		names[i] = n->ways.v[i].name;
	if (r == 0)
		r = outbox_settle(n->outbox, names, n->ways.n);
	if (r == 0)
		r = outbox_position(n->outbox, &n->position, &n->begun);
	if (r < 0)
		return said(r, outbox_why());
	if (!n->begun)
		recover(n);
	return 0;
}

int notifier_run(const struct notifier_config *c)
{
	struct notifier n = { .c = c, .settings = &c->settings->notify, .lock = -1 };
	int r = start_couriers(&n);

	if (r == 0)
		r = enter(&n);
	if (r == 0)
		r = open_log(&n);
	if (r == 0)
		r = open_outbox(&n);
	/* (A first look at an old log takes a while; what is found then is told.) */
	while (r == 0 && !ended(&n) && !(c->once && n.looked && n.idle))
		r = turn(&n);
	alerts_close(n.alerts);
	evidence_reader_close(n.reader);
	outbox_close(n.outbox);
	if (r == -EUCLEAN && outbox_put_aside(c->state) == 0)
		log_error("notify: the outbox was damaged, and is put aside as notify.db.damaged");
	close_fd(&n.lock);
	for (size_t i = 0; i < NOTIFY_KINDS; i++)
		courier_end(n.channels[i].courier);
	notify_ways_free(&n.ways);
	return (r < 0 && !ended(&n)) || (c->once && n.failed) ? 1 : 0;
}
