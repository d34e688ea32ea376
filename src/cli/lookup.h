/* lookup.h — what the commands that ask the record have in common.
 *
 * Purpose: masking and its record, the one line for a failure. Ownership: none. Units: none. Threads: main
 * thread.
 * Errors: exit statuses of the contract where a function returns one.
 */
#ifndef TYTO_LOOKUP_H
#define TYTO_LOOKUP_H

#include "cli/cli.h"
#include "index/index.h"

/* Persons are to be masked in this output. */
bool lookup_mask(void);
/* With --unmask: writes the record of it; EXIT_DONE, or why not. */
int lookup_unmask(void);
/* Says what went wrong; EXIT_FAILED or EXIT_DAMAGED. */
int lookup_failed(int r);
/* One line when the log has leaves that this version cannot decode: an answer may lack what they say. */
void lookup_say_unknown(void);

struct lookup_position {
	uint64_t size;
};
int lookup_position(const char *state, struct lookup_position *ret);

#endif
