/* XMP packets, by expat without namespaces: prefixes are what everybody writes. A document type is not wanted: nothing can be expanded. */
#include <expat.h>

#include "extract/formats/msip.h"
#include "extract/formats/picture.h"

#define XMP_MAX (4u << 20)
#define DEPTH_MAX 32
#define NAME_ROOM 128

static const struct {
	const char *name, *key;
} rows[] = {
	{ "dc:title", "title" },          { "dc:creator", "author" },     { "dc:description", "subject" },  { "dc:subject", "keywords" },
	{ "pdf:Keywords", "keywords" },   { "pdf:Producer", "producer" }, { "xmp:CreatorTool", "producer" }, { "photoshop:Headline", "subject" },
	{ "dc:rights", "custom:Rights" }, { "photoshop:Instructions", "comments" }, { "exif:UserComment", "comments" },
};

struct reader {
	XML_Parser parser;
	struct sink *s;
	struct msip labels;
	unsigned depth;
	char names[DEPTH_MAX][NAME_ROOM];
	struct buf text;
};

static void put(struct reader *r, const char *name, str value)
{
	const char *local = strchr(name, ':');

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(name, rows[i].name) == 0)
			sink_meta(r->s, rows[i].key, value);
	msip_take(&r->labels, str_c(local ? local + 1 : name), value);
}

static void on_start(void *arg, const char *name, const char **attrs)
{
	struct reader *r = arg;

	if (r->depth >= DEPTH_MAX) {
		XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	snprintf(r->names[r->depth++], NAME_ROOM, "%s", name);
	buf_clear(&r->text);
	for (; attrs[0]; attrs += 2)
		if (strcmp(name, "rdf:Description") == 0)
			put(r, attrs[0], str_c(attrs[1]));
}

static void on_end(void *arg, const char *name)
{
	struct reader *r = arg;
	str v = buf_str(&r->text);

	while (v.n && strchr(" \t\r\n", v.p[v.n - 1]))
		v.n--;
	while (v.n && strchr(" \t\r\n", v.p[0]))
		v = (str){ v.p + 1, v.n - 1 };
	/* The property is the nearest one that is no list of RDF. */
	for (unsigned i = r->depth; v.n && i-- > 0;)
		if (strncmp(r->names[i], "rdf:", 4) != 0) {
			put(r, r->names[i], v);
			break;
		}
	buf_clear(&r->text);
	r->depth -= r->depth > 0;
}

static void on_text(void *arg, const char *p, int n)
{
	struct reader *r = arg;

	if (r->text.n < TEXT_META_VALUE_MAX)
		buf_put(&r->text, p, (size_t)n);
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	XML_StopParser(((struct reader *)arg)->parser, XML_FALSE);
}

void xmp_properties(str packet, struct sink *s)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return;
	r->s = s;
	r->parser = XML_ParserCreate(NULL);
	if (r->parser) {
		XML_SetUserData(r->parser, r);
		XML_SetElementHandler(r->parser, on_start, on_end);
		XML_SetCharacterDataHandler(r->parser, on_text);
		XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
		/* What is damaged at its end has said the rest. */
		XML_Parse(r->parser, packet.p, (int)MIN(packet.n, (size_t)XMP_MAX), 1);
		msip_put(&r->labels, s, 3);
		XML_ParserFree(r->parser);
	}
	msip_free(&r->labels);
	buf_free(&r->text);
	free(r);
}
