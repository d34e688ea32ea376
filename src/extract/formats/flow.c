/* What has begun waits in levels; what is whole goes to the sink. */
#include "extract/formats/flow.h"

void flow_init(struct flow *f, struct sink *s, enum zone zone)
{
	memset(f, 0, sizeof(*f));
	f->sink = s;
	f->levels[0].zone = zone;
}

static struct flow_level *top(struct flow *f)
{
	return &f->levels[MIN(f->depth, FLOW_LEVELS - 1u)];
}

static bool in_cell(const struct flow_level *l)
{
	return l->tables && l->cells;
}

/* ---- giving ---- */

static void give(struct flow *f, struct flow_level *l, const struct flow_piece *p, uint32_t from)
{
	str s = { l->text.p + from, p->to - from };
	enum zone zone = p->how == FLOW_DELETED ? ZONE_DELETED : l->para ? l->para : l->zone;

	if (!s.n)
		return;
	sink_hidden(f->sink, f->hidden || p->how == FLOW_HIDDEN);
	if (!in_cell(l))
		sink_text(f->sink, zone, s);
	else if (p->how != FLOW_DELETED && zone == ZONE_BODY)
		sink_cell(f->sink, l->row, l->col, s);
	else {
		sink_block(f->sink);
		sink_text(f->sink, zone, s);
		sink_block(f->sink);
	}
	sink_hidden(f->sink, f->hidden);
}

/* A cell's plain text in one, whatever stands between. */
static void give_cell(struct flow *f, struct flow_level *l)
{
	for (int how = FLOW_PLAIN; how <= FLOW_DELETED; how++) {
		_cleanup_buf_ struct buf joined = BUF_INIT;
		struct flow_level view = *l;
		struct flow_piece whole = { 0, (uint8_t)how };
		uint32_t from = 0;

		for (size_t i = 0; i < l->n_pieces; from = l->pieces[i].to, i++)
			if (l->pieces[i].how == how)
				buf_put(&joined, l->text.p + from, l->pieces[i].to - from);
		while (joined.n && joined.p[joined.n - 1] == '\n')
			joined.n--;
		whole.to = (uint32_t)joined.n;
		view.text = joined;
		give(f, &view, &whole, 0);
	}
}

static void give_all(struct flow *f, struct flow_level *l)
{
	uint32_t from = 0;

	if (in_cell(l) && l->n_pieces > 1) {
		give_cell(f, l);
	} else {
		for (size_t i = 0; i < l->n_pieces; from = l->pieces[i].to, i++)
			give(f, l, &l->pieces[i], from);
	}
	l->n_pieces = 0;
	buf_clear(&l->text);
}

static void give_links(struct flow *f)
{
	str s = buf_str(&f->links);

	sink_hidden(f->sink, f->hidden);
	while (s.n) {
		const char *nl = memchr(s.p, '\n', s.n);
		size_t n = nl ? (size_t)(nl - s.p) : s.n;

		sink_block(f->sink);
		sink_text(f->sink, ZONE_LINK, (str){ s.p, n });
		sink_block(f->sink);
		s.p += MIN(n + 1, s.n);
		s.n -= MIN(n + 1, s.n);
	}
	buf_clear(&f->links);
}

/* ---- levels ---- */

void flow_push(struct flow *f, enum zone zone)
{
	struct flow_level *l;

	/* Nothing of the level above has been given for this paragraph; its block is closed so that this does not join it. */
	f->depth++;
	if (f->depth >= FLOW_LEVELS)
		return;
	sink_block(f->sink);
	l = top(f);
	buf_clear(&l->text);
	l->n_pieces = 0;
	l->zone = zone;
	l->para = 0;
	l->tables = 0;
	l->cells = false;
}

void flow_pop(struct flow *f)
{
	if (!f->depth)
		return;
	if (f->depth < FLOW_LEVELS)
		flow_para_end(f);
	f->depth--;
}

enum zone flow_zone(const struct flow *f)
{
	return f->levels[MIN(f->depth, FLOW_LEVELS - 1u)].zone;
}

void flow_set_zone(struct flow *f, enum zone zone)
{
	f->levels[0].zone = zone;
}

void flow_para_zone(struct flow *f, enum zone zone)
{
	struct flow_level *l = top(f);

	if (l->zone == ZONE_BODY && !in_cell(l))
		l->para = zone;
}

/* ---- text ---- */

void flow_text(struct flow *f, enum flow_how how, str s)
{
	struct flow_level *l = top(f);

	if (!s.n)
		return;
	if (l->text.n > FLOW_HELD || (l->n_pieces == FLOW_PIECES && l->pieces[FLOW_PIECES - 1].how != how))
		give_all(f, l);
	if (!l->n_pieces || l->pieces[l->n_pieces - 1].how != how)
		l->pieces[l->n_pieces++] = (struct flow_piece){ (uint32_t)l->text.n, (uint8_t)how };
	buf_puts(&l->text, s);
	l->pieces[l->n_pieces - 1].to = (uint32_t)l->text.n;
}

void flow_para_end(struct flow *f)
{
	struct flow_level *l = top(f);

	if (in_cell(l)) {
		if (l->text.n)
			flow_text(f, (enum flow_how)l->pieces[l->n_pieces - 1].how, STR("\n"));
		return;
	}
	give_all(f, l);
	sink_block(f->sink);
	l->para = 0;
	if (f->links.n && !f->depth)
		give_links(f);
}

void flow_link(struct flow *f, str target)
{
	if (!target.n || target.n > TEXT_META_VALUE_MAX || target.p[0] == '#' || f->links.n > FLOW_HELD)
		return;
	buf_puts(&f->links, target);
	buf_putc(&f->links, '\n');
}

/* ---- tables ---- */

void flow_table(struct flow *f, str name, bool hidden)
{
	struct flow_level *l = top(f);

	if (l->tables++ || f->depth || l->zone != ZONE_BODY)
		return;
	flow_para_end(f);
	sink_table(f->sink, name, hidden);
	l->cells = true;
	l->row = l->col = 0;
	l->span = 1;
}

void flow_row(struct flow *f, uint32_t passed)
{
	struct flow_level *l = top(f);

	if (l->tables > 1 && in_cell(l))
		flow_para_end(f);
	if (l->tables != 1 || !l->cells)
		return;
	l->row = l->row > UINT32_MAX - passed - 1 ? UINT32_MAX : l->row + passed + 1;
	l->col = 0;
	l->span = 1;
}

void flow_cell(struct flow *f, uint32_t span)
{
	struct flow_level *l = top(f);

	if (l->tables != 1 || !l->cells)
		return;
	l->col = l->col > UINT32_MAX - l->span ? UINT32_MAX : l->col + l->span;
	l->span = span ? span : 1;
}

void flow_columns(struct flow *f, uint32_t n)
{
	struct flow_level *l = top(f);

	if (l->tables == 1 && l->cells)
		l->span = l->span > UINT32_MAX - n ? UINT32_MAX : l->span + n;
}

void flow_cell_end(struct flow *f)
{
	struct flow_level *l = top(f);

	if (l->tables > 1 && in_cell(l)) { /* a table in a cell: its cells are words of a line */
		while (l->text.n && l->text.p[l->text.n - 1] == '\n') {
			l->text.n--;
			l->pieces[l->n_pieces - 1].to = (uint32_t)l->text.n;
			if (l->n_pieces > 1 && l->pieces[l->n_pieces - 2].to >= l->text.n)
				l->n_pieces--;
		}
		if (l->text.n)
			flow_text(f, FLOW_PLAIN, STR("\t"));
		else
			l->n_pieces = 0;
		return;
	}
	if (l->tables != 1 || !l->cells) {
		flow_para_end(f);
		return;
	}
	while (l->text.n && l->text.p[l->text.n - 1] == '\n' && l->n_pieces == 1)
		l->pieces[0].to = (uint32_t)--l->text.n;
	give_all(f, l);
	if (f->links.n)
		give_links(f);
}

void flow_table_end(struct flow *f)
{
	struct flow_level *l = top(f);

	if (!l->tables)
		return;
	if (l->tables == 1 && l->cells) {
		flow_cell_end(f);
		sink_table_end(f->sink);
		l->cells = false;
	}
	l->tables--;
}

void flow_finish(struct flow *f)
{
	while (f->depth)
		flow_pop(f);
	while (f->levels[0].tables)
		flow_table_end(f);
	flow_para_end(f);
	sink_hidden(f->sink, false);
	for (size_t i = 0; i < FLOW_LEVELS; i++)
		buf_free(&f->levels[i].text);
	buf_free(&f->links);
}
