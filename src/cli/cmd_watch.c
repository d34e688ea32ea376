/* tyto watch: the guard, with the sensor and the keeper as its children. */
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/peoplefile.h"
#include "cli/roles.h"
#include "daemon/query.h"
#include "daemon/state.h"
#include "sensor/sensor.h"

static const char *people;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "people", 0, OPT_TEXT, &people, "FILE", "who works where (CSV or JSON Lines): imported first; aliases join accounts" },
		OPT_END,
	};
	return o;
}

static int real_paths(int n, char **given, char **ret)
{
	for (int i = 0; i < n; i++) {
		struct stat st;

		ret[i] = realpath(given[i], NULL);
		if (!ret[i] || stat(ret[i], &st) < 0) {
			log_error("%s: %s", given[i], strerror(errno));
			return -errno;
		}
		if (!S_ISDIR(st.st_mode)) {
			log_error("%s is not a folder: name the folder it lies in", given[i]);
			return -ENOTDIR;
		}
	}
	return 0;
}

/* /run/tyto is made by us, searchable for all: what may be asked is decided by the peer's uid. */
static int listen_socket(const char *state)
{
	struct sockaddr_un a;
	mode_t mask;
	int fd, r;

	if (mkdir("/run/tyto", 0755) < 0 && errno != EEXIST)
		return -errno;
	r = state_socket(state, &a);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(a.sun_path);
	mask = umask(0);
	r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* Before the keeper runs, in a child: writing means becoming the keeper's account for good. */
static int import_people(void)
{
	_cleanup_buf_ struct buf text = { .max = PEOPLEFILE_MAX };
	struct importer *i = NULL;
	bool unreadable = false;
	int status;
	pid_t pid;

	if (peoplefile_read(people, &text) < 0)
		return -EINVAL;
	pid = fork();
	if (pid == 0) {
		if (importer_open(cli.state, cli.config.disk_reserve, &i) < 0 || peoplefile_import(i, people, buf_str(&text), &unreadable) < 0) {
			log_error("%s", importer_why());
			_exit(EXIT_FAILED);
		}
		_exit(importer_close(i) < 0 ? EXIT_FAILED : EXIT_DONE);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ? -EIO : 0;
}

/* Tried in a child, before anything is started: the keeper becomes its account for good. */
static int check_reachable(const struct account *owner)
{
	const char *why = "";
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (state_enter(owner, cli.state, &why) == 0)
			_exit(EXIT_DONE);
		log_error("%s", why);
		_exit(EXIT_FAILED);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ? -EACCES : 0;
}

static int run(int argc, char **argv)
{
	const struct sensor_ops *ops;
	char *paths[CONFIG_PATHS_MAX];
	const char *why = "";
	struct account owner;
	struct sockaddr_un a;
	int n = argc ? argc : (int)cli.config.n_watch, fd, r;

	if (n == 0)
		return usage_error("`tyto watch` needs a PATH, or `watch = PATH` in the settings");
	if (n > CONFIG_PATHS_MAX)
		return usage_error("at most %d paths", CONFIG_PATHS_MAX);
	if (real_paths(n, argc ? argv : cli.config.watch, paths) < 0)
		return EXIT_FAILED;
	if (geteuid() != 0) {
		log_error("`tyto watch` needs root: only root may ask the kernel for every access (sudo tyto watch %s)", paths[0]);
		return EXIT_FAILED;
	}
	if (sensor_pick(&ops, &why) < 0) {
		log_error("this kernel cannot be watched: %s", why);
		return EXIT_FAILED;
	}
	if (state_prepare(cli.state, true, &owner, &why) < 0) {
		log_error("%s", why);
		return EXIT_FAILED;
	}
	if (check_reachable(&owner) < 0)
		return EXIT_FAILED;
	fd = query_connect(cli.state);
	if (fd >= 0) {
		close(fd);
		log_error("another `tyto watch` runs on the state %s: stop it first, or name another with --state", cli.state);
		return EXIT_FAILED;
	}
	if (!people && cli.config.people && *cli.config.people)
		people = cli.config.people;
	if (people && import_people() < 0)
		return EXIT_FAILED;
	fd = listen_socket(cli.state);
	if (fd < 0) {
		log_error("cannot listen below /run/tyto: %s", strerror(-fd));
		return EXIT_FAILED;
	}
	r = roles_guard(paths, (size_t)n, fd);
	if (state_socket(cli.state, &a) == 0)
		unlink(a.sun_path);
	for (int i = 0; i < n; i++)
		free(paths[i]);
	return r;
}

const struct command cmd_watch = {
	.name = "watch", .args = "PATH…", .summary = "record who does what to the documents under PATH (root)",
	.examples = "  tyto watch /srv/share                    until stopped with Ctrl-C\n"
		    "  tyto watch --json /srv/share             every record as a line of JSON\n"
		    "  tyto watch --people staff.csv /srv/share with names for several accounts of one person\n",
	.notes = "Prints `watching PATH (backend)` once every later access is recorded.\n",
	.options = options, .run = run,
};
