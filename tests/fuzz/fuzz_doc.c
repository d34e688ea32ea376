/* Bytes as the streams of a Word document. */
#include "fuzz_streams.h"

extern const struct format format_ole, format_text;
const struct format *const formats[] = { &format_ole, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const paths[] = { "WordDocument", "1Table", "0Table", "Data", "\5SummaryInformation", "\5DocumentSummaryInformation",
		"ObjectPool/_1/\1Ole10Native", NULL };

	fuzz_streams("a.doc", paths, data, n);
	return 0;
}
