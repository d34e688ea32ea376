/* Bytes as a page; its bare words, too, since mails compare them. */
#include "extract/formats/html.h"
#include "fuzz_format.h"

extern const struct format format_html;
const struct format *const formats[] = { &format_html, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf words = BUF_INIT;

	fuzz_format("a.html", data, n);
	html_words((str){ (const char *)data, n }, &words);
	return 0;
}
