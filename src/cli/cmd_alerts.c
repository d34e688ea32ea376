/* tyto alerts: the queue; one of them whole; and what a person says of it. */
#include <errno.h>
#include <poll.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/cmd_alerts.h"
#include "cli/lookup.h"
#include "cli/writer.h"
#include "daemon/alertjson.h"
#include "daemon/alertview.h"
#include "daemon/query.h"

#define TURN_MS 200         /* between two looks at what is new */
#define REMOTE_TURN_MS 1000 /* that the keeper is asked for */

static bool all, held, follow_on;
static const char *as, *fail_on;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "all", 0, OPT_FLAG, &all, NULL, "closed ones and those of severity low, too" },
		{ "held", 0, OPT_FLAG, &held, NULL, "those that the daily budget holds back" },
		{ "follow", 'f', OPT_FLAG, &follow_on, NULL, "go on with what is raised or changed" },
		{ "fail-on", 0, OPT_TEXT, &fail_on, "SEVERITY", "exit status 5 where one of those shown is so severe" },
		{ "as", 0, OPT_TEXT, &as, "FORM", "as others read them, a line each: ocsf, ecs or cef" },
		OPT_END,
	};
	return o;
}

struct view {
	struct alertqueue *q; /* NULL: by way of the keeper */
	bool mask, whole;
	const struct form *form; /* of --as; NULL: none */
	struct buf json;
};

static int put_done(void)
{
	if (out()->n >= 64 * 1024 && stdout_flush() < 0)
		return -EPIPE;
	return interrupted() ? -EINTR : 0;
}

static int put_json(struct view *v, str json)
{
	json_t *j;

	if (cli.json) {
		buf_puts(out(), json);
		buf_putc(out(), '\n');
	} else {
		j = json_loadb(json.p, json.n, 0, NULL);
		(v->whole ? alerts_show_whole : alerts_show_line)(j);
		json_decref(j);
	}
	return put_done();
}

static int put(void *arg, struct evidence_reader *r, const struct alert *al)
{
	struct view *v = arg;
	int e;

	buf_clear(&v->json);
	if (v->form)
		e = alertview_put(out(), r, al, v->mask, v->form);
	else
		e = alertjson_put(&v->json, cli.state, r, al, v->mask, v->whole);
	if (e < 0) {
		log_error("alert %llu: %s", (unsigned long long)al->number, *evidence_why() ? evidence_why() : strerror(-e));
		return e;
	}
	return v->form ? put_done() : put_json(v, buf_str(&v->json));
}

static int put_remote(void *arg, str text)
{
	struct view *v = arg;

	if (!v->form)
		return put_json(v, text);
	buf_puts(out(), text);
	return put_done();
}

/* Directly, or as a member of tyto-read by way of the keeper. */
static int ask(struct view *v, const struct alertqueue_filter *f, struct alertqueue_counts *ret)
{
	int r = v->q ? alertqueue_ask(v->q, f, put, v, ret) : alertqueue_remote(cli.state, f, put_remote, v, ret);

	if (r < 0 && r != -EINTR && r != -EPIPE)
		log_error("%s", *alertqueue_why() ? alertqueue_why() : strerror(-r));
	return r;
}

static int view_open(struct view *v)
{
	int r;

	v->mask = lookup_mask();
	if (!query_direct(cli.state))
		return 0;
	r = writer_enter(false);
	if (r < 0)
		return r;
	r = alertqueue_open(cli.state, &v->q);
	if (r < 0)
		log_error("%s", alertqueue_why());
	return r;
}

static void say_counts(const struct alertqueue_counts *c)
{
	log_info("%llu alert%s%s; not shown: %llu held back (daily budget), %llu closed, %llu low", (unsigned long long)c->shown,
		c->shown == 1 ? "" : "s", held ? " held back" : "", (unsigned long long)c->back, (unsigned long long)c->closed, (unsigned long long)c->low);
}

/* A pipe that nobody reads any more is seen although nothing is written to it. */
static int pause_for(int ms)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	if (stdout_flush() < 0 || (poll(&p, 1, ms) == 1 && p.revents & (POLLERR | POLLNVAL)))
		return -EPIPE;
	return interrupted() ? -EINTR : 0;
}

/* What there is already only where it is asked for; then each one that is raised or changed, again as it stands then. */
static int follow_alerts(struct view *v, struct alertqueue_filter *f)
{
	struct alertqueue_filter first = *f;
	struct alertqueue_counts counts;
	int r;

	if (!cli.since && !cli.limit) {
		first.changes = true;
		first.after = UINT64_MAX >> 1; /* nothing: only how far the log is */
	}
	r = ask(v, &first, &counts);
	f->changes = true;
	f->limit = 0;
	f->since = f->until = 0;
	while (r >= 0) {
		f->after = counts.size;
		r = pause_for(v->q ? TURN_MS : REMOTE_TURN_MS);
		if (r == 0)
			r = ask(v, f, &counts);
	}
	return r == -EPIPE ? EXIT_DONE : exit_status(r);
}

static int run_queue(struct view *v, uint64_t id)
{
	struct alertqueue_filter f = { .all = all, .held = held, .since = cli.since, .until = cli.until, .limit = cli.limit, .id = id, .whole = id != 0,
		.newest = cli.reverse, .form = v->form };
	const uint64_t least = fail_on ? severity_from(str_c(fail_on)) : SEVERITY_MAX_;
	struct alertqueue_counts counts;
	int r;

	v->whole = f.whole;
	if (follow_on)
		return follow_alerts(v, &f);
	r = ask(v, &f, &counts);
	if (r == -EPIPE)
		return EXIT_DONE;
	if (r >= 0 && !id)
		say_counts(&counts);
	return r < 0 ? exit_status(r) : counts.worst >= least ? EXIT_FINDINGS : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	bool show = argc == 2 && strcmp(argv[0], "show") == 0, closing = argc == 2 && strcmp(argv[0], "close") == 0;
	enum alert_reason reason = closing && cli.reason ? alert_reason_from(str_c(cli.reason)) : 0;
	uint32_t uid = alerts_whoami();
	struct view v = { 0 };
	uint64_t id = 0;
	int r;

	if (argc && !show && !closing)
		return usage_error("`tyto alerts`: expected show ID or close ID, or nothing");
	if (argc && (str_to_u64(str_c(argv[1]), &id) < 0 || id == 0))
		return usage_error("`tyto alerts %s %s`: expected the number of an alert", argv[0], argv[1]);
	if (closing && !reason)
		return usage_error("`tyto alerts close`: expected --reason theft, expected or mistake");
	v.form = as ? form_find(as) : NULL;
	if (as && (closing || !v.form))
		return usage_error("`tyto alerts --as %s`: expected ocsf, ecs or cef, of the queue or of show ID", as);
	if (fail_on && (closing || follow_on || !severity_from(str_c(fail_on))))
		return usage_error("`tyto alerts --fail-on %s`: expected low, medium, high or critical; of the queue, or of show ID", fail_on);
	if (follow_on && (argc || (cli.unmask && !query_direct(cli.state))))
		return usage_error("`tyto alerts --follow` shows the queue; with --unmask only where the state can be read");
	r = closing ? EXIT_DONE : lookup_unmask();
	if (r != EXIT_DONE)
		return r;
	r = view_open(&v);
	if (r == 0 && closing && !v.q) {
		log_error("only root and the state's owner close alerts");
		r = -EPERM;
	}
	if (r < 0)
		r = exit_status(r);
	else if (closing)
		r = (r = alerts_close_one(v.q, id, reason, uid)) < 0 ? exit_status(r) : EXIT_DONE;
	else
		r = run_queue(&v, id);
	alertqueue_close(v.q);
	buf_free(&v.json);
	return r;
}

const struct command cmd_alerts = {
	.name = "alerts", .args = "[show ID | close ID --reason theft|expected|mistake]",
	.summary = "what the detectors found, with the reason in sentences and the events behind it",
	.examples = "  tyto alerts                               the queue, the most severe first\n"
		    "  tyto alerts -f --json                     each one that is raised or changed, one object a line\n"
		    "  tyto alerts show 3                        when, which documents, against the past and the unit, what would have lowered it\n"
		    "  tyto alerts close 3 --reason expected     quiet for 30 days: this person, these rules, this folder\n"
		    "  tyto alerts --held                        what the daily budget holds back\n"
		    "  tyto alerts --fail-on high                for scripts: exit status 5 where one of them is high or critical\n"
		    "  tyto alerts --as ocsf                     for other systems: OCSF 1.8.0, ECS 9.4.0 or CEF, a line an alert\n",
	.notes = "One alert a person a case: it grows as more is found, is closed by 14 quiet days of event time, and comes back when something more\n"
		 "severe is found. Of a day's alerts, 3 persons of 1,000 known (at least one; the setting alerts.budget) are shown, the most severe first;\n"
		 "critical ones, decoys and tampering always. Alerts and what is said of them are records in the log. Members of the group tyto-read\n"
		 "read them beside a running `tyto watch`.\n",
	.options = options, .run = run,
};
