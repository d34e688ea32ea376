/* The formats, one file each. A tie of bids goes to the one that stands first. */
#include "extract/format.h"

extern const struct format format_archive, format_csv, format_image, format_pdf, format_text;

const struct format *const formats[] = {
	&format_archive,
	&format_csv,
	&format_image,
	&format_pdf,
	&format_text,
	NULL,
};
