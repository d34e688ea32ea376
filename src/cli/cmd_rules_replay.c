/* tyto rules replay: what today's rules would raise over the recorded past. Nothing is recorded. */
#include <errno.h>

#include "base/array.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/cmd_rules.h"
#include "cli/lookup.h"
#include "cli/show.h"
#include "cli/term.h"
#include "cli/writer.h"
#include "daemon/mask.h"
#include "daemon/query.h"
#include "detect/beside.h"
#include "detect/copies.h"
#include "detect/replay.h"
#include "detect/ruleset.h"

#define STEP 65536    /* records between two looks at whether we are to end */
#define SHOWN 10      /* persons of a rule, for people */
#define RULES_MAX 65536

struct fired_by {
	uint64_t person; /* 0 nobody that is known */
	uint64_t hits;
	int64_t first, last;
};

struct fired {
	char title[100];
	enum severity severity;
	uint64_t hits;
	struct fired_by *by; /* by person's number */
	size_t n, cap;
};

struct replaying {
	struct evidence_reader *r;
	struct cases *cases;
	struct beside *beside;
	struct fired *v;
	size_t n, cap;
	uint64_t alerts, by[SEVERITY_MAX_];
	struct buf scratch;
};

static struct fired *rule_of(struct replaying *p, const struct firing *h)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].title, h->title) == 0)
			return &p->v[i];
	if (array_room_max(p->v, p->cap, p->n + 1, RULES_MAX) < 0)
		return NULL;
	p->v[p->n] = (struct fired){ .severity = h->severity };
	memcpy(p->v[p->n].title, h->title, sizeof(h->title));
	return &p->v[p->n++];
}

static struct fired_by *person_of(struct fired *rule, uint64_t person)
{
	size_t at = 0;

	for (size_t to = rule->n; at < to;) {
		size_t mid = (at + to) / 2;

		if (rule->by[mid].person < person)
			at = mid + 1;
		else
			to = mid;
	}
	if (at < rule->n && rule->by[at].person == person)
		return &rule->by[at];
	if (array_room(rule->by, rule->cap, rule->n + 1) < 0)
		return NULL;
	memmove(rule->by + at + 1, rule->by + at, (rule->n - at) * sizeof(*rule->by));
	rule->by[at] = (struct fired_by){ .person = person };
	rule->n++;
	return &rule->by[at];
}

static int take(void *arg, struct firings *f)
{
	struct replaying *p = arg;

	/* What is before the time asked about only fills windows. */
	if (cli.since && f->time < cli.since)
		return 0;
	for (size_t i = 0; i < f->n; i++) {
		struct fired *rule = rule_of(p, &f->v[i]);
		struct fired_by *by = rule ? person_of(rule, f->person) : NULL;

		if (!by)
			return -ENOMEM;
		by->first = by->hits ? MIN(by->first, f->time) : f->time;
		by->last = MAX(by->last, f->time);
		by->hits++;
		rule->hits++;
	}
	f->mode = FIRING_PAST;
	f->late = true;
	f->late_from = 0;
	return cases_firings(p->cases, f, NULL, NULL);
}

static int count(void *arg, const struct evidence_alert *a)
{
	struct replaying *p = arg;

	if (a->phase == ALERT_CLOSED) /* part of another one */
		return 0;
	p->alerts++;
	p->by[a->severity < SEVERITY_MAX_ ? a->severity : 0]++;
	return 0;
}

static str name_of(struct replaying *p, uint64_t person)
{
	const struct names *names = evidence_reader_names(p->r);
	str s;

	buf_clear(&p->scratch);
	if (!person || names_value(names, NAME_PERSON, person, &s) < 0)
		return STR_NONE;
	return lookup_mask() ? mask_person(names, s, &p->scratch) : s;
}

static void put_json(struct replaying *p, const struct fired *rule)
{
	int64_t first = INT64_MAX, last = INT64_MIN;

	json_obj_begin(out());
	json_put_str(out(), "rule", str_c(rule->title));
	json_put_str(out(), "severity", str_c(severity_name(rule->severity)));
	json_put_u64(out(), "hits", rule->hits);
	json_put_arr(out(), "persons");
	for (size_t i = 0; i < rule->n; i++) {
		const struct fired_by *by = &rule->by[i];
		str name = name_of(p, by->person);

		first = MIN(first, by->first);
		last = MAX(last, by->last);
		json_obj_begin(out());
		if (name.p)
			json_put_str(out(), "person", name);
		json_put_u64(out(), "hits", by->hits);
		json_put_time(out(), "first", by->first);
		json_put_time(out(), "last", by->last);
		json_obj_end(out());
	}
	json_arr_end(out());
	json_put_time(out(), "first", first);
	json_put_time(out(), "last", last);
	json_obj_end(out());
	buf_putc(out(), '\n');
}

static int by_hits(const void *a, const void *b)
{
	const struct fired_by *x = a, *y = b;

	return x->hits != y->hits ? (x->hits < y->hits ? 1 : -1) : x->person < y->person ? -1 : x->person > y->person;
}

static void put_text(struct replaying *p, struct fired *rule)
{
	_cleanup_buf_ struct buf line = BUF_INIT;

	qsort(rule->by, rule->n, sizeof(*rule->by), by_hits);
	buf_putf(out(), "%-8s  ", severity_name(rule->severity));
	buf_puts(&line, str_c(rule->title));
	buf_puts(&line, STR(": "));
	put_number(&line, rule->hits);
	buf_puts(&line, rule->hits == 1 ? STR(" firing, ") : STR(" firings, "));
	put_number(&line, rule->n);
	buf_puts(&line, rule->n == 1 ? STR(" person") : STR(" persons"));
	term_prose(buf_str(&line), 10, 10);
	buf_putc(out(), '\n');
	for (size_t i = 0; i < rule->n && i < SHOWN; i++) {
		str name = name_of(p, rule->by[i].person);

		term_spaces(10);
		show_person(name.p ? name : STR("(not known)"), 16);
		buf_putf(out(), "  %6llu   first ", (unsigned long long)rule->by[i].hits);
		show_time(rule->by[i].first);
		buf_putc(out(), '\n');
	}
	if (rule->n > SHOWN) {
		term_spaces(10);
		buf_putf(out(), "and %zu more (--json names all)\n", rule->n - SHOWN);
	}
}

static int by_severity(const void *a, const void *b)
{
	const struct fired *x = a, *y = b;

	return x->severity != y->severity ? (int)y->severity - (int)x->severity : strcmp(x->title, y->title);
}

static void report(struct replaying *p, uint64_t records, const struct ruleset_counts *c)
{
	qsort(p->v, p->n, sizeof(*p->v), by_severity);
	for (size_t i = 0; i < p->n && !interrupted(); i++)
		(cli.json ? put_json(p, &p->v[i]) : put_text(p, &p->v[i]));
	log_info("%llu records: %zu of %zu rules fired; they would raise %llu alert%s (%llu critical, %llu high, %llu medium, %llu low). "
		 "Nothing was recorded.",
		(unsigned long long)records, p->n, c->run, (unsigned long long)p->alerts, p->alerts == 1 ? "" : "s",
		(unsigned long long)p->by[SEVERITY_CRITICAL], (unsigned long long)p->by[SEVERITY_HIGH], (unsigned long long)p->by[SEVERITY_MEDIUM],
		(unsigned long long)p->by[SEVERITY_LOW]);
}

static void close_all(struct replaying *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].by);
	free(p->v);
	cases_free(p->cases);
	beside_free(p->beside);
	evidence_reader_close(p->r);
	buf_free(&p->scratch);
}

/* What is known now, as whoever follows the log keeps it; of a past that is asked for, its own past comes first. */
static int open_beside(struct replaying *p, struct replay_range *range)
{
	int r = beside_open(cli.state, p->r, range->below, range->below, &p->beside);

	if (r == 0)
		r = beside_catch_up(p->beside, range->below, UINT64_MAX);
	if (r < 0)
		log_error("the baseline: %s", *evidence_why() ? evidence_why() : strerror(-r));
	/* Who opened a decoy's copy before a scan had read it. */
	if (r == 0 && (r = copies_again(cli.state, p->r, beside_decoys(p->beside), 0, range->below, interrupted)) < 0 && r != -EINTR)
		log_error("copies of decoys: %s", *evidence_why() ? evidence_why() : strerror(-r));
	if (range->from)
		range->lead = range->from - (PROFILE_DAYS + 1) * (86400 * NSEC_PER_SEC);
	return r;
}

static int go(struct replaying *p, struct sigma *engine)
{
	struct replay_range range = { .from = cli.since ? cli.since - sigma_reach(engine) : 0, .to = cli.until };
	struct ruleset_counts counts;
	struct replay *past = NULL;
	bool more = true;
	int r = evidence_reader_open(cli.state, &p->r);

	if (r == 0)
		r = evidence_reader_refresh(p->r, &range.below);
	if (r < 0) {
		log_error("%s", evidence_why());
		return r;
	}
	r = open_beside(p, &range);
	if (r < 0)
		return r;
	p->cases = cases_new(NULL, p->r);
	r = p->cases ? replay_open(cli.state, p->r, engine, &range, p->beside, &past) : -ENOMEM;
	while (r == 0 && more && !(r = interrupted() ? -EINTR : 0)) {
		r = replay_step(past, STEP, take, p, &more);
		if (progress_on())
			fprintf(stderr, "\r%llu records\033[K", (unsigned long long)replay_records(past));
	}
	progress_end();
	if (r == 0)
		r = cases_flush(p->cases, range.below, count, p);
	ruleset_count(engine, &counts);
	if (r == 0)
		report(p, replay_records(past), &counts);
	else if (r != -EINTR)
		log_error("%s", *replay_why() ? replay_why() : strerror(-r));
	replay_close(past);
	return r;
}

int rules_replay(int n, char **paths)
{
	_cleanup_sigma_ struct sigma *engine = NULL;
	char *named[CONFIG_PATHS_MAX];
	struct replaying p = { 0 };
	struct ruleset *set = NULL;
	int r = lookup_unmask();

	if (r != EXIT_DONE)
		return r;
	if (!query_direct(cli.state)) {
		log_error("`tyto rules replay` reads the record itself, and %s cannot be read: run it as root", cli.state);
		return EXIT_FAILED;
	}
	for (int i = 0; i < n; i++)
		if (access(paths[i], F_OK) < 0) {
			log_error("%s: %s", paths[i], strerror(errno));
			return EXIT_FAILED;
		}
	/* Before we become the state's owner: rules may be root's. */
	r = n ? ruleset_load(paths, (size_t)n, &set) : ruleset_load(named, config_rules(&cli.config, named), &set);
	if (r == 0)
		r = ruleset_engine(set, &engine);
	if (r < 0)
		log_error("%s", ruleset_why());
	if (r == 0)
		r = writer_enter(false);
	if (r == 0)
		r = go(&p, engine);
	close_all(&p);
	ruleset_free(set);
	return r == -EINTR ? EXIT_INTERRUPTED : r < 0 ? exit_status(r) : EXIT_DONE;
}
