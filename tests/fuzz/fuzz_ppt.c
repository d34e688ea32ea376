/* Bytes as the streams of a PowerPoint presentation. */
#include "fuzz_streams.h"

extern const struct format format_ole, format_text;
const struct format *const formats[] = { &format_ole, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const paths[] = { "PowerPoint Document", "Current User", "Pictures", NULL };

	fuzz_streams("a.ppt", paths, data, n);
	return 0;
}
