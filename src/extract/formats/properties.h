/* properties.h — title, author, company…, custom properties and sensitivity labels of an OOXML package.
 *
 * Purpose: docProps and docMetadata/LabelInfo.xml into sink_meta and sink_mslabel. Ownership: none. Units: none. Threads: one.
 * Errors: a damaged part is the package's error.
 */
#ifndef TYTO_EXTRACT_PROPERTIES_H
#define TYTO_EXTRACT_PROPERTIES_H

#include "extract/formats/ooxml.h"

#define PROPERTIES_LABELS_MAX 64

void properties_read(struct package *p, const struct rels *root);

/* A custom property, whatever the format: "custom:NAME", or gathered where it is one of MSIP_Label_GUID_…; properties_labels_give says what
 * was gathered. */
struct ms_labels {
	struct {
		char guid[40];
		char name[256];
		bool enabled;
	} v[PROPERTIES_LABELS_MAX];
	size_t n;
};
void properties_custom(struct sink *s, struct ms_labels *l, const char *name, str value);
void properties_labels_give(struct sink *s, const struct ms_labels *l);

#endif
