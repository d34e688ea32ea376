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
	{ 644000, 659999, L(16) | L(19), false }, { 620000, 629999, L(16), false }, { 620000, 629999, L(17) | L(18) | L(19), true },
	{ 500000, 509999, L_MAESTRO, true }, { 560000, 589999, L_MAESTRO, true }, { 600000, 699999, L_MAESTRO, true },
	{ 60400, 60499, L_MAESTRO, true },
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

static bool take_card(struct finding_scan *s, const struct number *k, unsigned groups, bool goes_on)
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
	if (context && !(context & BIT(DET_PAYMENT_CARD)) && (context & (LABEL_OTHER |
	    ~(BIT(DET_PHONE) | BIT(DET_IP_ADDRESS) | BIT(DET_POSTAL_CODE_JP)))))
		return false;
	/* Four digits more of the same kind: a longer number, unless a card is spoken of. */
	if (!card_valid(d, n, context & BIT(DET_PAYMENT_CARD)) || (goes_on && !(context & BIT(DET_PAYMENT_CARD))))
		return false;
	finding_emit(s, DET_PAYMENT_CARD, k->at, end, d, n);
	return true;
}

bool detect_card(struct finding_scan *s, const struct number *k)
{
	if (k->g[0].n > 4)
		return take_card(s, k, 1, false);
	if (k->n < 3 || (k->g[1].sep != ' ' && k->g[1].sep != '-' && k->g[1].sep != '.'))
		return false;
	/* Four digits more of the same kind on the left: a longer number, of which this would be a part. */
	if ((k->before == k->g[1].sep || k->before == '-') && is_digit(before(s, k->at - 1)) && k->g[1].sep != ' ')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(groupings); i++) {
		unsigned groups = grouped(k, groupings[i]);

		bool goes_on = groups && k->n > groups && k->g[groups].sep == k->g[1].sep && k->g[groups].n == 4;

		if (groups && take_card(s, k, groups, goes_on))
			return true;
	}
	return false;
}

/* Length by country, and of what the account is made (SWIFT IBAN registry v101, as listed by python-stdnum): n digits, a letters, c
 * either. */
static const struct { char country[3]; uint8_t n; char made[14]; } ibans[] = {
	{ "AD", 24, "n8c12" }, { "AE", 23, "n19" }, { "AL", 28, "n8c16" }, { "AT", 20, "n16" }, { "AZ", 28, "a4c20" },
	{ "BA", 20, "n16" }, { "BE", 16, "n12" }, { "BG", 22, "a4n6c8" }, { "BH", 22, "a4c14" }, { "BI", 27, "n23" },
	{ "BR", 29, "n23a1c1" }, { "BY", 28, "c4n4c16" }, { "CH", 21, "n5c12" }, { "CR", 22, "n18" }, { "CY", 28, "n8c16" },
	{ "CZ", 24, "n20" }, { "DE", 22, "n18" }, { "DJ", 27, "n23" }, { "DK", 18, "n14" }, { "DO", 28, "c4n20" },
	{ "EE", 20, "n16" }, { "EG", 29, "n25" }, { "ES", 24, "n20" }, { "FI", 18, "n14" }, { "FK", 18, "a2n12" },
	{ "FO", 18, "n14" }, { "FR", 27, "n10c11n2" }, { "GB", 22, "a4n14" }, { "GE", 22, "a2n16" }, { "GI", 23, "a4c15" },
	{ "GL", 18, "n14" }, { "GR", 27, "n7c16" }, { "GT", 28, "c24" }, { "HN", 28, "a4n20" }, { "HR", 21, "n17" },
	{ "HU", 28, "n24" }, { "IE", 22, "a4n14" }, { "IL", 23, "n19" }, { "IQ", 23, "a4n15" }, { "IS", 26, "n22" },
	{ "IT", 27, "a1n10c12" }, { "JO", 30, "a4n4c18" }, { "KW", 30, "a4c22" }, { "KZ", 20, "n3c13" },
	{ "LB", 28, "n4c20" }, { "LC", 32, "a4c24" }, { "LI", 21, "n5c12" }, { "LT", 20, "n16" }, { "LU", 20, "n3c13" },
	{ "LV", 21, "a4c13" }, { "LY", 25, "n21" }, { "MC", 27, "n10c11n2" }, { "MD", 24, "c20" }, { "ME", 22, "n18" },
	{ "MK", 19, "n3c10n2" }, { "MN", 20, "n16" }, { "MR", 27, "n23" }, { "MT", 31, "a4n5c18" }, { "MU", 30, "a4n19a3" },
	{ "NI", 28, "a4n20" }, { "NL", 18, "a4n10" }, { "NO", 15, "n11" }, { "OM", 23, "n3c16" }, { "PK", 24, "a4c16" },
	{ "PL", 28, "n24" }, { "PS", 29, "a4c21" }, { "PT", 25, "n21" }, { "QA", 29, "a4c21" }, { "RO", 24, "a4c16" },
	{ "RS", 22, "n18" }, { "RU", 33, "n14c15" }, { "SA", 24, "n2c18" }, { "SC", 31, "a4n20a3" }, { "SD", 18, "n14" },
	{ "SE", 24, "n20" }, { "SI", 19, "n15" }, { "SK", 24, "n20" }, { "SM", 27, "a1n10c12" }, { "SO", 23, "n19" },
	{ "ST", 25, "n21" }, { "SV", 28, "a4n20" }, { "TL", 23, "n19" }, { "TN", 24, "n20" }, { "TR", 26, "n6c16" },
	{ "UA", 29, "n6c19" }, { "VA", 22, "n18" }, { "VG", 24, "a4n16" }, { "XK", 20, "n16" }, { "YE", 30, "a4n4c18" },
};

static int iban_of(const char *country)
{
	for (size_t i = 0; i < ARRAY_SIZE(ibans); i++)
		if (ibans[i].country[0] == country[0] && ibans[i].country[1] == country[1])
			return (int)i;
	return -1;
}

/* The account is made as its country says. */
static bool iban_made(const char *c, const char *made)
{
	while (*made) {
		char kind = *made++;
		unsigned n = 0;

		while (is_digit(*made))
			n = n * 10 + (unsigned)(*made++ - '0');
		for (; n > 0; n--, c++)
			if (kind == 'n' ? !is_digit(*c) : kind == 'a' ? !is_upper(*c) : !is_digit(*c) && !is_upper(*c))
				return false;
	}
	return true;
}

bool iban_valid(const char *c, size_t n)
{
	unsigned rest = 0;
	int of = n >= 5 ? iban_of(c) : -1;

	if (of < 0 || n != ibans[of].n || !is_digit(c[2]) || !is_digit(c[3]) || !iban_made(c + 4, ibans[of].made))
		return false;
	for (size_t i = 0; i < n; i++) { /* ISO 7064 mod 97-10, the first four moved to the end */
		char x = c[(i + 4) % n];

		rest = is_digit(x) ? (rest * 10 + (unsigned)(x - '0')) % 97 : (rest * 100 + (unsigned)(x - 'A') + 10) % 97;
	}
	return rest == 1;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* "IBANNO90…", as cells of a table run together: the word alone, and no part of another. */
static bool follows_word_iban(const struct finding_scan *s, uint32_t from)
{
	return from - s->lo >= 4 && strncasecmp((const char *)s->p + from - 4, "iban", 4) == 0 && !is_alnum(before(s, from - 4)) &&
	       before(s, from - 4) != '_';
}

/* The two check digits are where a number begins: the country stands before it. */
bool detect_iban(struct finding_scan *s, const struct number *k)
{
	char c[40];
	uint32_t gap = k->before == ' ', from = k->at - 2 - gap, i = k->at;
	size_t n = 2;
	int of;

	if ((!gap && !is_alpha(k->before)) || k->at - s->lo < 2 + gap || !is_alpha(s->p[from]) ||
	    !is_alpha(s->p[from + 1]) || k->g[0].n < 2 || (gap && !is_upper(s->p[from])))
		return false;
	if (is_alnum(before(s, from)) && !follows_word_iban(s, from))
		return false;
	c[0] = upper(s->p[from]);
	c[1] = upper(s->p[from + 1]);
	of = iban_of(c);
	if (of < 0 || before(s, from) == '_' || (before(s, from) == '-' && is_alnum(before(s, from - 1))))
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
