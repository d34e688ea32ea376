/* cli.h — what every command has: its entry in the table, its options, and the settings common to all.
 *
 * Purpose: one table row and one file a command; options are tables. Ownership: everything points into argv, the configuration or static
 * text, which live as long as the process. Units: times in ns UTC. Threads: main thread only.
 * Errors: a command returns an exit status of the contract (enum cli_exit), having said why in one line.
 */
#ifndef TYTO_CLI_H
#define TYTO_CLI_H

#include "base/str.h"
#include "daemon/config.h"

enum cli_exit { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTLY = 3, EXIT_DAMAGED = 4, EXIT_FINDINGS = 5,
	EXIT_INTERRUPTED = 130 };

enum opt_type { OPT_FLAG, OPT_TEXT, OPT_LIST, OPT_COUNT, OPT_TIME };

#define OPT_LIST_MAX 256
struct opt_list {
	const char *v[OPT_LIST_MAX];
	size_t n;
};

/* OPT_FLAG: bool. OPT_TEXT: const char *. OPT_LIST: struct opt_list (may be repeated). OPT_COUNT: uint64_t. OPT_TIME: int64_t. */
struct opt {
	const char *name; /* long name, without -- */
	char letter;      /* 0: none */
	enum opt_type type;
	void *value;
	const char *arg;  /* name of its argument in the help */
	const char *help;
};
#define OPT_END { NULL }

/* Common to all commands. */
struct cli {
	const char *state;
	const char *config_file;
	bool json, quiet, verbose, reverse, unmask;
	const char *reason;
	int64_t since, until; /* 0: open */
	uint64_t limit;       /* 0: none */
	struct config config;
	const struct command *command;
};
extern struct cli cli;

struct command {
	const char *name;
	const char *args;     /* as in "PATH…" */
	const char *summary;  /* a line */
	const char *examples; /* "command — what it does" lines */
	const char *notes;    /* more, or NULL */
	const struct opt *(*options)(void); /* the command's own, or NULL */
	int (*run)(int argc, char **argv);  /* arguments left after options */
	bool needs_args, hidden;
};

extern const struct command *const commands[]; /* NULL-terminated */
extern const struct command cmd_scan, cmd_watch, cmd_import, cmd_people, cmd_events, cmd_who, cmd_trace, cmd_verify, cmd_evidence, cmd_key,
	cmd_status, cmd_doctor, cmd_config, cmd_rules, cmd_alerts, cmd_decoy, cmd_demo, cmd_guard_sensor, cmd_guard_keeper, cmd_guard_scanner,
	cmd_guard_notifier, cmd_notify;

/* Takes the options out of argv, wherever they stand; "--" ends them. Returns the number of arguments left at argv[0…], or -EINVAL having
 * said what is wrong. */
int options_parse(int argc, char **argv, const struct opt *common, const struct opt *own);
void options_help(struct buf *b, const struct opt *table);

/* Usage error: one line, and where to look. Returns EXIT_USAGE. */
int usage_error(const char *fmt, ...) _printf_(1, 2);

/* The exit status for a negative errno: EXIT_DAMAGED for -EUCLEAN, EXIT_INTERRUPTED for -EINTR, else EXIT_FAILED. */
int exit_status(int r);

/* stdout, buffered; flush reports a closed pipe as the end of the wish to see more. */
struct buf *out(void);
int stdout_flush(void);
bool stdout_terminal(void);
/* A line on stderr that is written over: only on a terminal, and not with -q. */
bool progress_on(void);
void progress_end(void);
/* True when stdout is a terminal and NO_COLOR is not set. */
bool stdout_color(void);
bool interrupted(void); /* SIGINT or SIGTERM came */
/* Can be read from then on, and never is. What waits for input polls it, too: a signal between a look at interrupted() and a read would not
 * end that read. -1: there is none to be had. */
int interrupt_fd(void);

#endif
