/* source.h — an input as libarchive reads it.
 *
 * Purpose: the callbacks that containers and packages (docx, odt…) share. Ownership: the source borrows the input and outlives the archive.
 * Units: bytes. Threads: one. Errors: negative errno of format.h; libarchive's own codes stay libarchive's.
 */
#ifndef TYTO_EXTRACT_SOURCE_H
#define TYTO_EXTRACT_SOURCE_H

#include <archive.h>

#include "extract/format.h"

#define SOURCE_BLOCK (256u << 10)

struct source {
	struct in *in;
	uint64_t at;
	char block[SOURCE_BLOCK];
};

/* Opens a, whose formats are set, on the source from its beginning: ARCHIVE_OK, or as archive_read_open1. */
int source_open(struct source *s, struct archive *a);

#endif
