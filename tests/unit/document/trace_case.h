/* trace_case.h — small states with real documents in them, for the tests of trace.
 *
 * Purpose: documents are written below a share, read by a real worker, and put into the log, the table, and the stores, as a scan does it; leaks are traced against that.
 * Ownership: one case at a time, static; case_end removes it. Results are freed by case_free. Units: bytes. Threads: one. Errors: a failed step ends the test.
 */
#ifndef TYTO_TEST_TRACE_CASE_H
#define TYTO_TEST_TRACE_CASE_H

#include "../test.h"

#include "document/trace.h"

void case_begin(void);
void case_end(void);
/* A document at NAME below the share. */
void case_put(const char *name, str bytes);
void case_put_text(const char *name, const char *text);
void case_public(const char *name, const char *text); /* of outside origin */
void case_remove(const char *name);                   /* deleted from the share; the table knows it all the same */
void case_overwrite(const char *name, const char *text); /* another content at the same place */

/* The leak's own part, traced; until the next one. */
const struct trace_result *case_trace(const char *name, str bytes);
const struct trace_result *case_trace_text(const char *text);
/* Of a match: "NAME" below the share, or what stood there. */
const char *case_name(const uint8_t hash[static 32]);
/* "source a.txt" or "none": the verdict, and what the best match is. */
const char *case_said(const struct trace_result *r);

/* Words that no other seed has, in sentences and paragraphs: about n bytes. Static: up to 16 at a time. */
const char *case_prose(unsigned seed, size_t n);
const char *case_prose_ja(unsigned seed, size_t n);
/* printf into one of the same. */
const char *case_text(const char *fmt, ...) _printf_(1, 2);

#endif
