/* doc_case.h — documents put together in memory, for the tests of labels, contacts and classify.
 *
 * Purpose: spans as the extractors give them, without an extractor. Ownership: one document at a time, static; doc_free at the end. Threads: one.
 * Units: none. Errors: a failed check ends the test.
 */
#ifndef TYTO_TEST_DOC_CASE_H
#define TYTO_TEST_DOC_CASE_H

#include "../test.h"

#include "document/finding.h"

extern struct text doc;

void doc_begin(void);
void doc_put(enum zone zone, const char *text); /* a block of its own */
void doc_table(void);                           /* the next cells belong to another table */
void doc_cell(uint32_t row, uint32_t col, const char *text);
void doc_rows(const char *rows);                /* a table: columns divided by |, rows by newlines */
void doc_meta(const char *key, const char *value);
void doc_label(const char *guid, const char *name, bool enabled, unsigned source);
void doc_free(void);

#endif
