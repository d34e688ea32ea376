/* Office Open XML: what kind it is, relations, then the kind's reader, and what is embedded. */
#include "extract/formats/ooxml.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "extract/formats/properties.h"

extern const struct format format_archive;

/* ---- relations ---- */

enum { REL = 1 };
static const struct xml_name rel_names[] = { { "Relationship", REL } };

struct rels_reading {
	struct rels *r;
	const char *part;
	size_t cap;
	bool failed;
};

/* A target is relative to its part's folder; what would leave the package stays at its root. */
static char *resolve(const char *part, const char *target)
{
	const char *slash = strrchr(part, '/');
	size_t dir = *target == '/' || !slash ? 0 : (size_t)(slash - part) + 1, n = 0;
	char *s = malloc(dir + strlen(target) + 1);

	if (!s)
		return NULL;
	memcpy(s, part, dir);
	n = dir;
	while (*target == '/')
		target++;
	while (*target) {
		size_t k = strcspn(target, "/\\");

		if (k == 2 && target[0] == '.' && target[1] == '.') {
			n -= n > 0;
			while (n && s[n - 1] != '/')
				n--;
		} else if (k && !(k == 1 && target[0] == '.')) {
			memcpy(s + n, target, k);
			n += k;
			if (target[k])
				s[n++] = '/';
		}
		target += k + (target[k] != 0);
	}
	s[n] = 0;
	return s;
}

static void rel_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct rels_reading *g = arg;
	const char *type = xml_attr(atts, "Type"), *target = xml_attr(atts, "Target"), *rid = xml_attr(atts, "Id"), *mode =
			xml_attr(atts, "TargetMode");
	struct rel *r;

	if (id != REL || !type || !target || !rid || g->r->n >= RELS_MAX || g->failed)
		return;
	if (g->r->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 16;

		r = realloc(g->r->v, cap * sizeof(*r));
		if (!r) {
			g->failed = true;
			return;
		}
		g->r->v = r;
		g->cap = cap;
	}
	r = &g->r->v[g->r->n];
	r->external = mode && strcasecmp(mode, "External") == 0;
	r->id = strdup(rid);
	r->type = strdup(strrchr(type, '/') ? strrchr(type, '/') + 1 : type);
	r->target = r->external ? strdup(target) : resolve(g->part, target);
	g->r->n++;
	g->failed = !r->id || !r->type || !r->target;
}

static void nothing_end(void *arg, struct xml *x, int id)
{
}

static void nothing_text(void *arg, str s)
{
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(const struct rel *const *)a)->id, (*(const struct rel *const *)b)->id);
}

static int id_cmp(const void *key, const void *r)
{
	return strcmp(key, (*(const struct rel *const *)r)->id);
}

static bool index_rels(struct rels *r)
{
	r->by_id = malloc((r->n + 1) * sizeof(struct rel *));
	for (size_t i = 0; r->by_id && i < r->n; i++)
		r->by_id[i] = &r->v[i];
	if (r->by_id)
		qsort(r->by_id, r->n, sizeof(*r->by_id), by_id);
	return r->by_id != NULL;
}

static const struct xml_handler rel_handler = { rel_names, ARRAY_SIZE(rel_names), rel_start, nothing_end, nothing_text };

int rels_read(struct package *p, const char *part, struct rels *ret)
{
	struct rels_reading g = { .r = ret, .part = part };
	_cleanup_buf_ struct buf name = BUF_INIT;
	const char *slash = strrchr(part, '/'), *file;
	int r;

	*ret = (struct rels){ 0 };
	buf_put(&name, part, slash ? (size_t)(slash - part) + 1 : 0);
	buf_putf(&name, "_rels/%s.rels", slash ? slash + 1 : part);
	file = buf_cstr(&name);
	r = file ? xml_read(p, file, &rel_handler, &g) : -ENOMEM;
	if (g.failed || !index_rels(ret)) {
		rels_free(ret);
		*ret = (struct rels){ 0 };
		return package_fail(p, -ENOMEM);
	}
	return r == -ENOENT ? 0 : r;
}

void rels_free(struct rels *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].id);
		free(r->v[i].type);
		free(r->v[i].target);
	}
	free(r->v);
	free(r->by_id);
}

const struct rel *rels_find(const struct rels *r, const char *id, const char *type)
{
	if (id) {
		const struct rel **f = r->n ? bsearch(id, r->by_id, r->n, sizeof(*f), id_cmp) : NULL;

		return f && (!type || strcasecmp((*f)->type, type) == 0) ? *f : NULL;
	}
	for (size_t i = 0; i < r->n; i++)
		if (strcasecmp(r->v[i].type, type) == 0)
			return &r->v[i];
	return NULL;
}

void rels_each(const struct rels *r, const char *type, void (*f)(void *arg, const char *target), void *arg)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i].external && strcasecmp(r->v[i].type, type) == 0)
			f(arg, r->v[i].target);
}

/* ---- the same content for several readers ---- */

static uint64_t level(const struct alternates *a)
{
	return 1ull << (a->depth & 63);
}

void alternates_begin(struct alternates *a)
{
	a->depth++;
	a->taken &= ~level(a);
}

void alternates_one(struct alternates *a, struct xml *x)
{
	if (a->taken & level(a))
		xml_skip(x);
	else
		a->taken |= level(a);
}

void alternates_end(struct alternates *a)
{
	a->depth--;
}

/* ---- what kind ---- */

static const struct kind {
	const char *content; /* stands in the main part's content type */
	const char *mime;
	const char *main;    /* where it usually is */
	int (*read)(struct package *p, const char *main);
} kinds[] = {
#define OPEN "application/vnd.openxmlformats-officedocument."
	{ "wordprocessingml.document.main", OPEN "wordprocessingml.document", "word/document.xml", docx_read },
	{ "wordprocessingml.template.main", OPEN "wordprocessingml.template", NULL, docx_read },
	{ "ms-word.document.macroEnabled", "application/vnd.ms-word.document.macroEnabled.12", NULL, docx_read },
	{ "ms-word.template.macroEnabled", "application/vnd.ms-word.template.macroEnabled.12", NULL, docx_read },
	{ "spreadsheetml.sheet.main", OPEN "spreadsheetml.sheet", "xl/workbook.xml", xlsx_read },
	{ "spreadsheetml.template.main", OPEN "spreadsheetml.template", NULL, xlsx_read },
	{ "ms-excel.sheet.macroEnabled", "application/vnd.ms-excel.sheet.macroEnabled.12", NULL, xlsx_read },
	{ "ms-excel.template.macroEnabled", "application/vnd.ms-excel.template.macroEnabled.12", NULL, xlsx_read },
	{ "ms-excel.addin.macroEnabled", "application/vnd.ms-excel.addin.macroEnabled.12", NULL, xlsx_read },
	{ "ms-excel.sheet.binary", "application/vnd.ms-excel.sheet.binary.macroEnabled.12", "xl/workbook.bin", xlsb_read },
	{ "presentationml.presentation.main", OPEN "presentationml.presentation", "ppt/presentation.xml", pptx_read },
	{ "presentationml.slideshow.main", OPEN "presentationml.slideshow", NULL, pptx_read },
	{ "presentationml.template.main", OPEN "presentationml.template", NULL, pptx_read },
	{ "ms-powerpoint.presentation.macroEnabled", "application/vnd.ms-powerpoint.presentation.macroEnabled.12", NULL, pptx_read },
	{ "ms-powerpoint.slideshow.macroEnabled", "application/vnd.ms-powerpoint.slideshow.macroEnabled.12", NULL, pptx_read },
	{ "ms-powerpoint.template.macroEnabled", "application/vnd.ms-powerpoint.template.macroEnabled.12", NULL, pptx_read },
	{ "ms-powerpoint.addin.macroEnabled", "application/vnd.ms-powerpoint.addin.macroEnabled.12", NULL, pptx_read },
#undef OPEN
};

enum { TYPE_OVERRIDE = 1, TYPE_DEFAULT };
static const struct xml_name type_names[] = { { "Default", TYPE_DEFAULT }, { "Override", TYPE_OVERRIDE } };

struct typing {
	const struct kind *kind;
	char *main; /* the root relations know it, or the types do */
	bool by_relation;
};

static void type_start(void *arg, struct xml *x, int id, const char **atts)
{
	const char *type = xml_attr(atts, "ContentType"), *part = xml_attr(atts, "PartName");
	struct typing *t = arg;

	if (!type || (id == TYPE_OVERRIDE && !part) || !id)
		return;
	if (id == TYPE_OVERRIDE && t->by_relation && strcasecmp(part + (*part == '/'), t->main) != 0)
		return;
	for (size_t i = 0; !t->kind && i < ARRAY_SIZE(kinds); i++) {
		if (!strcasestr(type, kinds[i].content))
			continue;
		t->kind = &kinds[i];
		if (!t->main && part)
			t->main = strdup(part + (*part == '/'));
	}
}

static const struct xml_handler type_handler = { type_names, ARRAY_SIZE(type_names), type_start, nothing_end, nothing_text };

static void find_kind(struct package *p, const struct rels *root, struct typing *t)
{
	const struct rel *main = rels_find(root, NULL, "officeDocument");

	if (main && !main->external && package_has(p, main->target)) {
		t->main = strdup(main->target);
		t->by_relation = t->main != NULL;
	}
	xml_read(p, "[Content_Types].xml", &type_handler, t);
	for (size_t i = 0; (!t->kind || !t->main) && i < ARRAY_SIZE(kinds); i++) {
		if (!kinds[i].main || !package_has(p, kinds[i].main))
			continue;
		t->kind = &kinds[i];
		free(t->main);
		t->main = strdup(kinds[i].main);
	}
}

/* ---- the whole ---- */

static bool ends(const char *name, const char *const *endings, size_t n)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < n; i++)
		if (strcasecmp(dot + 1, endings[i]) == 0)
			return true;
	return false;
}

static enum package_use use(const char *name)
{
	static const char *const pictures[] = { "png", "jpg", "jpeg", "jfif", "gif", "bmp", "tif", "tiff", "emf", "wmf", "emz", "wmz", "svg",
		"webp", "wdp", "ico" };
	static const char *const machinery[] = { "odttf", "fntdata", "ttf", "otf", "sigs", "rels", "xml", "vml", "dat" };
	static const char *const folders[] = { "printerSettings", "activeX", "ctrlProps", "customUI", "vbaProject", "vbaData", "attachedToolbars",
		"docProps/thumbnail",
		"xl/model", "_xmlsignatures", "fonts/" };

	if (ends(name, machinery, ARRAY_SIZE(machinery)) || name[strlen(name) - 1] == '/')
		return PACKAGE_SKIP;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (strcasestr(name, folders[i]))
			return PACKAGE_SKIP;
	return ends(name, pictures, ARRAY_SIZE(pictures)) ? PACKAGE_IMAGE : PACKAGE_PART;
}

static int bid(struct in *in, str head)
{
	return package_has_member(in, head, "[Content_Types].xml") ? 60 : 0;
}

static int read_ooxml(struct in *in, struct sink *s)
{
	_cleanup_rels_ struct rels root = { 0 };
	struct typing t = { 0 };
	struct package *p;
	int r = package_open(in, s, &p);

	if (r < 0)
		return r;
	rels_read(p, "", &root);
	find_kind(p, &root, &t);
	if (!t.kind || !t.main) {
		/* A package of something else (drawings of other programs, fonts): its members are still there to be read. */
		r = package_error(p);
		free(t.main);
		package_close(p);
		return r == -EMSGSIZE || r == -ENOMEM ? r : format_archive.read(in, s);
	}
	sink_type(s, t.kind->mime);
	properties_read(p, &root);
	t.kind->read(p, t.main);
	package_media(p, use);
	r = package_error(p);
	free(t.main);
	package_close(p);
	return r;
}

const struct format format_ooxml = {
	.name = "ooxml", .mime = "application/vnd.openxmlformats-officedocument", .bid = bid, .read = read_ooxml, .prepare = xml_prepare,
};
