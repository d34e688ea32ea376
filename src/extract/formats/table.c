/* The formats, one file each. A tie of bids goes to the one that stands first. */
#include "extract/format.h"

extern const struct format format_archive, format_csv, format_html, format_image, format_mail, format_mbox, format_odf, format_odf_flat,
		format_ole, format_ooxml, format_pdf,
	format_pst, format_rtf, format_text, format_tnef, format_xls;

const struct format *const formats[] = {
	&format_archive,
	&format_csv,
	&format_odf,
	&format_odf_flat,
	&format_ooxml,
	&format_html,
	&format_mail,
	&format_mbox,
	&format_ole,
	&format_image,
	&format_pdf,
	&format_pst,
	&format_rtf,
	&format_text,
	&format_tnef,
	&format_xls,
	NULL,
};
