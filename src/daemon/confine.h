/* confine.h — the keeper asks the kernel only for what a keeper needs.
 *
 * Purpose: an allow-list of system calls for the keeper's process: files, memory, threads, local sockets, time. Everything else (programs,
 * mounts, other processes, the network, kernel interfaces) fails with EPERM from then on, whoever has taken the process over.
 * Ownership: none. Units: none. Threads: call it before threads start; all that start later are confined too.
 * Errors: negative errno when the kernel has no such filter; the caller goes on without and says so.
 */
#ifndef TYTO_CONFINE_H
#define TYTO_CONFINE_H

/* For good. no_new_privs is set too. */
int confine_keeper(void);
/* Gives up calls and capabilities that neither guard nor sensor nor keeper ever needs: for all three. */
int confine_guard(void);

#endif
