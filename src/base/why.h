/* why.h — the last failure of a part, as one line for the operator.
 *
 * Purpose: functions return a number; the part that failed keeps the sentence. One `static _Thread_local struct why` a part.
 * Ownership: the text lives until the part's next failure on this thread. Threads: as the variable. Errors: none; a long line is cut.
 */
#ifndef TYTO_WHY_H
#define TYTO_WHY_H

#include <limits.h>

#include "base/base.h"

/* A path, and what is said of it. */
#define WHY_TEXT (PATH_MAX + 512)

struct why {
	char text[WHY_TEXT];
};

/* Writes the line and returns r. */
int why_set(struct why *w, int r, const char *fmt, ...) _printf_(3, 4);

#endif
