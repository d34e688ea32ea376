/* tyto import: records made elsewhere, through the same evidence and index as live ones. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/peoplefile.h"
#include "daemon/importer.h"
#include "sensor/import.h"

static const char *people, *format;
static bool again, resume;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "people", 0, OPT_TEXT, &people, "FILE", "who works where (CSV or JSON Lines): imported first; aliases join accounts" },
		{ "format", 0, OPT_TEXT, &format, "NAME", "tyto (told by content without it)" },
		{ "again", 0, OPT_FLAG, &again, NULL, "also a FILE that was imported already" },
		{ "resume", 0, OPT_FLAG, &resume, NULL, "go on with an import of these FILEs that was stopped: what stands is not recorded twice" },
		OPT_END,
	};
	return o;
}

struct source {
	const char *name;
	int fd;
	bool seekable, added;
	uint64_t bytes;
	uint8_t digest[32];
	uint64_t bad; /* lines refused */
};

/* A file of another kind would bury everything else that is said. */
#define NAMED_MAX 100

struct sources {
	struct source *v;
	int n;
};

static bool unreadable; /* an input that could not be taken whole: exit 3 */

static bool named_already(struct sources *all, const char *file)
{
	for (int i = 0; i < all->n; i++)
		if (strcmp(all->v[i].name, file) == 0)
			return ++all->v[i].bad > NAMED_MAX && !cli.verbose;
	return false;
}

static void complain(void *arg, const char *file, uint64_t line, size_t byte, const char *expect)
{
	unreadable = true;
	if (line && named_already(arg, file))
		return;
	if (line == 0)
		log_error("%s: expected %s", file, expect);
	else if (byte == SIZE_MAX)
		log_error("%s, line %llu: expected %s", file, (unsigned long long)line, expect);
	else
		log_error("%s, line %llu, byte %zu: expected %s", file, (unsigned long long)line, byte, expect);
}

static void complain_rest(const struct sources *all)
{
	for (int i = 0; i < all->n && !cli.verbose; i++)
		if (all->v[i].bad > NAMED_MAX)
			log_error("%s: %llu more lines could not be read (-v names each)", all->v[i].name, (unsigned long long)all->v[i].bad - NAMED_MAX);
}

static int digest_file(struct source *s)
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();
	char chunk[65536];
	ssize_t n;

	if (!h)
		return -ENOMEM;
	sha256_init(h);
	while ((n = read(s->fd, chunk, sizeof(chunk))) > 0)
		sha256_update(h, chunk, (size_t)n);
	if (n < 0 || lseek(s->fd, 0, SEEK_SET) < 0)
		return -errno;
	sha256_final(h, s->digest);
	return 0;
}

/* Opened before we give up root, so that root's files can be imported. */
static int open_source(const char *name, struct source *s)
{
	struct stat st;
	int r = 0;

	*s = (struct source){ .name = name };
	s->fd = strcmp(name, "-") == 0 ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else if (S_ISREG(st.st_mode) && strcmp(name, "-") != 0) {
		s->seekable = true;
		s->bytes = (uint64_t)st.st_size;
		r = digest_file(s);
	}
	if (r < 0) {
		log_error("%s: %s", name, strerror(-r));
		close_fd(&s->fd);
	}
	return r;
}

static const struct import_format *find_format(void)
{
	for (const struct import_format *const *f = import_formats; format && *f; f++)
		if (strcmp((*f)->name, format) == 0)
			return *f;
	return NULL;
}

static void progress(const struct import *im, uint64_t records, uint64_t total)
{
	static int64_t last;
	int64_t now = time_boottime();

	if (!progress_on() || now - last < NSEC_PER_SEC / 5)
		return;
	last = now;
	fprintf(stderr, total ? "\rimporting: %llu records, %3.0f %%\033[K" : "\rimporting: %llu records\033[K", (unsigned long long)records,
		total ? 100.0 * (double)import_bytes(im) / (double)total : 0);
}

/* skip: so many stand in the record already. They come in the same order again: what waits for its turn when an import of files is
 * interrupted is left, since without the rest of the files it would come earlier than it does with them. What was read ahead from a pipe
 * was read for good: it is recorded. */
static int take_all(struct importer *i, struct import *im, uint64_t total, uint64_t skip, bool files)
{
	uint64_t n = 0;
	struct event e;
	int r = 0;

	while (r == 0 && (r = import_next(im, time_now(), &e)) == 1) {
		r = n < skip ? 0 : importer_event(i, &e);
		if (interrupted() && files)
			break;
		if (interrupted())
			import_stop(im);
		if (++n % 8192 == 0)
			progress(im, n, total);
	}
	progress_end();
	return r < 0 ? r : interrupted() ? -EINTR : 0;
}

static int finish(struct importer *i, struct import *im, uint64_t *ret_records)
{
	uint8_t (*digests)[32] = calloc(import_files(im) + 1, 32);
	size_t n = 0;
	int r;

	if (!digests)
		return -ENOMEM;
	for (size_t k = 0; k < import_files(im); k++)
		n += import_digest(im, k, digests[n]);
	r = importer_end(i, (const uint8_t (*)[32])digests, n, import_refused(im), ret_records);
	free(digests);
	return r;
}

static void title_of(struct buf *b, const struct source *s, int n)
{
	for (int i = 0; i < n; i++)
		if (s[i].fd >= 0 && b->n < 4096)
			buf_putf(b, "%s%s", b->n ? ", " : "", s[i].name);
}

static void report(uint64_t records, uint64_t refused)
{
	if (cli.json) {
		json_obj_begin(out());
		json_put_u64(out(), "records", records);
		json_put_u64(out(), "refused", refused);
		json_obj_end(out());
		buf_putc(out(), '\n');
	} else {
		log_info("%llu record%s imported%s", (unsigned long long)records, records == 1 ? "" : "s", refused ? "" : ", none refused");
		if (refused)
			log_info("%llu refused: each is named above", (unsigned long long)refused);
	}
}

/* The same content named twice in one command. */
static bool named_twice(const struct source *s, int k)
{
	for (int j = 0; j < k && s[k].seekable; j++)
		if (s[j].fd >= 0 && s[j].seekable && memcmp(s[j].digest, s[k].digest, sizeof(s[k].digest)) == 0)
			return true;
	return false;
}

/* Leaves out what was imported before. */
static int drop_seen(struct importer *i, struct source *s, int n)
{
	for (int k = 0; k < n; k++) {
		bool seen = false;
		int r = s[k].fd >= 0 && s[k].seekable && !again ? importer_seen(i, s[k].digest, &seen) : 0;

		if (r < 0)
			return r;
		if (!seen && (again || s[k].fd < 0 || !named_twice(s, k)))
			continue;
		if (seen)
			log_error("%s was imported already; --again imports it once more", s[k].name);
		else
			log_error("%s stands here twice, under this name or another; it is taken once", s[k].name);
		unreadable = true;
		close_fd(&s[k].fd);
	}
	return 0;
}

/* What the import leaf says of the content, and what an import that was stopped is known by. Only files can be read again. */
struct content {
	bool known;
	uint8_t digest[32];
};

static int content_of(const struct source *s, int n, struct content *ret)
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();
	struct content c = { .known = true };
	int files = 0;

	if (!h)
		return -ENOMEM;
	sha256_init(h);
	for (int k = 0; k < n; k++) {
		if (s[k].fd < 0)
			continue;
		c.known &= s[k].seekable;
		memcpy(c.digest, s[k].digest, 32);
		sha256_update(h, s[k].digest, 32);
		files++;
	}
	if (files != 1)
		sha256_final(h, c.digest);
	*ret = c;
	return 0;
}

/* A new import, or the rest of one that was stopped. 1: neither, and it was said why. */
static int begin(struct importer *i, const struct content *c, str title, uint8_t number, struct imports_part *part)
{
	int r = c->known && !again ? importer_unfinished(i, c->digest, part) : 0;

	if (r < 0)
		return r;
	if (!part->found)
		return importer_begin(i, title, c->known ? c->digest : NULL, number);
	if (resume)
		return importer_resume(i, part, number);
	log_error("%.*s: an import was stopped when %llu of its records stood: --resume goes on behind them, --again records all anew",
		STR_ARG(title),
		(unsigned long long)part->records);
	unreadable = true;
	return 1;
}

static int import_sources(struct importer *i, struct source *s, int n, struct content *ret_content)
{
	_cleanup_buf_ struct buf title = BUF_INIT;
	struct sources all = { s, n };
	struct import *im = import_new(complain, &all, interrupt_fd());
	struct imports_part part = { 0 };
	uint64_t records = 0, total = 0;
	int r = im ? drop_seen(i, s, n) : -ENOMEM, added = 0;

	title_of(&title, s, n);
	if (r == 0)
		r = content_of(s, n, ret_content);
	for (int k = 0; k < n && r == 0; k++) {
		if (s[k].fd < 0)
			continue;
		total += s[k].bytes;
		r = import_add(im, TAKE_FD(s[k].fd), s[k].name, find_format());
		s[k].added = true;
		added++;
	}
	if (r == 0 && added)
		r = begin(i, ret_content, buf_str(&title), import_format_of(im, 0)->number, &part);
	if (r == 0 && added) {
		r = take_all(i, im, ret_content->known ? total : 0, part.records, ret_content->known);
		complain_rest(&all);
		/* What was taken from a pipe stays, and is closed: it cannot be read again. */
		if (r == 0 || (r == -EINTR && !ret_content->known)) {
			int e = finish(i, im, &records);

			r = e < 0 ? e : r;
			if (e == 0)
				report(records, import_refused(im));
		}
	}
	import_free(im);
	return MIN(r, 0);
}

/* After the log is closed, or the keeper has what we sent: what stands, and how to go on. */
static void say_stopped(const struct content *c)
{
	struct evidence_reader *r = NULL;
	struct imports_part part = { 0 };

	if (evidence_reader_open(cli.state, &r) == 0 && imports_unfinished(r, c->digest, &part) == 0 && !part.found)
		log_error("stopped: nothing of it is recorded; the same command begins anew");
	if (part.found)
		log_error("stopped: %llu records stand; `tyto import --resume` with the same files goes on behind them",
			(unsigned long long)part.records);
	evidence_reader_close(r);
}

static int run(int argc, char **argv)
{
	struct source *s = calloc((size_t)argc + 1, sizeof(*s));
	_cleanup_buf_ struct buf rows = { .max = PEOPLEFILE_MAX };
	struct importer *i = NULL;
	struct content content = { 0 };
	struct peoplefile_rows staff = { 0 };
	int opened = 0, r;

	if (!s)
		return EXIT_FAILED;
	if (argc > IMPORT_FILES_MAX) {
		free(s);
		return usage_error("at most %d files at once", IMPORT_FILES_MAX);
	}
	if (again && resume) {
		free(s);
		return usage_error("--again records all anew, --resume only the rest: one of them");
	}
	if (format && !find_format()) {
		free(s);
		return usage_error("--format %s: this version reads tyto", format);
	}
	for (int k = 0; k < argc; k++) {
		if (open_source(argv[k], &s[k]) < 0)
			unreadable = true;
		else
			opened++;
	}
	if (people && peoplefile_read(people, &rows) < 0) {
		free(s);
		return EXIT_FAILED;
	}
	r = opened ? importer_open(cli.state, cli.config.disk_reserve, &i) : 0;
	if (i)
		importer_detect(i, &cli.config);
	if (r == 0 && i && people)
		r = peoplefile_import(i, people, buf_str(&rows), &staff);
	if (staff.refused)
		unreadable = true;
	if (r == 0 && i)
		r = import_sources(i, s, argc, &content);
	if (r < 0 && r != -EINTR)
		log_error("%s", *importer_why() ? importer_why() : strerror(-r));
	if (importer_close(i) < 0 && r == 0) {
		log_error("%s", importer_why());
		r = -EIO;
	}
	free(s);
	if (r < 0 && content.known)
		say_stopped(&content);
	if (r == -EINTR)
		return EXIT_INTERRUPTED;
	if (r < 0)
		return exit_status(r);
	return unreadable ? EXIT_PARTLY : EXIT_DONE;
}

const struct command cmd_import = {
	.name = "import", .args = "FILE…", .summary = "records made elsewhere, through the same pipeline",
	.examples = "  tyto import january.jsonl february.jsonl.zst     merged by time\n"
		    "  zcat old.gz | tyto import -                      from stdin\n"
		    "  tyto import --people staff.csv year.jsonl        several accounts of one person joined\n"
		    "  tyto import --resume year.jsonl                  go on where a full disk stopped it\n",
	.notes = "Lines that cannot be read are named and left out (exit status 3). Beside a running `tyto watch` the keeper takes the records.\n"
		 "Records of a file may be out of order by 10 minutes; one that is later is recorded behind the others, with `late`. `seq`, `source`,\n"
		 "`refers` and `late` of the input belong to another log and are not taken.\n",
	.options = options, .run = run, .needs_args = true,
};
