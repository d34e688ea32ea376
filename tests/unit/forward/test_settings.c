/* notify.*: which settings make which ways, and which are refused. */
#include "../test.h"

#include <jansson.h>
#include <sys/stat.h>

#include "forward/notify_settings.h"

static struct notify_settings standard(void)
{
	return (struct notify_settings){ .min_severity = (char *)"medium", .tries = 20, .wait = 5, .timeout = 30, .ca_file = (char *)"", .mail_server = (char *)"",
		.mail_tls = (char *)"starttls", .mail_from = (char *)"t@example.org", .mail_to = (char *)"", .mail_user = (char *)"",
		.mail_password_file = (char *)"", .webhook_url = (char *)"", .webhook_token_file = (char *)"", .webhook_key_file = (char *)"",
		.syslog_server = (char *)"", .syslog_transport = (char *)"tls", .syslog_form = (char *)"text", .syslog_facility = 13 };
}

static void ways(void **state)
{
	struct notify_settings s = standard();
	_cleanup_notify_ways_ struct notify_ways w = { 0 };
	const char *why = "";
	json_t *j;

	assert_false(notify_any(&s));
	assert_int_equal(notify_ways_make(&s, true, &w, &why), 0);
	assert_int_equal(w.n, 0);
	s.mail_server = (char *)"mail.example.org";
	s.mail_to = (char *)" a@example.org,b@example.org , ";
	s.webhook_url = (char *)"https://[2001:db8::1]:8443/x?y=z";
	s.syslog_server = (char *)"[::1]";
	assert_true(notify_any(&s));
	assert_int_equal(notify_ways_make(&s, true, &w, &why), 0);
	assert_int_equal(w.n, 4);
	assert_string_equal(w.v[0].name, "mail a@example.org");
	assert_string_equal(w.v[1].to, "b@example.org");
	assert_int_equal(w.min_severity, SEVERITY_MEDIUM);
	j = json_loads(w.courier[NOTIFY_MAIL], 0, NULL);
	assert_string_equal(json_string_value(json_object_get(j, "url")), "smtp://mail.example.org:587");
	json_decref(j);
	j = json_loads(w.courier[NOTIFY_SYSLOG], 0, NULL);
	assert_string_equal(json_string_value(json_object_get(j, "url")), "https://[::1]:6514");
	assert_string_equal(json_string_value(json_object_get(j, "server")), "::1");
	json_decref(j);
}

static void refused(void **state)
{
#define AT(field) offsetof(struct notify_settings, field)
	static const struct { size_t at; const char *value, *server, *want; } cases[] = {
		{ AT(webhook_url), "http://example.org/", "", "notify.webhook.url" },
		{ AT(webhook_url), "http://127.0.0.1.example.org/", "", "notify.webhook.url" },
		{ AT(webhook_url), "https://", "", "notify.webhook.url" },
		{ AT(webhook_url), "https://a@b/", "", "notify.webhook.url" },
		{ AT(webhook_url), "https://a:0/", "", "notify.webhook.url" },
		{ AT(webhook_url), "https://a:99999/", "", "notify.webhook.url" },
		{ AT(webhook_url), "https://a/ b", "", "notify.webhook.url" },
		{ AT(webhook_url), "https://a\\@b/", "", "notify.webhook.url" },
		{ AT(webhook_url), "https://[::1/", "", "notify.webhook.url" },
		{ AT(webhook_url), "gopher://a/", "", "notify.webhook.url" },
		{ AT(mail_to), "", "h", "notify.mail.to" },
		{ AT(mail_to), "a", "h", "notify.mail.to" },
		{ AT(mail_to), "a@b>\r\nDATA", "h", "notify.mail.to" },
		{ AT(mail_to), "a@b", "", "notify.mail.server" },
		{ AT(mail_to), "a@b", "h\r\n", "notify.mail.server" },
		{ AT(mail_from), "", "h", "notify.mail.from" },
		{ AT(mail_tls), "maybe", "h", "notify.mail.tls" },
		{ AT(mail_tls), "none", "h", "notify.mail.tls" },
		{ AT(mail_user), "u", "h", "notify.mail.user" },
		{ AT(mail_password_file), "relative", "h", "notify.mail" },
		{ AT(min_severity), "", "", "notify.min_severity" },
		{ AT(ca_file), "relative", "", "notify.ca_file" },
		{ AT(syslog_server), "a b", "", "notify.syslog.server" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct notify_settings s = standard();
		struct notify_ways w = { 0 };
		const char *why = "";

		s.mail_server = (char *)cases[i].server;
		s.mail_to = (char *)(*cases[i].server ? "a@b" : "");
		*(char **)((char *)&s + cases[i].at) = (char *)cases[i].value;
		if (notify_ways_make(&s, false, &w, &why) == 0)
			fail_msg("%zu was taken: %s", i, cases[i].value);
		if (!strstr(why, cases[i].want))
			fail_msg("%zu (%s): %s", i, cases[i].value, why);
		assert_int_equal(w.n, 0);
	}
}

static void numbers(void **state)
{
	static const size_t at[] = { AT(tries), AT(wait), AT(timeout) };
	struct notify_ways w = { 0 };
	const char *why = "";

	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		for (uint64_t v = 0; v <= 1000000; v += 1000000) {
			struct notify_settings s = standard();

			*(uint64_t *)((char *)&s + at[i]) = v;
			assert_true(notify_ways_make(&s, false, &w, &why) < 0);
		}
}

static void loopback(void **state)
{
	static const char *const urls[] = { "http://localhost/", "http://LOCALHOST:81/x", "http://127.1.2.3/", "http://[::1]:80/" };

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct notify_settings s = standard();
		_cleanup_notify_ways_ struct notify_ways w = { 0 };
		const char *why = "";

		s.webhook_url = (char *)urls[i];
		if (notify_ways_make(&s, false, &w, &why) < 0)
			fail_msg("%s: %s", urls[i], why);
	}
}

static void secret(const char *text, size_t n, mode_t mode, const char *want)
{
	char path[] = "/tmp/tyto-secret-XXXXXX";
	struct notify_settings s = standard();
	_cleanup_notify_ways_ struct notify_ways w = { 0 };
	const char *why = "";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0 && write(fd, text, n) == (ssize_t)n && fchmod(fd, mode) == 0);
	close(fd);
	s.webhook_url = (char *)"https://h/";
	s.webhook_token_file = path;
	r = notify_ways_make(&s, true, &w, &why);
	unlink(path);
	if (want) {
		assert_true(r < 0);
		if (!strstr(why, want))
			fail_msg("%s", why);
	} else {
		assert_int_equal(r, 0);
		assert_non_null(strstr(w.courier[NOTIFY_WEBHOOK], "\"token\":\"abc\""));
	}
}

static void secrets(void **state)
{
	secret("abc\r\n", 5, 0600, NULL);
	secret("abc", 3, 0604, "chmod 0600");
	secret("", 0, 0600, "a line of text");
	secret("a\nb", 3, 0600, "one line of text");
	secret("a\0b", 3, 0600, "one line of text");
	secret("a b", 3, 0600, "without spaces");
	secret("\xff", 1, 0600, "UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ways), cmocka_unit_test(refused), cmocka_unit_test(numbers), cmocka_unit_test(loopback), cmocka_unit_test(secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
