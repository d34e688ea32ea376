/* cmd_rules.h — parts of `tyto rules` with files of their own.
 *
 * Purpose: replay. Ownership: none. Units: none. Threads: main thread. Errors: exit statuses of the contract.
 */
#ifndef TYTO_CMD_RULES_H
#define TYTO_CMD_RULES_H

/* What today's rules would raise over the recorded past; paths as for the others, none: those that the settings name. */
int rules_replay(int n, char **paths);

#endif
