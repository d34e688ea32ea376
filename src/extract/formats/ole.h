/* ole.h — OLE2 compound files through libgsf: streams as bytes, properties, objects embedded in them.
 *
 * Purpose: shared by doc, xls, ppt, msg; ole.c bids for all of them and asks the root's entries which one reads. Ownership: struct ole
 * borrows input and sink; buffers are the caller's. Units: bytes. Threads: one. Errors: negative errno; -ENOENT where there is no such
 * stream.
 * Hostile: a stream may claim any size and entries may share sectors, so everything loaded counts as unpacked (sink_unpacked).
 */
#ifndef TYTO_EXTRACT_OLE_H
#define TYTO_EXTRACT_OLE_H

#include "extract/format.h"

#include <gsf/gsf-infile.h> /* behind base.h: glib replaces MIN and MAX, base.h does not */

#define OLE_DEPTH_MAX 16     /* storages in storages */
#define OLE_ENTRIES_MAX 8192 /* of one storage that are looked at */

struct ole {
	struct in *in;
	struct sink *sink;
	GsfInfile *root; /* NULL: lost */
};

/* A format's prepare: loads libgsf. */
int ole_prepare(void);
/* The stream's bytes, as far as they go: -EBADMSG only when there are none of those it claims. */
int ole_load(struct ole *o, GsfInfile *dir, const char *name, struct buf *ret);
bool ole_has(GsfInfile *dir, const char *name);
/* A storage; NULL where there is none. Released by g_object_unref. */
GsfInfile *ole_dir(GsfInfile *dir, const char *name);
/* What is embedded in a storage (OLE object, package, message) becomes a part. Only a cap is an error. */
int ole_object(struct ole *o, GsfInfile *storage, str name);
/* Every storage below dir whose name begins with prefix (case as given) is an object. */
int ole_objects(struct ole *o, GsfInfile *dir, const char *prefix);
/* Bytes that are a part of their own. */
int ole_part(struct ole *o, str name, str bytes);

/* ---- ole_props.c ---- */

/* SummaryInformation, DocumentSummaryInformation, custom properties: sink_meta, sink_mslabel. */
void ole_properties(struct ole *o);
/* A point in time as Windows counts it (100 ns since 1601), as RFC 3339; STR_NONE for none. out: TIME_TEXT_MAX. */
str ole_time(uint64_t filetime, char *out);

/* ---- ole_password.c ---- */

/* Before the sandbox closes: loads the ciphers. */
int ole_password_prepare(void);
/* An encrypted package that needs no password, in the clear; -EACCES: it does need one. */
int ole_everybodys(struct ole *o, struct buf *ret);

/* ---- text ---- */

/* UTF-16LE appended as UTF-8; ends at a NUL where until_nul. */
void ole_utf16(struct buf *ret, str utf16, bool until_nul);

/* ---- readers that ole.c calls ---- */

int doc_read_ole(struct ole *o);
int xls_read_ole(struct ole *o);
int ppt_read_ole(struct ole *o);
int msg_read_ole(struct ole *o);
/* The main stream alone, of a file whose directory is lost: there is no root then. */
int doc_read_stream(struct ole *o, str stream);
int xls_read_stream(struct ole *o, str stream);
int ppt_read_stream(struct ole *o, str stream);

/* Office's drawings (doc, xls, ppt): text of word art, which is how watermarks are made, and pictures. */
void art_text(str records, struct sink *sink, enum zone zone);
/* delay: where pictures stand that records only point at (may be empty). */
void art_pictures(str records, str delay, struct sink *sink);

/* ---- little endian, 0 beyond the end ---- */

static inline bool le_has(str s, size_t at, size_t n)
{
	return at <= s.n && n <= s.n - at;
}

static inline uint8_t le8(str s, size_t at)
{
	return at < s.n ? (uint8_t)s.p[at] : 0;
}

static inline uint16_t le16(str s, size_t at)
{
	return le_has(s, at, 2) ? (uint16_t)(le8(s, at) | le8(s, at + 1) << 8) : 0;
}

static inline uint32_t le32(str s, size_t at)
{
	return le_has(s, at, 4) ? le16(s, at) | (uint32_t)le16(s, at + 2) << 16 : 0;
}

static inline uint64_t le64(str s, size_t at)
{
	return le_has(s, at, 8) ? le32(s, at) | (uint64_t)le32(s, at + 4) << 32 : 0;
}

/* As much of [at, at + n) as there is. */
static inline str le_sub(str s, size_t at, size_t n)
{
	return at >= s.n ? (str){ s.p, 0 } : (str){ s.p + at, MIN(n, s.n - at) };
}

#endif
