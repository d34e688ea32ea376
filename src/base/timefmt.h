/* timefmt.h — points in time: int64 nanoseconds since 1970 UTC.
 *
 * Purpose: RFC 3339 in and out, and the --since forms. Ownership: none. Units: ns UTC. Threads: no state.
 * Errors: -EINVAL for what cannot be read; from time_parse() -ERANGE for a time outside of 1677…2262.
 */
#ifndef TYTO_TIMEFMT_H
#define TYTO_TIMEFMT_H

#include "base/base.h"
#include "base/str.h"

#define TIME_TEXT_MAX 40

/* "2026-11-25T14:56:20.123456789Z": fraction only as long as needed (0, 3, 6 or 9 digits). Returns the length. */
size_t time_format(int64_t ns, char out[static TIME_TEXT_MAX]);

/* Local time for people: "2026-11-25 14:56:20". Returns the length. */
size_t time_format_local(int64_t ns, char out[static TIME_TEXT_MAX]);

/* RFC 3339 with zone; 1 to 9 fraction digits. Fast path without libc. */
int time_parse(str s, int64_t *ret);

/* --since/--until: RFC 3339, a date or "date time" in local time, or an age before now: 90s 10m 6h 30d 8w. */
int time_parse_user(str s, int64_t now, int64_t *ret);

int64_t time_now(void);      /* CLOCK_REALTIME */
int64_t time_boottime(void); /* CLOCK_BOOTTIME */

#endif
