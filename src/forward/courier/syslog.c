/* RFC 5424 over TLS (RFC 5425: a length, a space, the message), over UDP (RFC 5426) and to a local socket.
 *
 * Syslog has no acknowledgement. What can be known: whether the connection stands before we write, and whether it is reset or closed right
 * after. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/timefmt.h"
#include "base/utf8.h"
#include "forward/courier/way.h"

#define TLS_MAX 8192       /* RFC 5425, 4.3.1 */
#define DATAGRAM_MAX 2048  /* RFC 5426, 3.2 */
#define SETTLE_MS 300      /* for so long we look whether what we wrote is answered by a reset */

/* RFC 5424, 6.2.1 */
static unsigned priority(const struct letter *l, unsigned facility)
{
	static const unsigned severities[] = { [SEVERITY_LOW] = 5, [SEVERITY_MEDIUM] = 4, [SEVERITY_HIGH] = 3, [SEVERITY_CRITICAL] = 2 };
	bool known = l->severity >= SEVERITY_LOW && l->severity < SEVERITY_MAX_;

	return 8 * facility + (known ? severities[l->severity] : 5);
}

/* At most six digits of a second. */
static void put_time(int64_t ns, struct buf *b)
{
	char text[TIME_TEXT_MAX];

	buf_put(b, text, time_format(ns - ns % 1000, text));
}

void syslog_compose(const struct letter *l, const char *host, unsigned facility, bool cef, int64_t now, size_t max, struct buf *b)
{
	_cleanup_buf_ struct buf clean = BUF_INIT;
	str s;

	utf8_put_clean(&clean, cef ? l->cef : l->line);
	for (size_t i = 0; i < clean.n; i++)
		if (clean.p[i] == '\n' || clean.p[i] == '\t')
			clean.p[i] = ' ';
	buf_putf(b, "<%u>1 ", priority(l, facility));
	put_time(now, b);
	buf_putf(b, " %.255s tyto - %s - \xef\xbb\xbf", host, str_starts(l->uid, STR("tyto/test/")) ? "TEST" : "ALERT");
	s = buf_str(&clean);
	/* A cut is never empty: with less room than a character takes, nothing. */
	buf_put(b, s.p, max >= b->n + 4 ? utf8_cut(s, max - b->n) : 0);
}

/* --- TLS --- */

static CURLcode connect_tls(struct way *w)
{
	CURL *c = way_curl(w, "https");
	CURLcode r = c ? CURLE_OK : CURLE_OUT_OF_MEMORY;

	if (r == CURLE_OK) {
		r |= curl_easy_setopt(c, CURLOPT_URL, way_text(w, "url"));
		r |= curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
		r |= curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
		r |= curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	}
	if (r == CURLE_OK)
		r = curl_easy_perform(c);
	w->connected = r == CURLE_OK;
	return r;
}

static void disconnect(struct way *w)
{
	curl_easy_cleanup(w->curl);
	w->curl = curl_easy_init();
	w->connected = false;
}

/* Until it is ready, or ms have passed. */
static bool ready(struct way *w, short events, int ms)
{
	curl_socket_t fd = -1;
	struct pollfd p = { .events = events };

	if (curl_easy_getinfo(w->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd < 0)
		return false;
	p.fd = fd;
	return poll(&p, 1, ms) > 0;
}

/* A server of syslog's says nothing: what can be read is its end (or TLS's own housekeeping). */
static bool stands(struct way *w)
{
	char some[256];
	size_t n;

	for (;;) {
		CURLcode r = curl_easy_recv(w->curl, some, sizeof(some), &n);

		if (r != CURLE_OK)
			return r == CURLE_AGAIN;
		if (n == 0)
			return false;
	}
}

static CURLcode write_all(struct way *w, str s)
{
	int64_t until = time_boottime() + w->timeout_ms * 1000000;

	while (s.n) {
		size_t n = 0;
		CURLcode r = curl_easy_send(w->curl, s.p, s.n, &n);

		if (r != CURLE_OK && r != CURLE_AGAIN)
			return r;
		s.p += n;
		s.n -= n;
		if (s.n && time_boottime() > until)
			return CURLE_OPERATION_TIMEDOUT;
		if (s.n && n == 0)
			ready(w, POLLOUT, 200);
	}
	return CURLE_OK;
}

/* What comes first may be no end but TLS's own (session tickets): all of the time is waited for. */
static bool settles(struct way *w)
{
	int64_t until = time_boottime() + SETTLE_MS * 1000000, now;

	while ((now = time_boottime()) < until) {
		ready(w, POLLIN, (int)((until - now) / 1000000) + 1);
		if (!stands(w))
			return false;
	}
	return true;
}

static enum courier_verdict send_tls(struct way *w, str message)
{
	_cleanup_buf_ struct buf frame = BUF_INIT;
	CURLcode r = CURLE_OK;

	if (w->connected && !stands(w))
		disconnect(w);
	if (!w->connected)
		r = connect_tls(w);
	buf_putf(&frame, "%zu ", message.n);
	buf_puts(&frame, message);
	if (r == CURLE_OK)
		r = write_all(w, buf_str(&frame));
	if (r == CURLE_OK && !settles(w))
		r = CURLE_SEND_ERROR;
	if (r == CURLE_OK)
		return way_say(w, COURIER_SENT, "written to %s port %s (syslog has no acknowledgement)", way_text(w, "server"), way_text(w, "port"));
	way_say(w, COURIER_LATER, "%s", *w->error ? w->error : r == CURLE_SEND_ERROR ? "the connection was closed right after the message" :
			curl_easy_strerror(r));
	disconnect(w);
	return COURIER_LATER;
}

/* --- datagrams --- */

static enum courier_verdict failed(struct way *w, const char *what)
{
	way_say(w, COURIER_LATER, "%s: %s", what, strerror(errno));
	close_fd(&w->fd);
	return COURIER_LATER;
}

static int open_udp(struct way *w)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list = NULL;
	int r = getaddrinfo(way_text(w, "server"), way_text(w, "port"), &hints, &list);

	if (r != 0) {
		way_say(w, COURIER_LATER, "%s: %s", way_text(w, "server"), gai_strerror(r));
		return -1;
	}
	for (const struct addrinfo *a = list; a && w->fd < 0; a = a->ai_next) {
		w->fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (w->fd >= 0 && connect(w->fd, a->ai_addr, a->ai_addrlen) < 0)
			close_fd(&w->fd);
	}
	freeaddrinfo(list);
	if (w->fd < 0)
		failed(w, way_text(w, "server"));
	return w->fd;
}

/* Local daemons listen for datagrams; some for a stream, in which a message ends with a NUL. */
static int open_unix(struct way *w, bool *ret_stream)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	static const int kinds[] = { SOCK_DGRAM, SOCK_STREAM };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", way_text(w, "path"));
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && w->fd < 0; i++) {
		const struct timeval t = { .tv_sec = w->timeout_ms / 1000 };

		w->fd = socket(AF_UNIX, kinds[i] | SOCK_CLOEXEC, 0);
		*ret_stream = i == 1;
		setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
		if (w->fd >= 0 && connect(w->fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
			failed(w, a.sun_path);
			if (errno != EPROTOTYPE)
				break;
		}
	}
	return w->fd;
}

/* Opened for each message: a daemon that was started anew has another socket. */
static enum courier_verdict send_datagram(struct way *w, str message, bool local)
{
	struct pollfd p = { .events = POLLIN };
	bool stream = false;
	char some[64];

	if ((local ? open_unix(w, &stream) : open_udp(w)) < 0)
		return COURIER_LATER;
	if (send(w->fd, message.p, message.n, MSG_NOSIGNAL) != (ssize_t)message.n || (stream && send(w->fd, "", 1, MSG_NOSIGNAL) != 1))
		return failed(w, local ? way_text(w, "path") : way_text(w, "server"));
	/* Where nobody listens, the network may say so. */
	p.fd = w->fd;
	if (!local && poll(&p, 1, SETTLE_MS) > 0 && recv(w->fd, some, sizeof(some), MSG_DONTWAIT) < 0 && errno == ECONNREFUSED)
		return failed(w, way_text(w, "server"));
	close_fd(&w->fd);
	return way_say(w, COURIER_SENT, "handed to %s (nobody acknowledges it)", local ? way_text(w, "path") : way_text(w, "server"));
}

enum courier_verdict syslog_send(struct way *w, const struct letter *l)
{
	bool tls = strcmp(way_text(w, "transport"), "tls") == 0, local = strcmp(way_text(w, "transport"), "unix") == 0;
	unsigned facility = (unsigned)json_integer_value(json_object_get(w->config, "facility"));
	_cleanup_buf_ struct buf message = BUF_INIT;

	syslog_compose(l, way_text(w, "host"), facility, strcmp(way_text(w, "form"), "cef") == 0, time_now(),
		tls ? TLS_MAX : DATAGRAM_MAX, &message);
	if (buf_error(&message))
		return way_say(w, COURIER_LATER, "no memory");
	return tls ? send_tls(w, buf_str(&message)) : send_datagram(w, buf_str(&message), local);
}
