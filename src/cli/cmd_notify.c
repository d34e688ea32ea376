/* tyto notify: try every way, tell of alerts without a watch, and what could not be sent. */
#include <errno.h>
#include <poll.h>

#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/writer.h"
#include "daemon/notifier.h"
#include "forward/courier.h"
#include "forward/outbox.h"

#define PATIENCE_MS 60000 /* beyond the timeouts of a courier */

static const char *to;
static bool once, all;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "to", 0, OPT_TEXT, &to, "WAY", "test: mail, webhook or syslog alone" },
		{ "once", 0, OPT_FLAG, &once, NULL, "run: end when everything was sent or has failed once" },
		{ "all", 0, OPT_FLAG, &all, NULL, "retry: all dead letters" },
		OPT_END,
	};
	return o;
}

/* --- test --- */

static void put_result(const struct notify_way *way, const struct courier_answer *a)
{
	bool sent = a->verdict == COURIER_SENT;

	if (cli.json) {
		json_obj_begin(out());
		json_put_str(out(), "way", str_c(way->name));
		json_put_bool(out(), "sent", sent);
		json_put_str(out(), "answer", str_c(a->line));
		json_obj_end(out());
	} else {
		buf_putf(out(), "%-8s %s: ", sent ? "sent" : "FAILED", way->name);
		show_text(str_c(a->line));
	}
	buf_putc(out(), '\n');
	stdout_flush();
}

static void try_way(struct courier **courier, const struct notify_ways *ways, const struct notify_way *way, struct courier_answer *ret)
{
	_cleanup_message_ struct message m = { 0 };
	int64_t until = time_boottime() + (2 * (int64_t)cli.config.notify.timeout) * NSEC_PER_SEC + PATIENCE_MS * 1000000LL;
	int r = *courier ? 0 : courier_start(ways->courier[way->kind], courier);

	*ret = (struct courier_answer){ .verdict = COURIER_LATER };
	message_of_test(time_now(), &m);
	if (r == 0)
		r = courier_send(*courier, &m, way->to);
	for (struct pollfd p = { .fd = r == 0 ? courier_fd(*courier) : -1, .events = POLLIN }; r == 0 && !interrupted();) {
		poll(&p, 1, 200);
		r = courier_take(*courier, ret);
		if (r == 0)
			return;
		r = r == -EAGAIN && time_boottime() < until ? 0 : r;
	}
	snprintf(ret->line, sizeof(ret->line), "%s", interrupted() ? "interrupted" : r == -EAGAIN ? "no answer" :
			"tyto-notify, which sends, cannot be started or has ended");
}

static int test(void)
{
	_cleanup_notify_ways_ struct notify_ways ways = { 0 };
	struct courier *couriers[NOTIFY_KINDS] = { NULL };
	const char *why = "";
	bool failed = false;
	size_t tried = 0;

	if (notify_ways_make(&cli.config.notify, true, &ways, &why) < 0) {
		log_error("%s", why);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < ways.n; i++) {
		const struct notify_way *way = &ways.v[i];
		struct courier_answer a;

		if (to && strcmp(to, notify_kind_names[way->kind]) != 0)
			continue;
		try_way(&couriers[way->kind], &ways, way, &a);
		put_result(way, &a);
		failed |= a.verdict != COURIER_SENT;
		tried++;
	}
	for (size_t i = 0; i < NOTIFY_KINDS; i++)
		courier_end(couriers[i]);
	if (tried == 0)
		log_error("nothing to try: %s%s is %sset (`tyto config show`)", to ? "notify." : "none of notify.mail, notify.webhook and notify.syslog",
			to ? to : "", to ? "not " : "");
	return failed || tried == 0 ? EXIT_FAILED : EXIT_DONE;
}

/* --- run --- */

static int tell(void)
{
	const struct notifier_config c = { .state = cli.state, .settings = &cli.config, .control_fd = -1, .interrupted = interrupted,
		.once = once };

	if (!notify_any(&cli.config.notify)) {
		log_info("nothing to do: none of notify.mail, notify.webhook and notify.syslog is set");
		return EXIT_DONE;
	}
	return notifier_run(&c) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* --- dead letters --- */

/* -ENOENT: nothing has been told yet. A state that is not there is a failure, and has been said. */
static int open_outbox(struct outbox **ret)
{
	int r = writer_enter(false);

	if (r < 0)
		return r == -ENOENT ? -ENOTDIR : r;
	r = outbox_open(cli.state, false, ret);
	if (r < 0 && r != -ENOENT)
		log_error("%s", outbox_why());
	return r;
}

static int put_dead(void *arg, const struct outbox_letter *l)
{
	uint64_t *shown = arg;
	const char *kind = l->kind && l->kind < MESSAGE_KIND_MAX_ ? message_kind_name((enum message_kind)l->kind) : "";

	if (cli.limit && *shown >= cli.limit)
		return 1;
	++*shown;
	if (cli.json) {
		json_obj_begin(out());
		json_put_u64(out(), "id", l->id);
		json_put_u64(out(), "alert", l->alert);
		json_put_str(out(), "kind", str_c(kind));
		json_put_str(out(), "way", l->way);
		json_put_time(out(), "time", l->created);
		json_put_u64(out(), "tries", l->tries);
		json_put_str(out(), "answer", l->answer);
		json_obj_end(out());
	} else {
		buf_putf(out(), "%-5llu ", (unsigned long long)l->id);
		show_time(l->created);
		buf_putf(out(), "  alert %llu %s  ", (unsigned long long)l->alert, kind);
		show_text(l->way);
		buf_putf(out(), "  (%u %s: ", l->tries, l->tries == 1 ? "try" : "tries");
		show_text(l->answer);
		buf_putc(out(), ')');
	}
	buf_putc(out(), '\n');
	return interrupted() ? -EINTR : 0;
}

static int dead(void)
{
	struct outbox *o = NULL;
	uint64_t shown = 0;
	int r = open_outbox(&o);

	if (r == 0)
		r = outbox_dead(o, put_dead, &shown);
	if (r < 0 && r != -ENOENT && r != -EINTR && o)
		log_error("%s", outbox_why());
	outbox_close(o);
	if (r >= 0 || r == -ENOENT)
		log_info("%llu dead letter%s", (unsigned long long)shown, shown == 1 ? "" : "s");
	return r < 0 && r != -ENOENT ? exit_status(r) : EXIT_DONE;
}

static int retry(uint64_t id)
{
	struct outbox *o = NULL;
	uint64_t n = 0;
	int r = open_outbox(&o);

	if (r == 0)
		r = outbox_retry(o, id, &n);
	if (r < 0 && r != -ENOENT && o)
		log_error("%s", outbox_why());
	outbox_close(o);
	if (r < 0 && r != -ENOENT)
		return exit_status(r);
	if (id && n == 0) {
		log_error("there is no dead letter %llu (`tyto notify dead` lists them)", (unsigned long long)id);
		return EXIT_FAILED;
	}
	log_info("%llu letter%s tried again by whoever tells of alerts", (unsigned long long)n, n == 1 ? " is" : "s are");
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	uint64_t id = 0;

	if (to && strcmp(to, "mail") != 0 && strcmp(to, "webhook") != 0 && strcmp(to, "syslog") != 0)
		return usage_error("`tyto notify test --to %s`: expected mail, webhook or syslog", to);
	if (argc == 1 && strcmp(argv[0], "test") == 0)
		return test();
	if (argc == 1 && strcmp(argv[0], "run") == 0)
		return tell();
	if (argc == 1 && strcmp(argv[0], "dead") == 0)
		return dead();
	if (argc == 1 && strcmp(argv[0], "retry") == 0 && all)
		return retry(0);
	if (argc == 2 && strcmp(argv[0], "retry") == 0 && !all && str_to_u64(str_c(argv[1]), &id) == 0 && id)
		return retry(id);
	return usage_error("`tyto notify`: expected test, run, dead, retry ID or retry --all");
}

const struct command cmd_notify = {
	.name = "notify", .args = "test | run | dead | retry ID|--all", .summary = "tell somebody of alerts: by mail, webhook, syslog",
	.examples = "  tyto notify test                  a test by each way that is set; says what happened, a line each\n"
		    "  tyto notify test --to mail        the mails alone\n"
		    "  tyto notify run --once            after an import: tell of what it raised\n"
		    "  tyto notify dead                  what could not be sent, and why\n"
		    "  tyto notify retry --all           try it again\n",
	.notes = "The settings notify.mail.*, notify.webhook.* and notify.syslog.* say who is told (`tyto config show`, docs/notify.md). `tyto "
	"watch` tells by\n"
		 "itself. An alert is told when it is raised, when it becomes more severe, when it is closed, and when it comes back.\n",
	.options = options, .run = run, .needs_args = true,
};
