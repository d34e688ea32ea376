/* Bytes as the properties of an Outlook message. */
#include "fuzz_streams.h"

extern const struct format format_ole, format_text;
const struct format *const formats[] = { &format_ole, &format_text, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const paths[] = { "__properties_version1.0", "__substg1.0_0037001E", "__substg1.0_1000001F", "__substg1.0_10090102", "__substg1.0_10130102",
		"__substg1.0_007D001E", "__substg1.0_0C1A001F", "__substg1.0_0C1F001E", "__recip_version1.0_#00000000/__substg1.0_3001001F",
		"__recip_version1.0_#00000000/__substg1.0_39FE001F", "__attach_version1.0_#00000000/__substg1.0_3707001F",
		"__attach_version1.0_#00000000/__substg1.0_37010102", "__attach_version1.0_#00000001/__substg1.0_3701000D/__properties_version1.0",
		"__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_1000001F", NULL };

	fuzz_streams("a.msg", paths, data, n);
	return 0;
}
