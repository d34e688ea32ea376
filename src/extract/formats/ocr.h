/* ocr.h — the text of a picture, by tesseract (English and Japanese).
 *
 * Purpose: shared by image and pdf. The library and its models are loaded by ocr_prepare alone, and only in a worker that is to read
 * pictures: others stay small. Ownership: the picture stays the caller's. Units: pixels. Threads: one; tesseract's own are off. Errors:
 * negative errno.
 */
#ifndef TYTO_OCR_H
#define TYTO_OCR_H

#include "base/buf.h"

struct Pix;

/* 0 also where tesseract is not installed: ocr_ready says so then. Before the sandbox closes. */
int ocr_prepare(void);
bool ocr_ready(void);
/* Of eight bits of grey. Lines end with '\n'; appended to ret. -ETIME: the document's time was over before its end: what was read stays. */
int ocr_read(struct Pix *grey, struct buf *ret);

#endif
