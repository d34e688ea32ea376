#include "base/log.h"

#include <stdarg.h>

#include "base/json.h"

static enum log_level level = LOG_LEVEL_NORMAL;
static bool as_json;

void log_set_level(enum log_level l)
{
	level = l;
}

void log_set_json(bool json)
{
	as_json = json;
}

static void put(bool error, const char *fmt, va_list ap)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char text[2048];
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	str s = { text, n < 0 ? 0 : MIN((size_t)n, sizeof(text) - 1) };

	if (as_json && error) {
		json_obj_begin(&b);
		json_put_str(&b, "error", s);
		json_obj_end(&b);
	} else {
		buf_puts(&b, STR("tyto: "));
		/* One line, whatever a file name brings with it. */
		buf_put_visible(&b, s);
	}
	buf_putc(&b, '\n');
	if (write(STDERR_FILENO, b.p, b.n) < 0)
		return; /* nobody left to tell */
}

#define LOG_BODY(error)                  \
	do {                             \
		va_list ap;              \
		va_start(ap, fmt);       \
		put(error, fmt, ap);     \
		va_end(ap);              \
	} while (0)

void log_error(const char *fmt, ...)
{
	LOG_BODY(true);
}

void log_info(const char *fmt, ...)
{
	if (level >= LOG_LEVEL_NORMAL)
		LOG_BODY(false);
}

void log_debug(const char *fmt, ...)
{
	if (level >= LOG_LEVEL_VERBOSE)
		LOG_BODY(false);
}
