/* Bytes as a store of Outlook's. */
#include "fuzz_format.h"

extern const struct format format_ole, format_text, format_pst;
const struct format *const formats[] = { &format_ole, &format_pst, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_format("a.pst", data, n);
	return 0;
}
