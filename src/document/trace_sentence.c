/* Sentences that were written anew: what authors do between two versions, and nobody who fills in a template. */
#include "document/trace_internal.h"

#define SENTENCE_BYTES 480   /* longer ones are none */
#define COMMON_CHARS 200     /* for each such sentence: more of them are the answers of a questionnaire */
#define COMMON_PART 20       /* at an end of the text, or near it: so many times what is other there */
#define WEIGHT_MIN 24        /* of its letters; less may be a name or an address. A CJK one is two */
#define WEIGHT_MAX 160       /* at an end: more are other paragraphs */
#define PIECE_WEIGHT 6       /* of what two sentences have in common: where such pieces are half of one, both are one with other names in it */
#define PLACES_MAX 1000      /* that are looked at */

/* The bytes of a sentence's end that begins at `at`; 0: none does. A point ends one only where a space follows. */
static size_t ends_at(const struct buf *b, size_t at)
{
	static const char *const ends[] = { "。", "．", "！", "!" };

	if (b->p[at] == '.')
		return at + 1 == b->n || (uint8_t)b->p[at + 1] <= ' ';
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t n = strlen(ends[i]);

		if (b->n - at >= n && memcmp(b->p + at, ends[i], n) == 0)
			return n;
	}
	return 0;
}

/* From where the last sentence before ended up to the end of this one. */
static bool find_sentence(const struct buf *b, size_t from, size_t to, size_t *ret_from, size_t *ret_to)
{
	size_t at = from, n = 0;

	while (at > 0 && !n && from - at < SENTENCE_BYTES)
		n = ends_at(b, --at);
	if (!n && at > 0)
		return false;
	*ret_from = at + n;
	for (at = to, n = 0; at < b->n && !n && at - to < SENTENCE_BYTES; at++)
		n = ends_at(b, at);
	*ret_to = at;
	return n > 0;
}

/* Other words stand in the same line, before it or behind it. */
static bool within_a_line(const struct buf *b, size_t from, size_t to)
{
	while (from > 0 && b->p[from - 1] == ' ')
		from--;
	while (to < b->n && ((b->p[to] & 0xc0) == 0x80 || b->p[to] == ' '))
		to++;
	while (from < to && (uint8_t)b->p[from] <= ' ' && b->p[from] != '\n')
		from++;
	return (from > 0 && b->p[from] != '\n' && b->p[from - 1] != '\n') || (to < b->n && b->p[to] != '\n' && b->p[to] != '\r');
}

/* Half of a sentence or more lies in [from, from + n). */
static bool is_sentence(const struct source *s, uint32_t from, uint32_t n)
{
	const struct normalised *t = &s->p.text;
	size_t begin = t->at[from], end = trace_end_byte(t, &s->bytes, from + n - 1), low, high;

	/* Its end is looked for from its last letter on: the sign that ends it is behind that. */
	return find_sentence(&s->bytes, begin, t->at[from + n - 1], &low, &high) && 2 * (end - begin) >= high - low &&
		within_a_line(&s->bytes, low, high);
}

static unsigned weight_of(uint32_t c)
{
	return c < 0x2e80 ? 1 : 2;
}

/* What both have otherwise: [a, a + an) and [b, b + bn) of their texts. */
struct differing {
	uint32_t a, b;
	int64_t an, bn;
};

/* How far a and b agree from here on, if that is a piece of words. */
static uint32_t piece_of(const uint32_t *a, int64_t an, const uint32_t *b, int64_t bn)
{
	unsigned weight = 0;
	uint32_t n = 0;

	for (; n < an && n < bn && a[n] == b[n]; n++)
		weight += weight_of(a[n]);
	return weight < PIECE_WEIGHT ? 0 : n;
}

/* Half of the shorter one stands in the other, in pieces. */
static bool resemble(const uint32_t *a, int64_t an, const uint32_t *b, int64_t bn)
{
	int64_t common = 0;

	for (int64_t i = 0; i < an;) {
		uint32_t most = 0;

		for (int64_t j = 0; j < bn; j++)
			most = MAX(most, piece_of(a + i, an - i, b + j, bn - j));
		common += most;
		i += MAX(most, 1u);
	}
	return 2 * common >= MIN(an, bn);
}

static bool is_rewritten(const struct source *a, const struct source *b, const struct differing *p, unsigned most)
{
	const uint32_t *x = a->p.text.c + p->a, *y = b->p.text.c + p->b;
	unsigned x_weight = 0, y_weight = 0;

	if (p->an <= 0 || p->bn <= 0 || p->an > most || p->bn > most)
		return false;
	for (int64_t i = 0; i < p->an; i++)
		x_weight += weight_of(x[i]);
	for (int64_t i = 0; i < p->bn; i++)
		y_weight += weight_of(y[i]);
	if (MIN(x_weight, y_weight) < WEIGHT_MIN || MAX(x_weight, y_weight) > WEIGHT_MAX)
		return false;
	return is_sentence(a, p->a, (uint32_t)p->an) && is_sentence(b, p->b, (uint32_t)p->bn) && !resemble(x, p->an, y, p->bn);
}

/* What stands at an end of both, and was counted as their ends. */
static bool at_an_end(const struct source *a, const struct source *b, const struct overlap *c, const struct differing *p, struct rewritten *r)
{
	uint64_t n = (uint64_t)MIN(p->an, p->bn);

	if (COMMON_PART * n > c->chars || !is_rewritten(a, b, p, WEIGHT_MAX))
		return false;
	r->ends += n;
	return true;
}

struct rewritten sentences_rewritten(const struct source *a, const struct source *b, const struct overlap *c)
{
	const struct run *first = c->run, *last = first + c->n - 1;
	struct rewritten r = { 0 };
	uint64_t common = 0;
	bool begins = true, ends = true; /* with these runs in b, too */

	if (!c->n)
		return r;
	for (const struct run *x = first; x < last && x < first + PLACES_MAX; x++) {
		struct differing p = { x->a + x->n, x->b + x->n, (int64_t)x[1].a - (x->a + x->n), (int64_t)x[1].b - (x->b + x->n) };

		r.n += is_rewritten(a, b, &p, TRACE_SHORT_GAP);
		common += x->n;
		if (overlap_ends_there(c, common, p.an, p.bn))
			at_an_end(a, b, c, &p, &r);
	}
	for (const struct run *x = first; x <= last; x++) {
		begins &= x->b >= first->b;
		ends &= x->b <= last->b;
	}
	r.head = begins && at_an_end(a, b, c, &(struct differing){ 0, 0, first->a, first->b }, &r);
	r.tail = ends && at_an_end(a, b, c, &(struct differing){ last->a + last->n, last->b + last->n,
		(int64_t)a->p.text.n - (last->a + last->n), (int64_t)b->p.text.n - (last->b + last->n) }, &r);
	r.n = c->chars >= (uint64_t)COMMON_CHARS * r.n ? r.n : 0;
	return r;
}
