#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/config.h"
#include "document/label.h"

static char file[] = "/tmp/tyto-config-test.XXXXXX";

struct complaints {
	unsigned n, line[12];
	char what[12][100];
};

static void complain(void *arg, const char *name, unsigned line, const char *what)
{
	struct complaints *c = arg;

	assert_string_equal(name, file);
	assert_true(c->n < 12);
	c->line[c->n] = line;
	snprintf(c->what[c->n++], sizeof(c->what[0]), "%s", what);
}

static int load(struct config *c, str text, struct complaints *said)
{
	int fd = open(file, O_WRONLY | O_TRUNC);

	assert_true(write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
	config_init(c);
	return config_load(c, file, false, complain, said);
}

static void every_setting(void **state)
{
	struct complaints said = { 0 };
	struct label_config labels;
	struct config c;

	assert_int_equal(load(&c, STR("# all of them\n\nstate = /srv/tyto\n watch=/srv/share \nwatch = /srv/with space\npeople = /etc/people.csv\r\n"
				      "privacy.mask = yes\ndisk.reserve = 3G\nlabel.file = /etc/markings\nlabel.contacts = 50\n"
				      "label.microsoft.DEFA4170-0D19-0005-0004-BC88714345D2 = internal\n"
				      "label.microsoft.defa4170-0d19-0005-0004-bc88714345d2 = confidential  Staff only\n"), &said), 0);
	assert_int_equal(said.n, 0);
	assert_string_equal(c.state, "/srv/tyto");
	assert_int_equal(c.n_watch, 2);
	assert_string_equal(c.watch[0], "/srv/share");
	assert_string_equal(c.watch[1], "/srv/with space");
	assert_string_equal(c.people, "/etc/people.csv");
	assert_true(c.mask);
	assert_true(c.disk_reserve == 3ull << 30);
	config_labels(&c, &labels);
	assert_string_equal(labels.file, "/etc/markings");
	assert_true(labels.contacts_confidential == 50 && labels.n_ms == 1 && labels.ms[0].label == LABEL_CONFIDENTIAL);
	assert_string_equal(labels.ms[0].guid, "defa4170-0d19-0005-0004-bc88714345d2");
	assert_string_equal(labels.ms[0].name, "Staff only");
	config_free(&c);
}

static void standard(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct config c;

	config_init(&c);
	assert_int_equal(config_load(&c, "/nonexistent/tyto.conf", true, complain, NULL), 0);
	assert_int_equal(config_load(&c, "/nonexistent/tyto.conf", false, complain, NULL), -ENOENT);
	for (const struct setting *s = settings; s->key; s++) {
		buf_puts(&b, str_c(s->key));
		buf_putc(&b, '=');
		config_value(&c, s, &b);
		buf_putc(&b, ' ');
	}
	assert_str(buf_str(&b), "state=/var/lib/tyto watch= people= privacy.mask=no disk.reserve=268435456 label.file= label.microsoft.GUID= label.contacts=0 rules= alerts.budget=3 "
		"decoy.excused=antivirus amandabackup backup bacula bareos borg clamav indexer restic "
		"notify.min_severity=medium notify.tries=20 notify.wait=5 notify.timeout=30 notify.ca_file= notify.mail.server= notify.mail.tls=starttls "
		"notify.mail.from= notify.mail.to= notify.mail.user= notify.mail.password_file= notify.webhook.url= notify.webhook.token_file= "
		"notify.webhook.key_file= notify.syslog.server= notify.syslog.transport=tls notify.syslog.facility=13 notify.syslog.form=text ");
	config_free(&c);
}

/* Each bad line is named, the others are taken. */
static void bad_lines(void **state)
{
	static const struct { unsigned line; const char *what; } want[] = {
		{ 1, "key = value" }, { 2, "a known setting" }, { 3, "yes or no" }, { 5, "a size" }, { 6, "an absolute path" }, { 7, "a size" }, { 8, "text without NUL" },
		{ 9, "label.microsoft.GUID, as in" }, { 10, "public, internal" }, { 11, "a number" },
	};
	struct complaints said = { 0 };
	struct config c;

	assert_int_equal(load(&c, STR("state\ncolour = red\nprivacy.mask = maybe\nstate = /srv/taken\ndisk.reserve = much\nwatch = share\n"
				      "disk.reserve = 18446744073709551615G\nstate = /srv/\0x\nlabel.microsoft.1 = public\n"
				      "label.microsoft.defa4170-0d19-0005-0004-bc88714345d2 = secret\nlabel.contacts = -1\n"), &said), -EBADMSG);
	assert_int_equal(said.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(said.line[i], want[i].line);
		if (strncmp(said.what[i], want[i].what, strlen(want[i].what)) != 0)
			fail_msg("line %u: \"%s\", expected \"%s…\"", want[i].line, said.what[i], want[i].what);
	}
	assert_string_equal(c.state, "/srv/taken");
	assert_true(c.disk_reserve == 256 << 20);
	assert_int_equal(c.n_watch, 0);
	config_free(&c);
}

static void caps(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct complaints said = { 0 };
	struct config c;

	for (int i = 0; i <= CONFIG_PATHS_MAX; i++)
		buf_putf(&b, "watch = /srv/%d\n", i);
	assert_int_equal(load(&c, buf_str(&b), &said), -EBADMSG);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.line[0], CONFIG_PATHS_MAX + 1);
	assert_int_equal(c.n_watch, CONFIG_PATHS_MAX);
	config_free(&c);

	buf_clear(&b);
	for (int i = 0; i < 1024 * 1024 + 1; i++)
		buf_putc(&b, '#');
	assert_int_equal(load(&c, buf_str(&b), &said), -EFBIG);
	config_free(&c);
}

/* What is shown is what a file could say. */
static void round_trip(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct complaints said = { 0 };
	struct config c, d;

	assert_int_equal(load(&c, STR("state = /a b\nprivacy.mask = yes\ndisk.reserve = 12345\nwatch = /w\npeople = /p"), &said), 0);
	for (const struct setting *s = settings; s->key; s++) {
		buf_putf(&b, "%s = ", s->key);
		config_value(&c, s, &b);
		buf_putc(&b, '\n');
	}
	assert_int_equal(load(&d, buf_str(&b), &said), 0);
	assert_string_equal(d.state, "/a b");
	assert_true(d.mask && d.disk_reserve == 12345 && d.n_watch == 1);
	config_free(&c);
	config_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting), cmocka_unit_test(standard), cmocka_unit_test(bad_lines), cmocka_unit_test(caps), cmocka_unit_test(round_trip),
	};
	int fd = mkstemp(file), r;

	assert_true(fd >= 0);
	close(fd);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file);
	return r;
}
