/* Bytes as a PDF's objects (its text comes from a program, which is not fuzzed), and as what that program prints: the first byte says which. */
#include "fuzz_format.h"

#include "extract/formats/pdf.h"
#include "extract/sink.h"

static int read_piece(struct in *in, struct sink *s)
{
	_cleanup_buf_ struct buf boxes = BUF_INIT;
	struct pdf_pages pages;
	struct pdf *p = NULL;
	str b;
	char what;

	if (in_whole(in, 1 << 20, &b) < 0 || !b.n)
		return 0;
	what = b.p[0];
	b = (str){ b.p + 1, b.n - 1 };
	if (what == 'b') {
		buf_puts(&boxes, b);
		return pdf_boxes_put(&boxes, true, s);
	}
	if (what == 't') {
		pdf_text_count(b, &pages);
		pdf_text_put(b, 0, pages.at, pages.pages, s);
		pdf_text_put(b, pages.end, b.n, pages.pages, s);
		return 0;
	}
	if (pdf_open(b, &p) == 0) {
		pdf_has_pictures(p);
		pdf_properties(p, s);
	}
	pdf_close(p);
	return 0;
}

static int bid(struct in *in, str head)
{
	return 1;
}

static const struct format format_piece = { .name = "pdf", .mime = "application/pdf", .bid = bid, .read = read_piece };
const struct format *const formats[] = { &format_piece, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_format("a.pdf", data, n);
	return 0;
}
