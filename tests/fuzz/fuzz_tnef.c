/* Bytes as TNEF, with what Outlook puts into it. */
#include "fuzz_format.h"

extern const struct format format_html, format_rtf, format_text, format_tnef;
const struct format *const formats[] = { &format_html, &format_rtf, &format_text, &format_tnef, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_format("winmail.dat", data, n);
	return 0;
}
