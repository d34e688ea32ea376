/* A POST of JSON. The answer's body is thrown away; its code alone counts. */
#include <openssl/hmac.h>

#include "base/base64.h"
#include "forward/courier/way.h"

#define ANSWER_MAX (64 * 1024) /* bytes of an answer: body, and headers, that we listen to */

struct listening {
	size_t n;
};

static size_t throw_away(char *p, size_t size, size_t n, void *arg)
{
	struct listening *l = arg;

	l->n += size * n;
	return l->n > ANSWER_MAX ? 0 : size * n;
}

static void put_signature(const char *key, str body, struct buf *b)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)body.p, body.n, mac, &n))
		hex_encode(b, (str){ (const char *)mac, n });
}

/* NULL: no memory. */
static struct curl_slist *headers(const struct way *w, const struct letter *l)
{
	struct buf lines[4] = { 0 };
	struct curl_slist *list = NULL;
	size_t n = 0;

	buf_puts(&lines[n++], STR("Content-Type: application/json"));
	buf_putf(&lines[n++], "Idempotency-Key: %.*s", STR_ARG(l->uid));
	if (*way_text(w, "token"))
		buf_putf(&lines[n++], "Authorization: Bearer %s", way_text(w, "token"));
	if (*way_text(w, "key")) {
		buf_puts(&lines[n], STR("X-Tyto-Signature: sha256="));
		put_signature(way_text(w, "key"), l->json, &lines[n++]);
	}
	for (size_t i = 0; i < n; i++) {
		const char *line = buf_cstr(&lines[i]);
		struct curl_slist *longer = line ? curl_slist_append(list, line) : NULL;

		if (!longer) {
			curl_slist_free_all(list);
			list = NULL;
			break;
		}
		list = longer;
	}
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		buf_free(&lines[i]);
	return list;
}

static enum courier_verdict judge(struct way *w, CURLcode r)
{
	long code = 0;

	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &code);
	/* More than we listen to, or a body that never ends: the code has been said. */
	if (r != CURLE_OK && !(r == CURLE_WRITE_ERROR && code >= 200))
		return way_say(w, COURIER_LATER, "%s", *w->error ? w->error : curl_easy_strerror(r));
	if (code >= 200 && code < 300)
		return way_say(w, COURIER_SENT, "HTTP %ld", code);
	if (code >= 300 && code < 400)
		return way_say(w, COURIER_NEVER, "HTTP %ld: redirects are not followed", code);
	if (code >= 400 && code < 500 && code != 408 && code != 425 && code != 429)
		return way_say(w, COURIER_NEVER, "refused for good: HTTP %ld", code);
	return way_say(w, COURIER_LATER, "HTTP %ld", code);
}

enum courier_verdict webhook_send(struct way *w, const struct letter *l)
{
	const char *url = way_text(w, "url");
	/* http:// only to this machine: the settings saw to that. */
	CURL *c = way_curl(w, strncmp(url, "http://", 7) == 0 ? "http" : "https");
	struct curl_slist *list = headers(w, l);
	struct listening body = { 0 }, head = { 0 };
	CURLcode r = c && list ? CURLE_OK : CURLE_OUT_OF_MEMORY;

	if (r == CURLE_OK) {
		r |= curl_easy_setopt(c, CURLOPT_URL, url);
		r |= curl_easy_setopt(c, CURLOPT_USERAGENT, "tyto/" TYTO_VERSION);
		r |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
		r |= curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)l->json.n);
		r |= curl_easy_setopt(c, CURLOPT_POSTFIELDS, l->json.p);
		r |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, throw_away);
		r |= curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
		r |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, throw_away);
		r |= curl_easy_setopt(c, CURLOPT_HEADERDATA, &head);
	}
	if (r == CURLE_OK)
		r = curl_easy_perform(c);
	curl_slist_free_all(list);
	return judge(w, r);
}
