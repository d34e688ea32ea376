/* mail.h — what the halves of the mail reader share: the tree of parts (mail.c), text bodies (mail_body.c), files of many mails (mbox.c).
 *
 * Purpose: one mail's state, small parsers. Ownership: the reader's stack. Units: bytes. Threads: one. Errors: negative errno.
 */
#ifndef TYTO_MAIL_H
#define TYTO_MAIL_H

#include "extract/format.h"

/* Fields and their folded lines at the start of head, that a mail has: how many; 0 where anything else stands among them. */
unsigned mail_fields(str head);
/* Plain text as it came: paragraphs; flowed lines (RFC 3676) are joined again. */
int mail_plain(struct sink *s, str utf8, bool flowed, bool delsp);
/* Whether plain says what html (its words, as html_words gives them) does not. */
bool mail_differs(str plain, str html);

#endif
