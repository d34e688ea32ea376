/* tyto scan: take inventory. The walker keeps the caller's rights; everything that looks into documents has none. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/scantools.h"
#include "cli/show.h"
#include "daemon/filing.h"
#include "daemon/state.h"
#include "document/inventory.h"
#include "event/event.h"

#define NAMED_MAX 1000 /* unreadable ones that are named without -v; all of them are in --json */

static const char *ocr, *client_file;
static bool again;
static struct opt_list public_list, private_list;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "ocr", 0, OPT_TEXT, &ocr, "WHEN", "read pictures now (the default at a terminal, last of all), later or never" },
		{ "client-list", 0, OPT_TEXT, &client_file, "FILE",
		"clients of the company, one a line or CSV: counted in each document; neither list nor text is kept" },
		{ "again", 0, OPT_FLAG, &again, NULL, "read unchanged documents, too" },
		{ "public", 0, OPT_LIST, &public_list, "DIR",
		"what is below it is of outside origin (laws, forms, templates): no evidence of a leak. Scanned, too" },
		{ "not-public", 0, OPT_LIST, &private_list, "DIR", "takes that back" },
		OPT_END,
	};
	return o;
}

struct id_name { /* a small cache: owners are few */
	uint32_t id;
	bool known;
	char name[64];
};
#define ID_NAMES 256

struct scan {
	struct filing *filing;
	struct walk *walk;
	struct inventory_counts counts;
	struct buf owner, group;
	struct id_name users[ID_NAMES], groups[ID_NAMES];
	uint64_t labels[LABEL_MAX_], findings[DET_MAX_];
	uint64_t documents, contacts, clients, unreadable, named;
	int64_t started, last_progress;
	bool progress, shown;
};

/* --- names of accounts --- */

static str user_name(struct scan *s, uint32_t id)
{
	struct id_name *n = &s->users[id % ID_NAMES];
	struct passwd pw, *found = NULL;
	char tmp[4096];

	if (!n->known || n->id != id) {
		*n = (struct id_name){ .id = id, .known = true };
		if (getpwuid_r(id, &pw, tmp, sizeof(tmp), &found) == 0 && found)
			snprintf(n->name, sizeof(n->name), "%s", pw.pw_name);
	}
	return str_c(n->name);
}

static str group_name(struct scan *s, uint32_t id)
{
	struct id_name *n = &s->groups[id % ID_NAMES];
	struct group g, *found = NULL;
	char tmp[8192];

	if (!n->known || n->id != id) {
		*n = (struct id_name){ .id = id, .known = true };
		if (getgrgid_r(id, &g, tmp, sizeof(tmp), &found) == 0 && found)
			snprintf(n->name, sizeof(n->name), "%s", g.gr_name);
	}
	return str_c(n->name);
}

/* --- progress --- */

static void progress_wipe(struct scan *s)
{
	if (s->shown)
		fputs("\r\033[K", stderr);
	s->shown = false;
}

static void time_left(char *out, size_t n, double seconds)
{
	if (seconds < 90)
		snprintf(out, n, "%.0f s left", seconds);
	else if (seconds < 5400)
		snprintf(out, n, "%.0f min left", seconds / 60);
	else
		snprintf(out, n, "%.1f h left", seconds / 3600);
}

static void progress_files(struct scan *s, const struct inventory_counts *c, double seconds)
{
	struct walk_totals t = walk_totals(s->walk);
	/* A file costs as much as some thousand bytes. */
	double done = (double)c->files * 20000 + (double)c->bytes, all = (double)t.files * 20000 + (double)t.bytes;
	char left[32] = "counting";

	if (t.complete && done > 0 && seconds > 1)
		time_left(left, sizeof(left), seconds * MAX(all - done, 0.0) / done);
	fprintf(stderr, "\r%llu of %llu files%s, %.0f files/s, %.1f MB/s, %s\033[K", (unsigned long long)c->files,
			(unsigned long long)MAX(t.files, c->files),
		t.complete ? "" : " so far", (double)c->files / seconds, (double)c->bytes / 1e6 / seconds, left);
}

static void progress(struct scan *s, const struct inventory_counts *c)
{
	static int64_t pictures_since;
	int64_t now = time_boottime();
	double seconds;

	if (!s->progress || now - s->last_progress < NSEC_PER_SEC / 5)
		return;
	s->last_progress = now;
	s->shown = true;
	seconds = (double)(now - s->started) / NSEC_PER_SEC;
	if (c->pictures_done == 0)
		pictures_since = now;
	if (c->pictures && (c->pictures_done || c->files >= walk_totals(s->walk).files)) {
		double each = c->pictures_done ? (double)(now - pictures_since) / NSEC_PER_SEC / (double)c->pictures_done : 0;
		char left[32] = "";

		if (each > 0)
			time_left(left, sizeof(left), each * (double)(c->pictures - MIN(c->pictures, c->pictures_done)));
		fprintf(stderr, "\rreading pictures: %llu of %llu%s%s\033[K", (unsigned long long)c->pictures_done, (unsigned long long)c->pictures,
				*left ? ", " : "", left);
		return;
	}
	progress_files(s, c, MAX(seconds, 0.001));
}

/* --- results as they come --- */

static void name_unreadable(struct scan *s, str path, str error)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	s->unreadable++;
	if (s->named >= NAMED_MAX && !cli.verbose)
		return;
	s->named++;
	progress_wipe(s);
	buf_put_visible(&line, path);
	buf_puts(&line, STR(": "));
	buf_put_visible(&line, error);
	if (buf_cstr(&line))
		log_error("%s", line.p);
}

static int show(void *arg, enum inventory_how how, const struct place *p, const struct facts *f)
{
	struct scan *s = arg;
	str error = p->error.n ? p->error : f ? f->error : STR_NONE;

	if (how != INVENTORY_GONE && error.n)
		name_unreadable(s, p->path, error);
	if (f && (how == INVENTORY_UNCHANGED || how == INVENTORY_READ || how == INVENTORY_MOVED)) {
		s->documents++;
		s->labels[f->label]++;
		for (unsigned d = 1; d < DET_MAX_; d++)
			s->findings[d] += f->findings[d];
		s->contacts += f->contacts;
		s->clients += f->clients;
	}
	if (f && (how == INVENTORY_UNCHANGED || how == INVENTORY_READ || how == INVENTORY_MOVED) && filing_known(s->filing, p, f) < 0)
		return -EIO;
	if (!cli.json)
		return 0;
	facts_write_json(out(), p, f, p->has_stat ? user_name(s, p->owner) : STR_NONE, p->has_stat ? group_name(s, p->group) : STR_NONE);
	buf_putc(out(), '\n');
	return out()->n >= 64 * 1024 ? stdout_flush() : 0;
}

static int record_document(void *arg, const struct facts *f)
{
	return filing_document(((struct scan *)arg)->filing, f);
}

static int record_place(void *arg, const struct place *p)
{
	return filing_place(((struct scan *)arg)->filing, p);
}

static int turn(void *arg, const struct inventory_counts *c)
{
	struct scan *s = arg;

	/* Killed, a scan reads at most one document in a hundred again. */
	uint64_t total = walk_totals(s->walk).files;

	progress(s, c);
	return filing_turn(s->filing, MAX(8ULL, total / 200));
}

static const struct inventory_ops ops = { .document = record_document, .place = record_place, .show = show, .turn = turn };

/* --- the end --- */

static void count_line(uint64_t n, const char *one, const char *many)
{
	show_number(n);
	buf_putf(out(), " %s", n == 1 ? one : many);
}

static void summary_labels(const struct scan *s)
{
	bool any = false;

	buf_puts(out(), STR("labels      "));
	for (unsigned l = LABEL_MAX_ - 1; l > 0; l--) {
		if (!s->labels[l])
			continue;
		buf_puts(out(), any ? STR(", ") : STR(""));
		show_number(s->labels[l]);
		buf_putf(out(), " %s", event_label_name((enum event_label)l));
		any = true;
	}
	buf_puts(out(), any ? STR(", ") : STR(""));
	show_number(s->labels[0]);
	buf_puts(out(), STR(" without\n"));
}

static void summary_findings(const struct scan *s)
{
	bool any = false;

	for (unsigned d = 1; d < DET_MAX_; d++) {
		if (!s->findings[d])
			continue;
		buf_puts(out(), any ? STR(", ") : STR("findings    "));
		show_number(s->findings[d]);
		buf_putf(out(), " %s", detector_name((enum detector)d));
		any = true;
	}
	if (any)
		buf_putc(out(), '\n');
	if (s->contacts) {
		buf_puts(out(), STR("contacts    "));
		show_number(s->contacts);
		buf_puts(out(), STR(", summed over documents"));
		if (s->clients) {
			buf_puts(out(), STR("; clients of the list "));
			show_number(s->clients);
		}
		buf_putc(out(), '\n');
	}
}

static void summary(const struct scan *s)
{
	const struct inventory_counts *c = &s->counts;

	buf_puts(out(), STR("documents   "));
	show_number(s->documents);
	buf_puts(out(), STR(": "));
	show_number(c->read);
	buf_puts(out(), STR(" read, "));
	show_number(c->unchanged + c->moved);
	buf_puts(out(), STR(" unchanged"));
	if (c->gone) {
		buf_puts(out(), STR(", "));
		show_number(c->gone);
		buf_puts(out(), STR(" gone"));
	}
	if (c->parts) {
		buf_puts(out(), STR("; "));
		count_line(c->parts, "part of containers", "parts of containers");
	}
	buf_putc(out(), '\n');
	summary_labels(s);
	summary_findings(s);
	if (c->waiting_ocr) {
		buf_puts(out(), STR("pictures    "));
		show_number(c->waiting_ocr);
		buf_puts(out(), STR(" documents wait for their pictures to be read (`tyto scan --ocr now` does it)\n"));
	}
	if (c->printed) {
		buf_puts(out(), STR("trace       "));
		count_line(c->printed, "document was", "documents were");
		buf_puts(out(), STR(" read again to make fingerprints\n"));
	}
	if (c->public_ || c->not_public) {
		buf_puts(out(), STR("public      "));
		show_number(c->public_);
		buf_puts(out(), STR(" marked as of outside origin"));
		if (c->not_public) {
			buf_puts(out(), STR(", "));
			show_number(c->not_public);
			buf_puts(out(), STR(" taken back"));
		}
		buf_putc(out(), '\n');
	}
	if (s->unreadable) {
		buf_puts(out(), STR("unreadable  "));
		show_number(s->unreadable);
		buf_puts(out(), s->unreadable > s->named ? STR(" (the first of them named above; -v names all)\n") : STR(", each named above\n"));
	}
}

/* --- the beginning --- */

static bool ocr_mode(enum ocr_mode *ret)
{
	static const struct { const char *name; enum ocr_mode mode; } modes[] =
		{ { "now", OCR_NOW }, { "later", OCR_LATER }, { "never", OCR_NEVER } };

	*ret = isatty(STDERR_FILENO) ? OCR_NOW : OCR_LATER;
	for (size_t i = 0; ocr && i < ARRAY_SIZE(modes); i++)
		if (strcmp(ocr, modes[i].name) == 0) {
			*ret = modes[i].mode;
			return true;
		}
	return !ocr;
}

static bool below(const char *path, const char *above)
{
	size_t n = strlen(above);

	return strncmp(path, above, n) == 0 && (path[n] == '/' || path[n] == '\0' || n == 1);
}

/* Real paths; one below another would be read twice, and is left out. */
static size_t real_paths(int n, char **given, char **ret, bool *ret_failed)
{
	size_t k = 0;

	for (int i = 0; i < n; i++) {
		char *real = realpath(given[i], NULL);
		bool twice = false;

		if (!real) {
			log_error("%s: %s", given[i], strerror(errno));
			*ret_failed = true;
			continue;
		}
		for (size_t j = 0; j < k && !twice; j++)
			twice = below(real, ret[j]);
		if (twice) {
			free(real);
			continue;
		}
		for (size_t j = 0; j < k; j++) {
			if (below(ret[j], real)) {
				free(ret[j]);
				memmove(&ret[j], &ret[j + 1], (k - j - 1) * sizeof(*ret));
				k--;
				j--;
			}
		}
		ret[k++] = real;
	}
	return k;
}

struct roots { /* real paths; what is marked is scanned, too */
	char **paths, **public_paths, **private_paths;
	size_t n;
};

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		free(list[i]);
	free(list);
}

static void roots_free(struct roots *r)
{
	free_list(r->paths, r->n);
	free_list(r->public_paths, public_list.n);
	free_list(r->private_paths, private_list.n);
}

/* Each of them must be there: a mark that is set on nothing would be missed later. */
static int real_list(const struct opt_list *list, char ***ret)
{
	*ret = calloc(list->n + 1, sizeof(**ret));
	for (size_t i = 0; *ret && i < list->n; i++) {
		(*ret)[i] = realpath(list->v[i], NULL);
		if (!(*ret)[i]) {
			log_error("%s: %s", list->v[i], strerror(errno));
			return -errno;
		}
	}
	return *ret ? 0 : -ENOMEM;
}

static int roots_find(struct roots *ret, int n, char **given, bool *ret_failed)
{
	size_t all = (size_t)n + public_list.n + private_list.n;
	_cleanup_free_ char **list = calloc(all + 1, sizeof(*list));
	int r = real_list(&public_list, &ret->public_paths);

	if (r == 0)
		r = real_list(&private_list, &ret->private_paths);
	ret->paths = calloc(all + 1, sizeof(*ret->paths));
	if (r < 0 || !list || !ret->paths)
		return r < 0 ? r : -ENOMEM;
	for (size_t i = 0; i < all; i++)
		list[i] = i < (size_t)n ? given[i] : i < (size_t)n + public_list.n ? ret->public_paths[i - (size_t)n] :
			ret->private_paths[i - (size_t)n - public_list.n];
	ret->n = real_paths((int)all, list, ret->paths, ret_failed);
	return 0;
}

static unsigned cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

struct tools {
	struct client_list *clients;
	struct classifier *classifier;
};

static int scan_all(struct scan *s, const struct roots *roots, const struct tools *t, enum ocr_mode mode)
{
	struct inventory_config c = { .walk = s->walk, .paths = roots->paths, .n_paths = roots->n, .documents = filing_documents(s->filing),
		.prints = filing_prints(s->filing), .classifier = t->classifier, .public_paths = roots->public_paths, .n_public = public_list.n,
		.private_paths = roots->private_paths, .n_private = private_list.n,
		.ocr = mode, .threads = cores(), .again = again || client_file, .parts = cli.json, .stop = interrupted, .ops = &ops, .arg = s };
	int r, e;

	if (prints_lost(c.prints))
		log_error("fingerprints were damaged: they are made anew");
	s->started = time_boottime();
	s->progress = isatty(STDERR_FILENO) && !cli.quiet;
	r = inventory_run(&c, &s->counts);
	progress_wipe(s);
	if (documents_identifiers_lost(c.documents))
		log_error("identifiers were damaged: they are made anew");
	/* What was found before an interruption stays. */
	if (r < 0 && r != -EINTR && r != -EPIPE)
		log_error("%s", *filing_why() ? filing_why() : inventory_why());
	e = filing_close(s->filing);
	s->filing = NULL;
	if (e < 0 && (r == 0 || r == -EINTR)) {
		log_error("%s", filing_why());
		r = e;
	}
	return r;
}

static int finish(struct scan *s, int r, bool failed)
{
	if (r == -EINTR) {
		log_info("interrupted: what was read so far is recorded, and is not read again");
		return EXIT_INTERRUPTED;
	}
	if (r < 0)
		return r == -EUCLEAN ? EXIT_DAMAGED : EXIT_FAILED;
	if (!cli.json && !cli.quiet)
		summary(s);
	return failed || s->unreadable ? EXIT_PARTLY : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static struct scan s;
	_cleanup_close_ int client_fd = -1;
	struct roots roots = { 0 };
	struct tools t = { 0 };
	struct account owner;
	const char *why = "";
	char state[PATH_MAX];
	enum ocr_mode mode;
	bool failed = false;
	int r;

	if (!ocr_mode(&mode))
		return usage_error("--ocr %s: expected now, later or never", ocr);
	if ((size_t)argc + public_list.n + private_list.n > WALK_PATHS_MAX)
		return usage_error("at most %d paths", WALK_PATHS_MAX);
	if ((size_t)argc + public_list.n + private_list.n == 0)
		return usage_error("`tyto scan` needs PATH…");
	if (client_file && (client_fd = open(client_file, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0) {
		log_error("%s: %s", client_file, strerror(errno));
		return EXIT_FAILED;
	}
	r = roots_find(&roots, argc, argv, &failed);
	if (r < 0 || roots.n == 0)
		return r < 0 ? EXIT_FAILED : EXIT_PARTLY;
	if (state_prepare(cli.state, true, &owner, &why) < 0) {
		log_error("%s", why);
		return EXIT_FAILED;
	}
	/* The walker is begun with our rights; behind filing_open we have none but the keeper's account's. */
	r = walk_start(roots.paths, roots.n, realpath(cli.state, state) ? state : NULL, true, &s.walk);
	if (r < 0)
		log_error("the walk cannot be begun: %s", strerror(-r));
	if (r == 0) {
		r = filing_open(cli.state, cli.config.disk_reserve, false, &s.filing);
		if (r < 0)
			log_error("%s", filing_why());
	}
	if (r == 0) {
		r = scantools_new(cli.state, &cli.config, client_fd, client_file, &t.clients, &t.classifier);
		if (r == 0)
			r = scan_all(&s, &roots, &t, mode);
		else
			filing_close(s.filing);
	}
	walk_end(s.walk);
	classifier_free(t.classifier);
	client_list_free(t.clients);
	roots_free(&roots);
	return finish(&s, r, failed);
}

const struct command cmd_scan = {
	.name = "scan", .args = "PATH…", .summary = "take inventory: what every document is, says, and how sensitive it is",
	.examples = "  tyto scan /srv/share                            what has changed since the last time is read\n"
		    "  tyto scan --json /srv/share | jq .path          every document below, one a line\n"
		    "  tyto scan --client-list clients.csv /srv/share  how many of the company's clients each document holds\n"
		    "  tyto scan --public /srv/share/forms /srv/share  the forms came from outside: who has them proves nothing\n",
	.notes = "Nothing of a document's text is kept but counts and keyed fingerprints. Stopped in the middle, it goes on where it was.\n"
		 "A document marked by --public stays marked, wherever else it stands, until --not-public names a place of it.\n"
		 "What cannot be read is named (exit status 3). Symbolic links are not followed. Beside a running `tyto watch` the keeper takes what is "
		 "found.\n",
	.options = options, .run = run,
};
