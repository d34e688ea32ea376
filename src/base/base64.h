/* base64.h — RFC 4648 base64 with padding.
 *
 * Purpose: keys, signatures, bytes in JSON. Ownership: caller's buf. Threads: no state.
 * Errors: base64_decode -EBADMSG for anything but the canonical form (padding, no white space, zero trailing bits).
 */
#ifndef TYTO_BASE64_H
#define TYTO_BASE64_H

#include "base/buf.h"

void base64_encode(struct buf *b, str s);
int base64_decode(struct buf *b, str s);
void hex_encode(struct buf *b, str s);
int hex_decode(str s, uint8_t *out, size_t n); /* exactly 2n lower-case digits */

#endif
