/* Bytes as an Excel workbook. */
#include "fuzz_streams.h"

extern const struct format format_ole, format_text;
const struct format *const formats[] = { &format_ole, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const paths[] = { "Workbook", "Book", "MBD1/Package", NULL };

	fuzz_streams("a.xls", paths, data, n);
	return 0;
}
