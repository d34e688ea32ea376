/* secrets.h — anchors of secrets, one row each.
 *
 * Purpose: the table between literals.c and secrets.c. Ownership: static. Units: characters. Threads: no state. Errors: none.
 */
#ifndef TYTO_SECRETS_H
#define TYTO_SECRETS_H

#include "document/finding_internal.h"

struct secret {
	const char *anchor;
	uint8_t detector;
	bool (*take)(struct finding_scan *s, const struct mark *m, const struct secret *of);
	uint16_t min, max; /* characters after the anchor */
};

extern const struct secret secrets[]; /* ends with an anchor of NULL */

#endif
