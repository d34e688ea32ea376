/* E-mail addresses and IP addresses. */
#include <arpa/inet.h>

#include "document/finding_internal.h"

#define LOCAL_MAX 64
#define DOMAIN_MAX 253
#define LABEL_MAX 63

/* What RFC 5322 allows besides (/ = ! # …) more often stands before an address: x=, {, a path. */
static bool is_local(char c)
{
	return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%' || c == '\'' || c == '&';
}

/* Endings that name a file, not a domain: sprite@2x.png. */
static bool is_file_ending(str tld)
{
	static const char endings[][8] = { "png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "css", "scss", "less", "js", "mjs", "jsx",
		"tsx",
					       "json", "html", "htm", "xml", "yaml", "yml", "txt", "pdf", "log", "conf", "service", "socket", "timer",
					       "mount", "target", "slice", "scope", "device", "swap", "path" };

	char small[8] = { 0 };

	if (tld.n > 7)
		return false;
	for (size_t i = 0; i < tld.n; i++)
		small[i] = lower(tld.p[i]);
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (!memcmp(endings[i], small, sizeof(small)))
			return true;
	return false;
}

/* Where the domain that begins at i ends; 0: it is none. */
static uint32_t domain_end(const struct finding_scan *s, uint32_t i)
{
	uint32_t from = i, label = i, good = 0, last = 0;

	for (;; i++) {
		char c = at(s, i);

		if (is_alnum(c) || (c == '-' && i > label))
			continue;
		if (i == label || s->p[i - 1] == '-' || i - label > LABEL_MAX)
			break;
		if (label > from) { /* at least two labels, the last of letters */
			good = i;
			last = label;
		}
		if (c != '.' || !is_alnum(at(s, i + 1)) || i - from > DOMAIN_MAX)
			break;
		label = i + 1;
	}
	if (!good || good - last < 2 || good - from > DOMAIN_MAX)
		return 0;
	if (strncasecmp(s->p + last, "xn--", 4) != 0)
		for (i = last; i < good; i++)
			if (!is_alpha(s->p[i]))
				return 0;
	return is_file_ending((str){ s->p + last, good - last }) ? 0 : good;
}

static bool latin_before(const struct finding_scan *s, uint32_t i)
{
	uint32_t k = i;

	while (k > s->lo && i - k < 2 && (s->p[k - 1] & 0x80)) {
		k--;
		if ((uint8_t)s->p[k] >= 0xc3 && (uint8_t)s->p[k] <= 0xcf) /* Latin, Greek: letters of a word that begins farther left */
			return true;
	}
	return false;
}

bool detect_email(struct finding_scan *s, uint32_t i)
{
	uint32_t from = i, end;
	char value[LOCAL_MAX + 1 + DOMAIN_MAX];

	while (from > s->lo && from > s->done && i - from <= LOCAL_MAX && is_local(s->p[from - 1]))
		from--;
	while (from < i && !is_alnum(s->p[from]) && s->p[from] != '_')
		from++;
	if (from == i || i - from > LOCAL_MAX || s->p[i - 1] == '.' || latin_before(s, from) || memmem(s->p + from, i - from, "..", 2))
		return false;
	/* user:password@host, git@host:path */
	if (before(s, from) == ':' && memmem(s->p + (from - s->lo > 40 ? from - 40 : s->lo), MIN(40, from - s->lo), "://", 3) &&
	    !memchr(s->p + (from - s->lo > 40 ? from - 40 : s->lo), ' ', MIN(40, from - s->lo)))
		return false;
	if (before(s, from) == '/' && before(s, from - 1) == '/')
		return false;
	end = domain_end(s, i + 1);
	if (!end || at(s, end) == '@' || (at(s, end) == ':' && is_alpha(at(s, end + 1)) && i - from == 3 && !memcmp(s->p + from, "git", 3)))
		return false;
	for (uint32_t k = from; k < end; k++)
		value[k - from] = lower(s->p[k]);
	finding_emit(s, DET_EMAIL, from, end, value, end - from);
	return true;
}

bool detect_ip(struct finding_scan *s, const struct number *k)
{
	uint32_t end, context;

	if (k->n < 4 || k->joined || (k->n > 4 && k->g[4].sep == '.'))
		return false;
	for (unsigned i = 0; i < 4; i++) {
		const char *p = s->p + k->g[i].at;
		unsigned v = 0;

		if ((i && k->g[i].sep != '.') || k->g[i].n > 3 || (k->g[i].n > 1 && *p == '0'))
			return false;
		for (unsigned j = 0; j < k->g[i].n; j++)
			v = v * 10 + (unsigned)(p[j] - '0');
		if (v > 255)
			return false;
	}
	end = k->g[3].at + k->g[3].n;
	if (!finding_ends(s, end))
		return false;
	context = finding_context(s, k->at, end);
	if (context & LABEL_OTHER) /* version 10.0.19.1 */
		return false;
	finding_emit(s, DET_IP_ADDRESS, k->at, end, s->p + k->at, end - k->at);
	return true;
}

static bool is_hex(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

bool detect_ip6(struct finding_scan *s, const struct number *k)
{
	uint32_t from = k->at, end;
	unsigned colons = 0, digits = 0, run = 0, most = 0;
	struct in6_addr a;
	char text[INET6_ADDRSTRLEN], out[INET6_ADDRSTRLEN];

	end = k->at + k->g[0].n;
	if (!is_hex(k->before) && k->before != ':' && at(s, end) != ':' && !is_hex(at(s, end)))
		return false;
	end = k->at;
	if (k->at < s->ip6_seen) /* groups of what has been looked at */
		return false;
	while (from > s->lo && k->at - from < 40 && (is_hex(s->p[from - 1]) || s->p[from - 1] == ':'))
		from--;
	while (end < s->hi && end - from < INET6_ADDRSTRLEN - 1 && (is_hex(s->p[end]) || s->p[end] == ':' ||
	       (s->p[end] == '.' && is_digit(at(s, end + 1)))))
		end++;
	s->ip6_seen = end;
	if (end - from < 3 || from < s->done)
		return false;
	while (end > from + 1 && s->p[end - 1] == ':' && s->p[end - 2] != ':')
		end--;
	if (s->p[from] == ':' && s->p[from + 1] != ':') /* "address:2001:db8::1" */
		from++;
	for (uint32_t i = from; i < end; i++) {
		colons += s->p[i] == ':';
		digits += is_hex(s->p[i]);
		run = is_hex(s->p[i]) ? run + 1 : 0;
		most = MAX(most, run);
	}
	if (most < 3 && !memmem(s->p + from, end - from, "::", 2)) /* times, hardware addresses, fingerprints */
		return false;
	if (colons < 2 || digits < 4 || is_alnum(before(s, from)) || before(s, from) == '_' || before(s, from) == '-' || !finding_ends(s, end))
		return false;
	memcpy(text, s->p + from, end - from);
	text[end - from] = 0;
	if (inet_pton(AF_INET6, text, &a) != 1 || !inet_ntop(AF_INET6, &a, out, sizeof(out)))
		return false;
	finding_emit(s, DET_IP_ADDRESS, from, end, out, strlen(out));
	return true;
}
