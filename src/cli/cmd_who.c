/* tyto who: the persons who had a document. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/lookup.h"
#include "cli/show.h"
#include "daemon/query.h"

struct listing {
	size_t n;
	uint64_t accesses;
};

static const char *verb_name(unsigned v) { return event_verb_name((enum event_verb)v); }
static const char *via_name(unsigned v) { return event_via_name((enum event_via)v); }

/* The names of the bits that are set. */
static void put_set(struct buf *b, const char *key, uint64_t bits, unsigned max, const char *(*name)(unsigned))
{
	json_put_arr(b, key);
	for (unsigned v = 1; v < max; v++)
		if (bits >> v & 1)
			json_str(b, str_c(name(v)));
	json_arr_end(b);
}

static void put_json(const struct index_who *w)
{
	struct buf *b = out();

	json_obj_begin(b);
	if (w->person.n)
		json_put_str(b, "person", w->person);
	else if (w->person_basis.n)
		json_put_str(b, "person_basis", w->person_basis);
	json_put_time(b, "first", w->first);
	json_put_time(b, "last", w->last);
	put_set(b, "verbs", w->verbs, VERB_MAX_, verb_name);
	put_set(b, "via", w->vias, VIA_MAX_, via_name);
	json_put_u64(b, "count", w->count);
	json_obj_end(b);
	buf_putc(b, '\n');
}

static void put_line(const struct index_who *w)
{
	show_padded(w->person.n ? w->person : w->person_basis.n ? w->person_basis : STR("(not known)"), 14);
	buf_puts(out(), STR("  "));
	show_time(w->first);
	buf_puts(out(), STR("  "));
	show_time(w->last);
	buf_putf(out(), "  %7llu  ", (unsigned long long)w->count);
	show_verbs(w->verbs);
	buf_putc(out(), '\n');
}

static int show(void *arg, const struct index_who *w)
{
	struct listing *l = arg;

	if (cli.limit && l->n >= cli.limit)
		return 1;
	if (!cli.json && l->n == 0)
		buf_putf(out(), "%-14s  %-19s  %-19s  %7s  %s\n", "PERSON", "FIRST", "LAST", "COUNT", "DID");
	(cli.json ? put_json : put_line)(w);
	l->n++;
	l->accesses += w->count;
	return interrupted() ? -EINTR : 0;
}

/* The path as it is recorded: absolute; links resolved where it still exists. */
static const char *absolute(const char *path, char *out_path)
{
	char cwd[PATH_MAX];

	if (realpath(path, out_path))
		return out_path;
	if (path[0] == '/' || !getcwd(cwd, sizeof(cwd)))
		return path;
	snprintf(out_path, PATH_MAX, "%s/%s", cwd, path);
	return out_path;
}

static int run(int argc, char **argv)
{
	struct index_subject s = { .since = cli.since, .until = cli.until };
	struct listing l = { 0 };
	char path[PATH_MAX];
	struct event_object object;
	uint8_t digest[32];
	int r;

	if (argc != 1)
		return usage_error("one document at a time");
	r = lookup_unmask();
	if (r != EXIT_DONE)
		return r;
	if (event_document_from(str_c(argv[0]), digest))
		s.document = digest;
	else if (event_object_from(str_c(argv[0]), &object))
		s.object = &object;
	else
		s.path = str_c(argv[0]);
	r = query_who(cli.state, &s, lookup_mask(), show, &l);
	/* As given first: what was imported need not exist here. Then as the file system resolves it. */
	if (r == -ENODATA && s.path.n) {
		s.path = str_c(absolute(argv[0], path));
		r = query_who(cli.state, &s, lookup_mask(), show, &l);
	}
	if (r == -ENODATA) {
		log_info("nothing is recorded about %s", argv[0]);
		return EXIT_DONE;
	}
	if (r < 0)
		return r == -EINTR ? EXIT_INTERRUPTED : lookup_failed(r);
	if (l.n == 0)
		log_info("nothing is recorded about %s in that time", argv[0]);
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
