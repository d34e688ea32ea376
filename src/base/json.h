/* json.h — a small JSON writer over buf.
 *
 * Purpose: write objects and lists fast; jansson is used where JSON that we did not make is read. Ownership: the caller's buf.
 * Threads: no state. Errors: kept in the buf (buf_error).
 *
 *	json_obj_begin(b);  json_put_u64(b, "size", 3);  json_obj_end(b);   ->  {"size":3}
 * Commas are placed by the writer: a value or key after another gets one.
 */
#ifndef TYTO_JSON_H
#define TYTO_JSON_H

#include "base/buf.h"

void json_obj_begin(struct buf *b);
void json_obj_end(struct buf *b);
void json_arr_begin(struct buf *b);
void json_arr_end(struct buf *b);
void json_key(struct buf *b, const char *key); /* key: plain ASCII, not escaped */
void json_u64(struct buf *b, uint64_t v);
void json_i64(struct buf *b, int64_t v);
void json_bool(struct buf *b, bool v);
void json_none(struct buf *b);
/* Well-formed UTF-8 is written as it is (control characters and DEL escaped, also U+2028/9); an invalid byte becomes U+FFFD. */
void json_str(struct buf *b, str s);
void json_base64(struct buf *b, str s); /* RFC 4648, padded */
void json_time(struct buf *b, int64_t ns);
/* Raw text that is already JSON. */
void json_raw(struct buf *b, str s);

/* A key and its value. */
void json_put_u64(struct buf *b, const char *key, uint64_t v);
void json_put_bool(struct buf *b, const char *key, bool v);
void json_put_str(struct buf *b, const char *key, str s);
void json_put_base64(struct buf *b, const char *key, str s);
void json_put_time(struct buf *b, const char *key, int64_t ns);
/* A key and the beginning of its object or list. */
void json_put_obj(struct buf *b, const char *key);
void json_put_arr(struct buf *b, const char *key);

#endif
