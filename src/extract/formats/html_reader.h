/* html_reader.h — the HTML reader's halves: what comes out (html_out.c), and the tags that say where it goes (html_reader.c).
 *
 * Purpose: state of one page. Ownership: html_reader.c makes and frees it; strs point into the page. Units: bytes, rows and columns from 1.
 * Threads: one.
 * Errors: the bufs keep theirs.
 */
#ifndef TYTO_HTML_READER_H
#define TYTO_HTML_READER_H

#include "extract/formats/html.h"
#include "extract/formats/msip.h"

#define SPANS_MAX 64 /* columns whose rowspan is kept */

struct elem;

struct open {
	const struct elem *e;
	str name;       /* of those that are in no table, too */
	uint32_t hash;  /* of it, whatever the case */
	uint8_t zone;
	bool hidden, drop, pre, ruby;
};

struct table {
	uint32_t row, col, wide;   /* wide: columns of the last cell */
	uint16_t below[SPANS_MAX]; /* rows for which a column is taken from above */
	bool layout;               /* its cells are no cells but paragraphs */
	bool in_cell, holds;       /* holds: a table stands in this cell */
};

struct html {
	struct sink *s;
	struct buf *words;   /* instead of the sink */
	enum zone base;
	struct open now;     /* what holds here */
	struct open *stack;
	unsigned depth, over;
	uint16_t open[64];   /* elements by hash: most end tags that fit none are told at once */
	struct table *tables;
	unsigned n_tables, over_tables;
	struct buf run, links, ruby, value;
	struct buf mails;    /* addresses that a cell links to */
	struct msip msip;
	char space;          /* 0, or the white space that waits */
	bool begun;          /* the block has text */
	unsigned bad_tags;
	bool no_close, no_comment_end, no_cdata_end;
};

/* The table whose cell text goes to; NULL: text is a paragraph. */
struct table *html_cell_table(struct html *h);
/* Says what is gathered, in the zone that holds: before a zone or what hides changes. */
void html_put_run(struct html *h);
/* Links and readings of the block follow it. */
void html_end_block(struct html *h);
/* Text of the page: white space is one space, characters by name are themselves. */
void html_put_text(struct html *h, str s);
/* Two in a row end a block. */
void html_line_break(struct html *h);
bool html_is_white(char c);

#endif
