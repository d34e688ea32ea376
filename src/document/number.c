/* A number as it is written, and which detectors are asked about it, in order: the strictest first. */
#include "document/finding_internal.h"

#define ANY_LENGTH 0xfffffffeu
#define LEN(n) (1u << (n))
#define LETTERS 1 /* also when capitals stand right before the digits */
#define JOINED 2  /* also when it is part of something longer on the left */

static const struct {
	bool (*detect)(struct finding_scan *s, const struct number *k);
	uint32_t lengths; /* of the first group of digits */
	unsigned flags;
	uint32_t needs; /* not asked while no label of the document names one of these */
} detectors[] = {
	{ detect_iban, ANY_LENGTH & ~LEN(1), LETTERS | JOINED },
	{ detect_ip6, ANY_LENGTH, LETTERS },
	{ detect_vat, ANY_LENGTH, LETTERS | JOINED },
	{ detect_ip, LEN(1) | LEN(2) | LEN(3), 0 },
	{ detect_birth_date, LEN(1) | LEN(2) | LEN(4) | LEN(8), LETTERS, BIT(DET_BIRTH_DATE) },
	{ detect_phone, ANY_LENGTH, JOINED },
	{ detect_card, LEN(4) | LEN(12) | LEN(13) | LEN(14) | LEN(15) | LEN(16) | LEN(17) | LEN(18) | LEN(19), 0 },
	{ detect_ssn, LEN(3) | LEN(9), 0 },
	{ detect_my_number, LEN(4) | LEN(12), 0, BIT(DET_MY_NUMBER) },
	{ detect_license, LEN(2) | LEN(4) | LEN(12), 0, BIT(DET_JP_DRIVERS_LICENSE) },
	{ detect_corporate, LEN(1) | LEN(13), LETTERS },
	{ detect_pension, LEN(4) | LEN(10), 0, BIT(DET_JP_PENSION_NUMBER) },
	{ detect_postal, LEN(3) | LEN(7), 0 },
	{ detect_bank, LEN(3) | LEN(4) | LEN(5) | LEN(7), 0, BIT(DET_BANK_ACCOUNT_JP) },
	{ detect_passport, LEN(6) | LEN(7) | LEN(8) | LEN(9), LETTERS, BIT(DET_PASSPORT) },
};

/* The separator at i before another group: one of "-./ ", or a bracket with or without a space. 0: none. */
static char separator(const struct finding_scan *s, uint32_t i, uint32_t *ret_n)
{
	char c = at(s, i), d = at(s, i + 1);

	*ret_n = 1;
	switch (c) {
	case ' ':
		*ret_n = d == '(' ? 2 : 1;
		return d == '(' ? '(' : ' ';
	case '(':
	case '-':
	case '.':
	case '/':
		return c;
	case ')':
		*ret_n = d == ' ' || d == '-' ? 2 : 1;
		return ')';
	default:
		return 0;
	}
}

static bool read_number(const struct finding_scan *s, uint32_t i, struct number *k)
{
	k->at = i;
	k->n = 0;
	k->before = before(s, i);
	k->joined = false;
	for (char sep = 0; k->n < GROUPS_MAX;) {
		uint32_t from = i, skip;

		while (is_digit(at(s, i)))
			i++;
		if (i == from)
			break;
		if (i - from > 31)
			return k->n > 0;
		k->g[k->n].at = from;
		k->g[k->n].n = (uint8_t)(i - from);
		k->g[k->n++].sep = sep;
		sep = separator(s, i, &skip);
		if (!sep)
			break;
		i += skip;
	}
	switch (k->before) {
	case '.': /* No.1234567 */
		k->joined = is_alnum(before(s, k->at - 1)) && lower(before(s, k->at - 1)) != 'o';
		break;
	case '_': case '-': case '\\': case '&': case '$':
		k->joined = k->before == '_' || k->before == '$' || is_alnum(before(s, i = k->at - 1));
		break;
	case ',':
		k->joined = is_digit(before(s, k->at - 1)); /* 1,234 */
		break;
	case '/':
		k->joined = is_alpha(before(s, k->at - 1));
		break;
	case '%':
	case '#': /* a colour, an anchor; "card # 4111" has a space */
		k->joined = is_alpha(before(s, k->at - 1));
		break;
	default:
		break;
	}
	return true;
}

void detect_number_prepare(struct finding_scan *s)
{
	memset(s->ask, 0, sizeof(s->ask));
	for (unsigned d = 0; d < ARRAY_SIZE(detectors); d++) {
		if (detectors[d].needs && !(detectors[d].needs & s->labels))
			continue;
		for (unsigned n = 1; n < 32; n++)
			if (detectors[d].lengths >> n & 1)
				for (unsigned how = 0; how < 4; how++)
					if (!(how & ~detectors[d].flags))
						s->ask[how][n] |= (uint16_t)(1u << d);
	}
}

void detect_number(struct finding_scan *s, uint32_t i)
{
	struct number k;
	unsigned ask;

	if (!read_number(s, i, &k))
		return;
	for (size_t j = s->seen; is_alpha(k.before) && j-- > 0 && s->marks[j].end == k.at;)
		if (s->f->lit[s->marks[j].lit].kind == LIT_LABEL)
			k.before = ' '; /* TEL03-1234-5678 */
	for (ask = s->ask[(is_alpha(k.before) ? LETTERS : 0) | (k.joined ? JOINED : 0)][k.g[0].n]; ask; ask &= ask - 1)
		if (detectors[__builtin_ctz(ask)].detect(s, &k))
			return;
}
