/* xml.h — XML read as it comes, by expat, with everything refused that makes a small file large.
 *
 * Purpose: elements as numbers of a table, attributes by their local names; prefixes and namespaces are not looked at, so that strict and
 * transitional OOXML are one. No entity is ever declared (a document that declares one is refused), depth and the length of one tag are
 * capped.
 * Ownership: strings live during the call. Units: bytes. Threads: one. Errors: negative errno of format.h with a reason in the sink.
 */
#ifndef TYTO_EXTRACT_XML_H
#define TYTO_EXTRACT_XML_H

#include "extract/formats/package.h"

#define XML_DEPTH_MAX 1000
#define XML_TAG_MAX (4u << 20)
#define XML_BYTES_MAX (768u << 20) /* of one member */

/* Local names and what they are to the reader; sorted by name. Anything else is 0. */
struct xml_name {
	const char *name;
	int id;
};

struct xml;

struct xml_handler {
	const struct xml_name *names;
	size_t n_names;
	/* atts: name, value, …, NULL. */
	void (*start)(void *arg, struct xml *x, int id, const char **atts);
	void (*end)(void *arg, struct xml *x, int id);
	void (*text)(void *arg, str s);
};

/* Once a worker, before the sandbox closes. */
int xml_prepare(void);

/* Reads a member; what: 0, -ENOENT, or an error that is also the package's (package_fail). */
int xml_read(struct package *p, const char *name, const struct xml_handler *h, void *arg);
/* Reads an input that is all one XML; s may be NULL: no reason is kept. */
int xml_read_in(struct in *in, struct sink *s, const struct xml_handler *h, void *arg);

/* From start: this element and what is in it are passed over (its end comes, what is inside does not). */
void xml_skip(struct xml *x);
/* No more is wanted. */
void xml_stop(struct xml *x);
/* Elements that are open, this one included. */
unsigned xml_depth(const struct xml *x);

/* Value of the attribute with this local name, NULL. The second form takes only one with a prefix (r:id). */
const char *xml_attr(const char **atts, const char *local);
const char *xml_attr_prefixed(const char **atts, const char *local);
/* Of an on/off value ("", "1", "true", "on" against "0", "false", "off"); dflt where absent. */
bool xml_on(const char *value, bool dflt);
/* A number at the beginning, dflt where there is none; within 0 … max. */
uint32_t xml_number(const char *value, uint32_t dflt, uint32_t max);

#endif
