/* tyto alerts: the queue; one of them whole; and what a person says of it. */
#include <errno.h>
#include <jansson.h>

#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/alertas.h"
#include "cli/cli.h"
#include "cli/lookup.h"
#include "cli/show.h"
#include "cli/term.h"
#include "cli/writer.h"
#include "daemon/mask.h"
#include "daemon/query.h"
#include "detect/alerts.h"
#include "event/event_json.h"

static bool all, held;
static const char *as;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "all", 0, OPT_FLAG, &all, NULL, "closed ones and those of severity low, too" },
		{ "held", 0, OPT_FLAG, &held, NULL, "those that the daily budget holds back" },
		{ "as", 0, OPT_TEXT, &as, "FORM", "as others read them, a line each: ocsf, ecs or cef" },
		OPT_END,
	};
	return o;
}

struct view {
	struct evidence_reader *r;
	const struct names *names;
	struct alerts *alerts;
	bool mask;
	struct buf name, masked, event; /* scratch */
	uint64_t shown, closed, low, back; /* counted by the queue */
	enum severity severity;            /* that is listed just now */
	bool whole;                        /* show: with the timeline */
	int failed;
};

static void view_close(struct view *v)
{
	alerts_close(v->alerts);
	evidence_reader_close(v->r);
	buf_free(&v->name);
	buf_free(&v->masked);
	buf_free(&v->event);
}

/* The table is a view: whoever may write the state brings it up to the log himself, with a keeper or without. */
static int view_open(struct view *v)
{
	uint64_t size;
	int r = writer_enter(false);

	if (r < 0)
		return r;
	v->mask = lookup_mask();
	r = evidence_reader_open(cli.state, &v->r);
	if (r == 0)
		r = evidence_reader_refresh(v->r, &size);
	if (r < 0) {
		log_error("%s", evidence_why());
		return r;
	}
	v->names = evidence_reader_names(v->r);
	r = alerts_open(cli.state, true, &v->alerts);
	if (r == 0)
		r = alerts_advance(v->alerts, v->r, size);
	if (r < 0)
		log_error("%s", alerts_why());
	return r;
}

/* STR_NONE: not known, or erased. */
static str person_of(struct view *v, uint64_t number)
{
	str s;

	buf_clear(&v->masked);
	if (!number || names_value(v->names, NAME_PERSON, number, &s) < 0)
		return STR_NONE;
	return v->mask ? mask_person(v->names, s, &v->masked) : s;
}

static str path_of(struct view *v, uint64_t number)
{
	buf_clear(&v->name);
	buf_clear(&v->masked);
	if (names_path(v->names, number, &v->name) < 0)
		return STR("(erased)");
	return v->mask ? mask_path(v->names, buf_str(&v->name), &v->masked) : buf_str(&v->name);
}

static const char *status_of(const struct alert *al)
{
	return al->open ? (al->held ? "held" : "open") : "closed";
}

/* What the records behind an alert say of its documents. */
struct known_document {
	uint64_t path;
	enum event_label label;
	uint8_t hash[32];
	bool has_hash;
};

static int read_event(struct view *v, uint64_t seq, struct leaf *l)
{
	str packed;
	int r = evidence_read(v->r, seq, &packed);

	if (r == 0)
		r = leaf_decode((const uint8_t *)packed.p, packed.n, l);
	return r < 0 ? r : l->kind == LEAF_EVENT ? 0 : -EINVAL;
}

static void look_up(struct view *v, const json_t *body, struct known_document *d)
{
	const json_t *one;
	struct event e;
	struct leaf l;
	size_t i;

	json_array_foreach(json_object_get(body, "events"), i, one) {
		uint64_t seq = (uint64_t)json_integer_value(one);

		if (read_event(v, seq, &l) < 0 || l.value[EV_PATH] != d->path)
			continue;
		if (l.present & EV_BIT(EV_LABEL))
			d->label = (enum event_label)l.value[EV_LABEL];
		buf_clear(&v->event);
		if (l.present & EV_BIT(EV_DOCUMENT) && evidence_event(v->names, seq, &l, &v->event, &e) == 0 && event_has(&e, EV_DOCUMENT)) {
			memcpy(d->hash, e.document, sizeof(d->hash));
			d->has_hash = true;
		}
	}
}

static void put_documents_json(struct view *v, const json_t *body)
{
	const json_t *one;
	size_t i;

	json_put_arr(out(), "documents");
	json_array_foreach(json_object_get(body, "documents"), i, one) {
		struct known_document d = { .path = (uint64_t)json_integer_value(one) };

		look_up(v, body, &d);
		json_obj_begin(out());
		json_put_str(out(), "path", path_of(v, d.path));
		if (d.has_hash) {
			char hex[65];

			for (int k = 0; k < 32; k++)
				snprintf(hex + 2 * k, 3, "%02x", d.hash[k]);
			buf_clear(&v->name);
			buf_putf(&v->name, "sha256:%s", hex);
			json_put_str(out(), "document", buf_str(&v->name));
		}
		if (d.label)
			json_put_str(out(), "label", str_c(event_label_name(d.label)));
		json_obj_end(out());
	}
	json_arr_end(out());
}

static int each_event(struct view *v, const json_t *body, void (*show)(const struct event *e))
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(body, "events"), i, one) {
		uint64_t seq = (uint64_t)json_integer_value(one);
		struct event e;
		struct leaf l;
		int r = read_event(v, seq, &l);

		buf_clear(&v->event);
		buf_clear(&v->masked);
		if (r == 0)
			r = evidence_event(v->names, seq, &l, &v->event, &e);
		if (r < 0)
			return r;
		if (v->mask)
			mask_event(v->names, &e, &v->masked);
		show(&e);
	}
	return 0;
}

static void put_copied(const json_t *body, const char *key)
{
	char *text = json_dumps(json_object_get(body, key), JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		return;
	json_key(out(), key);
	json_raw(out(), str_c(text));
	free(text);
}

static void put_event_json(const struct event *e)
{
	event_to_json(out(), e);
}

static void put_json(struct view *v, const struct alert *al, const json_t *body)
{
	static const char *const copied[] = { "title", "why", "events", "more", "rules", "quieted", "joined" };
	str person = person_of(v, al->person);

	json_obj_begin(out());
	json_put_u64(out(), "id", al->number);
	json_put_time(out(), "time", al->raised);
	json_put_str(out(), "severity", str_c(severity_name(al->severity)));
	if (person.p)
		json_put_str(out(), "person", person);
	json_put_str(out(), "rule", al->rule);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		put_copied(body, copied[i]);
	put_documents_json(v, body);
	json_put_str(out(), "status", str_c(status_of(al)));
	json_put_time(out(), "changed", al->changed);
	if (al->reason)
		json_put_str(out(), "reason", str_c(alert_reason_name(al->reason)));
	if (al->has_account && !v->mask)
		json_put_u64(out(), "closed_by", al->account);
	if (v->whole) {
		json_put_arr(out(), "timeline");
		v->failed = each_event(v, body, put_event_json);
		json_arr_end(out());
	}
	json_obj_end(out());
	buf_putc(out(), '\n');
}

static void put_why(const json_t *body)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(body, "why"), i, one) {
		term_spaces(6);
		show_text(str_c(json_string_value(one)));
		buf_putc(out(), '\n');
	}
}

static void put_line(struct view *v, const struct alert *al)
{
	str person = person_of(v, al->person);

	buf_putf(out(), "%-5llu %-8s  ", (unsigned long long)al->number, severity_name(al->severity));
	show_time(al->raised);
	buf_puts(out(), STR("  "));
	show_person(person.p ? person : STR("(not known)"), 11);
	buf_puts(out(), STR("  "));
	show_text(al->rule);
	if (!al->open)
		buf_putf(out(), "  (closed%s%s)", al->reason ? ": " : "", al->reason ? alert_reason_name(al->reason) : "");
	else if (al->held)
		buf_puts(out(), STR("  (held back)"));
	buf_putc(out(), '\n');
}

/* An event is a line of its own already. */
static void put_whole(struct view *v, const struct alert *al, const json_t *body)
{
	const json_t *one;
	size_t i;

	buf_puts(out(), STR("\nDocuments\n"));
	json_array_foreach(json_object_get(body, "documents"), i, one) {
		struct known_document d = { .path = (uint64_t)json_integer_value(one) };

		look_up(v, body, &d);
		buf_putf(out(), "  %-12s  ", d.label ? event_label_name(d.label) : "-");
		show_text(path_of(v, d.path));
		buf_putc(out(), '\n');
	}
	buf_puts(out(), STR("\nTimeline\n"));
	v->failed = each_event(v, body, show_event);
	if (json_object_get(body, "quieted"))
		buf_putf(out(), "\n%lld firings since it was closed as expected raised nothing\n", (long long)json_integer_value(json_object_get(body, "quieted")));
	if (al->has_account && !v->mask)
		buf_putf(out(), "\nClosed by uid %u as %s\n", al->account, alert_reason_name(al->reason));
}

static void put(struct view *v, const struct alert *al)
{
	json_t *body = json_loadb(al->body.p, al->body.n, 0, NULL);

	if (as) {
		v->failed = alertas_put(v->r, al, v->mask, as);
	} else if (cli.json) {
		put_json(v, al, body);
	} else {
		put_line(v, al);
		put_why(body);
		if (v->whole)
			put_whole(v, al, body);
	}
	json_decref(body);
}

static int queue_one(void *arg, const struct alert *al)
{
	struct view *v = arg;

	if (al->severity != v->severity || (cli.since && al->raised < cli.since) || (cli.until && al->raised >= cli.until))
		return interrupted() ? -EINTR : 0;
	if (held != al->held && !all) {
		v->back += al->held;
		return 0;
	}
	if (!all && (!al->open || (al->severity == SEVERITY_LOW && !held))) {
		v->closed += !al->open;
		v->low += al->open;
		return 0;
	}
	if (cli.limit && v->shown >= cli.limit)
		return 1;
	v->shown++;
	put(v, al);
	return v->failed;
}

/* The most severe first. */
static int queue(struct view *v)
{
	int r = 0;

	for (unsigned s = SEVERITY_MAX_; s-- > SEVERITY_LOW && r >= 0;) {
		v->severity = (enum severity)s;
		r = alerts_each(v->alerts, queue_one, v);
	}
	if (r >= 0)
		log_info("%llu alert%s%s; not shown: %llu held back by the daily budget, %llu closed, %llu of severity low", (unsigned long long)v->shown,
			v->shown == 1 ? "" : "s",
			held ? " held back" : "", (unsigned long long)v->back, (unsigned long long)v->closed, (unsigned long long)v->low);
	return r;
}

static int show_one(void *arg, const struct alert *al)
{
	struct view *v = arg;

	put(v, al);
	return v->failed;
}

/* --- closing --- */

static int keep(void *arg, const struct alert *al)
{
	*(struct alert *)arg = *al;
	return 0;
}

static int close_alone(uint64_t id, enum alert_reason reason, uint32_t uid)
{
	const struct evidence_alert a = { .time = time_now(), .number = id, .phase = ALERT_CLOSED, .reason = reason, .account = &uid };
	struct evidence *e = NULL;
	uint64_t seq;
	int r = writer_open(false, &e);

	if (r < 0)
		return r;
	r = evidence_append_alert(e, &a, &seq);
	if (r == 0)
		r = evidence_commit(e);
	if (r < 0)
		log_error("%s", evidence_why());
	evidence_close(e);
	return r;
}

static int close_one(struct view *v, uint64_t id, enum alert_reason reason, uint32_t uid)
{
	struct alert al = { 0 };
	json_t *request;
	int r = alerts_one(v->alerts, id, keep, &al);

	if (r < 0) {
		log_error("%s", alerts_why());
		return r;
	}
	if (!al.open) {
		log_error("alert %llu is closed already", (unsigned long long)id);
		return -EALREADY;
	}
	request = json_pack("{s:s,s:I,s:i,s:I}", "do", "alert", "close", (json_int_t)id, "reason", (int)reason, "uid", (json_int_t)uid);
	r = request ? query_ask(cli.state, request, NULL) : -ENOMEM;
	json_decref(request);
	if (r == -ENOENT)
		return close_alone(id, reason, uid);
	if (r < 0)
		log_error("%s", query_why());
	return r;
}

/* The human behind sudo, where the system knows. */
static uint32_t whoami(void)
{
	unsigned long login = UINT32_MAX;
	FILE *f = fopen("/proc/self/loginuid", "re");

	if (f && fscanf(f, "%lu", &login) != 1)
		login = UINT32_MAX;
	if (f)
		fclose(f);
	return login < UINT32_MAX ? (uint32_t)login : getuid();
}

static int run(int argc, char **argv)
{
	bool show = argc == 2 && strcmp(argv[0], "show") == 0, closing = argc == 2 && strcmp(argv[0], "close") == 0;
	enum alert_reason reason = closing && cli.reason ? alert_reason_from(str_c(cli.reason)) : 0;
	struct view v = { .whole = show };
	uint32_t uid = whoami();
	uint64_t id = 0;
	int r;

	if (argc && !show && !closing)
		return usage_error("`tyto alerts`: expected show ID or close ID, or nothing");
	if (argc && (str_to_u64(str_c(argv[1]), &id) < 0 || id == 0))
		return usage_error("`tyto alerts %s %s`: expected the number of an alert", argv[0], argv[1]);
	if (closing && !reason)
		return usage_error("`tyto alerts close`: expected --reason theft, expected or mistake");
	if (as && (closing || !form_find(as)))
		return usage_error("`tyto alerts --as %s`: expected ocsf, ecs or cef, of the queue or of show ID", as);
	r = closing ? EXIT_DONE : lookup_unmask();
	if (r != EXIT_DONE)
		return r;
	r = view_open(&v);
	if (r < 0) {
		view_close(&v);
		return exit_status(r);
	}
	if (closing) {
		r = close_one(&v, id, reason, uid);
	} else {
		r = show ? alerts_one(v.alerts, id, show_one, &v) : queue(&v);
		if (r < 0 && r != -EINTR)
			log_error("%s", v.failed == -ENOMEM ? "no memory" : v.failed ? evidence_why() : alerts_why());
	}
	view_close(&v);
	return r < 0 ? exit_status(r) : EXIT_DONE;
}

const struct command cmd_alerts = {
	.name = "alerts", .args = "[show ID | close ID --reason theft|expected|mistake]",
	.summary = "what the detectors found, with the reason in sentences and the events behind it",
	.examples = "  tyto alerts                               the queue, the most severe first\n"
		    "  tyto alerts show 3                        documents and timeline\n"
		    "  tyto alerts close 3 --reason expected     quiet for 30 days: this person, these rules, this folder\n"
		    "  tyto alerts --held                        what the daily budget holds back\n"
		    "  tyto alerts --as ocsf                     for other systems: OCSF 1.8.0, ECS 9.4.0 or CEF, a line an alert\n",
	.notes = "One alert a person a case: it grows as more is found, is closed by 14 quiet days of event time, and comes back when something more\n"
		 "severe is found. Of a day's alerts, 3 persons of 1,000 known (at least one) are shown, the most severe first; critical ones, decoys and\n"
		 "tampering always. Alerts and what is said of them are records in the log. Root, or the account that owns the state.\n",
	.options = options, .run = run,
};
