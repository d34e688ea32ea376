/* trace_beside.h — two passages side by side, each within its surroundings, as wide as the terminal; below each other on a narrow one.
 *
 * Purpose: the eye compares a leak with its source. Wide characters take two columns and may break anywhere; other words break between
 * words. Ownership: none.
 * Units: columns. Threads: main thread. Errors: kept in out().
 */
#ifndef TYTO_TRACE_BESIDE_H
#define TYTO_TRACE_BESIDE_H

#include "base/buf.h"

struct passage_text {
	str head;                    /* what it is */
	str before, passage, after;  /* UTF-8, of any length: the middle of a long passage is left out */
};

/* columns: of the terminal, 0 none; color: the passage stands out by its colour, else in [[ ]]. */
void beside_show(const struct passage_text *left, const struct passage_text *right, unsigned indent, unsigned columns, bool color);

#endif
