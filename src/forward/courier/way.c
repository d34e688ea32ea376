/* What all ways of sending have in common. */
#include "forward/courier/way.h"

#include <stdarg.h>

const char *way_text(const struct way *w, const char *key)
{
	const char *s = json_string_value(json_object_get(w->config, key));

	return s ? s : "";
}

enum courier_verdict way_say(struct way *w, enum courier_verdict v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->line, sizeof(w->line), fmt, ap);
	va_end(ap);
	return v;
}

CURL *way_curl(struct way *w, const char *protocols)
{
	CURL *c = w->curl;
	CURLcode r = CURLE_OK;

	w->error[0] = '\0';
	if (!c)
		return NULL;
	curl_easy_reset(c); /* the connection stays */
	r |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, w->error);
	r |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
	r |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	r |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	r |= curl_easy_setopt(c, CURLOPT_NOPROGRESS, 1L);
	r |= curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	r |= curl_easy_setopt(c, CURLOPT_PROXY, "");
	r |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, w->timeout_ms);
	r |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, w->timeout_ms);
	r |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	r |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	r |= curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (*way_text(w, "ca_file")) {
		r |= curl_easy_setopt(c, CURLOPT_CAINFO, way_text(w, "ca_file"));
		r |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	return r == CURLE_OK ? c : NULL;
}
