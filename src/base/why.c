#include "base/why.h"

#include <stdarg.h>
#include <stdio.h>

int why_set(struct why *w, int r, const char *fmt, ...)
{
	char text[sizeof(w->text)];
	va_list ap;

	/* A line may be made of the one before it. */
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(w->text, text, sizeof(text));
	return r;
}
