/* tyto decoy: documents that nobody has a reason to open; whoever does is told. */
#include <errno.h>
#include <jansson.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/decoy_plant.h"
#include "cli/writer.h"
#include "daemon/query.h"
#include "daemon/state.h"

#define OF_DOCUMENTS 50 /* one decoy for so many documents, */
#define LEAST 3
#define MOST 200        /* unless another number is asked for */

static bool all;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "all", 0, OPT_FLAG, &all, NULL, "remove: all of them" },
		OPT_END,
	};
	return o;
}

/* What stands in the log, read with the caller's rights; a state that is not there has none. */
static int load(struct decoys **ret)
{
	struct evidence_reader *r = NULL;
	uint64_t size;
	int e;

	if (state_unused(cli.state)) {
		*ret = decoys_new();
		return *ret ? 0 : -ENOMEM;
	}
	e = evidence_reader_open(cli.state, &r);
	if (e == 0)
		e = evidence_reader_refresh(r, &size);
	if (e == 0)
		e = decoys_load(cli.state, r, size, ret);
	evidence_reader_close(r);
	if (e < 0)
		log_error("%s: %s", cli.state, *evidence_why() ? evidence_why() : strerror(-e));
	return e;
}

/* --- settings into the log --- */

struct settings {
	struct buf v[DECOYS_MAX];
	size_t n;
};

static void settings_free(struct settings *s)
{
	for (size_t i = 0; s && i < s->n; i++)
		buf_free(&s->v[i]);
	free(s);
}

static int ask_keeper(struct settings *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0; i++) {
		json_t *request = buf_cstr(&s->v[i]) ? json_pack("{s:s,s:s}", "do", "config", "setting", s->v[i].p) : NULL;

		r = request ? query_ask(cli.state, request, NULL) : -EINVAL;
		json_decref(request);
		if (r < 0 && r != -ENOENT)
			log_error("%s", query_why());
	}
	return r;
}

static int append_alone(const struct settings *s)
{
	struct evidence *e = NULL;
	uint64_t seq;
	int r = writer_enter(true);

	if (r == 0)
		r = writer_open(true, &e);
	for (size_t i = 0; i < s->n && r == 0; i++)
		r = evidence_append_config(e, time_now(), buf_str(&s->v[i]), &seq);
	if (r == 0)
		r = evidence_commit(e);
	if (r < 0)
		log_error("%s", evidence_why());
	evidence_close(e);
	return r;
}

/* In a process of its own: who writes the log gives up root for good, and root is still wanted here. */
static int record(struct settings *s)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int r = ask_keeper(s);

		if (r == -ENOENT)
			r = append_alone(s);
		_exit(r < 0 ? 1 : 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* --- planting --- */

static void put_one(const struct decoy *c, const char *state)
{
	if (!cli.json) {
		if (state) {
			char when[TIME_TEXT_MAX];

			time_format_local(c->planted, when);
			buf_putf(out(), "%s  %-8s  ", when, state);
		}
		buf_put_visible(out(), str_c(c->path));
		buf_putc(out(), '\n');
		return;
	}
	json_obj_begin(out());
	json_put_str(out(), "path", str_c(c->path));
	json_key(out(), "document");
	buf_puts(out(), STR("\"sha256:"));
	for (size_t i = 0; i < sizeof(c->document); i++)
		buf_putf(out(), "%02x", c->document[i]);
	buf_putc(out(), '"');
	json_put_u64(out(), "bytes", c->bytes);
	json_put_time(out(), "planted", c->planted);
	if (state)
		json_put_str(out(), "state", str_c(state));
	json_obj_end(out());
	buf_putc(out(), '\n');
}

static int write_all(const char *dir, const struct decoy_share *s, const struct decoy_plan *plans, size_t n, struct decoy *made,
	size_t *ret_made)
{
	size_t k = 0;

	for (size_t i = 0; i < n && !interrupted(); i++) {
		int r = plant_write(dir, s, &plans[i], &made[k]);

		if (r == -ENOENT && k == 0 && i == 0)
			log_error("libarchive.so.13 cannot be loaded: no documents of docx, xlsx and odt");
		else if (r < 0)
			log_error("%s/%s: %s", dir, s->folders[plans[i].folder], strerror(-r));
		k += r == 0;
	}
	*ret_made = k;
	return interrupted() ? -EINTR : k ? 0 : -EIO;
}

static int record_planted(const struct decoy *made, size_t n)
{
	struct settings *s = calloc(1, sizeof(*s));
	int r = s ? 0 : -ENOMEM;

	for (; s && s->n < n; s->n++)
		decoy_put_planted(&s->v[s->n], &made[s->n]);
	if (r == 0)
		r = record(s);
	settings_free(s);
	return r;
}

static int plant_planned(const char *dir, const struct decoy_share *s, const struct decoy_plan *plans, size_t n)
{
	struct decoy *made = calloc(n, sizeof(*made));
	size_t k = 0;
	int r = made ? write_all(dir, s, plans, n, made, &k) : -ENOMEM;

	if (r == 0)
		r = record_planted(made, k);
	for (size_t i = 0; i < k; i++) {
		if (r < 0)
			plant_remove(&made[i]);
		else
			put_one(&made[i], NULL);
		free(made[i].path);
	}
	free(made);
	if (r == 0)
		log_info("%zu decoys; they are known to root and the state's owner alone (`tyto decoy list`)", k);
	return r;
}

static int plant(const char *given)
{
	_cleanup_decoys_ struct decoys *d = NULL;
	_cleanup_free_ char *dir = realpath(given, NULL), *state = realpath(cli.state, NULL);
	struct decoy_share s = { 0 };
	struct decoy_plan *plans = NULL;
	uint64_t unread = 0;
	size_t n;
	int r;

	if (!dir) {
		log_error("%s: %s", given, strerror(errno));
		return -ENOENT;
	}
	r = load(&d);
	if (r == 0)
		r = plant_look(dir, d, state ? state : "", &s, &unread);
	if (r < 0 && r != -EINTR && d)
		log_error("%s: %s", dir, strerror(-r));
	n = cli.limit ? (size_t)cli.limit : MIN((size_t)MOST, MAX((size_t)LEAST, s.n / OF_DOCUMENTS));
	if (r == 0 && decoys_standing(d) + n > DECOYS_MAX) {
		log_error("%zu decoys stand; at most %d", decoys_standing(d), DECOYS_MAX);
		r = -E2BIG;
	}
	if (r == 0) {
		r = decoy_plan(&s, n, time_now(), &plans);
		if (r == -ENOENT)
			log_error("%s: no document there that could be imitated: expected some of txt, md, log, csv, html, rtf, docx, xlsx, odt, pdf", dir);
		else if (r < 0)
			log_error("%s: %s", dir, strerror(-r));
	}
	if (unread)
		log_error("%llu folders could not be read", (unsigned long long)unread);
	if (r > 0) {
		n = (size_t)r;
		if (s.others)
			log_info("%llu documents of other formats, empty or larger than 8 MiB are not imitated", (unsigned long long)s.others);
		r = plant_planned(dir, &s, plans, n);
		decoy_plans_free(plans, n);
	}
	decoy_share_free(&s);
	return r;
}

/* --- list and remove --- */

static int list(void)
{
	static const char *const states[] = { [PLANT_THERE] = "there", [PLANT_CHANGED] = "changed", [PLANT_MISSING] = "missing",
		[PLANT_UNKNOWN] = "unknown" };
	_cleanup_decoys_ struct decoys *d = NULL;
	int r = load(&d);

	for (size_t i = 0; r == 0 && i < decoys_count(d); i++)
		if (decoys_at(d, i)->removed_seq == UINT64_MAX)
			put_one(decoys_at(d, i), states[plant_state(decoys_at(d, i))]);
	return r;
}

/* Only what is still the decoy is taken away; the record says that it is none any more in every case. */
static int remove_one(const struct decoy *c, struct settings *s)
{
	enum plant_state state = plant_state(c);
	int r = state == PLANT_THERE ? plant_remove(c) : 0;

	if (r < 0 || state == PLANT_UNKNOWN) {
		log_error("%s: %s", c->path, r < 0 ? strerror(-r) : "cannot be read");
		return -EACCES;
	}
	if (state == PLANT_CHANGED)
		log_info("%s is not what was planted: it stays, and is no decoy any more", c->path);
	decoy_put_removed(&s->v[s->n++], c);
	return 0;
}

static int remove_some(const char *given)
{
	_cleanup_decoys_ struct decoys *d = NULL;
	_cleanup_free_ char *path = given ? realpath(given, NULL) : NULL;
	struct settings *s = calloc(1, sizeof(*s));
	size_t failed = 0;
	int r = s ? load(&d) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < decoys_count(d); i++) {
		const struct decoy *c = decoys_at(d, i);

		if (c->removed_seq == UINT64_MAX && (!given || strcmp(c->path, path ? path : given) == 0))
			failed += remove_one(c, s) < 0;
	}
	if (r == 0 && given && s->n + failed == 0) {
		log_error("%s is no decoy (`tyto decoy list`)", given);
		r = -ENOENT;
	}
	if (r == 0 && s->n)
		r = record(s);
	if (r == 0)
		log_info("%zu removed", s->n);
	settings_free(s);
	return r < 0 ? r : failed ? -EACCES : 0;
}

static int run(int argc, char **argv)
{
	bool listing = argc == 1 && strcmp(argv[0], "list") == 0, removing = argc >= 1 && strcmp(argv[0], "remove") == 0;
	int r;

	if (removing ? (argc == 2) == all || argc > 2 : argc != 1)
		return usage_error("`tyto decoy`: expected DIR, list, or remove PATH or --all");
	if (cli.limit > DECOYS_MAX)
		return usage_error("`tyto decoy -n %llu`: at most %d", (unsigned long long)cli.limit, DECOYS_MAX);
	r = listing ? list() : removing ? remove_some(argc == 2 ? argv[1] : NULL) : plant(argv[0]);
	return r < 0 ? exit_status(r) : EXIT_DONE;
}

const struct command cmd_decoy = {
	.name = "decoy", .args = "DIR | list | remove PATH | remove --all", .summary = "plant documents that nobody has a reason to open",
	.examples = "  tyto decoy /srv/share             one for fifty documents, at least 3\n"
		    "  tyto decoy /srv/share -n 20       so many\n"
		    "  tyto decoy list                   where they stand, and whether they still do\n"
		    "  tyto decoy remove --all           away with them\n",
	.notes = "Formats, sizes, dates, names, owners and modes follow those of the documents in DIR; what stands in them is made of generic\n"
		 "words. Any access to one, by whatever name it stands, and to a copy of it that a scan has seen, is an alert of severity high\n"
		 "that no budget holds back and nobody can declare expected. The accounts in the setting decoy.excused (backup, antivirus, index)\n"
		 "are excused, and Tyto's own reading. Where decoys stand is known to root and the state's owner alone; planting and removing are\n"
		 "records. (A folder named list or remove: ./list)\n",
	.options = options, .run = run, .needs_args = true,
};
