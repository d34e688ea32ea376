#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "detect/decoys.h"
#include "document/label.h"

#define FILE_MAX (1024 * 1024)
#define RULES_LOCAL "/etc/tyto/rules"

const struct setting settings[] = {
	{ "state", SET_TEXT, offsetof(struct config, state), 0, "/var/lib/tyto", "where the record is kept" },
	{ "watch", SET_PATHS, offsetof(struct config, watch), offsetof(struct config, n_watch), "",
		"folders that `tyto watch` watches when none are named; may be repeated" },
	{ "people", SET_TEXT, offsetof(struct config, people), 0, "", "file of who works where, read when `watch` starts" },
	{ "privacy.mask", SET_YES_NO, offsetof(struct config, mask), 0, "no", "show persons as p:17 unless --unmask --reason is given" },
	{ "disk.reserve", SET_BYTES, offsetof(struct config, disk_reserve), 0, "256M",
		"the index stops growing when less than this is free; the record goes on" },
	{ "label.file", SET_TEXT, offsetof(struct config, label_file), 0, "",
		"file of the company's own markings: LABEL<TAB>MARKING a line, LABEL being public, internal, confidential or restricted" },
	{ "label.microsoft.GUID", SET_MICROSOFT, offsetof(struct config, microsoft), offsetof(struct config, n_microsoft), "",
		"what a sensitivity label of Microsoft's means: LABEL, then its name; one line a GUID" },
	{ "label.contacts", SET_NUMBER, offsetof(struct config, label_contacts), 0, "0",
		"a document with contact details of so many persons is confidential; 0: none is for that" },
	{ "rules", SET_PATHS, offsetof(struct config, rules), offsetof(struct config, n_rules), "",
		"files or folders of detection rules, instead of the shipped ones and " RULES_LOCAL "; may be repeated" },
	{ "alerts.budget", SET_NUMBER, offsetof(struct config, alerts_budget), 0, "3",
		"of a day's alerts so many are shown for 1,000 persons known, the most severe first, at least one; 1000: all" },
	{ DECOY_EXCUSED, SET_TEXT, offsetof(struct config, decoy_excused), 0, DECOY_EXCUSED_STANDARD,
		"accounts whose job it is to read everything (backup, antivirus, index), and /programs that root's timers start; separated by spaces" },
	{ "notify.min_severity", SET_TEXT, offsetof(struct config, notify.min_severity), 0, "medium",
		"alerts from this severity on are told: low, medium, high or critical" },
	{ "notify.tries", SET_NUMBER, offsetof(struct config, notify.tries), 0, "20",
		"after so many a message becomes a dead letter (`tyto notify dead`)" },
	{ "notify.wait", SET_NUMBER, offsetof(struct config, notify.wait), 0, "5",
		"seconds before the second try; doubled each time, up to an hour" },
	{ "notify.timeout", SET_NUMBER, offsetof(struct config, notify.timeout), 0, "30", "seconds that a server gets for one message" },
	{ "notify.ca_file", SET_TEXT, offsetof(struct config, notify.ca_file), 0, "",
		"certificates of authorities that servers are checked with; the system's without" },
	{ "notify.mail.server", SET_TEXT, offsetof(struct config, notify.mail_server), 0, "", "HOST or HOST:PORT of the mail server" },
	{ "notify.mail.tls", SET_TEXT, offsetof(struct config, notify.mail_tls), 0, "starttls",
		"starttls (587), tls (465), or none: only for a server on this machine (25)" },
	{ "notify.mail.from", SET_TEXT, offsetof(struct config, notify.mail_from), 0, "", "the sender's address" },
	{ "notify.mail.to", SET_TEXT, offsetof(struct config, notify.mail_to), 0, "", "who gets the mails: addresses with commas between" },
	{ "notify.mail.user", SET_TEXT, offsetof(struct config, notify.mail_user), 0, "", "who we are to the mail server, where it asks" },
	{ "notify.mail.password_file", SET_TEXT, offsetof(struct config, notify.mail_password_file), 0, "",
		"file with the password, readable by root alone" },
	{ "notify.webhook.url", SET_TEXT, offsetof(struct config, notify.webhook_url), 0, "",
		"https://…: gets each message as JSON by POST" },
	{ "notify.webhook.token_file", SET_TEXT, offsetof(struct config, notify.webhook_token_file), 0, "", "file with a bearer token" },
	{ "notify.webhook.key_file", SET_TEXT, offsetof(struct config, notify.webhook_key_file), 0, "",
		"file with the key of the signature (HMAC-SHA-256 of the body)" },
	{ "notify.syslog.server", SET_TEXT, offsetof(struct config, notify.syslog_server), 0, "",
		"HOST or HOST:PORT, or the path of a local socket" },
	{ "notify.syslog.transport", SET_TEXT, offsetof(struct config, notify.syslog_transport), 0, "tls",
		"tls (RFC 5425, 6514), udp (514) or unix (/dev/log)" },
	{ "notify.syslog.facility", SET_NUMBER, offsetof(struct config, notify.syslog_facility), 0, "13", "0 to 23; 13: log audit" },
	{ "notify.syslog.form", SET_TEXT, offsetof(struct config, notify.syslog_form), 0, "text",
		"text, or cef: the line of `tyto alerts --as cef`" },
	{ NULL },
};

static int parse_bytes(str s, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *u = s.n ? memchr(units, s.p[s.n - 1], 4) : NULL;
	unsigned shift = u ? 10 * (unsigned)(u - units + 1) : 0;
	uint64_t v;

	if (str_to_u64((str){ s.p, s.n - (u != NULL) }, &v) < 0 || (shift && v >> (64 - shift)))
		return -EINVAL;
	*ret = v << shift;
	return 0;
}

static char *dup_str(str s)
{
	return strndup(s.p ? s.p : "", s.n);
}

#define GUID_LEN 36
#define MICROSOFT STR("label.microsoft.")

static bool is_guid(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s.p[i] != '-' : !strchr("0123456789abcdefABCDEF", s.p[i]))
			return false;
	return s.n == GUID_LEN;
}

/* guid: what stands behind label.microsoft. A later line of the same GUID wins. */
static const char *set_microsoft(struct config *c, str guid, str v)
{
	const char *space = v.n ? memchr(v.p, ' ', v.n) : NULL;
	str word = { v.p, space ? (size_t)(space - v.p) : v.n }, name = { v.p + word.n, v.n - word.n };
	enum event_label label = event_label_from(word);
	struct config_microsoft *m = c->microsoft;

	if (v.n == 0)
		return NULL;
	if (!is_guid(guid))
		return "label.microsoft.GUID, as in label.microsoft.defa4170-0d19-0005-0004-bc88714345d2";
	if (!label)
		return "public, internal, confidential or restricted, then the label's name";
	while (name.n && name.p[0] == ' ') {
		name.p++;
		name.n--;
	}
	while (m < c->microsoft + c->n_microsoft && strncasecmp(m->guid, guid.p, GUID_LEN) != 0)
		m++;
	if (m == c->microsoft + CONFIG_MICROSOFT_MAX)
		return "at most 64 labels of Microsoft's";
	if (m == c->microsoft + c->n_microsoft)
		c->n_microsoft++;
	free(m->guid);
	free(m->name);
	*m = (struct config_microsoft){ .guid = dup_str(guid), .name = dup_str(name), .label = label };
	for (size_t i = 0; m->guid && i < GUID_LEN; i++)
		m->guid[i] |= m->guid[i] >= 'A' && m->guid[i] <= 'F' ? 0x20 : 0;
	return NULL;
}

/* NULL when taken, else what was expected. */
static const char *set_value(struct config *c, const struct setting *s, str v)
{
	void *field = (char *)c + s->offset;
	size_t *n;

	switch (s->type) {
	case SET_TEXT:
		free(*(char **)field);
		*(char **)field = dup_str(v);
		return NULL;
	case SET_PATHS:
		n = (size_t *)((char *)c + s->count_offset);
		if (v.n == 0)
			return NULL;
		if (v.p[0] != '/')
			return "an absolute path";
		if (*n == CONFIG_PATHS_MAX)
			return "at most 64 paths";
		((char **)field)[(*n)++] = dup_str(v);
		return NULL;
	case SET_YES_NO:
		if (!str_eq(v, STR("yes")) && !str_eq(v, STR("no")))
			return "yes or no";
		*(bool *)field = v.p[0] == 'y';
		return NULL;
	case SET_BYTES:
		return parse_bytes(v, field) < 0 ? "a size, as in 256M" : NULL;
	case SET_NUMBER:
		return str_to_u64(v, field) < 0 ? "a number" : NULL;
	case SET_MICROSOFT: /* the key is more than the setting's: take_line */
		return NULL;
	}
	return "a known setting";
}

void config_init(struct config *c)
{
	*c = (struct config){ 0 };
	for (const struct setting *s = settings; s->key; s++)
		set_value(c, s, str_c(s->standard));
}

void config_free(struct config *c)
{
	for (const struct setting *s = settings; s->key; s++)
		if (s->type == SET_TEXT)
			free(*(char **)((char *)c + s->offset));
	for (size_t i = 0; i < c->n_microsoft; i++) {
		free(c->microsoft[i].guid);
		free(c->microsoft[i].name);
	}
	for (size_t i = 0; i < c->n_watch; i++)
		free(c->watch[i]);
	for (size_t i = 0; i < c->n_rules; i++)
		free(c->rules[i]);
	*c = (struct config){ 0 };
}

static str trim(str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

static const char *take_line(struct config *c, str line)
{
	const char *eq;
	str key, value;

	line = trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return NULL;
	if (memchr(line.p, '\0', line.n))
		return "text without NUL bytes";
	eq = memchr(line.p, '=', line.n);
	if (!eq)
		return "key = value";
	key = trim((str){ line.p, (size_t)(eq - line.p) });
	value = trim((str){ eq + 1, (size_t)(line.p + line.n - eq - 1) });
	if (str_starts(key, MICROSOFT))
		return set_microsoft(c, (str){ key.p + MICROSOFT.n, key.n - MICROSOFT.n }, value);
	for (const struct setting *s = settings; s->key; s++)
		if (str_eq(key, str_c(s->key)))
			return set_value(c, s, value);
	return "a known setting (`tyto config show` lists them)";
}

int config_load(struct config *c, const char *file, bool missing_ok, config_complaint *complain, void *arg)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_buf_ struct buf b = { .max = FILE_MAX };
	unsigned line = 0;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT && missing_ok ? 0 : -errno;
	for (;;) {
		ssize_t n;

		if (buf_reserve(&b, 4096) < 0)
			return -EFBIG;
		n = read(fd, b.p + b.n, 4096);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		b.n += (size_t)n;
	}
	for (size_t i = 0; i < b.n;) {
		const char *end = memchr(b.p + i, '\n', b.n - i);
		size_t n = end ? (size_t)(end - b.p) - i : b.n - i;
		const char *what = take_line(c, (str){ b.p + i, n });

		line++;
		if (what) {
			complain(arg, file, line, what);
			r = -EBADMSG;
		}
		i += n + 1;
	}
	return r;
}

void config_value(const struct config *c, const struct setting *s, struct buf *b)
{
	const void *field = (const char *)c + s->offset;
	const char *text;
	size_t n;

	switch (s->type) {
	case SET_TEXT:
		text = *(char *const *)field;
		buf_puts(b, str_c(text));
		break;
	case SET_PATHS:
		n = *(const size_t *)((const char *)c + s->count_offset);
		for (size_t i = 0; i < n; i++)
			buf_putf(b, "%s%s", i ? ", " : "", ((char *const *)field)[i]);
		break;
	case SET_YES_NO:
		buf_puts(b, *(const bool *)field ? STR("yes") : STR("no"));
		break;
	case SET_BYTES:
	case SET_NUMBER:
		buf_putf(b, "%llu", (unsigned long long)*(const uint64_t *)field);
		break;
	case SET_MICROSOFT:
		for (size_t i = 0; i < c->n_microsoft; i++)
			buf_putf(b, "%s%s %s %s", i ? ", " : "", c->microsoft[i].guid, event_label_name(c->microsoft[i].label), c->microsoft[i].name);
		break;
	}
}

void config_labels(const struct config *c, struct label_config *ret)
{
	*ret = (struct label_config){ .file = c->label_file && c->label_file[0] ? c->label_file : NULL, .n_ms = c->n_microsoft,
			.contacts_confidential = c->label_contacts };
	_Static_assert(CONFIG_MICROSOFT_MAX <= ARRAY_SIZE(ret->ms), "each fits");
	for (size_t i = 0; i < c->n_microsoft; i++) {
		ret->ms[i].guid = c->microsoft[i].guid;
		ret->ms[i].label = c->microsoft[i].label;
		ret->ms[i].name = c->microsoft[i].name;
	}
}

char *config_shipped_rules(void)
{
	static char installed[] = TYTO_RULES_DIR, beside[PATH_MAX];
	static const char below[] = "/build/src/cli/tyto", rules[] = "/rules/shipped";
	ssize_t n;

	if (access(installed, R_OK) == 0)
		return installed;
	n = readlink("/proc/self/exe", beside, sizeof(beside) - sizeof(rules));
	if (n < (ssize_t)sizeof(below))
		return installed;
	beside[n] = '\0';
	n -= (ssize_t)sizeof(below) - 1;
	if (strcmp(beside + n, below) != 0)
		return installed;
	memcpy(beside + n, rules, sizeof(rules));
	return access(beside, R_OK) == 0 ? beside : installed;
}

size_t config_rules(const struct config *c, char *ret[static CONFIG_PATHS_MAX])
{
	static char local[] = RULES_LOCAL;

	if (c->n_rules == 0) {
		ret[0] = config_shipped_rules();
		ret[1] = local;
		return 2;
	}
	memcpy(ret, c->rules, c->n_rules * sizeof(*ret));
	return c->n_rules;
}
