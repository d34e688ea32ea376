/* command.h — what a program prints, for tests that have their samples made by one.
 *
 * Purpose: run a shell command and take its output. Ownership: the caller's buf, emptied before. Units: bytes. Threads: one.
 * Errors: a command that fails, or says nothing, ends the test.
 */
#ifndef TYTO_TEST_COMMAND_H
#define TYTO_TEST_COMMAND_H

#include "base/buf.h"

void output_of(struct buf *b, const char *fmt, ...) _printf_(2, 3);

#endif
