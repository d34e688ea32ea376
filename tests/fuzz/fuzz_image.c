/* Bytes as a picture. */
#include "fuzz_format.h"

extern const struct format format_image;
const struct format *const formats[] = { &format_image, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_format("a.png", data, n);
	return 0;
}
