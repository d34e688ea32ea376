/* tyto events: the record, filtered. */
#include <errno.h>
#include <poll.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/lookup.h"
#include "cli/show.h"
#include "daemon/follower.h"
#include "daemon/query.h"

static struct opt_list persons, verbs, vias, labels;
static const char *path_glob, *document, *client, *object;
static bool follow_on;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "person", 0, OPT_LIST, &persons, "NAME", "of this person (may be repeated)" },
		{ "path", 0, OPT_TEXT, &path_glob, "GLOB", "of documents at this place; * within a folder, ** across" },
		{ "document", 0, OPT_TEXT, &document, "ID", "of this content: sha256:HEX" },
		{ "object", 0, OPT_TEXT, &object, "D:I:G", "of this object: device:inode:generation" },
		{ "verb", 0, OPT_LIST, &verbs, "VERB", "open read write create delete rename link permission gap …" },
		{ "via", 0, OPT_LIST, &vias, "VIA", "local ssh smb nfs" },
		{ "client", 0, OPT_TEXT, &client, "ADDRESS", "from this peer" },
		{ "label", 0, OPT_LIST, &labels, "LABEL", "public internal confidential restricted" },
		{ "follow", 'f', OPT_FLAG, &follow_on, NULL, "go on with what comes" },
		OPT_END,
	};
	return o;
}

static unsigned verb_number(str s) { return event_verb_from(s); }
static unsigned via_number(str s) { return event_via_from(s); }
static unsigned label_number(str s) { return event_label_from(s); }

/* Words, also separated by commas, as a bit set. */
static int take_bits(const struct opt_list *list, const char *option, unsigned (*number)(str), uint64_t *ret)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *p = list->v[i];

		while (*p) {
			size_t n = strcspn(p, ",");
			unsigned v = number((str){ p, n });

			if (!v) {
				usage_error("--%s %.*s: there is no such %s", option, (int)n, p, option);
				return -EINVAL;
			}
			*ret |= (uint64_t)1 << v;
			p += n + (p[n] == ',');
		}
	}
	return 0;
}

static int show(void *arg, const struct event *e)
{
	(cli.json ? show_event_json : show_event)(e);
	if (out()->n >= 64 * 1024 && stdout_flush() < 0)
		return -EPIPE;
	return interrupted() ? -EINTR : 0;
}

static bool pick(void *arg, const struct event *e)
{
	return lookup_matches(arg, e);
}

static int live_idle(void *arg)
{
	/* A pipe that nobody reads any more is seen although nothing is written to it. */
	struct pollfd p = { .fd = STDOUT_FILENO };

	if (stdout_flush() < 0 || (poll(&p, 1, 0) == 1 && p.revents & (POLLERR | POLLNVAL)))
		return -EPIPE;
	return interrupted() ? -EINTR : 0;
}

static int follow_events(const struct index_filter *f)
{
	struct index_filter wanted = *f;
	struct lookup_position pos;
	struct query_names names;
	int r;

	if (!query_direct(cli.state)) {
		log_error("`tyto events -f` reads the record itself, and %s cannot be read: run it as root", cli.state);
		return EXIT_FAILED;
	}
	r = query_names_open(cli.state, lookup_mask(), &wanted, &names);
	if (r < 0)
		return lookup_failed(r);
	/* What is there already, then what comes: from the size before the first question, so that nothing falls in between. */
	r = lookup_position(cli.state, &pos);
	if (r < 0) {
		query_names_close(&names);
		return exit_status(r);
	}
	if (cli.since || cli.limit)
		r = query_events(cli.state, f, lookup_mask(), show, NULL);
	if (r < 0 && r != -EINTR && r != -EPIPE)
		lookup_failed(r);
	if (r >= 0) {
		r = follow(cli.state, pos.size, lookup_mask(), pick, show, live_idle, &wanted);
		if (r < 0 && r != -EINTR && r != -EPIPE)
			log_error("%s", evidence_why());
	}
	query_names_close(&names);
	return r == -EPIPE ? EXIT_DONE : exit_status(r);
}

static int run(int argc, char **argv)
{
	struct index_filter f = { .since = cli.since, .until = cli.until, .limit = cli.limit, .reverse = cli.reverse };
	str names[OPT_LIST_MAX];
	struct event_object o;
	uint8_t digest[32];
	int r;

	if (argc > 0)
		return usage_error("`tyto events` takes no arguments but options; did you mean --path %s?", argv[0]);
	if (take_bits(&verbs, "verb", verb_number, &f.verbs) < 0 || take_bits(&vias, "via", via_number, &f.vias) < 0 ||
		take_bits(&labels, "label", label_number, &f.labels) < 0)
		return EXIT_USAGE;
	for (size_t i = 0; i < persons.n; i++)
		names[i] = str_c(persons.v[i]);
	f.persons = names;
	f.n_persons = persons.n;
	f.path_glob = str_c(path_glob);
	f.client = str_c(client);
	if (document) {
		if (!lookup_document(document, digest))
			return usage_error("--document %s: expected sha256: and 64 hexadecimal digits", document);
		f.document = digest;
	}
	if (object) {
		if (!lookup_object(object, &o))
			return usage_error("--object %s: expected device:inode:generation", object);
		f.object = &o;
	}
	r = lookup_unmask();
	if (r != EXIT_DONE)
		return r;
	if (follow_on)
		return follow_events(&f);
	r = query_events(cli.state, &f, lookup_mask(), show, NULL);
	if (r == -EINTR)
		return EXIT_INTERRUPTED;
	return r < 0 && r != -EPIPE ? lookup_failed(r) : EXIT_DONE;
}

const struct command cmd_events = {
	.name = "events", .args = "[OPTIONS]", .summary = "the record, filtered",
	.examples = "  tyto events --since 1d                          since yesterday\n"
		    "  tyto events --person clerk --verb read -n 20    twenty reads of one person\n"
		    "  tyto events --path '/srv/share/plans/**' -r     one folder, newest first\n"
		    "  tyto events -f --json                           live, one object a line\n",
	.options = options, .run = run,
};
