/* Label, findings, contacts and identifiers of one document come together. */
#include "doc_case.h"

#include "document/classify.h"

static const uint8_t key[IDENTIFIER_KEY] = { 7 };

static void together(void **state)
{
	struct classifier *shared = NULL;
	struct classify *c = NULL;
	struct contacts_result contacts;
	struct facts f = { 0 };

	assert_int_equal(classifier_new(&(struct label_config){ .contacts_confidential = 2 }, key, NULL, &shared), 0);
	assert_int_equal(classify_new(shared, &c), 0);
	doc_begin();
	doc_put(ZONE_FOOTER, "Internal use only");
	doc_rows("Name|E-mail|Card\nA|a@example.com|4111 1111 1111 1111\nB|b@example.com|");
	doc.chars = 77;
	assert_int_equal(classify_text(c, &doc, &f, &contacts), 0);
	assert_int_equal(f.label, LABEL_CONFIDENTIAL);
	assert_str(f.label_why, "footer says internal use only\nholds contact details of 2 persons; label.contacts is 2");
	assert_true(f.findings[DET_EMAIL] == 2 && f.findings[DET_PAYMENT_CARD] == 1 && f.findings[DET_IBAN] == 0);
	assert_true(f.contacts == 2 && f.clients == 0 && f.text_chars == 77);
	assert_int_equal(contacts.n, 4); /* and the header "E-mail" */

	/* Nothing is left of it in the next. */
	doc_begin();
	doc_put(ZONE_BODY, "Nothing to see.");
	assert_int_equal(classify_text(c, &doc, &f, &contacts), 0);
	assert_true(f.label == 0 && f.label_why.n == 0 && f.contacts == 0 && contacts.n == 0);
	classify_free(c);
	classifier_free(shared);
}

/* Two mails with one person each are a list of two. */
static void containers(void **state)
{
	struct classifier *c = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct facts f = { .contacts = 2, .label = LABEL_INTERNAL, .label_why = STR("a reason") };

	assert_int_equal(classifier_new(&(struct label_config){ .contacts_confidential = 3 }, key, NULL, &c), 0);
	assert_int_equal(classify_container(c, 1, &f, &why), 0);
	assert_int_equal(f.label, LABEL_INTERNAL);
	assert_str(f.label_why, "a reason");
	f.contacts = 3;
	assert_int_equal(classify_container(c, 1, &f, &why), 0);
	assert_int_equal(f.label, LABEL_CONFIDENTIAL);
	assert_str(f.label_why, "a reason\nholds contact details of 3 persons; label.contacts is 3");
	/* Said once; and a higher label stays. */
	f.label = LABEL_RESTRICTED;
	f.contacts = 9;
	assert_int_equal(classify_container(c, 3, &f, &why), 0);
	assert_str(f.label_why, "a reason\nholds contact details of 3 persons; label.contacts is 3");
	f.label_why = STR_NONE;
	assert_int_equal(classify_container(c, 0, &f, &why), 0);
	assert_int_equal(f.label, LABEL_RESTRICTED);
	assert_str(f.label_why, "holds contact details of 9 persons; label.contacts is 3");
	classifier_free(c);
}

static void bad_configuration(void **state)
{
	struct classifier *c = NULL;

	assert_true(classifier_new(&(struct label_config){ .file = "/nonexistent/markings" }, key, NULL, &c) < 0);
	assert_non_null(strstr(classify_why(), "/nonexistent/markings"));
	assert_true(classifier_new(&(struct label_config){ .ms = { { NULL, LABEL_PUBLIC, NULL } }, .n_ms = 1 }, key, NULL, &c) < 0);
}

static int teardown(void **state)
{
	doc_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(together), cmocka_unit_test(containers), cmocka_unit_test(bad_configuration) };

	return cmocka_run_group_tests(tests, NULL, teardown);
}
