/* fuzz_streams.h — bytes as the streams of an OLE2 file, so that mutation meets the reader and not the container.
 *
 * Purpose: the input is records of (which stream: 1 byte, length: 2 bytes, bytes); those of one stream are joined. Ownership: none. Units: bytes. Threads: one.
 * Errors: as fuzz_format.
 */
#ifndef TYTO_FUZZ_STREAMS_H
#define TYTO_FUZZ_STREAMS_H

#include "fuzz_format.h"

/* paths: of the streams (ole_make.h), NULL ends them; at most 16. */
void fuzz_streams(const char *name, const char *const *paths, const uint8_t *data, size_t n);

#endif
