/* pptx, pptm, ppsx, potx…: slides in their order, with notes and comments; then what layouts and masters say on every slide. */
#include <errno.h>
#include <strings.h>

#include "extract/formats/ooxml.h"

#define SLIDES_MAX 20000

enum id { SLIDE = 1 };
static const struct xml_name names[] = { { "sldId", SLIDE } };

struct pptx {
	struct package *p;
	const struct rels *rels;   /* of the presentation */
	char **slides;             /* members, in order */
	size_t n_slides;
};

static void on_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct pptx *t = arg;
	const char *rid = id == SLIDE ? xml_attr_prefixed(atts, "id") : NULL;
	const struct rel *r = rid ? rels_find(t->rels, rid, NULL) : NULL;

	if (r && !r->external && t->n_slides < SLIDES_MAX)
		t->slides[t->n_slides++] = r->target;
}

static void on_end(void *arg, struct xml *x, int id)
{
}

static void on_text(void *arg, str s)
{
}

static const struct xml_handler handler = { names, ARRAY_SIZE(names), on_start, on_end, on_text };

static void read_notes(void *arg, const char *part)
{
	_cleanup_rels_ struct rels r = { 0 };
	struct pptx *t = arg;
	bool hidden = false;

	rels_read(t->p, part, &r);
	shapes_read(t->p, part, &r, SHAPES_NOTES, &hidden);
}

static void read_comments(void *arg, const char *part)
{
	drawing_read(((struct pptx *)arg)->p, part, ZONE_COMMENT, false);
}

/* A member is given once: a layout that many slides have is read with the first. */
static void read_master(void *arg, const char *part)
{
	_cleanup_rels_ struct rels r = { 0 };
	struct pptx *t = arg;
	bool hidden = false;

	if (!package_enter(t->p))
		return;
	rels_read(t->p, part, &r);
	shapes_read(t->p, part, &r, SHAPES_MASTER, &hidden);
	rels_each(&r, "slideMaster", read_master, t);
	package_leave(t->p);
}

static void read_slide(void *arg, const char *part)
{
	_cleanup_rels_ struct rels r = { 0 };
	struct pptx *t = arg;
	bool hidden = false;

	if (sink_full(package_sink(t->p)))
		return;
	rels_read(t->p, part, &r);
	shapes_read(t->p, part, &r, SHAPES_SLIDE, &hidden);
	drawing_read_related(t->p, &r, ZONE_BODY, hidden);
	rels_each(&r, "notesSlide", read_notes, t);
	rels_each(&r, "comments", read_comments, t);
	rels_each(&r, "slideLayout", read_master, t);
}

int pptx_read(struct package *p, const char *main)
{
	_cleanup_rels_ struct rels rels = { 0 };
	struct pptx t = { .p = p, .rels = &rels, .slides = calloc(SLIDES_MAX, sizeof(char *)) };

	if (!t.slides)
		return package_fail(p, -ENOMEM);
	rels_read(p, main, &rels);
	xml_read(p, main, &handler, &t);
	for (size_t i = 0; i < t.n_slides; i++)
		read_slide(&t, t.slides[i]);
	/* Those that stand in no list (a damaged presentation, another program's way): given once, nothing comes twice. */
	rels_each(&rels, "slide", read_slide, &t);
	for (size_t i = 0; package_name(p, i); i++)
		if (!t.n_slides && strncasecmp(package_name(p, i), "ppt/slides/slide", 16) == 0)
			read_slide(&t, package_name(p, i));
	rels_each(&rels, "slideMaster", read_master, &t);
	free(t.slides);
	return package_error(p);
}
