/* package.h — a zip whose members belong together: docx, xlsx, pptx, odt, ods, odp.
 *
 * Purpose: members by name. One pass loads the XML that is small; what is large is inflated again when it is asked for, piece by piece.
 * Ownership: a package owns the members it loaded; pieces live during the call. Units: bytes. Threads: one.
 * Errors: negative errno of format.h with a reason in the sink. A damaged package gives what can be read; package_error says so at the end.
 */
#ifndef TYTO_EXTRACT_PACKAGE_H
#define TYTO_EXTRACT_PACKAGE_H

#include "extract/format.h"

#define PACKAGE_MEMBERS_MAX 50000
#define PACKAGE_LOADED_MAX (4u << 20) /* a larger member is read again, by pieces */
#define PACKAGE_CACHE_MAX (96u << 20) /* of all members that are kept */
#define PACKAGE_STREAMS_MAX 512       /* members that are read again */

struct package;

/* For bids: whether the zip that begins with head has a member of this name (its directory's first MiB is read; of a torn one the first
 * names). */
bool package_has_member(struct in *in, str head, const char *name);

int package_open(struct in *in, struct sink *s, struct package **ret);
struct package *package_close(struct package *p); /* accepts NULL, returns NULL */
struct sink *package_sink(const struct package *p);
/* Names are compared as OPC does: without regard to case, '\' as '/'. */
bool package_has(const struct package *p, const char *name);
/* Calls feed with the member's bytes in order, the last time with last set; a non-zero return ends it. -ENOENT: no such member, nothing was
 * fed. A damaged member is fed as far as it goes, then -EBADMSG is returned. Each member is given once: 0 without a call the second
 * time. */
int package_read(struct package *p, const char *name, int (*feed)(void *arg, str piece, bool last), void *arg);
/* The name that stands i-th in order, NULL at the end. */
const char *package_name(const struct package *p, size_t i);

enum package_use { PACKAGE_SKIP, PACKAGE_IMAGE, PACKAGE_PART };
/* Pictures and embedded documents, once the text is there: what use says of each member that was not loaded. */
int package_media(struct package *p, enum package_use (*use)(const char *name));
/* Parts that lead to parts: false when that goes on for too long; else package_leave at the end. */
bool package_enter(struct package *p);
void package_leave(struct package *p);
/* 0, or what is wrong with the package as a whole. */
int package_error(const struct package *p);
/* What a member says is wrong; the first counts. Returns error. */
int package_fail(struct package *p, int error);

#endif
