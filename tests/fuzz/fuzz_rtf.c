/* Bytes as Rich Text Format, with what may be wrapped in it. */
#include "fuzz_format.h"

extern const struct format format_html, format_rtf, format_text;
const struct format *const formats[] = { &format_html, &format_rtf, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_format("a.rtf", data, n);
	return 0;
}
