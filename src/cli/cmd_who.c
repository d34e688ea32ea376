/* tyto who: the persons who had a document. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/lookup.h"
#include "cli/show.h"
#include "cli/term.h"
#include "daemon/query.h"

struct row {
	struct index_who who;
	size_t name_at; /* in names */
};

struct listing {
	struct row *rows;
	size_t n, cap;
	struct buf names;
};

static void put_json(const struct index_who *w)
{
	struct buf *b = out();

	json_obj_begin(b);
	if (w->person.n) {
		json_key(b, "person");
		json_str(b, w->person);
	} else if (w->person_basis.n) {
		json_key(b, "person_basis");
		json_str(b, w->person_basis);
	}
	json_key(b, "first");
	json_time(b, w->first);
	json_key(b, "last");
	json_time(b, w->last);
	json_key(b, "verbs");
	json_arr_begin(b);
	for (unsigned v = 1; v < VERB_MAX_; v++)
		if (w->verbs >> v & 1)
			json_str(b, str_c(event_verb_name((enum event_verb)v)));
	json_arr_end(b);
	json_key(b, "via");
	json_arr_begin(b);
	for (unsigned v = 1; v < VIA_MAX_; v++)
		if (w->vias >> v & 1)
			json_str(b, str_c(event_via_name((enum event_via)v)));
	json_arr_end(b);
	json_key(b, "count");
	json_u64(b, w->count);
	json_obj_end(b);
	buf_putc(b, '\n');
}

/* PERSON, FIRST, LAST, COUNT, DID; a name too long for its column has a line of its own on a terminal. */
#define PERSON_MIN 14
#define PERSON_MAX 24
#define TIMES_AND_COUNT 53
#define VERBS_MIN 13

static str person_text(const struct index_who *w)
{
	return w->person.n ? w->person : w->person_basis.n ? w->person_basis : STR("(not known)");
}

static void put_line(const struct index_who *w, unsigned person_width)
{
	_cleanup_buf_ struct buf verbs = BUF_INIT;
	unsigned width = show_width(person_text(w)), did_at = person_width + TIMES_AND_COUNT;

	show_person(person_text(w), person_width);
	if (width > person_width && term_columns()) {
		buf_putc(out(), '\n');
		term_spaces(person_width);
	} else if (width > person_width) {
		did_at += width - person_width;
	}
	buf_puts(out(), STR("  "));
	show_time(w->first);
	buf_puts(out(), STR("  "));
	show_time(w->last);
	buf_putf(out(), "  %7llu  ", (unsigned long long)w->count);
	show_verbs(&verbs, w->verbs);
	term_prose(buf_str(&verbs), did_at, did_at);
	buf_putc(out(), '\n');
}

/* Widths are known only when all are there. */
static int keep(struct listing *l, const struct index_who *w)
{
	struct row *row;

	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct row *more = reallocarray(l->rows, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->rows = more;
		l->cap = cap;
	}
	row = &l->rows[l->n];
	*row = (struct row){ *w, l->names.n };
	buf_puts(&l->names, person_text(w));
	row->who.person = (str){ NULL, l->names.n - row->name_at };
	return buf_error(&l->names);
}

static void put_table(struct listing *l)
{
	unsigned width = PERSON_MIN, most = PERSON_MAX, columns = term_columns();

	if (l->n == 0 || cli.json)
		return;
	for (size_t i = 0; i < l->n; i++) {
		l->rows[i].who.person.p = l->names.p + l->rows[i].name_at;
		width = MAX(width, show_width(l->rows[i].who.person));
	}
	if (columns)
		most = columns < PERSON_MIN + TIMES_AND_COUNT + VERBS_MIN ? PERSON_MIN : MIN(most, columns - TIMES_AND_COUNT - VERBS_MIN);
	width = MIN(width, most);
	buf_putf(out(), "%-*s  %-19s  %-19s  %7s  %s\n", (int)width, "PERSON", "FIRST", "LAST", "COUNT", "DID");
	for (size_t i = 0; i < l->n; i++)
		put_line(&l->rows[i].who, width);
}

static int show(void *arg, const struct index_who *w)
{
	struct listing *l = arg;
	int r = 0;

	if (cli.limit && l->n >= cli.limit)
		return 1;
	if (cli.json)
		put_json(w);
	else
		r = keep(l, w);
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

	if (lookup_document(given, digest))
		s.document = digest;
	else if (lookup_object(given, &object))
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
	put_table(&l);
	free(l.rows);
	buf_free(&l.names);
	if (r == -EINTR)
		return EXIT_INTERRUPTED;
	if (r < 0 && r != -ENODATA)
		return lookup_failed(r);
	if (l.n == 0)
		log_info("nothing is recorded about %s%s", argv[0], r == -ENODATA ? "" : " in that time");
	return EXIT_DONE;
}

const struct command cmd_who = {
	.name = "who", .args = "PATH|DOCUMENT|OBJECT", .summary = "who had this document: persons, first and last time, verbs, counts",
	.examples = "  tyto who /srv/share/plan.odt            whoever touched it, wherever it has been moved since\n"
		    "  tyto who --since 30d /srv/share/plan.odt\n"
		    "  tyto who --json sha256:9f86d0…          by content\n",
	.run = run, .needs_args = true,
};
