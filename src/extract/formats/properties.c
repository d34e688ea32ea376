/* docProps/core.xml, app.xml, custom.xml and docMetadata/LabelInfo.xml. */
#include "extract/formats/properties.h"

#include <ctype.h>
#include <strings.h>

enum { PROP_CUSTOM = 1, PROP_LABEL };

/* Sorted by element; the id of an element is its place, from 1. */
static const struct plain {
	const char *element, *key;
} plains[] = {
	{ "Application", "producer" }, { "Company", "company" }, { "Manager", "manager" }, { "category", "category" },
	{ "contentStatus", "status" }, { "created", "created" }, { "creator", "author" }, { "description", "comments" },
	{ "keywords", "keywords" }, { "lastModifiedBy", "editor" },
	{ "modified", "modified" }, { "subject", "subject" }, { "title", "title" },
};
static const struct xml_name plain_names[] = {
	{ "Application", 1 }, { "Company", 2 }, { "Manager", 3 }, { "category", 4 }, { "contentStatus", 5 }, { "created", 6 }, { "creator", 7 },
	{ "description", 8 }, { "keywords", 9 }, { "lastModifiedBy", 10 }, { "modified", 11 }, { "subject", 12 }, { "title", 13 },
};
_Static_assert(ARRAY_SIZE(plains) == ARRAY_SIZE(plain_names), "one key for each name");

struct reading {
	struct sink *sink;
	struct buf value;
	char name[TEXT_NAME_MAX];
	struct ms_labels labels;
};

static void take_text(void *arg, str s)
{
	struct reading *r = arg;

	if (r->value.n < TEXT_META_VALUE_MAX)
		buf_puts(&r->value, s);
}

static void plain_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct reading *r = arg;

	buf_clear(&r->value);
}

static void plain_end(void *arg, struct xml *x, int id)
{
	struct reading *r = arg;

	if (id)
		sink_meta(r->sink, plains[id - 1].key, buf_str(&r->value));
	buf_clear(&r->value);
}

static const struct xml_handler plain_handler = { plain_names, ARRAY_SIZE(plain_names), plain_start, plain_end, take_text };

/* ---- custom ---- */

static void guid_put(char out[static 40], const char *s, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k < 39; i++)
		if (s[i] != '{' && s[i] != '}')
			out[k++] = (char)tolower((unsigned char)s[i]);
	out[k] = 0;
}

void properties_custom(struct sink *s, struct ms_labels *l, const char *name, str value)
{
	static const char prefix[] = "MSIP_Label_";
	const char *guid = name + sizeof(prefix) - 1, *field = NULL;
	char key[TEXT_NAME_MAX], id[40];
	size_t i;

	if (strncasecmp(name, prefix, sizeof(prefix) - 1) == 0)
		field = strchr(guid, '_');
	if (!field) {
		snprintf(key, sizeof(key), "custom:%s", name);
		for (char *c = key; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		sink_meta(s, key, value);
		return;
	}
	guid_put(id, guid, (size_t)(field - guid));
	for (i = 0; i < l->n && strcmp(l->v[i].guid, id) != 0; i++)
		;
	if (i == PROPERTIES_LABELS_MAX)
		return;
	if (i == l->n) {
		memcpy(l->v[i].guid, id, sizeof(id));
		l->v[i].name[0] = 0;
		l->v[i].enabled = false;
		l->n++;
	}
	if (strcasecmp(field, "_Enabled") == 0)
		l->v[i].enabled = value.n && (value.p[0] == '1' || (value.n == 4 && strncasecmp(value.p, "true", 4) == 0));
	if (strcasecmp(field, "_Name") == 0)
		snprintf(l->v[i].name, sizeof(l->v[i].name), "%.*s", STR_ARG(value));
}

void properties_labels_give(struct sink *s, const struct ms_labels *l)
{
	for (size_t i = 0; i < l->n; i++)
		sink_mslabel(s, &(struct mslabel){ .guid = str_c(l->v[i].guid), .name = str_c(l->v[i].name), .enabled = l->v[i].enabled, .source = 2 });
}

static const struct xml_name custom_names[] = { { "property", PROP_CUSTOM } };

static void custom_start(void *arg, struct xml *x, int id, const char **atts)
{
	struct reading *r = arg;
	const char *name = xml_attr(atts, "name");

	buf_clear(&r->value);
	if (id == PROP_CUSTOM)
		snprintf(r->name, sizeof(r->name), "%s", name ? name : "");
}

static void custom_end(void *arg, struct xml *x, int id)
{
	struct reading *r = arg;

	if (id == PROP_CUSTOM && r->name[0])
		properties_custom(r->sink, &r->labels, r->name, buf_str(&r->value));
}

static const struct xml_handler custom_handler = { custom_names, ARRAY_SIZE(custom_names), custom_start, custom_end, take_text };

/* ---- LabelInfo ---- */

static const struct xml_name label_names[] = { { "label", PROP_LABEL } };

static void label_start(void *arg, struct xml *x, int id, const char **atts)
{
	const char *guid = xml_attr(atts, "id"), *name = xml_attr(atts, "name");
	struct reading *r = arg;
	char g[40];

	if (id != PROP_LABEL || !guid)
		return;
	guid_put(g, guid, strlen(guid));
	sink_mslabel(r->sink, &(struct mslabel){ .guid = str_c(g), .name = str_c(name ? name : ""), .source = 1,
		.enabled = xml_on(xml_attr(atts, "enabled"), false) && !xml_on(xml_attr(atts, "removed"), false) });
}

static void label_end(void *arg, struct xml *x, int id)
{
}

static const struct xml_handler label_handler = { label_names, ARRAY_SIZE(label_names), label_start, label_end, take_text };

void properties_read(struct package *p, const struct rels *root)
{
	static const struct {
		const char *type, *name;
		const struct xml_handler *h;
	} parts[] = {
		{ "classificationlabels", "docMetadata/LabelInfo.xml", &label_handler },
		{ "core-properties", "docProps/core.xml", &plain_handler },
		{ "extended-properties", "docProps/app.xml", &plain_handler },
		{ "custom-properties", "docProps/custom.xml", &custom_handler },
	};
	struct reading r = { .sink = package_sink(p) };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct rel *rel = rels_find(root, NULL, parts[i].type);

		xml_read(p, rel && !rel->external ? rel->target : parts[i].name, parts[i].h, &r);
	}
	/* Where the relation leads nowhere, or there is none. */
	xml_read(p, "docMetadata/LabelInfo.xml", &label_handler, &r);
	properties_labels_give(r.sink, &r.labels);
	buf_free(&r.value);
}
