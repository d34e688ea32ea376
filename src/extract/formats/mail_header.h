/* mail_header.h — header fields of mails: encoded words, parameters, lists of addresses.
 *
 * Purpose: RFC 2047 and 2231 through our own tables, since the sandbox has no files to load others from. Ownership: caller's bufs. Units:
 * bytes.
 * Threads: no state. Errors: bufs keep theirs; what is malformed stays as it is written.
 */
#ifndef TYTO_MAIL_HEADER_H
#define TYTO_MAIL_HEADER_H

#include "extract/format.h"

/* A field's raw value: unfolded, encoded words decoded, bytes beyond ASCII by their look. Appends UTF-8. */
void mail_header_text(str raw, struct buf *ret);
/* Parameter name ("filename", "charset") of a raw Content-Type or Content-Disposition. False: there is none. */
bool mail_header_param(str raw, const char *name, struct buf *ret);
/* Bytes of text in a charset that may be missing or wrong. */
int mail_charset_text(str charset, str bytes, struct buf *ret);
/* Cuts the next address off a raw list: up to a comma that is not inside quotes, brackets or a comment. */
str mail_header_address(str *rest);

#endif
