/* Forms: what stands beside a common passage begins alike on both sides, line for line, and goes on otherwise. */
#include "document/trace_internal.h"

#define ENTRIES_MAX 64     /* lines, or cells, that are looked at on either side: those next to the passage */
#define ENTRY_WEIGHT 5     /* of what two begin with in common: a number and a short word; a CJK character is two */
#define ENTRIES_MIN 2
#define ENTRIES_PART 3     /* and 1/3 of the leak's */

struct entries {
	uint32_t at[ENTRIES_MAX];
	size_t n;
};

/* A line or a cell begins with this character. */
static bool begins(const struct normalised *t, const struct buf *bytes, size_t i)
{
	if (i == 0)
		return true;
	for (uint32_t at = t->at[i - 1]; at < t->at[i] && at < bytes->n; at++)
		if (bytes->p[at] == '\n' || bytes->p[at] == '\t')
			return true;
	return false;
}

/* Those in [from, to) that are nearest to its end, or to its beginning. */
static void find_entries(const struct beside *t, bool before, struct entries *ret)
{
	size_t n = 0;

	if (before)
		for (size_t i = t->to; i-- > t->from && n < ENTRIES_MAX;) {
			if (begins(t->text, t->bytes, i))
				ret->at[n++] = (uint32_t)i;
		}
	else
		for (size_t i = t->from; i < t->to && n < ENTRIES_MAX; i++)
			if (begins(t->text, t->bytes, i))
				ret->at[n++] = (uint32_t)i;
	ret->n = n;
}

/* What stands in both from the first character to the last is no place that is filled in. */
static bool begin_alike(const struct beside *a, size_t i, const struct beside *b, size_t j)
{
	size_t i_first = i, j_first = j;
	unsigned weight = 0;

	for (; i < a->to && j < b->to && a->text->c[i] == b->text->c[j]; i++, j++) {
		if ((i > i_first && begins(a->text, a->bytes, i)) || (j > j_first && begins(b->text, b->bytes, j)))
			break;
		weight += a->text->c[i] < 0x2e80 ? 1 : 2;
	}
	if (weight < ENTRY_WEIGHT)
		return false;
	return (i < a->to && !begins(a->text, a->bytes, i)) || (j < b->to && !begins(b->text, b->bytes, j));
}

bool entries_alike(const struct beside *a, const struct beside *b, bool before)
{
	unsigned most[2][ENTRIES_MAX + 1] = { 0 };
	struct entries x, y;

	find_entries(a, before, &x);
	find_entries(b, before, &y);
	/* The longest sequence of pairs, in order. */
	for (size_t i = 0; i < x.n; i++)
		for (size_t j = 0; j < y.n; j++)
			most[(i + 1) & 1][j + 1] = begin_alike(a, x.at[i], b, y.at[j]) ? most[i & 1][j] + 1 :
				MAX(most[i & 1][j + 1], most[(i + 1) & 1][j]);
	return x.n && most[x.n & 1][y.n] >= ENTRIES_MIN && ENTRIES_PART * most[x.n & 1][y.n] >= x.n;
}
