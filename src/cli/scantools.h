/* scantools.h — the classifier as the settings want it.
 *
 * Purpose: shared by `scan` and the scanner of `watch`. Ownership: the classifier is the caller's; clients are borrowed by it. Units: none.
 * Threads: main thread. Errors: negative errno, having said what is wrong.
 */
#ifndef TYTO_SCANTOOLS_H
#define TYTO_SCANTOOLS_H

#include "daemon/config.h"
#include "document/classify.h"

/* client_fd: -1, or the open client list client_file. */
int scantools_new(const char *state, const struct config *config, int client_fd, const char *client_file, struct client_list **ret_clients,
	struct classifier **ret);

#endif
