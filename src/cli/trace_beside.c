#include "cli/trace_beside.h"

#include "cli/cli.h"
#include "cli/show.h"
#include "cli/term.h"

#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"
#define GAP 3
#define NARROW 70        /* below that one stands under the other */
#define WIDE 110         /* a side is never wider: long lines are hard to read */
#define WITHOUT 80       /* columns where there is no terminal */
#define LINES_MAX 64
#define PASSAGE_LINES 6  /* of a passage, about */

struct line {
	size_t at, n;
	unsigned width;
};

struct side {
	struct buf text;
	size_t from, to; /* the passage in it */
	struct line lines[LINES_MAX];
	size_t n;
};

/* Bytes of the character that begins here. */
static size_t char_len(str s, size_t at)
{
	size_t n = 1;

	while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
		n++;
	return n;
}

static unsigned char_width(str s, size_t at)
{
	return (unsigned char)s.p[at] < 0x80 ? 1 : term_width((str){ s.p + at, char_len(s, at) });
}

/* White space of any kind and number becomes one space; what a terminal would obey is made visible. */
static void put_flat(struct buf *b, str s)
{
	_cleanup_buf_ struct buf flat = BUF_INIT;
	bool space = b->n > 0 && b->p[b->n - 1] == ' ';

	for (size_t i = 0; i < s.n; i++) {
		bool white = s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\t' || s.p[i] == '\r';

		if (!white)
			buf_putc(&flat, s.p[i]);
		else if (!space)
			buf_putc(&flat, ' ');
		space = white;
	}
	buf_put_visible(b, buf_str(&flat));
}

/* As much of the beginning as fits. */
static str head_of(str s, unsigned columns)
{
	unsigned width = 0;
	size_t i = 0;

	while (i < s.n && (width += char_width(s, i)) <= columns)
		i += char_len(s, i);
	return (str){ s.p, i };
}

static str tail_of(str s, unsigned columns)
{
	unsigned width = 0;
	size_t i = s.n;

	while (i > 0) {
		size_t at = i - 1;

		while (at > 0 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
			at--;
		width += char_width(s, at);
		if (width > columns)
			break;
		i = at;
	}
	return (str){ s.p + i, s.n - i };
}

static uint64_t characters(str s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* The middle of a long one is counted instead. */
static void put_passage(struct buf *b, str s, unsigned columns)
{
	_cleanup_buf_ struct buf flat = BUF_INIT;
	str head, tail, all;

	put_flat(&flat, s);
	all = buf_str(&flat);
	if (term_width(all) <= columns + 60) {
		buf_puts(b, all);
		return;
	}
	head = head_of(all, columns * 2 / 3);
	tail = tail_of(all, columns / 3);
	while (head.n && head.p[head.n - 1] == ' ')
		head.n--;
	while (tail.n && tail.p[0] == ' ')
		tail = (str){ tail.p + 1, tail.n - 1 };
	buf_puts(b, head);
	buf_puts(b, STR(" [… "));
	put_number(b, characters(all) - characters(head) - characters(tail));
	buf_puts(b, STR(" more …] "));
	buf_puts(b, tail);
}

static void fill(struct side *s, const struct passage_text *t, unsigned width, bool color)
{
	_cleanup_buf_ struct buf flat = BUF_INIT;
	str around;

	put_flat(&flat, t->before);
	around = tail_of(buf_str(&flat), width + width / 2);
	if (around.n < flat.n)
		buf_puts(&s->text, STR("…"));
	buf_puts(&s->text, around);
	s->from = s->text.n;
	buf_puts(&s->text, color ? STR("") : STR("[["));
	put_passage(&s->text, t->passage, PASSAGE_LINES * width);
	buf_puts(&s->text, color ? STR("") : STR("]]"));
	s->to = s->text.n;
	buf_clear(&flat);
	put_flat(&flat, t->after);
	around = head_of(buf_str(&flat), width + width / 2);
	buf_puts(&s->text, around);
	if (around.n < flat.n)
		buf_puts(&s->text, STR("…"));
}

/* May a line end before this character? */
static bool may_break(str s, size_t at)
{
	return at > 0 && (s.p[at - 1] == ' ' || char_width(s, at) == 2);
}

static void wrap(struct side *s, unsigned columns)
{
	str t = buf_str(&s->text);

	for (size_t at = 0; at < t.n && s->n < LINES_MAX;) {
		unsigned width = 0, width_at_break = 0;
		size_t i = at, end = 0;

		while (i < t.n) {
			unsigned w = char_width(t, i);

			if (i > at && may_break(t, i)) {
				end = i;
				width_at_break = width;
			}
			if (width + w > columns) {
				if (t.p[i] == ' ') {
					end = i + 1;
					width_at_break = width + 1;
				}
				break;
			}
			width += w;
			i += char_len(t, i);
		}
		if (i >= t.n || end == 0) { /* the rest, or a word that is too long */
			end = i > at ? i : at + char_len(t, at);
			width_at_break = width;
		}
		s->lines[s->n] = (struct line){ at, end - at, width_at_break };
		if (s->lines[s->n].n > 1 && t.p[end - 1] == ' ') {
			s->lines[s->n].n--;
			s->lines[s->n].width--;
		}
		s->n++;
		at = end;
	}
}

static void put_styled(const struct side *s, const struct line *l, bool color)
{
	size_t from = MAX(l->at, MIN(s->from, l->at + l->n)), to = MIN(l->at + l->n, MAX(s->to, l->at));
	const struct { size_t from, to; const char *style; } pieces[] = { { l->at, from, DIM }, { from, to, BOLD }, { to, l->at + l->n, DIM } };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		if (pieces[i].from >= pieces[i].to)
			continue;
		if (color)
			buf_puts(out(), str_c(pieces[i].style));
		buf_put(out(), s->text.p + pieces[i].from, pieces[i].to - pieces[i].from);
		if (color)
			buf_puts(out(), STR(PLAIN));
	}
}

static void put_head(str head, unsigned width, bool pad)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	str s;
	unsigned w;

	put_flat(&b, head);
	s = buf_str(&b);
	w = term_width(s);
	/* The end of a path says more than its beginning. */
	if (w > width) {
		s = tail_of(s, width - 1);
		buf_puts(out(), STR("…"));
		w = term_width(s) + 1;
	}
	buf_puts(out(), s);
	if (pad)
		term_spaces(width > w ? width - w : 0);
}

static void show_pair(const struct side *a, const struct side *b, unsigned indent, unsigned width, bool color)
{
	for (size_t i = 0; i < MAX(a->n, b->n); i++) {
		term_spaces(indent);
		if (i < a->n)
			put_styled(a, &a->lines[i], color);
		if (i < b->n) {
			term_spaces(width + GAP - (i < a->n ? MIN(a->lines[i].width, width) : 0));
			put_styled(b, &b->lines[i], color);
		}
		buf_putc(out(), '\n');
	}
}

static void show_one(const struct passage_text *t, unsigned indent, unsigned width, bool color)
{
	struct side s = { 0 };

	fill(&s, t, width, color);
	wrap(&s, width);
	term_spaces(indent);
	put_head(t->head, width, false);
	buf_putc(out(), '\n');
	for (size_t i = 0; i < s.n; i++) {
		term_spaces(indent + 2);
		put_styled(&s, &s.lines[i], color);
		buf_putc(out(), '\n');
	}
	buf_free(&s.text);
}

void beside_show(const struct passage_text *left, const struct passage_text *right, unsigned indent, unsigned columns, bool color)
{
	struct side a = { 0 }, b = { 0 };
	unsigned width;

	if (!columns)
		columns = WITHOUT;
	if (columns < NARROW) {
		width = MAX(columns, indent + 22) - indent - 2;
		show_one(left, indent, width, color);
		show_one(right, indent, width, color);
		return;
	}
	width = MIN((columns - indent - GAP) / 2, (unsigned)WIDE);
	fill(&a, left, width, color);
	fill(&b, right, width, color);
	wrap(&a, width);
	wrap(&b, width);
	term_spaces(indent);
	put_head(left->head, width, true);
	term_spaces(GAP);
	put_head(right->head, width, false);
	buf_putc(out(), '\n');
	show_pair(&a, &b, indent, width, color);
	buf_free(&a.text);
	buf_free(&b.text);
}
