/* The finder's engine: a text in windows, each folded where it has to be, its literals and numbers in order, the hits put back into the
 * text's offsets. */
#include <errno.h>

#include "base/array.h"
#include "document/finding_internal.h"

struct finder *finder_free(struct finder *f)
{
	if (!f)
		return NULL;
	hs_free_scratch(f->scratch);
	hs_free_database(f->db);
	free(f->lit);
	free(f->n);
	buf_free(&f->texts);
	free(f);
	return NULL;
}

int finder_new(const struct finder_literal *extra, size_t n_extra, struct finder **ret)
{
	struct finder *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	r = literals_compile(f, extra, n_extra);
	if (!r && hs_alloc_scratch(f->db, &f->scratch) != HS_SUCCESS)
		r = -ENOMEM;
	if (r < 0) {
		finder_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

struct finding_scan *finding_scan_free(struct finding_scan *s)
{
	if (!s)
		return NULL;
	hs_free_scratch(s->scratch);
	free(s->side);
	free(s->folds);
	free(s->marks);
	free(s->starts);
	free(s->columns);
	free(s->hits);
	buf_free(&s->values);
	free(s);
	return NULL;
}

int finding_scan_new(const struct finder *f, struct finding_scan **ret)
{
	struct finding_scan *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->f = f;
	s->side = malloc(FINDING_WINDOW + FINDING_PAD);
	s->starts = malloc((FINDING_WINDOW + FINDING_PAD) * sizeof(*s->starts));
	s->cap_folds = FINDING_WINDOW / 2 + 1; /* the shortest character that is folded has two bytes */
	s->folds = malloc(s->cap_folds * sizeof(*s->folds));
	s->columns = calloc(COLUMNS_MAX, sizeof(*s->columns));
	if (!s->side || !s->starts || !s->folds || !s->columns || hs_clone_scratch(f->scratch, &s->scratch) != HS_SUCCESS) {
		finding_scan_free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

int finding_mark(struct finding_scan *s, uint32_t from, uint32_t end, uint16_t lit)
{
	int r = array_room_max(s->marks, s->cap_marks, s->n_marks + 1, MARKS_MAX);

	if (r == -E2BIG) {
		s->cut = true;
		return -EMSGSIZE;
	}
	if (r < 0)
		return s->err = r;
	s->marks[s->n_marks++] = (struct mark){ from, end, lit };
	return 0;
}

uint32_t finding_text_offset(const struct finding_scan *s, uint32_t i)
{
	size_t lo = 0, hi = s->n_folds;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->folds[mid].at <= i)
			lo = mid + 1;
		else
			hi = mid;
	}
	return s->base + (lo ? s->folds[lo - 1].text + (i - s->folds[lo - 1].at) : i);
}

/* The other way; text offsets before and behind the window become its ends. */
static uint32_t window_offset(const struct finding_scan *s, size_t text)
{
	size_t lo = 0, hi = s->n_folds;
	uint32_t x;

	if (text <= s->base)
		return 0;
	text -= s->base;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->folds[mid].text <= text)
			lo = mid + 1;
		else
			hi = mid;
	}
	x = (uint32_t)MIN(text, UINT32_MAX / 2);
	if (lo)
		x = s->folds[lo - 1].at + (x - s->folds[lo - 1].text);
	return MIN(x, s->n);
}

/* Sets span, lo and hi for an offset of the window; false between spans. */
static bool enter(struct finding_scan *s, uint32_t i)
{
	uint32_t text;

	if (i >= s->lo && i < s->hi)
		return true;
	text = finding_text_offset(s, i);
	while (s->at_span > 0 && s->spans[s->at_span].at > text)
		s->at_span--;
	while (s->at_span + 1 < s->n_spans && (size_t)s->spans[s->at_span].at + s->spans[s->at_span].n <= text)
		s->at_span++;
	s->span = &s->spans[s->at_span];
	if (text < s->span->at || text - s->span->at >= s->span->n) {
		s->lo = s->hi = 0;
		return false;
	}
	s->lo = window_offset(s, s->span->at);
	s->hi = window_offset(s, (size_t)s->span->at + s->span->n);
	return i >= s->lo && i < s->hi;
}

static void push(struct finding_scan *s, struct hit x, uint32_t from, uint32_t to)
{
	if (s->n_hits == HITS_MAX) {
		s->cut = true;
		return;
	}
	if (array_room(s->hits, s->cap_hits, s->n_hits + 1) < 0) {
		s->err = -ENOMEM;
		return;
	}
	x.at = finding_text_offset(s, from);
	x.n = finding_text_offset(s, to) - x.at;
	x.span = (uint32_t)s->at_span;
	s->hits[s->n_hits++] = x;
}

void finding_emit(struct finding_scan *s, enum detector d, uint32_t from, uint32_t to, const char *value, size_t value_n)
{
	struct hit x = { .detector = (uint8_t)d, .value = (uint32_t)s->values.n, .value_n = (uint32_t)value_n };

	s->count[d]++;
	s->done = MAX(s->done, to);
	if (s->n_hits < HITS_MAX)
		buf_put(&s->values, value, value_n);
	push(s, x, from, to);
}

void finding_emit_literal(struct finding_scan *s, uint16_t id, uint32_t from, uint32_t to)
{
	push(s, (struct hit){ .literal = id, .value = (uint32_t)s->values.n }, from, to);
}

static void on_mark(struct finding_scan *s, const struct mark *m)
{
	const struct literal *l = &s->f->lit[m->lit];

	/* What a detector has taken holds no labels and anchors of others; a marking stands by itself. */
	if ((m->at < s->done && l->kind != LIT_EXTRA) || !enter(s, m->at) || m->end > s->hi)
		return;
	switch ((enum literal_kind)l->kind) {
	case LIT_LABEL:
		finding_label(s, m);
		break;
	case LIT_SECRET:
		detect_secret(s, m, l->arg);
		break;
	case LIT_PREFECTURE:
		detect_address(s, m, l->arg);
		break;
	case LIT_EXTRA:
		finding_emit_literal(s, l->arg, m->at, m->end);
		break;
	case LIT_BEHIND: /* only says that there are such numbers */
		break;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->detector != y->detector ? (x->detector < y->detector ? -1 : 1) : x->literal < y->literal ? -1 : x->literal > y->literal;
}

/* Literals come by where they end, numbers by where they begin: hits of a window are put in order at its end. */
static void order(struct finding_scan *s, size_t first)
{
	for (size_t i = first + 1; i < s->n_hits; i++)
		if (s->hits[i].at < s->hits[i - 1].at) {
			qsort(s->hits + first, s->n_hits - first, sizeof(*s->hits), by_place);
			return;
		}
}

static int window(struct finding_scan *s)
{
	size_t first = s->n_hits;
	int r;

	s->lo = s->hi = s->done = s->ip6_seen = 0;
	s->seen = s->n_marks = 0;
	s->context_at = UINT32_MAX;
	r = literals_scan(s);
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n_marks; i++)
		s->labels |= s->f->lit[s->marks[i].lit].mask;
	detect_number_prepare(s);
	s->n_starts = scan_starts(s->p, s->n, s->starts);
	for (size_t i = 0; i < s->n_starts; i++) {
		uint32_t x = s->starts[i];

		for (; s->seen < s->n_marks && s->marks[s->seen].end <= x; s->seen++)
			on_mark(s, &s->marks[s->seen]);
		if (x < s->done || !enter(s, x))
			continue;
		if (s->p[x] == '@')
			detect_email(s, x);
		else
			detect_number(s, x);
	}
	for (; s->seen < s->n_marks; s->seen++)
		on_mark(s, &s->marks[s->seen]);
	order(s, first);
	return s->err ? s->err : buf_error(&s->values);
}

/* Where a window may end: behind a line, else behind a space, else at a character. */
static size_t window_end(const char *p, size_t n)
{
	size_t least = n - n / 8, space = 0;

	for (size_t i = n; i > least; i--) {
		if (p[i - 1] == '\n')
			return i;
		if (!space && p[i - 1] == ' ')
			space = i;
	}
	if (space)
		return space;
	for (size_t i = n; i > least; i--) /* not between two ASCII characters */
		if (((uint8_t)p[i] & 0xc0) != 0x80 && ((p[i] & 0x80) || (p[i - 1] & 0x80)))
			return i;
	while (n > 1 && ((uint8_t)p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

int finding_run(struct finding_scan *s, const struct text *t, struct hits *ret)
{
	size_t n = t->bytes.n;

	if (n > UINT32_MAX / 2)
		return -EMSGSIZE;
	s->t = t;
	s->err = 0;
	s->cut = false;
	s->n_hits = s->at_span = 0;
	s->left_table = s->labels = 0;
	buf_clear(&s->values);
	memset(s->count, 0, sizeof(s->count));
	memset(s->columns, 0, COLUMNS_MAX * sizeof(*s->columns));
	s->whole = (struct span){ .n = (uint32_t)n, .zone = ZONE_BODY };
	s->spans = t->n_spans ? t->spans : &s->whole;
	s->n_spans = t->n_spans ? t->n_spans : 1;
	for (size_t from = 0; from < n;) {
		const char *p = t->bytes.p + from;
		size_t take = n - from <= FINDING_WINDOW ? n - from : window_end(p, FINDING_WINDOW);
		int r;

		s->base = (uint32_t)from;
		s->n_folds = 0;
		s->n = (uint32_t)take;
		s->p = p;
		if (scan_folds(p, take, s->starts)) {
			s->n = (uint32_t)fold_bytes(p, take, s->side, s);
			s->p = s->side;
		}
		r = window(s);
		if (r < 0)
			return r;
		from += take;
	}
	*ret = (struct hits){ .hit = s->hits, .n = s->n_hits, .values = s->values.p, .cut = s->cut };
	memcpy(ret->count, s->count, sizeof(s->count));
	return 0;
}
