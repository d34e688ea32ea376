/* pdf.h — the parts of PDF reading: plain text with zones, boxes where the place of a word says more, and the objects that pdftotext passes
 * over.
 *
 * Purpose: between pdf.c, pdf_text.c, pdf_boxes.c, pdf_objects.c, pdf_properties.c. Ownership: as said at each. Units: bytes; points for
 * places.
 * Threads: one. Errors: negative errno.
 */
#ifndef TYTO_PDF_H
#define TYTO_PDF_H

#include "extract/format.h"

struct pdf_pages {
	uint32_t pages;
	uint64_t letters;      /* bytes that are no space */
	uint32_t first, last;  /* pages whose words' places are needed, from 1; 0: none */
	size_t at, end;        /* where those stand in the text */
};

/* Counts, and finds the pages that have to be read again with places: addresses or telephone numbers alone on their lines are columns of a
 * table that was cut up, and scraps of a letter or two after each other are text across the page. */
void pdf_text_count(str plain, struct pdf_pages *ret);
/* Output of pdftotext, of which the pages in [at, end) are put: lines that stand on many of all pages are headers and footers, a short
 * first block of the document its title. */
void pdf_text_put(str plain, size_t at, size_t end, uint32_t pages, struct sink *s);
/* Output of pdftotext -bbox-layout, written over. first: it begins with the first page. */
int pdf_boxes_put(struct buf *boxes, bool first, struct sink *s);
/* A word or a row of them that is an e-mail address or a telephone number and nothing else. */
bool pdf_is_contact(str s);

/* The file's objects, as far as they can be found without its table: what is named last counts. */
struct pdf;
int pdf_open(str bytes, struct pdf **ret);
struct pdf *pdf_close(struct pdf *p);
/* What stands between "N 0 obj" and "endobj", also from a compressed stream; empty where there is none. Lives until pdf_close. */
str pdf_object(struct pdf *p, uint32_t number);
/* The value of /KEY in a dictionary ("(text)", "12 0 R", "<< …"), from its first byte to the dictionary's end. */
str pdf_value(str dictionary, const char *key);
/* "12 0 R" as 12, else 0. */
uint32_t pdf_reference(str value);
/* A text string as UTF-8; -EBADMSG where value is none. */
int pdf_string(str value, struct buf *ret);
/* An object's stream, inflated where that is all that was done to it; ret->max holds. -ENOTSUP: another filter. */
int pdf_stream(struct pdf *p, str object, struct buf *ret);
bool pdf_encrypted(const struct pdf *p);
str pdf_bytes(const struct pdf *p);
/* Plain parts of the file and what was unpacked of it, one after the other: for looking through. False behind the last. */
bool pdf_piece(struct pdf *p, size_t i, str *ret);

/* Info, XMP, labels, attachments, pictures. Only a cap that ends the document is an error. */
int pdf_properties(struct pdf *p, struct sink *s);
bool pdf_has_pictures(struct pdf *p);
/* The next photograph of the file, which goes on in *rest. */
bool pdf_next_jpeg(str *rest, str *ret);

#endif
