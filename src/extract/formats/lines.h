/* lines.h — a text file in whole lines of UTF-8, however large it is.
 *
 * Purpose: shared by text and csv. Ownership: what the callback gets lives until it returns. Units: bytes. Threads: one.
 * Errors: negative errno; a callback that returns non-zero ends the reading, which is no error.
 */
#ifndef TYTO_LINES_H
#define TYTO_LINES_H

#include "extract/format.h"

/* Pieces of about a MiB that end with a line (or, in a longer line, anywhere between characters); line ends are '\n', BOM and '\r' are
 * gone. */
int lines_read(struct in *in, const char *charset, int (*piece)(void *arg, str utf8), void *arg);

#endif
