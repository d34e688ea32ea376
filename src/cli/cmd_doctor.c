/* tyto doctor: what is wrong here, and what to do. Each check is a row of the table. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/term.h"
#include "daemon/clockwatch.h"
#include "daemon/query.h"
#include "daemon/state.h"
#include "detect/ruleset.h"
#include "document/documents.h"
#include "evidence/note.h"
#include "forward/outbox.h"
#include "index/index.h"
#include "sensor/sensor.h"

enum verdict { FINE, WARN, WRONG, UNKNOWN };

struct finding {
	enum verdict verdict;
	char what[512];
	char todo[512]; /* what to do, empty where nothing */
};

static void finding(struct finding *f, enum verdict v, const char *what, const char *todo)
{
	f->verdict = v;
	snprintf(f->what, sizeof(f->what), "%s", what);
	snprintf(f->todo, sizeof(f->todo), "%s", todo);
}

static void check_root(struct finding *f)
{
	if (geteuid() == 0)
		finding(f, FINE, "runs as root: can watch", "");
	else
		finding(f, WARN, "not root: can ask and import, but not watch", "run `tyto watch` as root");
}

static void check_sensor(struct finding *f)
{
	const struct sensor_ops *ops;
	const char *why = "";

	if (geteuid() != 0)
		finding(f, UNKNOWN, "only root can try the sensor", "run `tyto doctor` as root");
	else if (sensor_pick(&ops, &why) == 0)
		snprintf(f->what, sizeof(f->what), "the %s backend runs on this kernel", ops->name);
	else
		finding(f, WRONG, why, "a kernel from 5.17 on with CONFIG_FANOTIFY_ACCESS_PERMISSIONS (Debian's has it)");
}

static void check_kernel(struct finding *f)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	snprintf(f->what, sizeof(f->what), "kernel %s", u.release);
	if (major < 6 || (major == 6 && minor < 5)) {
		f->verdict = WARN;
		snprintf(f->todo, sizeof(f->todo), "before 6.5, files read through an overlay mount are not seen: use Debian's linux-image-6.12-amd64");
	}
}

static void check_account(struct finding *f)
{
	struct account a;

	state_account(&a);
	if (a.named)
		finding(f, FINE, "the account `tyto` exists", "");
	else
		finding(f, WARN, "there is no account `tyto`: the keeper would run as uid 65534, which other services may share",
			"useradd --system --shell /usr/sbin/nologin tyto");
}

static void check_state(struct finding *f)
{
	struct account keeper;
	struct stat st;

	state_account(&keeper);
	if (stat(cli.state, &st) < 0) {
		snprintf(f->what, sizeof(f->what), "state directory %s: %s", cli.state, strerror(errno));
		f->verdict = errno == ENOENT ? FINE : WRONG;
		if (errno == ENOENT)
			snprintf(f->todo, sizeof(f->todo), "nothing: `tyto watch` and `tyto import` make it");
		return;
	}
	snprintf(f->what, sizeof(f->what), "state directory %s belongs to uid %u, mode %04o", cli.state, st.st_uid, st.st_mode & 07777);
	if (!S_ISDIR(st.st_mode)) {
		snprintf(f->what, sizeof(f->what), "%s is not a directory", cli.state);
		f->verdict = WRONG;
	} else if (geteuid() == 0 && st.st_uid != keeper.uid && st.st_uid != 0) {
		f->verdict = WRONG;
		snprintf(f->todo, sizeof(f->todo), "chown -R %u:%u %s", keeper.uid, keeper.gid, cli.state);
	} else if (st.st_mode & 077) {
		f->verdict = WRONG;
		snprintf(f->todo, sizeof(f->todo), "chmod 0700 %s", cli.state);
	}
}

/* The key that the next start needs. */
static void check_key(struct finding *f)
{
	_cleanup_close_ int keys = -1;
	struct note_key *key = NULL;
	struct stat state, st;
	const char *why = "";
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/keys", cli.state);
	keys = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (keys < 0 && errno == EACCES) {
		finding(f, UNKNOWN, "only root and the keeper's account can read the key", "run `tyto doctor` as root");
		return;
	}
	if (keys < 0 || stat(cli.state, &state) < 0) {
		finding(f, FINE, "no key yet", "");
		return;
	}
	if (fstatat(keys, "log.key", &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & 077)) {
		snprintf(f->what, sizeof(f->what), "%s/log.key has mode %04o", dir, st.st_mode & 07777);
		snprintf(f->todo, sizeof(f->todo), "chmod 0600 %s/log.key, then `tyto key rotate`: others could read the key", dir);
		f->verdict = WRONG;
	} else if (note_key_load(keys, "log.key", "doctor", &key, &why) < 0) {
		snprintf(f->what, sizeof(f->what), "%s/log.key: %s", dir, why);
		snprintf(f->todo, sizeof(f->todo), "bring it back from a backup: without it nothing more can be recorded in this state");
		f->verdict = WRONG;
	} else if (st.st_uid != state.st_uid) {
		snprintf(f->what, sizeof(f->what), "%s/log.key belongs to uid %u, the state to uid %u", dir, st.st_uid, state.st_uid);
		snprintf(f->todo, sizeof(f->todo), "chown %u:%u %s/log.key", state.st_uid, state.st_gid, dir);
		f->verdict = WRONG;
	} else {
		finding(f, FINE, "the key can be read by its owner alone", "");
	}
	note_key_free(key);
}

static void check_disk(struct finding *f)
{
	struct statvfs v;

	if (statvfs(cli.state, &v) < 0) {
		finding(f, FINE, "no state directory yet", "");
		return;
	}
	double free_gib = (double)v.f_bavail * (double)v.f_frsize / (1 << 30);

	snprintf(f->what, sizeof(f->what), "%.1f GiB free where the record is kept", free_gib);
	if ((uint64_t)v.f_bavail * v.f_frsize < cli.config.disk_reserve) {
		f->verdict = WRONG;
		snprintf(f->todo, sizeof(f->todo), "make room: below disk.reserve the index has stopped growing, and at zero the record does");
	}
}

static void check_clock(struct finding *f)
{
	if (clockwatch_state() == CLOCK_SYNCED)
		finding(f, FINE, "the clock is synchronised", "");
	else
		finding(f, WARN, "the kernel does not know the clock to be synchronised: times in the record are this machine's word",
			"run chrony or systemd-timesyncd");
}

static void check_log(struct finding *f)
{
	struct evidence_reader *r = NULL;
	struct evidence_stat st;
	struct index_stat ix = { 0 };
	bool there = !state_unused(cli.state);
	int e = there ? evidence_reader_open(cli.state, &r) : -ENOENT;

	if (e == 0)
		e = evidence_reader_stat(r, &st);
	evidence_reader_close(r);
	if (!there) {
		finding(f, FINE, "nothing has been recorded yet", "");
	} else if (e < 0) {
		snprintf(f->what, sizeof(f->what), "the record: %s", evidence_why());
		f->verdict = WRONG;
		snprintf(f->todo, sizeof(f->todo), e == -EUCLEAN ? "`tyto verify` tells where; keep a copy of the state directory before anything else" :
			e == -EACCES ? "run `tyto doctor` as root" : "name the right directory with --state");
		if (e == -EACCES)
			f->verdict = UNKNOWN;
	} else {
		index_stat(cli.state, &ix);
		snprintf(f->what, sizeof(f->what), "%llu record%s, %llu of %llu leaves indexed, %llu gap%s", (unsigned long long)st.records,
				st.records == 1 ? "" : "s",
			(unsigned long long)ix.indexed, (unsigned long long)st.size, (unsigned long long)st.gaps, st.gaps == 1 ? "" : "s");
		if (st.gaps) {
			f->verdict = WARN;
			snprintf(f->todo, sizeof(f->todo), "`tyto events --verb gap` says when nothing was recorded, and why");
		}
	}
}

/* Can `trace` find what was scanned? */
static void check_fingerprints(struct finding *f)
{
	struct documents *d = NULL;
	struct documents_stat st = { 0 };
	uint64_t missing = 0;
	int r = documents_open(cli.state, false, &d);

	if (r == 0)
		r = documents_stat(d, &st);
	if (r == 0)
		r = documents_unprinted(d, &missing);
	documents_close(d);
	if (r == -EACCES || !query_direct(cli.state)) {
		finding(f, UNKNOWN, "only root and the keeper's account can read the inventory", "run `tyto doctor` as root");
	} else if (r < 0 && r != -EUCLEAN) {
		finding(f, FINE, "no inventory yet", "");
	} else if (r < 0 || missing) {
		if (r < 0)
			snprintf(f->what, sizeof(f->what), "%s: `trace` does not find documents", documents_why());
		else
			snprintf(f->what, sizeof(f->what), "%llu documents have no fingerprints: `trace` does not find their text", (unsigned long long)missing);
		snprintf(f->todo, sizeof(f->todo), "scan again: `tyto scan PATH` makes them anew, and so does `tyto watch` when it starts");
		f->verdict = WARN;
	} else {
		snprintf(f->what, sizeof(f->what), "%llu document%s known, the text of %llu can be traced", (unsigned long long)st.documents,
			st.documents == 1 ? " is" : "s are", (unsigned long long)st.fingerprinted);
	}
}

/* What today's files say, and what a running keeper says of those in force. */
static void check_rules(struct finding *f)
{
	char *paths[CONFIG_PATHS_MAX];
	struct ruleset *set = NULL;
	struct sigma *engine = NULL;
	struct ruleset_counts c;
	json_t *request = json_pack("{s:s}", "do", "status"), *status = NULL, *rules;
	int r = ruleset_load(paths, config_rules(&cli.config, paths), &set);

	if (r == 0)
		r = ruleset_engine(set, &engine);
	rules = query_ask(cli.state, request, &status) == 0 ? json_object_get(status, "rules") : NULL;
	if (r < 0) {
		finding(f, WRONG, ruleset_why(), "name files or folders that the keeper's account can read (the setting `rules`)");
	} else {
		ruleset_count(engine, &c);
		snprintf(f->what, sizeof(f->what), "%zu of %zu detection rules run, %zu never fire here, %zu are not supported, %zu are broken",
			c.run, c.all, c.never, c.unsupported, c.broken);
		if (c.run == 0) {
			f->verdict = WARN;
			snprintf(f->todo, sizeof(f->todo), "nothing raises an alert: install the shipped rules, or name others (the setting `rules`)");
		} else if (c.broken) {
			f->verdict = WARN;
			snprintf(f->todo, sizeof(f->todo), "`tyto rules check` names each, with the line");
		}
	}
	if (json_is_true(json_object_get(rules, "failed"))) {
		f->verdict = WRONG;
		snprintf(f->todo, sizeof(f->todo), "detection has ended: the keeper's log says why; starting `tyto watch` again finds what was missed");
	} else if (json_integer_value(json_object_get(rules, "full"))) {
		f->verdict = WARN;
		snprintf(f->todo, sizeof(f->todo),
			"detection state was full %lld times: some counts began anew; shorter timespans or fewer groups need less",
			(long long)json_integer_value(json_object_get(rules, "full")));
	}
	json_decref(request);
	json_decref(status);
	sigma_free(engine);
	ruleset_free(set);
}

/* Units, leavers and peers are known by these rows alone. */
static void check_people(struct finding *f)
{
	struct evidence_reader *r = NULL;
	uint64_t size = 0, rows = 0;
	int e = state_unused(cli.state) ? -ENOENT : evidence_reader_open(cli.state, &r);

	if (e == 0)
		e = evidence_reader_refresh(r, &size);
	if (e == 0)
		rows = names_count(evidence_reader_names(r), NAME_ROW);
	evidence_reader_close(r);
	if (e == -EACCES) {
		finding(f, UNKNOWN, "only root and the keeper's account can read who is known", "run `tyto doctor` as root");
	} else if (e < 0) {
		finding(f, FINE, "nothing has been recorded yet", "");
	} else if (rows == 0) {
		finding(f, WARN, "no people are known: alerts cannot compare with a person's unit, and nobody is known to leave",
			"tyto people import FILE (CSV or JSON Lines)");
	} else {
		snprintf(f->what, sizeof(f->what), "%llu rows about people are known", (unsigned long long)rows);
	}
}

static void check_keeper(struct finding *f)
{
	int fd = query_connect(cli.state);

	if (fd >= 0) {
		finding(f, FINE, "a keeper answers: `tyto watch` runs", "");
		close(fd);
	} else {
		finding(f, WARN, "no `tyto watch` runs on this state: nothing is being recorded", "tyto watch PATH");
	}
}

/* Does anybody hear of alerts? */
static void check_notify(struct finding *f)
{
	_cleanup_notify_ways_ struct notify_ways ways = { 0 };
	bool any = notify_any(&cli.config.notify);
	struct outbox_stat st = { 0 };
	const char *why = "";
	int r = outbox_stat(cli.state, &st);

	if (notify_ways_make(&cli.config.notify, any && geteuid() == 0, &ways, &why) < 0) {
		finding(f, WRONG, why, "mend the setting: nobody is told of alerts (`tyto config show`)");
	} else if (r == 0 && st.dead) {
		snprintf(f->what, sizeof(f->what), "%llu messages about alerts could not be sent and are given up", (unsigned long long)st.dead);
		snprintf(f->todo, sizeof(f->todo), "`tyto notify dead` says why; then `tyto notify retry --all`");
		f->verdict = WARN;
	} else if (!any) {
		finding(f, FINE, "nobody is told of alerts: none of notify.mail, notify.webhook and notify.syslog is set", "");
	} else if (r == 0 && st.waiting && st.answer[0]) {
		snprintf(f->what, sizeof(f->what), "%llu messages about alerts wait; the last answer: %s", (unsigned long long)st.waiting, st.answer);
		snprintf(f->todo, sizeof(f->todo), "`tyto notify test` tries every way");
		f->verdict = WARN;
	} else if (geteuid() == 0 && !outbox_locked(cli.state)) {
		finding(f, WARN, "nobody tells of alerts just now", "`tyto watch` or `tyto notify run` does");
	} else {
		snprintf(f->what, sizeof(f->what), "alerts are told by %zu way%s, %llu messages so far", ways.n, ways.n == 1 ? "" : "s",
				(unsigned long long)st.sent);
	}
}

static const struct {
	const char *name;
	void (*check)(struct finding *f);
} checks[] = {
	{ "root", check_root }, { "sensor", check_sensor }, { "kernel", check_kernel }, { "account", check_account }, { "state", check_state },
	{ "key", check_key }, { "disk", check_disk }, { "clock", check_clock }, { "record", check_log }, { "trace", check_fingerprints },
	{ "rules", check_rules }, { "people", check_people }, { "keeper", check_keeper }, { "notify", check_notify },
};

static const char *const verdict_names[] = { "ok", "warning", "wrong", "unknown" };

#define WHAT_AT 18 /* column: verdict and name come before */

static void put(const char *name, const struct finding *f)
{
	if (cli.json) {
		json_obj_begin(out());
		json_put_str(out(), "check", str_c(name));
		json_put_str(out(), "verdict", str_c(verdict_names[f->verdict]));
		json_put_str(out(), "what", str_c(f->what));
		if (f->todo[0])
			json_put_str(out(), "todo", str_c(f->todo));
		json_obj_end(out());
		buf_putc(out(), '\n');
		return;
	}
	buf_putf(out(), "%-8s %-8s ", verdict_names[f->verdict], name);
	term_prose(str_c(f->what), WHAT_AT, WHAT_AT);
	buf_putc(out(), '\n');
	if (f->todo[0] && f->verdict != FINE) {
		term_spaces(WHAT_AT);
		buf_puts(out(), STR("→ "));
		term_prose(str_c(f->todo), WHAT_AT + 2, WHAT_AT + 2);
		buf_putc(out(), '\n');
	}
}

static int run(int argc, char **argv)
{
	bool wrong = false;

	if (argc > 0)
		return usage_error("`tyto doctor` takes no arguments");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct finding f = { FINE };

		checks[i].check(&f);
		put(checks[i].name, &f);
		wrong |= f.verdict == WRONG;
	}
	return wrong ? EXIT_FAILED : EXIT_DONE;
}

const struct command cmd_doctor = {
	.name = "doctor", .args = "", .summary = "what is wrong, and what to do",
	.examples = "  tyto doctor          every check with its verdict; exit status 1 when something is wrong\n",
	.run = run,
};
