/* str.h — a view of bytes that somebody else owns.
 *
 * Purpose: the one string view of the project. Bytes, not text: may hold NUL and invalid UTF-8; not terminated.
 * Ownership: none; valid as long as what it points into. Units: n in bytes. Threads: no state. Errors: none.
 */
#ifndef TYTO_STR_H
#define TYTO_STR_H

#include "base/base.h"

typedef struct str {
	const char *p;
	size_t n;
} str;

#define STR(lit) ((str){ (lit), sizeof(lit) - 1 })
#define STR_NONE ((str){ NULL, 0 })
/* For printf("%.*s"). */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline str str_c(const char *s)
{
	return (str){ s, s ? strlen(s) : 0 };
}

static inline bool str_eq(str a, str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(str s, str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(str s, str suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* Order of memcmp, then length. */
int str_cmp(str a, str b);

/* True when every byte belongs to well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_utf8_valid(str s);

/* Decimal u64 of the whole view; no sign, no space, no leading zero but "0" itself. -EINVAL, -ERANGE. */
int str_to_u64(str s, uint64_t *ret);

/* Its decimal digits, without a NUL. Returns how many. */
#define STR_DEC_MAX 20
size_t str_put_dec(char out[static STR_DEC_MAX], uint64_t v);

/* Shell-style match over bytes, as in `--path GLOB`: `*` stays within a path component, `**` crosses them, `?` one byte
 * but '/', `[a-z]` sets, `\` quotes. A pattern without '/' is matched against the last component. Linear time for any
 * pattern (no exponential back-tracking). */
bool str_glob(str pattern, str s);

#endif
