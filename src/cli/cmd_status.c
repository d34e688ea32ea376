/* tyto status: the state of everything, from the keeper while it runs, else from the state directory. */
#include <errno.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/term.h"
#include "daemon/query.h"
#include "daemon/status.h"
#include "detect/alerts.h"
#include "extract/extract.h"

static int count_alert(void *arg, const struct alert *al)
{
	struct status_detection *d = arg;

	d->open += al->open;
	d->held += al->open && al->held;
	return 0;
}

/* As it stood when somebody last looked: an import brings the table up to date. */
static void detection_alone(struct status_detection *d, char set[static 65])
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct alerts *a = NULL;
	json_t *j = NULL;

	if (alerts_open(cli.state, false, &a) == 0 && alerts_each(a, count_alert, d) == 0) {
		d->known = true;
		if (alerts_ruleset(a, &d->since, &b) == 0 && (j = json_loadb(b.p, b.n, 0, NULL))) {
			d->rules = (uint64_t)json_integer_value(json_object_get(j, "rules"));
			d->run = (uint64_t)json_integer_value(json_object_get(j, "run"));
			d->broken = (uint64_t)json_integer_value(json_object_get(j, "broken"));
			snprintf(set, 65, "%s", json_string_value(json_object_get(j, "sha256")) ? json_string_value(json_object_get(j, "sha256")) : "");
			d->set = set;
		}
	}
	json_decref(j);
	alerts_close(a);
}

/* Without a keeper: what the log itself says. */
static int status_alone(struct buf *b)
{
	struct evidence_reader *r = NULL;
	struct status s = { .state = cli.state, .names = true };
	struct index_stat ix = { 0 };
	struct documents *d = NULL;
	struct documents_stat documents;
	char set[65] = "";
	int e = evidence_reader_open(cli.state, &r);

	if (e == 0)
		e = evidence_reader_stat(r, &s.evidence);
	evidence_reader_close(r);
	if (e < 0) {
		log_error("%s", evidence_why());
		return e;
	}
	if (index_stat(cli.state, &ix) == 0)
		s.indexed = ix.indexed;
	/* None has been scanned yet, or not by a version that this one reads. */
	if (documents_open(cli.state, false, &d) == 0 && documents_stat(d, &documents) == 0)
		s.documents = &documents;
	detection_alone(&s.detection, set);
	status_put(&s, b);
	documents_close(d);
	return 0;
}

static int status_json(json_t **ret)
{
	json_t *request = json_pack("{s:s}", "do", "status");
	int r = -ECONNRESET;

	/* A keeper that ends while it is asked is started again, or there is none any more. */
	for (int tries = 0; tries < 3 && (r == -ECONNRESET || r == -EPIPE); tries++)
		r = query_ask(cli.state, request, ret);
	json_decref(request);
	if (r == -ENOENT || r == -EACCES || r == -ECONNRESET || r == -EPIPE) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		r = status_alone(&b);
		if (r == 0)
			*ret = json_loadb(b.p, b.n, 0, NULL);
		return r < 0 ? r : *ret ? 0 : -EBADMSG;
	}
	if (r < 0)
		log_error("%s", query_why());
	return r;
}

static uint64_t u64_at(json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

#define VALUE_AT 15

static void line(const char *label)
{
	buf_putf(out(), "%-14s ", label);
}

/* What was written to out() since `from`, after a label, becomes prose beside it. */
static void end_line(size_t from)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	buf_put(&text, out()->p + from, out()->n - from);
	out()->n = from;
	term_prose(buf_str(&text), VALUE_AT, VALUE_AT);
	buf_putc(out(), '\n');
}

static void show_bytes(uint64_t n)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n;
	size_t u = 0;

	while (v >= 1024 && u + 1 < ARRAY_SIZE(units)) {
		v /= 1024;
		u++;
	}
	buf_putf(out(), u ? "%.1f %s" : "%.0f %s", v, units[u]);
}

static void show_when(const char *rfc3339)
{
	int64_t t;

	if (rfc3339 && time_parse(str_c(rfc3339), &t) == 0)
		show_time(t);
}

static void show_watching(json_t *j)
{
	json_t *w = json_object_get(j, "watching"), *p;
	size_t i, from;

	line("watching");
	from = out()->n;
	if (!json_is_true(json_object_get(j, "running")))
		buf_puts(out(), STR("nothing: no `tyto watch` runs on this state"));
	else if (json_array_size(w) == 0)
		buf_puts(out(), query_direct(cli.state) ? STR("(starting)") : STR("what, is told to root and members of the group tyto-read"));
	json_array_foreach(w, i, p) {
		buf_puts(out(), i ? STR(", ") : STR(""));
		show_text(str_c(json_string_value(p)));
	}
	if (json_object_get(j, "backend"))
		buf_putf(out(), "  (%s)", json_string_value(json_object_get(j, "backend")));
	end_line(from);
}

static void show_losses(json_t *j)
{
	uint64_t gaps = u64_at(j, "gaps");

	line("lost");
	show_number(u64_at(j, "lost"));
	buf_puts(out(), u64_at(j, "lost") == 1 ? STR(" record, ") : STR(" records, "));
	show_number(gaps);
	buf_puts(out(), gaps == 1 ? STR(" gap") : STR(" gaps"));
	buf_puts(out(), gaps ? STR(" (`tyto events --verb gap` lists them)\n") : STR("\n"));
}

static void show_disk(json_t *j)
{
	json_t *d = json_object_get(j, "disk");
	size_t from;

	line("disk");
	from = out()->n;
	buf_puts(out(), STR("record "));
	show_bytes(u64_at(d, "log"));
	buf_puts(out(), STR(", index "));
	show_bytes(u64_at(d, "index"));
	if (json_object_get(d, "per_day")) {
		buf_puts(out(), STR(", "));
		show_bytes(u64_at(d, "per_day"));
		buf_puts(out(), STR(" a day"));
	}
	if (json_object_get(d, "full_on")) {
		buf_puts(out(), STR(", full on "));
		show_when(json_string_value(json_object_get(d, "full_on")));
	}
	end_line(from);
	if (json_is_true(json_object_get(d, "full")))
		buf_puts(out(), STR("DISK FULL: accesses are not recorded; the gap is noted\n"));
}

static void show_inventory(json_t *j)
{
	static const char *const labels[] = { "restricted", "confidential", "internal", "public" };
	json_t *i = json_object_get(j, "inventory"), *l = json_object_get(i, "labels");

	line("inventory");
	if (u64_at(i, "places") == 0) {
		buf_puts(out(), STR("nothing yet (`tyto scan PATH` takes it)\n"));
		return;
	}
	show_number(u64_at(i, "documents"));
	buf_puts(out(), STR(" documents in "));
	show_number(u64_at(i, "places"));
	buf_puts(out(), STR(" places ("));
	show_number(u64_at(i, "gone"));
	buf_puts(out(), STR(" gone): "));
	for (size_t k = 0; k < ARRAY_SIZE(labels); k++) {
		if (u64_at(l, labels[k]) == 0)
			continue;
		show_number(u64_at(l, labels[k]));
		buf_putf(out(), " %s, ", labels[k]);
	}
	show_number(u64_at(i, "unlabelled"));
	buf_puts(out(), STR(" without label"));
	if (u64_at(i, "unreadable")) {
		buf_puts(out(), STR("; "));
		show_number(u64_at(i, "unreadable"));
		buf_puts(out(), STR(" unreadable"));
	}
	if (u64_at(i, "waiting_ocr")) {
		buf_puts(out(), STR("; pictures of "));
		show_number(u64_at(i, "waiting_ocr"));
		buf_puts(out(), STR(" wait to be read"));
	}
	buf_puts(out(), STR("; the text of "));
	show_number(u64_at(json_object_get(j, "fingerprints"), "documents"));
	buf_puts(out(), STR(" can be traced"));
	buf_putc(out(), '\n');
}

static void show_detection(json_t *j)
{
	json_t *rules = json_object_get(j, "rules"), *alerts = json_object_get(j, "alerts");
	size_t from;

	if (!rules)
		return;
	line("alerts");
	from = out()->n;
	show_number(u64_at(alerts, "open"));
	buf_puts(out(), STR(" open"));
	if (u64_at(alerts, "held")) {
		buf_puts(out(), STR(", "));
		show_number(u64_at(alerts, "held"));
		buf_puts(out(), STR(" of them held back by the daily budget"));
	}
	if (u64_at(alerts, "waiting")) {
		buf_puts(out(), STR("; "));
		show_number(u64_at(alerts, "waiting"));
		buf_puts(out(), STR(" records that came late are still to be looked at"));
	}
	if (json_is_true(json_object_get(rules, "failed")))
		buf_puts(out(), STR("; NOTHING IS LOOKED AT: detection has ended (the keeper's log says why)"));
	end_line(from);
	line("rules");
	from = out()->n;
	show_number(u64_at(rules, "run"));
	buf_puts(out(), STR(" of "));
	show_number(u64_at(rules, "all"));
	buf_puts(out(), STR(" run"));
	if (u64_at(rules, "broken")) {
		buf_puts(out(), STR(", "));
		show_number(u64_at(rules, "broken"));
		buf_puts(out(), STR(" broken (`tyto rules check`)"));
	}
	if (json_object_get(rules, "since")) {
		buf_puts(out(), STR("; in force since "));
		show_when(json_string_value(json_object_get(rules, "since")));
	}
	if (json_object_get(rules, "sha256"))
		buf_putf(out(), " (set %.12s)", json_string_value(json_object_get(rules, "sha256")));
	end_line(from);
}

/* What keeps the readers of documents in, here and now. */
static void put_sandbox(json_t *j)
{
	const char *reason = "", *in_force = extract_sandbox(&reason);

	if (in_force)
		json_object_set_new(j, "sandbox", json_string(in_force));
}

static void show_sandbox(json_t *j)
{
	const char *reason = "";

	if (json_object_get(j, "sandbox"))
		return;
	extract_sandbox(&reason);
	line("sandbox");
	buf_putf(out(), "NONE: documents are not read (%s)\n", reason);
}

static void show_notify(json_t *j)
{
	json_t *n = json_object_get(j, "notify");
	size_t from;

	if (!n)
		return;
	line("notify");
	from = out()->n;
	if (!json_is_true(json_object_get(n, "running")))
		buf_puts(out(), STR("nobody tells just now (`tyto watch` and `tyto notify run` do); "));
	show_number(u64_at(n, "sent"));
	buf_puts(out(), STR(" sent"));
	if (u64_at(n, "waiting")) {
		buf_puts(out(), STR(", "));
		show_number(u64_at(n, "waiting"));
		buf_puts(out(), u64_at(n, "waiting") == 1 ? STR(" waits since ") : STR(" wait since "));
		show_when(json_string_value(json_object_get(n, "oldest")));
	}
	if (u64_at(n, "dead")) {
		buf_puts(out(), STR(", "));
		show_number(u64_at(n, "dead"));
		buf_puts(out(), STR(" DEAD (`tyto notify dead` lists them)"));
	}
	end_line(from);
}

static void show_status(json_t *j)
{
	json_t *c = json_object_get(j, "checkpoint"), *keeper = json_object_get(j, "keeper"), *spots = json_object_get(j, "blind_spots"), *s;
	size_t i;

	show_watching(j);
	line("records");
	show_number(u64_at(j, "records"));
	buf_puts(out(), u64_at(j, "records") == 1 ? STR(" event in ") : STR(" events in "));
	show_number(u64_at(j, "leaves"));
	buf_puts(out(), u64_at(j, "leaves") == 1 ? STR(" leaf; indexed ") : STR(" leaves; indexed "));
	show_number(u64_at(j, "indexed"));
	buf_puts(out(), STR("; waiting "));
	show_number(u64_at(j, "queue"));
	buf_putc(out(), '\n');
	if (u64_at(j, "unknown")) {
		line("not understood");
		show_number(u64_at(j, "unknown"));
		buf_puts(out(), STR(" leaves of kinds that a newer tyto wrote: kept and proved, not shown\n"));
	}
	line("checkpoint");
	show_number(u64_at(c, "size"));
	buf_puts(out(), STR(" leaves signed"));
	if (json_object_get(c, "time")) {
		buf_puts(out(), STR(" at "));
		show_when(json_string_value(json_object_get(c, "time")));
	}
	buf_putc(out(), '\n');
	show_losses(j);
	show_disk(j);
	show_inventory(j);
	show_detection(j);
	show_notify(j);
	show_sandbox(j);
	if (keeper && !json_is_true(json_object_get(keeper, "account"))) {
		size_t from;

		line("keeper");
		from = out()->n;
		buf_putf(out(), "there is no account `tyto`: the keeper runs as uid %llu (`useradd --system tyto` gives it its own)",
			(unsigned long long)u64_at(keeper, "uid"));
		end_line(from);
	}
	if (json_array_size(spots)) {
		buf_puts(out(), STR("blind spots\n"));
		json_array_foreach(spots, i, s) {
			buf_puts(out(), STR("  - "));
			term_prose(str_c(json_string_value(s)), 4, 4);
			buf_putc(out(), '\n');
		}
	}
}

static int run(int argc, char **argv)
{
	json_t *j = NULL;
	char *text;
	int r;

	if (argc > 0)
		return usage_error("`tyto status` takes no arguments");
	r = status_json(&j);
	if (r < 0)
		return exit_status(r);
	put_sandbox(j);
	if (cli.json) {
		text = json_dumps(j, JSON_COMPACT);
		buf_puts(out(), str_c(text));
		buf_putc(out(), '\n');
		free(text);
	} else {
		show_status(j);
	}
	json_decref(j);
	return EXIT_DONE;
}

const struct command cmd_status = {
	.name = "status", .args = "", .summary = "the state of everything",
	.examples = "  tyto status             what is watched, recorded, lost, and how long the disk lasts\n"
		    "  tyto status --json      the same for scripts\n",
	.run = run,
};
