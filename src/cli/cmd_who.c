/* tyto who: the persons who had a document. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/lookup.h"
#include "cli/personlist.h"
#include "daemon/query.h"

struct listing {
	struct person_list persons;
	uint64_t n;
};

static int show(void *arg, const struct index_who *w)
{
	struct listing *l = arg;
	int r = 0;

	if (cli.limit && l->n >= cli.limit)
		return 1;
	if (cli.json) {
		person_json(out(), w);
		buf_putc(out(), '\n');
	} else {
		r = person_list_add(&l->persons, w);
	}
	l->n++;
	return interrupted() ? -EINTR : r;
}

/* Absolute, without ".", ".." and doubled slashes. False: too long. */
static bool tidy(const char *path, char out_path[static PATH_MAX])
{
	char full[2 * PATH_MAX], cwd[PATH_MAX] = "";
	size_t n = 0;

	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return false;
	if ((size_t)snprintf(full, sizeof(full), "%s/%s", cwd, path) >= sizeof(full))
		return false;
	for (const char *p = full; *p;) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 2 && memcmp(p, "..", 2) == 0) {
			while (n > 0 && out_path[--n] != '/')
				;
		} else if (len > 0 && !(len == 1 && *p == '.')) {
			if (n + len + 2 > PATH_MAX)
				return false;
			out_path[n++] = '/';
			memcpy(out_path + n, p, len);
			n += len;
		}
		p += len;
	}
	out_path[n] = '\0';
	return true;
}

/* The path as it is recorded: absolute; links resolved as far as it still exists. */
static const char *absolute(const char *path, char out_path[static PATH_MAX])
{
	char tidied[PATH_MAX];

	if (realpath(path, out_path))
		return out_path;
	if (!tidy(path, tidied))
		return path;
	for (size_t n = strlen(tidied); n > 0; n--) {
		char kept = tidied[n];
		size_t have;
		bool there;

		if (kept != '/')
			continue;
		tidied[n] = '\0';
		there = realpath(tidied, out_path);
		tidied[n] = kept;
		have = there ? strlen(out_path) : PATH_MAX;
		if (have + strlen(tidied + n) < PATH_MAX) {
			memcpy(out_path + have, tidied + n, strlen(tidied + n) + 1);
			return out_path;
		}
	}
	memcpy(out_path, tidied, sizeof(tidied));
	return out_path;
}

static int ask(const char *given, struct listing *l)
{
	struct index_subject s = { .since = cli.since, .until = cli.until };
	char path[PATH_MAX];
	struct event_object object;
	uint8_t digest[32];
	int r;

	if (event_document_from(str_c(given), digest))
		s.document = digest;
	else if (event_object_from(str_c(given), &object))
		s.object = &object;
	else
		s.path = str_c(given);
	r = query_who(cli.state, &s, lookup_mask(), show, l);
	/* As given first: what was imported need not exist here. Then as the file system resolves it. */
	if (r == -ENODATA && s.path.n) {
		s.path = str_c(absolute(given, path));
		r = query_who(cli.state, &s, lookup_mask(), show, l);
	}
	return r;
}

static int run(int argc, char **argv)
{
	struct listing l = { 0 };
	int r;

	if (argc != 1)
		return usage_error("one document at a time");
	r = lookup_unmask();
	if (r != EXIT_DONE)
		return r;
	r = ask(argv[0], &l);
	person_list_done(&l.persons);
	person_list_table(&l.persons, SIZE_MAX, 0);
	person_list_free(&l.persons);
	if (r == -EINTR)
		return EXIT_INTERRUPTED;
	if (r < 0 && r != -ENODATA)
		return lookup_failed(r);
	if (l.n == 0)
		log_info("nothing is recorded about %s%s", argv[0], r == -ENODATA ? "" : " in that time");
	lookup_say_unknown();
	return EXIT_DONE;
}

const struct command cmd_who = {
	.name = "who", .args = "PATH|DOCUMENT|OBJECT", .summary = "who had this document: persons, first and last time, verbs, counts",
	.examples = "  tyto who /srv/share/plan.odt            whoever touched it, wherever it has been moved since\n"
		    "  tyto who --since 30d /srv/share/plan.odt\n"
		    "  tyto who --json sha256:9f86d0…          by content\n",
	.run = run, .needs_args = true,
};
