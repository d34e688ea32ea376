/* How two texts that share runs differ: a piece of one, a version of one, or two instances of one template. docs/trace.md says why these
 * rules. */
#include "document/trace_internal.h"

#define MOVED_WEIGHT 12u               /* characters that stand elsewhere in the source, too, are moved, not filled in; a CJK one is two */
#define MOVED_MIN 20                   /* and so many where the source has something else, as short, in their place */
#define MOVED_GRAM 5u                  /* characters; a piece has more */
#define MOVED_WORK (1u << 20)          /* places of the source that are tried */
#define REARRANGED_MIN 12              /* characters */
#define REARRANGED_MAX 1024
#define ONE_SLOT_MATCHED 50000         /* characters: one changed word in so many is an edit */
#define FORM_PIECE 250                 /* mean length of what a form prints between what is filled in */
#define ANSWERS_PART 25                /* long other words of 1/25 of what is common are other answers; fewer may be an edit */
#define SEAM_MAX 16                    /* characters that end what was put in as they end what is before it */
#define LIKE_LENGTHS 8                 /* a few words in place of more than 8 times as much were written between two quotations */
#define ENDS_PART 50                   /* versions begin and end alike: but for 1/50 of what is common */
#define ENDS_MAX 400                   /* characters */
#define REPLACED_PERCENT 15            /* of what versions have in common, rewritten in all */
#define VERSION_CHARS_A_SLOT 1500      /* short edits are rarer than this; places of a template are not */
#define VERSION_CHARS_ONE_SLOT 5000

/* Letters and digits; what a conversion puts in place of what it cannot write says nothing. */
static bool is_word(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	return !(c >= 0x2000 && c < 0x2c00) && !(c >= 0x3000 && c <= 0x3020) && !(c >= 0xe000 && c < 0xf900) && c != 0xfffd;
}

static bool has_words(const struct normalised *t, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		if (is_word(t->c[i]))
			return true;
	return false;
}

/* --- words that stand elsewhere in the source --- */

/* A text in which pieces are looked for, by their first characters: made where it is needed. */
struct elsewhere {
	const struct normalised *t;
	uint32_t *first, *next; /* places + 1 */
	uint32_t mask;
	uint64_t work;
};

static void elsewhere_free(struct elsewhere *e)
{
	free(e->first);
	free(e->next);
}

static uint32_t gram(const uint32_t *c)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < MOVED_GRAM; i++)
		h = (h ^ c[i]) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)(h >> 32);
}

static bool elsewhere_make(struct elsewhere *e)
{
	uint32_t size = 1024;

	while (size < e->t->n)
		size *= 2;
	e->first = calloc(size, sizeof(*e->first));
	e->next = calloc(e->t->n + 1, sizeof(*e->next));
	e->mask = size - 1;
	for (size_t i = 0; e->first && e->next && i + MOVED_GRAM <= e->t->n; i++) {
		uint32_t *at = &e->first[gram(e->t->c + i) & e->mask];

		e->next[i] = *at;
		*at = (uint32_t)i + 1;
	}
	return e->first && e->next;
}

/* Without memory, or after too much work, nothing is found: the careful side. */
static bool stands_in(struct elsewhere *e, const uint32_t *c, uint32_t n)
{
	if (n < MOVED_GRAM || n > e->t->n || (!e->mask && !elsewhere_make(e)) || !e->first || !e->next)
		return false;
	for (uint32_t i = e->first[gram(c) & e->mask]; i && e->work < MOVED_WORK; i = e->next[i - 1]) {
		e->work++;
		if (i - 1 + n <= e->t->n && memcmp(e->t->c + i - 1, c, n * sizeof(*c)) == 0)
			return true;
	}
	return false;
}

/* How many characters make a piece of text that does not come about by chance. */
static uint32_t piece_at(const struct normalised *t, uint32_t i)
{
	uint32_t n = 0;

	for (unsigned weight = 0; i + n < t->n && weight < MOVED_WEIGHT; n++)
		weight += t->c[i + n] < 0x2e80 ? 1 : 2;
	return n;
}

/* Do nine tenths of [from, from + n) of a stand elsewhere, in pieces that reach into what is around it? Headings between paragraphs in
 * another order do. */
static bool moved(const struct prepared *a, uint32_t from, uint32_t n, struct elsewhere *e)
{
	uint32_t to = from + n, covered = from, missing = 0;

	for (uint32_t i = from > MOVED_WEIGHT ? from - MOVED_WEIGHT : 0; i < to && 10 * missing <= n; i++) {
		uint32_t end = i + piece_at(&a->text, i);

		if (end > covered && stands_in(e, a->text.c + i, end - i))
			covered = MIN(end, to);
		if (i >= covered) { /* nothing that begins here or before has it */
			covered = i + 1;
			missing++;
		}
	}
	return 10 * missing <= n;
}

/* As short as what is filled into a template's place. A Chinese character says what two letters do. */
static bool is_short(const struct normalised *t, size_t from, int64_t n)
{
	int64_t weight = n;

	for (size_t i = from; n <= TRACE_SHORT_GAP && i < from + (size_t)n; i++)
		weight += t->c[i] >= 0x2e80;
	return weight <= TRACE_SHORT_GAP;
}

/* Most of it stands in some document. */
static bool mostly_known(const uint8_t *known, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	for (uint32_t i = from; known && i < to; i++)
		n += known[i];
	return known && 2 * n >= to - from;
}

/* One character for another that looks like it or stands for it: an error of a conversion. ASCII letters and digits are what forms are
 * filled in with. */
static bool slip(const struct prepared *a, uint32_t i, const struct prepared *b, uint32_t j)
{
	return a->text.c[i] >= 0x80 && b->text.c[j] >= 0x80;
}

/* The same words on both sides, with signs that a conversion put in or took away. */
static bool same_words(const struct normalised *a, uint32_t i, uint32_t i_end, const struct normalised *b, uint32_t j, uint32_t j_end)
{
	for (;;) {
		while (i < i_end && !is_word(a->c[i]))
			i++;
		while (j < j_end && !is_word(b->c[j]))
			j++;
		if (i == i_end || j == j_end)
			return i == i_end && j == j_end;
		if (a->c[i++] != b->c[j++])
			return false;
	}
}

static int by_value(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* The same characters in another order: cells and columns that a conversion reads the other way round. */
static bool rearranged(const uint32_t *a, const uint32_t *b, size_t n)
{
	uint32_t x[REARRANGED_MAX], y[REARRANGED_MAX];

	if (n < REARRANGED_MIN || n > REARRANGED_MAX)
		return false;
	memcpy(x, a, n * sizeof(*a));
	memcpy(y, b, n * sizeof(*b));
	qsort(x, n, sizeof(*x), by_value);
	qsort(y, n, sizeof(*y), by_value);
	return memcmp(x, y, n * sizeof(*x)) == 0;
}

struct gap {
	uint32_t a, b;        /* where the run before ends */
	int64_t an, bn;       /* characters up to the next run; b's negative: it lies before */
	uint64_t common;      /* before it */
};

bool overlap_ends_there(const struct overlap *c, uint64_t common, int64_t an, int64_t bn)
{
	return an > 0 && bn > 0 && MIN(common, c->chars - common) < 2 * (uint64_t)MIN(an, bn);
}

static void add_replaced(const struct overlap *c, const struct gap *g, struct differences *d)
{
	*(overlap_ends_there(c, g->common, g->an, g->bn) ? &d->ends : &d->replaced) += (uint64_t)MIN(g->an, g->bn);
}

static bool like_lengths(int64_t a, int64_t b)
{
	return MIN(a, b) > TRACE_SHORT_GAP || MAX(a, b) <= LIKE_LENGTHS * MIN(a, b);
}

static void look_at_gap(const struct prepared *a, const struct prepared *b, const struct overlap *c, const uint8_t *known,
	const struct gap *g, struct elsewhere *e, struct differences *d)
{
	bool follows = g->bn >= 0 && g->bn <= 40 * (int64_t)MAX(g->an, (int64_t)TRACE_SHORT_GAP);
	uint32_t an = (uint32_t)g->an;

	if (g->an == 0 && (g->bn == 0 || !follows)) { /* moved, nothing filled in */
		d->jumps += g->bn != 0;
		return;
	}
	d->gaps++;
	if (g->an == 0 || g->bn == 0) { /* inserted or left out */
		d->shifts += follows && is_short(&a->text, g->a, g->an) && is_short(&b->text, g->b, g->bn) &&
			(has_words(&a->text, g->a, g->a + an) || has_words(&b->text, g->b, g->b + (uint32_t)g->bn));
		return;
	}
	if (!has_words(&a->text, g->a, g->a + an))
		return;
	if (!follows) {
		/* Elsewhere in the source goes on what here is broken off by words that no document explains: lines of a log. */
		if (mostly_known(known, g->a, g->a + an))
			return;
		if (moved(a, g->a, an, e))
			return;
	} else if (!has_words(&b->text, g->b, g->b + (uint32_t)g->bn)) {
		return;
	} else if (same_words(&a->text, g->a, g->a + an, &b->text, g->b, g->b + (uint32_t)g->bn)) {
		d->gaps--;
		return;
	} else if (g->an == g->bn && rearranged(a->text.c + g->a, b->text.c + g->b, an)) {
		return;
	} else if ((an >= MOVED_MIN || g->bn > TRACE_SHORT_GAP) && moved(a, g->a, an, e)) {
		return;
	} else if (g->an == 1 && g->bn == 1 && slip(a, g->a, b, g->b)) {
		return;
	}
	if (g->bn > 0)
		add_replaced(c, g, d);
	if (is_short(&a->text, g->a, g->an) && (!follows || is_short(&b->text, g->b, g->bn)))
		d->slots++;
	else if (follows && !mostly_known(known, g->a, g->a + an) && like_lengths(g->an, g->bn))
		d->wide += (uint64_t)MIN(g->an, g->bn);
}

/* Words that were put in may end as those before them do. The run behind them then begins too early by that much, and b seems to go back. */
static void close_seam(struct gap *g)
{
	if (g->bn >= 0 || g->bn < -SEAM_MAX)
		return;
	g->an -= g->bn;
	g->bn = 0;
}

static bool short_words(const struct normalised *t, size_t from, size_t to)
{
	return to > from && is_short(t, from, (int64_t)(to - from)) && has_words(t, (uint32_t)from, (uint32_t)to);
}

/* Other words on both sides before all runs and behind all of them. */
static void look_at_ends(const struct prepared *a, const struct prepared *b, const struct overlap *c, struct differences *d)
{
	const struct run *first = c->run, *last = &c->run[c->n - 1];
	size_t a_end = last->a < a->aside ? a->aside : a->text.n, b_end = last->b < b->aside ? b->aside : b->text.n;
	size_t b_low = first->b, b_high = last->b + last->n;

	d->head = short_words(&a->text, 0, first->a) && short_words(&b->text, 0, first->b);
	d->tail = short_words(&a->text, last->a + last->n, a_end) && short_words(&b->text, last->b + last->n, b_end);
	for (size_t i = 0; i < c->n; i++) { /* in another order */
		b_low = MIN(b_low, (size_t)c->run[i].b);
		b_high = MAX(b_high, (size_t)c->run[i].b + c->run[i].n);
	}
	d->ends += MIN((size_t)first->a, b_low) + MIN(a_end - (last->a + last->n), b_end - MIN(b_end, b_high));
}

void overlap_differences(const struct prepared *a, const struct prepared *b, const struct overlap *c, const uint8_t *known,
	struct differences *ret)
{
	struct differences d = { 0 };
	struct elsewhere e = { .t = &b->text };
	uint64_t common = 0;

	*ret = d;
	if (!c->n)
		return;
	for (size_t i = 0; i + 1 < c->n; i++) {
		const struct run *r = &c->run[i], *s = r + 1;
		struct gap g = { r->a + r->n, r->b + r->n, (int64_t)s->a - (r->a + r->n), (int64_t)s->b - (r->b + r->n), common += r->n };

		close_seam(&g);
		look_at_gap(a, b, c, known, &g, &e, &d);
	}
	elsewhere_free(&e);
	look_at_ends(a, b, c, &d);
	*ret = d;
}

bool trace_is_variant(const struct prepared *a, const struct prepared *b, const struct overlap *c, const struct differences *d)
{
	unsigned ends = d->head + d->tail;
	bool most = 2 * c->chars >= a->text.n || 2 * c->chars >= b->text.n;

	/* A template keeps its order. */
	if (d->slots >= 2 && 4 * d->slots >= d->gaps + d->jumps)
		return true;
	if (d->slots == 1 && d->gaps + d->jumps <= 4 && ((ends && most) || c->chars < ONE_SLOT_MATCHED))
		return true;
	if (d->head && d->tail && most)
		return true;
	/* The same sentences with a name made longer or shorter, again and again. */
	if (d->shifts + d->slots >= 3 && 4 * (d->shifts + d->slots) >= 3 * d->gaps && c->chars < (uint64_t)FORM_PIECE * c->n)
		return true;
	/* What a form prints, with long answers in between; a report's fixed beginning and end. */
	return ANSWERS_PART * d->wide >= c->chars;
}

bool trace_is_version(const struct prepared *a, const struct prepared *b, const struct overlap *c, const struct differences *d)
{
	unsigned ends = d->head + d->tail, slots = d->slots + ends, gaps = d->gaps + ends;

	if (!c->n || 2 * c->chars < MIN(a->text.n, b->text.n))
		return false;
	/* Strangers with the same letterhead, disclaimer, or quotation. */
	if (ENDS_PART * d->ends > c->chars || d->ends > ENDS_MAX)
		return false;
	if (100 * (d->replaced + d->ends) > REPLACED_PERCENT * c->chars)
		return false;
	if (slots >= 2)
		return 3 * slots < 2 * gaps || c->chars >= (uint64_t)VERSION_CHARS_A_SLOT * slots;
	return !(slots == 1 && gaps <= 2 && c->chars < VERSION_CHARS_ONE_SLOT);
}
