/* finding_case.h — one finder and one scan for the tests of the detectors.
 *
 * Purpose: text in, hits out, checks that name what was expected. Ownership: static, freed by finder_teardown. Threads: none. Errors: a failed check.
 */
#ifndef TYTO_TEST_FINDING_CASE_H
#define TYTO_TEST_FINDING_CASE_H

#include "document/finding.h"

extern struct hits found;

int finder_setup(void **state);
int finder_teardown(void **state);
void finder_begin(const struct finder_literal *extra, size_t n);

void run(const struct text *t);
void find(const char *text);               /* one span */
void find_cells(const char *rows);         /* columns divided by |, rows by newlines */
void assert_hit(size_t i, enum detector d, const char *text, const char *value);
void assert_literal(size_t i, unsigned id, const char *text);
void assert_found(enum detector d, const char *text, const char *value); /* among whatever else */
/* A text with exactly one hit: of detector d with this value (NULL: with none at all). */
void assert_one(const char *text, enum detector d, const char *value);
void assert_none(const char *text, enum detector d);

#endif
