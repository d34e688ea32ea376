/* Keyed identifiers: normal form, hash, and the set of a document. */
#include "document/identifier.h"

#include <errno.h>

#include "base/hash.h"

#define SET_FIRST 4096
#define SET_MAX (2 * (size_t)IDENTIFIERS_MAX)

uint64_t identifier_key(const uint8_t key[static IDENTIFIER_KEY], enum identifier_kind kind, str value)
{
	uint8_t b[1 + IDENTIFIER_VALUE_MAX];
	size_t n = MIN(value.n, (size_t)IDENTIFIER_VALUE_MAX);

	b[0] = (uint8_t)kind;
	if (n)
		memcpy(b + 1, value.p, n);
	return siphash24_128(key, b, 1 + n);
}

/* Folded bytes of ASCII; 0: white space; a continued or full-width character is looked at. */
static unsigned char ascii_fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

#define ONES 0x0101010101010101ULL
#define HIGH 0x8080808080808080ULL

/* Eight bytes of ASCII without white space are folded at once; false where something else is among them. */
static inline bool fold_eight(const uint8_t *p, char *out)
{
	uint64_t v, capitals;

	memcpy(&v, p, 8);
	/* No byte has its high bit; each plus 95 has it: it is above ' '. */
	if (v & HIGH || ((v + 95 * ONES) & HIGH) != HIGH)
		return false;
	capitals = (v + (0x80 - 'A') * ONES) & ~(v + (0x80 - 'Z' - 1) * ONES) & HIGH;
	v |= capitals >> 2;
	memcpy(out, &v, 8);
	return true;
}

bool identifier_normalise(str s, struct buf *b)
{
	size_t start = b->n, chars = 0;
	const uint8_t *p = (const uint8_t *)s.p, *end;
	bool space = false;
	char *out;

	s.n = MIN(s.n, (size_t)IDENTIFIER_VALUE_MAX);
	if (s.n < IDENTIFIER_CELL_MIN || buf_reserve(b, s.n) < 0) {
		b->err = b->err ? b->err : s.n < IDENTIFIER_CELL_MIN ? 0 : -ENOMEM;
		return false;
	}
	end = p + s.n;
	out = b->p + start;
	while (p < end) {
		unsigned char c = *p;

		if (!space && end - p >= 8 && fold_eight(p, out)) {
			p += 8;
			out += 8;
			chars += 8;
			continue;
		}
		/* A whole character of three bytes stays as it is; a torn one is taken byte by byte. */
		if (c > 0xe3 && c < 0xef && !space && end - p >= 3 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
			memcpy(out, p, 3);
			chars++;
			p += 3;
			out += 3;
			continue;
		}
		/* U+FF01…FF5E: EF BC 81…BF, EF BD 80…9E; U+3000: E3 80 80 */
		if (c == 0xef && end - p >= 3 && ((p[1] == 0xbc && p[2] >= 0x81) || (p[1] == 0xbd && p[2] <= 0x9e))) {
			c = (unsigned char)(p[1] == 0xbc ? p[2] - 0x60 : p[2] - 0x20);
			p += 3;
		} else if (c == 0xe3 && end - p >= 3 && p[1] == 0x80 && p[2] == 0x80) {
			c = ' ';
			p += 3;
		} else {
			p++;
		}
		if (c == ' ' || c == '\t' || c == '\n') {
			space = out > b->p + start;
			continue;
		}
		if (space) {
			*out++ = ' ';
			chars++;
		}
		space = false;
		*out++ = (char)ascii_fold(c);
		chars += (c & 0xc0) != 0x80;
	}
	if (chars < IDENTIFIER_CELL_MIN)
		return false;
	b->n = (size_t)(out - b->p);
	return true;
}

/* --- the set --- */

void identifier_set_clear(struct identifier_set *s)
{
	s->n = 0;
	s->max = UINT64_MAX;
	s->cut = false;
}

void identifier_set_free(struct identifier_set *s)
{
	free(s->i);
	free(s->scratch);
	*s = (struct identifier_set){ 0 };
}

static int grow(struct identifier_set *s)
{
	size_t cap = s->cap ? 2 * s->cap : SET_FIRST;
	struct identifier *i = reallocarray(s->i, cap, sizeof(*i)), *scratch;

	if (!i)
		return -ENOMEM;
	s->i = i;
	scratch = reallocarray(s->scratch, cap, sizeof(*scratch));
	if (!scratch)
		return -ENOMEM;
	s->scratch = scratch;
	s->cap = cap;
	return 0;
}

int identifier_set_room(struct identifier_set *s)
{
	if (s->cap < SET_MAX)
		return grow(s);
	identifier_set_finish(s);
	/* All different: the larger half goes. Otherwise there is room again. */
	if (s->n == IDENTIFIERS_MAX)
		s->max = s->i[s->n - 1].key;
	return 0;
}

static bool before(const struct identifier *a, const struct identifier *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	return a->person - 1 < b->person - 1; /* 0 last */
}

static void insertion(struct identifier *i, size_t n)
{
	for (size_t k = 1; k < n; k++) {
		struct identifier x = i[k];
		size_t j = k;

		for (; j > 0 && before(&x, &i[j - 1]); j--)
			i[j] = i[j - 1];
		i[j] = x;
	}
}

static int compare(const void *a, const void *b)
{
	return before(a, b) ? -1 : before(b, a);
}

/* Keys are evenly spread: one pass into buckets of about eight, each put in order by itself; what is alike (a value a thousand times) goes
 * to qsort. */
static void sort(struct identifier_set *s)
{
	unsigned bits = 4;
	uint32_t *at;
	size_t sum = 0;

	while (bits < 18 && ((size_t)8 << bits) < s->n)
		bits++;
	at = s->n > 32 ? calloc(((size_t)1 << bits) + 1, sizeof(*at)) : NULL;
	if (!at) {
		if (s->n)
			qsort(s->i, s->n, sizeof(*s->i), compare);
		return;
	}
	for (size_t k = 0; k < s->n; k++)
		at[s->i[k].key >> (64 - bits)]++;
	for (size_t b = 0; b <= (size_t)1 << bits; b++) {
		uint32_t n = at[b];

		at[b] = (uint32_t)sum;
		sum += n;
	}
	for (size_t k = 0; k < s->n; k++)
		s->scratch[at[s->i[k].key >> (64 - bits)]++] = s->i[k];
	for (size_t b = 0, from = 0; b < (size_t)1 << bits; from = at[b++]) {
		if (at[b] - from > 64)
			qsort(s->scratch + from, at[b] - from, sizeof(*s->i), compare);
		else
			insertion(s->scratch + from, at[b] - from);
	}
	free(at);
	memcpy(s->i, s->scratch, s->n * sizeof(*s->i));
}

void identifier_set_finish(struct identifier_set *s)
{
	size_t to = 0;

	sort(s);
	for (size_t k = 0; k < s->n; k++)
		if (to == 0 || s->i[to - 1].key != s->i[k].key)
			s->i[to++] = s->i[k];
	s->n = to;
	if (s->n > IDENTIFIERS_MAX) {
		s->n = IDENTIFIERS_MAX;
		s->cut = true;
	}
}
