/* scanner.h — the inventory under `tyto watch`: what is there at the start, what was written since, pictures when there is time.
 *
 * Purpose: a process beside the keeper that follows the record, and scans what was written after it has been quiet for a while. Its walker
 * keeps the rights to list and open below the watched paths; it itself runs as the keeper's account, starts readers (which the keeper may
 * not), and records through the keeper.
 * Ownership: scanner_run owns all that it opens. Units: ns. Threads: the inventory's own. Errors: an exit status; started again, it goes
 * on.
 */
#ifndef TYTO_SCANNER_H
#define TYTO_SCANNER_H

#include "daemon/config.h"

#define SCANNER_QUIET_NS (12 * NSEC_PER_SEC) /* longer than writes are folded, and than known.h asks for */

struct classifier;

struct scanner_config {
	const char *state;
	const struct config *settings;
	char *const *paths;
	size_t n_paths;
	int control_fd;       /* its end means stop */
	bool (*interrupted)(void);
	/* After the rights are gone. */
	int (*classifier)(const char *state, const struct config *settings, struct classifier **ret);
};

int scanner_run(const struct scanner_config *c);

#endif
