/* xls_number.h — what a number of an Excel file means by its format.
 *
 * Purpose: numbers as they are stored; dates as dates, identifiers with their zeros. Ownership: none. Units: days. Threads: no state.
 * Errors: none.
 */
#ifndef TYTO_XLS_NUMBER_H
#define TYTO_XLS_NUMBER_H

#include "extract/formats/ole.h"

enum number_kind { KIND_PLAIN = 1, KIND_DATE, KIND_TIME, KIND_BOTH, KIND_DIGITS /* + how many, at least */ };

/* Of a format's text, and of one that Excel has built in. */
uint8_t xls_kind(str format);
uint8_t xls_kind_builtin(uint16_t format);
/* As it stands in the file: eight bytes at a place; four that hold a number cut short, or a hundred times it (RK). */
double xls_real(str s, size_t at);
double xls_rk(uint32_t v);
/* v: days since 1900 or 1904, not negative, below 2958466. */
void xls_date(struct buf *b, double v, bool dates_1904, uint8_t kind);

#endif
