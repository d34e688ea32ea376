/* Numbers that Japan gives: persons and corporations (check digits of the published ordinances), pension, licence, bank account, postal
 * code. */
#include "document/finding_internal.h"

/* The digits of the first groups that make up n, when they are grouped like `want` (0 ends it) or written in one. 0: they are not. */
static unsigned shape(const struct finding_scan *s, const struct number *k, const uint8_t *want, size_t n, char *out)
{
	size_t got = 0;
	unsigned i;

	if (k->g[0].n == n && (k->n == 1 || k->g[1].sep != '-')) {
		memcpy(out, s->p + k->at, n);
		return 1;
	}
	for (i = 0; want[i]; i++) {
		if (i >= k->n || k->g[i].n != want[i] || (i && ((k->g[i].sep != '-' && k->g[i].sep != ' ') || k->g[i].sep != k->g[1].sep)))
			return 0;
		memcpy(out + got, s->p + k->g[i].at, want[i]);
		got += want[i];
	}
	if (got != n || (i < k->n && k->g[i].sep == '-'))
		return 0;
	return i;
}

static uint32_t end_of(const struct number *k, unsigned groups)
{
	return k->g[groups - 1].at + k->g[groups - 1].n;
}

static bool take(struct finding_scan *s, enum detector d, const struct number *k, unsigned groups, const char *digits, size_t n)
{
	uint32_t end = end_of(k, groups);

	if (!finding_ends(s, end) || !(finding_context(s, k->at, end) & BIT(d)))
		return false;
	finding_emit(s, d, k->at, end, digits, n);
	return true;
}

/* Ordinance of the Ministry of Internal Affairs No. 85 of 2014, article 5. */
bool my_number_valid(const char *d)
{
	unsigned sum = 0, rest;

	for (unsigned n = 1; n <= 11; n++)
		sum += (unsigned)(d[11 - n] - '0') * (n <= 6 ? n + 1 : n - 5);
	rest = sum % 11;
	return (unsigned)(d[11] - '0') == (rest <= 1 ? 0 : 11 - rest);
}

/* Ordinance of the Ministry of Finance No. 70 of 2014, article 2: the check digit comes first. */
bool corporate_valid(const char *d)
{
	unsigned sum = 0;

	for (unsigned n = 1; n <= 12; n++)
		sum += (unsigned)(d[13 - n] - '0') * (n % 2 ? 1 : 2);
	return (unsigned)(d[0] - '0') == 9 - sum % 9;
}

bool detect_my_number(struct finding_scan *s, const struct number *k)
{
	char d[12];
	unsigned groups = shape(s, k, (const uint8_t[]){ 4, 4, 4, 0 }, 12, d);

	return groups && my_number_valid(d) && take(s, DET_MY_NUMBER, k, groups, d, 12);
}

bool detect_corporate(struct finding_scan *s, const struct number *k)
{
	char d[13];
	unsigned groups = shape(s, k, (const uint8_t[]){ 1, 4, 4, 4, 0 }, 13, d);
	bool registered = k->before == 'T' && !is_alnum(before(s, k->at - 1)); /* T and the number: registered for the invoice system */
	uint32_t end;

	if (!groups || !corporate_valid(d) || (is_alpha(k->before) && !registered))
		return false;
	if (!registered)
		return take(s, DET_JP_CORPORATE_NUMBER, k, groups, d, 13);
	end = end_of(k, groups);
	if (!finding_ends(s, end) || (finding_context(s, k->at - 1, end) & LABEL_OTHER))
		return false;
	finding_emit(s, DET_JP_CORPORATE_NUMBER, k->at - 1, end, d, 13);
	return true;
}

bool detect_pension(struct finding_scan *s, const struct number *k)
{
	char d[10];
	unsigned groups = shape(s, k, (const uint8_t[]){ 4, 6, 0 }, 10, d);

	return groups && take(s, DET_JP_PENSION_NUMBER, k, groups, d, 10);
}

/* The first two digits: the public safety commission that gave the licence. */
static bool commission(const char *d)
{
	static const struct { uint8_t from, to; } codes[] = { { 10, 14 }, { 20, 25 }, { 30, 30 }, { 40, 49 }, { 50, 55 }, { 60, 65 }, { 70, 74 },
		{ 80, 83 },
							      { 90, 97 } };
	unsigned v = (unsigned)(d[0] - '0') * 10 + (unsigned)(d[1] - '0');

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (v >= codes[i].from && v <= codes[i].to)
			return true;
	return false;
}

bool detect_license(struct finding_scan *s, const struct number *k)
{
	char d[12];
	unsigned groups = shape(s, k, (const uint8_t[]){ 4, 4, 4, 0 }, 12, d);

	if (!groups)
		groups = shape(s, k, (const uint8_t[]){ 2, 2, 6, 2, 0 }, 12, d);
	return groups && commission(d) && take(s, DET_JP_DRIVERS_LICENSE, k, groups, d, 12);
}

/* Seven digits, alone or behind the codes of bank and branch; the post bank's sign and number. */
bool detect_bank(struct finding_scan *s, const struct number *k)
{
	static const uint8_t shapes[][4] = { { 4, 3, 7, 0 }, { 3, 7, 0 }, { 5, 8, 0 }, { 5, 7, 0 } };
	char d[16];

	if (k->g[0].n == 7)
		return shape(s, k, (const uint8_t[]){ 7, 0 }, 7, d) && take(s, DET_BANK_ACCOUNT_JP, k, 1, d, 7);
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		size_t n = (size_t)shapes[i][0] + shapes[i][1] + (shapes[i][1] ? shapes[i][2] : 0);
		unsigned groups = shape(s, k, shapes[i], n, d);

		if (groups > 1 && take(s, DET_BANK_ACCOUNT_JP, k, groups, d, n))
			return true;
	}
	return false;
}

/* An address follows. */
static bool before_address(const struct finding_scan *s, uint32_t end)
{
	uint32_t i = end;

	while (i < s->hi && i - end < 3 && (s->p[i] == ' ' || s->p[i] == '\n'))
		i++;
	for (size_t j = s->seen; j < s->n_marks && s->marks[j].at <= i; j++)
		if (s->marks[j].at == i && s->f->lit[s->marks[j].lit].kind == LIT_PREFECTURE)
			return address_begins(s, &s->marks[j], s->f->lit[s->marks[j].lit].arg) > 0;
	return false;
}

bool detect_postal(struct finding_scan *s, const struct number *k)
{
	char d[7];
	unsigned groups = shape(s, k, (const uint8_t[]){ 3, 4, 0 }, 7, d);
	uint32_t end, context;

	if (!groups || (groups == 2 && k->g[1].sep != '-'))
		return false;
	end = end_of(k, groups);
	if (!memcmp(d, "000", 3) || !finding_ends(s, end))
		return false;
	context = finding_context(s, k->at, end);
	if (!(context & BIT(DET_POSTAL_CODE_JP)) && ((context & LABEL_OTHER) || groups != 2 || !before_address(s, end)))
		return false;
	finding_emit(s, DET_POSTAL_CODE_JP, k->at, end, d, 7);
	return true;
}
