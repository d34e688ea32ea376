/* tyto @sensor, tyto @keeper, tyto @scanner: what the guard starts. Not for people; not listed. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/roles.h"
#include "cli/scantools.h"
#include "cli/show.h"
#include "daemon/confine.h"
#include "daemon/guard.h"
#include "daemon/keeper.h"
#include "daemon/notifier.h"
#include "daemon/scanner.h"
#include "sensor/sensor.h"

#define ARGS_MAX (CONFIG_PATHS_MAX + 16)

static const char *guard_word;
static bool show_json, show_text_lines;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "guard", 0, OPT_TEXT, &guard_word, "…", "set by the guard" },
		{ "show-json", 0, OPT_FLAG, &show_json, NULL, "records as JSON Lines" },
		{ "show-text", 0, OPT_FLAG, &show_text_lines, NULL, "records as lines" },
		OPT_END,
	};
	return o;
}

int roles_guard(char *const *paths, size_t n, int listen_fd, bool notify)
{
	const char *sensor[ARGS_MAX] = { "tyto", "@sensor", "--state", cli.state };
	const char *keeper[ARGS_MAX] = { "tyto", "@keeper", "--state", cli.state };
	const char *scanner[ARGS_MAX] = { "tyto", "@scanner", "--state", cli.state };
	const char *notifier[ARGS_MAX] = { "tyto", "@notifier", "--state", cli.state };
	struct guard_config g = { .exe = "/proc/self/exe", .sensor_argv = (char *const *)sensor,
		.keeper_argv = (char *const *)keeper, .scanner_argv = (char *const *)scanner,
		.notifier_argv = notify ? (char *const *)notifier : NULL, .listen_fd = listen_fd };
	size_t k = 4;

	if (cli.config_file) {
		sensor[k] = keeper[k] = scanner[k] = notifier[k] = "--config";
		sensor[k + 1] = keeper[k + 1] = scanner[k + 1] = notifier[k + 1] = cli.config_file;
		k += 2;
	}
	if (cli.quiet || cli.verbose) {
		sensor[k] = keeper[k] = scanner[k] = notifier[k] = cli.quiet ? "-q" : "-v";
		k++;
	}
	if (!cli.quiet)
		keeper[k] = cli.json ? "--show-json" : "--show-text";
	for (size_t i = 0; i < n; i++)
		sensor[k + i] = scanner[k + i] = paths[i];
	return guard_run(&g) < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int child_of_guard(struct guard_child *ret)
{
	char word[256];
	const char *argv[2] = { "", word };

	snprintf(word, sizeof(word), GUARD_ARGUMENT "%s", guard_word ? guard_word : "");
	if (!guard_word || guard_child_parse(2, (char *const *)argv, ret) < 0) {
		log_error("this role is started by `tyto watch`");
		return -EINVAL;
	}
	return 0;
}

static int run_sensor(int argc, char **argv)
{
	const struct sensor_ops *ops;
	const char *why = "";
	char real[PATH_MAX];
	struct guard_child g;
	str paths[CONFIG_PATHS_MAX];
	pid_t own[2];
	int r;
	struct sensor_config c = { .paths = paths, .keeper_fd = GUARD_FD_PEER, .control_fd = GUARD_FD_CONTROL, .own = own, .n_own = 2 };

	if (child_of_guard(&g) < 0)
		return EXIT_FAILED;
	for (int i = 0; i < argc && i < CONFIG_PATHS_MAX; i++)
		paths[c.n_paths++] = str_c(argv[i]);
	if (realpath(cli.state, real))
		c.exclude = str_c(real);
	c.pulse = mmap(NULL, sizeof(*c.pulse), PROT_READ | PROT_WRITE, MAP_SHARED, GUARD_FD_PULSE, 0);
	close(GUARD_FD_PULSE);
	if (c.pulse == MAP_FAILED) {
		log_error("the guard's pulse: %s", strerror(errno));
		return EXIT_FAILED;
	}
	own[0] = g.guard;
	own[1] = g.peer;
	c.gap_from = g.gap_from;
	c.gap_cause = g.gap_cause;
	if (sensor_pick(&ops, &why) < 0) {
		log_error("this kernel cannot be watched: %s", why);
		return EXIT_FAILED;
	}
	r = ops->run(&c);
	return r == -ENOTSUP ? GUARD_EXIT_REFUSED : r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int show_one(void *arg, const struct event *e)
{
	(cli.json ? show_event_json : show_event)(e);
	return out()->n >= 64 * 1024 ? stdout_flush() : 0;
}

static int show_flush(void *arg)
{
	return stdout_flush();
}

static int run_keeper(int argc, char **argv)
{
	struct keeper_config c = { .state = cli.state, .settings = &cli.config, .sensor_fd = GUARD_FD_PEER, .control_fd = GUARD_FD_CONTROL,
		.listen_fd = GUARD_FD_LISTEN };
	const char *why = "";
	struct guard_child g;
	int r;

	if (child_of_guard(&g) < 0)
		return EXIT_FAILED;
	if (state_prepare(cli.state, false, &c.owner, &why) < 0 || state_enter(&c.owner, cli.state, &why) < 0) {
		log_error("%s", why);
		return EXIT_FAILED;
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGCONT); /* as the guard set it; lost with the change of the account */
	r = confine_keeper();
	if (r < 0)
		log_error("the keeper runs without a filter of system calls: %s", strerror(-r));
	cli.json = show_json;
	if (show_json || show_text_lines) {
		c.show = show_one;
		c.flush = show_flush;
	}
	/* Started beside a sensor that runs: it says itself what was lost. */
	c.resume = g.peer != 0;
	return keeper_run(&c);
}

static int make_classifier(const char *state, const struct config *config, struct classifier **ret)
{
	struct client_list *none = NULL;

	return scantools_new(state, config, -1, NULL, &none, ret);
}

static int run_scanner(int argc, char **argv)
{
	char real[PATH_MAX];
	struct scanner_config c = { .state = realpath(cli.state, real) ? real : cli.state, .settings = &cli.config, .paths = argv,
		.n_paths = (size_t)argc,
		.control_fd = GUARD_FD_CONTROL, .interrupted = interrupted, .classifier = make_classifier };
	struct guard_child g;

	return child_of_guard(&g) < 0 ? EXIT_FAILED : scanner_run(&c);
}

static int run_notifier(int argc, char **argv)
{
	char real[PATH_MAX];
	struct notifier_config c = { .state = realpath(cli.state, real) ? real : cli.state, .settings = &cli.config,
		.control_fd = GUARD_FD_CONTROL,
		.interrupted = interrupted, .patient = true };
	struct guard_child g;

	return child_of_guard(&g) < 0 ? EXIT_FAILED : notifier_run(&c);
}

const struct command cmd_guard_notifier = {
	.name = "@notifier", .args = "", .summary = "tells of alerts (started by `tyto watch`)", .examples = "", .options = options, .run =
			run_notifier,
		.hidden = true,
};
const struct command cmd_guard_scanner = {
	.name = "@scanner", .args = "", .summary = "the inventory (started by `tyto watch`)", .examples = "", .options = options, .run =
			run_scanner, .hidden = true,
};
const struct command cmd_guard_sensor = {
	.name = "@sensor", .args = "", .summary = "the sensor (started by `tyto watch`)", .examples = "", .options = options, .run = run_sensor,
		.hidden = true,
};
const struct command cmd_guard_keeper = {
	.name = "@keeper", .args = "", .summary = "the keeper (started by `tyto watch`)", .examples = "", .options = options, .run = run_keeper,
		.hidden = true,
};
