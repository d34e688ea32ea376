/* html.h — what else of HTML other readers use (html_read stands in format.h).
 *
 * Purpose: characters by name, and the bare words of a page. Ownership: caller's buf. Units: bytes. Threads: no state. Errors: negative
 * errno of buf.
 */
#ifndef TYTO_HTML_H
#define TYTO_HTML_H

#include "extract/format.h"

/* Only the words that are shown, blocks ended by '\n'; for comparing. */
int html_words(str utf8, struct buf *ret);
/* s begins with '&': appends the character that is meant and returns the bytes it took; 0: a plain '&'. */
size_t html_entity(str s, struct buf *ret);
/* One code point as UTF-8; what is none becomes U+FFFD. */
void html_put_char(struct buf *b, uint32_t c);

#endif
