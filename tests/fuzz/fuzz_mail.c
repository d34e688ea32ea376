/* Bytes as a mail or a file of mails, with what may be attached. The first byte chooses the name. */
#include "fuzz_format.h"

extern const struct format format_html, format_mail, format_mbox, format_rtf, format_text;
const struct format *const formats[] = { &format_html, &format_mail, &format_mbox, &format_rtf, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n)
		fuzz_format(data[0] & 1 ? "a.eml" : data[0] & 2 ? "a.emlx" : "a", data + 1, n - 1);
	return 0;
}
