/* PDF by pdftotext: poppler is GPL, so it is run and never linked. */
#include <errno.h>

#include "extract/format.h"

static int bid(struct in *in, str head)
{
	/* Readers accept some bytes before it (ISO 32000-1, annex H: in the first 1,024). */
	return memmem(head.p, MIN(head.n, (size_t)1024), "%PDF-", 5) ? 60 : 0;
}

/* Pages end with a form feed, paragraphs with an empty line. */
static void put_pages(struct sink *s, str text)
{
	while (text.n && !sink_full(s)) {
		const char *feed = memchr(text.p, '\f', text.n);
		size_t page = feed ? (size_t)(feed - text.p) : text.n;

		for (size_t at = 0; at < page;) {
			const char *gap = memmem(text.p + at, page - at, "\n\n", 2);
			size_t n = gap ? (size_t)(gap - text.p) - at : page - at;

			sink_text(s, ZONE_BODY, (str){ text.p + at, n });
			sink_block(s);
			at += n;
			while (at < page && text.p[at] == '\n')
				at++;
		}
		text.p += MIN(page + 1, text.n);
		text.n -= MIN(page + 1, text.n);
	}
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

static int read_pdf(struct in *in, struct sink *s)
{
	_cleanup_buf_ struct buf out = { .max = TEXT_MAX }, err = BUF_INIT;
	int status = 0, r = in_program(in, s, PROGRAM_PDFTOTEXT, 0, 0, &out, &err, &status);

	if (r < 0 && r != -EMSGSIZE)
		return r;
	put_pages(s, buf_str(&out));
	if (r < 0)
		return r;
	if (out.n < 16 && (status || err.n))
		return complaint(s, buf_str(&err), status);
	if (out.n < 16)
		sink_wants_ocr(s);
	return status ? complaint(s, buf_str(&err), status) : 0;
}

const struct format format_pdf = { .name = "pdf", .mime = "application/pdf", .bid = bid, .read = read_pdf };
