/* inflate.h — a file's bytes as they were before gzip or zstd, told by content.
 *
 * Purpose: one read call over plain, .gz (several members too) and .zst (several frames too).
 * Ownership: struct inflate owns fd (once inflate_new has succeeded) and decoder. Units: bytes. Threads: one at a time.
 * Errors: inflate_read returns bytes, 0 at the end, -EBADMSG for a damaged or cut stream (behind all that could be read before it; the raw
 * bytes are read to their end, for the digest), -errno.
 */
#ifndef TYTO_INFLATE_H
#define TYTO_INFLATE_H

#include "base/hash.h"

struct inflate;

/* stop_fd: as soon as it can be read, no read waits for fd any more: -EINTR. Negative: none. It stays the caller's. */
int inflate_new(int fd, int stop_fd, struct inflate **ret);
struct inflate *inflate_free(struct inflate *f);
ssize_t inflate_read(struct inflate *f, void *p, size_t n);
/* Of the raw bytes, at the end of the file. */
bool inflate_digest(const struct inflate *f, uint8_t out[static SHA256_LEN]);
uint64_t inflate_raw_bytes(const struct inflate *f);

#endif
