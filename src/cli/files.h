/* files.h — small files that commands read and write.
 *
 * Purpose: read a whole small file, verifier keys; write a file whole. Ownership: caller's buf. Units: bytes. Threads: main thread.
 * Errors: negative errno, having said what is wrong in one line.
 */
#ifndef TYTO_FILES_H
#define TYTO_FILES_H

#include "base/buf.h"
#include "evidence/note.h"

int files_read(const char *path, struct buf *b); /* up to b->max bytes */
int files_read_keys(const char *path, struct buf *b, struct note_verifier keys[static NOTE_KEYS_MAX], size_t *ret_n);
int files_write(const char *path, str bytes);

#endif
