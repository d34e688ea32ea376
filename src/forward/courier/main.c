/* tyto-notify: the program that talks to mail servers, webhooks and syslog servers. Started by the notifier (courier.h), never by people:
 * it gets the server and its secrets, gives up everything but the network, and sends what it is given. */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <sys/socket.h>

#include "base/sandbox.h"
#include "forward/courier/way.h"

#define OTHER_ACCOUNT 65533 /* the keeper may be 65534 */
#define FILES 64

static const struct {
	const char *kind;
	way_send *send;
} ways[] = { { "mail", mail_send }, { "webhook", webhook_send }, { "syslog", syslog_send } };

/* One packet; NULL: the other end is gone, or it is no JSON. */
static json_t *receive(char *packet)
{
	ssize_t n;

	do
		n = recv(COURIER_SOCKET, packet, COURIER_FRAME_MAX, 0);
	while (n < 0 && errno == EINTR);
	return n > 0 ? json_loadb(packet, (size_t)n, 0, NULL) : NULL;
}

static str text(const json_t *j, const char *key)
{
	const json_t *s = json_object_get(j, key);

	return json_is_string(s) ? (str){ json_string_value(s), json_string_length(s) } : STR("");
}

static void serve(struct way *w, way_send *send_it, char *packet)
{
	json_t *j;

	while ((j = receive(packet))) {
		struct letter l = { .uid = text(j, "uid"), .subject = text(j, "subject"), .text = text(j, "text"), .line = text(j, "line"),
			.json = text(j, "json"), .cef = text(j, "cef"), .to = text(j, "to"),
			.severity = (enum severity)json_integer_value(json_object_get(j, "severity")) };
		char answer[COURIER_LINE_MAX + 1];

		w->line[0] = '\0';
		answer[0] = (char)send_it(w, &l);
		json_decref(j);
		memcpy(answer + 1, w->line, strlen(w->line));
		if (send(COURIER_SOCKET, answer, 1 + strlen(w->line), MSG_NOSIGNAL) < 0)
			return;
	}
}

/* Names are resolved and certificates read by what stands here; the record does not. */
static int confine(const struct way *w)
{
	const char *const places[] = { "/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve", "/run/resolvconf", "/dev/null", "/dev/urandom",
		*way_text(w, "ca_file") ? way_text(w, "ca_file") : "/etc", NULL };
	const struct sandbox_limits limits = { .memory = (uint64_t)1 << 30, .files = FILES };

	return sandbox_network(&limits, places, OTHER_ACCOUNT);
}

int main(void)
{
	char *packet = malloc(COURIER_FRAME_MAX);
	json_t *config = packet ? receive(packet) : NULL;
	struct way w = { .config = config, .fd = -1, .timeout_ms = 1000 * (long)json_integer_value(json_object_get(config, "timeout")) };
	size_t i = 0;

	prctl(PR_SET_NAME, "tyto-notify");
	signal(SIGPIPE, SIG_IGN); /* servers hang up; libcurl leaves this to us (CURLOPT_NOSIGNAL) */
	while (i < ARRAY_SIZE(ways) && strcmp(ways[i].kind, way_text(&w, "kind")) != 0)
		i++;
	if (!packet || i == ARRAY_SIZE(ways) || w.timeout_ms <= 0) {
		fprintf(stderr, "tyto-notify: is started by tyto, to send what it is given\n");
		return 2;
	}
	explicit_bzero(packet, COURIER_FRAME_MAX);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || confine(&w) < 0) {
		fprintf(stderr, "tyto-notify: cannot give up what it does not need: nothing is sent\n");
		return 1;
	}
	w.curl = curl_easy_init();
	serve(&w, ways[i].send, packet);
	curl_easy_cleanup(w.curl);
	close_fd(&w.fd);
	json_decref(config);
	free(packet);
	_exit(0); /* what libraries and sanitizers do at the end needs calls that are given up */
}
