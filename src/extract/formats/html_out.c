/* Words of a page on their way to the sink: white space, paragraphs, cells. */
#include "extract/formats/html_reader.h"

static str after(str s, size_t n)
{
	return (str){ s.p + n, s.n - n };
}

struct table *html_cell_table(struct html *h)
{
	struct table *t = h->n_tables ? &h->tables[h->n_tables - 1] : NULL;

	return t && t->in_cell && !t->layout && !t->holds && h->now.zone == h->base ? t : NULL;
}

/* Text so far, in the zone that holds. */
void html_put_run(struct html *h)
{
	struct table *t = html_cell_table(h);
	str run = buf_str(&h->run);

	if (run.n && h->words) {
		buf_puts(h->words, run);
	} else if (run.n) {
		sink_hidden(h->s, h->now.hidden);
		if (t)
			sink_cell(h->s, t->row, t->col, run);
		else
			sink_text(h->s, h->now.zone, run);
		sink_hidden(h->s, false);
	}
	buf_clear(&h->run);
}

static void put_aside(struct html *h, struct buf *b, enum zone zone)
{
	if (b->n && !h->words)
		sink_text(h->s, zone, buf_str(b));
	buf_clear(b);
}

void html_end_block(struct html *h)
{
	if (html_cell_table(h)) { /* paragraphs in a cell are lines */
		if (h->run.n)
			h->space = '\r';
		return;
	}
	html_put_run(h);
	put_aside(h, &h->links, ZONE_LINK);
	put_aside(h, &h->ruby, ZONE_NOTE);
	if (h->words)
		buf_putc(h->words, '\n');
	else
		sink_block(h->s);
	h->space = 0;
	h->begun = false;
}

static bool wide(uint8_t lead)
{
	return lead >= 0xe3 && lead <= 0xef && (lead < 0xea || lead > 0xed);
}

/* A line end between two ideographs or kana is no space; p: what follows. */
static void put_space(struct html *h, const char *p)
{
	char c = h->space;

	h->space = 0;
	if (c == '\r')
		buf_putc(&h->run, '\n');
	else if (!h->begun || (h->run.n && h->run.p[h->run.n - 1] == '\n' && !h->now.pre))
		return;
	else if (c == '\n' && h->run.n >= 3 && wide((uint8_t)h->run.p[h->run.n - 3]) && wide((uint8_t)*p))
		return;
	else
		buf_putc(&h->run, ' ');
}

static void put_piece(struct html *h, str s)
{
	if (!s.n)
		return;
	if (h->now.ruby) {
		buf_puts(&h->ruby, s);
		return;
	}
	if (h->space)
		put_space(h, s.p);
	buf_puts(&h->run, s);
	h->begun = true;
}

static void put_white(struct html *h, char c)
{
	if (h->now.ruby)
		return;
	if (h->now.pre && c != '\r')
		put_piece(h, (str){ &c, 1 });
	else if (h->space != '\r' && (!h->space || c != '\n'))
		h->space = c == '\n' && !h->space ? '\n' : ' ';
}

void html_line_break(struct html *h)
{
	if (h->now.drop || h->now.ruby)
		return;
	h->space = 0;
	if (h->run.n && h->run.p[h->run.n - 1] == '\n') {
		h->run.n--;
		html_end_block(h);
	} else if (h->begun) {
		put_piece(h, STR("\n"));
	}
}

bool html_is_white(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

void html_put_text(struct html *h, str s)
{
	if (h->now.drop)
		return;
	while (s.n) {
		size_t n = 0;

		while (n < s.n && !html_is_white(s.p[n]) && s.p[n] != '&' && s.p[n] != (char)0xc2)
			n++;
		put_piece(h, (str){ s.p, n });
		s = after(s, n);
		if (!s.n)
			return;
		if (html_is_white(*s.p)) {
			put_white(h, *s.p);
			n = 1;
		} else if (*s.p == '&') {
			buf_clear(&h->value);
			n = html_entity(s, &h->value);
			put_piece(h, !n ? STR("&") : str_eq(buf_str(&h->value), STR("\xc2\xa0")) ? STR(" ") : buf_str(&h->value));
			n = n ? n : 1;
		} else { /* a space that does not break is one, for whoever reads */
			n = MIN(s.n, (size_t)2);
			put_piece(h, n == 2 && s.p[1] == (char)0xa0 ? STR(" ") : (str){ s.p, n });
		}
		s = after(s, n);
	}
}
