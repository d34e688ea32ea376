/* worker.h — how parent and worker speak of limits, and what only the two of them know.
 *
 * Purpose: LIMITS on the worker's command line, the socket's number, exit statuses. Ownership: none. Units: as in extract.h. Threads: none.
 * Errors: negative errno.
 */
#ifndef TYTO_WORKER_H
#define TYTO_WORKER_H

#include "extract/extract.h"

#define WORKER_SOCKET 3
#define WORKER_NO_MEMORY 83  /* exit status: an allocation failed where nobody could go on */
#define WORKER_NO_SANDBOX 84
#define WORKER_LIMITS_LEN 160

void worker_limits_put(char *p, size_t n, const struct extract_limits *l, enum ocr_mode ocr);
/* What reading so many bytes may take where disks are slow: 8 MiB a second. */
static inline uint32_t extract_slow_ms(uint64_t bytes)
{
	return (uint32_t)MIN((bytes >> 23) * 1000, (uint64_t)UINT32_MAX / 4);
}
int worker_limits_get(const char *p, struct extract_limits *l, enum ocr_mode *ocr);

#endif
