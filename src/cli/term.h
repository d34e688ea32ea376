/* term.h — the terminal that results are shown on: how wide it is, how wide a text is on it, and prose that breaks between words.
 *
 * Purpose: columns line up also with wide characters (Japanese takes two columns each), and nothing is broken in the middle of a word. What
 * does not go to a terminal is never broken: one record, one line. Ownership: written to out(). Units: columns. Threads: one at a time.
 * Errors: kept in out().
 */
#ifndef TYTO_CLI_TERM_H
#define TYTO_CLI_TERM_H

#include "base/str.h"

/* Set by whoever shows our output on a terminal of his (the demo). */
#define TERM_COLUMNS_ENV "TYTO_COLUMNS"

/* Columns of the terminal on stdout; 0: stdout is none, or it does not say. */
unsigned term_columns(void);
/* Columns that a text takes as show_text() shows it. Bytes that are not text count one each. */
unsigned term_width(str visible);
void term_spaces(unsigned n);
/* A text that begins at column `at`; on a terminal its words go on in lines that begin at column `indent`. Returns the column behind it. */
unsigned term_prose(str text, unsigned at, unsigned indent);

/* A line of pieces: one that does not fit any more begins a line of its own, at `indent`. */
struct term_line {
	unsigned at, indent, columns;
};
struct term_line term_line(unsigned indent);
/* gap: spaces before it where it follows on the same line. */
void term_piece(struct term_line *l, unsigned gap, str visible);

#endif
