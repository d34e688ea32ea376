/* Lines that are markings. */
#include "base/utf8.h"
#include "document/marking.h"

#include "document/marking_table.h"

#define TOKENS_MAX 96

/* --- characters --- */

enum char_class { CH_SPACE, CH_LETTER, CH_CJK, CH_SEPARATOR, CH_COLON, CH_STOP, CH_COMMA, CH_BRACKET, CH_EMPTY_BOX,
	CH_JOIN /* - _ + within words */ };

/* One character of well-formed UTF-8. */
static uint32_t next_char(str s, size_t *at)
{
	const uint8_t *p = (const uint8_t *)s.p + *at;
	size_t left = s.n - *at, n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if (n > left) {
		*at = s.n;
		return 0xfffd;
	}
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	*at += n;
	return c;
}

/* Full-width forms to ASCII, circled and compatibility forms of 秘 to itself; case stays. */
static uint32_t fold_char(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e)
		return c - 0xff01 + 0x21;
	if (c == 0x3000 || c == 0xa0 || c == 0x2009 || c == 0x2003 || c == 0x2002 || c == '\t')
		return ' ';
	if (c == 0x3299) /* ㊙ */
		return 0x79d8;
	if (c == 0x2010 || c == 0x2011)
		return '-';
	return c;
}

static enum char_class class_of(uint32_t c)
{
	if (c == ' ' || c == '\n')
		return CH_SPACE;
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '&' || (c >= 0xc0 && c < 0x2000))
		return CH_LETTER;
	if (c == '-' || c == '_' || c == '+' || c == '\'' || c == 0x2019)
		return CH_JOIN;
	if (c == ':')
		return CH_COLON;
	if (c == '.' || c == 0x3002 || c == '!' || c == '?')
		return CH_STOP;
	if (c == ',' || c == ';' || c == 0x3001)
		return CH_COMMA;
	if (c == 0x25a1 || c == 0x2610)
		return CH_EMPTY_BOX;
	if (c == '[' || c == ']' || c == '(' || c == ')' || c == '{' || c == '}' || c == '<' || c == '>' || (c >= 0x3008 && c <= 0x3011) ||
	    (c >= 0x3014 && c <= 0x301b) ||
	    c == '*' || c == '"' || c == 0x226a || c == 0x226b)
		return CH_BRACKET;
	if (c == 0x3005 || c == 0x30fc || (c >= 0x3040 && c < 0x3100) || (c >= 0x3400 && c < 0xa000) || (c >= 0xf900 && c < 0xfb00) ||
	    c >= 0x20000)
		return CH_CJK;
	return CH_SEPARATOR;
}

static bool hiragana(uint32_t c)
{
	return c >= 0x3040 && c < 0x30a0;
}

/* --- tokens --- */

enum token_kind { T_WORD, T_SEPARATOR, T_COLON, T_STOP, T_COMMA, T_BRACKET, T_EMPTY_BOX };

struct token {
	uint8_t kind;
	bool cjk, title, capitals, digits, has_hiragana, joined; /* joined: letters that stood apart */
	uint16_t at, n;    /* folded text */
	uint16_t gap;      /* spaces before it */
	bool wide;         /* one of them is U+3000 */
	uint16_t chars;
};

struct line {
	struct token t[TOKENS_MAX];
	size_t n;
	char text[MARKING_LINE_MAX * 2];
	size_t text_n;
	bool cut;
};

static str token_text(const struct line *l, const struct token *t)
{
	return (str){ l->text + t->at, t->n };
}

static bool is_word(const struct line *l, size_t i)
{
	return i < l->n && l->t[i].kind == T_WORD;
}

static void put_folded(struct line *l, uint32_t c)
{
	char out[8];
	struct buf b = { .p = out, .cap = sizeof(out) };

	utf8_put(&b, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	if (l->text_n + b.n > sizeof(l->text)) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->text_n, out, b.n);
	l->text_n += b.n;
}

static struct token *new_token(struct line *l, enum token_kind kind, unsigned gap)
{
	if (l->n == TOKENS_MAX) {
		l->cut = true;
		return &l->t[TOKENS_MAX - 1];
	}
	l->t[l->n] = (struct token){ .kind = (uint8_t)kind, .at = (uint16_t)l->text_n, .gap = (uint16_t)gap };
	return &l->t[l->n++];
}

static void add_to_word(struct line *l, struct token *t, uint32_t c)
{
	bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';

	if (t->chars == 0) {
		t->title = upper;
		t->capitals = upper;
		t->digits = true;
	}
	t->capitals = t->capitals && !lower;
	t->digits = t->digits && c >= '0' && c <= '9';
	t->has_hiragana = t->has_hiragana || hiragana(c);
	t->chars++;
	put_folded(l, c);
	t->n = (uint16_t)(l->text_n - t->at);
}

static bool after_tlp(const struct line *l)
{
	return is_word(l, l->n - 1) && str_eq(token_text(l, &l->t[l->n - 1]), STR("tlp"));
}

static void tokenize(struct line *l, str s)
{
	static const uint8_t kinds[] = { [CH_SEPARATOR] = T_SEPARATOR, [CH_COLON] = T_COLON, [CH_STOP] = T_STOP, [CH_COMMA] = T_COMMA,
		[CH_BRACKET] = T_BRACKET,
		[CH_EMPTY_BOX] = T_EMPTY_BOX };
	struct token *word = NULL;
	unsigned gap = 0;
	bool wide = false;

	l->n = l->text_n = 0;
	l->cut = false;
	for (size_t at = 0; at < s.n && !l->cut;) {
		uint32_t raw = next_char(s, &at), c = fold_char(raw);
		enum char_class k = class_of(c);

		if (k == CH_JOIN) {
			/* Within a word it parts words; alone it is a dash. */
			size_t peek = at;
			bool glued = word && at < s.n && class_of(fold_char(next_char(s, &peek))) == CH_LETTER && c != '_';

			word = NULL;
			if (glued)
				gap = 1;
			else
				new_token(l, T_SEPARATOR, gap);
			continue;
		}
		if (k == CH_SPACE) {
			gap += raw == '\t' ? 4 : 1;
			wide = wide || raw == 0x3000;
			word = NULL;
			continue;
		}
		if (k == CH_LETTER || k == CH_CJK) {
			/* 機密性3 is one word, 2024年度 too. */
			if (word && word->cjk != (k == CH_CJK) && !(c >= '0' && c <= '9') && !word->digits)
				word = NULL;
			if (!word) {
				word = new_token(l, T_WORD, after_tlp(l) ? 1 : gap);
				word->wide = wide;
			}
			word->cjk = word->cjk || k == CH_CJK;
			add_to_word(l, word, c);
		} else {
			word = NULL;
			/* TLP:RED */
			if (k == CH_COLON && after_tlp(l))
				continue;
			new_token(l, kinds[k], gap);
		}
		gap = 0;
		wide = false;
	}
}

/* "C O N F I D E N T I A L", 社 外 秘: letters that stand apart become words again, parted where the gap is wider. */
static void join_spaced(struct line *l)
{
	size_t to = 0;

	for (size_t i = 0; i < l->n;) {
		size_t end = i, least = SIZE_MAX;

		while (is_word(l, end) && l->t[end].chars == 1 && !l->t[end].digits && l->t[end].cjk == l->t[i].cjk && (end == i || l->t[end].gap)) {
			if (end > i)
				least = MIN(least, (size_t)l->t[end].gap);
			end++;
		}
		if (end - i < (l->t[i].cjk ? 2 : 4)) {
			end = MAX(end, i + 1);
			while (i < end)
				l->t[to++] = l->t[i++];
			continue;
		}
		for (; i < end; i++) {
			struct token t = l->t[i];

			/* Their texts lie side by side. */
			if (to && l->t[to - 1].joined && l->t[to - 1].at + l->t[to - 1].n == t.at && t.gap == least) {
				l->t[to - 1].n = (uint16_t)(l->t[to - 1].n + t.n);
				l->t[to - 1].chars++;
				l->t[to - 1].capitals = l->t[to - 1].capitals && t.capitals;
			} else {
				t.joined = true;
				/* Words of one phrase: the gap is no separator. */
				t.gap = to && l->t[to - 1].joined ? 1 : t.gap;
				l->t[to++] = t;
			}
		}
	}
	l->n = to;
}

/* --- segments --- */

struct segment_of {
	size_t from, to;   /* words */
	bool bracketed, boxed, stopped;
	bool before_colon, after_colon;
};

/* A gap of two, or any between Japanese words, parts like a bar; a wide one also between CONFIDENTIAL and 例商事. */
static bool parts(const struct line *l, size_t i)
{
	const struct token *a = &l->t[i - 1], *b = &l->t[i];

	return b->gap >= 2 || (b->gap && a->cjk && b->cjk && !(a->joined && b->joined)) || (b->wide && a->cjk != b->cjk);
}

static bool next_segment(const struct line *l, enum marking_place place, size_t *at, struct segment_of *ret)
{
	struct segment_of s = { 0 };

	for (; *at < l->n && l->t[*at].kind != T_WORD; ++*at) {
		s.bracketed = l->t[*at].kind == T_BRACKET;
		s.boxed = l->t[*at].kind == T_EMPTY_BOX;
		s.after_colon = l->t[*at].kind == T_COLON || (s.after_colon && l->t[*at].kind != T_SEPARATOR);
	}
	if (*at == l->n)
		return false;
	s.from = *at;
	for (++*at; *at < l->n; ++*at) {
		const struct token *t = &l->t[*at];

		if (t->kind == T_COMMA && place != MARK_LIST)
			continue; /* a comma is no bar: what it parts is one sentence */
		if (t->kind != T_WORD || (is_word(l, *at - 1) && parts(l, *at)))
			break;
	}
	s.to = *at;
	s.bracketed = s.bracketed && *at < l->n && l->t[*at].kind == T_BRACKET;
	s.before_colon = *at < l->n && l->t[*at].kind == T_COLON;
	s.stopped = *at < l->n && l->t[*at].kind == T_STOP;
	*ret = s;
	return true;
}

static bool among(str s, const char *const *list, size_t n)
{
	for (size_t i = 0; s.n && i < n; i++)
		if (list[i][0] == s.p[0] && str_eq(s, str_c(list[i])))
			return true;
	return false;
}

/* The words of a segment with one space between; n 0 where there are commas. */
static str segment_text(const struct line *l, const struct segment_of *s, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = s->from; i < s->to; i++) {
		str w = token_text(l, &l->t[i]);

		if (l->t[i].kind != T_WORD || n + w.n + 1 > size)
			return STR_NONE;
		if (i > s->from)
			out[n++] = ' ';
		memcpy(out + n, w.p, w.n);
		n += w.n;
	}
	return (str){ out, n };
}

/* --- a segment that is a marking --- */

static size_t strip_cjk(str *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(cjk_companions); i++) {
		str c = str_c(cjk_companions[i]);

		if (c.n >= w->n)
			continue;
		if (w->n > c.n && str_ends(*w, c)) {
			w->n -= c.n;
			return c.n;
		}
		if (w->n > c.n && str_starts(*w, c)) {
			w->p += c.n;
			w->n -= c.n;
			return c.n;
		}
	}
	return 0;
}

static uint32_t hash_text(str s)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 16777619u;
	return h ^ h >> 15;
}

/* The first of a text wins: a company's own stand before the shipped ones. */
void marking_index(struct markings *m, uint16_t *slots, size_t i, bool squeezed)
{
	str s = squeezed ? m->m[i].squeezed : m->m[i].text;
	uint32_t at = hash_text(s) % MARKING_SLOTS;

	for (; slots[at]; at = (at + 1) % MARKING_SLOTS)
		if (str_eq(squeezed ? m->m[slots[at] - 1].squeezed : m->m[slots[at] - 1].text, s))
			return;
	slots[at] = (uint16_t)(i + 1);
}

static const struct marking *find_text(const struct markings *m, str s, bool squeezed)
{
	const uint16_t *slots = squeezed ? m->by_squeezed : m->by_text;

	for (uint32_t at = hash_text(s) % MARKING_SLOTS; slots[at]; at = (at + 1) % MARKING_SLOTS) {
		const struct marking *x = &m->m[slots[at] - 1];

		if (str_eq(squeezed ? x->squeezed : x->text, s))
			return x;
	}
	return NULL;
}

/* 社外秘, 社外秘資料. */
static const struct marking *whole_word(const struct markings *m, str w, bool cjk)
{
	const struct marking *k = find_text(m, w, true);

	while (!k && cjk && strip_cjk(&w))
		k = find_text(m, w, true);
	return k;
}

/* The longest that begins with word i: *ret_words. */
static const struct marking *at_word(const struct markings *m, const struct line *l, size_t i, size_t to, size_t *ret_words)
{
	char text[MARKING_TEXT_MAX];

	for (size_t k = MIN(to - i, (size_t)6); k > 0; k--) {
		struct segment_of s = { .from = i, .to = i + k };
		str t = segment_text(l, &s, text, sizeof(text));
		const struct marking *x = t.n ? find_text(m, t, false) : NULL;

		if (!x && k == 1)
			x = whole_word(m, token_text(l, &l->t[i]), l->t[i].cjk);
		if (x) {
			*ret_words = k;
			return x;
		}
	}
	return NULL;
}

static bool companion(const struct line *l, size_t i)
{
	str w = token_text(l, &l->t[i]);

	if (l->t[i].kind != T_WORD)
		return false;
	return l->t[i].digits || among(w, companions, ARRAY_SIZE(companions)) ||
	       (l->t[i].cjk && among(w, cjk_companions, ARRAY_SIZE(cjk_companions)));
}

/* A name: words with capitals, none of a sentence. */
static bool like_a_name(const struct line *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct token *t = &l->t[i];

		if (t->kind != T_WORD || among(token_text(l, t), stops, ARRAY_SIZE(stops)))
			return false;
		if (t->cjk ? t->has_hiragana : !(t->title || t->digits || companion(l, i)))
			return false;
	}
	return to - from <= 5;
}

static bool tells_of_markings(const struct line *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		str w = token_text(l, &l->t[i]);

		if (among(w, telling, ARRAY_SIZE(telling)))
			return true;
		for (size_t k = 0; l->t[i].cjk && k < ARRAY_SIZE(cjk_telling); k++)
			if (memmem(w.p, w.n, cjk_telling[k], strlen(cjk_telling[k])))
				return true;
	}
	return false;
}

/* A particle: CONFIDENTIAL の印. */
static bool begins_with_hiragana(str w)
{
	size_t at = 0;

	return w.n && hiragana(next_char(w, &at));
}

/* A title of which the words before `at` are the marking m: does another title begin there, set apart by how it is written?
 * "TLP:AMBER Report", "TOP SECRET Price list", "For internal use only Terms"; but "Confidential Papers", "CONFIDENTIAL PAPERS" are read in
 * one breath. */
static bool title_behind(const struct line *l, const struct segment_of *s, size_t at, const struct marking *m, bool caps)
{
	const struct token *before = &l->t[at - 1], *next = &l->t[at];
	bool small = false; /* words in other than capitals follow */

	if (m->weak || before->cjk || next->kind != T_WORD)
		return false;
	if (next->cjk ? begins_with_hiragana(token_text(l, next)) : !next->title && !next->digits)
		return false;
	for (size_t i = at; i < s->to; i++)
		small = small || (l->t[i].kind == T_WORD && !l->t[i].digits && (l->t[i].cjk || !l->t[i].capitals));
	if (!str_starts(m->text, STR("tlp ")) && !(caps && small) && (before->title || before->joined || at - s->from < 2))
		return false;
	return !tells_of_markings(l, at, s->to);
}

/* All words of the segment belong to markings or go with them; the highest of them. */
static const struct marking *segment_marking(const struct markings *m, enum marking_place place, const struct line *l,
	const struct segment_of *s, bool *ret_loud,
	bool *ret_framed)
{
	const struct marking *best = NULL;
	bool caps = true, joined = false;
	size_t names = 0; /* words before the first marking that may be a name */
	size_t behind = s->from; /* the last marking */

	for (size_t i = s->from, words; i < s->to; i += words) {
		const struct marking *x = l->t[i].kind == T_WORD ? at_word(m, l, i, s->to, &words) : NULL;

		if (!x)
			words = 1;
		for (size_t k = i; x && k < i + words; k++) {
			caps = caps && (l->t[k].cjk ? l->t[k].joined : l->t[k].capitals);
			joined = joined || l->t[k].joined;
		}
		if (x && (!best || x->label > best->label))
			best = x;
		behind = x ? i + words : behind;
		if (x || companion(l, i))
			continue;
		if (best && place == MARK_TITLE && !names && title_behind(l, s, behind, best, caps))
			break;
		if (best)
			return NULL;
		names++;
	}
	if (!best || (names && (place != MARK_MARGIN || best->weak || names > 4)))
		return NULL;
	for (size_t i = s->from; names && i < s->to; i++)
		if (l->t[i].kind != T_WORD || among(token_text(l, &l->t[i]), stops, ARRAY_SIZE(stops)) || (l->t[i].cjk ? l->t[i].has_hiragana :
		    !l->t[i].title && !l->t[i].digits))
			return NULL;
	/* In a body, what begins small belongs to a sentence. */
	if (place == MARK_LINE && !l->t[s->from].cjk && !l->t[s->from].title)
		return NULL;
	*ret_framed = s->bracketed || joined;
	*ret_loud = caps || *ret_framed;
	return best;
}

/* --- a line --- */

static bool is_key(const struct line *l, const struct segment_of *s)
{
	char text[MARKING_TEXT_MAX];
	str t = segment_text(l, s, text, sizeof(text));

	return t.n && among(t, keys, ARRAY_SIZE(keys));
}

/* Page numbers, names, handling: what may stand on a line beside a marking. */
static bool inert(const struct line *l, const struct segment_of *s)
{
	char text[MARKING_TEXT_MAX];
	str t = segment_text(l, s, text, sizeof(text));
	bool page = str_eq(token_text(l, &l->t[s->from]), STR("page")) || str_eq(token_text(l, &l->t[s->from]), STR("p"));

	if (page || (t.n && among(t, phrases, ARRAY_SIZE(phrases))) || is_key(l, s))
		return true;
	return like_a_name(l, s->from, s->to);
}

static bool reply_prefix(const struct line *l, const struct segment_of *s)
{
	static const char *const prefixes[] = { "re", "fw", "fwd", "aw", "wg" };

	return s->to - s->from == 1 && among(token_text(l, &l->t[s->from]), prefixes, ARRAY_SIZE(prefixes));
}

/* May what stands before a ':' stand before a marking? */
static bool key_allows(enum marking_place place, const struct line *l, const struct segment_of *key)
{
	return is_key(l, key) || (place == MARK_MARGIN && like_a_name(l, key->from, key->to)) || (place == MARK_TITLE && reply_prefix(l, key));
}

static unsigned bits(unsigned labels)
{
	return (unsigned)__builtin_popcount(labels);
}

struct judged marking_judge(const struct markings *m, enum marking_place place, str s)
{
	static _Thread_local struct line l;
	struct segment_of seg, last = { 0 };
	struct judged j = { 0 };
	bool keyed = false, all_inert = true, any_key = false;

	if (s.n == 0 || s.n > MARKING_LINE_MAX)
		return j;
	tokenize(&l, s);
	if (l.cut)
		return j;
	join_spaced(&l);
	for (size_t at = 0; next_segment(&l, place, &at, &seg); last = seg) {
		bool loud = false, framed = false, here_keyed = place == MARK_VALUE;
		bool no = seg.boxed || (seg.before_colon && is_key(&l, &seg));
		const struct marking *x = no ? NULL : segment_marking(m, place, &l, &seg, &loud, &framed);

		if (x && seg.after_colon && last.to) {
			if (!key_allows(place, &l, &last))
				x = NULL;
			else
				here_keyed = is_key(&l, &last);
		}
		any_key = any_key || here_keyed;
		keyed = here_keyed;
		if (x && x->weak && !keyed && !loud && place != MARK_MARGIN && !str_eq(x->text, STR("秘")))
			x = NULL;
		if (x && x->weak && !keyed && place == MARK_TITLE && !seg.bracketed)
			x = NULL;
		if (!x) {
			all_inert = all_inert && inert(&l, &seg);
			continue;
		}
		j.labels |= 1u << x->label;
		j.loud = j.loud || loud || keyed;
		j.framed = j.framed || framed || keyed;
		if (!j.m || x->label > j.m->label)
			j.m = x;
	}
	/* On a line of the body, in a cell, all else must be harmless; a choice of several is none. */
	if (((place == MARK_LINE || place == MARK_CELL) && !all_inert) || bits(j.labels) > 2 || (any_key && bits(j.labels) > 1))
		j = (struct judged){ 0 };
	return j;
}

bool marking_is_key(str s)
{
	static _Thread_local struct line l;
	struct segment_of seg;
	size_t at = 0;

	if (s.n == 0 || s.n > MARKING_TEXT_MAX)
		return false;
	tokenize(&l, s);
	join_spaced(&l);
	return !l.cut && next_segment(&l, MARK_VALUE, &at, &seg) && is_key(&l, &seg) && !next_segment(&l, MARK_VALUE, &at, &seg);
}

void marking_fold(struct buf *b, str s)
{
	struct line l;

	if (s.n > MARKING_LINE_MAX)
		return;
	tokenize(&l, s);
	join_spaced(&l);
	for (size_t i = 0, n = 0; i < l.n; i++) {
		if (l.t[i].kind != T_WORD)
			continue;
		if (n++)
			buf_putc(b, ' ');
		buf_puts(b, token_text(&l, &l.t[i]));
	}
}
