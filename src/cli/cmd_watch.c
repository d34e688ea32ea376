/* tyto watch: the guard, with the sensor and the keeper as its children. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/peoplefile.h"
#include "cli/roles.h"
#include "daemon/state.h"
#include "evidence/evidence.h"
#include "evidence/note.h"
#include "sensor/sensor.h"

#define PEOPLE_WAIT_NS (10 * NSEC_PER_SEC) /* a keeper whose guard was killed ends soon */

static const char *people;
static bool no_notify;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "people", 0, OPT_TEXT, &people, "FILE", "who works where (CSV or JSON Lines): imported first; aliases join accounts" },
		{ "no-notify", 0, OPT_FLAG, &no_notify, NULL, "tells nobody of alerts: `tyto notify run` does" },
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

/* A folder that was named twice is one. Returns how many are left. */
static int once_each(int n, char **paths)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		int k = 0;

		while (k < kept && strcmp(paths[k], paths[i]) != 0)
			k++;
		if (k < kept)
			free(paths[i]);
		else
			paths[kept++] = paths[i];
	}
	return kept;
}

#define LOCK_PATH (sizeof(((struct sockaddr_un *)0)->sun_path) + 8)

static void lock_path(const struct sockaddr_un *socket, char out[static LOCK_PATH])
{
	snprintf(out, LOCK_PATH, "%s.lock", socket->sun_path);
}

/* One guard a state: a lock beside the socket, held by this process alone, so that it ends with it however that ends. -EBUSY: another
 * one. */
static int guard_lock(const char *state)
{
	struct sockaddr_un a;
	char path[LOCK_PATH];
	struct stat st;
	int fd, r;

	/* Made by us, searchable for all: what may be asked on the socket is decided by the peer's uid. */
	if (mkdir("/run/tyto", 0755) < 0 && errno != EEXIST)
		return -errno;
	r = state_socket(state, &a);
	if (r < 0)
		return r;
	lock_path(&a, path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	else if (fstat(fd, &st) == 0 && st.st_nlink == 0)
		r = -EBUSY; /* one that ends this moment has removed it */
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int listen_socket(const char *state)
{
	struct sockaddr_un a;
	mode_t mask;
	int fd, r;

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
	struct peoplefile_rows staff;
	int status;
	pid_t pid;

	if (peoplefile_read(people, &text) < 0)
		return -EINVAL;
	pid = fork();
	if (pid == 0) {
		if (importer_open_wait(cli.state, cli.config.disk_reserve, PEOPLE_WAIT_NS, &i) < 0 ||
		    peoplefile_import(i, people, buf_str(&text), &staff) < 0) {
			log_error("%s", importer_why());
			_exit(EXIT_FAILED);
		}
		_exit(importer_close(i) < 0 ? EXIT_FAILED : EXIT_DONE);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ? -EIO : 0;
}

/* The record matters more: with settings that are wrong it goes on, and tells nobody. */
static bool tells(void)
{
	_cleanup_notify_ways_ struct notify_ways ways = { 0 };
	const char *why = "";

	if (no_notify || !notify_any(&cli.config.notify))
		return false;
	if (notify_ways_make(&cli.config.notify, true, &ways, &why) == 0)
		return true;
	log_error("%s; nobody is told of alerts", why);
	return false;
}

static bool version_there(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/VERSION", cli.state);
	return access(path, F_OK) == 0;
}

/* The keeper would meet it again and again: a state of another version, a damaged log, a key that it cannot use. */
static int check_log(void)
{
	_cleanup_close_ int keys = -1;
	struct evidence_reader *reader = NULL;
	struct note_key *key = NULL;
	const char *why = "";
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/log/log.vkey", cli.state);
	if (state_unused(cli.state))
		return EXIT_DONE;
	r = evidence_reader_open(cli.state, &reader);
	evidence_reader_close(reader);
	/* A first start that was cut off left a version and no log yet: it goes on. */
	if (r < 0 && (r != -ENOENT || !version_there())) {
		log_error("%s", evidence_why());
		return exit_status(r);
	}
	if (access(path, F_OK) < 0)
		return EXIT_DONE;
	snprintf(path, sizeof(path), "%s/keys", cli.state);
	keys = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = keys < 0 ? -errno : note_key_load(keys, "log.key", "watch", &key, &why);
	note_key_free(key);
	if (r < 0)
		log_error("%s/log.key: %s", path, *why ? why : strerror(-r));
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Tried in a child, before anything is started: the keeper becomes its account for good. */
static int check_startable(const struct account *owner)
{
	const char *why = "";
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (state_enter(owner, cli.state, &why) == 0)
			_exit(check_log());
		log_error("%s", why);
		_exit(EXIT_FAILED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return EXIT_FAILED;
	return WEXITSTATUS(status);
}

/* From here on they wait for the guard: one that comes while we start ends us, too. */
static bool hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return !interrupted();
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
	n = once_each(n, paths);
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
	r = check_startable(&owner);
	if (r != EXIT_DONE)
		return r;
	/* Never closed: it ends with us. */
	fd = guard_lock(cli.state);
	if (fd == -EBUSY)
		log_error("another `tyto watch` runs on the state %s: stop it first, or name another with --state", cli.state);
	else if (fd < 0)
		log_error("cannot lock the state below /run/tyto: %s", strerror(-fd));
	if (fd < 0)
		return EXIT_FAILED;
	if (!people && cli.config.people && *cli.config.people)
		people = cli.config.people;
	if (people && import_people() < 0)
		return EXIT_FAILED;
	if (!hold_signals())
		return EXIT_INTERRUPTED;
	fd = listen_socket(cli.state);
	if (fd < 0) {
		log_error("cannot listen below /run/tyto: %s", strerror(-fd));
		return EXIT_FAILED;
	}
	r = roles_guard(paths, (size_t)n, fd, tells());
	if (state_socket(cli.state, &a) == 0) {
		char lock[LOCK_PATH];

		unlink(a.sun_path);
		lock_path(&a, lock);
		unlink(lock);
	}
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
