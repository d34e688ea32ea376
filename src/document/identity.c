/* US social security numbers, passports, dates of birth. */
#include "document/finding_internal.h"

/* Labels that stand near other numbers without being theirs. */
#define SOFT (BIT(DET_PHONE) | BIT(DET_IP_ADDRESS) | BIT(DET_POSTAL_CODE_JP) | BIT(DET_BIRTH_DATE))

bool detect_ssn(struct finding_scan *s, const struct number *k)
{
	char d[9];
	uint32_t end, context;
	bool hyphens = false;

	if (k->g[0].n == 9) {
		if (k->n > 1 && k->g[1].sep == '-')
			return false;
		memcpy(d, s->p + k->at, 9);
		end = k->at + 9;
	} else {
		if (k->n < 3 || k->g[1].n != 2 || k->g[2].n != 4 || k->g[1].sep != k->g[2].sep || (k->g[1].sep != '-' && k->g[1].sep != ' ') ||
		    (k->n > 3 && k->g[3].sep == '-'))
			return false;
		memcpy(d, s->p + k->at, 3);
		memcpy(d + 3, s->p + k->g[1].at, 2);
		memcpy(d + 5, s->p + k->g[2].at, 4);
		end = k->g[2].at + 4;
		hyphens = k->g[1].sep == '-';
	}
	/* Never given out; two that were printed in advertisements. */
	if (!memcmp(d, "000", 3) || !memcmp(d, "666", 3) || d[0] == '9' || !memcmp(d + 3, "00", 2) || !memcmp(d + 5, "0000", 4) ||
	    !memcmp(d, "078051120", 9) || !memcmp(d, "219099999", 9) || !finding_ends(s, end))
		return false;
	context = finding_context(s, k->at, end);
	if (!(context & BIT(DET_US_SSN)) && (!hyphens || (context & ~SOFT)))
		return false;
	finding_emit(s, DET_US_SSN, k->at, end, d, 9);
	return true;
}

/* With its label: one or two letters and six to eight digits (Japan: two and seven), or nine digits. */
bool detect_passport(struct finding_scan *s, const struct number *k)
{
	uint32_t from = k->at, end = k->at + k->g[0].n;
	char value[16];
	unsigned letters = 0;

	while (from > s->lo && letters < 3 && is_alpha(s->p[from - 1])) {
		from--;
		letters++;
	}
	if (letters > 2 || (letters == 0 && k->joined) || k->g[0].n < 6 || k->g[0].n > 9 || (letters == 0 && k->g[0].n < 8) ||
	    letters + k->g[0].n > 9)
		return false;
	if ((letters && (before(s, from) == '-' || before(s, from) == '_' || is_digit(before(s, from)))) || !finding_ends(s, end) ||
	    !(finding_context(s, from, end) & BIT(DET_PASSPORT)))
		return false;
	for (uint32_t i = from; i < end; i++)
		value[i - from] = (char)(is_alpha(s->p[i]) ? s->p[i] & ~0x20 : s->p[i]);
	finding_emit(s, DET_PASSPORT, from, end, value, end - from);
	return true;
}

static unsigned number_at(const struct finding_scan *s, const struct number *k, unsigned g)
{
	unsigned v = 0;

	for (unsigned i = 0; i < k->g[g].n && i < 9; i++)
		v = v * 10 + (unsigned)(s->p[k->g[g].at + i] - '0');
	return v;
}

static bool date_valid(unsigned y, unsigned m, unsigned d)
{
	static const uint8_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return y >= 1880 && y <= 2100 && m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] &&
	       (m != 2 || d < 29 || (y % 4 == 0 && (y % 100 || y % 400 == 0)));
}

struct date { unsigned y, m, d; uint32_t from, end; };

/* 1980-01-02, 1980/1/2, 19800102, 02.01.1980, 01/02/1980. */
static bool plain_date(const struct finding_scan *s, const struct number *k, struct date *x)
{
	unsigned a = number_at(s, k, 0), b, c;

	x->end = k->at + k->g[0].n;
	if (k->g[0].n == 8) {
		*x = (struct date){ a / 10000, a / 100 % 100, a % 100, x->from, x->end };
		return date_valid(x->y, x->m, x->d);
	}
	if (k->n < 3 || k->g[1].sep != k->g[2].sep || !strchr("-/. ", k->g[1].sep))
		return false;
	b = number_at(s, k, 1);
	c = number_at(s, k, 2);
	x->end = k->g[2].at + k->g[2].n;
	if (k->g[0].n == 4) {
		*x = (struct date){ a, b, c, x->from, x->end };
		return date_valid(a, b, c);
	}
	if (k->g[2].n != 4)
		return false;
	if (k->g[1].sep == '/' && date_valid(c, a, b)) { /* the American order; what cannot be that is the other */
		*x = (struct date){ c, a, b, x->from, x->end };
		return true;
	}
	*x = (struct date){ c, b, a, x->from, x->end };
	return date_valid(c, b, a);
}

/* The number at *i, which may stand behind a space; moves *i behind it. */
static bool next_number(const struct finding_scan *s, uint32_t *i, unsigned *ret)
{
	uint32_t k = *i;

	*ret = 0;
	while (at(s, k) == ' ')
		k++;
	if (!is_digit(at(s, k)))
		return false;
	for (uint32_t from = k; is_digit(at(s, k)) && k - from < 5; k++)
		*ret = *ret * 10 + (unsigned)(s->p[k] - '0');
	*i = k;
	return true;
}

static bool next_word(const struct finding_scan *s, uint32_t *i, const char *word)
{
	uint32_t n = (uint32_t)strlen(word), k = *i;

	while (at(s, k) == ' ')
		k++;
	if (k + n > s->hi || memcmp(s->p + k, word, n) != 0)
		return false;
	*i = k + n;
	return true;
}

/* First years of the eras, less one. */
static const struct { const char *name; char letter; unsigned year; } eras[] = {
	{ "明治", 'M', 1867 }, { "大正", 'T', 1911 }, { "昭和", 'S', 1925 }, { "平成", 'H', 1988 }, { "令和", 'R', 2018 },
};

static unsigned era_before(const struct finding_scan *s, uint32_t i, uint32_t *ret_from)
{
	for (size_t e = 0; e < ARRAY_SIZE(eras); e++) {
		size_t n = strlen(eras[e].name);

		if (i - s->lo >= n && !memcmp(s->p + i - n, eras[e].name, n)) {
			*ret_from = i - (uint32_t)n;
			return eras[e].year;
		}
		if (i > s->lo && (s->p[i - 1] & ~0x20) == eras[e].letter && !is_alnum(before(s, i - 1))) {
			*ret_from = i - 1;
			return eras[e].year;
		}
	}
	return 0;
}

/* 1980年1月2日, 昭和55年1月2日, S55.1.2 */
static bool japanese_date(const struct finding_scan *s, const struct number *k, struct date *x)
{
	unsigned era = era_before(s, k->at, &x->from);
	uint32_t i = k->at;

	if (!next_number(s, &i, &x->y))
		return false;
	x->y += era;
	if (era && k->n >= 3 && k->g[1].sep == k->g[2].sep && strchr("-/.", k->g[1].sep)) {
		x->m = number_at(s, k, 1);
		x->d = number_at(s, k, 2);
		x->end = k->g[2].at + k->g[2].n;
	} else {
		if (!next_word(s, &i, "年") || !next_number(s, &i, &x->m) || !next_word(s, &i, "月") || !next_number(s, &i, &x->d) ||
		    !next_word(s, &i, "日"))
			return false;
		x->end = i;
	}
	return date_valid(x->y, x->m, x->d);
}

static unsigned month_named(const char *p, size_t n)
{
	static const char *const months[] = { "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
		"november",
					      "december" };

	for (unsigned m = 0; m < ARRAY_SIZE(months); m++) {
		size_t full = strlen(months[m]);

		if ((n == full || n == 3 || (n == 4 && m == 8)) && !strncasecmp(p, months[m], n))
			return m + 1;
	}
	return 0;
}

static uint32_t word_from(const struct finding_scan *s, uint32_t end)
{
	uint32_t i = end;

	while (i > s->lo && is_alpha(s->p[i - 1]))
		i--;
	return i;
}

/* 2 January 1980, 2nd Jan. 1980; January 2, 1980 */
static bool named_date(const struct finding_scan *s, const struct number *k, struct date *x)
{
	uint32_t i = k->at + k->g[0].n, w;

	x->d = number_at(s, k, 0);
	while (is_alpha(at(s, i)) && i - k->at < 5)
		i++; /* st nd rd th */
	if (k->before == ' ' || k->before == '.') {
		uint32_t end = k->at;

		while (end > s->lo && (s->p[end - 1] == ' ' || s->p[end - 1] == '.'))
			end--;
		w = word_from(s, end);
		x->m = month_named(s->p + w, end - w);
		if (x->m) {
			x->from = w;
			while (at(s, i) == ',' || at(s, i) == ' ')
				i++;
			x->end = i;
			return next_number(s, &x->end, &x->y) && date_valid(x->y, x->m, x->d);
		}
	}
	while (at(s, i) == ' ' || at(s, i) == '-' || (at(s, i) == 'o' && at(s, i + 1) == 'f'))
		i += at(s, i) == 'o' ? 2 : 1;
	for (w = i; is_alpha(at(s, i)); i++)
		;
	x->m = month_named(s->p + w, i - w);
	while (at(s, i) == '.' || at(s, i) == ',' || at(s, i) == '-')
		i++;
	x->end = i;
	return x->m && next_number(s, &x->end, &x->y) && date_valid(x->y, x->m, x->d);
}

/* 1980年1月2日生まれ: the label behind. */
static bool born_behind(const struct finding_scan *s, uint32_t end)
{
	uint32_t i = end;

	return next_word(s, &i, "生") || next_word(s, &i, "に生") || next_word(s, &i, "出生");
}

bool detect_birth_date(struct finding_scan *s, const struct number *k)
{
	struct date x = { .from = k->at };
	bool plain = !is_alpha(k->before) && plain_date(s, k, &x);
	char value[16];
	int n;

	if (!plain) {
		x = (struct date){ .from = k->at };
		if (!japanese_date(s, k, &x)) {
			x = (struct date){ .from = k->at };
			if (is_alpha(k->before) || k->g[0].n > 2 || !named_date(s, k, &x))
				return false;
		}
	}
	if (is_alnum(at(s, x.end)) && lower(at(s, x.end)) != 't') /* 1980-01-02T00:00 */
		return false;
	if (!(finding_context(s, x.from, x.end) & BIT(DET_BIRTH_DATE)) && !born_behind(s, x.end))
		return false;
	n = snprintf(value, sizeof(value), "%04u-%02u-%02u", x.y, x.m, x.d);
	finding_emit(s, DET_BIRTH_DATE, x.from, x.end, value, (size_t)n);
	return true;
}
