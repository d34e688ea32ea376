/* A mail by SMTP (RFC 5321), composed after RFC 5322 with a body in base64, so that no line of it means anything to a mail server. */
#include "base/base64.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "forward/courier/way.h"

#define WORD_MAX 45  /* bytes of an encoded word (RFC 2047: 75 characters with its frame) */
#define LINE_BYTES 57 /* of the body a line: 76 characters */

/* What looks like an encoded word is not plain. */
static bool plain(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~' || (i > 0 && s.p[i - 1] == '=' && s.p[i] == '?'))
			return false;
	return true;
}

/* Plain where it is plain, else encoded words, one a line, cut between characters. Never an end of line from outside. */
void mail_put_header(const char *name, str value, struct buf *b)
{
	_cleanup_buf_ struct buf clean = BUF_INIT;
	str s;

	utf8_put_clean(&clean, value);
	for (size_t i = 0; i < clean.n; i++)
		if (clean.p[i] == '\n' || clean.p[i] == '\t')
			clean.p[i] = ' ';
	s = buf_str(&clean);
	buf_putf(b, "%s:", name);
	if (plain(s) && s.n + strlen(name) < 900) {
		buf_putf(b, " %.*s\r\n", STR_ARG(s));
		return;
	}
	while (s.n) {
		size_t n = utf8_cut(s, WORD_MAX);

		buf_puts(b, STR(" =?UTF-8?B?"));
		base64_encode(b, (str){ s.p, n });
		s.p += n;
		s.n -= n;
		buf_puts(b, s.n ? STR("?=\r\n") : STR("?="));
	}
	buf_puts(b, STR("\r\n"));
}

static void put_date(int64_t now, struct buf *b)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(now / NSEC_PER_SEC);
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	buf_putf(b, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
			tm.tm_hour, tm.tm_min,
		tm.tm_sec);
}

/* What stands left of @ in a message's name: letters, digits, dots. */
static void put_message_id(str uid, const char *host, struct buf *b)
{
	buf_puts(b, STR("Message-ID: <"));
	for (size_t i = 0; i < uid.n && i < 200; i++) {
		char c = uid.p[i];

		buf_putc(b, (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ? c : '.');
	}
	buf_putf(b, "@%s>\r\n", host);
}

static void put_body(str text, struct buf *b)
{
	_cleanup_buf_ struct buf crlf = BUF_INIT;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_putc(&crlf, '\r');
		buf_putc(&crlf, text.p[i]);
	}
	for (size_t i = 0; i < crlf.n; i += LINE_BYTES) {
		base64_encode(b, (str){ crlf.p + i, MIN((size_t)LINE_BYTES, crlf.n - i) });
		buf_puts(b, STR("\r\n"));
	}
}

void mail_compose(const struct letter *l, const char *from, const char *host, int64_t now, struct buf *b)
{
	mail_put_header("From", str_c(from), b);
	mail_put_header("To", l->to, b);
	mail_put_header("Subject", l->subject, b);
	put_date(now, b);
	put_message_id(l->uid, host, b);
	buf_puts(b, STR("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
			"Content-Transfer-Encoding: base64\r\n"));
	if (l->severity >= SEVERITY_HIGH)
		buf_puts(b, STR("Importance: high\r\nX-Priority: 1\r\n"));
	buf_puts(b, STR("\r\n"));
	put_body(l->text, b);
}

struct upload {
	const struct buf *b;
	size_t at;
};

static size_t give(char *to, size_t size, size_t n, void *arg)
{
	struct upload *u = arg;
	size_t more = MIN(size * n, u->b->n - u->at);

	memcpy(to, u->b->p + u->at, more);
	u->at += more;
	return more;
}

/* Codes of 500 and above are for good (RFC 5321, 4.2.1); but what a login says may be a passing trouble of whoever checks it. */
static enum courier_verdict judge(struct way *w, CURLcode r)
{
	long code = 0;

	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &code);
	if (r == CURLE_OK)
		return way_say(w, COURIER_SENT, "taken by %s", strstr(way_text(w, "url"), "//") + 2);
	if (code >= 500 && code < 600 && r != CURLE_LOGIN_DENIED)
		return way_say(w, COURIER_NEVER, "refused for good (%ld): %s", code, *w->error ? w->error : curl_easy_strerror(r));
	return way_say(w, COURIER_LATER, "%s", *w->error ? w->error : curl_easy_strerror(r));
}

static CURLcode set_options(struct way *w, CURL *c, struct curl_slist *to, struct upload *u)
{
	bool tls = strcmp(way_text(w, "tls"), "none") != 0;
	char url[600];
	CURLcode r = CURLE_OK;

	/* The name that we greet with. */
	snprintf(url, sizeof(url), "%s/%s", way_text(w, "url"), way_text(w, "host"));
	r |= curl_easy_setopt(c, CURLOPT_URL, url);
	r |= curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	if (*way_text(w, "user") && tls) {
		r |= curl_easy_setopt(c, CURLOPT_USERNAME, way_text(w, "user"));
		r |= curl_easy_setopt(c, CURLOPT_PASSWORD, way_text(w, "password"));
	}
	r |= curl_easy_setopt(c, CURLOPT_MAIL_FROM, way_text(w, "from"));
	r |= curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
	r |= curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	r |= curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
	r |= curl_easy_setopt(c, CURLOPT_READDATA, u);
	return r;
}

enum courier_verdict mail_send(struct way *w, const struct letter *l)
{
	_cleanup_buf_ struct buf mail = BUF_INIT, to = BUF_INIT;
	struct curl_slist *list;
	CURL *c = way_curl(w, "smtp,smtps");
	struct upload u = { &mail, 0 };
	CURLcode r;

	buf_puts(&to, l->to);
	list = buf_cstr(&to) ? curl_slist_append(NULL, to.p) : NULL;
	mail_compose(l, way_text(w, "from"), way_text(w, "host"), time_now(), &mail);
	r = c && list && !buf_error(&mail) ? set_options(w, c, list, &u) : CURLE_OUT_OF_MEMORY;
	if (r == CURLE_OK)
		r = curl_easy_perform(c);
	curl_slist_free_all(list);
	return judge(w, r);
}
