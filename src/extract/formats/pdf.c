/* PDF by pdftotext: poppler is GPL, so it is run and never linked. */
#include <errno.h>
#include <leptonica/allheaders.h>

#include "extract/formats/ocr.h"
#include "extract/formats/pdf.h"
#include "extract/formats/picture.h"

#define BOXES_MAX (192u << 20)   /* a hundred bytes a word */
#define FEW_LETTERS 24           /* a page: a stamp on a scan */
#define OCR_PAGES_MAX 100
#define OCR_PAGE_BYTES (40u << 20)
#define OBJECTS_MAX (128u << 20) /* of a file in which properties and attachments are looked for */

static int bid(struct in *in, str head)
{
	/* Readers accept some bytes before it (ISO 32000-1, annex H: in the first 1,024). */
	return memmem(head.p, MIN(head.n, (size_t)1024), "%PDF-", 5) ? 60 : 0;
}

/* The first line of what the program complained about. */
static int complaint(struct sink *s, str err, int status)
{
	const char *end = memchr(err.p, '\n', err.n);
	size_t n = end ? (size_t)(end - err.p) : err.n;

	if (memmem(err.p, err.n, "ncorrect password", 17))
		return -EACCES;
	if (n)
		sink_reason(s, "%.*s", (int)n, err.p);
	else
		sink_reason(s, "pdftotext ended with status %d", status);
	return -EIO;
}

static int put_boxes(struct in *in, struct sink *s, const struct pdf_pages *pages)
{
	_cleanup_buf_ struct buf out = { .max = BOXES_MAX }, err = BUF_INIT;
	int status = 0, r = in_program(in, s, PROGRAM_PDFTOTEXT_BOXES, pages->first, pages->last, &out, &err, &status);

	if (r < 0 || status || !out.n)
		return -ENODATA;
	return pdf_boxes_put(&out, pages->first == 1, s);
}

static void put_text(struct in *in, struct sink *s, str plain, struct pdf_pages *pages)
{
	if (!pages->first) {
		pdf_text_put(plain, 0, plain.n, pages->pages, s);
		return;
	}
	pdf_text_put(plain, 0, pages->at, pages->pages, s);
	if (put_boxes(in, s, pages) < 0)
		pdf_text_put(plain, pages->at, pages->end, pages->pages, s);
	pdf_text_put(plain, pages->end, plain.n, pages->pages, s);
}

/* One page as a picture. -ENOENT: there is none. */
static int read_page(struct in *in, struct sink *s, uint32_t page)
{
	_cleanup_buf_ struct buf pnm = { .max = OCR_PAGE_BYTES }, err = BUF_INIT, text = BUF_INIT;
	_cleanup_(picture_freep) struct Pix *p = NULL;
	struct picture_size z;
	int status = 0, r = in_program(in, s, PROGRAM_PDFTOPPM, page, page, &pnm, &err, &status);
	bool damaged;

	if (r < 0)
		return r == -EMSGSIZE ? 0 : r;
	if (!pnm.n)
		return -ENOENT;
	r = picture_size(PICTURE_PNM, buf_str(&pnm), 0, &z);
	if (r == 0)
		r = picture_grey(PICTURE_PNM, buf_str(&pnm), 0, 0, &p, &damaged);
	buf_free(&pnm);
	pnm = BUF_INIT;
	if (r == 0)
		r = ocr_read(p, &text);
	sink_lines(s, ZONE_OCR, buf_str(&text));
	return r;
}

static void read_pictures(struct in *in, struct sink *s, uint32_t pages)
{
	uint32_t page = 1;
	int r = 0;

	if (sink_ocr(s) != OCR_NOW || !ocr_ready()) {
		sink_wants_ocr(s);
		if (sink_ocr(s) == OCR_NOW)
			sink_reason(s, "tesseract is not installed: its pages were not read");
		return;
	}
	while (page <= MIN(pages, (uint32_t)OCR_PAGES_MAX) && r == 0 && !sink_full(s)) {
		r = read_page(in, s, page);
		page++;
	}
	if (r == -ETIME || (r == 0 && page <= pages)) {
		sink_wants_ocr(s);
		sink_reason(s, "of %u pages %u were read", pages, page - 1 - (r < 0));
	}
}

static int read_pdf(struct in *in, struct sink *s)
{
	_cleanup_buf_ struct buf out = { .max = TEXT_MAX }, err = BUF_INIT;
	struct pdf_pages pages;
	struct pdf *p = NULL;
	int status = 0, r = in_program(in, s, PROGRAM_PDFTOTEXT, 0, 0, &out, &err, &status), k = 0;
	bool pictures = false;
	str bytes;

	if (r < 0 && r != -EMSGSIZE)
		return r;
	pdf_text_count(buf_str(&out), &pages);
	if (r < 0) /* it was stopped: not twice */
		pages.first = 0;
	put_text(in, s, buf_str(&out), &pages);
	if (in_whole(in, OBJECTS_MAX, &bytes) == 0 && pdf_open(bytes, &p) == 0) {
		pictures = pdf_has_pictures(p);
		k = pdf_properties(p, s);
	}
	pdf_close(p);
	if (k < 0 || r < 0)
		return r < 0 ? r : k;
	if (!pages.letters && (status || err.n))
		return complaint(s, buf_str(&err), status);
	if (!pages.letters || (pictures && pages.letters < (uint64_t)FEW_LETTERS * pages.pages))
		read_pictures(in, s, pages.pages);
	return status ? complaint(s, buf_str(&err), status) : 0;
}

const struct format format_pdf = { .name = "pdf", .mime = "application/pdf", .bid = bid, .read = read_pdf, .prepare = ocr_prepare };
