/* xls_password.h — enciphered workbooks that Excel opens for everybody.
 *
 * Purpose: the stream in the clear. Ownership: the caller's buffer. Units: bytes. Threads: one. Errors: negative errno; -EACCES: a
 * password is needed.
 */
#ifndef TYTO_EXTRACT_XLS_PASSWORD_H
#define TYTO_EXTRACT_XLS_PASSWORD_H

#include "extract/formats/xls_strings.h"

/* filepass: the record that says how; what stands before it is not enciphered. version: 5 or 8. Records stand where they stood. */
int xls_everybodys(str stream, const struct record *filepass, unsigned version, struct buf *ret);

#endif
