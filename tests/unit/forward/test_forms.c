/* OCSF, ECS, CEF of alerts with everything in them, and with nothing. */
#include "../test.h"

#include <jansson.h>

#include "forward/form.h"

static char *why[] = { (char *)"2 different documents in 2 records", (char *)"A rule: counted 2" };
static char *rules[] = { (char *)"A rule", (char *)"Another" };
static char *tactics[] = { (char *)"TA0009", (char *)"TA0010" };
static char *attack[] = { (char *)"T1039", (char *)"T1048.002", (char *)"T1048.003" };
static struct alert_document documents[] = {
	{ .path = (char *)"/srv/a=b|c\\d\n.odt", .label = LABEL_CONFIDENTIAL, .hash = { 0xab }, .has_hash = true },
	{ .path = (char *)"/srv/\xff.odt" },
};
static uint64_t events[] = { 4, 7 };

static struct alert_view whole(void)
{
	return (struct alert_view){ .number = 3, .log = (char *)"log", .raised = 1000000000LL, .changed = 2000000000LL, .first = 500000000LL, .last = 2000000000LL,
		.severity = SEVERITY_HIGH, .open = true, .records = 1, .person = (char *)"o|d=d\\", .host = (char *)"files", .rule = (char *)"A|rule=\\x\ny",
		.why = why, .n_why = 2, .rules = rules, .n_rules = 2, .attack = attack, .n_attack = 3, .tactics = tactics, .n_tactics = 2,
		.documents = documents, .n_documents = 2, .events = events, .n_events = 2, .more = 5 };
}

static json_t *parsed(void (*put)(const struct alert_view *, struct buf *), const struct alert_view *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	json_error_t e;
	json_t *j;

	put(v, &b);
	assert_int_equal(buf_error(&b), 0);
	assert_true(b.n && b.p[b.n - 1] == '\n' && !memchr(b.p, '\n', b.n - 1));
	j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, &e);
	if (!j)
		fail_msg("%s at %d of %.*s", e.text, e.position, STR_ARG(buf_str(&b)));
	return j;
}

/* "a.b.0.c" */
static const json_t *at(const json_t *j, const char *path)
{
	char part[64];

	while (*path && j) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(part)) : json_object_get(j, part);
		path += n + (path[n] == '.');
	}
	return j;
}

static void assert_text(const json_t *j, const char *path, const char *want)
{
	assert_true(json_is_string(at(j, path)));
	assert_string_equal(json_string_value(at(j, path)), want);
}

static void assert_number(const json_t *j, const char *path, int64_t want)
{
	assert_true(json_is_integer(at(j, path)));
	assert_int_equal(json_integer_value(at(j, path)), want);
}

static void ocsf(void **state)
{
	struct alert_view v = whole();
	json_t *j = parsed(form_ocsf, &v);

	assert_number(j, "class_uid", 2004);
	assert_number(j, "type_uid", 200401);
	assert_number(j, "severity_id", 4);
	assert_number(j, "time", 2000);
	assert_number(j, "finding_info.created_time", 1000);
	assert_text(j, "finding_info.uid", "log/alert/3");
	assert_number(j, "finding_info.related_events_count", 7);
	assert_int_equal(json_array_size(at(j, "finding_info.attacks")), 5);
	assert_text(j, "finding_info.attacks.0.technique.uid", "T1039");
	assert_null(at(j, "finding_info.attacks.0.sub_technique"));
	assert_text(j, "finding_info.attacks.2.technique.uid", "T1048");
	assert_text(j, "finding_info.attacks.2.sub_technique.uid", "T1048.003");
	assert_text(j, "finding_info.attacks.3.tactic.uid", "TA0009");
	assert_text(j, "finding_info.attacks.4.tactic.name", "Exfiltration");
	assert_null(at(j, "finding_info.attacks.4.technique"));
	assert_text(j, "evidences.0.user.name", "o|d=d\\");
	assert_text(j, "evidences.1.file.name", "a=b|c\\d\n.odt");
	assert_text(j, "evidences.1.file.tags.0.value", "confidential");
	assert_text(j, "evidences.2.file.name", "\xef\xbf\xbd.odt");
	assert_null(at(j, "evidences.2.file.hashes"));
	json_decref(j);
	v.open = false;
	v.reason = ALERT_EXPECTED;
	j = parsed(form_ocsf, &v);
	assert_number(j, "type_uid", 200403);
	assert_number(j, "status_id", 3);
	assert_text(j, "status_detail", "closed: expected");
	json_decref(j);
}

static void ecs(void **state)
{
	struct alert_view v = whole();
	json_t *j = parsed(form_ecs, &v);

	assert_text(j, "@timestamp", "1970-01-01T00:00:02Z");
	assert_text(j, "event.kind", "alert");
	assert_number(j, "event.severity", 73);
	assert_text(j, "user.name", "o|d=d\\");
	assert_null(at(j, "file")); /* two: which one? */
	assert_int_equal(json_array_size(at(j, "tyto.documents")), 2);
	assert_int_equal(json_array_size(at(j, "related.hash")), 1);
	assert_text(j, "threat.framework", "MITRE ATT&CK");
	assert_text(j, "threat.tactic.id.0", "TA0009");
	assert_text(j, "threat.tactic.name.1", "Exfiltration");
	assert_int_equal(json_array_size(at(j, "threat.technique.id")), 2);
	assert_text(j, "threat.technique.id.1", "T1048");
	assert_int_equal(json_array_size(at(j, "threat.technique.subtechnique.id")), 2);
	assert_text(j, "threat.technique.subtechnique.id.1", "T1048.003");
	json_decref(j);
	v.n_documents = 1;
	j = parsed(form_ecs, &v);
	assert_text(j, "file.path", "/srv/a=b|c\\d\n.odt");
	json_decref(j);
}

static void nothing(void **state)
{
	const struct alert_view v = { .number = 1, .severity = SEVERITY_LOW, .open = true };
	json_t *j = parsed(form_ocsf, &v);
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_null(at(j, "evidences"));
	assert_null(at(j, "device"));
	json_decref(j);
	j = parsed(form_ecs, &v);
	assert_null(at(j, "user"));
	assert_null(at(j, "host"));
	assert_null(at(j, "threat"));
	json_decref(j);
	form_cef(&v, &b);
	assert_null(memmem(b.p, b.n, "suser", 5));
}

static void cef(void **state)
{
	struct alert_view v = whole();
	_cleanup_buf_ struct buf b = BUF_INIT;
	char longest[3000];

	form_cef(&v, &b);
	assert_str(buf_str(&b), "CEF:0|Tyto|Tyto|" TYTO_VERSION "|A\\|rule=\\\\x y|A\\|rule=\\\\x y|8|rt=2000 start=500 end=2000 dvchost=files externalId=3 "
		"suser=o|d\\=d\\\\ fname=a\\=b|c\\\\d\\n.odt filePath=/srv/a\\=b|c\\\\d\\n.odt "
		"fileHash=ab00000000000000000000000000000000000000000000000000000000000000 cnt=7 cn1Label=documents cn1=2 cs1Label=status cs1=open "
		"cs2Label=alert cs2=log/alert/3 cs3Label=MITRE ATT&CK cs3=T1039 T1048.002 T1048.003 cs4Label=MITRE ATT&CK tactics cs4=TA0009 TA0010 "
		"msg=2 different documents in 2 records\\nA rule: counted 2\n");
	/* Cut where the dictionary cuts, between characters and never within an escape. */
	for (size_t i = 0; i + 3 < sizeof(longest); i += 3)
		memcpy(longest + i, i % 2 ? "=\xc3\xa4" : "\\\xc3\xa4", 3);
	longest[sizeof(longest) - 3] = '\0';
	v.person = longest;
	buf_clear(&b);
	form_cef(&v, &b);
	assert_true(str_utf8_valid(buf_str(&b)));
	const char *from = memmem(b.p, b.n, "suser=", 6), *to = memmem(b.p, b.n, " fname=", 7);
	size_t chars = 0;

	assert_true(from && to);
	for (const char *p = from + 6; p < to; p++) {
		p += *p == '\\';
		chars += ((unsigned char)*p & 0xc0) != 0x80;
	}
	assert_int_equal(chars, 1023);
}

static void names(void **state)
{
	for (const struct form *f = forms; f->name; f++)
		assert_ptr_equal(form_find(f->name), f);
	assert_null(form_find("xml"));
	assert_str(form_file_name("/a/b"), "b");
	assert_str(form_file_name("/a/"), "/a/");
	assert_str(form_file_name("b"), "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ocsf), cmocka_unit_test(ecs), cmocka_unit_test(nothing), cmocka_unit_test(cef), cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
