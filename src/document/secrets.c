/* Secrets: each begins with an anchor and is checked as far as its form allows: checksum, alphabet, length, contents. */
#include <jansson.h>
#include <zlib.h>

#include "document/secrets.h"

static bool is_base64url(char c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

/* Not the end of a longer word. */
static bool begins(const struct finding_scan *s, const struct mark *m)
{
	char c = before(s, m->at);

	return !is_alnum(c) && ((c != '_' && c != '-') || c == s->p[m->at]);
}

/* Ends where what is allowed ends, or one behind the most that is wanted. */
static uint32_t run(const struct finding_scan *s, uint32_t i, bool (*is)(char c), uint32_t most)
{
	uint32_t from = i;

	while (i < s->hi && i - from <= most && is(s->p[i]))
		i++;
	return i;
}

static bool emit(struct finding_scan *s, const struct secret *of, uint32_t from, uint32_t end)
{
	finding_emit(s, of->detector, from, end, s->p + from, end - from);
	return true;
}

static bool long_enough(const struct secret *of, uint32_t n)
{
	return n >= of->min && n <= of->max;
}

/* A placeholder: xxxx, ****, the same letter again and again. */
static bool is_varied(const char *p, size_t n)
{
	uint64_t seen[4] = { 0 };
	unsigned kinds = 0;

	for (size_t i = 0; i < n; i++)
		seen[(uint8_t)p[i] / 64] |= 1ull << ((uint8_t)p[i] % 64);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		kinds += (unsigned)__builtin_popcountll(seen[i]);
	return kinds >= (n < 20 ? 5 : 8);
}

static bool take_word(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t end = run(s, m->end, is_alnum, of->max);

	return long_enough(of, end - m->end) && at(s, end) != '_' && is_varied(s->p + m->end, end - m->end) && emit(s, of, m->at, end);
}

static bool take_url_word(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t end = run(s, m->end, is_base64url, of->max);

	return long_enough(of, end - m->end) && is_varied(s->p + m->end, end - m->end) && emit(s, of, m->at, end);
}

/* GitHub's and npm's tokens end in six digits to the base of 62: the CRC-32 of what stands before, without its prefix. */
bool github_crc_valid(const char *token, size_t prefix, size_t n)
{
	static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t want = 0;

	if (n < prefix + 7)
		return false;
	for (size_t i = n - 6; i < n; i++) {
		const char *c = memchr(set, token[i], sizeof(set) - 1);

		if (!c)
			return false;
		want = want * 62 + (uint64_t)(c - set);
	}
	return want == crc32(0, (const Bytef *)token + prefix, (uInt)(n - prefix - 6));
}

static bool take_crc(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t end = run(s, m->end, is_alnum, of->max);

	return long_enough(of, end - m->end) && at(s, end) != '_' &&
	       github_crc_valid(s->p + m->at, m->end - m->at, end - m->at) && emit(s, of, m->at, end);
}

/* github_pat_ and 22 characters, _, 59 characters. */
static bool take_github_pat(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t middle = run(s, m->end, is_alnum, 22), end;

	if (middle - m->end != 22 || at(s, middle) != '_')
		return false;
	end = run(s, middle + 1, is_alnum, 59);
	return end - middle - 1 == 59 && emit(s, of, m->at, end);
}

static bool is_base32(char c)
{
	return is_upper(c) || (c >= '2' && c <= '7');
}

static bool is_key_id(char c)
{
	return is_upper(c) || is_digit(c);
}

/* AKIA, ASIA… and 16 of base 32; with its label also those that are made up of other digits. */
static bool take_aws_id(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t end = run(s, m->end, is_key_id, 16);

	if (end - m->end != 16 || is_alnum(at(s, end)) || at(s, end) == '_' || !is_varied(s->p + m->end, 16))
		return false;
	if (run(s, m->end, is_base32, 16) != end && !(finding_context(s, m->at, end) & BIT(DET_SECRET_AWS)))
		return false;
	return emit(s, of, m->at, end);
}

static bool is_aws_secret(char c)
{
	return is_alnum(c) || c == '/' || c == '+' || c == '=';
}

/* The label and, behind = or : and quotes, 40 characters of base 64. */
static bool take_aws_secret(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t i = m->end, end;

	while (i < s->hi && i - m->end < 12 && strchr(" \t\"'=:>,", s->p[i]))
		i++;
	if (i == m->end && s->span->zone != ZONE_CELL)
		return false;
	for (end = i; end < s->hi && end - i <= 40 && is_aws_secret(s->p[end]); end++)
		;
	return end - i == 40 && is_varied(s->p + i, 40) && emit(s, of, i, end);
}

static bool is_slack(char c)
{
	return is_alnum(c) || c == '-';
}

/* xoxb-, digits, -, digits, -, a secret. */
static bool take_slack(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t end = run(s, m->end, is_slack, of->max), digits = 0, parts = 1;

	for (uint32_t i = m->end; i < end; i++) {
		digits += is_digit(s->p[i]);
		parts += s->p[i] == '-';
	}
	return long_enough(of, end - m->end) && digits >= 8 && parts >= 2 && is_alnum(s->p[end - 1]) && emit(s, of, m->at, end);
}

static bool is_hook(char c)
{
	return is_alnum(c) || c == '/';
}

static bool take_hook(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t end = run(s, m->end, is_hook, of->max), slashes = 0;

	for (uint32_t i = m->end; i < end; i++)
		slashes += s->p[i] == '/';
	return slashes == 2 && long_enough(of, end - m->end) && emit(s, of, m->at, end);
}

#define JWT_HEADER_MAX 2048

/* The part of a token as JSON with the key in it. */
static bool decodes(const char *p, size_t n, const char *key)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char out[JWT_HEADER_MAX * 3 / 4 + 3];
	uint32_t bits = 0;
	size_t k = 0;
	json_t *j;
	bool good;

	if (n > JWT_HEADER_MAX || n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *c = memchr(set, p[i], sizeof(set) - 1);

		if (!c)
			return false;
		bits = bits << 6 | (uint32_t)(c - set);
		if (i % 4)
			out[k++] = (char)(bits >> (6 - i % 4 * 2));
	}
	j = json_loadb(out, k, JSON_REJECT_DUPLICATES, NULL);
	good = json_is_object(j) && (!key || json_is_string(json_object_get(j, key)));
	json_decref(j);
	return good;
}

/* header.payload.signature: the header says by what it is signed, the payload is JSON as far as it is looked at. */
static bool take_jwt(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t a = run(s, m->end, is_base64url, of->max), b, c;

	if (at(s, a) != '.' || a - m->at < 16)
		return false;
	b = run(s, a + 1, is_base64url, of->max);
	if (at(s, b) != '.' || b - a < 9 || memcmp(s->p + a + 1, "ey", 2) != 0)
		return false;
	c = run(s, b + 1, is_base64url, of->max);
	if (c - b < 17 || c - m->at > of->max || !decodes(s->p + m->at, a - m->at, "alg") ||
	    (b - a - 1 <= JWT_HEADER_MAX && !decodes(s->p + a + 1, b - a - 1, NULL)))
		return false;
	return emit(s, of, m->at, c);
}

/* -----BEGIN … PRIVATE KEY----- and base 64 behind it, in lines, also written \n. The lines may be spans of their own: they are read in the
 * text. */
static bool take_private_key(struct finding_scan *s, const struct mark *m, const struct secret *of)
{
	uint32_t i = m->end, text;
	const char *t = s->t->bytes.p;
	size_t n = s->t->bytes.n, body = 0, other = 0;
	static const char end_mark[] = "PRIVATE KEY";

	while (i < s->hi && i - m->end < 40 && (is_upper(s->p[i]) || is_digit(s->p[i]) || s->p[i] == ' '))
		i++;
	if (at(s, i) != '-' || i - m->at < sizeof(end_mark) || !memmem(s->p + m->at, i - m->at, end_mark, sizeof(end_mark) - 1))
		return false;
	while (at(s, i) == '-')
		i++;
	text = finding_text_offset(s, i);
	for (size_t k = text; k < n && k - text < 400 && body < 64; k++) {
		char c = t[k];

		if (c == '\\' && k + 1 < n && (t[k + 1] == 'n' || t[k + 1] == 'r')) {
			k++;
			continue;
		}
		if (is_alnum(c) || c == '+' || c == '/' || c == '=')
			body++;
		else if (c == '\n' || c == ' ' || c == '>' || c == '"')
			other++;
		else if (body || (c != ':' && c != '-' && c != ',')) /* headers as in "Proc-Type: 4,ENCRYPTED" stand before the body */
			break;
	}
	return body >= 40 && other < 60 && emit(s, of, m->at, i);
}

const struct secret secrets[] = {
	{ "AKIA", DET_SECRET_AWS, take_aws_id, 16, 16 }, { "ASIA", DET_SECRET_AWS, take_aws_id, 16, 16 },
	{ "ABIA", DET_SECRET_AWS, take_aws_id, 16, 16 },
	{ "ACCA", DET_SECRET_AWS, take_aws_id, 16, 16 },
	{ "aws_secret_access_key", DET_SECRET_AWS, take_aws_secret, 40, 40 }, { "AWS_SECRET_ACCESS_KEY", DET_SECRET_AWS, take_aws_secret, 40, 40 },
	{ "SecretAccessKey", DET_SECRET_AWS, take_aws_secret, 40, 40 }, { "secretAccessKey", DET_SECRET_AWS, take_aws_secret, 40, 40 },
	{ "aws_secret_key", DET_SECRET_AWS, take_aws_secret, 40, 40 }, { "AWS_SECRET_KEY", DET_SECRET_AWS, take_aws_secret, 40, 40 },
	{ "Secret access key", DET_SECRET_AWS, take_aws_secret, 40, 40 }, { "secret access key", DET_SECRET_AWS, take_aws_secret, 40, 40 },
	{ "ghp_", DET_SECRET_GITHUB, take_crc, 36, 36 }, { "gho_", DET_SECRET_GITHUB, take_crc, 36, 36 },
	{ "ghu_", DET_SECRET_GITHUB, take_crc, 36, 36 },
	{ "ghs_", DET_SECRET_GITHUB, take_crc, 36, 36 }, { "ghr_", DET_SECRET_GITHUB, take_crc, 36, 76 },
	{ "github_pat_", DET_SECRET_GITHUB, take_github_pat, 82, 82 },
	{ "npm_", DET_SECRET_NPM, take_crc, 36, 36 },
	{ "xoxb-", DET_SECRET_SLACK, take_slack, 20, 200 }, { "xoxp-", DET_SECRET_SLACK, take_slack, 20, 200 },
	{ "xoxa-", DET_SECRET_SLACK, take_slack, 20, 200 }, { "xoxr-", DET_SECRET_SLACK, take_slack, 20, 200 },
	{ "xoxs-", DET_SECRET_SLACK, take_slack, 20, 200 }, { "xoxe-", DET_SECRET_SLACK, take_slack, 20, 200 },
	{ "xoxe.xoxp-", DET_SECRET_SLACK, take_slack, 20, 250 }, { "xapp-", DET_SECRET_SLACK, take_slack, 20, 200 },
	{ "https://hooks.slack.com/services/", DET_SECRET_SLACK, take_hook, 30, 80 },
	{ "sk_live_", DET_SECRET_STRIPE, take_word, 16, 247 }, { "sk_test_", DET_SECRET_STRIPE, take_word, 16, 247 },
	{ "rk_live_", DET_SECRET_STRIPE, take_word, 16, 247 }, { "rk_test_", DET_SECRET_STRIPE, take_word, 16, 247 },
	{ "whsec_", DET_SECRET_STRIPE, take_word, 24, 100 },
	{ "AIza", DET_SECRET_GCP, take_url_word, 35, 35 }, { "GOCSPX-", DET_SECRET_GCP, take_url_word, 28, 28 },
	{ "ya29.", DET_SECRET_GCP, take_url_word, 30, 2048 },
	{ "eyJ", DET_SECRET_JWT, take_jwt, 30, 16384 },
	{ "-----BEGIN ", DET_SECRET_PRIVATE_KEY, take_private_key, 40, 0 },
	{ NULL },
};

void detect_secret(struct finding_scan *s, const struct mark *m, unsigned which)
{
	if (begins(s, m))
		secrets[which].take(s, m, &secrets[which]);
}
