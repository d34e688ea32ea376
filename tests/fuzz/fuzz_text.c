/* Bytes as plain text or a table. The first byte chooses the name. */
#include "fuzz_format.h"

extern const struct format format_csv, format_text;
const struct format *const formats[] = { &format_csv, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n)
		fuzz_format(data[0] & 1 ? "a.csv" : "a.txt", data + 1, n - 1);
	return 0;
}
