/* ooxml.h — what docx, xlsx and pptx share: relations, properties, labels, DrawingML.
 *
 * Purpose: a package's parts by their relations; the text of shapes, charts and diagrams. Ownership: struct rels owns its strings
 * (rels_free).
 * Units: bytes. Threads: one. Errors: negative errno of format.h; a part that is damaged is the package's error, and reading goes on.
 */
#ifndef TYTO_EXTRACT_OOXML_H
#define TYTO_EXTRACT_OOXML_H

#include "extract/formats/flow.h"
#include "extract/formats/xml.h"

#define RELS_MAX 20000 /* of one part */

struct rel {
	char *id;
	char *type;    /* last component of the type: "header", "slide" */
	char *target;  /* member's name, or as written where external */
	bool external;
};

struct rels {
	struct rel *v;
	const struct rel **by_id;
	size_t n;
};

/* Those of a part ("" the package); none where there are none. */
int rels_read(struct package *p, const char *part, struct rels *ret);
void rels_free(struct rels *r);
#define _cleanup_rels_ _cleanup_(rels_free)
/* By id (and type, where it is not NULL), or the first of a type. NULL: no such. */
const struct rel *rels_find(const struct rels *r, const char *id, const char *type);
/* Calls f for each internal one of the type. */
void rels_each(const struct rels *r, const char *type, void (*f)(void *arg, const char *target), void *arg);

/* The same content for several readers (mc:AlternateContent), nested: the first choice is read, the others are passed over. */
struct alternates {
	uint64_t taken; /* a bit a level */
	unsigned depth;
};
void alternates_begin(struct alternates *a);
/* A choice, or what is there for those who know none. */
void alternates_one(struct alternates *a, struct xml *x);
void alternates_end(struct alternates *a);

/* formats/docx.c, xlsb.c, xlsx.c, pptx.c: the main part and all that it refers to. */
int docx_read(struct package *p, const char *main);
int xlsb_read(struct package *p, const char *main);
int xlsx_read(struct package *p, const char *main);
int pptx_read(struct package *p, const char *main);

/* A header or footer of a sheet, as Excel writes it: codes between the text. */
void xlsx_page(struct flow *f, str s, enum zone zone);

/* formats/drawing.c. A drawing of a sheet, a chart, a diagram, with what it refers to; zone of its text. */
void drawing_read(struct package *p, const char *part, enum zone zone, bool hidden);
/* Charts and diagrams among a part's relations. */
void drawing_read_related(struct package *p, const struct rels *r, enum zone zone, bool hidden);

/* Slides, layouts, masters, notes: shapes by their placeholders. */
enum shapes { SHAPES_SLIDE, SHAPES_NOTES, SHAPES_MASTER /* only what is no placeholder */ };
void shapes_read(struct package *p, const char *part, const struct rels *r, enum shapes kind, bool *hidden);

#endif
