/* DrawingML: shapes of slides and sheets, text of charts and diagrams. */
#include <strings.h>

#include "extract/formats/ooxml.h"

enum id { ALTERNATE = 1, CHOICE, FALLBACK, BR, C_NV_PR, FLD, HLINK, P, PH, SHAPE, T, TAB, TBL, TC, TR, VALUE, CACHE, OFF, COMMENT_TEXT,
	R_PH };

static const struct xml_name names[] = {
	{ "AlternateContent", ALTERNATE }, { "Choice", CHOICE }, { "Fallback", FALLBACK }, { "br", BR }, { "cNvPr", C_NV_PR }, { "cxnSp", SHAPE },
	{ "fld", FLD }, { "graphicFrame", SHAPE }, { "hlinkClick", HLINK }, { "numCache", CACHE }, { "off", OFF }, { "p", P }, { "ph", PH },
	{ "pic", SHAPE }, { "rPh", R_PH }, { "sp", SHAPE }, { "strCache", CACHE }, { "t", T }, { "tab", TAB }, { "tbl", TBL }, { "tc", TC },
	{ "text", COMMENT_TEXT }, { "tr", TR }, { "v", VALUE },
};

struct drawing {
	struct package *p;
	struct flow flow;
	const struct rels *rels;
	enum shapes kind;
	enum zone zone;
	bool shapes;       /* placeholders mean something here */
	bool hidden;       /* all of it */
	bool take, value;  /* in a:t; in c:v */
	bool drop;         /* this shape: number of the page, what a master only stands for */
	unsigned shape;
	struct alternates alternates;
	int64_t y;         /* of the shape */
	bool placed;
};

/* What a placeholder is for, and what becomes of its text on slides and in notes. 0: dropped. */
static const struct holder {
	const char *type;
	enum zone slide, notes;
} holders[] = {
	{ "title", ZONE_TITLE, ZONE_MAX_ }, { "ctrTitle", ZONE_TITLE, ZONE_MAX_ }, { "ftr", ZONE_FOOTER, ZONE_FOOTER },
	{ "hdr", ZONE_HEADER, ZONE_HEADER },
	{ "dt", ZONE_FOOTER, ZONE_FOOTER }, { "sldNum", ZONE_MAX_, ZONE_MAX_ }, { "sldImg", ZONE_MAX_, ZONE_MAX_ },
};

static void placeholder(struct drawing *d, const char *type)
{
	if (!d->shapes)
		return;
	/* A master's placeholders hold what to write there; its header and footer are what slides are given. */
	if (d->kind == SHAPES_MASTER)
		d->drop = !type || (strcmp(type, "ftr") != 0 && strcmp(type, "hdr") != 0);
	for (size_t i = 0; type && i < ARRAY_SIZE(holders); i++) {
		enum zone z = d->kind == SHAPES_NOTES ? holders[i].notes : holders[i].slide;

		if (strcmp(type, holders[i].type) != 0)
			continue;
		if (z == ZONE_MAX_)
			d->drop = true;
		else
			flow_set_zone(&d->flow, z);
		return;
	}
}

static void shape_start(struct drawing *d, struct xml *x)
{
	if (d->shape)
		return;
	d->shape = xml_depth(x);
	d->drop = d->placed = false;
	d->flow.hidden = d->hidden;
	flow_set_zone(&d->flow, d->zone);
}

static void shape_about(struct drawing *d, const char **atts)
{
	const char *name = xml_attr(atts, "name");

	if (xml_on(xml_attr(atts, "hidden"), false))
		d->flow.hidden = true;
	if (name && strcasestr(name, "watermark") && d->shapes)
		flow_set_zone(&d->flow, ZONE_WATERMARK);
}

/* Standing words of a master: at the top a header, else a footer. The height of a slide is 6,858,000 or 5,143,500 EMU. */
static void shape_place(struct drawing *d, const char *y)
{
	if (!d->shapes || d->kind != SHAPES_MASTER || d->placed || d->drop || flow_zone(&d->flow) == ZONE_WATERMARK)
		return;
	d->placed = true;
	if (xml_number(y, UINT32_MAX, UINT32_MAX) < 1500000 || (y && *y == '-'))
		flow_set_zone(&d->flow, ZONE_HEADER);
}

static void link_to(struct drawing *d, const char *id)
{
	const struct rel *r = id && d->rels ? rels_find(d->rels, id, NULL) : NULL;

	if (r && r->external)
		flow_link(&d->flow, str_c(r->target));
}

static void put(struct drawing *d, str s)
{
	if (!d->drop)
		flow_text(&d->flow, FLOW_PLAIN, s);
}

static void on_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct drawing *d = arg;

	switch (id) {
	case ALTERNATE:
		alternates_begin(&d->alternates);
		break;
	case CHOICE:
	case FALLBACK:
		alternates_one(&d->alternates, x);
		break;
	case SHAPE:
		shape_start(d, x);
		break;
	case C_NV_PR:
		shape_about(d, atts);
		break;
	case PH:
		placeholder(d, xml_attr(atts, "type"));
		break;
	case OFF:
		shape_place(d, xml_attr(atts, "y"));
		break;
	case R_PH:
		xml_skip(x);
		break;
	case FLD: /* the number of the slide is no text */
		if (xml_attr(atts, "type") && strcmp(xml_attr(atts, "type"), "slidenum") == 0)
			xml_skip(x);
		break;
	case HLINK:
		link_to(d, xml_attr_prefixed(atts, "id"));
		break;
	case T:
	case COMMENT_TEXT:
		d->take = true;
		break;
	case VALUE:
		d->value = true;
		break;
	case BR:
		put(d, STR("\n"));
		break;
	case TBL:
		if (d->shapes)
			flow_table(&d->flow, STR_NONE, d->flow.hidden);
		break;
	case TR:
		flow_row(&d->flow, 0);
		break;
	case TC:
		flow_cell(&d->flow, 1);
		break;
	default:
		break;
	}
}

static void on_end(void *arg, struct xml *x, int id)
{
	struct drawing *d = arg;

	switch (id) {
	case ALTERNATE:
		alternates_end(&d->alternates);
		break;
	case T:
		d->take = false;
		break;
	case COMMENT_TEXT:
		d->take = false;
		flow_para_end(&d->flow);
		break;
	case VALUE:
		d->value = false;
		put(d, STR("\n"));
		break;
	case CACHE:
	case P:
		flow_para_end(&d->flow);
		break;
	case TC:
		flow_cell_end(&d->flow);
		break;
	case TBL:
		if (d->shapes)
			flow_table_end(&d->flow);
		break;
	case SHAPE:
		if (d->shape != xml_depth(x))
			break;
		d->shape = 0;
		flow_para_end(&d->flow);
		d->drop = false;
		d->flow.hidden = d->hidden;
		flow_set_zone(&d->flow, d->zone);
		break;
	default:
		break;
	}
}

static void on_text(void *arg, str s)
{
	struct drawing *d = arg;

	if (d->take || d->value)
		put(d, s);
}

static const struct xml_handler handler = { names, ARRAY_SIZE(names), on_start, on_end, on_text };

/* ---- slides ---- */

struct slide {
	struct drawing d;
	bool show;
	bool *hidden;
};

/* The root says whether a slide is shown; everything else is a drawing. */
static void slide_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct slide *s = arg;

	if (xml_depth(x) == 1) {
		s->d.hidden = s->d.hidden || !xml_on(xml_attr(atts, "show"), true);
		s->d.flow.hidden = s->d.hidden;
	}
	on_start(&s->d, x, id, atts);
}

static void slide_end(void *arg, struct xml *x, int id)
{
	on_end(&((struct slide *)arg)->d, x, id);
}

static void slide_text(void *arg, str s)
{
	on_text(&((struct slide *)arg)->d, s);
}

static const struct xml_handler slide_handler = { names, ARRAY_SIZE(names), slide_start, slide_end, slide_text };

void shapes_read(struct package *p, const char *part, const struct rels *r, enum shapes kind, bool *hidden)
{
	static const enum zone zones[] = { [SHAPES_SLIDE] = ZONE_BODY, [SHAPES_NOTES] = ZONE_NOTE, [SHAPES_MASTER] = ZONE_FOOTER };
	struct slide s = { .d = { .p = p, .rels = r, .kind = kind, .zone = zones[kind], .shapes = true, .hidden = *hidden } };

	flow_init(&s.d.flow, package_sink(p), s.d.zone);
	s.d.flow.hidden = s.d.hidden;
	xml_read(p, part, &slide_handler, &s);
	flow_finish(&s.d.flow);
	*hidden = s.d.hidden;
}

/* ---- drawings, charts, diagrams ---- */

struct related {
	struct package *p;
	enum zone zone;
	bool hidden;
};

static void read_one(void *arg, const char *part)
{
	struct related *g = arg;

	drawing_read(g->p, part, g->zone, g->hidden);
}

void drawing_read_related(struct package *p, const struct rels *r, enum zone zone, bool hidden)
{
	static const char *const types[] = { "chart", "chartEx", "diagramData", "chartUserShapes" };
	struct related g = { p, zone, hidden };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		rels_each(r, types[i], read_one, &g);
}

void drawing_read(struct package *p, const char *part, enum zone zone, bool hidden)
{
	_cleanup_rels_ struct rels r = { 0 };
	struct drawing d = { .p = p, .rels = &r, .zone = zone, .hidden = hidden };

	if (!package_enter(p))
		return;
	rels_read(p, part, &r);
	flow_init(&d.flow, package_sink(p), zone);
	d.flow.hidden = hidden;
	xml_read(p, part, &handler, &d);
	flow_finish(&d.flow);
	drawing_read_related(p, &r, zone, hidden);
	package_leave(p);
}
