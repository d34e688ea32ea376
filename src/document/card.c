/* Payment cards (ISO/IEC 7812: issuer's range, length, Luhn) and IBANs (ISO 13616: length by country, mod 97). */
#include "document/finding_internal.h"

struct range { uint32_t from, to; uint32_t lengths; bool labelled; };

#define L(n) (1u << (n))
#define L_MAESTRO (L(12) | L(13) | L(14) | L(15) | L(16) | L(17) | L(18) | L(19))

/* Six digits. The rare ones, and those that are as short as other numbers, only where the text speaks of a card. */
static const struct range ranges[] = {
	{ 400000, 499999, L(16), false }, { 400000, 499999, L(13) | L(19), true },
	{ 510000, 559999, L(16), false }, { 222100, 272099, L(16), false },
	{ 340000, 349999, L(15), false }, { 370000, 379999, L(15), false },
	{ 352800, 358999, L(16), false }, { 350000, 359999, L(16), true },
	{ 180000, 180099, L(15), true }, { 213100, 213199, L(15), true },
	{ 300000, 305999, L(14), false }, { 309500, 309599, L(14), false }, { 360000, 369999, L(14), false }, { 380000, 399999, L(14), false },
	{ 300000, 305999, L(16) | L(19), true }, { 360000, 369999, L(16) | L(19), true },
	{ 601100, 601199, L(16) | L(19), false }, { 622126, 622925, L(16) | L(17) | L(18) | L(19), false },
	{ 644000, 659999, L(16) | L(19), false }, { 620000, 629999, L(16) | L(17) | L(18) | L(19), true }, { 620000, 625999, L(16), false },
	{ 500000, 509999, L_MAESTRO, true }, { 560000, 589999, L_MAESTRO, true }, { 600000, 699999, L_MAESTRO, true }, { 60400, 60499, L_MAESTRO, true },
	{ 220000, 220499, L(16), true },
};

bool luhn_valid(const char *d, size_t n)
{
	static const uint8_t twice[10] = { 0, 2, 4, 6, 8, 1, 3, 5, 7, 9 };
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (n - i) % 2 ? (unsigned)(d[i] - '0') : twice[d[i] - '0'];
	return sum % 10 == 0;
}

bool card_valid(const char *d, size_t n, bool labelled)
{
	uint32_t iin = 0;
	bool fits = false;

	if (n < 12 || n > 19)
		return false;
	for (size_t i = 0; i < 6; i++)
		iin = iin * 10 + (uint32_t)(d[i] - '0');
	for (size_t i = 0; i < ARRAY_SIZE(ranges) && !fits; i++)
		fits = iin >= ranges[i].from && iin <= ranges[i].to && (ranges[i].lengths >> n & 1) && (labelled || !ranges[i].labelled);
	return fits && luhn_valid(d, n);
}

/* How the digits of a card are grouped, as printed on it. */
static const uint8_t groupings[][6] = {
	{ 4, 4, 4, 4, 3 }, { 4, 4, 4, 4 }, { 4, 6, 5 }, { 4, 6, 4 }, { 4, 4, 5 }, { 4, 4, 4 },
};

static unsigned grouped(const struct number *k, const uint8_t *want)
{
	char sep = k->n > 1 ? k->g[1].sep : 0;
	unsigned i;

	for (i = 0; want[i]; i++)
		if (i >= k->n || k->g[i].n != want[i] || (i && k->g[i].sep != sep))
			return 0;
	return i;
}

/* 0000…, 4242… all the same digit: nobody's card. */
static bool one_digit(const char *d, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (d[i] != d[0])
			return false;
	return true;
}

static bool take_card(struct finding_scan *s, const struct number *k, unsigned groups)
{
	uint32_t end = k->g[groups - 1].at + k->g[groups - 1].n, context;
	char d[20];
	size_t n = 0;

	for (unsigned i = 0; i < groups; i++) {
		memcpy(d + n, s->p + k->g[i].at, k->g[i].n);
		n += k->g[i].n;
	}
	if (!card_valid(d, n, true) || one_digit(d, n) || !finding_ends(s, end))
		return false;
	context = finding_context(s, k->at, end);
	/* The label of another number is believed: one order number in ten passes Luhn. */
	if (context && !(context & BIT(DET_PAYMENT_CARD)) && (context & (LABEL_OTHER | ~(BIT(DET_PHONE) | BIT(DET_IP_ADDRESS) | BIT(DET_POSTAL_CODE_JP)))))
		return false;
	if (!card_valid(d, n, context & BIT(DET_PAYMENT_CARD)))
		return false;
	finding_emit(s, DET_PAYMENT_CARD, k->at, end, d, n);
	return true;
}

bool detect_card(struct finding_scan *s, const struct number *k)
{
	if (k->g[0].n > 4)
		return take_card(s, k, 1);
	if (k->n < 3 || (k->g[1].sep != ' ' && k->g[1].sep != '-' && k->g[1].sep != '.'))
		return false;
	/* Four digits more of the same kind on the left: a longer number, of which this would be a part. */
	if ((k->before == k->g[1].sep || k->before == '-') && is_digit(before(s, k->at - 1)) && k->g[1].sep != ' ')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(groupings); i++) {
		unsigned groups = grouped(k, groupings[i]);

		if (groups && !(k->n > groups && k->g[groups].sep == k->g[1].sep && k->g[groups].n == 4 && groupings[i][groups - 1] == 4 && groups < 5) &&
		    take_card(s, k, groups))
			return true;
	}
	return false;
}

/* Length by country, and how the account begins: a letters, n digits, c either (SWIFT IBAN registry). */
static const struct { char country[3]; uint8_t n; char begin[5]; } ibans[] = {
	{ "AD", 24, "nnnn" }, { "AE", 23, "nnnn" }, { "AL", 28, "nnnn" }, { "AT", 20, "nnnn" }, { "AZ", 28, "aaaa" }, { "BA", 20, "nnnn" },
	{ "BE", 16, "nnnn" }, { "BG", 22, "aaaa" }, { "BH", 22, "aaaa" }, { "BI", 27, "nnnn" }, { "BR", 29, "nnnn" }, { "BY", 28, "cccc" },
	{ "CH", 21, "nnnn" }, { "CR", 22, "nnnn" }, { "CY", 28, "nnnn" }, { "CZ", 24, "nnnn" }, { "DE", 22, "nnnn" }, { "DJ", 27, "nnnn" },
	{ "DK", 18, "nnnn" }, { "DO", 28, "cccc" }, { "EE", 20, "nnnn" }, { "EG", 29, "nnnn" }, { "ES", 24, "nnnn" }, { "FI", 18, "nnnn" },
	{ "FK", 18, "aann" }, { "FO", 18, "nnnn" }, { "FR", 27, "nnnn" }, { "GB", 22, "aaaa" }, { "GE", 22, "aann" }, { "GI", 23, "aaaa" },
	{ "GL", 18, "nnnn" }, { "GR", 27, "nnnn" }, { "GT", 28, "cccc" }, { "HN", 28, "aaaa" }, { "HR", 21, "nnnn" }, { "HU", 28, "nnnn" },
	{ "IE", 22, "aaaa" }, { "IL", 23, "nnnn" }, { "IQ", 23, "aaaa" }, { "IS", 26, "nnnn" }, { "IT", 27, "annn" }, { "JO", 30, "aaaa" },
	{ "KW", 30, "aaaa" }, { "KZ", 20, "nnnc" }, { "LB", 28, "nnnn" }, { "LC", 32, "aaaa" }, { "LI", 21, "nnnn" }, { "LT", 20, "nnnn" },
	{ "LU", 20, "nnnc" }, { "LV", 21, "aaaa" }, { "LY", 25, "nnnn" }, { "MC", 27, "nnnn" }, { "MD", 24, "cccc" }, { "ME", 22, "nnnn" },
	{ "MK", 19, "nnnc" }, { "MN", 20, "nnnn" }, { "MR", 27, "nnnn" }, { "MT", 31, "aaaa" }, { "MU", 30, "aaaa" }, { "NI", 28, "aaaa" },
	{ "NL", 18, "aaaa" }, { "NO", 15, "nnnn" }, { "OM", 23, "nnnc" }, { "PK", 24, "aaaa" }, { "PL", 28, "nnnn" }, { "PS", 29, "aaaa" },
	{ "PT", 25, "nnnn" }, { "QA", 29, "aaaa" }, { "RO", 24, "aaaa" }, { "RS", 22, "nnnn" }, { "RU", 33, "nnnn" }, { "SA", 24, "nncc" },
	{ "SC", 31, "aaaa" }, { "SD", 18, "nnnn" }, { "SE", 24, "nnnn" }, { "SI", 19, "nnnn" }, { "SK", 24, "nnnn" }, { "SM", 27, "annn" },
	{ "SO", 23, "nnnn" }, { "ST", 25, "nnnn" }, { "SV", 28, "aaaa" }, { "TL", 23, "nnnn" }, { "TN", 24, "nnnn" }, { "TR", 26, "nnnn" },
	{ "UA", 29, "nnnn" }, { "VA", 22, "nnnn" }, { "VG", 24, "aaaa" }, { "XK", 20, "nnnn" }, { "YE", 30, "aaaa" },
};

static int iban_of(const char *country)
{
	for (size_t i = 0; i < ARRAY_SIZE(ibans); i++)
		if (ibans[i].country[0] == country[0] && ibans[i].country[1] == country[1])
			return (int)i;
	return -1;
}

bool iban_valid(const char *c, size_t n)
{
	unsigned rest = 0;
	int of = n >= 5 ? iban_of(c) : -1;

	if (of < 0 || n != ibans[of].n)
		return false;
	for (size_t i = 0; i < 4; i++) {
		char kind = ibans[of].begin[i], x = c[4 + i];

		if ((kind == 'n' && !is_digit(x)) || (kind == 'a' && !is_upper(x)))
			return false;
	}
	for (size_t i = 0; i < n; i++) { /* ISO 7064 mod 97-10, the first four moved to the end */
		char x = c[(i + 4) % n];

		if (is_digit(x))
			rest = (rest * 10 + (unsigned)(x - '0')) % 97;
		else if (is_upper(x))
			rest = (rest * 100 + (unsigned)(x - 'A') + 10) % 97;
		else
			return false;
	}
	return rest == 1;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* The two check digits are where a number begins: the country stands before it. */
bool detect_iban(struct finding_scan *s, const struct number *k)
{
	char c[40];
	uint32_t from = k->at - 2, i = k->at;
	size_t n = 2;
	int of;

	if (k->at - s->lo < 2 || !is_alpha(s->p[from]) || !is_alpha(s->p[from + 1]))
		return false;
	c[0] = upper(s->p[from]);
	c[1] = upper(s->p[from + 1]);
	of = iban_of(c);
	if (of < 0 || is_alnum(before(s, from)) || before(s, from) == '_' || (before(s, from) == '-' && is_alnum(before(s, from - 1))))
		return false;
	while (n < ibans[of].n) {
		char x = at(s, i);

		if (is_alnum(x))
			c[n++] = upper(x);
		else if ((x != ' ' && x != '-' && x != '.') || !is_alnum(at(s, i + 1)))
			return false;
		i++;
	}
	if (!finding_ends(s, i) || !iban_valid(c, n))
		return false;
	finding_emit(s, DET_IBAN, from, i, c, n);
	return true;
}
