/* Sentences that were written anew: what authors do between two versions, and nobody who fills in a template. */
#include "document/trace_internal.h"

#define SENTENCE_BYTES 480   /* longer ones are none */
#define COMMON_CHARS 200     /* for each such sentence: more of them are the answers of a questionnaire */

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

	return find_sentence(&s->bytes, begin, end, &low, &high) && 2 * (end - begin) >= high - low && within_a_line(&s->bytes, low, high);
}

unsigned sentences_rewritten(const struct source *a, const struct source *b, const struct overlap *c)
{
	unsigned n = 0;

	for (size_t i = 0; i + 1 < c->n; i++) {
		const struct run *r = &c->run[i], *s = r + 1;
		int64_t an = (int64_t)s->a - (r->a + r->n), bn = (int64_t)s->b - (r->b + r->n);

		if (an <= 0 || bn <= 0 || an > TRACE_SHORT_GAP || bn > TRACE_SHORT_GAP)
			continue;
		n += is_sentence(a, r->a + r->n, (uint32_t)an) && is_sentence(b, r->b + r->n, (uint32_t)bn);
	}
	return c->chars >= (uint64_t)COMMON_CHARS * n ? n : 0;
}
