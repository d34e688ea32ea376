#include "command.h"

#include <stdarg.h>

#include "../test.h"

void output_of(struct buf *b, const char *fmt, ...)
{
	char command[512];
	va_list ap;
	FILE *f;
	size_t n;

	va_start(ap, fmt);
	assert_in_range(vsnprintf(command, sizeof(command), fmt, ap), 1, sizeof(command) - 1);
	va_end(ap);
	f = popen(command, "r");
	assert_non_null(f);
	buf_clear(b);
	do {
		assert_int_equal(buf_reserve(b, 1 << 16), 0);
		n = fread(b->p + b->n, 1, 1 << 16, f);
		b->n += n;
	} while (n);
	assert_int_equal(pclose(f), 0);
	assert_true(b->n > 0);
}
