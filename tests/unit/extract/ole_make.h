/* ole_make.h — OLE2 files and the records in them, made for tests and fuzzing.
 *
 * Purpose: libgsf writes the container; what stands in the streams is written here field by field. Ownership: buffers are the caller's. Units: bytes.
 * Threads: one. Errors: abort().
 */
#ifndef TYTO_EXTRACT_OLE_MAKE_H
#define TYTO_EXTRACT_OLE_MAKE_H

#include "base/buf.h"

struct ole_stream {
	const char *path; /* "storage/stream"; those of one storage one behind the other; NULL ends the list */
	str bytes;
};

void make_ole(struct buf *ret, const struct ole_stream *streams);

void put_le16(struct buf *b, uint32_t v);
void put_le32(struct buf *b, uint32_t v);
void put_le64(struct buf *b, uint64_t v);
void put_double(struct buf *b, double v);
/* Over bytes that are there. */
void set_le16(struct buf *b, size_t at, uint32_t v);
void set_le32(struct buf *b, size_t at, uint32_t v);
/* Of well-formed UTF-8. Returns the number of units. */
size_t put_utf16(struct buf *b, const char *utf8);
void pad_to(struct buf *b, size_t n);

#endif
