/* VAT numbers of the European Union: the member's letters, its format, its check digits. Held against python-stdnum's vectors. */
#include "document/finding_internal.h"

static unsigned weighted(const char *d, const uint8_t *w, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (unsigned)(d[i] - '0') * w[i];
	return sum;
}

static unsigned value(const char *d, size_t n)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (unsigned)(d[i] - '0');
	return v;
}

static unsigned digit(const char *d, size_t i)
{
	return (unsigned)(d[i] - '0');
}

static bool all_digits(const char *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_digit(d[i]))
			return false;
	return n > 0;
}

/* ISO 7064 mod 11, 10. */
static bool mod_11_10(const char *d, size_t n)
{
	unsigned p = 10;

	for (size_t i = 0; i + 1 < n; i++) {
		unsigned x = (p + digit(d, i)) % 10;

		p = (x ? x : 10) * 2 % 11;
	}
	return (p + digit(d, n - 1)) % 10 == 1;
}

static bool at_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 1, 2, 1, 2, 1, 2, 1 };
	unsigned sum = 4;

	if (n != 9 || d[0] != 'U' || !all_digits(d + 1, 8))
		return false;
	for (size_t i = 0; i < 7; i++) {
		unsigned x = digit(d + 1, i) * w[i];

		sum += x / 10 + x % 10;
	}
	return (10 - sum % 10) % 10 == digit(d, 8);
}

static bool be_vat(const char *d, size_t n)
{
	char ten[10] = "0";

	if (n != 9 && n != 10)
		return false;
	memcpy(ten + 10 - n, d, n);
	return all_digits(ten, 10) && (ten[0] == '0' || ten[0] == '1') && value(ten, 8) > 0 && 97 - value(ten, 8) % 97 == value(ten + 8, 2);
}

static bool bg_person(const char *d)
{
	static const uint8_t born[] = { 2, 4, 8, 5, 10, 9, 7, 3, 6 }, foreign[] = { 21, 19, 17, 13, 11, 9, 7, 3, 1 }, other[] =
		{ 4, 3, 2, 7, 6, 5, 4, 3, 2 };
	unsigned month = value(d + 2, 2) % 20, r = 11 - weighted(d, other, 9) % 11;

	if (month >= 1 && month <= 12 && weighted(d, born, 9) % 11 % 10 == digit(d, 9))
		return true;
	return weighted(d, foreign, 9) % 10 == digit(d, 9) || (r != 10 && r % 11 == digit(d, 9));
}

static bool bg_vat(const char *d, size_t n)
{
	static const uint8_t w1[] = { 1, 2, 3, 4, 5, 6, 7, 8 }, w2[] = { 3, 4, 5, 6, 7, 8, 9, 10 };
	unsigned c;

	if (!all_digits(d, n))
		return false;
	if (n == 10)
		return bg_person(d);
	if (n != 9)
		return false;
	c = weighted(d, w1, 8) % 11;
	if (c == 10)
		c = weighted(d, w2, 8) % 11 % 10;
	return c == digit(d, 8);
}

static bool cy_vat(const char *d, size_t n)
{
	static const uint8_t odd[] = { 1, 0, 5, 7, 9, 13, 15, 17, 19, 21 };
	unsigned sum = 0;

	if (n != 9 || !all_digits(d, 8) || !memcmp(d, "12", 2) || !is_upper(d[8]))
		return false;
	for (size_t i = 0; i < 8; i++)
		sum += i % 2 ? digit(d, i) : odd[digit(d, i)];
	return d[8] == (char)('A' + sum % 26);
}

static bool cz_legal(const char *d)
{
	static const uint8_t w[] = { 8, 7, 6, 5, 4, 3, 2 };

	return d[0] != '9' && (11 - weighted(d, w, 7) % 11) % 10 == digit(d, 7);
}

/* The date in the birth numbers of the Czechs and Slovaks: women's months have 50 more, some 20 more. */
static bool birth_number(const char *d, size_t n)
{
	unsigned m = value(d + 2, 2) % 50, day = value(d + 4, 2);

	m = m > 20 ? m - 20 : m;
	if (m < 1 || m > 12 || day < 1 || day > 31)
		return false;
	if (n == 9)
		return value(d, 2) <= 53;
	return value(d, 9) % 11 % 10 == digit(d, 9);
}

static bool cz_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 8, 7, 6, 5, 4, 3, 2 };

	if (!all_digits(d, n))
		return false;
	if (n == 8)
		return cz_legal(d);
	if (n == 9 && d[0] == '6') {
		unsigned c = (21 - weighted(d + 1, w, 7) % 11) % 11;

		return (18 - c) % 10 == digit(d, 8);
	}
	return (n == 9 || n == 10) && birth_number(d, n);
}

static bool de_vat(const char *d, size_t n)
{
	return n == 9 && all_digits(d, 9) && d[0] != '0' && mod_11_10(d, 9);
}

static bool dk_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 2, 7, 6, 5, 4, 3, 2, 1 };

	return n == 8 && all_digits(d, 8) && d[0] != '0' && weighted(d, w, 8) % 11 == 0;
}

static bool ee_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 3, 7, 1, 3, 7, 1, 3, 7, 1 };

	return n == 9 && all_digits(d, 9) && weighted(d, w, 9) % 10 == 0;
}

static bool el_vat(const char *d, size_t n)
{
	unsigned sum = 0;

	if ((n != 8 && n != 9) || !all_digits(d, n)) /* old ones lack the first zero */
		return false;
	for (size_t i = 0; i + 1 < n; i++)
		sum = (sum + digit(d, i)) * 2;
	return value(d, n) > 0 && sum % 11 % 10 == digit(d, n - 1);
}

static bool es_vat(const char *d, size_t n)
{
	static const char persons[] = "TRWAGMYFPDXBNJZSQVHLCKE", firms[] = "JABCDEFGHI";
	char p[9];
	unsigned c;

	if (n != 9 || !all_digits(d + 1, 7))
		return false;
	memcpy(p, d, 9);
	if (is_digit(d[0]) || strchr("XYZKLM", d[0])) { /* persons: eight digits and a letter, foreigners with X, Y, Z for 0, 1, 2 */
		if (strchr("KLM", d[0]) && !is_digit(d[0]))
			return d[8] == persons[value(d + 1, 7) % 23];
		if (!is_digit(d[0]))
			p[0] = (char)('0' + (d[0] - 'X'));
		return is_upper(d[8]) && d[8] == persons[value(p, 8) % 23];
	}
	if (!strchr("ABCDEFGHJNPQRSUVW", d[0]))
		return false;
	for (size_t i = 1, sum = 0; ; i++) {
		unsigned x = digit(d, i) * (i % 2 ? 2 : 1);

		sum += x / 10 + x % 10;
		if (i == 7) {
			c = (unsigned)(10 - sum % 10) % 10;
			break;
		}
	}
	if (strchr("PQSNWR", d[0]))
		return d[8] == firms[c];
	if (strchr("ABEH", d[0]))
		return d[8] == (char)('0' + c);
	return d[8] == firms[c] || d[8] == (char)('0' + c);
}

static bool fi_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 7, 9, 10, 5, 8, 4, 2, 1 };

	return n == 8 && all_digits(d, 8) && weighted(d, w, 8) % 11 == 0;
}

/* The two characters of the key: digits, or letters (without O and I) and a digit. */
static bool fr_vat(const char *d, size_t n)
{
	static const char set[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	const char *a, *b;
	unsigned v, first, second;
	bool siren = n == 11 && all_digits(d + 2, 9);

	if (!siren)
		return false;
	if (!luhn_valid(d + 2, 9) && memcmp(d + 2, "000", 3) != 0)
		return false;
	if (all_digits(d, 2)) {
		uint64_t whole = (uint64_t)value(d + 2, 9) * 100 + 12;

		return memcmp(d + 2, "000", 3) == 0 || whole % 97 == value(d, 2);
	}
	a = memchr(set, d[0], sizeof(set) - 1);
	b = memchr(set, d[1], sizeof(set) - 1);
	if (!a || !b)
		return false;
	first = (unsigned)(a - set);
	second = (unsigned)(b - set);
	v = is_digit(d[0]) ? first * 24 + second - 10 : first * 34 + second - 100;
	return (value(d + 2, 9) + 1 + v / 11) % 11 == v % 11;
}

static bool hr_vat(const char *d, size_t n)
{
	return n == 11 && all_digits(d, 11) && mod_11_10(d, 11);
}

static bool hu_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 9, 7, 3, 1, 9, 7, 3, 1 };

	return n == 8 && all_digits(d, 8) && weighted(d, w, 8) % 10 == 0;
}

static char ie_check(const char *d, unsigned more)
{
	static const uint8_t w[] = { 8, 7, 6, 5, 4, 3, 2 };

	return "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(d, w, 7) + 9 * more) % 23];
}

static bool ie_vat(const char *d, size_t n)
{
	if (n != 8 && n != 9)
		return false;
	if (all_digits(d, 7)) {
		unsigned more = n == 9 ? (d[8] == 'W' ? 0 : (unsigned)(d[8] - 'A') + 1) : 0;

		return is_upper(d[7]) && (n == 8 || (d[8] >= 'A' && d[8] <= 'W')) && d[7] == ie_check(d, more);
	}
	/* The old form: the second character a letter, + or *. */
	if (n == 8 && is_digit(d[0]) && all_digits(d + 2, 5) && is_upper(d[1])) {
		char seven[7] = { '0', d[2], d[3], d[4], d[5], d[6], d[0] };

		return d[7] == ie_check(seven, 0);
	}
	return false;
}

static bool it_vat(const char *d, size_t n)
{
	if (n != 11 || !all_digits(d, 11) || value(d, 7) == 0 || !luhn_valid(d, 11))
		return false;
	return (memcmp(d + 7, "001", 3) >= 0 && memcmp(d + 7, "100", 3) <= 0) || !memcmp(d + 7, "120", 3) || !memcmp(d + 7, "121", 3) ||
	       !memcmp(d + 7, "888", 3) || !memcmp(d + 7, "999", 3);
}

static bool lt_vat(const char *d, size_t n)
{
	unsigned sum = 0, c;

	if ((n != 9 && n != 12) || !all_digits(d, n) || d[n - 2] != '1')
		return false;
	for (size_t i = 0; i < n - 1; i++)
		sum += digit(d, i) * (unsigned)(1 + i % 9);
	c = sum % 11;
	if (c == 10) {
		sum = 0;
		for (size_t i = 0; i < n - 1; i++)
			sum += digit(d, i) * (unsigned)(1 + (i + 2) % 9);
		c = sum % 11 % 10;
	}
	return c == digit(d, n - 1);
}

static bool lu_vat(const char *d, size_t n)
{
	return n == 8 && all_digits(d, 8) && value(d, 6) % 89 == value(d + 6, 2);
}

static bool lv_vat(const char *d, size_t n)
{
	static const uint8_t legal[] = { 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1 }, person[] = { 10, 5, 8, 4, 2, 1, 6, 3, 7, 9 };

	if (n != 11 || !all_digits(d, 11))
		return false;
	if (d[0] > '3')
		return weighted(d, legal, 11) % 11 == 3;
	if (memcmp(d, "32", 2) != 0 && (value(d, 2) < 1 || value(d, 2) > 31 || value(d + 2, 2) < 1 || value(d + 2, 2) > 12))
		return false; /* persons: the date of birth, since 2017 the number 32 instead */
	return (1 + weighted(d, person, 10)) % 11 % 10 == digit(d, 10);
}

static bool mt_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 3, 4, 6, 7, 8, 9, 10, 1 };

	return n == 8 && all_digits(d, 8) && d[0] != '0' && weighted(d, w, 8) % 37 == 0;
}

static bool nl_vat(const char *given, size_t n)
{
	static const uint8_t w[] = { 9, 8, 7, 6, 5, 4, 3, 2 };
	char d[12] = "000000000000";
	unsigned rest = (10 + 'N' - 'A') * 100 + 10 + 'L' - 'A';

	if (n < 8 || n > 12)
		return false;
	memcpy(d + 12 - n, given, n); /* zeros in front may be left out */
	if (!all_digits(d, 9) || d[9] != 'B' || !all_digits(d + 10, 2) || value(d + 10, 2) == 0 || value(d, 9) == 0)
		return false;
	if (weighted(d, w, 8) % 11 == digit(d, 8))
		return true;
	for (size_t i = 0; i < 12; i++) /* sole traders since 2020: mod 97-10 over the whole */
		rest = is_digit(d[i]) ? (rest * 10 + digit(d, i)) % 97 : (rest * 100 + (unsigned)(d[i] - 'A') + 10) % 97;
	return n == 12 && rest == 1;
}

static bool pl_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 6, 5, 7, 2, 3, 4, 5, 6, 7 };

	return n == 10 && all_digits(d, 10) && weighted(d, w, 9) % 11 == digit(d, 9);
}

static bool pt_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 9, 8, 7, 6, 5, 4, 3, 2 };

	return n == 9 && all_digits(d, 9) && d[0] != '0' && (11 - weighted(d, w, 8) % 11) % 11 % 10 == digit(d, 8);
}

static bool ro_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 7, 5, 3, 2, 1, 7, 5, 3, 2 }, person[] = { 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9 };

	if (n == 13 && all_digits(d, 13)) {
		unsigned c = weighted(d, person, 12) % 11;

		return d[0] != '0' && (c == 10 ? 1 : c) == digit(d, 12) && value(d + 3, 2) >= 1 && value(d + 3, 2) <= 12 && value(d + 5, 2) >= 1 &&
		       value(d + 5, 2) <= 31;
	}
	if (n < 2 || n > 10 || !all_digits(d, n) || d[0] == '0')
		return false;
	return weighted(d, w + 9 - (n - 1), n - 1) * 10 % 11 % 10 == digit(d, n - 1);
}

static bool se_vat(const char *d, size_t n)
{
	return n == 12 && all_digits(d, 12) && !memcmp(d + 10, "01", 2) && luhn_valid(d, 10);
}

static bool si_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 8, 7, 6, 5, 4, 3, 2 };
	unsigned c;

	if (n != 8 || !all_digits(d, 8) || d[0] == '0')
		return false;
	c = 11 - weighted(d, w, 7) % 11;
	return c != 11 && c % 10 == digit(d, 7);
}

static bool sk_vat(const char *d, size_t n)
{
	return n == 10 && all_digits(d, 10) && d[0] != '0' && strchr("234789", d[2]) && ((uint64_t)value(d, 9) * 10 + digit(d, 9)) % 11 == 0;
}

/* Northern Ireland trades as a member and counts as Great Britain does. */
static bool xi_vat(const char *d, size_t n)
{
	static const uint8_t w[] = { 8, 7, 6, 5, 4, 3, 2, 10, 1 };
	unsigned c;

	if ((n != 9 && n != 12) || !all_digits(d, n))
		return false;
	c = weighted(d, w, 9) % 97;
	return c == 0 || c == 42;
}

/* One stop shop: EU, the member's number in ISO 3166, five digits and one more whose rule is not published. */
static bool eu_vat(const char *d, size_t n)
{
	static const char states[] =
		"040 056 100 191 196 203 208 233 246 250 276 300 348 372 380 428 440 442 470 528 616 620 642 703 705 724 752 900 ";

	if (n != 9 || !all_digits(d, 9))
		return false;
	for (size_t i = 0; states[i]; i += 4)
		if (!memcmp(states + i, d, 3))
			return true;
	return false;
}

#define VAT_MAX 14

static const struct { char country[3]; bool (*valid)(const char *d, size_t n); uint8_t min, max; } members[] = {
	{ "AT", at_vat, 9, 9 }, { "BE", be_vat, 9, 10 }, { "BG", bg_vat, 9, 10 }, { "CY", cy_vat, 9, 9 }, { "CZ", cz_vat, 8, 10 },
	{ "DE", de_vat, 9, 9 }, { "DK", dk_vat, 8, 8 }, { "EE", ee_vat, 9, 9 }, { "EL", el_vat, 8, 9 }, { "GR", el_vat, 8, 9 },
	{ "ES", es_vat, 9, 9 }, { "FI", fi_vat, 8, 8 }, { "FR", fr_vat, 11, 11 }, { "HR", hr_vat, 11, 11 }, { "HU", hu_vat, 8, 8 },
	{ "IE", ie_vat, 8, 9 }, { "IT", it_vat, 11, 11 }, { "LT", lt_vat, 9, 12 }, { "LU", lu_vat, 8, 8 }, { "LV", lv_vat, 11, 11 },
	{ "MT", mt_vat, 8, 8 }, { "NL", nl_vat, 8, 12 }, { "PL", pl_vat, 10, 10 }, { "PT", pt_vat, 9, 9 }, { "RO", ro_vat, 2, 13 },
	{ "SE", se_vat, 12, 12 }, { "SI", si_vat, 8, 8 }, { "SK", sk_vat, 10, 10 }, { "XI", xi_vat, 9, 12 },
	{ "EU", eu_vat, 9, 9 },
};

bool vat_valid(const char *c, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (n > 2 && members[i].country[0] == c[0] && members[i].country[1] == c[1])
			return members[i].valid(c + 2, n - 2);
	return false;
}

static int member(const char *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (members[i].country[0] == c[0] && members[i].country[1] == c[1])
			return (int)i;
	return -1;
}

static bool is_between(char c)
{
	return c == ' ' || c == '-' || c == '.' || c == ':' || c == '(' || c == '/';
}

/* The letters before the first digit: the country, and up to two that belong to the number (ATU, ESX, FRXX), with or without marks
 * between. */
static int country_before(const struct finding_scan *s, uint32_t digits, uint32_t *ret_from)
{
	uint32_t near = digits;

	while (digits - near < 3 && is_between(before(s, near)))
		near--;
	if (!is_alpha(before(s, near)))
		return -1;
	for (uint32_t back = digits - near + 1; back <= 7 && digits - s->lo >= back; back++) {
		uint32_t from = digits - back, letters = 0;
		char c[2], prev = before(s, from);
		bool good = is_alpha(s->p[from]) && is_alpha(s->p[from + 1]) && !is_alnum(prev) && prev != '_';
		int m;

		for (uint32_t i = from + 2; i < digits && good; i++) {
			letters += is_alpha(s->p[i]);
			good = letters <= 2 && (is_alpha(s->p[i]) || is_between(s->p[i]));
		}
		if (!good)
			continue;
		c[0] = (char)(s->p[from] & ~0x20);
		c[1] = (char)(s->p[from + 1] & ~0x20);
		m = member(c);
		if (m >= 0 && !(prev == '-' && is_alnum(before(s, from - 1)))) {
			*ret_from = from;
			return m;
		}
	}
	return -1;
}

/* The end of the longest form that is valid; 0 none. Letters and digits of the number go to c, two of the country before them. */
static uint32_t vat_end(const struct finding_scan *s, uint32_t from, int m, char *c, size_t *ret_n)
{
	uint32_t ends[VAT_MAX + 3] = { 0 };
	size_t n = 2;

	for (uint32_t i = from + 2; n < (size_t)members[m].max + 2; i++) {
		char x = at(s, i);

		if (is_alnum(x)) {
			c[n++] = (char)(is_alpha(x) ? x & ~0x20 : x);
			if (!is_alnum(at(s, i + 1)))
				ends[n] = i + 1;
		} else if (!is_between(x) && x != ')') {
			break;
		}
	}
	for (; n >= (size_t)members[m].min + 2; n--)
		if (ends[n] && finding_ends(s, ends[n]) && vat_valid(c, n)) {
			*ret_n = n;
			return ends[n];
		}
	return 0;
}

bool detect_vat(struct finding_scan *s, const struct number *k)
{
	char c[VAT_MAX + 3];
	uint32_t from = 0, end, context;
	int m = is_alpha(k->before) || is_between(k->before) ? country_before(s, k->at, &from) : -1;
	size_t n = 0;

	if (m < 0)
		return false;
	memcpy(c, members[m].country, 2);
	end = vat_end(s, from, m, c, &n);
	if (!end)
		return false;
	context = finding_context(s, from, end);
	/* With few digits, without a check digit, written apart from its country or in small letters: only with its label. */
	if ((context & LABEL_OTHER) || (!(context & BIT(DET_EU_VAT)) && (n < 10 || from + n != end || m == (int)ARRAY_SIZE(members) - 1 ||
	    !is_upper(s->p[from]))))
		return false;
	finding_emit(s, DET_EU_VAT, from, end, c, n);
	return true;
}
