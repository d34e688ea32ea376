/* OCSF 1.8.0, class Detection Finding (uid 2004). Keys and numbers are those of github.com/ocsf/ocsf-schema. */
#include "base/json.h"
#include "event/attack.h"
#include "forward/form.h"

#define SHA256_ID 3 /* fingerprint.algorithm_id */
#define OBSERVABLE_HOSTNAME 1
#define OBSERVABLE_USER 4

enum activity { CREATE = 1, UPDATE, CLOSE };
enum finding_status { STATUS_NEW = 1, STATUS_SUPPRESSED = 3, STATUS_RESOLVED, STATUS_ARCHIVED };

static const struct {
	const char *name, *type;
} activities[] = {
	[CREATE] = { "Create", "Detection Finding: Create" },
	[UPDATE] = { "Update", "Detection Finding: Update" },
	[CLOSE] = { "Close", "Detection Finding: Close" },
};

static const struct {
	int id;
	const char *name;
} severities[] = {
	[SEVERITY_LOW] = { 2, "Low" }, [SEVERITY_MEDIUM] = { 3, "Medium" }, [SEVERITY_HIGH] = { 4, "High" },
	[SEVERITY_CRITICAL] = { 5, "Critical" },
};

/* Of a closed one, by reason; 0: quiet days. */
static const struct {
	enum finding_status id;
	const char *name;
} closed[] = {
	[0] = { STATUS_ARCHIVED, "Archived" }, [ALERT_THEFT] = { STATUS_RESOLVED, "Resolved" },
	[ALERT_EXPECTED] = { STATUS_SUPPRESSED, "Suppressed" }, [ALERT_MISTAKE] = { STATUS_SUPPRESSED, "Suppressed" },
};

static enum activity activity_of(const struct alert_view *v)
{
	return !v->open ? CLOSE : v->records > 1 ? UPDATE : CREATE;
}

static void activity_id(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, activity_of(v));
}

static void activity_name(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(activities[activity_of(v)].name));
}

static void type_uid(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, 2004 * 100 + activity_of(v));
}

static void type_name(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(activities[activity_of(v)].type));
}

static void severity_id(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, (uint64_t)severities[v->severity].id);
}

static void severity(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(severities[v->severity].name));
}

static void status_id(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, v->open ? STATUS_NEW : closed[v->reason].id);
}

static void status(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(v->open ? "New" : closed[v->reason].name));
}

static void is_alert(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, v->open ? STR("true") : STR("false"));
}

/* A device needs a type; it is not known. */
static void device_type(const struct alert_view *v, struct buf *b)
{
	if (v->host)
		buf_putc(b, '0');
}

static void put_user(const struct alert_view *v, struct buf *b)
{
	json_obj_begin(b);
	json_put_str(b, "name", str_c("person"));
	json_put_obj(b, "user");
	json_put_str(b, "name", str_c(v->person));
	json_put_u64(b, "type_id", 1);
	json_obj_end(b);
	json_obj_end(b);
}

static void put_file(const struct alert_document *d, struct buf *b)
{
	_cleanup_buf_ struct buf hash = BUF_INIT;

	form_sha256(d, &hash);
	json_obj_begin(b);
	json_put_obj(b, "file");
	json_put_str(b, "name", form_file_name(d->path));
	json_put_str(b, "path", str_c(d->path));
	json_put_u64(b, "type_id", 1);
	if (hash.n) {
		json_put_arr(b, "hashes");
		json_obj_begin(b);
		json_put_str(b, "algorithm", STR("SHA-256"));
		json_put_u64(b, "algorithm_id", SHA256_ID);
		json_put_str(b, "value", buf_str(&hash));
		json_obj_end(b);
		json_arr_end(b);
	}
	if (d->label) {
		json_put_arr(b, "tags");
		json_obj_begin(b);
		json_put_str(b, "name", STR("label"));
		json_put_str(b, "value", str_c(event_label_name(d->label)));
		json_obj_end(b);
		json_arr_end(b);
	}
	json_obj_end(b);
	json_obj_end(b);
}

static void evidences(const struct alert_view *v, struct buf *b)
{
	if (!v->person && v->n_documents == 0)
		return;
	json_arr_begin(b);
	if (v->person)
		put_user(v, b);
	for (size_t i = 0; i < v->n_documents; i++)
		put_file(&v->documents[i], b);
	json_arr_end(b);
}

static void put_observable(struct buf *b, const char *where, unsigned type_id, const char *type, const char *value)
{
	json_obj_begin(b);
	json_put_str(b, "name", str_c(where));
	json_put_u64(b, "type_id", type_id);
	json_put_str(b, "type", str_c(type));
	json_put_str(b, "value", str_c(value));
	json_obj_end(b);
}

static void observables(const struct alert_view *v, struct buf *b)
{
	if (!v->person && !v->host)
		return;
	json_arr_begin(b);
	if (v->person)
		put_observable(b, "evidences[0].user.name", OBSERVABLE_USER, "User Name", v->person);
	if (v->host)
		put_observable(b, "device.hostname", OBSERVABLE_HOSTNAME, "Hostname", v->host);
	json_arr_end(b);
}

static void related(const struct alert_view *v, struct buf *b)
{
	if (v->n_rules < 2)
		return;
	json_arr_begin(b);
	for (size_t i = 0; i < v->n_rules; i++) {
		json_obj_begin(b);
		json_put_str(b, "name", str_c(v->rules[i]));
		json_put_str(b, "type", STR("Rule"));
		json_put_u64(b, "type_id", 1);
		json_obj_end(b);
	}
	json_arr_end(b);
}

static void put_entity(struct buf *b, const char *key, str uid)
{
	json_put_obj(b, key);
	json_put_str(b, "uid", uid);
	json_obj_end(b);
}

/* Which of a rule's techniques serves which of its tactics is not said: each stands by itself. */
static void put_tactic(struct buf *b, str number)
{
	const char *name = attack_tactic_name(number);

	json_obj_begin(b);
	json_put_obj(b, "tactic");
	json_put_str(b, "uid", number);
	if (name)
		json_put_str(b, "name", str_c(name));
	json_obj_end(b);
	json_obj_end(b);
}

static void attacks(const struct alert_view *v, struct buf *b)
{
	if (v->n_attack + v->n_tactics == 0)
		return;
	json_arr_begin(b);
	for (size_t i = 0; i < v->n_attack; i++) {
		str whole = str_c(v->attack[i]), technique = form_technique(v->attack[i]);

		json_obj_begin(b);
		put_entity(b, "technique", technique);
		if (whole.n > technique.n)
			put_entity(b, "sub_technique", whole);
		json_obj_end(b);
	}
	for (size_t i = 0; i < v->n_tactics; i++)
		put_tactic(b, str_c(v->tactics[i]));
	json_arr_end(b);
}

static const struct form_field table[] = {
	{ "activity_id", FORM_RAW, .get = activity_id },
	{ "activity_name", FORM_TEXT, .get = activity_name },
	{ "category_name", FORM_TEXT, "Findings" },
	{ "category_uid", FORM_RAW, "2" },
	{ "class_name", FORM_TEXT, "Detection Finding" },
	{ "class_uid", FORM_RAW, "2004" },
	{ "type_name", FORM_TEXT, .get = type_name },
	{ "type_uid", FORM_RAW, .get = type_uid },
	{ "time", FORM_RAW, .get = form_changed_ms },
	{ "start_time", FORM_RAW, .get = form_first_ms },
	{ "end_time", FORM_RAW, .get = form_last_ms },
	{ "severity", FORM_TEXT, .get = severity },
	{ "severity_id", FORM_RAW, .get = severity_id },
	{ "status", FORM_TEXT, .get = status },
	{ "status_id", FORM_RAW, .get = status_id },
	{ "status_detail", FORM_TEXT, .get = form_status },
	{ "is_alert", FORM_RAW, .get = is_alert },
	{ "message", FORM_TEXT, .get = form_message },
	{ "metadata.version", FORM_TEXT, FORM_OCSF_VERSION },
	{ "metadata.log_name", FORM_TEXT, .get = form_log },
	{ "metadata.product.name", FORM_TEXT, "Tyto" },
	{ "metadata.product.vendor_name", FORM_TEXT, "Tyto" },
	{ "metadata.product.version", FORM_TEXT, TYTO_VERSION },
	{ "finding_info.uid", FORM_TEXT, .get = form_uid },
	{ "finding_info.title", FORM_TEXT, .get = form_rule },
	{ "finding_info.desc", FORM_TEXT, .get = form_why },
	{ "finding_info.created_time", FORM_RAW, .get = form_raised_ms },
	{ "finding_info.modified_time", FORM_RAW, .get = form_changed_ms },
	{ "finding_info.first_seen_time", FORM_RAW, .get = form_first_ms },
	{ "finding_info.last_seen_time", FORM_RAW, .get = form_last_ms },
	{ "finding_info.related_events_count", FORM_RAW, .get = form_records },
	{ "finding_info.analytic.name", FORM_TEXT, .get = form_rule },
	{ "finding_info.analytic.type", FORM_TEXT, "Rule" },
	{ "finding_info.analytic.type_id", FORM_RAW, "1" },
	{ "finding_info.attacks", FORM_RAW, .get = attacks },
	{ "finding_info.related_analytics", FORM_RAW, .get = related },
	{ "device.hostname", FORM_TEXT, .get = form_host },
	{ "device.type_id", FORM_RAW, .get = device_type },
	{ "evidences", FORM_RAW, .get = evidences },
	{ "observables", FORM_RAW, .get = observables },
	{ "unmapped.tyto", FORM_RAW, .get = form_details },
};

void form_ocsf(const struct alert_view *v, struct buf *b)
{
	form_object(table, ARRAY_SIZE(table), v, b);
}
