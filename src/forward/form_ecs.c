/* Elastic Common Schema 9.4.0. Keys are those of github.com/elastic/ecs (generated/csv/fields.csv); what it has no key for stands below
 * `tyto`, a name that it leaves to others. */
#include "base/json.h"
#include "event/attack.h"
#include "forward/form.h"

/* As Elastic's own detection rules number them. */
static const unsigned severities[] = { [SEVERITY_LOW] = 21, [SEVERITY_MEDIUM] = 47, [SEVERITY_HIGH] = 73, [SEVERITY_CRITICAL] = 99 };

static void severity(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, severities[v->severity]);
}

static void action(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, !v->open ? STR("alert-closed") : v->records > 1 ? STR("alert-changed") : STR("alert-raised"));
}

/* ECS knows one file an event: where there are more they stand below `tyto`. */
static const struct alert_document *only_file(const struct alert_view *v)
{
	return v->n_documents == 1 ? &v->documents[0] : NULL;
}

static void file_path(const struct alert_view *v, struct buf *b)
{
	if (only_file(v))
		buf_puts(b, str_c(only_file(v)->path));
}

static void file_name(const struct alert_view *v, struct buf *b)
{
	if (only_file(v))
		buf_puts(b, form_file_name(only_file(v)->path));
}

static void file_hash(const struct alert_view *v, struct buf *b)
{
	if (only_file(v))
		form_sha256(only_file(v), b);
}

static void list_of_one(const char *s, struct buf *b)
{
	if (!s)
		return;
	json_arr_begin(b);
	json_str(b, str_c(s));
	json_arr_end(b);
}

static void related_user(const struct alert_view *v, struct buf *b)
{
	list_of_one(v->person, b);
}

static void related_hosts(const struct alert_view *v, struct buf *b)
{
	list_of_one(v->host, b);
}

static void related_hash(const struct alert_view *v, struct buf *b)
{
	_cleanup_buf_ struct buf hash = BUF_INIT;
	bool any = false;

	for (size_t i = 0; i < v->n_documents; i++)
		any |= v->documents[i].has_hash;
	if (!any)
		return;
	json_arr_begin(b);
	for (size_t i = 0; i < v->n_documents; i++) {
		buf_clear(&hash);
		form_sha256(&v->documents[i], &hash);
		if (hash.n)
			json_str(b, buf_str(&hash));
	}
	json_arr_end(b);
}

static void framework(const struct alert_view *v, struct buf *b)
{
	if (v->n_attack || v->n_tactics)
		buf_puts(b, STR("MITRE ATT&CK"));
}

static void tactics(const struct alert_view *v, struct buf *b)
{
	if (v->n_tactics == 0)
		return;
	json_arr_begin(b);
	for (size_t i = 0; i < v->n_tactics; i++)
		json_str(b, str_c(v->tactics[i]));
	json_arr_end(b);
}

/* In the same order; all of them, or none. */
static void tactic_names(const struct alert_view *v, struct buf *b)
{
	for (size_t i = 0; i < v->n_tactics; i++)
		if (!attack_tactic_name(str_c(v->tactics[i])))
			return;
	if (v->n_tactics == 0)
		return;
	json_arr_begin(b);
	for (size_t i = 0; i < v->n_tactics; i++)
		json_str(b, str_c(attack_tactic_name(str_c(v->tactics[i]))));
	json_arr_end(b);
}

/* Those of a technique that stand before it in the list are looked at: each id once. */
static bool is_first(const struct alert_view *v, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq(form_technique(v->attack[i]), form_technique(v->attack[at])))
			return false;
	return true;
}

static void techniques(const struct alert_view *v, struct buf *b)
{
	if (v->n_attack == 0)
		return;
	json_arr_begin(b);
	for (size_t i = 0; i < v->n_attack; i++)
		if (is_first(v, i))
			json_str(b, form_technique(v->attack[i]));
	json_arr_end(b);
}

static void subtechniques(const struct alert_view *v, struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_attack; i++) {
		if (!strchr(v->attack[i], '.'))
			continue;
		if (n++ == 0)
			json_arr_begin(b);
		json_str(b, str_c(v->attack[i]));
	}
	if (n)
		json_arr_end(b);
}

static const struct form_field table[] = {
	{ "@timestamp", FORM_TEXT, .get = form_changed },
	{ "ecs.version", FORM_TEXT, FORM_ECS_VERSION },
	{ "message", FORM_TEXT, .get = form_message },
	{ "event.kind", FORM_TEXT, "alert" },
	{ "event.category", FORM_RAW, "[\"file\"]" },
	{ "event.type", FORM_RAW, "[\"access\"]" },
	{ "event.action", FORM_TEXT, .get = action },
	{ "event.module", FORM_TEXT, "tyto" },
	{ "event.dataset", FORM_TEXT, "tyto.alert" },
	{ "event.provider", FORM_TEXT, "tyto" },
	{ "event.id", FORM_TEXT, .get = form_uid },
	{ "event.severity", FORM_RAW, .get = severity },
	{ "event.created", FORM_TEXT, .get = form_raised },
	{ "event.start", FORM_TEXT, .get = form_first },
	{ "event.end", FORM_TEXT, .get = form_last },
	{ "event.reason", FORM_TEXT, .get = form_why },
	{ "rule.name", FORM_TEXT, .get = form_rule },
	{ "user.name", FORM_TEXT, .get = form_person },
	{ "host.name", FORM_TEXT, .get = form_host },
	{ "host.hostname", FORM_TEXT, .get = form_host },
	{ "file.path", FORM_TEXT, .get = file_path },
	{ "file.name", FORM_TEXT, .get = file_name },
	{ "file.hash.sha256", FORM_TEXT, .get = file_hash },
	{ "observer.vendor", FORM_TEXT, "Tyto" },
	{ "observer.product", FORM_TEXT, "Tyto" },
	{ "observer.version", FORM_TEXT, TYTO_VERSION },
	{ "related.user", FORM_RAW, .get = related_user },
	{ "related.hosts", FORM_RAW, .get = related_hosts },
	{ "related.hash", FORM_RAW, .get = related_hash },
	{ "threat.framework", FORM_TEXT, .get = framework },
	{ "threat.tactic.id", FORM_RAW, .get = tactics },
	{ "threat.tactic.name", FORM_RAW, .get = tactic_names },
	{ "threat.technique.id", FORM_RAW, .get = techniques },
	{ "threat.technique.subtechnique.id", FORM_RAW, .get = subtechniques },
	{ "labels.severity", FORM_TEXT, .get = form_severity },
	{ "labels.status", FORM_TEXT, .get = form_status },
	{ "tyto", FORM_RAW, .get = form_details },
};

void form_ecs(const struct alert_view *v, struct buf *b)
{
	form_object(table, ARRAY_SIZE(table), v, b);
}
