/* numfmt.h — a stored number as a person sees it in a spreadsheet, as far as it matters: ids, phone numbers, dates.
 *
 * Purpose: number formats of spreadsheets (ECMA-376 part 1, 18.8.30–31) for dates, leading zeros, digits with marks between, decimals,
 * percent.
 * What is not understood is given as the number itself. Ownership: struct numfmt owns its code. Units: days since 1900 or 1904. Threads:
 * one.
 * Errors: none.
 */
#ifndef TYTO_EXTRACT_NUMFMT_H
#define TYTO_EXTRACT_NUMFMT_H

#include "base/buf.h"

#define NUMFMT_CODE_MAX 255

enum numfmt_kind { NUMFMT_GENERAL, NUMFMT_DATE, NUMFMT_DIGITS };

struct numfmt {
	char code[NUMFMT_CODE_MAX + 1]; /* "" is General */
	enum numfmt_kind kind;
};

/* The format of a built-in id; false when it has none and the code must be given. */
bool numfmt_builtin(uint32_t id, struct numfmt *ret);
void numfmt_parse(const char *code, struct numfmt *ret);

/* stored: the number as it stands in the file. */
void numfmt_put(struct buf *b, const struct numfmt *f, str stored, bool date1904);

#endif
