/* Bytes as an OLE2 file, or as a workbook without one. */
#include "fuzz_format.h"

extern const struct format format_ole, format_text, format_xls;
const struct format *const formats[] = { &format_ole, &format_xls, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_format("a.ole", data, n);
	return 0;
}
