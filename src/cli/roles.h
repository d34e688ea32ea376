/* roles.h — the program's other roles: guard, sensor, keeper.
 *
 * Purpose: `tyto watch` becomes the guard, which starts this program again as sensor and as keeper. Ownership: none. Units: none.
 * Threads: the guard has one. Errors: exit statuses of the contract.
 */
#ifndef TYTO_ROLES_H
#define TYTO_ROLES_H

#include "daemon/state.h"

/* Runs until stopped. listen_fd: the commands' socket, for the keeper. notify: tells of alerts, too. */
int roles_guard(char *const *paths, size_t n, int listen_fd, bool notify);

#endif
