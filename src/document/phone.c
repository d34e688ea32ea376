/* Telephone numbers: international (ITU-T E.164), Japan's numbering plan, North America's. */
#include "document/finding_internal.h"

#define E164_MAX 15

/* Countries whose national numbers have a known length; others by the general limits. */
static const struct { uint16_t code; uint8_t min, max; } countries[] = {
	{ 1, 10, 10 }, { 7, 10, 10 }, { 31, 9, 9 }, { 32, 8, 9 }, { 33, 9, 9 }, { 34, 9, 9 }, { 36, 8, 9 }, { 39, 6, 11 }, { 41, 9, 9 },
	{ 44, 9, 10 },
	{ 45, 8, 8 }, { 46, 7, 10 }, { 47, 8, 8 }, { 48, 9, 9 }, { 49, 6, 11 }, { 52, 10, 10 }, { 55, 10, 11 }, { 61, 9, 9 }, { 64, 8, 10 },
	{ 65, 8, 8 }, { 66, 8, 9 }, { 81, 9, 10 }, { 82, 8, 10 }, { 84, 8, 10 }, { 86, 10, 11 }, { 91, 10, 10 }, { 351, 9, 9 }, { 353, 7, 9 },
	{ 420, 9, 9 }, { 852, 8, 8 }, { 853, 8, 8 }, { 886, 8, 9 }, { 972, 8, 9 }, { 971, 8, 9 },
};

/* Digits of the country code: zones of one and two digits are listed, the rest has three. */
static unsigned country_digits(const char *d, size_t n)
{
	static const char two[] =
		"20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 "
				  "95 98 ";
	static const char three[] = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99 "; /* their first two */

	if (n < 3 || d[0] == '0')
		return 0;
	if (d[0] == '1' || d[0] == '7')
		return 1;
	for (size_t i = 0; two[i]; i += 3)
		if (two[i] == d[0] && two[i + 1] == d[1])
			return 2;
	for (size_t i = 0; three[i]; i += 3)
		if (three[i] == d[0] && three[i + 1] == d[1])
			return d[0] == '9' && d[1] == '9' && strchr("0179", d[2]) ? 0 : 3; /* not assigned */
	return 0;
}

static bool in_list(const char *list, const char *d)
{
	for (size_t i = 0; list[i]; i += 3)
		if (list[i] == d[0] && list[i + 1] == d[1])
			return true;
	return false;
}

/* How many digits Japan's area code has, with its 0; of a mobile or free number its prefix. 0: no such number. */
static unsigned japan_code(const char *d, size_t n)
{
	static const char two_digits[] =
		"11 17 18 19 22 23 24 25 26 27 28 29 42 43 44 45 46 47 48 49 52 53 54 55 58 59 72 73 75 76 77 78 79 82 83 84 86 87 "
					 "88 89 92 93 95 96 97 98 99 ";

	if (n < 10 || d[0] != '0' || d[1] == '0')
		return 0;
	if (n == 11) {
		if (!memcmp(d, "0800", 4))
			return 4;
		return d[2] == '0' && strchr("256789", d[1]) && d[3] != '0' ? 3 : 0;
	}
	if (n != 10)
		return 0;
	if (!memcmp(d, "0120", 4) || !memcmp(d, "0570", 4) || !memcmp(d, "0990", 4) || !memcmp(d, "0180", 4))
		return 4;
	if (d[2] == '0' && strchr("256789", d[1])) /* these have eleven */
		return 0;
	if (d[1] == '3' || d[1] == '6')
		return d[2] != '0' ? 2 : 0;
	return in_list(two_digits, d + 1) ? 3 : 4;
}

/* The groups agree with the code: 03-1234-5678, 045-123-4567, 0466-12-3456, 04992-1-2345, 090-1234-5678, 0120-123-456. */
static bool japan_grouped(const struct number *k, const char *d, unsigned code, size_t total)
{
	unsigned a = k->g[0].n, b = k->n > 1 ? k->g[1].n : 0, c = k->n > 2 ? k->g[2].n : 0;

	if (k->n == 2)
		return a == code && a + b == total;
	if (a + b + c != total)
		return false;
	if (total == 11)
		return (a == 3 && b == 4) || (a == 4 && b == 3);
	if (c == 3)
		return a == 4 && code == 4 && b == 3;
	/* Areas with longer codes lie inside the shorter ones: 04-2912-3456, 0422-12-3456, 04992-1-2345. */
	return c == 4 && ((a == code) || (a == 2 && d[1] == '4') || (a >= 3 && a <= 5 && a != code && code >= 3));
}

static size_t digits_of(const struct finding_scan *s, const struct number *k, unsigned from, unsigned to, char *out, size_t max)
{
	size_t n = 0;

	for (unsigned i = from; i < to; i++) {
		if (n + k->g[i].n > max)
			return 0;
		memcpy(out + n, s->p + k->g[i].at, k->g[i].n);
		n += k->g[i].n;
	}
	return n;
}

static bool phone_ends(const struct finding_scan *s, uint32_t end)
{
	char c = lower(at(s, end));

	if (c == 'x' && is_digit(at(s, end + 1)))
		return true;
	return finding_ends(s, end);
}

static bool take(struct finding_scan *s, uint32_t from, uint32_t end, const char *code, const char *national, size_t n)
{
	char value[2 * E164_MAX];
	size_t c = strlen(code);

	value[0] = '+';
	memcpy(value + 1, code, c);
	memcpy(value + 1 + c, national, n);
	finding_emit(s, DET_PHONE, from, end, value, 1 + c + n);
	return true;
}

static bool national_valid(unsigned code, const char *d, size_t n)
{
	if (code == 1)
		return n == 10 && d[0] >= '2' && d[3] >= '2' && !(d[1] == '1' && d[2] == '1');
	if (code == 81) {
		char with_zero[12] = "0";

		if (n != 9 && n != 10)
			return false;
		memcpy(with_zero + 1, d, n);
		return japan_code(with_zero, n + 1) > 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(countries); i++)
		if (countries[i].code == code)
			return n >= countries[i].min && n <= countries[i].max;
	return n >= 6;
}

static bool international(struct finding_scan *s, const struct number *k)
{
	char d[E164_MAX + 1], before_plus = before(s, k->at - 1);
	size_t n = 0, best_n = 0;
	unsigned best = 0, c = 0, code = 0;

	if (is_alnum(before_plus) || before_plus == '+')
		return false;
	for (unsigned i = 0; i < k->n && n + k->g[i].n <= E164_MAX; i++) {
		if (k->g[i].sep == '/')
			break;
		if (k->g[i].n == 1 && s->p[k->g[i].at] == '0' && k->g[i].sep == '(') /* +44 (0)20 */
			continue;
		memcpy(d + n, s->p + k->g[i].at, k->g[i].n);
		n += k->g[i].n;
		if (!c) {
			c = country_digits(d, n);
			for (unsigned j = 0; j < c; j++)
				code = code * 10 + (unsigned)(d[j] - '0');
		}
		if (c && n > c && national_valid(code, d + c, n - c) && phone_ends(s, k->g[i].at + k->g[i].n)) {
			best = i + 1;
			best_n = n;
		}
	}
	/* Undivided digits that go on behind a group that would do belong to a longer number. */
	if (!best || (best < k->n && k->g[best].sep == '-' && k->g[best - 1].sep == '-'))
		return false;
	if (finding_context(s, k->at, k->g[best - 1].at + k->g[best - 1].n) & LABEL_OTHER)
		return false;
	d[best_n] = 0;
	return take(s, k->at - 1, k->g[best - 1].at + k->g[best - 1].n, "", d, best_n);
}

/* The first `n` groups stand with separators that people put into telephone numbers. */
static bool separated(const struct number *k, unsigned n, bool *ret_spaces)
{
	char first = n > 1 ? k->g[1].sep : 0;

	*ret_spaces = first == ' ';
	for (unsigned i = 1; i < n; i++) {
		char sep = k->g[i].sep;

		if (sep == '/' || (sep == '.' && first != '.'))
			return false;
		if (sep != first && first != '(' && first != ')')
			return false;
	}
	return true;
}

static bool japan(struct finding_scan *s, const struct number *k, unsigned groups)
{
	char d[12];
	size_t n = digits_of(s, k, 0, groups, d, 11);
	unsigned code = japan_code(d, n);
	uint32_t from = k->at, end = k->g[groups - 1].at + k->g[groups - 1].n, context;
	struct number part = *k;
	bool spaces;

	part.n = groups;
	if (!code || !phone_ends(s, end) || (groups > 1 && (!japan_grouped(&part, d, code, n) || !separated(k, groups, &spaces))))
		return false;
	context = finding_context(s, from, end);
	if (context & LABEL_OTHER)
		return false;
	/* Without a mark between only a mobile number is told from other numbers by itself. */
	if (!(context & BIT(DET_PHONE)) && ((groups == 1 && (n != 11 || context)) || (groups > 1 && spaces && (n != 11 || context)) ||
	    groups == 2))
		return false;
	if (k->before == '(' && groups > 1 && k->g[1].sep == ')')
		from--;
	return take(s, from, end, "81", d + 1, n - 1);
}

static bool america(struct finding_scan *s, const struct number *k, unsigned groups)
{
	char d[12];
	size_t n = digits_of(s, k, 0, groups, d, 11), skip = n == 11 && d[0] == '1';
	uint32_t from = k->at, end = k->g[groups - 1].at + k->g[groups - 1].n, context;
	bool spaces = false;
	unsigned g = skip && k->g[0].n == 1;

	if (n != 10 + skip || !national_valid(1, d + skip, 10) || !phone_ends(s, end) || !separated(k, groups, &spaces))
		return false;
	if (groups > 1 && (groups - g != 3 || k->g[g].n != 3 || k->g[g + 1].n != 3))
		return false;
	context = finding_context(s, from, end);
	if ((context & LABEL_OTHER) || (!(context & BIT(DET_PHONE)) && (groups == 1 || spaces)))
		return false;
	if (k->before == '(' && groups > 1 && k->g[1].sep == ')')
		from--;
	return take(s, from, end, "1", d + skip, 10);
}

bool detect_phone(struct finding_scan *s, const struct number *k)
{
	char first = s->p[k->at];

	if (k->before == '+')
		return international(s, k);
	if (k->joined || is_alpha(k->before))
		return false;
	for (unsigned groups = MIN(k->n, 4); groups > 0; groups--) {
		/* Not the beginning of something longer that is written the same way. */
		if (groups < k->n && groups > 1 && k->g[groups].sep == k->g[groups - 1].sep && k->g[groups].sep != ' ')
			continue;
		if (groups == 1 && k->n > 1 && k->g[1].sep != ' ' && k->g[1].sep != '/')
			continue;
		if (first == '0' ? groups <= 3 && japan(s, k, groups) : america(s, k, groups))
			return true;
	}
	return false;
}
