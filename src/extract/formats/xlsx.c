/* xlsx, xlsm, xltx…: sheets as they stream, with shared strings, number formats, headers, comments, drawings, links, and what is hidden. */
#include <errno.h>
#include <strings.h>

#include "extract/formats/numfmt.h"
#include "extract/formats/ooxml.h"

#define SHEETS_MAX 4096
#define STRINGS_MAX (192u << 20) /* bytes of all shared strings */
#define FORMATS_MAX 65536        /* cell styles, number formats */
#define HIDDEN_COLS_MAX 256
#define CELL_MAX (1u << 20)

struct sheet {
	char *name, *id;
	bool hidden;
};

struct xlsx {
	struct package *p;
	struct sink *sink;
	const struct rels *rels;
	struct sheet *sheets;
	size_t n_sheets;
	bool date1904;
	struct buf strings;   /* one after the other */
	uint64_t *ends;       /* of each */
	size_t n_strings, cap_strings;
	struct numfmt **formats; /* of each cell style */
	size_t n_formats;
	struct { uint32_t id; struct numfmt f; } *codes;
	size_t n_codes;
	bool in_xfs, take;
	uint64_t cells;       /* of all sheets */
};

static void ignore_end(void *arg, struct xml *x, int id)
{
}

static void ignore_text(void *arg, str s)
{
}

/* ---- workbook ---- */

enum { W_SHEET = 1, W_PR };
static const struct xml_name book_names[] = { { "sheet", W_SHEET }, { "workbookPr", W_PR } };

static void book_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct xlsx *w = arg;

	if (id == W_PR)
		w->date1904 = xml_on(xml_attr(atts, "date1904"), false);
	if (id == W_SHEET && w->n_sheets < SHEETS_MAX) {
		const char *name = xml_attr(atts, "name"), *rid = xml_attr_prefixed(atts, "id"), *state = xml_attr(atts, "state");

		w->sheets[w->n_sheets++] = (struct sheet){ strdup(name ? name : ""), rid ? strdup(rid) : NULL, state &&
				strcasecmp(state, "visible") != 0 };
	}
}

static const struct xml_handler book_handler = { book_names, ARRAY_SIZE(book_names), book_start, ignore_end, ignore_text };

/* ---- shared strings ---- */

enum { S_SI = 1, S_T, S_RPH };
static const struct xml_name string_names[] = { { "rPh", S_RPH }, { "si", S_SI }, { "t", S_T } };

static void string_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct xlsx *w = arg;

	if (id == S_RPH) /* how it is read aloud */
		xml_skip(x);
	if (id == S_T)
		w->take = true;
}

static void string_end(void *arg, struct xml *x, int id)
{
	struct xlsx *w = arg;

	if (id == S_T)
		w->take = false;
	if (id != S_SI)
		return;
	if (w->n_strings == w->cap_strings) {
		size_t cap = w->cap_strings ? w->cap_strings * 2 : 1024;
		uint64_t *p = realloc(w->ends, cap * sizeof(*p));

		if (!p) {
			package_fail(w->p, -ENOMEM);
			xml_stop(x);
			return;
		}
		w->ends = p;
		w->cap_strings = cap;
	}
	w->ends[w->n_strings++] = w->strings.n;
	if (buf_error(&w->strings)) {
		sink_reason(w->sink, "more than %u MiB of shared strings", STRINGS_MAX >> 20);
		package_fail(w->p, -EMSGSIZE);
		xml_stop(x);
	}
}

static void string_text(void *arg, str s)
{
	struct xlsx *w = arg;

	if (w->take)
		buf_puts(&w->strings, s);
}

static const struct xml_handler string_handler = { string_names, ARRAY_SIZE(string_names), string_start, string_end, string_text };

static str shared(const struct xlsx *w, str index)
{
	uint64_t i;

	while (index.n && index.p[0] == ' ') {
		index.p++;
		index.n--;
	}
	if (str_to_u64(index, &i) < 0 || i >= w->n_strings)
		return STR_NONE;
	return (str){ w->strings.p + (i ? w->ends[i - 1] : 0), w->ends[i] - (i ? w->ends[i - 1] : 0) };
}

/* ---- styles ---- */

enum { F_FMT = 1, F_XFS, F_XF };
static const struct xml_name format_names[] = { { "cellXfs", F_XFS }, { "numFmt", F_FMT }, { "xf", F_XF } };

static struct numfmt *format_of(const struct xlsx *w, uint32_t id)
{
	struct numfmt *f;

	for (size_t i = 0; i < w->n_codes; i++)
		if (w->codes[i].id == id)
			return &w->codes[i].f;
	f = calloc(1, sizeof(*f));
	if (f && numfmt_builtin(id, f) && f->kind != NUMFMT_GENERAL)
		return f;
	free(f);
	return NULL;
}

static bool is_code(const struct xlsx *w, const struct numfmt *f)
{
	return w->n_codes && (const char *)f >= (const char *)w->codes && (const char *)f < (const char *)(w->codes + w->n_codes);
}

static void format_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct xlsx *w = arg;

	if (id == F_XFS)
		w->in_xfs = true;
	if (id == F_FMT && w->n_codes < FORMATS_MAX / 16 && xml_attr(atts, "formatCode")) {
		w->codes[w->n_codes].id = xml_number(xml_attr(atts, "numFmtId"), 0, UINT32_MAX);
		numfmt_parse(xml_attr(atts, "formatCode"), &w->codes[w->n_codes].f);
		w->n_codes++;
	}
	if (id == F_XF && w->in_xfs && w->n_formats < FORMATS_MAX)
		w->formats[w->n_formats++] = format_of(w, xml_number(xml_attr(atts, "numFmtId"), 0, UINT32_MAX));
}

static void format_end(void *arg, struct xml *x, int id)
{
	if (id == F_XFS)
		((struct xlsx *)arg)->in_xfs = false;
}

static const struct xml_handler format_handler = { format_names, ARRAY_SIZE(format_names), format_start, format_end, ignore_text };

/* ---- a sheet ---- */

enum id {
	C = 1, COL, F, HYPERLINK, IS, PAGE_HEADER, PAGE_FOOTER, R_PH, ROW, T, V
};

static const struct xml_name names[] = {
	{ "c", C }, { "col", COL }, { "evenFooter", PAGE_FOOTER }, { "evenHeader", PAGE_HEADER }, { "f", F }, { "firstFooter", PAGE_FOOTER },
	{ "firstHeader", PAGE_HEADER }, { "hyperlink", HYPERLINK }, { "is", IS }, { "oddFooter", PAGE_FOOTER }, { "oddHeader", PAGE_HEADER },
	{ "rPh", R_PH }, { "row", ROW }, { "t", T }, { "v", V },
};

enum cell_type { CELL_NUMBER, CELL_SHARED, CELL_TEXT, CELL_BOOL };

struct reading {
	struct xlsx *w;
	const struct rels *rels;
	struct buf value, shown;
	struct flow flow;        /* headers, links: what stands in no cell */
	uint32_t row, col;
	enum cell_type type;
	const struct numfmt *format;
	struct { uint32_t from, to; } cols[HIDDEN_COLS_MAX];
	size_t n_cols;
	bool hidden, row_hidden, take, table, page;
};

/* "AB12": column and row, 0 where it is none. */
static void place_of(const char *ref, uint32_t *ret_row, uint32_t *ret_col)
{
	uint32_t col = 0;

	for (; (*ref | 0x20) >= 'a' && (*ref | 0x20) <= 'z'; ref++)
		col = MIN(col * 26 + (uint32_t)((*ref | 0x20) - 'a' + 1), 1u << 20);
	*ret_col = col;
	*ret_row = xml_number(ref, 0, 1u << 24);
}

static void cell_start(struct reading *g, const char **atts)
{
	static const struct {
		const char *t;
		enum cell_type type;
	} types[] = { { "s", CELL_SHARED }, { "n", CELL_NUMBER }, { "b", CELL_BOOL } };
	uint32_t row = 0, col = 0, style = UINT32_MAX;

	g->type = CELL_NUMBER;
	for (; *atts; atts += 2) {
		if (strcmp(atts[0], "r") == 0) {
			place_of(atts[1], &row, &col);
		} else if (strcmp(atts[0], "s") == 0) {
			style = xml_number(atts[1], UINT32_MAX, UINT32_MAX);
		} else if (strcmp(atts[0], "t") == 0) {
			g->type = CELL_TEXT; /* str, inlineStr, e, d */
			for (size_t i = 0; i < ARRAY_SIZE(types); i++)
				if (strcmp(atts[1], types[i].t) == 0)
					g->type = types[i].type;
		}
	}
	g->row = row ? row : g->row;
	g->col = col ? col : g->col + 1;
	g->format = style < g->w->n_formats ? g->w->formats[style] : NULL;
	buf_clear(&g->value);
}

static bool col_hidden(const struct reading *g, uint32_t col)
{
	for (size_t i = 0; i < g->n_cols; i++)
		if (col >= g->cols[i].from && col <= g->cols[i].to)
			return true;
	return false;
}

static void cell_end(struct reading *g, struct xml *x)
{
	str s = buf_str(&g->value);

	if (!s.n)
		return;
	switch (g->type) {
	case CELL_SHARED:
		s = shared(g->w, s);
		break;
	case CELL_BOOL:
		s = s.p[0] == '1' ? STR("TRUE") : STR("FALSE");
		break;
	case CELL_NUMBER:
		buf_clear(&g->shown);
		numfmt_put(&g->shown, g->format, s, g->w->date1904);
		s = buf_str(&g->shown);
		break;
	default:
		break;
	}
	sink_hidden(g->w->sink, g->row_hidden || g->hidden || (g->n_cols && col_hidden(g, g->col)));
	sink_cell(g->w->sink, g->row, g->col, s);
	/* More than a text can hold: the rest is not looked at, and the text is known to be cut. */
	if (++g->w->cells > TEXT_SPANS_MAX)
		xml_stop(x);
}

/* &L left &C centre &R right; &"font,style" &12 size &K colour; &P &N &D &T &Z &F &A &G fields; && an ampersand. */
void xlsx_page(struct flow *f, str s, enum zone zone)
{
	size_t i = 0;

	flow_set_zone(f, zone);
	while (i < s.n) {
		const char *amp = memchr(s.p + i, '&', s.n - i);
		size_t n = amp ? (size_t)(amp - s.p) - i : s.n - i;

		flow_text(f, FLOW_PLAIN, (str){ s.p + i, n });
		i += n + 1;
		if (i >= s.n)
			break;
		if (s.p[i] == '"') {
			const char *end = memchr(s.p + i + 1, '"', s.n - i - 1);

			i = end ? (size_t)(end - s.p) + 1 : s.n;
		} else if (s.p[i] >= '0' && s.p[i] <= '9') {
			while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
				i++;
		} else if (s.p[i] == 'K') {
			i += MIN(s.n - i, (size_t)7);
		} else {
			if (s.p[i] == '&')
				flow_text(f, FLOW_PLAIN, STR("&"));
			if (strchr("LCR", s.p[i]))
				flow_para_end(f);
			if (s.p[i] == 'A')
				flow_text(f, FLOW_PLAIN, STR(" "));
			i++;
		}
	}
	flow_para_end(f);
}

static void table_end(struct reading *g)
{
	if (g->table)
		sink_table_end(g->w->sink);
	g->table = false;
	sink_hidden(g->w->sink, g->hidden);
}

static void on_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct reading *g = arg;
	const struct rel *r;

	switch (id) {
	case C:
		cell_start(g, atts);
		break;
	case V:
	case T:
		g->take = true;
		break;
	case ROW:
		g->row = xml_number(xml_attr(atts, "r"), g->row + 1, 1u << 24);
		g->col = 0;
		g->row_hidden = xml_on(xml_attr(atts, "hidden"), false);
		break;
	case COL:
		if (xml_on(xml_attr(atts, "hidden"), false) && g->n_cols < HIDDEN_COLS_MAX) {
			g->cols[g->n_cols].from = xml_number(xml_attr(atts, "min"), 0, UINT32_MAX);
			g->cols[g->n_cols++].to = xml_number(xml_attr(atts, "max"), 0, UINT32_MAX);
		}
		break;
	case F:
	case R_PH:
		xml_skip(x);
		break;
	case PAGE_HEADER:
	case PAGE_FOOTER:
		buf_clear(&g->value);
		g->page = true;
		break;
	case HYPERLINK:
		r = xml_attr_prefixed(atts, "id") ? rels_find(g->rels, xml_attr_prefixed(atts, "id"), NULL) : NULL;
		if (r && r->external)
			flow_link(&g->flow, str_c(r->target));
		break;
	default:
		break;
	}
}

static void on_end(void *arg, struct xml *x, int id)
{
	struct reading *g = arg;

	switch (id) {
	case C:
		cell_end(g, x);
		break;
	case V:
	case T:
		g->take = false;
		break;
	case PAGE_HEADER:
	case PAGE_FOOTER:
		g->page = false;
		table_end(g);
		xlsx_page(&g->flow, buf_str(&g->value), id == PAGE_HEADER ? ZONE_HEADER : ZONE_FOOTER);
		break;
	default:
		break;
	}
}

static void on_text(void *arg, str s)
{
	struct reading *g = arg;

	if ((g->take || g->page) && g->value.n < CELL_MAX)
		buf_puts(&g->value, s);
}

static const struct xml_handler handler = { names, ARRAY_SIZE(names), on_start, on_end, on_text };

/* ---- what a workbook keeps of others: sources of pivot tables, values of linked books ---- */

enum { K_ITEM = 1, K_VALUE };
static const struct xml_name kept_names[] = { { "cacheField", K_ITEM }, { "d", K_ITEM }, { "n", K_ITEM }, { "s", K_ITEM },
	{ "v", K_VALUE } };

/* Nobody sees it, and it is all there: hidden text, a value a line. */
static void kept_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct reading *g = arg;
	const char *v = id == K_ITEM ? xml_attr(atts, "v") : NULL;

	if (id == K_ITEM && !v)
		v = xml_attr(atts, "name");
	if (v) {
		flow_text(&g->flow, FLOW_HIDDEN, str_c(v));
		flow_para_end(&g->flow);
	}
	g->take = id == K_VALUE;
}

static void kept_end(void *arg, struct xml *x, int id)
{
	struct reading *g = arg;

	g->take = false;
	if (id == K_VALUE)
		flow_para_end(&g->flow);
}

static void kept_text(void *arg, str s)
{
	struct reading *g = arg;

	if (g->take)
		flow_text(&g->flow, FLOW_HIDDEN, s);
}

static const struct xml_handler kept_handler = { kept_names, ARRAY_SIZE(kept_names), kept_start, kept_end, kept_text };

static void read_kept(void *arg, const char *part)
{
	_cleanup_rels_ struct rels rels = { 0 };
	struct xlsx *w = arg;
	struct reading g = { .w = w };

	if (!package_enter(w->p))
		return;
	rels_read(w->p, part, &rels);
	flow_init(&g.flow, w->sink, ZONE_BODY);
	xml_read(w->p, part, &kept_handler, &g);
	flow_finish(&g.flow);
	rels_each(&rels, "pivotCacheRecords", read_kept, w);
	package_leave(w->p);
}

/* ---- what belongs to a sheet ---- */

struct related {
	struct package *p;
	enum zone zone;
	bool hidden;
};

static void read_drawing(void *arg, const char *part)
{
	struct related *r = arg;

	drawing_read(r->p, part, r->zone, r->hidden);
}

static void read_sheet(struct xlsx *w, const char *part, const struct sheet *s)
{
	_cleanup_rels_ struct rels rels = { 0 };
	struct reading g = { .w = w, .rels = &rels, .hidden = s->hidden, .table = true };
	struct related body = { w->p, ZONE_BODY, s->hidden }, comment = { w->p, ZONE_COMMENT, s->hidden };

	rels_read(w->p, part, &rels);
	flow_init(&g.flow, w->sink, ZONE_BODY);
	g.flow.hidden = s->hidden;
	sink_table(w->sink, str_c(s->name), s->hidden);
	if (w->cells <= TEXT_SPANS_MAX)
		xml_read(w->p, part, &handler, &g);
	table_end(&g);
	flow_finish(&g.flow);
	/* A thread of comments is there twice: as it is, and as one comment for older readers. */
	if (rels_find(&rels, NULL, "threadedComment"))
		rels_each(&rels, "threadedComment", read_drawing, &comment);
	else
		rels_each(&rels, "comments", read_drawing, &comment);
	rels_each(&rels, "drawing", read_drawing, &body);
	sink_hidden(w->sink, false);
	buf_free(&g.value);
	buf_free(&g.shown);
}

static void read_strings(struct xlsx *w)
{
	const struct rel *strings = rels_find(w->rels, NULL, "sharedStrings"), *styles = rels_find(w->rels, NULL, "styles");

	w->strings.max = STRINGS_MAX;
	if (styles && !styles->external)
		xml_read(w->p, styles->target, &format_handler, w);
	xml_read(w->p, strings && !strings->external ? strings->target : "xl/sharedStrings.xml", &string_handler, w);
}

static void release(struct xlsx *w)
{
	for (size_t i = 0; i < w->n_sheets; i++) {
		free(w->sheets[i].name);
		free(w->sheets[i].id);
	}
	for (size_t i = 0; i < w->n_formats; i++)
		if (!is_code(w, w->formats[i]))
			free(w->formats[i]);
	free(w->sheets);
	free(w->formats);
	free(w->codes);
	free(w->ends);
	buf_free(&w->strings);
}

int xlsx_read(struct package *p, const char *main)
{
	_cleanup_rels_ struct rels rels = { 0 };
	struct xlsx w = { .p = p, .sink = package_sink(p), .rels = &rels, .sheets = calloc(SHEETS_MAX, sizeof(struct sheet)),
		.formats = calloc(FORMATS_MAX, sizeof(struct numfmt *)), .codes = calloc(FORMATS_MAX / 16, sizeof(*w.codes)) };

	if (!w.sheets || !w.formats || !w.codes) {
		release(&w);
		return package_fail(p, -ENOMEM);
	}
	rels_read(p, main, &rels);
	xml_read(p, main, &book_handler, &w);
	read_strings(&w);
	for (size_t i = 0; i < w.n_sheets && !sink_full(w.sink); i++) {
		const struct rel *r = w.sheets[i].id ? rels_find(&rels, w.sheets[i].id, NULL) : NULL;

		if (r && !r->external)
			read_sheet(&w, r->target, &w.sheets[i]);
	}
	/* A torn workbook: sheets without their names. */
	for (size_t i = 0; !w.n_sheets && package_name(p, i); i++)
		if (strncasecmp(package_name(p, i), "xl/worksheets/sheet", 19) == 0)
			read_sheet(&w, package_name(p, i), &(struct sheet){ .name = (char[]){ 0 } });
	rels_each(&rels, "pivotCacheDefinition", read_kept, &w);
	rels_each(&rels, "externalLink", read_kept, &w);
	release(&w);
	return package_error(p);
}
