/* Words with their places (pdftotext -bbox-layout): rows of a table become rows again, text across the page a watermark, and what stands at
 * the edges header and footer. */
#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "extract/formats/pdf.h"

#define WORDS_MAX (1u << 18)  /* of a page; the rest is passed over */
#define COLUMNS_MAX 64
#define EDGE 0.09             /* of the page's height */
#define EDGE_ALONE 0.13       /* where a gap follows */
#define GAP 0.8               /* of the letters' height: between cells */
#define PIECE_MAX 3           /* letters of a scrap of text that runs across */
#define PIECES_LEAST 3
#define PIECE_SIZE 18.0       /* points: of the letters; running text is smaller */
#define PIECE_GAP 2.0         /* points up or down between two pieces: a space */
#define LARGE 36.0            /* points */

struct word {
	double x0, y0, x1, y1;
	uint32_t block, line; /* pdftotext's */
	uint32_t row, cell;   /* ours, from 1; cell 0: in no table */
	uint32_t table;
	bool done;
	str text;
};

struct page {
	double w, h;
	struct word *words;
	size_t n, cap;
	uint32_t blocks, lines;
	uint32_t tables;
	struct word **by_row; /* in order of row, then x */
	bool first;
	struct sink *s;
};

/* ---- reading ---- */

static double attribute(str line, const char *name)
{
	const char *p = memmem(line.p, line.n, name, strlen(name));
	char digits[32];
	size_t n = 0;

	if (!p)
		return 0;
	p += strlen(name);
	while (n + 1 < sizeof(digits) && p + n < line.p + line.n && p[n] != '"') {
		digits[n] = p[n];
		n++;
	}
	digits[n] = '\0';
	return strtod(digits, NULL);
}

/* In place. */
static str unescape(char *p, size_t n)
{
	static const struct {
		str from;
		char to;
	} rows[] = { { { "&amp;", 5 }, '&' }, { { "&lt;", 4 }, '<' }, { { "&gt;", 4 }, '>' }, { { "&quot;", 6 }, '"' },
			{ { "&apos;", 6 }, '\'' } };
	size_t out = 0;

	for (size_t i = 0; i < n;) {
		size_t k = 0;

		while (p[i] == '&' && k < ARRAY_SIZE(rows) && !str_starts((str){ p + i, n - i }, rows[k].from))
			k++;
		if (p[i] == '&' && k < ARRAY_SIZE(rows)) {
			p[out++] = rows[k].to;
			i += rows[k].from.n;
		} else {
			p[out++] = p[i++];
		}
	}
	return (str){ p, out };
}

static int take_word(struct page *p, char *line, size_t n)
{
	str l = { line, n };
	char *from = memchr(line, '>', n), *end;
	struct word *w;

	end = from ? memmem(from, n - (size_t)(from - line), "</word>", 7) : NULL;
	if (!end || p->n >= WORDS_MAX)
		return 0;
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 1024;

		w = reallocarray(p->words, cap, sizeof(*w));
		if (!w)
			return -ENOMEM;
		p->words = w;
		p->cap = cap;
	}
	w = &p->words[p->n];
	*w = (struct word){ .x0 = attribute(l, "xMin=\""), .y0 = attribute(l, "yMin=\""),
			.x1 = attribute(l, "xMax=\""), .y1 = attribute(l, "yMax=\""),
		.block = p->blocks, .line = p->lines };
	w->text = unescape(from + 1, (size_t)(end - from - 1));
	p->n += w->text.n > 0;
	return 0;
}

/* ---- watermark ---- */

static size_t letters_of(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static int by_x(const void *a, const void *b)
{
	const struct word *v = *(struct word *const *)a, *w = *(struct word *const *)b;

	return (v->x0 > w->x0) - (v->x0 < w->x0);
}

static int by_middle(const void *a, const void *b)
{
	const struct word *v = *(struct word *const *)a, *w = *(struct word *const *)b;
	double d = (v->x0 + v->x1) - (w->x0 + w->x1);

	return (d > 0) - (d < 0);
}

/* A letter or some, larger than running text. A box of turned letters is as wide as they are large and as high as they are long, or the
 * other way round. */
static bool is_piece(const struct word *w)
{
	double width = w->x1 - w->x0, height = w->y1 - w->y0;

	return (letters_of(w->text) == 1 ? MAX(width, height) : height) > PIECE_SIZE && !isdigit((unsigned char)w->text.p[0]);
}

/* A word, or two, of a letter or some, with nothing else on the line. */
static bool in_short_line(const struct page *p, size_t i)
{
	size_t from = i, to = i + 1;

	while (from && i - from < 2 && p->words[from - 1].line == p->words[i].line)
		from--;
	while (to < p->n && to - from < 3 && p->words[to].line == p->words[i].line)
		to++;
	for (size_t k = from; k < to; k++)
		if (letters_of(p->words[k].text) > PIECE_MAX)
			return false;
	return to - from <= 2;
}

/* How far w is from the line through the middles of a and b; INFINITY where it is beyond them. */
static double off_line(const struct word *w, const struct word *a, const struct word *b, double beyond)
{
	double ax = (a->x0 + a->x1) / 2, ay = (a->y0 + a->y1) / 2, dx = (b->x0 + b->x1) / 2 - ax, dy = (b->y0 + b->y1) / 2 - ay;
	double x = (w->x0 + w->x1) / 2 - ax, y = (w->y0 + w->y1) / 2 - ay, n = hypot(dx, dy), along = (x * dx + y * dy) / n;

	return along < -beyond || along > n + beyond ? INFINITY : fabs(x * dy - y * dx) / n;
}

/* 極秘: two large letters that are not Latin ones. */
static bool is_pair(struct word **w, size_t n)
{
	if (n != 2)
		return false;
	for (size_t i = 0; i < n; i++)
		if (letters_of(w[i]->text) != 1 || w[i]->text.n < 3 || MAX(w[i]->x1 - w[i]->x0, w[i]->y1 - w[i]->y0) < LARGE)
			return false;
	return true;
}

/* Scraps that climb or fall evenly from left to right; then thin letters on their line join them. pieces: room for all scraps. */
static void put_slanted(struct page *p, struct word **pieces, size_t n, struct word **scraps, size_t n_scraps)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t up = 0, down = 0;
	double size = 0;
	struct word *first, *last;

	qsort(pieces, n, sizeof(struct word *), by_x);
	for (size_t i = 0; i + 1 < n; i++) {
		up += pieces[i + 1]->y0 < pieces[i]->y0;
		down += pieces[i + 1]->y0 > pieces[i]->y0;
	}
	if ((n < PIECES_LEAST && !is_pair(pieces, n)) || MAX(up, down) + 1 < n)
		return;
	for (size_t i = 0; i < n; i++) {
		size = MAX(size, pieces[i]->y1 - pieces[i]->y0);
		pieces[i]->done = true;
	}
	first = pieces[0];
	last = pieces[n - 1];
	for (size_t i = 0; i < n_scraps; i++)
		if (!scraps[i]->done && off_line(scraps[i], first, last, 2 * size) < size / 2) {
			scraps[i]->done = true;
			pieces[n++] = scraps[i];
		}
	qsort(pieces, n, sizeof(struct word *), by_middle);
	for (size_t i = 0; i < n; i++) {
		const struct word *w = pieces[i], *before = i ? pieces[i - 1] : w;

		if (i && MAX(w->x0 - before->x1, up ? before->y0 - w->y1 : w->y0 - before->y1) > PIECE_GAP)
			buf_putc(&b, ' ');
		buf_puts(&b, w->text);
	}
	sink_text(p->s, ZONE_WATERMARK, buf_str(&b));
	sink_block(p->s);
}

static void put_watermarks(struct page *p)
{
	_cleanup_free_ struct word **scraps = calloc(2 * p->n + 1, sizeof(*scraps));
	struct word **pieces = scraps ? scraps + p->n : NULL;
	size_t n = 0, n_pieces = 0;

	for (size_t i = 0; scraps && i < p->n; i++) {
		struct word *w = &p->words[i];
		bool alone = (i == 0 || w[-1].line != w->line) && (i + 1 == p->n || w[1].line != w->line);

		if (letters_of(w->text) > PIECE_MAX || !in_short_line(p, i))
			continue;
		scraps[n++] = w;
		if (alone && is_piece(w))
			pieces[n_pieces++] = w;
	}
	if (scraps)
		put_slanted(p, pieces, n_pieces, scraps, n);
	for (size_t i = 0; i < p->n; i++) {
		struct word *w = &p->words[i];

		if (!w->done && w->y1 - w->y0 >= LARGE && w->y0 > p->h / 4 && w->y1 < p->h * 3 / 4 && w->x1 - w->x0 > p->w / 4) {
			sink_text(p->s, ZONE_WATERMARK, w->text);
			sink_block(p->s);
			w->done = true;
		}
	}
}

/* ---- rows and cells ---- */

static int by_y(const void *a, const void *b)
{
	const struct word *v = *(struct word *const *)a, *w = *(struct word *const *)b;
	double d = (v->y0 + v->y1) - (w->y0 + w->y1);

	return d < 0 ? -1 : d > 0;
}

static int by_row_and_x(const void *a, const void *b)
{
	const struct word *v = *(struct word *const *)a, *w = *(struct word *const *)b;

	return v->row != w->row ? (v->row > w->row) - (v->row < w->row) : (v->x0 > w->x0) - (v->x0 < w->x0);
}

/* Words at one height make a row, wherever they stand. */
static size_t make_rows(struct page *p)
{
	uint32_t row = 0;
	double bottom = 0;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (!p->words[i].done)
			p->by_row[n++] = &p->words[i];
	qsort(p->by_row, n, sizeof(struct word *), by_y);
	for (size_t i = 0; i < n; i++) {
		struct word *w = p->by_row[i];

		/* Its middle below the row's first word: the next row. */
		if (!row || (w->y0 + w->y1) / 2 > bottom) {
			row++;
			bottom = w->y1;
		}
		w->row = row;
	}
	qsort(p->by_row, n, sizeof(struct word *), by_row_and_x);
	return n;
}

struct row {
	size_t from, n; /* in by_row */
	unsigned cells;
	double top, bottom;
	bool contact;
};

static str cell_text(struct word **w, size_t n, struct buf *b)
{
	buf_clear(b);
	for (size_t i = 0; i < n; i++) {
		/* No space where there is hardly a gap: Japanese. */
		if (i && w[i]->x0 - w[i - 1]->x1 > 0.1 * (w[i]->y1 - w[i]->y0))
			buf_putc(b, ' ');
		buf_puts(b, w[i]->text);
	}
	return buf_str(b);
}

static void make_cells(struct page *p, struct row *r, struct buf *b)
{
	struct word **w = p->by_row + r->from;
	size_t begin = 0;

	r->top = w[0]->y0;
	r->bottom = w[0]->y1;
	r->cells = 1;
	for (size_t i = 0; i <= r->n; i++) {
		bool last = i == r->n, cut = last || (i && w[i]->x0 - w[i - 1]->x1 > GAP * (w[i]->y1 - w[i]->y0));

		if (cut) {
			r->contact = r->contact || pdf_is_contact(cell_text(w + begin, i - begin, b));
			begin = i;
		}
		if (last)
			break;
		r->cells += cut;
		w[i]->cell = r->cells;
		r->top = MIN(r->top, w[i]->y0);
		r->bottom = MAX(r->bottom, w[i]->y1);
	}
}

/* ---- tables ---- */

struct column {
	double x0, x1;
};

/* Of the rows that have as many cells as most have. */
static size_t make_columns(const struct page *p, const struct row *rows, size_t n, struct column *ret)
{
	unsigned counts[COLUMNS_MAX] = { 0 }, most = 0;
	size_t cols;

	for (size_t i = 0; i < n; i++)
		if (rows[i].cells < COLUMNS_MAX)
			counts[rows[i].cells]++;
	for (unsigned i = 2; i < COLUMNS_MAX; i++)
		if (counts[i] >= counts[most])
			most = i;
	cols = most;
	for (size_t c = 0; c < cols; c++)
		ret[c] = (struct column){ INFINITY, -INFINITY };
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; rows[i].cells == cols && k < rows[i].n; k++) {
			const struct word *w = p->by_row[rows[i].from + k];
			struct column *c = &ret[w->cell - 1];

			c->x0 = MIN(c->x0, w->x0);
			c->x1 = MAX(c->x1, w->x1);
		}
	return cols;
}

static size_t column_at(const struct column *cols, size_t n, double x0, double x1)
{
	size_t best = 0;
	double least = INFINITY;

	for (size_t c = 0; c < n; c++) {
		double miss = x1 < cols[c].x0 ? cols[c].x0 - x1 : x0 > cols[c].x1 ? x0 - cols[c].x1 : fabs(x0 - cols[c].x0) / 1000;

		if (miss < least) {
			least = miss;
			best = c;
		}
	}
	return best;
}

static void put_row(struct page *p, const struct row *r, uint32_t number, const struct column *cols, size_t n_cols, struct buf *b)
{
	struct word **w = p->by_row + r->from;
	size_t last = SIZE_MAX;

	for (size_t at = 0, k; at < r->n; at += k) {
		size_t col;

		for (k = 1; at + k < r->n && w[at + k]->cell == w[at]->cell; k++)
			;
		col = column_at(cols, n_cols, w[at]->x0, w[at + k - 1]->x1);
		if (col == last) /* two cells in one column: they stay apart */
			sink_cell(p->s, number, (uint32_t)col + 1, STR(" "));
		sink_cell(p->s, number, (uint32_t)col + 1, cell_text(w + at, k, b));
		last = col;
		for (size_t i = 0; i < k; i++)
			w[at + i]->done = true;
	}
}

static void put_table(struct page *p, const struct row *rows, size_t n, struct buf *b)
{
	struct column cols[COLUMNS_MAX];
	size_t n_cols = make_columns(p, rows, n, cols);
	uint32_t number = 0;

	if (n_cols < 2)
		return;
	sink_table(p->s, STR_NONE, false);
	for (size_t i = 0; i < n && !sink_full(p->s); i++)
		put_row(p, &rows[i], ++number, cols, n_cols, b);
	sink_table_end(p->s);
}

/* Runs of rows with several cells, of which one is an address or a number. */
static int put_tables(struct page *p)
{
	_cleanup_free_ struct row *rows = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n_words = make_rows(p), n = 0;

	rows = calloc(n_words + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < n_words; i++) {
		if (!i || p->by_row[i]->row != p->by_row[i - 1]->row)
			rows[n++].from = i;
		rows[n - 1].n++;
	}
	for (size_t i = 0; i < n; i++)
		make_cells(p, &rows[i], &b);
	for (size_t i = 0, k; i < n; i += k) {
		bool contact = false;

		for (k = 0; i + k < n && rows[i + k].cells > 1 &&
		     (!k || rows[i + k].top - rows[i + k - 1].bottom < 4 * (rows[i + k].bottom - rows[i + k].top)); k++)
			contact = contact || rows[i + k].contact;
		if (k && contact)
			put_table(p, rows + i, k, &b);
		k = MAX(k, (size_t)1);
	}
	return 0;
}

/* ---- what is left ---- */

static enum zone zone_at(const struct page *p, const struct word *from, size_t n)
{
	double top = INFINITY, bottom = 0;
	bool above = false, below = false; /* something stands beyond the gap */

	for (size_t i = 0; i < n; i++) {
		top = MIN(top, from[i].y0);
		bottom = MAX(bottom, from[i].y1);
	}
	if (bottom < EDGE * p->h)
		return ZONE_HEADER;
	if (top > (1 - EDGE) * p->h)
		return ZONE_FOOTER;
	if (bottom > EDGE_ALONE * p->h && top < (1 - EDGE_ALONE) * p->h)
		return ZONE_BODY;
	for (size_t i = 0; i < p->n; i++) {
		const struct word *w = &p->words[i];

		above = above || (w->y0 < top - 1 && w->y1 > top - 2 * (bottom - top));
		below = below || (w->y1 > bottom + 1 && w->y0 < bottom + 2 * (bottom - top));
	}
	if (bottom <= EDGE_ALONE * p->h)
		return below ? ZONE_BODY : ZONE_HEADER;
	return above ? ZONE_BODY : ZONE_FOOTER;
}

static void put_block(struct page *p, size_t from, size_t n, struct buf *b)
{
	unsigned lines = 0;
	enum zone z;

	buf_clear(b);
	for (size_t i = from; i < from + n; i++) {
		const struct word *w = &p->words[i];

		if (w->done)
			continue;
		if (b->n)
			buf_putc(b, p->words[i - 1].line == w->line ? ' ' : '\n');
		lines += !b->n || p->words[i - 1].line != w->line;
		buf_puts(b, w->text);
	}
	if (!b->n)
		return;
	z = lines <= 3 ? zone_at(p, p->words + from, n) : ZONE_BODY;
	if (z == ZONE_BODY && p->first && lines <= 2 && b->n < 150)
		z = ZONE_TITLE;
	p->first = p->first && z != ZONE_BODY && z != ZONE_TITLE;
	sink_text(p->s, z, buf_str(b));
	sink_block(p->s);
}

static int put_page(struct page *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r;

	if (!p->n)
		return 0;
	p->by_row = calloc(p->n, sizeof(struct word *));
	if (!p->by_row)
		return -ENOMEM;
	put_watermarks(p);
	r = put_tables(p);
	for (size_t i = 0, k; r == 0 && i < p->n && !sink_full(p->s); i += k) {
		for (k = 1; i + k < p->n && p->words[i + k].block == p->words[i].block; k++)
			;
		put_block(p, i, k, &b);
	}
	free(p->by_row);
	p->by_row = NULL;
	p->n = 0;
	return r;
}

int pdf_boxes_put(struct buf *boxes, bool first, struct sink *s)
{
	struct page p = { .s = s, .first = first };
	char *at = boxes->p, *end = at + boxes->n;
	int r = 0;

	while (r == 0 && at < end && !sink_full(s)) {
		char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = nl ? (size_t)(nl - at) : (size_t)(end - at);
		str l = { at, n };

		while (l.n && l.p[0] == ' ')
			l = (str){ l.p + 1, l.n - 1 };
		if (str_starts(l, STR("<word ")))
			r = take_word(&p, at, n);
		else if (str_starts(l, STR("<line ")))
			p.lines++;
		else if (str_starts(l, STR("<block ")))
			p.blocks++;
		else if (str_starts(l, STR("<page "))) {
			p.w = attribute(l, "width=\"");
			p.h = attribute(l, "height=\"");
		} else if (str_starts(l, STR("</page>"))) {
			r = put_page(&p);
		}
		at += n + (nl != NULL);
	}
	if (r == 0)
		r = put_page(&p); /* a page that was cut off */
	free(p.words);
	return r;
}
