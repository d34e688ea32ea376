/* tyto rules list|check|test|replay: which detection rules there are, which run here, and whether they fire when they must. */
#include <errno.h>
#include <jansson.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/cmd_rules.h"
#include "cli/rules_beside.h"
#include "cli/term.h"
#include "detect/sigma.h"
#include "event/event_json.h"

#define CASE_FILE_MAX ((size_t)4 << 20)
#define REPEAT_MAX 100000
#define PART_AT 6 /* on a terminal: what of a rule goes on below */

static const char *const state_names[SIGMA_STATES_] = { "runs", "never", "unsupported", "broken" };
static const char *const state_texts[SIGMA_STATES_] = { "runs", "never fires here", "unsupported", "broken" };
static const char *const type_names[] = { "rule", "correlation", "filter" };

/* Without a path those that the settings name; of these one that is not there is none, as for `watch`. */
static int load(int n, char **paths, struct sigma **ret)
{
	char *set[CONFIG_PATHS_MAX];
	_cleanup_sigma_ struct sigma *s = NULL;
	bool named = n > 0;
	int r = sigma_new(&s);

	if (!named) {
		paths = set;
		n = (int)config_rules(&cli.config, set);
	}
	for (int i = 0; i < n && r == 0; i++) {
		r = sigma_add_path(s, paths[i]);
		if (r == -ENOENT && !named)
			r = 0;
		if (r < 0)
			log_error("%s: %s", paths[i], r == -EINVAL ? "expected a file of rules, or a folder with such files" : strerror(-r));
	}
	if (r == 0) {
		r = sigma_ready(s);
		if (r < 0)
			log_error("rules: %s", strerror(-r));
	}
	if (r == 0)
		*ret = TAKE_PTR(s);
	return r;
}

/* Behind the text before it, or in a line of its own where it does not fit there. */
static unsigned put_part(str text, unsigned at)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_visible(&b, text);
	if (term_columns() && at + 2 + term_width(buf_str(&b)) > term_columns()) {
		buf_putc(out(), '\n');
		at = PART_AT - 2;
		term_spaces(at);
	}
	buf_puts(out(), STR("  "));
	return term_prose(text, at + 2, PART_AT);
}

static void put_line(const struct sigma_rule *r)
{
	_cleanup_buf_ struct buf state = BUF_INIT, place = BUF_INIT;
	unsigned at;

	buf_puts(&state, str_c(state_texts[r->state]));
	if (r->why)
		buf_putf(&state, " (%s)", r->why);
	buf_puts(&place, r->file);
	buf_putf(&place, ":%u", r->line);
	at = term_prose(buf_str(&state), 0, PART_AT);
	at = put_part(buf_str(&place), at);
	put_part(r->title, at);
	buf_putc(out(), '\n');
}

static void put_rule(struct buf *b, const struct sigma_rule *r)
{
	if (!cli.json) {
		put_line(r);
		return;
	}
	json_obj_begin(b);
	json_put_str(b, "file", r->file);
	json_put_u64(b, "line", r->line);
	json_put_str(b, "type", str_c(type_names[r->type]));
	json_put_str(b, "title", r->title);
	if (r->id.n)
		json_put_str(b, "id", r->id);
	if (r->name.n)
		json_put_str(b, "name", r->name);
	if (r->level.n)
		json_put_str(b, "level", r->level);
	json_put_str(b, "state", str_c(state_names[r->state]));
	if (r->why)
		json_put_str(b, "why", str_c(r->why));
	json_put_arr(b, "tags");
	for (size_t i = 0; i < r->n_tags; i++)
		json_str(b, r->tags[i]);
	json_arr_end(b);
	json_obj_end(b);
	buf_putc(b, '\n');
}

/* list: what runs. check: everything, and the exit status says whether a rule is broken. */
static int show(int n, char **paths, bool check)
{
	_cleanup_sigma_ struct sigma *s = NULL;
	size_t counts[SIGMA_STATES_] = { 0 };
	int r = load(n, paths, &s);

	if (r < 0)
		return exit_status(r);
	for (size_t i = 0; i < sigma_rules(s) && !interrupted(); i++) {
		const struct sigma_rule *rule = sigma_rule(s, i);

		counts[rule->state]++;
		if (check || rule->state == SIGMA_RUNS)
			put_rule(out(), rule);
		if (out()->n > 65536)
			stdout_flush();
	}
	log_info("%zu run, %zu never fire here, %zu unsupported, %zu broken", counts[SIGMA_RUNS], counts[SIGMA_NEVER], counts[SIGMA_UNSUPPORTED],
		counts[SIGMA_BROKEN]);
	return check && counts[SIGMA_BROKEN] ? EXIT_PARTLY : EXIT_DONE;
}

struct watched {
	const char *file;
	uint64_t hits;
};

static void hit(void *arg, const struct sigma_hit *h)
{
	struct watched *w = arg;

	if (!w) /* before the case */
		return;
	w->hits += str_eq(h->rule->file, str_c(w->file));
}

/* The event's text with {n} replaced by the repetition. */
static void put_event(struct buf *b, const char *text, uint64_t n)
{
	const char *at;

	while ((at = strstr(text, "{n}"))) {
		buf_put(b, text, (size_t)(at - text));
		buf_put_dec(b, n);
		text = at + 3;
	}
	buf_puts(b, str_c(text));
}

static const char *feed_case(struct sigma *s, struct rules_beside *b, const json_t *series, uint64_t *seq, struct watched *w)
{
	const json_t *events = json_object_get(series, "events"), *times = json_object_get(series, "repeat"), *one;
	int64_t every = json_integer_value(json_object_get(series, "every")) * NSEC_PER_SEC;
	_cleanup_buf_ struct buf line = BUF_INIT, scratch = BUF_INIT;
	uint64_t repeat = times ? (uint64_t)json_integer_value(times) : 1;
	struct sigma_beside beside;
	size_t i;

	if (!json_is_array(events) || repeat < 1 || repeat > REPEAT_MAX)
		return "expected \"events\": a list, and \"repeat\": 1 to 100,000";

	for (uint64_t n = 0; n < repeat; n++) {
		json_array_foreach(events, i, one) {
			struct event_json_error e;
			struct event ev;
			char *text = json_dumps(one, JSON_COMPACT);

			buf_clear(&line);
			buf_clear(&scratch);
			if (text)
				put_event(&line, text, n);
			free(text);
			if (buf_error(&line) || event_from_json(buf_str(&line), &scratch, &ev, &e) < 0)
				return "an event that is none";
			ev.seq = (*seq)++;
			ev.time += (int64_t)n * every;
			if (rules_beside_tell(b, &ev, &beside) < 0 || sigma_feed_beside(s, &ev, &beside, hit, w) < 0)
				return "the engine failed";
		}
	}
	return NULL;
}

/* Who is known, which decoys stand, and what had happened before. */
static const char *prepare(struct sigma *s, struct rules_beside *b, const json_t *c, uint64_t *seq)
{
	const json_t *one;
	const char *why = NULL;
	size_t i;

	json_array_foreach(json_object_get(c, "people"), i, one) {
		char *text = json_dumps(one, JSON_COMPACT);
		int r = text ? rules_beside_row(b, str_c(text)) : -ENOMEM;

		free(text);
		if (r < 0)
			return "people: expected rows as in `tyto people import`";
	}
	json_array_foreach(json_object_get(c, "decoys"), i, one)
		if (!json_is_string(one) || rules_beside_decoy(b, json_string_value(one)) < 0)
			return "decoys: expected absolute paths";
	json_array_foreach(json_object_get(c, "before"), i, one) {
		why = feed_case(s, b, one, seq, NULL);
		if (why)
			return why;
	}
	return NULL;
}

/* A line: {"case": …, "fires": true, "events": […], "repeat": 60, "every": 10}. Each beside rules that have seen nothing yet. */
static const char *run_case(const char *file, const json_t *c)
{
	_cleanup_sigma_ struct sigma *s = NULL;
	const json_t *fires = json_object_get(c, "fires");
	struct watched w = { .file = file };
	struct rules_beside *b;
	uint64_t seq = 1; /* decoys were planted at 0 */
	const char *why;

	if (!json_is_boolean(fires))
		return "expected \"fires\": true or false";
	if (load(1, (char *[]){ (char *)(uintptr_t)file }, &s) < 0)
		return "the rule cannot be loaded";
	for (size_t i = 0; i < sigma_rules(s); i++)
		if (sigma_rule(s, i)->state != SIGMA_RUNS)
			return sigma_rule(s, i)->why;
	b = rules_beside_new();
	why = b ? prepare(s, b, c, &seq) : "no memory";
	if (!why)
		why = feed_case(s, b, c, &seq, &w);
	rules_beside_free(b);
	if (why)
		return why;
	return (w.hits > 0) == json_is_true(fires) ? NULL : w.hits ? "it fired, and must not" : "it did not fire, and must";
}

static int read_cases(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	b->max = CASE_FILE_MAX;
	do {
		if (buf_reserve(b, 65536) < 0)
			return -EMSGSIZE;
		n = read(fd, b->p + b->n, b->cap - b->n);
		b->n += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

static void report_case(const char *file, const char *name, const char *why)
{
	if (!cli.json) {
		buf_putf(out(), "%s  %s: %s%s%s\n", why ? "FAILED" : "ok", file, name, why ? ": " : "", why ? why : "");
		return;
	}
	json_obj_begin(out());
	json_put_str(out(), "file", str_c(file));
	json_put_str(out(), "case", str_c(name));
	json_put_bool(out(), "ok", !why);
	if (why)
		json_put_str(out(), "why", str_c(why));
	json_obj_end(out());
	buf_putc(out(), '\n');
}

/* Both kinds must be there: a rule that nothing must fire proves nothing. */
static size_t test_file(const char *file)
{
	_cleanup_buf_ struct buf path = BUF_INIT, cases = BUF_INIT;
	size_t failed = 0, kinds[2] = { 0 }, stem = strlen(file) - strlen(".yml");
	int r;

	buf_putf(&path, "%.*s.test.jsonl", (int)stem, file);
	r = buf_cstr(&path) ? read_cases(path.p, &cases) : -ENOMEM;
	if (r < 0 || !buf_cstr(&cases)) {
		report_case(file, "no cases", strerror(r < 0 ? -r : ENOMEM));
		return 1;
	}
	for (char *line = cases.p, *end; *line; line = end) {
		const char *name, *why;
		json_t *c;

		end = strchrnul(line, '\n');
		c = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
		name = json_string_value(json_object_get(c, "case"));
		why = c ? run_case(file, c) : "a line that is not JSON";
		kinds[json_is_true(json_object_get(c, "fires"))]++;
		report_case(file, name ? name : "?", why);
		failed += why != NULL;
		json_decref(c);
		end += *end == '\n';
	}
	if (!kinds[0] || !kinds[1]) {
		report_case(file, "cases", "expected events that must fire it and events that must not");
		failed++;
	}
	return failed;
}

static int test(int n, char **paths)
{
	char *shipped[] = { config_shipped_rules() };
	_cleanup_sigma_ struct sigma *s = NULL;
	size_t failed = 0, files = 0;
	str last = STR_NONE;
	/* The shipped ones have events beside them. */
	int r = load(n ? n : 1, n ? paths : shipped, &s);

	if (r < 0)
		return exit_status(r);
	for (size_t i = 0; i < sigma_rules(s) && !interrupted(); i++) {
		const struct sigma_rule *rule = sigma_rule(s, i);

		if (str_eq(rule->file, last) || !str_ends(rule->file, STR(".yml")))
			continue;
		last = rule->file;
		files++;
		failed += test_file(rule->file.p);
		stdout_flush();
	}
	log_info("%zu files of rules, %zu failures", files, failed);
	return failed ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	if (argc >= 1 && strcmp(argv[0], "list") == 0)
		return show(argc - 1, argv + 1, false);
	if (argc >= 1 && strcmp(argv[0], "check") == 0)
		return show(argc - 1, argv + 1, true);
	if (argc >= 1 && strcmp(argv[0], "test") == 0)
		return test(argc - 1, argv + 1);
	if (argc >= 1 && strcmp(argv[0], "replay") == 0)
		return rules_replay(argc - 1, argv + 1);
	return usage_error("`tyto rules`: expected list, check, test or replay");
}

const struct command cmd_rules = {
	.name = "rules", .args = "list | check | test | replay [PATH…]", .summary = "detection rules (Sigma)",
	.examples = "  tyto rules list                   what the settings name: the shipped ones and /etc/tyto/rules, or others\n"
		    "  tyto rules check /etc/my-rules    which of these run here, which never fire and why\n"
		    "  tyto rules test rules             each rule beside events that must and must not fire it\n"
		    "  tyto rules replay --since 90d     what today's rules would raise over the recorded past; nothing is recorded\n",
	.notes = "Without PATH: the rules that the settings name; for test the shipped ones. check ends with 3 where a rule is broken,\n"
		 "test with 1 where one fails.\n",
	.run = run, .needs_args = true,
};
