/* tyto config check|show: the settings in force, and what is wrong in the file. */
#include <errno.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/cli.h"

/* What is wrong was said when the settings were loaded, as for every command. */
static void said_already(void *arg, const char *file, unsigned line, const char *what)
{
}

/* What one setting asks of another. */
static int check_notify(const struct notify_settings *s)
{
	_cleanup_notify_ways_ struct notify_ways ways = { 0 };
	const char *why = "";

	if (notify_ways_make(s, false, &ways, &why) == 0)
		return 0;
	log_error("%s", why);
	return -EBADMSG;
}

static int check(void)
{
	const char *file = cli.config_file ? cli.config_file : CONFIG_FILE;
	struct config c;
	int r;

	config_init(&c);
	r = config_load(&c, file, cli.config_file == NULL, said_already, NULL);
	if (r == 0)
		r = check_notify(&c.notify);
	config_free(&c);
	if (r < 0 && r != -EBADMSG)
		log_error("%s: %s", file, strerror(-r));
	if (r == 0)
		log_info(access(file, F_OK) < 0 ? "%s does not exist: the defaults are in force" : "%s: no mistakes", file);
	if (cli.json)
		buf_puts(out(), r < 0 ? STR("{\"ok\":false}\n") : STR("{\"ok\":true}\n"));
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int show(void)
{
	struct buf *b = out();

	if (cli.json)
		json_obj_begin(b);
	for (const struct setting *s = settings; s->key; s++) {
		_cleanup_buf_ struct buf v = BUF_INIT;

		/* Options and the environment win over the file. */
		if (strcmp(s->key, "state") == 0)
			buf_puts(&v, str_c(cli.state));
		else
			config_value(&cli.config, s, &v);
		if (cli.json) {
			json_put_str(b, s->key, buf_str(&v));
		} else {
			buf_putf(b, "# %s\n%s = %.*s\n", s->help, s->key, STR_ARG(buf_str(&v)));
		}
	}
	if (cli.json) {
		json_obj_end(b);
		buf_putc(b, '\n');
	}
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], "check") == 0)
		return check();
	if (argc == 1 && strcmp(argv[0], "show") == 0)
		return show();
	return usage_error("`tyto config`: expected check or show");
}

const struct command cmd_config = {
	.name = "config", .args = "check | show", .summary = "settings in force",
	.examples = "  tyto config show                  every setting, its value and what it does\n"
		    "  tyto config check --config FILE   mistakes in a file, with their lines\n",
	.run = run, .needs_args = true,
};
