/* fuzz_format.h — one reader on bytes as a document, without a process of its own; what it gives goes through the parent's decoder, which must take it.
 *
 * Purpose: a target is a table `formats` with the reader at hand, and a call of fuzz_format. Ownership: none. Units: bytes. Threads: one.
 * Errors: abort() where a reader gives what the decoder refuses, or text against text.h.
 */
#ifndef TYTO_FUZZ_FORMAT_H
#define TYTO_FUZZ_FORMAT_H

#include "extract/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* name: what the document is called, for readers that look at endings. The readers' prepare is called once. */
void fuzz_format(const char *name, const uint8_t *data, size_t n);

#endif
