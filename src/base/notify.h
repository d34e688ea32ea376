/* notify.h — telling the service manager that we are ready.
 *
 * Purpose: the protocol of sd_notify(3), datagrams to $NOTIFY_SOCKET, with a socket that is opened once at the start. Ownership: the caller
 * closes it. Threads: no state. Errors: negative errno; -ENOENT where no service manager waits. A message that does not go out is dropped.
 */
#ifndef TYTO_NOTIFY_H
#define TYTO_NOTIFY_H

#include "base/base.h"

/* Connected to $NOTIFY_SOCKET, which is taken out of the environment: no child speaks for us. */
int notify_open(void);
/* "READY=1", "STOPPING=1", "STATUS=…", lines. Never blocks; fd < 0 does nothing. */
void notify_send(int fd, const char *text);

#endif
