#include "forward/notify_settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "base/why.h"

#define TIMEOUT_MAX 600
#define TRIES_MAX 1000
#define HOST_MAX 253

const char *const notify_kind_names[NOTIFY_KINDS] = { "mail", "webhook", "syslog" };

static _Thread_local struct why why;

#define refuse(ret_why, r, ...) (*(ret_why) = why.text, why_set(&why, (r), __VA_ARGS__))

static bool set(const char *s)
{
	return s && *s;
}

bool notify_any(const struct notify_settings *s)
{
	return set(s->mail_server) || set(s->mail_to) || set(s->webhook_url) || set(s->syslog_server);
}

static bool plain(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

/* --- where to --- */

struct host {
	char name[HOST_MAX + 1]; /* without brackets */
	unsigned port;
};

/* HOST, HOST:PORT, [v6]:PORT. */
static int take_host(const char *s, unsigned port, struct host *ret)
{
	bool bracket = s[0] == '[';
	const char *end = bracket ? strchr(s, ']') : strchr(s, ':'), *from = s + bracket, *colon;
	size_t n = end ? (size_t)(end - from) : strlen(from);
	uint64_t v = port;

	if ((bracket && !end) || n == 0 || n > HOST_MAX || !plain(s))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!(from[i] >= '0' && from[i] <= '9') && !((from[i] | 0x20) >= 'a' && (from[i] | 0x20) <= 'z') &&
			!strchr(bracket ? ":.%-" : ".-_", from[i]))
			return -EINVAL;
	colon = end ? end + bracket : s + strlen(s);
	if (*colon && (*colon != ':' || str_to_u64(str_c(colon + 1), &v) < 0 || v == 0 || v > 65535))
		return -EINVAL;
	memcpy(ret->name, from, n);
	ret->name[n] = '\0';
	ret->port = (unsigned)v;
	return 0;
}

/* This machine itself: nothing goes over a wire. */
static bool is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	return strcasecmp(host, "localhost") == 0;
}

static size_t put_host(const struct host *h, char *out, size_t room)
{
	return (size_t)snprintf(out, room, strchr(h->name, ':') ? "[%s]:%u" : "%s:%u", h->name, h->port);
}

/* --- secrets --- */

/* A line in a file that is not everybody's. */
static int read_secret(const char *setting, const char *file, char ret[static NOTIFY_SECRET_MAX + 1], const char **ret_why)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(ret_why, -errno, "%s: %s: %s", setting, file, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_mode & 007)
		return refuse(ret_why, -EPERM, "%s: %s: expected a file that others cannot read (chmod 0600)", setting, file);
	n = read(fd, ret, NOTIFY_SECRET_MAX);
	while (n > 0 && (ret[n - 1] == '\n' || ret[n - 1] == '\r'))
		n--;
	if (n <= 0)
		return refuse(ret_why, -EINVAL, "%s: %s: expected a line of text", setting, file);
	ret[n] = '\0';
	if (strlen(ret) != (size_t)n || strpbrk(ret, "\r\n"))
		return refuse(ret_why, -EINVAL, "%s: %s: expected one line of text", setting, file);
	return 0;
}

/* --- the courier's knowledge --- */

static int add_secret(json_t *j, const char *key, const char *setting, const char *file, bool secrets, const char **ret_why)
{
	char text[NOTIFY_SECRET_MAX + 1];
	int r = 0;

	if (!set(file))
		return 0;
	if (file[0] != '/')
		return refuse(ret_why, -EINVAL, "%s: expected an absolute path", setting);
	if (secrets) {
		r = read_secret(setting, file, text, ret_why);
		if (r == 0 && json_object_set_new(j, key, json_string(text)) < 0)
			r = refuse(ret_why, -EINVAL, "%s: %s: expected UTF-8", setting, file);
		explicit_bzero(text, sizeof(text));
	}
	return r;
}

static void text(json_t *j, const char *key, const char *value)
{
	json_object_set_new(j, key, json_string(value));
}

static int finish(json_t *j, const struct notify_settings *s, enum notify_kind kind, struct notify_ways *w)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	if (!plain(host) || !host[0])
		snprintf(host, sizeof(host), "localhost");
	text(j, "kind", notify_kind_names[kind]);
	text(j, "host", host);
	json_object_set_new(j, "timeout", json_integer((json_int_t)s->timeout));
	if (set(s->ca_file))
		text(j, "ca_file", s->ca_file);
	w->courier[kind] = json_dumps(j, JSON_COMPACT);
	return w->courier[kind] ? 0 : -ENOMEM;
}

static int add_way(struct notify_ways *w, enum notify_kind kind, const char *to)
{
	struct notify_way *way = &w->v[w->n];
	char name[300];

	snprintf(name, sizeof(name), "%s%s%s", notify_kind_names[kind], to ? " " : "", to ? to : "");
	way->kind = kind;
	way->name = strdup(name);
	way->to = to ? strdup(to) : NULL;
	w->n++;
	return way->name && (!to || way->to) ? 0 : -ENOMEM;
}

/* --- mail --- */

/* What may stand between < and > in SMTP without more ado. */
static bool is_address(const char *s)
{
	const char *at = strrchr(s, '@');

	return plain(s) && !strpbrk(s, "<>()[]\\,;:\"") && at && at > s && at[1] && strlen(s) <= 254;
}

static int mail_recipients(const struct notify_settings *s, struct notify_ways *w, const char **ret_why)
{
	const char *p = s->mail_to;

	while (*p) {
		size_t n;
		char one[256];
		int r;

		p += strspn(p, ", ");
		n = strcspn(p, ", ");
		if (n == 0)
			break;
		snprintf(one, sizeof(one), "%.*s", (int)MIN(n, sizeof(one) - 1), p);
		if (n >= sizeof(one) || !is_address(one))
			return refuse(ret_why, -EINVAL, "notify.mail.to: expected addresses, as in clerk@example.org, sales@example.org");
		if (w->n == NOTIFY_RECIPIENTS_MAX)
			return refuse(ret_why, -EINVAL, "notify.mail.to: expected at most %d addresses", NOTIFY_RECIPIENTS_MAX);
		r = add_way(w, NOTIFY_MAIL, one);
		if (r < 0)
			return r;
		p += n;
	}
	return w->n ? 0 : refuse(ret_why, -EINVAL, "notify.mail.to: expected who is to get the mails");
}

static int mail(const struct notify_settings *s, bool secrets, struct notify_ways *w, const char **ret_why)
{
	static const struct { const char *tls, *scheme; unsigned port; } kinds[] = {
		{ "starttls", "smtp", 587 }, { "tls", "smtps", 465 }, { "none", "smtp", 25 },
	};
	json_t *j;
	struct host h;
	char place[HOST_MAX + 16], url[HOST_MAX + 32];
	size_t k = 0;
	int r;

	if (!set(s->mail_server) && !set(s->mail_to))
		return 0;
	while (k < ARRAY_SIZE(kinds) && strcmp(kinds[k].tls, s->mail_tls) != 0)
		k++;
	if (k == ARRAY_SIZE(kinds))
		return refuse(ret_why, -EINVAL, "notify.mail.tls: expected starttls, tls or none");
	if (take_host(s->mail_server, kinds[k].port, &h) < 0)
		return refuse(ret_why, -EINVAL, "notify.mail.server: expected HOST or HOST:PORT");
	if (k == 2 && !is_loopback(h.name))
		return refuse(ret_why, -EINVAL, "notify.mail.tls: none is for a server on this machine alone");
	if (!is_address(s->mail_from))
		return refuse(ret_why, -EINVAL, "notify.mail.from: expected an address");
	if (set(s->mail_user) != set(s->mail_password_file))
		return refuse(ret_why, -EINVAL, "notify.mail.user and notify.mail.password_file: expected both or neither");
	if (k == 2 && set(s->mail_user))
		return refuse(ret_why, -EINVAL, "notify.mail.user: a password goes over TLS alone (notify.mail.tls)");
	r = mail_recipients(s, w, ret_why);
	if (r < 0)
		return r;
	put_host(&h, place, sizeof(place));
	snprintf(url, sizeof(url), "%s://%s", kinds[k].scheme, place);
	j = json_object();
	text(j, "url", url);
	text(j, "tls", kinds[k].tls);
	text(j, "from", s->mail_from);
	if (set(s->mail_user))
		text(j, "user", s->mail_user);
	r = add_secret(j, "password", "notify.mail.password_file", s->mail_password_file, secrets, ret_why);
	if (r == 0)
		r = finish(j, s, NOTIFY_MAIL, w);
	json_decref(j);
	return r;
}

/* --- webhook --- */

static int webhook(const struct notify_settings *s, bool secrets, struct notify_ways *w, const char **ret_why)
{
	bool https = strncmp(s->webhook_url, "https://", 8) == 0, http = strncmp(s->webhook_url, "http://", 7) == 0;
	const char *rest = s->webhook_url + (https ? 8 : 7);
	char authority[HOST_MAX + 16];
	struct host h;
	json_t *j;
	int r;

	if (!set(s->webhook_url))
		return 0;
	snprintf(authority, sizeof(authority), "%.*s", https || http ? (int)MIN(strcspn(rest, "/?#"), sizeof(authority) - 1) : 0, rest);
	if (!plain(s->webhook_url) || strlen(s->webhook_url) > 2000 || take_host(authority, https ? 443 : 80, &h) < 0)
		return refuse(ret_why, -EINVAL, "notify.webhook.url: expected https://HOST/PATH, without a name before @");
	if (http && !is_loopback(h.name))
		return refuse(ret_why, -EINVAL, "notify.webhook.url: http:// is for this machine alone; expected https://");
	j = json_object();
	text(j, "url", s->webhook_url);
	r = add_way(w, NOTIFY_WEBHOOK, NULL);
	if (r == 0)
		r = add_secret(j, "token", "notify.webhook.token_file", s->webhook_token_file, secrets, ret_why);
	if (r == 0)
		r = add_secret(j, "key", "notify.webhook.key_file", s->webhook_key_file, secrets, ret_why);
	if (r == 0 && json_object_get(j, "token") && !plain(json_string_value(json_object_get(j, "token"))))
		r = refuse(ret_why, -EINVAL, "notify.webhook.token_file: expected a token without spaces");
	if (r == 0)
		r = finish(j, s, NOTIFY_WEBHOOK, w);
	json_decref(j);
	return r;
}

/* --- syslog --- */

static int syslog_place(const struct notify_settings *s, json_t *j, const char **ret_why)
{
	static const struct { const char *name; unsigned port; } transports[] = { { "tls", 6514 }, { "udp", 514 }, { "unix", 0 } };
	char place[HOST_MAX + 32], url[HOST_MAX + 48], port[8];
	struct host h;
	size_t k = 0;

	while (k < ARRAY_SIZE(transports) && strcmp(transports[k].name, s->syslog_transport) != 0)
		k++;
	if (k == ARRAY_SIZE(transports))
		return refuse(ret_why, -EINVAL, "notify.syslog.transport: expected tls, udp or unix");
	text(j, "transport", transports[k].name);
	if (k == 2) {
		if (s->syslog_server[0] != '/' || strlen(s->syslog_server) > 107)
			return refuse(ret_why, -EINVAL, "notify.syslog.server: expected the path of a socket, as in /dev/log");
		text(j, "path", s->syslog_server);
		return 0;
	}
	if (take_host(s->syslog_server, transports[k].port, &h) < 0)
		return refuse(ret_why, -EINVAL, "notify.syslog.server: expected HOST or HOST:PORT");
	put_host(&h, place, sizeof(place));
	/* Only so that libcurl makes a TLS connection: nothing of HTTP is said. */
	snprintf(url, sizeof(url), "https://%s", place);
	snprintf(port, sizeof(port), "%u", h.port);
	text(j, "url", url);
	text(j, "server", h.name);
	text(j, "port", port);
	return 0;
}

static int syslog_way(const struct notify_settings *s, struct notify_ways *w, const char **ret_why)
{
	json_t *j;
	int r;

	if (!set(s->syslog_server))
		return 0;
	if (strcmp(s->syslog_form, "text") != 0 && strcmp(s->syslog_form, "cef") != 0)
		return refuse(ret_why, -EINVAL, "notify.syslog.form: expected text or cef");
	if (s->syslog_facility > 23)
		return refuse(ret_why, -EINVAL, "notify.syslog.facility: expected a number from 0 to 23");
	j = json_object();
	r = syslog_place(s, j, ret_why);
	text(j, "form", s->syslog_form);
	json_object_set_new(j, "facility", json_integer((json_int_t)s->syslog_facility));
	if (r == 0)
		r = add_way(w, NOTIFY_SYSLOG, NULL);
	if (r == 0)
		r = finish(j, s, NOTIFY_SYSLOG, w);
	json_decref(j);
	return r;
}

/* --- all --- */

static int common(const struct notify_settings *s, struct notify_ways *w, const char **ret_why)
{
	w->min_severity = severity_from(str_c(s->min_severity));
	if (!w->min_severity)
		return refuse(ret_why, -EINVAL, "notify.min_severity: expected low, medium, high or critical");
	if (s->tries < 1 || s->tries > TRIES_MAX)
		return refuse(ret_why, -EINVAL, "notify.tries: expected a number from 1 to %d", TRIES_MAX);
	if (s->wait < 1 || s->wait > NOTIFY_WAIT_MAX)
		return refuse(ret_why, -EINVAL, "notify.wait: expected seconds, from 1 to %d", NOTIFY_WAIT_MAX);
	if (s->timeout < 1 || s->timeout > TIMEOUT_MAX)
		return refuse(ret_why, -EINVAL, "notify.timeout: expected seconds, from 1 to %d", TIMEOUT_MAX);
	if (set(s->ca_file) && s->ca_file[0] != '/')
		return refuse(ret_why, -EINVAL, "notify.ca_file: expected an absolute path");
	return 0;
}

int notify_ways_make(const struct notify_settings *s, bool secrets, struct notify_ways *ret, const char **ret_why)
{
	struct notify_ways w = { 0 };
	int r = common(s, &w, ret_why);

	*ret_why = r == 0 ? "no memory" : *ret_why;
	if (r == 0)
		r = mail(s, secrets, &w, ret_why);
	if (r == 0)
		r = webhook(s, secrets, &w, ret_why);
	if (r == 0)
		r = syslog_way(s, &w, ret_why);
	if (r < 0)
		notify_ways_free(&w);
	else
		*ret = w;
	return r;
}

void notify_ways_free(struct notify_ways *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i].name);
		free(w->v[i].to);
	}
	for (size_t i = 0; i < NOTIFY_KINDS; i++) {
		if (w->courier[i])
			explicit_bzero(w->courier[i], strlen(w->courier[i]));
		free(w->courier[i]);
	}
	*w = (struct notify_ways){ 0 };
}
