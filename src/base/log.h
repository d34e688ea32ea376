/* log.h — messages to the operator on stderr.
 *
 * Purpose: one place that prints; libraries return errors and do not log. Ownership: none. Threads: each call is one write(2).
 * Errors: none reported.
 */
#ifndef TYTO_LOG_H
#define TYTO_LOG_H

#include "base/base.h"

enum log_level { LOG_LEVEL_QUIET, LOG_LEVEL_NORMAL, LOG_LEVEL_VERBOSE };

void log_set_level(enum log_level level);
/* Under --json an error is one object, {"error":"…"}. */
void log_set_json(bool json);

/* Errors: always shown; prefixed "tyto: ". */
void log_error(const char *fmt, ...) _printf_(1, 2);
/* Notices: hidden by -q. */
void log_info(const char *fmt, ...) _printf_(1, 2);
/* Detail: shown by -v. */
void log_debug(const char *fmt, ...) _printf_(1, 2);

#endif
