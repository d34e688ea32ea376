/* odt, ods, odp and their templates, zipped or as one flat XML: one vocabulary for all three. */
#include <errno.h>
#include <strings.h>

#include "extract/formats/flow.h"
#include "extract/formats/properties.h"

#define STYLES_MAX 65536
#define SPACES_MAX 256

extern const struct format format_archive;

enum id {
	A = 1, ANNOTATION, BINARY, CELL, CHANGES, CHANGE_INFO, DECL_FOOTER, DECL_HEADER, DESC, FOOTER, FRAME, HEADER, HIDDEN_TEXT, LINE_BREAK,
	MASTER, NOTE_BODY,
	NOTE_CITE, NOTES, P, PAGE, PAGE_PROP, RUBY_TEXT, S, SECTION, SHAPE, SHAPES, SPAN, STYLE, TAB, TABLE, TABLE_PROP, TEXT_PROP, TITLE, ROW,
	WHO,
};

static const struct xml_name names[] = {
	{ "a", A }, { "annotation", ANNOTATION }, { "binary-data", BINARY }, { "change-info", CHANGE_INFO }, { "covered-table-cell", CELL },
	{ "creator", WHO }, { "creator-initials", WHO }, { "custom-shape", SHAPE }, { "date", WHO }, { "desc", DESC },
	{ "drawing-page-properties", PAGE_PROP }, { "font-face-decls", BINARY }, { "footer", FOOTER }, { "footer-decl", DECL_FOOTER },
	{ "footer-first", FOOTER }, { "footer-left", FOOTER }, { "frame", FRAME }, { "h", P }, { "header", HEADER },
	{ "header-decl", DECL_HEADER }, { "header-first", HEADER }, { "header-left", HEADER }, { "hidden-text", HIDDEN_TEXT },
	{ "line-break", LINE_BREAK }, { "master-page", MASTER }, { "meta-creator-initials", WHO }, { "note-body", NOTE_BODY },
	{ "note-citation", NOTE_CITE }, { "notes", NOTES }, { "p", P }, { "page", PAGE }, { "ruby-text", RUBY_TEXT }, { "s", S },
	{ "scripts", BINARY }, { "section", SECTION }, { "shapes", SHAPES }, { "span", SPAN }, { "style", STYLE }, { "tab", TAB },
	{ "table", TABLE }, { "table-cell", CELL }, { "table-properties", TABLE_PROP }, { "table-row", ROW }, { "text-properties", TEXT_PROP },
	{ "title", TITLE }, { "tracked-changes", CHANGES },
};

struct style {
	char *name;
	bool hidden, title;
};

struct odf {
	struct sink *sink;
	struct flow flow;
	struct style *styles;
	size_t n_styles;
	bool sorted;
	unsigned paras[FLOW_LEVELS + 1]; /* depth of the paragraph that is open at this level, 0 none */
	uint64_t pushed;                 /* a bit a level: begun by a paragraph within a paragraph */
	unsigned hidden, watermark, shape, annotation; /* depths, 0 none */
	uint32_t repeat;                 /* of the row at hand */
	bool row_hidden, page_hidden, decl, master, in_master, valued;
	struct buf value;                /* of a cell without words */
};

/* ---- styles ---- */

static int style_cmp(const void *a, const void *b)
{
	const char *x = ((const struct style *)a)->name, *y = ((const struct style *)b)->name;

	return strcmp(x ? x : "", y ? y : "");
}

static const struct style *style_find(struct odf *o, const char *name)
{
	struct style key = { .name = (char *)(uintptr_t)name };

	if (!name || !o->n_styles)
		return NULL;
	if (!o->sorted)
		qsort(o->styles, o->n_styles, sizeof(key), style_cmp);
	o->sorted = true;
	return bsearch(&key, o->styles, o->n_styles, sizeof(key), style_cmp);
}

static bool hides(struct odf *o, const char *name)
{
	const struct style *s = style_find(o, name);

	return s && s->hidden;
}

static bool is(const char *value, const char *want)
{
	return value && strcmp(value, want) == 0;
}

static void style_begin(struct odf *o, const char **atts)
{
	const char *name = xml_attr(atts, "name"), *parent = xml_attr(atts, "parent-style-name"), *shown = xml_attr(atts, "display-name");

	if (!name || o->n_styles >= STYLES_MAX)
		return;
	o->styles[o->n_styles++] = (struct style){ strdup(name), false, is(parent, "Title") || is(name, "Title") || is(shown, "Title") };
	o->sorted = false;
}

/* Properties belong to the style that was begun last. */
static void style_property(struct odf *o, int id, const char **atts)
{
	struct style *s = o->n_styles && !o->sorted ? &o->styles[o->n_styles - 1] : NULL;

	if (!s)
		return;
	if (id == TEXT_PROP)
		s->hidden = s->hidden || is(xml_attr(atts, "display"), "none");
	else if (id == TABLE_PROP)
		s->hidden = s->hidden || is(xml_attr(atts, "display"), "false");
	else
		s->hidden = s->hidden || is(xml_attr(atts, "visibility"), "hidden");
}

/* ---- text ---- */

static unsigned level(const struct odf *o)
{
	return MIN(o->flow.depth, (unsigned)FLOW_LEVELS);
}

static void put(struct odf *o, str s)
{
	if (o->paras[level(o)] || o->decl)
		flow_text(&o->flow, o->hidden ? FLOW_HIDDEN : FLOW_PLAIN, s);
}

static void push(struct odf *o, enum zone zone)
{
	flow_push(&o->flow, zone);
	o->paras[level(o)] = 0;
}

static void pop(struct odf *o)
{
	if (!o->flow.depth)
		return;
	o->paras[level(o)] = 0;
	flow_pop(&o->flow);
}

/* A paragraph within a paragraph is that of a shape. */
static void para_begin(struct odf *o, struct xml *x, const char **atts)
{
	const char *style = xml_attr(atts, "style-name");
	const struct style *s = style_find(o, style);

	if (o->paras[level(o)] && o->flow.depth < FLOW_LEVELS) {
		push(o, o->watermark ? ZONE_WATERMARK : flow_zone(&o->flow));
		o->pushed |= 1ull << level(o);
	} else {
		o->pushed &= ~(1ull << level(o));
	}
	o->paras[level(o)] = xml_depth(x);
	if (s && s->hidden && !o->hidden)
		o->hidden = xml_depth(x);
	if (s ? s->title : is(style, "Title"))
		flow_para_zone(&o->flow, ZONE_TITLE);
}

static void para_end(struct odf *o, struct xml *x)
{
	if (o->paras[level(o)] != xml_depth(x))
		return;
	o->paras[level(o)] = 0;
	flow_para_end(&o->flow);
	if (o->pushed & (1ull << level(o)) && o->flow.depth) {
		o->pushed &= ~(1ull << level(o));
		pop(o);
	}
}

static void spaces(struct odf *o, uint32_t n)
{
	static const char blank[] = "                                ";

	for (n = MIN(n, (uint32_t)SPACES_MAX); n; n -= MIN(n, 32u))
		put(o, (str){ blank, MIN(n, 32u) });
}

/* What a shape of a slide is for. */
static void shape_begin(struct odf *o, struct xml *x, const char **atts)
{
	static const struct {
		const char *class;
		enum zone zone;
	} classes[] = {
		{ "title", ZONE_TITLE }, { "header", ZONE_HEADER }, { "footer", ZONE_FOOTER }, { "date-time", ZONE_FOOTER },
	};
	const char *name = xml_attr(atts, "name"), *class = xml_attr(atts, "class");

	o->shape = xml_depth(x);
	if (name && strcasestr(name, "watermark") && !o->watermark)
		o->watermark = xml_depth(x);
	if (is(class, "page-number") || (o->in_master && class && !is(class, "footer") && !is(class, "header"))) {
		xml_skip(x);
		return;
	}
	if (o->flow.depth || o->paras[0] || o->flow.levels[0].tables)
		return;
	flow_set_zone(&o->flow, o->in_master ? ZONE_FOOTER : ZONE_BODY);
	for (size_t i = 0; class && i < ARRAY_SIZE(classes); i++)
		if (is(class, classes[i].class))
			flow_set_zone(&o->flow, classes[i].zone);
	if (o->watermark)
		flow_set_zone(&o->flow, ZONE_WATERMARK);
}

static void row_begin(struct odf *o, const char **atts)
{
	const char *seen = xml_attr(atts, "visibility");
	uint32_t repeat = xml_number(xml_attr(atts, "number-rows-repeated"), 1, 1u << 24);

	o->row_hidden = is(seen, "collapse") || is(seen, "filter");
	o->flow.hidden = o->page_hidden || o->row_hidden;
	flow_row(&o->flow, o->repeat);
	if (o->flow.levels[0].tables == 1)
		o->repeat = repeat ? repeat - 1 : 0;
}

static void cell_begin(struct odf *o, const char **atts)
{
	static const char *const values[] = { "string-value", "date-value", "time-value", "value" };

	flow_cell(&o->flow, xml_number(xml_attr(atts, "number-columns-repeated"), 1, 1u << 20));
	buf_clear(&o->value);
	for (size_t i = 0; i < ARRAY_SIZE(values) && !o->value.n; i++)
		buf_puts(&o->value, str_c(xml_attr(atts, values[i])));
}

static void cell_end(struct odf *o)
{
	/* Words are as a person sees them; a writer that saves values only is rare. */
	if (o->value.n && o->flow.levels[0].tables == 1 && !o->flow.depth && !o->flow.levels[0].text.n && !o->valued)
		flow_text(&o->flow, FLOW_PLAIN, buf_str(&o->value));
	buf_clear(&o->value);
	o->valued = false;
	flow_cell_end(&o->flow);
}

static void table_begin(struct odf *o, const char **atts)
{
	bool hidden = hides(o, xml_attr(atts, "style-name"));

	if (!o->flow.levels[0].tables) {
		o->page_hidden = hidden;
		o->repeat = 0;
	}
	flow_table(&o->flow, str_c(xml_attr(atts, "name")), hidden);
}

static void table_end(struct odf *o)
{
	flow_table_end(&o->flow);
	if (!o->flow.levels[0].tables)
		o->flow.hidden = o->page_hidden = o->row_hidden = false;
}

static void page_begin(struct odf *o, const char **atts)
{
	o->page_hidden = hides(o, xml_attr(atts, "style-name"));
	o->flow.hidden = o->page_hidden;
	flow_set_zone(&o->flow, ZONE_BODY);
}

/* Begins with a level of its own, ends with on_end. */
static const struct {
	int id;
	enum zone zone;
} leveled[] = {
	{ ANNOTATION, ZONE_COMMENT }, { NOTE_BODY, ZONE_NOTE }, { NOTES, ZONE_NOTE }, { CHANGES, ZONE_DELETED }, { SHAPES, ZONE_BODY },
	{ DECL_HEADER, ZONE_HEADER }, { DECL_FOOTER, ZONE_FOOTER }, { HEADER, ZONE_HEADER }, { FOOTER, ZONE_FOOTER },
};

static bool push_level(struct odf *o, struct xml *x, int id)
{
	for (size_t i = 0; i < ARRAY_SIZE(leveled); i++) {
		if (leveled[i].id != id)
			continue;
		if (id == ANNOTATION)
			o->annotation = xml_depth(x);
		o->decl = id == DECL_HEADER || id == DECL_FOOTER;
		push(o, leveled[i].zone);
		return true;
	}
	return false;
}

static bool pop_level(struct odf *o, int id)
{
	for (size_t i = 0; i < ARRAY_SIZE(leveled); i++) {
		if (leveled[i].id != id)
			continue;
		if (id == ANNOTATION)
			o->annotation = 0;
		pop(o);
		o->decl = false;
		return true;
	}
	return false;
}

static void start_about(struct odf *o, struct xml *x, int id, const char **atts)
{
	switch (id) {
	case A:
		if (xml_attr(atts, "href"))
			flow_link(&o->flow, str_c(xml_attr(atts, "href")));
		break;
	case SPAN:
		if (hides(o, xml_attr(atts, "style-name")) && !o->hidden)
			o->hidden = xml_depth(x);
		break;
	case SECTION:
		if (is(xml_attr(atts, "display"), "none") && !o->hidden)
			o->hidden = xml_depth(x);
		break;
	case HIDDEN_TEXT:
		if (xml_attr(atts, "string-value"))
			flow_text(&o->flow, FLOW_HIDDEN, str_c(xml_attr(atts, "string-value")));
		xml_skip(x);
		break;
	case STYLE:
		style_begin(o, atts);
		break;
	case TEXT_PROP:
	case TABLE_PROP:
	case PAGE_PROP:
		style_property(o, id, atts);
		break;
	case MASTER:
		o->in_master = true;
		flow_set_zone(&o->flow, ZONE_FOOTER);
		break;
	case WHO: /* of a comment; elsewhere a field */
		if (o->annotation && xml_depth(x) == o->annotation + 1)
			xml_skip(x);
		break;
	case TITLE: /* of a picture; elsewhere a field */
		if (o->shape && xml_depth(x) == o->shape + 1)
			xml_skip(x);
		break;
	default:
		break;
	}
}

static void on_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct odf *o = arg;

	switch (id) {
	case P:
		para_begin(o, x, atts);
		break;
	case S:
		spaces(o, xml_number(xml_attr(atts, "c"), 1, SPACES_MAX));
		break;
	case TAB:
		put(o, STR("\t"));
		break;
	case LINE_BREAK:
		put(o, STR("\n"));
		break;
	case TABLE:
		table_begin(o, atts);
		break;
	case ROW:
		row_begin(o, atts);
		break;
	case CELL:
		cell_begin(o, atts);
		break;
	case PAGE:
		page_begin(o, atts);
		break;
	case FRAME:
	case SHAPE:
		shape_begin(o, x, atts);
		break;
	case BINARY:
	case CHANGE_INFO:
	case DESC:
	case NOTE_CITE:
	case RUBY_TEXT:
		xml_skip(x);
		break;
	case NOTES: /* of a master: what to write there */
		if (o->in_master) {
			xml_skip(x);
			break;
		}
		push_level(o, x, id);
		break;
	default:
		if (!push_level(o, x, id))
			start_about(o, x, id, atts);
	}
}

static void on_end(void *arg, struct xml *x, int id)
{
	struct odf *o = arg;

	switch (id) {
	case P:
		para_end(o, x);
		break;
	case TABLE:
		table_end(o);
		break;
	case CELL:
		cell_end(o);
		break;
	case FRAME:
	case SHAPE:
		if (!o->flow.depth && !o->paras[0] && !o->flow.levels[0].tables)
			flow_set_zone(&o->flow, o->in_master ? ZONE_FOOTER : ZONE_BODY);
		break;
	case MASTER:
		o->in_master = false;
		flow_set_zone(&o->flow, ZONE_BODY);
		break;
	case NOTES:
		if (!o->in_master)
			pop_level(o, id);
		break;
	default:
		pop_level(o, id);
	}
	if (o->hidden == xml_depth(x))
		o->hidden = 0;
	if (o->watermark == xml_depth(x))
		o->watermark = 0;
}

static void on_text(void *arg, str s)
{
	put(arg, s);
}

static const struct xml_handler handler = { names, ARRAY_SIZE(names), on_start, on_end, on_text };

/* ---- meta.xml ---- */

static const char *const meta_keys[] = { NULL, "created", "author", "modified", "editor", "comments", "producer", "keywords", "subject",
	"title", "custom", "author" };
static const struct xml_name meta_names[] = {
	{ "creation-date", 1 }, { "creator", 4 }, { "date", 3 }, { "description", 5 }, { "generator", 6 }, { "initial-creator", 2 },
	{ "keyword", 7 },
	{ "subject", 8 }, { "title", 9 }, { "user-defined", 10 },
};

struct meta_reading {
	struct sink *sink;
	struct buf value;
	char name[TEXT_NAME_MAX];
	struct ms_labels labels;
	bool flat, in_meta; /* in a flat document only what stands in office:meta */
};

static void meta_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct meta_reading *m = arg;
	const char *name = xml_attr(atts, "name");

	buf_clear(&m->value);
	snprintf(m->name, sizeof(m->name), "%s", name ? name : "");
}

static void meta_end(void *arg, struct xml *x, int id)
{
	struct meta_reading *m = arg;

	if (id && strcmp(meta_keys[id], "custom") != 0)
		sink_meta(m->sink, meta_keys[id], buf_str(&m->value));
	else if (id && m->name[0])
		properties_custom(m->sink, &m->labels, m->name, buf_str(&m->value));
	buf_clear(&m->value);
}

static void meta_text(void *arg, str s)
{
	struct meta_reading *m = arg;

	if (m->value.n < TEXT_META_VALUE_MAX)
		buf_puts(&m->value, s);
}

static const struct xml_handler meta_handler = { meta_names, ARRAY_SIZE(meta_names), meta_start, meta_end, meta_text };

/* ---- the manifest: what is encrypted ---- */

static const struct xml_name manifest_names[] = { { "encryption-data", 1 } };

static void manifest_start(void *arg, struct xml *x, int id, const char **atts)
{
	if (id) {
		*(bool *)arg = true;
		xml_stop(x);
	}
}

static void manifest_end(void *arg, struct xml *x, int id)
{
}

static void manifest_text(void *arg, str s)
{
}

static const struct xml_handler manifest_handler = { manifest_names, ARRAY_SIZE(manifest_names), manifest_start, manifest_end,
	manifest_text };

/* ---- the whole ---- */

static int odf_begin(struct odf *o, struct sink *s)
{
	*o = (struct odf){ .sink = s, .styles = calloc(STYLES_MAX, sizeof(struct style)) };
	return o->styles ? 0 : -ENOMEM;
}

/* State of one XML; styles stay. */
static void odf_part(struct odf *o)
{
	flow_init(&o->flow, o->sink, ZONE_BODY);
	memset(o->paras, 0, sizeof(o->paras));
	o->pushed = 0;
	o->hidden = o->watermark = o->shape = o->annotation = 0;
	o->repeat = 0;
	o->row_hidden = o->page_hidden = o->decl = o->in_master = o->valued = false;
}

static void odf_end(struct odf *o)
{
	for (size_t i = 0; i < o->n_styles; i++)
		free(o->styles[i].name);
	free(o->styles);
	buf_free(&o->value);
}

static int take_type(void *arg, str s, bool last)
{
	char *mime = arg;

	if (str_starts(s, STR("application/vnd.")) && s.n < 120)
		snprintf(mime, 128, "%.*s", STR_ARG(s));
	return 0;
}

static enum package_use use(const char *name)
{
	static const char *const skipped[] = { "Thumbnails/", "Configurations2/", "ObjectReplacements/", "META-INF/", "Basic/", "Scripts/",
		"layout-cache", "Fonts/" };
	static const char *const pictures[] = { ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".emf", ".wmf", ".svg", ".svm",
		".webp" };
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
		if (strcasestr(name, skipped[i]))
			return PACKAGE_SKIP;
	if (name[n - 1] == '/' || (n > 4 && (strcasecmp(name + n - 4, ".rdf") == 0 || strcasecmp(name + n - 4, ".xml") == 0)))
		return PACKAGE_SKIP;
	for (size_t i = 0; i < ARRAY_SIZE(pictures); i++)
		if (n > strlen(pictures[i]) && strcasecmp(name + n - strlen(pictures[i]), pictures[i]) == 0)
			return PACKAGE_IMAGE;
	return PACKAGE_PART;
}

static bool has(str s, size_t within, const char *word)
{
	return s.p && s.n && memmem(s.p, MIN(s.n, within), word, strlen(word));
}

static int bid(struct in *in, str head)
{
	/* The first member is its type, not packed. */
	if (str_starts(head, STR("PK\3\4")) && has(head, 64, "mimetype") && (has(head, 256, "vnd.oasis.opendocument") ||
	    has(head, 256, "vnd.sun.xml")))
		return 60;
	return package_has_member(in, head, "META-INF/manifest.xml") && package_has_member(in, head, "content.xml") ? 50 : 0;
}

static void read_part(struct package *p, struct odf *o, const char *name)
{
	odf_part(o);
	xml_read(p, name, &handler, o);
	flow_finish(&o->flow);
}

static void read_parts(struct package *p, struct sink *s, struct odf *o)
{
	struct meta_reading m = { .sink = s };

	xml_read(p, "meta.xml", &meta_handler, &m);
	properties_labels_give(s, &m.labels);
	buf_free(&m.value);
	read_part(p, o, "content.xml");
	read_part(p, o, "styles.xml");
	/* Charts and documents that stand inside. */
	for (size_t i = 0; package_name(p, i); i++)
		if (strlen(package_name(p, i)) > 12 && str_ends(str_c(package_name(p, i)), STR("/content.xml")))
			read_part(p, o, package_name(p, i));
	package_media(p, use);
}

static int read_odf(struct in *in, struct sink *s)
{
	char mime[128] = "";
	bool encrypted = false;
	struct package *p;
	struct odf o;
	int r = package_open(in, s, &p);

	if (r < 0)
		return r;
	package_read(p, "mimetype", take_type, mime);
	if (mime[0])
		sink_type(s, mime);
	xml_read(p, "META-INF/manifest.xml", &manifest_handler, &encrypted);
	r = odf_begin(&o, s);
	if (r == 0 && !encrypted && !package_has(p, "encrypted-package"))
		read_parts(p, s, &o);
	else if (r == 0)
		r = -EACCES;
	odf_end(&o);
	if (r == 0)
		r = package_error(p);
	package_close(p);
	return r;
}

const struct format format_odf = { .name = "odf", .mime = "application/vnd.oasis.opendocument", .bid = bid, .read = read_odf,
	.prepare = xml_prepare };

/* ---- flat ---- */

static int flat_bid(struct in *in, str head)
{
	return has(head, head.n, "<office:document") && has(head, head.n, "urn:oasis:names:tc:opendocument:xmlns:office") ? 60 : 0;
}

static int flat_read(struct in *in, struct sink *s)
{
	static const char *const kinds[] = { "text", "spreadsheet", "presentation", "graphics" };
	str head = in_head(in);
	struct odf o;
	int r = odf_begin(&o, s);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char mime[64];

		snprintf(mime, sizeof(mime), "application/vnd.oasis.opendocument.%s", kinds[i]);
		if (has(head, head.n, mime)) {
			snprintf(mime, sizeof(mime), "application/vnd.oasis.opendocument.%s-flat-xml", kinds[i]);
			sink_type(s, mime);
			break;
		}
	}
	if (r == 0) {
		odf_part(&o);
		r = xml_read_in(in, s, &handler, &o);
		flow_finish(&o.flow);
	}
	odf_end(&o);
	return r;
}

const struct format format_odf_flat = {
	.name = "odf-flat", .mime = "application/vnd.oasis.opendocument.text-flat-xml", .bid = flat_bid, .read = flat_read, .prepare = xml_prepare,
};
