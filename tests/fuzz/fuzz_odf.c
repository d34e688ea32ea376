/* Members (see members.h), or bytes as a zip, as odt, ods or odp; else as a flat document. */
#include "../unit/extract/members.h"
#include "fuzz_format.h"

extern const struct format format_odf, format_odf_flat, format_text;
const struct format *const formats[] = { &format_odf, &format_odf_flat, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf zip = BUF_INIT;
	str text = { (const char *)data, n };

	if (str_starts(text, STR("=="))) {
		members_pack(text, true, &zip);
		text = buf_str(&zip);
	}
	fuzz_format("a.odt", (const uint8_t *)text.p, text.n);
	return 0;
}
