/* form.h — alerts in the forms that other systems read.
 *
 * Purpose: one file a form, and in it one table: which key of the form has which part of the alert. What all forms say the same way stands
 * in form.c.
 * Ownership: appended to the caller's buf. Units: as each form has them. Threads: no state. Errors: kept in the buf.
 */
#ifndef TYTO_FORM_H
#define TYTO_FORM_H

#include "forward/alert_view.h"

#define FORM_OCSF_VERSION "1.8.0" /* github.com/ocsf/ocsf-schema */
#define FORM_ECS_VERSION "9.4.0"  /* github.com/elastic/ecs */

/* A line, with its end. */
struct form {
	const char *name; /* as in --as NAME */
	void (*put)(const struct alert_view *v, struct buf *b);
};
extern const struct form forms[]; /* ends with name NULL */
const struct form *form_find(const char *name);

/* --- for the forms --- */

enum form_type { FORM_TEXT, FORM_RAW }; /* RAW: numbers, true, objects and lists, as they are */

/* A key in its place: "finding_info.uid"; keys with the same beginning stand together. Nothing got: no key. */
struct form_field {
	const char *key;
	enum form_type type;
	const char *constant; /* NULL: get */
	void (*get)(const struct alert_view *v, struct buf *b);
};
/* One JSON object of them. */
void form_object(const struct form_field *table, size_t n, const struct alert_view *v, struct buf *b);

/* Parts that several forms have. */
void form_uid(const struct alert_view *v, struct buf *b);
void form_number(const struct alert_view *v, struct buf *b);
void form_rule(const struct alert_view *v, struct buf *b);
void form_person(const struct alert_view *v, struct buf *b);
void form_host(const struct alert_view *v, struct buf *b);
void form_log(const struct alert_view *v, struct buf *b);
void form_status(const struct alert_view *v, struct buf *b); /* and as what it was closed */
void form_severity(const struct alert_view *v, struct buf *b);
void form_why(const struct alert_view *v, struct buf *b);     /* a sentence a line */
void form_message(const struct alert_view *v, struct buf *b); /* one line: rule, person, the first sentence */
void form_records(const struct alert_view *v, struct buf *b); /* how many are behind it */
void form_details(const struct alert_view *v, struct buf *b); /* an object: what the form has no key for */
void form_raised_ms(const struct alert_view *v, struct buf *b);
void form_changed_ms(const struct alert_view *v, struct buf *b);
void form_first_ms(const struct alert_view *v, struct buf *b);
void form_last_ms(const struct alert_view *v, struct buf *b);
void form_raised(const struct alert_view *v, struct buf *b); /* RFC 3339 */
void form_changed(const struct alert_view *v, struct buf *b);
void form_first(const struct alert_view *v, struct buf *b);
void form_last(const struct alert_view *v, struct buf *b);
void form_sha256(const struct alert_document *d, struct buf *b); /* hex, or nothing */
/* "T1048" of "T1048.003". */
str form_technique(const char *id);
/* What stands behind the last '/'. */
str form_file_name(const char *path);

void form_ocsf(const struct alert_view *v, struct buf *b);
void form_ecs(const struct alert_view *v, struct buf *b);
void form_cef(const struct alert_view *v, struct buf *b);

#endif
