/* The formats, one file each. A tie of bids goes to the one that stands first. */
#include "extract/format.h"

extern const struct format format_text;

const struct format *const formats[] = {
	&format_text,
	NULL,
};
