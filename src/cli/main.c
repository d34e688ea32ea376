/* tyto: finds the command, takes the common options, runs it. */
#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/term.h"

struct cli cli;

const struct command *const commands[] = {
	&cmd_scan, &cmd_watch, &cmd_import, &cmd_people, &cmd_events, &cmd_who, &cmd_trace, &cmd_verify, &cmd_evidence, &cmd_key, &cmd_status,
	&cmd_doctor, &cmd_config, &cmd_rules, &cmd_alerts, &cmd_decoy, &cmd_notify, &cmd_demo, &cmd_guard_sensor, &cmd_guard_keeper,
	&cmd_guard_scanner, &cmd_guard_notifier, NULL,
};

static bool want_help, want_version;

static const struct opt common[] = {
	{ "state", 0, OPT_TEXT, &cli.state, "DIR", "where the record is kept (or $TYTO_STATE; /var/lib/tyto)" },
	{ "config", 0, OPT_TEXT, &cli.config_file, "FILE", "settings (" CONFIG_FILE ")" },
	{ "json", 0, OPT_FLAG, &cli.json, NULL, "one object, or JSON Lines" },
	{ "since", 0, OPT_TIME, &cli.since, "T", "from: RFC 3339, a local date, or an age: 30d, 6h" },
	{ "until", 0, OPT_TIME, &cli.until, "T", "up to" },
	{ "limit", 'n', OPT_COUNT, &cli.limit, "N", "at most so many" },
	{ "reverse", 'r', OPT_FLAG, &cli.reverse, NULL, "newest first" },
	{ "unmask", 0, OPT_FLAG, &cli.unmask, NULL, "show names where they are masked; is itself a record" },
	{ "reason", 0, OPT_TEXT, &cli.reason, "TEXT", "why names are wanted" },
	{ "quiet", 'q', OPT_FLAG, &cli.quiet, NULL, "only results and errors" },
	{ "verbose", 'v', OPT_FLAG, &cli.verbose, NULL, "more messages" },
	{ "help", 'h', OPT_FLAG, &want_help, NULL, "this text" },
	{ "version", 0, OPT_FLAG, &want_version, NULL, "the version" },
	OPT_END,
};

static void help_all(struct buf *b)
{
	buf_puts(b, STR("Tyto: who touched which document on this server, and proof of it.\n\n"
			"Examples\n"
			"  tyto demo                            a small share, a real theft, found and proved, in a minute\n"
			"  tyto scan /srv/share                 what documents there are, and how sensitive they are\n"
			"  tyto watch /srv/share                record every access below /srv/share (root)\n"
			"  tyto events --since 1d               what was recorded since yesterday\n"
			"  tyto who /srv/share/plan.odt         who had this document\n"
			"  tyto trace leak.pdf                  this turned up outside: what it is from, and who had it\n"
			"  tyto verify                          check the record from the first byte to the last signature\n\n"
			"Commands\n"));
	for (const struct command *const *c = commands; *c; c++)
		if (!(*c)->hidden)
			buf_putf(b, "  %-10s %s\n", (*c)->name, (*c)->summary);
	buf_puts(b, STR("\nOptions of every command\n"));
	options_help(b, common);
	buf_puts(b, STR("\n`tyto COMMAND --help` tells more; the manual page is tyto(1).\n"));
}

static void help_command(struct buf *b, const struct command *c)
{
	buf_putf(b, "%s\n\nExamples\n%s\nUsage\n  tyto %s%s%s\n", c->summary, c->examples, c->name, *c->args ? " " : "", c->args);
	if (c->notes)
		buf_putf(b, "\n%s", c->notes);
	if (c->options) {
		buf_puts(b, STR("\nOptions\n"));
		options_help(b, c->options());
	}
	buf_puts(b, STR("\nOptions of every command\n"));
	options_help(b, common);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static void complain(void *arg, const char *file, unsigned line, const char *what)
{
	log_error("%s, line %u: expected %s", file, line, what);
}

/* Flags win over the environment, which wins over the file. */
static int load_config(void)
{
	const char *file = cli.config_file ? cli.config_file : CONFIG_FILE;
	int r;

	config_init(&cli.config);
	r = config_load(&cli.config, file, cli.config_file == NULL, complain, NULL);
	/* `config check` reports itself, with its own exit status. */
	if (r < 0 && cli.command != &cmd_config) {
		if (r != -EBADMSG)
			log_error("%s: %s", file, strerror(-r));
		return r;
	}
	if (!cli.state)
		cli.state = getenv("TYTO_STATE");
	if (!cli.state || !*cli.state)
		cli.state = cli.config.state;
	return 0;
}

/* Where the last column of a line begins: behind its last run of two spaces. */
static unsigned last_column(str line)
{
	size_t at = 0;

	for (size_t i = 2; i < line.n; i++)
		if (line.p[i] != ' ' && line.p[i - 1] == ' ' && line.p[i - 2] == ' ')
			at = i;
	return (unsigned)at;
}

static int show_help(const struct command *c)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (c)
		help_command(&text, c);
	else
		help_all(&text);
	for (size_t i = 0; i < text.n;) {
		const char *end = memchr(text.p + i, '\n', text.n - i);
		str line = { text.p + i, end ? (size_t)(end - text.p) - i : text.n - i };

		term_prose(line, 0, last_column(line));
		buf_putc(out(), '\n');
		i += line.n + 1;
	}
	return stdout_flush() < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Whoever closes the pipe has seen enough; anything else that keeps results from arriving is a failure. */
static int finish_output(int status)
{
	int r = stdout_flush();

	if (r == 0 || r == -EPIPE || r == -EINTR)
		return status;
	log_error("the results could not be written: %s", strerror(-r));
	return status == EXIT_DONE ? EXIT_FAILED : status;
}

/* A mistake in the options themselves is told as JSON, too. */
static bool asks_json(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static int run_command(int argc, char **argv)
{
	const struct opt *own;
	int n, r;

	/* The command is the first word that is not an option; options before it must be common ones. */
	for (int i = 0; i < argc && !cli.command; i++)
		if (argv[i][0] != '-')
			cli.command = find_command(argv[i]);
	own = cli.command && cli.command->options ? cli.command->options() : NULL;
	log_set_json(asks_json(argc, argv));
	n = options_parse(argc, argv, common, own);
	if (n < 0)
		return EXIT_USAGE;
	log_set_json(cli.json);
	log_set_level(cli.quiet ? LOG_LEVEL_QUIET : cli.verbose ? LOG_LEVEL_VERBOSE : LOG_LEVEL_NORMAL);
	if (want_version) {
		buf_puts(out(), STR("tyto " TYTO_VERSION "\n"));
		return stdout_flush() < 0 ? EXIT_FAILED : EXIT_DONE;
	}
	if (n == 0)
		return want_help ? show_help(NULL) : usage_error("which command?");
	if (strcmp(argv[0], "help") == 0) {
		if (n == 1)
			return show_help(NULL);
		want_help = true;
		argv++;
		n--;
	}
	cli.command = find_command(argv[0]);
	if (!cli.command)
		return usage_error("there is no command `%s`", argv[0]);
	if (want_help)
		return show_help(cli.command);
	if (cli.command->needs_args && n == 1)
		return usage_error("`tyto %s` needs %s", argv[0], cli.command->args);
	for (int i = 1; i < n && !cli.command->hidden; i++)
		if (argv[i][0] == '\0')
			return usage_error("`tyto %s`: an argument is empty", argv[0]);
	if (load_config() < 0)
		return EXIT_USAGE;
	r = cli.command->run(n - 1, argv + 1);
	r = finish_output(r);
	if (interrupted() && r != EXIT_DONE)
		r = EXIT_INTERRUPTED;
	return r;
}

/* A closed standard descriptor must not become one of our files. */
static int hold_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	int r;

	if (hold_standard_fds() < 0)
		return EXIT_FAILED;
	r = run_command(argc - 1, argv + 1);
	config_free(&cli.config);
	return r;
}
