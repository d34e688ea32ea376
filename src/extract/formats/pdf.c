/* PDF by pdftotext: poppler is GPL, so it is run and never linked. */
#include <errno.h>
#include <leptonica/allheaders.h>

#include "extract/formats/ocr.h"
#include "extract/formats/pdf.h"
#include "extract/formats/picture.h"

#define BOXES_MAX (192u << 20)   /* a hundred bytes a word */
#define FEW_LETTERS 24           /* a page: a stamp on a scan */
#define OCR_PAGES_MAX 100
#define PAGE_SIDE 700            /* pixels: the shorter side of a page at 85 dpi */
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
	if (status == PROGRAM_TOO_SLOW)
		sink_reason(s, "it takes pdftotext longer than a document of its size may");
	else if (n)
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

static bool is_page(str jpeg)
{
	struct picture_size z;

	return picture_size(PICTURE_JPEG, jpeg, 0, &z) == 0 && MIN(z.width, z.height) >= PAGE_SIDE;
}

/* A scanner's file is one JPEG a page: read as they are, they are sharper than a page drawn anew. False: it is not such a file. */
static bool read_jpegs(struct sink *s, str bytes, uint32_t pages, uint32_t *ret_read, int *ret)
{
	uint32_t n = 0;
	str rest = bytes, jpeg;

	while (pdf_next_jpeg(&rest, &jpeg))
		n += is_page(jpeg);
	if (n != pages)
		return false;
	*ret = 0;
	for (rest = bytes; *ret == 0 && *ret_read < OCR_PAGES_MAX && !sink_full(s) && pdf_next_jpeg(&rest, &jpeg);) {
		_cleanup_(picture_freep) struct Pix *p = NULL;
		_cleanup_buf_ struct buf text = BUF_INIT;
		bool damaged;

		if (!is_page(jpeg))
			continue;
		if (picture_grey(PICTURE_JPEG, jpeg, 0, PICTURE_TEXT_SIDE, &p, &damaged) == 0)
			*ret = ocr_read(p, &text);
		sink_lines(s, ZONE_OCR, buf_str(&text));
		*ret_read += *ret == 0;
	}
	return true;
}

static void read_pictures(struct in *in, struct sink *s, str bytes, uint32_t pages)
{
	uint32_t done = 0;
	int r = 0;

	if (sink_ocr(s) != OCR_NOW || !ocr_ready()) {
		sink_wants_ocr(s);
		if (sink_ocr(s) == OCR_NOW)
			sink_reason(s, "tesseract is not installed: its pages were not read");
		return;
	}
	if (!read_jpegs(s, bytes, pages, &done, &r))
		while (done < MIN(pages, (uint32_t)OCR_PAGES_MAX) && r == 0 && !sink_full(s)) {
			r = read_page(in, s, done + 1);
			done += r == 0;
		}
	if (done < pages) {
		sink_wants_ocr(s);
		sink_reason(s, "of %u pages %u were read", pages, done);
	}
}

static int read_pdf(struct in *in, struct sink *s)
{
	_cleanup_buf_ struct buf out = { .max = TEXT_MAX }, err = BUF_INIT;
	struct pdf_pages pages;
	struct pdf *p = NULL;
	int status = 0, r = in_program(in, s, PROGRAM_PDFTOTEXT, 0, 0, &out, &err, &status), k = 0;
	bool pictures = false;
	str bytes = STR_NONE;

	if (r < 0 && r != -EMSGSIZE)
		return r;
	pdf_text_count(buf_str(&out), &pages);
	if (r < 0 || status == PROGRAM_TOO_SLOW) /* it was stopped: not twice */
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
		read_pictures(in, s, bytes, pages.pages);
	return status ? complaint(s, buf_str(&err), status) : 0;
}

const struct format format_pdf = { .name = "pdf", .mime = "application/pdf", .bid = bid, .read = read_pdf, .prepare = ocr_prepare };
