/* filter.h — filters of system calls, made of tables.
 *
 * Purpose: a process keeps the calls it needs (filter_allow) or gives up those that nobody needs (filter_deny); what is not allowed fails
 * with EPERM from then on, whoever has taken the process over. The same with capabilities
 * (filter_capabilities). Inherited by threads and programs that are started later, never taken back.
 * Ownership: borrows the tables for the call. Threads: call it before threads start. Units: none.
 * Errors: negative errno when the kernel has no such filter; the caller goes on without and says so. Under a sanitizer nothing is filtered:
 * its own calls are none of ours.
 */
#ifndef TYTO_FILTER_H
#define TYTO_FILTER_H

#include <seccomp.h>

#include "base/base.h"

/* A call allowed only where one argument fits. */
struct filter_only {
	const char *name;
	struct scmp_arg_cmp arg;
};

/* By name: a call that this machine's kind does not have is passed over. clone3 is answered as if it were not there (its flags lie in
 * memory, where no filter sees them; the C library falls back on clone). no_new_privs is set too. */
int filter_allow(const char *const *names, size_t n, const struct filter_only *only, size_t n_only);
/* no_new_privs is left as it is: needs CAP_SYS_ADMIN. */
int filter_deny(const char *const *names, size_t n);

/* Of the capabilities that the process has it keeps these; programs it starts can have them (heirs) or none. -EPERM: it may not give up
 * others. */
int filter_capabilities(const int *keep, size_t n, bool heirs);

#endif
