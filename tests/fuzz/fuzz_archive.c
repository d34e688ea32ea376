/* Bytes as a container. */
#include "fuzz_format.h"

extern const struct format format_archive, format_text;
const struct format *const formats[] = { &format_archive, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_format("a.gz", data, n);
	return 0;
}
