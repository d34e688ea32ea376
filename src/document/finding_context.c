/* What the words around a number say that it is: the nearest label on its line, in the cell beside it, or over its column. */
#include "document/finding_internal.h"

#define REACH 60      /* bytes of words between a label and its number */
#define HEADER_MAX 96 /* bytes of a cell that is a label */

bool finding_ends(const struct finding_scan *s, uint32_t end)
{
	char c = at(s, end), next = at(s, end + 1);

	if (is_alnum(c) || c == '_' || c == '@')
		return false;
	if (c == '-' || c == '+' || c == '\\')
		return !is_alnum(next);
	return !((c == '.' || c == ',') && is_digit(next));
}

/* Of the labels that end where marks[j] ends the longest. */
static const struct mark *longest(const struct finding_scan *s, size_t j)
{
	const struct mark *best = &s->marks[j];
	size_t k = j;

	while (k > 0 && s->marks[k - 1].end == best->end)
		k--;
	for (; k < s->n_marks && s->marks[k].end == s->marks[j].end; k++)
		if (s->f->lit[s->marks[k].lit].kind == LIT_LABEL && s->marks[k].at < best->at)
			best = &s->marks[k];
	return best;
}

/* Small words between a label and its number: "order no. is", 番号は. */
static uint32_t small_word(const struct finding_scan *s, uint32_t i, uint32_t to)
{
	static const char *const words[] = { "number", "numbers", "code", "no", "nr", "num", "id", "is", "was", "の", "は", "が", "、", "：", "「", "で",
		"番号", "№" };

	for (size_t w = 0; w < ARRAY_SIZE(words); w++) {
		size_t n = strlen(words[w]);

		if (n <= to - i && !strncasecmp(s->p + i, words[w], n) && ((words[w][0] & 0x80) || i + n == to || !is_alnum(s->p[i + n])))
			return (uint32_t)n;
	}
	return 0;
}

static bool is_token(char c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '/' || c == ':' || c == '_';
}

/* The number at `to` is written as the one before it is, so that both are of one list: digit for digit, mark for mark. */
static bool same_shape(const struct finding_scan *s, uint32_t from, uint32_t to)
{
	uint32_t end = to, i, k = to;

	while (end > from && !is_alnum(s->p[end - 1]))
		end--;
	for (i = end; i > from && is_token(s->p[i - 1]); i--)
		;
	for (; i < end && is_token(at(s, k)); i++, k++)
		if (is_digit(s->p[i]) != is_digit(s->p[k]) || (!is_alnum(s->p[i]) && s->p[i] != s->p[k]))
			return false;
	return i == end && !is_alnum(at(s, k));
}

/* A label reaches over a list of numbers and small words; one that names a person's number also over a few other words without a number of
 * their own. */
static bool reaches(const struct finding_scan *s, uint32_t from, uint32_t to, uint32_t mask)
{
	bool strict = mask & (LABEL_OTHER | BIT(DET_POSTAL_CODE_JP));
	unsigned run = 0, digits = 0, words = 0;

	for (uint32_t i = from; i < to; i++) {
		char c = s->p[i];
		uint32_t skip;

		run = is_digit(c) ? run + 1 : 0;
		digits = MAX(digits, run);
		if (digits && (c == ';' || c == '|')) /* the next statement */
			return false;
		if (!is_alpha(c) && !(c & 0x80))
			continue;
		skip = small_word(s, i, to);
		words += !skip;
		if (words && (strict || to - from > REACH))
			return false;
		while (!skip && i + 1 < to && (is_alpha(s->p[i + 1]) || (s->p[i + 1] & 0x80)))
			i++;
		i += skip ? skip - 1 : 0;
	}
	if (digits && (mask & BIT(DET_BIRTH_DATE))) /* one to a label */
		return false;
	return words ? digits <= 2 : !digits || same_shape(s, from, to);
}

/* The mask of the nearest label that ends in (limit, from]; 0 none or one that does not reach so far. */
static uint32_t label_before(const struct finding_scan *s, uint32_t limit, uint32_t from, uint32_t *ret_end)
{
	for (size_t j = s->seen; j-- > 0;) {
		const struct mark *m = &s->marks[j];

		if (m->end > from)
			continue;
		if (m->end <= limit)
			break;
		if (s->f->lit[m->lit].kind != LIT_LABEL || m->at < limit)
			continue;
		m = longest(s, j);
		if (!reaches(s, m->end, from, s->f->lit[m->lit].mask))
			continue;
		*ret_end = m->end;
		return s->f->lit[m->lit].mask;
	}
	*ret_end = 0;
	return 0;
}

/* A label in brackets behind the number. */
static uint32_t label_behind(const struct finding_scan *s, uint32_t to)
{
	uint32_t i = to;

	while (at(s, i) == ' ')
		i++;
	if (at(s, i) != '(' && at(s, i) != '[')
		return 0;
	for (size_t j = s->seen; j < s->n_marks && s->marks[j].end <= to + 48; j++) {
		const struct mark *m = &s->marks[j];
		const struct literal *l = &s->f->lit[m->lit];

		if (m->at > i && m->end <= s->hi && l->kind == LIT_LABEL && !memchr(s->p + to, '\n', m->at - to))
			return s->f->lit[longest(s, j)->lit].mask;
	}
	return 0;
}

static uint32_t cell_label(const struct finding_scan *s)
{
	const struct span *c = s->span;

	if (c->zone != ZONE_CELL || !c->table)
		return 0;
	if (s->left_table == c->table && s->left_row == c->row && s->left_col + 1 == c->col)
		return s->left_mask;
	return c->col < COLUMNS_MAX && s->columns[c->col].table == c->table ? s->columns[c->col].mask : 0;
}

/* Nothing but white space and marks stands before the number on its line: its label may stand on the line above. */
static bool begins_line(const struct finding_scan *s, uint32_t line, uint32_t from)
{
	for (uint32_t i = line; i < from; i++)
		if (is_alnum(s->p[i]) || (s->p[i] & 0x80))
			return false;
	return true;
}

static uint32_t line_above(const struct finding_scan *s, uint32_t line, uint32_t from)
{
	uint32_t begin, end = 0, mask;

	if (!line || s->p[line - 1] != '\n' || s->span->zone == ZONE_CELL)
		return 0;
	for (begin = line - 1; begin > 0 && line - begin < 80 && s->p[begin - 1] != '\n'; begin--)
		;
	mask = label_before(s, begin, from, &end);
	for (uint32_t i = end; mask && i < line; i++)
		if (is_alnum(s->p[i]))
			return 0;
	return mask;
}

uint32_t finding_context(struct finding_scan *s, uint32_t from, uint32_t to)
{
	uint32_t limit = from > CONTEXT_BACK ? from - CONTEXT_BACK : 0, line, end = 0, mask;
	const char *nl;

	if (s->context_at == from)
		return s->context;
	limit = MAX(limit, s->lo);
	nl = memrchr(s->p + limit, '\n', from - limit);
	line = nl ? (uint32_t)(nl + 1 - s->p) : limit;
	mask = label_before(s, line, from, &end);
	if (!mask)
		mask = label_behind(s, to);
	if (!mask && !end)
		mask = cell_label(s);
	if (!mask && !end && begins_line(s, line, from))
		mask = line_above(s, line, from);
	s->context_at = from;
	s->context = mask;
	return mask;
}

void finding_label(struct finding_scan *s, const struct mark *m)
{
	const struct span *c = s->span;
	const struct mark *best = longest(s, (size_t)(m - s->marks));
	uint32_t mask = s->f->lit[best->lit].mask;

	if (c->zone != ZONE_CELL || !c->table || c->n > HEADER_MAX)
		return;
	for (uint32_t i = s->lo, run = 0; i < s->hi; i++) {
		run = is_digit(s->p[i]) ? run + 1 : 0;
		if (run > 2)
			return;
	}
	s->left_table = c->table;
	s->left_row = c->row;
	s->left_col = c->col;
	s->left_mask = mask;
	if (c->col < COLUMNS_MAX && (c->row == 1 || (best->end - best->at) * 2 >= s->hi - s->lo))
		s->columns[c->col] = (struct column){ c->table, mask };
}
