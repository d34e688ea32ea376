/* What differs between a leak and a document that agree all over but for errors: slips of reading and typing, or other words in a
 * template's places? */
#include <errno.h>
#include <math.h>

#include "document/trace_internal.h"

#define ANCHOR 4               /* characters that agree again end a gap */
#define SLOT_MIN 5
#define SLOT_MAX 80
#define SLOT_ALIKE 40          /* per cent of characters in common, in order: errors of reading leave more */
#define CHANCE 0.003           /* how often errors that fall at random crowd so somewhere in the leak; … */
#define CHANCE_WORDS 0.1       /* … where these are whole words of the source */
#define RATE_MIN 0.02          /* of errors */
#define WORD_MIN 4             /* letters: of shorter words one letter may make another */
#define NAME_MIN 6             /* the same of names, of which one letter differs */
#define SINGLES_MIN 3          /* so many single ideographs that are others are no values: those are longer */
#define BAND 48                /* how far insertions and losses carry, beyond the difference in length */

/* --- other words in a template's places, in a long text --- */

static unsigned alike(const uint32_t *a, size_t an, const uint32_t *b, size_t bn)
{
	uint16_t row[SLOT_MAX + 1] = { 0 };

	for (size_t i = 0; i < an; i++) {
		uint16_t diagonal = 0;

		for (size_t j = 0; j < bn; j++) {
			uint16_t above = row[j + 1];

			row[j + 1] = a[i] == b[j] ? diagonal + 1 : MAX(above, row[j]);
			diagonal = above;
		}
	}
	return (unsigned)(100 * row[bn] / MIN(an, bn));
}

static bool is_slot(const struct normalised *a, size_t i, size_t an, const struct normalised *b, size_t j, size_t bn)
{
	return an >= SLOT_MIN && bn >= SLOT_MIN && an <= SLOT_MAX && bn <= SLOT_MAX && alike(a->c + i, an, b->c + j, bn) < SLOT_ALIKE;
}

static bool agree(const struct normalised *a, size_t i, size_t a_end, const struct normalised *b, size_t j, size_t b_end)
{
	return i + ANCHOR <= a_end && j + ANCHOR <= b_end && memcmp(a->c + i, b->c + j, ANCHOR * sizeof(*a->c)) == 0;
}

/* Along one run: where it does not agree, on to the next place where it does. */
static unsigned slots_within(const struct normalised *a, const struct normalised *b, const struct aligned *x)
{
	size_t i = x->a_from, j = x->b_from;
	unsigned slots = 0;

	while (i < x->a_to && j < x->b_to) {
		bool found = false;

		if (a->c[i] == b->c[j]) {
			i++;
			j++;
			continue;
		}
		for (size_t both = 1; both <= 2 * SLOT_MAX && !found; both++)
			for (size_t k = both > SLOT_MAX ? both - SLOT_MAX : 0; k <= MIN(both, (size_t)SLOT_MAX) && !found; k++) {
				if (!agree(a, i + k, x->a_to, b, j + both - k, x->b_to))
					continue;
				slots += is_slot(a, i, k, b, j, both - k);
				i += k;
				j += both - k;
				found = true;
			}
		if (!found)
			break;
	}
	return slots;
}

unsigned noise_slots(const struct leak *l, const struct source *s, const struct alignment *al)
{
	const struct normalised *a = &l->p.text, *b = &s->p.text;
	unsigned slots = 0;

	for (size_t i = 0; i < al->n; i++) {
		const struct aligned *x = &al->runs[i], *y = x + 1;

		slots += slots_within(a, b, x);
		if (i + 1 < al->n && y->b_from >= x->b_to)
			slots += is_slot(a, x->a_to, y->a_from - x->a_to, b, x->b_to, y->b_from - x->b_to);
	}
	return slots;
}

/* --- a short text, character by character --- */

/* Of both texts these do not agree, with none that does in between; or, of a gap, with fewer than ANCHOR in a row. */
struct stretch {
	size_t a, an, b, bn;
	unsigned errors;           /* characters that are others, lost, or put in */
};

struct walk {
	const struct normalised *a, *b;
	const struct source *s;
	uint64_t errors, length;
	bool counted;              /* errors: they are looked at then */
	unsigned singles;
	struct noise *noise;
};

static bool digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* 0 Latin and the like, 1 hiragana, 2 katakana, 3 ideographs. */
static unsigned kind_of(uint32_t c)
{
	return c < 0x2e80 ? 0 : c >= 0x3041 && c < 0x30a0 ? 1 : c >= 0x30a0 && c < 0x3100 ? 2 : 3;
}

static bool latin(const struct normalised *t, size_t i)
{
	return i < t->n && t->c[i] >= 'a' && t->c[i] <= 'z';
}

/* Nothing stands between it and the next one. */
static bool adjacent(const struct normalised *t, size_t i)
{
	return i + 1 < t->n && t->at[i + 1] == t->at[i] + 1;
}

/* [from, to) belongs to this word. */
static void widen(const struct normalised *t, size_t *from, size_t *to)
{
	while (*from > 0 && latin(t, *from - 1) && adjacent(t, *from - 1) && latin(t, *from))
		(*from)--;
	while (*to > *from && latin(t, *to) && adjacent(t, *to - 1))
		(*to)++;
}

/* A word of the source in which so many letters are others is known all the same: it is no short one, and no name. */
static bool long_enough(const struct walk *w, size_t from, size_t to, size_t most)
{
	if (to - from < WORD_MIN || 2 * most > to - from)
		return false;
	return (uint8_t)w->s->bytes.p[w->b->at[from]] >= 'a' || (to - from >= NAME_MIN && most == 1);
}

/* Inside of a word of which half stayed, and that is no short one, and no name. */
static bool in_a_word(const struct walk *w, const struct stretch *g)
{
	size_t from = g->b, to = g->b + g->bn;

	for (size_t i = from; i < to; i++)
		if (!latin(w->b, i) || (i > from && !adjacent(w->b, i - 1)))
			return false;
	widen(w->b, &from, &to);
	return (g->bn || from != g->b) && long_enough(w, from, to, MAX(g->an, g->bn));
}

/* A digit may be lost, doubled, or read as a letter; another digit in its place is another figure, and so are several that were put in
 * or left out, but for those that stand for letters of a word. */
static bool other_figure(const struct walk *w, const struct stretch *g)
{
	unsigned an = 0, bn = 0;

	for (size_t i = g->a; i < g->a + g->an; i++)
		an += digit(w->a->c[i]);
	for (size_t i = g->b; i < g->b + g->bn; i++)
		bn += digit(w->b->c[i]);
	if (g->bn && !bn && in_a_word(w, g))
		return false;
	return (an && bn) || an > 1 || (bn > 1 && !g->an) || (an + bn && g->errors > 3);
}

/* One letter put in where the source has the end of a word and the beginning of the next one. */
struct joint {
	bool is, before, behind;   /* it stands at the word before it, at the one behind it */
	size_t from, to;           /* the word of the source, where it stands at one only */
};

static struct joint joint_of(const struct walk *w, const struct stretch *g)
{
	const struct normalised *a = w->a, *b = w->b;
	struct joint j = { .is = g->errors == 1 && g->an && !g->bn && g->b > 0 && g->b < b->n && latin(a, g->a) && !adjacent(b, g->b - 1) };

	if (!j.is)
		return j;
	j.before = g->a > 0 && adjacent(a, g->a - 1);
	j.behind = adjacent(a, g->a);
	j.from = j.before ? g->b - 1 : g->b;
	j.to = j.from + 1;
	if (latin(b, j.from))
		widen(b, &j.from, &j.to);
	return j;
}

/* It stands in the space's place, or at one of two words that is no short one. Behind a word an s may have been meant. */
static bool at_a_joint(const struct walk *w, const struct stretch *g)
{
	struct joint j = joint_of(w, g);

	if (!j.is || (!j.before && !j.behind))
		return false;
	if (j.before && j.behind)
		return latin(w->b, g->b - 1) || latin(w->b, g->b);
	return latin(w->b, j.from) && !(j.before && w->a->c[g->a] == 's') && long_enough(w, j.from, j.to, 1);
}

/* English words so short that another letter may make another one of them. */
static const char short_words[][5] = {
	"am", "an", "and", "any", "are", "as", "at", "be", "but", "by", "can", "did", "do", "for", "had", "has", "he", "her", "him", "his", "how",
	"if", "in", "is", "it", "its", "me", "my", "no", "nor", "not", "now", "of", "off", "on", "one", "or", "our", "out", "own", "she", "so",
	"the", "they", "to", "too", "two", "up", "us", "was", "we", "who", "why", "yet", "you",
};

static bool is_short_word(const struct normalised *t, size_t from, size_t to)
{
	for (size_t i = 0; i < ARRAY_SIZE(short_words); i++) {
		size_t n = strnlen(short_words[i], sizeof(short_words[i])), k = 0;

		while (k < n && from + k < to && t->c[from + k] == (uint8_t)short_words[i][k])
			k++;
		if (k == n && from + k == to)
			return true;
	}
	return false;
}

/* In one of these words, which becomes none of them. */
static bool in_a_short_word(const struct walk *w, const struct stretch *g)
{
	struct joint j = joint_of(w, g);
	size_t from = g->b, to = g->b + g->bn, low, high;

	if (g->errors != 1 || (g->an && !latin(w->a, g->a)))
		return false;
	if (j.is && (j.before || j.behind)) {
		from = j.from;
		to = j.to;
	} else {
		widen(w->b, &from, &to);
	}
	for (size_t i = from; i < to; i++)
		if ((uint8_t)w->s->bytes.p[w->b->at[i]] != w->b->c[i]) /* a name, or where a sentence begins */
			return false;
	if (!is_short_word(w->b, from, to) || g->b - MIN(g->b, from) > g->a)
		return false;
	low = g->a - (g->b - MIN(g->b, from));
	high = MIN(w->a->n, g->a + g->an + (to - MIN(to, g->b + g->bn)));
	if (low < high)
		widen(w->a, &low, &high);
	return !is_short_word(w->a, low, high);
}

/* One character that nobody writes there: kana for an ideograph or the other way round, a digit for a letter. */
static bool out_of_place(const struct walk *w, const struct stretch *g)
{
	uint32_t a = w->a->c[g->a], b = w->b->c[g->b];

	if (g->errors != 1 || !g->an || !g->bn)
		return false;
	return b < 0x2e80 ? digit(a) && !digit(b) : kind_of(a) != kind_of(b);
}

static void take_stretch(struct walk *w, const struct stretch *g)
{
	uint32_t c = g->bn ? w->b->c[g->b] : g->an ? w->a->c[g->a] : 0;

	if (!w->counted)
		w->errors += g->errors;
	else if (other_figure(w, g))
		w->noise->values++;
	else if (in_a_word(w, g) || at_a_joint(w, g) || in_a_short_word(w, g) || out_of_place(w, g) || (g->errors == 1 && kind_of(c) == 1))
		w->noise->clear++;
	else if (g->errors == 1 && kind_of(c))
		w->singles++;
	else
		w->noise->unclear++;
}

/* Latin words are told by what stands between them; of other scripts, names by kana around kanji, and kanji around kana. */
static bool border(const struct walk *w, size_t i)
{
	const uint32_t *c = w->b->c;

	if (i == 0 || i >= w->b->n)
		return true;
	if (c[i - 1] < 0x2e80 && c[i] < 0x2e80)
		return !adjacent(w->b, i - 1) || digit(c[i - 1]) != digit(c[i]);
	return kind_of(c[i - 1]) != kind_of(c[i]);
}

/* The source's words there, hardly anything of which stayed; in Latin script but for a letter at one end, that both may begin or end
 * with. */
static bool whole_words(const struct walk *w, const struct stretch *g)
{
	size_t to = g->b + g->bn, least = 2;
	bool from_border = border(w, g->b), to_border = border(w, to);

	if (kind_of(w->b->c[MIN(g->b, w->b->n - 1)]) == 0) {
		least = 3;
		if (from_border)
			to_border |= border(w, to + 1);
		else if (to_border)
			from_border = g->b > 0 && border(w, g->b - 1);
	}
	return g->bn && from_border && to_border && g->errors >= least && 5 * g->errors >= 3 * MAX(g->an, g->bn);
}

/* Do as many errors stand so near each other, somewhere in the leak, when they fall at random? */
static void take_gap(struct walk *w, const struct stretch *g)
{
	double n = (double)MAX(g->an, g->bn), e = g->errors, most = whole_words(w, g) ? CHANCE_WORDS : CHANCE;
	double rate = MIN(0.5, MAX(RATE_MIN, ((double)w->errors - e / 2) / (double)w->length));

	if (w->counted && g->errors >= 2 &&
		log((double)w->length) + lgamma(n + 1) - lgamma(e + 1) - lgamma(n - e + 1) + e * log(rate) < log(most))
		w->noise->places++;
}

static void grow(struct stretch *g, size_t i, size_t j, bool a, bool b)
{
	if (!g->errors)
		*g = (struct stretch){ .a = i, .b = j };
	g->an = i + a - g->a;
	g->bn = j + b - g->b;
	g->errors++;
}

/* How it came to a cell of the table: 0 both agree, 1 they do not, 2 one more of a, 3 one more of b. */
static void take_path(struct walk *w, const struct aligned *x, const uint8_t *path, size_t n)
{
	struct stretch one = { 0 }, gap = { 0 };
	size_t i = x->a_from, j = x->b_from, agreed = 0;

	while (n-- > 0) {
		bool a = path[n] != 3, b = path[n] != 2;

		if (path[n] == 0) {
			if (one.errors)
				take_stretch(w, &one);
			one.errors = 0;
			if (++agreed == ANCHOR && gap.errors) {
				take_gap(w, &gap);
				gap.errors = 0;
			}
		} else {
			grow(&one, i, j, a, b);
			grow(&gap, i, j, a, b);
			agreed = 0;
		}
		i += a;
		j += b;
	}
	if (one.errors)
		take_stretch(w, &one);
	if (gap.errors)
		take_gap(w, &gap);
}

/* The fewest errors that make one of the other, in a band. */
static int walk_run(struct walk *w, const struct aligned *x)
{
	size_t an = x->a_to - x->a_from, bn = x->b_to - x->b_from, n = 0;
	int64_t low = MIN((int64_t)bn - (int64_t)an, 0) - BAND, width = llabs((int64_t)bn - (int64_t)an) + 2 * BAND + 1;
	_cleanup_free_ uint8_t *how = malloc((an + 1) * (size_t)width), *path = malloc(an + bn + 1);
	_cleanup_free_ uint32_t *row = malloc(2 * (size_t)width * sizeof(*row));
	uint32_t *up = row, *now = row ? row + width : NULL, *other;

	if (!how || !path || !row)
		return -ENOMEM;
	for (size_t i = 0; i <= an; i++) {
		for (int64_t d = 0; d < width; d++) {
			int64_t j = (int64_t)i + low + d;
			uint32_t best = UINT32_MAX / 2;
			uint8_t by = 0;

			if (j >= 0 && j <= (int64_t)bn) {
				if (i == 0 && j == 0)
					best = 0;
				if (i > 0 && j > 0) {
					by = w->a->c[x->a_from + i - 1] != w->b->c[x->b_from + (size_t)j - 1];
					best = up[d] + by;
				}
				if (i > 0 && d + 1 < width && up[d + 1] + 1 < best) {
					best = up[d + 1] + 1;
					by = 2;
				}
				if (j > 0 && d > 0 && now[d - 1] + 1 < best) {
					best = now[d - 1] + 1;
					by = 3;
				}
			}
			now[d] = best;
			how[i * (size_t)width + (size_t)d] = by;
		}
		other = up;
		up = now;
		now = other;
	}
	for (size_t i = an, j = bn; i > 0 || j > 0; n++) {
		int64_t d = (int64_t)j - (int64_t)i - low;

		if (d < 0 || d >= width)
			return 0;
		path[n] = i == 0 ? 3 : j == 0 ? 2 : how[i * (size_t)width + (size_t)d];
		i -= path[n] != 3;
		j -= path[n] != 2;
	}
	take_path(w, x, path, n);
	return 0;
}

/* Between runs both have other words, or the leak has words that the source has not. */
static void take_between(struct walk *w, const struct alignment *al)
{
	for (size_t i = 0; i + 1 < al->n; i++) {
		const struct aligned *x = &al->runs[i], *y = x + 1;

		w->noise->places += y->a_from - x->a_to >= SLOT_MIN;
	}
}

/* Its phrases are whole in the source, not in the leak. */
static bool from_outside(const struct source *s, const struct alignment *al)
{
	const struct text text = { .bytes = s->bytes };
	struct evidence_of e = { 0 };

	for (size_t i = 0; i < al->n; i++)
		evidence_add(&text, &s->p.text, al->runs[i].b_from, al->runs[i].b_to, &e);
	return e.skipped >= e.chars;
}

int noise_of(const struct leak *l, const struct source *s, const struct alignment *al, struct noise *ret)
{
	struct noise n = { 0 };
	struct walk w = { .a = &l->p.text, .b = &s->p.text, .s = s, .length = MAX(al->length, (uint64_t)1), .noise = &n };
	int r = 0;

	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; r == 0 && i < al->n; i++)
			r = walk_run(&w, &al->runs[i]);
		w.counted = true;
	}
	if (r < 0)
		return r;
	take_between(&w, al);
	*(w.singles < SINGLES_MIN ? &n.unclear : &n.clear) += w.singles;
	n.outside = al->n && from_outside(s, al);
	*ret = n;
	return 0;
}
