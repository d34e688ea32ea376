/* What a stretch of text is worth as evidence: words count; digits, markup and what usually comes from outside do not. */
#include "document/trace_internal.h"

#define AROUND 300         /* characters beside a phrase that count as little as the phrase */
#define ALL_PART 4         /* with phrases in or near 1/4 of a stretch all of it is such a text */
#define CODE_PERCENT 9     /* signs of program text among what is not space */
#define DIGITS_PERCENT 20  /* lists of figures, logs */
#define LOOK_MAX 20000     /* characters of one stretch that are looked at: more says nothing more */
#define WORD_MIN 2
#define WORD_MAX 28        /* letters; longer ones are encoded data */

/* Phrases of licences, disclaimers and statutes, as normalised text has them (lower case, no spaces, no punctuation). The one indexed
 * holder of such a text is no source. */
static const char *const outside[] = {
	"intendedrecipient", "intendedsolelyfor", "intendedonlyfor", "ifyouhavereceivedthis", "receivedthisemailinerror",
	"receivedthismessageinerror", "pleasenotifythesender", "notifythesenderimmediately", "legallyprivileged", "opinionsexpressedin",
	"viewsexpressedinthis", "virusfree", "considertheenvironment", "forwardlookingstatements", "notaninvestmentadvice",
	"pastperformance", "thisemailandanyattachments", "thismessageandanyattachments", "unsubscribe", "permissionisherebygranted",
	"redistributionanduseinsource", "withoutwarranty", "warrantyofanykind", "warrantiesofanykind", "expressorimplied",
	"merchantability", "fitnessforaparticular", "generalpubliclicense", "apachelicense", "mozillapubliclicense", "licensedunderthe",
	"spdxlicenseidentifier", "allrightsreserved", "thislicense", "coveredcode", "coveredsoftware", "eachcontributor", "sublicense",
	"copyrightholder", "derivativeworks", "originaldeveloper", "sourcecodeform", "termsoftheagpl", "termsofthegpl",
	"freesoftwarefoundation", "creativecommons", "inwitnesswhereof", "entireagreementbetween", "supersedesallprior",
	"severabilityifany", "governingbythelawsof", "governedbythelawsof", "forcemajeure", "heirssuccessorsandassigns",
	"memberstatesshall", "regulationeu", "regulationecno", "officialjournal", "thesecretaryshall", "beitenacted", "ofthisactshall",
	"unitedstatescode", "statutoryinstrument", "paragraph1ofthisarticle", "referredtoinarticle", "hasthemeaninggivenin",
	"本メールは", "このメールは", "本電子メール", "誤って受信", "誤送信", "受信者以外", "名宛人以外", "直ちに破棄", "速やかに削除", "免責事項", "無断転載", "無断複製", "著作権法", "政令で定める",
	"省令で定める", "主務省令", "施行規則", "この法律", "前項の規定", "附則", "に処する", "以下の罰金", "使用許諾", "全部または一部を無断",
};

/* Is one of them in [from, to) of the text? All at once by their first characters would be faster; passages are few and short. */
static bool has_phrase(const struct normalised *n, size_t at, const char *phrase, size_t *ret_n)
{
	size_t i = at;

	for (const uint8_t *p = (const uint8_t *)phrase; *p; i++) {
		uint32_t c = *p;
		unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : 2;

		c = more == 0 ? c : more == 1 ? c & 0x1f : c & 0x0f;
		for (p++; more; more--, p++)
			c = c << 6 | (*p & 0x3f);
		if (i >= n->n || n->c[i] != c)
			return false;
	}
	*ret_n = i - at;
	return true;
}

static void mark_outside(const struct normalised *n, size_t from, size_t to, uint8_t *is)
{
	size_t begin = from > AROUND ? from - AROUND : 0, end = MIN(n->n, to + AROUND), len, marked = 0;

	for (size_t i = begin; i < end; i++)
		for (size_t k = 0; k < ARRAY_SIZE(outside); k++) {
			size_t low, high;

			if (!has_phrase(n, i, outside[k], &len))
				continue;
			low = MAX(from, i > AROUND ? i - AROUND : 0);
			high = MIN(to, i + len + AROUND);
			for (size_t j = low; j < high; j++)
				is[j - from] = 1;
			i += len - 1;
			break;
		}
	for (size_t j = from; j < to; j++)
		marked += is[j - from];
	if (ALL_PART * marked >= to - from)
		memset(is, 1, to - from);
}

static bool cjk(uint32_t c)
{
	return (c >= 0x3040 && c < 0xd7a4) || (c >= 0xf900 && c < 0xfb00) || (c >= 0x20000 && c < 0x32000);
}

static bool letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 0xdf && c < 0x2000) || (c > 0x3040);
}

/* Signs that stand in program text, logs and markup, and hardly in prose. */
static bool sign(uint8_t c)
{
	return c && strchr("{}[]<>=;_#/\\|&$^~+*@`\"", c);
}

/* a.b(c): a dot or a bracket between letters */
static bool between(uint8_t before, uint8_t c, uint8_t next)
{
	return (c == '.' || c == '(' || c == ':') && before > ' ' && next > ' ' && next < 0x80 && next != '"' && !(next >= '0' && next <= '9');
}

/* Program text is told by its signs: the bytes around a stretch. */
bool evidence_is_code(const struct text *t, uint32_t from, uint32_t to)
{
	size_t signs = 0, digits = 0, all = 0;

	for (uint32_t i = from; i < to && i < t->bytes.n; i++) {
		uint8_t c = (uint8_t)t->bytes.p[i], next = i + 1 < t->bytes.n ? (uint8_t)t->bytes.p[i + 1] : ' ';

		if (c <= ' ' || (c & 0xc0) == 0x80 || (sign(c) && c == next)) /* a line drawn below a heading is one sign */
			continue;
		all++;
		digits += c >= '0' && c <= '9';
		signs += sign(c) || (i > from && between((uint8_t)t->bytes.p[i - 1], c, next));
	}
	return signs * 100 > all * CODE_PERCENT || digits * 100 > all * DIGITS_PERCENT;
}

/* Letters of words: a run of letters in the bytes that is a word by its length, with no digit in it. */
static uint64_t word_weight(const struct text *t, const struct normalised *n, size_t from, size_t to, const uint8_t *skip, uint64_t *chars)
{
	uint64_t weight = 0;
	size_t i = from;

	while (i < to) {
		size_t end = i;
		bool mixed = false;

		if (cjk(n->c[i])) {
			weight += skip[i - from] ? 0 : 2;
			*chars += !skip[i - from];
			i++;
			continue;
		}
		/* Characters that follow each other in the source belong to one word. */
		while (end < to && !cjk(n->c[end]) && (end == i || n->at[end] <= n->at[end - 1] + 2)) {
			if (end > i && n->at[end] - n->at[end - 1] > 1 && (uint8_t)t->bytes.p[n->at[end] - 1] <= ' ')
				break;
			mixed |= !letter(n->c[end]);
			end++;
		}
		if (end == i)
			end++;
		for (size_t j = i; j < end; j++) {
			*chars += !skip[j - from];
			weight += !skip[j - from] && !mixed && end - i >= WORD_MIN && end - i <= WORD_MAX;
		}
		i = end;
	}
	return weight;
}

void evidence_add(const struct text *leak, const struct normalised *n, size_t from, size_t to, struct evidence_of *e)
{
	size_t behind = to > from + LOOK_MAX ? to - from - LOOK_MAX : 0;
	_cleanup_free_ uint8_t *skip = to > from ? calloc(to - from, 1) : NULL;
	uint64_t chars = behind, weight;

	if (!skip)
		return;
	to -= behind;
	mark_outside(n, from, to, skip);
	weight = word_weight(leak, n, from, to, skip, &chars);
	for (size_t i = 0; i < to - from; i++)
		e->skipped += skip[i];
	e->largest = MAX(e->largest, chars);
	e->stretches++;
	e->chars += chars;
	e->weight += weight;
	e->best = MAX(e->best, weight);
	if (evidence_is_code(leak, n->at[from], n->at[to]))
		e->code += chars;
}
