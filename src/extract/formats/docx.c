/* docx, docm, dotx, dotm: body, headers, footers, notes, comments, text boxes, what was deleted and what is hidden. */
#include <errno.h>
#include <strings.h>

#include "extract/formats/ooxml.h"

#define STYLES_MAX 4096
#define BASED_MAX 16 /* styles that stand one on the other */

enum id {
	ALTERNATE = 1, CHOICE, FALLBACK, ANCHOR, BR, COMMENT, CR, DEL, DEL_TEXT, DOC_PR, FLD_CHAR, FLD_SIMPLE, GRID_BEFORE, GRID_SPAN, HYPERLINK,
	HLINK,
	INSTR, MOVE_FROM, HYPHEN, NOTE, P, P_PR, P_STYLE, PTAB, R, R_PR, R_STYLE, RT, SDT_PR, SHAPE, T, TAB, TBL, TC, TEXT_PATH, TR, TXBX, VANISH,
	STYLE, STYLE_NAME, BASED_ON,
};

static const struct xml_name names[] = {
	{ "AlternateContent", ALTERNATE }, { "Choice", CHOICE }, { "Fallback", FALLBACK }, { "br", BR }, { "cNvPr", DOC_PR },
	{ "comment", COMMENT }, { "cr", CR }, { "del", DEL }, { "delText", DEL_TEXT }, { "docPr", DOC_PR }, { "endnote", NOTE },
	{ "fldChar", FLD_CHAR }, { "fldSimple", FLD_SIMPLE }, { "footnote", NOTE }, { "gridBefore", GRID_BEFORE }, { "gridSpan", GRID_SPAN },
	{ "hlinkClick", HLINK }, { "hyperlink", HYPERLINK }, { "instrText", INSTR }, { "moveFrom", MOVE_FROM }, { "noBreakHyphen", HYPHEN },
	{ "p", P }, { "pPr", P_PR }, { "pStyle", P_STYLE }, { "ptab", PTAB }, { "r", R }, { "rPr", R_PR }, { "rStyle", R_STYLE }, { "rt", RT },
	{ "sdtPr", SDT_PR }, { "shape", SHAPE }, { "t", T }, { "tab", TAB }, { "tbl", TBL },
	{ "tc", TC }, { "textpath", TEXT_PATH }, { "tr", TR }, { "txbxContent", TXBX }, { "vanish", VANISH },
};

struct style {
	char *id, *base;
	bool hidden, title;
};

struct docx {
	struct package *p;
	struct flow flow;
	const struct rels *rels; /* of the part at hand */
	struct style *styles;
	size_t n_styles;
	struct buf instr; /* a field's code */
	struct alternates alternates;
	unsigned deleted, watermark; /* nested deletions; depth of what is a watermark, 0 none */
	bool in_p_pr, in_r_pr, hidden, p_hidden, take, instr_on;
	bool page_part; /* header or footer: words of art are watermarks */
};

static const char *val(const char **atts)
{
	return xml_attr(atts, "val");
}

/* ---- styles ---- */

static int style_cmp(const void *a, const void *b)
{
	const char *x = ((const struct style *)a)->id, *y = ((const struct style *)b)->id;

	return strcmp(x ? x : "", y ? y : "");
}

static const struct style *style_find(const struct docx *d, const char *id)
{
	struct style key = { .id = (char *)(uintptr_t)id };

	return id && d->n_styles ? bsearch(&key, d->styles, d->n_styles, sizeof(key), style_cmp) : NULL;
}

/* What a style says, its bases say for it. */
static void styles_settle(struct docx *d)
{
	qsort(d->styles, d->n_styles, sizeof(*d->styles), style_cmp);
	for (int round = 0; round < BASED_MAX; round++) {
		for (size_t i = 0; i < d->n_styles; i++) {
			const struct style *base = style_find(d, d->styles[i].base);

			d->styles[i].hidden = d->styles[i].hidden || (base && base->hidden);
			d->styles[i].title = d->styles[i].title || (base && base->title);
		}
	}
}

static const struct xml_name style_names[] = {
	{ "basedOn", BASED_ON }, { "name", STYLE_NAME }, { "style", STYLE }, { "vanish", VANISH },
};

static void style_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct docx *d = arg;
	struct style *s = d->n_styles ? &d->styles[d->n_styles - 1] : NULL;

	if (id == STYLE && d->n_styles < STYLES_MAX) {
		const char *name = xml_attr(atts, "styleId");

		d->styles[d->n_styles++] = (struct style){ .id = name ? strdup(name) : NULL };
	} else if (s && id == BASED_ON && !s->base && val(atts)) {
		s->base = strdup(val(atts));
	} else if (s && id == STYLE_NAME && val(atts)) {
		s->title = strcasecmp(val(atts), "title") == 0 || strcasecmp(val(atts), "subtitle") == 0;
	} else if (s && id == VANISH) {
		s->hidden = xml_on(val(atts), true);
	}
}

static void ignore_end(void *arg, struct xml *x, int id)
{
}

static void ignore_text(void *arg, str s)
{
}

static const struct xml_handler style_handler = { style_names, ARRAY_SIZE(style_names), style_start, ignore_end, ignore_text };

/* ---- text ---- */

static enum flow_how how(const struct docx *d)
{
	return d->deleted ? FLOW_DELETED : d->hidden ? FLOW_HIDDEN : FLOW_PLAIN;
}

static void put(struct docx *d, str s)
{
	if (!d->in_p_pr && !d->in_r_pr)
		flow_text(&d->flow, how(d), s);
}

static bool names_watermark(const char *s)
{
	return s && strcasestr(s, "watermark");
}

/* HYPERLINK "target" \l "place" */
static void field_code(struct docx *d, str s)
{
	const char *from, *to;

	while (s.n && *s.p == ' ') {
		s.p++;
		s.n--;
	}
	if (s.n > 10 && strncasecmp(s.p, "HYPERLINK ", 10) == 0 && (from = memchr(s.p, '"', s.n)) != NULL &&
	    memchr(s.p, '\\', (size_t)(from - s.p)) == NULL) {
		from++;
		to = memchr(from, '"', s.n - (size_t)(from - s.p));
		if (to)
			flow_link(&d->flow, (str){ from, (size_t)(to - from) });
	}
}

static void link_to(struct docx *d, const char *id)
{
	const struct rel *r = id ? rels_find(d->rels, id, NULL) : NULL;

	if (r && r->external)
		flow_link(&d->flow, str_c(r->target));
}

static void word_art(struct docx *d, const char *words)
{
	if (!words)
		return;
	flow_push(&d->flow, d->watermark || d->page_part ? ZONE_WATERMARK : flow_zone(&d->flow));
	flow_text(&d->flow, FLOW_PLAIN, str_c(words));
	flow_pop(&d->flow);
}

static void r_style(struct docx *d, const char *style)
{
	const struct style *s = style_find(d, style);

	if (d->in_r_pr && !d->in_p_pr && s)
		d->hidden = d->hidden || s->hidden;
}

static void p_style(struct docx *d, const char *style)
{
	const struct style *s = style_find(d, style);

	if (!d->in_p_pr || !s)
		return;
	d->p_hidden = s->hidden;
	d->hidden = d->p_hidden;
	if (s->title)
		flow_para_zone(&d->flow, ZONE_TITLE);
}

static void field_char(struct docx *d, const char *type)
{
	if (!type)
		return;
	if (strcmp(type, "begin") != 0)
		field_code(d, buf_str(&d->instr));
	buf_clear(&d->instr);
}

/* Elements that only say something about what is around them. */
static void start_about(struct docx *d, struct xml *x, int id, const char **atts)
{
	switch (id) {
	case P_STYLE:
		p_style(d, val(atts));
		break;
	case R_STYLE:
		r_style(d, val(atts));
		break;
	case VANISH:
		if (d->in_r_pr && !d->in_p_pr)
			d->hidden = xml_on(val(atts), true);
		break;
	case GRID_BEFORE:
		flow_columns(&d->flow, xml_number(val(atts), 0, 1000));
		break;
	case GRID_SPAN:
		if (d->flow.levels[0].tables == 1 && !d->flow.depth)
			d->flow.levels[0].span = MAX(xml_number(val(atts), 1, 1000), 1u);
		break;
	case HYPERLINK:
	case HLINK:
		link_to(d, xml_attr_prefixed(atts, "id"));
		break;
	case FLD_CHAR:
		field_char(d, xml_attr(atts, "fldCharType"));
		break;
	case FLD_SIMPLE:
		field_code(d, str_c(xml_attr(atts, "instr")));
		break;
	case SHAPE:
		if (!d->watermark && (names_watermark(xml_attr(atts, "id")) || names_watermark(xml_attr(atts, "spid"))))
			d->watermark = xml_depth(x);
		break;
	case DOC_PR:
		if (!d->watermark && (names_watermark(xml_attr(atts, "name")) || names_watermark(xml_attr(atts, "title"))))
			d->watermark = xml_depth(x) - 1; /* its parent has the text */
		break;
	case TEXT_PATH:
		word_art(d, xml_attr(atts, "string"));
		break;
	default:
		break;
	}
}

static void on_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct docx *d = arg;

	switch (id) {
	case ALTERNATE:
		alternates_begin(&d->alternates);
		break;
	case CHOICE:
	case FALLBACK:
		alternates_one(&d->alternates, x);
		break;
	case P_PR:
		d->in_p_pr = true;
		break;
	case R_PR:
		d->in_r_pr = true;
		break;
	case R:
		d->hidden = d->p_hidden;
		break;
	case P:
		d->hidden = d->p_hidden = false;
		break;
	case T:
	case DEL_TEXT:
		d->take = true;
		break;
	case INSTR:
		d->instr_on = true;
		break;
	case TAB:
	case PTAB:
		put(d, STR("\t"));
		break;
	case BR:
	case CR:
		put(d, STR("\n"));
		break;
	case HYPHEN:
		put(d, STR("-"));
		break;
	case DEL:
	case MOVE_FROM:
		d->deleted++;
		break;
	case TBL:
		flow_table(&d->flow, STR_NONE, false);
		break;
	case TR:
		flow_row(&d->flow, 0);
		break;
	case TC:
		flow_cell(&d->flow, 1);
		break;
	case TXBX:
		flow_push(&d->flow, d->watermark ? ZONE_WATERMARK : flow_zone(&d->flow));
		break;
	case NOTE: /* the line above footnotes has a type */
		if (xml_attr(atts, "type") && strcmp(xml_attr(atts, "type"), "normal") != 0)
			xml_skip(x);
		break;
	case RT: /* how the word beneath it is read */
	case SDT_PR:
		xml_skip(x);
		break;
	default:
		start_about(d, x, id, atts);
	}
}

static void on_end(void *arg, struct xml *x, int id)
{
	struct docx *d = arg;

	switch (id) {
	case ALTERNATE:
		alternates_end(&d->alternates);
		break;
	case P_PR:
		d->in_p_pr = false;
		break;
	case R_PR:
		d->in_r_pr = false;
		break;
	case T:
	case DEL_TEXT:
		d->take = false;
		break;
	case INSTR:
		d->instr_on = false;
		break;
	case R:
		d->hidden = d->p_hidden;
		break;
	case P:
		flow_para_end(&d->flow);
		d->hidden = d->p_hidden = false;
		break;
	case DEL:
	case MOVE_FROM:
		d->deleted--;
		break;
	case TC:
		flow_cell_end(&d->flow);
		break;
	case TBL:
		flow_table_end(&d->flow);
		break;
	case TXBX:
		flow_pop(&d->flow);
		break;
	default:
		break;
	}
	if (d->watermark && xml_depth(x) == d->watermark)
		d->watermark = 0;
}

static void on_text(void *arg, str s)
{
	struct docx *d = arg;

	if (d->take)
		put(d, s);
	else if (d->instr_on && d->instr.n < TEXT_META_VALUE_MAX)
		buf_puts(&d->instr, s);
}

static const struct xml_handler handler = { names, ARRAY_SIZE(names), on_start, on_end, on_text };

/* ---- parts ---- */

static void read_part(struct docx *d, const char *part, enum zone zone, const struct rels *rels)
{
	flow_init(&d->flow, package_sink(d->p), zone);
	d->page_part = zone == ZONE_HEADER || zone == ZONE_FOOTER;
	d->deleted = d->watermark = 0;
	d->alternates = (struct alternates){ 0 };
	d->in_p_pr = d->in_r_pr = d->hidden = d->p_hidden = d->take = d->instr_on = false;
	buf_clear(&d->instr);
	d->rels = rels;
	xml_read(d->p, part, &handler, d);
	flow_finish(&d->flow);
}

struct reading {
	struct docx *d;
	enum zone zone;
};

static void read_related(void *arg, const char *target)
{
	_cleanup_rels_ struct rels rels = { 0 };
	struct reading *r = arg;

	rels_read(r->d->p, target, &rels);
	read_part(r->d, target, r->zone, &rels);
	drawing_read_related(r->d->p, &rels, ZONE_BODY, false);
}

static void free_styles(struct docx *d)
{
	for (size_t i = 0; i < d->n_styles; i++) {
		free(d->styles[i].id);
		free(d->styles[i].base);
	}
	free(d->styles);
}

int docx_read(struct package *p, const char *main)
{
	static const struct {
		const char *type;
		enum zone zone;
	} related[] = {
		{ "header", ZONE_HEADER }, { "footer", ZONE_FOOTER }, { "footnotes", ZONE_NOTE }, { "endnotes", ZONE_NOTE }, { "comments", ZONE_COMMENT },
	};
	struct docx d = { .p = p, .styles = calloc(STYLES_MAX, sizeof(struct style)) };
	_cleanup_rels_ struct rels rels = { 0 };
	const struct rel *styles;

	if (!d.styles)
		return package_fail(p, -ENOMEM);
	rels_read(p, main, &rels);
	styles = rels_find(&rels, NULL, "styles");
	if (styles && !styles->external)
		xml_read(p, styles->target, &style_handler, &d);
	styles_settle(&d);
	read_part(&d, main, ZONE_BODY, &rels);
	for (size_t i = 0; i < ARRAY_SIZE(related); i++)
		rels_each(&rels, related[i].type, read_related, &(struct reading){ &d, related[i].zone });
	drawing_read_related(p, &rels, ZONE_BODY, false);
	free_styles(&d);
	buf_free(&d.instr);
	return package_error(p);
}
