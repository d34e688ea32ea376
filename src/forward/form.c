#include "forward/form.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/timefmt.h"

const struct form forms[] = {
	{ "ocsf", form_ocsf },
	{ "ecs", form_ecs },
	{ "cef", form_cef },
	{ NULL, NULL },
};

const struct form *form_find(const char *name)
{
	for (const struct form *f = forms; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

/* --- JSON from a table --- */

/* Levels of a key that it has in common with the one before. */
static size_t common(const char *a, const char *b)
{
	size_t levels = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		levels += a[i] == '.';
	return levels;
}

static size_t levels(const char *key)
{
	size_t n = 0;

	for (; *key; key++)
		n += *key == '.';
	return n;
}

/* Closes what is left, opens what is entered, and writes the last part. */
static void enter(struct buf *b, const char *before, const char *key)
{
	size_t same = common(before, key), at = 0;

	for (size_t i = levels(before); i > same; i--)
		json_obj_end(b);
	for (size_t i = 0;; i++) {
		const char *dot = strchr(key + at, '.');
		char part[64];

		snprintf(part, sizeof(part), "%.*s", (int)(dot ? (size_t)(dot - key) - at : strlen(key + at)), key + at);
		if (!dot) {
			json_key(b, part);
			return;
		}
		if (i >= same)
			json_put_obj(b, part);
		at = (size_t)(dot - key) + 1;
	}
}

void form_object(const struct form_field *table, size_t n, const struct alert_view *v, struct buf *b)
{
	_cleanup_buf_ struct buf value = BUF_INIT;
	const char *before = "";

	json_obj_begin(b);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&value);
		if (table[i].constant)
			buf_puts(&value, str_c(table[i].constant));
		else
			table[i].get(v, &value);
		if (value.n == 0)
			continue;
		enter(b, before, table[i].key);
		(table[i].type == FORM_TEXT ? json_str : json_raw)(b, buf_str(&value));
		before = table[i].key;
	}
	for (size_t i = levels(before); i > 0; i--)
		json_obj_end(b);
	json_obj_end(b);
	buf_putc(b, '\n');
}

/* --- parts --- */

void form_uid(const struct alert_view *v, struct buf *b)
{
	alert_view_uid(v, b);
}

void form_number(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, v->number);
}

void form_rule(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(v->rule ? v->rule : "(no rule)"));
}

void form_person(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(v->person));
}

void form_host(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(v->host));
}

void form_log(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(v->log));
}

void form_status(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(alert_view_status(v)));
	if (v->reason)
		buf_putf(b, ": %s", alert_reason_name(v->reason));
}

void form_severity(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, str_c(severity_name(v->severity)));
}

void form_why(const struct alert_view *v, struct buf *b)
{
	for (size_t i = 0; i < v->n_why; i++)
		buf_putf(b, "%s%s", i ? "\n" : "", v->why[i]);
}

void form_message(const struct alert_view *v, struct buf *b)
{
	form_rule(v, b);
	if (v->person)
		buf_putf(b, ", by %s", v->person);
	if (v->n_why)
		buf_putf(b, ": %s", v->why[0]);
}

void form_records(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, v->n_events + v->more);
}

static void put_ms(int64_t ns, struct buf *b)
{
	if (ns)
		buf_putf(b, "%lld", (long long)(ns / 1000000));
}

static void put_time(int64_t ns, struct buf *b)
{
	char text[TIME_TEXT_MAX];

	if (ns)
		buf_put(b, text, time_format(ns, text));
}

void form_raised_ms(const struct alert_view *v, struct buf *b)
{
	put_ms(v->raised, b);
}

void form_changed_ms(const struct alert_view *v, struct buf *b)
{
	put_ms(v->changed, b);
}

void form_first_ms(const struct alert_view *v, struct buf *b)
{
	put_ms(v->first, b);
}

void form_last_ms(const struct alert_view *v, struct buf *b)
{
	put_ms(v->last, b);
}

void form_raised(const struct alert_view *v, struct buf *b)
{
	put_time(v->raised, b);
}

void form_changed(const struct alert_view *v, struct buf *b)
{
	put_time(v->changed, b);
}

void form_first(const struct alert_view *v, struct buf *b)
{
	put_time(v->first, b);
}

void form_last(const struct alert_view *v, struct buf *b)
{
	put_time(v->last, b);
}

void form_sha256(const struct alert_document *d, struct buf *b)
{
	if (d->has_hash)
		hex_encode(b, (str){ (const char *)d->hash, sizeof(d->hash) });
}

str form_technique(const char *id)
{
	return (str){ id, strcspn(id, ".") };
}

str form_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return str_c(slash && slash[1] ? slash + 1 : path);
}

static void put_documents(const struct alert_view *v, struct buf *b)
{
	_cleanup_buf_ struct buf hash = BUF_INIT;

	json_put_arr(b, "documents");
	for (size_t i = 0; i < v->n_documents; i++) {
		const struct alert_document *d = &v->documents[i];

		json_obj_begin(b);
		json_put_str(b, "path", str_c(d->path));
		buf_clear(&hash);
		form_sha256(d, &hash);
		if (hash.n)
			json_put_str(b, "sha256", buf_str(&hash));
		if (d->label)
			json_put_str(b, "label", str_c(event_label_name(d->label)));
		json_obj_end(b);
	}
	json_arr_end(b);
}

void form_details(const struct alert_view *v, struct buf *b)
{
	json_obj_begin(b);
	json_put_u64(b, "id", v->number);
	json_put_str(b, "status", str_c(alert_view_status(v)));
	if (v->reason)
		json_put_str(b, "reason", str_c(alert_reason_name(v->reason)));
	if (v->quieted)
		json_put_u64(b, "quieted", v->quieted);
	json_put_bool(b, "masked", v->masked);
	json_put_arr(b, "why");
	for (size_t i = 0; i < v->n_why; i++)
		json_str(b, str_c(v->why[i]));
	json_arr_end(b);
	json_put_arr(b, "rules");
	for (size_t i = 0; i < v->n_rules; i++)
		json_str(b, str_c(v->rules[i]));
	json_arr_end(b);
	json_put_arr(b, "attack");
	for (size_t i = 0; i < v->n_attack; i++)
		json_str(b, str_c(v->attack[i]));
	json_arr_end(b);
	json_put_arr(b, "tactics");
	for (size_t i = 0; i < v->n_tactics; i++)
		json_str(b, str_c(v->tactics[i]));
	json_arr_end(b);
	json_put_arr(b, "events");
	for (size_t i = 0; i < v->n_events; i++)
		json_u64(b, v->events[i]);
	json_arr_end(b);
	if (v->more)
		json_put_u64(b, "more", v->more);
	put_documents(v, b);
	json_obj_end(b);
}
